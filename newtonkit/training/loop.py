"""A training run: update after update, looks at the loss over all data between them, and what ends it."""

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
from newtonkit.training.progress import Bar
from newtonkit.training.state import Best, Limits, TrainingState
from newtonkit.training.update import Update

_HELD_OUT = "validation loss"


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
        self.rule, self.sampling, self.started_from = state.rule, state.sampling, state
        self.x, self.memory, self.t = state.x, copy.deepcopy(state.memory), state.t
        self.best, self.waited, self.first_loss, self.rows = state.best, state.waited, state.first_loss, state.rows
        self.counts, self.checks = Counts(), Counts()
        if earlier is not None:
            self.counts, self.checks = Counts(earlier.nfev, earlier.njev), copy.copy(earlier.checks)
        # where the loss and its gradient were finite last, and what the rule remembered there
        self.good = self.x, self.memory, self.t
        self.looked_at = state.looked_at
        self.history = TrainingHistory(self.t + 1)
        self.started = time.perf_counter()
        self.errstate = np.geterr()
        self._epoch: tuple[int, list[NDArray[np.int64]]] = (0, [])

    # --- the loop -------------------------------------------------------------------------------------------

    def to_the_end(self, callback: Callable[[Update], Any] | None, bar: Bar | None) -> Result:
        """Update after update until something ends the run; an exception in user code carries the Result so far."""
        try:
            with np.errstate(all="ignore"):
                ending = self._to_the_end(callback, bar)
                ending = self._last_look(ending)
            return self.result(ending)
        except BaseException as error:
            try:
                error.partial_result = self.result(from_exception(error))  # type: ignore[attr-defined]
            except AttributeError:
                error.add_note("(no partial result: this exception takes no attributes)")
            self._explain(error)
            raise
        finally:
            if bar is not None:
                bar.close(self.t)

    def _to_the_end(self, callback: Callable[[Update], Any] | None, bar: Bar | None) -> Termination:
        limits = self.limits
        while self.t < limits.updates:
            # with all data in every batch the loss comes with the gradient, which is due anyway
            known = self.sampling.full and self.t > 0 and self.rule.offset(self.memory) is None
            if self.t % limits.check_every == 0 and self.looked_at < self.t and not known:
                ending = self._look()
                if ending is not None:
                    return ending
            if limits.maxtime < math.inf and (seconds := time.perf_counter() - self.started) > limits.maxtime:
                return Termination(TerminationReason.TIME, seconds, limits.maxtime)
            arrays = self._batch()
            f, g = self._gradient(arrays)
            if not (math.isfinite(f) and all_finite(g)):
                what = "the gradient has entries that are not finite" if math.isfinite(f) else f"the loss is {f}"
                return self._ending_at(what, arrays)
            if known and self.t % limits.check_every == 0 and self.looked_at < self.t:
                ending = self._look(f)
                if ending is not None:
                    return ending
            trouble = self._update(g, arrays)
            if trouble:
                self.good = self.x, self.memory, self.t
                return self._ending_at(trouble, arrays)
            self.history.record(f)
            if bar is not None:
                bar.show(self.t, self.sampling.place(self.t)[0], f)
            if callback is not None and self._stopped(callback, Update(self, arrays, f)):
                return Termination(TerminationReason.CALLBACK, self.t)
        return limits.planned

    def _batch(self) -> Arrays:
        """The arrays of the next update's batch."""
        if self.sampling.full:
            return self.data.arrays
        epoch, batch = self.sampling.place(self.t + 1)
        if self._epoch[0] != epoch:
            self._epoch = epoch, self.sampling.epoch(epoch)
        return self.data.take(self._epoch[1][batch - 1])

    def _gradient(self, arrays: Arrays) -> tuple[float, Vector]:
        offset = self.rule.offset(self.memory)
        x = self.x if offset is None else self.x + offset
        self.counts.f += 1
        self.counts.g += 1
        self.rows += len(arrays[0])
        f, g = self.loss.value_and_gradient(x, arrays)
        if not (math.isfinite(f) and all_finite(g)):
            # looked at twice before it is believed
            self.checks.f += 1
            self.checks.g += 1
            f, g = self.loss.plain_value_and_gradient(x, arrays)
        return f, g

    def _update(self, g: Vector, arrays: Arrays) -> str:
        """Make the update, all or nothing; what is wrong where it cannot be made."""
        rule = self.rule
        step, memory = rule.update(g, self.memory, self.x)
        x = self.x + step
        if not all_finite(x):
            return "the step leads to parameters that are not finite"
        if rule.asks_again:
            self.counts.g += 1
            self.rows += len(arrays[0])
            _, g = self.loss.value_and_gradient(x, arrays)
            if not all_finite(g):
                return "the step leads to where the gradient is not finite"
            memory = rule.observe(g, memory, x)
        self.good = self.x, self.memory, self.t
        self.x, self.memory, self.t = x, memory, self.t + 1
        return ""

    def _stopped(self, callback: Callable[[Update], Any], update: Update) -> bool:
        with np.errstate(**self.errstate):  # it is no part of the update
            try:
                answer = callback(update)
            except StopIteration:
                return True
        return isinstance(answer, bool | np.bool_) and bool(answer)

    # --- the loss over all data -----------------------------------------------------------------------------

    def _look(self, known: float | None = None) -> Termination | None:
        """Record the loss over all data, keep the best parameters, and say whether it is time to end."""
        self.looked_at = self.t
        loss = known
        if loss is None:
            self.checks.f += 1
            loss = self.loss.value(self.x, self.data.arrays)
        validation = math.nan
        if self.validation is not None:
            self.checks.f += 1
            validation = self.loss.value(self.x, self.validation.arrays)
        seconds = time.perf_counter() - self.started
        self.history.full.append(FullLoss(self.t, self.rows / self.data.rows, loss, validation, seconds))
        if self.t == 0:
            self.first_loss = loss
        score, judge = (loss, self.data) if self.validation is None else (validation, self.validation)
        looks = ((loss, self.first_loss, "loss over all data", self.data), (score, self.best.score, _HELD_OUT, judge))
        for value, first, which, data in looks:
            # at the start the batches shall tell where
            if not math.isfinite(value) and self.t > 0:
                # data on which the loss was finite once are not to blame
                gaps = "" if math.isfinite(first) else data.gaps()
                return self._non_finite(f"the {which} is {value} after {self._place(self.t)}", gaps)
        if score < self.best.score:
            self.best, self.waited = Best(self.x, loss, score), 0
        else:
            self.waited += 1
        if loss <= self.limits.target:
            return Termination(TerminationReason.TARGET, loss, self.limits.target)
        if self.waited >= self.limits.patience:
            which = "loss over all data" if self.validation is None else _HELD_OUT
            return Termination(TerminationReason.PATIENCE, self.best.score, self.limits.patience, which)
        return None

    def _last_look(self, ending: Termination) -> Termination:
        """The parameters at the end are looked at too; the run has failed if nothing was gained."""
        if ending.reason is not TerminationReason.NON_FINITE and self.looked_at != self.t:
            found = self._look()
            if found is not None and found.reason is not TerminationReason.PATIENCE:
                ending = found
        if ending.reason is TerminationReason.NON_FINITE:
            self.x, self.memory, self.t = self.good
            if self.looked_at != self.t:
                self._look()
        if ending.reason is TerminationReason.EPOCHS and not self.moved:
            ending = Termination(TerminationReason.UNMOVED, detail=f"{ending.limit:.0f} {ending.detail}")
        elif ending.reason is TerminationReason.EPOCHS and self.history.full:
            last, first = self.history.full[-1].loss, self.first_loss
            was_lower = self.best.loss < first or any(look.loss < first for look in self.history.full)
            if not was_lower and last > first + 10 * EPS * abs(first):
                ending = Termination(TerminationReason.DIVERGED, last, first, f"{ending.limit:.0f} {ending.detail}")
        return ending

    @property
    def moved(self) -> bool:
        """Whether the parameters are elsewhere than where the first of all updates found them."""
        return self.started_from.moved or not np.array_equal(self.x, self.started_from.x)

    # --- endings --------------------------------------------------------------------------------------------

    def _ending_at(self, what: str, arrays: Arrays) -> Termination:
        """NON_FINITE with the update, the epoch and the batch; and whether the data are to blame."""
        clean = math.isfinite(self.first_loss) or all(np.isfinite(array).all() for array in arrays)
        gaps = "" if clean else self.data.gaps()
        return self._non_finite(f"{what} at {self._place(self.t + 1)}", gaps)

    def _non_finite(self, what: str, gaps: str) -> Termination:
        """With what is missing from the data, if that is the cause."""
        kept = "the last good parameters are kept"
        if not gaps:
            return Termination(TerminationReason.NON_FINITE, detail=f"{what}; {kept}")
        self.good = self.x, self.memory, self.t  # the parameters are not to blame
        advice = "leave such rows out, or fill them in."
        return Termination(TerminationReason.NON_FINITE, detail=f"{what}, where {gaps}; {kept}", advice=advice)

    def _place(self, t: int) -> str:
        epoch, batch = self.sampling.place(t)
        return f"update {t} (epoch {epoch}, batch {batch} of {self.sampling.updates_per_epoch})"

    def _explain(self, error: BaseException) -> None:
        if isinstance(error, DifferentiationError):
            error.add_note("train takes no jac: the loss must be written with autograd.numpy")
        floats = [
            name
            for name, array in zip(self.data.names, self.data.arrays, strict=True)
            if array.dtype.kind == "f" and (array.ndim == 1 or array.shape[1:] == (1,))
        ]
        if isinstance(error, IndexError) and floats:
            error.add_note(f"{' and '.join(floats)} holds floats: labels that are used as an index must be integers")

    def result(self, ending: Termination) -> Result:
        """Everything under the names of scipy, and ours."""
        best = self.best
        # a run broken off before the first look has nothing to compare
        x, loss = (best.x, best.loss) if math.isfinite(best.score) else (self.x, math.nan)
        if self.looked_at == self.t and math.isnan(loss) and self.history.full:
            loss = self.history.full[-1].loss
        if self.sampling.full and ending.reason is not TerminationReason.EXCEPTION and math.isfinite(loss):
            self.checks.f += 1
            loss = self.loss.value(x, self.data.arrays)
        state = TrainingState(
            self.x,
            copy.deepcopy(self.memory),
            self.t,
            self.rule,
            self.sampling,
            self.rows,
            best,
            self.waited,
            self.first_loss,
            self.looked_at,
            self.moved,
        )
        return Result(
            x=self.unflatten(x.copy()),
            fun=loss,
            last=self.unflatten(self.x.copy()),
            success=ending.reason.kind is Kind.CONVERGED,
            status=ending.reason.status,
            message=ending.message,
            reason=ending.reason,
            verdict=unchecked("gradients of batches say nothing of curvature"),
            nit=self.t,
            nfev=self.counts.f,
            njev=self.counts.g,
            nhev=0,
            nhvp=0,
            checks=self.checks,
            epochs=self.rows / self.data.rows,
            method=self.rule.name,
            choice="",
            derivatives=self.loss.objective.derivative_source,
            history=self.history,
            state=state,
            elapsed=time.perf_counter() - self.started,
        )
