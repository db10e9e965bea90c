"""A trust-region step within the box, minimized face by face.

The free parameters come first; those that would leave the box are fixed at their bounds, and the rest is minimized
again. The result is compared with a generalized Cauchy point (Conn, Gould & Toint, 1988, Math. Comp. 50, 399).
"""

from __future__ import annotations

import math

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.fitting.jacobians import Jacobian
from newtonkit.fitting.problem import FitPoint
from newtonkit.fitting.sparse_model import AnyStepModel, model_of
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import Matrix, Vector, norm
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.step_bound import TrustRegion

_SUFFICIENT = 0.1  # of the reduction at the projected Cauchy point that a step must predict
_CAUCHY_TRIALS = 40  # halvings along the projected gradient path


def step_in_box(
    model: AnyStepModel, at: FitPoint, domain: Domain, radius: float, *, newton: bool
) -> tuple[Vector, float]:
    """The trial point within the box and the trust region, and the predicted reduction of the cost."""
    assert at.jacobian is not None
    J, r, D = at.jacobian, at.weighted, model.all_scales
    S = model.S if newton else None
    low, high = domain.lower - at.x, domain.upper - at.x
    fixed, p = ~model.free, np.zeros(at.x.size)
    for _ in range(at.x.size):
        free = ~fixed
        if not free.any():
            break
        left = math.sqrt(max(radius * radius - float(np.sum((D * p)[fixed] ** 2)), 0.0))
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
    x = np.where(p <= low, domain.lower, np.where(p >= high, domain.upper, at.x + p))
    return domain.project(x), predicted


def _face_minimizer(
    J: Jacobian, r: Vector, D: Vector, S: Matrix | None, p: Vector, free: Mask, radius: float
) -> Vector:
    """The free part of the step, given what the fixed part of p has moved."""
    moved = np.where(free, 0.0, p)
    if not radius > 0.0:
        return np.zeros(int(free.sum()))
    if S is None:
        inner = model_of(J, r + J @ moved, D, free)
        y, _ = inner.step(radius, newton=False)
        return inner.to_x(y)[free]
    scales = D[free]
    g = (J.T @ (r + J @ moved) + S @ moved)[free] / scales
    B = (J[:, free].T @ J[:, free] + S[np.ix_(free, free)]) / scales / scales[:, np.newaxis]
    step = EigenSubproblem(np.ascontiguousarray(g), 0.5 * (B + B.T)).solve(TrustRegion(radius)).p
    return np.asarray(step / scales)


def _reduction(J: Jacobian, r: Vector, S: Matrix | None, p: Vector) -> float:
    Jp = J @ p
    curvature = 0.0 if S is None else float(p @ S @ p)
    return -float(r @ Jp) - 0.5 * float(Jp @ Jp) - 0.5 * curvature


def _projected_cauchy(
    J: Jacobian, r: Vector, D: Vector, S: Matrix | None, low: Vector, high: Vector, radius: float
) -> Vector:
    """A point of the projected path of the scaled gradient with a reduction of at least 1e-2 of its slope."""
    direction = -(J.T @ r) / D**2
    length = norm(D * direction)
    t = radius / length if length > 0.0 else 0.0
    p: Vector = np.zeros_like(direction)
    for _ in range(_CAUCHY_TRIALS):
        p = np.clip(t * direction, low, high)
        # 0.01: Lin & Moré (1999), eq. 2.4
        if _reduction(J, r, S, p) >= -0.01 * float((J.T @ r) @ p) > 0.0:
            break
        t *= 0.5
    return p
