"""The observed rate of convergence of a run, and the rates of the theory."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from comparisons.core.labels import number
from comparisons.core.runs import Run
from comparisons.scores.convergence_order import ROUNDING, errors_of, observed_order
from newtonkit.linalg.kernels import EPS
from problems import Problem

_LAST = 5  # steps from which a factor is estimated, as many as for an order
_STEADY = 0.02  # relative spread of the last factors up to which the convergence counts as linear


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate of the last steps: e₊ ≈ C·eᵠ."""

    order: float
    """q: 1 for linear, 2 for quadratic convergence; NaN if too few errors are above rounding."""
    factor: float
    """The geometric mean of e₊/e over the last steps; the limit of the ratios where the convergence is linear."""
    steady: bool
    """Whether these ratios agree with each other to 2 %."""

    @property
    def sentence(self) -> str:
        """The rate as text."""
        if math.isnan(self.factor):
            return "too few steps"
        if self.steady:
            return f"linear: every step multiplies the error by {number(self.factor, 3)}"
        if math.isnan(self.order):
            return f"the last steps multiply the error by {number(self.factor, 2)} each"
        return f"order {self.order:.2f}"


def rate(errors: Iterable[float]) -> Rate:
    """Order and factor of a sequence of errors that goes to zero.

    Parameters
    ----------
    errors : iterable of float
        One for each iterate: ‖x − x*‖, f − f*, or another quantity with the limit zero.

    Examples
    --------
    >>> rate([0.5**k for k in range(20)]).sentence
    'linear: every step multiplies the error by 0.5'
    """
    given = list(errors)
    ratios = _ratios(given)
    if not ratios.size:
        return Rate(math.nan, math.nan, False)
    order = observed_order(given)
    return Rate(
        order,
        float(np.exp(np.log(ratios).mean())),
        ratios.size == _LAST and float(ratios.max() / ratios.min()) <= 1.0 + _STEADY,
    )


def _ratios(errors: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The last ratios of consecutive errors, without rejected steps and zeros."""
    usable = [e for k, e in enumerate(errors) if math.isfinite(e) and e > 0 and (k == 0 or e != errors[k - 1])]
    last = np.array(usable[-_LAST - 1 :], dtype=np.float64)
    return last[1:] / last[:-1]


def value_rate(run: Run, problem: Problem) -> Rate:
    """The rate at which f − f* goes to zero, f* the value of the known minimum at which the run ended.

    If the errors of x are multiplied by c, those of f are multiplied by cᵈ, d the degree of the first term of f at the
    minimum: usually 2, but 4 for Powell's singular function.
    """
    point = problem.reached(run.x, run.f) if run.at_minimum else None
    if point is None:
        return Rate(math.nan, math.nan, False)
    # the terms of f have the size of f at the start, and so has the rounding of their sum near the minimum
    floor = 10 * EPS * max(abs(point.f), abs(run.f_start))
    return rate([row.f - point.f for row in run.trace if row.f - point.f > floor])


def point_rate(run: Run, problem: Problem) -> Rate:
    """The rate at which ‖x − x*‖ goes to zero; only for problems of two variables, whose points are recorded."""
    return rate([error for error in errors_of(run, problem) if error > ROUNDING])


def newton_factor(degree: int) -> float:
    """The factor of the error in a pure Newton step if f grows like the ``degree``-th power of the distance.

    For f homogeneous of degree d, ∇²f(x)·x = (d − 1)·∇f(x) by Euler's theorem, so the step is −x/(d − 1) and x is
    multiplied by (d − 2)/(d − 1): 0 for a quadratic, 2/3 for a quartic (Griewank & Osborne 1983,
    SIAM J. Numer. Anal. 20, 747-773); f − f* is multiplied by the d-th power of that, 16/81 for a quartic.

    Examples
    --------
    >>> newton_factor(2), newton_factor(4) ** 4 == (2 / 3) ** 4
    (0.0, True)
    """
    if degree < 2:
        raise ValueError(f"degree must be an integer >= 2, got {degree}")
    return (degree - 2) / (degree - 1)


def gradient_factor(condition: float) -> float:
    """The factor of the error of gradient descent at its best fixed rate on a quadratic: (κ − 1)/(κ + 1).

    Nocedal & Wright (2006), theorem 3.3, has the same for an exact line search.
    """
    if not condition >= 1:
        raise ValueError(f"condition must be a number >= 1, got {condition}")
    return (condition - 1.0) / (condition + 1.0)
