"""The convergence of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_convergence(
    iterations: NDArray[np.int64], f: NDArray[np.float64], gradient_norm: NDArray[np.float64]
) -> Figure:
    """f minus its lowest value, and ‖g‖∞, against iterations, on logarithmic axes.

    Parameters
    ----------
    iterations, f, gradient_norm : ndarray, shape (states,)

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    gap = f - np.nanmin(f)
    left.semilogy(iterations, np.where(gap > 0, gap, np.nan), marker=".")
    left.set(xlabel="iteration", ylabel="f − lowest f", title="value")
    right.semilogy(iterations, np.where(gradient_norm > 0, gradient_norm, np.nan), marker=".", color="C1")
    right.set(xlabel="iteration", ylabel="‖g‖∞", title="gradient")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure
