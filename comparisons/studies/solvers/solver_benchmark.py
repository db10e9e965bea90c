"""Runs of the solver benchmark: ours, scipy's and GALAHAD's on every problem from every start, with equal terms."""

from __future__ import annotations

import math
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
import problems
from comparisons.running import galahad
from comparisons.running import scipy_solvers as reference
from comparisons.running.recorder import Recorder
from comparisons.running.solvers import as_solver
from comparisons.running.workers import one_thread_each
from newtonkit import Budget, Counts, Evaluator, Objective, Stop
from newtonkit.core.domain import Box, Domain, Unbounded
from newtonkit.core.validation import nearest_name
from newtonkit.driver.runner import run
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.registry import METHODS
from newtonkit.methods.steepest_descent import SteepestDescent
from problems import Problem

Vector = NDArray[np.float64]

_SAME_F = (
    1e-6  # relative to max(1, |f|): a point near a known one in x, but not in f, is another; x may be badly scaled
)
_FACTORS = {"maxfev": 5, "maxgev": 1, "maxhev": 1, "maxhvp": 20}  # of the budget of gradients


@dataclass(frozen=True)
class Terms:
    """The conditions of every run.

    Parameters
    ----------
    gtol : float, default 1e-8
        Tolerance on the gradient in the norm of the solver, which is at least ‖g‖∞. It is the scored tolerance: with a
        smaller one, a solver that is stopped by rounding would rightly report a failure.
    gradients : int, default 1000
        Budget of gradients and of Hessians; five times as many f, twenty times as many products.
    python : str, default this interpreter
        Where GALAHAD is installed.
    """

    gtol: float = 1e-8
    gradients: int = 1000
    python: str = sys.executable

    @property
    def limits(self) -> dict[str, int]:
        """The budget by the names of the options."""
        return {name: factor * self.gradients for name, factor in _FACTORS.items()}

    @property
    def maxiter(self) -> int:
        """Iterations: more than the budget allows for any solver that evaluates something in each."""
        return 10 * self.gradients


@dataclass(frozen=True, slots=True)
class SolverRun:
    """One solver on one problem from one start: its end by our measurement, and its own report.

    It contains no seconds, so that repeating the benchmark writes the same file.
    """

    problem: str
    """The label, parameters included."""
    n: int
    start: str
    method: str
    """Ours by its name; others with the prefix ``scipy:`` or ``galahad:``."""
    x: tuple[float, ...]
    f: float
    best: float | None
    """The lowest known minimum; None where none is known."""
    gradient_norm: float
    """‖g‖∞; with bounds ‖P(x − g) − x‖∞."""
    decrement: float
    """Half the squared Newton decrement, ½ gᵀH⁻¹g; infinite where the Hessian has a negative eigenvalue."""
    kind: str
    """Of the endpoint: by the catalogue where it is a known critical point, by `newtonkit.classify` elsewhere."""
    success: bool
    reason: str
    message: str
    counts: Counts
    checks: Counts
    nit: int
    outside: int | None = None
    """Evaluations outside the bounds; None for a problem without bounds."""


@dataclass(frozen=True)
class SolverTask:
    """One problem and one solver, over several starts; names only, so that it can be pickled."""

    name: str
    parameters: tuple[tuple[str, Any], ...]
    starts: tuple[str, ...]
    method: str


def own_methods(*, bounded: bool = False) -> list[str]:
    """Our second-order and quasi-Newton methods, and the automatic choice.

    Without first-order rules, steepest descent, and the pure Newton step, which does not leave saddles. With
    ``bounded``, those that accept bounds, steepest descent included.
    """
    if bounded:
        accepting = [
            name for name, cls in METHODS.items() if not issubclass(cls, GradientTransform) and cls.accepts_bounds
        ]
        return [*accepting, "auto"]
    chosen = [
        name
        for name, cls in METHODS.items()
        if not issubclass(cls, GradientTransform) and cls.escapes and not issubclass(cls, SteepestDescent)
    ]
    return [*chosen, "auto"]


def all_solvers(*, bounded: bool = False) -> list[str]:
    """Ours, scipy's, GALAHAD's; with ``bounded`` those that accept bounds."""
    if bounded:
        others = [*reference.bounded_solver_names(), *(f"galahad:{name}" for name in galahad.BOUNDED_SOLVERS)]
        return [*own_methods(bounded=True), *others]
    return [*own_methods(), *reference.solver_names(), *(f"galahad:{name}" for name in galahad.SOLVERS)]


def chosen_solvers(wanted: Sequence[str], *, bounded: bool = False) -> list[str]:
    """The solvers of these names, in any case; all for none.

    Raises
    ------
    ValueError
        With the nearest valid name.
    """
    known = {name.lower(): name for name in all_solvers(bounded=bounded)}
    for name in wanted:
        if name.lower() not in known:
            raise ValueError(f"unknown solver {name!r}; {nearest_name(name, list(known.values()))}")
    return [known[name.lower()] for name in wanted] or list(known.values())


def cells(chosen: Sequence[Problem], methods: Sequence[str], starts: Sequence[str] = ()) -> list[SolverTask]:
    """Every problem with every solver, from the starts of these names that it has; from all for none."""
    found = []
    for problem in chosen:
        here = tuple(start for start in problem.starts if not starts or start in starts)
        parameters = tuple(problem.parameters.items())
        found += [SolverTask(problem.name, parameters, here, method) for method in methods if here]
    return found


def run_cells(
    work: Sequence[SolverTask],
    terms: Terms,
    *,
    jobs: int = 1,
    on_done: Callable[[SolverTask], None] = lambda cell: None,
) -> list[SolverRun]:
    """All trials of these cells, in their order, ``jobs`` cells at a time; 1 runs in this process."""
    if jobs == 1:
        return [trial for cell in work for trial in _reported(cell, terms, on_done)]
    found: dict[int, list[SolverRun]] = {}
    context = multiprocessing.get_context("spawn")
    with one_thread_each(), ProcessPoolExecutor(jobs, mp_context=context) as pool:
        # the most expensive first, so that none of them is the last to finish
        order = sorted(range(len(work)), key=lambda i: -problems.get(work[i].name, **dict(work[i].parameters)).n)
        futures = {pool.submit(run_cell, work[i], terms): i for i in order}
        for future in as_completed(futures):
            i = futures[future]
            found[i] = future.result()
            on_done(work[i])
    return [trial for i in range(len(work)) for trial in found[i]]


def _reported(cell: SolverTask, terms: Terms, on_done: Callable[[SolverTask], None]) -> Iterator[SolverRun]:
    yield from run_cell(cell, terms)
    on_done(cell)


def run_cell(cell: SolverTask, terms: Terms) -> list[SolverRun]:
    """The trials of one cell."""
    problem = problems.get(cell.name, **dict(cell.parameters))
    return [run_trial(problem, start, cell.method, terms) for start in cell.starts]


@dataclass(frozen=True, slots=True)
class _End:
    """What a solver returns."""

    x: Vector
    success: bool
    reason: str
    message: str
    counts: Counts
    checks: Counts
    nit: int
    outside: int = 0


def run_trial(problem: Problem, start: str, method: str, terms: Terms) -> SolverRun:
    """One solver on one problem from one start.

    Parameters
    ----------
    problem : Problem
    start : str
        Name of one of the problem's starts.
    method : str
        One of `all_solvers`.
    terms : Terms

    Notes
    -----
    An end outside the bounds is moved to the nearest point inside before it is scored.
    """
    x0 = np.array(problem.starts[start])
    domain: Domain = Unbounded() if problem.bounds is None else Box(*problem.bounds.T)
    where, _, name = method.rpartition(":")
    if where:
        end = _other_run(problem, x0, where, name, terms)
    elif problem.bounds is None:
        end = _own_run(problem, x0, name, terms)
    else:
        end = _bounded_run(problem, x0, name, terms, domain)
    x = domain.project(end.x)
    with np.errstate(all="ignore"):
        f, g = Evaluator(Objective(problem.fun)).value_and_grad(x)
        finite = math.isfinite(f) and bool(np.isfinite(g).all())
        verdict = newtonkit.classify(problem.fun, x, bounds=problem.bounds) if finite else None
        point = problem.reached(x, f) if finite else None
    if point is not None and abs(f - point.f) <= _SAME_F * max(1.0, abs(f)):
        kind = point.kind
    else:
        kind = "undecided" if verdict is None else verdict.kind
    return SolverRun(
        problem=problem.label,
        n=problem.n,
        start=start,
        method=method,
        x=tuple(map(float, x)),
        f=f,
        best=None if problem.best is None else problem.best.f,
        gradient_norm=domain.criticality(x, g),
        decrement=math.inf if verdict is None or verdict.index else verdict.decrease,
        kind=kind,
        success=end.success,
        reason=end.reason,
        message=end.message,
        counts=end.counts,
        checks=end.checks,
        nit=end.nit,
        outside=None if problem.bounds is None else end.outside,
    )


def _own_run(problem: Problem, x0: Vector, method: str, terms: Terms) -> _End:
    options = terms.limits | {"gtol": terms.gtol, "maxiter": terms.maxiter, "history": False}
    try:
        result = newtonkit.minimize(problem.fun, x0, method=method, options=options)
    except Exception as error:  # an exception in a method is a failure of this run only
        return _End(x0, False, type(error).__name__, str(error), Counts(), Counts(), 0)
    return _end_of(result)


def _bounded_run(problem: Problem, x0: Vector, method: str, terms: Terms, domain: Domain) -> _End:
    """The same as `_own_run`, with an observer that counts the evaluations outside the bounds."""
    objective, recorder = Objective(problem.fun), Recorder(problem)
    chosen, fallbacks = as_solver(method).portfolio(objective, x0)
    stop = Stop(gtol=terms.gtol, maxiter=terms.maxiter, **terms.limits)
    try:
        result = run(chosen, objective, x0, stop, fallbacks=fallbacks, domain=domain, observer=recorder)
    except Exception as error:  # an exception in a method is a failure of this run only
        return _End(x0, False, type(error).__name__, str(error), Counts(), Counts(), 0, recorder.outside)
    return _end_of(result, recorder.outside)


def _end_of(result: newtonkit.Result, outside: int = 0) -> _End:
    counts = Counts(result.nfev, result.njev, result.nhev, result.nhvp)
    return _End(
        np.asarray(result.x),
        bool(result.success),
        result.reason.name,
        result.message,
        counts,
        result.checks,
        int(result.nit),
        outside,
    )


def _other_run(problem: Problem, x0: Vector, where: str, method: str, terms: Terms) -> _End:
    budget = Budget(**terms.limits)
    if where == "galahad":
        end = galahad.solve(
            problem, x0, method, gtol=terms.gtol, maxiter=terms.maxiter, budget=budget, python=terms.python
        )
    else:
        end = reference.solve(problem, x0, method, gtol=terms.gtol, maxiter=terms.maxiter, budget=budget)
    counts, checks = end.evaluator.counts, end.evaluator.check_counts
    return _End(end.x, end.success, end.reason, end.message, counts, checks, end.nit, end.outside)
