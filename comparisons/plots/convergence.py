"""Convergence plots: f − f* and the gradient against iterations, cost and seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from comparisons.core.labels import coinciding, count, full_name, gap_text, listing, number, times
from comparisons.core.scored import Scored, cheapest, ending_sentences
from comparisons.plots.convergence_curves import (
    COLOURED,
    DEEPEST,
    SMALLEST_GAP,
    Curve,
    Vector,
    curve_of,
    floor_of,
    in_colour,
    needed,
    rounding_is_in_view,
    scale_of,
)
from comparisons.plots.style import INK, Style, clean_axes, marker, spread, style, tick
from problems import CriticalPoint, Problem

_GREATEST = 1e4  # times the initial value: the upper limit of the axis
GREY = "#cfcfcf"
_NAME_GAP = 0.075  # between two names, of the height of a panel
_ALONG = {
    "iteration": ("iterations", "iterations"),
    "cost": ("cost", "cost: f + 2 g + 4 Hv + 4k H"),
    "seconds": ("time", "seconds"),
}


def convergence(scored: Sequence[Scored], problem: Problem | None) -> Figure:
    """f − f* and ‖g‖∞ against iterations, cost and seconds, in six panels.

    At most eight methods are in colour, each labelled at the right edge; see `in_colour`.

    Parameters
    ----------
    scored : sequence of Scored
        The runs of one problem from one start.
    problem : Problem or None
        Its lowest known minimum is f*; if there is none, f itself is drawn.
    """
    figure = Figure(figsize=(11.5, 7.0), layout="constrained")
    panels = figure.subplots(2, 3, sharex="col", sharey="row")
    best = None if problem is None else problem.best
    curves = [curve_of(row.run, best) for row in scored]
    coloured = in_colour(scored)
    chosen = [curve for curve in curves if any(curve.run is run for run in coloured)]
    for curve in reversed(curves):  # the first on top
        line_style = style(curve.run.method) if any(curve is one for one in chosen) else None
        for column, along in enumerate(_ALONG):
            _draw(panels[0, column], getattr(curve, along), curve.height, line_style)
            _draw(panels[1, column], getattr(curve, along), curve.gradient, line_style)
    _scale_values(panels[0, 0], curves, best)
    _scale_logarithmic(panels[1, 0], [curve.gradient for curve in curves])
    if best is not None and rounding_is_in_view(curves, best):
        _draw_rounding(panels[0], floor_of(best))
    _label(panels, curves, best)
    _name_the_ends(panels[0, -1], [(curve.run.method, curve.seconds, curve.height) for curve in chosen])
    _name_the_ends(panels[1, -1], [(curve.run.method, curve.seconds, curve.gradient) for curve in chosen])
    return figure


def _draw_rounding(panels: Sequence[Axes], floor: float) -> None:
    for axes in panels:
        axes.axhline(floor, color=INK, linewidth=0.9, linestyle=":", zorder=1)
    panels[0].annotate(
        f"rounding of f*, ε|f*| = {number(floor, 2)}",
        (0.98, floor),
        (0, -4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8,
    )


def _draw(axes: Axes, x: Vector, y: Vector, line_style: Style | None) -> None:
    """One line with a marker at its end, grey without a style; it is interrupted where a value is not finite."""
    shown = np.isfinite(y)
    if not shown.any():
        return
    if line_style is None:
        axes.plot(x, np.where(shown, y, np.nan), color=GREY, linewidth=1.1, zorder=1)
        return
    width = (
        {"linewidth": 1.1, "linestyle": (0, (4, 2)), "zorder": 3}
        if line_style.dashed
        else {"linewidth": 1.9, "zorder": 2}
    )
    axes.plot(x, np.where(shown, y, np.nan), color=line_style.colour, **width)
    axes.plot(x[shown][-1:], y[shown][-1:], linestyle="none", zorder=4, **marker(line_style))


def _name_the_ends(axes: Axes, ends: Sequence[tuple[str, Vector, Vector]]) -> None:
    """Write names next to the panel, in the order of the heights at which their lines end, joined to these ends."""
    low, high = (axes.transData.transform((axes.get_xlim()[0], edge))[1] for edge in axes.get_ylim())
    found = []
    for name, x, y in ends:
        shown = np.flatnonzero(np.isfinite(y))
        if len(shown):
            # a line that ends outside the panel is joined at its edge
            tip = float(np.clip(x[shown[-1]], *axes.get_xlim())), float(np.clip(y[shown[-1]], *axes.get_ylim()))
            found.append(((axes.transData.transform(tip)[1] - low) / (high - low), tip, name))
    # of two at the same height, the one that ends first is above
    found.sort(key=lambda end: (end[0], -end[1][0]))
    for place, (_, tip, name) in zip(spread([end[0] for end in found], gap=_NAME_GAP), found, strict=True):
        colour = style(name).colour
        axes.annotate(
            name,
            tip,
            (1.06, place),
            xycoords="data",
            textcoords="axes fraction",
            va="center",
            fontsize=8.5,
            color=colour,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.6, "shrinkA": 1, "shrinkB": 3},
        )


def _scale_values(axes: Axes, curves: Sequence[Curve], best: CriticalPoint | None) -> None:
    if best is not None:
        _scale_logarithmic(axes, [curve.height for curve in curves])
        return
    # without a minimum f may fall below any bound and start on either side of zero
    scale = max([scale_of(curve.run) for curve in curves], default=1.0)
    axes.set_yscale("symlog", linthresh=scale)
    finite = np.concatenate([[0.0], *(curve.height[np.isfinite(curve.height)] for curve in curves)])
    axes.set_ylim(min(10 * float(finite.min()), -2 * scale), max(10 * float(finite.max()), 2 * scale))


def _scale_logarithmic(axes: Axes, curves: Sequence[Vector]) -> None:
    """A logarithmic scale for all values, except those of diverging runs."""
    axes.set_yscale("log")
    finite = [curve[np.isfinite(curve)] for curve in curves]
    finite = [curve for curve in finite if curve.size]
    if finite:
        starts = max(float(curve[0]) for curve in finite)
        low = min(float(curve.min()) for curve in finite)
        high = min(max(float(curve.max()) for curve in finite), _GREATEST * starts)
        # a tenth of the height above and below, for the markers
        room = max((high / low) ** 0.08, 3.0)
        axes.set_ylim(low / room, high * room)


def _label(panels: Any, curves: Sequence[Curve], best: CriticalPoint | None) -> None:
    longest = [float(curve.iteration[-1]) for curve in curves] or [0.0]
    if max(longest) > 10 * max(min(longest), 1.0):
        panels[1, 0].set_xscale("symlog", linthresh=1, linscale=0.4)
        panels[1, 0].set_xlim(0, 1.4 * max(longest))
    else:
        panels[1, 0].set_xlim(0, 1.05 * max(longest) or 1.0)
    for axes in panels[1, 1:]:
        axes.set_xscale("log")
    # the start has time zero, which a logarithmic axis cannot show: the axis begins before the second point
    second = [float(curve.seconds[1]) for curve in curves if len(curve.seconds) > 1]
    if second:
        panels[1, 2].set_xlim(left=min(second) / 2)
    for axes, (title, unit) in zip(panels.T, _ALONG.values(), strict=True):
        axes[0].set(title=title)
        axes[1].set(xlabel=unit)
    for axes in panels.flat:
        axes.xaxis.set_major_formatter(tick)
        axes.yaxis.set_major_formatter(tick)
    panels[0, 0].set(ylabel="f − f*" if best is not None else "f")
    panels[1, 0].set(ylabel="‖g‖∞")
    if best is None:
        # around zero the labels of a symmetric axis would overlap
        panels[0, 0].yaxis.set_major_formatter(lambda value, _: tick(value) if value == 0 or abs(value) > 10 else "")
    for axes in panels.flat:
        axes.title.set_fontsize(11)
        clean_axes(axes)


def convergence_caption(scored: Sequence[Scored], problem: Problem | None) -> str:
    """What the six panels show, with the numbers of these runs."""
    best = None if problem is None else problem.best
    below = "‖g‖∞; from left to right against iterations, cost and seconds."
    if best is None:
        sentences = [f"Top: f, of which no minimum is known; bottom: {below}"]
    else:
        sentences = [
            f"Top: f − f*, where f* is the lowest known minimum; bottom: {below} Lower and further left is better.",
            *_winner(scored),
            *_first_in_seconds(scored),
            *_slowest(scored),
        ]
    return " ".join(
        sentences + ending_sentences(scored) + coinciding([row.run for row in scored]) + _notes(scored, best)
    )


def _winner(scored: Sequence[Scored]) -> list[str]:
    first = cheapest(scored)
    if first is None:
        return ["No method reached the lowest known minimum to the required accuracy."]
    there = sum(row.solved for row in scored)
    end = f"cost {first.cost} until the required accuracy; at its end {gap_text(first.run)}."
    if there == 1:
        return [f"The only method that reached the lowest known minimum is {full_name(first.method)}: {end}"]
    return [f"The cheapest of the {there} methods that reached the lowest minimum is {full_name(first.method)}: {end}"]


def _first_in_seconds(scored: Sequence[Scored]) -> list[str]:
    """The fastest in seconds, if several methods solved the problem."""
    there = [(needed(row)[1], row) for row in scored if row.solved]
    if len(there) < 2:
        return []
    seconds, row = min(there, key=lambda pair: pair[0])
    return [f"The fastest of them is {full_name(row.method)}: {number(1e3 * seconds, 2)} ms."]


def _slowest(scored: Sequence[Scored]) -> list[str]:
    """The cost of plain gradient descent, or else of the first method with a tuned learning rate."""
    tuned = [row for row in scored if row.run.tuning is not None]
    if not tuned:
        return []
    row = next((row for row in tuned if row.method == "gd"), tuned[0])
    run = row.run
    assert run.tuning is not None
    who = f"{full_name(run.method)} at its tuned rate of {number(run.tuning.rate)}"
    who = who[0].upper() + who[1:]
    if row.solved:
        return [f"{who} has cost {row.cost}, {times(row.ratio)} times as much."] if row is not cheapest(scored) else []
    if run.reason == "EVALUATIONS":
        return [f"{who} has spent its budget ({run.counts.g} gradients) with {gap_text(run)}."]
    return []


def _notes(scored: Sequence[Scored], best: CriticalPoint | None) -> list[str]:
    runs = [row.run for row in scored]
    notes = []
    if best is not None and rounding_is_in_view([curve_of(run, best) for run in runs], best):
        notes.append(
            f"The dotted line is the rounding of f*, {number(floor_of(best), 2)}; values below it are not drawn."
        )
    elif any(run.gap is not None and run.gap < SMALLEST_GAP for run in runs):
        notes.append(f"Differences below {number(SMALLEST_GAP)} are drawn at that height.")
    if best is None and any(run.f < -DEEPEST * scale_of(run) for run in runs):
        notes.append(f"Values below {number(-DEEPEST)} are drawn at that height.")
    silent = [
        run.method
        for run in runs
        if len(run.trace) > 2 and sum(math.isnan(p.gradient_norm) for p in run.trace) > len(run.trace) / 2
    ]
    if silent:
        notes.append(
            f"The trace of {listing(silent)} has few gradients, so the bottom panels show little more than its end."
        )
    if len(runs) > COLOURED:
        coloured = in_colour(scored)
        grey = [run.method for run in runs if not any(run is other for other in coloured)]
        notes.append(f"In colour: {count(len(coloured), 'method')}, the best of each family; in grey: {listing(grey)}.")
    notes.append("The seconds are those of one run on one machine; they include the tracing of f.")
    return notes
