"""A sum in a fixed binary tree over the index of the terms, whatever the order in which they arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Term = tuple[Any, ...]
"""Numbers and arrays."""
Add = Callable[[Term, Term], Term]


def add_entries(a: Term, b: Term) -> Term:
    """The sum, entry by entry."""
    return tuple(first + second for first, second in zip(a, b, strict=True))


class TreeSum:
    """The sum of terms 0, 1, …, size − 1: neighbours 2j and 2j + 1 are added, an odd last one moves up.

    Floating-point addition is not associative. With a fixed tree the result has the same bits in whatever order the
    terms arrive, and whoever computed them. At most one partial sum per level waits if they arrive in order.

    Parameters
    ----------
    size : int, at least 1
    add : callable, optional
        The sum of two neighbours, ``add(first, second)``; entry by entry by default.

    Examples
    --------
    >>> tree = TreeSum(3)
    >>> for index in (2, 0, 1):
    ...     tree.add(0, index, (float(index),))
    >>> tree.total
    (3.0,)
    """

    def __init__(self, size: int, add: Add = add_entries) -> None:
        self._add = add
        self._sizes = [size]
        while self._sizes[-1] > 1:
            self._sizes.append((self._sizes[-1] + 1) // 2)
        self._waiting: dict[tuple[int, int], Term] = {}
        self._total: Term | None = None

    def add(self, level: int, index: int, term: Term) -> None:
        """Add node ``index`` of a level: the sum of the terms from index·2^level on, 2^level of them at most."""
        while level < len(self._sizes) - 1:
            neighbour = index ^ 1
            if neighbour < self._sizes[level]:
                other = self._waiting.pop((level, neighbour), None)
                if other is None:
                    self._waiting[level, index] = term
                    return
                first, second = (term, other) if index < neighbour else (other, term)
                term = self._add(first, second)
            level, index = level + 1, index // 2
        self._total = term

    @property
    def total(self) -> Term:
        """The sum of all terms.

        Raises
        ------
        RuntimeError
            If a term is missing.
        """
        if self._total is None:
            raise RuntimeError(f"the sum is incomplete: {len(self._waiting)} partial sums wait for others")
        return self._total
