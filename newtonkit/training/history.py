"""The record of a training run: the loss on every batch, and the evaluations of the loss over all data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.kernels import Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FullLoss(NamedTuple):
    """One evaluation of the loss over all data."""

    update: int
    """Updates made before it."""
    epochs: float
    """Rows of all gradients before it, divided by the rows of the data."""
    loss: float
    validation: float
    """The loss over the validation data; NaN without any."""
    seconds: float


class TrainingHistory:
    """The losses of a training run.

    Attributes
    ----------
    update : ndarray of int
        The numbers of the updates made, from 1, or from the end of the earlier run.
    loss : ndarray
        The loss on the batch of each of these updates, before the update, computed together with the gradient. Rules
        that look ahead (Nesterov) compute both at the look-ahead point.
    full : list of FullLoss
    full_update, full_epochs, full_loss, validation_loss, seconds : ndarray
        The columns of ``full``.
    """

    def __init__(self, first: int = 1) -> None:
        self._first = first
        self._losses: list[float] = []
        self.full: list[FullLoss] = []

    def __len__(self) -> int:
        return len(self._losses)

    def record(self, loss: float) -> None:
        """Append the loss of an update."""
        self._losses.append(loss)

    @property
    def update(self) -> NDArray[np.int64]:
        """See above."""
        return np.arange(self._first, self._first + len(self._losses))

    @property
    def loss(self) -> Vector:
        """See above."""
        return np.array(self._losses)

    @property
    def full_update(self) -> NDArray[np.int64]:
        """See above."""
        return np.array([each.update for each in self.full], dtype=np.int64)

    @property
    def full_epochs(self) -> Vector:
        """See above."""
        return np.array([each.epochs for each in self.full])

    @property
    def full_loss(self) -> Vector:
        """See above."""
        return np.array([each.loss for each in self.full])

    @property
    def validation_loss(self) -> Vector:
        """See above."""
        return np.array([each.validation for each in self.full])

    @property
    def seconds(self) -> Vector:
        """See above."""
        return np.array([each.seconds for each in self.full])

    def plot(self) -> Figure:
        """Losses against updates; see `newtonkit.plots.losses.plot_losses`."""
        from newtonkit.plots.losses import plot_losses

        return plot_losses(self.update, self.loss, self.full_update, self.full_loss, self.validation_loss)

    def __repr__(self) -> str:
        return f"<TrainingHistory of {len(self)} updates, {len(self.full)} full losses>"
