"""Arguments of `least_squares` and `curve_fit`: bounds, names, method names, tolerances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import Bounds

from newtonkit.core.domain import Box, Domain, Unbounded
from newtonkit.core.validation import check_real, nearest_name
from newtonkit.derivatives.pytree import flatten
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import Vector

METHODS = ("auto", "hybrid", "levenberg-marquardt", "newton", "variable-projection")
ALIASES = {"trf": "auto", "dogbox": "auto", "lm": "levenberg-marquardt", "gauss-newton": "levenberg-marquardt"}


def method_name(method: Any) -> str:
    """The method that a name, or one of scipy's, means.

    Raises
    ------
    ValueError
        With the nearest valid name.
    """
    name = ALIASES.get(str(method).lower(), str(method).lower()) if isinstance(method, str) else ""
    if name not in METHODS:
        raise ValueError(f"unknown method {method!r}; {nearest_name(str(method), [*METHODS, *ALIASES])}")
    return name


def domain_of(bounds: Any, n: int, x0: Any = None) -> Domain:
    """The domain of scipy's ``(lower, upper)``, a `scipy.optimize.Bounds`, or a dict of name to (lower, upper).

    Parameters
    ----------
    bounds : object
        Numbers stand for every parameter. A dict names entries of the dict x0; None, and a missing name, mean no bound.
    n : int
        The number of parameters.
    x0 : object
        The start, for its structure.

    Raises
    ------
    ValueError
        If a lower bound exceeds its upper bound, a bound is NaN, or a length or a name is wrong.
    """
    if bounds is None:
        return Unbounded()
    if isinstance(bounds, Mapping):
        lower, upper = _sides_of_names(bounds, x0)
    elif isinstance(bounds, Bounds):
        lower, upper = bounds.lb, bounds.ub
    elif isinstance(bounds, Sequence | np.ndarray) and len(bounds) == 2:
        lower, upper = bounds
    else:
        raise ValueError(
            "bounds of a fit must be a pair (lower, upper), scipy.optimize.Bounds or a dict of pairs; "
            f"for a list of pairs write tuple(zip(*bounds)); got {bounds!r}"
        )
    sides = []
    for name, side in (("lower", lower), ("upper", upper)):
        vector = flatten(side, f"{name} bounds")[0]
        if vector.size not in (1, n):
            raise ValueError(f"the {name} bounds must be a number or have {n} entries, got {vector.size}")
        sides.append(np.broadcast_to(vector.reshape(-1), (n,)).copy())
    try:
        box = Box(*sides)
    except ValueError as error:
        raise ValueError(f"{error}; bounds of a fit are (lower, upper), as in scipy") from None
    return box if box.is_bounded else Unbounded()


def _sides_of_names(bounds: Mapping[str, Any], x0: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lower and the upper bounds in the structure of the dict x0."""
    if not isinstance(x0, Mapping):
        raise ValueError("bounds can be a dict only if x0 is a dict with the same names")
    unknown = [name for name in bounds if name not in x0]
    if unknown:
        raise ValueError(f"bounds name entries of x0, {', '.join(map(str, x0))}; got {unknown[0]!r}")
    sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name, value in x0.items():
        pair = bounds.get(name) or (None, None)
        if len(pair) != 2:
            raise ValueError(f"bounds[{name!r}] must be a pair (lower, upper), got {pair!r}")
        for side, end, absent in zip(sides, pair, (-np.inf, np.inf), strict=True):
            side[name] = np.broadcast_to(absent if end is None else end, np.shape(value)).astype(np.float64)
    return sides


def parameter_names(names: Sequence[str] | None, x0: Any, n: int) -> list[str]:
    """One name for each parameter: those given, the keys of a dict, or x[0], x[1], …

    Raises
    ------
    ValueError
        If the number of names is wrong.
    """
    if names is not None:
        if len(names) != n:
            raise ValueError(f"names must have {n} entries, one for each parameter, got {len(names)}")
        return [str(name) for name in names]
    if isinstance(x0, dict):
        found = []
        for key in sorted(x0):
            shape = np.shape(x0[key])
            count = math.prod(shape) if shape else 1
            found += [str(key)] if count == 1 else [f"{key}[{i}]" for i in range(count)]
        if len(found) == n:
            return found
    return [f"x[{i}]" for i in range(n)]


def linear_mask(linear: Sequence[str] | None, names: Sequence[str], method: str) -> Mask | None:
    """Which parameters the user names as linear; None without names.

    Raises
    ------
    ValueError
        If a name is unknown, or the method does not eliminate parameters.
    """
    if linear is None:
        return None
    chosen = [linear] if isinstance(linear, str) else list(linear)
    unknown = [name for name in chosen if name not in names]
    if unknown or not chosen:
        raise ValueError(f"linear must name parameters, {', '.join(names)}; got {linear!r}")
    if method not in ("auto", "variable-projection"):
        raise ValueError(f"linear requires method 'auto' or 'variable-projection', got {method!r}")
    return np.isin(names, chosen)


def tolerance(name: str, value: Any, default: float) -> float:
    """A tolerance: None gives the default; 0 switches ftol and gtol off."""
    if value is None:
        return default
    check_real(name, value, 0.0, open_high=True)
    return float(value)


def sizes_of(x_scale: Any, n: int) -> Vector | None:
    """Typical sizes of the parameters; None for Moré's scaling (None, 1.0 or "jac").

    Raises
    ------
    ValueError
        If a size is not positive, or the length is wrong.
    """
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return None
    if isinstance(x_scale, str):
        raise ValueError(f"x_scale must be 'jac', a number or an array of typical sizes, got {x_scale!r}")
    sizes = np.asarray(x_scale, dtype=np.float64).reshape(-1)
    if sizes.size not in (1, n) or not (np.isfinite(sizes).all() and (sizes > 0.0).all()):
        raise ValueError(f"x_scale must be positive, a number or {n} entries, got {x_scale!r}")
    return None if sizes.size == 1 and n > 1 else np.broadcast_to(sizes, (n,)).copy()
