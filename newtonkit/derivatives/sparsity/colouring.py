"""Sparse Hessians from a few Hessian-vector products.

One product with the sum of several unit vectors gives several columns at once, if no two of these columns have an entry
in the same row (Curtis, Powell & Reid, 1974). A few columns may have very many entries, as in an arrowhead matrix.
Each of them gets its own product. By symmetry their rows are then known too, so these rows are ignored when the other
columns are grouped (Powell & Toint, 1979).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import flatten
from newtonkit.derivatives.sparsity.pattern_rows import LIMIT
from newtonkit.derivatives.sparsity.patterns import SparsityError, dense_pattern, find_pattern
from newtonkit.derivatives.tape.cache import Derivatives
from newtonkit.linalg.kernels import Vector

try:
    # compiled, and unchanged since scipy 0.17, but not a public name of scipy
    from scipy.optimize._numdiff import group_columns as _scipy_group_columns
except ImportError:  # pragma: no cover
    _scipy_group_columns = None

BATCH_SIZE = 1 << 13  # numbers in the directions of one batch of products; larger batches are slower (our measurement)
AGREEMENT_TOLERANCE = 1e-8  # relative, between the sparse matrix and one product: far above rounding errors
MAX_DENSE_SIZE = 2000  # up to this many variables a wrong pattern is replaced by a full one: 32 MB


@dataclass(frozen=True, slots=True)
class ColumnGroups:
    """The columns that share a product.

    Attributes
    ----------
    of : ndarray of int, shape (n,)
        The number of the group of each column; -1 for all columns but the dense ones if only those are needed.
    count : int
        The number of groups, which is the number of products for one matrix.
    dense : ndarray of bool, shape (n,)
        The columns with very many entries. Each is a group of its own, and its row is read by symmetry.
    """

    of: NDArray[np.intp]
    count: int
    dense: NDArray[np.bool_]


def group_columns(pattern: sp.csc_array) -> ColumnGroups:
    """Groups of columns of a symmetric pattern: no two columns of a group have an entry in the same row.

    Rows of dense columns do not count.

    Notes
    -----
    Each column in turn joins the first group that it fits. The columns are taken in natural order, which is better for
    chains and grids than the random order of `scipy.optimize`. Let d₁ ≥ d₂ ≥ … be the numbers of entries of the
    columns. If k columns are split off, about d₍ₖ₊₁₎ groups are needed for the others. The k with the least
    k + d₍ₖ₊₁₎ is chosen if this is at most d₁/2. On patterns without dense columns, smaller gains in this bound were
    lost again by the greedy algorithm (our measurement).

    References
    ----------
    T. F. Coleman and J. J. Moré (1983), SIAM J. Numer. Anal. 20, 187-209, section 3, for the greedy algorithm; and
    (1984), Math. Programming 28, 243-270, for symmetric matrices.

    Examples
    --------
    >>> arrowhead = np.eye(100, dtype=bool)
    >>> arrowhead[0] = arrowhead[:, 0] = True
    >>> group_columns(sp.csc_array(arrowhead)).count
    2
    """
    n = pattern.shape[0]
    lengths = np.diff(pattern.indptr)
    dense = np.zeros(n, dtype=bool)
    if pattern.nnz == 0:
        return ColumnGroups(np.zeros(n, dtype=np.intp), 0, dense)
    if pattern.nnz == n * n:
        return ColumnGroups(np.arange(n), n, dense)
    longest_first = np.argsort(-lengths, kind="stable")
    bounds = np.arange(n) + lengths[longest_first]
    if 2 * bounds.min() <= bounds[0]:
        dense[longest_first[: np.argmin(bounds)]] = True
    light = np.flatnonzero(~dense)
    rest = pattern[light][:, light] if dense.any() else pattern
    groups = np.full(n, -1)
    count = 0
    if rest.nnz:  # otherwise only the dense columns are needed
        groups[light] = first_fit(sp.csc_array(rest))
        count = int(groups.max()) + 1
    groups[dense] = count + np.arange(n - len(light))
    return ColumnGroups(groups, count + n - len(light), dense)


def first_fit(pattern: sp.csc_array) -> NDArray[np.intp]:
    if _scipy_group_columns is None:  # pragma: no cover
        return _first_fit_in_python(pattern)
    return np.asarray(_scipy_group_columns(pattern, order=np.arange(pattern.shape[1])), dtype=np.intp)


def _first_fit_in_python(pattern: sp.csc_array) -> NDArray[np.intp]:
    """The algorithm of scipy in natural order, about fifty times slower; the bits of an integer are a set of groups."""
    indices, indptr = pattern.indices.tolist(), pattern.indptr.tolist()
    taken = [0] * pattern.shape[0]  # for each row, the groups that have an entry in it
    groups = []
    for start, stop in pairwise(indptr):
        rows = indices[start:stop]
        met = 0
        for row in rows:
            met |= taken[row]
        lowest_free = ~met & (met + 1)
        for row in rows:
            taken[row] |= lowest_free
        groups.append(lowest_free.bit_length() - 1)
    return np.array(groups, dtype=np.intp)


class SparseHessian:
    """The Hessian of ``fun(x, *args)`` as a sparse matrix, for many x.

    The pattern and the groups of columns are computed once. After that a Hessian costs one product for each group.

    Parameters
    ----------
    fun : callable
        Written with ``autograd.numpy``; returns one real number.
    x : array_like, or a dict, list or tuple of arrays
        The point at which fun is recorded.
    args : tuple
        Further arguments of fun.
    limit : int, default 50 million
        Largest number of entries in a pattern, intermediate patterns included.

    Attributes
    ----------
    pattern : csc_array of bool, shape (n, n)
        See `hessian_pattern`.
    groups : ColumnGroups
    reason : str
        Why the pattern is dense, or denser than necessary: fun could not be recorded, it calls a function without a
        rule, or a check failed. Otherwise empty.

    Raises
    ------
    SparsityError
        If the pattern would have more than ``limit`` entries; also by a call, see `__call__`.

    Notes
    -----
    The 1st, 2nd, 4th, 8th … Hessian is checked by one more product with a random vector. If they disagree (fun reads
    data that have changed, or its second derivative is not symmetric), the pattern becomes dense. With more than 2000
    variables this is an error.

    References
    ----------
    A. R. Curtis, M. J. D. Powell and J. K. Reid (1974), J. Inst. Math. Appl. 13, 117-119.
    M. J. D. Powell and Ph. L. Toint (1979), SIAM J. Numer. Anal. 16, 1060-1074.

    Examples
    --------
    >>> H = SparseHessian(lambda x: (x[0] * (x * x)).sum(), np.ones(1000))
    >>> H.groups.count, H(np.ones(1000)).nnz
    (2, 2998)
    """

    def __init__(self, fun: Callable[..., Any], x: Any, args: tuple[Any, ...] = (), limit: int = LIMIT) -> None:
        vector, unflatten = flatten(x)
        self.args = args
        self.derivatives = Derivatives(lambda z, *rest: fun(unflatten(z), *rest))
        self._calls = 0
        self._use(*find_pattern(lambda z: fun(unflatten(z), *args), vector, limit))

    def __call__(self, x: Any) -> sp.csc_array:
        """The Hessian at x, exactly symmetric.

        Raises
        ------
        SparsityError
            If it disagrees with a Hessian-vector product and there are more than 2000 variables.
        """
        vector, _ = flatten(x)
        if vector.size != self.pattern.shape[0]:
            raise ValueError(f"x must have {self.pattern.shape[0]} entries, got {vector.size}")
        self.derivatives.prepare(
            vector, self.args
        )  # several products are needed at each of many x, so a tape saves time
        return self.at(self.derivatives.linearize(vector, self.args))

    def at(self, linearization: Linearization) -> sp.csc_array:
        """The same from a linearization computed elsewhere, of the same function with the same args."""
        H = self._recovered(linearization)
        self._calls += 1
        if self._calls & (self._calls - 1) == 0 and not self._agrees(H, linearization):
            n, reason = H.shape[0], "the sparse Hessian disagreed with a Hessian-vector product"
            if n > MAX_DENSE_SIZE:
                raise SparsityError(f"{reason}: fun reads data that change, or its second derivative is not symmetric")
            self._use(dense_pattern(n, reason), reason)
            H = self._recovered(linearization)
        return H

    def _use(self, pattern: sp.csc_array, reason: str) -> None:
        """Set the pattern, and find for each of its entries the product that contains it."""
        self.pattern, self.reason = pattern, reason
        self.groups = group_columns(pattern)
        if pattern.nnz == pattern.shape[0] ** 2:
            return
        row = pattern.indices
        column = np.repeat(np.arange(pattern.shape[1], dtype=row.dtype), np.diff(pattern.indptr))
        # an entry and its mirror image are read from the same column: the dense one, or the first one
        dense = self.groups.dense
        swap = np.where(dense[row] == dense[column], row < column, dense[row])
        row, column = np.where(swap, column, row), np.where(swap, row, column)
        group = self.groups.of[column]
        if self.groups.count < 1 << 16:
            group = group.astype(np.uint16)  # sorted in linear time
        self._into = np.argsort(group, kind="stable").astype(row.dtype)
        self._from = row[self._into]
        self._ends = np.cumsum(np.bincount(group, minlength=self.groups.count))

    def _recovered(self, linearization: Linearization) -> sp.csc_array:
        pattern, groups = self.pattern, self.groups
        n = pattern.shape[0]
        if pattern.nnz == n * n:
            data = linearization.hessian().ravel()
        else:
            data = np.empty(pattern.nnz)
            block = max(1, BATCH_SIZE // n)
            for first in range(0, groups.count, block):
                numbers = range(first, min(first + block, groups.count))
                for number, product in zip(numbers, self._products(linearization, numbers), strict=True):
                    entries = slice(self._ends[number - 1] if number else 0, self._ends[number])
                    data[self._into[entries]] = product[self._from[entries]]
        return sp.csc_array((data, pattern.indices.copy(), pattern.indptr.copy()), shape=pattern.shape)

    def _products(self, linearization: Linearization, numbers: range) -> Any:
        seeds = [np.where(self.groups.of == number, 1.0, 0.0) for number in numbers]
        return [linearization.product(seeds[0])] if len(seeds) == 1 else linearization.products(np.array(seeds))

    def _agrees(self, H: sp.csc_array, linearization: Linearization) -> bool:
        v: Vector = np.random.default_rng(self._calls).standard_normal(H.shape[0])
        exact = linearization.product(v)
        scale = float((abs(H) @ abs(v)).max()) + float(np.abs(exact).max())
        return not np.isfinite(scale) or float(np.abs(H @ v - exact).max()) <= AGREEMENT_TOLERANCE * scale


def sparse_hessian(fun: Callable[..., Any], x: Any, args: tuple[Any, ...] = ()) -> sp.csc_array:
    """The Hessian ∇²f(x) of ``fun(x, *args)`` as a sparse matrix, exactly symmetric.

    Parameters
    ----------
    fun : callable
        Written with ``autograd.numpy``; returns one real number.
    x : array_like, or a dict, list or tuple of arrays
        Rows and columns are in the order of its entries.
    args : tuple
        Further arguments of fun.

    Returns
    -------
    csc_array of float64, shape (n, n)
        With the pattern of `hessian_pattern`; some of the stored entries may be zero.

    Raises
    ------
    SparsityError
        If the pattern would have more than 50 million entries, or proves wrong.
    DifferentiationError
        If autograd cannot differentiate fun.

    See Also
    --------
    SparseHessian : computes the pattern once, for Hessians at many points.

    Examples
    --------
    >>> sparse_hessian(lambda x: ((x[1:] - x[:-1]) ** 2).sum(), np.zeros(4)).toarray()
    array([[ 2., -2.,  0.,  0.],
           [-2.,  4., -2.,  0.],
           [ 0., -2.,  4., -2.],
           [ 0.,  0., -2.,  2.]])
    """
    return SparseHessian(fun, x, args)(x)
