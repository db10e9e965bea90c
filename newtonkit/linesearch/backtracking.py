"""Backtracking to Armijo's condition of sufficient decrease, with interpolation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import EPS
from newtonkit.linesearch.line_function import LineFunction


@dataclass(frozen=True)
class Backtracking:
    """φ(α) ≤ φ(0) + c₁αφ′(0), from a first guess downwards; only values are evaluated until one is accepted.

    Parameters
    ----------
    c1 : float in (0, 0.5), default 1e-4
        Armijo's constant.
    max_trials : int, at least 1, default 50

    Notes
    -----
    The next trial minimizes the parabola through φ(0), φ′(0) and φ(α), kept within [0.1α, 0.5α]; a trial that is not
    finite is followed by 0.1α. Where the decrease asked for is below the rounding of f, the slope decides instead:
    φ′(α) ≤ (2c₁ − 1)φ′(0), which for a parabola is the same condition (Hager & Zhang, 2005, eq. 4.1).

    References
    ----------
    Nocedal & Wright (2006), *Numerical Optimization*, algorithm 3.1 and p. 58.
    """

    c1: float = 1e-4
    max_trials: int = 50

    def __post_init__(self) -> None:
        check_real("c1", self.c1, 0.0, 0.5, open_low=True, open_high=True)
        check_integer("max_trials", self.max_trials, 1)

    def search(self, ray: LineFunction, alpha: float) -> float | None:
        """An acceptable step length, starting from ``alpha`` > 0; None where none was found."""
        f0, slope0 = ray.f0, ray.slope0
        for _ in range(self.max_trials):
            f = ray.value(alpha)
            rounding = 1e4 * EPS * max(abs(f0), abs(f))
            if abs(f - f0) <= rounding and -alpha * slope0 <= rounding:
                if f <= f0 + 10 * EPS * abs(f0) and ray.gradient() <= (2 * self.c1 - 1) * slope0:
                    return alpha
            elif f <= f0 + self.c1 * alpha * slope0 and not math.isnan(ray.gradient()):
                return alpha
            if not math.isfinite(f):
                alpha *= 0.1
                continue
            curvature = 2 * (f - f0 - alpha * slope0)
            alpha_trial = -slope0 * alpha * alpha / curvature if curvature > 0 else 0.5 * alpha
            alpha = min(max(alpha_trial, 0.1 * alpha), 0.5 * alpha)
        return None
