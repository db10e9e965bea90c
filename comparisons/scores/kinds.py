"""Kinds of problems, and which method to take for each: read from the scored runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import newtonkit
from comparisons.core.endings import Ending
from comparisons.core.labels import FIRST_ORDER, family, problem_of
from comparisons.core.scored import Scored, ScoredTable
from problems import Problem

FEW = 30  # variables up to which `auto` takes a full Hessian without further question
SPARSE = 0.2  # share of non-zeros of the Hessian up to which a problem counts as sparse
KINDS = (
    "few variables",
    "many variables, sparse Hessian",
    "many variables, dense Hessian",
    "sum over data",
    "with bounds",
)
MINI_BATCHES = "sum over data, to 1 %"


def kind_of(problem: Problem) -> str:
    """One of `KINDS`: by bounds, the number of variables, the pattern of the Hessian, and the tag "finite-sum"."""
    if problem.bounds is not None:
        return KINDS[4]
    if "finite-sum" in problem.tags:
        return KINDS[3]
    if problem.n <= FEW:
        return KINDS[0]
    pattern = newtonkit.hessian_pattern(problem.fun, problem.starts["standard"])
    sparse = pattern is not None and pattern.nnz <= SPARSE * problem.n**2
    return KINDS[1] if sparse else KINDS[2]


@dataclass(frozen=True)
class KindScore:
    """One method on the problems of one kind."""

    method: str
    solved: int
    runs: int
    relative_cost: float | None
    """Median over the problems that it solved; None if there are none."""
    seconds: float | None
    """Median time of the whole runs that solved."""

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller is better: most solved, then least relative cost."""
        return -self.solved, float("inf") if self.relative_cost is None else self.relative_cost


@dataclass(frozen=True, eq=False)
class Kind:
    """The problems of one kind and the score of every method there."""

    name: str
    instances: int
    largest: int
    """The largest number of variables."""
    scores: Sequence[KindScore]
    tolerance: float
    """τ: a run is solved when f − f* ≤ τ·(f₀ − f*)."""

    @cached_property
    def best(self) -> KindScore:
        """The method that solves most at the least cost."""
        return min(self.scores, key=lambda score: score.rank)

    def ratio_to_best(self, method: str) -> float:
        """The relative cost of a method divided by that of the best one; infinite if it solved nothing."""
        cost = next((score.relative_cost for score in self.scores if score.method == method), None)
        return float("inf") if cost is None or self.best.relative_cost is None else cost / self.best.relative_cost

    def best_of(self, chosen: str) -> KindScore | None:
        """The best of "auto", "scipy", "first-order" or "mini-batches"; None if there is no such method."""
        those = [score for score in self.scores if _GROUPS[chosen](score.method)]
        return min(those, key=lambda score: score.rank, default=None)


_GROUPS: dict[str, Callable[[str], bool]] = {
    "auto": lambda method: method == "auto",
    "scipy": lambda method: method.startswith("scipy:"),
    "first-order": lambda method: family(method) == FIRST_ORDER,
    "mini-batches": lambda method: "batch=" in method,
}


def kinds(
    scored: ScoredTable, own: Mapping[str, Problem] | None = None, rough: ScoredTable | None = None
) -> list[Kind]:
    """The kinds that occur among problems with a known minimum, in the order of `KINDS`.

    Parameters
    ----------
    scored : ScoredTable
    own : mapping of str to Problem, optional
        Problems by their label that the catalogue does not have.
    rough : ScoredTable, optional
        The same runs with the tolerance at which methods on mini-batches are compared: the sums over data are then
        listed a second time, as `MINI_BATCHES`.
    """
    groups: dict[str, list[Scored]] = {}
    names: dict[str, str] = {}
    for row in scored:
        run = row.run
        if run.problem not in names:
            problem = (own or {}).get(run.problem) or problem_of(run)
            known = problem is not None and problem.best is not None
            names[run.problem] = kind_of(problem) if problem is not None and known else ""
        groups.setdefault(names[run.problem], []).append(row)
    found = [_kind(name, groups[name], scored.tolerance) for name in KINDS if name in groups]
    sums = [row for row in rough or () if names[row.run.problem] == KINDS[3]]
    return [*found, *([_kind(MINI_BATCHES, sums, rough.tolerance)] if rough is not None and sums else [])]


def _kind(name: str, rows: Sequence[Scored], tolerance: float) -> Kind:
    instances = {(row.run.problem, row.run.start) for row in rows}
    scores = [_score(method, [row for row in rows if row.method == method]) for method in _methods(rows)]
    return Kind(name, len(instances), max(row.run.n for row in rows), scores, tolerance)


def _methods(rows: Sequence[Scored]) -> list[str]:
    return list(dict.fromkeys(row.method for row in rows))


def _score(method: str, rows: Sequence[Scored]) -> KindScore:
    solved = [row for row in rows if row.solved]
    made = sum(row.ending is not Ending.SKIPPED for row in rows)
    return KindScore(
        method,
        len(solved),
        made,
        statistics.median(row.ratio for row in solved) if solved else None,
        statistics.median(row.run.seconds for row in solved) if solved else None,
    )
