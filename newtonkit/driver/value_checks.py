"""Checks by values of f at a point to which derivatives do not object: descent, a decaying tail, a wrong gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.classification.descent import FIRST_STEP
from newtonkit.core.domain import Domain
from newtonkit.core.state import BudgetSpent, State
from newtonkit.derivatives.taylor_test import SlopeCheck, check_slope
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, eigh, max_norm, norm

_DIRECTIONS = 4  # tried if several have no certain curvature; a random one misses a descent cone rarely
_SEED = 0  # of these directions; fixed, so that the same run gives the same verdict
_FAR = 1e8  # times |x₀|: √(1/eps), where half of the digits of x₀ are lost in x
_SEEN = 1e3  # times eps·|f|: linear reductions that rounding of f, some tens of eps, cannot hide
_STEADY = 0.99  # ratio of two reductions in succession: 1 for −log|x|, less than 0.94 for |x|^(−0.1)
_VANISHED = 1e-100  # of the total reduction of f: smaller changes are close to underflow


class DescentProbe(NamedTuple):
    """A direction along which f falls steadily."""

    direction: Vector
    drop: float
    """f at the point minus f at the end of the probe."""
    length: float
    """Length of the probe."""


class ProbeResult(NamedTuple):
    """Values of f along the directions without certain curvature."""

    descent: DescentProbe | None = None
    flat: bool = False
    """Whether gradient and Hessian are zero and f is constant along all probes."""
    reach: float = math.nan
    """Length of the longest probe."""


NOT_PROBED = ProbeResult()


def probe_flat_directions(evaluator: Evaluator, state: State, first: State, H: Matrix, nullity: int) -> ProbeResult:
    """Evaluate f along the ``nullity`` directions of least curvature; an empty result if the budget is too small.

    A descent is more than a claim of convergence may leave: 1e-8 of the reduction of f since the first state.
    """
    domain = evaluator.domain
    reach = FIRST_STEP * max(1.0, max_norm(state.x))
    rounding = _rounding(state)
    worthwhile = _worthwhile(state, first)
    flat = not (state.g.any() or H.any())
    try:
        with _probing(evaluator):
            for p in _flat_directions(H, _movable(domain, state.x), nullity):
                lengths = min(reach, domain.largest_step(state.x, p)) * 0.25 ** np.arange(4)
                drops = np.array([state.f - evaluator.value(domain.project(state.x + t * p)) for t in lengths])
                for start in (0, 1):
                    if drops[start] > worthwhile and (drops[start + 1 : start + 3] > rounding).all():
                        return ProbeResult(DescentProbe(p, drops[start], lengths[start]))
                flat = flat and bool((np.abs(drops) <= max(rounding, _VANISHED * (first.f - state.f))).all())
    except BudgetSpent:
        return NOT_PROBED
    return ProbeResult(None, flat, reach)


def falls_where_uncertain(evaluator: Evaluator, state: State, H: Matrix, nullity: int) -> bool:
    """Return whether f falls as its gradient predicts in the ``nullity`` directions of least relative curvature.

    Relative to √|Hᵢᵢ|, so that units do not matter. The direction is that of steepest descent in their span; two steps
    are tried whose linear reductions are far above rounding.
    """
    scale = np.sqrt(np.abs(H.diagonal()))
    free = _movable(evaluator.domain, state.x) & (scale > 0.0)
    if not free.any() or not np.isfinite(H).all():
        return False
    eigenvalues, Q = eigh(H[np.ix_(free, free)] / scale[free] / scale[free, None])
    basis = Q[:, np.argsort(np.abs(eigenvalues))[:nullity]]
    p = np.zeros(state.x.size)
    p[free] = -(basis @ (basis.T @ (state.g[free] / scale[free]))) / scale[free]
    slope = float(state.g @ p)
    if not slope < 0.0:
        return False
    t = _SEEN * EPS * abs(state.f) / -slope
    try:
        with _probing(evaluator):
            drops = [state.f - evaluator.value(evaluator.domain.project(state.x + k * t * p)) for k in (1.0, 4.0)]
    except BudgetSpent:
        return False
    return drops[0] >= -0.5 * t * slope and drops[1] >= -2.0 * t * slope


def steady_fall(evaluator: Evaluator, state: State, first: State) -> tuple[float, float] | None:
    """Return f at two points, the second eight times as far from the start, if f falls steadily between; else None.

    The first point is x, or the second one if f overflows beyond it. Only variables move that are 1e8 times as far from
    their start as that is from 0. Each doubling of the distance must reduce f by as much as the one before, as for
    −log|x|; where f is bounded below along the line, the reductions tend to zero.
    """
    x0, way = first.x, state.x - first.x
    far = np.abs(way) > _FAR * np.where(x0 != 0.0, np.abs(x0), norm(x0) or 1.0)
    if not far.any():
        return None
    way = np.where(far, way, 0.0)
    try:
        with _probing(evaluator):
            for nearest in (1.0, 0.125):
                points = (evaluator.domain.project(state.x + (t * nearest - 1.0) * way) for t in (1.0, 2.0, 4.0, 8.0))
                values = [evaluator.value(x) for x in points]
                if np.isfinite(values).all():
                    drops = -np.diff(values)
                    steady = drops[0] > _rounding(state) and (drops[1:] >= _STEADY * drops[:-1]).all()
                    return (values[0], values[-1]) if steady else None
    except BudgetSpent:
        pass
    return None


def looks_unbounded(evaluator: Evaluator, state: State, first: State) -> bool:
    """Return whether a run that stalled in a flat region was not led there by a minimum.

    True if there was no slope at the start, as for a function of rounded numbers; if f has not fallen; or if, on the
    straight line from the start, f decays as a tail, not as towards a minimum: the part of the line from 1e-4 to 1e-8
    of its height is longer than that from 1e-2 to 1e-4. For exp(−x) it is twice as long, for x² a tenth.
    """
    height = first.f - state.f
    if not first.g.any() or height <= _rounding(state):
        return True
    if not 1e-8 * height > _rounding(state) or not math.isfinite(height):
        return False

    def position(share: float) -> float:
        below, above = 0.0, 1.0
        for _ in range(50):
            t = 0.5 * (below + above)
            x = evaluator.domain.project(state.x + t * (first.x - state.x))
            higher = evaluator.value(x) - state.f > share * height
            below, above = (below, t) if higher else (t, above)
        return above

    try:
        with _probing(evaluator):
            one, two, three = (position(share) for share in (1e-2, 1e-4, 1e-8))
    except BudgetSpent:
        return False
    return two - three > one - two


def diagnose_gradient(evaluator: Evaluator, state: State, first: State) -> SlopeCheck | None:
    """Compare the slope along −g with differences of f; None if the budget or the domain is too small."""
    if not (all_finite(state.g) and state.g.any()):
        return None
    try:
        with _probing(evaluator):
            return _slope(evaluator, state, first, -state.g, "-g")
    except BudgetSpent:
        return None


def gradient_inconsistent(evaluator: Evaluator, state: State, first: State) -> str:
    """Return how values of f contradict a gradient that the user gave and that vanishes here; empty if they do not.

    Along each of two random directions the slope must certainly be another one, and large enough for a worthwhile
    reduction.
    """
    if not evaluator.objective.grad:
        return ""
    worthwhile = _worthwhile(state, first)
    rng = np.random.default_rng(_SEED)
    try:
        with _probing(evaluator):
            for _ in range(2):
                p = rng.standard_normal(state.x.size)
                slope = _slope(evaluator, state, first, p, "a random direction")
                size = 0.0 if slope is None else abs(slope.by_differences)
                if slope is None or not (slope.wrong and size * size > 2.0 * abs(slope.curvature) * worthwhile):
                    return ""
    except BudgetSpent:
        return ""
    return str(slope)


@contextmanager
def _probing(evaluator: Evaluator) -> Iterator[None]:
    """Values inside are counted as checks and are no candidates for the best point: their gradients are not known."""
    with evaluator.checking(), evaluator.probing(), np.errstate(all="ignore"):
        yield


def _slope(evaluator: Evaluator, state: State, first: State, p: Vector, along: str) -> SlopeCheck | None:
    """The slope along p, of any length, without the variables that are close to a bound; None if none is left."""
    domain, x = evaluator.domain, state.x
    scale = max(norm(x), norm(x - first.x)) or 1.0
    # eps^(1/3) balances truncation against rounding for central differences (N&W, 2006, p. 197)
    h = math.cbrt(EPS) * scale
    p = np.where(_room(domain, x) >= 2.0 * h, p, 0.0)
    if not p.any():
        return None
    return check_slope(lambda y: evaluator.value(domain.project(y)), x, state.f, state.g, p / norm(p), h, along)


def _room(domain: Domain, x: Vector) -> Vector:
    """How far each variable may move in both directions."""
    ones = np.ones(x.size)
    return np.minimum(domain.reach(x, ones), domain.reach(x, -ones))


def _movable(domain: Domain, x: Vector) -> NDArray[np.bool_]:
    """Which variables are not at a bound."""
    return _room(domain, x) > 0.0


def _rounding(state: State) -> float:
    return 10 * EPS * abs(state.f)


def _worthwhile(state: State, first: State) -> float:
    """A reduction above the tolerance of `nothing_left` (remaining_reduction.py) and certainly above rounding."""
    return max(1e-8 * (first.f - state.f), 1e4 * EPS * abs(state.f))


def _flat_directions(H: Matrix, free: NDArray[np.bool_], nullity: int) -> list[Vector]:
    """Unit vectors and their opposites in the span of the eigenvectors of least |λ|; any if H is not finite.

    Variables that are not free do not move.
    """
    basis = np.eye(len(H))[:, free]
    if np.isfinite(H).all() and free.any():
        eigenvalues, Q = eigh(H[np.ix_(free, free)])
        basis = basis @ Q[:, np.argsort(np.abs(eigenvalues))[:nullity]]
    k = basis.shape[1]
    if k == 0:
        return []
    # general directions: xyz is zero along its axes
    weights = np.random.default_rng(_SEED).standard_normal((min(k, _DIRECTIONS), k))
    vectors = [np.ascontiguousarray(basis @ w) for w in weights]
    return [sign * v / norm(v) for v in vectors for sign in (1.0, -1.0)]
