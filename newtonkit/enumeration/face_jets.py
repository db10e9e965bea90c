"""Jets of a function on a face of a box: some variables are fixed, the others vary."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.enumeration.enclosures import Array, Jets
from newtonkit.enumeration.jets import Jet
from newtonkit.enumeration.krawczyk import Boxes
from newtonkit.linalg.intervals import Interval
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.objective import Objective

Sides = NDArray[np.int64]
"""−1 for a variable at its lower bound, +1 at its upper bound, 0 for a free variable."""


def all_sides(n: int) -> Iterator[Sides]:
    """The 3ⁿ faces of a box, those of smallest dimension first."""
    yield from sorted((np.array(s) for s in product((0, -1, 1), repeat=n)), key=lambda s: int((s == 0).sum()))


class FaceJets(Jets):
    """A function of the free variables of a face, with its derivatives.

    Parameters
    ----------
    jets : Jets
        The function of all variables.
    lo, hi : ndarray, shape (n,)
        The box, in the variables of the jets.
    sides : ndarray of int, shape (n,)

    Examples
    --------
    >>> whole = Jets(lambda x: x[0] ** 2 * x[1], np.ones(2))
    >>> FaceJets(whole, np.zeros(2), np.full(2, 3.0), np.array([0, 1])).at(np.array([[1.0]])).g
    array([[6.]])
    """

    def __init__(self, jets: Jets, lo: Vector, hi: Vector, sides: Sides) -> None:
        self.free = sides == 0
        self.corner = np.where(sides > 0, hi, lo)
        self.values = jets.unit * self.corner  # exact: the units are powers of two
        super().__init__(jets.fun, jets.unit[self.free])

    def embed(self, boxes: Boxes) -> Boxes:
        """The boxes in all variables; the fixed variables have width 0."""
        lo, hi = np.tile(self.corner, (boxes.number, 1)), np.tile(self.corner, (boxes.number, 1))
        lo[:, self.free], hi[:, self.free] = boxes
        return Boxes(lo, hi)

    def _called(self, sides: list[Any], one: Any, *, second_order: bool) -> Jet:
        x = np.empty(self.free.size, dtype=object)
        varying = np.flatnonzero(self.free)
        for k, i in enumerate(varying):
            x[i] = Jet(sides[k], {k: one}, {} if second_order else None)
        shape = np.shape(sides[0].lo if isinstance(sides[0], Interval) else sides[0])
        for i in np.flatnonzero(~self.free):
            constant = np.full(shape, self.values[i])
            side = Interval(constant, constant) if isinstance(sides[0], Interval) else constant
            x[i] = Jet(side, {}, {} if second_order else None)
        # outside its domain f is NaN or infinite, which the callers handle
        with trace_lock, np.errstate(all="ignore"):
            y = self.fun(x)
        if isinstance(y, np.ndarray):
            y = y.item()
        return y if isinstance(y, Jet) else Jet(float(y), {}, {} if second_order else None)


def on_face(objective: Objective, x: Vector, free: NDArray[np.bool_]) -> Objective:
    """The objective as a function of the free variables; the others have the values of x."""
    base, E = np.where(free, 0.0, x), np.eye(x.size)[free]
    return Objective(lambda y: objective.fun(base + y @ E, *objective.args))


def multipliers_over(jets: Jets, boxes: Boxes, sides: Sides) -> tuple[Array, Array]:
    """Bounds on the multipliers, gᵢ at a lower and −gᵢ at an upper bound, over boxes in all variables; 0 if free."""
    g = jets.over(*boxes, second_order=False).g
    lower = np.where(sides < 0, g.lo, np.where(sides > 0, -g.hi, 0.0))
    upper = np.where(sides < 0, g.hi, np.where(sides > 0, -g.lo, 0.0))
    return lower, upper
