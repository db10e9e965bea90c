"""Parameters that run to infinity: the cost tends to its infimum as they grow, and has no minimum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.core.state import BudgetSpent
from newtonkit.fitting.problem import FitPoint, FitProblem
from newtonkit.linalg.kernels import Vector

_GROWTH = 10.0  # |x/x0| from which a parameter is suspected; the factor of the test too. Our choice
_EQUAL = 1e-9  # relative: the cost at the farther point counts as not higher; far above rounding
_SINGLY = 20  # parameters up to which each is tested by itself


def runaway_sentence(problem: FitProblem, at: FitPoint, start: Vector, domain: Domain, names: Sequence[str]) -> str:
    """The parameters that run to infinity, as text; empty if there are none.

    A parameter is suspected if it has become ten times as large as at the start. It is confirmed if the cost is not
    higher where it is ten times larger still: for each suspected parameter, or for all of them together. Each test
    evaluates the residuals once.
    """
    suspected = np.flatnonzero(np.abs(at.x) >= _GROWTH * np.abs(start))
    suspected = suspected[at.x[suspected] != 0.0]
    if not suspected.size or not np.isfinite(at.cost):
        return ""

    def confirmed(moved: Vector) -> bool:
        x = at.x.copy()
        x[moved] *= _GROWTH
        if not domain.contains(x):
            return False
        cost = problem.evaluate(x).cost
        return bool(cost <= at.cost * (1.0 + _EQUAL))

    try:
        single = [i for i in suspected if confirmed(np.array([i]))] if suspected.size <= _SINGLY else []
        found = single or (list(suspected) if suspected.size > 1 and confirmed(suspected) else [])
    except BudgetSpent:
        return ""
    if not found:
        return ""
    ends = " and ".join(f"{names[i]} → {'∞' if at.x[i] > 0.0 else '−∞'}" for i in found)
    return f"the cost tends to its infimum, about {at.cost:.6g}, as {ends}"
