"""The Evaluator: one run's counted, budgeted view of an objective, through which every call of user code goes."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import scipy.sparse as sp

from newtonkit.core.state import BudgetSpent
from newtonkit.derivatives.autograd.tracing import dense_from_products
from newtonkit.derivatives.noise import LONGEST, MOST_CALLS, estimate_noise
from newtonkit.derivatives.source import EXACT_ERROR, Product
from newtonkit.evaluation.first_order import FirstOrderEvaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, dot, norm

# Relative difference of two evaluations at one point that counts as rounding: √eps, as in differences of a gradient.
_SAME = 1e-8


class Evaluator(FirstOrderEvaluator):
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
    scaled : bool, default False
        Whether a power of two multiplies f where ‖∇f‖∞ at the first point is outside [1e-50, 1e50]: ``scale``. All that
        is returned is then scaled; an observer sees the values of the user's function.
    domain : Domain, optional
        Where x may lie; a request outside it is an internal error. Default: `Unbounded()`.

    Examples
    --------
    >>> import numpy as np
    >>> import newtonkit
    >>> evaluator = newtonkit.Evaluator(newtonkit.Objective(lambda x: (x**2).sum()))
    >>> f, g = evaluator.value_and_grad(np.array([1.0, 2.0]))
    >>> float(f), g.tolist()
    (5.0, [2.0, 4.0])
    """

    # --- second derivatives ---------------------------------------------------------------------------------

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
            H = self._source.sparse_hessian(x.copy(), lambda _: self._linearize(x))
        else:
            H = self._source.hessian(x.copy())
        self._report("H", x)
        if not sp.issparse(H):
            self._cache.store_dense(x, np.asarray(H))
            return None
        self._cache.store_sparse(x, H)
        return H

    def hessian_pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """The non-zeros of the Hessian near x, or None and why they are not known."""
        if self.objective.hess is not None:
            H = self.sparse_hessian(x)
            return (None, "hess returns a dense matrix") if H is None else (H, "")
        return self.objective.pattern(x)

    def known_hessian(self, x: Vector) -> Matrix | None:
        """∇²f(x) if it was computed at exactly this point last."""
        return self._cache.dense(x)

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

    # --- error bars -----------------------------------------------------------------------------------------

    @property
    def has_exact_products(self) -> bool:
        """Whether Hessian-vector products come from differentiation of fun or from the user, not from differences."""
        return self.objective.is_traced or self.objective.hvp is not None

    @property
    def product_error(self) -> float:
        """Relative error to expect in a Hessian-vector product, by its source (known after the first)."""
        return self._source.hessian_error

    @property
    def hessian_error(self) -> float:
        """Relative error to expect in a Hessian, by its source (known after the first)."""
        return EXACT_ERROR if self.objective.hess is not None else self._source.hessian_error

    @property
    def rounds(self) -> Any:
        """Rounds over all partitions in this run, see `newtonkit.FiniteSum`; None for other objectives."""
        return self._source.rounds

    @property
    def value_noise(self) -> float:
        """The noise of f beyond its rounding, if the source of derivatives has measured it; otherwise 0."""
        return self._source.value_noise

    def gradient_error(self, x: Vector, g: Vector) -> float:
        """Bound on the error of g = ∇f(x) in the maximum norm, counted as checks; 0 if the derivatives are exact.

        Differences are compared with those of twice the step. ∞ if the budget does not allow this.
        """
        if not self._counts_calls:
            return 0.0
        if not self._ledger.allows_f(self._source.cost("gradient_error", x.size).f):
            return math.inf
        with self.checking():
            return self._source.gradient_error(x, g)

    # --- checks after the run -------------------------------------------------------------------------------

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

    def repeat(self, x: Vector, count: int) -> tuple[float, ...]:
        """f(x) by ``count`` plain calls, counted as checks; fewer if the budget is spent."""
        return tuple(self._plain_check(x) for _ in range(count) if self._ledger.allows_f())

    def measure_noise(self, x: Vector, f: float) -> float:
        """The standard deviation of the errors of f near x by `estimate_noise`, counted as checks; 0 if unknown."""
        if not self._ledger.allows_f(MOST_CALLS):
            return 0.0
        travelled = 0.0 if self._first_x is None else norm(x - self._first_x)
        step = math.sqrt(EPS) * np.maximum(np.abs(x), travelled / math.sqrt(x.size) or 1.0)
        domain = self.domain
        above, below = domain.reach(x, step), domain.reach(x, -step)
        step = np.where(below > above, -step, step) * (np.maximum(above, below) >= LONGEST)
        return estimate_noise(lambda y: self._plain_check(domain.project(y)), x, f, step) or 0.0

    def gradient_changed(self, x: Vector, g: Vector) -> bool:
        """Whether a second evaluation at x differs from g; it uses the gradient reserved for this comparison.

        A gradient from a tape is compared with plain autograd, and the tape is dropped if it is wrong. Any other
        gradient is compared with itself, since a failure of one call may have left zeros behind. If they differ, the
        incumbent and all cached derivatives are dropped.
        """
        self._ledger.release_g()
        if not self._may_repeat_gradient(x):
            return False
        self._ledger.charge_check(g=1)
        again, same = g, self._source.verify(x.copy(), g)
        if same is None:
            with self.checking():
                again = self._source.gradient(x.copy())
            difference = norm(again - g)
            noise = self._source.gradient_noise * math.sqrt(x.size)
            same = difference <= _SAME * norm(g) + noise + difference * (not all_finite(again))
        self._report("g", x, g=again, check=True)
        if same:
            return False
        self.incumbent.forget()
        self._cache.forget()
        return True

    # --- helpers --------------------------------------------------------------------------------------------

    def _evaluated_hessian(self, x: Vector) -> Matrix:
        if self._cache.sparse(x) is not None and (sparse := self.sparse_hessian(x)) is not None:
            return np.asarray(sparse.toarray())
        if self._bounded:
            self._require_inside(x)
        if self._counts_calls:
            self._ledger.require(self._source.cost("hessian", x.size).f, H=1)
        self._ledger.charge(H=1)
        given = self._source.hessian(x.copy())
        if given is not None:
            H: Matrix = np.asarray(given if isinstance(given, np.ndarray) else given.toarray())
        elif (linearization := self._linearize(x)) is not None:
            H = linearization.hessian()
        else:
            product = self._product(x)
            products = x.size if self.objective.hvp is not None else 0
            self._ledger.charge(g=product.gradients_each * x.size, Hv=products)
            H = dense_from_products(product.times, x.size)
            self._report_products(x, product.gradients_each * x.size, products)
        self._report("H", x)
        return H

    def _product(self, x: Vector) -> Product:
        linearization = self._linearize(x)
        if linearization is not None:
            return Product(linearization.product, 0, 0)
        if self.objective.hvp is None and not self._counts_calls:
            self._ledger.require(g=3)  # the most that making the map takes
        # how far the run has come shows lengths in x if x itself is near zero
        travelled = 0.0 if self._first_x is None else norm(x - self._first_x)
        product = self._source.product(x, max(norm(x), travelled) or 1.0)
        self._ledger.add(g=product.gradients_spent)
        self._report_products(x, product.gradients_spent, 0)
        return product

    def _report_products(self, x: Vector, gradients: int, products: int) -> None:
        """The same for products, and for the gradients that their differences took."""
        for kind in ["g"] * gradients + ["Hv"] * products:
            self._report(kind, x)


def _is_usual(H: Matrix) -> bool:
    """Whether H is finite and not zero."""
    entries = H.ravel("K")
    square = dot(entries, entries)  # 0 and ∞ may come from entries whose squares leave the range of numbers
    return (math.isfinite(square) and square > 0.0) or bool(H.any() and np.isfinite(H).all())
