"""Variable projection: parameters in which the residuals are affine are eliminated at every trial point.

References
----------
Golub & Pereyra (1973), SIAM J. Numer. Anal. 10, 413; Kaufman (1975), BIT 15, 49.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from newtonkit.core.counts import Counts
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.problem import FitPoint
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import EPS, Matrix, Vector

_RANK = 10 * EPS  # relative to the largest singular value of the linear columns; below, coefficients are rounding
_TRIES = 2  # points at which the curvature of the residuals is looked at


@dataclass
class ProjectedPoint(FitPoint):
    """A point of the reduced problem, with an orthonormal basis Q of the linear columns and their inverse factor."""

    Phi: Matrix | None = None
    """The columns of the linear parameters."""
    Q: Matrix | None = None
    inverse: Matrix | None = None
    C: Matrix | None = None
    """QᵀJ of the nonlinear columns."""


class ProjectedProblem:
    """The residuals with their linear parameters minimized out.

    Gradient and Hessian of the reduced cost are exact: the Hessian is the Schur complement of that of the whole cost.

    Parameters
    ----------
    functions : FitFunctions
    x0 : ndarray
        All parameters at the start.
    linear : ndarray of bool
        Which of them are eliminated.
    """

    def __init__(self, functions: FitFunctions, x0: Vector, linear: Mask) -> None:
        self.functions, self.is_linear = functions, linear
        self.linear, self.nonlinear = np.flatnonzero(linear), np.flatnonzero(~linear)
        self._start = x0.copy()

    @property
    def counts(self) -> Counts:
        """Evaluations so far."""
        return self.functions.counts

    @property
    def has_curvature(self) -> bool:
        """Whether the exact second derivatives of the residuals are available."""
        return self.functions.has_curvature

    @property
    def exact_differences(self) -> bool:
        """True: the loss is linear."""
        return True

    def evaluate(self, x: Vector) -> ProjectedPoint:
        """The residuals at the best linear parameters for these nonlinear ones."""
        parameters = self._start.copy()
        parameters[self.nonlinear] = x
        with np.errstate(all="ignore"):
            r, Phi = self._affine_part(parameters)
            if not math.isfinite(float(np.sum(r) + np.sum(Phi))):
                return ProjectedPoint(x, parameters, r, math.nan, r)
            sizes = np.linalg.norm(Phi, axis=0)
            sizes[sizes == 0.0] = 1.0
            U, s, Vt = np.linalg.svd(Phi / sizes, full_matrices=False)
            kept = s > _RANK * max(Phi.shape) * s[0]
            Q, inverse = U[:, kept], (Vt[kept] / sizes).T / s[kept]
            parameters[self.linear] -= inverse @ (Q.T @ r)
            r = r - Q @ (Q.T @ r)
            r = r - Q @ (Q.T @ r)  # once more: the first pass leaves rounding of the size of the whole r
            cost = 0.5 * float(r @ r)
        return ProjectedPoint(
            x, parameters, r, cost if math.isfinite(cost) else math.nan, r, Q=Q, inverse=inverse, Phi=Phi
        )

    def _affine_part(self, parameters: Vector) -> tuple[Vector, Matrix]:
        """r and its linear columns at linear parameters 0; at the caller's where they are not finite there.

        At 0 the solution is the most accurate.
        """
        for values in (0.0, self._start[self.linear]):
            parameters[self.linear] = values
            r, Phi = self.functions.residuals(parameters), self.functions.jacobian(parameters, self.is_linear)
            if sp.issparse(Phi):
                raise ValueError("variable projection requires a dense Jacobian; use method 'levenberg-marquardt'")
            if math.isfinite(float(np.sum(r) + np.sum(Phi))):
                break
        return r, Phi

    def linearize(self, at: FitPoint) -> bool:
        """The Jacobian of the reduced residuals, up to terms that vanish with r (Kaufman)."""
        assert isinstance(at, ProjectedPoint)
        assert at.Q is not None
        with np.errstate(all="ignore"):
            J = self.functions.jacobian(at.parameters, ~self.is_linear)
            assert at.Phi is not None
            sizes = np.abs(J) @ np.abs(at.parameters[self.nonlinear])
            at.rounding = np.abs(at.residuals) + np.abs(at.Phi) @ np.abs(at.parameters[self.linear]) + sizes
            at.C = at.Q.T @ J
            at.jacobian = J - at.Q @ at.C
        return bool(np.isfinite(at.jacobian).all())

    def curvature(self, at: FitPoint) -> Matrix:
        """What the Schur complement adds to JᵀJ of the reduced Jacobian."""
        assert isinstance(at, ProjectedPoint)
        assert at.inverse is not None
        assert at.C is not None
        with np.errstate(all="ignore"):
            S = at.second = self.functions.curvature(at.parameters, at.residuals)
            E = at.inverse.T @ S[np.ix_(self.linear, self.nonlinear)]
            return S[np.ix_(self.nonlinear, self.nonlinear)] - at.C.T @ E - E.T @ at.C - E.T @ E


def linear_parameters(functions: FitFunctions, x: Vector, m: int) -> Mask:
    """A largest set, found greedily, of parameters in which all residuals are jointly affine.

    Their block of Σ wᵢ∇²rᵢ is exactly zero for every w; it is looked at for random w at two points.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    rng = np.random.default_rng(0)
    n = x.size
    largest = np.zeros((n, n))
    for _ in range(_TRIES):
        y = functions.domain.project(x * (1.0 + 0.1 * rng.uniform(-1.0, 1.0, n)) + 1e-3 * (x == 0.0))
        with np.errstate(all="ignore"):
            H = np.abs(functions.curvature(y, rng.standard_normal(m)))
        largest = np.maximum(largest, np.nan_to_num(H, nan=np.inf, posinf=np.inf))
    curved = largest > 0.0
    best: list[int] = []
    by_partners = np.argsort(curved.sum(axis=1), kind="stable")
    for first in range(n):
        chosen: list[int] = []
        for i in map(int, (first, *by_partners)):
            if i not in chosen and not curved[i, i] and not curved[i, chosen].any():
                chosen.append(i)
        best = max(best, chosen, key=len)
    return np.isin(np.arange(n), best)
