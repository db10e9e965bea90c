"""Running methods over problems: the list of cells, each cell on its own, several at a time."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
import problems
from comparisons import reference
from comparisons.recorder import Recorder
from comparisons.records import Run, Tuning, cost, versions
from comparisons.tuning import needs_rate, tune
from newtonkit import Budget, Counts, Objective, Stop
from newtonkit.loop import run
from newtonkit.methods import canonical_name, make_method
from newtonkit.validation import nearest_name
from problems import Problem

Vector = NDArray[np.float64]

DEFAULT_METHODS = (
    "newton",
    "newton-cg",
    "newton-linesearch",
    "bfgs",
    "lbfgs",
    "gd-linesearch",
    "gd",
    "momentum",
    "nesterov",
    "adam",
    "scipy:BFGS",
    "scipy:L-BFGS-B",
    "scipy:Newton-CG",
    "scipy:trust-exact",
)


def default_problems() -> tuple[str, ...]:
    """The problems that a comparison takes by itself: all but those for the benchmark of solvers."""
    return tuple(sorted(set(problems.names()) - set(problems.names("benchmark"))))


@dataclass(frozen=True)
class Protocol:
    """What every run of a comparison is given.

    Parameters
    ----------
    gtol : float, default 1e-8
        Tolerance on ‖g‖∞.
    gradients : int, default 1000
        Budget of gradients; f may be called ten times as often.
    tuning_gradients : int, default 500
        The same for each finalist of the tuning of a learning rate.
    """

    gtol: float = 1e-8
    gradients: int = 1000
    tuning_gradients: int = 500

    @property
    def budget(self) -> Budget:
        """The limits as the Oracle takes them."""
        return Budget(maxfev=10 * self.gradients, maxgev=self.gradients)


@dataclass(frozen=True)
class Cell:
    """One problem and one method, over several starts; a name and parameters only, so that it travels."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    starts: tuple[str, ...] = ("standard",)
    method: str = "newton"


def canonical_method(name: str) -> str:
    """The name of a method as runs record it, for a user's spelling; scipy's solvers carry the prefix ``scipy:``.

    Raises
    ------
    ValueError
        With the nearest valid name.
    """
    if name.lower().startswith("scipy:"):
        for known in reference.solver_names():
            if known.lower() == name.lower():
                return known
        raise ValueError(f"unknown solver {name!r}; {nearest_name(name, reference.solver_names())}")
    return canonical_name(name)


def cells(
    problem_names: Sequence[str], methods: Sequence[str], starts: Sequence[str] | None = ("standard",)
) -> list[Cell]:
    """Every problem with every method.

    Parameters
    ----------
    problem_names : sequence of str
    methods : sequence of str
    starts : sequence of str, optional
        Names of starts; a problem is run from those it has. None: from all of its starts.
    """
    chosen = []
    for name in problem_names:
        problem = problems.get(name)
        here = tuple(s for s in problem.starts if starts is None or s in starts)
        chosen += [Cell(problem.name, {}, here, canonical_method(method)) for method in methods if here]
    return chosen


def run_cells(
    work: Sequence[Cell],
    protocol: Protocol = Protocol(),
    *,
    jobs: int = 1,
    on_done: Callable[[Cell], None] | None = None,
) -> list[Run]:
    """All runs of these cells, in the order of the cells, ``jobs`` cells at a time.

    Parameters
    ----------
    work : sequence of Cell
    protocol : Protocol
    jobs : int, at least 1, default 1
        Processes; 1 runs in this one.
    on_done : callable, optional
        Called with each cell as it finishes.
    """
    if jobs == 1:
        runs = []
        for cell in work:
            runs += run_cell(cell, protocol)
            if on_done is not None:
                on_done(cell)
        return runs
    found: dict[int, list[Run]] = {}
    context = multiprocessing.get_context("spawn")
    with one_thread_each(), ProcessPoolExecutor(jobs, mp_context=context) as pool:
        # the dearest first, so that no process is left with one of them at the end
        order = sorted(range(len(work)), key=lambda i: -problems.get(work[i].name, **work[i].parameters).n)
        futures = {pool.submit(run_cell, work[i], protocol): i for i in order}
        for future in as_completed(futures):
            i = futures[future]
            found[i] = future.result()
            if on_done is not None:
                on_done(work[i])
    return [one for i in range(len(work)) for one in found[i]]


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside use one BLAS thread: several threads in each would fight for the same cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def run_cell(cell: Cell, protocol: Protocol) -> list[Run]:
    """The runs of one cell: a learning rate is tuned once, then every start is run with it."""
    problem = problems.get(cell.name, **cell.parameters)
    tuning = tune(problem, cell.method, budget=protocol.tuning_gradients) if needs_rate(cell.method) else None
    return [run_one(problem, start, cell.method, protocol, tuning) for start in cell.starts]


def run_one(
    problem: Problem, start: str, method: str, protocol: Protocol = Protocol(), tuning: Tuning | None = None
) -> Run:
    """One method on one problem from one start.

    Parameters
    ----------
    problem : Problem
    start : str
        Name of one of the problem's starts.
    method : str
        Name as `canonical_method` gives it.
    protocol : Protocol
    tuning : Tuning, optional
        Whose rate the method takes.
    """
    x0 = np.array(problem.starts[start])
    began = time.perf_counter()
    if method.startswith("scipy:"):
        end = _scipy_run(problem, x0, method.removeprefix("scipy:"), protocol)
    else:
        end = _own_run(problem, x0, method, protocol, {} if tuning is None else {"rate": tuning.rate})
    seconds = time.perf_counter() - began
    x = np.asarray(end.pop("x"))
    finite = bool(np.isfinite(x).all()) and math.isfinite(end["f"])
    verdict = newtonkit.classify(problem.fun, x) if finite else None
    point = problem.reached(x, end["f"]) if finite else None
    best = problem.best
    return Run(
        problem=problem.label,
        name=problem.name,
        parameters=dict(problem.parameters),
        n=problem.n,
        start=start,
        method=method,
        x=tuple(map(float, x)),
        f_start=float(problem.fun(x0)),
        verdict="undecided" if verdict is None else verdict.kind,
        verdict_reason="the end is not finite" if verdict is None else verdict.reason,
        index=None if verdict is None else verdict.index,
        reached=None if point is None else point.kind,
        reached_f=None if point is None else point.f,
        gap=None if best is None else end["f"] - best.f,
        cost=cost(end["counts"], problem.n),
        seconds=seconds,
        tuning=tuning,
        x_start=tuple(map(float, x0)),
        versions=versions(),
        **end,
    )


def _own_run(problem: Problem, x0: Vector, method: str, protocol: Protocol, options: dict[str, Any]) -> dict[str, Any]:
    budget = protocol.budget
    recorder = Recorder(problem)
    result = run(
        make_method(method, **options),
        Objective(problem.fun),
        x0,
        Stop(gtol=protocol.gtol, maxfev=budget.maxfev, maxgev=budget.maxgev),
        history=recorder,
        # the verdict is made afterwards, outside the budget, the same for every method
        check=not needs_rate(method),
        observer=recorder,
    )
    return {
        "options": options,
        "x": result.x,
        "f": float(result.fun),
        "gradient_norm": float(np.abs(result.jac).max()),
        "success": bool(result.success),
        "reason": result.reason.name,
        "message": result.message,
        "counts": Counts(result.nfev, result.njev, result.nhev, result.nhvp),
        "checks": result.checks,
        "reported": {"nfev": result.nfev, "njev": result.njev, "nhev": result.nhev},
        "nit": result.nit,
        "trace": recorder.trace(),
    }


def _scipy_run(problem: Problem, x0: Vector, method: str, protocol: Protocol) -> dict[str, Any]:
    end = reference.solve(
        problem, x0, method, gtol=protocol.gtol, maxiter=10 * protocol.gradients, budget=protocol.budget
    )
    return {
        "options": {},
        "x": end.x,
        "f": end.f,
        "gradient_norm": float(np.abs(end.g).max()),
        "success": end.success,
        "reason": end.reason,
        "message": end.message,
        "counts": end.oracle.counts,
        "checks": end.oracle.checks,
        "reported": end.reported,
        "nit": end.nit,
        "trace": end.trace,
    }
