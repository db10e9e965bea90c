"""The decision to end: `decide` maps a claim and the evidence to a Termination, or to None: the run continues.

A *claim* is a Termination that a cheap test, a failed step or a budget proposes. The *evidence* is what was measured
for it (`newtonkit.driver.examiner`). Missing measurements are None and raise no objection.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from newtonkit.classification.verdict import NO_MINIMUM, Verdict
from newtonkit.core.termination import Kind, Termination, TerminationReason
from newtonkit.derivatives.taylor_test import SlopeCheck
from newtonkit.driver.remaining_reduction import nothing_left, rounding_reached
from newtonkit.driver.reproducibility import is_same, noise_of, noise_sentence
from newtonkit.driver.value_checks import NOT_PROBED, ProbeResult
from newtonkit.linalg.kernels import EPS

CLAIMS_OF_CONVERGENCE = frozenset({TerminationReason.GRADIENT, TerminationReason.STALLED})
# claims at a point that may nevertheless be critical: a failed step, a stalled run, a lower point, a spent budget
EXCUSABLE = frozenset(
    {
        TerminationReason.LINE_SEARCH,
        TerminationReason.RADIUS,
        TerminationReason.NOT_DESCENT,
        TerminationReason.SINGULAR,
        TerminationReason.PRECISION,
        TerminationReason.NOT_CRITICAL,
        TerminationReason.NO_PROGRESS,
        TerminationReason.ITERATIONS,
        TerminationReason.EVALUATIONS,
        TerminationReason.TIME,
    }
)
NO_STEP = frozenset({TerminationReason.LINE_SEARCH, TerminationReason.RADIUS})
# failures that may be due to an f without a lower bound, which falls too slowly for the limit on its values
FALLS_SHORT = frozenset(
    {
        TerminationReason.LINE_SEARCH,
        TerminationReason.RADIUS,
        TerminationReason.NOT_DESCENT,
        TerminationReason.NO_PROGRESS,
        TerminationReason.ITERATIONS,
    }
)

# relative reduction of ‖g‖∞ required when no budget remains to verify convergence: half the digits of a double
_UNVERIFIED_REDUCTION = 1e-8
_SHRINKING = 0.95  # of Newton's step: 10^(−1/7) = 0.72 of it is left at x⁸ when ‖g‖∞ has fallen tenfold
_ROUGH = 1e-9  # relative error of products above which "no critical point near" is uncertain; differences have 1e-7
_SMALL_GAIN = 1e-8  # of |f|: for a smaller predicted reduction a short Newton step is accepted; as in `nothing_left`
_BAD_UNITS = 1e8  # ratio of curvatures, √(1/eps): beyond it a secant pair holds no digit of the smallest one
_MINIMA = frozenset({"minimum", "degenerate minimum", "valley"})
_NOISE_FACTOR = 3.0  # standard deviations of noise within which a predicted reduction cannot be seen


class Refusal(NamedTuple):
    """The last claim of convergence that was refused."""

    gradient_norm: float = math.inf
    newton_step: float = math.inf
    """Finite only if the step is expected to shrink from claim to claim: near a degenerate minimizer."""


NEVER_REFUSED = Refusal()


class Evidence(NamedTuple):
    """What was measured for one claim at one point x. Numbers that were not measured are NaN or None."""

    gtol: float = math.nan
    f: float = math.nan
    f_start: float = math.nan
    f_best: float = math.nan
    """The lowest value seen in this run."""
    gradient_norm: float = math.nan
    """‖g‖∞; NaN if g is not finite."""
    gradient_error: float = 0.0
    """Bound on the error of ‖g‖∞: 0 for exact derivatives, positive for differences."""
    value_noise: float = 0.0
    """Noise of f beyond its rounding, as differences of f have measured it."""
    gradient_norm_start: float = math.nan
    x_norm: float = math.nan
    travelled: float = math.nan
    """‖x − x₀‖."""
    checks_enabled: bool = True
    refusal: Refusal = NEVER_REFUSED
    verdict: Verdict | None = None
    product_error: float = math.nan
    """Relative error of a Hessian-vector product."""
    gradient_is_rounding: bool = True
    """Whether each |gᵢ| is below the rounding error of (|H||x|)ᵢ; True if H is not known."""
    curvature_ratio: float = math.nan
    """Largest over smallest nonzero |Hᵢᵢ|."""
    probe: ProbeResult = NOT_PROBED
    """Values of f along the directions without certain curvature."""
    falls: bool = False
    """Whether f falls, as its gradient predicts, in a direction of uncertain curvature."""
    steady_fall: tuple[float, float] | None = None
    """f at two points, the second eight times as far from x₀, if f falls steadily between them."""
    looks_unbounded: bool = False
    """Whether f decays along the path from x₀ to x as towards an infimum at infinity."""
    gradient_inconsistency: str = ""
    """How differences of f contradict a gradient that the user gave; empty if they do not."""
    slope: SlopeCheck | None = None
    """Comparison of the slope along −g with differences of f."""
    measured_noise: float = 0.0
    """Standard deviation of f near the point, from a table of differences; 0 if it was not measured."""
    repeated_values: tuple[float, ...] = ()
    """Further values of f at the point to be returned."""
    plain_value: float | None = None
    """The user's function, called plainly at the point to be returned."""

    @property
    def exceeds_best(self) -> bool:
        """Whether f is above the lowest value seen by more than rounding."""
        return self.f - self.f_best > 10 * EPS * abs(self.f)

    @property
    def is_settling(self) -> bool:
        """Whether the claim is the first one and made above the best point, as by a method that oscillates."""
        return self.exceeds_best and self.refusal.gradient_norm == math.inf

    @property
    def exhausted(self) -> str:
        """In which scale-free sense no worthwhile reduction is left; empty if one is."""
        if self.verdict is None:
            return ""
        if self.gradient_norm == 0.0 and math.isnan(self.verdict.decrease):
            return "it is exactly zero, where the Hessian is not finite"
        return nothing_left(self.verdict.decrease, self.verdict.newton_step, self.f, self.f_start, self.x_norm)

    @property
    def rounding_limit(self) -> str:
        """In which sense rounding allows no further reduction; empty if it does.

        If the units of the variables differ by many powers of ten, a step that is short compared with ‖x‖ may be far
        from the last one. The terms that cancel in g near a minimizer are as large as those of Hx.
        """
        if self.verdict is None:
            return ""
        decrease, step = self.verdict.decrease, self.verdict.newton_step
        if self.falls:
            return ""
        if self.gradient_error > 0.0:
            return self._noise_limit
        reached = rounding_reached(decrease, step, self.f, self.x_norm)
        # the step and the reduction leave out directions of uncertain curvature, in which f may still fall
        certain = self.gradient_is_rounding and self.verdict.kind != "undecided"
        if reached and (decrease <= _SMALL_GAIN * abs(self.f) or certain):
            return reached
        # f and x both tend to zero, so that neither measures rounding: residuals that are right to eps of their size
        # at the start make a sum of squares right to eps² of it
        noise = self.measured_noise
        if noise > 0.0 and self.verdict.kind in _MINIMA and decrease <= _NOISE_FACTOR * noise:
            return f"the predicted reduction, {decrease:.2g}, is below the noise of f, about {noise:.1g}"
        if step <= 1e-8 * self.travelled and decrease <= EPS**2 * (self.f_start - self.f):
            return f"the predicted reduction, {decrease:.2g}, is below eps² of the total reduction of f"
        return ""

    @property
    def _noise_limit(self) -> str:
        """In which sense the noise of f allows no further reduction, for a gradient by differences.

        The gradient may be wrong by its error bar e in every entry, so that ½‖e‖²/λ may be left to gain, where λ is the
        smallest eigenvalue.
        """
        verdict = self.verdict
        if verdict is None or verdict.kind != "minimum" or not verdict.eigenvalues.size:
            return ""
        n, smallest = verdict.eigenvalues.size, float(verdict.eigenvalues[0])
        hidden = 0.5 * n * self.gradient_error * self.gradient_error / smallest if smallest > 0.0 else math.inf
        left = verdict.decrease + hidden
        if self.gradient_error < math.inf and left <= max(self.value_noise, 10 * EPS * abs(self.f)):
            return f"what may be left to gain, {left:.2g}, is below the noise of f"
        return ""

    @property
    def newton_step_should_shrink(self) -> bool:
        """Whether "not critical" may be wrong: near a degenerate minimizer Newton's steps shrink from claim to claim.

        On exp(−x) they do not.
        """
        verdict = self.verdict
        return (
            verdict is not None
            and verdict.kind == "not critical"
            and not verdict.regular
            and not verdict.index
            and bool(self.exhausted)
            and self.product_error < _ROUGH
        )

    @property
    def next_refusal(self) -> Refusal:
        """What to remember if the claim is refused."""
        step = self.refusal.newton_step
        if self.verdict is not None and self.newton_step_should_shrink:
            step = self.verdict.newton_step
        return Refusal(self.gradient_norm, step)


def decide(claim: Termination, evidence: Evidence) -> Termination | None:
    """Return the Termination that a claim amounts to in view of the evidence; None if the run should continue.

    Pure: it evaluates nothing and stores nothing.

    Parameters
    ----------
    claim : Termination
        GRADIENT, STALLED: a tolerance is met. PRECISION: no measurable gain over several steps. NOT_CRITICAL: the best
        point is another one than the last. All others: a failure, a budget, a request of the user.
    evidence : Evidence
        With ``plain_value``: the point is the one to be returned, and None is never returned.
    """
    if evidence.plain_value is not None:
        return _decide_at_solution(claim, evidence, evidence.plain_value)
    if claim.reason in CLAIMS_OF_CONVERGENCE:
        return _confirm(claim, evidence)
    if claim.reason not in EXCUSABLE:
        return claim
    termination = _excuse(claim, evidence)
    if termination is not claim:
        return termination
    if evidence.steady_fall is not None:
        near, far = evidence.steady_fall
        detail = ", and each doubling of the distance from x0 reduces f by as much as the one before"
        return Termination(TerminationReason.UNBOUNDED, far, near, detail)
    if claim.reason is TerminationReason.PRECISION:
        return None
    if claim.reason in NO_STEP:
        return claim if evidence.slope is None else claim._replace(detail=str(evidence.slope))
    if claim.reason is TerminationReason.NO_PROGRESS:
        return claim._replace(detail=_cause(evidence))
    return claim


def _cause(evidence: Evidence) -> str:
    """Why a run makes no progress; empty if that is not known."""
    slope = evidence.slope
    if slope is not None and (slope.has_kink or slope.wrong):
        return f"; {slope}"
    if evidence.curvature_ratio >= _BAD_UNITS:
        return f"; the curvatures of the variables differ by {evidence.curvature_ratio:.0e}"
    return ""


def _confirm(claim: Termination, evidence: Evidence) -> Termination | None:
    """A claim of convergence: confirmed, refused (None), or contradicted by the kind of point."""
    verdict = evidence.verdict
    if evidence.is_settling or verdict is None:
        return None
    if verdict.kind == "unchecked":
        required = _UNVERIFIED_REDUCTION * evidence.gradient_norm_start
        if evidence.checks_enabled and evidence.gradient_norm > required:
            return None
        return claim._replace(detail="no second-order check was made")
    if evidence.gradient_inconsistency:
        return _contradicted_by_values(evidence)
    failure = failure_from_verdict(verdict)
    is_saddle = failure is not None and failure.reason is TerminationReason.SADDLE
    if claim.reason is TerminationReason.STALLED or is_saddle or evidence.probe.descent is not None:
        return failure or claim
    exhausted = evidence.exhausted
    if claim.measured + evidence.gradient_error > evidence.gtol:
        return None
    if not exhausted or verdict.index:  # negative curvature is a worthwhile reduction, even away from a saddle
        return None
    if failure is None:
        return _contradicted_by_values(evidence) or claim._replace(detail=exhausted)
    stuck = verdict.newton_step > _SHRINKING * evidence.refusal.newton_step
    return failure if evidence.newton_step_should_shrink and stuck else None


def _excuse(claim: Termination, evidence: Evidence) -> Termination:
    """GRADIENT, PRECISION or SADDLE if the point proves to be one; otherwise the claim itself."""
    verdict = evidence.verdict
    if verdict is None or verdict.kind == "unchecked":
        return claim
    if evidence.gradient_inconsistency:
        return _contradicted_by_values(evidence) or claim
    failure = failure_from_verdict(verdict)
    if failure is not None:
        is_saddle = failure.reason is TerminationReason.SADDLE
        return failure if is_saddle or evidence.probe.descent is not None else claim
    if verdict.index:
        return claim
    size, gtol = verdict.gradient_norm, evidence.gtol
    if size + evidence.gradient_error <= gtol and evidence.exhausted:
        reached = Termination(TerminationReason.GRADIENT, size, gtol, evidence.exhausted)
    elif evidence.rounding_limit:
        reached = Termination(TerminationReason.PRECISION, size, gtol, evidence.rounding_limit)
    else:
        return claim
    return _contradicted_by_values(evidence) or reached


def _contradicted_by_values(evidence: Evidence) -> Termination | None:
    """NOT_CRITICAL if values of f contradict derivatives that vanish."""
    if evidence.probe.flat and evidence.looks_unbounded:
        reach = evidence.probe.reach
        detail = f"gradient and Hessian are zero here, and f is constant in all tested directions within {reach:.2g}"
        return Termination(TerminationReason.NOT_CRITICAL, 0.0, detail=detail)
    if evidence.gradient_inconsistency:
        return Termination(
            TerminationReason.NOT_CRITICAL, evidence.gradient_norm, detail=evidence.gradient_inconsistency
        )
    return None


def _decide_at_solution(claim: Termination, evidence: Evidence, plain_value: float) -> Termination:
    """The last decision, at the point to be returned: is fun reproducible, and does the verdict allow success?"""
    f, start = evidence.f, evidence.f_start
    if math.isfinite(f) and not is_same(plain_value, f, start):
        noise = noise_of((plain_value, *evidence.repeated_values), f, start)
        if noise == math.inf:
            return Termination(TerminationReason.INCONSISTENT, plain_value, f)
        report = noise_sentence(noise, f)
        if report not in claim.detail:
            claim = claim._replace(detail="; ".join(filter(None, (claim.detail, report))))
    # a target may be reached anywhere
    if claim.reason.kind is Kind.CONVERGED and claim.reason is not TerminationReason.TARGET and evidence.verdict:
        return failure_from_verdict(evidence.verdict) or claim
    return claim


def failure_from_verdict(verdict: Verdict) -> Termination | None:
    """SADDLE or NOT_CRITICAL if the verdict excludes a minimum; otherwise None."""
    if verdict.kind not in NO_MINIMUM:
        return None
    if verdict.kind == "not critical":
        return Termination(TerminationReason.NOT_CRITICAL, verdict.gradient_norm, detail=verdict.reason)
    index = f" of index {verdict.index}" if verdict.kind == "saddle" and verdict.index else ""
    why = f" where {verdict.reason}" if verdict.kind.startswith("degenerate") else ""
    if not why and verdict.index is None:
        why = f": {verdict.reason}"
    return Termination(TerminationReason.SADDLE, verdict.gradient_norm, detail=f"{verdict.kind}{index}{why}")
