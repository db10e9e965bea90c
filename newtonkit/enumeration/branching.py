"""All zeros of ∇f in a box, by branch and prune: the list is proved complete, except in boxes that are reported.

A box in which ∇f cannot vanish is discarded. A box with exactly one zero is kept. Any other box is contracted by
Krawczyk's operator or halved across the side along which ∇²f changes most (Neumaier, 1990, *Interval Methods for
Systems of Equations*, sec. 5.6; Hansen & Walster, 2004, *Global Optimization Using Interval Analysis*, ch. 11). On
Rosenbrock's function of five variables this needs half as many boxes as halving the longest side. The search is
breadth-first: if the zeros are not isolated, no box is ever settled, and at the limit all remaining boxes have about
the same size.
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
"""In units of the whole box: narrower boxes are halved only in the refined search, down to the square of this width."""
MAX_REFINED_BOXES = 20_000  # in the refined search: enough for a hundred points; 0.1 s in the plane (our measurement)
# Boxes closer than this belong to one cluster. Near a flat point that is not critical, scattered boxes remain.
LINK_DISTANCE = 2.0**-8
CHUNK_SIZE = 4096  # boxes at a time, so that their jets fit in the cache
POLISHING_STEPS = 12  # Newton steps from a box of width 2⁻²⁰ to a regular zero in it; five are enough


@dataclass(frozen=True, slots=True)
class Zeros:
    """The result of branch and prune."""

    certified: Boxes
    """Each contains exactly one zero and is as narrow as rounding allows."""
    regions: Boxes
    """For each certified box, a larger box around it with no other zero."""
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
        After this many boxes the remaining ones are returned unsettled.
    """
    box = Boxes(lo[None], hi[None])
    found, small, processed, exhausted = _settle(jets, _Found.none(lo.size), box, hi - lo, WIDTH, max_boxes)
    if small.number and not exhausted:
        found, small = _with_zeros_on_faces(jets, found, small, box)
        # Points close to each other, and points close together in a very large box, require a refined search. It has
        # a limit, since it would not end at a degenerate point, where rounding errors hide the sign of ∇f.
        closer = _settle(jets, found, small, hi - lo, WIDTH**2, min(MAX_REFINED_BOXES, max_boxes - processed))
        processed += closer.processed
        if not closer.exhausted:
            found, small = _with_zeros_on_faces(jets, closer.found, closer.small, box)
    found, doubtful = _without_repeats(_Found(refine(jets, found.certified), found.regions), hi - lo)
    small = Boxes.joined([small, doubtful], lo.size)
    return Zeros(found.certified, found.regions, clusters(small, hi - lo), processed, exhausted)


class _Found(NamedTuple):
    """Boxes with one zero each, and for each zero a region in which it is the only one."""

    certified: Boxes
    regions: Boxes

    @staticmethod
    def none(n: int) -> _Found:
        return _Found(Boxes.none(n), Boxes.none(n))


class _Pass(NamedTuple):
    """The result of cutting boxes until they are settled or narrow."""

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
        for start in range(0, active.number, CHUNK_SIZE):
            before = active.where(slice(start, start + CHUNK_SIZE))
            result = contract(jets, before)
            certified.append(result.boxes.where(result.unique))
            regions.append(before.where(result.unique))
            left = ~(result.excluded | result.unique)
            before, after = before.where(left), result.boxes.where(left)
            size = ((after.hi - after.lo) / whole).max(axis=1)
            fine = size <= width
            small.append(after.where(fine))
            # if K(X) has reduced the width to half or less, K(X) is applied again before the box is cut
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
    """Certify regular zeros on faces of boxes: such a zero is in the interior of no box, so it gets a new box.

    A zero outside the whole box is not listed, but small boxes in the region where it is the only zero are settled.
    """
    whole = (box.hi - box.lo)[0]
    T = newton(jets, 0.5 * (small.lo + small.hi), whole, cap=0.01, steps=POLISHING_STEPS)
    T = T[np.isfinite(T).all(axis=1)]
    _, first = np.unique(np.round(T / (1e-9 * whole)), axis=0, return_index=True)
    zeros, alone, proved = certify_near(jets, T[first], whole)
    zeros, alone = zeros.where(proved), alone.where(proved)
    certified, regions = found
    settled = np.zeros(small.number, dtype=bool)
    for i in range(zeros.number):
        zero, region = zeros.where(slice(i, i + 1)), alone.where(slice(i, i + 1))
        settled |= small.within(region)
        # two zeros in a region with only one zero are the same
        known = zero.within(regions).any() or certified.within(region).any()
        if not known and zero.meets(box).all():
            certified, regions = certified + zero, regions + region
    return _Found(certified, regions), small.where(~settled)


def _without_repeats(found: _Found, whole: Array) -> tuple[_Found, Boxes]:
    """Each zero once, and the boxes of those that may be one zero or two.

    A zero is found twice if it was certified in a region smaller than the box in which it was found. Zeros in disjoint
    boxes are different. Two zeros in a region with only one zero are the same.
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
    """Groups of boxes that touch, or nearly touch, on a grid that is not finer than the widest box."""
    if not boxes.number:
        return ()
    centres = 0.5 * (boxes.lo + boxes.hi) / whole
    pitch = max(LINK_DISTANCE, float(((boxes.hi - boxes.lo) / whole).max()))
    cells, cell_of = np.unique(np.floor(centres / pitch), axis=0, return_inverse=True)
    pairs = cKDTree(cells).query_pairs(1.5, p=np.inf, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(cells), len(cells)))
    count, label = connected_components(links, directed=False)
    labels = label[cell_of.reshape(-1)]
    return tuple(boxes.where(labels == k) for k in range(count))
