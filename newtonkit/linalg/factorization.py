"""Symmetric matrices that can be factored with a shift: dense, band, sparse and tridiagonal; and the choice among them.

Each has ``factor(shift)``. It returns a function that solves (B + shift·I)x = b, or None if B + shift·I is not
positive definite. A Newton method requires nothing else of its Hessian.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import reverse_cuthill_mckee

from newtonkit.linalg.kernels import (
    EPS,
    Matrix,
    Vector,
    band_cholesky,
    band_cholesky_solve,
    cholesky,
    cholesky_solve,
    symmetric_times,
    tridiagonal_cholesky,
    tridiagonal_solve,
)
from newtonkit.linalg.sparse_factors import Factorizer, Solve, sparse_factorizer

NARROW_BANDWIDTH = 64  # up to this bandwidth the given order is kept
# The choice is made by counted work and storage, so it does not depend on the clock. Band Cholesky takes about n·b²
# operations and stores n·b numbers. On grids of 1e4 and 1e5 points band and sparse factorization take the same time at
# 1e8 operations (our measurement).
MAX_BAND_OPERATIONS = 1e8
MAX_BAND_STORAGE = 1e8
# For the largest separator of the pattern, which is about as wide as the band: its dense factor takes b³/3 operations.
MAX_SEPARATOR_OPERATIONS = 1e11
MAX_SEPARATOR_STORAGE = 2e8
# Time of a factorization and of a product with its Lanczos step, in units of one number read, about 1 ns. Measured on
# grids of 900 to 1e6 points and bands of width 2 to 64, one thread: a product takes 0.7 to 3.4 units per number of the
# matrix and of four vectors; band Cholesky 0.05 to 0.6 units of n·b² and 30 of n; SuperLU 9 to 12 units of b³.
_VECTORS = 4
_BAND_WORK = 0.2
_BAND_WORK_PER_ROW = 30.0
_SEPARATOR_WORK = 10.0


class Symmetric(Protocol):
    """What the subproblem of a Newton method requires of a symmetric matrix B."""

    @property
    def diagonal(self) -> Vector:
        """The diagonal of B."""

    @property
    def norm(self) -> float:
        """An upper bound on ‖B‖₂."""

    @property
    def rounding(self) -> float:
        """An eigenvalue of at most this size cannot be distinguished from zero."""

    def times(self, v: Vector) -> Vector:
        """Bv."""

    def masked(self, free: NDArray[np.bool_]) -> Symmetric:
        """Return B on the free variables and ‖B‖ on the diagonal of the others, which are then decoupled."""

    def factor(self, shift: float) -> Solve | None:
        """b ↦ (B + shift·I)⁻¹b; None if B + shift·I is not positive definite."""


def masked_matrix(B: Matrix, free: NDArray[np.bool_], scale: float) -> Matrix:
    """Return B on the free variables, and ``scale``, or 1 if that is 0, on the diagonal of the others."""
    masked: Matrix = np.where(free[:, None] & free, B, 0.0)
    masked[~free, ~free] = scale or 1.0
    return masked


class DenseSymmetric:
    """A full matrix, factored by LAPACK's Cholesky factorization: n³/3 operations.

    Parameters
    ----------
    B : ndarray, shape (n, n)
        Exactly symmetric.
    """

    def __init__(self, B: Matrix) -> None:
        self.B = B.T if B.flags.c_contiguous else B  # the same matrix in Fortran order
        self.diagonal = np.ascontiguousarray(B.diagonal())
        self.norm = min(float(np.linalg.norm(B)), float(np.abs(B).sum(axis=0).max()))
        self.rounding = 10 * len(B) * EPS * self.norm

    def times(self, v: Vector) -> Vector:
        """Bv."""
        return symmetric_times(self.B, v)

    def masked(self, free: NDArray[np.bool_]) -> DenseSymmetric:
        """Return B on the free variables and ‖B‖ on the diagonal of the others."""
        return DenseSymmetric(masked_matrix(self.B, free, self.norm))

    def factor(self, shift: float) -> Solve | None:
        """b ↦ (B + shift·I)⁻¹b."""
        A = self.B.copy(order="F")
        if shift:
            A.ravel(order="K")[:: len(A) + 1] += shift
        R = cholesky(A)
        return None if R is None else lambda b: cholesky_solve(R, b)


class TridiagonalSymmetric:
    """A tridiagonal matrix: O(n) operations.

    Parameters
    ----------
    diagonal : ndarray, shape (n,)
    off_diagonal : ndarray, shape (n − 1,)
    """

    def __init__(self, diagonal: Vector, off_diagonal: Vector) -> None:
        self.diagonal, self.off_diagonal = diagonal, off_diagonal
        rows = np.abs(diagonal)
        rows[:-1] += np.abs(off_diagonal)
        rows[1:] += np.abs(off_diagonal)
        self.norm = float(rows.max())
        self.rounding = 10 * diagonal.size * EPS * self.norm

    def times(self, v: Vector) -> Vector:
        """Bv."""
        product = self.diagonal * v
        product[:-1] += self.off_diagonal * v[1:]
        product[1:] += self.off_diagonal * v[:-1]
        return product

    def masked(self, free: NDArray[np.bool_]) -> TridiagonalSymmetric:
        """Return B on the free variables and ‖B‖ on the diagonal of the others."""
        off_diagonal = np.where(free[:-1] & free[1:], self.off_diagonal, 0.0)
        return TridiagonalSymmetric(np.where(free, self.diagonal, self.norm or 1.0), off_diagonal)

    def factor(self, shift: float) -> Solve | None:
        """b ↦ (B + shift·I)⁻¹b."""
        if self.diagonal.size == 1:  # LAPACK requires an off-diagonal
            pivot = float(self.diagonal[0]) + shift
            return (lambda b: b / pivot) if pivot > 0.0 else None
        return _tridiagonal(self.diagonal + shift, self.off_diagonal)


class _Sparse:
    """Base of the two kinds of sparse matrices; indices refer to the order of B."""

    def __init__(self, B: sp.csc_array) -> None:
        B.sum_duplicates()  # also sorts the indices, as the band layout requires
        self.B = B
        self.diagonal = B.diagonal()
        self.norm = min(float(np.linalg.norm(B.data)), float(abs(B).sum(axis=0).max()))
        # √n in place of n: the rounding errors of a row with few entries add up less than those of a full row
        self.rounding = 10 * math.sqrt(B.shape[0]) * EPS * self.norm

    def times(self, v: Vector) -> Vector:
        """Bv."""
        product: Vector = self.B @ v
        return product

    def _masked(self, free: NDArray[np.bool_]) -> sp.csc_array:
        B = self.B.copy()
        row, column = _coordinates(B)
        B.data[~(free[row] & free[column])] = 0.0
        held = (row == column) & ~free[row]
        B.data[held] = self.norm or 1.0
        if np.count_nonzero(held) < np.count_nonzero(~free):  # some of these diagonal entries are not stored
            missing = ~free
            missing[row[held]] = False
            B = sp.csc_array(B + sp.diags_array(np.where(missing, self.norm or 1.0, 0.0), format="csc"))
        return B


class BandSymmetric(_Sparse):
    """A sparse matrix that has a small bandwidth after a permutation: band Cholesky, n·bandwidth² operations."""

    def __init__(self, B: sp.csc_array, layout: BandLayout) -> None:
        super().__init__(B)
        self.layout = layout

    def masked(self, free: NDArray[np.bool_]) -> BandSymmetric:
        """Return B on the free variables and ‖B‖ on the diagonal of the others, in the same band."""
        B = self._masked(free)
        return BandSymmetric(B, self.layout if same_pattern(B, self.B) else BandLayout(B))

    def factor(self, shift: float) -> Solve | None:
        """b ↦ (B + shift·I)⁻¹b."""
        layout = self.layout
        bands = np.zeros((layout.bandwidth + 1, self.B.shape[0]), order="F")
        bands.ravel(order="K")[layout.into] = self.B.data[layout.taken]
        bands[-1] += shift
        solve = _tridiagonal(bands[1], bands[0, 1:]) if layout.bandwidth == 1 else _banded(bands)
        if solve is None or layout.keeps_order:
            return solve
        order, inverse = layout.order, layout.inverse
        return lambda b: solve(b[order])[inverse]


def _banded(bands: Matrix) -> Solve | None:
    factor = band_cholesky(bands)
    return None if factor is None else lambda b: band_cholesky_solve(factor, b)


def _tridiagonal(diagonal: Vector, off_diagonal: Vector) -> Solve | None:
    """LDLᵀ of a tridiagonal matrix: at n = 1e6 a solution takes a third of the time of band Cholesky (measured)."""
    factor = tridiagonal_cholesky(diagonal, off_diagonal)
    return None if factor is None else lambda b: tridiagonal_solve(factor, b)


class SparseSymmetric(_Sparse):
    """A sparse matrix, factored as LDLᵀ by SuperLU or feral-solver.

    A matrix with a zero pivot is treated as one that is not positive definite.
    """

    def __init__(self, B: sp.csc_array, factorizer: Factorizer | None = None) -> None:
        super().__init__(B)
        self._factorizer = factorizer or sparse_factorizer()

    def masked(self, free: NDArray[np.bool_]) -> SparseSymmetric:
        """Return B on the free variables and ‖B‖ on the diagonal of the others."""
        return SparseSymmetric(self._masked(free), self._factorizer)

    def factor(self, shift: float) -> Solve | None:
        """b ↦ (B + shift·I)⁻¹b."""
        A = self.B + shift * sp.eye_array(self.B.shape[0], format="csc") if shift else self.B
        factor = self._factorizer.factor(A)
        return None if factor is None or factor.negative else factor.solve


class BandLayout:
    """The places of a pattern's entries in LAPACK's band storage, after a permutation that reduces the bandwidth."""

    def __init__(self, pattern: sp.csc_array) -> None:
        n = pattern.shape[0]
        pattern.sum_duplicates()
        row, column = _coordinates(pattern)
        self.order: NDArray[np.intp] = np.arange(n)
        self.bandwidth = int(np.abs(row - column).max(initial=0))
        if self.bandwidth > NARROW_BANDWIDTH:
            order = np.asarray(reverse_cuthill_mckee(sp.csr_matrix(pattern), symmetric_mode=True), dtype=np.intp)
            place = np.argsort(order)
            bandwidth = int(np.abs(place[row] - place[column]).max())
            if bandwidth < self.bandwidth:
                self.order, self.bandwidth = order, bandwidth
        self.keeps_order = bool((self.order[1:] > self.order[:-1]).all())
        self.inverse = np.argsort(self.order)
        i, j = self.inverse[row], self.inverse[column]
        self.taken = np.flatnonzero(i <= j)
        self.into = ((self.bandwidth + i - j) + j * (self.bandwidth + 1))[self.taken]


def _coordinates(pattern: sp.csc_array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    column = np.repeat(np.arange(pattern.shape[1]), np.diff(pattern.indptr))
    return pattern.indices.astype(np.intp), column


class SparseStructure:
    """How to factor matrices with one pattern, chosen by counted work.

    Attributes
    ----------
    fits : bool
        Whether to factor at all; False if the fill would be too large.
    reason : str
        The choice and the figures on which it is based.
    products_per_factor : int
        How many products with the matrix take about as long as one factorization.

    Notes
    -----
    Let b be the bandwidth after reverse Cuthill–McKee. If n·b² is small, the choice is band Cholesky; otherwise LDLᵀ
    with minimum degree, unless the expected fill is too large. The levels of a breadth-first search are separators of
    the pattern, and b is about the width of the widest one. A good ordering eliminates this separator last, as a full
    matrix of order b. That takes b³/3 operations and b² numbers, as nested dissection does on grids in two and three
    dimensions.

    References
    ----------
    George & Liu (1981), *Computer Solution of Large Sparse Positive Definite Systems*, chapters 4 and 8.
    """

    def __init__(self, pattern: sp.csc_array) -> None:
        n = pattern.shape[0]
        self.pattern = pattern
        layout = BandLayout(pattern)
        b = layout.bandwidth
        self.layout: BandLayout | None = None
        self._factorizer = sparse_factorizer()
        self.fits = True
        shape = f"{pattern.nnz} non-zeros, bandwidth {b}"
        work = _SEPARATOR_WORK * float(b) ** 3
        if n * float(b) ** 2 <= MAX_BAND_OPERATIONS and n * float(b + 1) <= MAX_BAND_STORAGE:
            self.layout = layout
            work = n * (_BAND_WORK * float(b) ** 2 + _BAND_WORK_PER_ROW)
            self.reason = f"sparse Hessian ({shape}): band Cholesky"
        elif b**3 / 3 <= MAX_SEPARATOR_OPERATIONS and b**2 <= MAX_SEPARATOR_STORAGE:
            self.reason = f"sparse Hessian ({shape}): sparse Cholesky"
        else:
            self.fits = False
            self.reason = f"the factor of the sparse Hessian ({shape}) would have too much fill"

        self.products_per_factor = int(work / (pattern.nnz + _VECTORS * n))

    def matrix(self, B: sp.csc_array) -> Symmetric:
        """B as a matrix that can be factored; a new layout is computed if its pattern differs."""
        layout = self.layout
        if layout is not None and not same_pattern(B, self.pattern):
            layout = SparseStructure(B).layout
        return SparseSymmetric(B, self._factorizer) if layout is None else BandSymmetric(B, layout)


def same_pattern(A: sp.csc_array, B: sp.csc_array) -> bool:
    return np.array_equal(A.indptr, B.indptr) and np.array_equal(A.indices, B.indices)
