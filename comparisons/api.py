"""`compare`: any methods on any problems, from Python, under one protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from comparisons.core.endings import count_endings
from comparisons.core.reference import BelowReferenceError, below_reference
from comparisons.core.runs import Run
from comparisons.report.method_tables import ending_table
from comparisons.report.problem_sections import all_runs_table
from comparisons.report.terminal import rich_table
from comparisons.running.protocol import STANDARD, SUITE, Protocol, start_names
from comparisons.running.runner import PlannedRuns, problem_named, run_planned
from comparisons.running.scipy_check import Counterparts, counterparts
from comparisons.running.single_run import run_one, tuning_for
from comparisons.running.solvers import Solver, as_solver, split_name
from comparisons.running.store import Store
from newtonkit import Evaluator, Objective
from newtonkit.linalg.kernels import all_finite
from problems import Problem
from problems import names as problem_names

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped,unused-ignore]


@dataclass(frozen=True)
class Comparison:
    """The runs of a comparison.

    Parameters
    ----------
    runs : tuple of Run
        By problem, then method, then start, in the order in which these were given.
    protocol : Protocol
    """

    runs: tuple[Run, ...]
    protocol: Protocol = STANDARD

    def endings(self) -> dict[str, dict[str, int]]:
        """For each method, how many of its runs ended in each class: see `comparisons.core.endings.Ending`."""
        return count_endings(self.runs)

    def counterparts(self) -> list[Counterparts]:
        """Each of our methods and its counterpart of scipy's: see `comparisons.running.scipy_check.counterparts`."""
        return counterparts(self.runs)

    def table(self) -> Table:
        """A row for each run, for ``rich.print``."""
        return rich_table(all_runs_table(self.runs))

    def endings_table(self) -> Table:
        """A row for each method, a column for each class of ending, for ``rich.print``."""
        return rich_table(ending_table(self.runs))

    def to_frame(self) -> DataFrame:
        """A pandas DataFrame with a row for each run: all scalar fields of `Run`, without vectors and traces.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-untyped,unused-ignore]  # its types are a separate package
        except ImportError as error:
            raise ImportError("a DataFrame requires pandas: pip install 'newtonkit[tables]'") from error
        left_out = (
            "x",
            "x_start",
            "trace",
            "tuning",
            "versions",
            "parameters",
            "options",
            "counts",
            "checks",
            "reported",
        )
        rows = []
        for run in self.runs:
            row = {entry.name: getattr(run, entry.name) for entry in fields(run) if entry.name not in left_out}
            row |= {name: getattr(run.counts, kind) for name, kind in _COUNTS.items()}
            row["rate"] = math.nan if run.tuning is None else run.tuning.rate
            rows.append(row)
        return pandas.DataFrame(rows)


_COUNTS = {"nfev": "f", "njev": "g", "nhev": "H", "nhvp": "Hv"}


def compare(
    problems: Sequence[Any],
    methods: Sequence[Any],
    starts: str | Sequence[str] = SUITE,
    *,
    seed: int | None = None,
    jobs: int = 1,
    protocol: Protocol = STANDARD,
    store: str | Path | Store | None = None,
    seconds: float = math.inf,
    megabytes: float = math.inf,
) -> Comparison:
    """Run every method on every problem from every start, with the same derivatives, counters and budget for all.

    Parameters
    ----------
    problems : sequence
        Each a name of the catalogue, with optional parameters: ``"rosenbrock[n=10]"``; a `problems.Problem`; or a
        tuple (fun, x0) or (name, fun, x0) with fun written with ``autograd.numpy``, x0 a point or a dict of points by
        name. No minimum of such a function is known, so its runs are classified as "local" at best.
    methods : sequence
        Each the name of one of our methods or of scipy's, with optional parameters: ``"lbfgs[memory=20]"``,
        ``"scipy:BFGS"``; a method such as ``newtonkit.LBFGS(memory=20)``; or a callable of scipy's signature. See
        `comparisons.running.solvers.as_solver`.
    starts : str or sequence of str, default "suite"
        See `comparisons.running.protocol.start_names`.
    seed : int, optional
        Seed of the random starts, in place of the protocol's.
    jobs : int, default 1
        Number of simultaneous runs. Problems and methods given by name run in separate processes if jobs is more than
        1 or there is a limit; functions and callables always run in this process, one after the other.
    protocol : Protocol
    store : path or Store, optional
        Runs of problems and methods given by name are stored there as they end. Stored runs are not repeated.
    seconds, megabytes : float, positive, default inf
        Limits of a run in a separate process.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        For an unknown or malformed problem, method or start, with its name.
    BelowReferenceError
        If a run ended below the lowest known minimum by more than rounding; with the runs as ``comparison``.

    Examples
    --------
    >>> import comparisons
    >>> found = comparisons.compare(["booth"], ["newton", "scipy:BFGS"], starts="standard")
    >>> [(run.method, str(run.ending)) for run in found.runs]
    [('newton', 'global'), ('scipy:BFGS', 'global')]
    """
    if seed is not None:
        protocol = Protocol(**{**_values(protocol), "seed": seed})
    solvers = [as_solver(method) for method in _several("methods", methods)]
    chosen = [_as_problem(given) for given in _several("problems", problems)]
    _refuse_repetition("methods", [solver.label for solver in solvers])
    _refuse_repetition("problems", [problem.label for problem, _ in chosen])
    plan: list[PlannedRuns | tuple[Problem, tuple[str, ...], Solver]] = []
    for problem, by_name in chosen:
        here = start_names(problem, starts)
        if not here:
            raise ValueError(f"{problem.label} has none of the starts {starts!r}; it has {', '.join(problem.starts)}")
        for solver in solvers:
            named = by_name is not None and solver.target is None
            plan.append(
                PlannedRuns(problem.name, by_name or {}, here, solver.label) if named else (problem, here, solver)
            )
    cells = [item for item in plan if isinstance(item, PlannedRuns)]
    if isinstance(store, str | Path):
        with Store(store) as opened:
            made = run_planned(cells, protocol, jobs=jobs, seconds=seconds, megabytes=megabytes, store=opened)
    else:
        made = run_planned(cells, protocol, jobs=jobs, seconds=seconds, megabytes=megabytes, store=store)
    rest = iter(made)
    runs: list[Run] = []
    for item in plan:
        if isinstance(item, PlannedRuns):
            runs += [next(rest) for _ in item.starts]
        else:
            problem, here, solver = item
            tuning = tuning_for(problem, solver, protocol)
            runs += [run_one(problem, start, solver, protocol, tuning) for start in here]
    comparison = Comparison(tuple(runs), protocol)
    if below := below_reference(runs):
        raise BelowReferenceError(below, comparison)
    return comparison


def _values(protocol: Protocol) -> dict[str, Any]:
    return {entry.name: getattr(protocol, entry.name) for entry in fields(protocol)}


def _several(name: str, given: Sequence[Any]) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{name} must be a list, got {given!r}")
    if not given:
        raise ValueError(f"{name} must hold at least one")
    return list(given)


def _refuse_repetition(name: str, labels: Sequence[str]) -> None:
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ValueError(f"{name} must have different names, got {twice!r} twice")


def _as_problem(given: Any) -> tuple[Problem, dict[str, Any] | None]:
    """The problem, and the parameters by which the catalogue gives it, or None where it does not."""
    if isinstance(given, str):
        return problem_named(given), split_name(given)[1]
    if isinstance(given, Problem):
        return given, None
    if not isinstance(given, tuple) or len(given) not in (2, 3):
        raise TypeError(f"a problem must be a name, a Problem, or a tuple (fun, x0) or (name, fun, x0); got {given!r}")
    *name, fun, x0 = given
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {fun!r}")
    label = name[0] if name else getattr(fun, "__name__", "problem")
    if label in problem_names():
        raise ValueError(
            f"{label!r} is a problem of the catalogue; give your function another name, as in (name, fun, x0)"
        )
    return _own_problem(label, fun, x0), None


def _own_problem(name: str, fun: Callable[[Any], Any], x0: Any) -> Problem:
    starts = {key: np.atleast_1d(x) for key, x in (x0 if isinstance(x0, Mapping) else {"standard": x0}).items()}
    first = next(iter(starts.values()), np.empty(0))
    problem = Problem(fun=fun, n=first.size, starts=starts, name=name)
    for key, x in problem.starts.items():
        # an error in fun is reported before any run
        with np.errstate(all="ignore"):
            f, g = Evaluator(Objective(fun)).value_and_grad(np.array(x))
        if not (math.isfinite(f) and all_finite(g)):
            raise ValueError(f"f and its gradient must be finite at the start {key!r} of {name!r}, got f = {f}")
    return problem
