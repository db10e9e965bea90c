"""The degree of ∇f on the boundary of a box, which equals the sum of the degrees of the critical points inside.

If all critical points are regular, Σ(−1)^index over those in the box equals the degree of ∇f on its boundary (Milnor,
1965, *Topology from the Differentiable Viewpoint*, §6). A list with another sum is proved incomplete, or contains a
point that is not critical. A degenerate point counts with the degree of ∇f on the boundary of a small box around it.

In the plane the degree is the winding number. It is proved by cutting the boundary into pieces on each of which one
component of ∇f has a constant sign. In any dimension the degree is 0 or ±1 if each component ∂ᵢf has a constant sign
on each of the two faces perpendicular to axis i: a linear homotopy leads to a product of functions of one variable
(Miranda, 1940).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from newtonkit.enumeration.enclosures import Array, Jets
from newtonkit.enumeration.krawczyk import Boxes
from newtonkit.linalg.kernels import Vector

MAX_PIECES = 60_000  # of the boundary; then the degree is reported as unknown
MIN_PIECE = 2.0**-40  # of an edge: if ∇f is zero on the boundary, the pieces around the zero become ever smaller
MAX_TURN = 3.0  # radians along a piece, a little less than π
SAMPLES_PER_EDGE, MAX_SAMPLES = 32, 20_000  # at the start, and in total
MAX_SAMPLED_TURN = 1.0  # radians between neighbouring samples; at a larger turn a sample is inserted


class Degree(NamedTuple):
    """The degree of ∇f on the boundary of a box, or the reason why it is not known."""

    value: int | None
    level: str
    """"proved", "numerical" (from samples), or "" if it is not known."""
    reason: str


def boundary_degree(jets: Jets, lo: Vector, hi: Vector) -> Degree:
    """The degree of ∇f on the boundary of the box between lo and hi, in the variables of the jets. It is proved."""
    return _winding_number(jets, lo, hi) if lo.size == 2 else _by_opposite_faces(jets, lo, hi)


def _winding_number(jets: Jets, lo: Vector, hi: Vector) -> Degree:
    corners = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
    start, end = corners, np.roll(corners, -1, axis=0)
    angle, pieces = 0.0, 0
    while len(start):
        pieces += len(start)
        finest = (np.abs(end - start) <= MIN_PIECE * (hi - lo)).all(axis=1)
        if pieces > MAX_PIECES or finest.any():
            place = jets.unit * start[finest.argmax()]
            return Degree(None, "", f"∇f vanishes on the boundary, or very close to it, near {_listed(place)}")
        g = jets.over(np.minimum(start, end), np.maximum(start, end), second_order=False).g
        settled = ((g.lo > 0.0) | (g.hi < 0.0)).any(axis=1)
        # The image of a settled piece lies in a half-plane, so ∇f turns by the smaller of the two possible angles. A
        # piece on which this angle is close to π is cut again, since rounding errors could change its sign.
        turns = np.remainder(_angles(jets, end) - _angles(jets, start) + np.pi, 2 * np.pi) - np.pi
        settled &= np.abs(turns) <= MAX_TURN
        angle += float(turns[settled].sum())
        start, end = start[~settled], end[~settled]
        middle = 0.5 * (start + end)
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
    value = round(angle / (2 * np.pi))
    return Degree(value, "proved", f"the winding number of ∇f along the boundary is {value}")


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
            return Degree(None, "", f"no constant sign of ∂f/∂x[{i}] was proved on the two faces where x[{i}] is fixed")
        degree *= (signs[1] - signs[0]) // 2
    outward = "∇f points outward on every face"
    constant = "each ∂f/∂xᵢ has a constant sign on each of the two faces where xᵢ is fixed"
    return Degree(degree, "proved", outward if degree == 1 else constant)


def _sign_of_component(jets: Jets, i: int, lo: Vector, hi: Vector) -> int:
    """The sign of ∂f/∂xᵢ on a face; 0 if both signs occur or none was proved."""
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
        if len(signs) == 2 or pieces > MAX_PIECES or (face.hi - face.lo <= MIN_PIECE * whole).all(axis=1).any():
            return 0
        face = face.halved(whole)
    return signs.pop()


def sampled_winding_number(gradient: Callable[[Vector], Vector], lo: Vector, hi: Vector) -> Degree:
    """The winding number of ∇f along the boundary of a rectangle, from samples. It is not proved.

    Samples are inserted until ∇f turns by at most 1 radian between neighbours.
    """
    corners = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
    share = np.arange(4 * SAMPLES_PER_EDGE) / SAMPLES_PER_EDGE  # 0 to 4: number of the edge plus position on it

    def angle(s: float) -> float:
        edge = int(s) % 4
        g = gradient(corners[edge] + (s - int(s)) * (corners[(edge + 1) % 4] - corners[edge]))
        return math.atan2(g[1], g[0]) if g.any() else math.nan

    places, angles = list(share), [angle(s) for s in share]
    total, samples = 0.0, len(places)
    # stack of neighbours to be compared; a sample is inserted between two that differ too much
    stack = [
        (places[k], angles[k], *((places[k + 1], angles[k + 1]) if k + 1 < samples else (4.0, angles[0])))
        for k in range(samples)
    ]
    while stack:
        s, before, t, after = stack.pop()
        turn = math.remainder(after - before, 2 * math.pi)
        if abs(turn) <= MAX_SAMPLED_TURN:
            total += turn
            continue
        middle = 0.5 * (s + t)
        if samples >= MAX_SAMPLES or not s < middle < t or math.isnan(turn):
            return Degree(None, "", "∇f vanishes on the boundary, or cannot be followed along it")
        samples += 1
        between = angle(middle)
        stack += [(s, before, middle, between), (middle, between, t, after)]
    value = round(total / (2 * math.pi))
    return Degree(value, "numerical", f"the winding number of ∇f along {samples} samples of the boundary is {value}")


def _listed(x: Vector) -> str:
    return "(" + ", ".join(f"{xi:.6g}" for xi in x) + ")"
