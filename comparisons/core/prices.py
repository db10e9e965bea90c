"""Price models: the cost of one evaluation of f, g, H and Hv."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import newtonkit
from comparisons.core.trace import COST_OF_F, COST_OF_GRADIENT, COST_OF_PRODUCT
from newtonkit.derivatives.sparsity.colouring import group_columns
from problems import Problem


class Instance(NamedTuple):
    """One problem from one start."""

    problem: str
    start: str
    n: int
    """Variables."""
    sparse_products: int = 0
    """Products that recover a sparse Hessian; 0 if it is dense, or no method evaluated it."""


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
    """f 1, g 2, Hv 4, H 4k: upper bounds for automatic differentiation, see `comparisons.core.trace.cost`.

    k is the number of products that recover the Hessian: n, or less if it is sparse.

    Examples
    --------
    >>> ad_costs(Instance("rosenbrock(n=10)", "standard", 10))
    Prices(f=1, g=2, H=40, Hv=4)
    >>> ad_costs(Instance("extended-rosenbrock(n=1000)", "standard", 1000, sparse_products=2))
    Prices(f=1, g=2, H=8, Hv=4)
    """
    products = instance.sparse_products or instance.n
    return Prices(COST_OF_F, COST_OF_GRADIENT, H=COST_OF_PRODUCT * products, Hv=COST_OF_PRODUCT)


def sparse_products(problem: Problem) -> int:
    """The number of Hessian-vector products that recover the Hessian if it is sparse.

    Columns without a common non-zero row share a product (Curtis, Powell & Reid, 1974). It depends on the problem
    only: a method that evaluates the Hessian in another way pays the same.

    Returns
    -------
    int
        0 if the Hessian is dense, or its pattern cannot be found.

    Examples
    --------
    >>> import problems
    >>> sparse_products(problems.get("extended-rosenbrock", n=1000)), sparse_products(problems.get("quadratic"))
    (2, 0)
    """
    try:
        groups = group_columns(newtonkit.hessian_pattern(problem.fun, problem.starts["standard"])).count
    except Exception:  # a function of the user that cannot be traced has no known pattern
        return 0
    return max(groups, 1) if groups < problem.n else 0


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
