"""The reduced gradient on one small sphere: it shows an extremum inside, a saddle, or nothing beyond rounding."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from newtonkit.classification.reduction import ReducedPoint, Reduction
from newtonkit.linalg.kernels import EPS, Vector, dot, norm

_ANGLES = 16  # of a circle to begin with
_TURN = 1.0  # a turn of ∇φ between neighbours that is larger gets an angle between them: ½π would be the limit
_HALVINGS = 12  # of an angle; after that ∇φ vanishes somewhere on the circle
_CERTAIN = 1e6  # times rounding: differences of f on a circle that distinguish levels
_SAME = 1e-6  # of these differences: the zeros of ∇φ are known to 2^-12 of an angle, φ there to the square at least
_DIRECTIONS = 8  # samples for three null directions or more, next to the axes; each with its opposite
_SEED = 0


class Sphere(NamedTuple):
    """The points of one sphere and the kind of φ they show."""

    radius: float
    kind: str
    """Of φ: "minimum", "maximum", "saddle"; "valley", "ridge" (∇φ = 0 on rays, φ lowest or highest there); "no
    descent", "no ascent" (sampled); "flat" (all rounding); "unclear"."""
    degree: int | None
    """Of ∇φ (Kronecker's index): for one null direction −1, 0, 1, for two the winding number; None where sampled."""
    points: list[ReducedPoint]

    @property
    def conclusive(self) -> bool:
        """Whether it determines the kind of φ."""
        return self.kind not in ("flat", "unclear")

    @property
    def downhill(self) -> ReducedPoint | None:
        """The point with the steepest inward ∇φ, towards which φ fell; None if φ fell nowhere."""
        lowest = min(self.points, key=_outward)
        return lowest if _outward(lowest) < -lowest.noise else None


def sphere(reduction: Reduction, centre: ReducedPoint, radius: float, inner: Sphere | None) -> Sphere | None:
    """The sphere about the centre, starting from the one inside; None where the reduction ends before it."""
    if reduction.nullity == 2:
        return _circle(reduction, centre, radius, inner)
    points = []
    for i, direction in enumerate(_directions(reduction.nullity)):
        point = reduction.at(radius * direction, centre if inner is None else inner.points[i])
        if point is None:
            return None
        points.append(point)
    if not any(p.certain for p in points):
        return Sphere(radius, "flat", None, points)
    outward = [0 if abs(_outward(p)) <= p.noise else 1 if _outward(p) > 0.0 else -1 for p in points]
    signs = set(outward)
    if reduction.nullity == 1:
        kind = {(1, 1): "minimum", (-1, -1): "maximum", (1, -1): "saddle", (-1, 1): "saddle"}
        below, above = outward
        return Sphere(radius, kind.get((below, above), "unclear"), (below + above) // 2, points)
    if signs >= {1, -1}:
        return Sphere(radius, "saddle", None, points)
    return Sphere(radius, {1: "no descent", -1: "no ascent", 0: "unclear"}[max(signs, key=abs)], None, points)


def _outward(point: ReducedPoint) -> float:
    return dot(point.slope, point.z) / norm(point.z)


def _directions(k: int) -> list[Vector]:
    """The axes and, of several, random directions; each with its opposite."""
    vectors = list(np.eye(k))
    if k > 1:
        vectors += [v / norm(v) for v in np.random.default_rng(_SEED).standard_normal((_DIRECTIONS, k))]
    return [sign * v for v in vectors for sign in (-1.0, 1.0)]


def _circle(reduction: Reduction, centre: ReducedPoint, radius: float, inner: Sphere | None) -> Sphere | None:
    """By the winding number of ∇φ, with angles added wherever it turns fast."""

    def at(angle: float, near: ReducedPoint) -> ReducedPoint | None:
        return reduction.at(radius * np.array([math.cos(angle), math.sin(angle)]), near)

    first = at(0.0, centre if inner is None else inner.points[0])
    if first is None:
        return None
    points, total, zeros = [first], 0.0, []
    for i in range(1, _ANGLES + 1):
        arc = _arc(at, points[-1], 2 * math.pi * (i - 1) / _ANGLES, 2 * math.pi * i / _ANGLES, _HALVINGS)
        if arc is None:
            return None
        new, turn, vanishing = arc
        points += new
        total += turn
        zeros += vanishing
    if not any(p.certain for p in points):
        return Sphere(radius, "flat", None, points)
    if zeros:
        return Sphere(radius, _level(reduction, points, zeros), None, points)
    degree = round(total / (2 * math.pi))
    if degree == 1:
        median = float(np.median([_outward(p) for p in points]))
        return Sphere(radius, "minimum" if median > 0.0 else "maximum", degree, points)
    return Sphere(radius, "saddle" if degree < 1 else "unclear", degree, points)


def _arc(
    at: Callable[[float, ReducedPoint], ReducedPoint | None], start: ReducedPoint, a: float, b: float, halvings: int
) -> tuple[list[ReducedPoint], float, list[ReducedPoint]] | None:
    """The points after ``start``, the angle by which ∇φ turns, and the points where it vanishes or is about to."""
    end = at(b, start)
    if end is None:
        return None
    cross = start.slope[0] * end.slope[1] - start.slope[1] * end.slope[0]
    turn = math.atan2(cross, dot(start.slope, end.slope))
    if not (start.certain and end.certain):
        return [end], turn, [p for p in (start, end) if not p.certain]
    if abs(turn) <= _TURN:
        return [end], turn, []
    if halvings == 0:
        return [end], turn, [start, end]
    middle = 0.5 * (a + b)
    one = _arc(at, start, a, middle, halvings - 1)
    two = one and _arc(at, one[0][-1], middle, b, halvings - 1)
    if not (one and two):
        return None
    return one[0] + two[0], one[1] + two[1], one[2] + two[2]


def _level(reduction: Reduction, points: list[ReducedPoint], zeros: list[ReducedPoint]) -> str:
    """ "valley" or "ridge" where φ is lowest, or highest, at all the zeros of ∇φ on the circle; else "unclear"."""
    f = np.array([reduction.evaluator.value(p.y) for p in points])
    level = np.array([reduction.evaluator.value(p.y) for p in zeros])
    variation = float(np.ptp(f))
    if not variation > _CERTAIN * EPS * float(np.abs(f).max()):
        return "unclear"
    if level.max() - f.min() <= _SAME * variation:
        return "valley"
    return "ridge" if f.max() - level.min() <= _SAME * variation else "unclear"
