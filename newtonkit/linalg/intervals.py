"""Interval arithmetic on arrays of intervals: every result contains all values of the exact operation.

Sums, products and quotients are rounded outward by one step to the next float (Moore, Kearfott & Cloud, 2009,
*Introduction to Interval Analysis*, ch. 2). The results of elementary functions are widened by four units in the last
place. That numpy's functions are at most that inaccurate is the only assumption. If a function is undefined on a part
of an interval, the result encloses its values on the rest. An endpoint that is NaN gives no bound: see
`Interval.bounded`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.linalg.kernels import EPS

ULPS = 4
"""Assumed largest error of numpy's elementary functions, in units in the last place."""
_TINY = float(np.finfo(np.float64).tiny)  # exceeds every error of gradual underflow


class Interval:
    """A closed interval [lo, hi], or an array of them; works with floats, which count as exact, and with ufuncs.

    Examples
    --------
    >>> x = Interval(np.array([-1.0]), np.array([2.0]))
    >>> square, product = x**2, x * Interval(-1.0, 2.0)
    >>> bool(square.lo[0] <= 0.0 < 4.0 <= square.hi[0]), bool(product.lo[0] <= -2.0 < 4.0 <= product.hi[0])
    (True, True)
    """

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Any, hi: Any) -> None:
        self.lo, self.hi = lo, hi

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        function = FUNCTIONS.get(ufunc)
        if function is None or method != "__call__" or options:
            return NotImplemented
        return function(*inputs)

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Interval | float) -> Interval:
        if isinstance(other, Interval):
            return Interval(_down(self.lo + other.lo), _up(self.hi + other.hi))
        return Interval(_down(self.lo + other), _up(self.hi + other))

    __radd__ = __add__

    def __sub__(self, other: Interval | float) -> Interval:
        return self + (-other)

    def __rsub__(self, other: float) -> Interval:
        return -self + other

    def __mul__(self, other: Interval | float) -> Interval:
        if other is ONE:
            return self
        if self is ONE:
            return other if isinstance(other, Interval) else Interval(other, other)
        if isinstance(other, Interval):
            products = self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi
            lo = np.minimum(np.minimum(products[0], products[1]), np.minimum(products[2], products[3]))
            hi = np.maximum(np.maximum(products[0], products[1]), np.maximum(products[2], products[3]))
            return Interval(_down(lo), _up(hi))
        lo, hi = (self.lo, self.hi) if other >= 0.0 else (self.hi, self.lo)
        return Interval(_down(lo * other), _up(hi * other))

    __rmul__ = __mul__

    def __truediv__(self, other: Interval | float) -> Interval:
        if isinstance(other, Interval):
            return self * other.reciprocal()
        if other == 0.0:
            return self * Interval(0.0, 0.0).reciprocal()
        lo, hi = (self.lo, self.hi) if other > 0.0 else (self.hi, self.lo)
        return Interval(_down(lo / other), _up(hi / other))

    def __rtruediv__(self, other: float) -> Interval:
        return self.reciprocal() * other

    def reciprocal(self) -> Interval:
        """1/x; unbounded on one side if an endpoint of x is zero, on both sides if zero is inside x."""
        lo, hi = np.asarray(self.lo), np.asarray(self.hi)
        with np.errstate(divide="ignore"):
            low, high = _down(1.0 / hi), _up(1.0 / lo)
        unbounded_below, unbounded_above = (lo < 0.0) & (hi >= 0.0), (lo <= 0.0) & (hi > 0.0)
        undefined = (lo == 0.0) & (hi == 0.0)
        low, high = np.where(unbounded_below, -np.inf, low), np.where(unbounded_above, np.inf, high)
        return Interval(np.where(undefined, np.nan, low), np.where(undefined, np.nan, high))

    def __pow__(self, p: float) -> Interval:
        if p == int(p):
            return self._whole_power(int(p)) if p >= 0 else self._whole_power(-int(p)).reciprocal()
        base = self.positive()
        ends = base.lo**p, base.hi**p
        return _widened(ends[0] if p > 0 else ends[1], ends[1] if p > 0 else ends[0], floor=0.0)

    def _whole_power(self, p: int) -> Interval:
        if p == 1:
            return self
        lo, hi = _repeated(self.lo, p), _repeated(self.hi, p)
        # p − 1 roundings of half a unit each
        if p % 2:
            return _widened(lo, hi, ulps=p)
        nearest = np.where((self.lo <= 0.0) & (self.hi >= 0.0), 0.0, np.minimum(lo, hi))
        return _widened(nearest, np.maximum(lo, hi), floor=0.0, ulps=p)

    def positive(self) -> Interval:
        """The part in [0, ∞); NaN if there is none."""
        outside = self.hi < 0.0
        return Interval(np.where(outside, np.nan, np.maximum(self.lo, 0.0)), np.where(outside, np.nan, self.hi))

    def midpoint(self) -> Any:
        """A float inside the interval or next to its middle; not finite if the interval is unbounded."""
        return 0.5 * self.lo + 0.5 * self.hi

    def radius(self) -> Any:
        """The largest distance from `midpoint`, rounded up."""
        middle = self.midpoint()
        return _up(np.maximum(self.hi - middle, middle - self.lo))

    def magnitude(self) -> Any:
        """max |x|."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    def bounded(self) -> Interval:
        """The same interval with ±∞ in place of NaN, which means that nothing is known."""
        return Interval(
            np.where(np.isnan(self.lo), -np.inf, self.lo),
            np.where(np.isnan(self.hi), np.inf, self.hi),
        )


ONE = Interval(1.0, 1.0)
"""The derivative of x with respect to x; multiplication by it is skipped and widens nothing."""


def _down(a: Any) -> Any:
    return np.nextafter(a, -np.inf)


def _up(a: Any) -> Any:
    return np.nextafter(a, np.inf)


def _repeated(a: Any, p: int) -> Any:
    """aᵖ by repeated squaring: the rounding error of multiplications is known."""
    result, factor = None, a
    while p:
        if p % 2:
            result = factor if result is None else result * factor
        factor, p = factor * factor, p // 2
    return np.ones_like(a) if result is None else result


def _widened(lo: Any, hi: Any, floor: float = -np.inf, ceiling: float = np.inf, ulps: int = ULPS) -> Interval:
    """[lo, hi], widened by ``ulps`` on either side, but not beyond floor and ceiling."""
    # an infinite endpoint must not become NaN
    share = (ulps + 1) * EPS  # one more for the rounding error of this sum
    low = np.where(np.isinf(lo), _down(lo), lo - (share * np.abs(lo) + _TINY))
    high = np.where(np.isinf(hi), _up(hi), hi + (share * np.abs(hi) + _TINY))
    return Interval(np.maximum(low, floor), np.minimum(high, ceiling))


def _increasing(function: np.ufunc, floor: float = -np.inf, ceiling: float = np.inf) -> Callable[[Interval], Interval]:
    return lambda x: _widened(function(x.lo), function(x.hi), floor, ceiling)


def _wave(function: np.ufunc, peak: float) -> Callable[[Interval], Interval]:
    """sin or cos: the upper end is 1 if x contains some peak + 2πk, the lower end −1 if x contains peak + π + 2πk."""

    def enclosure(x: Interval) -> Interval:
        # exceeds the rounding error of the quotient and the error of π, so no peak is missed
        slack = 8 * EPS * (np.abs(x.lo) + np.abs(x.hi) + 4.0)

        def meets(place: float) -> Any:
            turns = (x.lo - place - slack) / (2 * np.pi), (x.hi - place + slack) / (2 * np.pi)
            return np.ceil(turns[0]) <= np.floor(turns[1])

        ends = function(x.lo), function(x.hi)
        result = _widened(np.minimum(*ends), np.maximum(*ends), -1.0, 1.0)
        return Interval(np.where(meets(peak + np.pi), -1.0, result.lo), np.where(meets(peak), 1.0, result.hi))

    return enclosure


def _cosh(x: Interval) -> Interval:
    ends = np.cosh(x.lo), np.cosh(x.hi)
    lowest = np.where((x.lo <= 0.0) & (x.hi >= 0.0), 1.0, np.minimum(*ends))
    return _widened(lowest, np.maximum(*ends), floor=1.0)


def _on_positive(function: np.ufunc, floor: float = -np.inf) -> Callable[[Interval], Interval]:
    return lambda x: _increasing(function, floor)(x.positive())


def _log1p(x: Interval) -> Interval:
    outside = x.hi < -1.0
    return _increasing(np.log1p)(
        Interval(np.where(outside, np.nan, np.maximum(x.lo, -1.0)), np.where(outside, np.nan, x.hi))
    )


_sin, _cos = _wave(np.sin, 0.5 * np.pi), _wave(np.cos, 0.0)

FUNCTIONS: dict[np.ufunc, Callable[[Interval], Interval]] = {
    np.exp: _increasing(np.exp, floor=0.0),
    np.expm1: _increasing(np.expm1, floor=-1.0),
    np.log: _on_positive(np.log),
    np.log1p: _log1p,
    np.sqrt: _on_positive(np.sqrt, floor=0.0),
    np.sin: _sin,
    np.cos: _cos,
    np.tan: lambda x: _sin(x) / _cos(x),
    np.sinh: _increasing(np.sinh),
    np.cosh: _cosh,
    np.tanh: _increasing(np.tanh, -1.0, 1.0),
    np.arctan: _increasing(np.arctan),
    np.arcsinh: _increasing(np.arcsinh),
}
"""The elementary functions with an enclosure."""
