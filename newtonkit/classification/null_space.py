"""What f does along the directions whose curvature may be zero, from few gradients; cheap tests come first.

Flat: one random null direction, both ways. A polynomial that vanishes on a random line vanishes, so that the number of
points does not depend on the dimension. Falling: a direction proves it. Rising: for one null direction the signs of φ′
on both sides at several radii, for two the winding numbers of ∇φ on two circles; for three and more, rising samples
prove nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from newtonkit.classification.gradient_reduction import CLEAR, GradientReduction, GraphPoint
from newtonkit.classification.winding import winding_number
from newtonkit.linalg.kernels import EPS, Vector, dot

# of the scale of x: how far along a null direction f is examined, shorter where the graph cannot be followed. The
# shorter the radius, the fewer gradients it takes; but a minimum of fourth order may be 0.014 away at ‖g‖ = 1e-5
_RADII = (0.004, 0.001, 0.00025)
WIDE = 0.032  # where the shorter radius shows a slope to one side only
_RANDOM = 5  # directions, the first of which serves the test for flatness
_AXES = 4
# of the radius, where the signs of φ′ are compared: the largest and the smallest share. One radius alone called a
# saddle with λ = −1e-6 a minimum, because two minima were 1e-3 away from it
_INNER = (1 / 4, 1 / 256)
_VISIBLE = 10.0  # times its error bar: φ′ at the inner radius
_BEYOND = 2.0  # times the estimated distance of the extremum: the least radius of such a circle
_CIRCLES = (0.0005, 0.002, 0.008, 0.032)  # radii, in the scale of x, of circles on which the gradient may wind once
_WINDS = "along them the gradient has winding number 1 on a circle of radius {:.2g}"
_FARTHER, _FARTHEST = 2.0, 0.5  # factor of the length of a descent while f falls, and its limit times the scale
_EXPLAINED = 2.0  # times |∇φ(0)·z|: a smaller fall of φ proves nothing
_NOISE = 10.0  # times eps·(|f| + …): rounding of one value
_SEED = 0


class NullSpaceShape(NamedTuple):
    """The shape of φ."""

    kind: str
    """ "flat", "minimum", "maximum", "saddle", "rises" or "falls" (along all directions sampled), "mixed" (up along
    some, down along others), "unknown"."""
    radius: float
    """How far f was examined."""
    evidence: str
    direction: Vector | None = None
    """A unit vector, in x, along which f falls; None if none was found."""
    length: float = math.nan
    """How far along it f was seen to be lower."""
    order: float = math.nan
    """φ changes like t^order along a single direction; about 2 where the Hessian is not singular after all."""


def null_space_shape(reduction: GradientReduction, scale: float) -> NullSpaceShape:
    """The shape of φ about the polished point; ``scale`` is the length that counts as large in x."""
    level = _Level(reduction)
    directions = _directions(reduction.N.shape[1])
    for share in _RADII:
        radius = share * scale
        trials = _both_ways(reduction, level, radius * directions[0])
        followed = len(trials) == 2 and all(trial.point is not None for trial in trials)
        if followed:
            break
    if _signs(trials) == {0}:
        # a sextic that rounding hides at the radius is 8⁵ times as steep at the wide one
        far = _Trial.at(reduction, level, WIDE * scale * directions[0])
        if far.sign in (-1, 1):
            radius, trials = WIDE * scale, _both_ways(reduction, level, far.z)
            followed = len(trials) == 2 and all(trial.point is not None for trial in trials)
    if _signs(trials) == {0}:
        return NullSpaceShape("flat", radius, f"f and its gradient are constant along them as far as {radius:.2g}")
    if len(directions) == 1 and followed:
        return _along_a_line(reduction, level, radius, trials, scale)
    if len(directions[0]) == 2 and followed:
        shape = _in_a_plane(reduction, level, _distance_of_root(reduction, trials), scale)
        if shape is not None:
            return shape
    for u in directions[1:]:
        for v in (u, -u):
            if None in _signs(trials) or _signs(trials) >= {-1, 1}:
                break
            trials.append(_Trial.at(reduction, level, radius * v))
    return _from_samples(reduction, trials, radius, scale)


def _from_samples(reduction: GradientReduction, trials: list[_Trial], radius: float, scale: float) -> NullSpaceShape:
    fall = next((trial for trial in trials if trial.sign == -1), None)
    direction, length = _descent(reduction, fall, scale)
    if None in _signs(trials):
        kind = "falls" if fall else "unknown"
        return NullSpaceShape(kind, radius, "the range equation could not be solved", direction, length)
    if _signs(trials) >= {-1, 1}:
        return NullSpaceShape("mixed", radius, f"f rises and falls along them within {radius:.2g}", direction, length)
    kind = "falls" if fall else "rises"
    evidence = f"f {kind} along {len(trials)} of their directions within {radius:.2g}"
    return NullSpaceShape(kind, radius, evidence, direction, length)


def _along_a_line(
    reduction: GradientReduction, level: _Level, radius: float, trials: list[_Trial], scale: float
) -> NullSpaceShape:
    """One null direction: an isolated extremum or a saddle by the signs of φ′.

    φ′ < 0 on the left and φ′ > 0 on the right prove a local minimum of φ in between. The smallest radius at which φ′
    is more than rounding shows that it is this point, not another one near a saddle.
    """
    points = {float(trial.z[0]): trial.point for trial in trials}
    changes = _sign_changes(points)
    if len(changes) == 1:  # the extremum, if there is one, is farther away
        trials = _both_ways(reduction, level, np.array([WIDE * scale]))
        points |= {float(trial.z[0]): trial.point for trial in trials}
        inner = None
    else:
        inner = _inner_radius(trials)
        points |= {z: reduction.at(np.array([z])) for z in (-inner, inner)}
    changes = _sign_changes(points)
    if any(point is None for point in points.values()):
        return _from_samples(reduction, trials, radius, scale)
    fall = next((trial for trial in trials if trial.sign == -1), None)
    if changes == [-1, 1]:
        text, order = _power_law(points, "minimum")
        return NullSpaceShape("minimum", radius, text, order=order)
    if changes == [1, -1] and fall is not None:
        text, order = _power_law(points, "maximum")
        return NullSpaceShape("maximum", radius, text, *_descent(reduction, fall, scale), order=order)
    if inner is not None and len(changes) == 4:
        if changes[0] == -1:
            z = np.array([inner])
            fall = _Trial(z, -1, points[inner])
        evidence = f"along it f has several stationary points within {radius:.2g}"
        return NullSpaceShape("saddle", radius, evidence, *_descent(reduction, fall, scale))
    return _from_samples(reduction, trials, radius, scale)


def _sign_changes(points: dict[float, GraphPoint | None]) -> list[int]:
    """The signs of φ′ from left to right, without rounding and repetitions."""
    signs = [_sign_of_slope(point) for _, point in sorted(points.items()) if point is not None]
    return [sign for sign, _ in itertools.groupby(sign for sign in signs if sign)]


def _inner_radius(trials: list[_Trial]) -> float:
    """A radius at which φ′ is still more than rounding, if it is of third order."""
    points = [trial.point for trial in trials if trial.point is not None]
    shares = [_VISIBLE * point.bar / max(abs(float(point.slope[0])), point.bar) for point in points if point.bar > 0.0]
    share = math.cbrt(max(shares, default=0.0))
    return abs(float(trials[0].z[0])) * min(_INNER[0], max(_INNER[1], share))


def _in_a_plane(reduction: GradientReduction, level: _Level, distance: float, scale: float) -> NullSpaceShape | None:
    """Two null directions: an isolated extremum or a saddle by the winding number of ∇φ; None if neither is seen.

    The first circle that the gradient winds about once contains the extremum, whose estimated ``distance`` from z = 0
    is given. The smallest circle comes first, so that no saddle between two minima is taken for a minimum.
    """
    for share in _CIRCLES:
        radius = share * scale
        if radius < _BEYOND * distance and share < _CIRCLES[-1]:
            continue
        circle = winding_number(reduction, radius)
        outward = [dot(point.slope, z) for z, point in circle.points]
        if circle.number is None or not outward:
            return None
        lowest = int(np.argmin(outward))
        z, point = circle.points[lowest]
        if circle.number == 1 and outward[lowest] > 0.0:
            return NullSpaceShape("minimum", radius, _WINDS.format(radius))
        fall = _Trial.compared(reduction, level, z, point) if outward[lowest] < 0.0 else None
        if fall is None or fall.sign != -1:
            continue
        kind, evidence = "mixed", f"f rises and falls along them within {radius:.2g}"
        if max(outward) < 0.0:
            kind, evidence = ("maximum", _WINDS.format(radius)) if circle.number == 1 else ("falls", evidence)
        return NullSpaceShape(kind, radius, evidence, *_descent(reduction, fall, scale))
    return None


def _distance_of_root(reduction: GradientReduction, trials: list[_Trial]) -> float:
    """About where ∇φ vanishes, if it is of third order: from ‖∇φ‖ at 0 and at a larger radius."""
    slopes = [float(np.linalg.norm(trial.point.slope)) for trial in trials if trial.point is not None]
    share = float(np.linalg.norm(reduction.slope)) / max(*slopes, 1e-300)
    return float(np.linalg.norm(trials[0].z)) * math.cbrt(min(1.0, share))


def _signs(trials: Iterable[_Trial]) -> set[int | None]:
    return {trial.sign for trial in trials}


def _sign_of_slope(point: GraphPoint) -> int:
    return int(np.sign(point.slope[0])) if abs(point.slope[0]) > point.bar else 0


def _power_law(points: dict[float, GraphPoint | None], kind: str) -> tuple[str, float]:
    """Order and size of φ along one null direction, from its slopes at two radii."""
    radii = sorted({abs(z) for z in points})
    inner, outer = (
        0.5 * float(right.slope[0] - left.slope[0])
        for right, left in ((points[r], points[-r]) for r in (radii[0], radii[-1]))
        if right is not None and left is not None
    )
    text = f"{'up' if kind == 'minimum' else 'down'} on both sides"
    if not inner * outer > 0.0 or len(radii) < 2:
        return f"along it f has one {kind} within {radii[-1]:.2g}, {text}", math.nan
    order = 1.0 + math.log(outer / inner) / math.log(radii[-1] / radii[0])
    text = f"along it f changes like t^{order:.2g}, {text}"
    if round(order) == 4:
        text = f"{text}, the corrected fourth derivative being about {6.0 * outer / radii[-1] ** 3:.3g}"
    return text, order


def _descent(reduction: GradientReduction, fall: _Trial | None, scale: float) -> tuple[Vector | None, float]:
    """The lowest point on the graph in the direction of a fall, as a unit vector and its length."""
    if fall is None or fall.point is None:
        return None, math.nan
    point, z, evaluator = fall.point, fall.z, reduction.evaluator
    value = evaluator.value(point.y) if evaluator.affords(f=1) else math.inf
    while float(np.linalg.norm(_FARTHER * z)) <= _FARTHEST * scale:
        farther = reduction.at(_FARTHER * z, point.y)
        if farther is None or not evaluator.affords(f=1):
            break
        lower = evaluator.value(farther.y)
        if not lower < value:
            break
        point, value, z = farther, lower, _FARTHER * z
    way = point.y - reduction.y
    length = float(np.linalg.norm(way))
    return way / length, length


def _both_ways(reduction: GradientReduction, level: _Level, z: Vector) -> list[_Trial]:
    """φ at z and −z; the correction in the range is the same up to third order."""
    first = _Trial.at(reduction, level, z)
    if first.point is None:
        return [first]
    opposite = reduction.at(-z, first.point.y)
    if first.sign == 0 and opposite is not None and float(np.linalg.norm(opposite.slope)) <= CLEAR * opposite.bar:
        return [first, _Trial(-z, 0, opposite)]  # no value is needed to see that f is flat
    return [first, _Trial.compared(reduction, level, -z, opposite)]


def _directions(k: int) -> list[Vector]:
    """Unit vectors in the null space: a random one, the axes, some more random ones."""
    if k == 1:
        return [np.ones(1)]
    random = np.random.default_rng(_SEED).standard_normal((_RANDOM, k))
    random /= np.linalg.norm(random, axis=1)[:, np.newaxis]
    return [random[0], *np.eye(k)[:_AXES], *random[1:]]


class _Trial(NamedTuple):
    """φ at z compared with φ at 0."""

    z: Vector
    sign: int | None
    """+1 if φ rises from 0 to z by its outward slope or its value, −1 if its value falls, 0 if flat; None: unknown."""
    point: GraphPoint | None = None

    @classmethod
    def at(cls, reduction: GradientReduction, level: _Level, z: Vector) -> _Trial:
        return cls.compared(reduction, level, z, reduction.at(z))

    @classmethod
    def compared(cls, reduction: GradientReduction, level: _Level, z: Vector, point: GraphPoint | None) -> _Trial:
        if point is None:
            return cls(z, None)
        length = float(np.linalg.norm(z))
        if length == 0.0 or point.slope.size != z.size:
            return cls(z, None)
        outward, clear = dot(point.slope, z) / length, CLEAR * point.bar
        if outward > clear:
            return cls(z, 1, point)
        rise = level.rise(point)
        # what the slope at 0 explains of a fall leads to a critical point near, not away from one
        if rise < -_EXPLAINED * float(np.linalg.norm(reduction.slope)) * length:
            return cls(z, -1, point)
        if rise != 0.0 or float(np.linalg.norm(point.slope)) > clear:
            return cls(z, 1 if rise > 0.0 and outward >= -clear else None, point)
        if not point.resolved:
            return cls(z, None, point)
        return cls(z, 0, point)


class _Level:
    """Values of f compared with that at z = 0, which is evaluated when the first is needed."""

    def __init__(self, reduction: GradientReduction) -> None:
        self._reduction = reduction
        self._f: float | None = None

    def rise(self, point: GraphPoint) -> float:
        """φ at the point less φ at 0; 0 within rounding, NaN if f is not finite or cannot be evaluated any more."""
        evaluator, y = self._reduction.evaluator, self._reduction.y
        if not evaluator.affords(f=1 + (self._f is None)):
            return math.nan
        if self._f is None:
            self._f = evaluator.value(y)
        H, f = np.abs(self._reduction.model.H), evaluator.value(point.y)
        rounding = _NOISE * EPS * (abs(self._f) + float(np.abs(y) @ H @ np.abs(y))) + 10 * abs(point.remainder)
        rise = float(f - point.remainder - self._f)
        return 0.0 if abs(rise) <= rounding else rise
