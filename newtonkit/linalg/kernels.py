"""BLAS and LAPACK kernels under mathematical names.

Every vector is a contiguous float64 array. The same operations by numpy cost three to thirty times more at n ≤ 100
(measured on Python 3.11), so the iterations use these kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import daxpy, ddot, dgemv, dnrm2, dscal, dsymv, dsyr, dsyr2, dtrsv, idamax
from scipy.linalg.lapack import dgesv, dpbtrf, dpbtrs, dpotrf, dpotrs, dpttrf, dpttrs, dsyev, dsyevd

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
_SMALLEST_SQUARE = 1e-280  # no digit of a sum of squares above it is lost to underflow


# the inner product xᵀy
dot: Callable[[Vector, Vector], float] = ddot

# the Euclidean norm ‖x‖, without overflow or underflow
norm: Callable[[Vector], float] = dnrm2


def add_scaled(y: Vector, alpha: float, x: Vector) -> Vector:
    """y + αx, computed in the memory of y: use the returned array and do not use y again."""
    return daxpy(x, y, a=alpha)  # type: ignore[no-any-return]


def max_norm(x: Vector) -> float:
    """The maximum norm ‖x‖∞; x must be finite (otherwise the result of BLAS is undefined)."""
    return abs(float(x[idamax(x)]))


def all_finite(x: Vector) -> bool:
    """Whether every entry is finite: one inner product; the entries are checked only if it is not finite."""
    return math.isfinite(ddot(x, x)) or bool(np.isfinite(x).all())


def symmetric_times(A: Matrix, x: Vector) -> Vector:
    """Ax for a symmetric A in Fortran order; only the upper triangle is read."""
    return dsymv(1.0, A, x)  # type: ignore[no-any-return]


def rank_two_update(A: Matrix, x: Vector, y: Vector) -> Matrix:
    """A + xyᵀ + yxᵀ on the upper triangle of a Fortran-ordered A, computed in the memory of A."""
    return dsyr2(1.0, x, y, a=A, overwrite_a=1)  # type: ignore[no-any-return]


def eigh(A: Matrix) -> tuple[Vector, Matrix]:
    """Eigenvalues in ascending order and orthonormal eigenvectors (columns) of a symmetric matrix.

    Raises
    ------
    numpy.linalg.LinAlgError
        If LAPACK's iteration does not converge.
    """
    eigenvalues, vectors, info = dsyevd(A, lower=1)
    if info != 0:  # divide and conquer fails on some graded matrices for which the QR iteration converges
        eigenvalues, vectors, info = dsyev(A, lower=1)
    if info != 0:
        raise np.linalg.LinAlgError(f"dsyev did not converge (info = {info})")
    return eigenvalues, vectors


def solve(A: Matrix, b: Vector) -> Vector | None:
    """The solution of Ax = b by LU with partial pivoting, or None if a pivot is exactly zero."""
    _, _, x, info = dgesv(A, b)
    return x if info == 0 else None


def cholesky(A: Matrix) -> Matrix | None:
    """The Cholesky factor R, A = RᵀR, on the upper triangle; None if A is not positive definite.

    A is in Fortran order. It is overwritten, and only its upper triangle is read.
    """
    R, info = dpotrf(A, lower=0, clean=0, overwrite_a=1)
    return R if info == 0 else None


def cholesky_solve(R: Matrix, b: Vector) -> Vector:
    """The solution of RᵀRx = b."""
    return dpotrs(R, b, lower=0)[0]  # type: ignore[no-any-return]


def band_cholesky(bands: Matrix) -> Matrix | None:
    """The factor of a banded matrix in LAPACK's upper storage; None if the matrix is not positive definite.

    Row k of ``bands`` holds diagonal number (rows − 1 − k). ``bands`` is in Fortran order and is overwritten.
    """
    factor, info = dpbtrf(bands, lower=0, overwrite_ab=1)
    return factor if info == 0 else None


def band_cholesky_solve(factor: Matrix, b: Vector) -> Vector:
    """The solution with a factor of `band_cholesky`."""
    return dpbtrs(factor, b, lower=0)[0]  # type: ignore[no-any-return]


def tridiagonal_cholesky(diagonal: Vector, off_diagonal: Vector) -> tuple[Vector, Vector] | None:
    """D and L, A = LDLᵀ, of a symmetric tridiagonal matrix; None if it is not positive definite."""
    d, e, info = dpttrf(diagonal, off_diagonal)
    return (d, e) if info == 0 else None


def tridiagonal_solve(factor: tuple[Vector, Vector], b: Vector) -> Vector:
    """The solution with a factor of `tridiagonal_cholesky`."""
    return dpttrs(*factor, b)[0]  # type: ignore[no-any-return]


def quick_norm(x: Vector) -> float:
    """The Euclidean norm from one inner product, up to rounding: five times as fast as `norm` at n = 1e5 (measured)."""
    square = ddot(x, x)
    return math.sqrt(square) if _SMALLEST_SQUARE < square < math.inf else norm(x)


def scale(x: Vector, alpha: float) -> Vector:
    """αx, computed in the memory of x: use the returned array and do not use x again."""
    return dscal(alpha, x)  # type: ignore[no-any-return]


def finite_max_norm(x: Vector) -> float:
    """The maximum norm ‖x‖∞, or NaN if an entry is not finite."""
    if math.isfinite(ddot(x, x)) or np.isfinite(x).all():
        return abs(x.item(idamax(x)))
    return math.nan


def gemv(alpha: float, A: Matrix, c: Vector, beta: float, y: Vector) -> Vector:
    """αAc + βy for a Fortran-ordered A, computed in the memory of y: use the returned array and do not use y again."""
    return dgemv(alpha, A, c, beta, y, overwrite_y=1)  # type: ignore[no-any-return]


def inner_products(A: Matrix, x: Vector) -> Vector:
    """Aᵀx for a Fortran-ordered A: the inner product of x with each column."""
    return dgemv(1.0, A, x, trans=1)  # type: ignore[no-any-return]


def solve_triangular(R: Matrix, b: Vector, *, transposed: bool = False) -> Vector:
    """The solution of Rx = b, or Rᵀx = b, for an upper triangular R, in the memory of b; no pivot may be zero."""
    return dtrsv(R, b, trans=transposed, overwrite_x=1)  # type: ignore[no-any-return]


def rank_one_update(A: Matrix, alpha: float, x: Vector) -> Matrix:
    """A + αxxᵀ on the upper triangle of a Fortran-ordered A, computed in the memory of A."""
    return dsyr(alpha, x, a=A, overwrite_a=1)  # type: ignore[no-any-return]
