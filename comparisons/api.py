"""`compare`: any methods on any problems, from Python, under one protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from comparisons.core.endings import count_endings
from comparisons.core.labels import problem_of
from comparisons.core.prices import ad_costs
from comparisons.core.reference import BelowReferenceError, below_reference
from comparisons.core.runs import Run
from comparisons.core.scored import Scored, ScoredTable, score_runs
from comparisons.core.solving import spending
from comparisons.plots.convergence import convergence
from comparisons.plots.heatmaps import cost_heatmap
from comparisons.report.comparison import comparison_document
from comparisons.report.files import write
from comparisons.report.method_tables import ending_table
from comparisons.report.problem_sections import all_runs_table
from comparisons.report.summary import aligned, answer, summary_table, summary_title
from comparisons.report.terminal import rich_table
from comparisons.running.export import to_frame
from comparisons.running.own_problems import OwnProblem, score_own
from comparisons.running.protocol import STANDARD, SUITE, Protocol, start_names
from comparisons.running.runner import PlannedRuns, problem_named, run_planned
from comparisons.running.scipy_check import Counterparts, counterparts
from comparisons.running.single_run import run_one, tuning_for
from comparisons.running.solvers import Solver, as_solver, split_name
from comparisons.running.store import Store
from newtonkit.core.html_table import html_table
from problems import Problem
from problems import names as problem_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame  # type: ignore[import-untyped,unused-ignore]


FRAME_COLUMNS = (
    *(
        "problem",
        "n",
        "start",
        "method",
        "ending",
        "solved",
        "cost_to_accuracy",
        "relative_cost",
        "gap",
        "f",
        "f_start",
    ),
    *("gradient_norm", "verdict", "lambda_min", "distance", "nfev", "njev", "nhev", "nhvp", "cost", "nit", "seconds"),
    *("rate", "success", "reason", "message"),
)
_COUNTS = {"nfev": "f", "njev": "g", "nhev": "H", "nhvp": "Hv"}
_MOST_LINES = 10  # of the printed text


@dataclass(frozen=True)
class Comparison:
    """The runs of a comparison.

    Parameters
    ----------
    runs : tuple of Run
        By problem, then method, then start, in the order in which these were given.
    protocol : Protocol
    own : mapping of str to Problem, optional
        The problems that the catalogue does not have, by label, with the minima that the runs found.
    statements : tuple of str, optional
        For each of them, what f* is and what proves it.
    """

    runs: tuple[Run, ...]
    protocol: Protocol = STANDARD
    own: Mapping[str, Problem] = field(default_factory=dict)
    statements: tuple[str, ...] = ()

    @cached_property
    def scored(self) -> ScoredTable:
        """The runs with their scores, from which everything that is printed or drawn takes its numbers."""
        return score_runs(self.runs, self.protocol.scored_tolerance, self.own)

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

    def __str__(self) -> str:
        """At most ten lines: what was compared, what f* is, the best methods, and the cheapest of them."""
        title, (headings, rows), notes = self._summary()
        room = _MOST_LINES - 2 - len(notes)
        if len(rows) > room:
            notes = [f"{len(rows) - room + 1} more methods: found.table()", *notes]
            rows = rows[: room - 1]
        return "\n".join([title, *aligned([headings, *rows]), *notes])

    def _repr_html_(self) -> str:
        title, (headings, rows), notes = self._summary()
        return html_table(title, headings, rows, notes)

    def _summary(self) -> tuple[str, tuple[Sequence[str], list[list[str]]], list[str]]:
        statements = list(self.statements)
        if len(statements) > 2:
            statements = [statements[0], f"and {len(statements) - 1} more: found.statements"]
        return summary_title(self.scored), summary_table(self.scored), [*statements, answer(self.scored)]

    def to_frame(self) -> DataFrame:
        """A pandas DataFrame with a row for each run, in the order of ``runs``.

        The columns are problem, n, start, method; ending, solved, cost_to_accuracy (NaN if not solved), relative_cost
        (of the cheapest run there; inf if not solved), gap (f − f*); f, f_start, gradient_norm (‖g‖∞), verdict,
        lambda_min, distance (to the nearest known critical point); nfev, njev, nhev, nhvp, cost (all that the run
        used), nit, seconds; rate (tuned, of first-order methods), success, reason, message (of the solver).

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return to_frame([_entries(row) for row in self.scored])

    def plot(self) -> Figure:
        """The convergence of all methods if there is one problem and start; else the relative cost on each."""
        if len(self.scored.instances) == 1:
            return convergence(list(self.scored), self._problem(self.runs[0]))
        table = spending(self.runs, tolerance=self.scored.tolerance, own=self.own).priced(ad_costs)
        return cost_heatmap(table)

    def _problem(self, run: Run) -> Problem | None:
        return self.own.get(run.problem) or problem_of(run)

    def report(self, folder: str | Path, *, figures: bool = True) -> Path:
        """Write ``report.html`` and ``report.md`` with their figures into the folder; the path of the page.

        Parameters
        ----------
        folder : path
            It is made if needed.
        figures : bool, default True
        """
        document = comparison_document(
            self.runs,
            self.protocol,
            tolerance=self.scored.tolerance,
            folder=Path(folder) / "figures" if figures else None,
            own=self.own,
            statements=self.statements,
        )
        return write(document, Path(folder))


def _entries(row: Scored) -> dict[str, Any]:
    run = row.run
    found = {name: getattr(run, name) for name in FRAME_COLUMNS if hasattr(run, name)}
    found |= {name: getattr(run.counts, kind) for name, kind in _COUNTS.items()}
    found |= {
        "ending": str(row.ending),
        "solved": row.solved,
        "cost_to_accuracy": float(row.cost) if row.solved else math.nan,
        "relative_cost": row.ratio,
        "gap": math.nan if row.gap is None else row.gap,
        "rate": math.nan if run.tuning is None else run.tuning.rate,
    }
    return {name: found[name] for name in FRAME_COLUMNS}


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
        Each a name of the catalogue, with optional parameters: ``"rosenbrock[n=10]"``; a `problems.Problem`; a tuple
        (fun, x0) or (name, fun, x0) with fun written with ``autograd.numpy``, x0 a point or a dict of points by name;
        or an `OwnProblem`, with further arguments of fun and known critical points. If no minimum of a problem is
        known, f* is the lowest minimum that a run reached and the Hessian verifies; ``print(found)`` states it.
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
    if callable(problems):
        raise TypeError(
            "problems must be a sequence; for a function of your own write compare([(fun, x0)], ['newton', 'bfgs'])"
        )
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
    own, statements = {}, []
    for given, (problem, by_name) in zip(problems, chosen, strict=True):
        if by_name is None and not (problem.name in problem_names() or (isinstance(given, Problem) and problem.points)):
            places = [place for place, run in enumerate(runs) if run.problem == problem.label]
            own[problem.label], scored, statement = score_own(problem, [runs[place] for place in places])
            statements.append(statement)
            for place, run in zip(places, scored, strict=True):
                runs[place] = run
    comparison = Comparison(tuple(runs), protocol, own, tuple(statements))
    if below := below_reference(run for run in runs if run.problem not in own):
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
    if isinstance(given, OwnProblem):
        return given.problem(), None
    if not isinstance(given, tuple) or len(given) not in (2, 3):
        raise TypeError(
            "a problem must be a name, a Problem, an OwnProblem, or a tuple (fun, x0) or (name, fun, x0); "
            f"got {given!r}"
        )
    *name, fun, x0 = given
    return OwnProblem(name[0] if name else getattr(fun, "__name__", "problem"), fun, x0).problem(), None
