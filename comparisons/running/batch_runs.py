"""Runs of first-order rules on mini-batches, recorded like all others: a row for each pass over the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import newtonkit
from comparisons.core.runs import Tuning
from comparisons.running.protocol import Protocol
from comparisons.running.recorder import Recorder
from comparisons.running.tuning import GRID, held_out_start, tune_rate
from newtonkit import Counts
from newtonkit.linalg.kernels import Vector, all_finite
from newtonkit.methods.registry import make_method
from newtonkit.training.update import Update
from problems import Problem

BATCH_TOLERANCE = 1e-2
"""τ at which methods are compared where mini-batches are the usual choice: f − f* ≤ τ·(f₀ − f*)."""
_SHARE = 10  # a pass for every ten gradients of the budget: with a constant rate later passes gain nothing
_TUNING_SEED = 20  # of the order of the samples; differs from every reported seed


def passes(protocol: Protocol) -> int:
    """The passes over the data of a run."""
    return max(1, protocol.gradients // _SHARE)


def run_batches(
    problem: Problem,
    x0: Vector,
    name: str,
    batch: int,
    options: Mapping[str, Any],
    protocol: Protocol,
    recorder: Recorder,
) -> dict[str, Any]:
    """Run a first-order rule on mini-batches; f of all samples is recorded after each pass.

    A pass costs one f and one gradient, as much as the values and gradients of its batches. The value of f that is
    recorded after it is not part of the cost.

    Parameters
    ----------
    problem : Problem
        With ``samples``.
    x0 : ndarray, shape (n,)
    name : str
        Of the rule.
    batch : int
        Samples of a batch.
    options : mapping
        Of the rule, with its rate.
    protocol : Protocol
    recorder : Recorder
    """
    ends: list[tuple[float, Vector]] = [(float(problem.fun(x0.copy())), x0)]

    def done(x: Vector) -> bool:
        f = float(problem.fun(x.copy()))
        recorder("g", x, math.nan, None, False)
        recorder("f", x, f, None, False)
        recorder.visit(x, f)
        ends.append((f, x))
        return not math.isfinite(f)

    with np.errstate(all="ignore"):
        recorder.visit(x0, ends[0][0])
        _train(problem, x0, name, batch, options, passes(protocol), protocol.seed, done)
        finite = [end for end in ends if math.isfinite(end[0])]
        f, x = min(finite, key=lambda end: end[0])
    made = len(ends) - 1
    return {
        "x": x,
        "f": f,
        "success": False,
        "reason": "NON_FINITE" if len(finite) < len(ends) else "EVALUATIONS",
        "message": f"{made} passes over the data in batches of {batch}, at a constant rate; no test of convergence",
        "counts": Counts(f=made, g=made),
        "checks": Counts(),
        "reported": {},
        "nit": made,
    }


def tune_batches(problem: Problem, name: str, batch: int, options: Mapping[str, Any], protocol: Protocol) -> Tuning:
    """The learning rate that reaches `BATCH_TOLERANCE` in the fewest passes, from a start that is not reported."""
    assert problem.best is not None
    x0, budget = held_out_start(problem), max(1, protocol.tuning_gradients // _SHARE)
    f0 = float(problem.fun(x0.copy()))
    target = problem.best.f + BATCH_TOLERANCE * (f0 - problem.best.f)

    def score(rate: float) -> tuple[float, float]:
        values = [f0]

        def done(x: Vector) -> bool:
            values.append(float(problem.fun(x.copy())))
            return not values[-1] > target  # also where it is not a number

        with np.errstate(all="ignore"):
            _train(problem, x0, name, batch, {**options, "rate": rate}, budget, _TUNING_SEED, done)
        cost = len(values) - 1 if values[-1] <= target else math.inf
        return cost, float(np.nanmin(values))

    words = f"f − f* ≤ {BATCH_TOLERANCE:g}·(f₀ − f*)"
    return tune_rate(score, GRID, target=words, budget=budget).tuning


def _train(
    problem: Problem,
    x0: Vector,
    name: str,
    batch: int,
    options: Mapping[str, Any],
    epochs: int,
    seed: int,
    done: Any,
) -> None:
    """Train; done(x) is called after each pass, and ends the run by returning True or if x is not finite."""
    assert problem.samples is not None
    rows, last = problem.samples.count, -(-problem.samples.count // batch)

    def after(update: Update) -> bool:
        if update.batch_number < last:
            return False
        x = np.array(update.params)
        return not all_finite(x) or bool(done(x))

    newtonkit.train(
        problem.samples.loss,
        x0,
        problem.samples.data,
        make_method(name, **options).rule,  # type: ignore[attr-defined]  # a first-order rule
        batch_size=min(batch, rows),
        epochs=epochs,
        seed=seed,
        callback=after,
        check_every=epochs * last,
    )
