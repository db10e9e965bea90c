"""The trust-region subproblem by one eigendecomposition: every radius after the first is almost free."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from newtonkit.linalg import EPS, Matrix, Vector, dot, eigh, max_norm, norm

_TOLERANCE = 1e-10  # relative, on ‖p‖ = radius
_NEWTON_STEPS = 50


class Trial(NamedTuple):
    """A minimizer of the model inside the ball."""

    p: Vector
    predicted: float
    """Reduction of the model, m(0) − m(p)."""
    on_boundary: bool


class EigenModel:
    """m(p) = gᵀp + ½ pᵀBp, minimized over ‖p‖ ≤ radius for any number of radii.

    Parameters
    ----------
    g : ndarray, shape (n,)
    B : ndarray, shape (n, n)
        Symmetric; indefinite and singular matrices are fine.
    noise : ndarray, shape (n,), optional
        Rounding to expect in the entries of g; 10·eps·‖g‖ by default.

    Notes
    -----
    In the eigenbasis the step is p(σ) = −c/(λ + σ) with the smallest σ ≥ max(0, −λ₁) for which ‖p(σ)‖ ≤ radius.
    Newton's method on 1/‖p(σ)‖ rises monotonically to the root from the lower bound max(|cᵢ|/radius − λᵢ). In the
    hard case, where c vanishes along the eigenvectors of λ₁ < 0, a multiple of one of them fills the ball.

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
        # σ is sought as μ = λ₁ + σ: near the hard case μ is tiny, and λᵢ + σ would lose it to cancellation
        self._gaps = self.eigenvalues - self.eigenvalues[0]
        self._newton: tuple[Vector, float] | None = None
        if self.eigenvalues[0] > self._rounding:
            step = -self.c / self.eigenvalues
            self._newton = step, norm(step)

    def solve(self, radius: float) -> Trial:
        """The minimizer within this radius > 0."""
        if self._newton is not None and self._newton[1] <= radius:
            return self._trial(self._newton[0], on_boundary=False)
        c, gaps, lowest = self.c, self._gaps, float(self.eigenvalues[0])
        if lowest >= -self._rounding:
            in_range = self._step_in_range(radius)
            if in_range is not None:
                return self._trial(in_range, on_boundary=False)
        mu = max(0.0, lowest, float(np.max(np.abs(c) / radius - gaps)))
        for _ in range(_NEWTON_STEPS):
            shifted = gaps + mu
            if mu == 0.0:
                # |cᵢ| ≤ radius·gapᵢ by the lower bound on μ: where the gap is zero, there is no slope either
                shifted[shifted == 0.0] = math.inf
            step = -c / shifted
            length = norm(step)
            if mu == 0.0 and length <= radius:
                return self._hard_case(step, length, radius)
            if length - radius <= _TOLERANCE * radius:
                break
            # N&W (2006), eq. 4.43
            u = step / length
            mu += (length / radius - 1.0) / dot(u, u / shifted)
        return self._trial(step, on_boundary=mu > lowest)

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

    def _hard_case(self, step: Vector, length: float, radius: float) -> Trial:
        """Fill the ball along an eigenvector of λ₁ where it is negative; where it is zero there is no gain in it."""
        negative = bool(self.eigenvalues[0] < 0.0)
        if negative:
            step[0] = math.copysign(math.sqrt(radius**2 - length**2), -self.c[0])
        return self._trial(step, on_boundary=negative)

    def _trial(self, step: Vector, *, on_boundary: bool) -> Trial:
        predicted = -dot(step, self.c) - 0.5 * dot(step, self.eigenvalues * step)
        return Trial(self.Q @ step, predicted, on_boundary)
