"""Jets: a value with its first and second derivatives, for many points or boxes at a time.

The user's function is called with a numpy array of jets, one for each variable. numpy's operations on arrays of objects
propagate them through sums, products, `dot`, slices and elementary functions. This is forward differentiation (Griewank
& Walther, 2008, *Evaluating Derivatives*, ch. 13). A jet holds only the derivatives that are not identically zero, so a
separable function needs n second derivatives, not n². The numbers are floats (one for each point) or intervals (one for
each box). An operation that requires a decision (a comparison, `abs`, `max`, `where`) raises TypeError.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from newtonkit.linalg.intervals import ONE, Interval

Numbers = Any  # an array of floats, one float, or an Interval


class Jet:
    """f, its gradient as {i: ∂ᵢf}, and its Hessian as {(i, j): ∂ᵢ∂ⱼf} for i ≤ j, or None if it is not requested."""

    __slots__ = ("g", "h", "v")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, v: Numbers, g: dict[int, Numbers], h: dict[tuple[int, int], Numbers] | None) -> None:
        self.v, self.g, self.h = v, g, h

    def chain(self, f: Numbers, df: Numbers, ddf: Numbers) -> Jet:
        """A function of this jet, from its value and derivatives: ∂ᵢ = f′gᵢ, ∂ᵢ∂ⱼ = f′hᵢⱼ + f″gᵢgⱼ."""
        g = {i: df * gi for i, gi in self.g.items()}
        if self.h is None:
            return Jet(f, g, None)
        h = {ij: df * hij for ij, hij in self.h.items()}
        for i, gi in self.g.items():
            for j, gj in self.g.items():
                if i <= j:
                    # the interval of gᵢ² is never negative; the interval product gᵢ·gᵢ may be
                    square = gi * gj if i < j else gi if gi is ONE else gi**2
                    _accumulate(h, (i, j), ddf * square)
        return Jet(f, g, h)

    def __add__(self, other: Any) -> Any:
        other = _operand(other)
        if isinstance(other, Jet):
            h = None if self.h is None or other.h is None else _sum(self.h, other.h)
            return Jet(self.v + other.v, _sum(self.g, other.g), h)
        if other is NotImplemented:
            return other
        return self if other == 0.0 else Jet(self.v + other, self.g, self.h)

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return self._each(lambda entry: -entry)

    def __pos__(self) -> Jet:
        return self

    def __sub__(self, other: Any) -> Any:
        other = _operand(other)
        return other if other is NotImplemented else self + (-other)

    def __rsub__(self, other: Any) -> Any:
        other = _operand(other)
        return other if other is NotImplemented else -self + other

    def __mul__(self, other: Any) -> Any:
        other = _operand(other)
        if other is NotImplemented:
            return other
        if not isinstance(other, Jet):
            return self if other == 1.0 else self._each(lambda entry: entry * other)
        if other is self:
            return self**2
        a, b = self, other
        g = _sum({i: a.v * bi for i, bi in b.g.items()}, {i: b.v * ai for i, ai in a.g.items()})
        if a.h is None or b.h is None:
            return Jet(a.v * b.v, g, None)
        h = _sum({ij: a.v * bij for ij, bij in b.h.items()}, {ij: b.v * aij for ij, aij in a.h.items()})
        for i, ai in a.g.items():
            for j, bj in b.g.items():
                _accumulate(h, (min(i, j), max(i, j)), ai * bj if i != j else 2.0 * (ai * bj))
        return Jet(a.v * b.v, g, h)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        other = _operand(other)
        if other is NotImplemented:
            return other
        return self * (1.0 / other) if isinstance(other, Jet) else self._each(lambda entry: entry / other)

    def __rtruediv__(self, other: Any) -> Any:
        other = _operand(other)
        if other is NotImplemented:
            return other
        r = 1.0 / self.v
        inverse = self.chain(r, -(r**2), 2.0 * r**3)
        return inverse if other == 1.0 else inverse * other

    def __pow__(self, p: Any) -> Any:
        p = _operand(p)
        if p is NotImplemented:
            return p
        if isinstance(p, Jet):
            return _apply(_exp, _apply(_log, self) * p)
        v = self.v
        if p in (0.0, 1.0):
            return self if p else 1.0
        if p == 2.0:
            return self.chain(v**2, 2.0 * v, Interval(2.0, 2.0) if isinstance(v, Interval) else 2.0)
        if p == int(p):
            return self.chain(v**p, p * v ** (p - 1), p * (p - 1) * v ** (p - 2))
        # p − 1 and p − 2 may not be exact in floating point: divide by v instead
        power = v**p
        slope = p * power / v
        return self.chain(power, slope, (p * slope - slope) / v)

    def __rpow__(self, base: Any) -> Any:
        base = _operand(base)
        if base is NotImplemented:
            return base
        logarithm = np.log(Interval(base, base) if isinstance(self.v, Interval) else base)
        return _apply(_exp, self._each(lambda entry: entry * logarithm))

    def conjugate(self) -> Jet:
        """The jet itself, since it is real; `numpy.var` calls this method."""
        return self

    def _each(self, change: Callable[[Numbers], Numbers]) -> Jet:
        """A linear function of this jet."""
        h = None if self.h is None else {ij: change(hij) for ij, hij in self.h.items()}
        return Jet(change(self.v), {i: change(gi) for i, gi in self.g.items()}, h)

    def _undecided(self, *_: object) -> NoReturn:
        raise TypeError("a jet represents many points at once: it cannot be compared or decide a branch")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _undecided


def _operand(other: Any) -> Any:
    """The other side of an operation: a jet, a number as a float, or NotImplemented for an array."""
    if isinstance(other, np.ndarray):
        if other.ndim:
            return NotImplemented  # numpy then applies the operation entry by entry
        other = other.item()
    if isinstance(other, Jet):
        return other
    if isinstance(other, Real) and float(other) == other:
        return float(other)
    raise TypeError(f"{other!r} is not a number that a float represents exactly")


def _accumulate(entries: dict[tuple[int, int], Numbers], at: tuple[int, int], term: Numbers) -> None:
    entries[at] = entries[at] + term if at in entries else term


def _sum(a: dict[Any, Numbers], b: dict[Any, Numbers]) -> dict[Any, Numbers]:
    total = dict(a)
    for key, entry in b.items():
        total[key] = total[key] + entry if key in total else entry
    return total


def _exp(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    e = np.exp(v)
    return e, e, e


def _expm1(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    e = np.exp(v)
    return np.expm1(v), e, e


def _log(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    r = 1.0 / (v.positive() if isinstance(v, Interval) else v)
    return np.log(v), r, -(r**2)


def _log1p(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    return np.log1p(v), *_log(1.0 + v)[1:]


def _sqrt(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    s = np.sqrt(v)
    return s, 0.5 / s, -0.25 / s**3


def _sin(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    s = np.sin(v)
    return s, np.cos(v), -s


def _cos(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    c = np.cos(v)
    return c, -np.sin(v), -c


def _tan(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    t = np.tan(v)
    slope = 1.0 + t**2
    return t, slope, 2.0 * t * slope


def _sinh(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    s = np.sinh(v)
    return s, np.cosh(v), s


def _cosh(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    c = np.cosh(v)
    return c, np.sinh(v), c


def _tanh(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    t = np.tanh(v)
    slope = 1.0 - t**2
    return t, slope, -2.0 * t * slope


def _arctan(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    slope = 1.0 / (1.0 + v**2)
    return np.arctan(v), slope, -2.0 * v * slope**2


def _arcsinh(v: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    slope = 1.0 / np.sqrt(1.0 + v**2)
    return np.arcsinh(v), slope, -v * slope**3


_RULES = (_exp, _expm1, _log, _log1p, _sqrt, _sin, _cos, _tan, _sinh, _cosh, _tanh, _arctan, _arcsinh)


def _apply(rule: Callable[[Numbers], tuple[Numbers, Numbers, Numbers]], jet: Jet) -> Jet:
    return jet.chain(*rule(jet.v))


for _rule in _RULES:
    # numpy's ufunc with this name calls the method of every entry of an array of objects
    setattr(Jet, _rule.__name__.removeprefix("_"), partialmethod(lambda jet, rule: _apply(rule, jet), _rule))
