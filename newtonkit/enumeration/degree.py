"""The degree of ∇f on the boundary of a box: what the critical points inside must add up to.

Where all critical points are regular, Σ(−1)^index over those in the box equals the degree of ∇f on its boundary
(Milnor, 1965, *Topology from the Differentiable Viewpoint*, §6): a list that adds up to something else is
provably incomplete, or holds a point that is none. A degenerate point counts with its own degree, that of a small
box round it.

In the plane the degree is the winding number, proved by cutting the boundary into pieces on each of which one
component of ∇f has one sign. In any dimension it is 0 or ±1 where each component ∂ᵢf has one sign on each of the two
faces across its own axis: a linear homotopy leads to a product of functions of one variable (Miranda, 1940).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from newtonkit.enumeration.enclosures import Array, Jets
from newtonkit.enumeration.krawczyk import Boxes
from newtonkit.linalg.kernels import Vector

_PIECES = 60_000  # of the boundary, after which the attempt is given up
_FINEST = 2.0**-40  # of an edge: a zero on the boundary itself is met by ever smaller pieces
_HALF_TURN = 3.0  # radians: a little less
_SAMPLES, _SAMPLE_LIMIT = 32, 20_000  # points to start with on each edge, and at most, where nothing is proved
_TURN = 1.0  # radians between neighbouring samples, above which there must be one between them


class Degree(NamedTuple):
    """The degree of ∇f on the boundary of a box, or why it is not known."""

    value: int | None
    level: str
    """"proved", "numerical" (from samples), or "" where it is not known."""
    reason: str


def boundary_degree(jets: Jets, lo: Vector, hi: Vector) -> Degree:
    """The degree of ∇f on the boundary of the box between lo and hi, in the variables of the jets; proved."""
    return _winding_number(jets, lo, hi) if lo.size == 2 else _by_opposite_faces(jets, lo, hi)


def _winding_number(jets: Jets, lo: Vector, hi: Vector) -> Degree:
    corners = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
    start, end = corners, np.roll(corners, -1, axis=0)
    turned, pieces = 0.0, 0
    while len(start):
        pieces += len(start)
        finest = (np.abs(end - start) <= _FINEST * (hi - lo)).all(axis=1)
        if pieces > _PIECES or finest.any():
            place = jets.unit * start[finest.argmax()]
            return Degree(None, "", f"∇f vanishes on the boundary, or too near it to tell, at about {_listed(place)}")
        g = jets.over(np.minimum(start, end), np.maximum(start, end), second_order=False).g
        settled = ((g.lo > 0.0) | (g.hi < 0.0)).any(axis=1)
        # the image of such a piece lies in a half-plane, where the shorter way round is the way it went; unless it
        # is so nearly half a turn that rounding decides which way is shorter
        turns = np.remainder(_angles(jets, end) - _angles(jets, start) + np.pi, 2 * np.pi) - np.pi
        settled &= np.abs(turns) <= _HALF_TURN
        turned += float(turns[settled].sum())
        start, end = start[~settled], end[~settled]
        middle = 0.5 * (start + end)
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
    value = round(turned / (2 * np.pi))
    return Degree(value, "proved", f"∇f turns {value} times round along the boundary")


def _angles(jets: Jets, T: Array) -> Array:
    g = jets.over(T, T, second_order=False).g.midpoint()
    angles: Array = np.arctan2(g[:, 1], g[:, 0])
    return angles


def _by_opposite_faces(jets: Jets, lo: Vector, hi: Vector) -> Degree:
    degree = 1
    for i in range(lo.size):
        signs = []
        for side in (lo, hi):
            face_lo, face_hi = lo.copy(), hi.copy()
            face_lo[i] = face_hi[i] = side[i]
            signs.append(_sign_of_component(jets, i, face_lo, face_hi))
        if 0 in signs:
            return Degree(None, "", f"no sign of the derivative by x[{i}] was proved on the faces across it")
        degree *= (signs[1] - signs[0]) // 2
    outward = "∇f points outward on every face" if degree == 1 else "every ∂f/∂xᵢ has one sign on the faces across xᵢ"
    return Degree(degree, "proved", outward)


def _sign_of_component(jets: Jets, i: int, lo: Vector, hi: Vector) -> int:
    """The sign of ∂f/∂xᵢ on a face, 0 where it has both or none was proved."""
    whole = np.where(hi > lo, hi - lo, 1.0)
    face = Boxes(lo[None], hi[None])
    signs: set[int] = set()
    pieces = 0
    while face.number:
        pieces += face.number
        g = jets.over(*face, second_order=False).g
        positive, negative = g.lo[:, i] > 0.0, g.hi[:, i] < 0.0
        signs |= {sign for sign, found in ((1, positive), (-1, negative)) if found.any()}
        face = face.where(~(positive | negative))
        if len(signs) == 2 or pieces > _PIECES or (face.hi - face.lo <= _FINEST * whole).all(axis=1).any():
            return 0
        face = face.halved(whole)
    return signs.pop()


def sampled_winding_number(gradient: Callable[[Vector], Vector], lo: Vector, hi: Vector) -> Degree:
    """The winding number of ∇f along the boundary of a rectangle, from samples close enough to follow it by eye."""
    corners = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
    share = np.arange(4 * _SAMPLES) / _SAMPLES  # 0 to 4: the edge, and how far along it

    def angle(s: float) -> float:
        edge = int(s) % 4
        g = gradient(corners[edge] + (s - int(s)) * (corners[(edge + 1) % 4] - corners[edge]))
        return math.atan2(g[1], g[0]) if g.any() else math.nan

    places, angles = list(share), [angle(s) for s in share]
    turned, samples = 0.0, len(places)
    # a stack of neighbours still to be compared; between two that differ too much goes a third
    stack = [
        (places[k], angles[k], *((places[k + 1], angles[k + 1]) if k + 1 < samples else (4.0, angles[0])))
        for k in range(samples)
    ]
    while stack:
        s, before, t, after = stack.pop()
        turn = math.remainder(after - before, 2 * math.pi)
        if abs(turn) <= _TURN:
            turned += turn
            continue
        middle = 0.5 * (s + t)
        if samples >= _SAMPLE_LIMIT or not s < middle < t or math.isnan(turn):
            return Degree(None, "", "∇f vanishes on the boundary, or cannot be followed along it")
        samples += 1
        between = angle(middle)
        stack += [(s, before, middle, between), (middle, between, t, after)]
    value = round(turned / (2 * math.pi))
    return Degree(value, "numerical", f"∇f turns {value} times round along {samples} samples of the boundary")


def _listed(x: Vector) -> str:
    return "(" + ", ".join(f"{xi:.6g}" for xi in x) + ")"
