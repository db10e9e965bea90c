"""The line search of Hager and Zhang: Wolfe's conditions, or approximate ones if differences of f are rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import EPS
from newtonkit.linesearch.interpolation import Point, cubic_minimizer
from newtonkit.linesearch.line_function import LineFunction

_ROUNDING = 10 * EPS  # relative increase of f that counts as rounding
_EXPANSION = 5.0  # ρ of the paper
_SHRINK = 0.1  # factor after a trial that is not finite; ψ₃ of CG_DESCENT
_SHRINKAGE = 0.66  # γ of the paper: a bracket that shrinks less is bisected next
_MAX_FLAT = 10  # trials without a difference of f beyond rounding; the slopes are noise too by then
_MARGIN = 0.05  # least distance of a trial from either end, relative to the bracket


@dataclass(frozen=True)
class HagerZhang:
    """A step length that satisfies Wolfe's conditions, exactly or approximately.

    Wolfe: φ(α) − φ(0) ≤ δαφ′(0) and φ′(α) ≥ σφ′(0). Approximate Wolfe: (2δ−1)φ′(0) ≥ φ′(α) ≥ σφ′(0) and φ(α) ≤
    φ(0) + 10·eps·|φ(0)|. This form uses slopes, and so remains meaningful if differences of f are lost in rounding.

    Parameters
    ----------
    delta : float in (0, 0.5), default 0.1
        Sufficient decrease.
    sigma : float in [delta, 1), default 0.9
        Curvature.
    max_trials : int, at least 1, default 50

    Notes
    -----
    One departure from the paper: a trial inside a bracket is the minimizer of the cubic through the values and slopes
    of both ends, not the secant of the slopes. It needs fewer trials. If the values differ by rounding only, the secant
    is used.

    References
    ----------
    Hager & Zhang (2005), SIAM J. Optim. 16(1), 170, section 4; (2006), ACM TOMS 32(1), 113 (CG_DESCENT).

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.BFGS(line_search=newtonkit.HagerZhang())
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-10)
    True
    """

    delta: float = 0.1
    sigma: float = 0.9
    max_trials: int = 50

    def __post_init__(self) -> None:
        check_real("delta", self.delta, 0.0, 0.5, open_low=True, open_high=True)
        check_real("sigma", self.sigma, self.delta, 1.0, open_high=True)
        check_integer("max_trials", self.max_trials, 1)

    def search(self, line: LineFunction, alpha: float) -> float | None:
        """Return an acceptable step length, starting from ``alpha`` > 0; None if none was found."""
        alpha = min(alpha, line.alpha_max)
        f, slope = line(alpha)
        if self._accepts(line, alpha, f, slope):
            return alpha
        return self._enclose(line, Point(alpha, f, slope))

    def _enclose(self, line: LineFunction, trial: Point) -> float | None:
        """Return an acceptable step length after a first trial that was none: bracket one, and shrink the bracket."""
        f0, slope0 = line.f0, line.slope0
        rounding = _ROUNDING * abs(f0)
        low, high = Point(0.0, f0, slope0), None
        width = math.inf
        flat = 0
        while True:
            if math.isnan(trial.slope):
                # f or g is not finite here: return towards the lower end
                alpha = low.alpha + _SHRINK * (trial.alpha - low.alpha)
                high = None
                if alpha == low.alpha:
                    return None
            else:
                flat += abs(trial.f - f0) <= rounding and -trial.alpha * slope0 <= rounding
                if flat == _MAX_FLAT:
                    return None
                # low: slope < 0 and f no higher than the start; high: slope ≥ 0, or f higher
                if trial.slope < 0.0 and trial.f <= f0 + rounding:
                    low = trial
                else:
                    high = trial
                if high is None:
                    alpha = min(_EXPANSION * trial.alpha, line.alpha_max)
                    if alpha == trial.alpha:
                        return None  # f falls to the boundary, but not enough
                else:
                    shrunk = high.alpha - low.alpha
                    alpha = _between(low, high) if shrunk <= _SHRINKAGE * width else 0.5 * (low.alpha + high.alpha)
                    width = shrunk
                    if not low.alpha < alpha < high.alpha:
                        return None  # the bracket contains no other floating-point number
            if line.trials >= self.max_trials:
                return None
            trial = Point(alpha, *line(alpha))
            if self._accepts(line, *trial):
                return alpha

    def _accepts(self, line: LineFunction, alpha: float, f: float, slope: float) -> bool:
        slope0 = line.slope0
        if alpha >= line.alpha_max and line.ends_search(alpha, f, slope):
            return True
        if not slope >= self.sigma * slope0:
            return False
        if f - line.f0 <= self.delta * alpha * slope0:
            return True
        return slope <= (2 * self.delta - 1) * slope0 and f <= line.f0 + _ROUNDING * abs(line.f0)


def _between(low: Point, high: Point) -> float:
    """Return a trial inside the bracket: the minimizer of the cubic or of the secant, or else the midpoint."""
    alpha = cubic_minimizer(low, high)
    if not math.isfinite(alpha):
        return 0.5 * (low.alpha + high.alpha)
    margin = _MARGIN * (high.alpha - low.alpha)
    return min(max(alpha, low.alpha + margin), high.alpha - margin)
