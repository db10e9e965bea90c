"""What an evaluation is worth: three models of the cost of f, g, H and Hv, and what lies between them."""

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
    """Of one evaluation each, in any unit."""

    f: float
    g: float
    H: float
    Hv: float


PriceModel = Callable[[Instance], Prices]
"""The prices on one instance: they may depend on its size, or have been measured on its problem."""


def unit_costs(instance: Instance) -> Prices:
    """Every evaluation is worth one, whatever it is."""
    return Prices(1.0, 1.0, 1.0, 1.0)


def ad_costs(instance: Instance) -> Prices:
    """f 1, g 2, Hv 4, H 4n: what automatic differentiation needs at most, see `comparisons.core.trace.cost`.

    Examples
    --------
    >>> ad_costs(Instance("rosenbrock(n=10)", "standard", 10))
    Prices(f=1, g=2, H=40, Hv=4)
    """
    return Prices(COST_OF_F, COST_OF_GRADIENT, H=COST_OF_PRODUCT * instance.n, Hv=COST_OF_PRODUCT)


def with_product(model: PriceModel, price: float) -> PriceModel:
    """The same prices but for that of a Hessian-vector product; a Hessian is worth n products."""

    def prices(instance: Instance) -> Prices:
        base = model(instance)
        return base._replace(Hv=price, H=price * instance.n)

    return prices


def reweight(model: PriceModel, angle: float) -> PriceModel:
    """The prices reweight from first towards second derivatives: f and g weighed by cos θ, Hv and H by sin θ.

    Parameters
    ----------
    model : PriceModel
        Half way, at θ = π/4, stand its own prices, all divided by √2.
    angle : float
        θ in radians, in (0, π/2): close to 0 curvature is free, close to π/2 nothing else costs anything.
    """
    if not 0 < angle < math.pi / 2:
        raise ValueError(f"angle must lie strictly between 0 and π/2, got {angle}")
    first, second = math.cos(angle), math.sin(angle)

    def prices(instance: Instance) -> Prices:
        base = model(instance)
        return Prices(first * base.f, first * base.g, second * base.H, second * base.Hv)

    return prices
