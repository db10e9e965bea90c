"""The argument of a training callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from newtonkit.training.batches import Arrays

if TYPE_CHECKING:
    from newtonkit.training.loop import TrainingRun


class Update:
    """A completed update, with its batch.

    Attributes
    ----------
    number : int
        t = 1, 2, …
    epoch, batch_number : int
        Both from 1.
    loss : float
        On the batch, before the update.
    params
        The parameters after the update, a copy in the user's structure.
    batch
        The batch, in the structure of the data.
    """

    __slots__ = ("_arrays", "_run", "_x", "batch_number", "epoch", "loss", "number")

    def __init__(self, run: TrainingRun, arrays: Arrays, loss: float) -> None:
        self._run, self._arrays, self._x = run, arrays, run.x
        self.number = run.t
        self.epoch, self.batch_number = run.sampling.position(run.t)
        self.loss = loss

    @property
    def params(self) -> Any:
        """See above."""
        return self._run.unflatten(self._x.copy())

    @property
    def batch(self) -> Any:
        """See above."""
        return self._run.data.restore(self._arrays)

    def loss_after(self) -> float:
        """The loss on the same batch after the update: one evaluation, counted in ``checks``."""
        return self._run.checked_loss(self._x, self._arrays)

    def __repr__(self) -> str:
        return f"<Update {self.number}: epoch {self.epoch}, batch {self.batch_number}, loss {self.loss:.6g}>"
