"""What keeps a step short: a ball, or a cubic term. Either way the step is p(λ) = −(B + λI)⁻¹g for the right λ ≥ 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from newtonkit.linalg.kernels import Vector


class Trial(NamedTuple):
    """A minimizer of the model within its bound."""

    p: Vector
    predicted: float
    """Reduction of the model, m(0) − m(p), the cubic term included."""
    on_boundary: bool
    """Whether the bound was felt: λ > 0."""
    length: float
    """‖p‖ in the norm of the bound."""
    multiplier: float = 0.0
    """λ."""
    inner: int = 1
    """Factorizations, or products, that it took."""


class StepBound(Protocol):
    """The length that goes with a multiplier λ: at the solution ‖p(λ)‖ = length(λ), or λ = 0 and ‖p‖ is less."""

    def length(self, multiplier: float) -> float:
        """The length ‖p‖ that belongs to this multiplier."""

    def inverse(self, multiplier: float) -> tuple[float, float]:
        """1/length and its derivative in the multiplier; the former concave or constant, up to a sign."""

    def multipliers(self, g_norm: float, B_norm: float) -> tuple[float, float]:
        """Between which bounds λ lies, from ‖g‖/(λ + ‖B‖) ≤ ‖p‖ ≤ ‖g‖/(λ − ‖B‖)."""

    def lowest_root(self, c: Vector, eigenvalues: Vector) -> float:
        """A lower bound on λ₁ + λ, from ‖p(λ)‖ ≥ |cᵢ|/(λᵢ + λ) alone; the eigenvalues λᵢ ascend."""

    def penalty(self, length: float) -> float:
        """What the bound adds to the model at this length."""


@dataclass(frozen=True, slots=True)
class TrustRegion:
    """‖p‖ ≤ radius (Moré & Sorensen, 1983)."""

    radius: float

    def length(self, multiplier: float) -> float:
        """The radius, whatever λ."""
        return self.radius

    def inverse(self, multiplier: float) -> tuple[float, float]:
        """1/radius, a constant."""
        return 1.0 / self.radius, 0.0

    def multipliers(self, g_norm: float, B_norm: float) -> tuple[float, float]:
        """‖g‖/radius ∓ ‖B‖."""
        return max(0.0, g_norm / self.radius - B_norm), g_norm / self.radius + B_norm

    def lowest_root(self, c: Vector, eigenvalues: Vector) -> float:
        """max |cᵢ|/radius − (λᵢ − λ₁)."""
        return float(np.max(np.abs(c) / self.radius - (eigenvalues - eigenvalues[0])))

    def penalty(self, length: float) -> float:
        """Nothing."""
        return 0.0


@dataclass(frozen=True, slots=True)
class CubicRegularization:
    """(σ/3)‖p‖³ added to the model: then λ = σ‖p‖ (Cartis, Gould & Toint, 2011, Math. Program. 127, theorem 3.1)."""

    weight: float

    def length(self, multiplier: float) -> float:
        """λ/σ."""
        return multiplier / self.weight

    def inverse(self, multiplier: float) -> tuple[float, float]:
        """σ/λ; infinite at zero."""
        if multiplier == 0.0:
            return math.inf, -math.inf
        inverse = self.weight / multiplier
        return inverse, -inverse / multiplier

    def multipliers(self, g_norm: float, B_norm: float) -> tuple[float, float]:
        """The positive roots of λ(λ ± ‖B‖) = σ‖g‖."""
        root = math.hypot(B_norm, 2.0 * math.sqrt(self.weight) * math.sqrt(g_norm))
        low = 2.0 * self.weight * g_norm / (root + B_norm) if root > 0.0 else 0.0
        return low, 0.5 * (root + B_norm)

    def lowest_root(self, c: Vector, eigenvalues: Vector) -> float:
        """The largest root of (μ + λᵢ − λ₁)(μ − λ₁) = σ|cᵢ|."""
        gaps = eigenvalues - eigenvalues[0]
        b, d = gaps - eigenvalues[0], gaps * eigenvalues[0] + self.weight * np.abs(c)
        root = np.sqrt(np.maximum(b * b + 4.0 * d, 0.0))
        with np.errstate(all="ignore"):
            # without the difference of two numbers that are nearly the same
            roots = np.where(b > 0.0, 2.0 * d / (b + root), 0.5 * (root - b))
        return float(np.max(roots))

    def penalty(self, length: float) -> float:
        """(σ/3)‖p‖³."""
        return self.weight / 3.0 * length * length * length
