"""The scale of f: a power of two that brings extreme functions into the middle of the range of numbers.

f and 2ᵏ·f have the same minimizers, and the multiplication is exact unless it leaves the range of normal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import scipy.sparse as sp

from newtonkit.core.counts import Counts
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.source import DerivativeSource, Product
from newtonkit.linalg.kernels import Matrix, Vector, finite_max_norm

_MODERATE = 1e50  # ‖g₀‖∞ within [1e-50, 1e50] is left alone: products of several such numbers stay finite
_LARGEST_EXPONENT = 1023  # of a power of two in double precision


def choose_scale(g: Vector) -> float:
    """Return the power of two that brings ‖g‖∞ to [1, 2), or as near as it can; 1 if ‖g‖∞ is moderate, 0 or NaN."""
    size = finite_max_norm(g)
    if not 0.0 < size < math.inf or 1.0 / _MODERATE <= size <= _MODERATE:
        return 1.0
    exponent = 1 - math.frexp(size)[1]
    return math.ldexp(1.0, min(exponent, _LARGEST_EXPONENT))


class ScaledSource(DerivativeSource):
    """The derivatives of ``scale``·f from a source for f.

    Parameters
    ----------
    source : DerivativeSource
    scale : float
        A power of two.
    """

    def __init__(self, source: DerivativeSource, scale: float) -> None:
        self._source, self._scale = source, scale
        self.capabilities = source.capabilities
        self.counts_calls = source.counts_calls

    @property
    def description(self) -> str:
        """That of the source."""
        return self._source.description

    def value(self, x: Vector) -> float:
        """Return scale·f(x)."""
        return self._scale * self._source.value(x)

    def gradient(self, x: Vector) -> Vector:
        """Return scale·∇f(x)."""
        return self._scale * self._source.gradient(x)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return both."""
        f, g = self._source.value_and_gradient(x)
        return self._scale * f, self._scale * g

    def cost(self, kind: str, n: int) -> Counts:
        """Return that of the source."""
        return self._source.cost(kind, n)

    def linearize(self, x: Vector) -> Linearization | None:
        """Return the linearization of the scaled function."""
        inner, scale = self._source.linearize(x), self._scale
        if inner is None:
            return None
        return Linearization(
            scale * inner.f,
            scale * inner.g,
            lambda v: scale * inner.product(v),
            lambda V: scale * inner.products(V),
            lambda: scale * inner.hessian(),
        )

    def hessian(self, x: Vector) -> Matrix | sp.csc_array | None:
        """Return the scaled Hessian, if the source has one."""
        H = self._source.hessian(x)
        return None if H is None else self._scale * H

    def product(self, x: Vector, scale: float) -> Product:
        """Return products with the scaled Hessian; ``scale`` is the length that counts as large in x."""
        inner = self._source.product(x, scale)
        return inner._replace(times=lambda v: self._scale * inner.times(v))

    def pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """Return that of the source."""
        return self._source.pattern(x)

    def products_for_hessian(self, n: int) -> int:
        """Return that of the source."""
        return self._source.products_for_hessian(n)

    def sparse_hessian(self, x: Vector, linearize: Callable[[Vector], Linearization | None]) -> sp.csc_array:
        """Return the Hessian from products of ``linearize(x)``, which are scaled already."""
        return self._source.sparse_hessian(x, linearize)

    def verify(self, x: Vector, g: Vector) -> bool | None:
        """Return whether g is the scaled gradient, by a source that is always right; None if there is none."""
        return self._source.verify(x, g / self._scale)

    def gradient_error(self, x: Vector, g: Vector) -> float:
        """Return a bound on the error of g."""
        return self._scale * self._source.gradient_error(x, g / self._scale)

    @property
    def value_noise(self) -> float:
        """The noise of the scaled function."""
        return self._scale * self._source.value_noise

    @property
    def gradient_noise(self) -> float:
        """The noise of its gradient."""
        return self._scale * self._source.gradient_noise

    @property
    def hessian_error(self) -> float:
        """That of the source: it is relative."""
        return self._source.hessian_error
