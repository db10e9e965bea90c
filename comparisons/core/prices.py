"""Price models: the cost of one evaluation of f, g, H and Hv."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from comparisons.core.trace import COST_OF_F, COST_OF_GRADIENT, COST_OF_PRODUCT


class Instance(NamedTuple):
    """One problem from one start."""

    problem: str
    start: str
    n: int
    """Variables."""


class Prices(NamedTuple):
    """The price of one evaluation of each kind, in any unit."""

    f: float
    g: float
    H: float
    Hv: float


PriceModel = Callable[[Instance], Prices]
"""The prices on an instance; they may depend on its size, or be measured on its problem."""


def unit_costs(instance: Instance) -> Prices:
    """Every evaluation costs 1, whatever its kind."""
    return Prices(1.0, 1.0, 1.0, 1.0)


def ad_costs(instance: Instance) -> Prices:
    """f 1, g 2, Hv 4, H 4n: upper bounds for automatic differentiation, see `comparisons.core.trace.cost`.

    Examples
    --------
    >>> ad_costs(Instance("rosenbrock(n=10)", "standard", 10))
    Prices(f=1, g=2, H=40, Hv=4)
    """
    return Prices(COST_OF_F, COST_OF_GRADIENT, H=COST_OF_PRODUCT * instance.n, Hv=COST_OF_PRODUCT)


def reweight(model: PriceModel, angle: float) -> PriceModel:
    """Reweight the prices: f and g by cos θ, Hv and H by sin θ.

    Parameters
    ----------
    model : PriceModel
        At θ = π/4 its own prices, all divided by √2.
    angle : float
        θ in radians, in (0, π/2): near 0 second derivatives are free, near π/2 only they cost anything.
    """
    if not 0 < angle < math.pi / 2:
        raise ValueError(f"angle must lie strictly between 0 and π/2, got {angle}")
    first, second = math.cos(angle), math.sin(angle)

    def prices(instance: Instance) -> Prices:
        base = model(instance)
        return Prices(first * base.f, first * base.g, second * base.H, second * base.Hv)

    return prices
