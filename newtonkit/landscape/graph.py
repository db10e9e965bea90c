"""The Morse graph: the minima that each index-1 saddle connects, and the barriers between them.

From an index-1 saddle two steepest-descent paths start, one on each side, along the unstable manifold. Taken in
ascending order of f, the saddles merge the basins of the minima into one. This is the merge tree (Edelsbrunner & Harer,
2010, *Computational Topology*, sec. VII.1). For a function of one variable the maxima take the place of the saddles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
from newtonkit.linalg.kernels import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 20  # lines of one kind, or numbers in one list, that are printed
MAX_PRINTED_ENTRIES = 6  # of a vector


@dataclass(frozen=True, slots=True, eq=False)
class DescentPath:
    """A steepest-descent path from an index-1 saddle, on one side."""

    end: int | None
    """The number of the listed point at which it ends; None if it ends at no listed point."""
    path: Matrix
    """Points on the path, one a row, starting with the saddle."""
    reason: str
    """A phrase that describes the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """An index-1 saddle with its two descent paths."""

    point: int
    """The number of the saddle."""
    sides: tuple[DescentPath, DescentPath]
    directions: Matrix
    """Eigenvectors of the Hessian as columns, starting with that of the negative eigenvalue."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A node of the merge tree: two groups of basins become one."""

    point: int
    """The number of the index-1 saddle."""
    absorbed: int
    """The higher of the lowest minima of the two groups. It represents no group any more."""
    survivor: int
    """The lower of the two. It represents the merged group."""
    depth: float
    """f(saddle) − f(absorbed), the persistence of the absorbed minimum."""


@dataclass(frozen=True, eq=False)
class MorseGraph:
    """Minima and the index-1 saddles between them. ``print`` shows both, and the merge tree.

    Examples
    --------
    >>> import newtonkit
    >>> def double_well(x):
    ...     return (x[0] ** 2 - 1) ** 2 + x[1] ** 2
    >>> points = newtonkit.find_critical_points(double_well, [(-2, 2), (-1, 1)])
    >>> round(newtonkit.morse_graph(double_well, points).barrier(0, 1), 6)
    1.0
    """

    points: CriticalPoints
    """The critical points. The number of a point is its position in this sequence."""
    passes: tuple[Pass, ...]
    """The index-1 saddles, in ascending order of f."""
    merges: tuple[Merge, ...]
    """The merge tree, in ascending order of f; saddles that merge nothing are left out."""
    notes: tuple[str, ...]
    """Sentences on what is not known."""

    @property
    def complete(self) -> bool:
        """Whether the list of points is proved complete and every descent path ended at a point of the list."""
        return not self.notes

    @property
    def minima(self) -> tuple[int, ...]:
        """The numbers of the minima."""
        return tuple(i for i, point in enumerate(self.points) if is_minimum(point))

    def lowest_pass(self, i: int, j: int) -> int | None:
        """The number of the highest point on the lowest path from minimum i to minimum j; None if no path is known.

        Raises
        ------
        ValueError
            If i or j is not the number of a minimum, or if i = j.
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
        """The barrier from minimum i to minimum j: f(`lowest_pass`) − f(i), the rise of f on the lowest path.

        It is infinite if no path is known. A lower path may exist if the graph is not ``complete``, or along the
        boundary of the box, if f decreases outward there.
        """
        number = self.lowest_pass(i, j)
        return math.inf if number is None else self.points[number].fun - self.points[i].fun

    def plot(self) -> Figure:
        """The points and descent paths, over contours in the plane; see `newtonkit.plots.descent_paths`."""
        from newtonkit.plots.descent_paths import plot_descent_paths

        return plot_descent_paths(self.points, self.passes)

    def __str__(self) -> str:
        lines = [self._counts()]
        lines += [f"  minimum {i}: {self._place(i)}" for i in self.minima[:SHOWN]]
        lines += _more(len(self.minima))
        for each in self.passes[:SHOWN]:
            f = self.points[each.point].fun
            paths = []
            for side in each.sides:
                above = "" if side.end is None else f" ({f - self.points[side.end].fun:.6g} below)"
                paths.append(side.reason + above)
            lines.append(f"  index-1 saddle {each.point}: {self._place(each.point)}; paths to {' and to '.join(paths)}")
        lines += _more(len(self.passes))
        if self.merges:
            lines.append("merge tree")
        lines += [
            f"  at saddle {merge.point}, f = {self.points[merge.point].fun:.9g}: minimum {merge.absorbed} merges into "
            f"{merge.survivor}, depth {merge.depth:.6g}"
            for merge in self.merges[:SHOWN]
        ]
        lines += _more(len(self.merges))
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return f"<MorseGraph: {self._counts()}>"

    def _counts(self) -> str:
        minima, saddles = len(self.minima), len(self.passes)
        return f"{minima} minim{'um' if minima == 1 else 'a'}, {saddles} index-1 saddle{'' if saddles == 1 else 's'}"

    def _place(self, i: int) -> str:
        return f"f = {self.points[i].fun:.9g} at {format_vector(self.points[i].x)}"


def is_minimum(point: CriticalPoint) -> bool:
    return point.kind in ("minimum", "degenerate minimum", "valley")


def _more(count: int) -> list[str]:
    return [f"  … and {count - SHOWN} more"] if count > SHOWN else []


def format_vector(x: Vector) -> str:
    entries = [f"{xi:.4g}" for xi in x[:MAX_PRINTED_ENTRIES]] + ["…"] * (len(x) > MAX_PRINTED_ENTRIES)
    return "(" + ", ".join(entries) + ")"
