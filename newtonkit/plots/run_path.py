"""The path of a run over the contours of a function of two variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 101  # values of f along each side
LEVELS = 24  # contour lines
MARGIN = 0.25  # around the path, of its larger extent


def plot_path(fun: Callable[..., Any], points: NDArray[np.float64]) -> Figure:
    """The points in order, joined by lines: ○ the start, ◆ the end. Contours are at quantiles of f.

    Parameters
    ----------
    fun : callable
        fun(x) for x of shape (2,).
    points : ndarray, shape (states, 2)

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the points do not have two coordinates.
    """
    from matplotlib.figure import Figure

    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"a path over contours requires two variables, got points of shape {points.shape}")
    low, high = points.min(axis=0), points.max(axis=0)
    # a path along an axis has no extent in the other direction
    extent = np.maximum(high - low, 0.2 * max((high - low).max(), 1e-3))
    centre = 0.5 * (low + high)
    sides = [
        np.linspace(c - (0.5 + MARGIN) * e, c + (0.5 + MARGIN) * e, GRID) for c, e in zip(centre, extent, strict=True)
    ]
    with np.errstate(all="ignore"):
        f = np.array([[float(fun(np.array([x, y]))) for x in sides[0]] for y in sides[1]])
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    finite = f[np.isfinite(f)]
    # quantiles of f: the same area between any two neighbouring levels, on any scale of f
    levels = np.unique(np.quantile(finite, np.linspace(0.0, 1.0, LEVELS))) if finite.size else finite
    if levels.size > 1:
        axes.contour(*sides, np.where(np.isfinite(f), f, np.nan), levels=levels, colors="0.75", linewidths=0.7)
    axes.plot(*points.T, color="C0", marker=".", linewidth=1.4)
    axes.plot(
        *points[0], marker="o", markersize=9, markerfacecolor="white", color="C0", linestyle="none", label="start"
    )
    axes.plot(*points[-1], marker="D", markersize=8, color="C3", linestyle="none", label="end")
    axes.set(xlabel="x[0]", ylabel="x[1]", title=f"{len(points) - 1} iterations")
    axes.legend()
    return figure
