"""scipy's solvers on the same derivatives and the same counters as ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult
from scipy.optimize import minimize as scipy_minimize

from comparisons.records import TracePoint, cost
from newtonkit import Budget, Objective, Oracle
from newtonkit.state import BudgetSpent
from problems import Problem

Vector = NDArray[np.float64]

# what each solver asks for, and its tolerances: the same gtol as ours where it has one, else as far as it goes
SOLVERS: dict[str, tuple[str, ...]] = {
    "BFGS": ("jac",),
    "L-BFGS-B": ("jac",),
    "Newton-CG": ("jac", "hessp"),
    "trust-ncg": ("jac", "hessp"),
    "trust-krylov": ("jac", "hessp"),
    "trust-exact": ("jac", "hess"),
}


def solver_names() -> list[str]:
    """Names of the reference solvers, with the prefix ``scipy:``."""
    return [f"scipy:{name}" for name in SOLVERS]


@dataclass(frozen=True)
class Outcome:
    """Where a run of scipy's ended, and what it cost by our counters."""

    x: Vector
    f: float
    g: Vector
    success: bool
    reason: str
    message: str
    nit: int
    reported: dict[str, int]
    oracle: Oracle
    trace: tuple[TracePoint, ...]


def solve(problem: Problem, x0: Vector, method: str, *, gtol: float, maxiter: int, budget: Budget) -> Outcome:
    """Run ``scipy.optimize.minimize`` with exact derivatives, every call of which goes through our Oracle.

    Parameters
    ----------
    problem : Problem
    x0 : ndarray, shape (n,)
    method : str
        One of scipy's names, without prefix.
    gtol : float
        Tolerance on the gradient where the solver has one.
    maxiter : int
    budget : Budget
        Evaluations after which the run is stopped from outside.
    """
    needs = SOLVERS[method]
    oracle = Oracle(Objective(problem.fun), budget)
    trace = _Trace(oracle, problem.n)

    def value(x: Vector) -> float:
        return oracle.value(x.copy())

    def gradient(x: Vector) -> Vector:
        g = oracle.gradient(x.copy())
        trace.remember(x, g)
        return g.copy()

    derivatives: dict[str, Any] = {"jac": gradient}
    if "hess" in needs:
        derivatives["hess"] = lambda x: oracle.hessian(x.copy())
    if "hessp" in needs:
        derivatives["hessp"] = lambda x, p: oracle.product(x.copy())(np.ascontiguousarray(p))

    trace.record(x0, oracle.value(x0))
    oracle.counts.f = 0  # the first point of the trace is no request of the solver's
    x, nit, reported = x0, 0, {}
    with np.errstate(all="ignore"):
        try:
            result = scipy_minimize(
                value, x0, method=method, callback=trace, options=_options(method, gtol, maxiter), **derivatives
            )
            x, nit, reported = result.x, result.nit, _reported(result)
            success, reason, message = bool(result.success), f"status {result.status}", str(result.message)
        except BudgetSpent as spent:
            success, reason, message = False, spent.ending.reason.name, spent.ending.message
            x, nit = (x0 if oracle.best_x is None else oracle.best_x), len(trace.points) - 1
        except Exception as error:  # a solver of scipy's that breaks costs its own cell only
            success, reason, message = False, type(error).__name__, str(error)
            x = x0 if oracle.best_x is None else oracle.best_x
        check = Oracle(Objective(problem.fun))
        f, g = check.value_and_grad(np.array(x, dtype=np.float64))
    return Outcome(x, f, g, success, reason, message, nit, reported, oracle, tuple(trace.points))


def _options(method: str, gtol: float, maxiter: int) -> dict[str, float]:
    if method == "L-BFGS-B":
        # ftol = 0 leaves the decision to the gradient, as in the other solvers
        return {"gtol": gtol, "ftol": 0.0, "maxiter": maxiter, "maxfun": 10 * maxiter, "maxcor": 10}
    if method == "Newton-CG":
        # it stops on the length of a step alone; this is √eps, about where a gradient of 1e-8 is reached too
        return {"xtol": 1.5e-8, "maxiter": maxiter}
    return {"gtol": gtol, "maxiter": maxiter}


def _reported(result: OptimizeResult) -> dict[str, int]:
    return {name: int(result[name]) for name in ("nfev", "njev", "nhev") if name in result}


class _Trace:
    """The trace of a run of scipy's: a point per callback, with the gradient where one was evaluated there."""

    def __init__(self, oracle: Oracle, n: int) -> None:
        self.oracle = oracle
        self.n = n
        self.points: list[TracePoint] = []
        self._last: tuple[Vector, Vector] | None = None

    def remember(self, x: Vector, g: Vector) -> None:
        """The last gradient, for the callback that follows."""
        self._last = x.copy(), g

    def record(self, x: Vector, f: float) -> None:
        """Append the point x."""
        size = math.nan
        if self._last is not None and np.array_equal(self._last[0], x):
            size = float(np.abs(self._last[1]).max())
        kept = tuple(map(float, x)) if self.n == 2 else ()
        self.points.append(TracePoint(cost(self.oracle.counts, self.n), f, size, kept))

    def __call__(self, intermediate_result: OptimizeResult) -> None:
        """The callback, in scipy's second style."""
        self.record(intermediate_result.x, float(intermediate_result.fun))
