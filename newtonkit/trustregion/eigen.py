"""The trust-region subproblem by one eigendecomposition, which serves every radius and every cubic weight."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.factorization import masked_matrix
from newtonkit.linalg.kernels import EPS, Matrix, Vector, dot, eigh, max_norm, norm
from newtonkit.trustregion.model import MAX_KNOTS
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution

_TOLERANCE = 1e-10  # relative error of ‖p‖
_NEWTON_STEPS = 50  # more than ever needed: convergence is monotone and quadratic


class EigenSubproblem:
    """m(p) = gᵀp + ½ pᵀBp, minimized within a `StepBound`; one object solves it for many bounds.

    Parameters
    ----------
    g : ndarray, shape (n,)
    B : ndarray, shape (n, n)
        Symmetric; may be indefinite or singular.
    noise : ndarray, shape (n,), optional
        Rounding error of the entries of g; default 10·eps·‖g‖.

    Notes
    -----
    In the eigenbasis the step is p(λ) = −c/(λᵢ + λ) with the smallest λ ≥ max(0, −λ₁) for which ‖p(λ)‖ ≤ length(λ).
    Newton's method on the concave function 1/‖p(λ)‖ − 1/length(λ) converges monotonically from a lower bound. In the
    hard case c vanishes along the eigenvectors of λ₁ < 0; a multiple of one of them is then added.

    References
    ----------
    Moré & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4(3), 553; Nocedal & Wright (2006), section 4.3.
    """

    max_knots: ClassVar[int] = MAX_KNOTS

    def __init__(self, g: Vector, B: Matrix, noise: Vector | None = None) -> None:
        self.g, self.B, self.noise = g, B, noise
        self.eigenvalues, self.Q = eigh(B)
        self.c = self.Q.T @ g
        self.hessian_norm = max_norm(self.eigenvalues)
        self._rounding = 10 * g.size * EPS * self.hessian_norm  # error of an eigenvalue
        default = np.full(g.size, 10 * EPS * norm(g))
        self._slope_noise = np.abs(self.Q.T) @ (default if noise is None else noise)
        # the unknown is μ = λ₁ + λ: near the hard case μ is tiny, and λᵢ + λ would cancel
        self._gaps = self.eigenvalues - self.eigenvalues[0]
        self._newton: tuple[Vector, float] | None = None
        if self.eigenvalues[0] > self._rounding:
            step = -self.c / self.eigenvalues
            self._newton = step, norm(step)

    @property
    def diagonal(self) -> Vector:
        """Return the diagonal of B."""
        return self.B.diagonal()

    @property
    def newton_length(self) -> float:
        """Length of the unconstrained minimizer of the model; 0 if the model is not certainly convex."""
        return 0.0 if self._newton is None else self._newton[1]

    def times(self, v: Vector) -> Vector:
        """Return Bv."""
        return self.B @ v

    def face(self, free: NDArray[np.bool_], g: Vector) -> EigenSubproblem:
        """Return the model of the free variables alone, with this gradient; the others do not move."""
        noise = None if self.noise is None else np.where(free, self.noise, 0.0)
        return EigenSubproblem(np.where(free, g, 0.0), masked_matrix(self.B, free, self.hessian_norm), noise)

    def solve(self, bound: StepBound) -> SubproblemSolution:
        """Return the minimizer within this bound."""
        free = bound.length(0.0)
        if self._newton is not None and self._newton[1] <= free:
            return self._solution(*self._newton, 0.0, 0.0)
        c, gaps, lowest = self.c, self._gaps, float(self.eigenvalues[0])
        if lowest >= -self._rounding:
            in_range = self._step_in_range(free)
            if in_range is not None:
                return self._solution(in_range, norm(in_range), 0.0, 0.0)
        mu = max(0.0, lowest, bound.lowest_root(c, self.eigenvalues))
        for _ in range(_NEWTON_STEPS):
            shifted = gaps + mu
            if mu == 0.0:
                # the lower bound on μ implies that c is zero wherever the gap is
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
        return self._solution(step, length, bound.penalty(length), mu - lowest)

    def _step_in_range(self, radius: float) -> Vector | None:
        """Return the Newton step within the range of a positive semidefinite B; None if that is no solution.

        Without it, rounding errors of g divided by those of eigenvalues would give a step to the boundary along the
        null space. None if g has a component along the null space, or if the step is longer than the radius.
        """
        null = self.eigenvalues <= self._rounding
        if (np.abs(self.c[null]) > self._slope_noise[null]).any():
            return None
        step: Vector = np.where(null, 0.0, -self.c / np.where(null, 1.0, self.eigenvalues))
        return step if norm(step) <= radius else None

    def _hard_case(self, step: Vector, length: float, bound: StepBound) -> SubproblemSolution:
        """Extend the step to the boundary along an eigenvector of λ₁ < 0; with λ₁ = 0 that would gain nothing."""
        if not self.eigenvalues[0] < 0.0:
            return self._solution(step, length, bound.penalty(length), 0.0)
        allowed = bound.length(-float(self.eigenvalues[0]))
        step[0] = math.copysign(math.sqrt(allowed - length) * math.sqrt(allowed + length), -self.c[0])
        return self._solution(step, allowed, bound.penalty(allowed), -float(self.eigenvalues[0]))

    def _solution(self, step: Vector, length: float, penalty: float, lam: float) -> SubproblemSolution:
        predicted = -dot(step, self.c) - 0.5 * dot(step, self.eigenvalues * step) - penalty
        return SubproblemSolution(self.Q @ step, predicted, lam > 0.0, length, lam)
