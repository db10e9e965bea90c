"""Hessian-vector products as differences of a gradient."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.linalg.kernels import EPS, Vector, norm

CENTRAL_ERROR, FORWARD_ERROR = 1e-7, 1e-6
"""Relative errors of products: about eps^⅔ and √eps (N&W, 2006, pp. 196-197), with a margin."""

Gradient = Callable[[Vector], Vector]


def central_product(gradient: Gradient, x: Vector, v: Vector, scale: float, domain: Domain | None = None) -> Vector:
    """Return (∇f(x + hv) − ∇f(x − hv)) / 2h, at two points of the domain.

    The step h = eps^⅓·scale/‖v‖ balances truncation against rounding (N&W, 2006, p. 197). At a bound the error is of
    first order: v = a + b, where x + 2ha and x − 2hb lie inside, and ∇f(x) drops out of the sum of two one-sided
    differences.
    """
    length = norm(v)
    if length == 0.0:
        return np.zeros_like(x)
    h = math.cbrt(EPS) * scale / length
    right, left = x + h * v, x - h * v
    if domain is not None and domain.is_bounded and not (domain.contains(right) and domain.contains(left)):
        far = x + 2 * h * v
        forward = domain.project(far) == far
        right = domain.project(np.where(forward, far, x))
        left = domain.project(np.where(forward, x, x - 2 * h * v))
    return (gradient(right) - gradient(left)) / (2 * h)


def forward_product(gradient: Gradient, x: Vector, g: Vector, v: Vector, scale: float) -> Vector:
    """Return (∇f(x + hv) − g) / h with h = √eps·scale/‖v‖ (N&W, 2006, p. 196)."""
    length = norm(v)
    if length == 0.0:
        return np.zeros_like(x)
    h = math.sqrt(EPS) * scale / length
    return (gradient(x + h * v) - g) / h
