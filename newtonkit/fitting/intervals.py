"""Confidence intervals of fitted parameters: by the linearized model, and by the profile of the cost.

References
----------
Bates & Watts (1988), *Nonlinear Regression Analysis and Its Applications*, section 6.1: profile t and its roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from newtonkit.core.counts import Counts
from newtonkit.core.domain import Box, Domain, Unbounded
from newtonkit.derivatives.losses import Loss
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.iteration import Iteration
from newtonkit.fitting.problem import FitProblem
from newtonkit.linalg.kernels import Matrix, Vector

_EXPANSIONS = 30  # doublings of the distance in search of the end of an interval
_ACCURACY = 1e-4  # relative, of the half-width
_WARM_RADIUS = 0.1  # first radius of a refit, in units of ‖Dx‖: its start is close


def quantile(level: float, degrees: float) -> float:
    """The two-sided quantile of Student's t; of the normal distribution for infinitely many degrees of freedom."""
    upper = 0.5 * (1.0 + level)
    return float(ndtri(upper) if math.isinf(degrees) else stdtrit(degrees, upper))


class _OneFixed:
    """The residuals as functions of all parameters but one."""

    def __init__(self, functions: FitFunctions, i: int, n: int) -> None:
        self.functions, self.i, self.value = functions, i, 0.0
        self.others = np.arange(n) != i

    @property
    def counts(self) -> Counts:
        return self.functions.counts

    @property
    def has_curvature(self) -> bool:
        return self.functions.has_curvature

    def _whole(self, z: Vector) -> Vector:
        return np.insert(z, self.i, self.value)

    def residuals(self, z: Vector) -> Vector:
        return self.functions.residuals(self._whole(z))

    def jacobian(self, z: Vector, columns: Any = None) -> Matrix:
        return np.asarray(self.functions.jacobian(self._whole(z), self.others))

    def curvature(self, z: Vector, w: Vector) -> Matrix:
        return self.functions.curvature(self._whole(z), w)[np.ix_(self.others, self.others)]


def profile_interval(
    functions: FitFunctions,
    loss: Loss,
    domain: Domain,
    x: Vector,
    i: int,
    *,
    cost: float,
    variance: float,
    error: float,
    threshold: float,
) -> tuple[float, float]:
    """Both ends of {t : min over the others of 2(cost(t) − cost)/s² ≤ threshold²}, by warm refits.

    An end is infinite where the profile stays below the threshold, the bound where it is reached first, and NaN where a
    refit does not converge.
    """
    n = x.size
    others = np.arange(n) != i
    reduced: Any = _OneFixed(functions, i, n)
    rest: Domain = Unbounded()
    if domain.is_bounded:
        rest = Box(np.asarray(domain.lower)[others], np.asarray(domain.upper)[others])
    lower, upper = (float(np.broadcast_to(side, (n,))[i]) for side in (domain.lower, domain.upper))
    ends = []
    for sign, bound in ((-1.0, lower), (1.0, upper)):
        warm = x[others].copy()

        def excess(t: float, sign: float = sign) -> float:
            nonlocal warm
            if t == x[i]:
                return -threshold
            reduced.value = t
            problem = FitProblem(reduced, loss)
            fitted = Iteration(problem, warm, domain=rest, first_radius=_WARM_RADIUS).run()
            if not fitted.success:
                return math.nan
            warm = fitted.at.x
            return math.sqrt(max(0.0, 2.0 * (fitted.at.cost - cost) / variance)) - threshold

        ends.append(_end(excess, float(x[i]), sign, threshold * error, bound))
    return ends[0], ends[1]


def _end(excess: Callable[[float], float], centre: float, sign: float, width: float, bound: float) -> float:
    """The root of the excess on one side of the centre."""
    if not (math.isfinite(width) and width > 0.0):
        return math.nan
    inside, t = centre, centre + sign * width
    for _ in range(_EXPANSIONS):
        if sign * (t - bound) >= 0.0:
            t = bound
        value = excess(t)
        if math.isnan(value):
            return math.nan
        if value >= 0.0:
            # each value is a warm refit from the last: rounding of a refit is far below the accuracy asked for
            return float(brentq(excess, inside, t, xtol=_ACCURACY * width, rtol=8.9e-16))
        if t == bound:
            return bound
        inside, t = t, centre + 2.0 * (t - centre)
    return sign * math.inf
