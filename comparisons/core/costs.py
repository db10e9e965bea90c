"""The table of costs on which every score rests, and the counts of evaluations from which it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from comparisons.core.prices import Instance, PriceModel
from comparisons.core.trace import KINDS
from newtonkit.core.validation import nearest_name

Vector = NDArray[np.float64]


def columns(methods: Sequence[str], chosen: Sequence[str]) -> list[int]:
    """The positions of the chosen methods in ``methods``.

    Raises
    ------
    ValueError
        If a chosen method is unknown (the message gives the nearest name), or none is chosen.
    """
    if not chosen:
        raise ValueError(f"methods must name at least one of {', '.join(methods)}")
    for name in chosen:
        if name not in methods:
            raise ValueError(f"methods has {name!r}, which is not in the table; {nearest_name(name, methods)}")
    return [methods.index(name) for name in chosen]


@dataclass(frozen=True, eq=False)
class CostTable:
    """The cost at which each method solved each instance; infinite if it did not.

    Parameters
    ----------
    methods : tuple of str
    instances : tuple of Instance
    costs : ndarray, shape (instances, methods)
        Positive, in any unit; inf if not solved.
    unit : ndarray, shape (instances,), optional
        The cost of one f with its gradient on each instance: the unit of data profiles and budgets. Default 1.

    Examples
    --------
    >>> one, two = Instance("sphere", "standard", 2), Instance("beale", "standard", 2)
    >>> table = CostTable(("newton", "bfgs"), (one, two), [[2.0, 4.0], [3.0, np.inf]])
    >>> table.share_solved
    {'newton': 1.0, 'bfgs': 0.5}
    >>> table.ratios.tolist()
    [[1.0, 2.0], [1.0, inf]]
    """

    methods: tuple[str, ...]
    instances: tuple[Instance, ...]
    costs: Vector
    unit: Vector | None = None

    def __post_init__(self) -> None:
        costs = np.array(self.costs, dtype=np.float64)
        shape = (len(self.instances), len(self.methods))
        if costs.shape != shape or 0 in shape:
            raise ValueError(
                f"costs must have a row for each of the {shape[0]} instances and a column for each of the {shape[1]} "
                f"methods, at least one of each; got shape {costs.shape}"
            )
        if not (costs > 0).all():
            raise ValueError(f"costs must be positive, or inf if not solved; got {costs[~(costs > 0)][0]}")
        for name, entries in (("methods", self.methods), ("instances", self.instances)):
            if len(set(entries)) < len(entries):
                raise ValueError(f"{name} must differ from each other, got {entries}")
        unit = np.ones(shape[0]) if self.unit is None else np.array(self.unit, dtype=np.float64)
        if unit.shape != shape[:1] or not ((unit > 0) & np.isfinite(unit)).all():
            raise ValueError(f"unit must be a positive number for each of the {shape[0]} instances, got {unit}")
        for name, value in (("costs", costs), ("unit", unit)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    def subset(self, methods: Sequence[str]) -> CostTable:
        """The table of these methods only, in this order; ratios are to the cheapest of *them*."""
        return replace(self, methods=tuple(methods), costs=self.costs[:, columns(self.methods, methods)])

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Which method solved which instance."""
        return np.isfinite(self.costs)

    @property
    def share_solved(self) -> dict[str, float]:
        """The share of all instances that each method solved."""
        return dict(zip(self.methods, self.solved.mean(axis=0).tolist(), strict=True))

    @property
    def ratios(self) -> Vector:
        """The cost divided by the lowest cost of the row (Dolan & Moré 2002, eq. 2.1); inf if not solved."""
        best = self.costs.min(axis=1, keepdims=True)
        # an instance that no method solved has no lowest cost; it counts as a failure of every method
        return np.where(self.solved, self.costs, np.inf) / np.where(np.isfinite(best), best, 1.0)


@dataclass(frozen=True, eq=False)
class Spending:
    """The evaluations of each kind that every method needed to solve each instance, without prices.

    Parameters
    ----------
    methods : tuple of str
    instances : tuple of Instance
    counts : ndarray, shape (instances, methods, 4)
        One for each of `comparisons.core.trace.KINDS`, when the test was first met; inf in all four if it never was.
    """

    methods: tuple[str, ...]
    instances: tuple[Instance, ...]
    counts: Vector

    def __post_init__(self) -> None:
        counts = np.array(self.counts, dtype=np.float64)
        shape = (len(self.instances), len(self.methods), len(KINDS))
        if counts.shape != shape:
            raise ValueError(f"counts must have shape {shape}, got {counts.shape}")
        unsolved = np.isinf(counts)
        if not (counts >= 0).all() or (unsolved.any(axis=2) != unsolved.all(axis=2)).any():
            raise ValueError("counts must be non-negative, and inf in all four kinds or in none")
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)

    def priced(self, model: PriceModel) -> CostTable:
        """The table of costs at these prices."""
        prices = np.array([model(instance) for instance in self.instances], dtype=np.float64)
        solved = np.isfinite(self.counts[:, :, 0])
        costs = np.einsum("imk,ik->im", np.where(solved[:, :, None], self.counts, 0.0), prices)
        return CostTable(self.methods, self.instances, np.where(solved, costs, np.inf), unit=prices[:, :2].sum(axis=1))

    def subset(self, methods: Sequence[str]) -> Spending:
        """The counts of these methods only, in this order."""
        return replace(self, methods=tuple(methods), counts=self.counts[:, columns(self.methods, methods)])
