"""Wall time of whole runs, two by two: our solver and scipy's, our derivatives and plain autograd's.

Every run starts cold: the time of recording the tape is included. Each pair of solvers is run with both sources of
derivatives, so that the effect of the solver is separate from that of the derivatives.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize as scipy_minimize

import newtonkit
from comparisons.core.labels import number
from comparisons.report.document import Document, Table
from comparisons.running import scipy_solvers as reference
from comparisons.studies.solvers import derivative_speed, sparse_speed
from newtonkit.methods.registry import METHODS

Vector = NDArray[np.float64]
Function = Callable[[Any], Any]

_OF_A_NETWORK = 1e-3  # relative tolerance on its gradient, 1e-5 for other functions: networks are not trained further
_MAXITER = 100_000  # the time limit comes first
_MET = 10.0  # times the tolerance counts as met: Newton-CG stops on the length of its steps
_HESSIAN_LIMIT = 1300  # variables; a dense Hessian by plain autograd takes seconds there
_REPEATS = 5
_LONG = 2.0  # seconds above which a run is not repeated
SOURCES = ("tape", "autograd")


@dataclass(frozen=True)
class Case:
    """A function, its start, and the pairs of solvers that a user would choose for it."""

    name: str
    n: int
    make: Callable[[], Function]
    """A new function object, for which nothing is recorded yet."""
    x0: Vector
    pairs: tuple[tuple[str, str], ...]
    relative: float = 1e-5
    """Tolerance on ‖g‖∞ relative to min(1, ‖g‖∞ at the start): the gradient on a grid is proportional to its cells."""

    @property
    def gtol(self) -> float:
        """The tolerance on ‖g‖∞."""
        return self.relative * min(1.0, self.gradient_norm(self.x0))

    def gradient_norm(self, x: Vector) -> float:
        """‖∇f(x)‖∞."""
        g = newtonkit.grad(self.make())(x)
        return float(np.abs(g).max()) if np.isfinite(g).all() else math.inf


@dataclass(frozen=True, slots=True)
class Timing:
    """One solver on one case with one source of derivatives."""

    case: str
    n: int
    solver: str
    source: str
    seconds: float
    """Median of the repeats."""
    gradient_norm: float
    """‖g‖∞ at the end, by newtonkit's gradient."""
    met: bool
    """Whether ‖g‖∞ is within ten times the tolerance."""
    note: str
    """The method that was chosen, or why the run stopped."""


class TimeIsUp(Exception):  # noqa: N818  (not an error)
    """Raised inside a user's function when the time limit has passed."""


_SECOND_ORDER = ("newton", "trust-exact")
_QUASI_NEWTON = (("bfgs", "BFGS"), ("lbfgs", "L-BFGS-B"))
_LARGE = (("lbfgs", "L-BFGS-B"), ("newton-cg", "Newton-CG"), ("newton-cg", "trust-krylov"))


def small_cases() -> list[Case]:
    """Those of `derivative_speed`: Beale, Rosenbrock, a logistic regression of 200 variables, a network."""
    found = []
    for case in derivative_speed.cases():
        if case.n > 2000 or (case.name.startswith("logistic") and case.n != 200):
            continue
        if case.name == "Beale":
            x0 = np.array([1.0, 1.0])
        elif case.name == "Rosenbrock":
            x0 = np.where(np.arange(case.n) % 2 == 0, -1.2, 1.0)
        else:
            x0 = 0.1 * np.cos(np.arange(1.0, case.n + 1.0))
        pairs: tuple[tuple[str, str], ...]
        if case.n <= 200:
            pairs = (_SECOND_ORDER, *_QUASI_NEWTON)
        elif case.name == "Rosenbrock":
            pairs = (_SECOND_ORDER, *_LARGE)
        else:
            pairs = _LARGE
        accuracy = {"relative": _OF_A_NETWORK} if case.name.startswith("network") else {}
        found.append(Case(case.name, case.n, _maker(case.fun), x0, pairs, **accuracy))
    return found


def _maker(fun: Callable[[Any, Any], Any]) -> Callable[[], Function]:
    def make() -> Function:
        return lambda x: fun(anp, x)

    return make


def sparse_cases(sizes: Sequence[int]) -> list[Case]:
    """The chain and the grid of `sparse_speed`, of about these sizes; ours also with sparse Hessians.

    The chain starts near its minimum: from the classical start every method needs about n steps along the valley.
    """
    found = []
    pairs = (("newton", "L-BFGS-B"), *_LARGE)
    for n in sizes:
        side = max(3, round(n**0.5))
        chain = np.random.default_rng(0).uniform(0.2, 1.2, n)
        found.append(Case("chain", n, _chain_maker, chain, pairs))
        found.append(Case("grid", side * side, _grid_maker(side), np.zeros(side * side), pairs))
    return found


def _chain_maker() -> Function:
    return lambda x: sparse_speed.chain(x)


def _grid_maker(side: int) -> Callable[[], Function]:
    return lambda: sparse_speed.grid(side)


def measure(cases: Sequence[Case], *, limit: float = 60.0, repeats: int = _REPEATS) -> list[Timing]:
    """Every solver of every case with every source, all in one process, alternating.

    Parameters
    ----------
    cases : sequence of Case
    limit : float, positive, default 60
        Seconds after which a run is stopped.
    repeats : int, at least 1, default 5
        Runs that take longer than 2 s are not repeated.
    """
    timings = []
    for case in cases:
        solvers = [name for ours, other in case.pairs for name in (ours, f"scipy:{other}")]
        cells = [
            (solver, source)
            for solver in dict.fromkeys(solvers)
            for source in SOURCES
            if _possible(case, solver, source)
        ]
        seconds: dict[tuple[str, str], list[float]] = {cell: [] for cell in cells}
        ends: dict[tuple[str, str], tuple[Vector, str]] = {}
        for _ in range(repeats):
            for cell in cells:
                if seconds[cell] and seconds[cell][-1] > _LONG:
                    continue
                began = time.perf_counter()
                ends[cell] = _solve(case, *cell, limit)
                seconds[cell].append(time.perf_counter() - began)
        for cell in cells:
            x, note = ends[cell]
            size = case.gradient_norm(x)
            median = statistics.median(seconds[cell])
            timings.append(Timing(case.name, case.n, *cell, median, size, size <= _MET * case.gtol, note))
    return timings


def _possible(case: Case, solver: str, source: str) -> bool:
    """Whether the matrix that this requires is small enough."""
    dense = solver == "scipy:trust-exact" or (solver == "newton" and source == "autograd")
    return not dense or case.n <= _HESSIAN_LIMIT


def _solve(case: Case, solver: str, source: str, limit: float) -> tuple[Vector, str]:
    fun = case.make()
    if solver.startswith("scipy:"):
        return _scipy_solve(case, fun, solver.removeprefix("scipy:"), source, limit)
    given = {} if source == "tape" else _plain_derivatives(fun, METHODS[solver].needs)  # type: ignore[union-attr]
    options = {"gtol": case.gtol, "maxtime": limit, "maxiter": _MAXITER, "history": False}
    result = newtonkit.minimize(fun, case.x0, method=solver, options=options, **given)
    return result.x, result.choice if result.success else f"{result.reason.name}"


def _plain_derivatives(fun: Function, needs: frozenset[str]) -> dict[str, Any]:
    """The user's own derivatives, by plain autograd."""
    given: dict[str, Any] = {"jac": autograd.grad(fun)}
    if "hess" in needs:
        given["hess"] = autograd.hessian(fun)
    if "hvp" in needs:
        given["hessp"] = autograd.hessian_vector_product(fun)
    return given


def _scipy_solve(case: Case, fun: Function, name: str, source: str, limit: float) -> tuple[Vector, str]:
    needs = reference.SOLVERS[name]
    if source == "tape":
        own: dict[str, Any] = {"jac": newtonkit.grad, "hess": newtonkit.hessian, "hessp": newtonkit.hvp}
        both: Function = newtonkit.value_and_grad(fun)
    else:
        own = {"hess": autograd.hessian, "hessp": autograd.hessian_vector_product}
        both = autograd.value_and_grad(fun)
    deadline = time.perf_counter() + limit
    last = case.x0

    def in_time(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Vector) -> Any:
            if time.perf_counter() > deadline:
                raise TimeIsUp
            return function(*arguments)

        return called

    @in_time
    def value_and_gradient(x: Vector) -> tuple[float, Vector]:
        nonlocal last
        last = x.copy()
        f, g = both(x)
        return float(f), g

    # inside one iteration Newton-CG may spend minutes on products alone
    second = {key: in_time(own[key](fun)) for key in needs if key != "jac"}
    options = reference._options(name, case.gtol, _MAXITER)
    with np.errstate(all="ignore"):
        try:
            result = scipy_minimize(value_and_gradient, case.x0, jac=True, method=name, options=options, **second)
        except TimeIsUp:
            return last, f"stopped after {limit:g} s"
    return result.x, "" if result.success else f"status {result.status}"


def time_table(timings: Sequence[Timing], cases: Sequence[Case]) -> Table:
    """One row for each case and pair; ratios are scipy's time to ours."""
    headings = (
        *("function", "n", "ours", "scipy's", "ours, tape", "ours, autograd", "scipy's, tape", "scipy's, autograd"),
        *("scipy's/ours, tape", "scipy's/ours, autograd", "scipy's autograd/ours tape", "our choice"),
    )
    rows = []
    found = {(t.case, t.n, t.solver, t.source): t for t in timings}
    for case in cases:
        for ours, other in case.pairs:
            cells = [
                found.get((case.name, case.n, solver, source))
                for solver in (ours, f"scipy:{other}")
                for source in SOURCES
            ]
            if cells[0] is None:
                continue
            taped, plain, their_taped, their_plain = cells
            rows.append(
                [
                    case.name,
                    str(case.n),
                    ours,
                    other,
                    *(_cell(timing) for timing in cells),
                    _ratio(their_taped, taped),
                    _ratio(their_plain, plain),
                    _ratio(their_plain, taped),
                    cells[0].note,
                ]
            )
    title = "Seconds from a cold start, medians; in brackets ‖g‖∞ where it exceeds ten times the tolerance"
    return Table(title, headings, rows, text=(0, 2, 3, 11))


def run(
    *, sparse: bool = False, sizes: Sequence[int] = (10**3, 10**4, 10**5, 10**6), limit: float = 60.0, repeats: int = 5
) -> Document:
    """The table of the small cases, or of the sparse cases of these sizes; see `measure` for limit and repeats."""
    cases = sparse_cases(sizes) if sparse else small_cases()
    return Document("Wall time", [time_table(measure(cases, limit=limit, repeats=repeats), cases)])


def _cell(timing: Timing | None) -> str:
    if timing is None:
        return "–"
    return number(timing.seconds, 3) + ("" if timing.met else f" ({number(timing.gradient_norm, 2)})")


def _ratio(theirs: Timing | None, ours: Timing | None) -> str:
    """Scipy's time divided by ours; a lower bound if scipy's run did not converge, a dash if ours did not."""
    if theirs is None or ours is None or not ours.met:
        return "–"
    return ("" if theirs.met else "> ") + number(theirs.seconds / ours.seconds, 3)
