"""Start values of a curve: a coarse search over the nonlinear parameters, with the linear ones minimized out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.core.domain import Unbounded
from newtonkit.derivatives.losses import Loss
from newtonkit.fitting.curve_residuals import ParameterMap, curve_residuals
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.problem import FitProblem
from newtonkit.fitting.variable_projection import ProjectedProblem, linear_parameters
from newtonkit.linalg.kernels import Vector

_POINTS = 2000  # evaluations of the cost at most: about a second for some hundred data
_RATES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # times 1/(range of x): from almost straight to gone within the first data
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles of x, for centres and thresholds
_SIZES = (-1.0, 0.1, 1.0, 10.0)  # numbers without units, such as exponents


def candidate_starts(
    f: Callable[..., Any], xdata: Vector, ydata: Vector, count: int, *, keep: int = 12
) -> list[Vector]:
    """The points of a coarse grid with the lowest sums of squares, lowest first.

    Values of a nonlinear parameter are rates and lengths in units of the range of x, places within it, and numbers
    around 1. Where the grid has more than 2000 points, a sample with a fixed seed replaces it.

    Parameters
    ----------
    f : callable
        f(x, \\*parameters), written with autograd.numpy.
    xdata : ndarray, shape (m,) or (k, m)
    ydata : ndarray, shape (m,)
    count : int
        The number of parameters.
    keep : int, default 12
        How many points to return at most. Two of them differ in more than half of their nonlinear parameters, so that
        they do not all lie in one valley.

    Returns
    -------
    list of ndarray, shape (count,)
        Empty where no residual is finite.
    """
    names = tuple(f"p{i}" for i in range(count))
    residuals = curve_residuals(f, ParameterMap(names, names, {}, {}), share=False)
    functions = FitFunctions(residuals, None, None, Unbounded(), args=(xdata, ydata))
    # a generic point: at 1 a model may be simpler than elsewhere
    generic = 1.0 + 0.1 * np.cos(np.arange(1.0, count + 1.0))
    with np.errstate(all="ignore"):
        linear = linear_parameters(functions, generic, ydata.size)
        problem: Any = FitProblem(functions, Loss())
        if linear.any():
            problem = ProjectedProblem(functions, generic, linear)
        if linear.all():
            return [problem.evaluate(np.empty(0)).parameters]
        size = 0 if linear.any() else float(np.abs(ydata).max())
        costs = []
        for point in _grid(_values(xdata, size), count - int(linear.sum())):
            at = problem.evaluate(point)
            if np.isfinite(at.cost) and np.isfinite(at.parameters).all():
                costs.append((at.cost, at.parameters))
    costs.sort(key=lambda pair: pair[0])
    kept: list[Vector] = []
    for _, parameters in costs:
        if all(np.mean(parameters[~linear] == other[~linear]) < 0.5 for other in kept):
            kept.append(parameters.copy())
        if len(kept) == keep:
            break
    return kept


def _values(xdata: Vector, size: float) -> Vector:
    low, high = float(xdata.min()), float(xdata.max())
    span = (high - low) or abs(high) or 1.0
    rates = [sign * rate / span for rate in _RATES for sign in (1.0, -1.0)]
    lengths = [span * rate for rate in (0.03, 0.1, 0.3)]
    places = [low + share * span for share in _PLACES]
    sizes = [size * share for share in (0.3, 1.0, -1.0)] if size else []
    return np.unique([*rates, *lengths, *places, *sizes, *_SIZES])


def _grid(values: Vector, count: int) -> Any:
    if values.size**count <= _POINTS:
        return map(np.array, itertools.product(values, repeat=count))
    return np.random.default_rng(0).choice(values, size=(_POINTS, count))
