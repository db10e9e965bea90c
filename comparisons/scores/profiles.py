"""Performance, data and accuracy profiles.

Every profile is the distribution function of each column of a matrix, one column a method; they differ in the matrix.

* *performance profile* (Dolan & Moré 2002): the cost divided by that of the cheapest method *in the table*. The order
  of two curves may change if a third method is left out (Gould & Scott 2016, ACM Trans. Math. Softw. 43, 15).
  Therefore no curve of a finished profile is hidden; `CostTable.subset` makes a new table.
* *data profile* (Moré & Wild 2009, SIAM J. Optim. 20, 172-191): the cost itself, independent of other
  methods. Their unit is n + 1 values of f, the cost of a gradient by differences; our unit is one f with its gradient.
* *accuracy profile* (the relative minimization profiles of Curtis, Mitchell & Overton 2017, Optim. Methods Softw. 32,
  148-181): the accuracy reached within a budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparisons.core.costs import CostTable
from comparisons.core.prices import Instance

Vector = NDArray[np.float64]

PERFORMANCE, DATA, ACCURACY = "performance", "data", "accuracy"


@dataclass(frozen=True, eq=False)
class Profile:
    """For each method the share of instances whose value is at most x, as a function of x.

    Parameters
    ----------
    kind : str
        "performance", "data" or "accuracy".
    methods : tuple of str
    instances : tuple of Instance
    values : ndarray, shape (instances, methods)
        inf if there is none.
    """

    kind: str
    methods: tuple[str, ...]
    instances: tuple[Instance, ...]
    values: Vector

    def share(self, method: str, x: float | Vector) -> Vector:
        """The share of instances with a value of at most x, for this method."""
        ordered = np.sort(self._column(method))
        return np.searchsorted(ordered, x, side="right") / ordered.size

    def steps(self, method: str) -> tuple[Vector, Vector]:
        """The points where the curve rises, ascending, and the share there."""
        column = self._column(method)
        at = np.unique(column[np.isfinite(column)])
        return at, self.share(method, at)

    def right_edge(self, method: str) -> float:
        """The share of instances with a finite value: in a profile of costs, those solved."""
        return float(np.isfinite(self._column(method)).mean())

    @property
    def reach(self) -> tuple[float, float]:
        """The smallest and the largest finite value; (1, 1) if there are none."""
        finite = self.values[np.isfinite(self.values)]
        return (float(finite.min()), float(finite.max())) if finite.size else (1.0, 1.0)

    def _column(self, method: str) -> Vector:
        return self.values[:, self.methods.index(method)]


def performance_profile(table: CostTable, methods: Sequence[str] | None = None) -> Profile:
    """The share of instances solved at no more than τ times the cost of the cheapest method.

    Parameters
    ----------
    table : CostTable
    methods : sequence of str, optional
        Default all. Only these methods count for the lowest cost.

    Examples
    --------
    >>> instance = Instance("sphere", "standard", 2)
    >>> table = CostTable(("newton", "bfgs", "adam"), (instance,), [[2.0, 4.0, 1.0]])
    >>> [float(performance_profile(table, m).share("newton", 1.0)) for m in (None, ["newton", "bfgs"])]
    [0.0, 1.0]
    """
    chosen = table if methods is None else table.subset(methods)
    return Profile(PERFORMANCE, chosen.methods, chosen.instances, chosen.ratios)


def data_profile(table: CostTable, methods: Sequence[str] | None = None) -> Profile:
    """The share of instances solved at a cost of no more than κ evaluations of f with its gradient."""
    chosen = table if methods is None else table.subset(methods)
    assert chosen.unit is not None
    return Profile(DATA, chosen.methods, chosen.instances, chosen.costs / chosen.unit[:, None])


def accuracy_profile(methods: Sequence[str], instances: Sequence[Instance], accuracies: Vector) -> Profile:
    """The share of instances on which f − f* ≤ 10ᵃ·(f₀ − f*) within a budget.

    Parameters
    ----------
    methods, instances : sequences
        Names of the columns and the rows.
    accuracies : ndarray, shape (instances, methods)
        (f − f*)/(f₀ − f*) at the best point within the budget, see `comparisons.core.solving.accuracies`; inf for
        a run that ended at a saddle or a maximum.
    """
    return Profile(ACCURACY, tuple(methods), tuple(instances), np.array(accuracies, dtype=np.float64))
