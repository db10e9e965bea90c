"""The Morse graph: which minima does each mountain pass join, and how high is it above them?

A critical point of index 1 has one way down on either side, along its unstable manifold. In ascending order of their
values these passes join the basins of the minima into one: the merge tree (Edelsbrunner & Harer, 2010, *Computational
Topology*, sec. VII.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from newtonkit.enumeration.audit import Audit
from newtonkit.enumeration.degree import Degree
from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.landscape.gradient_path import gradient_flow
from newtonkit.linalg.kernels import Matrix, Vector, eigh, norm
from newtonkit.objectives.objective import Objective

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ARRIVED = 1e-3  # of the distance from a listed point to the next: nearer than this, the path has arrived
# the same for the first step off a saddle: as long as ∇f is still linear there to a tenth, so that rounding in its
# place matters least
_STARTS, _LINEAR = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6), 0.1
_LONGEST = 0.02  # of the diagonal: a path drawn with fifty points looks smooth
_MARGIN = 0.1  # round points whose box is not known, for the picture
_SHOWN, _ENTRIES = 20, 6
_STEPS = 2000  # in the plane they take about 30, a hundred in Rosenbrock's valley


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """The way down from a pass on one side."""

    end: int | None
    """The listed point where it ends, by its number; None if there is none."""
    path: Matrix
    """Points on the way, one a row, the pass first."""
    reason: str
    """One plain phrase: where it ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A critical point of index 1, and what lies on its two sides."""

    point: int
    """Its number."""
    sides: tuple[Descent, Descent]
    directions: Matrix
    """Eigenvectors of the Hessian as columns, the one that leads down first."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Where in the merge tree two groups of basins become one."""

    point: int
    """The number of the pass."""
    absorbed: int
    """The lowest minimum of the group whose lowest is higher; from here on it is no longer one of its own."""
    survivor: int
    """The lowest minimum of the other group."""
    depth: float
    """f(pass) − f(absorbed): the persistence of that minimum."""


@dataclass(frozen=True, eq=False)
class MorseGraph:
    """Minima and the passes between them; printing it prints both, and the merge tree."""

    points: CriticalPoints
    """The critical points; their numbers are places in this sequence."""
    passes: tuple[Pass, ...]
    """Critical points of index 1, in ascending order of their values."""
    merges: tuple[Merge, ...]
    """The merge tree, from the lowest pass up; passes that join nothing new are left out."""
    notes: tuple[str, ...]
    """What is not known, in sentences."""

    @property
    def complete(self) -> bool:
        """Whether the list of points is proved complete and every way down was followed to a point of it."""
        return not self.notes

    @property
    def minima(self) -> tuple[int, ...]:
        """The numbers of the minima."""
        return tuple(i for i, point in enumerate(self.points) if _is_minimum(point))

    def lowest_pass(self, i: int, j: int) -> int | None:
        """The number of the highest point on the lowest way from minimum i to minimum j; None if no way is known.

        Raises
        ------
        ValueError
            If i or j is not the number of a minimum, or they are the same.
        """
        for name, number in (("i", i), ("j", j)):
            if number not in self.minima:
                raise ValueError(f"{name} must be the number of a minimum, one of {self.minima}, got {number!r}")
        if i == j:
            raise ValueError(f"i and j must be two minima, got {i} twice")
        lowest = {number: number for number in self.minima}
        for merge in self.merges:
            for number, root in lowest.items():
                if root == merge.absorbed:
                    lowest[number] = merge.survivor
            if lowest[i] == lowest[j]:
                return merge.point
        return None

    def barrier(self, i: int, j: int) -> float:
        """How far f must rise from minimum i on the way to minimum j: f(`lowest_pass`) − f(i).

        Infinite if no way is known. There may be a lower way if the graph is not ``complete``, and where f falls
        outwards at the border of the box, by way of the border.
        """
        number = self.lowest_pass(i, j)
        return math.inf if number is None else self.points[number].fun - self.points[i].fun

    def plot(self) -> Figure:
        """Points, passes and ways down, over contours in the plane; see `newtonkit.plots.figures.plot_morse_graph`."""
        from newtonkit.plots.figures import plot_morse_graph

        return plot_morse_graph(self)

    def __str__(self) -> str:
        lines = [self._counts()]
        lines += [f"  minimum {i}: {self._place(i)}" for i in self.minima[:_SHOWN]]
        lines += _more(len(self.minima))
        for each in self.passes[:_SHOWN]:
            f = self.points[each.point].fun
            ways = []
            for side in each.sides:
                above = "" if side.end is None else f" ({f - self.points[side.end].fun:.6g} below)"
                ways.append(side.reason + above)
            lines.append(f"  pass {each.point}: {self._place(each.point)}, down to {' and to '.join(ways)}")
        lines += _more(len(self.passes))
        if self.merges:
            lines.append("merge tree")
        lines += [
            f"  at pass {merge.point}, f = {self.points[merge.point].fun:.9g}: minimum {merge.absorbed} joins "
            f"{merge.survivor}, {merge.depth:.6g} deep"
            for merge in self.merges[:_SHOWN]
        ]
        lines += _more(len(self.merges))
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return f"<MorseGraph: {self._counts()}>"

    def _counts(self) -> str:
        minima, passes = len(self.minima), len(self.passes)
        return f"{minima} minim{'um' if minima == 1 else 'a'}, {passes} pass{'' if passes == 1 else 'es'}"

    def _place(self, i: int) -> str:
        return f"f = {self.points[i].fun:.9g} at {_vector(self.points[i].x)}"


def morse_graph(
    fun: Callable[..., Any],
    points: Sequence[CriticalPoint],
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
) -> MorseGraph:
    """Follow the steepest way down both sides of every critical point of index 1, and build the merge tree.

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
        ``.passes``, ``.merges``, ``.barrier(i, j)``; printing it prints them, ``.plot()`` draws them.

    Raises
    ------
    ValueError
        If a point that is said to be of index 1 is not.

    Notes
    -----
    Steepest means steepest in units of the box (its widths rounded to powers of two), or of the smallest one that
    holds all points. Where a path ends may depend on the units, the merge tree does not. A path stops at the border of
    the box. Nothing is proved of paths: they are integrated numerically, with the accuracy of
    `newtonkit.landscape.gradient_path`, and one that ends at a saddle ends there up to that
    error. What is joined at a degenerate saddle is not known, and the notes say so.

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
        mountains = _Mountains(objective, listed, box)
        passes = tuple(mountains.crossed(i) for i in ascending)
    if not isinstance(points, CriticalPoints):
        points = _as_critical_points(objective, listed, passes)
    return MorseGraph(points, passes, _merge_tree(points, passes), _notes(points, passes))


def _as_critical_points(
    objective: Objective, points: tuple[CriticalPoint, ...], passes: tuple[Pass, ...]
) -> CriticalPoints:
    """Points without a box, in one that leaves a margin round them and the ways between them."""
    ways = [side.path for each in passes for side in each.sides]
    places = np.concatenate([[np.asarray(point.x, dtype=np.float64) for point in points], *ways])
    lo, hi = places.min(axis=0), places.max(axis=0)
    margin = np.where(hi > lo, _MARGIN * (hi - lo), 1.0)
    reason = "the points are the caller's"
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


def _is_minimum(point: CriticalPoint) -> bool:
    return point.kind in ("minimum", "degenerate minimum", "valley")


def _is_pass(point: CriticalPoint) -> bool:
    # the maxima of one variable are passes
    return point.index == 1 and point.kind in ("saddle", "maximum")


class _Mountains:
    """The listed points of one function, in the units of their box, and the ways down between them."""

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
        self.to_the_next: Vector = np.minimum(near[:, 1], self.diagonal)
        if not self.to_the_next.all():
            i, j = np.flatnonzero(self.to_the_next == 0.0)[:2]
            raise ValueError(f"points must differ from each other, got {X[i]} as points[{i}] and points[{j}]")
        # a point on the border is inside, to rounding
        slack = 1e-9 * width if box is not None else np.inf
        self.lo, self.hi = lo - slack, hi + slack

    def distances(self, x: Vector) -> Vector:
        """To all points."""
        d: Vector = np.linalg.norm((self.X - x) / self.unit, axis=1)
        return d

    def crossed(self, i: int) -> Pass:
        """Both ways down from point i."""
        x, unit = self.X[i], self.unit
        eigenvalues, V = eigh(self.evaluator.hessian(x) * np.outer(unit, unit))
        if not (eigenvalues[0] < 0.0 and (eigenvalues[1:] > 0.0).all()):
            raise ValueError(
                f"points[{i}] is said to have index 1, but the eigenvalues of the Hessian of fun are {eigenvalues}"
            )
        sides = self.descent(i, V[:, 0], eigenvalues[0]), self.descent(i, -V[:, 0], eigenvalues[0])
        return Pass(i, sides, unit[:, None] * V / np.linalg.norm(unit[:, None] * V, axis=0))

    def descent(self, i: int, v: Vector, eigenvalue: float) -> Descent:
        """The way down from point i that starts along v."""
        x, unit, scale = self.X[i], self.unit, float(self.to_the_next[i])
        for start in _STARTS:
            first = x + start * scale * unit * v
            slope = float((unit * self.evaluator.gradient(first)) @ v)
            if abs(slope / (eigenvalue * start * scale) - 1.0) <= _LINEAR:
                break
        else:
            return Descent(None, x[None], "nowhere: the gradient beside it is not that beside a critical point")
        radius = _ARRIVED * self.to_the_next
        radius[i] = 0.0
        path = [x, first]
        for y in gradient_flow(self.evaluator, first, unit, _LONGEST * self.diagonal):
            path.append(y)
            if not ((y >= self.lo) & (y <= self.hi)).all():
                return Descent(None, np.array(path), f"the border of the box near {_vector(y)}")
            near = np.flatnonzero(self.distances(y) <= radius)
            if near.size:
                end = int(near[0])
                return Descent(end, np.array([*path, self.X[end]]), f"point {end}")
            if len(path) > _STEPS:
                return Descent(None, np.array(path), f"{_vector(y)}, where it was left after {_STEPS} steps")
        return Descent(None, np.array(path), f"{_vector(path[-1])}, where no critical point is listed")


def _merge_tree(points: CriticalPoints, passes: tuple[Pass, ...]) -> tuple[Merge, ...]:
    """Union and find over the passes in ascending order; the lowest minimum stands for its group."""
    parent: dict[int, int] = {i: i for i, point in enumerate(points) if _is_minimum(point)}
    merges = []
    for each in passes:
        # a way down that ends at a lower pass goes on from there, to minima that are one group already
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
        notes.append("the list of critical points is not proved complete: there may be lower passes")
    lost = [str(each.point) for each in passes if any(side.end is None for side in each.sides)]
    if lost:
        notes.append(f"a way down from {_numbers(lost)} leads to no listed point")
    # a single maximum of several variables joins nothing, degenerate or not
    regular = ("minimum", "degenerate minimum", "valley", "maximum", "degenerate maximum", "saddle")
    unknown = [
        str(i)
        for i, point in enumerate(points)
        if point.kind not in regular or (len(points.box) == 1 and point.kind == "degenerate maximum")
    ]
    if unknown:
        notes.append(f"what is joined at {_numbers(unknown)}, degenerate, is not known")
    return tuple(notes)


def _numbers(names: list[str]) -> str:
    shown = names[:_SHOWN] + ["…"] * (len(names) > _SHOWN)
    return ("point " if len(names) == 1 else "points ") + ", ".join(shown)


def _more(count: int) -> list[str]:
    return [f"  … and {count - _SHOWN} more"] if count > _SHOWN else []


def _vector(x: Vector) -> str:
    entries = [f"{xi:.4g}" for xi in x[:_ENTRIES]] + ["…"] * (len(x) > _ENTRIES)
    return "(" + ", ".join(entries) + ")"
