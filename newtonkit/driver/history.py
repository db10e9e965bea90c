"""The record of a run, and the table printed while it runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from newtonkit.core.counts import Counts
from newtonkit.core.html_table import html_table
from newtonkit.core.state import State
from newtonkit.linalg.kernels import Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MAX_SHOWN = 20  # states in a notebook


class Row(NamedTuple):
    """One line of a History: the state after ``nit`` iterations and the evaluations until then."""

    nit: int
    f: float
    gradient_norm: float
    """‖g‖∞."""
    length: float
    """‖s‖ of the step that led here."""
    alpha: float
    radius: float
    accepted: bool
    nfev: int
    njev: int
    nhev: int
    nhvp: int
    seconds: float


class History:
    """The record of a run, one `Row` per state; columns are read as attributes.

    Parameters
    ----------
    points : bool, default False
        Whether to keep x and g of every state too, as ``history.x`` and ``history.g``.

    Examples
    --------
    >>> import newtonkit
    >>> history = newtonkit.minimize(lambda x: ((x - 1) ** 2).sum(), [3.0], method="newton").history
    >>> history.f
    array([4., 0.])
    """

    def __init__(self, *, points: bool = False) -> None:
        self.points = points
        self._rows: list[tuple[Any, ...]] = []  # converted to Row when they are read
        self._x: list[Vector] = []
        self._g: list[Vector] = []

    def record(self, nit: int, state: State, gradient_norm: float, counts: Counts, seconds: float) -> None:
        """Append one state; x and g are kept by reference, since states are never written."""
        info = state.info
        self._rows.append(
            (
                nit,
                state.f,
                gradient_norm,
                info.length,
                info.alpha,
                info.radius,
                info.accepted,
                counts.f,
                counts.g,
                counts.H,
                counts.Hv,
                seconds,
            )
        )
        if self.points:
            self._x.append(state.x)
            self._g.append(state.g)

    @property
    def rows(self) -> list[Row]:
        """The record, line by line."""
        return [Row(*row) for row in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getattr__(self, name: str) -> Any:
        if name in Row._fields:
            column = Row._fields.index(name)
            return np.array([row[column] for row in self._rows])
        raise AttributeError(f"History has no column {name!r}; it has {', '.join(Row._fields)}, x, g")

    @property
    def x(self) -> Vector:
        """The points, shape (states, n)."""
        return self._kept(self._x)

    @property
    def g(self) -> Vector:
        """The gradients, shape (states, n)."""
        return self._kept(self._g)

    def _kept(self, vectors: list[Vector]) -> Vector:
        if not self.points:
            raise ValueError("x and g were not recorded; record them with options={'history': 'points'}")
        return np.array(vectors)

    def __repr__(self) -> str:
        return f"<History of {len(self)} states>"

    def columns(self) -> dict[str, Any]:
        """The columns by name, as lists."""
        return {name: [row[k] for row in self._rows] for k, name in enumerate(Row._fields)}

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each state; its columns are those of `Row`.

        Raises
        ------
        ImportError
            If pandas is not installed; newtonkit requires it for this method only.
        """
        try:
            import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            raise ImportError("to_frame needs pandas: pip install 'newtonkit[tables]'") from None
        return pandas.DataFrame(self.columns())

    def _repr_html_(self) -> str:
        shown = self.rows
        notes = []
        if len(shown) > MAX_SHOWN:
            notes = [f"The first and the last {MAX_SHOWN // 2} of {len(shown)} states; history.to_frame() has all."]
            shown = [*shown[: MAX_SHOWN // 2], *shown[-MAX_SHOWN // 2 :]]
        rows = [[f"{value:.6g}" if isinstance(value, float) else str(value) for value in row] for row in shown]
        return html_table(f"History of {len(self)} states", Row._fields, rows, notes)

    def plot(self) -> Figure:
        """f and ‖g‖∞ against iterations; see `newtonkit.plots.convergence.plot_convergence`."""
        from newtonkit.plots.convergence import plot_convergence

        return plot_convergence(self.nit, self.f, self.gradient_norm)


class Progress:
    """Prints a line per iteration; the interval between lines is doubled after every twenty."""

    def __init__(self) -> None:
        self.every = 1
        self.lines = 0

    def show(self, nit: int, state: State, gradient_norm: float) -> None:
        """Print the state if ``nit`` is a multiple of the present interval."""
        if nit % self.every:
            return
        if self.lines == 0:
            print(f"{'nit':>6} {'f':>16} {'‖g‖∞':>10} {'‖s‖':>10}  note")
        length = "" if math.isnan(state.info.length) else f"{state.info.length:10.3e}"
        note = state.info.note if state.info.accepted else "rejected" + (f": {state.info.note}" * bool(state.info.note))
        print(f"{nit:6d} {state.f:16.9e} {gradient_norm:10.3e} {length:>10}  {note}".rstrip())
        self.lines += 1
        if self.lines % 20 == 0:
            self.every *= 2

    def close(self, message: str) -> None:
        """Print the message of the result."""
        print(message)
