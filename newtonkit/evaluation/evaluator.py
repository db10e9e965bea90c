"""One run's counted, budgeted view of an objective: the only border with user code."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import scipy.sparse as sp

from newtonkit.core.counts import Budget, Counts
from newtonkit.core.state import BudgetSpent
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.derivatives.autograd.tracing import dense_from_products
from newtonkit.derivatives.linearization import Linearization
from newtonkit.evaluation.incumbent import Incumbent
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, finite_max_norm, norm
from newtonkit.objectives.objective import Objective, Product

_IMPLAUSIBLE = 1e8  # a value this many times larger than any seen before is evaluated once more
_SAME_GRADIENT = 1e-8  # relative difference of two evaluations at one point that passes for rounding
_EXACT_ERROR = 10 * EPS  # relative error of a Hessian by the user or by autograd, per row
_DIFFERENCE_ERROR = 1e-7  # the same where it comes from central differences of a gradient


_UNLIMITED = Budget()

Observer = Callable[[str, Vector, float, Vector | None, bool], None]


class Evaluator:
    """One run's view of an objective: the only border with user code.

    It hands the user copies, owns what it returns, counts requests, keeps the best point seen, refuses a call that
    would exceed the budget before making it, and evaluates an implausible value once more before believing it.

    Parameters
    ----------
    objective : Objective
    budget : Budget, optional
    second_order : bool, default False
        Whether Hessians or products will be asked for at most points where the gradient is: autograd's gradient
        then comes from the nested trace that the Hessian needs anyway.
    observer : callable, optional
        observer(kind, x, f, g, check), called after each evaluation that is counted, once for each; kind is "f", "g",
        "H" or "Hv", f the value or NaN, g the gradient or None, check whether it is counted in ``checks``. A Hessian
        that was evaluated for a check, and then asked for by the method, is reported again with check=False: it has
        moved to the other ledger. x and g are the evaluator's own: read only, and copied where they are to be kept.
    """

    def __init__(
        self,
        objective: Objective,
        budget: Budget = _UNLIMITED,
        *,
        second_order: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self.objective = objective
        self.budget = budget
        self.counts = Counts()
        self.check_counts = Counts()
        self.second_order = second_order
        self.observer = observer
        self.incumbent = Incumbent()
        self.started = time.perf_counter()
        self._ledger = self.counts
        # one evaluation of f is kept for the plain call at the returned point
        self._reserved = 1 if 1 < budget.maxfev < math.inf else 0
        # and one gradient, see `gradient_changed`
        self._reserved_g = 1 if 2 < budget.maxgev < math.inf else 0
        self._limited = budget != _UNLIMITED
        self._largest_f = math.nan
        self._largest_g = math.nan
        self._last_g: Vector | None = None
        self._last_size = math.nan
        self._failure_confirmed = False
        self._odd_hessian_confirmed = False
        self._differences = False
        self._first_x: Vector | None = None
        self._linearized_at: Vector | None = None
        self._linearization: Linearization | None = None
        self._hessian_at: Vector | None = None
        self._hessian: Matrix | None = None
        self._hessian_ledger = self.counts
        self._sparse_at: Vector | None = None
        self._sparse: sp.csc_array | None = None
        self._sparse_ledger = self.counts

    def resume(self, counts: Counts, checks: Counts, x: Vector, f: float, g: Vector) -> None:
        """Count on from an earlier run that ended at x."""
        self.counts, self.check_counts = counts, checks
        self._ledger = self._hessian_ledger = self._sparse_ledger = counts
        self.incumbent.offer(x, f, g)

    # --- requests -------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """f(x), by a plain call of the user's function."""
        self._spend(f=1)
        f = self.objective.quick_value(x.copy())
        if not abs(f) <= self._largest_f:
            f = self._second_look(f, x)
        if self.observer is not None:
            self._report("f", x, f)
        self.incumbent.offer(x, f)
        return f

    def gradient(self, x: Vector) -> Vector:
        """∇f(x), where f(x) is known already or not needed."""
        self._spend(g=1)
        g = self._plausible_gradient(self._gradient(x), x)
        if self.observer is not None:
            self._report("g", x, g=g)
        self.incumbent.record_gradient(x, g)
        return g

    def value_and_grad(self, x: Vector) -> tuple[float, Vector]:
        """f(x) and ∇f(x), counted as one of each; refused whole."""
        # this is the inner loop of every line search: `_spend` written out
        if self._limited:
            self._refuse_spending(f=1, g=1)
        ledger = self._ledger
        ledger.f += 1
        ledger.g += 1
        if self._first_x is None:
            self._first_x = x
        if self.second_order and (linearization := self._linearize(x)) is not None:
            f, g = linearization.f, linearization.g
        else:
            f, g = self.objective.value_and_gradient(x.copy())
        if not abs(f) <= self._largest_f:
            believed = self._second_look(f, x)
            if believed != f and math.isfinite(believed) and self._may_check_g():
                # what came with a wild value is as wild: the trace of a plain number is a gradient of zero
                self.check_counts.g += 1
                self._linearized_at = None
                g = self._gradient(x)
                self._report("g", x, g=g, check=True)
            f = believed
        g = self._plausible_gradient(g, x)
        if self.observer is not None:
            self._report("f", x, f)
            self._report("g", x, g=g)
        if self.incumbent.x is None or not math.isnan(self._last_size):
            self.incumbent.offer(x, f, g)
        return f, g

    def gradient_norm(self, g: Vector) -> float:
        """‖g‖∞, NaN where g is not finite; of the gradient handed out last it is known already."""
        return self._last_size if g is self._last_g else finite_max_norm(g)

    def hessian(self, x: Vector) -> Matrix:
        """∇²f(x), dense and exactly symmetric; asked again at the same point, it is not computed again."""
        if x is self._hessian_at and self._hessian is not None:
            if self._ledger is self.counts and self._hessian_ledger is self.check_counts:
                # a check came first, but the method would have asked all the same: it is the method's to pay
                self.check_counts.H, self.counts.H = self.check_counts.H - 1, self.counts.H + 1
                self._hessian_ledger = self.counts
                self._report("H", x)
            return self._hessian
        H = self._evaluated_hessian(x)
        # all zeros are what the trace of a plain number, a glitch, leaves behind
        if not self._odd_hessian_confirmed and not (H.any() and np.isfinite(H).all()):
            self._linearized_at = None
            with self.checking(), suppress(BudgetSpent):
                H = self._evaluated_hessian(x)
            self._odd_hessian_confirmed = not (H.any() and bool(np.isfinite(H).all()))
        self._hessian_at, self._hessian, self._hessian_ledger = x, H, self._ledger
        return H

    def hessian_pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """The non-zeros of the Hessian near x, or None and why they are not known."""
        if self.objective.hess is not None:
            H = self.sparse_hessian(x)
            return (None, "hess returns a full matrix") if H is None else (H, "")
        return self.objective.pattern(x)

    def sparse_hessian(self, x: Vector) -> sp.csc_array | None:
        """∇²f(x) as a sparse matrix, exactly symmetric; None where the user's is a full one."""
        if x is self._sparse_at:
            if self._ledger is self.counts and self._sparse_ledger is self.check_counts:
                self.check_counts.H, self.counts.H = self.check_counts.H - 1, self.counts.H + 1  # as in `hessian`
                self._sparse_ledger = self.counts
                self._report("H", x)
            return self._sparse
        self._spend(H=1)
        if self.objective.hess is None:
            H = self.objective.recovered_hessian(x.copy(), lambda _: self._linearize(x))
            self._report("H", x)
        else:
            H = self.objective.hessian(x.copy())
            self._report("H", x)
            if not sp.issparse(H):
                self._hessian_at, self._hessian, self._hessian_ledger = x, H, self._ledger
                return None
        self._sparse_at, self._sparse, self._sparse_ledger = x, H, self._ledger
        return H

    def _evaluated_hessian(self, x: Vector) -> Matrix:
        if x is self._sparse_at and (sparse := self.sparse_hessian(x)) is not None:
            return np.asarray(sparse.toarray())
        self._spend(H=1)
        given = self.objective.hessian(x.copy())
        if given is not None:
            H: Matrix = np.asarray(given if isinstance(given, np.ndarray) else given.toarray())
        else:
            linearization = self._linearize(x)
            if linearization is not None:
                H = linearization.hessian()
            else:
                product = self._product(x)
                own_products = self.objective.hvp is not None
                products = x.size if own_products else 0
                self._spend(g=product.gradients_each * x.size, Hv=products)
                H = dense_from_products(product.times, x.size)
                self._report_products(x, product.gradients_each * x.size, products)
        self._report("H", x)
        return H

    def hvp(self, x: Vector) -> Callable[[Vector], Vector]:
        """The map v ↦ ∇²f(x)·v, each product counted as one Hv."""
        if self.objective.hess is not None and self.objective.hvp is None:
            H = self.sparse_hessian(x) if x is not self._hessian_at else None
            if H is None:
                H = self.hessian(x)
            return lambda v: H @ v
        times, gradients, _ = self._product(x)

        def counted(v: Vector) -> Vector:
            self._spend(Hv=1, g=gradients)
            Hv = np.ascontiguousarray(times(v))
            if self.observer is not None:
                self._report_products(x, gradients, 1)
            return Hv

        return counted

    @property
    def has_exact_products(self) -> bool:
        """Whether Hessian-vector products come from autograd of fun or from the user, not from differences."""
        return not self.objective.has_own_derivatives or self.objective.hvp is not None

    def known_hessian(self, x: Vector) -> Matrix | None:
        """∇²f(x) if it was computed at exactly this point last."""
        return self._hessian if x is self._hessian_at else None

    @property
    def product_error(self) -> float:
        """Relative error to expect in a Hessian-vector product, by its source (known after the first)."""
        return _DIFFERENCE_ERROR if self._differences else _EXACT_ERROR

    @property
    def hessian_error(self) -> float:
        """Relative error to expect in a Hessian, by its source (known after the first)."""
        return _DIFFERENCE_ERROR if self._differences and self.objective.hess is None else _EXACT_ERROR

    # --- checks: named exceptions from "never ask twice", counted in a ledger of their own --------------------

    @contextmanager
    def checking(self) -> Iterator[None]:
        """Requests made inside are counted in ``checks``; budgets hold all the same."""
        before, self._ledger = self._ledger, self.check_counts
        try:
            yield
        finally:
            self._ledger = before

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Points evaluated inside are no candidates for the incumbent: their gradients are not evaluated."""
        before, self.incumbent = self.incumbent, Incumbent()
        try:
            yield
        finally:
            self.incumbent = before

    def recheck(self, x: Vector, believed: float) -> float:
        """f(x) by a plain call after the run, on the evaluation kept for it; a surprise is looked at twice.

        Returns ``believed`` where no evaluation is left.
        """
        self._reserved = 0
        if self.counts.f + self.check_counts.f >= self.budget.maxfev:
            return believed
        f = self.objective.value(x.copy())
        self.check_counts.f += 1
        self._report("f", x, f, check=True)
        surprise = not abs(f - believed) <= 1e-8 * abs(believed)
        if surprise and f != believed and self.counts.f + self.check_counts.f < self.budget.maxfev:
            self.check_counts.f += 1
            f = self.objective.value(x.copy())
            self._report("f", x, f, check=True)
        return f

    def gradient_changed(self, x: Vector, g: Vector) -> bool:
        """Whether the gradient at x is not g after all: it is asked for once more, on the one kept for that.

        A tape is compared with plain autograd, and dropped where it is wrong; a gradient of another source with itself,
        since a glitch may have left zeros behind. Where they differ, every value believed until now is forgotten.
        """
        self._reserved_g = 0
        objective = self.objective
        if self.counts.g + self.check_counts.g >= self.budget.maxgev:
            return False
        self.check_counts.g += 1
        if objective.has_own_derivatives or not objective.derivatives.may_be_stale(x, objective.args):
            again = objective.gradient(x.copy())
            same = norm(again - g) <= _SAME_GRADIENT * norm(g) + norm(again - g) * (not all_finite(again))
        else:
            again = g
            same = objective.derivatives.verify(x.copy(), g, objective.args)
        self._report("g", x, g=again, check=True)
        if same:
            return False
        self.incumbent.forget()
        self._linearized_at = self._hessian_at = self._sparse_at = None
        return True

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self.started

    # --- helpers --------------------------------------------------------------------------------------------

    def _spend(self, f: int = 0, g: int = 0, H: int = 0, Hv: int = 0) -> None:
        ledger = self._ledger
        self._refuse_spending(f, g, H, Hv)
        ledger.f += f
        ledger.g += g
        ledger.H += H
        ledger.Hv += Hv

    def _report(
        self, kind: str, x: Vector, f: float = math.nan, g: Vector | None = None, *, check: bool | None = None
    ) -> None:
        """Tell the observer of one evaluation, made for a check where the ledger in use says so."""
        if self.observer is not None:
            self.observer(kind, x, f, g, self._ledger is self.check_counts if check is None else check)

    def _report_products(self, x: Vector, gradients: int, products: int) -> None:
        """The same for products, and for the gradients that their differences took."""
        for kind in ["g"] * gradients + ["Hv"] * products:
            self._report(kind, x)

    def _refuse_spending(self, f: int = 0, g: int = 0, H: int = 0, Hv: int = 0) -> None:
        if not self._limited:
            return
        budget, counts, checks = self.budget, self.counts, self.check_counts
        for asked, done, limit, kind in (
            (f, counts.f + checks.f, budget.maxfev - self._reserved, "f"),
            (g, counts.g + checks.g, budget.maxgev - self._reserved_g, "the gradient"),
            (H, counts.H + checks.H, budget.maxhev, "the Hessian"),
            (Hv, counts.Hv + checks.Hv, budget.maxhvp, "Hessian-vector products"),
        ):
            if asked and done + asked > limit:
                limit += {"f": self._reserved, "the gradient": self._reserved_g}.get(kind, 0)
                raise BudgetSpent(Termination(TerminationReason.EVALUATIONS, limit + 1, limit, kind))
        if budget.maxtime < math.inf and (seconds := self.elapsed()) > budget.maxtime:
            raise BudgetSpent(Termination(TerminationReason.TIME, seconds, budget.maxtime))

    def _second_look(self, f: float, x: Vector) -> float:
        """Evaluate once more where f is not finite or far larger than any value seen; then believe it."""
        finite = math.isfinite(f)
        seen = self._largest_f
        suspicious = (not finite and not self._failure_confirmed) or (finite and abs(f) > _IMPLAUSIBLE * seen)
        if suspicious and self._may_check_f():
            self.check_counts.f += 1
            again = self.objective.value(x.copy())
            self._report("f", x, again, check=True)
            if not finite and not math.isfinite(again):
                self._failure_confirmed = True
            f = again
        if math.isfinite(f) and not abs(f) <= seen:
            self._largest_f = abs(f)
        return f

    def _plausible_gradient(self, g: Vector, x: Vector) -> Vector:
        size = finite_max_norm(g)
        if not size <= self._largest_g:
            finite = not math.isnan(size)
            suspicious = size > _IMPLAUSIBLE * self._largest_g if finite else not self._failure_confirmed
            if suspicious and self._may_check_g():
                self.check_counts.g += 1
                self._linearized_at = None
                g = self._gradient(x)
                self._report("g", x, g=g, check=True)
                size = finite_max_norm(g)
                finite = not math.isnan(size)
                self._failure_confirmed = self._failure_confirmed or not finite
            if finite and not size <= self._largest_g:
                self._largest_g = size
        self._last_g, self._last_size = g, size
        return g

    def _may_check_f(self) -> bool:
        return self.counts.f + self.check_counts.f + self._reserved < self.budget.maxfev

    def _may_check_g(self) -> bool:
        return self.counts.g + self.check_counts.g + self._reserved_g < self.budget.maxgev

    def _gradient(self, x: Vector) -> Vector:
        if self.second_order and (linearization := self._linearize(x)) is not None:
            return linearization.g
        return self.objective.gradient(x.copy())

    def _linearize(self, x: Vector) -> Linearization | None:
        if x is not self._linearized_at:
            self._linearization = self.objective.linearize(x.copy())
            self._linearized_at = x
        return self._linearization

    def _product(self, x: Vector) -> Product:
        linearization = self._linearize(x)
        if linearization is not None:
            return Product(linearization.product, 0, 0)
        if self.objective.hvp is None:
            self._refuse_spending(g=3)  # the most that making the map takes
        # how far the run has come tells lengths in x where x itself is near zero
        travelled = 0.0 if self._first_x is None else norm(x - self._first_x)
        product = self.objective.product(x, max(norm(x), travelled) or 1.0)
        self._differences = product.gradients_each > 0
        self._ledger.g += product.gradients_spent
        self._report_products(x, product.gradients_spent, 0)
        return product
