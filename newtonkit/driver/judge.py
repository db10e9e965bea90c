"""Whether a run may claim what it claims: second-order checks, and the way out of a saddle."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from newtonkit.classification.point_verdict import FULL_EIGENVALUES, PointVerdict, verdict_at
from newtonkit.classification.verdict import NO_MINIMUM, Verdict, unchecked
from newtonkit.core.state import State
from newtonkit.core.termination import Kind, Termination, TerminationReason
from newtonkit.driver.method import Method
from newtonkit.driver.stopping import Stop, nothing_left, rounding_reached
from newtonkit.driver.value_checks import REACH, Fall, about_the_slope, is_aimless, look_around, refuted
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, dot, max_norm, norm

_AGAIN = 0.1  # a claim that was turned down is heard again once ‖g‖∞ has fallen by this factor
_SHRUNK = 0.95  # of Newton's step: 10^(−1/7) = 0.72 of it is left at x⁸ when ‖g‖∞ has fallen tenfold
_FAR_DOWN = 1e-8  # of ‖g‖∞ at the start: what a claim must show where the budget leaves no room for its check
_ROUGH = 1e-9  # relative error of curvature above which "no critical point near" is no certainty
_ESCAPES = 5  # per run
_SMALL_GAIN = 1e-8  # of |f|: less than that is left where a step that failed is forgiven for being short
_RECOVERABLE = frozenset(
    {
        TerminationReason.LINE_SEARCH,
        TerminationReason.RADIUS,
        TerminationReason.NOT_DESCENT,
        TerminationReason.SINGULAR,
        TerminationReason.PRECISION,
    }
)
_NO_STEP = frozenset({TerminationReason.LINE_SEARCH, TerminationReason.RADIUS})


class Judge:
    """Checks the claims of one run by curvature; its evaluations go into the evaluator's ledger of checks.

    Parameters
    ----------
    evaluator : Evaluator
    stop : Stop
    method : Method
    enabled : bool
        False: every verdict is "unchecked" and every claim believed.
    """

    def __init__(self, evaluator: Evaluator, stop: Stop, method: Method, *, enabled: bool = True) -> None:
        self.evaluator = evaluator
        self.stop = stop
        self.enabled = enabled
        self.method = method
        self.escapes_left = _ESCAPES
        self._turned_down_at = math.inf
        self._last_step = math.inf
        self._verdict: Verdict | None = None
        self._verdict_x: Vector | None = None
        self._hessian: Matrix | None = None

    def hear(self, claim: Termination, state: State, first: State) -> Termination | None:
        """The ending that a claim of convergence amounts to; None where the run should go on.

        A claim on the gradient needs nothing worthwhile left in the model too. One that fails this is heard again
        only when ‖g‖∞ has fallen tenfold, so that the checks of a run stay few.
        """
        size = max_norm(state.g)
        if claim.reason is TerminationReason.GRADIENT and not (size <= _AGAIN * self._turned_down_at or size == 0.0):
            return None
        if state.f - self.evaluator.incumbent.f > 10 * EPS * abs(state.f) and self._turned_down_at == math.inf:
            # a method that swings: the point to be returned is another one, so give it a chance to settle
            self._turned_down_at = size
            return None
        verdict = self.verdict(state)
        if verdict.kind == "unchecked":
            if self.enabled and size > _FAR_DOWN * max_norm(first.g):
                self._turned_down_at = size
                return None
            return claim._replace(detail="no second-order check was made")
        objection = contradiction(verdict)
        if claim.reason is not TerminationReason.GRADIENT or (
            objection is not None and objection.reason is TerminationReason.SADDLE
        ):
            return objection or claim
        left = _nothing_left(verdict, state, first)
        if left and not verdict.index:  # negative curvature is something left, away from a saddle too
            if objection is None:
                return self.second_thoughts(state, first) or claim._replace(detail=left)
            if not verdict.regular and self.evaluator.product_error < _ROUGH:
                # towards a degenerate minimizer Newton's steps shrink from hearing to hearing, on exp(−x) they do not
                if verdict.newton_step > _SHRUNK * self._last_step:
                    return objection
                self._last_step = verdict.newton_step
        self._turned_down_at = size
        return None

    def appeal(self, failure: Termination, state: State, first: State) -> Termination:
        """A failure of the step, or what it really is: convergence as far as rounding allows, or a saddle.

        Where no step was found at all, the detail tells what differences of f say of the gradient.
        """
        if failure.reason not in _RECOVERABLE:
            return failure
        ending = self.reconsider(failure, state, first)
        if ending.reason not in _NO_STEP:
            return ending
        return ending._replace(detail=about_the_slope(self.evaluator, state, first) or ending.detail)

    def reconsider(self, failure: Termination, state: State, first: State) -> Termination:
        """GRADIENT, PRECISION or SADDLE where this state deserves it; else the failure."""
        verdict = self.verdict(state)
        size = verdict.gradient_norm
        if verdict.kind == "unchecked":
            return failure
        objection = contradiction(verdict)
        if objection is not None:
            return objection if objection.reason is TerminationReason.SADDLE else failure
        if verdict.index:  # negative curvature: something is left, at a saddle or not
            return failure
        if size <= self.stop.gtol and (left := _nothing_left(verdict, state, first)):
            return self.second_thoughts(state, first) or Termination(
                TerminationReason.GRADIENT, size, self.stop.gtol, left
            )
        left = rounding_reached(verdict.decrease, verdict.newton_step, state.f, norm(state.x))
        left = left if left and self._is_rounding(verdict, state) else _far_below(verdict, state, first)
        if left:
            return self.second_thoughts(state, first) or Termination(
                TerminationReason.PRECISION, size, self.stop.gtol, left
            )
        return failure

    def _is_rounding(self, verdict: Verdict, state: State) -> bool:
        """Whether a short Newton step means that rounding has the better of f, or of the gradient.

        Where units differ by many powers of ten, a step may be short beside ‖x‖ and yet have far to go. What cancels in
        g near a minimizer is as large as the terms of Hx.
        """
        if verdict.decrease <= _SMALL_GAIN * abs(state.f) or self._hessian is None:
            return True
        noise = 100 * EPS * (np.abs(self._hessian) @ np.abs(state.x))
        return bool((np.abs(state.g) <= noise).all())

    def verdict(self, state: State) -> Verdict:
        """The verdict at this state; "unchecked" where checks are off, do not fit the budget, or cannot be made."""
        if self._verdict is None or self._verdict_x is not state.x:
            (self._verdict, self._hessian), self._verdict_x = self._point_verdict(state), state.x
        return self._verdict

    def forget(self) -> None:
        """Drop what rests on derivatives that were wrong."""
        self._verdict = self._verdict_x = self._hessian = None
        self._turned_down_at = self._last_step = math.inf

    def final(self, state: State, ending: Termination) -> Verdict:
        """The verdict for the Result; large problems that did not converge are not worth the products."""
        claims = ending.reason.kind is Kind.CONVERGED or ending.reason is TerminationReason.SADDLE
        if not (claims or "hess" in self.method.needs or state.x.size <= FULL_EIGENVALUES):
            return unchecked("the run did not converge")
        return self._point_verdict(state, thorough=ending.reason.kind is Kind.CONVERGED).verdict

    def _point_verdict(self, state: State, *, thorough: bool = False) -> PointVerdict:
        """See `verdict_at`; "unchecked" where checks are off."""
        if not self.enabled:
            size = max_norm(state.g) if all_finite(state.g) else math.nan
            return PointVerdict(unchecked("second-order checks are turned off (options verdict=False)", size), None)
        earlier = None
        if self._verdict is not None and self._verdict_x is state.x:
            earlier = PointVerdict(self._verdict, self._hessian)
        return verdict_at(
            self.evaluator,
            state.x,
            state.f,
            state.g,
            factorizable=lambda: self.method.factorizable_hessian(self.evaluator, state),
            thorough=thorough,
            earlier=earlier,
        )

    def second_thoughts(self, state: State, first: State) -> Termination | None:
        """What values of f say against a claim to which derivatives do not object; None where they say nothing.

        SADDLE where f falls along a direction without certain curvature: −x⁴ or x³ at 0. NOT_CRITICAL where that goes
        on for ever; where the run came to a flat place without an aim; or where the values refute the gradient.
        """
        verdict = self.verdict(state)
        if verdict.kind == "undecided" and self._hessian is not None:
            seen = look_around(self.evaluator, state, first, self._hessian, verdict.nullity or 1)
            if seen.fall is not None:
                return self._falls(verdict, seen.fall)
            if seen.flat and (self._last_step < math.inf or is_aimless(self.evaluator, state, first)):
                detail = f"gradient and Hessian are zero here, and f is the same all round within {seen.reach:.2g}"
                return Termination(TerminationReason.NOT_CRITICAL, 0.0, detail=detail)
        return refuted(self.evaluator, state, first)

    def _falls(self, verdict: Verdict, fall: Fall) -> Termination | None:
        """The ending where f falls along a direction of which curvature says nothing; its verdict is remembered."""
        self._verdict = dataclasses.replace(
            verdict,
            # it has been left often enough: f may fall for ever
            kind="degenerate saddle" if self.escapes_left else "not critical",
            reason=f"f falls by {fall.drop:.2g} within {fall.length:.2g} along a direction of hardly any curvature",
            escape_direction=fall.direction,
        )
        return contradiction(self._verdict)

    def escape(self, state: State) -> tuple[Vector, float] | None:
        """A lower point along the escape direction of the verdict at this state, and the step's length.

        The step is halved until f falls, then doubled while it falls further; None where no step does, or where
        this run has escaped often enough.
        """
        direction = self.verdict(state).escape_direction
        if direction is None or self.escapes_left == 0:
            return None
        self.escapes_left -= 1
        v = direction if dot(direction, state.g) <= 0.0 else -direction
        with np.errstate(all="ignore"):
            for p in (v, -v):
                found = self._descend(state, p)
                if found is not None:
                    return found
        return None

    def _descend(self, state: State, p: Vector) -> tuple[Vector, float] | None:
        evaluator, f = self.evaluator, state.f
        t = REACH * max(1.0, max_norm(state.x))
        x, lower = state.x, f
        for _ in range(60):
            x = state.x + t * p
            lower = evaluator.value(x)
            if lower < f:
                break
            t *= 0.5
        else:
            return None
        for _ in range(10):
            x_trial = state.x + 2.0 * t * p
            f_trial = evaluator.value(x_trial)
            if not f_trial < lower:
                break
            x, lower, t = x_trial, f_trial, 2.0 * t
        return x, t


def _nothing_left(verdict: Verdict, state: State, first: State) -> str:
    if not state.g.any() and math.isnan(verdict.decrease):
        return "it is exactly zero, where the Hessian is not finite"
    return nothing_left(verdict.decrease, verdict.newton_step, state.f, first.f, norm(state.x))


def _far_below(verdict: Verdict, state: State, first: State) -> str:
    """In which sense the rest is nothing where f and x both tend to zero, so that neither is a measure of rounding.

    Residuals that are right to eps of what they were at the start make a sum of squares right to eps² of it.
    """
    short = verdict.newton_step <= 1e-8 * norm(state.x - first.x)
    if short and verdict.decrease <= EPS**2 * (first.f - state.f):
        return f"the model's remaining decrease, {verdict.decrease:.2g}, is below eps² of what f has lost"
    return ""


def contradiction(verdict: Verdict) -> Termination | None:
    """The ending that a verdict forces upon a claim of convergence; None where it does not contradict."""
    if verdict.kind not in NO_MINIMUM:
        return None
    if verdict.kind == "not critical":
        return Termination(TerminationReason.NOT_CRITICAL, verdict.gradient_norm, detail=verdict.reason)
    index = f" of index {verdict.index}" if verdict.kind == "saddle" and verdict.index else ""
    why = f" where {verdict.reason}" if verdict.kind.startswith("degenerate") else ""
    if not why and verdict.index is None:  # what is proved of it
        why = f": {verdict.reason}"
    return Termination(TerminationReason.SADDLE, verdict.gradient_norm, detail=f"{verdict.kind}{index}{why}")


def believed(ending: Termination, verdict: Verdict) -> bool:
    """Whether an ending with this verdict is a success: a value or a plan asked for needs no critical point."""
    if ending.reason.kind is not Kind.CONVERGED:
        return False
    return ending.reason in (TerminationReason.TARGET, TerminationReason.EPOCHS) or verdict.kind not in NO_MINIMUM
