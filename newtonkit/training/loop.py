"""A training run: updates, evaluations of the loss over all data between them, and termination."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newtonkit.classification.verdict import unchecked
from newtonkit.core.counts import Counts
from newtonkit.core.termination import Kind, Termination, TerminationReason, from_exception
from newtonkit.derivatives.autograd.tracing import DifferentiationError
from newtonkit.derivatives.pytree import Unflatten
from newtonkit.driver.result import Result
from newtonkit.linalg.kernels import EPS, Vector, all_finite
from newtonkit.training.batches import Arrays, Data
from newtonkit.training.history import FullLoss, TrainingHistory
from newtonkit.training.loss import Loss
from newtonkit.training.progress import ProgressBar
from newtonkit.training.state import Best, Limits, TrainingState
from newtonkit.training.update import Update


class TrainingRun:
    """One run in progress."""

    def __init__(
        self,
        loss: Loss,
        unflatten: Unflatten,
        data: Data,
        validation: Data | None,
        limits: Limits,
        state: TrainingState,
        earlier: Result | None,
    ) -> None:
        self.loss, self.unflatten, self.data, self.validation = loss, unflatten, data, validation
        self.limits = limits
        self.rule, self.sampling, self.initial_state = state.rule, state.sampling, state
        self.domain = state.domain
        self.x, self.transform_state, self.t = state.x, copy.deepcopy(state.transform_state), state.t
        self.best, self.bad_checks, self.first_loss = state.best, state.bad_checks, state.first_loss
        self.rows = state.rows
        self.counts, self.checks = Counts(), Counts()
        if earlier is not None:
            self.counts, self.checks = Counts(earlier.nfev, earlier.njev), copy.copy(earlier.checks)
        # the last point where the loss and its gradient were finite, with the state of the rule there
        self.last_finite = self.x, self.transform_state, self.t
        self.last_evaluated = state.last_evaluated
        self.history = TrainingHistory(self.t + 1)
        self.started = time.perf_counter()
        self.errstate = np.geterr()
        self._epoch: tuple[int, list[NDArray[np.int64]]] = (0, [])

    # --- the loop -------------------------------------------------------------------------------------------

    def run(self, callback: Callable[[Update], Any] | None, bar: ProgressBar | None) -> Result:
        """Update until the run ends; an exception in user code carries the Result so far."""
        try:
            with np.errstate(all="ignore"):
                termination = self._update_until_end(callback, bar)
                termination = self._final_evaluation(termination)
            return self.result(termination)
        except BaseException as error:
            try:
                error.partial_result = self.result(from_exception(error))  # type: ignore[attr-defined]
            except AttributeError:
                error.add_note("(no partial result: this exception takes no attributes)")
            self._add_advice(error)
            raise
        finally:
            if bar is not None:
                bar.close(self.t)

    def _update_until_end(self, callback: Callable[[Update], Any] | None, bar: ProgressBar | None) -> Termination:
        limits = self.limits
        while self.t < limits.updates:
            due = self.t % limits.check_every == 0 and self.last_evaluated < self.t
            # a batch with all data gives the loss over all data together with the gradient
            comes_with_gradient = (
                self.sampling.full_batch and self.t > 0 and self.rule.lookahead(self.transform_state) is None
            )
            if due and not comes_with_gradient:
                termination = self._evaluate()
                if termination is not None:
                    return termination
            if limits.maxtime < math.inf and (seconds := time.perf_counter() - self.started) > limits.maxtime:
                return Termination(TerminationReason.TIME, seconds, limits.maxtime)
            arrays = self._batch()
            f, g = self._gradient(arrays)
            if not (math.isfinite(f) and all_finite(g)):
                what = "the gradient has entries that are not finite" if math.isfinite(f) else f"the loss is {f}"
                return self._non_finite_on_batch(what, arrays)
            if due and comes_with_gradient:
                termination = self._evaluate(f)
                if termination is not None:
                    return termination
            failure = self._update(g, arrays)
            if failure:
                self.last_finite = self.x, self.transform_state, self.t
                return self._non_finite_on_batch(failure, arrays)
            self.history.record(f)
            if bar is not None:
                bar.show(self.t, self.sampling.position(self.t)[0], f)
            if callback is not None and self._callback_stops(callback, Update(self, arrays, f)):
                return Termination(TerminationReason.CALLBACK, self.t)
        return limits.planned

    def _batch(self) -> Arrays:
        """The arrays of the next batch."""
        if self.sampling.full_batch:
            return self.data.arrays
        epoch, batch = self.sampling.position(self.t + 1)
        if self._epoch[0] != epoch:
            self._epoch = epoch, self.sampling.epoch(epoch)
        return self.data.take(self._epoch[1][batch - 1])

    def _gradient(self, arrays: Arrays) -> tuple[float, Vector]:
        offset = self.rule.lookahead(self.transform_state)
        x = self.x if offset is None else self.domain.project(self.x + offset)
        self.counts.f += 1
        self.counts.g += 1
        self.rows += len(arrays[0])
        f, g = self.loss.value_and_gradient(x, arrays)
        if not (math.isfinite(f) and all_finite(g)):
            # a value that is not finite triggers a second evaluation
            self.checks.f += 1
            self.checks.g += 1
            f, g = self.loss.plain_value_and_gradient(x, arrays)
        return f, g

    def _update(self, g: Vector, arrays: Arrays) -> str:
        """Make the update completely, or not at all; returns the cause of a failure, else an empty string."""
        rule = self.rule
        step, transform_state = rule.update(g, self.transform_state, self.x)
        trial = self.x + step
        if not all_finite(trial):
            return "the step leads to parameters that are not finite"
        x = self.domain.project(trial)
        if rule.needs_second_gradient:
            self.counts.g += 1
            self.rows += len(arrays[0])
            _, g = self.loss.value_and_gradient(x, arrays)
            if not all_finite(g):
                return "the step leads to a point where the gradient is not finite"
            transform_state = rule.observe(g, transform_state, x)
        self.last_finite = self.x, self.transform_state, self.t
        self.x, self.transform_state, self.t = x, transform_state, self.t + 1
        return ""

    def _callback_stops(self, callback: Callable[[Update], Any], update: Update) -> bool:
        with np.errstate(**self.errstate):  # the callback runs with the caller's settings
            try:
                answer = callback(update)
            except StopIteration:
                return True
        return isinstance(answer, bool | np.bool_) and bool(answer)

    # --- the loss over all data -----------------------------------------------------------------------------

    def checked_loss(self, x: Vector, arrays: Arrays) -> float:
        """The loss by a plain call, counted in ``checks``."""
        self.checks.f += 1
        return self.loss.value(x, arrays)

    def _evaluate(self, loss: float | None = None) -> Termination | None:
        """Record the loss over all data, keep the best parameters, and return a termination if the run must end.

        ``loss`` is the loss over all data if it is known already.
        """
        self.last_evaluated = self.t
        if loss is None:
            loss = self.checked_loss(self.x, self.data.arrays)
        validation = math.nan
        if self.validation is not None:
            validation = self.checked_loss(self.x, self.validation.arrays)
        seconds = time.perf_counter() - self.started
        self.history.full.append(FullLoss(self.t, self.rows / self.data.rows, loss, validation, seconds))
        if self.t == 0:
            self.first_loss = loss
        metric, metric_data = (loss, self.data) if self.validation is None else (validation, self.validation)
        evaluations = (
            (loss, self.first_loss, "loss over all data", self.data),
            (metric, self.best.metric, "validation loss", metric_data),
        )
        for value, earlier, which, data in evaluations:
            # at the start the run continues: the gradients of the batches name the batch that fails
            if not math.isfinite(value) and self.t > 0:
                # if the loss was finite on the same data earlier, the data are not the cause
                bad_rows = "" if math.isfinite(earlier) else data.non_finite_rows()
                return self._non_finite(f"the {which} is {value} after {self._position(self.t)}", bad_rows)
        if metric < self.best.metric:
            self.best, self.bad_checks = Best(self.x, loss, metric), 0
        else:
            self.bad_checks += 1
        if loss <= self.limits.target:
            return Termination(TerminationReason.TARGET, loss, self.limits.target)
        if self.bad_checks >= self.limits.patience:
            which = "loss over all data" if self.validation is None else "validation loss"
            return Termination(TerminationReason.PATIENCE, self.best.metric, self.limits.patience, which)
        return None

    def _final_evaluation(self, termination: Termination) -> Termination:
        """Evaluate the last parameters too; a planned end without progress becomes a failure."""
        if termination.reason is not TerminationReason.NON_FINITE and self.last_evaluated != self.t:
            found = self._evaluate()
            if found is not None and found.reason is not TerminationReason.PATIENCE:
                termination = found
        if termination.reason is TerminationReason.NON_FINITE:
            self.x, self.transform_state, self.t = self.last_finite
            if self.last_evaluated != self.t:
                self._evaluate()
        if termination.reason is TerminationReason.EPOCHS and not self.moved:
            amount = f"{termination.limit:.0f} {termination.detail}"
            termination = Termination(TerminationReason.UNMOVED, detail=amount)
        elif termination.reason is TerminationReason.EPOCHS and self.history.full:
            last, first = self.history.full[-1].loss, self.first_loss
            was_lower = self.best.loss < first or any(each.loss < first for each in self.history.full)
            if not was_lower and last > first + 10 * EPS * abs(first):
                amount = f"{termination.limit:.0f} {termination.detail}"
                termination = Termination(TerminationReason.DIVERGED, last, first, amount)
        return termination

    @property
    def moved(self) -> bool:
        """Whether any update, of an earlier run too, has changed the parameters."""
        return self.initial_state.moved or not np.array_equal(self.x, self.initial_state.x)

    # --- terminations ---------------------------------------------------------------------------------------

    def _non_finite_on_batch(self, what: str, arrays: Arrays) -> Termination:
        """NON_FINITE with the update, the epoch and the batch; names rows of the data if they are the cause."""
        clean = math.isfinite(self.first_loss) or all(np.isfinite(array).all() for array in arrays)
        bad_rows = "" if clean else self.data.non_finite_rows()
        return self._non_finite(f"{what} at {self._position(self.t + 1)}", bad_rows)

    def _non_finite(self, what: str, bad_rows: str) -> Termination:
        """NON_FINITE; ``bad_rows`` names the rows of the data that are the cause, if any."""
        kept = "the last finite parameters are kept"
        if not bad_rows:
            at_start = "choose params at which the loss and its gradient are finite."
            advice = "use a smaller learning rate." if self.t > 0 else at_start
            return Termination(TerminationReason.NON_FINITE, detail=f"{what}; {kept}", advice=advice)
        self.last_finite = self.x, self.transform_state, self.t  # the parameters are not the cause
        advice = "remove these rows, or replace the values."
        return Termination(TerminationReason.NON_FINITE, detail=f"{what}, where {bad_rows}; {kept}", advice=advice)

    def _position(self, t: int) -> str:
        epoch, batch = self.sampling.position(t)
        return f"update {t} (epoch {epoch}, batch {batch} of {self.sampling.updates_per_epoch})"

    def _add_advice(self, error: BaseException) -> None:
        """Add a note to exceptions with a frequent cause."""
        if isinstance(error, DifferentiationError):
            error.add_note("train has no argument jac: the loss must be written with autograd.numpy")
        floats = [
            name
            for name, array in zip(self.data.names, self.data.arrays, strict=True)
            if array.dtype.kind == "f" and (array.ndim == 1 or array.shape[1:] == (1,))
        ]
        if isinstance(error, IndexError) and floats:
            error.add_note(f"{' and '.join(floats)} contains floats: labels that are used as an index must be integers")

    def result(self, termination: Termination) -> Result:
        """The Result, with scipy's field names."""
        best = self.best
        # before the first evaluation there is no best point
        x, loss = (best.x, best.loss) if math.isfinite(best.metric) else (self.x, math.nan)
        if self.last_evaluated == self.t and math.isnan(loss) and self.history.full:
            loss = self.history.full[-1].loss
        full_batch = self.sampling.full_batch
        if full_batch and termination.reason is not TerminationReason.EXCEPTION and math.isfinite(loss):
            loss = self.checked_loss(x, self.data.arrays)
        state = TrainingState(
            x=self.x,
            transform_state=copy.deepcopy(self.transform_state),
            t=self.t,
            rule=self.rule,
            sampling=self.sampling,
            rows=self.rows,
            best=best,
            bad_checks=self.bad_checks,
            first_loss=self.first_loss,
            last_evaluated=self.last_evaluated,
            moved=self.moved,
            domain=self.domain,
        )
        return Result(
            x=self.unflatten(x.copy()),
            fun=loss,
            last=self.unflatten(self.x.copy()),
            success=termination.reason.kind is Kind.CONVERGED,
            status=termination.reason.status,
            message=termination.message,
            reason=termination.reason,
            verdict=unchecked("gradients of batches contain no information about curvature"),
            nit=self.t,
            nfev=self.counts.f,
            njev=self.counts.g,
            nhev=0,
            nhvp=0,
            checks=self.checks,
            epochs=self.rows / self.data.rows,
            method=self.rule.name,
            choice="",
            derivatives=self.loss.source.description,
            history=self.history,
            state=state,
            elapsed=time.perf_counter() - self.started,
        )
