"""All runs in one figure: a table of problems and methods, coloured by cost."""

from __future__ import annotations

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

from comparisons.core.endings import Ending
from comparisons.core.labels import MARKS, count, full_name, groups, listing, methods, times
from comparisons.core.runs import Run
from comparisons.core.scored import Scored, ScoredTable, cheapest, score_runs
from comparisons.plots.style import INK

_GREY = "#e6e6e6"
_NORM = LogNorm(1, 1000)
_COLOURS = "YlGnBu"


def overview(runs: Sequence[Run]) -> Figure:
    """A table of problems and methods: cost relative to the cheapest, or a mark for where else the run ended.

    Parameters
    ----------
    runs : sequence of Run
        Any number of problems, starts and methods.
    """
    scored, columns = score_runs(runs), methods(runs)
    rows = scored.instances
    figure = Figure(figsize=(max(5.0, 2.9 + 0.4 * len(columns)), 2.5 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for i, members in enumerate(rows.values()):
        for cell in members:
            _cell(axes, columns.index(cell.method), i, cell)
    theirs = [name.startswith("scipy:") for name in columns]
    for j in range(1, len(columns)):
        if theirs[j] != theirs[j - 1]:
            axes.axvline(j - 0.5, color=INK, linewidth=1.2)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), row_labels(runs))
    axes.tick_params(length=0, labelsize=8.5, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    _keys(figure, axes, scored)
    return figure


def row_labels(runs: Sequence[Run]) -> list[str]:
    """A short name for each problem and start: parameters and start only where they distinguish rows."""
    firsts = [members[0] for members in groups(runs).values()]
    labels_of_name = {name: {run.problem for run in firsts if run.name == name} for name in {r.name for r in firsts}}
    several_starts = len({run.start for run in firsts}) > 1
    return [
        (run.name if len(labels_of_name[run.name]) == 1 else run.problem)
        + (f" · {run.start}" if several_starts else "")
        for run in firsts
    ]


def _cell(axes: Axes, column: int, row: int, cell: Scored) -> None:
    ratio = cell.ratio
    colour = matplotlib.colormaps[_COLOURS](_NORM(min(max(ratio, 1), 1000))) if cell.solved else _GREY
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.2))
    if cell.solved:
        ink = "white" if ratio > 80 else "black"
        axes.text(column, row, times(ratio), ha="center", va="center", fontsize=8, color=ink)
    else:
        axes.plot([column], [row], **_marker(cell.ending))
    if cell.false_success:
        axes.text(column + 0.3, row, "!", ha="center", va="center", fontsize=11, color="#CC0000", fontweight="bold")


def _marker(ending: Ending) -> dict[str, Any]:
    shape = MARKS[ending][1]
    hollow = shape in "*o"
    return {
        "marker": shape,
        "markersize": 8 if shape == "*" else 6,
        "markerfacecolor": "white" if hollow else INK,
        "markeredgecolor": INK,
        "markeredgewidth": 1.5 if shape in "x_" else 0.8,
        "linestyle": "none",
    }


def _keys(figure: Figure, axes: Axes, scored: ScoredTable) -> None:
    """The colour bar and the legend of marks."""
    bar = figure.colorbar(
        ScalarMappable(_NORM, _COLOURS), ax=axes, orientation="horizontal", shrink=0.6, aspect=40, pad=0.02
    )
    bar.set_ticks([1, 10, 100, 1000], labels=["lowest cost", "10 times", "100 times", "1000 or more"])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=8)
    bar.set_label("number and colour: solved; cost relative to the cheapest of the row", fontsize=8)
    seen = {cell.ending for cell in scored if not cell.solved}
    handles: list[Line2D] = [
        Line2D([], [], label=text, **_marker(ending)) for ending, (_, _, text) in MARKS.items() if ending in seen
    ]
    if any(cell.false_success for cell in scored):
        wrong = Line2D([], [], marker="$!$", color="#CC0000", linestyle="none", label="false success")
        handles.append(wrong)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)


def overview_caption(runs: Sequence[Run]) -> str:
    """How to read the table, and who is cheapest and who most reliable in it."""
    scored = score_runs(runs)
    rows = scored.instances
    sentences = [
        "Each row is a problem, each column a method. A number means that the run reached the lowest known minimum of "
        "the problem; it is the cost in units of the cheapest such run in the row (1 is the best). The mark in a grey "
        "cell shows where another run ended."
    ]
    winners = [first for members in rows.values() if (first := cheapest(members)) is not None]
    if winners:
        often = Counter(first.method for first in winners)
        top = max(often.values())
        names = listing([full_name(name) for name, won in often.items() if won == top])
        sentences.append(f"Most often the cheapest: {names}, on {top} of {count(len(rows), 'row')}.")
    ends = Counter(cell.method for cell in scored if cell.solved)
    if ends:
        top = max(ends.values())
        names = listing([full_name(name) for name, ended in ends.items() if ended == top])
        sentences.append(f"Most often solved by {names}: {top}.")
    nobody = [
        label
        for label, members in zip(row_labels(runs), rows.values(), strict=True)
        if cheapest(members) is None and members[0].gap is not None
    ]
    if nobody:
        sentences.append(f"No method solves {listing(nobody)}.")
    wrong = [f"{cell.method} on {cell.run.name}" for cell in scored if cell.false_success]
    if wrong:
        sentences.append(f"False successes: {listing(wrong)}.")
    return " ".join(sentences)
