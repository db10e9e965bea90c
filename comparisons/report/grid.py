"""All runs at a glance: a row for each problem and start, a column for each method, each cell a link to its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.colors import to_hex

from comparisons.core.labels import Ending, cheapest, ending, false_success, groups, methods, times, where
from comparisons.core.runs import Run
from comparisons.plots.heatmaps import cost_colour
from comparisons.plots.overview import row_labels

# what a cell shows of a run that did not end at the lowest known minimum
MARKS = {
    Ending.CLOSE: ("☆", "close to it, but not so accurate"),
    Ending.OTHER: ("○", "another known minimum"),
    Ending.SADDLE: ("×", "a saddle point or maximum"),
    Ending.BUDGET: ("–", "still on the way when the budget was spent"),
    Ending.DOWN: ("▼", "down without bound"),
    Ending.ELSEWHERE: ("?", "stopped elsewhere"),
}
_STEPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0)  # times the cheapest, from which a cell has the next colour


@dataclass(frozen=True, slots=True)
class Square:
    """One cell."""

    run: int
    """The number of its run."""
    text: str
    shade: int
    """Of `shades`; −1 for a run that did not get there."""
    wrong: bool
    """Whether success is claimed at a point that is no minimum."""
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a problem from a start."""

    label: str
    anchor: str
    squares: tuple[Square | None, ...]
    """None where the method did not run there."""


def shades() -> list[str]:
    """The colours of the cells, from the cheapest to a hundred times as dear; black is read on all of them."""
    return [to_hex(cost_colour(step)) for step in _STEPS]


def grid(runs: Sequence[Run], numbers: Mapping[int, int], anchors: Sequence[str]) -> list[Line]:
    """The table.

    Parameters
    ----------
    runs : sequence of Run
    numbers : mapping of int to int
        The number of a run in the page, by its ``id``.
    anchors : sequence of str
        Of the sections, in the order of `groups`.
    """
    names, lines = methods(runs), []
    for label, anchor, members in zip(row_labels(runs), anchors, groups(runs).values(), strict=True):
        first = cheapest(members)
        here = {run.method: _square(run, first, numbers[id(run)]) for run in members}
        lines.append(Line(label, anchor, tuple(here.get(name) for name in names)))
    return lines


def _square(run: Run, first: Run | None, number: int) -> Square:
    wrong = false_success(run)
    if ending(run) is Ending.LOWEST and first is not None:
        ratio = run.price / max(first.price, 1)
        shade = sum(ratio >= step for step in _STEPS[1:])
        return Square(number, times(ratio), shade, wrong, f"{run.method}: {times(ratio)} times the cheapest")
    return Square(number, MARKS[ending(run)][0], -1, wrong, f"{run.method}: {where(run)}")
