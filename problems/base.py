"""Test problems: an objective function together with verified facts about it.

The facts are starting points and critical points. Each critical point states how it was verified. The `registry` finds
problems by name; the family files (`convex`, `plane`, `saddles`, `classical`, `regression`, …) define them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Domain = tuple[tuple[float, float], tuple[float, float]]

# Sources that several families cite.
SURVEY = "Jamil & Yang 2013, Int. J. Math. Model. Numer. Optim. 4, 150-194"
COLLECTION = "Moré, Garbow & Hillstrom 1981, ACM Trans. Math. Softw. 7, 17-41"

KINDS = ("minimum", "maximum", "saddle", "degenerate minimum", "degenerate maximum", "degenerate saddle")


def frozen_vector(value: Any, name: str) -> Vector:
    """A read-only float64 copy of `value`, which must be one-dimensional and finite."""
    vector = np.array(value, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got an array of shape {vector.shape}")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} must have finite entries, got {vector}")
    vector.setflags(write=False)
    return vector


def frozen_bounds(value: Any, n: int) -> Vector:
    """A read-only float64 copy of `value`, which must have shape (n, 2) and lower < upper bounds."""
    bounds = np.array(value, dtype=np.float64)
    if bounds.shape != (n, 2) or not (bounds[:, 0] < bounds[:, 1]).all():
        raise ValueError(f"bounds must have shape ({n}, 2) with lower < upper, got {bounds}")
    bounds.setflags(write=False)
    return bounds


@dataclass(frozen=True, eq=False, kw_only=True)
class CriticalPoint:
    """A point where the gradient vanishes, or a KKT point if there are bounds, and how this was verified.

    Parameters
    ----------
    x : array_like of shape (n,) or None
        The point, kept as a read-only float64 array; None if only the value is known, as for the unique
        minimizer of a strongly convex data problem.
    f : float
        The exact value there, rounded.
    kind : str
        One of "minimum", "maximum", "saddle", "degenerate minimum", "degenerate maximum" and
        "degenerate saddle". Degenerate means that the Hessian is singular.
    index : int
        Number of negative eigenvalues of the Hessian.
    verified : str
        How x and f were verified.
    """

    x: Vector | None
    f: float
    kind: str
    index: int
    verified: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {self.kind!r}")
        if not math.isfinite(self.f):
            raise ValueError(f"f must be finite, got {self.f}")
        if self.x is not None:
            object.__setattr__(self, "x", frozen_vector(self.x, "x"))
        largest = math.inf if self.x is None else self.x.size
        # A saddle has eigenvalues of both signs; a singular Hessian has at most n - 1 negative ones.
        low, high = {
            "minimum": (0, 0),
            "maximum": (1 if self.x is None else largest, largest),
            "saddle": (1, largest - 1),
            "degenerate minimum": (0, 0),
        }.get(self.kind, (0, largest - 1))
        if not low <= self.index <= high:
            raise ValueError(f"index of a {self.kind} must lie in [{low}, {high}], got {self.index}")

    @property
    def degenerate(self) -> bool:
        """Whether the Hessian is singular there."""
        return self.kind.startswith("degenerate")


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of a mean over data, for methods on mini-batches.

    Parameters
    ----------
    data : array or tuple of arrays
        One row for each sample.
    loss : callable
        loss(x, batch), the mean over the rows of the batch, regularization included; with all data it is f.
    """

    data: Any
    loss: Callable[[Any, Any], Any]

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(self.data[0] if isinstance(self.data, tuple) else self.data)


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """An objective function and the verified facts about it.

    Parameters
    ----------
    fun : callable
        The objective, written with `autograd.numpy`. It takes a float array of shape (n,) and returns a scalar. If
        `domain` is given, it also takes an array of shape (2, ...) and returns an array of values, for contour plots.
    n : int
        Number of variables, at least 1.
    starts : mapping of str to array_like of shape (n,)
        Starting points by name; the first is "standard".
    points : tuple of CriticalPoint
        Known critical points, including all minima if possible.
    complete : bool
        Whether `points` lists *all* critical points in R^n (not only those in `domain`).
    domain : ((x_low, x_high), (y_low, y_high)) or None
        The region to plot, for n = 2.
    bounds : array_like of shape (n, 2) or None
        Lower and upper bounds of each variable; ±inf where there is none. Then `points` are Karush–Kuhn–Tucker points
        of minimizing `fun` on the box, their index is that of the Hessian of the variables that are not at a bound, and
        `complete` refers to the points of the box.
    formula : str
        The formula as plain text.
    references : tuple of str
        Author, year, and equation, page or number.
    residuals : callable or None
        If f = Σ rᵢ²: the residuals r(x), shape (m,), for methods of least squares.
    samples : Samples or None
        If f is a mean over samples: the data and the loss of a batch.
    name, tags, parameters
        Set by the registry; see `registry.register`.

    Notes
    -----
    A `Problem` holds no counters and never changes, so runs and threads may share it.

    Examples
    --------
    >>> import problems
    >>> problem = problems.get("himmelblau")
    >>> [len(problem.minima), problem.best.f, problem.complete]
    [4, 0.0, True]
    """

    fun: Callable[[Any], Any]
    n: int
    starts: Mapping[str, Vector]
    points: tuple[CriticalPoint, ...] = ()
    complete: bool = False
    domain: Domain | None = None
    bounds: Vector | None = None
    formula: str = ""
    references: tuple[str, ...] = ()
    residuals: Callable[[Any], Any] | None = None
    samples: Samples | None = None
    name: str = "unnamed"
    tags: frozenset[str] = frozenset()
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = check_integer("n", self.n, low=1)
        if not callable(self.fun):
            raise ValueError(f"fun must be callable, got {self.fun!r}")
        starts = {key: frozen_vector(x, f"starts[{key!r}]") for key, x in self.starts.items()}
        if next(iter(starts), None) != "standard":
            raise ValueError(f"starts must begin with 'standard', got {list(starts)}")
        for key, x in starts.items():
            if x.size != n:
                raise ValueError(f"starts[{key!r}] must have shape ({n},), got {x.shape}")
        points = tuple(self.points)
        for i, point in enumerate(points):
            if point.x is not None and point.x.size != n:
                raise ValueError(f"points[{i}].x must have shape ({n},), got {point.x.shape}")
        if self.domain is not None:
            if n != 2:
                raise ValueError(f"domain is for n = 2 only, got n = {n}")
            if len(self.domain) != 2 or not all(low < high for low, high in self.domain):
                raise ValueError(f"domain must be ((x_low, x_high), (y_low, y_high)), got {self.domain}")
        if self.bounds is not None:
            bounds = frozen_bounds(self.bounds, n)
            object.__setattr__(self, "bounds", bounds)
            inside = {f"starts[{key!r}]": x for key, x in starts.items()}
            inside |= {f"points[{i}].x": point.x for i, point in enumerate(points) if point.x is not None}
            for label, x in inside.items():
                if not ((bounds[:, 0] <= x) & (x <= bounds[:, 1])).all():
                    raise ValueError(f"{label} must lie within the bounds, got {x}")
        object.__setattr__(self, "n", n)
        object.__setattr__(self, "starts", MappingProxyType(starts))
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "references", tuple(self.references))
        object.__setattr__(self, "tags", frozenset(self.tags))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    @property
    def minima(self) -> tuple[CriticalPoint, ...]:
        """The known local minima, degenerate ones included, in ascending order of f."""
        return tuple(sorted((p for p in self.points if p.kind.endswith("minimum")), key=lambda p: p.f))

    @property
    def best(self) -> CriticalPoint | None:
        """The lowest known minimum, or None."""
        return next(iter(self.minima), None)

    @property
    def label(self) -> str:
        """The name with its parameters, such as ``"rosenbrock(n=10)"``."""
        if not self.parameters:
            return self.name
        values = (f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in self.parameters.items())
        return f"{self.name}({', '.join(values)})"

    def nearest(self, x: npt.ArrayLike) -> tuple[CriticalPoint | None, float]:
        """The known critical point nearest to `x` and its distance; ``(None, inf)`` if none is listed."""
        at = np.asarray(x, dtype=np.float64)
        if at.shape != (self.n,):
            raise ValueError(f"x must have shape ({self.n},), got {at.shape}")
        found: CriticalPoint | None = None
        distance = math.inf
        for point in self.points:
            if point.x is not None:
                d = float(np.linalg.norm(at - point.x))
                if d < distance:
                    found, distance = point, d
        return found, distance

    def reached(self, x: npt.ArrayLike, f: float | None = None, tolerance: float = 1e-3) -> CriticalPoint | None:
        """The known critical point that a run which ended at `x` has reached, or None.

        The nearest point x* counts as reached if ‖x − x*‖ ≤ tolerance·max(1, ‖x*‖). At a degenerate point the square
        root of `tolerance` is used: f may grow like the fourth power of the distance there, so that the same gap in f
        corresponds to √d instead of a distance d. A point of which only the value f* is known counts as reached if
        f − f* ≤ 1e-8·max(1, |f*|). For a strongly convex function this implies that x is close to it.

        Parameters
        ----------
        x : array_like of shape (n,)
            The point at which the run ended.
        f : float, optional
            The value there; evaluated if it is required and not given.
        tolerance : float, default 1e-3
            Relative distance, positive.

        Examples
        --------
        >>> import problems
        >>> problems.get("six-hump-camel").reached([0.0899, -0.7126]).f
        -1.0316284534898774
        """
        if not 0 < tolerance < math.inf:
            raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
        point, distance = self.nearest(x)
        if point is not None and point.x is not None:
            relative = math.sqrt(tolerance) if point.degenerate else tolerance
            if distance <= relative * max(1.0, float(np.linalg.norm(point.x))):
                return point
        by_value = [p for p in self.points if p.x is None]
        if not by_value:
            return None
        value = float(self.fun(np.array(x, dtype=np.float64)) if f is None else f)
        return next((p for p in by_value if value - p.f <= 1e-8 * max(1.0, abs(p.f))), None)

    def __repr__(self) -> str:
        known = "all of them" if self.complete else "perhaps not all"
        return f"<Problem {self.label}: n={self.n}, {len(self.points)} critical points known ({known})>"


def check_integer(name: str, value: Any, low: int) -> int:
    """`value` as an int, or a ValueError that states which integers are valid."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer >= {low}, got {value!r}") from None
    if number < low:
        raise ValueError(f"{name} must be an integer >= {low}, got {number}")
    return number


def check_number(name: str, value: Any, low: float, *, strict: bool = False) -> float:
    """`value` as a finite float >= low (> low if `strict`), or a ValueError that states what is valid."""
    valid = f"a finite number {'>' if strict else '>='} {low:g}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {valid}, got {value!r}") from None
    if not math.isfinite(number) or number < low or (strict and number == low):
        raise ValueError(f"{name} must be {valid}, got {value!r}")
    return number
