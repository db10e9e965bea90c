"""Pictures of newtonkit's own objects; matplotlib is imported here, when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from newtonkit.linalg.kernels import EPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from newtonkit.driver.history import History
    from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
    from newtonkit.landscape.graph import MorseGraph
    from newtonkit.linalg.kernels import Matrix, Vector
    from newtonkit.methods.schedules import Schedule
    from newtonkit.training.history import TrainingHistory

_GRID = 101  # values of f along each side of a contour plot
_LEVELS = 24
_MARKERS = {"minimum": ("v", "C0"), "maximum": ("^", "C3"), "saddle": ("x", "k")}
_DEGENERATE = ("*", "k")
_STAR = (
    0.06  # of the sides of the box: radius of the sectors about a degenerate point; less where another point is near
)
_ANGLES = 720  # at which f is compared on the rim of these sectors
_FALLS, _RISES = "C0", "C3"
_RUNNING = 50  # the running mean of a training's losses is over this part of the updates
# Okabe & Ito (2008), *Color Universal Design*
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#000000")
_DASHES = ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)), ":")
_NUMBERED = 40  # points; the numbers of more would hide each other
_ARROW = 0.05  # of the sides of the box; shorter where the points are crowded


def plot_history(history: History) -> Figure:
    """f above its lowest value, and ‖g‖∞, against iterations, on logarithmic axes.

    Parameters
    ----------
    history : History

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    gap = history.f - np.nanmin(history.f)
    left.semilogy(history.nit, np.where(gap > 0, gap, np.nan), marker=".")
    left.set(xlabel="iteration", ylabel="f − lowest f seen", title="value")
    size = history.gradient_norm
    right.semilogy(history.nit, np.where(size > 0, size, np.nan), marker=".", color="C1")
    right.set(xlabel="iteration", ylabel="‖g‖∞", title="gradient")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def plot_schedules(schedules: Sequence[Schedule], steps: int = 100) -> Figure:
    """The curves of learning-rate schedules over the first ``steps`` updates in one axis.

    Parameters
    ----------
    schedules : sequence of Schedule
    steps : int, at least 1, default 100

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    updates = np.arange(1, steps + 1)
    for i, schedule in enumerate(schedules):
        # a colour and a dash each: curves that run together for a while remain two
        colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[i % len(_DASHES)]
        axes.plot(updates, [schedule(int(t)) for t in updates], label=schedule.label, color=colour, linestyle=dash)
    axes.set(xlabel="update t", ylabel="learning rate η(t)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def plot_training(history: TrainingHistory) -> Figure:
    """The loss on every batch, its running mean, and the losses over all data and over validation data.

    Parameters
    ----------
    history : TrainingHistory

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    loss = history.loss
    axes.plot(history.update, loss, color="0.75", linewidth=0.6, label="batch")
    width = max(1, len(loss) // _RUNNING)
    if width > 1:
        running = np.convolve(loss, np.full(width, 1.0 / width), "valid")
        axes.plot(history.update[width - 1 :], running, color="C0", label=f"batch, mean of the last {width}")
    axes.plot(history.full_update, history.full_loss, color="C1", linewidth=2, label="all data")
    if np.isfinite(history.validation_loss).any():
        axes.plot(history.full_update, history.validation_loss, color="k", linestyle="--", label="validation data")
    seen = np.concatenate([loss, history.full_loss])
    if (seen[np.isfinite(seen)] > 0.0).all():
        axes.set_yscale("log")
    axes.set(xlabel="update", ylabel="loss")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def plot_critical_points(points: CriticalPoints) -> Figure:
    """Critical points over the contours of f: ▼ minima, ▲ maxima, ✕ saddles, ★ degenerate points.

    A degenerate point in the plane is the centre of sectors, blue where f is lower on their rim, red where it is
    higher; those narrower than half a degree are not seen. With one variable points lie on the graph of f; with more
    than two they are drawn as index against value. Parts of the box where nothing is proved are hatched.

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
        sides = [np.linspace(low, high, _GRID) for low, high in points.box]
        grid = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, n)
        with np.errstate(all="ignore"):
            f = np.array([float(points.fun(x)) for x in grid])
    if n == 1:
        axes.plot(sides[0], f, color="C0", alpha=0.5)
        axes.set(xlabel="x[0]", ylabel="f")
    elif n == 2:
        # as much of the box between any two neighbours: valleys and passes show on whatever scale f has
        levels = np.unique(np.quantile(f[np.isfinite(f)], np.linspace(0.0, 1.0, _LEVELS)))
        if levels.size > 1:
            axes.contour(*sides, f.reshape(_GRID, _GRID).T, levels=levels, colors="0.6", linewidths=0.6)
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
        marker, colour = _MARKERS.get(kind, _DEGENERATE)
        across, up = np.array(places).T
        axes.scatter(across, up, marker=marker, c=colour, label=f"{kind} ({len(chosen)})", zorder=3)
    if n == 2:
        for i, point in enumerate(points):
            if point.kind not in _MARKERS:
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


def _draw_sectors(axes: Axes, points: CriticalPoints, i: int) -> None:
    """Sectors about the i-th point, by the sign of f on their rim minus f at the point."""
    centre, f = points[i].x, points[i].fun
    width = np.array([high - low for low, high in points.box])
    others = [float(np.linalg.norm((point.x - centre) / width)) for j, point in enumerate(points) if j != i]
    radius = min(_STAR, 0.5 * min(others, default=np.inf))
    step = 2 * np.pi / _ANGLES
    angles = step * np.arange(_ANGLES, dtype=np.float64)

    def rim(angle: Vector) -> Matrix:
        place: Matrix = centre + radius * width * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return place

    with np.errstate(all="ignore"):
        change = np.array([float(points.fun(x)) for x in rim(angles)]) - f
    signs = np.where(np.abs(change) <= 10 * EPS * abs(f), 0.0, np.sign(change))
    # begun where the sign changes, no sector is cut in two
    begin = int(np.argmax(signs != np.roll(signs, 1)))
    signs, angles = np.roll(signs, -begin), np.roll(angles, -begin)
    angles[_ANGLES - begin :] += 2 * np.pi
    cuts = np.flatnonzero(np.diff(signs)) + 1
    for first, last in zip([0, *cuts], [*(cuts - 1), _ANGLES - 1], strict=True):
        if signs[first] in (-1.0, 1.0):
            ends = angles[first] - step / 2, angles[last] + step / 2
            arc = rim(np.linspace(*ends, last - first + 2, dtype=np.float64))
            colour = _FALLS if signs[first] < 0.0 else _RISES
            axes.fill(*np.vstack([centre, arc]).T, color=colour, alpha=0.7, linewidth=0, zorder=2)


def plot_morse_graph(graph: MorseGraph) -> Figure:
    """The picture of its critical points, and the ways down from the passes.

    In the plane, blue arrows at a pass point along the eigenvector of the Hessian where f falls, red ones towards the
    pass where it rises. With more than two variables lines lead to the minima, without the course of the way.

    Parameters
    ----------
    graph : MorseGraph

    Returns
    -------
    matplotlib Figure
    """
    points = graph.points
    figure = plot_critical_points(points)
    axes = figure.axes[0]
    n = len(points.box)
    for each in graph.passes:
        for side in each.sides:
            if n == 1:
                axes.plot(side.path[:, 0], [float(points.fun(x)) for x in side.path], color="0.2", linewidth=1.5)
            elif n == 2:
                axes.plot(*side.path.T, color="0.2", linewidth=1.5)
            elif side.end is not None:
                ends = np.array([_place(points[each.point]), _place(points[side.end])])
                axes.plot(*ends.T, color="0.6", linewidth=0.8, zorder=0)
        if n == 2:
            length = min(_ARROW, 0.3 / np.sqrt(len(points)))
            _draw_eigenvectors(axes, points[each.point].x, each.directions, length, points.box)
    if n == 2:
        axes.set(xlim=points.box[0], ylim=points.box[1])
    elif n > 2:
        axes.set_yticks(range(n + 1))
    if len(points) <= _NUMBERED:
        span = np.ptp([axes.get_xlim(), axes.get_ylim()], axis=1)
        numbers: dict[tuple[float, ...], list[str]] = {}
        for number, point in enumerate(points):
            if not np.isfinite(_place(point)).all():
                continue
            # one label for points that are drawn on top of each other
            cell = tuple(np.round(np.array(_place(point)) / (0.01 * span)))
            numbers.setdefault(cell, []).append(str(number))
        for names in numbers.values():
            place = _place(points[int(names[0])])
            offset, turn = (4, 4), 0 if n <= 2 else 45
            axes.annotate(", ".join(names), place, offset, textcoords="offset points", fontsize=8, rotation=turn)
    return figure


def _place(point: CriticalPoint) -> tuple[float, float]:
    """Where `plot_critical_points` draws it."""
    if len(point.x) <= 2:
        first, second = (*point.x, point.fun)[:2]
        return float(first), float(second)
    return point.fun, np.nan if point.index is None else point.index


def _draw_eigenvectors(
    axes: Axes, x: Vector, directions: Matrix, length: float, box: Sequence[tuple[float, float]]
) -> None:
    width = np.array([high - low for low, high in box])
    for v, colour, rising in zip(directions.T, (_FALLS, _RISES), (False, True), strict=True):
        # as long on paper whatever the units of the axes
        arrow = length * v / np.linalg.norm(v / width)
        for end in (tuple(x + arrow), tuple(x - arrow)):
            tail, tip = (end, tuple(x)) if rising else (tuple(x), end)
            style = {"arrowstyle": "->", "color": colour, "shrinkA": 4, "shrinkB": 4, "clip_on": True}
            axes.annotate("", xy=tip, xytext=tail, arrowprops=style)
