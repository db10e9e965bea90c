"""The curves of a convergence plot: the points of a trace that are drawn, rounding limits, and the runs in colour."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparisons.core.labels import FAMILIES, family
from comparisons.core.runs import Run
from comparisons.core.scored import Scored
from comparisons.plots.style import thin
from newtonkit.linalg.kernels import EPS
from problems import CriticalPoint

Vector = NDArray[np.float64]

SMALLEST_GAP = 1e-20  # far below any tolerance; smaller differences are rounding
DEEPEST = 1e20  # lower limit of f without a minimum, in units of its initial size
COLOURED = 8  # lines in colour; the others are grey
_SMALLEST_GRADIENT = 1e-15
_FAR = 1e40  # largest value that is passed to matplotlib
_SHORTEST = 1e-5  # seconds
_NEAR = 1e3  # times the rounding of f*: if a run comes closer, the rounding is drawn


class Curve(NamedTuple):
    """One run: iterations, cost and seconds, with f and the gradient."""

    run: Run
    iteration: Vector
    cost: Vector
    seconds: Vector
    height: Vector
    """f − f*, or f where there is no f*; NaN where it is not finite and there is none."""
    gradient: Vector
    """‖g‖∞."""


def curve_of(run: Run, best: CriticalPoint | None) -> Curve:
    """The trace, and the returned point if the trace ends before it or lacks its gradient."""
    trace = run.trace
    clock = np.concatenate([[0.0], trace.evaluations.seconds])[trace.iterations.evaluations]
    rows = [(k, trace[k].cost, clock[k], trace[k].f, trace[k].gradient_norm) for k in thin(len(trace))]
    method_only = trace.evaluations.seconds[~trace.evaluations.check]
    seconds = float(method_only[-1]) if len(method_only) else run.seconds
    end = (max(run.nit, len(trace) - 1), run.cost, seconds, run.f, run.gradient_norm)
    if not rows or (rows[-1][1], *rows[-1][3:]) != (end[1], *end[3:]):
        rows.append(end)
    iteration, cost, seconds_, f, gradient = np.array(rows, dtype=np.float64).T
    return Curve(
        run,
        iteration,
        np.maximum(cost, 1.0),
        np.maximum(seconds_, _SHORTEST),
        _height(f, run, best),
        np.clip(gradient, _SMALLEST_GRADIENT, _FAR),
    )


def _height(f: Vector, run: Run, best: CriticalPoint | None) -> Vector:
    if best is not None:
        return np.clip(f - best.f, floor_of(best), _FAR)
    return np.where(np.isfinite(f), np.clip(f, -DEEPEST * scale_of(run), _FAR), np.nan)


def scale_of(run: Run) -> float:
    """The size of f at the start."""
    return max(1.0, abs(run.f_start)) if math.isfinite(run.f_start) else 1.0


def floor_of(best: CriticalPoint) -> float:
    """The rounding of f*, ε|f*|: smaller differences from f* are not significant."""
    return max(EPS * abs(best.f), SMALLEST_GAP)


def rounding_is_in_view(curves: Sequence[Curve], best: CriticalPoint | None) -> bool:
    """Whether some run comes close to the rounding of f*."""
    if best is None or EPS * abs(best.f) < SMALLEST_GAP:
        return False
    return any(bool((curve.height <= _NEAR * floor_of(best)).any()) for curve in curves)


def needed(row: Scored) -> tuple[int, float]:
    """Iterations and seconds of a run until it was solved, or of the whole run."""
    run, rows = row.run, row.run.trace.evaluations
    if not len(rows):
        return run.nit, run.seconds
    last = min(int(np.searchsorted(np.cumsum(run.trace.weights()), row.cost)), len(rows) - 1)
    return int(rows.iteration[last]), float(rows.seconds[last])


def in_colour(scored: Sequence[Scored], most: int = COLOURED) -> list[Run]:
    """The runs to draw in colour: the best of each family of methods in turn, until there are ``most``.

    The best are those that solve the problem at the least cost, then those that come closest to the lowest minimum.
    """

    def rank(row: Scored) -> tuple[bool, float, float]:
        gap = row.run.f if row.gap is None else row.gap
        return (not row.solved, 0.0 if row.solved else (gap if math.isfinite(gap) else math.inf), row.cost)

    queues = [sorted((row for row in scored if family(row.method) == name), key=rank) for name in FAMILIES]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    return [row.run for row in turns if row is not None][:most]
