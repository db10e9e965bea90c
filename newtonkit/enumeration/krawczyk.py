"""Krawczyk's operator, which proves that a box contains no zero of ∇f, or exactly one; and the index of this zero.

For a box X with midpoint m and any matrix Y, every zero of ∇f in X lies in

    K(X) = m − Y∇f(m) + (I − Y∇²f(X))(X − m),

If K(X) lies in the interior of X, there is exactly one (Moore, 1977, SIAM J. Numer. Anal. 14, 611; Neumaier, 1990,
*Interval Methods for Systems of Equations*, theorem 5.1.8). Matrix products use midpoints and radii, with a-priori
bounds of their rounding errors (Higham, 2002, *Accuracy and Stability of Numerical Algorithms*, sec. 3.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.enumeration.enclosures import Array, Jets
from newtonkit.linalg.intervals import Interval
from newtonkit.linalg.kernels import EPS

SPLIT_POSITION = 0.48711  # not the centre, where symmetric functions often have a critical point
MIN_CUT_LENGTH = 0.1  # of the longest side: shorter sides are not cut, so all sides shrink whatever their weights
_TINY = float(np.finfo(np.float64).tiny)
# radii of the boxes that are tried around an approximate zero, in units of the whole box
INFLATION_RADII = 2.0 ** np.arange(-44, -6, 3)
MAX_REFINEMENTS = 40  # a certified box may shrink slowly at first; later it shrinks quadratically


class Boxes(NamedTuple):
    """Boxes between the rows of lo and hi."""

    lo: Array
    hi: Array

    @staticmethod
    def none(n: int) -> Boxes:
        """No box."""
        return Boxes(np.empty((0, n)), np.empty((0, n)))

    @staticmethod
    def joined(parts: Sequence[Boxes], n: int) -> Boxes:
        """All boxes of all parts."""
        parts = [Boxes.none(n), *parts]
        return Boxes(np.concatenate([part.lo for part in parts]), np.concatenate([part.hi for part in parts]))

    def where(self, mask: NDArray[np.bool_] | slice) -> Boxes:
        """The selected boxes."""
        return Boxes(self.lo[mask], self.hi[mask])

    def __add__(self, other: Boxes) -> Boxes:  # type: ignore[override]
        return Boxes(np.concatenate([self.lo, other.lo]), np.concatenate([self.hi, other.hi]))

    def halved(self, whole: Array, weight: Array | None = None) -> Boxes:
        """Each box cut in two across its longest side, in units of ``whole``.

        If weights are given, the side of largest weight is cut, among those that are not too short.
        """
        rows = np.arange(self.number)
        length = (self.hi - self.lo) / whole
        if weight is not None:
            # if all weights are zero, the longest side is cut
            long = length >= MIN_CUT_LENGTH * length.max(axis=1, keepdims=True)
            length = np.where(long, weight + np.finfo(np.float64).tiny * length, -1.0)
        side = length.argmax(axis=1)
        cut = self.lo[rows, side] + SPLIT_POSITION * (self.hi[rows, side] - self.lo[rows, side])
        lower_hi, upper_lo = self.hi.copy(), self.lo.copy()
        lower_hi[rows, side] = upper_lo[rows, side] = cut
        return Boxes(self.lo, lower_hi) + Boxes(upper_lo, self.hi)

    def within(self, other: Boxes) -> NDArray[np.bool_]:
        """Which boxes lie in the box of the same number in ``other``; either may be a single box."""
        return np.asarray(((self.lo >= other.lo) & (self.hi <= other.hi)).all(axis=1))

    def meets(self, other: Boxes) -> NDArray[np.bool_]:
        """Which boxes intersect the box of the same number in ``other``; either may be a single box."""
        return np.asarray(((self.lo <= other.hi) & (self.hi >= other.lo)).all(axis=1))

    @property
    def number(self) -> int:
        """The number of boxes."""
        return len(self.lo)


class Contracted(NamedTuple):
    """The result of Krawczyk's operator on boxes."""

    boxes: Boxes
    excluded: NDArray[np.bool_]
    """The box contains no zero."""
    unique: NDArray[np.bool_]
    """The box contains exactly one zero, which lies in the contracted box."""
    weight: Array
    """For every side, its contribution to the width of K(X) through the change of ∇²f over the box."""


def contract(jets: Jets, boxes: Boxes) -> Contracted:
    """One application of Krawczyk's operator."""
    with np.errstate(all="ignore"):  # unbounded enclosures give NaN, which settles nothing
        return _contracted(jets, boxes)


def _contracted(jets: Jets, boxes: Boxes) -> Contracted:
    lo, hi = boxes
    enclosed = jets.over(lo, hi)
    G, H = enclosed.g, enclosed.H
    assert H is not None
    excluded = ((G.lo > 0.0) | (G.hi < 0.0)).any(axis=1)
    unique, weight = np.zeros(boxes.number, dtype=bool), np.zeros_like(lo)
    left = np.flatnonzero(~excluded)
    if not left.size:
        return Contracted(boxes, excluded, unique, weight)

    lo, hi, H = lo[left], hi[left], Interval(H.lo[left], H.hi[left])
    box = Interval(lo, hi)
    m, r = box.midpoint(), box.radius()
    g = jets.over(m, m, second_order=False).g
    g_mid, g_rad = g.midpoint(), g.radius()
    # the mean value form: ∇f(x) ∈ ∇f(m) + ∇²f(X)(X − m)
    reach = _above(np.einsum("bij,bj->bi", H.magnitude(), r))
    away = (np.abs(g_mid) > _above(g_rad + reach)).any(axis=1)

    K, valid, weight[left] = _krawczyk(m, r, g_mid, g_rad, H)
    inside = valid & ((K.lo > lo) & (K.hi < hi)).all(axis=1)
    lo, hi = np.where(valid[:, None], np.maximum(lo, K.lo), lo), np.where(valid[:, None], np.minimum(hi, K.hi), hi)
    away |= (lo > hi).any(axis=1)
    excluded[left] = away
    unique[left] = inside & ~away
    narrowed = Boxes(boxes.lo.copy(), boxes.hi.copy())
    narrowed.lo[left], narrowed.hi[left] = lo, hi
    return Contracted(narrowed, excluded, unique, weight)


def _krawczyk(m: Array, r: Array, g_mid: Array, g_rad: Array, H: Interval) -> tuple[Interval, NDArray[np.bool_], Array]:
    """K(X) for the boxes m ± r, whether it is valid, and the weight of each side in its width."""
    n = m.shape[1]
    H_mid, H_rad = H.midpoint(), H.radius()
    valid = np.isfinite(H_rad).all(axis=(1, 2)) & np.isfinite(g_rad).all(axis=1)
    H_mid, H_rad = np.where(valid[:, None, None], H_mid, 0.0), np.where(valid[:, None, None], H_rad, 0.0)
    g_mid, g_rad = np.where(valid[:, None], g_mid, 0.0), np.where(valid[:, None], g_rad, 0.0)
    # scaled by the size of H, so that determinants neither overflow nor underflow
    unit = 2.0 ** np.floor(np.log2(np.maximum(np.abs(H_mid).max(axis=(1, 2)), _TINY)))[:, None, None]
    valid &= np.linalg.det(H_mid / unit) != 0.0
    Y = np.linalg.inv(np.where(valid[:, None, None], H_mid / unit, np.eye(n))) / unit
    A = np.abs(Y)
    error = (2 * n + 4) * EPS
    hessian_variation = A @ H_rad
    M = np.abs(np.eye(n) - Y @ H_mid) + hessian_variation + error * (A @ np.abs(H_mid) + np.eye(n))
    step = np.einsum("bij,bj->bi", Y, g_mid)
    width = np.einsum("bij,bj->bi", A, g_rad + error * np.abs(g_mid)) + np.einsum("bij,bj->bi", M, r)
    centre, radius = m - step, _above(width + error * np.abs(m) + error * np.abs(step))
    valid &= np.isfinite(radius).all(axis=1) & np.isfinite(centre).all(axis=1)
    weight = np.where(valid[:, None], hessian_variation.sum(axis=1) * r, 0.0)
    return Interval(centre - radius, centre + radius), valid, weight


def _above(bound: Array) -> Array:
    """An upper bound of the exact value of a computed sum of a few dozen products of non-negative floats."""
    return bound * (1.0 + 64 * EPS) + _TINY


def refine(jets: Jets, boxes: Boxes) -> Boxes:
    """Boxes with exactly one zero each, contracted as far as rounding allows."""
    lo, hi = boxes.lo.copy(), boxes.hi.copy()
    left = np.arange(boxes.number)
    for _ in range(MAX_REFINEMENTS):
        if not left.size:
            break
        tighter = contract(jets, Boxes(lo[left], hi[left])).boxes
        shrunk = (tighter.hi - tighter.lo < 0.9 * (hi[left] - lo[left])).any(axis=1)
        lo[left], hi[left] = tighter
        left = left[shrunk]
    return Boxes(lo, hi)


def certify_near(jets: Jets, T: Array, whole: Array) -> tuple[Boxes, Boxes, NDArray[np.bool_]]:
    """Certify approximate zeros: refined boxes with exactly one zero each, regions of uniqueness, and which succeeded.

    Boxes of increasing size are tried. The smallest one that proves existence gives the enclosure; the largest one
    gives the region that contains no other zero (Rump, 1983, in *A New Approach to Scientific Computation*, 51).
    """
    boxes, regions = Boxes(T.copy(), T.copy()), Boxes(T.copy(), T.copy())
    proved = np.zeros(len(T), dtype=bool)
    for inflation in INFLATION_RADII:
        tried = Boxes(T - inflation * whole, T + inflation * whole)
        result = contract(jets, tried)
        new = result.unique & ~proved
        boxes.lo[new], boxes.hi[new] = result.boxes.lo[new], result.boxes.hi[new]
        regions.lo[result.unique], regions.hi[result.unique] = tried.lo[result.unique], tried.hi[result.unique]
        proved |= result.unique
    refined = refine(jets, boxes.where(proved))
    boxes.lo[proved], boxes.hi[proved] = refined
    return boxes, regions, proved


def proved_index(jets: Jets, boxes: Boxes) -> NDArray[np.int64]:
    """The number of negative eigenvalues of ∇²f, proved constant on each box; −1 if this is not proved.

    S is computed from the eigenvectors at the midpoint, so SᵀHS is close to a diagonal matrix of ±1 for every H in the
    enclosure. If SᵀHS is strictly diagonally dominant, S is regular and the diagonal has the signs of the eigenvalues
    of H (Gershgorin, Sylvester). The proof does not depend on the accuracy of S.
    """
    n = boxes.lo.shape[1]
    H = jets.over(*boxes).H
    assert H is not None
    H_mid, H_rad = H.midpoint(), H.radius()
    finite = np.isfinite(H_rad).all(axis=(1, 2))[:, None, None]
    H_mid, H_rad = np.where(finite, H_mid, 0.0), np.where(finite, H_rad, np.inf)
    with np.errstate(all="ignore"):  # a singular matrix fails the test, also after a division by zero
        size = np.sqrt(np.abs(np.diagonal(H_mid, axis1=1, axis2=2)))
        rows = np.where(size > 0.0, size, np.sqrt(np.abs(H_mid).max(axis=2)))
        D = 1.0 / np.where(rows > 0.0, rows, 1.0)
        eigenvalues, Q = np.linalg.eigh(D[:, :, None] * H_mid * D[:, None, :])
        S = D[:, :, None] * Q / np.sqrt(np.abs(eigenvalues))[:, None, :]
        A, St = np.abs(S), np.swapaxes(S, 1, 2)
        At = np.swapaxes(A, 1, 2)
        C = St @ H_mid @ S
        error = _above(At @ H_rad @ A + (2 * n + 4) * EPS * (At @ np.abs(H_mid) @ A))
        diagonal = np.diagonal(C, axis1=1, axis2=2)
        off_diagonal = (np.abs(C) + error).sum(axis=2) - np.abs(diagonal)
        dominant = (np.abs(diagonal) > _above(off_diagonal)).all(axis=1)
    index: NDArray[np.int64] = np.where(dominant, (diagonal < 0.0).sum(axis=1), -1)
    return index
