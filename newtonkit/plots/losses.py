"""The losses of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOWS = 50  # the window of the running mean is the number of updates divided by this


def plot_losses(
    update: NDArray[np.int64],
    loss: NDArray[np.float64],
    full_update: NDArray[np.int64],
    full_loss: NDArray[np.float64],
    validation_loss: NDArray[np.float64],
) -> Figure:
    """The loss on every batch with its running mean, and the losses over all data and over the validation data.

    Parameters
    ----------
    update, loss : ndarray, shape (updates,)
        Of every batch.
    full_update, full_loss, validation_loss : ndarray, shape (evaluations,)
        ``validation_loss`` is NaN without validation data.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(update, loss, color="0.75", linewidth=0.6, label="batch")
    width = max(1, len(loss) // WINDOWS)
    if width > 1:
        running = np.convolve(loss, np.full(width, 1.0 / width), "valid")
        axes.plot(update[width - 1 :], running, color="C0", label=f"batch, mean of the last {width}")
    axes.plot(full_update, full_loss, color="C1", linewidth=2, label="all data")
    if np.isfinite(validation_loss).any():
        axes.plot(full_update, validation_loss, color="k", linestyle="--", label="validation data")
    values = np.concatenate([loss, full_loss])
    if (values[np.isfinite(values)] > 0.0).all():
        axes.set_yscale("log")
    axes.set(xlabel="update", ylabel="loss")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
