"""The scored runs of a comparison: the one table from which every table, figure and sentence takes its numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from comparisons.core.endings import Ending, count_endings
from comparisons.core.labels import MARKS, listing, number
from comparisons.core.runs import Run
from comparisons.core.solving import TOLERANCE, rows_of_value
from problems import Problem

_UNFINISHED = (Ending.BUDGET, Ending.DIVERGED, Ending.ELSEWHERE)
_NO_MINIMUM = ("saddle", "maximum", "ridge", "not critical")


@dataclass(frozen=True, slots=True)
class Scored:
    """One run with its ending and its cost."""

    run: Run
    solved: bool
    """Whether f came as close to f* as the tolerance of the table asks, and the run did not end at a saddle."""
    cost: int
    """Until it was solved; the cost of the whole run if it never was."""
    ratio: float
    """Of the cost to that of the cheapest run on the same problem from the same start; inf if not solved."""

    @property
    def ending(self) -> Ending:
        """Where the run ended."""
        return self.run.ending

    @property
    def method(self) -> str:
        """Its method."""
        return self.run.method

    @property
    def gap(self) -> float | None:
        """f − f*; None if no minimum is known."""
        return self.run.gap

    @property
    def false_success(self) -> bool:
        """Whether the run reports success at a point that is no minimum, or with an f that is not finite."""
        run = self.run
        if not run.success or run.at_minimum:
            return False
        return not math.isfinite(run.f) or run.reached is not None or any(kind in run.verdict for kind in _NO_MINIMUM)


@dataclass(frozen=True, slots=True)
class MethodScore:
    """One method over all problems."""

    method: str
    runs: int
    endings: Mapping[str, int]
    """How many runs ended in each class."""
    solved: int
    known: int
    """Runs that were made on problems of which a minimum is known."""
    relative_cost: float | None
    """Median of the ratios of the runs that solved; None if there are none."""
    seconds: float | None
    """Median time of the whole runs that solved; None if there are none."""
    cheapest: int
    """How often its ratio is 1."""
    false_successes: int


@dataclass(frozen=True, eq=False)
class ScoredTable(Sequence[Scored]):
    """The scored runs of a comparison, in the order of the runs.

    Parameters
    ----------
    rows : tuple of Scored
    tolerance : float
        τ: a run is solved when f − f* ≤ τ·(f₀ − f*).
    """

    rows: tuple[Scored, ...]
    tolerance: float

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Scored:  # type: ignore[override]  # no slices are needed
        return self.rows[place]

    def __iter__(self) -> Iterator[Scored]:
        return iter(self.rows)

    @cached_property
    def instances(self) -> dict[tuple[str, str], list[Scored]]:
        """The rows by problem and start, in the order in which these first appear."""
        found: dict[tuple[str, str], list[Scored]] = {}
        for row in self.rows:
            found.setdefault((row.run.problem, row.run.start), []).append(row)
        return found

    def cheapest(self, problem: str, start: str) -> Scored | None:
        """The solved run of least cost there; None if none is solved."""
        return cheapest(self.instances[problem, start])

    @cached_property
    def methods(self) -> list[MethodScore]:
        """A summary of each method, in the order in which the methods first appear."""
        endings = count_endings(row.run for row in self.rows)
        found = []
        for method, ends in endings.items():
            rows = [row for row in self.rows if row.method == method]
            ratios = [row.ratio for row in rows if row.solved]
            seconds = [row.run.seconds for row in rows if row.solved]
            found.append(
                MethodScore(
                    method=method,
                    runs=len(rows),
                    endings=ends,
                    solved=len(ratios),
                    known=sum(row.gap is not None and row.ending is not Ending.SKIPPED for row in rows),
                    relative_cost=statistics.median(ratios) if ratios else None,
                    seconds=statistics.median(seconds) if seconds else None,
                    cheapest=ratios.count(1.0),
                    false_successes=sum(row.false_success for row in rows),
                )
            )
        return found


def cheapest(rows: Iterable[Scored]) -> Scored | None:
    """The solved row of least cost; None if none is solved."""
    return min((row for row in rows if row.solved), key=lambda row: row.cost, default=None)


def score_runs(
    runs: Iterable[Run], tolerance: float = TOLERANCE, own: Mapping[str, Problem] | None = None
) -> ScoredTable:
    """Score runs by the time at which each came close to the lowest known minimum.

    Parameters
    ----------
    runs : iterable of Run
    tolerance : float, default 1e-8
        τ of the *value* test, see `comparisons.core.solving`.
    own : mapping of str to Problem, optional
        Problems by their label that the catalogue does not have.

    Examples
    --------
    >>> len(score_runs([]))
    0
    """
    given = list(runs)
    rows = rows_of_value(given, tolerance, own)
    costs = [
        run.cost if row is None else int(run.trace.weights()[: row + 1].sum())
        for run, row in zip(given, rows, strict=True)
    ]
    least: dict[tuple[str, str], int] = {}
    for run, row, cost in zip(given, rows, costs, strict=True):
        if row is not None:
            key = run.problem, run.start
            least[key] = min(least.get(key, cost), cost)

    def ratio(run: Run, row: int | None, cost: int) -> float:
        return math.inf if row is None else cost / max(least[run.problem, run.start], 1)

    scored = zip(given, rows, costs, strict=True)
    return ScoredTable(
        tuple(Scored(run, row is not None, cost, ratio(run, row, cost)) for run, row, cost in scored), tolerance
    )


def ending_sentences(rows: Sequence[Scored]) -> list[str]:
    """Which methods ended anywhere but at the lowest known minimum, and which report a false success."""
    sentences = []
    for ending in (Ending.LOCAL, Ending.SADDLE, Ending.DEGENERATE, Ending.GLOBAL, *_UNFINISHED):
        there = [row for row in rows if row.ending is ending and not row.solved]
        if not there:
            continue
        who = "all methods" if len(there) == len(rows) > 1 else listing([row.method for row in there])
        heights = sorted({row.run.reached_f for row in there if row.run.reached_f is not None})
        height = f" (f = {listing([number(f) for f in heights])})" if ending is Ending.LOCAL and heights else ""
        where = MARKS[ending][1] if ending is Ending.GLOBAL else ending.description
        sentences.append(f"{where[0].upper()}{where[1:]}{height}: {who}.")
    wrong = [row.method for row in rows if row.false_success]
    if wrong:
        sentences.append(f"Success reported at a point that is no minimum: {listing(wrong)}.")
    return sentences
