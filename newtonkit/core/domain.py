"""Where x may lie: all of ℝⁿ, or a box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.kernels import EPS, Vector, add_scaled, all_finite, finite_max_norm, max_norm

_NEAR = 10 * EPS  # relative distance from a bound that rounding explains


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

    def contains_step(self, x: Vector, s: Vector) -> bool:
        """Return whether x + s lies in the domain."""

    def holds_any(self, x: Vector, g: Vector) -> bool:
        """Return whether any variable is not free."""

    def free_gradient(self, x: Vector, g: Vector) -> Vector:
        """Return g with zeros for the variables that are not free."""

    def restrict(self, x: Vector, g: Vector, p: Vector) -> Vector:
        """Return p with zeros for the variables that are not free, or that it would move out of the domain."""

    def project_direction(self, x: Vector, p: Vector, alpha: float) -> Vector:
        """Return (P(x + αp) − x)/α, so that x plus α times it lies in the domain; p itself if x + αp does."""

    def along(self, x: Vector, alpha: float, p: Vector) -> Vector:
        """Return x + αp, projected; exactly on a bound if within rounding of it."""

    def steps(self, x: Vector) -> Domain:
        """Return the domain of the steps from x: s such that x + s lies in this domain."""

    def move(self, x: Vector, s: Vector) -> Vector:
        """Return x + s, projected; exactly on a bound if within rounding of it."""

    def largest_step(self, x: Vector, p: Vector) -> float:
        """Return the largest α such that x + αp lies in the domain; infinite if there is none."""

    def reach(self, x: Vector, p: Vector) -> Vector:
        """Return for each variable the largest α such that it stays within its bounds at x + αp."""


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

    def contains_step(self, x: Vector, s: Vector) -> bool:
        """Return True."""
        return True

    def holds_any(self, x: Vector, g: Vector) -> bool:
        """Return False."""
        return False

    def free_gradient(self, x: Vector, g: Vector) -> Vector:
        """Return g itself."""
        return g

    def restrict(self, x: Vector, g: Vector, p: Vector) -> Vector:
        """Return p itself."""
        return p

    def project_direction(self, x: Vector, p: Vector, alpha: float) -> Vector:
        """Return p itself."""
        return p

    def along(self, x: Vector, alpha: float, p: Vector) -> Vector:
        """Return x + αp."""
        return add_scaled(x.copy(), alpha, p)

    def steps(self, x: Vector) -> Domain:
        """Return all of ℝⁿ."""
        return self

    def move(self, x: Vector, s: Vector) -> Vector:
        """Return x + s."""
        return x + s

    def largest_step(self, x: Vector, p: Vector) -> float:
        """Return infinity."""
        return math.inf

    def reach(self, x: Vector, p: Vector) -> Vector:
        """Return infinity for every variable."""
        return np.full(x.shape, math.inf)


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

    def contains_step(self, x: Vector, s: Vector) -> bool:
        """Return whether x + s lies in the box."""
        return self.contains(x + s)

    def holds_any(self, x: Vector, g: Vector) -> bool:
        """Return whether −g holds a variable at a bound, or one is fixed."""
        return not bool(self.free(x, g).all())

    def free_gradient(self, x: Vector, g: Vector) -> Vector:
        """Return g with zeros for the variables that are held at a bound."""
        return np.where(self.free(x, g), g, 0.0)

    def restrict(self, x: Vector, g: Vector, p: Vector) -> Vector:
        """Return p with zeros for the variables that are held at a bound, or that p would move out of the box."""
        outward = ((x <= self.lower) & (p < 0.0)) | ((x >= self.upper) & (p > 0.0))
        return np.where(self.free(x, g) & ~outward, p, 0.0)

    def project_direction(self, x: Vector, p: Vector, alpha: float) -> Vector:
        """Return (P(x + αp) − x)/α; p itself if x + αp lies in the box."""
        end = x + alpha * p
        return p if self.contains(end) else (self.project(end) - x) / alpha

    def along(self, x: Vector, alpha: float, p: Vector) -> Vector:
        """Return `move` of x by αp."""
        return self.move(x, alpha * p)

    def steps(self, x: Vector) -> Domain:
        """Return the box [lower − x, upper − x]; it contains 0."""
        return Box(np.minimum(self.lower - x, 0.0), np.maximum(self.upper - x, 0.0))

    def move(self, x: Vector, s: Vector) -> Vector:
        """Return x + s, projected; a variable within 10·eps·max(|x|, |s|) of a bound is set to the bound."""
        y, near = self.project(x + s), _NEAR * np.maximum(np.abs(x), np.abs(s))
        y = np.where(y - self.lower <= near, self.lower, y)
        moved: Vector = np.where(self.upper - y <= near, self.upper, y)
        return moved

    def largest_step(self, x: Vector, p: Vector) -> float:
        """Return the largest α such that x + αp lies in the box."""
        return float(self.reach(x, p).min(initial=math.inf))

    def reach(self, x: Vector, p: Vector) -> Vector:
        """Return for each variable the largest α such that it stays within its bounds at x + αp."""
        with np.errstate(all="ignore"):
            room = np.where(p > 0.0, self.upper - x, np.where(p < 0.0, x - self.lower, math.inf))
            reach: Vector = np.where(p == 0.0, math.inf, np.maximum(room, 0.0) / np.abs(p))
        return reach


def _bound(name: str, values: Any) -> Vector:
    bound = np.array(values, dtype=np.float64)
    if bound.ndim != 1:
        raise ValueError(f"{name} bounds must be one-dimensional, got shape {bound.shape}")
    bound.setflags(write=False)
    return bound
