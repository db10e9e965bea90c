"""Finite differences of f as a derivative source: "differences" (the same as "3-point") and "2-point".

With relative noise η of f and the scale sᵢ of a variable, the steps that balance truncation against noise are √η·sᵢ for
forward differences, η^⅓·sᵢ for central ones, and η^¼·sᵢ for second differences (Nocedal & Wright, 2006, section 8.1;
Gill, Murray, Saunders & Wright, 1983, SIAM J. Sci. Stat. Comput. 4, 310-321). η is at least eps and is estimated by
`newtonkit.derivatives.noise`. Every call of f counts as one; all points lie in the domain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain, Unbounded
from newtonkit.derivatives.autograd.tracing import as_number
from newtonkit.derivatives.noise import MOST_CALLS, POINTS, REACH, estimate_noise, variation
from newtonkit.derivatives.source import Call, DerivativeSource, Product
from newtonkit.linalg.kernels import EPS, Matrix, Vector

_LARGEST_NOISE = 1e-2  # of |f|: a larger η would give steps as long as x itself; our choice
_BAR = 4.0  # standard deviations in an error bar: 6 in 100,000 errors of a normal distribution are larger
_HESSIAN_ERROR = 1e-7  # least relative error of second differences: √eps with a margin, N&W (2006), p. 202
_UNRELIABLE = 0.1  # of ‖g‖∞: forward differences with a larger error bar are replaced by central ones; our choice
_STALE = 0.1  # of the noise when it was estimated: after f has fallen to less, an error bar needs a new estimate


class Differences(DerivativeSource):
    """Derivatives of f by differences of its values.

    Parameters
    ----------
    call : callable
        f(x), which returns a float.
    domain : Domain, optional
        No point outside it is evaluated. At a bound, central differences become one-sided differences of second order,
        and second differences are taken around the nearest point that has room for them.
    central : bool, default True
        False: forward differences, which take half the calls and are right to half the digits.
    """

    capabilities = frozenset({"hessian", "error_bars"})
    counts_calls = True

    def __init__(self, call: Call, domain: Domain | None = None, *, central: bool = True) -> None:
        self._call = call
        self._domain: Domain = Unbounded() if domain is None else domain
        self._central = central
        self._typical: Vector | None = None
        self._noise: float | None = None
        self._noise_f = math.nan
        self._eta = EPS
        self._gradient_noise = 0.0
        self._hessian_error = _HESSIAN_ERROR

    def bind(self, call: Call, domain: Domain) -> Differences:
        """Return the same differences of ``call`` in ``domain``."""
        return Differences(call, domain, central=self._central)

    def cost(self, kind: str, n: int) -> Counts:
        """Return the calls of f that a request takes at most, and the request itself."""
        noise = 0 if self._noise is not None or kind == "value" else MOST_CALLS
        at_bounds = n if self._domain.is_bounded else 0
        gradient = noise + ((2 * n + 1 if at_bounds else 2 * n) if self._central else n + 1)
        return {
            "value": Counts(f=1),
            "gradient": Counts(f=gradient + (1 if noise and self._central and not at_bounds else 0), g=1),
            "value_and_gradient": Counts(f=gradient + (1 if self._central and not at_bounds else 0), g=1),
            "gradient_error": Counts(f=2 * n + 1 + MOST_CALLS),
            "hessian": Counts(f=noise + n * n + n + 2, H=1),
            "product": Counts(f=noise + 4 * n + 1, Hv=1),
        }[kind]

    @property
    def description(self) -> str:
        """The formula."""
        return "central differences of f" if self._central else "forward differences of f"

    # --- f and its gradient ---------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """Return f(x)."""
        return self._call(x)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its differences."""
        f = self._call(x)
        return f, self._gradient(x, f)

    def gradient(self, x: Vector) -> Vector:
        """Return the differences of f at x."""
        return self._gradient(x, None)

    def _gradient(self, x: Vector, f: float | None) -> Vector:
        if f is None and (self._noise is None or not self._central):
            f = self._call(x)
        eta = self._relative_noise(x, f)
        g, weight = self._differences(x, f, self._steps(x, eta, 1 / 3 if self._central else 1 / 2))
        size = abs(f) if f is not None and math.isfinite(f) else 0.0
        self._gradient_noise = _BAR * max(self._noise or 0.0, EPS * size) * float(weight.max(initial=0.0))
        return g

    def _differences(self, x: Vector, f: float | None, h: Vector) -> tuple[Vector, Vector]:
        """Return the difference quotients with steps h, and what an error of f in each call amounts to in them."""
        g, weight = np.zeros(x.size), np.zeros(x.size)
        below, above = self._room(x)
        for i in range(x.size):
            if self._central and min(below[i], above[i]) >= h[i]:
                left, right = self._moved(x, i, -h[i]), self._moved(x, i, h[i])
                width = right[i] - left[i]
                g[i] = (self._call(right) - self._call(left)) / width
                weight[i] = 2.0 / width
                continue
            reach = max(below[i], above[i])
            if reach == 0.0:  # a fixed variable
                continue
            if f is None:
                f = self._call(x)
            sign = 1.0 if above[i] >= min(h[i], reach) else -1.0
            if not self._central:
                y = self._moved(x, i, sign * min(h[i], reach))
                step = y[i] - x[i]
                g[i], weight[i] = (self._call(y) - f) / step, 2.0 / abs(step)
                continue
            sign = 1.0 if above[i] >= below[i] else -1.0
            near = self._moved(x, i, sign * min(h[i], 0.5 * reach))
            far = self._moved(x, i, sign * min(2.0 * h[i], reach))
            a, b = near[i] - x[i], far[i] - x[i]
            # the parabola through three points
            slope_a, slope_b = (self._call(near) - f) / a, (self._call(far) - f) / b
            g[i] = (b * slope_a - a * slope_b) / (b - a)
            weight[i] = 8.0 / abs(b)
        return g, weight

    # --- error bars -----------------------------------------------------------------------------------------

    def gradient_error(self, x: Vector, g: Vector) -> float:
        """Return the noise of f divided by the step, plus the change of g when all steps are doubled; about 2n calls.

        The change is three times the truncation of a central difference, and equal to that of a forward difference.
        If the error bar of forward differences exceeds a tenth of ‖g‖∞, all later ones are central (Gill, Murray &
        Wright, 1981, *Practical Optimization*, section 8.6.2).
        """
        f = self._call(x)
        eta = self._eta
        if self._noise is None or abs(f) < _STALE * abs(self._noise_f):
            eta = self._estimate(x, f)
        h = self._steps(x, eta, 1 / 3 if self._central else 1 / 2)
        coarse, weight = self._differences(x, f, 2.0 * h)
        noise = _BAR * max(self._noise or 0.0, EPS * abs(f))
        with np.errstate(all="ignore"):
            bars = np.abs(coarse - g) + 2.0 * noise * weight  # the weight belongs to the doubled step
        bar = float(bars.max(initial=0.0))
        if bar > _UNRELIABLE * float(np.abs(g).max(initial=0.0)):
            self._central = True
        return bar

    @property
    def value_noise(self) -> float:
        """Four standard deviations of the noise of f, as it was measured last."""
        return _BAR * (self._noise or 0.0)

    @property
    def gradient_noise(self) -> float:
        """The part of the error of the last gradient that is due to noise."""
        return self._gradient_noise

    @property
    def hessian_error(self) -> float:
        """The relative error of the last Hessian: noise over h², and at least 1e-7 for the truncation."""
        return self._hessian_error

    # --- second derivatives ---------------------------------------------------------------------------------

    def hessian(self, x: Vector) -> Matrix:
        """Return second differences of f, exactly symmetric; n² + n + 1 calls.

        With fᵢ₊ = f(x + hᵢeᵢ): Hᵢⱼ = (fᵢ₊ⱼ₊ − fᵢ₊ − fⱼ₊ + 2f − fᵢ₋ − fⱼ₋ + fᵢ₋ⱼ₋) / (2hᵢhⱼ), of second order
        (Abramowitz & Stegun, 1972, equation 25.3.27).
        """
        n, call = x.size, self._call
        h = self._second_steps(x)
        x, h = self._centred(x, h)
        f = call(x)
        up = np.array([call(self._moved(x, i, h[i])) if h[i] else f for i in range(n)])
        down = np.array([call(self._moved(x, i, -h[i])) if h[i] else f for i in range(n)])
        H = np.zeros((n, n))
        for i in range(n):
            if not h[i]:
                continue
            H[i, i] = (up[i] - 2.0 * f + down[i]) / (h[i] * h[i])
            for j in range(i):
                if not h[j]:
                    continue
                both_up = call(self._moved(self._moved(x, i, h[i]), j, h[j]))
                both_down = call(self._moved(self._moved(x, i, -h[i]), j, -h[j]))
                H[i, j] = (both_up - up[i] - up[j] + 2.0 * f - down[i] - down[j] + both_down) / (2.0 * h[i] * h[j])
                H[j, i] = H[i, j]
        noise = max(self._noise or 0.0, EPS * abs(f))
        moving = h[h > 0.0]
        largest = float(np.abs(H).max(initial=0.0))
        if moving.size and 0.0 < largest < math.inf:
            # four values' worth of noise enters an entry
            smallest = float(moving.min())
            scale = smallest * smallest * largest
            self._hessian_error = max(_HESSIAN_ERROR, _BAR * 4.0 * noise / scale if scale > 0.0 else math.inf)
        return H

    def product(self, x: Vector, scale: float) -> Product:
        """Return v ↦ ∇²f(x)·v by second differences along v and each variable, 4n calls for each v."""
        h, scales = self._second_steps(x), self._scales(x)
        root = float(np.max(h / scales))
        below, above = self._room(x)
        movable = below + above > 0.0

        def times(v: Vector) -> Vector:
            v = np.where(movable, v, 0.0)
            longest = float(np.max(np.abs(v) / scales, initial=0.0))
            if not longest > 0.0:
                return np.zeros_like(x)
            tau = root / longest
            needed = h + tau * np.abs(v)
            centre, room = self._centred(x, needed)
            shrink = float(np.min(room[movable] / needed[movable]))
            t, steps = tau * shrink, h * shrink
            Hv = np.zeros(x.size)
            for i in map(int, np.flatnonzero(movable)):
                p, q = self._moved(centre, i, steps[i]), self._moved(centre, i, -steps[i])
                values = [self._call(self._domain.project(y)) for y in (p + t * v, q + t * v, p - t * v, q - t * v)]
                Hv[i] = (values[0] - values[1] - values[2] + values[3]) / (4.0 * t * steps[i])
            return Hv

        return Product(times, 0, 0)

    # --- steps ----------------------------------------------------------------------------------------------

    def _scales(self, x: Vector) -> Vector:
        """Return the length that counts as large in each variable: its size here or at the first point, 1 if that is 0.

        These are the typical sizes of Dennis & Schnabel (1996), section 5.4.
        """
        if self._typical is None:
            self._typical = np.where(x == 0.0, 1.0, np.abs(x))
        return np.asarray(np.maximum(np.abs(x), self._typical))

    def _steps(self, x: Vector, eta: float, power: float) -> Vector:
        return np.asarray(eta**power * self._scales(x))

    def _second_steps(self, x: Vector) -> Vector:
        f = None if self._noise is not None else self._call(x)
        return self._steps(x, self._relative_noise(x, f), 1 / 4)

    def _relative_noise(self, x: Vector, f: float | None) -> float:
        """Return η; the noise of f is estimated at the first point."""
        return self._estimate(x, f) if self._noise is None and f is not None else self._eta

    def _estimate(self, x: Vector, f: float) -> float:
        """Estimate the noise of f at x, and return η: noise over the variation of f."""
        if not math.isfinite(f):
            return self._eta
        scales = self._scales(x)
        below, above = self._room(x)
        far = max(1001.0 * POINTS * math.sqrt(EPS), 3.0 * REACH) * scales
        inward = np.where(above >= far, scales, np.where(below >= far, -scales, 0.0))
        found = estimate_noise(self._call, x, f, math.sqrt(EPS) * inward)
        if found is not None or self._noise is None:
            self._noise = EPS * abs(f) if found is None else found
        self._noise_f = f
        size = variation(self._call, x, f, inward) if math.isfinite(f) else math.inf
        if size > 0.0:
            self._eta = min(max(self._noise / size, EPS), _LARGEST_NOISE)
        return self._eta

    def _room(self, x: Vector) -> tuple[Vector, Vector]:
        """Return the distances to the lower and to the upper bounds."""
        return x - self._domain.lower, self._domain.upper - x

    def _centred(self, x: Vector, h: Vector) -> tuple[Vector, Vector]:
        """Return the nearest point with room h on both sides of every variable, and h reduced to half the width."""
        if not self._domain.is_bounded:
            return x, h
        lower, upper = self._domain.lower, self._domain.upper
        h = np.minimum(h, 0.5 * (np.asarray(upper) - lower))
        return np.asarray(np.minimum(np.maximum(x, lower + h), np.asarray(upper) - h)), h

    def _moved(self, x: Vector, i: int, step: float) -> Vector:
        """Return x with the i-th variable moved by step, or to the bound if rounding would cross it."""
        y = x.copy()
        y[i] += step
        return self._domain.project(y) if self._domain.is_bounded else y


def _call_of(fun: Callable[..., Any], args: tuple[Any, ...]) -> Call:
    return lambda x: as_number(fun(x.copy(), *args))


class CentralDifferences(Differences):
    """The source "3-point": two calls for each variable, errors of about η^⅔."""

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        super().__init__(_call_of(fun, args))


class ForwardDifferences(Differences):
    """The source "2-point": one call for each variable, errors of about √η."""

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        super().__init__(_call_of(fun, args), central=False)
