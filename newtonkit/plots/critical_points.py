"""Critical points over the contours of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from newtonkit.linalg.kernels import EPS
from newtonkit.plots.protocols import Point, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from newtonkit.linalg.kernels import Matrix, Vector

GRID = 101  # values of f along each side of a contour plot
LEVELS = 24  # contour lines
MARKERS = {"minimum": ("v", "C0"), "maximum": ("^", "C3"), "saddle": ("x", "k")}
DEGENERATE_MARKER = ("*", "k")
DESCENT_COLOUR, ASCENT_COLOUR = "C0", "C3"
SECTOR_RADIUS = 0.06  # as a fraction of the sides of the box; smaller if another point is near
SECTOR_ANGLES = 720  # angles at which f is compared with its value at a degenerate point


def plot_critical_points(points: Points) -> Figure:
    """Critical points over the contours of f: ▼ minima, ▲ maxima, ✕ saddles, ★ degenerate points.

    A degenerate point in the plane is the centre of sectors, blue where f is lower on their rim and red where it is
    higher. Sectors narrower than half a degree are not detected. With one variable the points lie on the graph of f.
    With more than two variables the axes are value and index. Parts of the box about which nothing is proved are
    hatched.

    Parameters
    ----------
    points : CriticalPoints

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    n = len(points.box)
    if n <= 2:
        sides = [np.linspace(low, high, GRID) for low, high in points.box]
        grid = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, n)
        with np.errstate(all="ignore"):
            f = np.array([float(points.fun(x)) for x in grid])
    if n == 1:
        axes.plot(sides[0], f, color="C0", alpha=0.5)
        axes.set(xlabel="x[0]", ylabel="f")
    elif n == 2:
        # quantiles of f: the same area between any two neighbouring levels, on any scale of f
        levels = np.unique(np.quantile(f[np.isfinite(f)], np.linspace(0.0, 1.0, LEVELS)))
        if levels.size > 1:
            axes.contour(*sides, f.reshape(GRID, GRID).T, levels=levels, colors="0.6", linewidths=0.6)
        axes.set(xlabel="x[0]", ylabel="x[1]")
    else:
        axes.set(xlabel="f", ylabel="index")
    for kind in dict.fromkeys(point.kind for point in points):
        chosen = [point for point in points if point.kind == kind]
        if n == 1:
            places = [(point.x[0], point.fun) for point in chosen]
        elif n == 2:
            places = [(point.x[0], point.x[1]) for point in chosen]
        else:
            places = [(point.fun, np.nan if point.index is None else point.index) for point in chosen]
        marker, colour = MARKERS.get(kind, DEGENERATE_MARKER)
        across, up = np.array(places).T
        axes.scatter(across, up, marker=marker, c=colour, label=f"{kind} ({len(chosen)})", zorder=3)
    if n == 2:
        for i, point in enumerate(points):
            if point.kind not in MARKERS:
                _draw_sectors(axes, points, i)
        for part in points.unresolved_boxes:
            width, height = part.hi - part.lo
            axes.add_patch(Rectangle((part.lo[0], part.lo[1]), width, height, fill=False, hatch="//", color="C1"))
    if len(points):
        axes.legend()
    plural = "" if len(points) == 1 else "s"
    proof = "proved complete" if points.complete else "not proved complete"
    axes.set_title(f"{len(points)} critical point{plural}, {proof}")
    return figure


def _draw_sectors(axes: Axes, points: Points, i: int) -> None:
    """Draw sectors around the i-th point, coloured by the sign of f on the rim minus f at the point."""
    centre, f = points[i].x, points[i].fun
    width = np.array([high - low for low, high in points.box])
    others = [float(np.linalg.norm((point.x - centre) / width)) for j, point in enumerate(points) if j != i]
    radius = min(SECTOR_RADIUS, 0.5 * min(others, default=np.inf))
    step = 2 * np.pi / SECTOR_ANGLES
    angles = step * np.arange(SECTOR_ANGLES, dtype=np.float64)

    def rim(angle: Vector) -> Matrix:
        place: Matrix = centre + radius * width * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return place

    with np.errstate(all="ignore"):
        change = np.array([float(points.fun(x)) for x in rim(angles)]) - f
    signs = np.where(np.abs(change) <= 10 * EPS * abs(f), 0.0, np.sign(change))
    # start at a change of sign, so that no sector is divided
    begin = int(np.argmax(signs != np.roll(signs, 1)))
    signs, angles = np.roll(signs, -begin), np.roll(angles, -begin)
    angles[SECTOR_ANGLES - begin :] += 2 * np.pi
    cuts = np.flatnonzero(np.diff(signs)) + 1
    for first, last in zip([0, *cuts], [*(cuts - 1), SECTOR_ANGLES - 1], strict=True):
        if signs[first] in (-1.0, 1.0):
            ends = angles[first] - step / 2, angles[last] + step / 2
            arc = rim(np.linspace(*ends, last - first + 2, dtype=np.float64))
            colour = DESCENT_COLOUR if signs[first] < 0.0 else ASCENT_COLOUR
            axes.fill(*np.vstack([centre, arc]).T, color=colour, alpha=0.7, linewidth=0, zorder=2)


def position_of(point: Point) -> tuple[float, float]:
    """The position at which `plot_critical_points` draws a point."""
    if len(point.x) <= 2:
        first, second = (*point.x, point.fun)[:2]
        return float(first), float(second)
    return point.fun, np.nan if point.index is None else point.index
