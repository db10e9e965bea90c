"""`convexity`: is this function convex, by the structure of its recorded graph?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.convex.certificate import Convexity, certificate
from newtonkit.convex.graph import GraphError, analysed_graph
from newtonkit.convex.ranges import Range
from newtonkit.derivatives.pytree import flatten
from newtonkit.linalg.kernels import Vector


def convexity(fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = ()) -> Convexity:
    """Prove convexity, or strong convexity, from the composition rules of disciplined convex programming.

    fun is recorded at x0, and a rule is applied to each numpy call of the recording: sums, multiples, compositions with
    convex functions, norms, maxima, log-sum-exp with or without its shift, softplus, z·log z, quadratic forms, even
    piecewise functions such as Huber's. Every rule is a theorem, which its docstring states.

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy``; returns one real number.
    x0 : array_like, or a dict, list or tuple of arrays
        A point at which f is defined.
    args : tuple, optional
        Further arguments; the proof holds for these values of them.

    Returns
    -------
    Convexity
        ``kind`` ("convex", "strongly convex", "unknown"), ``mu``, ``moduli``, ``domain``, ``lower_bound``, ``tree``.

    Notes
    -----
    "unknown" is no statement: f may be convex. A comparison, or a conversion to a Python number, of a value that
    depends on x gives "unknown". Convex does not mean that a minimum is attained: exp(−x) has none. Conditions on
    eigenvalues of constant matrices hold up to the rounding of their computation. Cost: two recordings, O(size) a call,
    and one eigendecomposition of AᵀA for a matrix A of up to 400 columns.

    References
    ----------
    Grant, Boyd & Ye (2006), Disciplined convex programming; Boyd & Vandenberghe (2004), *Convex Optimization*, ch. 3.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import newtonkit
    >>> proof = newtonkit.convexity(lambda x: np.sum(np.exp(x)) + 0.5 * np.sum(x**2), np.zeros(3))
    >>> print(proof)
    strongly convex with modulus 1 on all x
    >>> newtonkit.convexity(lambda x: np.sum(x**2 - x**4), np.zeros(3)).kind
    'unknown'
    """
    vector, unflatten = flatten(x0)
    return prove(lambda v, *rest: fun(unflatten(v), *rest), vector, args)


def prove(
    fun: Callable[..., Any], x: Vector, args: tuple[Any, ...], lower: float = -math.inf, upper: float = math.inf
) -> Convexity:
    """The proof for a function of a vector whose entries all lie in [lower, upper]."""
    try:
        graph = analysed_graph(fun, x, args, Range(lower, upper))
    except GraphError as reason:
        return Convexity("unknown", 0.0, np.zeros(x.size), "all x", -math.inf, str(reason))
    return certificate(graph, x.size)
