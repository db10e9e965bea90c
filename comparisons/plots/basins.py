"""Basins of attraction: the critical point that a method reaches from every start in a box, and the steps."""

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

# ends of runs that reached no listed point
UNLISTED = -1
"""Converged to another point."""
ON_THE_WAY = -2
"""At the limit of steps."""
LOST = -3
"""Diverged, or the method failed."""

_NEAR = 1e-5  # of the sides of the box: after two consecutive steps that end closer, the point counts as reached
_FAR = 1e8  # times the size of the box: a run that is farther away has diverged


@dataclass(frozen=True, eq=False)
class BasinMap:
    """The end point and the number of steps of every method from every start on a grid."""

    box: tuple[tuple[float, float], tuple[float, float]]
    methods: tuple[str, ...]
    points: CriticalPoints
    """The critical points that a run can reach; their numbers are positions in this sequence."""
    reached: Whole
    """Number of the point, or UNLISTED, ON_THE_WAY, LOST; shape (methods, rows, columns), the lowest row first."""
    steps: Whole
    """Steps to the point, rejected ones included; the same shape."""
    maxiter: int

    def numbers(self, kind: str) -> list[int]:
        """The points of this kind: "minimum", "saddle" or "maximum", degenerate ones included."""
        return [i for i, point in enumerate(self.points) if plain_kind(point.kind) == kind]

    def share(self, method: int, kind: str) -> float:
        """The share of starts from which the method with this number ends at a critical point of this kind."""
        return float(np.isin(self.reached[method], self.numbers(kind)).mean())


def plain_kind(kind: str) -> str:
    """The kind without its degeneracy: "minimum", "saddle", "maximum", or itself."""
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
    """Run methods from every point of a grid and find the critical point that each run reaches.

    Parameters
    ----------
    fun : callable
        f of a vector of shape (2,), written with ``autograd.numpy``.
    box : ((low, high), (low, high))
        The starts are the centres of its resolution × resolution cells.
    methods : sequence of names or methods, default ("newton-pure", "newton")
    resolution : int, at least 2, default 200
    search : box, optional
        Where critical points are searched for; ``box`` by default. Larger if the figure is a detail.
    maxiter : int, at least 1, default 100
        Maximum number of steps of a run.
    on_row : callable, optional
        Called after each row of starts, ``resolution`` times for every method.

    Returns
    -------
    BasinMap

    Raises
    ------
    ValueError
        For an unknown method, no method, or an invalid box.

    Notes
    -----
    The runs are those of `newtonkit.iterate`: the method alone, without tolerance, verdict or escape from saddles. A
    critical point is reached at the first of two consecutive steps that end within 1e-5 of the box size from it, so
    that a run that only passes it does not count. A step of Newton's method
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
    """The end of the run from x0, and the number of steps."""
    far = _FAR * float(np.abs(x0).max() + size.max())
    near, since, length, k = UNLISTED, 0, np.inf, 0
    try:
        for k, state in enumerate(iterate(method, objective, x0)):
            if not (np.abs(state.x).max() <= far and np.isfinite(state.f)):
                return LOST, k
            if state.info.accepted:
                before, length = near, state.info.length
                near = _nearest(state.x, places, size)
                if near != UNLISTED and near == before:
                    return near, since
                since = k
            if k == maxiter:
                break
    except StepFailure:
        # at a critical point no step is possible
        if near != UNLISTED:
            return near, since
    if length <= _NEAR * size.min():
        return UNLISTED, k
    return (ON_THE_WAY if k == maxiter else LOST), k


def _nearest(x: Vector, places: Vector, size: Vector) -> int:
    """The number of the critical point at x; UNLISTED if there is none."""
    if not len(places):
        return UNLISTED
    distance = (np.abs(places - x) / size).max(axis=1)
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= _NEAR else UNLISTED
