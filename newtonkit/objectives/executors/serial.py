"""Evaluate the partitions one after another in this process."""

from __future__ import annotations

import time
import weakref
from typing import Any, Protocol

from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.terms import Definition, Request, Terms
from newtonkit.objectives.executors.tree_sum import Term


class Executor(Protocol):
    """Where the terms of a finite sum are evaluated."""

    def total(self, definition: Definition, request: Request, rounds: Rounds) -> Term:
        """Return the sum of all terms, in the tree over their index, and record the round."""

    def close(self) -> None:
        """Release processes; a later request starts them again."""


class Serial:
    """In this process, one partition after another; of the data, memory holds one part and what is kept.

    Examples
    --------
    >>> Serial()
    Serial()
    """

    def __init__(self) -> None:
        self._terms: weakref.WeakKeyDictionary[Definition, Terms] = weakref.WeakKeyDictionary()

    def total(self, definition: Definition, request: Request, rounds: Rounds) -> Term:
        """Return the sum of all terms."""
        terms = self._terms.get(definition)
        if terms is None:
            d = definition
            terms = self._terms[definition] = Terms(d.loss, d.weights, d.source, d.memory, d.partitions.recipes)
        began = time.perf_counter()
        size = len(definition.partitions)
        term = terms.group(request, size.bit_length(), 0, size, lambda done: rounds.show(request.kind, done, size))
        record = rounds.of(request.kind)
        record.count += 1
        record.seconds += time.perf_counter() - began
        return term

    def close(self) -> None:
        """Forget what was kept."""
        self._terms.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return Serial, ()

    def __repr__(self) -> str:
        return "Serial()"
