"""A step by line search with a second chance along −g, and how long a first step may be."""

from __future__ import annotations

import math

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, dot, norm
from newtonkit.linesearch.line_function import LineFunction, LineSearch

_FARTHEST = 1e3


def line_search_step(
    evaluator: Evaluator, state: State, p: Vector | None, line_search: LineSearch, guess: float = 1.0
) -> tuple[LineFunction, StepInfo]:
    """Search along p, from α = ``guess``; should that fail, or p be None or no descent, along −g.

    The last trial of the returned ray is the accepted point; ``ray.p`` tells which direction led there.

    Raises
    ------
    StepFailure
        LINE_SEARCH or NOT_DESCENT, when −g has failed too.
    """
    note = ""
    if p is not None:
        ray = LineFunction(evaluator, state, p)
        if ray.slope0 < 0.0 and (alpha := _found(ray, line_search, guess)) is not None:
            return ray, _info(ray, state, alpha, "")
        note = "curvature forgotten, steepest descent taken"
    ray = LineFunction(evaluator, state, -state.g)
    if not ray.slope0 < 0.0:
        raise StepFailure(TerminationReason.NOT_DESCENT, measured=ray.slope0, limit=0.0)
    alpha = _found(ray, line_search, first_step_length(evaluator, state.x, state.g, ray.p))
    if alpha is None:
        raise StepFailure(TerminationReason.LINE_SEARCH, f"slope {ray.slope0:.3g}", limit=line_search.max_trials)
    return ray, _info(ray, state, alpha, note)


def _found(ray: LineFunction, line_search: LineSearch, guess: float) -> float | None:
    """The search's answer, or the lowest point that met Armijo's condition on the way."""
    alpha = line_search.search(ray, guess)
    if alpha is None and ray.return_to_best():
        alpha = ray.alpha
    return alpha


def _info(ray: LineFunction, state: State, alpha: float, note: str) -> StepInfo:
    # by position, which takes half the time
    return StepInfo(True, alpha * norm(ray.p), state.f - ray.f, alpha, math.nan, math.nan, ray.trials, note)


def first_step_length(evaluator: Evaluator, x: Vector, g: Vector, p: Vector) -> float:
    """The step length along p = −g (or a multiple of it) where nothing is known of the curvature.

    The minimizer along p of the quadratic model, by one Hessian-vector product where there is one that is exact, but no
    more than a thousand times max(1, ‖x‖) away: where f is nearly flat, curvature says nothing of where that ends. Else
    the length that takes x as far as min(1, ‖x‖), or 1 from the origin.
    """
    slope = dot(g, p)
    if evaluator.has_exact_products:
        curvature = dot(p, evaluator.hvp(x)(p))
        if curvature > 0.0 and math.isfinite(curvature):
            alpha = -slope / curvature
            if math.isfinite(alpha) and alpha > 0.0:
                return min(alpha, _FARTHEST * max(1.0, norm(x)) / norm(p))
    return (min(1.0, norm(x)) or 1.0) / norm(p)
