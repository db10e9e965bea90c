"""Chord steps: Newton steps with one factorization of the Hessian, in equilibrated variables.

Each step costs one gradient. They bring a point so near to the critical point that eigenvalues which vanish there are
no longer of the size of the gradient.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, eigh, max_norm, norm

_MAX_STEPS = 5  # per factorization; two to three suffice at a regular point (measured on 660 runs)
# of ‖Dg‖ required of a step before another one with the same factorization is made; x³ and x⁴ give 0.25 and 0.3
_REDUCTION = 0.1
_NOISE = 10.0  # times eps·(|H||x| + |g|): rounding of x and of the sums of a gradient


class HessianError(NamedTuple):
    """Errors of the entries of a Hessian."""

    relative: float
    """Relative to the size of each row."""
    entries: Matrix | None = None
    """Entry by entry; None where not known."""


class EquilibratedHessian:
    """DHD and its eigenvalues; by Sylvester's law its inertia is that of H.

    Attributes
    ----------
    H : ndarray, shape (n, n)
    D : ndarray, shape (n,)
        The diagonal scaling x = Dz.
    eigenvalues, Q : ndarray
        Of DHD, ascending, and its orthonormal eigenvectors.
    size : float
        The largest |eigenvalue|.
    rounding : float
        What the errors of the entries of H may change in an eigenvalue.
    """

    __slots__ = ("D", "H", "Q", "eigenvalues", "rounding", "size")

    def __init__(self, H: Matrix, D: Vector, error: HessianError) -> None:
        self.H, self.D = H, D
        self.eigenvalues, self.Q = eigh(D[:, np.newaxis] * H * D)
        self.size = max_norm(self.eigenvalues)
        self.rounding = error.relative * len(H) * self.size
        if error.entries is not None:
            self.rounding = max(self.rounding, float(np.linalg.norm(D[:, np.newaxis] * error.entries * D, 2)))

    def newton_step(self, g: Vector, cut: float) -> Vector:
        """−(DHD)⁺Dg in z over the eigenvalues with |λ| > cut."""
        kept = np.abs(self.eigenvalues) > cut
        Q = self.Q[:, kept]
        step: Vector = -(Q @ ((Q.T @ (self.D * g)) / self.eigenvalues[kept]))
        return step

    def gradient_noise(self, x: Vector, g: Vector) -> Vector:
        """Error bar of each entry of a gradient g at x."""
        noise: Vector = _NOISE * EPS * (np.abs(self.H) @ np.abs(x) + np.abs(g))
        return noise

    def is_noise(self, x: Vector, g: Vector) -> bool:
        """Whether ‖Dg‖ is within its error bar."""
        return norm(self.D * g) <= norm(self.D * self.gradient_noise(x, g))

    def remaining_share(self, x: Vector, g: Vector, last_step: Vector) -> float:
        """The Newton step still to go as a share of the last step in z: the largest share over the eigenvectors.

        The overall norm fails: for x⁴ + y² the fast step in y hides the slow one in x. At a root of multiplicity m
        a share of about (m − 1)/m remains. What rounding hides counts as a whole.
        """
        kept = np.abs(self.eigenvalues) > self.rounding
        if not kept.any():
            return math.inf
        Q, sizes = self.Q[:, kept], np.abs(self.eigenvalues[kept])
        bar = np.abs(Q.T) @ (self.D * self.gradient_noise(x, g)) / sizes
        step, before = np.abs(Q.T @ (self.D * g)) / sizes, np.abs(Q.T @ last_step)
        shares = np.where(step > bar, step / np.maximum(before, bar), 0.0)
        return max(float(shares.max()), float(np.linalg.norm(bar) / np.linalg.norm(last_step)))


class ChordPoint(NamedTuple):
    """Where the chord steps ended."""

    x: Vector
    g: Vector
    bend: float
    """2‖Dg₊‖/‖p‖ after the first step p, about ‖D³f[p, p]‖/‖p‖: how much eigenvalues change over the step."""
    plain_bend: float
    """The same in x: 2‖g₊‖/‖Dp‖."""
    contraction: float
    """2‖(DHD)⁺Dg₊‖/‖p‖ after the first step: Kantorovich's h = ωη, sampled (Deuflhard, 2004, sec. 2.1.1); NaN if no
    step was made because the gradient is within its error bar."""


def chord_steps(
    evaluator: MeteredEvaluator, model: EquilibratedHessian, x: Vector, g: Vector, cut: float
) -> ChordPoint:
    """Newton steps with the one factorization while each reduces ‖Dg‖ and the allowance suffices.

    Eigenvalues with |λ| ≤ cut are left out.
    """
    D, bend, plain_bend, contraction = model.D, 0.0, 0.0, math.nan
    for count in range(_MAX_STEPS):
        if model.is_noise(x, g) or not evaluator.affords(g=1):
            break
        p = model.newton_step(g, cut)
        length = float(np.linalg.norm(p))
        if length == 0.0:
            break
        x_trial = x + D * p
        g_trial = evaluator.gradient(x_trial)
        before, after = norm(D * g), norm(D * g_trial) if all_finite(g_trial) else math.inf
        if count == 0:
            if not model.is_noise(x_trial, g_trial):
                bend, plain_bend = 2.0 * after / length, 2.0 * float(np.linalg.norm(g_trial)) / norm(D * p)
            contraction = 2.0 * float(np.linalg.norm(model.newton_step(g_trial, cut))) / length
        if not after < before:
            break
        x, g = x_trial, g_trial
        if after > _REDUCTION * before:
            break
    return ChordPoint(x, g, bend, plain_bend, contraction)
