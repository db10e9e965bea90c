"""The global minimum of a function on a box, with a proved lower bound: interval branch and bound.

A piece of the box is discarded if f is above the best value found everywhere in it, or if it contains no
Karush–Kuhn–Tucker point (Hansen & Walster, 2004, *Global Optimization Using Interval Analysis*, ch. 12 and 14;
Kearfott, 1996, *Rigorous Global Search: Continuous Problems*, ch. 5). A piece on which f is monotone in a variable
shrinks to the side at the bound, or is discarded if it has none. Pieces are never required to contain isolated points,
so continua of minimizers do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from newtonkit.core.validation import check_integer, check_real
from newtonkit.enumeration.branching import CHUNK_SIZE, clusters
from newtonkit.enumeration.enclosures import Array, Jets, try_interval_jets
from newtonkit.enumeration.face_jets import FaceJets
from newtonkit.enumeration.krawczyk import Boxes, contract, refine
from newtonkit.enumeration.polishing import polished
from newtonkit.enumeration.search import MAX_BOXES, MAX_PROOF_DIMENSION, checked_box
from newtonkit.linalg.intervals import Interval
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.objective import Objective

RELATIVE_GAP = 1e-9  # of |f|: the search ends there; enclosures over narrow boxes are not much more accurate
ROUNDING_GAP = 100.0  # times the width of the enclosure of f at the best point, which rounding errors alone cause
# boxes at a time, those with the lowest bounds first; 64 take 1 to 3 times as long, 4096 as long (our measurement)
BATCH = 512
POLISHED = 2  # midpoints of each batch from which a local search starts
MAX_POINTS = 100  # groups of remaining boxes that are listed


@dataclass(frozen=True, slots=True)
class GlobalMinimum:
    """The result of `global_minimum`; its text is a sentence.

    Examples
    --------
    >>> import newtonkit
    >>> found = newtonkit.global_minimum(lambda x: (x[0] - 1) ** 2, [(-2, 2)])
    >>> found.proved, float(found.x[0])
    (True, 1.0)
    """

    x: Vector
    """The best point found."""
    fun: float
    """f at x, by a plain call."""
    lower_bound: float
    """Proved: f is nowhere in the box below this."""
    proved: bool
    """Whether fun − lower_bound ≤ max(atol, 1e-9·|fun|, rounding errors of f at x)."""
    points: tuple[Vector, ...]
    """Points at which f is as low up to the tolerance of the proof, up to 100; there may be other minimizers."""
    message: str
    """One sentence on how the search ended."""

    def __str__(self) -> str:
        return f"{self.fun:.9g} at {self.x}, not below {self.lower_bound:.9g}: {self.message}"


def global_minimum(
    fun: Callable[..., Any],
    box: Sequence[Sequence[float]],
    args: tuple[Any, ...] = (),
    *,
    atol: float = 0.0,
    max_boxes: int = MAX_BOXES,
) -> GlobalMinimum:
    """Find the global minimum of f on a box with up to six variables, and prove a lower bound.

    Parameters
    ----------
    fun : callable
        f(x, \\*args) of a vector of shape (n,), n ≤ 6, written with ``autograd.numpy`` or numpy, without comparisons,
        `where`, `abs` or `max`.
    box : sequence of (low, high)
        One pair of finite numbers, low < high, for each variable.
    args : tuple, optional
        Further arguments of fun.
    atol : float, at least 0, default 0.0
        The search ends if fun − lower_bound ≤ max(atol, 1e-9·|fun|, rounding errors of f at x).
    max_boxes : int, at least 1, default 500 000
        After this many boxes the search ends with ``proved=False``; the lower bound holds nevertheless.

    Returns
    -------
    GlobalMinimum
        ``x``, ``fun``, ``lower_bound``, ``proved``, ``points``, ``message``.

    Raises
    ------
    ValueError
        If n > 6, or f uses an operation that intervals do not support; the message names it.

    Notes
    -----
    The lower bound assumes that numpy's elementary functions are accurate to 4 units in the last place. It applies to f
    in exact arithmetic, with its constants as the floating-point numbers that they are. ``fun`` is computed and may be
    below the bound by a rounding error.

    References
    ----------
    Hansen & Walster (2004), *Global Optimization Using Interval Analysis*, chapters 12 and 14.

    Examples
    --------
    >>> found = global_minimum(lambda x: (x[0] ** 2 + x[1] ** 2 - 1) ** 2 + x[0], [(-2, 2), (-2, 2)])
    >>> found.proved, found.x.round(6), found.fun - found.lower_bound < 1e-8
    (True, array([-1.10716,  0.     ]), True)
    """
    lo, hi = checked_box(box)
    check_real("atol", atol, 0.0)
    check_integer("max_boxes", max_boxes, 1)
    if lo.size > MAX_PROOF_DIMENSION:
        raise ValueError(f"global_minimum accepts at most {MAX_PROOF_DIMENSION} variables, got {lo.size}")
    unit: Vector = np.exp2(np.round(np.log2(hi - lo)))
    objective = Objective(fun, args=args)
    jets, reason = try_interval_jets(objective, unit, lo / unit, hi / unit, np.random.default_rng(0))
    if jets is None:
        raise ValueError(f"global_minimum requires a function that can be enclosed in intervals: {reason}")
    with np.errstate(all="ignore"):
        return _BranchAndBound(jets, objective, lo / unit, hi / unit, atol, max_boxes).solve()


class _Bounded(NamedTuple):
    """Boxes with lower bounds of f."""

    boxes: Boxes
    bound: Array

    def where(self, chosen: Any) -> _Bounded:
        return _Bounded(self.boxes.where(chosen), self.bound[chosen])

    def joined(self, other: _Bounded) -> _Bounded:
        return _Bounded(self.boxes + other.boxes, np.concatenate([self.bound, other.bound]))

    @staticmethod
    def none(n: int) -> _Bounded:
        return _Bounded(Boxes.none(n), np.empty(0))


class _BranchAndBound:
    """One search. A box is on a face of the whole box if its width is 0 in some variable."""

    def __init__(self, jets: Jets, objective: Objective, lo: Vector, hi: Vector, atol: float, max_boxes: int) -> None:
        self.jets, self.objective, self.lo, self.hi = jets, objective, lo, hi
        self.atol, self.max_boxes = atol, max_boxes
        self.t, self.fun, self.upper, self.tolerance = lo, math.inf, math.inf, atol
        self.processed = 0

    def solve(self) -> GlobalMinimum:
        n = self.lo.size
        whole = Boxes(self.lo[None], self.hi[None])
        active = _Bounded(whole, np.array([-math.inf]))
        settled = _Bounded.none(n)
        self._try(0.5 * (self.lo + self.hi))
        while active.bound.size and self.processed < self.max_boxes:
            order = np.argsort(active.bound, kind="stable")
            if active.bound[order[0]] >= self.upper - self.tolerance:
                break
            batch, active = active.where(order[:BATCH]), active.where(order[BATCH:])
            self.processed += batch.bound.size
            pieces, done = self._examined(batch.boxes)
            active, settled = active.joined(pieces), settled.joined(done)
            active = active.where(active.bound <= self.upper)
        remaining = active.joined(settled)
        remaining = remaining.where(remaining.bound <= self.upper)
        lower = min(float(remaining.bound.min(initial=math.inf)), self.upper, self.fun)
        proved = self.fun - lower <= self.tolerance
        ended = "" if proved or active.bound.size == 0 else f"; the limit of {self.max_boxes} boxes was reached"
        gap = f"{self.fun - lower:.2g} by {self.processed} {'box' if self.processed == 1 else 'boxes'}"
        message = f"proved to be global within {gap}" if proved else f"not proved, the remaining gap is {gap}{ended}"
        return GlobalMinimum(self.jets.unit * self.t, self.fun, lower, proved, self._points(remaining.boxes), message)

    def _try(self, t: Vector) -> None:
        """Start a local search at t and keep its end if it is the best point so far."""
        t = polished(self.jets, t, self.lo, self.hi)
        enclosed = self.jets.over(t[None], t[None], second_order=False).f
        upper = float(enclosed.hi[0])
        if upper < self.upper:
            self.t, self.upper = t, upper
            self.fun = self.objective.value(self.jets.unit * t)
            rounding = ROUNDING_GAP * float(enclosed.hi[0] - enclosed.lo[0])
            self.tolerance = max(self.atol, RELATIVE_GAP * abs(self.fun), rounding)

    def _examined(self, boxes: Boxes) -> tuple[_Bounded, _Bounded]:
        """The pieces of boxes that may contain a global minimizer, and those in which only one point can."""
        n = self.lo.size
        boxes, bound, g = self._without_monotone(boxes)
        middle = 0.5 * (boxes.lo + boxes.hi)
        if not boxes.number:
            return _Bounded.none(n), _Bounded.none(n)
        for k in np.argsort(self.jets.over(middle, middle, second_order=False).f.hi)[:POLISHED]:
            self._try(middle[k])
        kept = bound <= self.upper
        boxes, bound, g = boxes.where(kept), bound[kept], Interval(g.lo[kept], g.hi[kept])
        pieces, done = _Bounded.none(n), _Bounded.none(n)
        # +1 and −1 where the box lies on a face; 2 where it only touches one, so that a minimizer needs no zero of g
        lowest, highest = boxes.lo == self.lo, boxes.hi == self.hi
        flat = boxes.lo == boxes.hi
        sides = np.where(flat & lowest, -1, np.where(flat & highest, 1, 0))
        # a box of width 0 inside, which halving may leave, is not on a face either
        sides[((sides == 0) & (lowest | highest | flat)).any(axis=1)] = 2
        weight = np.maximum(g.magnitude(), 0.0) * (boxes.hi - boxes.lo)
        for pattern in np.unique(sides, axis=0):
            chosen = (sides == pattern).all(axis=1)
            group, group_weight = boxes.where(chosen), weight[chosen]
            group_bound = bound[chosen]
            if (pattern != 0).all() and not (pattern == 2).any():  # vertices
                done = done.joined(_Bounded(group, group_bound))
                continue
            if not (pattern == 2).any():
                group, group_bound, group_weight, unique = self._contracted(group, group_bound, group_weight, pattern)
                done = done.joined(unique)
            halves = group.halved(self.hi - self.lo, np.where(np.isfinite(group_weight), group_weight, 0.0))
            pieces = pieces.joined(_Bounded(halves, np.tile(group_bound, 2)))
        return pieces, done

    def _without_monotone(self, boxes: Boxes) -> tuple[Boxes, Array, Interval]:
        """The boxes that may contain a global minimizer, shrunk to a side of the whole box where f is monotone."""
        for _ in range(self.lo.size + 1):
            enclosed = self.jets.over(*boxes, second_order=False)
            g, wide = enclosed.g, boxes.hi > boxes.lo
            rises, falls = wide & (g.lo > 0.0), wide & (g.hi < 0.0)
            gone = ((rises & (boxes.lo > self.lo)) | (falls & (boxes.hi < self.hi))).any(axis=1)
            # on a face the derivative towards the inside must not be negative
            gone |= (~wide & (boxes.lo == self.lo) & (g.hi < 0.0)).any(axis=1)
            gone |= (~wide & (boxes.hi == self.hi) & (g.lo > 0.0)).any(axis=1)
            bound = np.maximum(enclosed.f.lo, self._mean_value_bound(boxes, g))
            gone |= bound > self.upper
            shrinks = (rises | falls) & ~gone[:, None]
            hi, lo = np.where(rises, boxes.lo, boxes.hi), np.where(falls, boxes.hi, boxes.lo)
            kept = ~gone
            boxes, bound, g = Boxes(lo[kept], hi[kept]), bound[kept], Interval(g.lo[kept], g.hi[kept])
            if not shrinks.any():
                break
        return boxes, bound, g

    def _mean_value_bound(self, boxes: Boxes, g: Interval) -> Array:
        """The lower end of f(m) + g(X)ᵀ(X − m); −∞ if it is not known."""
        middle = 0.5 * (boxes.lo + boxes.hi)
        total = self.jets.over(middle, middle, second_order=False).f
        for i in range(self.lo.size):
            side = Interval(boxes.lo[:, i], boxes.hi[:, i]) - Interval(middle[:, i], middle[:, i])
            total = total + Interval(g.lo[:, i], g.hi[:, i]) * side
        bound: Array = np.where(np.isnan(total.lo), -np.inf, total.lo)
        return bound

    def _contracted(
        self, boxes: Boxes, bound: Array, weight: Array, pattern: Any
    ) -> tuple[Boxes, Array, Array, _Bounded]:
        """Krawczyk's operator on boxes in the relative interior of one face; the boxes with a unique zero apart."""
        free = pattern == 0
        face = FaceJets(self.jets, self.lo, self.hi, pattern)
        narrow = Boxes(boxes.lo[:, free], boxes.hi[:, free])
        parts = [contract(face, narrow.where(slice(k, k + CHUNK_SIZE))) for k in range(0, narrow.number, CHUNK_SIZE)]
        after = Boxes.joined([part.boxes for part in parts], int(free.sum()))
        unique, excluded = (np.concatenate([getattr(part, name) for part in parts]) for name in ("unique", "excluded"))
        zeros = refine(face, after.where(unique))
        embedded = face.embed(zeros)
        enclosed = self.jets.over(*embedded, second_order=False)
        low = np.maximum(enclosed.f.lo, self._mean_value_bound(embedded, enclosed.g)) if zeros.number else np.empty(0)
        for t in (0.5 * (embedded.lo + embedded.hi))[low <= self.upper]:
            self._try(t)
        left = ~unique & ~excluded
        return face.embed(after.where(left)), bound[left], weight[left], _Bounded(embedded, low)

    def _points(self, boxes: Boxes) -> tuple[Vector, ...]:
        """The best point, and the ends of local searches in groups of boxes with the same value."""
        groups = [0.5 * (group.lo + group.hi) for group in clusters(boxes, self.hi - self.lo)[:MAX_POINTS]]
        found = [(self.fun, self.t)]
        for T in groups:
            t = polished(self.jets, T[int(self.jets.at(T).f.argmin())], self.lo, self.hi)
            found.append((float(self.jets.at(t[None]).f[0]), t))
        near = 1e-6 * (self.hi - self.lo)
        chosen: list[Vector] = []
        for f, t in sorted(found, key=lambda pair: pair[0]):
            if f <= self.fun + self.tolerance and all((np.abs(t - other) > near).any() for other in chosen):
                chosen.append(t)
        return tuple(self.jets.unit * t for t in chosen[:MAX_POINTS])
