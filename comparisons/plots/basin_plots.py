"""Basin maps: the hue is the minimum reached, the lightness the number of steps, hatching another critical point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from comparisons.core.labels import full_name, listing, long_name, number
from comparisons.plots.basins import LOST, ON_THE_WAY, UNLISTED, BasinMap, Box, Vector, basin_map, plain_kind
from comparisons.plots.style import INK, tick
from newtonkit import GradientTransform, Method
from problems import Problem

# Okabe & Ito (2008), Color Universal Design, ordered so that the first four differ most
_HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#8C6BB1")
_NO_MINIMUM, _REST = "#9a9a9a", "#5a5a5a"
_LIGHTEST, _DARKEST = 0.6, 0.5  # share of white for the fewest and of black for the most steps
_UPSCALE = 4  # pixels for a start along each axis: room for hatching
_MARKERS = {"minimum": ("o", 8.5), "saddle": ("X", 6.0), "maximum": ("^", 6.0)}
_HATCHES = {"saddle": (1, "////"), "maximum": (-1, "\\\\\\\\")}
_NAMED = 8  # minima that are numbered; further ones share the hues
_IN_A_ROW = 3
_TICKS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000)


def basin_figure(
    problem: Problem,
    methods: Sequence[str | Method | GradientTransform] = ("newton-pure", "newton"),
    *,
    box: Box | None = None,
    resolution: int = 200,
    maxiter: int = 100,
    on_row: Callable[[], None] | None = None,
) -> tuple[Figure, str]:
    """The map of a problem over its window or another box, and the caption; see `basin_map`."""
    if problem.n != 2:
        raise ValueError(
            f"basins are drawn in the plane: problem must have 2 variables, {problem.label} has {problem.n}"
        )
    search = box
    if problem.domain is not None:
        # runs from a detail may reach critical points around it
        pairs = zip(box or problem.domain, problem.domain, strict=True)
        search = [(min(low, a), max(high, b)) for (low, high), (a, b) in pairs]
    window = box or problem.domain
    if window is None:
        raise ValueError(f"{problem.label} has no window: give a box")
    found = basin_map(
        problem.fun, window, methods, resolution=resolution, search=search, maxiter=maxiter, on_row=on_row
    )
    return basins(found), basins_caption(found)


def basins(found: BasinMap) -> Figure:
    """One panel per method: hue = minimum reached, lightness = steps, hatched = saddle or maximum, black = none.

    A minimum has the same hue in every panel. Saddles and maxima are grey and hatched; runs that end there fail.

    Parameters
    ----------
    found : BasinMap
    """
    columns = 2 if len(found.methods) == 4 else min(len(found.methods), _IN_A_ROW)
    rows = -(-len(found.methods) // columns)
    (left, right), (bottom, top) = found.box
    shape = float(np.clip((top - bottom) / (right - left), 0.6, 1.2))
    wide = 10.0 if columns > 1 else 6.0
    figure = Figure(figsize=(wide, 1.7 + rows * (0.35 + (wide - 0.6) / columns * shape)), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    norm = _norm(found)
    for m, (axes, method) in enumerate(zip(panels.flat, found.methods, strict=False)):
        image = _image(found, m, norm)
        axes.imshow(
            image, origin="lower", extent=(left, right, bottom, top), aspect="auto", interpolation="antialiased"
        )
        _draw_points(axes, found)
        words = long_name(method)
        axes.set(title=words[0].upper() + words[1:], xlim=(left, right), ylim=(bottom, top))
        axes.title.set_fontsize(11)
    for axes in list(panels.flat)[len(found.methods) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("x")
    for axes in panels[:, 0]:
        axes.set_ylabel("y")
    _steps_bar(figure, panels, norm)
    handles = _handles(found)
    ncols = min(4 if columns > 1 else 2, len(handles))
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, frameon=False, fontsize=9)
    return figure


def _norm(found: BasinMap) -> LogNorm:
    """From the 2 % to the 98 % quantile of the steps."""
    steps = np.maximum(found.steps[found.reached >= 0], 1)
    low, high = np.quantile(steps, [0.02, 0.98]) if steps.size else (1, found.maxiter)
    return LogNorm(float(low), max(float(high), 2 * float(low)), clip=True)


def _ramp(colour: str) -> LinearSegmentedColormap:
    """From the colour mixed with white to the colour mixed with black."""
    base = np.array(to_rgb(colour))
    ends = [base + _LIGHTEST * (1 - base), base, (1 - _DARKEST) * base]
    return LinearSegmentedColormap.from_list("steps", ends)


def _hue(found: BasinMap, i: int) -> str:
    minima = found.numbers("minimum")
    return _HUES[minima.index(i) % len(_HUES)] if i in minima else _NO_MINIMUM


def _image(found: BasinMap, m: int, norm: LogNorm) -> Vector:
    """The colours of one panel, _UPSCALE pixels for every start on either side."""
    reached, lightness = found.reached[m], np.asarray(norm(np.maximum(found.steps[m], 1)))
    colours = np.zeros((*reached.shape, 3))
    for i in range(len(found.points)):
        colours[reached == i] = _ramp(_hue(found, i))(lightness[reached == i])[:, :3]
    colours[reached == UNLISTED] = to_rgb("white")
    colours[reached == ON_THE_WAY] = to_rgb(_REST)
    fine = colours.repeat(_UPSCALE, axis=0).repeat(_UPSCALE, axis=1)
    down, across = np.indices(fine.shape[:2])
    period = max(8, len(fine) // 60)
    for kind, (direction, _) in _HATCHES.items():
        there = np.isin(reached, found.numbers(kind)).repeat(_UPSCALE, axis=0).repeat(_UPSCALE, axis=1)
        fine[there & ((down - direction * across) % period < 0.3 * period)] *= 0.35
    return fine


def _draw_points(axes: Axes, found: BasinMap) -> None:
    minima = found.numbers("minimum")
    for i, point in enumerate(found.points):
        kind = plain_kind(point.kind)
        if not all(low <= value <= high for value, (low, high) in zip(point.x, found.box, strict=True)):
            continue
        shape, size = _MARKERS.get(kind, _MARKERS["saddle"])
        face = _hue(found, i) if kind == "minimum" else "white"
        axes.plot(*point.x, shape, markersize=size, markerfacecolor=face, markeredgecolor="black", linestyle="none")
        if kind == "minimum" and minima.index(i) < _NAMED:
            axes.annotate(
                str(minima.index(i) + 1),
                (point.x[0], point.x[1]),
                xytext=(8, 6),
                textcoords="offset points",
                fontsize=8,
                bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
            )


def _steps_bar(figure: Figure, panels: Any, norm: LogNorm) -> None:
    scale = ScalarMappable(norm, _ramp(_NO_MINIMUM))
    bar = figure.colorbar(scale, ax=list(panels.flat), orientation="horizontal", shrink=0.4, aspect=40, pad=0.01)
    low, high = norm.vmin or 1.0, norm.vmax or 1.0
    ticks = [t for t in _TICKS if low <= t <= high]
    bar.set_ticks(ticks, labels=[tick(t) for t in ticks])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=8)
    bar.set_label("number of steps; darker means more", fontsize=8)


def _handles(found: BasinMap) -> list[Any]:
    """Entries for what is in the figure."""
    look: dict[str, Any] = {"markeredgecolor": "black", "markersize": 8, "linestyle": "none"}
    handles: list[Any] = []
    for place, i in enumerate(found.numbers("minimum")[:_NAMED], start=1):
        f = found.points[i].fun
        label = f"minimum {place}: f = {number(0.0 if abs(f) < 1e-12 else f)}"
        handles.append(Line2D([], [], marker="o", markerfacecolor=_hue(found, i), label=label, **look))
    for kind, (_, hatch) in _HATCHES.items():
        if any(found.share(m, kind) for m in range(len(found.methods))):
            handles.append(Patch(facecolor=_NO_MINIMUM, edgecolor=INK, hatch=hatch, label=f"ends at a {kind}"))
    for outcome, colour, label in (
        (UNLISTED, "white", "converged elsewhere"),
        (ON_THE_WAY, _REST, f"not converged after {found.maxiter} steps"),
        (LOST, "black", "diverged or failed"),
    ):
        if (found.reached == outcome).any():
            handles.append(Patch(facecolor=colour, edgecolor=INK, label=label))
    return handles + [
        Line2D([], [], marker=_MARKERS[kind][0], markerfacecolor="white", label=f"position of a {kind}", **look)
        for kind in _HATCHES
        if found.numbers(kind)
    ]


def basins_caption(found: BasinMap) -> str:
    """How to read the map, and the share of starts from which each method reaches each point."""
    rows, columns = found.reached.shape[1:]
    sentences = [
        f"Every point of the figure is a start, {columns} × {rows} in all. Its hue is the minimum that the run from it "
        "reaches, the same in every panel; darker means more steps. Grey and hatched: the run ends at a saddle or a "
        "maximum, which is not a solution.",
        *(_ends(found, m) for m in range(len(found.methods))),
    ]
    if not found.points.complete:
        sentences.append("The list of critical points is not proved complete.")
    return " ".join(sentences)


def _ends(found: BasinMap, m: int) -> str:
    reached = found.reached[m]
    parts = [f"at a minimum from {percent(found.share(m, 'minimum'))} of the starts{_each(found, m)}"]
    parts += [f"at a {kind} from {percent(share)}" for kind in _HATCHES if (share := found.share(m, kind))]
    parts += [
        f"{words} from {percent(share)}"
        for outcome, words in (
            (UNLISTED, "at a point that is not listed"),
            (ON_THE_WAY, f"not converged after {found.maxiter} steps"),
            (LOST, "by divergence or failure"),
        )
        if (share := float((reached == outcome).mean()))
    ]
    steps = found.steps[m][reached >= 0]
    middle = f" The median number of steps to a listed point is {int(np.median(steps))}." if steps.size else ""
    who = full_name(found.methods[m])
    return f"{who[0].upper()}{who[1:]} ends {listing(parts)}.{middle}"


def _each(found: BasinMap, m: int) -> str:
    """The shares of the minima, if they are few."""
    minima = found.numbers("minimum")
    if not 1 < len(minima) <= _NAMED:
        return ""
    shares = [f"{percent(float((found.reached[m] == i).mean()))} at {k}" for k, i in enumerate(minima, start=1)]
    return f" ({listing(shares, most=_NAMED)})"


def percent(share: float) -> str:
    """A percentage without decimals; with one decimal, or as a bound, near 0 and 100 %.

    Examples
    --------
    >>> percent(0.25), percent(0.004), percent(0.9999)
    ('25 %', '0.4 %', 'more than 99.9 %')
    """
    if 0.0 < share < 0.001:
        return "less than 0.1 %"
    if 0.999 < share < 1.0:
        return "more than 99.9 %"
    return f"{100 * share:.1f} %" if 0.0 < share < 0.01 or 0.99 < share < 1.0 else f"{100 * share:.0f} %"
