"""Newton–Kantorovich: whether a critical point is near, and whether the Hessian is regular all the way to it."""

from __future__ import annotations

import math

import numpy as np

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.classification.quadratic_model import QuadraticModel
from newtonkit.linalg.kernels import EPS, Vector, all_finite, norm


def contraction(evaluator: MeteredEvaluator, y: Vector, model: QuadraticModel, scale: float) -> float:
    """h = ωη sampled by a simplified Newton step; NaN where the step is no larger than the rounding of g."""
    if model.length <= max(100 * EPS * model.condition * scale, model.rounding):
        return math.nan
    # g(y + ts) = (1 − t)g + O(t²); half a step serves where f has no derivatives at the end of the whole one
    for t in (1.0, 0.5):
        g_next = evaluator.gradient(y + t * model.step)
        if all_finite(g_next):
            bent = model.newton(g_next - (1.0 - t) * model.g)
            return 2.0 * norm(np.ascontiguousarray(bent)) / (t * t * model.length)
    return math.inf


def hessian_variation(evaluator: MeteredEvaluator, y: Vector, model: QuadraticModel) -> float:
    """How much an eigenvalue may change up to the critical point; ∞ where one of the certain ones may be zero there.

    That is excluded where ‖H⁻¹(H(·) − H)‖ < ½ at twice the distance, along every axis.
    """
    changes = []
    for v in model.displacements():
        H = evaluator.hessian(y + v)
        change = model.in_eigenbasis(H)
        if change.size and not (np.isfinite(change).all() and float(np.linalg.norm(change, 2)) < 0.5):
            return math.inf
        changes.append(0.5 * float(np.linalg.norm(H - model.H, 2)))
    return sum(changes)


def radius_of_existence(length: float, h: float) -> float:
    """(1 − √(1−2h))/ω with ω = h/η: where the theorem places the critical point."""
    if not h > 0.0:
        return length
    return length * (1.0 - math.sqrt(1.0 - 2.0 * h)) / h
