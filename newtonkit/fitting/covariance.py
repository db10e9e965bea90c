"""Covariances of fitted parameters, and which combinations of them the data determine.

References
----------
Seber & Wild (1989), *Nonlinear Regression*, section 5.8; Huber (1981), *Robust Statistics*, section 7.6; White (1980),
Econometrica 48, 817 (the heteroscedastic form).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newtonkit.fitting.jacobians import column_norms, triangular
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import EPS, Matrix, Vector

_RANK = 10 * EPS  # relative, times the larger dimension: rounding of a singular value decomposition
_FULL = 1000  # rows up to which a full decomposition is made: 8 MB
_LARGEST = 2000  # parameters up to which matrices of NaN are made: 32 MB
_PART_OF_COMBINATION = 0.1  # relative size from which a parameter is named in a combination


@dataclass(frozen=True)
class Covariances:
    """Covariance matrices of the parameters, shape (n, n) each.

    Attributes
    ----------
    linearized : ndarray
        s²(JᵀJ)⁻¹, the usual one; infinite where J does not have full rank.
    sandwich : ndarray
        s²H⁻¹(JᵀJ)H⁻¹ with the exact Hessian H; NaN where H is not available or not positive definite.
    heteroscedastic : ndarray
        H⁻¹(Σ rᵢ²JᵢᵀJᵢ)H⁻¹, valid for residuals of unequal variance; NaN as for the sandwich.
    """

    linearized: Matrix
    sandwich: Matrix
    heteroscedastic: Matrix


def covariances(J: Matrix, r: Vector, S: Matrix | None, variance: float, free: Mask) -> Covariances:
    """The covariances at a solution; rows of parameters at a bound are NaN, since they do not vary.

    Parameters
    ----------
    J : ndarray, shape (m, n)
        The (weighted) Jacobian.
    r : ndarray, shape (m,)
        The (weighted) residuals.
    S : ndarray, shape (n, n), or None
        The second-order part of the Hessian, H = JᵀJ + S.
    variance : float
        s², the variance of the residuals; infinite where there are no degrees of freedom.
    free : ndarray of bool, shape (n,)
        Which parameters are not at a bound.
    """
    n, k = free.size, int(free.sum())
    missing = np.full((n, n), np.nan)
    if not k:
        return Covariances(missing, missing, missing)
    A = J if free.all() else J[:, free]
    norms = column_norms(A)
    sizes = np.where(norms > 0.0, norms, 1.0)
    _, s, Vt = np.linalg.svd(triangular(A) / sizes, full_matrices=False)
    place = np.ix_(free, free)
    if A.shape[0] < k or not s[-1] > _RANK * max(A.shape) * s[0] or not np.isfinite(variance):
        infinite = missing.copy()
        infinite[place] = np.inf
        return Covariances(infinite, missing, missing)
    W = (Vt.T / s) / sizes[:, np.newaxis]  # (JᵀJ)⁻¹ = WWᵀ
    linearized = missing.copy()
    linearized[place] = variance * (W @ W.T)
    if S is None:
        return Covariances(linearized, missing, missing)
    ratio = np.eye(k) + W.T @ S[place] @ W
    if not np.isfinite(ratio).all():
        return Covariances(linearized, missing, missing)
    eigenvalues = np.linalg.eigvalsh(ratio)
    if not eigenvalues[0] > np.finfo(float).eps * eigenvalues[-1]:  # singular up to rounding
        return Covariances(linearized, missing, missing)
    half = W @ np.linalg.inv(ratio)  # H⁻¹ = half Wᵀ, H⁻¹JᵀJH⁻¹ = half halfᵀ
    sandwich, heteroscedastic = missing.copy(), missing.copy()
    sandwich[place] = variance * (half @ half.T)
    scores = (A * r[:, np.newaxis]) @ W @ half.T
    heteroscedastic[place] = scores.T @ scores
    return Covariances(linearized, sandwich, heteroscedastic)


def unknown_covariances(n: int) -> Covariances:
    """NaN, where the Jacobian is not finite; without entries, where n × n entries are too many."""
    missing = np.full((n, n) if n <= _LARGEST else (0, 0), np.nan)
    return Covariances(missing, missing, missing)


def undetermined_combinations(J: Matrix, free: Mask, names: Sequence[str]) -> list[str]:
    """The combinations of parameters that the data do not determine, in relative changes, as text.

    A right singular vector of J with unit columns whose singular value is rounding; entries below a tenth of the
    largest are left out. A column of zeros gives the parameter alone.
    """
    A = J if free.all() else J[:, free]
    labels = [name for name, is_free in zip(names, free, strict=True) if is_free]
    norms = column_norms(A)
    found = [labels[i] for i in np.flatnonzero(norms == 0.0)]
    kept = np.flatnonzero(norms > 0.0)
    if kept.size:
        _, s, Vt = np.linalg.svd(_square(A[:, kept]) / norms[kept])
        rank = int(np.sum(s > _RANK * max(A.shape) * s[0]))
        for v in Vt[rank:]:
            largest = np.abs(v).max()
            signed = sorted(
                (weight < 0.0, labels[kept[i]])
                for i, weight in enumerate(v * np.sign(v[np.argmax(np.abs(v))]))
                if abs(weight) >= _PART_OF_COMBINATION * largest
            )
            text = "".join(f" {'−' if negative else '+'} {label}" for negative, label in signed)
            found.append(text.removeprefix(" + "))
    return found


def _square(A: Matrix) -> Matrix:
    """A matrix with the same right singular vectors as A and no more rows than needed."""
    A = triangular(A)
    return A if A.shape[0] <= _FULL else np.asarray(np.linalg.qr(A, mode="r"))
