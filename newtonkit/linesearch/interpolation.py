"""Trials by interpolation: minimizers of the polynomials through values and slopes at two points of a ray."""

from __future__ import annotations

import math
from typing import NamedTuple

from newtonkit.linalg.kernels import EPS

_FLAT = 1e4 * EPS  # difference of two values, relative to them, below which it is mostly rounding


class Point(NamedTuple):
    """φ and φ′ at α."""

    alpha: float
    f: float
    slope: float


def cubic_minimizer(a: Point, b: Point) -> float:
    """The minimizer of the cubic through values and slopes at both points; NaN where it has none.

    Where the values differ by rounding only, the slopes decide alone: see `secant`. N&W (2006), eq. 3.59.
    """
    width = b.alpha - a.alpha
    rise = b.f - a.f
    if abs(rise) <= _FLAT * max(abs(a.f), abs(b.f)):
        return secant(a, b)
    d1 = a.slope + b.slope - 3.0 * rise / width
    radicand = d1 * d1 - a.slope * b.slope
    if not radicand >= 0.0:
        return math.nan
    d2 = math.copysign(math.sqrt(radicand), width)
    denominator = b.slope - a.slope + 2.0 * d2
    return b.alpha - width * (b.slope + d2 - d1) / denominator if denominator != 0.0 else math.nan


def quadratic_minimizer(a: Point, b: Point) -> float:
    """The stationary point of the parabola through both values and the slope at a; NaN where it is a line."""
    width = b.alpha - a.alpha
    curvature = 2.0 * (b.f - a.f - width * a.slope)
    return a.alpha - a.slope * width * width / curvature if curvature != 0.0 else math.nan


def secant(a: Point, b: Point) -> float:
    """The minimizer of the parabola with the slopes at both points; NaN where it bends down or is a line."""
    width = b.alpha - a.alpha
    curvature = (b.slope - a.slope) / width
    return a.alpha - a.slope / curvature if curvature > 0.0 else math.nan
