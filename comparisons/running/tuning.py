"""Fair learning rates: the best of a logarithmic grid, found on starts or seeds that are not reported.

A rate is rated by a *score*, so that the same search works for full batches and for training runs:

    tune_rate(score)                     any score: rate -> (cost until the target, lowest value)
    search(problem, "adam", budget=500)  a problem of the catalogue, from held-out starts
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import newtonkit
from comparisons.core.labels import number
from comparisons.core.runs import Tuning
from newtonkit.core.validation import check_integer
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.registry import METHODS, canonical_name
from problems import Problem

GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-5.0, 2.01, 0.5))
_ACCURACY = 1e-6  # of ‖g‖∞ relative to its first value: the target of a rate
_TUNING_SEED = 20  # differs from every reported seed
_SPREAD = 0.1  # of the held-out starts, relative to the size of the start

Score = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class RateTrial:
    """The result of one rate."""

    rate: float
    cost: float
    """Until the target was reached; infinite if it was not."""
    value: float
    """The lowest value; it decides between rates that did not reach the target."""

    @property
    def converged(self) -> bool:
        """Whether the target was reached."""
        return self.cost < math.inf


@dataclass(frozen=True, slots=True)
class RateSearch:
    """All rates of a grid, tried with the same budget."""

    trials: tuple[RateTrial, ...]
    """One for each rate of the grid, ascending."""
    finer: tuple[RateTrial, ...]
    """The rates tried between the best of the grid and its neighbours, if any."""
    default: RateTrial | None
    """The default rate of the method, if it has one."""
    target: str
    """The target of the rates, as text."""
    budget: int
    """Gradients that each rate could use."""

    @property
    def best(self) -> RateTrial:
        """The rate that reached the target at the lowest cost; if none did, the one with the lowest value."""
        return _best((*self.trials, *self.finer))

    @property
    def rate(self) -> float:
        """The rate of the best trial."""
        return self.best.rate

    @property
    def at_the_edge(self) -> bool:
        """Whether the best rate is the first or last of the grid, so that a rate beyond it may be better."""
        return self.rate in (self.trials[0].rate, self.trials[-1].rate)

    @property
    def converged(self) -> tuple[float, ...]:
        """The rates of the grid that reached the target."""
        return tuple(trial.rate for trial in self.trials if trial.converged)

    @property
    def share(self) -> float:
        """The share of the grid that reached the target."""
        return len(self.converged) / len(self.trials)

    @property
    def tuning(self) -> Tuning:
        """The record for a run."""
        tried = sorted((*self.trials, *self.finer), key=lambda trial: trial.rate)
        converged = tuple(trial.rate for trial in tried if trial.converged)
        return Tuning(self.rate, tuple(trial.rate for trial in tried), converged, self.target, self.budget)


def _best(trials: Sequence[RateTrial]) -> RateTrial:
    return min(trials, key=lambda trial: (trial.cost, trial.value))


def tune_rate(
    score: Score,
    grid: Sequence[float] = GRID,
    *,
    finer: int = 0,
    default: float | None = None,
    target: str = "the target of the score",
    budget: int = 0,
) -> RateSearch:
    """Score every rate of a grid, and the default rate of the method.

    Parameters
    ----------
    score : callable
        score(rate) -> (cost, value): the cost until a target was reached, infinite if it was not, and the lowest value.
        It must use other starts or seeds than those reported, and the same budget for every rate. NaN counts as
        infinite.
    grid : sequence of float, default 1e-5 … 100 in half decades
        Positive, no two the same.
    finer : int, at least 0, default 0
        The number of further rates to try between the best of the grid and each of its neighbours.
    default : float, optional
        The default rate of the method.
    target : str
        The target of the score, as text.
    budget : int
        The budget of the score, in gradients.

    Returns
    -------
    RateSearch
        With ``rate``, ``share``, ``default``, and all ``trials``.

    Examples
    --------
    >>> found = tune_rate(lambda rate: (1 / rate if rate < 2 else math.inf, 0.0), (0.1, 1.0, 10.0), default=0.01)
    >>> found.rate, found.converged, found.default.cost
    (1.0, (0.1, 1.0), 100.0)
    """
    rates = sorted(float(rate) for rate in grid)
    if not rates or not rates[0] > 0 or not math.isfinite(rates[-1]) or len(set(rates)) < len(rates):
        raise ValueError(f"grid must hold positive rates, no two the same; got {tuple(grid)}")

    def trial(rate: float) -> RateTrial:
        cost, value = (math.inf if math.isnan(figure) else float(figure) for figure in score(rate))
        return RateTrial(rate, cost, value)

    check_integer("finer", finer, 0)
    trials = tuple(map(trial, rates))
    best = trials.index(_best(trials))
    around = rates[max(best - 1, 0) : best + 2]
    between = [float(f"{rate:.3g}") for pair in pairwise(around) for rate in np.geomspace(*pair, finer + 2)[1:-1]]
    own = None if default is None else trial(default)
    return RateSearch(trials, tuple(map(trial, between)), own, target, budget)


def needs_rate(method: str) -> bool:
    """Whether the method is a first-order rule with a learning rate."""
    cls = METHODS.get(method)
    return cls is not None and issubclass(cls, GradientTransform)


def held_out_start(problem: Problem, near: ArrayLike | None = None, which: int = 0) -> NDArray[np.float64]:
    """A random start for tuning, near another start, at 10 % of its size; it is never reported.

    Parameters
    ----------
    problem : Problem
    near : array_like, shape (n,), optional
        Default: the problem's standard start.
    which : int, default 0
        0, 1, 2, … give different ones.
    """
    x0 = problem.starts["standard"] if near is None else np.asarray(near, dtype=np.float64)
    rng = np.random.default_rng(_TUNING_SEED + which)
    x = x0 + _SPREAD * max(1.0, float(np.abs(x0).max())) * rng.standard_normal(problem.n)
    return x if problem.bounds is None else np.clip(x, *problem.bounds.T)


def search(
    problem: Problem,
    method: str,
    *,
    budget: int,
    grid: Sequence[float] = GRID,
    finer: int = 0,
    near: ArrayLike | None = None,
    starts: int = 1,
    settled: bool = False,
    **options: Any,
) -> RateSearch:
    """Try every rate of the grid on one problem, from the same held-out starts and with the same budget.

    A rate converges if ‖g‖∞ falls to a millionth of its first value from every start, at a known minimum if the problem
    has one. Its cost is the mean number of gradients until then, its value the mean of the lowest f.

    `newtonkit.minimize` returns the lowest f, but with a rate that is far too large a low f may occur by chance; if the
    path matters, use ``settled``.

    Parameters
    ----------
    problem : Problem
    method : str
        Name of a first-order rule.
    budget : int, positive
        Gradients for each rate from each start.
    grid : sequence of float, default 1e-5 … 100 in half decades
    finer : int, at least 0, default 0
        As in `tune_rate`.
    near : array_like, shape (n,), optional
        The center of the held-out starts, see `held_out_start`.
    starts : int, at least 1, default 1
        The number of held-out starts.
    settled : bool, default False
        Whether the value is the median f of the second half of the run, instead of the lowest f.
    **options
        Fixed options of the rule.

    Raises
    ------
    ValueError
        If the method has no learning rate.
    """
    method = canonical_name(method)
    if not needs_rate(method):
        rules = ", ".join(name for name in METHODS if needs_rate(name))
        raise ValueError(f"method must be one with a learning rate ({rules}), got {method!r}")
    check_integer("budget", budget, 1)
    check_integer("starts", starts, 1)
    points = [held_out_start(problem, near, k) for k in range(starts)]
    gradients = [float(np.abs(newtonkit.grad(problem.fun)(x0)).max()) for x0 in points]

    def run(rate: float, x0: NDArray[np.float64], gtol: float) -> tuple[float, float]:
        """Gradients until convergence, or infinity; then f."""
        result = newtonkit.minimize(
            problem.fun,
            x0,
            method=method,
            bounds=problem.bounds,
            options=options | {"rate": rate, "maxgev": budget, "gtol": gtol, "verdict": False, "history": settled},
        )
        point = problem.reached(result.x, result.fun) if result.success else None
        there = result.success and (not problem.minima or (point is not None and "minimum" in point.kind))
        value = np.median(result.history.f[len(result.history) // 2 :]) if settled else result.fun
        return (result.njev if there else math.inf), float(value)

    def score(rate: float) -> tuple[float, float]:
        ends = [run(rate, x0, _ACCURACY * g) for x0, g in zip(points, gradients, strict=True)]
        cost, value = np.mean(ends, axis=0)
        return float(cost), float(value)

    default: Any = METHODS[method]().rate  # type: ignore[union-attr]
    words = f"‖g‖∞ ≤ {number(_ACCURACY)}·‖g₀‖∞" + (" at a known minimum" if problem.minima else "")
    return tune_rate(score, grid, finer=finer, default=default, target=words, budget=budget)


def tune(problem: Problem, method: str, *, budget: int, grid: tuple[float, ...] = GRID, **options: Any) -> Tuning:
    """The record of a `search` from one held-out start, as comparisons use it."""
    return search(problem, method, budget=budget, grid=grid, **options).tuning
