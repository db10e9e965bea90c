"""The cost of a gradient, counted on its tape: calls of numpy, and numbers read and written. Nothing is timed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.linalg.kernels import Vector

CALL_COST = 1000  # overhead of a numpy call, about 1 µs, in numbers that are read or written in that time
BATCH_SIZE = 1 << 13  # numbers in the directions of one batch of products, see `newtonkit.derivatives.tape.batching`


class Work(NamedTuple):
    """Counts of one gradient."""

    calls: int
    numbers: int

    def hessian_in_gradients(self, n: int) -> float:
        """The cost of a dense Hessian by batches of products, in gradients; a product counts as two gradients."""
        batches = math.ceil(n * n / BATCH_SIZE)
        hessian = 2 * (batches * self.calls * CALL_COST + n * self.numbers)
        return hessian / (self.calls * CALL_COST + self.numbers)


def gradient_work(fun: Callable[[Any], Any], x: Vector) -> Work | None:
    """The counts for ∇fun at x; None if fun cannot be recorded.

    Examples
    --------
    >>> gradient_work(lambda x: (x**4).sum(), np.ones(1000)).calls < 10
    True
    """
    try:
        from newtonkit.derivatives.sparsity.dependence import gradient_tape

        with trace_lock, np.errstate(all="ignore"):
            tape = gradient_tape(fun, x)
    except Exception:  # autograd or the tape does not support something: the cost is unknown
        return None
    numbers = 0
    for instruction in tape.instructions:
        numbers += math.prod(instruction.shape)
        for arg in instruction.args:
            numbers += int(np.size(arg)) if isinstance(arg, np.ndarray) else math.prod(getattr(arg, "shape", ()))
    return Work(len(tape.instructions), numbers)
