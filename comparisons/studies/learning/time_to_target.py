"""Cost and time to target losses of a network: Adam at tuned rates, methods with curvature.

Rates are tuned for every target separately, on starts that are not reported, so that Adam has the best rate for each
target. Work is counted as in `comparisons.studies.learning.loss_curves`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from comparisons.running.tuning import RateSearch, tune_rate
from comparisons.studies.learning.loss_curves import LossCurve, Task, minimized, trained
from newtonkit import Adam
from newtonkit.core.validation import check_integer

CURVED = ("lbfgs", "bfgs", "newton-cg")
BATCH = 64
# Adam by the size of its batches, None for all data
ADAMS: dict[str, int | None] = {"adam": BATCH, "adam, all data": None}
_ELSEWHERE = (
    1000  # offset from the first start of the report to the first for tuning; at least the number of reported starts
)


@dataclass(frozen=True)
class Race:
    """All methods from the same starts."""

    task: Task
    targets: tuple[float, ...]
    budget: int
    seeds: tuple[int, ...]
    tuned_on: int
    """Number of starts on which the rates were tuned."""
    reached: Mapping[str, Mapping[float, Sequence[tuple[float, float]]]]
    """By method and target, for every start: `LossCurve.until`."""
    courses: Mapping[str, Sequence[LossCurve]]
    """By method; Adam's at the rate for the lowest target that its tuning reached."""
    searches: Mapping[str, Mapping[float, RateSearch]]
    """How Adam's rates were found."""

    def median(self, method: str, target: float) -> tuple[float, float]:
        """Gradient-equivalents and seconds of the median start; infinite if half of them never reach the target."""
        costs, seconds = zip(*self.reached[method][target], strict=True)
        return float(np.median(costs)), float(np.median(seconds))


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
    courses: dict[str, list[LossCurve]] = {}
    searches: dict[str, dict[float, RateSearch]] = {}
    for label, batch in ADAMS.items():
        searches[label] = _tuned(task, batch, targets, elsewhere, grid, budget)

        @cache
        def course(rate: float, seed: int, batch: int | None = batch) -> LossCurve:
            return trained(task, Adam(rate=rate), batch, seed, budget, lowest)

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
    def courses(rate: float) -> list[LossCurve]:
        rule = Adam(rate=rate)
        return [trained(task, rule, batch, seed, budget, min(targets), timed=False) for seed in seeds]

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
