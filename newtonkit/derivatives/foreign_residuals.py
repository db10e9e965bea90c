"""Derivatives of a vector of residuals by JAX or PyTorch: r(x), its Jacobian, and Σ wᵢ∇²rᵢ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from newtonkit.derivatives.foreign import flat_vector
from newtonkit.derivatives.source import make_source
from newtonkit.linalg.kernels import Matrix, Vector

LIBRARIES = ("jax", "torch")


class ForeignResiduals:
    """Derivatives of ``fun(x, *args)`` written with JAX or PyTorch, which returns an array or a structure of arrays.

    Parameters
    ----------
    name : {"jax", "torch"}
    fun : callable
    args : tuple, optional
        The further arguments, once for all requests.
    """

    def __init__(self, name: str, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        self._args = args
        self._source: Any = make_source(name, fun, args)
        self._weighted = make_source(name, lambda x, w, *rest: (w * flat_vector(fun(x, *rest))).sum(), (0.0, *args))

    def with_args(self, args: tuple[Any, ...]) -> ForeignResiduals:
        """Return the same residuals for other arguments; compiled functions are shared."""
        other = object.__new__(ForeignResiduals)
        other._args, other._weighted = args, self._weighted
        other._source = self._source.with_args(args)
        return other

    def residuals(self, x: Vector, *_: Any) -> Vector:
        """r(x), shape (m,)."""
        r: Vector = self._source.residuals(x)
        return r

    def jacobian(self, x: Vector, *_: Any) -> Matrix:
        """J(x), shape (m, n)."""
        J: Matrix = self._source.jacobian(x)
        return J

    def curvature(self, x: Vector, w: Vector, *_: Any) -> Matrix:
        """Σ wᵢ∇²rᵢ(x), shape (n, n)."""
        linearization = self._weighted.with_args((w, *self._args)).linearize(x)
        assert linearization is not None
        return linearization.hessian()
