"""All runs in one picture: a table of problems and methods, coloured by cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from comparisons.core.labels import (
    Ending,
    cheapest,
    count,
    ending,
    false_success,
    groups,
    in_words,
    listing,
    methods,
    times,
)
from comparisons.core.runs import Run
from comparisons.plots.style import INK

_GREY = "#e6e6e6"
_NORM = LogNorm(1, 1000)
_COLOURS = "YlGnBu"

# markers of the runs that did not end at the lowest known minimum; those that did show their relative cost
_MARKERS = {
    Ending.CLOSE: ("*", "close to it, tolerance not met"),
    Ending.OTHER: ("o", "another known minimum"),
    Ending.SADDLE: ("x", "saddle point or maximum"),
    Ending.BUDGET: ("_", "still on the way when the budget was spent"),
    Ending.DOWN: ("v", "down without bound"),
    Ending.ELSEWHERE: ("$?$", "stopped elsewhere"),
}


def overview(runs: Sequence[Run]) -> Figure:
    """A table of problems and methods: cost relative to the cheapest, or a mark for where else the run ended.

    Parameters
    ----------
    runs : sequence of Run
        Any number of problems, starts and methods.
    """
    rows, columns = groups(runs), methods(runs)
    figure = Figure(figsize=(max(5.0, 2.9 + 0.4 * len(columns)), 2.5 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for i, members in enumerate(rows.values()):
        first = cheapest(members)
        for run in members:
            _cell(axes, columns.index(run.method), i, run, first)
    theirs = [name.startswith("scipy:") for name in columns]
    for j in range(1, len(columns)):
        if theirs[j] != theirs[j - 1]:
            axes.axvline(j - 0.5, color=INK, linewidth=1.2)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), row_labels(runs))
    axes.tick_params(length=0, labelsize=8.5, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    _keys(figure, axes, runs)
    return figure


def row_labels(runs: Sequence[Run]) -> list[str]:
    """A short name for each problem and start: parameters and start only where they tell rows apart."""
    firsts = [members[0] for members in groups(runs).values()]
    labels_of_name = {name: {run.problem for run in firsts if run.name == name} for name in {r.name for r in firsts}}
    several_starts = len({run.start for run in firsts}) > 1
    return [
        (run.name if len(labels_of_name[run.name]) == 1 else run.problem)
        + (f" · {run.start}" if several_starts else "")
        for run in firsts
    ]


def _cell(axes: Axes, column: int, row: int, run: Run, first: Run | None) -> None:
    where = ending(run)
    solved = where is Ending.LOWEST and first is not None
    ratio = run.price / max(first.price, 1) if solved and first is not None else math.nan
    colour = matplotlib.colormaps[_COLOURS](_NORM(min(max(ratio, 1), 1000))) if solved else _GREY
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.2))
    if solved:
        ink = "white" if ratio > 80 else "black"
        axes.text(column, row, times(ratio), ha="center", va="center", fontsize=8, color=ink)
    else:
        _mark(axes, column, row, where)
    if false_success(run):
        axes.text(column + 0.3, row, "!", ha="center", va="center", fontsize=11, color="#CC0000", fontweight="bold")


def _mark(axes: Axes, column: float, row: float, where: Ending) -> None:
    axes.plot([column], [row], **_look(where))


def _look(where: Ending) -> dict[str, Any]:
    shape, _ = _MARKERS[where]
    hollow = shape in "*o"
    return {
        "marker": shape,
        "markersize": 8 if shape == "*" else 6,
        "markerfacecolor": "white" if hollow else INK,
        "markeredgecolor": INK,
        "markeredgewidth": 1.5 if shape in "x_" else 0.8,
        "linestyle": "none",
    }


def _keys(figure: Figure, axes: Axes, runs: Sequence[Run]) -> None:
    """The colour bar and the legend of marks, in words."""
    bar = figure.colorbar(
        ScalarMappable(_NORM, _COLOURS), ax=axes, orientation="horizontal", shrink=0.6, aspect=40, pad=0.02
    )
    bar.set_ticks([1, 10, 100, 1000], labels=["the cheapest", "10 times its cost", "100 times", "1000 or more"])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=8)
    bar.set_label(
        "number and colour: at the lowest known minimum; cost relative to the cheapest of the row", fontsize=8
    )
    seen = {ending(run) for run in runs}
    handles: list[Line2D] = [
        Line2D([], [], label=words, **_look(where)) for where, (_, words) in _MARKERS.items() if where in seen
    ]
    if any(false_success(run) for run in runs):
        wrong = Line2D([], [], marker="$!$", color="#CC0000", linestyle="none", label="claims success wrongly")
        handles.append(wrong)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)


def overview_caption(runs: Sequence[Run]) -> str:
    """How to read the table, and who is cheapest and who most reliable in it."""
    rows = groups(runs)
    sentences = [
        "Each row is a problem, each column a method. A number says that the run ended at the lowest known minimum of "
        "the problem, and at how many times the cost of the cheapest such run in its row (1 is the best); grey cells "
        "did not end there, and their mark says where they did."
    ]
    winners = [first for members in rows.values() if (first := cheapest(members)) is not None]
    if winners:
        often = Counter(first.method for first in winners)
        top = max(often.values())
        names = listing([in_words(name) for name, won in often.items() if won == top])
        sentences.append(f"Most often the cheapest: {names}, on {top} of {count(len(rows), 'row')}.")
    ends = Counter(run.method for run in runs if ending(run) is Ending.LOWEST)
    if ends:
        top = max(ends.values())
        names = listing([in_words(name) for name, ended in ends.items() if ended == top])
        sentences.append(f"Most often at the lowest known minimum: {names}, on {top}.")
    nobody = [
        label
        for label, members in zip(row_labels(runs), rows.values(), strict=True)
        if cheapest(members) is None and members[0].gap is not None
    ]
    if nobody:
        sentences.append(f"Nobody ended there on {listing(nobody)}.")
    wrong = [f"{run.method} on {run.name}" for run in runs if false_success(run)]
    if wrong:
        sentences.append(f"Success is claimed wrongly by {listing(wrong)}.")
    return " ".join(sentences)
