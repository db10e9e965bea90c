"""Gathering evidence for a claim: second-order verdicts and values of f, each measured only if it may decide."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from newtonkit.classification.allowance import FULL_EIGENVALUES, UNLIMITED
from newtonkit.classification.convex_scope import proved_convexity
from newtonkit.classification.point_verdict import PointVerdict, verdict_at
from newtonkit.classification.verdict import Verdict, unchecked
from newtonkit.convex.certificate import Convexity
from newtonkit.core.state import State
from newtonkit.core.termination import Kind, Termination, TerminationReason
from newtonkit.driver.convergence import (
    CLAIMS_OF_CONVERGENCE,
    EXCUSABLE,
    FALLS_SHORT,
    NO_STEP,
    Evidence,
    Refusal,
    decide,
)
from newtonkit.driver.method import Method
from newtonkit.driver.remaining_reduction import nothing_left
from newtonkit.driver.value_checks import (
    diagnose_gradient,
    falls_where_uncertain,
    gradient_inconsistent,
    looks_unbounded,
    probe_flat_directions,
    steady_fall,
)
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm

_NEXT_CLAIM = 0.1  # a refused claim is examined again once ‖g‖∞ has fallen by this factor: few checks per run
_CANCELLATION = 100 * EPS  # times |H||x|: rounding error of a gradient whose terms cancel

_NOTHING = PointVerdict(unchecked("nothing was measured yet"), None)


class Examiner:
    """Measures the evidence for the claims of one run; it decides nothing.

    All evaluations are counted in ``evaluator.check_counts``.

    Parameters
    ----------
    evaluator : Evaluator
    method : Method
        The method of the run; replaced when a fallback takes its place.
    gtol : float
    enabled : bool
        False: every verdict is "unchecked".
    thorough : bool, default False
        Whether a verdict may spend more than its allowance.
    """

    def __init__(
        self, evaluator: Evaluator, method: Method, gtol: float, *, enabled: bool = True, thorough: bool = False
    ) -> None:
        self.evaluator = evaluator
        self.method = method
        self.gtol = gtol
        self.enabled = enabled
        self.thorough = thorough
        self._has_proof = False
        self._proof: Convexity | None = None
        self.forget()

    def forget(self) -> None:
        """Discard everything that was measured with derivatives that proved wrong."""
        self.refusal = Refusal()
        self._x: Vector | None = None
        self._known = _NOTHING

    def is_due(self, claim: Termination) -> bool:
        """Whether a claim of convergence is to be examined now; one that was refused waits for a smaller gradient."""
        if claim.reason is not TerminationReason.GRADIENT or claim.measured == 0.0:
            return True
        return claim.measured <= _NEXT_CLAIM * self.refusal.gradient_norm

    def refuse(self, claim: Termination, evidence: Evidence) -> None:
        """Remember that a claim was refused."""
        if claim.reason in CLAIMS_OF_CONVERGENCE:
            self.refusal = evidence.next_refusal

    def gather(self, claim: Termination, state: State, first: State | None, *, may_escape: bool = True) -> Evidence:
        """Return the evidence for a claim at this state, in the order of its cost, until it decides.

        Parameters
        ----------
        claim : Termination
        state : State
            Where the claim is made.
        first : State or None
            The first state of the run.
        may_escape : bool, default True
            Whether the run may still leave a degenerate saddle; after too many of them f is considered unbounded.
        """
        if first is None or claim.reason not in EXCUSABLE | CLAIMS_OF_CONVERGENCE:
            return Evidence()
        evidence = self._numbers(state, first)
        if claim.reason in FALLS_SHORT and self.enabled:
            evidence = evidence._replace(steady_fall=steady_fall(self.evaluator, state, first))
        if claim.reason.kind is Kind.BUDGET and not evidence.gradient_norm <= self.gtol:
            return evidence
        if claim.reason in CLAIMS_OF_CONVERGENCE and evidence.is_settling:
            return evidence
        probe = claim.reason in CLAIMS_OF_CONVERGENCE or claim.reason is TerminationReason.PRECISION
        if not self.enabled:
            return evidence._replace(verdict=self.point_verdict(state).verdict)
        verdict, H, _ = self.point_verdict(state, self._worthwhile(claim, state, first), probe=probe)
        evidence = evidence._replace(
            verdict=verdict,
            product_error=self.evaluator.product_error,
            gradient_is_rounding=_is_rounding(state.x, self.evaluator.domain.free_gradient(state.x, state.g), H),
            curvature_ratio=_curvature_ratio(H),
        )
        if evidence.verdict is not None and evidence.verdict.kind != "unchecked":
            error = self.evaluator.gradient_error(state.x, state.g)
            evidence = evidence._replace(gradient_error=error, value_noise=self.evaluator.value_noise)
        outcome = decide(claim, evidence)
        if outcome is None or verdict.kind == "unchecked":
            return evidence
        if outcome.reason in NO_STEP or outcome.reason is TerminationReason.NO_PROGRESS:
            evidence = evidence._replace(measured_noise=self.evaluator.measure_noise(state.x, state.f))
            outcome = decide(claim, evidence) or outcome
        if outcome.reason is TerminationReason.SADDLE and verdict.kind == "degenerate saddle":
            # f falls where the gradient vanishes: a gradient that the user gave may be wrong
            inconsistency = gradient_inconsistent(self.evaluator, state, first)
            return evidence._replace(gradient_inconsistency=inconsistency)
        if outcome.reason is TerminationReason.PRECISION and verdict.kind == "undecided" and H is not None:
            evidence = evidence._replace(falls=falls_where_uncertain(self.evaluator, state, H, verdict.nullity or 1))
            outcome = decide(claim, evidence)
            if outcome is None:
                return evidence
        if outcome.reason in (TerminationReason.GRADIENT, TerminationReason.PRECISION):
            return self._with_values(evidence, state, first, H, may_escape=may_escape)
        if outcome.reason in NO_STEP or outcome.reason is TerminationReason.NO_PROGRESS:
            return evidence._replace(slope=diagnose_gradient(self.evaluator, state, first))
        return evidence

    def _worthwhile(self, claim: Termination, state: State, first: State) -> Callable[[float, float], bool] | None:
        """For a claim on the gradient: whether a predicted reduction and a Newton step refuse it by themselves."""
        if claim.reason is not TerminationReason.GRADIENT:
            return None
        f, f_start, x_norm = state.f, first.f, norm(state.x)
        return lambda decrease, step: not nothing_left(decrease, step, f, f_start, x_norm)

    def _numbers(self, state: State, first: State) -> Evidence:
        return Evidence(
            gtol=self.gtol,
            f=state.f,
            f_start=first.f,
            f_best=self.evaluator.incumbent.f,
            gradient_norm=self.evaluator.criticality(state.x, state.g),
            gradient_norm_start=self.evaluator.domain.criticality(first.x, first.g),
            x_norm=norm(state.x),
            travelled=norm(state.x - first.x),
            checks_enabled=self.enabled,
            refusal=self.refusal,
        )

    def _with_values(
        self, evidence: Evidence, state: State, first: State, H: Matrix | None, *, may_escape: bool
    ) -> Evidence:
        """The evidence with values of f near the point, for a claim to which derivatives do not object."""
        verdict = evidence.verdict
        inconsistency = gradient_inconsistent(self.evaluator, state, first)
        if inconsistency:
            return evidence._replace(gradient_inconsistency=inconsistency)
        if verdict is not None and verdict.kind == "undecided" and H is not None:
            probe = probe_flat_directions(self.evaluator, state, first, H, verdict.nullity or 1)
            evidence = evidence._replace(probe=probe)
            if probe.descent is not None:
                kind = "degenerate saddle" if may_escape else "not critical"
                drop, length = probe.descent.drop, probe.descent.length
                verdict = dataclasses.replace(
                    verdict,
                    kind=kind,
                    reason=f"f falls by {drop:.2g} within {length:.2g} along a direction of hardly any curvature",
                    escape_direction=probe.descent.direction,
                )
                self._known = self._known._replace(verdict=verdict)
                return evidence._replace(verdict=verdict)
            if probe.flat and (self.refusal.newton_step < math.inf or looks_unbounded(self.evaluator, state, first)):
                return evidence._replace(looks_unbounded=True)
        return evidence

    def point_verdict(
        self, state: State, worthwhile: Callable[[float, float], bool] | None = None, *, probe: bool = True
    ) -> PointVerdict:
        """Return the verdict at this state and the Hessian; what was computed at this point is not computed again.

        ``worthwhile`` and ``probe`` are as for `verdict_at`.
        """
        if not self.enabled and self._x is not state.x:
            size = self.evaluator.criticality(state.x, state.g)
            off = unchecked("second-order checks are turned off (options verdict=False)", size)
            self._known, self._x = PointVerdict(off, None), state.x
        if not self.enabled:
            return self._known
        if self._x is not state.x or not self._known.complete:
            known = verdict_at(
                self.evaluator,
                state.x,
                state.f,
                state.g,
                factorizable=lambda: self.method.factorizable_hessian(self.evaluator, state),
                allowance=UNLIMITED if self.thorough else None,
                worthwhile=worthwhile,
                probe=probe,
                earlier=self._known if self._x is state.x else None,
                convexity=lambda: self._convexity_at(state.x),
            )
            self._known, self._x = known, state.x
        return self._known

    def _convexity_at(self, x: Vector) -> Convexity | None:
        """What is proved of the convexity of f: derived at the first claim, and kept for the run."""
        if not self._has_proof:
            self._proof, self._has_proof = proved_convexity(self.evaluator, x), True
        return self._proof

    def final_verdict(self, state: State, claim: Termination) -> Verdict:
        """Return the verdict for the Result; a large problem that did not converge is not worth the products."""
        converged = claim.reason.kind is Kind.CONVERGED
        cheap = "hess" in self.method.needs or state.x.size <= FULL_EIGENVALUES
        if not (converged or claim.reason is TerminationReason.SADDLE or cheap):
            return unchecked("the run did not converge")
        return self.point_verdict(state, probe=converged or claim.reason is TerminationReason.SADDLE).verdict


def _is_rounding(x: Vector, g: Vector, H: Matrix | None) -> bool:
    if H is None:
        return True
    return bool((np.abs(g) <= _CANCELLATION * (np.abs(H) @ np.abs(x))).all())


def _curvature_ratio(H: Matrix | None) -> float:
    if H is None:
        return math.nan
    diagonal = np.abs(np.diag(H))
    diagonal = diagonal[diagonal > 0.0]
    return float(diagonal.max() / diagonal.min()) if diagonal.size else math.nan
