"""The break-even price of a Hessian-vector product: where two methods cost the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparisons.core.costs import Spending
from comparisons.core.labels import number
from comparisons.core.prices import Instance, PriceModel, ad_costs
from comparisons.core.trace import KINDS
from comparisons.scores.bootstrap import LEVEL, interval, resamples

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BreakEven:
    """The price of a product up to which the first method is the cheaper one."""

    method: str
    other: str
    rows: tuple[Instance, ...]
    """The instances that at least one of the two solves."""
    each: Vector
    """The price on each of these; inf if only the first method solves it, −inf if only the other does."""
    both: int
    """Those that both solve."""
    price: float
    """The largest price of one product, in the unit of the prices of f and g, at which the first method costs at most
    as much as the other on at least half of the instances; inf if at any price, −inf if not even at price zero."""
    interval: tuple[float, float]
    total: float
    """The same for the total cost over the instances that both solve."""
    total_interval: tuple[float, float]

    @property
    def instances(self) -> int:
        """The number of instances."""
        return len(self.rows)

    @property
    def sentence(self) -> str:
        """The result as a sentence."""
        if math.isnan(self.price):
            return f"Neither {self.method} nor {self.other} solves any of the instances."
        low, high = self.interval
        between = f"(95 % of the resamples: {number(low, 2)} to {number(high, 2)})"
        if self.price < 0:
            return (
                f"{self.method} is more expensive than {self.other} on most of the {self.instances} instances, "
                f"even if products cost nothing {between}."
            )
        if self.price == math.inf:
            return (
                f"{self.method} is cheaper than {self.other} on at least half of the {self.instances} instances at any "
                f"price of a product {between}."
            )
        return (
            f"{self.method} is cheaper than {self.other} on at least half of the {self.instances} instances as long as "
            f"a product costs at most {number(self.price, 2)} evaluations of f {between}."
        )


def break_even(
    spending: Spending, method: str, other: str, model: PriceModel = ad_costs, *, times: int = 1000, seed: int = 0
) -> BreakEven:
    """The price w of a Hessian-vector product at which two methods cost the same.

    With a the cost of everything but products and b their number, the first method costs a₁ + w·b₁ on an instance and
    the other a₂ + w·b₂; the first is the cheaper one up to w = (a₂ − a₁)/(b₁ − b₂). Half of the instances have this
    price above the median, so the median is where the median ratio of the costs is one. An instance that only the first
    solves has the price ∞ and one that only the other solves −∞, so that no instance with information is left out.

    Parameters
    ----------
    spending : Spending
    method : str
        The one that uses more products, such as "newton-cg".
    other : str
        Such as "lbfgs".
    model : PriceModel, default `ad_costs`
        The prices of f, g and H.
    times : int, default 1000
        Resamples of the intervals.
    seed : int, default 0
    """
    pair = spending.subset([method, other])
    solved = np.isfinite(pair.counts[:, :, 0])
    informative = solved.any(axis=1)
    instances = [pair.instances[i] for i in np.flatnonzero(informative)]
    if not instances:
        return BreakEven(
            method, other, (), np.zeros(0), 0, math.nan, (math.nan, math.nan), math.nan, (math.nan, math.nan)
        )
    counts, solved = pair.counts[informative], solved[informative]
    both = solved.all(axis=1)
    products = KINDS.index("Hv")
    prices = np.array([model(instance) for instance in instances], dtype=np.float64)
    prices[:, products] = 0.0
    fixed = np.einsum("imk,ik->im", np.where(solved[:, :, None], counts, 0.0), prices)
    saved = np.where(both, fixed[:, 1] - fixed[:, 0], 0.0)
    more = np.zeros(len(instances))
    more[both] = counts[both, 0, products] - counts[both, 1, products]
    each = _prices(saved, more, solved)
    drawn = resamples(instances, times, seed)
    return BreakEven(
        method,
        other,
        tuple(instances),
        each,
        int(both.sum()),
        _median(each, np.ones(len(each), dtype=np.int64)),
        interval(np.array([_median(each, weights) for weights in drawn]), LEVEL),
        _ratio(float(saved.sum()), float(more.sum())),
        interval(np.array([_ratio(float(w @ saved), float(w @ more)) for w in drawn]), LEVEL),
    )


def _prices(saved: Vector, more: Vector, solved: NDArray[np.bool_]) -> Vector:
    """The price up to which the first method costs at most as much, for each instance."""
    both = solved.all(axis=1)
    each = [_ratio(float(s), float(m)) for s, m in zip(saved, more, strict=True)]
    return np.where(both, each, np.where(solved[:, 0], np.inf, -np.inf))


def _ratio(saved: float, more: float) -> float:
    """saved/more if the first method needs more products; else inf if it is cheaper at any price, −inf if at none."""
    if more > 0:
        return saved / more
    return math.inf if saved >= 0 else -math.inf


def _median(values: Vector, weights: NDArray[np.int64]) -> float:
    """The largest w such that at least half of the weight has a value of at least w."""
    order = np.argsort(values)[::-1]
    enough = np.cumsum(weights[order]) * 2 >= weights.sum()
    return float(values[order][np.argmax(enough)])
