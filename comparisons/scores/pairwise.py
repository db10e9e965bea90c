"""Pairwise wins: the number of instances on which one method is cheaper than another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparisons.core.costs import CostTable

TIE = 0.01  # relative difference of two costs that counts as a tie


@dataclass(frozen=True, eq=False)
class Wins:
    """The pairwise wins of a table; entry (i, j) compares method i with method j.

    Unlike a performance profile, each entry compares only these two methods; no third method can change it.
    """

    methods: tuple[str, ...]
    instances: int
    won: NDArray[np.int64]
    """Instances that i solves and j does not, or that i solves more cheaply."""
    tied: NDArray[np.int64]
    """Instances that both solve, at the same cost."""

    @property
    def neither(self) -> NDArray[np.int64]:
        """Instances that neither solves."""
        return self.instances - self.won - self.won.T - self.tied


def pairwise_wins(table: CostTable, tie: float = TIE) -> Wins:
    """Count the pairwise wins of a table.

    Parameters
    ----------
    table : CostTable
    tie : float, non-negative, default 0.01
        Costs whose ratio is at most 1 + tie are the same.

    Examples
    --------
    >>> from comparisons.core.prices import Instance
    >>> rows = (Instance("sphere", "standard", 2), Instance("beale", "standard", 2))
    >>> pairwise_wins(CostTable(("newton", "bfgs"), rows, [[2.0, 4.0], [3.0, np.inf]])).won.tolist()
    [[0, 2], [0, 0]]
    """
    if not tie >= 0:
        raise ValueError(f"tie must be a non-negative number, got {tie}")
    one, other = table.costs[:, :, None], table.costs[:, None, :]
    won = (np.isfinite(one) & (one * (1.0 + tie) < other)).sum(axis=0)
    both = np.isfinite(one) & np.isfinite(other)
    tied = (both & (one <= other * (1.0 + tie)) & (other <= one * (1.0 + tie))).sum(axis=0)
    return Wins(table.methods, len(table.instances), won, tied)
