"""The loop: `iterate`, a generator of states without a stopping rule, and `run`, which alone decides when to end."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from newtonkit.classification.verdict import Verdict, unchecked
from newtonkit.core.counts import Counts
from newtonkit.core.state import FIRST, BudgetSpent, State, StepFailure, StepInfo
from newtonkit.core.termination import Kind, Termination, TerminationReason, from_exception
from newtonkit.driver.judge import Judge, believed, contradiction
from newtonkit.driver.method import Method, as_method, wants_curvature
from newtonkit.driver.result import History, Progress, Result
from newtonkit.driver.stopping import Stop, unbounded_below
from newtonkit.evaluation.evaluator import Evaluator, Observer
from newtonkit.linalg.kernels import EPS, Vector, all_finite, max_norm
from newtonkit.objectives.objective import Objective

Callback = Callable[[State, int], bool]

_PATIENCE = 5  # steps without any gain in f beyond rounding, nor in ‖g‖, after which precision is suspected
# failures that lie in how a method uses derivatives, not in the function alone
_ANOTHER_MAY_NOT = frozenset(
    {
        TerminationReason.RADIUS,
        TerminationReason.LINE_SEARCH,
        TerminationReason.NOT_DESCENT,
        TerminationReason.SINGULAR,
        TerminationReason.NON_FINITE,
    }
)
_SECOND_CHANCES = 3  # times that a run may find out its gradient was wrong before it ends as it is
_SAME_VALUE = 1e-8  # relative difference of two evaluations at one point beyond which fun is no function


def iterate(method: Method, objective: Objective | Evaluator | Callable[..., Any], x0: Any) -> Iterator[Any]:
    """The states of a method, for ever: no stopping rule, for teaching, plots and loops of one's own.

    Parameters
    ----------
    method : Method
        For instance ``newtonkit.BFGS()``.
    objective : callable, Objective or Evaluator
        A callable is differentiated by autograd. Pass an Evaluator to read its counts.
    x0 : array_like, shape (n,)

    Yields
    ------
    State
        First the start, then one per step; `x`, `f`, `g` are never written afterwards.

    Raises
    ------
    StepFailure
        Where the method cannot go on.

    Examples
    --------
    >>> import newtonkit
    >>> from itertools import islice
    >>> states = iterate(newtonkit.GradientDescent(rate=0.25), lambda x: (x**2).sum(), [1.0])
    >>> [float(state.f) for state in islice(states, 3)]
    [1.0, 0.25, 0.0625]
    """
    method = as_method(method)
    if not isinstance(objective, Evaluator):
        definition = objective if isinstance(objective, Objective) else Objective(objective)
        objective = Evaluator(definition, second_order=wants_curvature(method))
    states = _states(method, objective, np.array(x0, dtype=np.float64, ndmin=1))
    while True:
        # errstate inside the loop, since a generator would leak it to the caller between two states
        with np.errstate(all="ignore"):
            state = next(states)
        yield state


def _states(method: Method, evaluator: Evaluator, x0: Vector) -> Iterator[Any]:
    """What `iterate` does, for a caller who has numpy's warnings turned off."""
    state = method.init(evaluator, x0)
    yield state
    yield from _steps(method, evaluator, state)


def _steps(method: Method, evaluator: Evaluator, state: Any) -> Iterator[Any]:
    """The states after this one."""
    while True:
        state = method.step(evaluator, state)
        yield state


def run(
    method: Method,
    objective: Objective,
    x0: Vector,
    stop: Stop,
    *,
    callback: Callback | None = None,
    history: History | None = None,
    progress: Progress | None = None,
    check: bool = True,
    fallbacks: Sequence[Method] = (),
    earlier: Result | None = None,
    observer: Observer | None = None,
) -> Result:
    """Iterate until a tolerance, a budget, the callback or a failure ends it; every outcome is a Result.

    Parameters
    ----------
    method : Method
    objective : Objective
    x0 : ndarray, shape (n,)
    stop : Stop
    callback : callable, optional
        callback(state, nit), called on every state but the first; true stops the run.
    history : History, optional
        Filled with one row per state.
    progress : Progress, optional
    check : bool, default True
        Whether claims of convergence are checked by curvature.
    fallbacks : sequence of Method
        Should the method fail, each in turn goes on from the best point, on the same budget and the same counts.
    earlier : Result, optional
        Go on from its last state, counts included, in place of x0.
    observer : callable, optional
        Told of every evaluation that is counted; see `newtonkit.Evaluator`.

    Raises
    ------
    BaseException
        Whatever user code raised, with the Result so far attached as ``partial_result``.
    """
    the_run = _Run(method, objective, x0, stop, check=check, fallbacks=fallbacks, observer=observer)
    if earlier is not None:
        the_run.go_on_from(earlier)
    try:
        ending = the_run.to_the_end(callback, history, progress)
        for _ in range(_SECOND_CHANCES):
            if not the_run.has_been_misled(ending):
                break
            ending = the_run.to_the_end(callback, history, progress)
        result = the_run.result(ending, history)
    except BaseException as error:
        _attach(error, the_run, history)
        raise
    if progress is not None:
        progress.close(result.message)
    return result


def _attach(error: BaseException, the_run: _Run, history: History | None) -> None:
    if the_run.state is None:
        error.add_note(
            f"This was the first evaluation, at x0, a vector of {the_run.x0.size}: does fun expect another length?"
        )
    ending = from_exception(error)
    try:
        error.partial_result = the_run.partial_result(ending, history)  # type: ignore[attr-defined]
    except AttributeError:
        error.add_note("(no partial result: this exception takes no attributes)")


class _Run:
    """One run in progress: the state of the loop between two steps."""

    def __init__(
        self,
        method: Method,
        objective: Objective,
        x0: Vector,
        stop: Stop,
        *,
        check: bool,
        fallbacks: Sequence[Method] = (),
        observer: Observer | None = None,
    ) -> None:
        self.method = method
        self.fallbacks = list(fallbacks)
        self.story: list[str] = []
        self.stop = stop
        self.x0 = x0
        self.evaluator = Evaluator(objective, stop.budget, second_order=wants_curvature(method), observer=observer)
        self.judge = Judge(self.evaluator, stop, method, enabled=check)
        self.errstate = np.geterr()
        self.shown = False  # whether the user may hold a state of this run, and step it
        self.first: State | None = None
        self.state: State | None = None
        self.floor = -math.inf
        self.nit = 0
        self.smallest_g = math.inf
        self.idle = 0
        self.patience = _PATIENCE
        self.going_on = False

    def go_on_from(self, earlier: Result) -> None:
        """Take over the last state of another run, and its counts."""
        self.state, self.first, self.nit = copy.deepcopy(earlier.state), earlier.start, earlier.nit
        self.floor = unbounded_below(self.first)
        self.story = [earlier.choice] if earlier.choice else []
        self.going_on = True
        counts = Counts(earlier.nfev, earlier.njev, earlier.nhev, earlier.nhvp)
        self.evaluator.resume(counts, dataclasses.replace(earlier.checks), self.state.x, self.state.f, self.state.g)

    def to_the_end(self, callback: Callback | None, history: History | None, progress: Progress | None) -> Termination:
        """Step by step until something ends the run; the Termination says what."""
        with np.errstate(all="ignore"):
            return self._to_the_end(callback, history, progress)

    def _to_the_end(self, callback: Callback | None, history: History | None, progress: Progress | None) -> Termination:
        if self.going_on:
            states, self.going_on = _steps(self.method, self.evaluator, self.state), False
        else:
            states = _states(self.method, self.evaluator, (self.x0 if self.state is None else self.state.x).copy())
        while True:
            try:
                state = next(states)
                ending = self.after(state, callback, history, progress)
            except StepFailure as failure:
                if self.state is None or self.first is None:
                    return failure.ending
                ending = self.judge.appeal(failure.ending, self.state, self.first)
            except BudgetSpent as spent:
                return spent.ending
            except RuntimeError as error:
                if isinstance(error.__cause__, StopIteration):  # what a generator makes of the user's own
                    raise error.__cause__ from None
                raise
            if ending is not None:
                left = self.leave_saddle(ending) or self.taken_over(ending)
                if left is None:
                    return ending
                states = left

    def after(
        self, state: State, callback: Callback | None, history: History | None, progress: Progress | None
    ) -> Termination | None:
        """What is due on every new state: records, callback, tests."""
        if self.first is None:
            self.first = state
            self.floor = unbounded_below(state)
            if state.info.note and state.info.note not in self.story:
                self.story.append(state.info.note)
        else:
            self.nit += 1
        self.state = state
        size = self.evaluator.gradient_norm(state.g) if math.isfinite(state.f) else math.nan
        if history is not None:
            history.record(self.nit, state, size, self.evaluator.counts, self.evaluator.elapsed())
        if progress is not None:
            progress.show(self.nit, state, size)
        if callback is not None and self.nit > 0:
            self.shown = True
            with np.errstate(**self.errstate):  # it is no part of the step
                if callback(state, self.nit):
                    return Termination(TerminationReason.CALLBACK, self.nit)
        ending = self.stop.test(state, size, self.nit, self.floor)
        if ending is not None and ending.reason in (TerminationReason.GRADIENT, TerminationReason.STALLED):
            ending = self.judge.hear(ending, state, self.first) or self.stop.out_of_iterations(self.nit)
        if ending is None and self.is_idle(state, size):
            suspicion = Termination(TerminationReason.PRECISION, size, self.stop.gtol)
            ending = self.judge.reconsider(suspicion, state, self.first)
            ending = None if ending is suspicion else ending
        return ending

    def is_idle(self, state: State, size: float) -> bool:
        """Whether several steps have gained nothing: f by no more than its rounding, ‖g‖ by less than half."""
        if size < 0.5 * self.smallest_g:
            self.smallest_g, self.idle = size, 0
        elif abs(state.info.decrease) <= 10 * EPS * abs(state.f):
            self.idle += 1
        if self.idle < self.patience:
            return False
        # a suspicion costs a verdict: should it prove wrong, the next one comes later
        self.idle, self.patience = 0, 2 * self.patience
        return True

    def leave_saddle(self, ending: Termination) -> Iterator[Any] | None:
        """The states from a lower point found by negative curvature, where the run ended at a saddle."""
        if ending.reason is not TerminationReason.SADDLE or not self.method.escapes or self.state is None:
            return None
        if self.nit >= self.stop.maxiter:
            return None
        try:
            found = self.judge.escape(self.state)
        except BudgetSpent:
            return None
        if found is None:
            return None
        x, length = found
        note = StepInfo(length=length, note=f"left a {self.judge.verdict(self.state).kind} by negative curvature")
        return _noted(_states(self.method, self.evaluator, x), note)

    def taken_over(self, ending: Termination) -> Iterator[Any] | None:
        """The states of the next method, from the best point, where this one has failed and another may not."""
        best = self.evaluator.incumbent.x
        if ending.reason not in _ANOTHER_MAY_NOT or not self.fallbacks or best is None or self.nit >= self.stop.maxiter:
            return None
        failed, self.method = self.method.name, self.fallbacks.pop(0)
        story = f"{failed} failed ({ending.reason.name}) after {self.nit} iterations, {self.method.name} took over"
        self.story.append(story)
        self.evaluator.second_order = wants_curvature(self.method)
        self.judge.method = self.method
        return _noted(_states(self.method, self.evaluator, best), StepInfo(note=story))

    def has_been_misled(self, ending: Termination) -> bool:
        """Whether the gradient at the end, or the tape it came from, is wrong: the run then goes on from there."""
        if ending.reason.kind is Kind.STOPPED or ending.reason is TerminationReason.TIME:
            return False
        state = self.best() if self.state is None or self.evaluator.incumbent.f < self.state.f else self.state
        if state is None or not all_finite(state.g):
            return False
        with np.errstate(all="ignore"):
            if not self.evaluator.gradient_changed(state.x, state.g):
                return False
        self.judge.forget()
        self.state, self.first = state, None
        return True

    def result(self, ending: Termination, history: History | None) -> Result:
        """The Result of a run that ended by itself: the point chosen, evaluated once more, judged."""
        if ending.reason.kind is Kind.BUDGET and self.state is not None and self.first is not None:
            # a claim that was to be heard later may hold by now
            size = max_norm(self.state.g) if all_finite(self.state.g) else math.inf
            if size <= self.stop.gtol:
                ending = self.judge.reconsider(ending, self.state, self.first)
        state, ending = self.chosen(ending)
        with np.errstate(all="ignore"):
            fun = self.evaluator.recheck(state.x, state.f)
        # near a value of zero what cancels is as large as f was at the start: a tape may round it differently
        cancelled = 0.0 if self.first is None else 10 * EPS * abs(self.first.f)
        if math.isfinite(state.f) and not abs(fun - state.f) <= _SAME_VALUE * abs(state.f) + cancelled:
            ending = Termination(TerminationReason.INCONSISTENT, fun, state.f)
        # a run that ended at a saddle is judged by its end, though a lower point may be returned
        judged = self.state if ending.reason is TerminationReason.SADDLE and self.state is not None else state
        verdict = self.judge.final(judged, ending)
        if ending.reason.kind is Kind.CONVERGED and not believed(ending, verdict):
            ending = contradiction(verdict) or ending
        return self.packed(ending, state, fun, verdict, history)

    def partial_result(self, ending: Termination, history: History | None) -> Result:
        """The Result of a run that user code broke off: the best point, and nothing more is evaluated."""
        verdict = unchecked("the run was broken off")
        best = self.best() or State(self.x0, math.nan, np.full(self.x0.size, np.nan), FIRST)
        return self.packed(ending, best, best.f, verdict, history)

    def chosen(self, ending: Termination) -> tuple[State, Termination]:
        """The last state, unless a point lower by more than rounding was seen: then that one."""
        state, best = self.state, self.best()
        if best is None:
            return state or State(self.x0, math.nan, np.full(self.x0.size, np.nan), FIRST), ending
        if state is not None and math.isfinite(state.f) and state.f - best.f <= 10 * EPS * abs(state.f):
            return state, ending
        if not all_finite(best.g):
            try:
                with self.evaluator.checking(), np.errstate(all="ignore"):
                    best = State(best.x, best.f, self.evaluator.gradient(best.x), FIRST)
            except BudgetSpent:
                pass
        if (
            ending.reason in (TerminationReason.GRADIENT, TerminationReason.PRECISION, TerminationReason.STALLED)
            and self.first is not None
        ):
            detail = f"a lower point, f = {best.f:.6g}, was seen on the way and is returned"
            ending = self.judge.reconsider(
                Termination(TerminationReason.NOT_CRITICAL, ending.measured, detail=detail), best, self.first
            )
        return best, ending

    def best(self) -> State | None:
        """The best point the evaluator saw, its gradient NaN where it is not known; None where nothing was finite."""
        evaluator = self.evaluator
        if evaluator.incumbent.x is None:
            return None
        g = np.full(evaluator.incumbent.x.size, np.nan) if evaluator.incumbent.g is None else evaluator.incumbent.g
        return State(evaluator.incumbent.x, evaluator.incumbent.f, g, FIRST)

    def packed(
        self, ending: Termination, state: State, fun: float, verdict: Verdict, history: History | None
    ) -> Result:
        """Everything under the names of scipy, and ours."""
        evaluator, counts = self.evaluator, self.evaluator.counts
        result = Result(
            x=state.x.copy(),
            fun=fun,
            jac=state.g.copy(),
            success=believed(ending, verdict),
            status=ending.reason.status,
            message=ending.message,
            reason=ending.reason,
            verdict=verdict,
            nit=self.nit,
            nfev=counts.f,
            njev=counts.g,
            nhev=counts.H,
            nhvp=counts.Hv,
            checks=evaluator.check_counts,
            method=self.method.name,
            choice="; ".join(self.story),
            derivatives=evaluator.objective.derivative_source,
            history=history,
            start=self.first,
            state=copy.deepcopy(self.state) if self.shown else self.state,
            elapsed=evaluator.elapsed(),
        )
        H = evaluator.known_hessian(state.x)
        if H is not None:
            result.hess = H.copy()
        return result


def _noted(states: Iterator[Any], note: StepInfo) -> Iterator[Any]:
    """The same states, the first of them with this note."""
    yield dataclasses.replace(next(states), info=note)
    yield from states
