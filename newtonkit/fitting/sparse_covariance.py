"""The covariance of fitted parameters for a sparse Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np

from newtonkit.fitting.covariance import Covariances, unknown_covariances
from newtonkit.fitting.jacobians import column_norms
from newtonkit.fitting.sparse_model import normal_solver
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import Matrix

_MOST_WORK = 1e9  # entries of J times parameters: about 2 s, measured on one core
_LARGEST = 2000  # parameters: a covariance of 32 MB


def sparse_covariances(J: Any, variance: float, free: Mask) -> Covariances:
    """s²(JᵀJ)⁻¹ by sparse factors with corrections, as in the steps; the forms with the exact Hessian are NaN.

    Infinite where the matrix is singular; NaN where factors are too inaccurate, where there are more than 2000
    parameters, or where it takes too much work.
    """
    n = free.size
    unknown = unknown_covariances(n)
    k = int(free.sum())
    if not k or n > _LARGEST or J.nnz * n > _MOST_WORK or not np.isfinite(variance):
        return unknown
    A = J[:, np.flatnonzero(free)]
    norms = column_norms(A)
    if (norms == 0.0).any():
        return Covariances(_placed(np.full((k, k), np.inf), free), unknown.sandwich, unknown.heteroscedastic)
    A = A.multiply(1.0 / norms).tocsc()
    solve = normal_solver(A)
    if solve is None:
        return unknown
    identity = np.eye(k)
    X = solve(identity)
    X = X + solve(identity - np.asarray(A.T @ (A @ X)))
    inverse = 0.5 * (X + X.T) / norms / norms[:, np.newaxis]
    return Covariances(_placed(variance * inverse, free), unknown.sandwich, unknown.heteroscedastic)


def _placed(matrix: Matrix, free: Mask) -> Matrix:
    found = np.full((free.size, free.size), np.nan)
    found[np.ix_(free, free)] = matrix
    return found
