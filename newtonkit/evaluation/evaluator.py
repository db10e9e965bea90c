"""The Evaluator: one run's counted, budgeted view of an objective, through which every call of user code goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import numpy as np
import scipy.sparse as sp

from newtonkit.core.counts import UNLIMITED, Budget, Counts
from newtonkit.core.domain import Domain, OutsideDomainError, Unbounded
from newtonkit.core.state import BudgetSpent
from newtonkit.derivatives.autograd.tracing import dense_from_products
from newtonkit.derivatives.linearization import Linearization
from newtonkit.evaluation.cache import EvaluationCache
from newtonkit.evaluation.incumbent import Incumbent
from newtonkit.evaluation.ledger import Ledger
from newtonkit.evaluation.outliers import OutlierGuard
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, finite_max_norm, norm
from newtonkit.objectives.objective import Objective, Product

# Relative difference of two evaluations at one point that counts as rounding: √eps, as in differences of a gradient.
_SAME = 1e-8
_EXACT_ERROR = 10 * EPS  # relative error of a Hessian by the user or by autograd, per row; a choice of ours
_DIFFERENCE_ERROR = 1e-7  # the same for central differences of a gradient, N&W (2006), p. 197, with a margin

Observer = Callable[[str, Vector, float, Vector | None, bool], None]


class Evaluator:
    """One run's view of an objective: every call of user code goes through it.

    It passes copies to the user's functions and owns what they return. It counts evaluations, and refuses a call that
    would exceed the budget before it is made (`Ledger`). It evaluates an implausible result a second time
    (`OutlierGuard`), evaluates no derivative twice at one point (`EvaluationCache`), and keeps the best point
    (`Incumbent`).

    Parameters
    ----------
    objective : Objective
    budget : Budget, optional
    second_order : bool, default False
        Whether Hessians or products will be requested at most points where the gradient is. The gradient then comes
        from the nested trace that the Hessian needs in any case.
    observer : callable, optional
        observer(kind, x, f, g, check), called once after each evaluation that is counted; kind is "f", "g", "H" or
        "Hv", f the value or NaN, g the gradient or None, check whether it is counted in ``check_counts``. A Hessian
        that was evaluated for a check and is then requested by the method is reported again with check=False, since
        its count moves. x and g belong to the evaluator: do not write to them, and copy them to keep them.
    domain : Domain, optional
        Where x may lie; a request outside it is an internal error. Default: `Unbounded()`.
    """

    def __init__(
        self,
        objective: Objective,
        budget: Budget = UNLIMITED,
        *,
        second_order: bool = False,
        observer: Observer | None = None,
        domain: Domain | None = None,
    ) -> None:
        self.objective = objective
        self.budget = budget
        self.second_order = second_order
        self.observer = observer
        self.domain: Domain = Unbounded() if domain is None else domain
        self.incumbent = Incumbent()
        self._ledger = Ledger(budget)
        self._guard = OutlierGuard()
        self._cache = EvaluationCache(self._ledger)
        self._bounded = self.domain.is_bounded
        self._last_g: Vector | None = None
        self._last_size = math.nan
        self._differences = False
        self._first_x: Vector | None = None

    @property
    def counts(self) -> Counts:
        """Evaluations for the method."""
        return self._ledger.counts

    @property
    def check_counts(self) -> Counts:
        """Evaluations for checks."""
        return self._ledger.check_counts

    def resume(self, counts: Counts, check_counts: Counts, x: Vector, f: float, g: Vector) -> None:
        """Continue from the counts of an earlier run that ended at x."""
        self._ledger.resume(counts, check_counts)
        self.incumbent.offer(x, f, g)

    # --- requests -------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """f(x)."""
        if self._bounded:
            self._require_inside(x)
        self._ledger.charge(f=1)
        f = self.objective.quick_value(x.copy())
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
        self._ledger.charge(g=1)
        g = self._guarded_gradient(self._gradient(x), x)
        if self.observer is not None:
            self._report("g", x, g=g)
        self.incumbent.record_gradient(x, g)
        return g

    def value_and_grad(self, x: Vector) -> tuple[float, Vector]:
        """f(x) and ∇f(x), counted as one of each; both or neither are evaluated."""
        if self._bounded:
            self._require_inside(x)
        self._ledger.charge_value_and_gradient()
        if self._first_x is None:
            self._first_x = x
        if self.second_order and (linearization := self._linearize(x)) is not None:
            f, g = linearization.f, linearization.g
        else:
            f, g = self.objective.value_and_gradient(x.copy())
        if not abs(f) <= self._guard.largest_f:
            accepted = self._guarded_value(f, x)
            if accepted != f and math.isfinite(accepted) and self._ledger.allows_g():
                # the gradient belongs to the same evaluation: the trace of a plain number gives a gradient of zero
                g = self._second_gradient(x)
            f = accepted
        g = self._guarded_gradient(g, x)
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
        """∇²f(x), dense and exactly symmetric; a second request at the same point evaluates nothing."""
        H = self._cache.dense(x)
        if H is not None:
            if self._cache.claim_dense():
                self._report("H", x)
            return H
        H = self._evaluated_hessian(x)
        # the trace of a plain number gives a Hessian of zero
        if self._guard.suspects_hessian(_is_usual(H)):
            self._cache.forget_linearization()
            with self.checking(), suppress(BudgetSpent):
                H = self._evaluated_hessian(x)
            self._guard.confirm_hessian(_is_usual(H))
        self._cache.store_dense(x, H)
        return H

    def hessian_pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """The non-zeros of the Hessian near x, or None and why they are not known."""
        if self.objective.hess is not None:
            H = self.sparse_hessian(x)
            return (None, "hess returns a full matrix") if H is None else (H, "")
        return self.objective.pattern(x)

    def sparse_hessian(self, x: Vector) -> sp.csc_array | None:
        """∇²f(x) as a sparse matrix, exactly symmetric; None if the user's function returns a dense one."""
        H = self._cache.sparse(x)
        if H is not None:
            if self._cache.claim_sparse():
                self._report("H", x)
            return H
        if self._bounded:
            self._require_inside(x)
        self._ledger.charge(H=1)
        if self.objective.hess is None:
            H = self.objective.recovered_hessian(x.copy(), lambda _: self._linearize(x))
        else:
            H = self.objective.hessian(x.copy())
        self._report("H", x)
        if not sp.issparse(H):
            self._cache.store_dense(x, np.asarray(H))
            return None
        self._cache.store_sparse(x, H)
        return H

    def _evaluated_hessian(self, x: Vector) -> Matrix:
        if self._cache.sparse(x) is not None and (sparse := self.sparse_hessian(x)) is not None:
            return np.asarray(sparse.toarray())
        if self._bounded:
            self._require_inside(x)
        self._ledger.charge(H=1)
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
                self._ledger.charge(g=product.gradients_each * x.size, Hv=products)
                H = dense_from_products(product.times, x.size)
                self._report_products(x, product.gradients_each * x.size, products)
        self._report("H", x)
        return H

    def hvp(self, x: Vector) -> Callable[[Vector], Vector]:
        """The map v ↦ ∇²f(x)·v, each product counted as one Hv."""
        if self._bounded:
            self._require_inside(x)
        if self.objective.hess is not None and self.objective.hvp is None:
            H = self.sparse_hessian(x) if self._cache.dense(x) is None else None
            if H is None:
                H = self.hessian(x)
            return lambda v: H @ v
        times, gradients, _ = self._product(x)

        def counted(v: Vector) -> Vector:
            self._ledger.charge(Hv=1, g=gradients)
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
        return self._cache.dense(x)

    @property
    def product_error(self) -> float:
        """Relative error to expect in a Hessian-vector product, by its source (known after the first)."""
        return _DIFFERENCE_ERROR if self._differences else _EXACT_ERROR

    @property
    def hessian_error(self) -> float:
        """Relative error to expect in a Hessian, by its source (known after the first)."""
        return _DIFFERENCE_ERROR if self._differences and self.objective.hess is None else _EXACT_ERROR

    # --- checks, counted apart -------------------------------------------------------------------------------

    def checking(self) -> AbstractContextManager[None]:
        """Requests made inside are counted in ``check_counts``; the budget holds for them too."""
        return self._ledger.checking()

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Points evaluated inside are no candidates for the incumbent: their gradients are not evaluated."""
        before, self.incumbent = self.incumbent, Incumbent()
        try:
            yield
        finally:
            self.incumbent = before

    def recheck(self, x: Vector, expected: float) -> float:
        """f(x) by a plain call after the run, by the evaluation reserved for it; repeated if it is not as expected.

        Returns ``expected`` if no evaluation is left.
        """
        self._ledger.release_f()
        f = expected
        for _ in range(2):
            if self._ledger.allows_f():
                f = self._plain_check(x)
            if abs(f - expected) <= _SAME * abs(expected) or f == expected:
                break
        return f

    def gradient_changed(self, x: Vector, g: Vector) -> bool:
        """Whether a second evaluation at x differs from g; it uses the gradient reserved for this comparison.

        A gradient from a tape is compared with plain autograd, and the tape is dropped if it is wrong. Any other
        gradient is compared with itself, since a failure of one call may have left zeros behind. If they differ, the
        incumbent and all cached derivatives are dropped.
        """
        self._ledger.release_g()
        objective = self.objective
        if not self._ledger.allows_g():
            return False
        self._ledger.charge_check(g=1)
        if objective.has_own_derivatives or not objective.derivatives.may_be_stale(x, objective.args):
            again = objective.gradient(x.copy())
            same = norm(again - g) <= _SAME * norm(g) + norm(again - g) * (not all_finite(again))
        else:
            again = g
            same = objective.derivatives.verify(x.copy(), g, objective.args)
        self._report("g", x, g=again, check=True)
        if same:
            return False
        self.incumbent.forget()
        self._cache.forget()
        return True

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._ledger.elapsed()

    # --- helpers --------------------------------------------------------------------------------------------

    def _require_inside(self, x: Vector) -> None:
        if not self.domain.contains(x):
            raise OutsideDomainError(f"internal error: a request at {x!r}, outside {self.domain!r}")

    def _report(
        self, kind: str, x: Vector, f: float = math.nan, g: Vector | None = None, *, check: bool | None = None
    ) -> None:
        """Tell the observer of one evaluation, made for a check where the ledger in use says so."""
        if self.observer is not None:
            self.observer(kind, x, f, g, self._ledger.is_checking if check is None else check)

    def _report_products(self, x: Vector, gradients: int, products: int) -> None:
        """The same for products, and for the gradients that their differences took."""
        for kind in ["g"] * gradients + ["Hv"] * products:
            self._report(kind, x)

    def _plain_check(self, x: Vector) -> float:
        """f(x) by a plain call, counted as a check."""
        self._ledger.charge_check(f=1)
        f = self.objective.value(x.copy())
        self._report("f", x, f, check=True)
        return f

    def _second_gradient(self, x: Vector) -> Vector:
        """∇f(x) evaluated a second time, counted as a check."""
        self._ledger.charge_check(g=1)
        self._cache.forget_linearization()
        g = self._gradient(x)
        self._report("g", x, g=g, check=True)
        return g

    def _guarded_value(self, f: float, x: Vector) -> float:
        """f, or its second evaluation if it is an outlier."""
        guard = self._guard
        if guard.suspects_value(f) and self._ledger.allows_f():
            again = self._plain_check(x)
            if not math.isfinite(f) and not math.isfinite(again):
                guard.confirm_failure()
            f = again
        guard.accept_value(f)
        return f

    def _guarded_gradient(self, g: Vector, x: Vector) -> Vector:
        """g, or its second evaluation if it is an outlier."""
        guard = self._guard
        size = finite_max_norm(g)
        if not size <= guard.largest_g:
            if guard.suspects_gradient(size) and self._ledger.allows_g():
                g = self._second_gradient(x)
                size = finite_max_norm(g)
                if math.isnan(size):
                    guard.confirm_failure()
            guard.accept_gradient(size)
        self._last_g, self._last_size = g, size
        return g

    def _gradient(self, x: Vector) -> Vector:
        if self.second_order and (linearization := self._linearize(x)) is not None:
            return linearization.g
        return self.objective.gradient(x.copy())

    def _linearize(self, x: Vector) -> Linearization | None:
        linearization = self._cache.linearization(x)
        if linearization is None:
            linearization = self.objective.linearize(x.copy())
            if linearization is not None:
                self._cache.store_linearization(x, linearization)
        return linearization

    def _product(self, x: Vector) -> Product:
        linearization = self._linearize(x)
        if linearization is not None:
            return Product(linearization.product, 0, 0)
        if self.objective.hvp is None:
            self._ledger.require(g=3)  # the most that making the map takes
        # how far the run has come shows lengths in x if x itself is near zero
        travelled = 0.0 if self._first_x is None else norm(x - self._first_x)
        product = self.objective.product(x, max(norm(x), travelled) or 1.0)
        self._differences = product.gradients_each > 0
        self._ledger.add(g=product.gradients_spent)
        self._report_products(x, product.gradients_spent, 0)
        return product


def _is_usual(H: Matrix) -> bool:
    """Whether H is finite and not zero."""
    return bool(H.any() and np.isfinite(H).all())
