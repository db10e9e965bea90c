"""Why a run ends: kinds, reasons and their messages, and the recorded termination."""

from __future__ import annotations

import enum
import math
from typing import NamedTuple


class Kind(enum.Enum):
    """The four ways a run can end."""

    CONVERGED = "converged"
    BUDGET = "budget"
    FAILURE = "failure"
    STOPPED = "stopped by the user"


class TerminationReason(enum.Enum):
    """Why a run ended: each member carries its kind, the wording of its message, and one sentence of advice.

    ``{measured}`` and ``{limit}`` are numbers, ``{detail}`` a clause from the place where the decision fell.
    """

    GRADIENT = (
        Kind.CONVERGED,
        "converged: ‖g‖∞ = {measured:.3g} ≤ gtol = {limit:.3g}, and {detail}",
        "",
    )
    PRECISION = (
        Kind.CONVERGED,
        "converged to working precision: ‖g‖∞ = {measured:.3g} (gtol = {limit:.3g}), and {detail}",
        "rounding allows no further progress.",
    )
    TARGET = (Kind.CONVERGED, "target reached: f = {measured:.6g} ≤ target = {limit:.6g}", "")
    STALLED = (
        Kind.CONVERGED,
        "the last step changed too little to go on: {detail} = {measured:.3g} ≤ {limit:.3g}",
        "the gradient was not tested; lower or drop ftol and xtol to let gtol decide.",
    )
    EPOCHS = (Kind.CONVERGED, "all {limit:.0f} {detail} done", "")
    PATIENCE = (
        Kind.CONVERGED,
        "stopped early: the {detail} has not fallen below {measured:.6g} in {limit:.0f} looks at it",
        "",
    )
    ITERATIONS = (
        Kind.BUDGET,
        "stopped after {measured:.0f} iterations (maxiter = {limit:.0f})",
        "raise maxiter to go on from result.x.",
    )
    EVALUATIONS = (
        Kind.BUDGET,
        "stopped before evaluation {measured:.0f} of {detail} would exceed the limit of {limit:.0f}",
        "raise the limit to go on from result.x.",
    )
    TIME = (
        Kind.BUDGET,
        "stopped after {measured:.3g} s (maxtime = {limit:.3g} s)",
        "raise maxtime to go on from result.x.",
    )
    CALLBACK = (Kind.STOPPED, "stopped by the callback at iteration {measured:.0f}", "go on from result.x.")
    SADDLE = (
        Kind.FAILURE,
        "ended at a {detail} (‖g‖∞ = {measured:.3g}), which is no minimum",
        "start elsewhere, or use a method that leaves such points downhill, such as 'newton' or 'lbfgs'.",
    )
    NOT_CRITICAL = (
        Kind.FAILURE,
        "the last test passed with ‖g‖∞ = {measured:.3g}, but {detail}",
        "f may have no minimum, be flat here, or have another gradient; look at result.verdict.",
    )
    UNBOUNDED = (
        Kind.FAILURE,
        "f seems unbounded below: f = {measured:.3g} < {limit:.3g}",
        "check the sign of f, or bound the problem.",
    )
    INCONSISTENT = (
        Kind.FAILURE,
        "fun gave {measured:.6g} where it had given {limit:.6g} at the same point",
        "fun must depend on nothing but x and args.",
    )
    EXCEPTION = (Kind.FAILURE, "user code raised {detail}", "this is the best point until then.")
    NON_FINITE = (
        Kind.FAILURE,
        "{detail}",
        "check the domain of f at the starting point, or take a smaller learning rate.",
    )
    NOT_DESCENT = (
        Kind.FAILURE,
        "no direction of descent: slope gᵀp = {measured:.3g} ≥ {limit:g}",
        "multiply f by a constant if its values are tiny, or compare the gradient with newtonkit.check_derivatives.",
    )
    LINE_SEARCH = (
        Kind.FAILURE,
        "the line search found no acceptable step in {limit:.0f} trials: {detail}",
        "newtonkit.check_derivatives tells a wrong gradient from a function that is noisy or has kinks.",
    )
    RADIUS = (
        Kind.FAILURE,
        "the trust region shrank to {measured:.3g}, below the rounding of x, {limit:.3g}: {detail}",
        "newtonkit.check_derivatives tells a wrong gradient from a function that is noisy or has kinks.",
    )
    SINGULAR = (
        Kind.FAILURE,
        "the Hessian is singular: {detail}",
        "use method='newton', which is safe at singular Hessians.",
    )
    DIVERGED = (
        Kind.FAILURE,
        "all {detail} done, but the loss over all data is {measured:.6g}, and never was below {limit:.6g}, its start",
        "take a smaller learning rate, or a larger batch.",
    )
    UNMOVED = (
        Kind.FAILURE,
        "all {detail} done, but no update has moved the parameters",
        "the loss must depend on the params it is given; start where its gradient is not zero, at a rate that is felt.",
    )

    def __init__(self, kind: Kind, template: str, advice: str) -> None:
        self.kind = kind
        self.template = template
        self.advice = advice

    @property
    def status(self) -> int:
        """0 for every converged reason, a positive number of its own for every other."""
        if self.kind is Kind.CONVERGED:
            return 0
        others = [reason for reason in TerminationReason if reason.kind is not Kind.CONVERGED]
        return 1 + others.index(self)

    def __repr__(self) -> str:
        return f"TerminationReason.{self.name}"


class Termination(NamedTuple):
    """A reason with the numbers that decided it, recorded where it was decided."""

    reason: TerminationReason
    measured: float = math.nan
    limit: float = math.nan
    detail: str = ""
    advice: str = ""
    """In place of the reason's, where more is known."""

    @property
    def message(self) -> str:
        """The sentence for the user: cause, number, limit, advice."""
        reason = self.reason
        text = reason.template.format(measured=self.measured, limit=self.limit, detail=self.detail)
        advice = self.advice or reason.advice
        return f"{text}; {advice}" if advice else f"{text}."


def from_exception(error: BaseException) -> Termination:
    """The ending of a run in which user code raised this exception."""
    words = str(error)
    return Termination(TerminationReason.EXCEPTION, detail=type(error).__name__ + (f": {words}" if words else ""))
