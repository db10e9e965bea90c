"""Record a run: one observer for our methods, for scipy's and for any other solver."""

from __future__ import annotations

import dataclasses
import math
import time
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparisons.core.prices import sparse_products
from comparisons.core.serialization import pack, unpack
from comparisons.core.trace import Evaluations, Iterations, Trace
from newtonkit import Counts
from newtonkit.core.state import FIRST, State
from newtonkit.driver.history import History
from newtonkit.linalg.kernels import finite_max_norm
from problems import Problem

Vector = NDArray[np.float64]
Array = NDArray[Any]
Report = Callable[[bytes], None]

_NOWHERE: Vector = np.empty(0)
_SHARE = 0.05  # the largest share of the run time that reporting may take


class Recorder(History):
    """Fills a `Trace`: the observer of an `Evaluator`, and the history of a run at the same time.

    Its own time is subtracted from the seconds that it records. ``outside`` counts the evaluations outside the bounds.

    Parameters
    ----------
    problem : Problem
        Distances to its known critical points are recorded.
    report : callable, optional
        Called with the new rows, as bytes (see `reported_trace`), after each evaluation, as long as that takes at most
        a twentieth of the run time.

    Examples
    --------
    >>> import newtonkit, problems
    >>> problem = problems.get("booth")
    >>> recorder = Recorder(problem)
    >>> evaluator = newtonkit.Evaluator(newtonkit.Objective(problem.fun), observer=recorder)
    >>> f = evaluator.value(problem.starts["standard"])
    >>> recorder.trace().evaluations.kind
    array(['f'], dtype='<U2')
    """

    def __init__(self, problem: Problem, report: Report | None = None) -> None:
        super().__init__(points=problem.n == 2)
        self.n = problem.n
        self._problem = problem
        known = [(i, point.x) for i, point in enumerate(problem.points) if point.x is not None]
        self._which = [i for i, _ in known]
        self._points = np.array([x for _, x in known]).reshape(len(known), problem.n)
        self._scales = np.maximum(1.0, np.linalg.norm(self._points, axis=1))
        self._bounds = problem.bounds
        self.outside = 0
        self._began = time.perf_counter()
        self.own_seconds = 0.0
        self._report = report
        self._reported = 0
        self._report_seconds = 0.0
        self._kind: list[str] = []
        self._check = array("b")
        self._values = array("d")  # f, ‖g‖∞, distance, seconds: four a row
        self._nearest = array("i")
        self._place: tuple[Vector | None, float, int] = (None, math.nan, -1)
        self._last_hessian: tuple[Vector | None, int] = (None, -1)
        self._last_value: tuple[Vector | None, float] = (None, math.nan)
        self._last_gradient: tuple[Vector | None, float] = (None, math.nan)
        self._gradients: list[tuple[int, Vector, float, float]] = []  # rows until then, x, f, ‖g‖∞
        self._written: list[tuple[int, str]] = []  # rows until each state, and its note

    def __call__(self, kind: str, x: Vector, f: float, g: Vector | None, check: bool) -> None:
        """One evaluation; the observer of `newtonkit.Evaluator`."""
        now = time.perf_counter()
        if kind == "H" and self._moved_to_counts(x, check):
            return
        if self._bounds is not None and not ((self._bounds[:, 0] <= x) & (x <= self._bounds[:, 1])).all():
            self.outside += 1
        size = math.nan if g is None else finite_max_norm(g)
        distance, nearest = self._distance(x)
        self._kind.append(kind)
        self._check.append(check)
        self._values.extend((f, size, distance, now - self._began - self.own_seconds))
        self._nearest.append(nearest)
        if kind == "f":
            self._last_value = x, f
        elif kind == "g":
            self._last_gradient = x, size
            if not check:
                place = x if self.points else _NOWHERE
                self._gradients.append((len(self._kind), place, _at(x, self._last_value), size))
        if self._report is not None and self._report_seconds <= _SHARE * (now - self._began):
            self._send(self._report)
        self.own_seconds += time.perf_counter() - now

    def _send(self, report: Report) -> None:
        began = time.perf_counter()
        report(pack(self._columns(self._reported)))
        self._reported = len(self._kind)
        self._report_seconds += time.perf_counter() - began

    def _moved_to_counts(self, x: Vector, check: bool) -> bool:
        """Whether this Hessian was recorded as a check before; then it is moved to the counts."""
        at, row = self._last_hessian
        if x is at and self._check[row] and not check:
            self._check[row] = False
            return True
        self._last_hessian = x, len(self._kind)
        return False

    def _distance(self, x: Vector) -> tuple[float, int]:
        """The relative distance to the nearest known critical point, and the index of that point."""
        if not self._which:
            return math.nan, -1
        at, distance, nearest = self._place
        if x is not at:  # f and g are evaluated one after the other at the same point
            with np.errstate(all="ignore"):
                away = self._points - x
                squares = np.einsum("ij,ij->i", away, away)
            k = int(squares.argmin())
            distance, nearest = math.sqrt(squares[k]) / float(self._scales[k]), self._which[k]
            self._place = x, distance, nearest
        return distance, nearest

    def record(self, nit: int, state: State, gradient_norm: float, counts: Counts, seconds: float) -> None:
        """Record one state of a run of our methods; see `newtonkit.History`."""
        began = time.perf_counter()
        super().record(nit, state, gradient_norm, counts, seconds)
        self._written.append((len(self._kind), state.info.note))
        self.own_seconds += time.perf_counter() - began

    def visit(self, x: Vector, f: float) -> None:
        """Record one iterate of another solver, with its gradient if that was evaluated last at this point."""
        self._append(np.array(x, dtype=np.float64), f, _at(x, self._last_gradient))

    def count_gradients(self) -> None:
        """Count each gradient after the first as an iteration: for a solver that reports no iterations."""
        for rows, x, f, size in self._gradients[1:]:
            self._append(x, f, size)
            self._written[-1] = rows, ""

    def _append(self, x: Vector, f: float, size: float) -> None:
        self.record(len(self), State(x, f, _NOWHERE, FIRST), size, Counts(), math.nan)

    def _columns(self, first: int = 0) -> dict[str, Array]:
        """The columns of `Evaluations` from this row on, without ``iteration``."""
        f, gradient_norm, distance, seconds = np.array(self._values[4 * first :]).reshape(-1, 4).T
        return {
            "kind": np.array(self._kind[first:], dtype="<U2"),
            "f": f.copy(),
            "gradient_norm": gradient_norm.copy(),
            "distance": distance.copy(),
            "nearest": np.array(self._nearest[first:], dtype=np.int32),
            "seconds": seconds.copy(),
            "check": np.array(self._check[first:], dtype=np.bool_),
        }

    def trace(self) -> Trace:
        """The trace of everything recorded."""
        notes = list(dict.fromkeys(["", *(note for _, note in self._written)]))
        places = {note: i for i, note in enumerate(notes)}
        rows_until = np.array([rows for rows, _ in self._written], dtype=np.int32)
        complete = np.searchsorted(rows_until, np.arange(len(self._kind)), side="right") - 1
        states = len(self)
        return Trace(
            self.n,
            Evaluations(**self._columns(), iteration=np.maximum(complete, 0).astype(np.int32)),
            Iterations(
                evaluations=rows_until,
                f=self.f,
                gradient_norm=self.gradient_norm,
                accepted=self.accepted.astype(np.bool_),
                length=self.length,
                alpha=self.alpha,
                radius=self.radius,
                note=np.array([places[note] for _, note in self._written], dtype=np.int32),
                notes=np.array(notes, dtype=np.str_),
                x=self.x.reshape(states, -1) if self.points and states else np.empty((states, 0)),
            ),
            # finding the pattern takes a second at n = 650, and only the price of a Hessian depends on it
            sparse_products(self._problem) if "H" in self._kind else 0,
        )


def reported_trace(n: int, reports: Sequence[bytes]) -> Trace:
    """The trace of a run whose process was lost, from its reports: evaluations only, no iterations."""
    nothing = Trace.empty(n)
    if not reports:
        return nothing
    parts = [unpack(report) for report in reports]
    columns: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    evaluations = Evaluations(**columns, iteration=np.zeros(len(columns["kind"]), dtype=np.int32))
    return dataclasses.replace(nothing, evaluations=evaluations)


def _at(x: Vector, known: tuple[Vector | None, float]) -> float:
    """The number known at the point x; NaN if there is none."""
    at, number = known
    return number if at is x or (at is not None and np.array_equal(at, x)) else math.nan
