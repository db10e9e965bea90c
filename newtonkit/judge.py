"""Whether a run may claim what it claims: second-order checks, and the way out of a saddle."""

from __future__ import annotations

import math
from collections.abc import Set

import numpy as np

from newtonkit.critical.classify import dense_verdict
from newtonkit.critical.lanczos import product_verdict
from newtonkit.critical.verdict import NO_MINIMUM, Verdict, unchecked
from newtonkit.linalg import EPS, Vector, all_finite, dot, max_norm, norm
from newtonkit.oracle import Oracle
from newtonkit.state import BudgetSpent, Ending, Kind, Reason, State
from newtonkit.stopping import Stop, nothing_left, rounding_reached

_DENSE = 200  # up to this n the verdict takes the full Hessian; above, products, unless the method has Hessians anyway
_AGAIN = 0.1  # a claim that was turned down is heard again once ‖g‖∞ has fallen by this factor
_FAR_DOWN = 1e-8  # of ‖g‖∞ at the start: what a claim must show where the budget leaves no room for its check
_ROUGH = 1e-9  # relative error of curvature above which "no critical point near" is no certainty
_ESCAPES = 5  # per run
_RECOVERABLE = frozenset({Reason.LINE_SEARCH, Reason.RADIUS, Reason.NOT_DESCENT, Reason.SINGULAR, Reason.PRECISION})


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
        self.dense = "hess" in needs
        self.escapes_left = _ESCAPES
        self._turned_down_at = math.inf
        self._verdict: Verdict | None = None
        self._verdict_x: Vector | None = None

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
        left = nothing_left(verdict.decrease, verdict.newton_step, state.f, first.f, norm(state.x))
        if left and not verdict.index:  # negative curvature is something left, away from a saddle too
            if objection is None:
                return claim._replace(detail=left)
            if not verdict.regular and self.oracle.product_error < _ROUGH:
                return objection
        self._turned_down_at = size
        return None

    def appeal(self, failure: Ending, state: State, first: State) -> Ending:
        """A failure of the step, or what it really is: convergence as far as rounding allows, or a saddle."""
        return self.reconsider(failure, state, first) if failure.reason in _RECOVERABLE else failure

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
        x_norm = norm(state.x)
        if size <= self.stop.gtol and (
            left := nothing_left(verdict.decrease, verdict.newton_step, state.f, first.f, x_norm)
        ):
            return Ending(Reason.GRADIENT, size, self.stop.gtol, left)
        if left := rounding_reached(verdict.decrease, verdict.newton_step, state.f, x_norm):
            return Ending(Reason.PRECISION, size, self.stop.gtol, left)
        return failure

    def verdict(self, state: State) -> Verdict:
        """The verdict at this state; "unchecked" where checks are off, do not fit the budget, or cannot be made."""
        if self._verdict is None or self._verdict_x is not state.x:
            self._verdict, self._verdict_x = self._examine(state), state.x
        return self._verdict

    def forget(self) -> None:
        """Drop what rests on derivatives that were wrong."""
        self._verdict = self._verdict_x = None
        self._turned_down_at = math.inf

    def final(self, state: State, ending: Ending) -> Verdict:
        """The verdict for the Result; large problems that did not converge are not worth the products."""
        claims = ending.reason.kind is Kind.CONVERGED or ending.reason is Reason.SADDLE
        if claims or self.dense or state.x.size <= _DENSE:
            return self.verdict(state)
        return unchecked("the run did not converge")

    def _examine(self, state: State) -> Verdict:
        size = max_norm(state.g) if all_finite(state.g) else math.nan
        if not self.enabled:
            return unchecked("second-order checks are turned off (options verdict=False)", size)
        if math.isnan(size):
            return unchecked("the gradient is not finite here")
        try:
            with self.oracle.checking(), np.errstate(all="ignore"):
                if self.dense or state.x.size <= _DENSE:
                    return dense_verdict(self.oracle, state.x, state.g)
                return product_verdict(self.oracle, state.x, state.g)
        except BudgetSpent as spent:
            return unchecked(f"the budget has no room for it ({spent.ending.reason.name})", size)

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
        t = 0.1 * max(1.0, max_norm(state.x))
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


def contradiction(verdict: Verdict) -> Ending | None:
    """The ending that a verdict forces upon a claim of convergence; None where it does not contradict."""
    if verdict.kind not in NO_MINIMUM:
        return None
    if verdict.kind == "not critical":
        return Ending(Reason.NOT_CRITICAL, verdict.gradient_norm, detail=verdict.reason)
    index = f" of index {verdict.index}" if verdict.kind == "saddle" and verdict.index else ""
    return Ending(Reason.SADDLE, verdict.gradient_norm, detail=f"{verdict.kind}{index}")


def believed(ending: Ending, verdict: Verdict) -> bool:
    """Whether an ending with this verdict is a success: a value or a plan asked for needs no critical point."""
    if ending.reason.kind is not Kind.CONVERGED:
        return False
    return ending.reason in (Reason.TARGET, Reason.EPOCHS) or verdict.kind not in NO_MINIMUM
