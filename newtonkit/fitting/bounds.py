"""Bounds of a fit: which parameters are free, and a trust-region step within the box.

The step is minimized face by face: the free parameters first; those that would leave the box are fixed at their bounds,
and the rest is minimized again (Lin & Moré, 1999, SIAM J. Optim. 9, 1100, for the projected search; Conn, Gould & Toint,
1988, Math. Comp. 50, 399, for the generalized Cauchy point).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from newtonkit.fitting.problem import FitPoint
from newtonkit.fitting.step_model import Mask, StepModel
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.step_bound import TrustRegion

_SUFFICIENT = 0.1  # of the reduction at the projected Cauchy point that a step must predict
_CAUCHY_TRIALS = 40  # halvings along the projected gradient path
_SNAP = 10 * EPS  # relative: closer to a bound than this is at the bound


@dataclass(frozen=True)
class Bounds:
    """lower ≤ x ≤ upper, entry by entry; ends may be infinite."""

    lower: Vector
    upper: Vector

    @staticmethod
    def none(n: int) -> Bounds:
        """No bounds."""
        return Bounds(np.full(n, -math.inf), np.full(n, math.inf))

    @property
    def effective(self) -> bool:
        """Whether any end is finite."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def contain(self, x: Vector) -> bool:
        """Whether x is within the box."""
        return bool(((x >= self.lower) & (x <= self.upper)).all())

    def project(self, x: Vector) -> Vector:
        """The nearest point of the box; a point within rounding of a bound is put on it."""
        size = _SNAP * np.maximum(np.abs(x), 1e-300)
        x = np.where(x <= self.lower + size, self.lower, x)
        return np.where(x >= self.upper - size, self.upper, x)

    def free(self, x: Vector, g: Vector) -> Mask:
        """Which variables are not at a bound with a multiplier of the right sign."""
        at_lower, at_upper = (x <= self.lower) & (g > 0.0), (x >= self.upper) & (g < 0.0)
        return np.asarray(~(at_lower | at_upper | (self.lower == self.upper)))

    def criticality(self, x: Vector, g: Vector) -> float:
        """max|P(x − g) − x|, without its cancellation at large x."""
        return float(np.max(np.abs(np.clip(-g, self.lower - x, self.upper - x)), initial=0.0))

    def active(self, x: Vector) -> Vector:
        """−1 at a lower bound, +1 at an upper one, 0 elsewhere: scipy's ``active_mask``."""
        return np.where(x <= self.lower, -1, np.where(x >= self.upper, 1, 0))


def step_in_box(model: StepModel, at: FitPoint, bounds: Bounds, radius: float, *, newton: bool) -> tuple[Vector, float]:
    """The trial point within the box and the trust region, and the predicted reduction of the cost."""
    assert at.jacobian is not None
    J, r, D = at.jacobian, at.weighted, model.all_scales
    S = model.S if newton else None
    low, high = bounds.lower - at.x, bounds.upper - at.x
    fixed, p = ~model.free, np.zeros(at.x.size)
    for _ in range(at.x.size):
        free = ~fixed
        if not free.any():
            break
        left = math.sqrt(max(radius**2 - norm(np.ascontiguousarray((D * p)[fixed])) ** 2, 0.0))
        p[free] = _face_minimizer(J, r, D, S, p, free, left)
        outside = (p < low) | (p > high)
        if not outside.any():
            break
        fixed = fixed | outside
        p = np.clip(p, low, high)
    p = np.clip(p, low, high)
    predicted = _reduction(J, r, S, p)
    cauchy = _projected_cauchy(J, r, D, S, low, high, radius)
    if not predicted >= _SUFFICIENT * _reduction(J, r, S, cauchy):
        p, predicted = cauchy, _reduction(J, r, S, cauchy)
    # exactly at the bound, not by rounding next to it
    x = np.where(p <= low, bounds.lower, np.where(p >= high, bounds.upper, at.x + p))
    return bounds.project(x), predicted


def _face_minimizer(J: Matrix, r: Vector, D: Vector, S: Matrix | None, p: Vector, free: Mask, radius: float) -> Vector:
    """The free part of the step, given what the fixed part of p has moved."""
    moved = np.where(free, 0.0, p)
    if not radius > 0.0:
        return np.zeros(int(free.sum()))
    if S is None:
        inner = StepModel(J, r + J @ moved, D, free)
        y, _ = inner.step(radius, newton=False)
        return inner.to_x(y)[free]
    scales = D[free]
    g = (J.T @ (r + J @ moved) + S @ moved)[free] / scales
    B = (J[:, free].T @ J[:, free] + S[np.ix_(free, free)]) / scales / scales[:, np.newaxis]
    step = EigenSubproblem(np.ascontiguousarray(g), 0.5 * (B + B.T)).solve(TrustRegion(radius)).p
    return np.asarray(step / scales)


def _reduction(J: Matrix, r: Vector, S: Matrix | None, p: Vector) -> float:
    Jp = J @ p
    curvature = 0.0 if S is None else float(p @ S @ p)
    return -float(r @ Jp) - 0.5 * float(Jp @ Jp) - 0.5 * curvature


def _projected_cauchy(
    J: Matrix, r: Vector, D: Vector, S: Matrix | None, low: Vector, high: Vector, radius: float
) -> Vector:
    """A point of the projected path of the scaled gradient with a reduction of at least 1e-2 of its slope."""
    direction = -(J.T @ r) / D**2
    length = norm(D * direction)
    t = radius / length if length > 0.0 else 0.0
    p = np.zeros_like(direction)
    for _ in range(_CAUCHY_TRIALS):
        p = np.clip(t * direction, low, high)
        # 0.01: Lin & Moré (1999), eq. 2.4
        if _reduction(J, r, S, p) >= -0.01 * float((J.T @ r) @ p) > 0.0:
            break
        t *= 0.5
    return p
