"""What limits the length of a step: a trust region or a cubic term. Either way p(λ) = −(B + λI)⁻¹g for some λ ≥ 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from newtonkit.linalg.kernels import Vector


class SubproblemSolution(NamedTuple):
    """A minimizer of the quadratic model within its bound."""

    p: Vector
    predicted: float
    """Predicted reduction m(0) − m(p), the cubic term included; NaN if a Hessian-vector product was not finite."""
    on_boundary: bool
    """Whether the bound is active: λ > 0."""
    length: float
    """‖p‖ in the norm of the bound."""
    lam: float = 0.0
    """The Lagrange multiplier λ of the bound."""
    inner: int = 1
    """Number of factorizations, or of products, that were computed."""


class StepBound(Protocol):
    """Length as a function of λ: at the solution either ‖p(λ)‖ = length(λ), or λ = 0 and ‖p‖ is smaller."""

    def length(self, lam: float) -> float:
        """Return the length ‖p‖ that corresponds to this λ."""

    def inverse(self, lam: float) -> tuple[float, float]:
        """Return 1/length and its derivative in λ; 1/length is concave or constant, up to a sign."""

    def lam_interval(self, g_norm: float, B_norm: float) -> tuple[float, float]:
        """Return an interval that contains λ, from ‖g‖/(λ + ‖B‖) ≤ ‖p‖ ≤ ‖g‖/(λ − ‖B‖)."""

    def lowest_root(self, c: Vector, eigenvalues: Vector) -> float:
        """Return a lower bound on λ₁ + λ from ‖p(λ)‖ ≥ |cᵢ|/(λᵢ + λ); the eigenvalues λᵢ ascend."""

    def penalty(self, length: float) -> float:
        """Return the term that the bound adds to the model at this length."""

    def within(self, length: float) -> TrustRegion:
        """Return the ball for the steps that follow a first one of this length, which left the domain."""


@dataclass(frozen=True, slots=True)
class TrustRegion:
    """‖p‖ ≤ radius (Moré & Sorensen, 1983)."""

    radius: float

    def length(self, lam: float) -> float:
        """Return the radius, for every λ."""
        return self.radius

    def inverse(self, lam: float) -> tuple[float, float]:
        """Return 1/radius, a constant."""
        return 1.0 / self.radius, 0.0

    def lam_interval(self, g_norm: float, B_norm: float) -> tuple[float, float]:
        """Return ‖g‖/radius ∓ ‖B‖."""
        return max(0.0, g_norm / self.radius - B_norm), g_norm / self.radius + B_norm

    def lowest_root(self, c: Vector, eigenvalues: Vector) -> float:
        """Return max |cᵢ|/radius − (λᵢ − λ₁)."""
        return float(np.max(np.abs(c) / self.radius - (eigenvalues - eigenvalues[0])))

    def penalty(self, length: float) -> float:
        """Return 0."""
        return 0.0

    def within(self, length: float) -> TrustRegion:
        """Return the trust region itself."""
        return self


@dataclass(frozen=True, slots=True)
class CubicRegularization:
    """(σ/3)‖p‖³ added to the model: then λ = σ‖p‖ (Cartis, Gould & Toint, 2011, Math. Program. 127, theorem 3.1)."""

    sigma: float

    def length(self, lam: float) -> float:
        """Return λ/σ."""
        return lam / self.sigma

    def inverse(self, lam: float) -> tuple[float, float]:
        """Return σ/λ and its derivative; infinite at λ = 0."""
        if lam == 0.0:
            return math.inf, -math.inf
        inverse = self.sigma / lam
        return inverse, -inverse / lam

    def lam_interval(self, g_norm: float, B_norm: float) -> tuple[float, float]:
        """Return the positive roots of λ(λ ± ‖B‖) = σ‖g‖."""
        root = math.hypot(B_norm, 2.0 * math.sqrt(self.sigma) * math.sqrt(g_norm))
        low = 2.0 * self.sigma * g_norm / (root + B_norm) if root > 0.0 else 0.0
        return low, 0.5 * (root + B_norm)

    def lowest_root(self, c: Vector, eigenvalues: Vector) -> float:
        """Return the largest root μ of (μ + λᵢ − λ₁)(μ − λ₁) = σ|cᵢ|."""
        gaps = eigenvalues - eigenvalues[0]
        b, d = gaps - eigenvalues[0], gaps * eigenvalues[0] + self.sigma * np.abs(c)
        root = np.sqrt(np.maximum(b * b + 4.0 * d, 0.0))
        with np.errstate(all="ignore"):
            # each form avoids the difference of two nearly equal numbers
            roots = np.where(b > 0.0, 2.0 * d / (b + root), 0.5 * (root - b))
        return float(np.max(roots))

    def penalty(self, length: float) -> float:
        """Return (σ/3)‖p‖³."""
        return self.sigma / 3.0 * length * length * length

    def within(self, length: float) -> TrustRegion:
        """Return the ball of this length, in which λ is the same at the first step."""
        return TrustRegion(length)
