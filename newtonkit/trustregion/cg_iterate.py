"""The iterate of conjugate gradients: its scalars from the tridiagonal matrix of Lanczos' method, and its vectors."""

from __future__ import annotations

import math

import numpy as np

from newtonkit.linalg.kernels import Matrix, Vector, add_scaled
from newtonkit.trustregion.step_bound import SubproblemSolution


class ConjugateGradients:
    """Length, reduction and residual of the iterate of conjugate gradients, from the tridiagonal matrix.

    With LDLᵀ its factorization, 1/dₖ is the length of step k and |zₖ|, z = L⁻¹‖g‖e₁, the residual before it
    (Conn, Gould & Toint, 2000, sections 5.2.2 and 7.5.1).
    """

    __slots__ = (
        "_along", "_decrease_before", "_direction", "_squared", "_squared_before",
        "convex", "decrease", "pivot", "residual", "share", "z",
    )  # fmt: skip

    def __init__(self, g_norm: float) -> None:
        self.z, self.pivot, self.share = g_norm, 0.0, 0.0
        self._squared = self._along = self._direction = 0.0  # ‖p‖², pᵀd, ‖d‖², d being the direction
        self.convex = True
        self.decrease = 0.0
        self.residual = g_norm
        self._squared_before = self._decrease_before = 0.0

    @property
    def length(self) -> float:
        """‖p‖."""
        return math.sqrt(self._squared)

    def advance(self, alpha: float, beta: float, following: float, floor: float) -> None:
        """Add a diagonal entry, with the off-diagonal entries before and after it; a pivot ≤ floor ends convexity."""
        if not self.convex:
            return
        before, z_before = self.pivot, self.z
        if before > 0.0:
            self.z = beta / before * z_before
            ratio = self.z / z_before
            self.share = share = ratio * ratio
            self._along = share * (self._along + self._direction / before)
            self._direction = self.z * self.z + share * share * self._direction
            alpha -= beta * beta / before
        else:
            self._direction = self.z * self.z
        self.pivot = alpha
        self._squared_before, self._decrease_before = self._squared, self.decrease
        if not alpha > floor:
            self.convex = False
            return
        self._squared += (2.0 * self._along + self._direction / alpha) / alpha
        self.decrease += 0.5 * self.z * self.z / alpha
        self.residual = following * abs(self.z) / alpha

    def to_length(self, length: float) -> tuple[float, float, float]:
        """Return a and b such that ax + bd has this length, and its reduction; x is the iterate before the last step.

        If x is longer, then b = 0: the model falls from 0 to x. Otherwise a = 1, Steihaug's (1983) step.
        """
        if length * length <= self._squared_before:
            a = length / math.sqrt(self._squared_before)
            return a, 0.0, (2.0 - a) * a * self._decrease_before
        gap = length * length - self._squared_before
        b = gap / (self._along + math.sqrt(self._along * self._along + self._direction * gap))
        return 1.0, b, self._decrease_before + self.z * self.z * b * (1.0 - 0.5 * self.pivot * b)


class CgIterate:
    """The vectors of the iterate of conjugate gradients, continued without a stored basis.

    Parameters
    ----------
    g_norm : float
    alphas, betas : list of float, length k
        The tridiagonal matrix; it must be positive definite.
    basis : ndarray, shape (k, n)
    """

    def __init__(self, g_norm: float, alphas: list[float], betas: list[float], basis: Matrix) -> None:
        k = len(alphas)
        x, direction = np.zeros(k), np.zeros(k)
        z, pivot = -g_norm, alphas[0]
        direction[0] = z
        x += direction / pivot
        for i in range(1, k):
            ratio = -betas[i - 1] / pivot
            z, pivot = ratio * z, alphas[i] - betas[i - 1] ** 2 / pivot
            direction *= ratio * ratio
            direction[i] = z
            x += direction / pivot
        self._x: Vector = x @ basis  # the iterate before the last step
        self._direction: Vector = direction @ basis
        self._step = 0.0  # the length of the last step, as a multiple of the direction

    def advance(self, q: Vector, k: int, cg: ConjugateGradients) -> None:
        """Add vector k of the basis, counted from 0, after ``cg`` has advanced by it."""
        if self._step:
            self._x = add_scaled(self._x, self._step, self._direction)
        self._direction *= cg.share
        self._direction = add_scaled(self._direction, cg.z if k % 2 else -cg.z, q)
        self._step = 1.0 / cg.pivot if cg.convex else 0.0

    def minimizer(self) -> Vector:
        """Return the minimizer over the Krylov space."""
        point: Vector = self._x + self._step * self._direction
        return point

    def within(self, length: float, cg: ConjugateGradients) -> SubproblemSolution:
        """Return a point of this length that reduces the model at least as much as Cauchy's."""
        a, b, predicted = cg.to_length(length)
        return SubproblemSolution(a * self._x + b * self._direction, predicted, True, length)
