"""The Gauss–Newton model of a fit with a sparse Jacobian: steps of Levenberg and Marquardt by sparse factors.

With A = JD⁻¹ and y = Dp, y(λ) solves (AᵀA + λI)y = −Aᵀr. The matrix is factored, and the solution is corrected by the
residual r + Ay of the least-squares problem itself (corrected seminormal equations). The error of a solve of which the
solution is known bounds what the corrections leave: if it is not small, LSMR on [A; √λ I] gives the step.

References
----------
Björck (1987), Linear Algebra Appl. 88/89, 31: corrected seminormal equations; Fong & Saunders (2011), SIAM J. Sci.
Comput. 33, 2950: LSMR; Moré (1978), LNM 630, section 5: the parameter λ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import lsmr, splu

from newtonkit.fitting.jacobians import Jacobian
from newtonkit.fitting.step_model import Mask, StepModel
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm

_CONTRACTION = 1e-3  # error of one solve, about eps·cond(A)², up to which corrections are trusted; our choice
_CORRECTIONS = 2  # then the error is below 1e-9
_LENGTH = 0.1  # relative accuracy of ‖y‖ on the boundary (Moré, 1978, section 5)
_SECULAR_STEPS = 10
_LSMR_ACCURACY = 1e-12

Solve = Callable[[Vector], Vector]


class SparseStepModel:
    """The model at a point; the interface is that of `newtonkit.fitting.step_model.StepModel`.

    Parameters
    ----------
    J : sparse array, shape (m, n)
    r : ndarray, shape (m,)
    D : ndarray, shape (n,)
        Positive scales; the trust region is ‖Dp‖ ≤ radius.
    free : ndarray of bool, shape (n,)
        The variables that move.
    """

    has_curvature = False
    lowest = math.nan
    S: Matrix | None = None

    def __init__(self, J: Any, r: Vector, D: Vector, free: Mask) -> None:
        self.free, self.all_scales = free, D
        self.D = D[free]
        self.A = sp.csc_array(J)[:, np.flatnonzero(free)] @ sp.diags_array(1.0 / self.D)
        self.r = r
        self.slope = np.asarray(self.A.T @ r)
        self._normal = sp.csc_array(self.A.T @ self.A)
        self._identity = sp.csc_array(sp.eye_array(self.D.size))
        self.full_rank = True
        self._free_step: Vector | None = None

    def add_curvature(self, S: Matrix) -> None:
        """Not supported: the hybrid is not used with sparse Jacobians."""
        raise NotImplementedError

    def free_step(self, *, newton: bool) -> Vector:
        """The minimizer over all y, of minimal length if there are several."""
        if self._free_step is None:
            self._free_step, solve = self._solution(0.0)
            self.full_rank = solve is not None
        return self._free_step

    def step(self, radius: float, *, newton: bool) -> tuple[Vector, bool]:
        """The minimizer y within ‖y‖ ≤ radius, up to 10 %, and whether it is on the boundary."""
        y = self.free_step(newton=newton)
        length = norm(y)
        if length <= radius:
            return y, False
        low, high = 0.0, norm(self.slope) / radius
        # Newton's method from a λ of which the step is not far from the boundary (Hebden's first step needs a factor)
        lam = max(1e-3 * high, math.sqrt(max(low, EPS * high) * high)) if high > 0.0 else 0.0
        for _ in range(_SECULAR_STEPS):
            y, solve = self._solution(lam)
            length = norm(y)
            if abs(length - radius) <= _LENGTH * radius:
                break
            low, high = (lam, high) if length > radius else (low, lam)
            if solve is None:
                lam = math.sqrt(max(low, EPS * high) * high)
                continue
            u = y / length
            lam += (length / radius - 1.0) / float(u @ solve(u))
            if not low < lam < high:
                lam = max(1e-3 * high, math.sqrt(max(low, EPS * high) * high))
        if length > (1.0 + _LENGTH) * radius:
            y = y * (radius / length)
        return y, True

    def predicted(self, y: Vector, *, newton: bool) -> float:
        """The predicted reduction of the cost."""
        Ay = self.A @ y
        return -float(self.slope @ y) - 0.5 * float(Ay @ Ay)

    def to_x(self, y: Vector) -> Vector:
        """The step p = D⁻¹y in all variables, zero in those that are not free."""
        p = np.zeros(self.free.size)
        p[self.free] = y / self.D
        return p

    def standard_lengths(self) -> Vector:
        """Zeros: standard errors are not computed."""
        return np.zeros(self.D.size)

    def escape_length(self, noise: float) -> float | None:
        """None: curvature is not known."""
        return None

    def _solution(self, lam: float) -> tuple[Vector, Solve | None]:
        """y(λ), and the solver of (AᵀA + λI) if its error is bounded."""
        solve = normal_solver(self.A, lam, self._normal + lam * self._identity)
        if solve is not None:
            y = solve(-self.slope)
            for _ in range(_CORRECTIONS):
                y = y + solve(-np.asarray(self.A.T @ (self.r + self.A @ y)) - lam * y)
            return y, solve
        y = lsmr(self.A, -self.r, damp=math.sqrt(lam), atol=_LSMR_ACCURACY, btol=_LSMR_ACCURACY)[0]
        return np.asarray(y), None


def normal_solver(A: Any, lam: float = 0.0, matrix: Any = None) -> Solve | None:
    """The solver of (AᵀA + λI), also for several right-hand sides; None if its error may be large.

    A solve of which the solution is known gives the factor by which a correction reduces the error.

    Parameters
    ----------
    A : sparse array, shape (m, n)
    lam : float, default 0
    matrix : sparse array, optional
        AᵀA + λI, if it is known.
    """
    n = A.shape[1]
    if matrix is None:
        matrix = sp.csc_array(A.T @ A) + lam * sp.csc_array(sp.eye_array(n))
    try:
        factor = splu(
            sp.csc_array(matrix),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    except RuntimeError:  # singular
        return None
    known = np.where(np.arange(n) % 3 == 0, -1.0, 1.0)
    found = factor.solve(np.asarray(A.T @ (A @ known)) + lam * known)
    error = norm(found - known) / norm(known) if np.isfinite(found).all() else math.inf
    return factor.solve if error <= _CONTRACTION else None


AnyStepModel = StepModel | SparseStepModel


def model_of(J: Jacobian, r: Vector, D: Vector, free: Mask) -> AnyStepModel:
    """The model for a dense or a sparse Jacobian."""
    return SparseStepModel(J, r, D, free) if sp.issparse(J) else StepModel(J, r, D, free)
