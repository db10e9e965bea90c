"""What a run hands back: Result, a scipy OptimizeResult that also tells why, and History, its record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.core.counts import Counts
from newtonkit.core.state import State
from newtonkit.derivatives.pytree import flatten
from newtonkit.linalg.kernels import Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Row(NamedTuple):
    """One line of a History: the state after ``nit`` iterations and what it had cost by then."""

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
        self._rows: list[tuple[Any, ...]] = []  # a Row each, made into one only where it is read
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
            raise ValueError("x and g were not kept; ask for them with options={'history': 'points'}")
        return np.array(vectors)

    def __repr__(self) -> str:
        return f"<History of {len(self)} states>"

    def plot(self) -> Figure:
        """f and ‖g‖∞ against iterations; see `newtonkit.plots.figures.plot_history`."""
        from newtonkit.plots.figures import plot_history

        return plot_history(self)


class Result(OptimizeResult):  # type: ignore[misc]
    """The outcome of a run: everything `scipy.optimize.OptimizeResult` holds, and why.

    Attributes
    ----------
    x, jac : array or structure of arrays
        The point and the gradient there, in the structure of x0. The converged point, unless a point lower by more
        than rounding was seen; then that one.
    fun : float
        The user's own function at x, called plainly.
    hess : ndarray, shape (n, n)
        The Hessian at x, where it was computed at exactly this point.
    success : bool
        Whether the reason is a converged one and the verdict does not contradict it.
    reason : TerminationReason
    status : int
        0 for converged reasons, a positive number of its own for each other.
    message : str
        Cause, number, limit, advice.
    verdict : Verdict
        What kind of point x is.
    nit, nfev, njev, nhev, nhvp : int
        Iterations and evaluations asked for by the method.
    checks : Counts
        Evaluations made for the verdict and for checks, which scores leave out.
    method, choice : str
        The method's name, and why it was taken where the choice was automatic.
    derivatives : str
        Where they came from: "given", "tape", or "plain autograd" and why no tape.
    history : History or None
    state : State
        The last state of the method: what `minimize` goes on from where it is given this result in place of x0.
    start : State
        The first.
    elapsed : float
        Seconds.
    """

    def __repr__(self) -> str:
        if "reason" not in self:
            return str(super().__repr__())
        mark = "success" if self.success else "no success"
        x = np.array2string(flatten(self.x)[0], precision=6, threshold=8)
        x += "" if isinstance(self.x, np.ndarray) and self.x.ndim == 1 else " (flattened)"
        used = [f"{self.nit} iterations"]
        for count, word in (
            (self.nfev, "f"),
            (self.njev, "gradients"),
            (self.nhev, "Hessians"),
            (self.nhvp, "Hv products"),
        ):
            if count:
                used.append(f"{count} {word}")
        lines = [
            f"Result of {self.method}: {mark} ({self.reason.name})",
            f"  message: {self.message}",
            f"      fun: {self.fun:.10g}",
            f"        x: {x}",
            f"  verdict: {self.verdict}",
            f"     used: {', '.join(used)}",
        ]
        if self.choice:
            lines.insert(1, f"   method: {self.choice}")
        if "(no tape" in self.derivatives or "disagreed" in self.derivatives:
            lines.append(f"   slower: derivatives by {self.derivatives}")
        return "\n".join(lines)

    __str__ = __repr__


class Progress:
    """A line per iteration on standard output, thinned out by half after every twenty lines."""

    def __init__(self) -> None:
        self.every = 1
        self.lines = 0

    def show(self, nit: int, state: State, gradient_norm: float) -> None:
        """Print the state, if its turn has come."""
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
        """Print how the run ended."""
        print(message)
