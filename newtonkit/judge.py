"""Whether a run may claim what it claims: second-order checks, and the way out of a saddle."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Set
from contextlib import contextmanager

import numpy as np

from newtonkit.critical.certify import ErrorBars, error_bars
from newtonkit.critical.classify import dense_verdict
from newtonkit.critical.degenerate import degenerate_verdict
from newtonkit.critical.factored import factored_verdict
from newtonkit.critical.lanczos import product_verdict
from newtonkit.critical.verdict import NO_MINIMUM, Verdict, unchecked
from newtonkit.derivatives.check import SlopeCheck, check_slope
from newtonkit.linalg import EPS, Matrix, Vector, all_finite, dot, eigh, max_norm, norm
from newtonkit.oracle import Oracle
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
_REACH = 0.1  # of max(1, ‖x‖∞): how far a first look from a saddle, or along a flat direction, goes
_LOOKS = 4  # directions tried where several have no certain curvature
_SEED = 0  # of these directions; fixed, so that the same run gives the same verdict
_VANISHED = 1e-100  # of the fall of f: what is less has all but underflowed
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
        return ending._replace(detail=self._about_the_slope(state, first) or ending.detail)

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
        """What values of f say against a claim to which derivatives do not object; None where they say nothing."""
        return self.look_around(state, first) or self._refuted(state, first)

    def look_around(self, state: State, first: State) -> Ending | None:
        """What values of f say against a claim that curvature leaves undecided; None where they say nothing.

        SADDLE where f falls steadily, and by more than is left to a claim, along a direction without certain curvature:
        −x⁴ or x³ at 0. NOT_CRITICAL where that goes on for ever, or where f is the same all round and the run got there
        without an aim: there was no slope at the start, as for a function of rounded numbers, or f has not fallen, or
        no critical point was near before, as for exp(−x) on its way to underflow.
        """
        verdict = self.verdict(state)
        if verdict.kind != "undecided" or self._hessian is None:
            return None
        reach = _REACH * max(1.0, max_norm(state.x))
        lengths = reach * 0.25 ** np.arange(4)
        rounding = 10 * EPS * abs(state.f)
        worthwhile = _worthwhile(state, first)
        directions = _flat_directions(self._hessian, verdict.nullity or 1)
        flat = not (state.g.any() or self._hessian.any())
        try:
            with self._aside():
                for p in directions:
                    drops = np.array([state.f - self.oracle.value(state.x + t * p) for t in lengths])
                    for start in (0, 1):
                        if drops[start] > worthwhile and (drops[start + 1 : start + 3] > rounding).all():
                            return self._falls(verdict, p, drops[start], lengths[start])
                    flat = flat and bool((np.abs(drops) <= max(rounding, _VANISHED * (first.f - state.f))).all())
                flat = flat and self._is_aimless(state, first, rounding)
        except BudgetSpent:
            return None
        if flat:
            detail = f"gradient and Hessian are zero here, and f is the same all round within {reach:.2g}"
            return Ending(Reason.NOT_CRITICAL, 0.0, detail=detail)
        return None

    def _is_aimless(self, state: State, first: State, rounding: float) -> bool:
        """Whether nothing led to this flat place.

        There was no slope at the start, as for a function of rounded numbers; or f has not fallen; or no critical point
        was near before; or on the straight way from the start f comes down as a tail does, not as towards a minimum:
        from 1e-4 to 1e-8 of its height it takes longer than from 1e-2 to 1e-4, exp(−x) twice as long, x² a tenth.
        """
        height = first.f - state.f
        if not first.g.any() or height <= rounding or self._last_step < math.inf:
            return True
        if not 1e-8 * height > rounding or not math.isfinite(height):
            return False

        def place(share: float) -> float:
            below, above = 0.0, 1.0
            for _ in range(50):
                t = 0.5 * (below + above)
                higher = self.oracle.value(state.x + t * (first.x - state.x)) - state.f > share * height
                below, above = (below, t) if higher else (t, above)
            return above

        one, two, three = (place(share) for share in (1e-2, 1e-4, 1e-8))
        return two - three > one - two

    def _falls(self, verdict: Verdict, p: Vector, drop: float, length: float) -> Ending | None:
        """The ending where f falls along p, of which curvature says nothing; its verdict is remembered."""
        self._verdict = dataclasses.replace(
            verdict,
            # it has been left often enough: f may fall for ever
            kind="degenerate saddle" if self.escapes_left else "not critical",
            reason=f"f falls by {drop:.2g} within {length:.2g} along a direction of hardly any curvature",
            escape_direction=p,
        )
        return contradiction(self._verdict)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Values asked for inside are checks, and no candidates for the best point, whose gradient is known."""
        oracle = self.oracle
        best = oracle.best_x, oracle.best_f, oracle.best_g
        try:
            with oracle.checking(), np.errstate(all="ignore"):
                yield
        finally:
            oracle.best_x, oracle.best_f, oracle.best_g = best

    def _about_the_slope(self, state: State, first: State) -> str:
        """What differences of f say of the slope along −g; empty where the budget has no room for them."""
        if not (all_finite(state.g) and state.g.any()):
            return ""
        try:
            with self._aside():
                return str(self._slope(state, first, -state.g / norm(state.g), "-g"))
        except BudgetSpent:
            return ""

    def _refuted(self, state: State, first: State) -> Ending | None:
        """NOT_CRITICAL where values of f refute a gradient that the user gave, for which this point is critical.

        Along two random directions the slope must certainly be another, and leave something worthwhile to gain.
        """
        if not self.oracle.objective.grad:
            return None
        worthwhile = _worthwhile(state, first)
        rng = np.random.default_rng(_SEED)
        try:
            with self._aside():
                for _ in range(2):
                    p = rng.standard_normal(state.x.size)
                    slope = self._slope(state, first, p / norm(p), "a random direction")
                    if not (slope.wrong and slope.by_differences**2 > 2.0 * abs(slope.curvature) * worthwhile):
                        return None
        except BudgetSpent:
            return None
        return Ending(Reason.NOT_CRITICAL, max_norm(state.g), detail=str(slope))

    def _slope(self, state: State, first: State, p: Vector, along: str) -> SlopeCheck:
        scale = max(norm(state.x), norm(state.x - first.x)) or 1.0
        # eps^(1/3) balances truncation against rounding for central differences (N&W, 2006, p. 197)
        return check_slope(self.oracle.value, state.x, state.f, state.g, p, math.cbrt(EPS) * scale, along)

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
        t = _REACH * max(1.0, max_norm(state.x))
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


def _worthwhile(state: State, first: State) -> float:
    """A decrease that is more than nothing, see `nothing_left`, and certainly more than rounding."""
    return max(1e-8 * (first.f - state.f), 1e4 * EPS * abs(state.f))


def _flat_directions(H: Matrix, nullity: int) -> list[Vector]:
    """Unit vectors, and their opposites, in the span of the eigenvectors of least |λ|; any where H is not finite."""
    if np.isfinite(H).all():
        eigenvalues, Q = eigh(H)
        basis = Q[:, np.argsort(np.abs(eigenvalues))[:nullity]]
    else:
        basis = np.eye(len(H))
    k = basis.shape[1]
    # general directions: along its axes xyz is zero
    weights = np.random.default_rng(_SEED).standard_normal((min(k, _LOOKS), k))
    vectors = [np.ascontiguousarray(basis @ w) for w in weights]
    return [sign * v / norm(v) for v in vectors for sign in (1.0, -1.0)]


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
