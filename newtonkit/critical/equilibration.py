"""Diagonal scalings that bring the rows of a symmetric matrix to size 1."""

from __future__ import annotations

import numpy as np

from newtonkit.linalg import Matrix, Vector

_SWEEPS = 5  # the equilibration converges like 2^-k in the exponents


def equilibrating(H: Matrix) -> Vector:
    """The diagonal of D that brings the largest entry of every row of DHD near 1; 1 for a row of zeros.

    Sylvester's law: DHD has the inertia of H, whatever the units of the variables (Ruiz, 2001).
    """
    D = np.ones(len(H))
    for _ in range(_SWEEPS):
        rows = np.abs(D[:, np.newaxis] * H * D).max(axis=1)
        rows[rows == 0.0] = 1.0
        D /= np.sqrt(rows)
    return D
