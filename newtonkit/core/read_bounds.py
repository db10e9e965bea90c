"""Bounds as users write them: scipy's `Bounds`, pairs, arrays, or pairs in the structure of x0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import Bounds

from newtonkit.core.domain import Box, Domain, Unbounded
from newtonkit.linalg.kernels import Vector


def read_bounds(bounds: Any, n: int, x0: Any = None) -> Domain:
    """Return the domain that the argument ``bounds`` of `newtonkit.minimize` describes.

    Parameters
    ----------
    bounds : None, scipy.optimize.Bounds, sequence of n pairs, (n, 2) array, or dict of pairs
        In a pair, None, −inf and +inf stand for no bound. A dict, allowed if x0 is one, holds a pair for each of its
        keys; either entry is a number or an array of the shape of the leaf. A missing key has no bounds.
    n : int
        Number of variables.
    x0 : dict, optional
        The start, if that is a dict.

    Raises
    ------
    ValueError, TypeError
        If the number of bounds is not n, a bound is NaN, or a lower bound exceeds its upper bound.

    Examples
    --------
    >>> read_bounds([(0, None), (-1, 1)], 2).upper
    array([inf,  1.])
    """
    if bounds is None or (isinstance(bounds, list | tuple | dict) and len(bounds) == 0):
        return Unbounded()
    if isinstance(bounds, Bounds):
        lower, upper = _broadcast("Bounds.lb", bounds.lb, n), _broadcast("Bounds.ub", bounds.ub, n)
    elif isinstance(bounds, Mapping):
        lower, upper = _from_mapping(bounds, x0)
    else:
        lower, upper = _from_pairs(bounds, n)
    box = Box(lower, upper)
    return box if box.is_bounded else Unbounded()


def _from_pairs(bounds: Any, n: int) -> tuple[Vector, Vector]:
    try:
        rows = [tuple(row) for row in bounds]
    except TypeError:
        raise TypeError(f"bounds must be scipy.optimize.Bounds, n pairs, or an (n, 2) array, got {bounds!r}") from None
    if len(rows) == 2 and n != 2 and all(len(row) == n for row in rows):
        raise ValueError(
            f"bounds of shape (2, {n}) are not n pairs; for two arrays use scipy.optimize.Bounds(lower, upper)"
        )
    if len(rows) != n:
        raise ValueError(f"bounds must have one pair for each of the {n} variables, got {len(rows)}")
    for i, row in enumerate(rows):
        if len(row) != 2:
            raise ValueError(f"bounds must be pairs (lower, upper); entry {i} is {row!r}")
    lower = np.array([_number(low, -np.inf, i) for i, (low, _) in enumerate(rows)])
    upper = np.array([_number(high, np.inf, i) for i, (_, high) in enumerate(rows)])
    return lower, upper


def _number(value: Any, default: float, i: int) -> float:
    if value is None:
        return default
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"bounds must be real numbers or None; variable {i} has {value!r}") from None


def _broadcast(name: str, value: Any, n: int) -> Vector:
    array = np.asarray(value, dtype=np.float64).ravel()
    if array.size not in (1, n):
        raise ValueError(f"{name} must be a number or have length {n}, got length {array.size}")
    return np.broadcast_to(array, (n,)).copy()


def _from_mapping(bounds: Mapping[str, Any], x0: Any) -> tuple[Vector, Vector]:
    if not isinstance(x0, Mapping):
        raise TypeError("bounds as a dict require x0 as a dict with the same keys")
    unknown = [key for key in bounds if key not in x0]
    if unknown:
        raise ValueError(f"bounds have the key {unknown[0]!r}, which x0 does not have; its keys are {list(x0)}")
    parts: tuple[list[Vector], list[Vector]] = ([], [])
    for key in sorted(x0):  # the order in which the entries of x0 are flattened
        leaf = x0[key]
        if isinstance(leaf, Mapping | list | tuple):
            raise TypeError(f"bounds as a dict require arrays or numbers in x0; {key!r} is a {type(leaf).__name__}")
        shape = np.shape(leaf)
        pair = bounds.get(key, (None, None))
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"bounds[{key!r}] must be a pair (lower, upper), got {pair!r}")
        for side, value, default in zip(parts, pair, (-np.inf, np.inf), strict=True):
            array = np.asarray(default if value is None else value, dtype=np.float64)
            try:
                side.append(np.broadcast_to(array, shape).ravel())
            except ValueError:
                raise ValueError(
                    f"bounds[{key!r}] must be numbers or arrays of shape {shape}, got shape {array.shape}"
                ) from None
    return np.concatenate(parts[0]), np.concatenate(parts[1])
