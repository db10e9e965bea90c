"""Whether the quadratic model predicts a worthwhile reduction: tests without a scale, and tests of rounding."""

from __future__ import annotations

from newtonkit.linalg.kernels import EPS


def nothing_left(decrease: float, length: float, f: float, f0: float, x_norm: float) -> str:
    """In which scale-free sense no worthwhile reduction is left; empty if one is.

    The predicted reduction is at most 1e-8·(f₀ − f) or 10·eps·|f|, or the Newton step at most 1e-8·‖x‖ long. A constant
    added to f does not change the first and the third test; it makes the second one a test of rounding.
    """
    if decrease <= 1e-8 * (f0 - f):
        return f"the predicted reduction is {decrease:.2g}"
    return rounding_reached(decrease, length, f, x_norm)


def rounding_reached(decrease: float, length: float, f: float, x_norm: float) -> str:
    """In which sense only rounding is left: see `nothing_left`; empty if more is."""
    if decrease <= 10 * EPS * abs(f):
        return f"the predicted reduction, {decrease:.2g}, is below the rounding of f"
    if length <= 1e-8 * x_norm:
        return f"the Newton step is {length:.2g} long"
    return ""
