"""Newton's method for ∇f = 0 from many starts at once: what it finds is critical, what it misses is only estimated.

Undamped, because a merit function ‖∇f‖² has minima that are no critical points (Nocedal & Wright, 2006, p. 287):
minimizing it, 73 % of what was returned on the surface of Müller & Brown was spurious. Steps are capped instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from newtonkit.enumeration.enclosures import Array, Differentiable

SINGULAR = 1e-12
"""Relative to the largest: eigenvalues smaller than this may be rounding."""
_CAP = 0.2  # of the box: the largest step in any variable
_CONVERGED = 1e-9  # of the box: a step this short, and Newton's next is rounding
_STRAY = 1.0  # how far outside, in boxes, an iterate may go before it is given up


def newton(points: Differentiable, T: Array, whole: Array, *, cap: float, steps: int) -> Array:
    """Newton's method from every row of T, undamped, with steps no longer than ``cap`` in units of ``whole``.

    A row stays where it is once g or H is not finite.
    """
    for _ in range(steps):
        values = points.at(T)
        step = newton_steps(values.g, values.H)
        T = T + np.where(np.isfinite(step), _capped(step, whole, cap), 0.0)
    return T


def newton_from_many(points: Differentiable, T: Array, lo: Array, hi: Array, *, steps: int = 60) -> Array:
    """The limits of Newton's method from those rows of T from where it converges to a point between lo and hi."""
    whole = hi - lo
    limits = [np.empty((0, lo.size))]
    for _ in range(steps):
        if not len(T):
            break
        values = points.at(T)
        step = newton_steps(values.g, values.H)
        T = T + _capped(step, whole, _CAP)
        done = (np.abs(step) <= _CONVERGED * whole).all(axis=1)
        limits.append(T[done])
        stray = _STRAY * whole
        T = T[~done & between(T, lo - stray, hi + stray)]
    found = np.concatenate(limits)
    # a point on the boundary belongs to the box, on whichever side of it rounding has put the limit
    margin = _CONVERGED * whole
    return found[between(found, lo - margin, hi + margin)]


def between(T: Array, lo: Array, hi: Array) -> NDArray[np.bool_]:
    """Which rows of T lie between lo and hi."""
    return np.asarray(((lo <= T) & (hi >= T)).all(axis=1))


def newton_steps(g: Array, H: Array) -> Array:
    """−H⁻¹g for many at a time, of least norm where H is singular; NaN where g or H is not finite."""
    finite = np.asarray(np.isfinite(H).all(axis=(1, 2)) & np.isfinite(g).all(axis=1))
    steps = np.full(g.shape, np.nan)
    with np.errstate(all="ignore"):
        # in the unit of H, so that determinants neither overflow nor vanish
        unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(H).max(axis=(1, 2)), np.finfo(np.float64).tiny))))
        scaled, right = H / unit[:, None, None], -(g / unit[:, None])[:, :, None]
        regular = np.asarray(finite & (np.linalg.det(np.where(finite[:, None, None], scaled, 0.0)) != 0.0))
        steps[regular] = np.linalg.solve(scaled[regular], right[regular])[:, :, 0]
        singular = finite & ~regular
        if singular.any():
            inverse = np.linalg.pinv(scaled[singular], rcond=SINGULAR, hermitian=True)
            steps[singular] = (inverse @ right[singular])[:, :, 0]
    return steps


def _capped(step: Array, whole: Array, cap: float) -> Array:
    length = np.abs(step / whole).max(axis=1, keepdims=True)
    shorter: Array = step * np.minimum(1.0, cap / np.maximum(length, np.finfo(np.float64).tiny))
    return shorter


def distinct(T: Array, whole: Array, tolerance: float = 1e-6) -> tuple[Array, NDArray[np.int64]]:
    """Rows of T no two of which are within ``tolerance`` in units of ``whole``, and how many rows each stands for."""
    kept: list[int] = []
    hits: list[int] = []
    tree = cKDTree(T / whole) if len(T) else None
    left = np.ones(len(T), dtype=bool)
    for i in range(len(T)):
        if left[i] and tree is not None:
            near = np.array(tree.query_ball_point(T[i] / whole, tolerance, p=np.inf))
            kept.append(i)
            hits.append(int(left[near].sum()))
            left[near] = False
    return T[kept], np.array(hits, dtype=np.int64)


def coverage(hits: NDArray[np.int64]) -> float:
    """The estimated share of runs that would end at a point already found: 1 − (points found once)/(runs).

    Good (1953), Biometrika 40, 237, equation 9, after Turing. Shares are of starts, not of points: a point with a small
    basin counts little.
    """
    return 1.0 - float((hits == 1).sum()) / float(hits.sum()) if hits.size else 0.0
