"""The list of critical points in a box, and what is proved about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from newtonkit.core.html_table import html_table
from newtonkit.enumeration.audit import Audit
from newtonkit.linalg.kernels import Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
class CriticalPoint:
    """One critical point.

    Examples
    --------
    >>> import newtonkit
    >>> point = newtonkit.find_critical_points(lambda x: x[0] ** 2 - x[0], [(-1, 1)])[0]
    >>> point.kind, float(point.x[0].round(6))
    ('minimum', 0.5)
    """

    x: Vector
    """The point, exact up to rounding errors if ``level`` is "proved"."""
    fun: float
    """f at x."""
    kind: str
    """"minimum", "maximum", "saddle", or the kind that `classify` returns for a degenerate point."""
    index: int | None
    """The Morse index, the number of negative eigenvalues of the Hessian; None if it is not certain."""
    level: str
    """"proved": within ``radius`` of x there is exactly one critical point, and it has this index. Or "numerical"."""
    radius: float
    """max |xᵢ − x*ᵢ| for the critical point x*: a proved bound, or NaN."""
    eigenvalues: Vector
    """The eigenvalues of the Hessian at x, ascending; with ``faces=True`` those of the free variables, as ``index``."""
    active: tuple[int, ...] = ()
    """With ``faces=True``: −1 for each variable at its lower bound, +1 at its upper bound, 0 otherwise."""
    multipliers: Vector | None = None
    """With ``faces=True``: gᵢ at a lower, −gᵢ at an upper bound, 0 otherwise; None without."""


@dataclass(frozen=True, slots=True, eq=False)
class Unresolved:
    """A part of the box in which the number of critical points is not proved."""

    lo: Vector
    hi: Vector
    """The part lies between these two corners."""
    boxes: int
    """The number of small boxes in it."""
    kind: str
    """"degenerate point", "non-isolated set", or "unresolved"."""
    reason: str
    """One sentence."""


@dataclass(frozen=True, eq=False)
class CriticalPoints(Sequence[CriticalPoint]):
    """The critical points found in a box: a sequence in ascending order of f.

    ``print`` shows a table; its column # is the position in the sequence. Each point has ``.x``, ``.fun``, ``.kind``,
    ``.index`` and ``.level``.

    Examples
    --------
    >>> import newtonkit
    >>> points = newtonkit.find_critical_points(lambda x: x[0] ** 3 - x[0], [(-1, 1)])
    >>> len(points), points.complete, len(points.by_index(0))
    (2, True, 1)
    """

    points: tuple[CriticalPoint, ...]
    box: tuple[tuple[float, float], ...]
    """(low, high) for every variable."""
    complete: bool
    """Whether it is proved that the box contains these critical points and no others."""
    unresolved_boxes: tuple[Unresolved, ...]
    """Parts of the box about which nothing is proved; empty for multistart, which proves nothing about any part."""
    audit: Audit
    """The sum of the degrees of the points compared with the degree on the boundary."""
    notes: tuple[str, ...]
    """Sentences on how the points were searched for and what was not possible."""
    processed: int
    """The number of boxes examined, or of starts."""
    fun: Callable[[Vector], Any]
    """The function, with its arguments bound."""
    coverage: float | None = None
    """For multistart: the estimated share of starts that end at a point of this list; see `multistart.coverage`."""

    @overload
    def __getitem__(self, i: int) -> CriticalPoint: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[CriticalPoint]: ...
    def __getitem__(self, i: int | slice) -> CriticalPoint | Sequence[CriticalPoint]:
        return self.points[i]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[CriticalPoint]:
        return iter(self.points)

    def by_index(self, k: int) -> tuple[CriticalPoint, ...]:
        """The points of Morse index k: minima for k = 0, index-1 saddles for k = 1, maxima for k = n."""
        return tuple(point for point in self.points if point.index == k)

    def plot(self) -> Figure:
        """The points over the contours of f; see `newtonkit.plots.critical_points.plot_critical_points`."""
        from newtonkit.plots.critical_points import plot_critical_points

        return plot_critical_points(self)

    def to_frame(self) -> Any:
        """A pandas DataFrame with one row for each point, in the order of the list.

        Raises
        ------
        ImportError
            If pandas is not installed; newtonkit requires it for this method only.
        """
        try:
            import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            raise ImportError("to_frame needs pandas: pip install 'newtonkit[tables]'") from None
        columns = ("kind", "index", "fun", *(f"x{i}" for i in range(len(self.box))), "radius", "level")
        rows = [(p.kind, p.index, p.fun, *p.x, p.radius, p.level) for p in self.points]
        return pandas.DataFrame(rows, columns=list(columns))

    def summary(self) -> str:
        """Sentences, one a line: the number of points of each kind, whether the list is complete, audit, notes."""
        counts = Counter(point.kind for point in self.points)
        kinds = ", ".join(f"{count} × {kind}" for kind, count in counts.most_common()) or "none"
        proof = "proved complete" if self.complete else "not proved complete"
        plural = "" if len(self.points) == 1 else "s"
        lines = [f"{len(self.points)} critical point{plural} ({kinds}), {proof}", str(self.audit)]
        lines += [f"{part.kind}: {part.reason}" for part in self.unresolved_boxes[:MAX_PRINTED_PARTS]]
        if len(self.unresolved_boxes) > MAX_PRINTED_PARTS:
            lines.append(f"and {len(self.unresolved_boxes) - MAX_PRINTED_PARTS} more parts of the box are unresolved")
        if self.coverage is not None:
            lines.append(
                f"an estimated {self.coverage:.1%} of starts end at one of these points (Good-Turing estimate)"
            )
        return "\n".join([*lines, *self.notes])

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[i]) for row in (_HEADER, *rows)) for i in range(len(_HEADER))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in (_HEADER, *rows)]
        return "\n".join([*(line.rstrip() for line in lines), *self._left_out(), self.summary()])

    def _repr_html_(self) -> str:
        return html_table("", _HEADER, self._rows(), [*self._left_out(), *self.summary().splitlines()])

    def _rows(self) -> list[tuple[str, ...]]:
        """The texts of the table, a row for each point up to `MAX_PRINTED_POINTS`."""
        return [
            (
                str(i),
                p.kind,
                "–" if p.index is None else str(p.index),
                f"{p.fun:.9g}",
                _vector(p.x),
                f"{p.radius:.1e}",
                p.level,
            )
            for i, p in enumerate(self.points[:MAX_PRINTED_POINTS])
        ]

    def _left_out(self) -> list[str]:
        more = len(self.points) - MAX_PRINTED_POINTS
        return [f"… and {more} more"] if more > 0 else []

    def __repr__(self) -> str:
        return f"<CriticalPoints: {self.summary().splitlines()[0]}>"


_HEADER = ("#", "kind", "index", "f", "x", "within", "level")
MAX_PRINTED_POINTS = 50
MAX_PRINTED_PARTS = 5


def _vector(x: Vector) -> str:
    return "(" + ", ".join(f"{xi:.9g}" for xi in x) + ")"
