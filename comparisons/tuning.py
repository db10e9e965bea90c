"""A fair learning rate for a first-order method: the best of a logarithmic grid, on a start that is not reported."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from comparisons.records import Tuning
from newtonkit.methods import METHODS, Rule
from problems import Problem

GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-5.0, 2.01, 0.5))
_SIFTING = 100  # gradients every rate gets; the best few then go on to the whole budget
_FINALISTS = 4
_ACCURACY = 1e-6  # of ‖g‖∞, relative to its first value, that a rate is asked to reach
_SEED = 20
_SPREAD = 0.1


def needs_rate(method: str) -> bool:
    """Whether the method is a first-order rule, with a learning rate to tune."""
    cls = METHODS.get(method)
    return cls is not None and issubclass(cls, Rule)


def held_out_start(problem: Problem) -> NDArray[np.float64]:
    """A start for tuning near the standard one: 10 % of its size away, seeded, never reported on."""
    x0 = problem.starts["standard"]
    rng = np.random.default_rng(_SEED)
    return x0 + _SPREAD * max(1.0, float(np.abs(x0).max())) * rng.standard_normal(problem.n)


def tune(problem: Problem, method: str, *, budget: int, grid: tuple[float, ...] = GRID, **options: Any) -> Tuning:
    """The rate of the grid that converges at least cost, or gets lowest where none does.

    Every rate runs from `held_out_start` for 100 gradients; the four best then run for the whole budget. A rate
    converges if it takes ‖g‖∞ to a millionth of its first value, at a known minimum where the problem has one.

    Parameters
    ----------
    problem : Problem
    method : str
        Name of a first-order rule.
    budget : int, positive
        Gradients for each finalist.
    grid : tuple of float, default 1e-5 … 100 in half decades
    **options
        Of the rule, held fixed.
    """
    x0 = held_out_start(problem)
    gtol = _ACCURACY * float(np.abs(newtonkit.grad(problem.fun)(x0)).max())

    def score(rate: float, gradients: int) -> tuple[float, float]:
        """Gradients until convergence, or infinity; then the lowest f."""
        result = newtonkit.minimize(
            problem.fun,
            x0,
            method=method,
            options=options | {"rate": rate, "maxgev": gradients, "gtol": gtol, "verdict": False, "history": False},
        )
        lowest = result.fun if math.isfinite(result.fun) else math.inf
        point = problem.reached(result.x, result.fun) if result.success else None
        there = result.success and (not problem.minima or (point is not None and "minimum" in point.kind))
        return (result.njev if there else math.inf), lowest

    sifted = sorted(grid, key=lambda rate: score(rate, min(_SIFTING, budget)))
    finals = {rate: score(rate, budget) for rate in sifted[:_FINALISTS]}
    chosen = min(finals, key=lambda rate: finals[rate])
    converged = tuple(sorted(rate for rate, (cost, _) in finals.items() if cost < math.inf))
    words = f"‖g‖∞ ≤ {_ACCURACY:g}·‖g₀‖∞" + (" at a known minimum" if problem.minima else "")
    return Tuning(chosen, grid, converged, words, budget)
