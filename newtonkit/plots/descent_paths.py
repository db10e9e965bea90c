"""Index-1 saddles with their descent paths, over the figure of the critical points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from newtonkit.plots.critical_points import ASCENT_COLOUR, DESCENT_COLOUR, plot_critical_points, position_of
from newtonkit.plots.protocols import Points, Saddle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from newtonkit.linalg.kernels import Matrix, Vector

MAX_NUMBERED = 40  # points; more numbers would overlap
ARROW_LENGTH = 0.05  # as a fraction of the sides of the box; shorter if there are many points


def plot_descent_paths(points: Points, saddles: Sequence[Saddle]) -> Figure:
    """The figure of the critical points, with the descent paths from the index-1 saddles.

    In the plane, blue arrows at a saddle point along the eigenvector of the Hessian where f decreases, and red arrows
    towards the saddle along the other. With more than two variables straight lines lead to the minima.

    Parameters
    ----------
    points : CriticalPoints
    saddles : sequence of index-1 saddles with their descent paths

    Returns
    -------
    matplotlib Figure
    """
    figure = plot_critical_points(points)
    axes = figure.axes[0]
    n = len(points.box)
    for each in saddles:
        for side in each.sides:
            if n == 1:
                axes.plot(side.path[:, 0], [float(points.fun(x)) for x in side.path], color="0.2", linewidth=1.5)
            elif n == 2:
                axes.plot(*side.path.T, color="0.2", linewidth=1.5)
            elif side.end is not None:
                ends = np.array([position_of(points[each.point]), position_of(points[side.end])])
                axes.plot(*ends.T, color="0.6", linewidth=0.8, zorder=0)
        if n == 2:
            length = min(ARROW_LENGTH, 0.3 / np.sqrt(len(points)))
            _draw_eigenvectors(axes, points[each.point].x, each.directions, length, points.box)
    if n == 2:
        axes.set(xlim=points.box[0], ylim=points.box[1])
    elif n > 2:
        axes.set_yticks(range(n + 1))
    if len(points) <= MAX_NUMBERED:
        span = np.ptp([axes.get_xlim(), axes.get_ylim()], axis=1)
        numbers: dict[tuple[float, ...], list[str]] = {}
        for number, point in enumerate(points):
            if not np.isfinite(position_of(point)).all():
                continue
            # points at the same position share one label
            cell = tuple(np.round(np.array(position_of(point)) / (0.01 * span)))
            numbers.setdefault(cell, []).append(str(number))
        for names in numbers.values():
            place = position_of(points[int(names[0])])
            offset, turn = (4, 4), 0 if n <= 2 else 45
            axes.annotate(", ".join(names), place, offset, textcoords="offset points", fontsize=8, rotation=turn)
    return figure


def _draw_eigenvectors(
    axes: Axes, x: Vector, directions: Matrix, length: float, box: Sequence[tuple[float, float]]
) -> None:
    width = np.array([high - low for low, high in box])
    for v, colour, rising in zip(directions.T, (DESCENT_COLOUR, ASCENT_COLOUR), (False, True), strict=True):
        # the same length on paper for any units of the axes
        arrow = length * v / np.linalg.norm(v / width)
        for end in (tuple(x + arrow), tuple(x - arrow)):
            tail, tip = (end, tuple(x)) if rising else (tuple(x), end)
            style = {"arrowstyle": "->", "color": colour, "shrinkA": 4, "shrinkB": 4, "clip_on": True}
            axes.annotate("", xy=tip, xytext=tail, arrowprops=style)
