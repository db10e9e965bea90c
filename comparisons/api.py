"""`compare`: any methods on any problems, from Python, under one protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from comparisons.core.endings import CLASSES, BeatenError, beaten, endings
from comparisons.core.labels import number
from comparisons.core.runs import Run
from comparisons.running.protocol import STANDARD, SUITE, Protocol, start_names
from comparisons.running.runner import Cell, problem_named, run_cells
from comparisons.running.scipy_check import Twins, twins
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
    """The runs of a comparison, and what is to be said of them.

    Parameters
    ----------
    runs : tuple of Run
        By problem, then method, then start, in the order in which these were given.
    protocol : Protocol
    """

    runs: tuple[Run, ...]
    protocol: Protocol = STANDARD

    def endings(self) -> dict[str, dict[str, int]]:
        """For each method, how many of its runs ended in each class: see `comparisons.core.endings.ending_class`."""
        return endings(self.runs)

    def twins(self) -> list[Twins]:
        """Each method of ours beside its counterpart of scipy's: see `comparisons.running.scipy_check.twins`."""
        return twins(self.runs)

    def table(self) -> Table:
        """A row for each run, for ``rich.print``."""
        table = Table(box=None)
        for heading in ("problem", "start", "method", "ended"):
            table.add_column(heading)
        for heading in ("f − f*", "‖g‖∞", "λ_min", "f", "grad", "Hess", "Hv", "cost"):
            table.add_column(heading, justify="right")
        table.add_column("stopped by")
        for run in self.runs:
            table.add_row(
                run.problem,
                run.start,
                escape(run.method if run.tuning is None else f"{run.method} (η={run.tuning.rate:g})"),
                run.ending,
                *(number(value, 2) for value in (run.gap, run.gradient_norm, run.lambda_min)),
                *(str(amount) for amount in (run.counts.f, run.counts.g, run.counts.H, run.counts.Hv, run.cost)),
                run.reason,
                style="" if run.ending in ("global", "local") else "yellow",
            )
        return table

    def endings_table(self) -> Table:
        """Methods × classes of ending, for ``rich.print``."""
        table = Table(box=None)
        table.add_column("method")
        for name in CLASSES:
            table.add_column(name, justify="right")
        for method, row in self.endings().items():
            table.add_row(escape(method), *(str(row[name] or "·") for name in CLASSES))
        return table

    def to_frame(self) -> DataFrame:
        """A pandas DataFrame with a row for each run: all numbers and words of a `Run`, without vectors and traces.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-untyped,unused-ignore]  # its types are a package of their own
        except ImportError as error:
            raise ImportError("a DataFrame needs pandas: pip install 'newtonkit[tables]'") from error
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
        Each a name of the catalogue, with parameters if any: ``"rosenbrock[n=10]"``; a `problems.Problem`; or a tuple
        (fun, x0) or (name, fun, x0) with fun written with ``autograd.numpy``, x0 a point, or a dict of points by name.
        Of such a function no minimum is known, so a run can be no better than "local".
    methods : sequence
        Each a name of ours or of scipy's, with parameters if any: ``"lbfgs[memory=20]"``, ``"scipy:BFGS"``; a method
        such as ``newtonkit.LBFGS(memory=20)``; or a callable of scipy's signature. See
        `comparisons.running.solvers.as_solver`.
    starts : str or sequence of str, default "suite"
        See `comparisons.running.protocol.start_names`.
    seed : int, optional
        Of the starts drawn at random, in place of the protocol's.
    jobs : int, default 1
        Runs at a time. Problems and methods by name are run in processes of their own if jobs is more than 1 or there
        is a limit; functions and callables are always run in this process, one after the other.
    protocol : Protocol
    store : path or Store, optional
        Runs by name are kept there as they end, and those that are there already are not made again.
    seconds, megabytes : float, positive, default inf
        Limits of a run that has a process of its own.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        For a problem, method or start that is none, naming it.
    BeatenError
        If a run ended below the lowest known minimum by more than rounding; with the runs as ``comparison``.

    Examples
    --------
    >>> import comparisons
    >>> found = comparisons.compare(["booth"], ["newton", "scipy:BFGS"], starts="standard")
    >>> [(run.method, run.ending) for run in found.runs]
    [('newton', 'global'), ('scipy:BFGS', 'global')]
    """
    if seed is not None:
        protocol = Protocol(**{**_values(protocol), "seed": seed})
    solvers = [as_solver(method) for method in _several("methods", methods)]
    chosen = [_as_problem(given) for given in _several("problems", problems)]
    _refuse_repetition("methods", [solver.label for solver in solvers])
    _refuse_repetition("problems", [problem.label for problem, _ in chosen])
    plan: list[Cell | tuple[Problem, tuple[str, ...], Solver]] = []
    for problem, by_name in chosen:
        here = start_names(problem, starts)
        if not here:
            raise ValueError(f"{problem.label} has none of the starts {starts!r}; it has {', '.join(problem.starts)}")
        for solver in solvers:
            named = by_name is not None and solver.target is None
            plan.append(Cell(problem.name, by_name or {}, here, solver.label) if named else (problem, here, solver))
    cells = [item for item in plan if isinstance(item, Cell)]
    if isinstance(store, str | Path):
        with Store(store) as opened:
            made = run_cells(cells, protocol, jobs=jobs, seconds=seconds, megabytes=megabytes, store=opened)
    else:
        made = run_cells(cells, protocol, jobs=jobs, seconds=seconds, megabytes=megabytes, store=store)
    rest = iter(made)
    runs: list[Run] = []
    for item in plan:
        if isinstance(item, Cell):
            runs += [next(rest) for _ in item.starts]
        else:
            problem, here, solver = item
            tuning = tuning_for(problem, solver, protocol)
            runs += [run_one(problem, start, solver, protocol, tuning) for start in here]
    comparison = Comparison(tuple(runs), protocol)
    if below := beaten(runs):
        raise BeatenError(below, comparison)
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
        raise ValueError(f"{label!r} is a problem of the catalogue; give your own another name, as in (name, fun, x0)")
    return _own_problem(label, fun, x0), None


def _own_problem(name: str, fun: Callable[[Any], Any], x0: Any) -> Problem:
    starts = {key: np.atleast_1d(x) for key, x in (x0 if isinstance(x0, Mapping) else {"standard": x0}).items()}
    first = next(iter(starts.values()), np.empty(0))
    problem = Problem(fun=fun, n=first.size, starts=starts, name=name)
    for key, x in problem.starts.items():
        # a mistake in fun is the caller's, and better told before anything has run
        with np.errstate(all="ignore"):
            f, g = Evaluator(Objective(fun)).value_and_grad(np.array(x))
        if not (math.isfinite(f) and all_finite(g)):
            raise ValueError(f"f and its gradient must be finite at the start {key!r} of {name!r}, got f = {f}")
    return problem
