"""Diagonal scalings that bring the rows of a symmetric matrix to size 1."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from newtonkit.linalg.kernels import Matrix, Vector

SWEEPS = 5  # each sweep halves the exponents of the row maxima (Ruiz, 2001)


def equilibrating(H: Matrix | sp.csc_array) -> Vector:
    """The diagonal of D for which the largest entry of every row of DHD is near 1; 1 for a row of zeros.

    DHD has the inertia of H for any positive D (Sylvester's law), so the units of the variables do not matter.

    References
    ----------
    D. Ruiz (2001), A scaling algorithm to equilibrate both rows and columns norms in matrices, RAL-TR-2001-034.
    """
    D = np.ones(H.shape[0])
    for _ in range(SWEEPS):
        if isinstance(H, np.ndarray):
            rows = np.abs(D[:, np.newaxis] * H * D).max(axis=1)
        else:
            rows = abs(scaled(H, D)).max(axis=0).toarray().ravel()
        rows[rows == 0.0] = 1.0
        D /= np.sqrt(rows)
    return D


def scaled(H: sp.csc_array, D: Vector) -> sp.csc_array:
    """DHD for a sparse H."""
    return sp.csc_array(sp.diags_array(D) @ H @ sp.diags_array(D))
