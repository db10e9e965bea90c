"""Jacobians by finite differences, with steps inside the bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.fitting.column_groups import GroupedColumns
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import EPS, Matrix, Vector

# Steps relative to |xᵢ| that balance truncation and rounding (Nocedal & Wright, 2006, section 8.1)
_FORWARD, _CENTRAL = math.sqrt(EPS), math.cbrt(EPS)


def difference_jacobian(
    fun: Callable[[Vector], Vector],
    x: Vector,
    r: Vector,
    scheme: str,
    domain: Domain,
    relative: Vector | float | None,
    columns: Mask | None = None,
) -> Matrix:
    """J(x) by forward ("2-point") or central ("3-point") differences.

    Central differences become one-sided differences of second order where a bound is nearer than the step; a forward
    step goes to the side with more room.

    Parameters
    ----------
    fun : callable
        r(x), shape (m,).
    r : ndarray, shape (m,)
        r(x) at x.
    relative : float or ndarray, shape (n,), optional
        Steps relative to |xᵢ|; the square root of eps, or its cube root, by default. Where xᵢ = 0 the step is absolute.
    columns : ndarray of bool, shape (n,), optional
        Which columns; all by default.
    """
    n = x.size
    steps, lower, upper = _steps_and_sides(x, scheme, domain, relative)
    chosen = range(n) if columns is None else map(int, np.flatnonzero(columns))
    J = np.empty((r.size, n if columns is None else int(columns.sum())))
    for k, i in enumerate(chosen):
        below, above = x[i] - lower[i], upper[i] - x[i]
        h = min(float(steps[i]), max(below, above) / 2.0)

        def moved(t: float, i: int = i) -> Vector:
            y = x.copy()
            y[i] = min(max(y[i] + t, lower[i]), upper[i])
            return fun(y)

        if h == 0.0:
            J[:, k] = 0.0  # a fixed variable
        elif scheme == "2-point":
            t = h if above >= h else -h
            J[:, k] = (moved(t) - r) / ((x[i] + t) - x[i])
        elif min(below, above) >= h:
            J[:, k] = (moved(h) - moved(-h)) / ((x[i] + h) - (x[i] - h))
        else:
            t = h if above >= 2 * h else -h
            J[:, k] = (4.0 * moved(t) - 3.0 * r - moved(2 * t)) / (2.0 * t)
    return J


def grouped_differences(
    fun: Callable[[Vector], Vector],
    x: Vector,
    r: Vector,
    scheme: str,
    domain: Domain,
    relative: Vector | float | None,
    groups: GroupedColumns,
) -> Matrix:
    """For each group of columns the entries of J by one difference, shape (m, groups.count); arguments as above."""
    steps, lower, upper = _steps_and_sides(x, scheme, domain, relative)
    below, above = x - lower, upper - x
    h = np.minimum(steps, np.maximum(below, above) / 2.0)
    found = np.empty((r.size, groups.count))
    # two points for each variable: x + a and x + b, on both sides or, near a bound, on one
    central = (np.minimum(below, above) >= h) & (scheme == "3-point")
    a = np.where(above >= np.where(central | (scheme == "2-point"), h, 2 * h), h, -h)
    b = np.where(central, -a, 2 * a)
    size = np.where(h > 0.0, a, 1.0)
    column_of_row = groups.columns_of_rows()
    for k in range(groups.count):
        members = groups.group == k
        first = np.asarray(fun(np.clip(np.where(members, x + a, x), lower, upper)))
        own = column_of_row[k]
        if scheme == "2-point":
            found[:, k] = (first - r) / size[own]
            continue
        second = np.asarray(fun(np.clip(np.where(members, x + b, x), lower, upper)))
        both = (first - second) / (2.0 * size[own])
        found[:, k] = np.where(central[own], both, (4.0 * first - 3.0 * r - second) / (2.0 * size[own]))
    return found


def _steps_and_sides(
    x: Vector, scheme: str, domain: Domain, relative: Vector | float | None
) -> tuple[Vector, Vector, Vector]:
    n = x.size
    step = (_FORWARD if scheme == "2-point" else _CENTRAL) if relative is None else relative
    steps = np.broadcast_to(step, (n,)) * np.where(x == 0.0, 1.0, np.abs(x))
    return steps, np.broadcast_to(domain.lower, (n,)), np.broadcast_to(domain.upper, (n,))
