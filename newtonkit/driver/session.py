"""One run in progress: its states, the claims that it ends, and the ways to continue after a failure."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from newtonkit.classification.descent import lower_point
from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain
from newtonkit.core.state import FIRST, BudgetSpent, State, StepFailure, StepInfo
from newtonkit.core.termination import Kind, Termination, TerminationReason
from newtonkit.driver.convergence import decide
from newtonkit.driver.examiner import Examiner
from newtonkit.driver.history import History, Progress
from newtonkit.driver.iteration import states_after, states_from_point
from newtonkit.driver.method import Method, models_curvature, wants_curvature
from newtonkit.driver.result import Result
from newtonkit.driver.stagnation import ProgressMonitor, RecentProgress, StallDetector
from newtonkit.driver.stopping import Stop, unbounded_limit
from newtonkit.driver.user_units import scaled_stop, user_state
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.evaluation.first_order import Observer
from newtonkit.linalg.kernels import Vector, all_finite
from newtonkit.objectives.objective import Objective

Callback = Callable[[State, int], bool]

# failures that depend on how a method uses derivatives, so that another method may succeed
FALLBACK_REASONS = frozenset(
    {
        TerminationReason.RADIUS,
        TerminationReason.LINE_SEARCH,
        TerminationReason.NOT_DESCENT,
        TerminationReason.SINGULAR,
        TerminationReason.NON_FINITE,
    }
)
MAX_RESTARTS = 3  # after a gradient that proved wrong; one failure in a hundred calls needs no more
MAX_ESCAPES = 5  # from saddles, per run; more come only from functions that fall without bound


class Session:
    """The data of one run between two steps."""

    def __init__(
        self,
        method: Method,
        objective: Objective,
        x0: Vector,
        stop: Stop,
        callback: Callback | None,
        history: History | None,
        progress: Progress | None,
        check: bool | str,
        fallbacks: Sequence[Method],
        observer: Observer | None,
        domain: Domain | None = None,
    ) -> None:
        self.method, self.x0, self.stop = method, x0, stop
        self.callback, self.history, self.progress = callback, history, progress
        self.fallbacks = list(fallbacks)
        self.evaluator = Evaluator(
            objective,
            stop.budget,
            second_order=wants_curvature(method),
            observer=observer,
            domain=domain,
            scaled=True,
        )
        self.examiner = Examiner(self.evaluator, method, stop.gtol, enabled=bool(check), thorough=check == "thorough")
        self.log: list[str] = []
        self.states: Iterator[Any] = iter(())
        self.first: State | None = None
        self.state: State | None = None
        self.state_method: Method | None = None  # the method that made the last state
        self.nit = 0
        self.lowest = -math.inf
        self.stall = StallDetector()
        self.requires_progress = models_curvature(method)
        self.monitor: ProgressMonitor | None = None
        self.recent: RecentProgress | None = None
        self.restarts_left = MAX_RESTARTS
        self.escapes_left = MAX_ESCAPES
        self.user_errstate = np.geterr()
        self.user_holds_state = False  # a callback may have kept a state and may step it
        self.is_resumed = False

    # --- where the states come from ---------------------------------------------------------------------------

    def start(self, x: Vector | None = None, note: StepInfo | None = None) -> None:
        """Take the states of the method from x, or x0; the first of them gets this note."""
        states = states_from_point(self.method, self.evaluator, self.x0.copy() if x is None else x)
        self.states = states if note is None else _with_note(states, note)

    def resume(self, earlier: Result) -> None:
        """Continue from the last state of an earlier run, with its counts."""
        self.state, self.first, self.nit = copy.deepcopy(earlier.state), earlier.start, earlier.nit
        self.state_method = self.method
        self.lowest = unbounded_limit(self.first)
        self.log = [earlier.choice] if earlier.choice else []
        counts = Counts(earlier.nfev, earlier.njev, earlier.nhev, earlier.nhvp)
        self.evaluator.resume(counts, dataclasses.replace(earlier.checks), self.state.x, self.state.f, self.state.g)
        if earlier.scale != 1.0:
            self.evaluator.use_scale(earlier.scale)
            self.use_user_tolerances()
            self.evaluator.incumbent.offer(self.state.x, self.state.f, self.state.g)
        self.states = states_after(self.method, self.evaluator, self.state)
        self.is_resumed = True

    def use_user_tolerances(self) -> None:
        """Apply the user's tolerances to the scaled function."""
        self.stop = scaled_stop(self.stop, self.evaluator.scale)
        self.examiner.gtol = self.stop.gtol

    # --- iterating --------------------------------------------------------------------------------------------

    def solve(self) -> Termination:
        """Step until a decision ends the run."""
        with np.errstate(all="ignore"):
            if self.is_resumed and self.state is not None:
                self.is_resumed = False
                claim = self.stop.claim(self.state, self.criticality(self.state), self.nit, self.lowest)
                if claim is not None and (termination := self.termination_by_tolerance(claim)) is not None:
                    return termination
            while True:
                try:
                    termination = self.process_state(next(self.states))
                except StepFailure as failure:
                    return self.decide(failure.termination) or failure.termination
                except BudgetSpent as spent:
                    return spent.termination
                except RuntimeError as error:
                    if isinstance(error.__cause__, StopIteration):  # the user's own, converted by a generator
                        raise error.__cause__ from None
                    raise
                if termination is not None:
                    return termination

    def process_state(self, state: State) -> Termination | None:
        """Record a new state, call the callback, test; return the Termination if the run ends here."""
        evaluator = self.evaluator
        scale = evaluator.scale
        if self.first is None:
            if scale != 1.0 and self.nit == 0 and self.state is None:
                self.use_user_tolerances()
            self.first = state
            self.lowest = unbounded_limit(state)
            if state.info.note and state.info.note not in self.log:
                self.log.append(state.info.note)
        else:
            self.nit += 1
        self.state, self.state_method = state, self.method
        size = self.criticality(state)
        if self.recent is None:
            self.recent = RecentProgress(state.f)
        self.recent.record(self.nit, evaluator.incumbent.f, size)
        shown, shown_size = state, size
        if scale != 1.0:
            shown, shown_size = user_state(state, scale), size / scale
        if self.history is not None:
            self.history.record(self.nit, shown, shown_size, evaluator.counts, evaluator.elapsed())
        if self.progress is not None:
            self.progress.show(self.nit, shown, shown_size)
        if self.callback is not None and self.nit > 0:
            self.user_holds_state = True
            with np.errstate(**self.user_errstate):
                if self.callback(shown, self.nit):
                    return Termination(TerminationReason.CALLBACK, self.nit)
        return self.termination_at(state, size)

    def criticality(self, state: State) -> float:
        """Return ‖g‖∞, in a box the norm of the projected gradient; NaN if f or g is not finite."""
        return self.evaluator.criticality(state.x, state.g) if math.isfinite(state.f) else math.nan

    def termination_at(self, state: State, size: float) -> Termination | None:
        """Return the Termination if the run ends at this new state; a claim that is refused leads to the next one."""
        claim = self.stop.claim(state, size, self.nit, self.lowest)
        if claim is not None and (termination := self.termination_by_tolerance(claim)) is not None:
            return termination
        if self.stall.is_stalled(state, size):
            termination = self.decide(Termination(TerminationReason.PRECISION, size, self.stop.gtol))
            if termination is not None:
                return termination
        if self.requires_progress:
            if self.monitor is None:
                self.monitor = ProgressMonitor(state.f)
            claim = self.monitor.claim(state, size, self.evaluator.incumbent.f, self.nit)
            if claim is not None:
                return self.decide(claim)
        return None

    def termination_by_tolerance(self, claim: Termination) -> Termination | None:
        """Return the Termination if this claim of `Stop` ends the run at the last state."""
        termination = None
        if claim.reason is not TerminationReason.ITERATIONS and self.examiner.is_due(claim):
            termination = self.decide(claim)
        if termination is None and (spent := self.stop.iterations_spent(self.nit)) is not None:
            slow = "" if self.recent is None else self.recent.description(self.nit, self.evaluator.incumbent.f)
            termination = self.decide(spent._replace(detail=slow))
        return termination

    def decide(self, claim: Termination, state: State | None = None) -> Termination | None:
        """Gather the evidence for a claim at the last state, or at another one, and decide."""
        state = state or self.state
        if state is None:
            return claim
        evidence = self.examiner.gather(claim, state, self.first, may_escape=self.escapes_left > 0)
        termination = decide(claim, evidence)
        if termination is None:
            self.examiner.refuse(claim, evidence)
        return termination

    @property
    def method_state(self) -> State | None:
        """The last state if it was made by the present method, not by one that failed."""
        return self.state if self.state_method is self.method else None

    # --- continuing after a termination -----------------------------------------------------------------------

    def leave_saddle(self, termination: Termination) -> bool:
        """Restart from a lower point along a descent direction if the run ended at a saddle; return whether it did."""
        if termination.reason is not TerminationReason.SADDLE or not self.method.escapes or self.state is None:
            return False
        verdict = self.examiner.point_verdict(self.state).verdict
        if self.nit >= self.stop.maxiter or self.escapes_left == 0 or verdict.escape_direction is None:
            return False
        self.escapes_left -= 1
        state = self.state
        try:
            found = lower_point(self.evaluator, state.x, state.f, state.g, verdict.escape_direction)
        except BudgetSpent:
            return False
        if found is None:
            return False
        x, length = found
        self.start(x, StepInfo(length=length, note=f"left a {verdict.kind} along a descent direction"))
        return True

    def switch_method(self, termination: Termination) -> bool:
        """Start the next fallback method from the best point if another method may succeed; return whether it did."""
        best = self.evaluator.incumbent.x
        if termination.reason not in FALLBACK_REASONS or best is None or self.nit >= self.stop.maxiter:
            return False
        g = self.evaluator.incumbent.g
        if not self.fallbacks or (g is not None and not all_finite(g)):
            return False
        failed, self.method = self.method.name, self.fallbacks.pop(0)
        note = f"{failed} failed ({termination.reason.name}) after {self.nit} iterations, {self.method.name} took over"
        self.log.append(note)
        self.evaluator.use_second_order(wants_curvature(self.method))
        self.requires_progress = models_curvature(self.method)
        self.examiner.method, self.monitor = self.method, None
        self.start(best, StepInfo(note=note))
        return True

    def restart(self, termination: Termination) -> bool:
        """Restart from the best point if the gradient there proves wrong when evaluated again."""
        if termination.reason.kind is Kind.STOPPED or termination.reason is TerminationReason.TIME:
            return False
        best = self.best_state()
        state = best if self.state is None or self.evaluator.incumbent.f < self.state.f else self.state
        if self.restarts_left == 0 or state is None or not all_finite(state.g):
            return False
        with np.errstate(all="ignore"):
            if not self.evaluator.gradient_changed(state.x, state.g):
                return False
        self.restarts_left -= 1
        self.examiner.forget()
        self.state, self.state_method, self.first, self.monitor = state, None, None, None
        self.start(state.x.copy())
        return True

    def best_state(self) -> State | None:
        """Return the best point, its gradient NaN if it is not known; None if nothing was finite."""
        best = self.evaluator.incumbent
        if best.x is None:
            return None
        return State(best.x, best.f, np.full(best.x.size, np.nan) if best.g is None else best.g, FIRST)

    def unknown_state(self) -> State:
        """Return x0 with values that are not known."""
        return State(self.x0, math.nan, np.full(self.x0.size, np.nan), FIRST)


def _with_note(states: Iterator[Any], note: StepInfo) -> Iterator[Any]:
    """Yield the same states, the first of them with this note."""
    yield dataclasses.replace(next(states), info=note)
    yield from states
