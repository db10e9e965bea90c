"""Error bars: how wrong a Hessian and its eigenvalues may be, by where the Hessian comes from.

By Weyl's inequality no eigenvalue of H is farther from that of H + E than ‖E‖₂. Three sources of E:

* exact derivatives: what rounding x and the operations changes, seen on three points a rounding error away;
* central differences of a gradient with step h = eps^⅓: |H_h − H_2h| estimates three times the truncation, and the
  noise of the gradient is divided by h;
* second differences of f with h = eps^¼: the same, and noise is divided by h². An eigenvalue below about
  √eps·|f|/scale² can then have either sign (N&W, 2006, p. 202).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.derivatives.autograd.tracing import as_number
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.equilibration import equilibrating
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm
from newtonkit.objectives.objective import Objective

EXACT, GRADIENTS, VALUES = "exact derivatives", "differences of the gradient", "differences of f"

_PROBES = 3
_ROUNDINGS = (-2.0, -1.0, 1.0, 2.0)  # multiples of eps by which a coordinate of a probe differs; 0 would show nothing
_SEED = 0
_NOISE = 4.0  # times eps·|f|: rounding of f in one second difference


class ErrorBars(NamedTuple):
    """Bounds on the error of a Hessian and a gradient, entry by entry."""

    source: str
    """Where the Hessian comes from: `EXACT`, `GRADIENTS`, `VALUES`."""
    H: Matrix
    g: Vector

    @property
    def eigenvalues(self) -> float:
        """Of any eigenvalue: ‖E‖₂ (Weyl)."""
        return float(np.linalg.norm(self.H, 2))


def by_differences(fun: Callable[..., Any], args: tuple[Any, ...], scale: float) -> Objective:
    """An objective whose derivatives are central differences of f; ``scale`` is the length that counts as large."""

    def value(x: Vector) -> float:
        return as_number(fun(x, *args))

    return Objective(
        fun,
        lambda x, *_: _gradient(value, x, math.cbrt(EPS) * scale),
        lambda x, *_: _hessian(value, x, EPS**0.25 * scale),
        args=args,
    )


def error_bars(
    evaluator: Evaluator | MeteredEvaluator, x: Vector, g: Vector, H: Matrix, scale: float, *, of_values: bool = False
) -> ErrorBars:
    """The error bars of g and H at x; ``scale`` is the length that counts as large in x.

    ``of_values``: they are differences of f by `by_differences`, with the same scale.
    """
    if of_values:
        return _bars_of_values(evaluator, x, g, H, scale)
    rng = np.random.default_rng(_SEED)
    # at least what the evaluator expects: the probes show nothing if a sum is rounded before it is used
    E, e = 10 * EPS * np.abs(H), 10 * EPS * np.abs(g)
    units = equilibrating(H)
    units = units / units.max()
    exact = evaluator.hessian_error < math.sqrt(EPS) / 10
    for _ in range(_PROBES):
        roundings = EPS * rng.choice(_ROUNDINGS, x.size)
        e = np.maximum(e, np.abs(evaluator.gradient(x + np.abs(x) * roundings) - g))
        if exact:
            # relative to the scale, in the unit of each variable: a small x added to a large number is rounded too
            y = x + np.maximum(np.abs(x), scale * units) * roundings
            E = np.maximum(E, 2.0 * np.abs(evaluator.hessian(y) - H))
    if exact:
        return ErrorBars(EXACT, np.maximum(E, E.T), e)
    h = 2.0 * math.cbrt(EPS) * (norm(x) or 1.0)
    # columns of a coarser difference quotient
    coarse = np.array([evaluator.gradient(x + h * v) - evaluator.gradient(x - h * v) for v in np.eye(x.size)]) / (2 * h)
    e += EPS * (np.abs(H) @ np.abs(x) + np.abs(g))
    E = E + np.abs(0.5 * (coarse + coarse.T) - H) + 2.0 * e / h
    return ErrorBars(GRADIENTS, np.maximum(E, E.T), e)


def _bars_of_values(
    evaluator: Evaluator | MeteredEvaluator, x: Vector, g: Vector, H: Matrix, scale: float
) -> ErrorBars:
    value = evaluator.value
    noise = (
        _NOISE * EPS * (abs(value(x)) + float(np.abs(g) @ np.abs(x)) + 0.5 * float(np.abs(x) @ np.abs(H) @ np.abs(x)))
    )
    h, h2 = math.cbrt(EPS) * scale, EPS**0.25 * scale
    e = np.abs(_gradient(value, x, 2.0 * h) - g) + noise / h
    E = np.abs(_hessian(value, x, 2.0 * h2) - H) + noise / h2**2
    return ErrorBars(VALUES, E, e)


def _gradient(value: Callable[[Vector], float], x: Vector, h: float) -> Vector:
    return np.array([value(x + h * v) - value(x - h * v) for v in np.eye(x.size)]) / (2 * h)


def _hessian(value: Callable[[Vector], float], x: Vector, h: float) -> Matrix:
    """Second differences over squares of side 2h; on the diagonal they are the usual ones with step 2h."""
    n = x.size
    H, axes = np.empty((n, n)), h * np.eye(n)
    for i in range(n):
        for j in range(i + 1):
            p, q = axes[i], axes[j]
            square = value(x + p + q) - value(x + p - q) - value(x - p + q) + value(x - p - q)
            H[i, j] = H[j, i] = square / (4 * h**2)
    return H
