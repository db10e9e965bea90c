"""When was it solved? Found afterwards in the trace, for any tolerance τ, by one of three tests.

* *value*: f − f* ≤ τ·(f₀ − f*) (Moré & Wild 2009, eq. 2.2), with f* from the catalogue and never from a contestant, and
  rounding of f* allowed for: 10·eps·|f*|.
* *gradient*: ‖g‖∞ ≤ τ·max(1, ‖g₀‖∞), at a point that is not closest to a known saddle or maximum: methods pass these on
  their way, and a small gradient there is no end.
* *distance*: within τ, relative to max(1, ‖x*‖), of a known minimum x*.

The last two are content with any minimum, the first asks for the lowest that is known. By none of them is a run solved
that ended at a saddle or a maximum, whatever it passed before. An instance is left out where a test has nothing to go
by: *value* needs a known minimum and a finite f₀, *distance* a minimum that is known by its place, *gradient* one too,
unless no critical point is known at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparisons.core.costs import Spending
from comparisons.core.labels import Ending, ending, groups, methods, problem_of
from comparisons.core.prices import Instance, PriceModel
from comparisons.core.runs import Run
from comparisons.core.trace import KINDS
from newtonkit.core.validation import nearest_name
from newtonkit.linalg.kernels import EPS
from problems import Problem

Vector = NDArray[np.float64]

TESTS = ("value", "gradient", "distance")
TOLERANCES = tuple(10.0**-k for k in range(1, 11))
_ROUNDING = 10 * EPS


class _Truth(NamedTuple):
    """What is known about an instance, and was known before anybody ran."""

    lowest: float
    """f*; NaN where no minimum is known."""
    minima: NDArray[np.bool_]
    """Of the known critical points, in the order of the catalogue: whether each is a minimum."""
    tests: frozenset[str]
    """Those of `TESTS` that have something to go by."""


def spending(
    runs: Sequence[Run], test: str = "value", tolerance: float = 1e-6, own: Mapping[str, Problem] | None = None
) -> Spending:
    """The evaluations of every run until the test was first met.

    Parameters
    ----------
    runs : sequence of Run
        With their traces; every method once on every instance.
    test : str, default "value"
        One of `TESTS`.
    tolerance : float, default 1e-6
        τ, in (0, 1).
    own : mapping of str to Problem, optional
        Problems by their label that the catalogue does not have.

    Raises
    ------
    ValueError
        For an unknown test, a tolerance out of range, a run that is missing or there twice, or if no instance is left.
    """
    if test not in TESTS:
        raise ValueError(f"test must be one of {', '.join(TESTS)}, got {test!r}; {nearest_name(test, TESTS)}")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie in (0, 1), got {tolerance}")
    names, instances, found = methods(runs), [], []
    for instance, truth, row in _rows(runs, names, own or {}):
        if not _judged(test, truth, row[0]):
            continue
        instances.append(instance)
        found.append([_spent(run, first_met(run, truth, test, tolerance)) for run in row])
    if not instances:
        raise ValueError(f"runs must have an instance that the {test} test can judge, got none")
    return Spending(tuple(names), tuple(instances), np.array(found))


def first_met(run: Run, truth: _Truth, test: str, tolerance: float) -> int | None:
    """The row of the trace at which the test was first met; None if it never was, or the run ended at no minimum."""
    if ending(run) is Ending.SADDLE:
        return None
    rows = run.trace.evaluations
    # NaN, where a row has no such value, is never small enough
    if test == "value":
        floor = _ROUNDING * abs(truth.lowest)
        met = rows.f - truth.lowest <= max(tolerance * (run.f_start - truth.lowest), floor)
    elif test == "gradient":
        sizes = rows.gradient_norm[~np.isnan(rows.gradient_norm)]
        if not sizes.size:
            return None
        met = rows.gradient_norm <= tolerance * max(1.0, float(sizes[0]))
        met &= (rows.nearest < 0) | _at_minimum(rows.nearest, truth)
    else:
        met = (rows.distance <= tolerance) & _at_minimum(rows.nearest, truth)
    met &= ~rows.check
    return int(np.argmax(met)) if met.any() else None


def accuracies(
    runs: Sequence[Run], model: PriceModel, budget: float, own: Mapping[str, Problem] | None = None
) -> tuple[list[str], list[Instance], Vector]:
    """(f − f*)/(f₀ − f*) at the lowest point that each run saw within a budget.

    Parameters
    ----------
    runs : sequence of Run
    model : PriceModel
    budget : float, positive
        In units of one f with its gradient.
    own : mapping of str to Problem, optional
        As for `spending`.

    Returns
    -------
    methods : list of str
    instances : list of Instance
    accuracies : ndarray, shape (instances, methods)
        At least eps, where f cannot tell any more; inf for runs that ended at a saddle or maximum.
    """
    if not budget > 0:
        raise ValueError(f"budget must be positive, got {budget}")
    names, instances, found = methods(runs), [], []
    for instance, truth, row in _rows(runs, names, own or {}):
        if not _judged("value", truth, row[0]):
            continue
        prices = model(instance)
        limit = budget * (prices.f + prices.g)
        instances.append(instance)
        found.append([_accuracy(run, truth, np.cumsum(run.trace.weights(**prices._asdict())) <= limit) for run in row])
    return names, instances, np.array(found).reshape(len(instances), len(names))


def _judged(test: str, truth: _Truth, run: Run) -> bool:
    """Whether the test has something to go by on the instance of this run."""
    # a fall from infinity is met by anything
    return test in truth.tests and (test != "value" or math.isfinite(run.f_start))


def _accuracy(run: Run, truth: _Truth, affordable: NDArray[np.bool_]) -> float:
    if ending(run) is Ending.SADDLE:
        return math.inf
    f = run.trace.evaluations.f[affordable]
    lowest = float(np.min(f[np.isfinite(f)], initial=run.f_start))
    fall, gap = run.f_start - truth.lowest, lowest - truth.lowest
    if gap <= _ROUNDING * abs(truth.lowest) or gap <= EPS * fall:
        return EPS
    return gap / fall


def _spent(run: Run, row: int | None) -> list[float]:
    """How many of each kind had been evaluated with that row, checks left out."""
    if row is None:
        return [math.inf] * len(KINDS)
    rows = run.trace.evaluations
    until = rows.kind[: row + 1][~rows.check[: row + 1]]
    return [float((until == kind).sum()) for kind in KINDS]


def _at_minimum(nearest: NDArray[np.int32], truth: _Truth) -> NDArray[np.bool_]:
    if not truth.minima.size:
        return np.zeros(nearest.shape, dtype=np.bool_)
    return (nearest >= 0) & truth.minima[np.maximum(nearest, 0)]


def _rows(
    runs: Sequence[Run], names: Sequence[str], own: Mapping[str, Problem]
) -> Iterator[tuple[Instance, _Truth, list[Run]]]:
    """Every instance with its runs in the order of the methods."""
    truths: dict[str, _Truth] = {}
    for (problem, start), members in groups(runs).items():
        here = {run.method: run for run in members}
        if len(here) < len(members):
            raise ValueError(f"runs must hold each method once on {problem} from {start!r}; one is there twice")
        missing = [name for name in names if name not in here]
        if missing:
            raise ValueError(f"runs must hold every method on {problem} from {start!r}; missing: {', '.join(missing)}")
        if problem not in truths:
            truths[problem] = _truth(own[problem] if problem in own else problem_of(members[0]))
        yield Instance(problem, start, members[0].n), truths[problem], [here[name] for name in names]


def _truth(problem: Problem | None) -> _Truth:
    points = () if problem is None else problem.points
    minima = np.array([point.kind.endswith("minimum") for point in points], dtype=np.bool_)
    if problem is None or problem.best is None:
        return _Truth(math.nan, minima, frozenset(() if points else ("gradient",)))
    placed = any(point.x is not None for point in problem.minima)
    return _Truth(problem.best.f, minima, frozenset(TESTS if placed else ("value", "gradient")))
