"""What the catalogue knows of a problem, and the runs that contradict it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparisons.core.labels import problem_of
from comparisons.core.runs import Run
from newtonkit.linalg.kernels import EPS
from problems import Problem

TESTS = ("value", "gradient", "distance")

_ROUNDING = 100  # units of rounding that are allowed: f is a sum of as many terms


class Reference(NamedTuple):
    """What was known about a problem before any run."""

    lowest: float
    """f*; NaN if no minimum is known."""
    minima: NDArray[np.bool_]
    """Of the known critical points, in the order of the catalogue: whether each is a minimum."""
    tests: frozenset[str]
    """Those of `TESTS` that apply."""


def references(runs: Iterable[Run], own: Mapping[str, Problem]) -> dict[str, Reference]:
    """The reference of each problem, by its label.

    Parameters
    ----------
    runs : iterable of Run
    own : mapping of str to Problem
        Problems by their label that the catalogue does not have. The f* of a problem that is in neither is that by
        which the gaps of its runs were computed.
    """
    found: dict[str, Run] = {}
    for run in runs:
        # f* of a problem that is nowhere is f − gap, most exact where the gap is small
        if run.problem not in found or _size_of_gap(run) < _size_of_gap(found[run.problem]):
            found[run.problem] = run
    return {label: _reference(own[label] if label in own else problem_of(run), run) for label, run in found.items()}


def _size_of_gap(run: Run) -> float:
    return math.inf if run.gap is None or math.isnan(run.gap) else abs(run.gap)


def _reference(problem: Problem | None, run: Run) -> Reference:
    points = () if problem is None else problem.points
    minima = np.array([point.kind.endswith("minimum") for point in points], dtype=np.bool_)
    if problem is None and run.gap is not None:
        return Reference(run.f - run.gap, minima, frozenset(("value",)))
    if problem is None or problem.best is None:
        return Reference(math.nan, minima, frozenset(() if points else ("gradient",)))
    placed = any(point.x is not None for point in problem.minima)
    return Reference(problem.best.f, minima, frozenset(TESTS if placed else ("value", "gradient")))


def below_reference(runs: Iterable[Run]) -> list[Run]:
    """The runs that ended below the recorded f* by more than rounding.

    Rounding is allowed: f* − f ≤ 100·eps·max(|f*|, |f₀|), with the smallest |f₀| among the starts of these runs on the
    problem. The size of f at the start matters because a value that is small at the minimum may be a difference of
    large numbers: Meyer's residuals of size 1 are differences of 10⁴, and f near x* has noise of 10⁴·eps·f*. A distant
    start, with an f₀ that would excuse any value, counts only if there is no other.
    """
    known = [run for run in runs if run.gap is not None]
    scales: dict[str, float] = {}
    for run in known:
        scales[run.problem] = min(scales.get(run.problem, math.inf), abs(run.f_start))
    return [run for run in known if _depth(run) > _ROUNDING * EPS * max(abs(run.f + _depth(run)), scales[run.problem])]


def is_below(run: Run) -> bool:
    """Whether the run ended below f* by more than the rounding of f at its start and at f*."""
    return _depth(run) > _ROUNDING * EPS * max(abs(run.f + _depth(run)), abs(run.f_start))


def _depth(run: Run) -> float:
    """f* − f."""
    return -math.inf if run.gap is None else -run.gap


class BelowReferenceError(RuntimeError):
    """A run ended below the lowest known minimum.

    Parameters
    ----------
    runs : sequence of Run
        Those that did.
    comparison : object, optional
        The comparison that they are part of.
    """

    def __init__(self, runs: Sequence[Run], comparison: object = None) -> None:
        self.runs = runs
        self.comparison = comparison
        deepest = max(runs, key=_depth)
        super().__init__(
            f"{len(runs)} runs ended below the lowest known minimum, so a fact of the catalogue is wrong: "
            f"{deepest.method} on {deepest.problem} from {deepest.start!r} has f = {deepest.f:.17g}, "
            f"below f* = {deepest.f + _depth(deepest):.17g}"
        )
