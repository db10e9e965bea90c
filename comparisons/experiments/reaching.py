"""What it takes to bring the loss of a network down to given values: Adam at tuned rates, methods with curvature.

Work is counted in gradient-equivalents, gradients of the loss over all data with its value: one on a batch counts as
its share of the rows, a Hessian-vector product as 4/3, by f : g : Hv = 1 : 2 : 4. Rates are tuned for every value of
the loss apart, on starts that are not reported, so that Adam need not serve two targets with one rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from comparisons.tuning import RateSearch, tune_rate
from newtonkit import Adam, Result
from newtonkit.derivatives.structure import flatten
from newtonkit.validation import check_integer
from problems.networks import Network

Vector = NDArray[np.float64]

CURVED = ("lbfgs", "bfgs", "newton-cg")
BATCH = 64
# Adam by the size of its batches, None for all data
ADAMS: dict[str, int | None] = {"adam": BATCH, "adam, all data": None}
GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-4.0, 0.01, 0.5))
_ELSEWHERE = 1000  # from the first start reported to the first for tuning, at least as many as are reported
_PER_PRODUCT, _PER_VALUE = 4 / 3, 1 / 3  # gradient-equivalents; a gradient alone is the rest of one
_NEVER = 10**9  # updates between looks
_REPEATS = 3


@dataclass(frozen=True)
class Task:
    """A network, the data, the loss of a batch, and how the network starts."""

    network: Network
    data: tuple[Vector, NDArray[Any]]
    entropy: Callable[[Any, Any], Any]
    weights: str

    def loss(self, params: Any, batch: Any) -> Any:
        """Of a batch, the mean over its rows."""
        x, labels = batch
        return self.entropy(self.network.scores(params, x), labels)

    def start(self, seed: int) -> Any:
        """The parameters of a seed."""
        return self.network.start(seed, weights=self.weights)


@dataclass(frozen=True)
class Course:
    """One run: the loss over all data against what was spent."""

    spent: Vector
    """Gradient-equivalents."""
    seconds: Vector
    loss: Vector
    params: Any
    """Those with the lowest loss."""
    ended: str
    """Its reason."""

    def until(self, target: float) -> tuple[float, float]:
        """Gradient-equivalents and seconds until the loss is first no larger; infinite if it never is."""
        there = np.flatnonzero(self.loss <= target)
        return (float(self.spent[there[0]]), float(self.seconds[there[0]])) if there.size else (math.inf, math.inf)


@dataclass(frozen=True)
class Race:
    """All methods from the same starts."""

    task: Task
    targets: tuple[float, ...]
    budget: int
    seeds: tuple[int, ...]
    tuned_on: int
    """Starts that the rates were tuned on."""
    reached: Mapping[str, Mapping[float, Sequence[tuple[float, float]]]]
    """By method and target, for every start: `Course.until`."""
    courses: Mapping[str, Sequence[Course]]
    """By method; Adam's at the rate for the lowest target that its tuning reached."""
    searches: Mapping[str, Mapping[float, RateSearch]]
    """How Adam's rates were found."""

    def median(self, method: str, target: float) -> tuple[float, float]:
        """Gradient-equivalents and seconds of the median start; infinite where half of them never get there."""
        costs, seconds = zip(*self.reached[method][target], strict=True)
        return float(np.median(costs)), float(np.median(seconds))


def minimized(task: Task, method: str, seed: int, budget: int, target: float = -math.inf) -> Course:
    """By a method that takes all data, until its budget or tolerances of zero end it."""
    start = task.start(seed)
    options = {
        "gtol": 0.0,
        "maxgev": budget,
        "maxhvp": budget,
        "maxiter": 10 * budget,
        "target": target,
        "history": "points",
        "verdict": False,
    }

    def run() -> Result:
        return newtonkit.minimize(lambda params: task.loss(params, task.data), start, method=method, options=options)

    result = run()
    history = result.history
    seconds = _least(history.seconds, lambda: run().history.seconds)
    spent = _PER_VALUE * history.nfev + (1 - _PER_VALUE) * history.njev + _PER_PRODUCT * history.nhvp
    kept = np.flatnonzero(spent <= budget)
    best = kept[np.argmin(history.f[kept])]
    params = flatten(start)[1](history.x[best])
    return Course(spent[kept], seconds[kept], history.f[kept], params, result.reason.name)


def trained(
    task: Task, rate: float, batch: int | None, seed: int, budget: int, target: float = -math.inf, *, timed: bool = True
) -> Course:
    """By Adam at a fixed rate; seconds are those of a run that does not stop to look at the loss over all data."""

    def training(**settings: Any) -> Result:
        return newtonkit.train(
            task.loss,
            task.start(seed),
            task.data,
            Adam(rate=rate),
            batch_size=batch,
            epochs=budget,
            target=target,
            seed=seed,
            **settings,
        )

    result = training()
    history, seconds = result.history, result.history.seconds
    if timed and batch is None:
        seconds = _least(seconds, lambda: training().history.seconds)
    elif timed and result.nit:
        # with all updates, but no looks between them
        def without_looks() -> Vector:
            again = training(check_every=_NEVER, callback=lambda update: update.number >= result.nit)
            return np.asarray(history.full_update * again.elapsed / result.nit)

        seconds = _least(without_looks(), without_looks)
    return Course(history.full_epochs, seconds, history.full_loss, result.x, result.reason.name)


def _least(seconds: Vector, again: Callable[[], Vector]) -> Vector:
    """Of three runs, which differ in their seconds only: what other processes take is no part of a method's cost."""
    return np.asarray(np.min([seconds, *(again() for _ in range(_REPEATS - 1))], axis=0))


def race(
    task: Task, targets: Sequence[float], *, seeds: Sequence[int], tuned_on: int, grid: Sequence[float], budget: int
) -> Race:
    """Every method from every start.

    Parameters
    ----------
    task : Task
    targets : sequence of float
        Losses over all data.
    seeds : sequence of int
        Of the starts reported.
    tuned_on : int, positive
        Other starts, for Adam's rates.
    grid : sequence of float
        Rates; then one more is tried on either side of the best.
    budget : int
        Gradient-equivalents of each run.
    """
    check_integer("starts", len(seeds), 1)
    check_integer("budget", budget, 1)
    elsewhere = range(min(seeds) + _ELSEWHERE, min(seeds) + _ELSEWHERE + tuned_on)
    if max(seeds) >= elsewhere[0]:
        raise ValueError(f"starts must be at most {_ELSEWHERE}, since rates are tuned on others; got {len(seeds)}")
    lowest = min(targets)
    reached: dict[str, dict[float, list[tuple[float, float]]]] = {}
    courses: dict[str, list[Course]] = {}
    searches: dict[str, dict[float, RateSearch]] = {}
    for label, batch in ADAMS.items():
        searches[label] = _tuned(task, batch, targets, elsewhere, grid, budget)

        @cache
        def course(rate: float, seed: int, batch: int | None = batch) -> Course:
            return trained(task, rate, batch, seed, budget, lowest)

        rates = {target: found.rate for target, found in searches[label].items()}
        reached[label] = {
            target: [course(rate, seed).until(target) for seed in seeds] for target, rate in rates.items()
        }
        within = [target for target in targets if searches[label][target].converged]
        courses[label] = [course(rates[min(within, default=max(targets))], seed) for seed in seeds]
    for method in CURVED:
        courses[method] = [minimized(task, method, seed, budget, lowest) for seed in seeds]
        reached[method] = {target: [found.until(target) for found in courses[method]] for target in targets}
    return Race(task, tuple(targets), budget, tuple(seeds), tuned_on, reached, courses, searches)


def _tuned(
    task: Task, batch: int | None, targets: Sequence[float], seeds: Sequence[int], grid: Sequence[float], budget: int
) -> dict[float, RateSearch]:
    """For each target the rate with the lowest median cost over these starts."""

    @cache
    def courses(rate: float) -> list[Course]:
        return [trained(task, rate, batch, seed, budget, min(targets), timed=False) for seed in seeds]

    def score(rate: float, target: float) -> tuple[float, float]:
        cost = np.median([course.until(target)[0] for course in courses(rate)])
        return float(cost), float(np.median([course.loss.min() for course in courses(rate)]))

    return {
        target: tune_rate(
            lambda rate, target=target: score(rate, target),  # type: ignore[misc]
            grid,
            finer=1,
            default=1e-3,
            target=f"a loss of {target:g}",
            budget=budget,
        )
        for target in targets
    }
