"""The line search of Moré and Thuente: the strong Wolfe conditions, by cubic steps in an interval of uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import EPS
from newtonkit.linesearch.interpolation import Point, cubic_minimizer, quadratic_minimizer, secant
from newtonkit.linesearch.line_function import LineFunction

_ROUNDING = 10 * EPS  # relative increase of f that counts as rounding
_SHRINK = 0.1  # factor after a trial that is not finite
_SHRINKAGE = 0.66  # δ of section 4: an interval that shrinks less in two trials is bisected
_NEAREST, _FARTHEST = 0.1, 4.0  # limits of an extrapolation, relative to the distance of the last two points


@dataclass(frozen=True)
class MoreThuente:
    """A step length that satisfies the strong Wolfe conditions, φ(α) ≤ φ(0) + c₁αφ′(0) and |φ′(α)| ≤ c₂|φ′(0)|.

    Parameters
    ----------
    c1 : float in (0, 0.5), default 1e-4
        Sufficient decrease; μ of the paper.
    c2 : float in (c1, 1), default 0.9
        Curvature; η of the paper.
    max_trials : int, at least 1, default 50

    Notes
    -----
    Until a trial has sufficient decrease and a nonnegative slope, the interval refers to ψ(α) = φ(α) − φ(0) − c₁αφ′(0),
    so that it contains an acceptable step and not only a minimizer; after that, to φ itself.

    There are three departures from the paper. After a trial that is not finite, the next is a tenth of the way to it,
    and no later trial reaches as far. Values that differ by rounding only are not compared; the slopes are used
    instead, and there a slope that meets the second condition suffices. α is bounded above only if the domain of x is.

    References
    ----------
    Moré & Thuente (1994), ACM Trans. Math. Softw. 20(3), 286, sections 2 to 4; Nocedal & Wright (2006), eq. 3.7.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.BFGS(line_search=newtonkit.MoreThuente())
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-10)
    True
    """

    c1: float = 1e-4
    c2: float = 0.9
    max_trials: int = 50

    def __post_init__(self) -> None:
        check_real("c1", self.c1, 0.0, 0.5, open_low=True, open_high=True)
        check_real("c2", self.c2, self.c1, 1.0, open_low=True, open_high=True)
        check_integer("max_trials", self.max_trials, 1)

    def search(self, line: LineFunction, alpha: float) -> float | None:
        """Return an acceptable step length, starting from ``alpha`` > 0; None if none was found."""
        alpha = min(alpha, line.alpha_max)
        f, slope = line(alpha)
        if self._accepts(line, alpha, f, slope):
            return alpha
        return self._narrow(line, Point(alpha, f, slope))

    def _narrow(self, line: LineFunction, trial: Point) -> float | None:
        """Return an acceptable step length after a first trial that was none.

        ``low`` is the better end of the interval, not always the smaller one; ``high`` is the other end, None if
        unknown.
        """
        f0, rounding = line.f0, _ROUNDING * abs(line.f0)
        decrease = self.c1 * line.slope0
        low, high = Point(0.0, f0, line.slope0), None
        width, width_before = math.inf, math.inf
        wall = math.inf
        for_psi = True
        while line.trials < self.max_trials:
            if math.isnan(trial.slope):
                if trial.alpha > low.alpha:
                    high, wall = None, trial.alpha
                alpha = low.alpha + _SHRINK * (trial.alpha - low.alpha)
            else:
                enough = trial.f <= f0 + trial.alpha * decrease
                for_psi = for_psi and not (enough and trial.slope > 0.0)
                tilt = decrease if for_psi and not enough and trial.f <= low.f else 0.0
                alpha, low, high = _narrowed(low, trial, high, tilt, rounding)
                if high is None:
                    alpha = alpha if alpha < wall else 0.5 * (low.alpha + wall)
                else:
                    now = abs(high.alpha - low.alpha)
                    if not math.isfinite(alpha) or now > _SHRINKAGE * width_before:
                        alpha = 0.5 * (low.alpha + high.alpha)
                    width, width_before = now, width
            alpha = min(alpha, line.alpha_max)
            if alpha == low.alpha or (high is not None and alpha == high.alpha):
                return None  # the interval contains no other floating-point number
            trial = Point(alpha, *line(alpha))
            if self._accepts(line, *trial):
                return alpha
        return None

    def _accepts(self, line: LineFunction, alpha: float, f: float, slope: float) -> bool:
        f0, slope0 = line.f0, line.slope0
        if alpha >= line.alpha_max and line.ends_search(alpha, f, slope):
            return True
        if not abs(slope) <= -self.c2 * slope0:
            return False
        if f - f0 <= self.c1 * alpha * slope0:
            return True
        return f <= f0 + _ROUNDING * abs(f0) and -alpha * slope0 <= 1e4 * EPS * max(abs(f), abs(f0))


def _narrowed(
    low: Point, trial: Point, high: Point | None, tilt: float, rounding: float
) -> tuple[float, Point, Point | None]:
    """Return the next trial and the new ends of the interval: the four cases of section 4.

    Points are compared by φ(α) − tilt·α.
    """
    a, t = _tilted(low, tilt), _tilted(trial, tilt)
    cubic = cubic_minimizer(a, t)
    if t.f > a.f + rounding:
        return _nearer(a.alpha, cubic, quadratic_minimizer(a, t)), low, trial
    if t.slope * a.slope < 0.0:
        line = secant(a, t)
        return (cubic if abs(cubic - t.alpha) >= abs(line - t.alpha) else line), trial, low
    onwards = t.alpha - a.alpha
    alpha = math.inf if onwards > 0.0 else -math.inf
    if abs(t.slope) <= abs(a.slope):
        line = secant(a, t)
        if not (cubic - t.alpha) * onwards > 0.0:
            cubic = math.nan
        candidates = [c for c in (cubic, line) if not math.isnan(c)]
        if candidates:
            # with a bracket the nearer step is safer; without one the farther step is taken
            pick = min if high is not None else max
            alpha = pick(candidates, key=lambda c: abs(c - t.alpha))
    elif high is not None:
        alpha = cubic_minimizer(_tilted(high, tilt), t)
    if high is None:
        return min(max(alpha, t.alpha + _NEAREST * onwards), t.alpha + _FARTHEST * onwards), trial, None
    limit = t.alpha + _SHRINKAGE * (high.alpha - t.alpha)
    return (min(alpha, limit) if onwards > 0.0 else max(alpha, limit)), trial, high


def _tilted(point: Point, tilt: float) -> Point:
    return Point(point.alpha, point.f - tilt * point.alpha, point.slope - tilt) if tilt else point


def _nearer(alpha: float, cubic: float, quadratic: float) -> float:
    """Case 1: return the cubic step if it is nearer to the better end, else the mean of both steps."""
    if math.isnan(cubic):
        return quadratic
    return cubic if abs(cubic - alpha) < abs(quadratic - alpha) else 0.5 * (cubic + quadratic)
