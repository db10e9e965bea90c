"""Figure of the Hessian eigenvalues along a run: ribbons, negative ones shaded, and the index as a strip below."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import newtonkit
from comparisons.core.labels import count, full_name, listing, number
from comparisons.plots.eigenvalue_ribbons import LARGEST_N, Matrix, Ribbons, Vector, Whole, eigenvalue_ribbons
from comparisons.plots.style import INK, clean_axes, tick
from newtonkit import GradientTransform, Method
from problems import Problem

_DECADES = 6  # on either side of zero: smaller eigenvalues are drawn on a linear scale around it
_SUNK, _RISES = 1e-2, 0.1  # ratios of a small gradient to its largest value before, and after
_POSITIVE, _NEGATIVE = "#0072B2", "#D55E00"
# alternating tints of the ribbons between neighbouring eigenvalues; stronger for negative ones
_TINTS, _STRONG = (0.07, 0.17), (0.2, 0.34)
_SHADES = ("#f4f4f4", "#fde0c5", "#f7a872", "#D55E00", "#7f3300")  # colours of the index, from zero up


def ribbon_figure(
    problem: Problem, method: str | Method | GradientTransform = "newton", start: str = "standard", **options: Any
) -> tuple[Figure, str]:
    """The ribbons of one run and their caption.

    Parameters
    ----------
    problem : Problem
    method : name or method, default "newton"
    start : str, default "standard"
        Name of one of the problem's starts.
    **options
        Of `newtonkit.minimize`.
    """
    if start not in problem.starts:
        raise ValueError(f"{problem.label} has no start {start!r}; it has {', '.join(problem.starts)}")
    if problem.n > LARGEST_N:
        raise ValueError(f"eigenvalues are drawn up to n = {LARGEST_N}; {problem.label} has {problem.n} variables")
    settings: Mapping[str, Any] = {"gtol": 1e-8} | options | {"history": "points"}
    result = newtonkit.minimize(problem.fun, problem.starts[start], method=method, options=settings)
    found = eigenvalue_ribbons(problem.fun, result.history, method=result.method)
    return ribbons(found), ribbons_caption(found)


# --- figure ---------------------------------------------------------------------------------------------------------


def ribbons(found: Ribbons) -> Figure:
    """The gradient above, the eigenvalues in the middle, the negative ones shaded, the index as a strip below.

    Parameters
    ----------
    found : Ribbons
    """
    figure = Figure(figsize=(9.6, 6.2), layout="constrained")
    top, middle, strip = figure.subplots(3, 1, sharex=True, height_ratios=[1.6, 5, 0.55])
    k = found.iteration
    size = np.where(found.gradient_norm > 0, found.gradient_norm, np.nan)
    top.plot(k, size, color=INK, linewidth=1.4, marker=".", markersize=4 if len(k) <= 60 else 0)
    top.set(yscale="log", ylabel="‖g‖∞")
    _draw_eigenvalues(middle, found)
    _draw_index(strip, found)
    for axes in (top, middle):
        clean_axes(axes)
        axes.yaxis.set_major_formatter(tick)
        _mark_changes(axes, found)
    strip.set(xlabel="iteration", xlim=(k[0] - 0.5, k[-1] + 0.5))
    return figure


def _draw_eigenvalues(axes: Axes, found: Ribbons) -> None:
    k, values = found.iteration, found.eigenvalues
    n = values.shape[1]
    axes.set_yscale("symlog", linthresh=_threshold(values), linscale=0.5)
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    bottom = 1.6 * low if low < 0 else -_threshold(values)
    top = 1.6 * high if high > 0 else _threshold(values)
    axes.set_ylim(bottom, top)
    look: dict[str, Any] = {"linewidth": 1.5 if n <= 12 else 0.8, "marker": "." if len(k) == 1 else ""}
    for colour, edge, tints in ((_POSITIVE, top, _TINTS), (_NEGATIVE, bottom, _STRONG)):
        # clipped at zero in the drawing: a value inserted there would bend the line on a nonlinear axis
        half = Rectangle((k[0] - 1, 0), k[-1] - k[0] + 2, edge, transform=axes.transData)
        borders = [np.zeros(len(k)), *values.T] if edge is top else [*values.T, np.zeros(len(k))]
        artists: list[Artist] = [
            axes.fill_between(k, lower, upper, color=colour, alpha=tints[i % 2], linewidth=0)
            for i, (lower, upper) in enumerate(pairwise(borders))
        ]
        artists += axes.plot(k, values, color=colour, **look)
        for artist in artists:
            artist.set_clip_path(half)
    axes.axhline(0, color=INK, linewidth=0.9)
    axes.set_ylabel("eigenvalues of the Hessian")


def _threshold(values: Matrix) -> float:
    """Below it the axis is linear: the smallest eigenvalue, or six powers of ten below the largest."""
    sizes = np.abs(values[values != 0.0])
    if not sizes.size:
        return 1.0
    return float(10 ** np.floor(np.log10(max(sizes.min(), sizes.max() * 10.0**-_DECADES))))


def _draw_index(axes: Axes, found: Ribbons) -> None:
    """Draw one cell for each iteration, with the number of negative eigenvalues if a stretch is wide enough."""
    k, index = found.iteration, found.index
    edges = np.concatenate([[k[0] - 0.5], (k[1:] + k[:-1]) / 2, [k[-1] + 0.5]])
    most, darkest = int(index.max()), len(_SHADES) - 1
    for (left, right), i in zip(_stretches(edges, index), _values(index), strict=True):
        shade = _SHADES[i if most <= darkest else int(np.ceil(i / most * darkest))]
        axes.axvspan(left, right, color=shade, linewidth=0)
        if right - left >= 0.02 * (edges[-1] - edges[0]):
            ink = "white" if shade in _SHADES[-2:] else INK
            axes.text((left + right) / 2, 0.5, str(i), ha="center", va="center", fontsize=9, color=ink)
    axes.set(ylim=(0, 1), yticks=[])
    axes.set_ylabel("index", rotation=0, ha="right", va="center")


def _changes(index: Whole) -> Whole:
    """The positions where the index changes."""
    return np.flatnonzero(np.diff(index)) + 1


def _stretches(edges: Vector, index: Whole) -> list[tuple[float, float]]:
    borders = edges[np.concatenate([[0], _changes(index), [len(index)]])]
    return list(pairwise(borders.tolist()))


def _values(index: Whole) -> list[int]:
    return [int(i) for i in index[np.append(0, _changes(index))]]


def _mark_changes(axes: Axes, found: Ribbons) -> None:
    for i in _changes(found.index):
        between = (found.iteration[i - 1] + found.iteration[i]) / 2
        axes.axvline(between, color="#bbbbbb", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)


# --- caption --------------------------------------------------------------------------------------------------------


def ribbons_caption(found: Ribbons) -> str:
    """The meaning of negative eigenvalues, their number along the run, and the condition number at its end."""
    n = found.eigenvalues.shape[1]
    who = f" of {full_name(found.method)}" if found.method else ""
    sentences = [
        f"The {count(n, 'eigenvalue')} of the Hessian along a run{who}: positive curvature in blue, negative "
        "curvature in orange. The strip below shows the index, the number of negative eigenvalues: 0 at a minimum, "
        "more at a saddle. The top panel shows ‖g‖∞.",
        _course(found),
        *_slow_stretch(found),
        _end(found),
    ]
    return " ".join(sentences)


def _course(found: Ribbons) -> str:
    index = _values(found.index)
    if len(index) == 1:
        return f"The index is {index[0]} throughout."
    if len(index) > 8:
        last = int(found.iteration[_changes(found.index)[-1]])
        return (
            f"The index changes {len(index) - 1} times, between {min(index)} and {max(index)}; the last change is at "
            f"iteration {last}."
        )
    at = [str(int(found.iteration[i])) for i in _changes(found.index)]
    return f"The index is {' → '.join(map(str, index))}, changing at iteration {listing(at, most=8)}."


def _slow_stretch(found: Ribbons) -> list[str]:
    """The smallest gradient at a point with negative curvature, if the gradient grows again afterwards."""
    negative = np.flatnonzero(found.index > 0)
    if not len(negative):
        return []
    size = found.gradient_norm
    i = negative[np.nanargmin(size[negative])]
    before, after = float(np.nanmax(size[: i + 1])), float(np.nanmax(size[i:]))
    if not (size[i] <= _SUNK * before and size[i] <= _RISES * after):
        return []
    left = count(int(found.index[i]), "negative eigenvalue")
    return [
        f"At iteration {int(found.iteration[i])} the gradient has fallen to {number(float(size[i]), 2)} with {left}; "
        f"later it grows again, up to {number(after, 2)}: the run approaches a saddle and leaves it."
    ]


def _end(found: Ribbons) -> str:
    last, rounding = found.eigenvalues[-1], found.rounding[-1]
    span = f"from {number(float(last[0]), 3)} to {number(float(last[-1]), 3)}"
    if last[0] > rounding:
        return f"At the end they range {span}, a condition number of {number(float(last[-1] / last[0]), 2)}."
    vanishing = int((np.abs(last) <= rounding).sum())
    zero = f", {vanishing} of them zero to rounding" if vanishing else ""
    return f"At the end they range {span}{zero}."
