"""The stability of a ranking under other tolerances, tests and prices."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparisons.core.costs import CostTable

Vector = NDArray[np.float64]


def score(table: CostTable) -> dict[str, float]:
    """The mean of (cheapest cost)/(cost), zero where not solved: 1 for a method that is the cheapest everywhere.

    It is the area ∫ ρ(τ) dτ/τ² under the performance profile, τ from 1 to ∞, so it counts a failure as an infinite
    cost and has no tolerance of its own.

    Examples
    --------
    >>> from comparisons.core.prices import Instance
    >>> rows = (Instance("sphere", "standard", 2), Instance("beale", "standard", 2))
    >>> score(CostTable(("newton", "bfgs"), rows, [[2.0, 4.0], [3.0, np.inf]]))
    {'newton': 1.0, 'bfgs': 0.25}
    """
    return dict(zip(table.methods, (1.0 / table.ratios).mean(axis=0).tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Ranking:
    """The scores of methods under several ways of scoring, and the ranks that follow.

    Parameters
    ----------
    labels : tuple of str
        Names of the ways, such as tolerances or prices.
    methods : tuple of str
    scores : ndarray, shape (labels, methods)
    """

    labels: tuple[str, ...]
    methods: tuple[str, ...]
    scores: Vector

    @property
    def ranks(self) -> Vector:
        """1 for the highest score of a row; equal scores share the mean of their ranks."""
        above = (self.scores[:, None, :] > self.scores[:, :, None]).sum(axis=2)
        equal = (self.scores[:, None, :] == self.scores[:, :, None]).sum(axis=2)
        return np.asarray(above + (equal + 1) / 2, dtype=np.float64)

    def agreement(self, one: int, other: int) -> float:
        """Kendall's τ of two rows: 1 for the same ranking, −1 for the reverse; a pair tied in either counts as zero."""
        kept = reversed_ = 0
        for i, j in itertools.combinations(range(len(self.methods)), 2):
            sign = np.sign(self.scores[one, i] - self.scores[one, j]) * np.sign(
                self.scores[other, i] - self.scores[other, j]
            )
            kept += int(sign > 0)
            reversed_ += int(sign < 0)
        pairs = len(self.methods) * (len(self.methods) - 1) // 2
        return (kept - reversed_) / pairs if pairs else 1.0

    def overtakings(self) -> list[tuple[str, str]]:
        """The pairs of methods whose order differs between rows; the one ahead in the first row comes first."""
        found = []
        for i, j in itertools.combinations(range(len(self.methods)), 2):
            signs = np.sign(self.scores[:, i] - self.scores[:, j])
            if signs.min() < 0 < signs.max():
                first = signs[np.flatnonzero(signs)[0]]
                found.append((self.methods[i], self.methods[j]) if first > 0 else (self.methods[j], self.methods[i]))
        return found

    def winners(self) -> list[str]:
        """The method with the highest score of each row; several joined by "and"."""
        return [
            " and ".join(m for m, s in zip(self.methods, row, strict=True) if s == row.max()) for row in self.scores
        ]


def ranking(tables: Sequence[tuple[str, CostTable]]) -> Ranking:
    """Scores of the same methods under each of these tables.

    Parameters
    ----------
    tables : sequence of (label, CostTable)
        At least one, all with the same methods in the same order.
    """
    if not tables:
        raise ValueError("tables must hold at least one table")
    names = tables[0][1].methods
    for label, table in tables:
        if table.methods != names:
            raise ValueError(f"tables must have the same methods; {label!r} has {table.methods}, the first {names}")
    scores = np.array([list(score(table).values()) for _, table in tables])
    return Ranking(tuple(label for label, _ in tables), names, scores)
