"""The attributes of critical points that figures use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from newtonkit.linalg.kernels import Matrix, Vector


class Point(Protocol):
    """A critical point; `newtonkit.CriticalPoint` is one."""

    @property
    def x(self) -> Vector:
        """The point."""

    @property
    def fun(self) -> float:
        """f at x."""

    @property
    def kind(self) -> str:
        """ "minimum", "maximum", "saddle", or a degenerate kind."""

    @property
    def index(self) -> int | None:
        """The number of negative eigenvalues; None if it is not certain."""


class Part(Protocol):
    """A part of the box about which nothing is proved."""

    @property
    def lo(self) -> Vector:
        """The lower corner."""

    @property
    def hi(self) -> Vector:
        """The upper corner."""


class Points(Protocol):
    """The critical points in a box; `newtonkit.CriticalPoints` is one."""

    @property
    def box(self) -> Sequence[tuple[float, float]]:
        """(low, high) for every variable."""

    @property
    def complete(self) -> bool:
        """Whether the list is proved complete."""

    @property
    def unresolved_boxes(self) -> Sequence[Part]:
        """Parts of the box about which nothing is proved."""

    @property
    def fun(self) -> Callable[[Vector], Any]:
        """The function."""

    def __getitem__(self, i: int, /) -> Point:
        """The i-th point."""

    def __len__(self) -> int:
        """The number of points."""

    def __iter__(self) -> Iterator[Point]:
        """The points in order."""


class Path(Protocol):
    """A descent path from an index-1 saddle."""

    @property
    def end(self) -> int | None:
        """The number of the point at its end, if there is one."""

    @property
    def path(self) -> Matrix:
        """Points on the path, one a row."""


class Saddle(Protocol):
    """An index-1 saddle with its two descent paths."""

    @property
    def point(self) -> int:
        """The number of the saddle."""

    @property
    def sides(self) -> Sequence[Path]:
        """The descent paths."""

    @property
    def directions(self) -> Matrix:
        """Eigenvectors of the Hessian as columns, starting with that of the negative eigenvalue."""
