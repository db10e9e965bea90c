"""The Gauss–Newton and the Newton model of a fit at one point, from one singular value decomposition of J.

With J D⁻¹ = U diag(s) Vᵀ, the coordinates y = VᵀDp and c = Uᵀr, the gradient of the cost is s·c, and

    Gauss–Newton:  ∇²m = diag(s²),      free step −c/s,
    Newton:        ∇²m = diag(s²) + K,  free step −s⁻¹(I + s⁻¹Ks⁻¹)⁻¹c,   K = VᵀD⁻¹SD⁻¹V,  S = Σ rᵢ∇²rᵢ.

JᵀJ is never formed, so that errors grow with the condition of J, not with its square.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from newtonkit.fitting.jacobians import is_tall, triangular_factor
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.step_bound import TrustRegion

Mask = NDArray[np.bool_]

_RANK = 10 * EPS  # relative to the largest singular value and the larger dimension of J: rounding of the decomposition
_POSITIVE = 1e-10  # λmin(I + s⁻¹Ks⁻¹) from which Newton's model is taken as certainly convex
_CLEAR = 100.0  # times a rounding error: what a test can see; our choice
_LENGTH = 1e-10  # relative accuracy of ‖y‖ on the boundary
_SECULAR_STEPS = 60


def length_of(y: Vector) -> float:
    """‖y‖; 0 for a vector without entries, of which BLAS does not accept the norm."""
    return norm(y) if y.size else 0.0


class StepModel:
    """Both models at a point.

    Parameters
    ----------
    J : ndarray, shape (m, n)
    r : ndarray, shape (m,)
    D : ndarray, shape (n,)
        Positive scales; the trust region is ‖Dp‖ ≤ radius.
    free : ndarray of bool, shape (n,)
        The variables that move; the others are at a bound, with a multiplier of the right sign.
    """

    def __init__(self, J: Matrix, r: Vector, D: Vector, free: Mask) -> None:
        self.free, self.all_scales = free, D
        D = D[free]
        rows = J.shape[0]
        J = J if free.all() else J[:, free]
        if is_tall(J):
            scaled, r = triangular_factor(J, r, D)
        else:
            scaled = J / D
        if scaled.shape[0] < scaled.shape[1]:
            scaled = np.vstack([scaled, np.zeros((scaled.shape[1] - scaled.shape[0], scaled.shape[1]))])
        U, self.s, self.Vt = np.linalg.svd(scaled, full_matrices=False)
        self.c = np.ascontiguousarray(U[: r.size].T @ r)
        self.D = D
        largest = float(self.s[0]) if self.s.size else 0.0
        self.rank = int(np.sum(self.s > _RANK * max(rows, free.size) * largest)) if largest > 0.0 else 0
        self.lowest = math.nan
        """λmin(I + s⁻¹Ks⁻¹), once the curvature is known: positive at a minimum, 1 without curvature of r."""
        self.S: Matrix | None = None
        self._K: Matrix | None = None
        self._ratio: Matrix | None = None

    @property
    def full_rank(self) -> bool:
        """Whether J has full column rank up to rounding."""
        return self.rank == self.s.size

    @property
    def has_curvature(self) -> bool:
        """Whether `add_curvature` has been called."""
        return self._K is not None

    def add_curvature(self, S: Matrix) -> None:
        """Add the second-order part of the Hessian, shape (n, n)."""
        self.S = S
        scaled = S[np.ix_(self.free, self.free)] / self.D / self.D[:, np.newaxis]
        self._K = self.Vt @ scaled @ self.Vt.T
        self.lowest = -math.inf
        if not self.s.size:
            self.lowest = math.inf
        elif not self.full_rank:
            # in the subspace that J does not see, curvature is that of the residuals alone
            H = np.diag(self.s**2) + self._K
            rounding = _RANK * self.s.size * float(np.abs(H).max())
            least = float(np.linalg.eigvalsh(0.5 * (H + H.T))[0]) if np.isfinite(H).all() else -math.inf
            self.lowest = -math.inf if least < -rounding else least if least > _CLEAR * rounding else 0.0
        else:
            self._ratio = np.eye(self.s.size) + self._K / self.s / self.s[:, np.newaxis]
            if np.isfinite(self._ratio).all():
                self.lowest = float(np.linalg.eigvalsh(self._ratio)[0])

    def free_step(self, *, newton: bool) -> Vector | None:
        """The minimizer over all y; None where the model is not certainly convex.

        Of a rank-deficient Gauss–Newton model the shortest minimizer.
        """
        if not newton:
            y = np.zeros_like(self.s)
            y[: self.rank] = -self.c[: self.rank] / self.s[: self.rank]
            return y
        if not self.s.size:
            return self.c
        if self._ratio is None or not self.lowest > _POSITIVE:
            return None
        try:
            return np.asarray(-np.linalg.solve(self._ratio, self.c) / self.s)
        except np.linalg.LinAlgError:  # entries that overflow in the elimination
            return None

    def step(self, radius: float, *, newton: bool) -> tuple[Vector, bool]:
        """The minimizer y within ‖y‖ ≤ radius, and whether it is on the boundary."""
        free = self.free_step(newton=newton)
        if free is not None and length_of(free) <= radius:
            return free, False
        if newton and self._K is not None:
            B = np.diag(self.s**2) + self._K
            if not np.isfinite(B).all():
                return self._levenberg_marquardt(radius)
            solution = EigenSubproblem(self.s * self.c, 0.5 * (B + B.T)).solve(TrustRegion(radius))
            return np.ascontiguousarray(solution.p), True
        return self._levenberg_marquardt(radius)

    def escape_length(self, noise: float) -> float | None:
        """The length along the most negative curvature at which the cost falls by 100 times its rounding error.

        None where Newton's model has no certainly negative curvature.
        """
        if self._K is None or not self.s.size or not np.isfinite(self._K).all():
            return None
        B = np.diag(self.s**2) + 0.5 * (self._K + self._K.T)
        lowest = float(np.linalg.eigvalsh(B)[0])
        if lowest >= -_RANK * self.s.size * float(np.abs(B).max()):
            return None
        return math.sqrt(2.0 * _CLEAR * noise / -lowest)

    def predicted(self, y: Vector, *, newton: bool) -> float:
        """The predicted reduction of the cost."""
        sy = self.s * y
        curvature = float(y @ self._K @ y) if newton and self._K is not None else 0.0
        return -float(sy @ self.c) - 0.5 * float(sy @ sy) - 0.5 * curvature

    def to_x(self, y: Vector) -> Vector:
        """The step p = D⁻¹Vy in all variables, zero in those that are not free."""
        p = np.zeros(self.free.size)
        p[self.free] = (self.Vt.T @ y) / self.D
        return p

    def standard_lengths(self) -> Vector:
        """The roots of the diagonal of (JᵀJ)⁻¹ over the free variables; for full rank only."""
        return np.asarray(np.linalg.norm(self.inverse_factor(), axis=1))

    def inverse_factor(self) -> Matrix:
        """W with (JᵀJ)⁻¹ = WWᵀ over the free variables; for full rank only."""
        W: Matrix = (self.Vt.T / self.s) / self.D[:, np.newaxis]
        return W

    def _levenberg_marquardt(self, radius: float) -> tuple[Vector, bool]:
        """y = −s·c/(s² + λ) with ‖y‖ = radius, by Newton's method on 1/‖y‖ (Moré, 1978, LNM 630, section 5).

        Called where the free step is longer. Singular values that are rounding are left out.
        """
        s, c = self.s[: self.rank], self.c[: self.rank]
        slopes = s * c
        lam = max(0.0, float(np.max(np.abs(slopes) / radius - s * s)))
        y = np.zeros_like(self.s)
        for _ in range(_SECULAR_STEPS):
            shifted = s * s + lam
            y[: self.rank] = -slopes / shifted
            length = norm(y)
            if length <= (1.0 + _LENGTH) * radius:
                break
            u = y[: self.rank] / length
            lam += (length / radius - 1.0) / float(np.sum(u * u / shifted))
        return y, True
