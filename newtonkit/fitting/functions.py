"""The user's residuals with their derivatives as functions of one flat vector, counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain
from newtonkit.core.state import BudgetSpent
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.core.validation import check_choice, check_memory
from newtonkit.derivatives.autograd.tracing import DifferentiationError
from newtonkit.derivatives.foreign_residuals import LIBRARIES
from newtonkit.derivatives.residuals import ResidualDerivatives, flat_residuals, residual_vector
from newtonkit.fitting.column_groups import GroupedColumns
from newtonkit.fitting.difference_jacobian import difference_jacobian, grouped_differences
from newtonkit.fitting.jacobians import Jacobian
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import Matrix, Vector

_SPARSE, _SHARE = 100, 0.2  # a sparse Jacobian with fewer columns, or more entries, is made dense; our choice
_COPIES = 3  # the Jacobian, its scaled copy, and the left singular vectors
SCHEMES = ("2-point", "3-point")
_AUTOMATIC = ("tape", "autograd")
_DIFFERENCES = {"differences": "3-point", "3-point": "3-point", "2-point": "2-point"}


class FitFunctions:
    """r(x), J(x) and Σ wᵢ∇²rᵢ(x).

    Parameters
    ----------
    fun : callable
        The residuals of a flat vector, fun(x, \\*args).
    jac : None, "2-point", "3-point" or callable
        jac(x, \\*args). None: ``automatic``; where it cannot differentiate fun, 3-point differences, and ``source``
        states this.
    curvature : callable, optional
        (x, w, \\*args) ↦ Σ wᵢ∇²rᵢ(x).
    domain : Domain
        Differences stay within it.
    diff_step : float or ndarray, optional
        Relative steps of differences.
    args : tuple
        Further arguments of all three.
    automatic : ResidualDerivatives, optional
        Exact derivatives of fun, which calls may share.
    limit : float, default infinity
        Of residual evaluations.
    groups : GroupedColumns, optional
        The pattern of J, by which it is sparse; not used where jac is callable.

    Attributes
    ----------
    counts : Counts
        ``f`` residual vectors, those of differences included; ``g`` Jacobians; ``H`` second derivatives. A Jacobian of
        which only some columns are evaluated counts in part.
    source : str
        Where the Jacobian comes from.
    is_sparse : bool
        Whether the last Jacobian was sparse.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        jac: Any,
        curvature: Callable[..., Any] | None,
        domain: Domain,
        diff_step: Any = None,
        *,
        args: tuple[Any, ...] = (),
        automatic: ResidualDerivatives | None = None,
        limit: float = math.inf,
        groups: GroupedColumns | None = None,
    ) -> None:
        self._fun, self.domain, self._diff_step, self.args = fun, domain, diff_step, args
        self._jac, self._given_curvature = jac, curvature
        self.automatic = (automatic or ResidualDerivatives(fun)) if jac is None else None
        self.source = "autograd" if jac is None else "given" if callable(jac) else f"{jac} differences"
        self.counts, self.limit = Counts(), limit
        self._columns = 0
        self._groups = None if callable(jac) else groups
        self._pattern_checked = False
        self.is_sparse = False
        self._last: tuple[Vector, Vector] | None = None

    @property
    def has_curvature(self) -> bool:
        """Whether `curvature` may be called."""
        return not self.is_sparse and (self._given_curvature is not None or self.automatic is not None)

    @property
    def finds_linear(self) -> bool:
        """Whether second derivatives are exact zeros where residuals are affine."""
        return self.automatic is not None and self._given_curvature is None

    def residuals(self, x: Vector) -> Vector:
        """r(x), shape (m,).

        Raises
        ------
        BudgetSpent
            If the limit is reached.
        """
        known = self._known(x)
        if known is not None:
            return known.copy()
        if self.counts.f >= self.limit:
            reason = TerminationReason.EVALUATIONS
            raise BudgetSpent(Termination(reason, self.limit + 1, self.limit, "the residuals (max_nfev)"))
        self.counts.f += 1
        r = residual_vector(flat_residuals(self._fun(x.copy(), *self.args)))
        self._last = x.copy(), r
        return r.copy()

    def jacobian(self, x: Vector, columns: Mask | None = None) -> Jacobian:
        """J(x), shape (m, n), or some columns of it."""
        if isinstance(self._jac, str):
            return self._by_differences(x, columns)
        in_part = None if self.automatic is None else columns
        self._columns += x.size if in_part is None else int(in_part.sum())
        self.counts.g = -(-self._columns // x.size)
        if self.automatic is not None:
            try:
                if self._groups is not None:
                    J = self._by_groups(self._groups, x)
                    return J if columns is None else J[:, columns]
                self._check_memory(x.size)
                return self.automatic.jacobian(x, self.args, columns=columns, residuals=self._known(x))
            except DifferentiationError as error:
                reason = str(error).partition(". Write")[0]
                self.source = f"3-point differences, since {reason}"
                self._jac, self.automatic = "3-point", None
                self._columns, self.counts.g = 0, 0
                return self._by_differences(x, columns)
        J = self._stored(self._jac(x.copy(), *self.args), x.size)
        return J if columns is None else J[:, columns]

    def curvature(self, x: Vector, w: Vector) -> Matrix:
        """Σ wᵢ∇²rᵢ(x), shape (n, n)."""
        self.counts.H += 1
        if self._given_curvature is not None:
            S = np.array(self._given_curvature(x.copy(), w.copy(), *self.args), dtype=np.float64)
            if S.shape != (x.size, x.size):
                raise ValueError(f"curvature must return an array of shape {(x.size, x.size)}, got shape {S.shape}")
            return S
        assert self.automatic is not None
        return self.automatic.curvature(x, w, self.args, residuals=self._known(x))

    def _known(self, x: Vector) -> Vector | None:
        """r(x) if it was evaluated last."""
        return self._last[1] if self._last is not None and np.array_equal(self._last[0], x) else None

    def _check_memory(self, n: int) -> None:
        """Raise ValueError if a dense Jacobian and its factors exceed the memory of this machine."""
        m = 0 if self._last is None else self._last[1].size
        check_memory(
            _COPIES * 8 * m * n,
            f"a dense Jacobian of {m} × {n} entries with its factors",
            "pass jac_sparsity or a sparse jac, or use newtonkit.minimize(newtonkit.SumOfSquares(fun), x0, "
            "method='newton-cg')",
        )

    def _by_groups(self, groups: GroupedColumns, x: Vector) -> Jacobian:
        """J from products with the groups of columns; the first is compared with one more product."""
        assert self.automatic is not None
        directions = groups.directions()
        v = np.random.default_rng(0).standard_normal(x.size)
        if not self._pattern_checked:
            directions = np.vstack([directions, v])
        found = self.automatic.products(x, directions, self.args, residuals=self._known(x))
        J = groups.expand(found[:, : groups.count])
        if not self._pattern_checked:
            groups.check(J, v, found[:, -1])
            self._pattern_checked = True
        return self._stored(J, x.size)

    def _stored(self, J: Any, n: int) -> Jacobian:
        """J as it is used: sparse where that pays."""
        found = _jacobian_matrix(J, n)
        self.is_sparse = sp.issparse(found)
        return found

    def _by_differences(self, x: Vector, columns: Mask | None) -> Jacobian:
        r = self.residuals(x)
        options = (self._jac, self.domain, self._diff_step)
        if self._groups is not None:
            products = grouped_differences(self.residuals, x, r, *options, self._groups)
            J = self._stored(self._groups.expand(products), x.size)
            J = J if columns is None else J[:, columns]
        else:
            self._check_memory(x.size)
            J = difference_jacobian(self.residuals, x, r, *options, columns)
        self._last = x.copy(), r
        return J


def check_source(jac: Any, derivatives: str) -> tuple[Any, bool]:
    """The Jacobian to use (callable, a scheme of differences, or None for autograd), and whether to use a tape.

    Raises
    ------
    TypeError, ValueError
        For a value that is not supported, naming the argument.
    """
    check_choice("derivatives", derivatives, (*_AUTOMATIC, *_DIFFERENCES, *LIBRARIES))
    if isinstance(jac, str):
        if jac == "cs":
            raise ValueError(
                "jac='cs' is not supported, since it requires a fun of complex numbers; the default gives exact "
                "derivatives, jac='3-point' finite differences"
            )
        check_choice("jac", jac, SCHEMES)
        return jac, False
    if not (jac is None or callable(jac)):
        raise TypeError(f"jac must be None, a callable, '2-point' or '3-point', got {jac!r}")
    return (_DIFFERENCES.get(derivatives) if jac is None else jac), derivatives == "tape"


def _jacobian_matrix(value: Any, n: int) -> Jacobian:
    if isinstance(value, LinearOperator):
        raise TypeError(
            "jac must return an array or a sparse array; for products with J use newtonkit.minimize(f, x0, "
            "method='newton-cg') with f = newtonkit.SumOfSquares(fun)"
        )
    if sp.issparse(value) and n >= _SPARSE and value.nnz <= _SHARE * value.shape[0] * n and value.shape[1] == n:
        return sp.csc_array(value, dtype=np.float64)
    J = np.array(value.toarray() if sp.issparse(value) else value, dtype=np.float64)
    if J.ndim == 1:
        J = J.reshape(-1, n)
    if J.ndim != 2 or J.shape[1] != n:
        raise ValueError(f"jac must return an array of shape (m, {n}), got shape {np.shape(value)}")
    return J
