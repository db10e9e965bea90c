"""BLAS and LAPACK kernels under mathematical names: the only file that knows about speed.

Every vector is a contiguous float64 array. The ``numpy`` spellings of the same operations cost three to
thirty times more at n <= 100 (measured on Python 3.11), which is why they are not used in the loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import daxpy, ddot, dnrm2, dsymv, dsyr2, idamax
from scipy.linalg.lapack import dgesv, dsyevd

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)


# the inner product xᵀy
dot: Callable[[Vector, Vector], float] = ddot

# the Euclidean norm ‖x‖, without overflow or underflow
norm: Callable[[Vector], float] = dnrm2


def add_scaled(y: Vector, alpha: float, x: Vector) -> Vector:
    """y + αx, computed in y's own memory: use the returned array and forget y."""
    return daxpy(x, y, a=alpha)  # type: ignore[no-any-return]


def max_norm(x: Vector) -> float:
    """The maximum norm ‖x‖∞; x must be finite (BLAS leaves the answer open otherwise)."""
    return abs(float(x[idamax(x)]))


def all_finite(x: Vector) -> bool:
    """Whether every entry is finite: one inner product, and only if that overflows a look at each entry."""
    return math.isfinite(ddot(x, x)) or bool(np.isfinite(x).all())


def symmetric_times(A: Matrix, x: Vector) -> Vector:
    """Ax for a symmetric A of which only the upper triangle is read (Fortran order)."""
    return dsymv(1.0, A, x)  # type: ignore[no-any-return]


def rank_two_update(A: Matrix, x: Vector, y: Vector) -> Matrix:
    """A + xyᵀ + yxᵀ on the upper triangle of a Fortran-ordered A, in its own memory."""
    return dsyr2(1.0, x, y, a=A, overwrite_a=1)  # type: ignore[no-any-return]


def eigh(A: Matrix) -> tuple[Vector, Matrix]:
    """Eigenvalues in ascending order and orthonormal eigenvectors (columns) of a symmetric matrix.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the iteration of LAPACK does not converge.
    """
    eigenvalues, vectors, info = dsyevd(A, lower=1)
    if info != 0:
        raise np.linalg.LinAlgError(f"dsyevd did not converge (info = {info})")
    return eigenvalues, vectors


def solve(A: Matrix, b: Vector) -> Vector | None:
    """The solution of Ax = b by LU with partial pivoting, or None where a pivot is exactly zero."""
    _, _, x, info = dgesv(A, b)
    return x if info == 0 else None
