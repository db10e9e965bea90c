"""The line search of Hager and Zhang: Wolfe's conditions, or their approximate form where f is all rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import EPS
from newtonkit.linesearch.interpolation import Point, cubic_minimizer
from newtonkit.linesearch.line_function import LineFunction

_ROUNDING = 10 * EPS  # rise of f, relative to |f|, taken for rounding
_EXPANSION = 5.0  # ρ of the paper
_SHRINK = 0.1  # ψ₃ of CG_DESCENT: contraction while a trial is not finite
_SHRINKAGE = 0.66  # γ: the bracket must shrink by this factor in two trials, or it is bisected
_HOPELESS = 10  # trials with no difference in f beyond rounding, after which the slopes are taken for noise too
_MARGIN = 0.05  # an interpolated trial keeps this share of the bracket from either end


@dataclass(frozen=True)
class HagerZhang:
    """A step length that meets Wolfe's conditions, or approximately.

    Wolfe: φ(α) − φ(0) ≤ δαφ′(0) and φ′(α) ≥ σφ′(0). Approximate Wolfe: (2δ−1)φ′(0) ≥ φ′(α) ≥ σφ′(0) and φ(α) ≤
    φ(0) + 10·eps·|φ(0)|; being a statement on slopes it keeps its sense where differences of f are all rounding.

    Parameters
    ----------
    delta : float in (0, 0.5), default 0.1
        Sufficient decrease.
    sigma : float in [delta, 1), default 0.9
        Curvature.
    max_trials : int, at least 1, default 50

    Notes
    -----
    We depart from the paper where a trial is chosen inside a bracket: by the cubic through both ends' values and
    slopes, instead of the secant of the slopes; it needs fewer trials, and at the level of rounding the secant of the
    slopes takes over.

    References
    ----------
    Hager & Zhang (2005), SIAM J. Optim. 16(1), 170, section 4; (2006), ACM TOMS 32(1), 113 (CG_DESCENT).
    """

    delta: float = 0.1
    sigma: float = 0.9
    max_trials: int = 50

    def __post_init__(self) -> None:
        check_real("delta", self.delta, 0.0, 0.5, open_low=True, open_high=True)
        check_real("sigma", self.sigma, self.delta, 1.0, open_high=True)
        check_integer("max_trials", self.max_trials, 1)

    def search(self, ray: LineFunction, alpha: float) -> float | None:
        """An acceptable step length, starting from ``alpha`` > 0; None where none was found."""
        f, slope = ray(alpha)
        if self._accepts(ray, alpha, f, slope):
            return alpha
        return self._enclose(ray, Point(alpha, f, slope))

    def _enclose(self, ray: LineFunction, trial: Point) -> float | None:
        """An acceptable step length, where the first trial was none: enclose one, and shrink the bracket."""
        f0, slope0 = ray.f0, ray.slope0
        rounding = _ROUNDING * abs(f0)
        low, high = Point(0.0, f0, slope0), None
        width = math.inf
        flat = 0
        while True:
            if math.isnan(trial.slope):
                # nothing is known beyond here: come back towards the good end
                alpha = low.alpha + _SHRINK * (trial.alpha - low.alpha)
                high = None
                if alpha == low.alpha:
                    return None
            else:
                flat += abs(trial.f - f0) <= rounding and -trial.alpha * slope0 <= rounding
                if flat == _HOPELESS:
                    return None
                # low: slope < 0 and f no higher than the start; high: slope ≥ 0, or f higher
                if trial.slope < 0.0 and trial.f <= f0 + rounding:
                    low = trial
                else:
                    high = trial
                if high is None:
                    alpha = _EXPANSION * trial.alpha
                else:
                    shrunk = high.alpha - low.alpha
                    alpha = _between(low, high) if shrunk <= _SHRINKAGE * width else 0.5 * (low.alpha + high.alpha)
                    width = shrunk
                    if not low.alpha < alpha < high.alpha:
                        return None  # the bracket holds no further number
            if ray.trials >= self.max_trials:
                return None
            trial = Point(alpha, *ray(alpha))
            if self._accepts(ray, *trial):
                return alpha

    def _accepts(self, ray: LineFunction, alpha: float, f: float, slope: float) -> bool:
        slope0 = ray.slope0
        if not slope >= self.sigma * slope0:
            return False
        if f - ray.f0 <= self.delta * alpha * slope0:
            return True
        return slope <= (2 * self.delta - 1) * slope0 and f <= ray.f0 + _ROUNDING * abs(ray.f0)


def _between(low: Point, high: Point) -> float:
    """A trial inside the bracket: minimizer of the cubic, else zero of the slopes' secant, else the middle."""
    alpha = cubic_minimizer(low, high)
    if not math.isfinite(alpha):
        return 0.5 * (low.alpha + high.alpha)
    margin = _MARGIN * (high.alpha - low.alpha)
    return min(max(alpha, low.alpha + margin), high.alpha - margin)
