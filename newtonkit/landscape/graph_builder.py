"""Build the Morse graph: follow the steepest-descent paths from each index-1 saddle, then merge the basins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from newtonkit.enumeration.audit import Audit
from newtonkit.enumeration.degree import Degree
from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.landscape.gradient_path import gradient_flow
from newtonkit.landscape.graph import SHOWN, DescentPath, Merge, MorseGraph, Pass, format_vector, is_minimum
from newtonkit.linalg.kernels import Vector, eigh, norm
from newtonkit.objectives.objective import Objective

ARRIVAL_DISTANCE = 1e-3
"""Of the distance from a listed point to its nearest neighbour: a path this close to the point ends there."""
# Lengths of the first step off a saddle, in the same unit. The longest one is taken at which ∇f is still linear to
# within MAX_NONLINEARITY: the error in the position of the saddle then matters least.
FIRST_STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
MAX_NONLINEARITY = 0.1
MAX_STEP = 0.02  # of the diagonal of the box: a path drawn with fifty points looks smooth
MAX_POINTS = 2000  # on one path; in the plane a path takes about 30 steps, in Rosenbrock's valley 100 (our measurement)
BOX_MARGIN = 0.1  # of the width: margin around points that come without a box, for the picture


def morse_graph(
    fun: Callable[..., Any],
    points: Sequence[CriticalPoint],
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
) -> MorseGraph:
    """Follow the steepest-descent paths on both sides of each index-1 saddle, and build the merge tree.

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy`` unless jac and hess are given; returns one real number.
    points : CriticalPoints or sequence
        Critical points of f, as `find_critical_points` returns them: anything with ``.x .fun .kind .index``.
    args : tuple, optional
        Further arguments of fun, jac and hess.
    jac, hess : callable, optional
        Gradient and Hessian, as in `newtonkit.minimize`.

    Returns
    -------
    MorseGraph
        ``.passes``, ``.merges``, ``.barrier(i, j)``. ``print`` shows them as text; ``.plot()`` draws them.

    Raises
    ------
    ValueError
        If a point is listed with index 1, but its Hessian has another index.

    Notes
    -----
    The descent is steepest in units of the box (its widths rounded to powers of two), or of the smallest box that
    contains all points. The end of a path may depend on these units; the merge tree does not. A path ends at the
    boundary of the box. Nothing is proved about paths. They are integrated numerically with the accuracy of
    `newtonkit.landscape.gradient_path`, so a path that ends at a saddle does so up to this error. The minima that a
    degenerate saddle connects are not known; ``notes`` states this.

    References
    ----------
    Wales (2003), *Energy Landscapes*, section 4.1: minima, transition states and the paths between them.

    Examples
    --------
    >>> from newtonkit import find_critical_points
    >>> f = lambda x: x[0] ** 4 - 2 * x[0] ** 2 + x[1] ** 2
    >>> graph = morse_graph(f, find_critical_points(f, [(-2, 2), (-1, 1)]))
    >>> graph.minima, [side.end for side in graph.passes[0].sides], graph.barrier(0, 1)
    ((0, 1), [1, 0], 1.0)
    """
    objective = Objective(fun, jac, hess, args=args)
    listed = tuple(points)
    for i, point in enumerate(listed):
        if not all(hasattr(point, name) for name in ("x", "fun", "kind", "index")):
            raise TypeError(f"points must have .x, .fun, .kind and .index, got {point!r} as points[{i}]")
    box = points.box if isinstance(points, CriticalPoints) else None
    if not listed and box is None:
        raise ValueError("points must be critical points of fun, got none")
    ascending = sorted((i for i, point in enumerate(listed) if _is_pass(point)), key=lambda i: listed[i].fun)
    passes: tuple[Pass, ...] = ()
    if ascending:
        builder = MorseGraphBuilder(objective, listed, box)
        passes = tuple(builder.pass_at(i) for i in ascending)
    if not isinstance(points, CriticalPoints):
        points = _as_critical_points(objective, listed, passes)
    return MorseGraph(points, passes, _merge_tree(points, passes), _notes(points, passes))


def _as_critical_points(
    objective: Objective, points: tuple[CriticalPoint, ...], passes: tuple[Pass, ...]
) -> CriticalPoints:
    """Points without a box, with a box that contains them and the paths with a margin."""
    paths = [side.path for each in passes for side in each.sides]
    places = np.concatenate([[np.asarray(point.x, dtype=np.float64) for point in points], *paths])
    lo, hi = places.min(axis=0), places.max(axis=0)
    margin = np.where(hi > lo, BOX_MARGIN * (hi - lo), 1.0)
    reason = "the points were given by the caller"
    return CriticalPoints(
        points,
        tuple((float(a), float(b)) for a, b in zip(lo - margin, hi + margin, strict=True)),
        complete=False,
        unresolved_boxes=(),
        audit=Audit(Degree(None, "", reason), None),
        notes=(reason,),
        processed=0,
        fun=lambda x: objective.fun(x, *objective.args),
    )


def _is_pass(point: CriticalPoint) -> bool:
    # for a function of one variable the maxima take the place of the index-1 saddles
    return point.index == 1 and point.kind in ("saddle", "maximum")


class MorseGraphBuilder:
    """The listed points of one function in the units of their box, and the descent paths between them."""

    def __init__(
        self, objective: Objective, points: tuple[CriticalPoint, ...], box: tuple[tuple[float, float], ...] | None
    ) -> None:
        self.evaluator = Evaluator(objective, second_order=True)
        X = np.array([point.x for point in points], dtype=np.float64)
        self.X = X
        lo, hi = (X.min(axis=0), X.max(axis=0)) if box is None else np.array(box, dtype=np.float64).T
        width = np.where(hi > lo, hi - lo, 1.0)
        self.unit = np.exp2(np.round(np.log2(width)))
        self.diagonal = norm(width / self.unit)
        near, _ = cKDTree(X / self.unit).query(X / self.unit, k=2)
        self.nearest_distance: Vector = np.minimum(near[:, 1], self.diagonal)
        if not self.nearest_distance.all():
            i, j = np.flatnonzero(self.nearest_distance == 0.0)[:2]
            raise ValueError(f"points must differ from each other, got {X[i]} as points[{i}] and points[{j}]")
        # a point on the boundary counts as inside, up to rounding errors
        slack = 1e-9 * width if box is not None else np.inf
        self.lo, self.hi = lo - slack, hi + slack

    def distances(self, x: Vector) -> Vector:
        """The distances from x to all listed points."""
        d: Vector = np.linalg.norm((self.X - x) / self.unit, axis=1)
        return d

    def pass_at(self, i: int) -> Pass:
        """The index-1 saddle with number i and its two descent paths."""
        x, unit = self.X[i], self.unit
        eigenvalues, V = eigh(self.evaluator.hessian(x) * np.outer(unit, unit))
        if not (eigenvalues[0] < 0.0 and (eigenvalues[1:] > 0.0).all()):
            raise ValueError(
                f"points[{i}] is listed with index 1, but the eigenvalues of the Hessian of fun are {eigenvalues}"
            )
        sides = self.descent(i, V[:, 0], eigenvalues[0]), self.descent(i, -V[:, 0], eigenvalues[0])
        return Pass(i, sides, unit[:, None] * V / np.linalg.norm(unit[:, None] * V, axis=0))

    def descent(self, i: int, v: Vector, eigenvalue: float) -> DescentPath:
        """The descent path from point i that starts in the direction v."""
        x, unit, scale = self.X[i], self.unit, float(self.nearest_distance[i])
        for start in FIRST_STEPS:
            first = x + start * scale * unit * v
            slope = float((unit * self.evaluator.gradient(first)) @ v)
            if abs(slope / (eigenvalue * start * scale) - 1.0) <= MAX_NONLINEARITY:
                break
        else:
            return DescentPath(None, x[None], "none: the local gradient is inconsistent with a critical point")
        radius = ARRIVAL_DISTANCE * self.nearest_distance
        radius[i] = 0.0
        path = [x, first]
        for y in gradient_flow(self.evaluator, first, unit, MAX_STEP * self.diagonal):
            path.append(y)
            if not ((y >= self.lo) & (y <= self.hi)).all():
                return DescentPath(None, np.array(path), f"the boundary of the box near {format_vector(y)}")
            near = np.flatnonzero(self.distances(y) <= radius)
            if near.size:
                end = int(near[0])
                return DescentPath(end, np.array([*path, self.X[end]]), f"point {end}")
            if len(path) > MAX_POINTS:
                return DescentPath(
                    None, np.array(path), f"{format_vector(y)}, where it was stopped after {MAX_POINTS} steps"
                )
        return DescentPath(None, np.array(path), f"{format_vector(path[-1])}, where no critical point is listed")


def _merge_tree(points: CriticalPoints, passes: tuple[Pass, ...]) -> tuple[Merge, ...]:
    """Union-find over the index-1 saddles in ascending order; the lowest minimum represents its group."""
    parent: dict[int, int] = {i: i for i, point in enumerate(points) if is_minimum(point)}
    merges = []
    for each in passes:
        # a path that ends at a lower saddle continues from there to minima that are already merged
        roots = sorted(
            {_root(parent, side.end) for side in each.sides if side.end in parent}, key=lambda i: (points[i].fun, i)
        )
        if len(roots) == 2:
            survivor, absorbed = roots
            parent[absorbed] = survivor
            f = points[each.point].fun
            merges.append(Merge(each.point, absorbed, survivor, f - points[absorbed].fun))
        if roots:
            parent[each.point] = roots[0]
    return tuple(merges)


def _root(parent: dict[int, int], i: int) -> int:
    while parent[i] != i:
        i = parent[i]
    return i


def _notes(points: CriticalPoints, passes: tuple[Pass, ...]) -> tuple[str, ...]:
    notes = []
    if not points.complete:
        notes.append("the list of critical points is not proved complete: there may be lower saddles")
    lost = [str(each.point) for each in passes if any(side.end is None for side in each.sides)]
    if lost:
        notes.append(f"a descent path from {_numbers(lost)} leads to no listed point")
    # an isolated maximum of several variables connects nothing, degenerate or not
    regular = ("minimum", "degenerate minimum", "valley", "maximum", "degenerate maximum", "saddle")
    unknown = [
        str(i)
        for i, point in enumerate(points)
        if point.kind not in regular or (len(points.box) == 1 and point.kind == "degenerate maximum")
    ]
    if unknown:
        notes.append(f"the minima connected by {_numbers(unknown)} (degenerate) are not known")
    return tuple(notes)


def _numbers(names: list[str]) -> str:
    shown = names[:SHOWN] + ["…"] * (len(names) > SHOWN)
    return ("point " if len(names) == 1 else "points ") + ", ".join(shown)
