"""Loss curves of networks, by first-order rules and by methods with curvature: the loss against work and time.

The unit of work is the gradient-equivalent, one gradient of the loss over all data with its value. A gradient on a
batch counts as its share of the rows, a Hessian-vector product as 4/3 (f : g : Hv = 1 : 2 : 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from newtonkit import Result
from newtonkit.derivatives.pytree import flatten
from newtonkit.methods.first_order import GradientTransform
from problems.networks import Network

Vector = NDArray[np.float64]
Data = tuple[Vector, NDArray[Any]]

GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-4.0, 0.01, 0.5))
_NEVER = 10**9  # updates between evaluations over all data
_REPEATS = 3


@dataclass(frozen=True)
class Task:
    """A network, its data, the loss of a batch, the initialization, and held-out data."""

    network: Network
    data: Data
    entropy: Callable[[Any, Any], Any]
    weights: str = "he"
    held_out: Data | None = None

    def loss(self, params: Any, batch: Any) -> Any:
        """The mean loss over the rows of a batch."""
        x, labels = batch
        return self.entropy(self.network.scores(params, x), labels)

    def start(self, seed: int) -> Any:
        """The parameters of a seed."""
        return self.network.start(seed, weights=self.weights)


@dataclass(frozen=True)
class LossCurve:
    """One run: the loss over all data against work and time."""

    spent: Vector
    """Gradient-equivalents."""
    seconds: Vector
    loss: Vector
    held_out: Vector
    """The loss over the held-out data; NaN without any."""
    params: Any
    """At the end."""

    def until(self, target: float) -> tuple[float, float]:
        """Gradient-equivalents and seconds until the loss is first no larger; infinite if it never is."""
        there = np.flatnonzero(self.loss <= target)
        return (float(self.spent[there[0]]), float(self.seconds[there[0]])) if there.size else (math.inf, math.inf)


def minimized(task: Task, method: str, seed: int, budget: int, target: float = -math.inf) -> LossCurve:
    """A run of a method on all data, until the budget is spent or rounding stops it."""
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

    history = run().history
    seconds = _least(history.seconds, lambda: run().history.seconds)
    spent = (history.nfev + 2 * history.njev + 4 * history.nhvp) / 3
    kept = (spent <= budget) & history.accepted
    unflatten = flatten(start)[1]
    points = [unflatten(x) for x in history.x[kept]]
    tested = [math.nan if task.held_out is None else float(task.loss(params, task.held_out)) for params in points]
    return LossCurve(spent[kept], seconds[kept], history.f[kept], np.array(tested), points[-1])


def trained(
    task: Task,
    rule: GradientTransform,
    batch: int | None,
    seed: int,
    budget: int,
    target: float = -math.inf,
    *,
    timed: bool = True,
) -> LossCurve:
    """A run of a first-order rule on batches of one size, None for all data; the loss is evaluated once an epoch.

    The seconds are those of a run without these evaluations; without ``timed``, of the run with them.
    """

    def training(**settings: Any) -> Result:
        return newtonkit.train(
            task.loss,
            task.start(seed),
            task.data,
            rule,
            batch_size=batch,
            epochs=budget,
            target=target,
            seed=seed,
            **settings,
        )

    result = training(validation=task.held_out)
    history, seconds = result.history, result.history.seconds
    if timed and batch is None and task.held_out is None:
        seconds = _least(seconds, lambda: training().history.seconds)
    elif timed and result.nit:
        # all updates without evaluations between them
        def without_looks() -> Vector:
            again = training(check_every=_NEVER, callback=lambda update: update.number >= result.nit)
            return np.asarray(history.full_update * again.elapsed / result.nit)

        seconds = _least(without_looks(), without_looks)
    return LossCurve(history.full_epochs, seconds, history.full_loss, history.validation_loss, result.last)


def _least(seconds: Vector, again: Callable[[], Vector]) -> Vector:
    """The fastest of three identical runs: interference from other processes is not part of a method's cost."""
    return np.asarray(np.min([seconds, *(again() for _ in range(_REPEATS - 1))], axis=0))
