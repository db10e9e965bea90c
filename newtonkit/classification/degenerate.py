"""The kind of a critical point where the Hessian is singular, from the reduced gradient on spheres around it.

One null direction: the sign of φ′ on both sides. Two: the winding number of ∇φ along circles. Neither depends on
an order of derivatives, and both are stable: a point near the critical one gives the same answer. An
isolated critical point in the plane has winding number 1 where φ has an extremum, and at most 0 elsewhere (the level
set φ = φ(0) has 1 − index branches through it, Arnold, 1978, *Ordinary Differential Equations*, §36). Of three null
directions or more only samples are taken: they may find a descent direction but not exclude one.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.classification.reduction import ReducedPoint, Reduction
from newtonkit.classification.spheres import Sphere, sphere
from newtonkit.classification.verdict import Verdict
from newtonkit.linalg.kernels import EPS, Vector, norm

# radii of the spheres, in units of that within which the critical point must lie; from 60 on in steps short enough
# to notice where a null manifold turns back
_RADII = (2.0, 6.0, 20.0, 60.0, 90.0, 135.0, 200.0, 300.0, 450.0)
_AGREE = 3  # radii that must agree; two, if the others are all rounding or cannot be reached
_FLAT = 3  # radii at which all is rounding that make a manifold of critical points
_POLISHES = 60  # Newton's method converges to a root of multiplicity m like (1 − 1/m)^k
_SINGULAR = 0.01  # of ∇²φ on the sphere: a root with more curvature than that is a regular one
_SAMPLED = 1e8  # range of ∇φ on a sphere beyond which samples give no information about the middle: exponentials
_FARTHER = 1.5  # factor between lengths of the descent
_CONVERGED = 1e-12  # of ∇φ on the sphere: rounding in units of the radius, if x is known much better than that
_RISES = {"minimum", "valley", "no descent"}
_FALLS = {"maximum", "ridge", "no ascent"}


def degenerate_verdict(evaluator: MeteredEvaluator, x: Vector, regular: Verdict, *, radius: float) -> Verdict:
    """The verdict at x by Lyapunov–Schmidt reduction, if eigenvalues gave no more than the verdict ``regular``.

    ``regular`` is returned if no direction is degenerate. ``radius`` is how far from x the critical point may lie.
    """
    H = evaluator.hessian(x)
    if not np.isfinite(H).all():
        return regular
    inner = _RADII[0] * radius
    reduction = Reduction(evaluator, x, H, inner)
    centre = reduction.at(np.zeros(reduction.nullity)) if reduction.nullity else None
    if centre is None:
        return regular
    found = dataclasses.replace(
        regular, index=reduction.negative, nullity=reduction.nullity, radius=inner, escape_direction=None
    )

    def undecided(reason: str) -> Verdict:
        return (
            regular if regular.kind == "not critical" else dataclasses.replace(found, kind="undecided", reason=reason)
        )

    spheres = _sphere_sequence(reduction, centre, radius)
    conclusive = [s for s in spheres if s.conclusive]
    size = f"{reduction.nullity} of {x.size} eigenvalues cannot be distinguished from zero"
    if len(spheres) >= _FLAT and all(s.kind == "flat" for s in spheres):
        reach = spheres[-1].radius
        return _concluded(found, reduction, spheres, f"f is critical all along them, as far as {reach:.2g}", centre.y)
    if len(conclusive) < 2 or len({(s.kind, s.degree) for s in conclusive}) > 1:
        kinds = ", ".join(f"{s.kind} at {s.radius:.1g}" for s in spheres) or "none"
        return undecided(f"{size}; the higher-order test is inconclusive: {kinds}")
    if conclusive[0].degree is None and conclusive[0].kind == "saddle" and _range(conclusive[0]) > _SAMPLED:
        return undecided(f"{size}, and f changes by too many powers of ten about the point for samples to decide")
    root = _root(reduction, centre, conclusive[0])
    if root is None and not conclusive[0].degree:
        # a degree other than zero promises a critical point inside; zero, or none, promises nothing
        return undecided(f"{size}, but no critical point was found within {inner:.2g}")
    if root is not None and root.z.size < 3:
        around = max(float(np.linalg.norm(p.curvature, 2)) for p in spheres[0].points)
        if float(np.linalg.norm(root.curvature, -2)) > _SINGULAR * around and conclusive[0].radius == inner:
            return undecided(f"{size}; a regular critical point is {norm(root.y - x):.2g} away, and others near")
    found = dataclasses.replace(found, distance=inner if root is None else norm(root.y - x))
    return _concluded(found, reduction, conclusive, _evidence(conclusive), x)


def _sphere_sequence(reduction: Reduction, centre: ReducedPoint, radius: float) -> list[Sphere]:
    """Spheres of growing radius until enough of them tell something, or the graph ends."""
    spheres: list[Sphere] = []
    for factor in _RADII:
        next_one = sphere(reduction, centre, factor * radius, spheres[-1] if spheres else None)
        if next_one is None:
            break
        spheres.append(next_one)
        if sum(s.conclusive for s in spheres) == _AGREE:
            break
    return spheres


def _range(around: Sphere) -> float:
    """Of the lengths of ∇φ on the sphere."""
    sizes = [norm(p.slope) for p in around.points if p.certain]
    return max(sizes) / min(sizes)


def _root(reduction: Reduction, centre: ReducedPoint, around: Sphere) -> ReducedPoint | None:
    """A zero of ∇φ, up to rounding, within the radius of the reduction, by Newton's method with capped steps."""
    point: ReducedPoint | None = centre
    # of the least slope: if slopes differ by many powers of ten, the largest gives no information about the middle
    radius = reduction.radius
    tiny = _CONVERGED * min((norm(p.slope) for p in around.points if p.certain), default=0.0)
    for _ in range(_POLISHES):
        if point is None or norm(point.z) > radius:
            return None
        if not point.certain or norm(point.slope) <= tiny:
            return point
        step = np.asarray(-np.linalg.lstsq(point.curvature, point.slope, rcond=EPS)[0], dtype=np.float64)
        length = norm(step)
        if length == 0.0:
            return None
        point = reduction.at(point.z + min(1.0, radius / length) * step, point)
    return None


def _concluded(found: Verdict, reduction: Reduction, spheres: list[Sphere], evidence: str, x: Vector) -> Verdict:
    """Kind of f from the kind of φ and the inertia of the rest: f is φ plus a form of that inertia."""
    kind, k = spheres[0].kind, reduction.nullity
    size = f"{k} of {found.eigenvalues.size} eigenvalues cannot be distinguished from zero"
    rises, falls = reduction.positive > 0 or kind in _RISES, reduction.negative > 0 or kind in _FALLS
    downhill = _descent(reduction, spheres[-1])
    if reduction.positive and reduction.negative:
        answer = "saddle"
        evidence = f"both signs among the others, {reduction.negative} of them negative"
    elif kind == "saddle" or (rises and falls):
        answer = "degenerate saddle"
    elif kind in ("valley", "ridge"):
        answer = kind
    elif kind == "flat":
        if k == found.eigenvalues.size:
            return dataclasses.replace(
                found, kind="undecided", reason=f"f is constant as far as {spheres[-1].radius:.2g}"
            )
        answer = "ridge" if reduction.negative else "valley"
    elif kind in ("minimum", "maximum"):
        answer = f"degenerate {kind}"
    else:
        answer = "undecided"
    direction = None if downhill is None else downhill - x
    if direction is None and reduction.negative:
        direction = reduction.steepest
    return dataclasses.replace(
        found,
        kind=answer,
        reason=f"{size}; {evidence}",
        flat_dimension={"flat": k, "valley": 1, "ridge": 1}.get(kind),
        escape_direction=None if direction is None else direction / norm(direction),
        escape_length=math.nan if downhill is None else norm(downhill - x),
    )


def _descent(reduction: Reduction, outermost: Sphere) -> Vector | None:
    """The lowest point along the null manifold, from the steepest descent seen; None where f fell nowhere."""
    point = outermost.downhill
    if point is None:
        return None
    value, farthest = reduction.evaluator.value, reduction.radius * _RADII[-1] / _RADII[0]
    f = value(point.y)
    while True:
        farther = reduction.at(_FARTHER * point.z, point)
        if farther is None or norm(farther.z) > farthest:
            return point.y
        f_farther = value(farther.y)
        if not f_farther < f:
            return point.y
        point, f = farther, f_farther


def _evidence(spheres: list[Sphere]) -> str:
    first, last = spheres[0], spheres[-1]
    k = first.points[0].z.size
    between = f"on spheres of radius {first.radius:.2g} to {last.radius:.2g} about it"
    if k > 2:
        count = len(first.points)
        return (
            f"{first.kind} along {count} of their directions"
            if first.kind != "saddle"
            else (f"along some of {count} of their directions f rises, along some it falls, {between}")
        )
    if first.kind in ("valley", "ridge"):
        extreme = "lowest" if first.kind == "valley" else "highest"
        return f"f is {extreme} on a set of critical points along them, {between}"
    if k == 2:
        return f"local degree {first.degree} {between}"
    below, above = (np.array([s.points[i].slope[0] for s in spheres]) for i in (0, 1))
    radii = np.array([s.radius for s in spheres])
    order = float(np.log(np.abs(above[1] / above[0])) / np.log(radii[1] / radii[0])) + 1.0
    text = f"along it f changes like t^{order:.2g}"
    if first.degree == 0:
        return f"{text}, {'up' if above[0] > 0.0 else 'down'} on one side only"
    fourth = 3.0 * (above[0] - below[0]) / radii[0] ** 3
    corrected = f", the corrected fourth derivative being about {fourth:.3g}" if round(order) == 4 else ""
    return f"{text}, {'up' if first.kind == 'minimum' else 'down'} on both sides{corrected}"
