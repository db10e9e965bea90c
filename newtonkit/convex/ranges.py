"""Ranges: scalar intervals that contain every entry of an array for every x of the domain, rounded outward."""

from __future__ import annotations

import math
from typing import NamedTuple


class Range(NamedTuple):
    """A closed interval [lo, hi]; infinite ends are allowed, NaN is not."""

    lo: float = -math.inf
    hi: float = math.inf

    @property
    def nonnegative(self) -> bool:
        """Whether no entry is negative."""
        return self.lo >= 0.0

    @property
    def negated(self) -> Range:
        """The range of the negative."""
        return Range(-self.hi, -self.lo)

    @property
    def smallest_magnitude(self) -> float:
        """A lower bound of |a|."""
        return max(self.lo, -self.hi, 0.0)

    @property
    def largest_magnitude(self) -> float:
        """An upper bound of |a|."""
        return max(-self.lo, self.hi)

    def plus(self, other: Range) -> Range:
        """The range of a sum."""
        return Range(_sum(self.lo, other.lo, -math.inf), _sum(self.hi, other.hi, math.inf))

    def times(self, other: Range) -> Range:
        """The range of a product."""
        lows = [_product(a, b, -math.inf) for a in self for b in other]
        highs = [_product(a, b, math.inf) for a in self for b in other]
        return Range(min(lows), max(highs))

    def repeated(self, count: int) -> Range:
        """The range of a sum of ``count`` entries."""
        return self.times(Range(float(count), float(count)))

    def union(self, other: Range) -> Range:
        """A range that contains both."""
        return Range(min(self.lo, other.lo), max(self.hi, other.hi))


EVERYTHING = Range()
NONNEGATIVE = Range(0.0)


def outward(lo: float, hi: float, floor: float = -math.inf, ceiling: float = math.inf) -> Range:
    """[lo, hi] widened by four units in the last place, within [floor, ceiling]; NaN becomes the floor or ceiling.

    Elementary functions of the standard library are assumed to be accurate to four units in the last place.
    """
    for _ in range(4):
        lo, hi = math.nextafter(lo, -math.inf), math.nextafter(hi, math.inf)
    lo = floor if math.isnan(lo) else max(lo, floor)
    hi = ceiling if math.isnan(hi) else min(hi, ceiling)
    return Range(lo, hi)


def _sum(a: float, b: float, direction: float) -> float:
    """a + b rounded in a direction; exact sums stay as they are."""
    total = a + b
    if math.isnan(total):
        return direction
    if math.isinf(total):
        return total
    # the error of a floating-point sum (Knuth, 1997, section 4.2.2, theorem B)
    part = total - a
    error = (a - (total - part)) + (b - part)
    return total if error == 0.0 else math.nextafter(total, direction)


def _product(a: float, b: float, direction: float) -> float:
    if a == 0.0 or b == 0.0:  # 0 times an unbounded end: entries are finite
        return 0.0
    if abs(a) == 1.0 or abs(b) == 1.0:
        return a * b
    product = a * b
    return product if math.isinf(product) and (math.isinf(a) or math.isinf(b)) else math.nextafter(product, direction)
