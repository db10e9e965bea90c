"""The 35 problems of Moré, Garbow and Hillstrom (1981): the collection as a list, and its starts.

The functions are sums of squares, f = Σ fᵢ². They are defined in `mgh_few` (few variables), `mgh_fits` (fits to
measurements), `mgh_scalable` (any number of variables) and `mgh_equations` (systems of equations, most of them
discretisations). `mgh_points` holds their critical points. Rosenbrock's, Powell's singular and Wood's function are in
`classical`, Beale's is in `plane`.

The paper starts from x₀, 10 x₀ and 100 x₀. If x₀ = 0, it starts from (10, …, 10) and (100, …, 100) instead, as
Algorithm 566 does. A multiple at which f or ∇f overflows, or ∇f is zero, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import autograd.numpy as anp
import numpy as np
import numpy.typing as npt

from problems.base import Vector

# In the order of the paper. The dimensions are those in the test data of Algorithm 566, or (penalty-1) those for which
# the paper states a minimum. The test data have the extended Rosenbrock function only with n = 2 and the extended
# Powell function only with n = 4, which are problems 1 and 13. For these two we chose larger dimensions.
_DIMENSIONS: tuple[tuple[str, tuple[dict[str, int], ...]], ...] = (
    ("rosenbrock", ({},)),
    ("freudenstein-roth", ({},)),
    ("powell-badly-scaled", ({},)),
    ("brown-badly-scaled", ({},)),
    ("beale", ({},)),
    ("jennrich-sampson", ({},)),
    ("helical-valley", ({},)),
    ("bard", ({},)),
    ("gaussian", ({},)),
    ("meyer", ({},)),
    ("gulf", ({},)),
    ("box-3d", ({},)),
    ("powell-singular", ({},)),
    ("wood", ({},)),
    ("kowalik-osborne", ({},)),
    ("brown-dennis", ({},)),
    ("osborne-1", ({},)),
    ("biggs-exp6", ({},)),
    ("osborne-2", ({},)),
    ("watson", ({"n": 6}, {"n": 9}, {"n": 12})),
    ("extended-rosenbrock", ({"n": 10},)),
    ("extended-powell-singular", ({"n": 12},)),
    ("penalty-1", ({"n": 4}, {"n": 10})),
    ("penalty-2", ({"n": 4}, {"n": 10})),
    ("variably-dimensioned", ({"n": 10},)),
    ("trigonometric", ({"n": 10},)),
    ("brown-almost-linear", ({"n": 10}, {"n": 30}, {"n": 40})),
    ("discrete-boundary-value", ({"n": 10},)),
    ("discrete-integral", ({"n": 10},)),
    ("broyden-tridiagonal", ({"n": 10},)),
    ("broyden-banded", ({"n": 10},)),
    ("linear-full-rank", ({"n": 5, "m": 10}, {"n": 5, "m": 50})),
    ("linear-rank-1", ({"n": 5, "m": 10}, {"n": 5, "m": 50})),
    ("linear-rank-1-zeros", ({"n": 5, "m": 10}, {"n": 5, "m": 50})),
    ("chebyquad", ({"n": 7}, {"n": 8}, {"n": 9}, {"n": 10})),
)

MGH: tuple[tuple[str, Mapping[str, int]], ...] = tuple(
    (name, MappingProxyType(parameters)) for name, choices in _DIMENSIONS for parameters in choices
)
"""(name, parameters) of the 35 problems in the order of the paper, some at several dimensions."""


def multiples(x0: npt.ArrayLike, factors: tuple[int, ...] = (10, 100)) -> dict[str, Vector]:
    """The starts "standard", "x10" and "x100", or only those with the given factors."""
    standard = np.array(x0, dtype=np.float64)
    unit = standard if standard.any() else np.ones_like(standard)
    return {"standard": standard, **{f"x{factor}": factor * unit for factor in factors}}


def sum_of_squares(residuals: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """f(x) = Σ rᵢ(x)², summed over the first axis of r: x may be a grid of points where r accepts it."""

    def fun(x: Any) -> Any:
        return anp.sum(residuals(x) ** 2, axis=0)

    return fun
