"""f, its gradient and its Hessian at one point."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from newtonkit.linalg.kernels import Matrix, Vector


class Linearization(NamedTuple):
    """f, its gradient, and the map v ↦ ∇²f(x)·v at one point; ``hessian`` returns the whole matrix."""

    f: float
    g: Vector
    product: Callable[[Vector], Vector]
    products: Callable[[Matrix], Matrix]
    """The products with all rows of a matrix."""
    hessian: Callable[[], Matrix]
