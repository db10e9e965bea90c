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


class UnitColumns:
    """The singular value decomposition of a Jacobian with its columns scaled to length 1.

    Parameters
    ----------
    A : ndarray, shape (m, k)

    Attributes
    ----------
    norms : ndarray, shape (k,)
        Of the columns.
    s, Vt : ndarray
        Singular values, and right singular vectors as rows.
    full_rank : bool
        Whether the smallest singular value is more than rounding.
    """

    def __init__(self, A: Matrix) -> None:
        self.norms = column_norms(A)
        self._sizes = np.where(self.norms > 0.0, self.norms, 1.0)
        _, self.s, self.Vt = np.linalg.svd(triangular(A) / self._sizes, full_matrices=False)
        self.full_rank = A.shape[0] >= A.shape[1] and bool(self.s[-1] > _RANK * max(A.shape) * self.s[0])

    def inverse_factor(self) -> Matrix:
        """W with (AᵀA)⁻¹ = WWᵀ; for full rank only."""
        W: Matrix = (self.Vt.T / self.s) / self._sizes[:, np.newaxis]
        return W


def covariances(
    columns: UnitColumns | None, A: Matrix, r: Vector, S: Matrix | None, variance: float, free: Mask
) -> Covariances:
    """The covariances at a solution; rows of parameters at a bound are NaN, since they do not vary.

    Parameters
    ----------
    columns : UnitColumns or None
        Of A; None where every parameter is at a bound.
    A : ndarray, shape (m, k)
        The columns of the (weighted) Jacobian that belong to free parameters.
    r : ndarray, shape (m,)
        The (weighted) residuals.
    S : ndarray, shape (k, k), or None
        The second-order part of the Hessian of the free parameters, H = AᵀA + S.
    variance : float
        s², the variance of the residuals; infinite where there are no degrees of freedom.
    free : ndarray of bool, shape (n,)
        Which parameters are not at a bound.
    """
    n = free.size
    missing = np.full((n, n), np.nan)
    if columns is None:
        return Covariances(missing, missing, missing)
    place = np.ix_(free, free)
    if not (columns.full_rank and np.isfinite(variance)):
        infinite = missing.copy()
        infinite[place] = np.inf
        return Covariances(infinite, missing, missing)
    W = columns.inverse_factor()
    linearized = missing.copy()
    linearized[place] = variance * (W @ W.T)
    if S is None:
        return Covariances(linearized, missing, missing)
    ratio = np.eye(A.shape[1]) + W.T @ S @ W
    if not np.isfinite(ratio).all():
        return Covariances(linearized, missing, missing)
    eigenvalues = np.linalg.eigvalsh(ratio)
    if not eigenvalues[0] > np.finfo(float).eps * eigenvalues[-1]:  # singular up to rounding
        return Covariances(linearized, missing, missing)
    half = W @ np.linalg.inv(ratio)  # H⁻¹ = half Wᵀ, H⁻¹AᵀAH⁻¹ = half halfᵀ
    sandwich, heteroscedastic = missing.copy(), missing.copy()
    sandwich[place] = variance * (half @ half.T)
    scores = (A * r[:, np.newaxis]) @ W @ half.T
    heteroscedastic[place] = scores.T @ scores
    return Covariances(linearized, sandwich, heteroscedastic)


def unknown_covariances(n: int) -> Covariances:
    """NaN, where the Jacobian is not finite; without entries, where n × n entries are too many."""
    missing = np.full((n, n) if n <= _LARGEST else (0, 0), np.nan)
    return Covariances(missing, missing, missing)


def undetermined_combinations(columns: UnitColumns, A: Matrix, labels: Sequence[str]) -> list[str]:
    """The combinations of parameters that the data do not determine, in relative changes, as text.

    A right singular vector of J with unit columns whose singular value is rounding; entries below a tenth of the
    largest are left out. A column of zeros gives the parameter alone.
    """
    if columns.full_rank:
        return []
    norms = columns.norms
    found = [labels[int(i)] for i in np.flatnonzero(norms == 0.0)]
    kept = np.flatnonzero(norms > 0.0)
    if kept.size:
        _, s, Vt = np.linalg.svd(_square(A[:, kept]) / norms[kept])
        rank = int(np.sum(s > _RANK * max(A.shape) * s[0]))
        found += [_combination(v, [labels[int(i)] for i in kept]) for v in Vt[rank:]]
    return found


def flat_combinations(H: Matrix, columns: UnitColumns, labels: Sequence[str], count: int) -> list[str]:
    """The combinations along which the cost is flat: those of the lowest eigenvalues of the scaled Hessian, as text."""
    sizes = np.where(columns.norms > 0.0, columns.norms, 1.0)
    Q = np.linalg.eigh(H / sizes / sizes[:, np.newaxis])[1]
    return [_combination(v, labels) for v in Q.T[:count]]


def _combination(v: Vector, labels: Sequence[str]) -> str:
    largest = np.abs(v).max()
    signed = sorted(
        (bool(weight < 0.0), label)
        for label, weight in zip(labels, v * np.sign(v[np.argmax(np.abs(v))]), strict=True)
        if abs(weight) >= _PART_OF_COMBINATION * largest
    )
    text = "".join(f" {'−' if negative else '+'} {label}" for negative, label in signed)
    return text.removeprefix(" + ")


def _square(A: Matrix) -> Matrix:
    """A matrix with the same right singular vectors as A and no more rows than needed."""
    A = triangular(A)
    return A if A.shape[0] <= _FULL else np.asarray(np.linalg.qr(A, mode="r"))
