"""Sparsity patterns of Hessians: the entries that can be different from zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from newtonkit.derivatives.autograd.tracing import trace_gradient, trace_lock
from newtonkit.derivatives.pytree import flatten
from newtonkit.derivatives.sparsity.pattern_rows import LIMIT, DensePattern
from newtonkit.linalg.kernels import Vector


class SparsityError(RuntimeError):
    """The Hessian is not sparse as far as its tape shows, or its pattern was found to be wrong."""


def hessian_pattern(fun: Callable[..., Any], x: Any, args: tuple[Any, ...] = ()) -> sp.csc_array:
    """The entries of the Hessian of ``fun(x, *args)`` that can be different from zero, at any x of this shape.

    Parameters
    ----------
    fun : callable
        Written with ``autograd.numpy``; returns one real number.
    x : array_like, or a dict, list or tuple of arrays
        Only its structure matters; fun must be defined at x.
    args : tuple
        Further arguments of fun, held fixed. Zeros in a constant matrix reduce the pattern.

    Returns
    -------
    csc_array of bool, shape (n, n)
        Symmetric. Entries of the Hessian that are not in the pattern are zero; those in the pattern may be zero. The
        pattern is full if fun cannot be recorded, for example because a Python branch depends on the values of x;
        `SparseHessian.reason` gives the reason.

    Raises
    ------
    SparsityError
        If the pattern would have more than 50 million entries.
    DifferentiationError
        If autograd cannot differentiate fun.

    Notes
    -----
    The cost is linear in the length of the tape and in the number of entries of all intermediate patterns: about a
    second for a chain of 10⁶ variables. The sets are the index domains of the gradient in Griewank & Walther (2008),
    *Evaluating Derivatives*, chapter 7.

    Examples
    --------
    >>> hessian_pattern(lambda x: x[0] * x[1] + x[2] ** 3, [1.0, 2.0, 3.0]).toarray().astype(int)
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 0, 1]])
    """
    vector, unflatten = flatten(x)
    return find_pattern(lambda z: fun(unflatten(z), *args), vector)[0]


def find_pattern(fun: Callable[[Any], Any], x: Vector, limit: int = LIMIT) -> tuple[sp.csc_array, str]:
    """The pattern of the Hessian of a function of a vector, and why it is denser than necessary, or an empty string.

    Raises
    ------
    SparsityError
        If the pattern would have more than ``limit`` entries.
    DifferentiationError
        If autograd cannot differentiate fun.
    """
    try:
        # imported here: if the internals of autograd change, patterns become dense, and plain autograd remains
        from newtonkit.derivatives.sparsity.dependence import Dependence, gradient_tape

        with trace_lock, np.errstate(all="ignore"):
            tape = gradient_tape(fun, x)
        dependence = Dependence(tape, limit)
        P = dependence.of_output(x.size)
    except DensePattern as dense:
        return dense_pattern(x.size, str(dense), limit), str(dense)
    except Exception as error:  # autograd, the tape or a rule does not support something: a dense pattern is correct
        trace_gradient(fun, x)  # raises DifferentiationError if fun cannot be differentiated at all
        reason = f"no tape: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return dense_pattern(x.size, reason, limit), reason
    if dependence.unknown:
        return P, f"no rule for {', '.join(sorted(dependence.unknown))}"
    return P, ""


def dense_pattern(n: int, reason: str, limit: int = LIMIT) -> sp.csc_array:
    """All n² entries.

    Raises
    ------
    SparsityError
        If n² exceeds ``limit``.
    """
    if n * n > limit:
        raise SparsityError(
            f"the Hessian has to be treated as dense ({reason}), and a dense Hessian of {n} variables is too large: "
            "use Hessian-vector products"
        )
    row = np.arange(n, dtype=np.int32)
    return sp.csc_array((np.ones(n * n, bool), np.tile(row, n), np.arange(0, n * n + 1, n, dtype=np.int32)), (n, n))
