"""Residuals of those sums of squares of Moré, Garbow and Hillstrom whose f is not written as a sum over one vector.

The sum of their squares is f of the problem of the same name, up to rounding.
"""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import Vector

_TEN = 10**0.5


def rosenbrock(x: Any) -> Any:
    """10(xᵢ₊₁ − xᵢ²), 1 − xᵢ."""
    head, tail = x[:-1], x[1:]
    return anp.concatenate([10.0 * (tail - head * head), 1.0 - head])


def extended_rosenbrock(x: Any) -> Any:
    """10(x₂ᵢ − x₂ᵢ₋₁²), 1 − x₂ᵢ₋₁."""
    odd, even = x[::2], x[1::2]
    return anp.concatenate([10.0 * (even - odd * odd), 1.0 - odd])


def freudenstein_roth(p: Any) -> Any:
    """Two cubics in y."""
    x, y = p[0], p[1]
    return anp.array([x - 13 + ((5 - y) * y - 2) * y, x - 29 + ((y + 1) * y - 14) * y])


def powell_badly_scaled(p: Any) -> Any:
    """10⁴xy − 1, exp(−x) + exp(−y) − 1.0001."""
    x, y = p[0], p[1]
    return anp.array([1e4 * x * y - 1, anp.exp(-x) + anp.exp(-y) - 1.0001])


def brown_badly_scaled(p: Any) -> Any:
    """x − 10⁶, y − 2·10⁻⁶, xy − 2."""
    x, y = p[0], p[1]
    return anp.array([x - 1e6, y - 2e-6, x * y - 2])


def beale(p: Any) -> Any:
    """cᵢ − x(1 − yⁱ)."""
    x, y = p[0], p[1]
    y2 = y * y
    return anp.array([1.5 - x + x * y, 2.25 - x + x * y2, 2.625 - x + x * y2 * y])


def helical_valley(p: Any) -> Any:
    """10(z − 10θ), 10(√(x² + y²) − 1), z."""
    x, y, z = p[0], p[1], p[2]
    turn = anp.arctan2(-x, y) / (2 * np.pi) + 0.25
    return anp.array([10 * (z - 10 * turn), 10 * (anp.sqrt(x * x + y * y) - 1), z])


def powell_singular(x: Any) -> Any:
    """a + 10b, √5(c − d), (b − 2c)², √10(a − d)² over the quadruples (a, b, c, d) of x."""
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return anp.concatenate([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, _TEN * (a - d) ** 2])


def wood(x: Any) -> Any:
    """The six residuals of the collection."""
    a, b, c, d = x[0], x[1], x[2], x[3]
    joint, apart = _TEN * (b + d - 2), (b - d) / _TEN
    return anp.array([10 * (b - a * a), 1 - a, 90**0.5 * (d - c * c), 1 - c, joint, apart])


def watson(x: Any, slopes: Any, powers: Any) -> Any:
    """p′ − p² − 1 at the nodes, x₁, x₂ − x₁² − 1."""
    misfit = anp.dot(slopes, x) - anp.dot(powers, x) ** 2 - 1
    return anp.concatenate([misfit, x[:1], x[1:2] - x[:1] ** 2 - 1])


def penalty_1(x: Any) -> Any:
    """√10⁻⁵(xᵢ − 1), Σ xᵢ² − ¼."""
    return anp.append(1e-5**0.5 * (x - 1.0), anp.sum(x * x) - 0.25)


def penalty_2(x: Any, weights: Vector, y: Vector) -> Any:
    """x₁ − 0.2, Σ wⱼxⱼ² − 1, √10⁻⁵(eⱼ + eⱼ₋₁ − yⱼ), √10⁻⁵(eⱼ − exp(−0.1))."""
    grown = anp.exp(x / 10)
    small = anp.concatenate([grown[1:] + grown[:-1] - y, grown[1:] - np.exp(-0.1)])
    return anp.concatenate([x[:1] - 0.2, anp.array([anp.dot(weights, x * x) - 1]), 1e-5**0.5 * small])


def variably_dimensioned(x: Any) -> Any:
    """The entries xⱼ − 1, s and s² with s = Σ j(xⱼ − 1)."""
    shifted = x - 1.0
    s = anp.dot(np.arange(1.0, x.size + 1.0), shifted)
    return anp.concatenate([shifted, anp.array([s, s * s])])


def brown_almost_linear(x: Any) -> Any:
    """The entries xᵢ + Σ xⱼ − n − 1, i < n, and Π xⱼ − 1."""
    product = reduce(mul, [x[j] for j in range(x.size)])
    return anp.append(x[:-1] + anp.sum(x) - (x.size + 1), product - 1)


def linear_full_rank(x: Any, m: int) -> Any:
    """The entries xᵢ − s − 1, and m − n times s + 1, with s = (2/m) Σ xⱼ."""
    s = (2.0 / m) * anp.sum(x)
    return anp.concatenate([x - s - 1, (s + 1) * np.ones(m - x.size)])


def linear_rank_1_zeros(x: Any, m: int) -> Any:
    """The entries (i − 1)s − 1, and two constants 1."""
    i, j = np.arange(1.0, m - 1.0), np.arange(2.0, x.size)
    return anp.concatenate([i * anp.dot(j, x[1:-1]) - 1, np.ones(2)])


def chebyquad(x: Any, integrals: Vector) -> Any:
    """Means of the shifted Chebyshev polynomials without their integrals."""
    s = 2 * x - 1
    before, here, found = anp.ones_like(s), s, []
    for integral in integrals:
        found.append(anp.sum(here) / x.size - integral)
        before, here = here, 2 * s * here - before
    return anp.array(found)
