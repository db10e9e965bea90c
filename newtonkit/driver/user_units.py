"""Conversion between the scaled function of a run (`newtonkit.evaluation.scaling`) and the units of the user."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from newtonkit.classification.verdict import Verdict
from newtonkit.core.state import State
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.driver.stopping import Stop

_LARGEST_TOLERANCE = 1e300  # a scaled tolerance stays finite

# reasons whose measured number and limit are values of f or of its gradient
_BOTH = frozenset(
    {
        TerminationReason.GRADIENT,
        TerminationReason.PRECISION,
        TerminationReason.TARGET,
        TerminationReason.UNBOUNDED,
        TerminationReason.INCONSISTENT,
    }
)
_MEASURED = frozenset(
    {
        TerminationReason.SADDLE,
        TerminationReason.NOT_CRITICAL,
        TerminationReason.NOT_DESCENT,
        TerminationReason.NON_FINITE,
    }
)


def scaled_stop(stop: Stop, scale: float) -> Stop:
    """Return the tolerances for scale·f."""
    gtol = min(stop.gtol * scale, _LARGEST_TOLERANCE)
    return dataclasses.replace(stop, gtol=gtol, target=min(stop.target * scale, _LARGEST_TOLERANCE))


def user_state(state: State, scale: float) -> State:
    """Return the point with f, g and the decrease of the step in the user's units, as a plain state."""
    info = state.info._replace(decrease=state.info.decrease / scale)
    return State(state.x, state.f / scale, state.g / scale, info)


def user_termination(termination: Termination, scale: float) -> Termination:
    """Return the termination in the user's units; numbers in its detail are marked as those of scale·f."""
    reason, detail = termination.reason, termination.detail
    both = reason in _BOTH or (reason is TerminationReason.STALLED and detail == "|Δf|")
    measured = termination.measured / scale if both or reason in _MEASURED else termination.measured
    limit = termination.limit / scale if both or reason is TerminationReason.NO_PROGRESS else termination.limit
    if any(map(str.isdigit, detail)):
        detail = f"{detail} (for f·2^{math.frexp(scale)[1] - 1})"
    return termination._replace(measured=measured, limit=limit, detail=detail)


def user_verdict(verdict: Verdict, scale: float) -> Verdict:
    """Return the verdict with eigenvalues, gradient, reductions and proved bounds in the user's units."""
    reason = verdict.reason
    if any(map(str.isdigit, reason)):
        reason = f"{reason} (for f·2^{math.frexp(scale)[1] - 1})"
    return dataclasses.replace(
        verdict,
        reason=reason,
        eigenvalues=np.asarray(verdict.eigenvalues) / scale,
        eigenvalue_error=verdict.eigenvalue_error / scale,
        gradient_norm=verdict.gradient_norm / scale,
        decrease=verdict.decrease / scale,
        gap=verdict.gap / scale,
        modulus=verdict.modulus / scale,
    )
