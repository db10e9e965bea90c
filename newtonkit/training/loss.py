"""The loss over the rows of a batch, and its gradient: calls of the user's loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.derivatives.autograd.tracing import as_number, trace_gradient, trace_lock
from newtonkit.derivatives.pytree import Unflatten
from newtonkit.derivatives.source import make_source
from newtonkit.derivatives.tape.source import TapeSource
from newtonkit.linalg.kernels import Vector
from newtonkit.training.batches import Arrays, Data


def check_loss(loss: Any) -> None:
    """Raise unless a loss can be called as loss(params, batch)."""
    if not callable(loss):
        raise TypeError(f"loss must be callable as loss(params, batch), got {loss!r}")
    try:
        signature = inspect.signature(loss)
    except (TypeError, ValueError):  # a callable without a signature
        return
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise TypeError(
            f"loss must be callable as loss(params, batch), but is loss{signature}: {error}; "
            "a batch has the structure of data, so unpack it inside the loss, as in x, y = batch"
        ) from None


class Loss:
    """A user's loss(params, batch) as a function of a flat vector and the arrays of a batch, and its gradient."""

    def __init__(self, loss: Callable[..., Any], unflatten: Unflatten, data: Data, *, source: str = "tape") -> None:
        def flat(v: Any, *arrays: Any) -> Any:
            return loss(unflatten(v), data.restore(arrays))

        self.flat = flat
        self.source = make_source(source, flat)
        self._plain = self.source.plain(flat)
        self._shapes: set[tuple[int, int]] = set()

    def value(self, x: Vector, arrays: Arrays) -> float:
        """The loss, by a plain call."""
        with trace_lock:
            value = self._plain(x.copy(), *arrays)
        array = np.asarray(value)
        if array.size == 1 and array.dtype.kind in "fiub":
            return float(array.item())
        got = f"an array of shape {array.shape}; return np.mean(…) over the rows" if array.size != 1 else repr(value)
        raise TypeError(f"loss must return one real number, got {got}")

    def value_and_gradient(self, x: Vector, arrays: Arrays) -> tuple[float, Vector]:
        """The loss and its gradient, from a tape if possible.

        The tape is used from the first gradient on, so that a resumed run has the same rounding errors.
        """
        source = self.source.with_args(arrays)
        shape = x.size, len(arrays[0])
        if shape not in self._shapes:
            source.prepare(x, second_order=False)
            self._shapes.add(shape)
        return source.value_and_gradient(x.copy())

    def plain_value_and_gradient(self, x: Vector, arrays: Arrays) -> tuple[float, Vector]:
        """The loss and its gradient by plain autograd, if the source uses autograd."""
        if not isinstance(self.source, TapeSource):
            return self.value_and_gradient(x, arrays)
        f, g = trace_gradient(lambda z: self.flat(z, *arrays), x.copy())
        return as_number(f), np.asarray(g)
