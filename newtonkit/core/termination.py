"""Why a run ends: kinds, reasons and their messages, and the recorded termination."""

from __future__ import annotations

import enum
import math
from functools import cached_property
from typing import NamedTuple


class Kind(enum.Enum):
    """The four ways a run can end.

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.minimize(lambda x: (x[0] - 1) ** 2, [0.0]).reason.kind
    <Kind.CONVERGED: 'converged'>
    """

    CONVERGED = "converged"
    BUDGET = "budget"
    FAILURE = "failure"
    STOPPED = "stopped by the user"


class TerminationReason(enum.Enum):
    """Why a run ended: each member has a kind, the template of its message, and general advice.

    ``{measured}`` and ``{limit}`` are numbers, ``{detail}`` is a clause given where the decision was made. Advice that
    depends on the method and the problem is chosen by `newtonkit.driver.advice.advise`.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2, [0.0])
    >>> result.reason is newtonkit.TerminationReason.GRADIENT, result.reason.status
    (True, 0)
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
        "the change of the last step is within the tolerance: {detail} = {measured:.3g} ≤ {limit:.3g}",
        "the gradient was not tested; lower or omit ftol and xtol if gtol is to decide.",
    )
    STEP = (
        Kind.CONVERGED,
        "converged: the next step would change every parameter by at most {limit:.3g} of itself, or by rounding errors",
        "",
    )
    EPOCHS = (Kind.CONVERGED, "all {limit:.0f} {detail} done", "")
    PATIENCE = (
        Kind.CONVERGED,
        "stopped early: the {detail} has not fallen below {measured:.6g} in {limit:.0f} evaluations",
        "",
    )
    ITERATIONS = (
        Kind.BUDGET,
        "stopped after {measured:.0f} iterations (maxiter = {limit:.0f}){detail}",
        "raise maxiter to resume from this result.",
    )
    EVALUATIONS = (
        Kind.BUDGET,
        "stopped before evaluation {measured:.0f} of {detail} would exceed the limit of {limit:.0f}",
        "raise the limit to resume from this result.",
    )
    TIME = (
        Kind.BUDGET,
        "stopped after {measured:.3g} s (maxtime = {limit:.3g} s)",
        "raise maxtime to resume from this result.",
    )
    CALLBACK = (
        Kind.STOPPED,
        "stopped by the callback at iteration {measured:.0f}",
        "the run can be resumed from this result.",
    )
    SADDLE = (
        Kind.FAILURE,
        "ended at a {detail} (‖g‖∞ = {measured:.3g}), which is not a minimum",
        "start from another point.",
    )
    NOT_CRITICAL = (
        Kind.FAILURE,
        "the last test passed with ‖g‖∞ = {measured:.3g}, but {detail}",
        "f may have no minimum, be flat here, or have another gradient; see result.verdict.",
    )
    UNBOUNDED = (
        Kind.FAILURE,
        "f seems unbounded below: f = {measured:.3g} < {limit:.3g}{detail}",
        "check the sign of f, or bound the problem.",
    )
    INCONSISTENT = (
        Kind.FAILURE,
        "fun returned {measured:.6g} where it had returned {limit:.6g} at the same point",
        "fun must depend on x and args only.",
    )
    EXCEPTION = (Kind.FAILURE, "user code raised {detail}", "this is the best point found before it.")
    NON_FINITE = (
        Kind.FAILURE,
        "{detail}",
        "start where f and its derivatives are finite.",
    )
    NOT_DESCENT = (
        Kind.FAILURE,
        "no direction of descent: slope gᵀp = {measured:.3g} ≥ {limit:g}",
        "multiply f by a constant if its values are tiny.",
    )
    LINE_SEARCH = (
        Kind.FAILURE,
        "the line search found no acceptable step in {limit:.0f} trials: {detail}",
        "newtonkit.check_derivatives shows whether f is noisy or has a kink here.",
    )
    RADIUS = (
        Kind.FAILURE,
        "the trust region shrank to {measured:.3g}, below the rounding of x, {limit:.3g}: {detail}",
        "newtonkit.check_derivatives shows whether f is noisy or has a kink here.",
    )
    NO_REDUCTION = (
        Kind.FAILURE,
        "no step reduces {detail}; the largest entry of the gradient is {measured:.3g}",
        "start from another point, or use method='hybrid', which leaves saddles by exact second derivatives.",
    )
    SINGULAR = (
        Kind.FAILURE,
        "the Hessian is singular: {detail}",
        "use method='newton', which is safe at singular Hessians.",
    )
    UNDETERMINED = (
        Kind.FAILURE,
        "the data do not determine {detail}",
        "fix or bound these parameters, or use a model with fewer of them.",
    )
    DIVERGED = (
        Kind.FAILURE,
        "all {detail} done, but the loss over all data is {measured:.6g} and was never below its initial {limit:.6g}",
        "use a smaller learning rate or a larger batch.",
    )
    UNMOVED = (
        Kind.FAILURE,
        "all {detail} done, but no update has changed the parameters",
        "the loss must depend on params; start where its gradient is not zero, with a larger learning rate.",
    )
    NO_PROGRESS = (
        Kind.FAILURE,
        "no progress over {measured:.0f} iterations: ‖g‖∞ stays near {limit:.3g} and f falls by less than 1e-10 of its "
        "total reduction{detail}",
        "rescale the variables.",
    )

    def __init__(self, kind: Kind, template: str, advice: str) -> None:
        self.kind = kind
        self.template = template
        self.advice = advice

    @cached_property
    def status(self) -> int:
        """0 for every converged reason, a different positive number for each other reason."""
        if self.kind is Kind.CONVERGED:
            return 0
        others = [reason for reason in TerminationReason if reason.kind is not Kind.CONVERGED]
        return 1 + others.index(self)

    def __repr__(self) -> str:
        return f"TerminationReason.{self.name}"


class Termination(NamedTuple):
    """A reason with the measured number and its limit, recorded where it was decided."""

    reason: TerminationReason
    measured: float = math.nan
    limit: float = math.nan
    detail: str = ""
    advice: str = ""
    """Replaces the general advice of the reason."""

    @property
    def message(self) -> str:
        """The sentence for the user: cause, number, limit, advice."""
        reason = self.reason
        text = reason.template.format(measured=self.measured, limit=self.limit, detail=self.detail)
        advice = self.advice or reason.advice
        return f"{text}; {advice}" if advice else f"{text}."


def from_exception(error: BaseException) -> Termination:
    """The termination of a run in which user code raised this exception."""
    text = str(error)
    return Termination(TerminationReason.EXCEPTION, detail=type(error).__name__ + (f": {text}" if text else ""))
