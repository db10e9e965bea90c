"""The verdict "minimum" from what the iteration of a fit has computed, where that leaves no doubt."""

from __future__ import annotations

import numpy as np

from newtonkit.classification.verdict import Verdict
from newtonkit.fitting.covariance import UnitColumns
from newtonkit.linalg.kernels import Matrix, Vector, eigh, max_norm, norm

# Where the free step is at most 1e-8 of each parameter, J and S would have to change by more than 1e-4 of themselves
# within it for an eigenvalue to change its sign. Our choice: 50 of the 54 NIST runs qualify.
_CONDITION = 1e4  # of J with unit columns
_STEP = 1e-7  # relative length of the step to the minimum, ten times the default xtol
_CURVATURE = 0.1, 1e4  # limits for the eigenvalues of W'HW = I + W'SW, with WW' = (J'J)⁻¹: 1 without curvature of r


def certified_minimum(columns: UnitColumns, x: Vector, g: Vector, H: Matrix, S: Matrix) -> Verdict | None:
    """The verdict "minimum" at a converged point; None where J or the curvature leave doubt.

    Parameters
    ----------
    columns : UnitColumns
        Of the Jacobian, shape (m, n).
    x : ndarray, shape (n,)
    g : ndarray, shape (n,)
        The gradient.
    H, S : ndarray, shape (n, n)
        The Hessian of the cost and its second-order part, H = JᵀJ + S.
    """
    if not (columns.full_rank and columns.s[-1] * _CONDITION >= columns.s[0]):
        return None
    W = columns.inverse_factor()
    ratio = np.eye(g.size) + W.T @ S @ W
    if not np.isfinite(ratio).all():
        return None
    curvature, Q = np.linalg.eigh(ratio)
    if not (curvature[0] >= _CURVATURE[0] and curvature[-1] <= _CURVATURE[1]):
        return None
    slopes = Q.T @ (W.T @ g)
    step = W @ (Q @ (slopes / curvature))
    if not (np.abs(step) <= _STEP * np.abs(x)).all():
        return None
    eigenvalues = eigh(H)[0]
    if not eigenvalues[0] > 0.0:  # units that differ so much that rounding hides the smallest
        return None
    return Verdict(
        "minimum",
        f"every eigenvalue is positive, the smallest {eigenvalues[0]:.3g}",
        index=0,
        nullity=0,
        eigenvalues=eigenvalues,
        source="exact derivatives",
        gradient_norm=max_norm(g),
        newton_step=norm(step),
        distance=norm(step),
        decrease=0.5 * float(slopes @ (slopes / curvature)),
        level="numerical",
    )
