"""Diagonal scalings that bring the rows of a symmetric matrix to size 1."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from newtonkit.linalg.kernels import Matrix, Vector

_SWEEPS = 5  # the equilibration converges like 2^-k in the exponents


def equilibrating(H: Matrix | sp.csc_array) -> Vector:
    """The diagonal of D that brings the largest entry of every row of DHD near 1; 1 for a row of zeros.

    Sylvester's law: DHD has the inertia of H, whatever the units of the variables (Ruiz, 2001).
    """
    D = np.ones(H.shape[0])
    for _ in range(_SWEEPS):
        if isinstance(H, np.ndarray):
            rows = np.abs(D[:, np.newaxis] * H * D).max(axis=1)
        else:
            rows = abs(scaled(H, D)).max(axis=0).toarray().ravel()
        rows[rows == 0.0] = 1.0
        D /= np.sqrt(rows)
    return D


def scaled(H: sp.csc_array, D: Vector) -> sp.csc_array:
    """DHD of a sparse H."""
    return sp.csc_array(sp.diags_array(D) @ H @ sp.diags_array(D))
