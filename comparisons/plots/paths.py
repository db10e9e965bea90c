"""Paths of the methods over the contours of a function of two variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from comparisons.core.labels import FAMILIES, coinciding, count, family, full_name, listing
from comparisons.core.runs import Run
from comparisons.core.scored import Scored
from comparisons.plots.convergence_curves import needed
from comparisons.plots.style import INK, legend, marker, style, thin
from problems import CriticalPoint, Problem

Vector = NDArray[np.float64]
Window = tuple[tuple[float, float], tuple[float, float]]

_EXITS = 3  # exits from the window that are marked with an arrow, for each run
_HEAD = 0.01  # of the window: the length of the shaft of such an arrow
_POINT_MARKERS = {"minimum": ("*", 13), "saddle": ("x", 7), "maximum": ("^", 7)}


def paths(runs: Sequence[Run], problem: Problem) -> Figure:
    """The path of each method over the contours of a function of two variables, one panel for each family.

    Parameters
    ----------
    runs : sequence of Run
        Of one problem from one start.
    problem : Problem
        With a ``domain``.
    """
    families = [name for name in FAMILIES if any(family(run.method) == name for run in runs)]
    window = window_of(runs, problem)
    (left, right), (bottom, top) = window
    shape = (top - bottom) / (right - left)
    equal = 0.4 < shape < 2
    figure = Figure(figsize=(10.4, 1.75 + 3.0 * (shape if equal else 1.0)), layout="constrained")
    panels = figure.subplots(1, max(len(families), 1), sharex=True, sharey=True, squeeze=False)[0]
    ground = landscape(problem, window)
    for axes, name in zip(panels, families, strict=False):
        contours(axes, *ground)
        known_points(axes, problem)
        # the first of a family on top: the irregular paths of adaptive rules, the last, would hide the others
        members = [run for run in runs if family(run.method) == name]
        for depth, run in reversed(list(enumerate(members))):
            _path(axes, run, window, depth)
        axes.title.set_fontsize(11)
        axes.set(title=name, xlim=window[0], ylim=window[1], xlabel="x")
        if equal:
            axes.set_aspect("equal")
    panels[0].set_ylabel("y")
    legend(figure, runs, _point_handles(problem))
    return figure


def window_of(runs: Sequence[Run], problem: Problem) -> Window:
    """The problem's domain, enlarged to contain the start."""
    if problem.domain is None:
        raise ValueError(f"{problem.label} has no domain to draw; paths are drawn for problems of two variables")
    sides = []
    for i, (low, high) in enumerate(problem.domain):
        starts = [run.trace[0].x[i] for run in runs if run.trace and len(run.trace[0].x) == 2]
        margin = 0.06 * (max([high, *starts]) - min([low, *starts]))
        low = min([low, *(start - margin for start in starts)])
        high = max([high, *(start + margin for start in starts)])
        sides.append((low, high))
    return sides[0], sides[1]


def landscape(problem: Problem, window: Window, points: int = 161) -> tuple[Vector, Vector, Vector, Vector]:
    """Grid, values above the lowest one there, and levels: spaced evenly in their logarithm if f has a minimum."""
    x, y = (np.linspace(low, high, points) for low, high in window)
    with np.errstate(all="ignore"):
        values = np.asarray(problem.fun(np.array(np.meshgrid(x, y))), dtype=np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    minima = [p.f for p in problem.minima]
    height = values - min([float(np.nanmin(values)), *minima])
    top = float(np.nanmax(height))
    if not minima:
        return x, y, height, np.linspace(0, top, 18)[1:-1]
    # the lowest level has 5 % of the window below it: less would be finer than the grid
    low = float(np.nanpercentile(height, 5))
    return x, y, height, np.geomspace(low, top, 13)[:-1] if 0 < low < top else np.array([top])


def contours(axes: Axes, x: Vector, y: Vector, height: Vector, levels: Vector) -> None:
    """Draw grey contours, so that only the paths have colours."""
    axes.contour(x, y, height, levels=levels, colors="#b9b9b9", linewidths=0.6, zorder=1)


def _path(axes: Axes, run: Run, window: Window, depth: int) -> None:
    """Draw one path; lower ones are thicker, so that identical paths are all visible."""
    points = np.array([p.x for p in run.trace if len(p.x) == 2], dtype=np.float64).reshape(-1, 2)
    if len(run.x) == 2 and (not len(points) or tuple(points[-1]) != run.x):
        points = np.vstack([points, run.x])
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return
    points = pulled_in(points[thin(len(points))], window)
    line_style = style(run.method)
    width: dict[str, Any] = {"linewidth": min(1.4 + 0.25 * depth, 2.4)}
    if line_style.dashed:
        width |= {"linewidth": 1.1, "linestyle": (0, (4, 2))}
    if len(points) <= 60:
        width |= {"marker": ".", "markersize": 3.5}
    axes.plot(*points.T, color=line_style.colour, alpha=0.9, zorder=3, **width)
    axes.plot(*points[:1].T, "o", color="white", markeredgecolor="black", markersize=7, zorder=6)
    axes.plot(*points[-1:].T, linestyle="none", zorder=5, **marker(line_style))
    for before, after in _exits(points, window)[:_EXITS]:
        arrow = {"arrowstyle": "-|>", "color": line_style.colour, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", tuple(after), xytext=tuple(before), arrowprops=arrow, zorder=5)


def _exits(points: Vector, window: Window) -> list[tuple[Vector, Vector]]:
    """The last part, up to the edge, of each step that leaves the window."""
    low, high = np.array(window).T
    inside = ((points >= low) & (points <= high)).all(axis=1)
    found = []
    for k in np.flatnonzero(inside[:-1] & ~inside[1:]):
        step = points[k + 1] - points[k]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(step > 0, (high - points[k]) / step, (low - points[k]) / step)
        edge = points[k] + np.nanmin(np.where(step != 0, reach, np.inf)) * step
        length = np.linalg.norm(step / (high - low))
        found.append((edge - min(1.0, _HEAD / length) * step, edge))
    return found


def pulled_in(points: Vector, window: Window) -> Vector:
    """Points far outside moved towards the window, on the ray from its centre: viewers cannot draw 1e100."""
    middle = np.array([sum(side) / 2 for side in window])
    size = np.array([side[1] - side[0] for side in window])
    away = (points - middle) / size
    far = np.abs(away).max(axis=1, keepdims=True)
    return np.asarray(middle + away * np.minimum(1.0, 20.0 / np.maximum(far, 1e-300)) * size)


def _kind(point: CriticalPoint) -> str:
    return point.kind.removeprefix("degenerate ")


def known_points(axes: Axes, problem: Problem) -> None:
    """Draw the critical points of the catalogue."""
    for point in problem.points:
        if point.x is not None:
            marker, size = _POINT_MARKERS[_kind(point)]
            line_style: dict[str, Any] = {
                "color": INK,
                "markeredgecolor": "white" if marker != "x" else INK,
                "markeredgewidth": 0.8,
            }
            axes.plot(*point.x, marker=marker, markersize=size, linestyle="none", zorder=2, **line_style)


def _point_handles(problem: Problem) -> list[Line2D]:
    start = Line2D([], [], marker="o", color="white", markeredgecolor="black", linestyle="none", label="start")
    kinds = [kind for kind in _POINT_MARKERS if any(_kind(p) == kind for p in problem.points if p.x is not None)]
    return [start] + [
        Line2D([], [], marker=_POINT_MARKERS[kind][0], markersize=8, color=INK, linestyle="none", label=f"known {kind}")
        for kind in kinds
    ]


def paths_caption(scored: Sequence[Scored], problem: Problem) -> str:
    """What the panels show, and how the paths differ."""
    spaced = "evenly in the logarithm of its height" if problem.minima else "evenly"
    sentences = [
        f"The path of each method over the contours of f (grey, spaced {spaced}), one panel for each family of "
        "methods. The marker of a method is its end."
    ]
    runs = [row.run for row in scored]
    there = [row for row in scored if row.solved]
    if len(there) > 1:
        steps_of = {row.method: needed(row)[0] for row in there}
        fewest, most = (
            min(there, key=lambda row: steps_of[row.method]),
            max(there, key=lambda row: steps_of[row.method]),
        )
        steps = count(steps_of[fewest.method], "iteration")
        sentences.append(f"Fewest iterations to the lowest known minimum: {full_name(fewest.method)}, {steps}.")
        if steps_of[most.method] > 2 * steps_of[fewest.method]:
            sentences.append(f"{most.method} takes {steps_of[most.method]}.")
    sentences += coinciding(runs)
    left = [run.method for run in runs if _leaves(run, window_of(runs, problem))]
    if left:
        sentences.append(f"Partly outside the window, as marked by arrows: {listing(left)}.")
    return " ".join(sentences)


def _leaves(run: Run, window: Window) -> bool:
    return any(
        not low <= value <= high for p in run.trace if p.x for value, (low, high) in zip(p.x, window, strict=True)
    )
