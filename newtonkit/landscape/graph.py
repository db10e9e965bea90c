"""The Morse graph: which minima does each mountain pass join, and how high is it above them?

A critical point of index 1 has one way down on either side, along its unstable manifold. In ascending order of their
values these passes join the basins of the minima into one: the merge tree (Edelsbrunner & Harer, 2010, *Computational
Topology*, sec. VII.1).
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
    sides: tuple[DescentPath, DescentPath]
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
        return tuple(i for i, point in enumerate(self.points) if is_minimum(point))

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
        lines += [f"  minimum {i}: {self._place(i)}" for i in self.minima[:SHOWN]]
        lines += _more(len(self.minima))
        for each in self.passes[:SHOWN]:
            f = self.points[each.point].fun
            paths = []
            for side in each.sides:
                above = "" if side.end is None else f" ({f - self.points[side.end].fun:.6g} below)"
                paths.append(side.reason + above)
            lines.append(f"  pass {each.point}: {self._place(each.point)}, down to {' and to '.join(paths)}")
        lines += _more(len(self.passes))
        if self.merges:
            lines.append("merge tree")
        lines += [
            f"  at pass {merge.point}, f = {self.points[merge.point].fun:.9g}: minimum {merge.absorbed} joins "
            f"{merge.survivor}, {merge.depth:.6g} deep"
            for merge in self.merges[:SHOWN]
        ]
        lines += _more(len(self.merges))
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return f"<MorseGraph: {self._counts()}>"

    def _counts(self) -> str:
        minima, passes = len(self.minima), len(self.passes)
        return f"{minima} minim{'um' if minima == 1 else 'a'}, {passes} pass{'' if passes == 1 else 'es'}"

    def _place(self, i: int) -> str:
        return f"f = {self.points[i].fun:.9g} at {format_vector(self.points[i].x)}"


def is_minimum(point: CriticalPoint) -> bool:
    return point.kind in ("minimum", "degenerate minimum", "valley")


def _more(count: int) -> list[str]:
    return [f"  … and {count - SHOWN} more"] if count > SHOWN else []


def format_vector(x: Vector) -> str:
    entries = [f"{xi:.4g}" for xi in x[:MAX_PRINTED_ENTRIES]] + ["…"] * (len(x) > MAX_PRINTED_ENTRIES)
    return "(" + ", ".join(entries) + ")"
