"""Derivatives of a function without a solver: ``value_and_grad``, ``grad``, ``hvp`` and ``hessian``.

Each returned function keeps its tapes. The first two calls use plain autograd; later calls replay a tape in numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.tracer import isbox

from newtonkit.derivatives.autograd.tracing import as_number, trace_gradient
from newtonkit.derivatives.pytree import Unflatten, flatten, structure
from newtonkit.derivatives.sparsity.colouring import SparseHessian
from newtonkit.derivatives.sparsity.patterns import SparsityError
from newtonkit.derivatives.tape.cache import Derivatives
from newtonkit.linalg.kernels import Matrix, Vector

_FULL = 100  # up to this n all n products take less time than the search for a pattern; as in `newton`
_DENSE = 0.25  # of n² entries or n products: above it a batch of all products is as fast; our choice


class _Flattened:
    """A function of structured parameters as functions of flat vectors, one for each structure."""

    def __init__(self, fun: Callable[..., Any]) -> None:
        if not callable(fun):
            raise TypeError(f"fun must be callable, got {fun!r}")
        self.fun = fun
        self._known: dict[Any, Derivatives] = {}
        self._patterns: dict[Any, SparseHessian | None] = {}

    def at(self, x: Any) -> tuple[Vector, Unflatten, Derivatives]:
        """x as a vector, the function that restores its structure, and the derivatives for this structure."""
        vector, unflatten = flatten(x)
        if isinstance(x, int | float | np.number) or (isinstance(x, np.ndarray) and x.ndim == 0):
            unflatten = _entry  # a number stays a number
        key = structure(x)
        if key not in self._known:
            fun = self.fun
            self._known[key] = Derivatives(lambda v, *args: fun(unflatten(v), *args))
        return vector, unflatten, self._known[key]

    def hessian(self, x: Any, args: tuple[Any, ...]) -> Matrix:
        """The Hessian at x; from few products if n is not small and the pattern is sparse."""
        vector, unflatten, derivatives = self.at(x)
        if vector.size > _FULL and not args:  # a pattern may depend on the values of args
            key = structure(x)
            if key not in self._patterns:
                self._patterns[key] = _sparse_pattern(lambda z: self.fun(unflatten(z)), vector)
            known = self._patterns[key]
            if known is not None:
                derivatives.prepare(vector)
                try:
                    return np.asarray(known.at(derivatives.linearize(vector)).toarray())
                except SparsityError:  # fun reads data that change
                    self._patterns[key] = None
        return derivatives.linearize(vector, args).hessian()


def _entry(vector: Any) -> Any:
    return vector[0]


def _sparse_pattern(fun: Callable[..., Any], x: Vector) -> SparseHessian | None:
    """The sparse Hessian of fun near x; None if its products are too many."""
    try:
        known = SparseHessian(fun, x, limit=int(_DENSE * x.size**2))
    except SparsityError:
        return None
    return known if known.groups.count <= _DENSE * x.size else None


def value_and_grad(fun: Callable[..., Any]) -> Callable[..., tuple[float, Any]]:
    """The function (x, \\*args) ↦ (f(x), ∇f(x)).

    Parameters
    ----------
    fun : callable
        Written with ``autograd.numpy``; returns one real number. Its first argument may be a number, an array of
        any shape, or a dict, list or tuple of arrays. The gradient has the same structure; that of a
        number is a number.

    Raises
    ------
    DifferentiationError
        By the returned function, if ``fun`` works on plain numbers but autograd cannot differentiate it.

    Examples
    --------
    >>> f, g = value_and_grad(lambda x: (x**2).sum())([1.0, 2.0])
    >>> f, g
    (5.0, array([2., 4.]))
    """
    flattened = _Flattened(fun)

    def both(x: Any, *args: Any) -> tuple[float, Any]:
        if isbox(x):  # inside a function that is itself being differentiated
            f, g = trace_gradient(lambda z: fun(z, *args), x)
            return (f if isbox(f) else as_number(f)), g
        vector, unflatten, derivatives = flattened.at(x)
        value, gradient = derivatives.value_and_gradient(vector, args)
        return value, unflatten(gradient)

    return both


def grad(fun: Callable[..., Any]) -> Callable[..., Any]:
    """The function (x, \\*args) ↦ ∇f(x); see `value_and_grad`.

    Examples
    --------
    >>> grad(lambda x: x[0] * x[1])([3.0, 4.0])
    array([4., 3.])
    """
    both = value_and_grad(fun)
    return lambda x, *args: both(x, *args)[1]


def hvp(fun: Callable[..., Any]) -> Callable[..., Any]:
    """The function (x, v, \\*args) ↦ ∇²f(x)·v. No matrix is formed; v and the product have the structure of x.

    Examples
    --------
    >>> hvp(lambda x: x[0] ** 2 * x[1])([1.0, 3.0], [1.0, 0.0])
    array([6., 2.])
    """
    flattened = _Flattened(fun)

    def product(x: Any, v: Any, *args: Any) -> Any:
        vector, unflatten, derivatives = flattened.at(x)
        direction, _ = flatten(v)
        if direction.shape != vector.shape:
            raise ValueError(f"v must have as many entries as x ({vector.size}), got {direction.size}")
        return unflatten(derivatives.linearize(vector, args).product(direction))

    return product


def hessian(fun: Callable[..., Any]) -> Callable[..., Matrix]:
    """The function (x, \\*args) ↦ ∇²f(x), an exactly symmetric n×n matrix in the order of the entries of x.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])([1.0, 3.0])
    array([[6., 2.],
           [2., 0.]])
    """
    flattened = _Flattened(fun)
    return lambda x, *args: flattened.hessian(x, args)
