"""The order of convergence that a run shows: measured from its trace, and drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from comparisons.core.labels import listing
from comparisons.core.runs import Run
from comparisons.plots.style import INK, marker, style, tick
from problems import Problem

_METHODS = ("newton", "newton-cg", "newton-linesearch", "bfgs", "lbfgs")
_LAST = 5  # steps that the order is read from
ROUNDING = 1e-13  # errors below are rounding, not convergence


def observed_order(errors: Iterable[float]) -> float:
    """The order q of e₊ ≈ C eᵠ: the slope of log e₊ over log e, by least squares over the last five steps.

    Repeated errors (rejected steps) and errors below 1e-13 are left out; NaN if fewer than two steps remain.

    Parameters
    ----------
    errors : iterable of float
        Distances to the limit, one for each iterate.

    Examples
    --------
    >>> round(observed_order([1e-1, 1e-2, 1e-4, 1e-8]), 6)
    2.0
    """
    steps = _steps(errors)[-_LAST:]
    if len(steps) < 2:
        return math.nan
    before, after = np.log(np.array(steps)).T
    before = before - before.mean()
    return float(before @ after / (before @ before))


def _steps(errors: Iterable[float]) -> list[tuple[float, float]]:
    """Pairs of an error and the next."""
    usable: list[float] = []
    for error in errors:
        if math.isfinite(error) and error > ROUNDING and (not usable or error != usable[-1]):
            usable.append(error)
    return list(itertools.pairwise(usable))


def errors_of(run: Run, problem: Problem) -> list[float]:
    """‖x − x*‖ along the trace, x* the known minimum at which the run ended; empty if there is none."""
    if not run.at_minimum:
        return []
    point, _ = problem.nearest(run.x)
    if point is None or point.x is None:
        return []
    return [math.dist(p.x, point.x) for p in run.trace if len(p.x) == problem.n]


def orders(runs: Iterable[Run], problem: Problem) -> list[tuple[Run, list[tuple[float, float]], float]]:
    """Each run whose order can be measured: the run, its last steps (error before, error after), the order."""
    found = []
    for run in runs:
        errors = errors_of(run, problem) if run.method in _METHODS else []
        order = observed_order(errors)
        if math.isfinite(order):
            found.append((run, _steps(errors)[-_LAST - 2 :], order))
    return found


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
        look = style(run.method)
        label = f"{run.method}: observed order {order:.2f}"
        axes.plot(*np.array(steps).T, color=look.colour, label=label, linewidth=1.6, **marker(look))
    axes.set(xscale="log", yscale="log", xlabel="error before the step, ‖x − x*‖", ylabel="error after the step")
    if drawn:
        _reference_slopes(axes, [e for _, steps, _ in drawn for e, _ in steps])
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.minorticks_off()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(tick)
    axes.spines[["top", "right"]].set_visible(False)
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
        "Along slope 1 every step wins the same number of digits; along slope 2 it doubles the number of correct "
        f"digits, as theory promises for Newton's method; BFGS lies between. Observed over the last steps: {found}."
    )
