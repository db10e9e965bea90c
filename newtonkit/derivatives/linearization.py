"""f, its gradient and its Hessian at one point."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from newtonkit.linalg.kernels import Matrix, Vector


class Linearization(NamedTuple):
    """f, its gradient, and the map v ↦ ∇²f(x)·v at one point; ``hessian`` gives the whole matrix."""

    f: float
    g: Vector
    product: Callable[[Vector], Vector]
    products: Callable[[Matrix], Matrix]
    """The same for the rows of a matrix, all at once."""
    hessian: Callable[[], Matrix]
