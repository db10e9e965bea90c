"""``options={"errors": "reject"}``: exceptions of user code at trial points count as results that are not finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from newtonkit.core.counts import Counts
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.source import DerivativeSource, Product
from newtonkit.linalg.kernels import Matrix, Vector

REJECTABLE = (np.linalg.LinAlgError, ArithmeticError, ValueError)
"""A failed factorization, a division by zero or overflow, an argument outside a function's domain."""


class RejectingSource(DerivativeSource):
    """A source whose rejectable exceptions become NaN, so that methods reject the trial point.

    Parameters
    ----------
    source : DerivativeSource
    may_reject : callable
        may_reject() returns whether an exception may be rejected now: at x0 all exceptions propagate.
    """

    def __init__(self, source: DerivativeSource, may_reject: Callable[[], bool]) -> None:
        self._source = source
        self._may_reject = may_reject
        self.capabilities = source.capabilities
        self.counts_calls = source.counts_calls
        self.rounds = source.rounds

    @property
    def description(self) -> str:
        """That of the source."""
        return self._source.description

    def _attempt(self, function: Callable[..., Any], x: Vector, failure: Callable[[], Any]) -> Any:
        try:
            return function(x)
        except REJECTABLE:
            if not self._may_reject():
                raise
            return failure()

    def value(self, x: Vector) -> float:
        """Return f(x) or NaN."""
        f: float = self._attempt(self._source.value, x, lambda: np.nan)
        return f

    def gradient(self, x: Vector) -> Vector:
        """Return ∇f(x) or NaN."""
        g: Vector = self._attempt(self._source.gradient, x, lambda: np.full(x.size, np.nan))
        return g

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x), or NaN for both."""
        both: tuple[float, Vector] = self._attempt(
            self._source.value_and_gradient, x, lambda: (np.nan, np.full(x.size, np.nan))
        )
        return both

    def linearize(self, x: Vector) -> Linearization | None:
        """Return f, ∇f and v ↦ ∇²f·v, all NaN after an exception."""
        n = x.size
        nothing = Linearization(
            np.nan,
            np.full(n, np.nan),
            lambda v: np.full(n, np.nan),
            lambda V: np.full(V.shape, np.nan),
            lambda: np.full((n, n), np.nan),
        )
        found: Linearization | None = self._attempt(self._source.linearize, x, lambda: nothing)
        return found

    def hessian(self, x: Vector) -> Matrix | sp.csc_array | None:
        """Return ∇²f(x) or NaN."""
        H: Matrix | sp.csc_array | None = self._attempt(
            self._source.hessian, x, lambda: np.full((x.size, x.size), np.nan)
        )
        return H

    # --- what raises nothing at a new point -----------------------------------------------------------------

    def cost(self, kind: str, n: int) -> Counts:
        """Return the cost of the source."""
        return self._source.cost(kind, n)

    def product(self, x: Vector, scale: float) -> Product:
        """Return the product of the source, at a point where the gradient is known."""
        return self._source.product(x, scale)

    def sparse_hessian(self, x: Vector, linearize: Callable[[Vector], Linearization | None]) -> sp.csc_array:
        """Return the sparse Hessian of the source, at a point where the gradient is known."""
        return self._source.sparse_hessian(x, linearize)

    def verify(self, x: Vector, g: Vector) -> bool | None:
        """Return the verification by the source."""
        return self._source.verify(x, g)

    def gradient_error(self, x: Vector, g: Vector) -> float:
        """Return the error bar of the source."""
        return self._source.gradient_error(x, g)

    @property
    def value_noise(self) -> float:
        """That of the source."""
        return self._source.value_noise

    @property
    def gradient_noise(self) -> float:
        """That of the source."""
        return self._source.gradient_noise

    @property
    def hessian_error(self) -> float:
        """That of the source."""
        return self._source.hessian_error
