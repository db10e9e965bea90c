"""The update of the trust-region radius: pure functions of the outcome of one step."""

from __future__ import annotations

import math

from newtonkit.linalg.kernels import EPS

ACCEPT = 1e-4  # η₁: smallest ratio at which a step is accepted (JSOSolvers, trunk)
# Measured with newton from every start of every problem, those of Moré, Garbow & Hillstrom included (162 runs):
# 152 are solved. With 10‖g₀‖/‖H₀‖ as first radius, growth by 2, and 0.25 as limit of a poor step (GALAHAD's TRU): 146,
# and 2 % fewer Hessians where both solve. Starting with the Newton step if H₀ is positive definite saves 1 %.
# Scaling the variables by the diagonal of H solves some badly scaled problems and loses as many others.
GOOD = 0.9
POOR = 0.1
_SHRINK = 0.5
_GROW = 4.0
# Two values of f are compared through gradients if they differ by less than this, relative to the larger: a rounding
# error of some hundred eps in f changes the ratio by a per cent (JSOSolvers, trunk, uses 1e4·eps too)
_ROUNDING = 1e4 * EPS
_RISE = 100 * EPS  # relative difference of two values of f that rounding explains


def first_radius(gradient_norm: float, hessian_norm: float, x_norm: float) -> float:
    """Return ‖g₀‖/‖H₀‖, the smallest possible Newton step; if there is no gradient or curvature, ‖x‖ or 1."""
    if gradient_norm == 0.0 or hessian_norm == 0.0:
        return x_norm or 1.0
    radius = gradient_norm / hessian_norm
    return radius if math.isfinite(radius) else (x_norm or 1.0)


def next_radius(radius: float, length: float, ratio: float, *, on_boundary: bool) -> float:
    """Return the radius after a step of this length and ratio (NaN: f or g was not finite at the trial point).

    A poor step reduces the radius to half the length of the step, which may be far smaller than the radius; a good step
    that reached the boundary enlarges it.
    """
    if not ratio >= POOR:
        return _SHRINK * length
    if ratio >= GOOD and on_boundary:
        return _GROW * radius
    return radius


def reduction_is_rounding(f: float, f_trial: float, predicted: float) -> bool:
    """Return whether f − f₊ or the predicted reduction is lost in the rounding of f.

    −½(g₊ + g)ᵀs then measures the reduction better: its error is of third order in s, and nothing cancels
    (JSOSolvers, trunk).
    """
    floor = _ROUNDING * max(abs(f), abs(f_trial))
    return abs(predicted) < floor or abs(f - f_trial) <= floor  # equal: also where both are zero by cancellation


def exceeds_best(best: float, f_trial: float) -> bool:
    """Return whether f₊ is above the lowest f seen by more than the rounding of two evaluations.

    Such a step is never judged by gradients: with a wrong gradient, every step would climb a little.
    """
    return f_trial - best > _RISE * max(abs(best), abs(f_trial))
