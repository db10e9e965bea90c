"""The winding number of the reduced gradient on a circle in a plane of null directions."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from newtonkit.classification.gradient_reduction import GradientReduction, GraphPoint
from newtonkit.linalg.kernels import Vector, dot

_ANGLES = 6  # of a circle to begin with
_MAX_TURN = 1.4  # of ∇φ between neighbours: a larger angle is bisected; ½π would be the limit
_HALVINGS = 8


class Circle(NamedTuple):
    """The winding number on a circle and the points it rests on."""

    number: int | None
    """1 about an isolated extremum, at most 0 about other isolated points (Arnold, 1978, *Ordinary Differential
    Equations*, sec. 36); None if it is not known."""
    points: list[tuple[Vector, GraphPoint]]


def winding_number(reduction: GradientReduction, radius: float) -> Circle:
    """The winding number of ∇φ along the circle about 0."""
    points: list[tuple[Vector, GraphPoint]] = []

    def at(angle: float, start: Vector | None) -> GraphPoint | None:
        z = radius * np.array([math.cos(angle), math.sin(angle)])
        point = reduction.at(z, start)
        if point is None or float(np.linalg.norm(point.slope)) <= point.bar:
            return None
        points.append((z, point))
        return point

    def turn(one: GraphPoint, a: float, other: GraphPoint | None, b: float, halvings: int) -> float:
        if other is None:
            return math.nan
        s, t = one.slope, other.slope
        angle = math.atan2(s[0] * t[1] - s[1] * t[0], dot(s, t))
        if abs(angle) < _MAX_TURN:
            return angle
        middle = at(0.5 * (a + b), one.y) if halvings else None
        if middle is None:
            return math.nan
        c = 0.5 * (a + b)
        return turn(one, a, middle, c, halvings - 1) + turn(middle, c, other, b, halvings - 1)

    first = at(0.0, None)
    point, total = first, 0.0
    for i in range(_ANGLES):
        if point is None or math.isnan(total):
            return Circle(None, points)
        a, b = 2 * math.pi * i / _ANGLES, 2 * math.pi * (i + 1) / _ANGLES
        following = first if i == _ANGLES - 1 else at(b, point.y)
        total += turn(point, a, following, b, _HALVINGS)
        point = following
    return Circle(None if math.isnan(total) else round(total / (2 * math.pi)), points)
