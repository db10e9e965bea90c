"""The convex set on which a proof holds: conditions that the operations of the graph put on x."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from newtonkit.convex.facts import Fact


class Conditions:
    """Collects the conditions under which the statements of a graph hold.

    Every condition states that a concave array is positive (or nonnegative), so the set of x that meet all of them is
    convex.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._smallest = math.nan

    def look_at(self, values: Any) -> None:
        """Set the array, at the point of the analysis, of which the next conditions speak."""
        array = np.asarray(values)
        self._smallest = float(array.min()) if array.size and array.dtype.kind in "fiu" else math.nan

    def positive(self, a: Fact, what: str, *, defined_elsewhere: bool) -> bool:
        """Whether the entries of a concave array may be taken as positive.

        Where the operation is defined for negative entries too, that requires positive entries at the point of the
        analysis. Where it is not, every x at which the function is defined meets the condition.
        """
        if a.range.lo > 0.0:
            return True
        if defined_elsewhere and not self._smallest > 0.0:
            return False
        self._state(f"{what} is positive")
        return True

    def nonnegative(self, a: Fact, what: str) -> None:
        """State that the entries of a concave array are nonnegative, where the range does not prove it."""
        if not a.range.nonnegative:
            self._state(f"{what} is nonnegative")

    def _state(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)
