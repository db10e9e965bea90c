"""How the trust region grows and shrinks; pure functions of one step's outcome."""

from __future__ import annotations

import math

from newtonkit.linalg.kernels import EPS

ACCEPT = 1e-4  # η₁: smallest ratio at which a step is taken (JSOSolvers' trunk)
# Measured with newton from every start of every problem, those of Moré, Garbow & Hillstrom among them (162 runs):
# 152 are solved; with 10‖g₀‖/‖H₀‖ at first, doubling, and 0.25 for a poor step, as in GALAHAD's TRU, 146, and
# 2 % fewer Hessians where both solve. To begin with the Newton step where H₀ is positive definite saves 1 %.
# Scaling the variables by the diagonal of H wins some badly scaled problems and loses as many others.
_GOOD = 0.9
_POOR = 0.1
_SHRINK = 0.5
_GROW = 4.0


def first_radius(gradient_norm: float, hessian_norm: float, x_norm: float) -> float:
    """‖g₀‖/‖H₀‖, the shortest that a Newton step can be; without gradient or curvature, the size of x or 1."""
    if gradient_norm == 0.0 or hessian_norm == 0.0:
        return x_norm or 1.0
    radius = gradient_norm / hessian_norm
    return radius if math.isfinite(radius) else (x_norm or 1.0)


def next_radius(radius: float, length: float, ratio: float, *, on_boundary: bool) -> float:
    """The radius after a step of this length and ratio (NaN: the trial was not finite).

    A poor step shrinks it from the length of the step, not from the radius, which may be far larger; a good one that
    reached the boundary lets it grow.
    """
    if not ratio >= _POOR:
        return _SHRINK * length
    if ratio >= _GOOD and on_boundary:
        return _GROW * radius
    return radius


def is_rounding(f: float, f_trial: float, predicted: float) -> bool:
    """Whether f − f₊, or what the model expects of it, is lost in the rounding of f.

    −½(g₊ + g)ᵀs then measures the reduction better: exact to third order, and without cancellation (JSOSolvers, trunk).
    """
    floor = 1e4 * EPS * max(abs(f), abs(f_trial))
    return abs(predicted) < floor or abs(f - f_trial) < floor


def has_risen(lowest: float, f_trial: float) -> bool:
    """Whether f₊ is above the lowest f seen by more than the rounding of two evaluations.

    Then no gradient makes it a descent: with a wrong gradient, steps judged by it would climb a little for ever.
    """
    return f_trial - lowest > 100 * EPS * max(abs(lowest), abs(f_trial))
