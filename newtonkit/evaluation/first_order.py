"""Requests for f and its gradient: counted, budgeted, guarded against outliers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from newtonkit.core.counts import UNLIMITED, Budget, Counts
from newtonkit.core.domain import Domain, OutsideDomainError, Unbounded
from newtonkit.derivatives.linearization import Linearization
from newtonkit.evaluation.cache import EvaluationCache
from newtonkit.evaluation.incumbent import Incumbent
from newtonkit.evaluation.ledger import Ledger
from newtonkit.evaluation.outliers import OutlierGuard
from newtonkit.evaluation.scaling import ScaledSource, choose_scale
from newtonkit.linalg.kernels import Vector, finite_max_norm
from newtonkit.objectives.objective import Objective
from newtonkit.objectives.rejecting import REJECTABLE, RejectingSource

Observer = Callable[[str, Vector, float, Vector | None, bool], None]


class FirstOrderEvaluator:
    """The part of `Evaluator` for f and its gradient; parameters as there."""

    def __init__(
        self,
        objective: Objective,
        budget: Budget = UNLIMITED,
        *,
        second_order: bool = False,
        observer: Observer | None = None,
        domain: Domain | None = None,
        scaled: bool = False,
    ) -> None:
        self.objective = objective
        self.budget = budget
        self.second_order = second_order
        self.observer = observer
        self.domain: Domain = Unbounded() if domain is None else domain
        self.incumbent = Incumbent()
        self.scale = 1.0
        self._may_scale = scaled
        self._ledger = Ledger(budget)
        # plain attributes: they are read at every iteration
        self.counts: Counts = self._ledger.counts  # evaluations for the method
        self.check_counts: Counts = self._ledger.check_counts  # evaluations for checks
        self.elapsed: Callable[[], float] = self._ledger.elapsed  # seconds since the run began
        self._guard = OutlierGuard()
        self._cache = EvaluationCache(self._ledger)
        self._bounded = self.domain.is_bounded
        self._source = objective.bind(self._counted_call, self.domain)
        self._counts_calls = self._source.counts_calls
        self._rejects = objective.errors == "reject"
        if self._rejects:
            self._source = RejectingSource(self._source, self._may_reject)
        self._last_g: Vector | None = None
        self._last_size = math.nan
        self._first_x: Vector | None = None

    def resume(self, counts: Counts, check_counts: Counts, x: Vector, f: float, g: Vector) -> None:
        """Continue from the counts of an earlier run that ended at x."""
        self._ledger.resume(counts, check_counts)
        self.incumbent.offer(x, f, g)

    def use_scale(self, scale: float) -> None:
        """Evaluate scale·f from now on, where scale is a power of two; what was evaluated before is forgotten."""
        self._may_scale = False
        if scale != 1.0:
            self.scale, self._source = scale, ScaledSource(self._source, scale)
            self._guard = OutlierGuard()
            self._cache.forget()
            self.incumbent.forget()

    def use_second_order(self, second_order: bool) -> None:
        """Change whether Hessians or products are expected at most points."""
        self.second_order = second_order

    # --- requests -------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """f(x)."""
        if self._bounded:
            self._require_inside(x)
        self._ledger.charge(f=1)
        f = self._source.value(x.copy()) if not self._counts_calls else self.scale * self._plain_value(x)
        if not abs(f) <= self._guard.largest_f:
            f = self._guarded_value(f, x)
        if self.observer is not None:
            self._report("f", x, f)
        self.incumbent.offer(x, f)
        return f

    def gradient(self, x: Vector) -> Vector:
        """∇f(x), if f(x) is known already or not needed."""
        if self._bounded:
            self._require_inside(x)
        if self._counts_calls:
            self._ledger.require(self._source.cost("gradient", x.size).f, 1)
        self._ledger.charge(g=1)
        if self.second_order and (linearization := self._linearize(x)) is not None:
            g = linearization.g
        else:
            g = self._source.gradient(x.copy())
        size = finite_max_norm(g)
        if not 0.0 < size <= self._guard.largest_g:
            g, size = self._guarded_gradient(g, size, x)
        self._last_g, self._last_size = g, size
        if self.observer is not None:
            self._report("g", x, g=g)
        self.incumbent.record_gradient(x, g)
        return g

    def value_and_grad(self, x: Vector) -> tuple[float, Vector]:
        """f(x) and ∇f(x), counted as one of each; both or neither are evaluated."""
        if self._bounded:
            self._require_inside(x)
        if self._first_x is None:
            self._first_x = x
            if self._may_scale:
                return self._first_values(x)
        if self._counts_calls:
            return self._by_calls(x)
        self._ledger.charge_value_and_gradient()
        if self.second_order and (linearization := self._linearize(x)) is not None:
            f, g = linearization.f, linearization.g
        else:
            f, g = self._source.value_and_gradient(x.copy())
        guard = self._guard
        if not abs(f) <= guard.largest_f:
            accepted = self._guarded_value(f, x)
            if accepted != f and math.isfinite(accepted) and self._may_repeat_gradient(x):
                # the gradient belongs to the same evaluation: the trace of a plain number gives a gradient of zero
                g = self._second_gradient(x)
            f = accepted
        size = finite_max_norm(g)
        if not 0.0 < size <= guard.largest_g:
            g, size = self._guarded_gradient(g, size, x)
        self._last_g, self._last_size = g, size
        if self.observer is not None:
            self._report("f", x, f)
            self._report("g", x, g=g)
        incumbent = self.incumbent
        # a gradient that is not finite has the size NaN
        if f < incumbent.f and (size == size or incumbent.x is None):
            incumbent.offer(x, f, g)
        return f, g

    def criticality(self, x: Vector, g: Vector) -> float:
        """Return the criticality of x in the domain: ‖g‖∞ if that is unbounded; NaN if g is not finite."""
        if self._bounded:
            return self.domain.criticality(x, g)
        return self._last_size if g is self._last_g else finite_max_norm(g)

    # --- checks, counted apart -------------------------------------------------------------------------------

    def checking(self) -> AbstractContextManager[None]:
        """Requests made inside are counted in ``check_counts``; the budget holds for them too."""
        return self._ledger.checking()

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Points evaluated inside are no candidates for the incumbent, and the Hessian known before stays known."""
        incumbent, self.incumbent = self.incumbent, Incumbent()
        cache, self._cache = self._cache, EvaluationCache(self._ledger)
        try:
            yield
        finally:
            self.incumbent, self._cache = incumbent, cache
            cache.forget_linearization()  # a tape has one set of buffers

    # --- helpers --------------------------------------------------------------------------------------------

    def _require_inside(self, x: Vector) -> None:
        if not self.domain.contains(x):
            raise OutsideDomainError(f"internal error: a request at {x!r}, outside {self.domain!r}")

    def _report(
        self, kind: str, x: Vector, f: float = math.nan, g: Vector | None = None, *, check: bool | None = None
    ) -> None:
        """Tell the observer of one evaluation, made for a check where the ledger in use says so."""
        if self.observer is not None:
            if self.scale != 1.0:
                f, g = f / self.scale, None if g is None else g / self.scale
            self.observer(kind, x, f, g, self._ledger.is_checking if check is None else check)

    def _counted_call(self, x: Vector) -> float:
        """f(x) for a source that evaluates differences: each call is counted, and refused beyond the budget."""
        if self._bounded:
            self._require_inside(x)
        self._ledger.charge(f=1)
        f = self._plain_value(x)
        self._report("f", x, self.scale * f)
        return f

    def _first_values(self, x: Vector) -> tuple[float, Vector]:
        """f and ∇f at the start, which choose the scale of f."""
        f, g = self.value_and_grad(x)
        self.use_scale(choose_scale(g))
        if self.scale == 1.0:
            return f, g
        f, g = self.scale * f, self.scale * g
        self._guard.accept_value(f)
        self._last_g, self._last_size = g, finite_max_norm(g)
        self._guard.accept_gradient(self._last_size)
        self.incumbent.offer(x, f, g)
        return f, g

    def _by_calls(self, x: Vector) -> tuple[float, Vector]:
        """f(x) and ∇f(x) from a source of which every call counts; both or neither are evaluated."""
        self._ledger.require(self._source.cost("value_and_gradient", x.size).f, 1)
        self._ledger.charge(g=1)
        f, g = self._source.value_and_gradient(x.copy())
        f = self._guarded_value(f, x)
        g, size = self._guarded_gradient(g, finite_max_norm(g), x)
        self._last_g, self._last_size = g, size
        self._report("g", x, g=g)
        if self.incumbent.x is None or not math.isnan(self._last_size):
            self.incumbent.offer(x, f, g)
        return f, g

    def _may_reject(self) -> bool:
        """Whether an exception of user code counts as a value that is not finite: not before the first finite value."""
        return not math.isnan(self._guard.largest_f)

    def _plain_value(self, x: Vector) -> float:
        """f(x) by a plain call; NaN after an exception that is to be rejected."""
        if not self._rejects:
            return self.objective.value(x.copy())
        try:
            return self.objective.value(x.copy())
        except REJECTABLE:
            if not self._may_reject():
                raise
            return math.nan

    def _may_repeat_gradient(self, x: Vector) -> bool:
        calls = self._source.cost("gradient", x.size).f if self._counts_calls else 0
        return self._ledger.allows_g() and (not calls or self._ledger.allows_f(calls))

    def _plain_check(self, x: Vector) -> float:
        """f(x) by a plain call, counted as a check."""
        self._ledger.charge_check(f=1)
        f = self.scale * self._plain_value(x)
        self._report("f", x, f, check=True)
        return f

    def _second_gradient(self, x: Vector) -> Vector:
        """∇f(x) evaluated a second time, counted as a check."""
        self._ledger.charge_check(g=1)
        self._cache.forget_linearization()
        with self.checking():
            linearization = self._linearize(x) if self.second_order else None
            g = self._source.gradient(x.copy()) if linearization is None else linearization.g
        self._report("g", x, g=g, check=True)
        return g

    def _guarded_value(self, f: float, x: Vector) -> float:
        """f, or its second evaluation if it is an outlier."""
        guard = self._guard
        if guard.suspects_value(f) and self._ledger.allows_f():
            again = self._plain_check(x)
            if guard.suspects_value(again) and self._ledger.allows_f():
                third = self._plain_check(x)  # two random failures in succession are not rare enough
                if not math.isfinite(again) and not math.isfinite(third):
                    guard.confirm_failure()
                again = third
            f = again
        guard.accept_value(f)
        # an infinitely low value is a failure, except at the first point
        return math.nan if f == -math.inf and not math.isnan(guard.largest_f) else f

    def _guarded_gradient(self, g: Vector, size: float, x: Vector) -> tuple[Vector, float]:
        """g of this ‖g‖∞, or its second evaluation if it is an outlier, and ‖g‖∞; NaN if it is not finite."""
        guard = self._guard
        # a failed call that returned a plain number has a trace with the gradient zero; a tape makes no calls
        may_be_failure = size == 0.0 and self.objective.is_traced and self.objective.derivative_source != "tape"
        if may_be_failure and self._may_repeat_gradient(x):
            g = self._second_gradient(x)
            size = finite_max_norm(g)
        if not size <= guard.largest_g:
            if guard.suspects_gradient(size) and self._may_repeat_gradient(x):
                g = self._second_gradient(x)
                size = finite_max_norm(g)
                if math.isnan(size):
                    guard.confirm_failure()
            guard.accept_gradient(size)
        return g, size

    def _linearize(self, x: Vector) -> Linearization | None:
        linearization = self._cache.linearization(x)
        if linearization is None:
            linearization = self._source.linearize(x.copy())
            if linearization is not None:
                self._cache.store_linearization(x, linearization)
        return linearization
