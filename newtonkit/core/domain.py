"""Where x may lie: all of ℝⁿ, or a box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.kernels import Vector, all_finite, finite_max_norm, max_norm


class OutsideDomainError(AssertionError):
    """An internal error: a point outside the domain was about to reach user code."""


class Domain(Protocol):
    """A closed convex set of points."""

    @property
    def lower(self) -> Vector | float:
        """The lower bounds."""

    @property
    def upper(self) -> Vector | float:
        """The upper bounds."""

    @property
    def is_bounded(self) -> bool:
        """Whether any bound is finite."""

    def contains(self, x: Vector) -> bool:
        """Return whether x lies in the domain."""

    def project(self, x: Vector) -> Vector:
        """Return the point of the domain nearest to x."""

    def criticality(self, x: Vector, g: Vector) -> float:
        """Return how far x is from a first-order critical point; NaN where g is not finite."""

    def free(self, x: Vector, g: Vector) -> NDArray[np.bool_]:
        """Return which variables may move along −g."""


@dataclass(frozen=True, slots=True)
class Unbounded:
    """All of ℝⁿ.

    Examples
    --------
    >>> Unbounded().criticality(np.array([1.0, 2.0]), np.array([-3.0, 0.5]))
    3.0
    """

    @property
    def lower(self) -> float:
        """−∞ for every variable."""
        return -np.inf

    @property
    def upper(self) -> float:
        """+∞ for every variable."""
        return np.inf

    @property
    def is_bounded(self) -> bool:
        """False."""
        return False

    def contains(self, x: Vector) -> bool:
        """Return True."""
        return True

    def project(self, x: Vector) -> Vector:
        """Return x itself."""
        return x

    def criticality(self, x: Vector, g: Vector) -> float:
        """Return ‖g‖∞; NaN where g is not finite."""
        return finite_max_norm(g)

    def free(self, x: Vector, g: Vector) -> NDArray[np.bool_]:
        """Return True for every variable."""
        return np.ones(x.shape, dtype=bool)


@dataclass(frozen=True, eq=False, slots=True)
class Box:
    """The points with lower ≤ x ≤ upper.

    Parameters
    ----------
    lower, upper : array_like, shape (n,)
        Bounds; −inf and +inf where there is none. Equal bounds fix a variable. Both are copied and cannot be written.

    Raises
    ------
    ValueError
        If the shapes differ, a bound is NaN, a lower bound is +inf or an upper bound −inf, or a lower bound exceeds its
        upper bound.

    References
    ----------
    Conn, Gould, Toint (2000), *Trust-Region Methods*, section 12.1: the projected gradient as a measure of criticality.

    Examples
    --------
    >>> box = Box([0.0, -1.0], [1.0, 1.0])
    >>> box.project(np.array([2.0, 0.5]))
    array([1. , 0.5])
    >>> box.criticality(np.array([0.0, 0.5]), np.array([3.0, 0.25]))
    0.25
    >>> box.free(np.array([0.0, 0.5]), np.array([3.0, 0.25]))
    array([False,  True])
    """

    lower: Vector
    upper: Vector

    def __post_init__(self) -> None:
        lower, upper = _bound("lower", self.lower), _bound("upper", self.upper)
        if lower.shape != upper.shape:
            raise ValueError(
                f"lower and upper bounds must have the same shape, got shapes {lower.shape} and {upper.shape}"
            )
        for wrong, problem in (
            (np.isnan(lower) | np.isnan(upper), "a bound must not be NaN"),
            (lower == np.inf, "a lower bound must be below +inf"),
            (upper == -np.inf, "an upper bound must be above -inf"),
            (lower > upper, "a lower bound must not exceed its upper bound"),
        ):
            if wrong.any():
                i = int(np.argmax(wrong))
                raise ValueError(f"{problem}: variable {i} has the bounds [{lower[i]:g}, {upper[i]:g}]")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @property
    def is_bounded(self) -> bool:
        """Whether any bound is finite."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def contains(self, x: Vector) -> bool:
        """Return whether lower ≤ x ≤ upper holds exactly for every entry."""
        return bool(((self.lower <= x) & (x <= self.upper)).all())

    def project(self, x: Vector) -> Vector:
        """Return the nearest point of the box; bounds are met exactly."""
        return np.minimum(np.maximum(x, self.lower), self.upper)

    def criticality(self, x: Vector, g: Vector) -> float:
        """Return max |clip(−g, lower − x, upper − x)|; NaN where g is not finite.

        It is zero exactly at first-order critical points: the longest move of one variable along −g within the box,
        of length at most |gᵢ|.
        """
        if not all_finite(g):
            return math.nan
        return max_norm(np.minimum(np.maximum(-g, self.lower - x), self.upper - x))

    def free(self, x: Vector, g: Vector) -> NDArray[np.bool_]:
        """Return which variables are not held at a bound by −g; a fixed variable is never free."""
        fixed: NDArray[np.bool_] = self.lower == self.upper
        held = fixed | ((x <= self.lower) & (g > 0.0)) | ((x >= self.upper) & (g < 0.0))
        return ~held


def _bound(name: str, values: Any) -> Vector:
    bound = np.array(values, dtype=np.float64)
    if bound.ndim != 1:
        raise ValueError(f"{name} bounds must be one-dimensional, got shape {bound.shape}")
    bound.setflags(write=False)
    return bound
