"""A step by line search, repeated along −g if it fails; the length of a first step."""

from __future__ import annotations

import math

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, dot, quick_norm
from newtonkit.linesearch.line_function import LineFunction, LineSearch
from newtonkit.trustregion.units import EUCLIDEAN, Units

# Longest first step in units of max(1, ‖x‖): if f is nearly flat, its curvature is unreliable that far away
_LONGEST = 1e3


def line_search_step(
    evaluator: Evaluator,
    state: State,
    p: Vector | None,
    line_search: LineSearch,
    guess: float = 1.0,
    units: Units = EUCLIDEAN,
) -> tuple[LineFunction, StepInfo]:
    """Search along p from α = ``guess``; along −D⁻²g if that fails, or if p is None or no descent direction.

    The last trial of the returned line is the accepted point; ``line.p`` is the direction that was used, which is p
    itself unless a bound or a failure changed it.

    Raises
    ------
    StepFailure
        LINE_SEARCH or NOT_DESCENT, if the search along −D⁻²g fails too.
    """
    note = ""
    domain = evaluator.domain
    if p is not None:
        line = LineFunction(evaluator, state, domain.project_direction(state.x, p, guess))
        if line.slope0 < 0.0 and (alpha := _found(line, line_search, guess)) is not None:
            return line, _info(line, state, alpha, "")
        note = "search direction failed: curvature discarded, steepest-descent step taken"
    line, guess = steepest_descent_line(evaluator, state, units=units)
    alpha = _found(line, line_search, guess)
    if alpha is None:
        raise StepFailure(TerminationReason.LINE_SEARCH, f"slope {line.slope0:.3g}", limit=line_search.max_trials)
    return line, _info(line, state, alpha, note)


def steepest_descent_line(
    evaluator: Evaluator, state: State, guess: float | None = None, units: Units = EUCLIDEAN
) -> tuple[LineFunction, float]:
    """Return f along the projected −D⁻²g, and the first trial: ``guess``, or `first_step_length`.

    Raises
    ------
    StepFailure
        NOT_DESCENT, if the direction is zero.
    """
    domain = evaluator.domain
    p = units.step(units.gradient(-domain.free_gradient(state.x, state.g)))
    slope = dot(state.g, p)
    if not slope < 0.0:
        raise StepFailure(TerminationReason.NOT_DESCENT, measured=slope, limit=0.0)
    alpha = first_step_length(evaluator, state.x, state.g, p, units) if guess is None else guess
    return LineFunction(evaluator, state, domain.project_direction(state.x, p, alpha)), alpha


def _found(line: LineFunction, line_search: LineSearch, guess: float) -> float | None:
    """Return the step length of the search, or that of the best trial that met Armijo's condition."""
    alpha = line_search.search(line, guess)
    if alpha is None and line.restore_best():
        alpha = line.alpha
    return alpha


def _info(line: LineFunction, state: State, alpha: float, note: str) -> StepInfo:
    # by position: keywords take twice the time
    return StepInfo(True, alpha * quick_norm(line.p), state.f - line.f, alpha, math.nan, math.nan, line.trials, note)


def first_step_length(evaluator: Evaluator, x: Vector, g: Vector, p: Vector, units: Units = EUCLIDEAN) -> float:
    """Return the step length along p = −D⁻²g (or a multiple of it) if nothing is known of the curvature.

    It is the minimizer of the quadratic model along p, by one Hessian-vector product, if exact products are available
    and the curvature is positive; its distance ‖Dp‖ is limited to 1000·max(1, ‖Dx‖). Otherwise it is the step length of
    distance min(1, ‖Dx‖), or 1 if x = 0.
    """
    slope = dot(g, p)
    if evaluator.has_exact_products:
        curvature = dot(p, evaluator.hvp(x)(p))
        if curvature > 0.0 and math.isfinite(curvature):
            alpha = -slope / curvature
            if math.isfinite(alpha) and alpha > 0.0:
                return min(alpha, _LONGEST * max(1.0, units.length(x)) / units.length(p))
    return (min(1.0, units.length(x)) or 1.0) / units.length(p)
