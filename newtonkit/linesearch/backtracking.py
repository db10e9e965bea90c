"""Backtracking with interpolation until Armijo's condition of sufficient decrease holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import EPS
from newtonkit.linesearch.line_function import LineFunction


@dataclass(frozen=True)
class Backtracking:
    """Reduce α until φ(α) ≤ φ(0) + c₁αφ′(0); the gradient is evaluated at the accepted point only.

    Parameters
    ----------
    c1 : float in (0, 0.5), default 1e-4
        Armijo's constant.
    max_trials : int, at least 1, default 50

    Notes
    -----
    The next trial is the minimizer of the parabola through φ(0), φ′(0) and φ(α), restricted to [0.1α, 0.5α]; after a
    trial that is not finite, it is 0.1α. If the required decrease is below the rounding of f, the slope is tested
    instead: φ′(α) ≤ (2c₁ − 1)φ′(0), which is the same condition for a parabola (Hager & Zhang, 2005, eq. 4.1).

    References
    ----------
    Nocedal & Wright (2006), *Numerical Optimization*, algorithm 3.1 and p. 58.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.BFGS(line_search=newtonkit.Backtracking())
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-10)
    True
    """

    c1: float = 1e-4
    max_trials: int = 50

    def __post_init__(self) -> None:
        check_real("c1", self.c1, 0.0, 0.5, open_low=True, open_high=True)
        check_integer("max_trials", self.max_trials, 1)

    def search(self, line: LineFunction, alpha: float) -> float | None:
        """Return an acceptable step length, starting from ``alpha`` > 0; None if none was found."""
        f0, slope0 = line.f0, line.slope0
        alpha = min(alpha, line.alpha_max)
        for _ in range(self.max_trials):
            f = line.value(alpha)
            rounding = 1e4 * EPS * max(abs(f0), abs(f))
            if abs(f - f0) <= rounding and -alpha * slope0 <= rounding:
                if f <= f0 + 10 * EPS * abs(f0) and line.gradient() <= (2 * self.c1 - 1) * slope0:
                    return alpha
            elif f <= f0 + self.c1 * alpha * slope0 and not math.isnan(line.gradient()):
                return alpha
            if not math.isfinite(f):
                alpha *= 0.1
                continue
            curvature = 2 * (f - f0 - alpha * slope0)
            alpha_trial = -slope0 * alpha * alpha / curvature if curvature > 0 else 0.5 * alpha
            alpha = min(max(alpha_trial, 0.1 * alpha), 0.5 * alpha)
        return None
