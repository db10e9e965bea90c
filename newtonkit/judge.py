"""Whether a run may claim what it claims: second-order checks, and the way out of a saddle."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Set

import numpy as np

from newtonkit.critical.certify import ErrorBars, error_bars
from newtonkit.critical.classify import dense_verdict
from newtonkit.critical.degenerate import degenerate_verdict
from newtonkit.critical.factored import factored_verdict
from newtonkit.critical.lanczos import product_verdict
from newtonkit.critical.verdict import NO_MINIMUM, Verdict, unchecked
from newtonkit.linalg import EPS, Matrix, Vector, all_finite, dot, max_norm, norm
from newtonkit.oracle import Oracle
from newtonkit.second_look import REACH, Fall, about_the_slope, is_aimless, look_around, refuted
from newtonkit.state import BudgetSpent, Ending, Kind, Reason, State
from newtonkit.stopping import Stop, nothing_left, rounding_reached

_DENSE = 200  # up to this n the verdict takes all eigenvalues of the full Hessian; above, a factor of it or products
_FACTOR = 5000  # up to this n a full Hessian is factored, if the method has Hessians anyway
# up to this n the claim on a point with a singular Hessian is looked at more closely, if derivatives are autograd's:
# that takes up to some hundred Hessians
_FEW = 30
_AGAIN = 0.1  # a claim that was turned down is heard again once ‖g‖∞ has fallen by this factor
_SHRUNK = 0.95  # of Newton's step: 10^(−1/7) = 0.72 of it is left at x⁸ when ‖g‖∞ has fallen tenfold
_FAR_DOWN = 1e-8  # of ‖g‖∞ at the start: what a claim must show where the budget leaves no room for its check
_ROUGH = 1e-9  # relative error of curvature above which "no critical point near" is no certainty
_ESCAPES = 5  # per run
_SMALL_GAIN = 1e-8  # of |f|: less than that is left where a step that failed is forgiven for being short
_RECOVERABLE = frozenset({Reason.LINE_SEARCH, Reason.RADIUS, Reason.NOT_DESCENT, Reason.SINGULAR, Reason.PRECISION})
_NO_STEP = frozenset({Reason.LINE_SEARCH, Reason.RADIUS})


class Judge:
    """Checks the claims of one run by curvature; its evaluations go into the oracle's ledger of checks.

    Parameters
    ----------
    oracle : Oracle
    stop : Stop
    needs : set of str
        What the method asks of the oracle: {"grad"}, {"grad", "hess"}, {"grad", "hvp"}.
    enabled : bool
        False: every verdict is "unchecked" and every claim believed.
    """

    def __init__(self, oracle: Oracle, stop: Stop, needs: Set[str], *, enabled: bool = True) -> None:
        self.oracle = oracle
        self.stop = stop
        self.enabled = enabled
        self.serve(needs)
        self.escapes_left = _ESCAPES
        self._turned_down_at = math.inf
        self._last_step = math.inf
        self._verdict: Verdict | None = None
        self._verdict_x: Vector | None = None
        self._hessian: Matrix | None = None

    def serve(self, needs: Set[str]) -> None:
        """Judge a method that asks for these from now on."""
        self.dense = "hess" in needs

    def hear(self, claim: Ending, state: State, first: State) -> Ending | None:
        """The ending that a claim of convergence amounts to; None where the run should go on.

        A claim on the gradient needs nothing worthwhile left in the model too. One that fails this is heard again
        only when ‖g‖∞ has fallen tenfold, so that the checks of a run stay few.
        """
        size = max_norm(state.g)
        if claim.reason is Reason.GRADIENT and not (size <= _AGAIN * self._turned_down_at or size == 0.0):
            return None
        if state.f - self.oracle.best_f > 10 * EPS * abs(state.f) and self._turned_down_at == math.inf:
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
        if claim.reason is not Reason.GRADIENT or (objection is not None and objection.reason is Reason.SADDLE):
            return objection or claim
        left = _nothing_left(verdict, state, first)
        if left and not verdict.index:  # negative curvature is something left, away from a saddle too
            if objection is None:
                return self.second_thoughts(state, first) or claim._replace(detail=left)
            if not verdict.regular and self.oracle.product_error < _ROUGH:
                # towards a degenerate minimizer Newton's steps shrink from hearing to hearing, on exp(−x) they do not
                if verdict.newton_step > _SHRUNK * self._last_step:
                    return objection
                self._last_step = verdict.newton_step
        self._turned_down_at = size
        return None

    def appeal(self, failure: Ending, state: State, first: State) -> Ending:
        """A failure of the step, or what it really is: convergence as far as rounding allows, or a saddle.

        Where no step was found at all, the detail tells what differences of f say of the gradient.
        """
        if failure.reason not in _RECOVERABLE:
            return failure
        ending = self.reconsider(failure, state, first)
        if ending.reason not in _NO_STEP:
            return ending
        return ending._replace(detail=about_the_slope(self.oracle, state, first) or ending.detail)

    def reconsider(self, failure: Ending, state: State, first: State) -> Ending:
        """GRADIENT, PRECISION or SADDLE where this state deserves it; else the failure."""
        verdict = self.verdict(state)
        size = verdict.gradient_norm
        if verdict.kind == "unchecked":
            return failure
        objection = contradiction(verdict)
        if objection is not None:
            return objection if objection.reason is Reason.SADDLE else failure
        if verdict.index:  # negative curvature: something is left, at a saddle or not
            return failure
        if size <= self.stop.gtol and (left := _nothing_left(verdict, state, first)):
            return self.second_thoughts(state, first) or Ending(Reason.GRADIENT, size, self.stop.gtol, left)
        left = rounding_reached(verdict.decrease, verdict.newton_step, state.f, norm(state.x))
        left = left if left and self._is_rounding(verdict, state) else _far_below(verdict, state, first)
        if left:
            return self.second_thoughts(state, first) or Ending(Reason.PRECISION, size, self.stop.gtol, left)
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
            self._verdict, self._verdict_x = self._examine(state), state.x
        return self._verdict

    def forget(self) -> None:
        """Drop what rests on derivatives that were wrong."""
        self._verdict = self._verdict_x = self._hessian = None
        self._turned_down_at = self._last_step = math.inf

    def final(self, state: State, ending: Ending) -> Verdict:
        """The verdict for the Result; large problems that did not converge are not worth the products."""
        claims = ending.reason.kind is Kind.CONVERGED or ending.reason is Reason.SADDLE
        if not (claims or self.dense or state.x.size <= _DENSE):
            return unchecked("the run did not converge")
        verdict = self.verdict(state)
        cheap = state.x.size <= _FEW and not self.oracle.objective.has_own_derivatives
        if ending.reason.kind is Kind.CONVERGED and verdict.kind == "undecided" and cheap:
            verdict = self._closer_look(verdict, state)
        return verdict

    def _closer_look(self, verdict: Verdict, state: State) -> Verdict:
        """The verdict at a singular Hessian by what f does along the directions without curvature."""
        radius = max(1e-3 * max(1.0, max_norm(state.x)), 4.0 * verdict.distance if verdict.distance < math.inf else 0.0)
        try:
            with self.oracle.checking(), np.errstate(all="ignore"):
                certain = dense_verdict(self.oracle, state.x, state.g, bars=self._error_bars)
                if certain.settled:
                    return certain
                return degenerate_verdict(self.oracle, state.x, certain, radius=radius)
        except BudgetSpent:
            return verdict

    def _error_bars(self, x: Vector, g: Vector, H: Matrix) -> ErrorBars:
        return error_bars(self.oracle, x, g, H, max(1.0, max_norm(x)))

    def _examine(self, state: State) -> Verdict:
        size = max_norm(state.g) if all_finite(state.g) else math.nan
        if not self.enabled:
            return unchecked("second-order checks are turned off (options verdict=False)", size)
        if math.isnan(size):
            return unchecked("the gradient is not finite here")
        self._hessian = None
        try:
            with self.oracle.checking(), np.errstate(all="ignore"):
                if state.x.size <= _DENSE:
                    self._hessian = self.oracle.hessian(state.x)
                    return dense_verdict(self.oracle, state.x, state.g)
                if self.dense and (self.oracle.structure is not None or state.x.size <= _FACTOR):
                    return factored_verdict(self.oracle, state.x, state.g, self.oracle.factorable(state.x))
                return product_verdict(self.oracle, state.x, state.g)
        except BudgetSpent as spent:
            return unchecked(f"the budget has no room for it ({spent.ending.reason.name})", size)

    def second_thoughts(self, state: State, first: State) -> Ending | None:
        """What values of f say against a claim to which derivatives do not object; None where they say nothing.

        SADDLE where f falls along a direction without certain curvature: −x⁴ or x³ at 0. NOT_CRITICAL where that goes
        on for ever; where the run came to a flat place without an aim; or where the values refute the gradient.
        """
        verdict = self.verdict(state)
        if verdict.kind == "undecided" and self._hessian is not None:
            seen = look_around(self.oracle, state, first, self._hessian, verdict.nullity or 1)
            if seen.fall is not None:
                return self._falls(verdict, seen.fall)
            if seen.flat and (self._last_step < math.inf or is_aimless(self.oracle, state, first)):
                detail = f"gradient and Hessian are zero here, and f is the same all round within {seen.reach:.2g}"
                return Ending(Reason.NOT_CRITICAL, 0.0, detail=detail)
        return refuted(self.oracle, state, first)

    def _falls(self, verdict: Verdict, fall: Fall) -> Ending | None:
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
        oracle, f = self.oracle, state.f
        t = REACH * max(1.0, max_norm(state.x))
        x, lower = state.x, f
        for _ in range(60):
            x = state.x + t * p
            lower = oracle.value(x)
            if lower < f:
                break
            t *= 0.5
        else:
            return None
        for _ in range(10):
            x_trial = state.x + 2.0 * t * p
            f_trial = oracle.value(x_trial)
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


def contradiction(verdict: Verdict) -> Ending | None:
    """The ending that a verdict forces upon a claim of convergence; None where it does not contradict."""
    if verdict.kind not in NO_MINIMUM:
        return None
    if verdict.kind == "not critical":
        return Ending(Reason.NOT_CRITICAL, verdict.gradient_norm, detail=verdict.reason)
    index = f" of index {verdict.index}" if verdict.kind == "saddle" and verdict.index else ""
    why = f" where {verdict.reason}" if verdict.kind.startswith("degenerate") else ""
    if not why and verdict.index is None:  # what is proved of it
        why = f": {verdict.reason}"
    return Ending(Reason.SADDLE, verdict.gradient_norm, detail=f"{verdict.kind}{index}{why}")


def believed(ending: Ending, verdict: Verdict) -> bool:
    """Whether an ending with this verdict is a success: a value or a plan asked for needs no critical point."""
    if ending.reason.kind is not Kind.CONVERGED:
        return False
    return ending.reason in (Reason.TARGET, Reason.EPOCHS) or verdict.kind not in NO_MINIMUM
