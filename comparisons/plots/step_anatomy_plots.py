"""Figure of one trust-region step: contours of f and its model, the region, the steps, both reductions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from comparisons.core.labels import listing, number
from comparisons.plots.step_anatomy import Anatomy, Matrix, Vector, step_anatomy
from comparisons.plots.style import INK, tick
from newtonkit.linalg.kernels import norm
from newtonkit.trustregion.radius import ACCEPT
from problems import Problem

_STEP, _NEWTON, _CAUCHY, _DOWN, _GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8a8a8a"
_WINDOW = 1.7  # of the radius, from the centre to the edge of the figure
_EDGE = 0.96  # of the window: where an arrow that leaves it is cut
_GRID = 161
_LEVELS = 14
_UP_TO_ITS_ENDS = {"shrinkA": 0.0, "shrinkB": 0.0}


def anatomy_figure(problem: Problem, at: Any = "standard", radius: float | None = None) -> tuple[Figure, str]:
    """The first step of a problem from a start, by its name or as a point, and the caption; see `step_anatomy`."""
    if problem.n != 2:
        raise ValueError(
            f"a step is drawn in the plane: problem must have 2 variables, {problem.label} has {problem.n}"
        )
    if isinstance(at, str) and at not in problem.starts:
        raise ValueError(
            f"{problem.label} has no start {at!r}; it has {', '.join(problem.starts)}, or give two numbers"
        )
    found = step_anatomy(problem.fun, problem.starts[at] if isinstance(at, str) else at, radius)
    return anatomy(problem.fun, found), anatomy_caption(found)


# --- figure ---------------------------------------------------------------------------------------------------------


def anatomy(fun: Callable[..., Any], found: Anatomy) -> Figure:
    """Left the plane with the steps, right f and the model along the step that is taken.

    Parameters
    ----------
    fun : callable
    found : Anatomy
    """
    figure = Figure(figsize=(10.0, 5.6), layout="constrained")
    plane, slice_ = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _draw_plane(plane, fun, found)
    _draw_slice(slice_, fun, found)
    figure.legend(handles=_handles(found), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _values(fun: Callable[..., Any], places: Matrix) -> Vector:
    with np.errstate(all="ignore"):
        f = np.array([float(fun(x)) for x in places.reshape(-1, 2)]).reshape(places.shape[:-1])
    return np.where(np.isfinite(f), f, np.nan)


def _model(found: Anatomy, p: Matrix) -> Vector:
    m: Vector = found.f + p @ found.g + 0.5 * np.einsum("...i,ij,...j->...", p, found.H, p)
    return m


def _draw_plane(axes: Axes, fun: Callable[..., Any], found: Anatomy) -> None:
    half = _WINDOW * found.radius
    sides = np.linspace(-half, half, _GRID)
    p = np.stack(np.meshgrid(sides, sides), axis=-1)
    f = _values(fun, found.x + p)
    circle = Circle((found.x[0], found.x[1]), found.radius, fill=False, edgecolor=INK, linewidth=1.4)
    x, y = found.x[0] + sides, found.x[1] + sides
    axes.contour(x, y, f, levels=_levels(f), colors="#b9b9b9", linewidths=0.7, linestyles="solid", zorder=1)
    m = _model(found, p)
    inside = np.hypot(p[..., 0], p[..., 1]) <= found.radius
    model = axes.contour(
        x, y, m, levels=_levels(m[inside]), colors=_STEP, linewidths=0.8, linestyles="dashed", zorder=2
    )
    axes.add_patch(circle)
    # beyond the radius the model is not trusted
    model.set_clip_path(circle)
    if found.dogleg is not None:
        axes.plot(*(found.x + found.dogleg).T, ":", color=_GREY, linewidth=2.2, zorder=3)
    for step, colour, width, _ in _arrows(found):
        _arrow(axes, found.x, step, colour, width, half)
    axes.plot(*found.x, "o", color="white", markeredgecolor="black", markersize=7, zorder=7)
    axes.set(
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
        xlabel="x",
        ylabel="y",
        aspect="equal",
        title="f, its quadratic model, and the steps",
    )
    axes.title.set_fontsize(11)


def _levels(f: Vector) -> Vector:
    """Spaced evenly in the logarithm of the height above the lowest value."""
    lowest, highest = float(np.nanmin(f)), float(np.nanmax(f))
    height = np.nanpercentile(f, 3) - lowest
    if not 0 < height < highest - lowest:
        return np.array([highest])
    return lowest + np.geomspace(height, highest - lowest, _LEVELS)[:-1]


def _arrows(found: Anatomy) -> list[tuple[Vector, str, float, str]]:
    """The steps with their colour, width and name, in drawing order: the step taken is last, on top."""
    steps = [(found.steepest, _CAUCHY, 1.8, "steepest descent (Cauchy)")]
    if found.newton is not None and not found.takes_newton:
        steps.append((found.newton, _NEWTON, 1.8, "the Newton step"))
    if found.curvature is not None:
        steps.append((found.curvature, _DOWN, 1.8, "negative curvature"))
    steps.append((found.step, _STEP, 3.0, "the step taken" + ", Newton's" * found.takes_newton))
    return [step for step in steps if step[0].any()]


def _arrow(axes: Axes, x: Vector, p: Vector, colour: str, width: float, half: float) -> None:
    """Draw an arrow from x along p; one that leaves the window is cut at its edge and has its length next to it."""
    longest = np.abs(p).max()
    cut = longest > _EDGE * half
    tip = x + p * (_EDGE * half / longest if cut else 1.0)
    style = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": width,
        "mutation_scale": 10 + 2 * width,
        **_UP_TO_ITS_ENDS,
    }
    if cut:
        style["linestyle"] = (0, (4, 2))
    axes.annotate("", (tip[0], tip[1]), xytext=(x[0], x[1]), arrowprops=style, zorder=6)
    if cut:
        across = 1 if p[0] < 0 else -1
        axes.annotate(
            f"to a length of {number(float(norm(p)), 3)}",
            (tip[0], tip[1]),
            xytext=(9 * across, 0),
            textcoords="offset points",
            ha="left" if across > 0 else "right",
            va="bottom" if p[1] < 0 else "top",
            fontsize=8,
            color=colour,
        )


def _draw_slice(axes: Axes, fun: Callable[..., Any], found: Anatomy) -> None:
    """f and the model along the step, with the predicted and the actual reduction."""
    length = norm(found.step)
    t = np.linspace(-0.25, 1.35, 201)
    places = t[:, None] * found.step
    f, m = _values(fun, found.x + places), _model(found, places)
    axes.plot(t * length, f, color=INK, linewidth=1.8)
    axes.plot(t * length, m, color=_STEP, linewidth=1.8, linestyle="dashed")
    axes.axhline(found.f, color="#bbbbbb", linewidth=0.9, zorder=0)
    if found.on_boundary:
        axes.axvline(length, color=INK, linewidth=1.0, linestyle=":", zorder=0)
    for place, height, colour, words in (
        (1.0, found.f - found.predicted, _STEP, "predicted"),
        (1.07, found.f - found.actual, INK, "actual"),
    ):
        if math.isfinite(height):
            axes.annotate(
                "",
                (place * length, height),
                xytext=(place * length, found.f),
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6, **_UP_TO_ITS_ENDS},
            )
            side = -1 if place == 1.0 else 1
            axes.annotate(
                words,
                (place * length, (height + found.f) / 2),
                xytext=(5 * side, 0),
                textcoords="offset points",
                ha="right" if side < 0 else "left",
                va="center",
                fontsize=9,
                color=colour,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
            )
    for words, heights, colour in (("f", f, INK), ("model", m, _STEP)):
        axes.annotate(
            words, (t[-1] * length, heights[-1]), (4, 0), textcoords="offset points", va="center", color=colour
        )
    axes.plot(0, found.f, "o", color="white", markeredgecolor="black", markersize=7, zorder=7)
    low, high = np.nanmin(m), np.nanmax(m)
    room = 0.6 * (high - low)
    seen = f[np.isfinite(f)]
    axes.set_ylim(
        max(min(low, seen.min()), low - room) - 0.05 * room, min(max(high, seen.max()), high + room) + 0.1 * room
    )
    axes.set(xlabel="length along the step", ylabel="f", title="along the step taken")
    axes.title.set_fontsize(11)
    axes.yaxis.set_major_formatter(tick)
    axes.spines[["top", "right"]].set_visible(False)


def _handles(found: Anatomy) -> list[Line2D]:
    handles = [
        Line2D([], [], color=_GREY, linewidth=1.2, label="f"),
        Line2D([], [], color=_STEP, linewidth=1.2, linestyle="dashed", label="its quadratic model"),
        Line2D([], [], color=INK, linewidth=1.4, label="trust region"),
    ]
    handles += [Line2D([], [], color=colour, linewidth=width, label=name) for _, colour, width, name in _arrows(found)]
    if found.dogleg is not None and len(found.dogleg) > 2:
        handles.append(Line2D([], [], color=_GREY, linewidth=2.2, linestyle=":", label="dogleg"))
    return handles


# --- caption --------------------------------------------------------------------------------------------------------


def anatomy_caption(found: Anatomy) -> str:
    """The model, the Newton step, the predicted and actual reduction, and whether the step is accepted."""
    return " ".join(
        [
            "Contours of f (grey) and of its quadratic model at the white point (blue, dashed). The model is drawn "
            f"inside the trust region, a circle of radius {number(found.radius, 3)}.",
            _shape(found),
            _where_newton_goes(found),
            _what_is_kept(found),
        ]
    )


def _shape(found: Anatomy) -> str:
    values = listing([number(float(value), 3) for value in found.eigenvalues])
    if found.curvature is not None:
        down = "both directions" if found.eigenvalues[-1] < 0 else "one direction"
        return f"The Hessian has the eigenvalues {values}: the model is unbounded below in {down}."
    return f"The Hessian has the eigenvalues {values}: the model is convex."


def _where_newton_goes(found: Anatomy) -> str:
    if found.newton is None:
        return "The Hessian is singular, so there is no Newton step."
    length = norm(found.newton)
    if not found.g.any():
        return "The gradient is zero, so the Newton step is zero; only negative curvature gives a descent direction."
    if found.curvature is not None:
        uphill = float(found.g @ found.newton) > 0
        kind = "maximum" if found.eigenvalues[-1] < 0 else "saddle"
        return f"The Newton step goes to the {kind} of the model{', an ascent direction at first' if uphill else ''}."
    if length <= found.radius:
        return f"The Newton step, of length {number(length, 3)}, is inside the region and is taken."
    return f"The Newton step is {number(length, 3)} long and leaves the region: the step bends towards −g."


def _what_is_kept(found: Anatomy) -> str:
    if not math.isfinite(found.actual):
        return "At the end of the step f is not finite: the step is rejected and the radius shrinks."
    kept = (
        f"The predicted reduction is {number(found.predicted, 3)}; f "
        + (f"falls by {number(found.actual, 3)}" if found.actual > 0 else f"rises by {number(-found.actual, 3)}")
        + f", a ratio of {number(found.ratio, 3)}"
    )
    if found.ratio < ACCEPT:
        return f"{kept}: the step is rejected and the radius shrinks."
    return f"{kept}: the step is accepted."
