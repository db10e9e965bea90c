"""Adapter of scipy's solvers: the same derivatives and counters as for our methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, OptimizeResult
from scipy.optimize import minimize as scipy_minimize

from comparisons.core.trace import Trace
from comparisons.running.recorder import Recorder
from newtonkit import Budget, Evaluator, Objective
from newtonkit.core.state import FIRST, BudgetSpent, State
from newtonkit.linalg.kernels import EPS, finite_max_norm
from problems import Problem

Vector = NDArray[np.float64]

# the derivatives that each solver requires
SOLVERS: dict[str, tuple[str, ...]] = {
    "BFGS": ("jac",),
    "L-BFGS-B": ("jac",),
    "Newton-CG": ("jac", "hessp"),
    "trust-ncg": ("jac", "hessp"),
    "trust-krylov": ("jac", "hessp"),
    "trust-exact": ("jac", "hess"),
}
# those that accept bounds; all but the first are not part of comparisons without bounds
BOUNDED_SOLVERS: dict[str, tuple[str, ...]] = {
    "L-BFGS-B": ("jac",),
    "TNC": ("jac",),
    "trust-constr": ("jac", "hess"),
    "SLSQP": ("jac",),
}

OFFERED = ("jac", "hess", "hessp", "callback", "bounds")
"""What a callable of scipy's signature is given, if it has the argument."""


def solver_names() -> list[str]:
    """Names of the reference solvers, with the prefix ``scipy:``."""
    return [f"scipy:{name}" for name in SOLVERS]


def bounded_solver_names() -> list[str]:
    """Names of the reference solvers that accept bounds, with the prefix ``scipy:``."""
    return [f"scipy:{name}" for name in BOUNDED_SOLVERS]


@dataclass(frozen=True)
class SolverResult:
    """Where a run of another solver ended, and its counts by our counters."""

    x: Vector
    f: float
    g: Vector
    success: bool
    reason: str
    message: str
    nit: int
    reported: dict[str, int]
    evaluator: Evaluator
    trace: Trace
    outside: int = 0
    """Evaluations outside the bounds of the problem."""


def solve(
    problem: Problem,
    x0: Vector,
    method: str,
    *,
    gtol: float | None,
    maxiter: int,
    budget: Budget,
    options: Mapping[str, Any] | None = None,
    recorder: Recorder | None = None,
) -> SolverResult:
    """Run ``scipy.optimize.minimize`` with exact derivatives, through our Evaluator; with bounds if there are any.

    Parameters
    ----------
    problem : Problem
    x0 : ndarray, shape (n,)
    method : str
        One of scipy's names, without prefix.
    gtol : float or None
        Tolerance on the gradient if the solver has one; 0: as far as rounding allows; None: the solver's own defaults,
        its limit of iterations included.
    maxiter : int
    budget : Budget
        Evaluations after which the run is stopped from outside.
    options : mapping, optional
        Options of the solver; they take precedence.
    recorder : Recorder, optional
        Default: a new one.
    """
    if problem.bounds is not None and method not in BOUNDED_SOLVERS:
        raise ValueError(f"scipy:{method} does not accept bounds; use one of {', '.join(bounded_solver_names())}")
    settings = ({} if gtol is None else _options(method, gtol, maxiter)) | dict(options or {})

    def scipys(fun: Any, x0: Vector, **given: Any) -> OptimizeResult:
        return scipy_minimize(fun, x0, method=method, options=settings, **given)

    needs = (SOLVERS | BOUNDED_SOLVERS)[method]
    # TNC and SLSQP call back with x alone
    needs += () if method in ("TNC", "SLSQP") else ("callback",)
    needs += () if problem.bounds is None else ("bounds",)
    return observed(problem, x0, scipys, needs, budget, recorder=recorder)


def observed(
    problem: Problem,
    x0: Vector,
    solver: Callable[..., Any],
    needs: tuple[str, ...],
    budget: Budget,
    *,
    recorder: Recorder | None = None,
) -> SolverResult:
    """Run a solver of scipy's signature; all its evaluations are counted and recorded.

    Parameters
    ----------
    problem : Problem
    x0 : ndarray, shape (n,)
    solver : callable
        ``solver(fun, x0, jac=…, hess=…, hessp=…, callback=…, bounds=…) -> OptimizeResult``, given those of `OFFERED`
        that are in ``needs``. Where it never calls the callback, each gradient counts as an iteration.
    needs : tuple of str
    budget : Budget
    recorder : Recorder, optional
        Default: a new one.
    """
    recorder = Recorder(problem) if recorder is None else recorder
    evaluator = Evaluator(Objective(problem.fun), budget, observer=recorder)

    def value(x: Vector) -> float:
        return evaluator.value(x.copy())

    def gradient(x: Vector) -> Vector:
        return evaluator.gradient(x.copy()).copy()

    def callback(intermediate_result: OptimizeResult) -> None:
        recorder.visit(intermediate_result.x, float(intermediate_result.fun))

    offered: dict[str, Any] = {
        "callback": callback,
        "jac": gradient,
        "bounds": None if problem.bounds is None else Bounds(*problem.bounds.T),
        "hess": lambda x: evaluator.hessian(x.copy()).copy(),
        "hessp": lambda x, p: evaluator.hvp(x.copy())(np.ascontiguousarray(p)),
    }
    x, nit, reported = x0, 0, {}
    with np.errstate(all="ignore"):
        f, g = Evaluator(Objective(problem.fun)).value_and_grad(x0)
        recorder.record(0, State(x0, f, g, FIRST), finite_max_norm(g), evaluator.counts, 0.0)
        try:
            result = solver(value, x0.copy(), **{name: offered[name] for name in needs})
            if not hasattr(result, "x"):
                raise TypeError(f"a solver must return scipy's OptimizeResult, got {type(result).__name__}")
            x, nit, reported = _point(result.x, x0), int(result.get("nit", len(recorder) - 1)), _reported(result)
            success, reason = bool(result.get("success", False)), f"status {result.get('status', 'not given')}"
            message = str(result.get("message", ""))
        except BudgetSpent as spent:
            success, reason, message = False, spent.termination.reason.name, spent.termination.message
            x, nit = (x0 if evaluator.incumbent.x is None else evaluator.incumbent.x), len(recorder) - 1
        except Exception as error:  # an exception of a solver ends this run only
            success, reason, message = False, type(error).__name__, str(error)
            x = x0 if evaluator.incumbent.x is None else evaluator.incumbent.x
        if len(recorder) == 1:
            recorder.count_gradients()
        f, g = Evaluator(Objective(problem.fun)).value_and_grad(np.array(x, dtype=np.float64))
    return SolverResult(x, f, g, success, reason, message, nit, reported, evaluator, recorder.trace(), recorder.outside)


def _options(method: str, gtol: float, maxiter: int) -> dict[str, float]:
    if method == "L-BFGS-B":
        # ftol = 0 leaves the decision to the gradient, as in the other solvers
        return {"gtol": gtol, "ftol": 0.0, "maxiter": maxiter, "maxfun": 10 * maxiter, "maxcor": 10}
    if method == "Newton-CG":
        # it stops by the length of a step only; √eps corresponds to a gradient of about 1e-8
        return {"xtol": 1.5e-8 if gtol else 0.0, "maxiter": maxiter}
    if method == "TNC":
        return {"gtol": gtol, "ftol": 0.0, "xtol": 0.0, "maxfun": 10 * maxiter}
    if method == "SLSQP":
        # it stops by the change of f only: as far as rounding allows
        return {"ftol": EPS, "maxiter": maxiter}
    if method == "trust-constr":
        return {"gtol": gtol, "xtol": 0.0, "barrier_tol": gtol, "maxiter": maxiter}
    return {"gtol": gtol, "maxiter": maxiter}


def _point(x: Any, x0: Vector) -> Vector:
    """The x that a solver returned, as a vector of the shape of x0."""
    point = np.array(x, dtype=np.float64)
    if point.shape != x0.shape:
        raise ValueError(f"the solver returned x of shape {point.shape}, not {x0.shape}")
    return point


def _reported(result: OptimizeResult) -> dict[str, int]:
    return {name: int(result[name]) for name in ("nfev", "njev", "nhev") if result.get(name) is not None}
