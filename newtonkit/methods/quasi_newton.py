"""What the quasi-Newton methods share: the pair that carries curvature, and a line search with a second chance."""

from __future__ import annotations

import math

from newtonkit.linalg import EPS, Vector, dot, norm
from newtonkit.linesearch import LineSearch, Ray
from newtonkit.methods.base import first_step_length
from newtonkit.oracle import Oracle
from newtonkit.state import Reason, State, StepFailure, StepInfo

_TINY = 1e-290  # its inverse, and that of its neighbours, is finite


def secant_pair(s: Vector, y: Vector) -> float | None:
    """sᵀy, or None where it is no certain positive curvature: sᵀy ≤ eps·‖s‖‖y‖ is never divided by.

    Nor is yᵀy where it has underflowed.
    """
    sy = dot(s, y)
    return sy if sy > _TINY and dot(y, y) > _TINY and sy > EPS * norm(s) * norm(y) else None


def check_fresh(workspace: int, state: int) -> None:
    """Raise if the workspace, which is updated in place, has moved on since the state was made."""
    if workspace != state:
        raise RuntimeError(
            f"this state is stale: it belongs to iteration {state}, but its run has gone on to iteration {workspace}; "
            "step the latest state, or start from a copy"
        )


def line_search_step(oracle: Oracle, state: State, p: Vector | None, line_search: LineSearch) -> tuple[Ray, StepInfo]:
    """Search along p; should that fail, or p be None or no descent, along −g.

    The last trial of the returned ray is the accepted point; ``ray.p`` tells which direction led there.

    Raises
    ------
    StepFailure
        LINE_SEARCH or NOT_DESCENT, when −g has failed too.
    """
    note = ""
    if p is not None:
        ray = Ray(oracle, state, p)
        if ray.slope0 < 0.0 and (alpha := _found(ray, line_search, 1.0)) is not None:
            return ray, _info(ray, state, alpha, "")
        note = "curvature forgotten, steepest descent taken"
    ray = Ray(oracle, state, -state.g)
    if not ray.slope0 < 0.0:
        raise StepFailure(Reason.NOT_DESCENT, measured=ray.slope0, limit=0.0)
    alpha = _found(ray, line_search, first_step_length(oracle, state.x, state.g, ray.p))
    if alpha is None:
        raise StepFailure(Reason.LINE_SEARCH, f"slope {ray.slope0:.3g}", limit=line_search.max_trials)
    return ray, _info(ray, state, alpha, note)


def _found(ray: Ray, line_search: LineSearch, guess: float) -> float | None:
    """The search's answer, or the lowest point that met Armijo's condition on the way."""
    alpha = line_search.search(ray, guess)
    if alpha is None and ray.return_to_best():
        alpha = ray.alpha
    return alpha


def _info(ray: Ray, state: State, alpha: float, note: str) -> StepInfo:
    # by position, which takes half the time
    return StepInfo(True, alpha * norm(ray.p), state.f - ray.f, alpha, math.nan, math.nan, ray.trials, note)
