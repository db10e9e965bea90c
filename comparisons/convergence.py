"""How fast: f − f* and the gradient, against iterations and against cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from comparisons.drawing import INK, legend, marker, style, thin, tick
from comparisons.records import Run
from comparisons.words import (
    Ending,
    cheapest,
    coinciding,
    ending,
    endings,
    gap_in_words,
    in_words,
    listing,
    number,
    times,
)
from newtonkit.linalg import EPS
from problems import CriticalPoint, Problem

Vector = NDArray[np.float64]

SMALLEST_GAP = 1e-20  # far below what any tolerance asks for; beneath it a picture would show rounding alone
_SMALLEST_GRADIENT = 1e-15
_GREATEST = 1e4  # times the value at the start: what lies above is out of the picture
_DEEPEST = 1e20  # how far down f is drawn where it has no minimum
_FAR = 1e40  # of the rest, as much as axes can bear


class _Curve(NamedTuple):
    iteration: Vector
    cost: Vector
    f: Vector
    gradient: Vector


def _curve(run: Run) -> _Curve:
    """The trace, and the returned point after it where the trace ends before that or does not know its gradient."""
    kept = [(k, run.trace[k]) for k in thin(len(run.trace))]
    rows = [(float(k), max(p.cost, 1), p.f, p.gradient_norm) for k, p in kept]
    end = (float(max(run.nit, len(run.trace) - 1)), max(run.cost, 1), run.f, run.gradient_norm)
    if not rows or rows[-1][1:] != end[1:]:
        rows.append(end)
    return _Curve(*np.array(rows, dtype=np.float64).T)


def convergence(runs: Sequence[Run], problem: Problem | None) -> Figure:
    """f − f* and ‖g‖∞ against iterations and against cost, in four panels.

    Parameters
    ----------
    runs : sequence of Run
        Of one problem from one start.
    problem : Problem or None
        Whose lowest known minimum is f*; where there is none, f itself is drawn.
    """
    figure = Figure(figsize=(9.6, 7.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", sharey="row")
    best = None if problem is None else problem.best
    curves = [(run, _curve(run)) for run in runs]
    for column, along in enumerate(("iteration", "cost")):
        for run, curve in reversed(curves):  # the first on top
            x = getattr(curve, along)
            height = _height(run, curve, best)
            _draw(panels[0, column], x, height, run)
            _draw(panels[1, column], x, np.clip(curve.gradient, _SMALLEST_GRADIENT, _FAR), run)
    _scale_values(panels[0, 0], curves, best)
    _scale_logarithmic(panels[1, 0], [np.clip(c.gradient, _SMALLEST_GRADIENT, _FAR) for _, c in curves])
    if best is not None and _floor_is_rounding(best):
        for axes in panels[0]:
            axes.axhline(_floor(best), color=INK, linewidth=0.9, linestyle=":", zorder=1)
    _label(panels, [curve for _, curve in curves], best)
    legend(figure, runs)
    return figure


def _height(run: Run, curve: _Curve, best: CriticalPoint | None) -> Vector:
    """What is drawn: f − f*, or f where there is no f*, each down to where it means something."""
    if best is not None:
        return np.clip(curve.f - best.f, _floor(best), _FAR)
    return np.where(np.isfinite(curve.f), np.clip(curve.f, -_DEEPEST * _scale(run), _FAR), np.nan)


def _scale(run: Run) -> float:
    """The size of f where the run began."""
    return max(1.0, abs(run.f_start)) if math.isfinite(run.f_start) else 1.0


def _floor(best: CriticalPoint | None) -> float:
    """The rounding of f*, beneath which no difference from it means anything."""
    return SMALLEST_GAP if best is None else max(EPS * abs(best.f), SMALLEST_GAP)


def _floor_is_rounding(best: CriticalPoint) -> bool:
    return EPS * abs(best.f) >= SMALLEST_GAP


def _draw(axes: Axes, x: Vector, y: Vector, run: Run) -> None:
    """One line with a marker at its end; it is interrupted where a value is not finite."""
    shown = np.isfinite(y)
    if not shown.any():
        return
    look = style(run.method)
    width = (
        {"linewidth": 1.1, "linestyle": (0, (4, 2)), "zorder": 3} if look.dashed else {"linewidth": 1.9, "zorder": 2}
    )
    axes.plot(x, np.where(shown, y, np.nan), color=look.colour, **width)
    axes.plot(x[shown][-1:], y[shown][-1:], linestyle="none", zorder=4, **marker(look))


def _scale_values(axes: Axes, curves: Sequence[tuple[Run, _Curve]], best: CriticalPoint | None) -> None:
    heights = [_height(run, curve, best) for run, curve in curves]
    if best is not None:
        _scale_logarithmic(axes, heights)
        return
    # without a minimum f may fall through every power of ten, and begin on either side of zero
    scale = max([_scale(run) for run, _ in curves], default=1.0)
    axes.set_yscale("symlog", linthresh=scale)
    finite = [h for height in heights for h in height[np.isfinite(height)]] or [0.0]
    axes.set_ylim(min(10 * min(finite), -2 * scale), max(10 * max(finite), 2 * scale))


def _scale_logarithmic(axes: Axes, curves: Sequence[Vector]) -> None:
    """A logarithmic scale that holds all values, but for those of runs that blow up."""
    axes.set_yscale("log")
    finite = [curve[np.isfinite(curve)] for curve in curves]
    finite = [curve for curve in finite if curve.size]
    if finite:
        starts = max(float(curve[0]) for curve in finite)
        low = min(float(curve.min()) for curve in finite)
        high = min(max(float(curve.max()) for curve in finite), _GREATEST * starts)
        axes.set_ylim(low / 3, 3 * high)


def _label(panels: Any, curves: Sequence[_Curve], best: CriticalPoint | None) -> None:
    longest = [float(curve.iteration[-1]) for curve in curves] or [0.0]
    if max(longest) > 10 * max(min(longest), 1.0):
        panels[1, 0].set_xscale("symlog", linthresh=1, linscale=0.4)
        panels[1, 0].set_xlim(0, 1.4 * max(longest))
    else:
        panels[1, 0].set_xlim(0, 1.05 * max(longest) or 1.0)
    panels[1, 1].set_xscale("log")
    for axes in panels.flat:
        axes.xaxis.set_major_formatter(tick)
        axes.yaxis.set_major_formatter(tick)
    panels[0, 0].set(ylabel="f − f*" if best is not None else "f", title="against iterations")
    panels[0, 1].set(title="against cost")
    panels[1, 0].set(xlabel="iterations", ylabel="‖g‖∞, the largest entry of the gradient")
    panels[1, 1].set(xlabel="cost, in evaluations of f  (f + 2 g + 4 Hv + 4n H)")
    if best is None:
        # around zero the labels of a symmetric axis run into each other
        panels[0, 0].yaxis.set_major_formatter(lambda value, _: tick(value) if value == 0 or abs(value) > 10 else "")
    for axes in panels.flat:
        axes.title.set_fontsize(11)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)


def convergence_caption(runs: Sequence[Run], problem: Problem | None) -> str:
    """What the four panels show, in plain words, with the numbers of these runs."""
    best = None if problem is None else problem.best
    if best is None:
        sentences = [
            "Top: f; bottom: the largest entry of its gradient; left against iterations, right against cost.",
            "No minimum of f is known, so f itself is drawn.",
        ]
    else:
        sentences = [
            "Top: how far f is above its lowest known minimum; bottom: the largest entry of the gradient; left against "
            "iterations, right against cost. Lower and further left is better.",
            *_winner(runs),
            *_slowest(runs),
        ]
    return " ".join(sentences + endings(runs) + coinciding(runs) + _notes(runs, best))


def _winner(runs: Sequence[Run]) -> list[str]:
    first = cheapest(runs)
    if first is None:
        return ["No method ended at the lowest known minimum with its tolerance met."]
    there = sum(ending(run) is Ending.LOWEST for run in runs)
    end = f"{gap_in_words(first)} at cost {first.cost}."
    if there == 1:
        return [f"The only method that ended at the lowest known minimum is {in_words(first.method)}: {end}"]
    return [f"The cheapest of the {there} methods at the lowest known minimum is {in_words(first.method)}: {end}"]


def _slowest(runs: Sequence[Run]) -> list[str]:
    """The method with a tuned learning rate that a reader looks for: plain gradient descent, if it ran."""
    tuned = [run for run in runs if run.tuning is not None]
    if not tuned:
        return []
    run = next((run for run in tuned if run.method == "gd"), tuned[0])
    assert run.tuning is not None
    who = f"{in_words(run.method)} at its tuned rate of {number(run.tuning.rate)}"
    who = who[0].upper() + who[1:]
    first = cheapest(runs)
    if run.reason == "EVALUATIONS":
        return [f"{who} is at {gap_in_words(run)} when its budget is spent ({run.counts.g} gradients)."]
    if first is not None and ending(run) is Ending.LOWEST and run is not first:
        return [f"{who} gets there at cost {run.cost}, {times(run.cost / first.cost)} times as much."]
    return []


def _notes(runs: Sequence[Run], best: CriticalPoint | None) -> list[str]:
    notes = []
    if best is not None and _floor_is_rounding(best):
        notes.append(f"The dotted line is the rounding of f*, {number(_floor(best), 2)}; nothing below it is drawn.")
    elif any(run.gap is not None and run.gap < SMALLEST_GAP for run in runs):
        notes.append(f"Differences below {number(SMALLEST_GAP)} are drawn at that height.")
    if best is None and any(run.f < -_DEEPEST * _scale(run) for run in runs):
        notes.append(f"What falls below {number(-_DEEPEST)} is drawn at that height.")
    silent = [
        run.method
        for run in runs
        if len(run.trace) > 2 and sum(math.isnan(p.gradient_norm) for p in run.trace) > len(run.trace) / 2
    ]
    if silent:
        notes.append(f"The trace of {listing(silent)} has hardly any gradients, so little but its end is drawn below.")
    return notes
