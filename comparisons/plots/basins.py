"""Where to: which critical point a method reaches from every start in a box of the plane, and in how many steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from newtonkit import CriticalPoints, GradientTransform, Method, Objective, StepFailure, iterate
from newtonkit.core.validation import check_integer
from newtonkit.methods.registry import make_method

Vector = NDArray[np.float64]
Whole = NDArray[np.intp]
Box = Sequence[Sequence[float]]

# where a run that reached no listed point ended
UNLISTED = -1
"""At rest at another point."""
ON_THE_WAY = -2
"""At the limit of steps."""
LOST = -3
"""At no point at all: it diverged, or the method failed."""

_NEAR = 1e-5  # of the sides of the box: two steps in a row that end so close to a critical point have reached it
_FAR = 1e8  # times the box: a run that far away is not waited for


@dataclass(frozen=True, eq=False)
class BasinMap:
    """The end and the number of steps of every method from every start of a grid."""

    box: tuple[tuple[float, float], tuple[float, float]]
    methods: tuple[str, ...]
    points: CriticalPoints
    """The critical points that a run can reach; their numbers are places in this sequence."""
    reached: Whole
    """Number of the point, or UNLISTED, ON_THE_WAY, LOST; shape (methods, rows, columns), the lowest row first."""
    steps: Whole
    """Steps until there, rejected ones included; the same shape."""
    maxiter: int

    def numbers(self, kind: str) -> list[int]:
        """The points of this kind: "minimum", "saddle" or "maximum", degenerate ones included."""
        return [i for i, point in enumerate(self.points) if plain_kind(point.kind) == kind]

    def share(self, method: int, kind: str) -> float:
        """The share of starts from which the method with this number ends at a critical point of this kind."""
        return float(np.isin(self.reached[method], self.numbers(kind)).mean())


def plain_kind(kind: str) -> str:
    """What a kind of critical point counts as in a map: "minimum", "saddle", "maximum", or itself."""
    plain = {"valley": "minimum", "ridge": "maximum"}
    return plain.get(kind, kind.removeprefix("degenerate "))


def basin_map(
    fun: Callable[..., Any],
    box: Box,
    methods: Sequence[str | Method | GradientTransform] = ("newton-pure", "newton"),
    *,
    resolution: int = 200,
    search: Box | None = None,
    maxiter: int = 100,
    on_row: Callable[[], None] | None = None,
) -> BasinMap:
    """Run methods from every point of a grid, and see which critical point each run reaches.

    Parameters
    ----------
    fun : callable
        f of a vector of shape (2,), written with ``autograd.numpy``.
    box : ((low, high), (low, high))
        The starts are the middles of resolution × resolution cells of it.
    methods : sequence of names or methods, default ("newton-pure", "newton")
    resolution : int, at least 2, default 200
    search : box, optional
        Where critical points are searched for; ``box`` by default. Larger where the picture is a detail.
    maxiter : int, at least 1, default 100
        Steps after which a run is given up.
    on_row : callable, optional
        Called after each row of starts, ``resolution`` times for every method.

    Returns
    -------
    BasinMap

    Raises
    ------
    ValueError
        For an unknown method, no method, or a box that is none.

    Notes
    -----
    The runs are those of `newtonkit.iterate`: the method alone, without tolerance or verdict, so that the loop leads
    none of them away from a saddle. A critical point counts as reached by the first of two steps in a row that end
    within 1e-5 of the box from it: a run that only passes by is not taken for one that stays. A step of Newton's method
    takes about 60 µs, and 200 × 200 starts of two methods half a minute.

    Examples
    --------
    >>> found = basin_map(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2, [(-2, 2), (-1, 1)], resolution=6)
    >>> [round(found.share(method, "minimum"), 2) for method in (0, 1)]
    [0.67, 1.0]
    """
    check_integer("resolution", resolution, 2)
    check_integer("maxiter", maxiter, 1)
    if len(box) != 2:
        raise ValueError(f"box must be a pair of (low, high), for functions of two variables; got {len(box)} sides")
    if not methods:
        raise ValueError("methods must name at least one method, got none")
    configured = [make_method(method) for method in methods]
    points = newtonkit.find_critical_points(fun, box if search is None else search)
    (left, right), (bottom, top) = ((float(low), float(high)) for low, high in box)
    middles = (np.arange(resolution) + 0.5) / resolution
    size = np.array([right - left, top - bottom])
    places = np.array([point.x for point in points]).reshape(-1, 2)
    objective = Objective(fun)
    ends = np.empty((2, len(configured), resolution, resolution), dtype=np.intp)
    for m, method in enumerate(configured):
        for row, y in enumerate(bottom + middles * size[1]):
            for column, x in enumerate(left + middles * size[0]):
                ends[:, m, row, column] = _end(method, objective, np.array([x, y]), places, size, maxiter)
            if on_row is not None:
                on_row()
    names = tuple(method.name for method in configured)
    return BasinMap(((left, right), (bottom, top)), names, points, ends[0], ends[1], maxiter)


def _end(
    method: Method, objective: Objective, x0: Vector, places: Vector, size: Vector, maxiter: int
) -> tuple[int, int]:
    """Where the run from x0 ends, and after how many steps."""
    far = _FAR * float(np.abs(x0).max() + size.max())
    beside, since, length, k = UNLISTED, 0, np.inf, 0
    try:
        for k, state in enumerate(iterate(method, objective, x0)):
            if not (np.abs(state.x).max() <= far and np.isfinite(state.f)):
                return LOST, k
            if state.info.accepted:
                before, length = beside, state.info.length
                beside = _beside(state.x, places, size)
                if beside != UNLISTED and beside == before:
                    return beside, since
                since = k
            if k == maxiter:
                break
    except StepFailure:
        # where nothing is left to gain no step is possible
        if beside != UNLISTED:
            return beside, since
    if length <= _NEAR * size.min():
        return UNLISTED, k
    return (ON_THE_WAY if k == maxiter else LOST), k


def _beside(x: Vector, places: Vector, size: Vector) -> int:
    """The number of the critical point at x; UNLISTED if there is none."""
    if not len(places):
        return UNLISTED
    distance = (np.abs(places - x) / size).max(axis=1)
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= _NEAR else UNLISTED
