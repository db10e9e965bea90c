"""All zeros of ∇f in a box, by branch and prune: the list is proved complete, up to boxes that are named.

A box where ∇f cannot vanish is dropped, one with exactly one zero is kept, any other is cut by Krawczyk's operator
or halved, across the side along which ∇²f changes most (Neumaier, 1990, *Interval Methods for Systems of Equations*,
sec. 5.6; Hansen & Walster, 2004, *Global Optimization Using Interval Analysis*, ch. 11): on Rosenbrock's function of
five variables that takes half the boxes of halving the longest side. Breadth first: where the zeros are not isolated,
no box is ever settled, and when the limit is reached all that is left has been looked at equally closely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from newtonkit.enumeration.enclosures import Array, Jets
from newtonkit.enumeration.krawczyk import Boxes, certify_near, contract, refine
from newtonkit.enumeration.multistart import newton

WIDTH = 2.0**-20
"""In units of the whole box: boxes narrower than this are halved only in a closer look, down to its square."""
_CLOSER_LOOK = 20_000  # boxes: enough for a hundred points, and a tenth of a second in the plane
# boxes nearer than this are one cluster: near a flat point, which is no point of theirs, boxes are left here and there
_LINK = 2.0**-8
_CHUNK = 4096  # boxes at a time, so that their jets stay in the cache
_POLISHES = 12  # Newton steps from a box of width 2⁻²⁰ to a regular zero in it: five would do


@dataclass(frozen=True, slots=True)
class Zeros:
    """What branch and prune found."""

    certified: Boxes
    """In each exactly one zero, as narrow as rounding allows."""
    regions: Boxes
    """Round each of these, a box with no other zero."""
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
    box = Boxes(lo[None], hi[None])
    found, small, processed, exhausted = _settle(jets, _Found.none(lo.size), box, hi - lo, WIDTH, max_boxes)
    if small.number and not exhausted:
        found, small = _with_zeros_on_faces(jets, found, small, box)
        # points near each other, or a box much larger than what is in it, want a closer look; where a point is
        # degenerate and ∇f too near zero to be told from rounding, it would never end
        closer = _settle(jets, found, small, hi - lo, WIDTH**2, min(_CLOSER_LOOK, max_boxes - processed))
        processed += closer.processed
        if not closer.exhausted:
            found, small = _with_zeros_on_faces(jets, closer.found, closer.small, box)
    found, doubtful = _without_repeats(_Found(refine(jets, found.certified), found.regions), hi - lo)
    small = Boxes.joined([small, doubtful], lo.size)
    return Zeros(found.certified, found.regions, clusters(small, hi - lo), processed, exhausted)


class _Found(NamedTuple):
    """Boxes with one zero each, and for each the region where it is the only one."""

    certified: Boxes
    regions: Boxes

    @staticmethod
    def none(n: int) -> _Found:
        return _Found(Boxes.none(n), Boxes.none(n))


class _Pass(NamedTuple):
    """What has come of boxes that were cut until they were settled or narrow."""

    found: _Found
    small: Boxes
    processed: int
    exhausted: bool


def _settle(jets: Jets, found: _Found, active: Boxes, whole: Array, width: float, max_boxes: int) -> _Pass:
    """Cut boxes until each is settled or narrower than ``width`` in units of ``whole``."""
    certified, regions = [found.certified], [found.regions]
    small: list[Boxes] = []
    processed, exhausted = 0, False
    while active.number:
        exhausted = processed + active.number > max_boxes
        if exhausted:
            small.append(active)
            break
        following: list[Boxes] = []
        for start in range(0, active.number, _CHUNK):
            before = active.where(slice(start, start + _CHUNK))
            result = contract(jets, before)
            certified.append(result.boxes.where(result.unique))
            regions.append(before.where(result.unique))
            left = ~(result.excluded | result.unique)
            before, after = before.where(left), result.boxes.where(left)
            size = ((after.hi - after.lo) / whole).max(axis=1)
            fine = size <= width
            small.append(after.where(fine))
            # a box that K(X) has halved by itself is worth another K(X) before it is cut
            shrunk = ~fine & (size <= 0.5 * ((before.hi - before.lo) / whole).max(axis=1))
            cut = ~fine & ~shrunk
            following += [after.where(shrunk), after.where(cut).halved(whole, result.weight[left][cut])]
        processed += active.number
        active = Boxes.joined(following, whole.size)
    n = whole.size
    return _Pass(
        _Found(Boxes.joined(certified, n), Boxes.joined(regions, n)), Boxes.joined(small, n), processed, exhausted
    )


def _with_zeros_on_faces(jets: Jets, found: _Found, small: Boxes, box: Boxes) -> tuple[_Found, Boxes]:
    """A regular zero on a face is in the interior of no box: certify it in a box of its own, round its place.

    Of these a zero outside the whole box is not listed, but what lies in the region where it is alone is settled.
    """
    whole = (box.hi - box.lo)[0]
    T = newton(jets, 0.5 * (small.lo + small.hi), whole, cap=0.01, steps=_POLISHES)
    T = T[np.isfinite(T).all(axis=1)]
    _, first = np.unique(np.round(T / (1e-9 * whole)), axis=0, return_index=True)
    zeros, alone, proved = certify_near(jets, T[first], whole)
    zeros, alone = zeros.where(proved), alone.where(proved)
    certified, regions = found
    settled = np.zeros(small.number, dtype=bool)
    for i in range(zeros.number):
        zero, region = zeros.where(slice(i, i + 1)), alone.where(slice(i, i + 1))
        settled |= small.within(region)
        # two zeros that lie in a box where there is only one are the same
        known = zero.within(regions).any() or certified.within(region).any()
        if not known and zero.meets(box).all():
            certified, regions = certified + zero, regions + region
    return _Found(certified, regions), small.where(~settled)


def _without_repeats(found: _Found, whole: Array) -> tuple[_Found, Boxes]:
    """Each zero once, and the boxes of those of which it is not certain whether they are one or two.

    The same zero is met again where it was certified in a region smaller than the box it was seen in. Zeros in disjoint
    boxes are two; they are one if they lie in a box where there is only one.
    """
    certified, regions = found
    kept = np.ones(certified.number, dtype=bool)
    doubtful = np.zeros(certified.number, dtype=bool)
    if certified.number:
        reach = float(((certified.hi - certified.lo) / whole).max())
        centres = 0.5 * (certified.lo + certified.hi) / whole
        for i, j in cKDTree(centres).query_pairs(2.0 * reach + WIDTH**2, p=np.inf):
            a, b = certified.where(slice(i, i + 1)), certified.where(slice(j, j + 1))
            if kept[i] and kept[j] and a.meets(b).any():
                one = a.within(regions.where(slice(j, j + 1))) | b.within(regions.where(slice(i, i + 1)))
                kept[j] = False
                doubtful[j] = not one.any()
    return _Found(certified.where(kept), regions.where(kept)), certified.where(doubtful)


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
