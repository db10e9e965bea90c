"""The observed order of convergence of a run, measured from its trace."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np

from comparisons.core.runs import Run
from problems import Problem

_METHODS = ("newton", "newton-cg", "newton-linesearch", "bfgs", "lbfgs")
_LAST = 5  # steps from which the order is estimated
ROUNDING = 1e-13  # smaller errors are rounding: about 500 eps


def observed_order(errors: Iterable[float]) -> float:
    """The order q of e₊ ≈ C eᵠ: the slope of log e₊ over log e, by least squares over the last five steps.

    Repeated errors (rejected steps) and errors below 1e-13 are left out; NaN if fewer than two steps remain.

    Parameters
    ----------
    errors : iterable of float
        Distances to the limit, one for each iterate.

    Examples
    --------
    >>> round(observed_order([1e-1, 1e-2, 1e-4, 1e-8]), 6)
    2.0
    """
    steps = _steps(errors)[-_LAST:]
    if len(steps) < 2:
        return math.nan
    before, after = np.log(np.array(steps)).T
    before = before - before.mean()
    return float(before @ after / (before @ before))


def _steps(errors: Iterable[float]) -> list[tuple[float, float]]:
    """Pairs of consecutive errors."""
    usable: list[float] = []
    for error in errors:
        if math.isfinite(error) and error > ROUNDING and (not usable or error != usable[-1]):
            usable.append(error)
    return list(itertools.pairwise(usable))


def errors_of(run: Run, problem: Problem) -> list[float]:
    """‖x − x*‖ along the trace, x* the known minimum at which the run ended; empty if it ended elsewhere."""
    if not run.at_minimum:
        return []
    point, _ = problem.nearest(run.x)
    if point is None or point.x is None:
        return []
    return [math.dist(p.x, point.x) for p in run.trace if len(p.x) == problem.n]


def orders(runs: Iterable[Run], problem: Problem) -> list[tuple[Run, list[tuple[float, float]], float]]:
    """The runs whose order can be measured: run, last steps (error before, error after), order."""
    found = []
    for run in runs:
        errors = errors_of(run, problem) if run.method in _METHODS else []
        order = observed_order(errors)
        if math.isfinite(order):
            found.append((run, _steps(errors)[-_LAST - 2 :], order))
    return found
