"""One recorded call as the rules need it: its arguments with what is known of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from newtonkit.convex.domain import Conditions
from newtonkit.convex.facts import Fact, Key, of_constant
from newtonkit.derivatives.autograd.primitives import GETITEM, raw_function
from newtonkit.derivatives.tape.recording import RecordedNode

RESHAPES = frozenset({np.reshape, np.ravel, np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, GETITEM})
"""Functions that may keep the order of the entries and change the axes only."""


class Operand(NamedTuple):
    """An argument that depends on x."""

    fact: Fact
    value: Any
    key: Key
    alias: Key
    """Equal for arrays that differ by axes of length one only."""


class Call:
    """One recorded call, as the rules need it."""

    def __init__(self, node: RecordedNode, operands: list[Any], alias: Key, conditions: Conditions, n: int) -> None:
        self.function = raw_function(node.fun)
        self.arguments, self.keywords = operands, node.kwargs
        self.shape: tuple[int, ...] = np.shape(node.value)
        self.alias, self.conditions, self.n = alias, conditions, n
        self.node = node

    def varies(self, i: int) -> bool:
        """Whether argument i depends on x."""
        return isinstance(self.arguments[i], Operand)

    def fact(self, i: int) -> Fact:
        """What is known of argument i."""
        argument = self.arguments[i]
        return argument.fact if isinstance(argument, Operand) else of_constant(argument)

    def shape_of(self, i: int) -> tuple[int, ...]:
        """The shape of argument i."""
        argument = self.arguments[i]
        return np.shape(argument.value if isinstance(argument, Operand) else argument)

    def option(self, position: int, name: str, default: Any = None) -> Any:
        """An argument that may be given by position or by name."""
        return self.arguments[position] if len(self.arguments) > position else self.keywords.get(name, default)

    @property
    def only(self) -> int:
        """The number of the only argument that depends on x; −1 where there are several."""
        varying = [i for i in range(len(self.arguments)) if self.varies(i)]
        return varying[0] if len(varying) == 1 else -1


def keeps_order(node: RecordedNode) -> bool:
    """Whether a call gives the same entries in the same order, up to axes of length one.

    An index or a reshape in another order may permute entries and keep the shape, so the positions are compared.
    """
    function = raw_function(node.fun)
    if function not in RESHAPES or tuple(node.argnums) != (0,):
        return False
    before = node.parents[0].value
    if _without_unit_axes(np.shape(node.value)) != _without_unit_axes(np.shape(before)):
        return False
    positions = np.arange(np.size(before)).reshape(np.shape(before))
    return np.array_equal(np.ravel(function(positions, *node.args[1:], **node.kwargs)), np.ravel(positions))


def _without_unit_axes(shape: tuple[int, ...]) -> list[int]:
    return [d for d in shape if d != 1]
