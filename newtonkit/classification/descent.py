"""A lower point along a descent direction, from a saddle or a maximum."""

from __future__ import annotations

import numpy as np

from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, dot, max_norm

FIRST_STEP = 0.1  # of max(1, ‖x‖∞): large enough to leave the region where the gradient is rounding
_HALVINGS = 60  # down to 1e-19 of the first step
_DOUBLINGS = 10


def lower_point(evaluator: Evaluator, x: Vector, f: float, g: Vector, direction: Vector) -> tuple[Vector, float] | None:
    """Return a point lower than x along ±direction and its distance; None if f falls on neither side.

    The step is halved until f falls, then doubled while f falls further. The side where gᵀp ≤ 0 is tried first.

    Parameters
    ----------
    evaluator : Evaluator
        Values are counted in its current ledger.
    x, g, direction : ndarray, shape (n,)
        Point, gradient, unit vector.
    f : float
        f(x).

    Raises
    ------
    BudgetSpent
    """
    v = direction if dot(direction, g) <= 0.0 else -direction
    with np.errstate(all="ignore"):
        for p in (v, -v):
            found = _search(evaluator, x, f, p)
            if found is not None:
                return found
    return None


def _search(evaluator: Evaluator, x: Vector, f: float, p: Vector) -> tuple[Vector, float] | None:
    domain = evaluator.domain
    longest = domain.largest_step(x, p)
    t = min(FIRST_STEP * max(1.0, max_norm(x)), longest)
    if t == 0.0:
        return None
    best, lowest = x, f
    for _ in range(_HALVINGS):
        best = domain.move(x, t * p)
        lowest = evaluator.value(best)
        if lowest < f:
            break
        t *= 0.5
    else:
        return None
    for _ in range(_DOUBLINGS):
        if t == longest:
            break
        farther = domain.move(x, min(2.0 * t, longest) * p)
        f_farther = evaluator.value(farther)
        if not f_farther < lowest:
            break
        best, lowest, t = farther, f_farther, min(2.0 * t, longest)
    return best, t
