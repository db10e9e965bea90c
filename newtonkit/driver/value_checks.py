"""What values of f say of a point to which derivatives do not object: a way down, a tail, a wrong gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from newtonkit.core.state import BudgetSpent, State
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.derivatives.taylor_test import SlopeCheck, check_slope
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, eigh, max_norm, norm

REACH = 0.1  # of max(1, ‖x‖∞): how far a first look from a saddle, or along a flat direction, goes
_LOOKS = 4  # directions tried where several have no certain curvature
_SEED = 0  # of these directions; fixed, so that the same run gives the same verdict
_VANISHED = 1e-100  # of the fall of f: what is less has all but underflowed


class Fall(NamedTuple):
    """A direction along which f falls steadily, and by how much within which length."""

    direction: Vector
    drop: float
    length: float


class Surroundings(NamedTuple):
    """What was seen along the directions without certain curvature."""

    fall: Fall | None = None
    flat: bool = False
    """Whether gradient and Hessian are zero and f is the same as far as was looked."""
    reach: float = math.nan


def look_around(evaluator: Evaluator, state: State, first: State, H: Matrix, nullity: int) -> Surroundings:
    """Values of f along the ``nullity`` directions of least curvature; nothing where the budget has no room for them.

    A fall is more than is left to a claim: 1e-8 of what f has lost since the first state.
    """
    reach = REACH * max(1.0, max_norm(state.x))
    lengths = reach * 0.25 ** np.arange(4)
    rounding = _rounding(state)
    worthwhile = _worthwhile(state, first)
    flat = not (state.g.any() or H.any())
    try:
        with _aside(evaluator):
            for p in _flat_directions(H, nullity):
                drops = np.array([state.f - evaluator.value(state.x + t * p) for t in lengths])
                for start in (0, 1):
                    if drops[start] > worthwhile and (drops[start + 1 : start + 3] > rounding).all():
                        return Surroundings(Fall(p, drops[start], lengths[start]))
                flat = flat and bool((np.abs(drops) <= max(rounding, _VANISHED * (first.f - state.f))).all())
    except BudgetSpent:
        return Surroundings()
    return Surroundings(None, flat, reach)


def is_aimless(evaluator: Evaluator, state: State, first: State) -> bool:
    """Whether nothing has led the run to a flat place.

    There was no slope at the start, as for a function of rounded numbers; or f has not fallen; or on the straight way
    from the start it comes down as a tail does, not as towards a minimum: from 1e-4 to 1e-8 of its height it takes
    longer than from 1e-2 to 1e-4, exp(−x) twice as long, x² a tenth.
    """
    height = first.f - state.f
    if not first.g.any() or height <= _rounding(state):
        return True
    if not 1e-8 * height > _rounding(state) or not math.isfinite(height):
        return False

    def place(share: float) -> float:
        below, above = 0.0, 1.0
        for _ in range(50):
            t = 0.5 * (below + above)
            higher = evaluator.value(state.x + t * (first.x - state.x)) - state.f > share * height
            below, above = (below, t) if higher else (t, above)
        return above

    try:
        with _aside(evaluator):
            one, two, three = (place(share) for share in (1e-2, 1e-4, 1e-8))
    except BudgetSpent:
        return False
    return two - three > one - two


def about_the_slope(evaluator: Evaluator, state: State, first: State) -> str:
    """What differences of f say of the slope along −g; empty where the budget has no room for them."""
    if not (all_finite(state.g) and state.g.any()):
        return ""
    try:
        with _aside(evaluator):
            return str(_slope(evaluator, state, first, -state.g / norm(state.g), "-g"))
    except BudgetSpent:
        return ""


def refuted(evaluator: Evaluator, state: State, first: State) -> Termination | None:
    """NOT_CRITICAL where values of f refute a gradient that the user gave, for which this point is critical.

    Along two random directions the slope must certainly be another, and leave something worthwhile to gain.
    """
    if not evaluator.objective.grad:
        return None
    worthwhile = _worthwhile(state, first)
    rng = np.random.default_rng(_SEED)
    try:
        with _aside(evaluator):
            for _ in range(2):
                p = rng.standard_normal(state.x.size)
                slope = _slope(evaluator, state, first, p / norm(p), "a random direction")
                if not (slope.wrong and slope.by_differences**2 > 2.0 * abs(slope.curvature) * worthwhile):
                    return None
    except BudgetSpent:
        return None
    return Termination(TerminationReason.NOT_CRITICAL, max_norm(state.g), detail=str(slope))


@contextmanager
def _aside(evaluator: Evaluator) -> Iterator[None]:
    """Values asked for inside are checks, and no candidates for the best point, whose gradient is known."""
    with evaluator.checking(), evaluator.probing(), np.errstate(all="ignore"):
        yield


def _slope(evaluator: Evaluator, state: State, first: State, p: Vector, along: str) -> SlopeCheck:
    scale = max(norm(state.x), norm(state.x - first.x)) or 1.0
    # eps^(1/3) balances truncation against rounding for central differences (N&W, 2006, p. 197)
    return check_slope(evaluator.value, state.x, state.f, state.g, p, math.cbrt(EPS) * scale, along)


def _rounding(state: State) -> float:
    return 10 * EPS * abs(state.f)


def _worthwhile(state: State, first: State) -> float:
    """A decrease that is more than nothing, see `nothing_left`, and certainly more than rounding."""
    return max(1e-8 * (first.f - state.f), 1e4 * EPS * abs(state.f))


def _flat_directions(H: Matrix, nullity: int) -> list[Vector]:
    """Unit vectors, and their opposites, in the span of the eigenvectors of least |λ|; any where H is not finite."""
    if np.isfinite(H).all():
        eigenvalues, Q = eigh(H)
        basis = Q[:, np.argsort(np.abs(eigenvalues))[:nullity]]
    else:
        basis = np.eye(len(H))
    k = basis.shape[1]
    # general directions: along its axes xyz is zero
    weights = np.random.default_rng(_SEED).standard_normal((min(k, _LOOKS), k))
    vectors = [np.ascontiguousarray(basis @ w) for w in weights]
    return [sign * v / norm(v) for v in vectors for sign in (1.0, -1.0)]
