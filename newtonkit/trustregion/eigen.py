"""The subproblem by one eigendecomposition: every radius, or weight of a cubic term, after the first is almost free."""

from __future__ import annotations

import math

import numpy as np

from newtonkit.linalg.kernels import EPS, Matrix, Vector, dot, eigh, max_norm, norm
from newtonkit.trustregion.step_bound import StepBound, Trial

_TOLERANCE = 1e-10  # relative, on ‖p‖
_NEWTON_STEPS = 50


class EigenSubproblem:
    """m(p) = gᵀp + ½ pᵀBp, minimized within a `StepBound`, for any number of them.

    Parameters
    ----------
    g : ndarray, shape (n,)
    B : ndarray, shape (n, n)
        Symmetric; indefinite and singular matrices are fine.
    noise : ndarray, shape (n,), optional
        Rounding to expect in the entries of g; 10·eps·‖g‖ by default.

    Notes
    -----
    In the eigenbasis the step is p(λ) = −c/(λᵢ + λ) with the smallest λ ≥ max(0, −λ₁) for which ‖p(λ)‖ is no more than
    the length that belongs to λ. Newton's method on 1/‖p(λ)‖ − 1/length(λ), which is concave, rises monotonically to
    the root from a lower bound. In the hard case, where c vanishes along the eigenvectors of λ₁ < 0, a multiple of one
    of them makes up the length.

    References
    ----------
    Moré & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4(3), 553; Nocedal & Wright (2006), section 4.3.
    """

    def __init__(self, g: Vector, B: Matrix, noise: Vector | None = None) -> None:
        self.eigenvalues, self.Q = eigh(B)
        self.c = self.Q.T @ g
        self.hessian_norm = max_norm(self.eigenvalues)
        self._rounding = 10 * g.size * EPS * self.hessian_norm  # of an eigenvalue, as in the classification
        usual = np.full(g.size, 10 * EPS * norm(g))
        self._slope_noise = np.abs(self.Q.T) @ (usual if noise is None else noise)
        # λ is sought as μ = λ₁ + λ: near the hard case μ is tiny, and λᵢ + λ would lose it to cancellation
        self._gaps = self.eigenvalues - self.eigenvalues[0]
        self._newton: tuple[Vector, float] | None = None
        if self.eigenvalues[0] > self._rounding:
            step = -self.c / self.eigenvalues
            self._newton = step, norm(step)

    @property
    def newton_length(self) -> float:
        """Length of the minimizer of the model over all p; 0 where it is not certainly convex."""
        return 0.0 if self._newton is None else self._newton[1]

    def solve(self, bound: StepBound) -> Trial:
        """The minimizer within this bound."""
        free = bound.length(0.0)
        if self._newton is not None and self._newton[1] <= free:
            return self._trial(*self._newton, 0.0, 0.0)
        c, gaps, lowest = self.c, self._gaps, float(self.eigenvalues[0])
        if lowest >= -self._rounding:
            in_range = self._step_in_range(free)
            if in_range is not None:
                return self._trial(in_range, norm(in_range), 0.0, 0.0)
        mu = max(0.0, lowest, bound.lowest_root(c, self.eigenvalues))
        for _ in range(_NEWTON_STEPS):
            shifted = gaps + mu
            if mu == 0.0:
                # by the lower bound on μ, where the gap is zero there is no slope either
                shifted[shifted == 0.0] = math.inf
            step = -c / shifted
            length, allowed = norm(step), bound.length(mu - lowest)
            if mu == 0.0 and length <= allowed:
                return self._hard_case(step, length, bound)
            if length - allowed <= _TOLERANCE * allowed:
                break
            # N&W (2006), eq. 4.43, and for the cubic term Cartis, Gould & Toint (2011), part I, section 6.1
            u = step / length
            inverse, slope = bound.inverse(mu - lowest)
            mu += (length * inverse - 1.0) / (dot(u, u / shifted) - length * slope)
        return self._trial(step, length, bound.penalty(length), mu - lowest)

    def _step_in_range(self, radius: float) -> Vector | None:
        """The Newton step of a positive semidefinite model within its range, where the rest is all rounding.

        Else the noise of slopes divided by the noise of eigenvalues would send the step along the null space, to the
        boundary. None where there is a slope along it, or the step is longer than the radius.
        """
        null = self.eigenvalues <= self._rounding
        if (np.abs(self.c[null]) > self._slope_noise[null]).any():
            return None
        step: Vector = np.where(null, 0.0, -self.c / np.where(null, 1.0, self.eigenvalues))
        return step if norm(step) <= radius else None

    def _hard_case(self, step: Vector, length: float, bound: StepBound) -> Trial:
        """Make up the length along an eigenvector of λ₁ where it is negative; where it is zero nothing is gained."""
        if not self.eigenvalues[0] < 0.0:
            return self._trial(step, length, bound.penalty(length), 0.0)
        allowed = bound.length(-float(self.eigenvalues[0]))
        step[0] = math.copysign(math.sqrt(allowed - length) * math.sqrt(allowed + length), -self.c[0])
        return self._trial(step, allowed, bound.penalty(allowed), -float(self.eigenvalues[0]))

    def _trial(self, step: Vector, length: float, penalty: float, multiplier: float) -> Trial:
        predicted = -dot(step, self.c) - 0.5 * dot(step, self.eigenvalues * step) - penalty
        return Trial(self.Q @ step, predicted, multiplier > 0.0, length, multiplier)
