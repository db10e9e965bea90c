"""Text, tables and a figure of the cost and time to target losses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from comparisons.core.labels import count, full_name, listing, number, times
from comparisons.plots.style import INK, style, tick
from comparisons.report.document import Table
from comparisons.studies.learning.loss_curves import LossCurve
from comparisons.studies.learning.time_to_target import ADAMS, BATCH, CURVED, Race

_DASH = (0, (4, 2))


def name(label: str) -> str:
    """The full name of the method, with the text after the comma."""
    method, comma, rest = label.partition(",")
    if label == "adam":
        return f"Adam, batches of {BATCH}"
    return full_name(method) + comma + rest


def reach_table(found: Race, title: str) -> Table:
    """A row for each method: median cost to every target, the share of starts that reach it, and the range of costs."""
    rows = []
    for label in found.courses:
        row = [name(label)]
        for target in found.targets:
            cost, seconds = found.median(label, target)
            there = [cost for cost, _ in found.reached[label][target] if math.isfinite(cost)]
            spread = f": {number(min(there), 3)} … {number(max(there), 3)}" if there else ""
            row += [
                f"{number(cost, 3)} ({_seconds(seconds)})" if math.isfinite(cost) else "never",
                f"{len(there)}/{len(found.seeds)}{spread}",
            ]
        losses = [float(course.loss.min()) for course in found.courses[label]]
        rows.append([*row, f"{number(min(losses), 2)} … {number(max(losses), 2)}"])
    heads = ["method", *(head for target in found.targets for head in (f"to {target:g}", "starts")), "lowest losses"]
    return Table(title, heads, rows)


def rates_table(found: Race, title: str) -> Table:
    """Adam's rates: for each target the best, what the default does, and the share of the grid that reaches it."""
    rows = []
    for label, searches in found.searches.items():
        for target, search in searches.items():
            default = search.default
            rows.append(
                [
                    name(label),
                    f"{target:g}",
                    number(search.rate) + ("*" if search.at_the_edge else ""),
                    number(search.best.cost, 3) if search.best.converged else "never",
                    number(default.cost, 3) if default is not None and default.converged else "never",
                    f"{len(search.converged)} of {len(search.trials)}",
                ]
            )
    return Table(title, ("method", "loss", "best rate", "its cost", "cost at 0.001", "rates that reach it"), rows)


def verdict(found: Race) -> str:
    """The best method for each target, by gradient-equivalents and by seconds."""
    sentences = []
    for target in found.targets:
        medians = {label: found.median(label, target) for label in found.courses}
        there = [label for label, (cost, _) in medians.items() if math.isfinite(cost)]
        if not there:
            sentences.append(f"A loss of {target:g}: no method reaches it from half of the starts.")
            continue
        by_cost, by_clock = (min(there, key=lambda label: medians[label][i]) for i in (0, 1))
        text = f"A loss of {target:g}: {name(by_cost)} needs the fewest gradient-equivalents"
        rivals = [label for label in there if (label in ADAMS) != (by_cost in ADAMS)]
        if rivals:
            second = min(rivals, key=lambda label: medians[label][0])
            ratio = times(medians[second][0] / medians[by_cost][0])
            more = "about as many" if ratio == "1" else f"{ratio} times as many"
            text += f", {number(medians[by_cost][0], 3)}; {name(second)} takes {more}"
        else:
            kind = "with" if by_cost in CURVED else "without"
            text += (
                f", {number(medians[by_cost][0], 3)}, and only methods {kind} curvature reach it from half the starts"
            )
        by_clock_text = "it is the fastest too" if by_clock == by_cost else f"{name(by_clock)} is the fastest"
        sentences.append(f"{text}; {by_clock_text}.")
    return " ".join([*sentences, _wins(found, 0, "gradient-equivalents"), _wins(found, 1, "seconds")])


def _wins(found: Race, column: int, measure: str) -> str:
    """Where Adam is first and where a method with curvature is, by gradient-equivalents or by seconds."""
    won: dict[bool, list[str]] = {True: [], False: []}
    for target in found.targets:
        medians = {label: found.median(label, target)[column] for label in found.courses}
        first = min(medians, key=lambda label: medians[label])
        if math.isfinite(medians[first]):
            won[first in ADAMS].append(f"{target:g}")
    adam = listing(won[True]) if won[True] else "none of these losses"
    return f"By {measure} Adam wins at {adam}" + (f", curvature at {listing(won[False])}." if won[False] else ".")


def protocol(found: Race) -> str:
    """The conditions of the runs."""
    grid = next(iter(found.searches["adam"].values())).trials
    return (
        f"Every method starts from the same {count(len(found.seeds), 'start')} and may spend {found.budget} "
        "gradient-equivalents: gradients over all data with the value; one on a batch counts as its share of the rows, "
        "a Hessian-vector product 4/3. Adam keeps one rate; for each target it is the best of "
        f"{len(grid)} from {number(grid[0].rate)} to {number(grid[-1].rate)} and one more on either side of it, by the "
        f"median over {count(found.tuned_on, 'other start')}. Costs are medians; a start that never reaches the target "
        "counts as infinite. The loss of Adam on batches is evaluated once a pass; this is not counted. "
        "Seconds are the least of three runs."
    )


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def reach_figure(found: Race) -> Figure:
    """The lowest loss so far against gradient-equivalents and seconds: the median start in bold, every start faint."""
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for label, courses in found.courses.items():
        look = style(label.split(",")[0])
        dash = _DASH if "," in label else "-"
        for axes, column in ((left, "spent"), (right, "seconds")):
            _median_line(axes, courses, column, {"color": look.colour, "linestyle": dash, "label": name(label)})
    for target in found.targets:
        for axes in (left, right):
            axes.axhline(target, color=INK, linewidth=0.8, linestyle=":", zorder=1)
    for axes, words in ((left, "gradient-equivalents"), (right, "seconds")):
        axes.set(xscale="log", yscale="log", xlabel=words)
        axes.xaxis.set_major_formatter(tick)
        axes.grid(alpha=0.3)
    left.set_ylabel("lowest training loss so far")
    left.set_ylim(bottom=0.7 * min(found.targets))
    left.set_yticks(found.targets, [f"{target:g}" for target in found.targets])
    left.minorticks_off()
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


def _median_line(axes: Axes, courses: Sequence[LossCurve], column: str, look: dict[str, Any]) -> None:
    lows = [np.minimum.accumulate(course.loss) for course in courses]
    spent = [np.maximum(getattr(course, column), 1e-12) for course in courses]
    for x, low in zip(spent, lows, strict=True):
        axes.plot(x[1:], low[1:], drawstyle="steps-post", linewidth=0.7, alpha=0.3, **look | {"label": None})
    first = max(float(x[1]) for x in spent if len(x) > 1)
    grid = np.geomspace(first, max(float(x[-1]) for x in spent), 300)
    # after its end a run keeps its lowest loss
    there = [low[np.searchsorted(x, grid, side="right") - 1] for x, low in zip(spent, lows, strict=True)]
    axes.plot(grid, np.median(there, axis=0), linewidth=2.2, **look)


def reach_caption(found: Race) -> str:
    """What the figure shows."""
    steepest = min(found.courses, key=lambda label: float(np.median([c.loss.min() for c in found.courses[label]])))
    low = float(np.median([course.loss.min() for course in found.courses[steepest]]))
    return (
        "The lowest training loss so far against work and time; faint lines are single starts, bold ones their median, "
        "dotted ones the losses of the table, of which the lowest ends a run. Adam's rate is that for the lowest loss "
        f"its tuning reached. The lowest median at the end is that of {name(steepest)}, {number(low, 3)}."
    )
