"""All zeros of ∇f in a box, by branch and prune: the list is proved complete, up to boxes that are named.

A box where ∇f cannot vanish is dropped, one with exactly one zero is kept, any other is cut by Krawczyk's operator
or halved (Neumaier, 1990, *Interval Methods for Systems of Equations*, sec. 5.6; Hansen & Walster, 2004, *Global
Optimization Using Interval Analysis*, ch. 11). Breadth first: where the zeros are not isolated, no box is ever
settled, and when the limit is reached all that is left has been looked at equally closely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from newtonkit.critical.enclosures import Array, Jets
from newtonkit.critical.krawczyk import Boxes, certify_near, contract, refine
from newtonkit.critical.multistart import newton

WIDTH = 2.0**-20
"""In units of the whole box: no box narrower than this is halved."""
# boxes nearer than this are one cluster: near a flat point, which is no point of theirs, boxes are left here and there
_LINK = 2.0**-8
_CHUNK = 4096  # boxes at a time, so that their jets stay in the cache
_POLISHES = 12  # Newton steps from a box of width 2⁻²⁰ to a regular zero in it: five would do


@dataclass(frozen=True, slots=True)
class Zeros:
    """What branch and prune found."""

    certified: Boxes
    """In each exactly one zero, as narrow as rounding allows."""
    clusters: tuple[Boxes, ...]
    """Groups of neighbouring boxes, in which all other zeros lie."""
    processed: int
    """Boxes over which derivatives were enclosed."""
    exhausted: bool
    """Whether the limit on boxes was reached."""


def all_zeros(jets: Jets, lo: Array, hi: Array, *, max_boxes: int) -> Zeros:
    """Every zero of ∇f between lo and hi, in the variables of the jets.

    Parameters
    ----------
    jets : Jets
    lo, hi : ndarray, shape (n,)
    max_boxes : int
        After this many boxes what is left is returned as it is.
    """
    whole, n = hi - lo, lo.size
    active = Boxes(lo[None], hi[None])
    certified, regions, small = Boxes.none(n), Boxes.none(n), Boxes.none(n)
    processed, exhausted = 0, False
    while active.number:
        exhausted = processed + active.number > max_boxes
        if exhausted:
            small = small + active
            break
        following = [Boxes.none(n)]
        for start in range(0, active.number, _CHUNK):
            before = active.where(slice(start, start + _CHUNK))
            result = contract(jets, before)
            certified, regions = certified + result.boxes.where(result.unique), regions + before.where(result.unique)
            left = ~(result.excluded | result.unique)
            before, after = before.where(left), result.boxes.where(left)
            width = ((after.hi - after.lo) / whole).max(axis=1)
            fine = width <= WIDTH
            small = small + after.where(fine)
            # a box that K(X) has halved by itself is worth another K(X) before it is cut
            shrunk = ~fine & (width <= 0.5 * ((before.hi - before.lo) / whole).max(axis=1))
            following += [after.where(shrunk), after.where(~fine & ~shrunk).halved(whole)]
        processed += active.number
        active = Boxes(np.concatenate([part.lo for part in following]), np.concatenate([part.hi for part in following]))
    certified = refine(jets, certified)
    if small.number and not exhausted:
        certified, small = _with_zeros_on_faces(jets, certified, regions, small, Boxes(lo, hi))
    return Zeros(certified, clusters(small, whole), processed, exhausted)


def _with_zeros_on_faces(jets: Jets, certified: Boxes, regions: Boxes, small: Boxes, box: Boxes) -> tuple[Boxes, Boxes]:
    """A regular zero on a face is in the interior of no box: certify it in a box of its own, round its place.

    Of these a zero outside the whole box is not listed, but what lies in the region where it is alone is settled.
    """
    whole = box.hi - box.lo
    T = newton(jets, 0.5 * (small.lo + small.hi), whole, cap=0.01, steps=_POLISHES)
    T = T[np.isfinite(T).all(axis=1)]
    _, first = np.unique(np.round(T / (1e-9 * whole)), axis=0, return_index=True)
    found, alone, proved = certify_near(jets, T[first], whole)
    found, alone = found.where(proved), alone.where(proved)
    settled = np.zeros(small.number, dtype=bool)
    for i in range(found.number):
        zero, region = found.where(slice(i, i + 1)), alone.where(slice(i, i + 1))
        settled |= small.within(region)
        # two zeros that lie in a box where there is only one are the same
        known = zero.within(regions).any() or certified.within(region).any()
        if not known and zero.meets(box).all():
            certified, regions = certified + zero, regions + region
    return certified, small.where(~settled)


def clusters(boxes: Boxes, whole: Array) -> tuple[Boxes, ...]:
    """The boxes in groups of such as touch each other, or nearly, on a grid no finer than the widest of them."""
    if not boxes.number:
        return ()
    centres = 0.5 * (boxes.lo + boxes.hi) / whole
    pitch = max(_LINK, float(((boxes.hi - boxes.lo) / whole).max()))
    cells, cell_of = np.unique(np.floor(centres / pitch), axis=0, return_inverse=True)
    pairs = cKDTree(cells).query_pairs(1.5, p=np.inf, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(cells), len(cells)))
    count, label = connected_components(links, directed=False)
    labels = label[cell_of.reshape(-1)]
    return tuple(boxes.where(labels == k) for k in range(count))
