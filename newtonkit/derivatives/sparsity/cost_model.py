"""What a gradient costs, counted on its tape and not timed: calls of numpy, and numbers read and written."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.linalg.kernels import Vector

_CALL = 1000  # numbers that numpy reads or writes in the time that a call of it takes by itself, about 1 µs
_BATCH = 1 << 13  # numbers of the directions in one batch of products, see `newtonkit.derivatives.tape.batching`


class Work(NamedTuple):
    """Counts of one gradient."""

    calls: int
    numbers: int

    def hessian_in_gradients(self, n: int) -> float:
        """How many gradients a dense Hessian by batches of products costs, a product being taken for two gradients."""
        batches = math.ceil(n * n / _BATCH)
        hessian = 2 * (batches * self.calls * _CALL + n * self.numbers)
        return hessian / (self.calls * _CALL + self.numbers)


def gradient_work(fun: Callable[[Any], Any], x: Vector) -> Work | None:
    """The counts for ∇fun at x; None where it cannot be recorded.

    Examples
    --------
    >>> gradient_work(lambda x: (x**4).sum(), np.ones(1000)).calls < 10
    True
    """
    try:
        from newtonkit.derivatives.sparsity.dependence import gradient_tape

        with trace_lock, np.errstate(all="ignore"):
            tape = gradient_tape(fun, x)
    except Exception:  # whatever autograd or the tape cannot do: nothing is known then
        return None
    numbers = 0
    for instruction in tape.instructions:
        numbers += math.prod(instruction.shape)
        for arg in instruction.args:
            numbers += int(np.size(arg)) if isinstance(arg, np.ndarray) else math.prod(getattr(arg, "shape", ()))
    return Work(len(tape.instructions), numbers)
