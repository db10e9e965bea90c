"""The order of convergence of runs as a figure: the error after each step against the error before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from comparisons.core.labels import listing
from comparisons.core.runs import Run
from comparisons.plots.style import INK, clean_axes, marker, style, tick
from comparisons.scores.convergence_order import orders
from problems import Problem


def order_of_convergence(runs: Sequence[Run], problem: Problem) -> Figure:
    """The error after a step against the error before it, on logarithmic axes: the slope is the order.

    Parameters
    ----------
    runs : sequence of Run
        Of one problem of two variables from one start; Newton's methods, bfgs and lbfgs are drawn.
    problem : Problem
    """
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    axes = figure.subplots()
    drawn = orders(runs, problem)
    for run, steps, order in drawn:
        line_style = style(run.method)
        label = f"{run.method}: observed order {order:.2f}"
        axes.plot(*np.array(steps).T, color=line_style.colour, label=label, linewidth=1.6, **marker(line_style))
    axes.set(xscale="log", yscale="log", xlabel="error before the step, ‖x − x*‖", ylabel="error after the step")
    if drawn:
        _reference_slopes(axes, [e for _, steps, _ in drawn for e, _ in steps])
    clean_axes(axes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(tick)
    if drawn:
        axes.legend(frameon=False, loc="lower left", fontsize=9)
    return figure


def _reference_slopes(axes: Axes, before: Sequence[float]) -> None:
    """Lines of slope 1 and 2 from the largest error on."""
    low, high = min(before), max(before)
    bottom = axes.get_ylim()[0]
    for slope in (1, 2):
        end = max(low, high * (bottom / high) ** (1 / slope))
        axes.plot([high, end], [high, high * (end / high) ** slope], color=INK, linestyle=":", linewidth=1, zorder=1)
        axes.annotate(
            f"slope {slope}",
            (end, high * (end / high) ** slope),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_xlim(3 * high, low / 8)


def order_caption(runs: Sequence[Run], problem: Problem) -> str:
    """What the slope means, and the observed order of each method."""
    drawn = orders(runs, problem)
    found = listing([f"{order:.2f} for {run.method}" for run, _, order in drawn])
    return (
        "Each point is one step near the minimum: the error before it (falling to the right) and the error after it. "
        "With slope 1 every step gains the same number of digits; with slope 2 every step doubles the number of "
        "correct digits, the theoretical order of Newton's method; BFGS is between. "
        f"Observed over the last steps: {found}."
    )
