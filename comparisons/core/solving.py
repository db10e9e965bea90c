"""When was a run solved? Found afterwards in its trace, for any tolerance τ, by one of three tests.

* *value*: f − f* ≤ τ·(f₀ − f*) (Moré & Wild 2009, eq. 2.2), with f* from the catalogue and never from a contestant. The
  rounding of f* is allowed: 10·eps·|f*|.
* *gradient*: ‖g‖∞ ≤ τ·max(1, ‖g₀‖∞), at a point whose nearest known critical point is no saddle or maximum: methods
  pass these on their way, and a small gradient there is not the end.
* *distance*: within τ, relative to max(1, ‖x*‖), of a known minimum x*.

The last two accept any minimum, the first requires the lowest that is known. A run that ended at a saddle or a maximum
is solved by none of them, whatever it passed before. An instance is left out if a test does not apply to it: *value*
requires a known minimum and a finite f₀; *distance* a minimum whose place is known; *gradient* a known minimum too,
unless no critical point is known at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from comparisons.core.costs import Spending
from comparisons.core.endings import Ending
from comparisons.core.labels import groups, methods
from comparisons.core.prices import Instance, PriceModel
from comparisons.core.reference import TESTS, Reference, is_below, references
from comparisons.core.runs import Run
from comparisons.core.trace import KINDS
from newtonkit.core.validation import nearest_name
from newtonkit.linalg.kernels import EPS
from problems import Problem

Vector = NDArray[np.float64]

TOLERANCES = tuple(10.0**-k for k in range(1, 11))
TOLERANCE = 1e-8  # of the fall of f, at which runs are scored: half of the digits of f, as deep as all methods can see
_ROUNDING = 10 * EPS


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
    for instance, reference, row in _rows(runs, names, own or {}):
        if not _applies(test, reference, row[0]):
            continue
        instances.append(instance)
        found.append([_spent(run, first_met(run, reference, test, tolerance)) for run in row])
    if not instances:
        raise ValueError(f"runs must have an instance that the {test} test can judge, got none")
    return Spending(tuple(names), tuple(instances), np.array(found))


def first_met(run: Run, reference: Reference, test: str, tolerance: float) -> int | None:
    """The row of the trace at which the test was first met.

    None if it never was, or the run ended at a saddle or below f*.
    """
    if _ended_at_saddle(run) or is_below(run):  # below f* f may be unbounded
        return None
    rows = run.trace.evaluations
    # NaN, where a row has no such value, is never small enough
    if test == "value":
        floor = _ROUNDING * abs(reference.lowest)
        met = rows.f - reference.lowest <= max(tolerance * (run.f_start - reference.lowest), floor)
    elif test == "gradient":
        sizes = rows.gradient_norm[~np.isnan(rows.gradient_norm)]
        if not sizes.size:
            return None
        met = rows.gradient_norm <= tolerance * max(1.0, float(sizes[0]))
        met &= (rows.nearest < 0) | _at_minimum(rows.nearest, reference)
    else:
        met = (rows.distance <= tolerance) & _at_minimum(rows.nearest, reference)
    met &= ~rows.check
    return int(np.argmax(met)) if met.any() else None


def rows_of_value(runs: Sequence[Run], tolerance: float, own: Mapping[str, Problem] | None = None) -> list[int | None]:
    """For each run the row of the trace at which the *value* test was first met; None if never, or if f* is unknown."""
    known = references(runs, own or {})
    return [
        first_met(run, known[run.problem], "value", tolerance) if _applies("value", known[run.problem], run) else None
        for run in runs
    ]


def _ended_at_saddle(run: Run) -> bool:
    """Whether the run ended at a saddle or a maximum, degenerate ones included."""
    kind = run.reached or run.verdict
    return run.ending is Ending.SADDLE or (
        run.ending is Ending.DEGENERATE and ("saddle" in kind or "maximum" in kind or kind == "ridge")
    )


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
    for instance, reference, row in _rows(runs, names, own or {}):
        if not _applies("value", reference, row[0]):
            continue
        prices = model(instance)
        limit = budget * (prices.f + prices.g)
        instances.append(instance)
        found.append(
            [_accuracy(run, reference, np.cumsum(run.trace.weights(**prices._asdict())) <= limit) for run in row]
        )
    return names, instances, np.array(found).reshape(len(instances), len(names))


def _applies(test: str, reference: Reference, run: Run) -> bool:
    """Whether the test applies to the instance of this run."""
    # any f is a small part of an infinite fall
    return test in reference.tests and (test != "value" or math.isfinite(run.f_start))


def _accuracy(run: Run, reference: Reference, affordable: NDArray[np.bool_]) -> float:
    if _ended_at_saddle(run):
        return math.inf
    f = run.trace.evaluations.f[affordable]
    lowest = float(np.min(f[np.isfinite(f)], initial=run.f_start))
    fall, gap = run.f_start - reference.lowest, lowest - reference.lowest
    if gap <= _ROUNDING * abs(reference.lowest) or gap <= EPS * fall:
        return EPS
    return gap / fall


def _spent(run: Run, row: int | None) -> list[float]:
    """How many of each kind had been evaluated with that row, checks left out."""
    if row is None:
        return [math.inf] * len(KINDS)
    rows = run.trace.evaluations
    until = rows.kind[: row + 1][~rows.check[: row + 1]]
    return [float((until == kind).sum()) for kind in KINDS]


def _at_minimum(nearest: NDArray[np.int32], reference: Reference) -> NDArray[np.bool_]:
    if not reference.minima.size:
        return np.zeros(nearest.shape, dtype=np.bool_)
    return (nearest >= 0) & reference.minima[np.maximum(nearest, 0)]


def _rows(
    runs: Sequence[Run], names: Sequence[str], own: Mapping[str, Problem]
) -> Iterator[tuple[Instance, Reference, list[Run]]]:
    """Every instance with its runs in the order of the methods."""
    known = references(runs, own)
    for (problem, start), members in groups(runs).items():
        here = {run.method: run for run in members}
        if len(here) < len(members):
            raise ValueError(f"runs must hold each method once on {problem} from {start!r}; one is there twice")
        missing = [name for name in names if name not in here]
        if missing:
            raise ValueError(f"runs must hold every method on {problem} from {start!r}; missing: {', '.join(missing)}")
        sparse = max(run.trace.sparse_products for run in members)  # 0 in runs that evaluated no Hessian
        instance = Instance(problem, start, members[0].n, sparse)
        yield instance, known[problem], [here[name] for name in names]
