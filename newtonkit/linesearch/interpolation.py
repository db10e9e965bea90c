"""Interpolation for line searches: minimizers of polynomials through values and slopes at two step lengths."""

from __future__ import annotations

import math
from typing import NamedTuple

from newtonkit.linalg.kernels import EPS

_FLAT = 1e4 * EPS  # relative difference of two values below which rounding dominates


class Point(NamedTuple):
    """A step length α with φ(α) and φ′(α)."""

    alpha: float
    f: float
    slope: float


def cubic_minimizer(a: Point, b: Point) -> float:
    """Return the minimizer of the cubic through values and slopes at both points; NaN if there is none.

    If the values differ by rounding only, the slopes alone are used (`secant`). N&W (2006), eq. 3.59.
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
    """Return the stationary point of the parabola through both values and the slope at a; NaN for a line."""
    width = b.alpha - a.alpha
    curvature = 2.0 * (b.f - a.f - width * a.slope)
    return a.alpha - a.slope * width * width / curvature if curvature != 0.0 else math.nan


def secant(a: Point, b: Point) -> float:
    """Return the minimizer of the parabola with the slopes at both points; NaN if its curvature is not positive."""
    width = b.alpha - a.alpha
    curvature = (b.slope - a.slope) / width
    return a.alpha - a.slope / curvature if curvature > 0.0 else math.nan
