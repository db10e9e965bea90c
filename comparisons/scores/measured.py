"""Prices of evaluations measured on this machine, for each problem."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparisons.core.prices import Instance, PriceModel, Prices, sparse_products
from newtonkit import Evaluator, Objective
from problems import Problem

REPEATS = 21
_APART = 1e-7  # relative distance of the points of the repeats, so that no value comes from a cache
_SEED = 7
_DENSE = 2000  # variables up to which a dense Hessian is timed (32 MB); above it n products are its price


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one evaluation of each kind, medians over the repeats."""

    problem: str
    n: int
    seconds: Prices
    repeats: int

    @property
    def prices(self) -> Prices:
        """In units of one f."""
        return Prices(*(value / self.seconds.f for value in self.seconds))


def measure(problem: Problem, repeats: int = REPEATS) -> Measured:
    """Time f, g, Hv and H of a problem.

    At each of several points close to the standard start they are evaluated in the order of a run: f, the gradient, a
    product, the Hessian; each may use what the previous one computed, as in a run. The first point, where the tape is
    recorded, is not timed. All calls go through the Evaluator, whose own time of about a microsecond is part of the
    price, as it is in a run.

    Parameters
    ----------
    problem : Problem
    repeats : int, at least 1, default 21
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    x0 = problem.starts["standard"]
    rng = np.random.default_rng(_SEED)
    evaluator = Evaluator(Objective(problem.fun))
    rows = []
    sparse = sparse_products(problem) > 0
    if sparse:
        evaluator.hessian_pattern(np.array(x0))  # found once in a run, so it is not timed
    with np.errstate(all="ignore"):
        for _ in range(repeats + 1):
            x = x0 + _APART * max(1.0, float(np.abs(x0).max())) * rng.standard_normal(problem.n)
            v = rng.standard_normal(problem.n)
            f, g = _timed(evaluator.value, x), _timed(evaluator.gradient, x)
            Hv = _timed(partial(_multiply, evaluator, v), x)
            if sparse or problem.n <= _DENSE:
                H = _timed(evaluator.sparse_hessian if sparse else evaluator.hessian, x)
            else:
                H = problem.n * Hv
            rows.append(Prices(f, g, H=H, Hv=Hv))
    medians = (statistics.median(column) for column in zip(*rows[1:], strict=True))
    return Measured(problem.label, problem.n, Prices(*medians), repeats)


def _multiply(evaluator: Evaluator, v: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    evaluator.hvp(x)(v)


def _timed(function: Callable[[Any], Any], x: Any) -> float:
    began = time.perf_counter()
    function(x)
    return max(time.perf_counter() - began, 1e-9)  # the resolution of the clock


def as_measured(measurements: Sequence[Measured]) -> PriceModel:
    """The prices measured on each problem, in units of one f of that problem.

    Parameters
    ----------
    measurements : sequence of Measured
        One for each problem of the comparison.
    """
    known: Mapping[str, Prices] = {entry.problem: entry.prices for entry in measurements}

    def prices(instance: Instance) -> Prices:
        if instance.problem not in known:
            raise ValueError(f"no prices were measured on {instance.problem}; there are some for {', '.join(known)}")
        return known[instance.problem]

    return prices
