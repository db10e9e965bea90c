"""LDLᵀ of sparse symmetric matrices: by SuperLU, or by feral-solver where it is installed (extra ``sparse``)."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import math
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from newtonkit.linalg.kernels import EPS, Vector

Solve = Callable[[Vector], Vector]

# Share of the largest entry of a column below which feral-solver takes another pivot. Its default, 1e-8, lets the
# factors grow so far that the backward error bound is of no value; 0.01 is usual for LDLᵀ (Duff, 2004, ACM Trans. Math.
# Softw. 30(2), 118).
_PIVOT_THRESHOLD = 0.01


class SparseFactor(Protocol):
    """A + E = LDLᵀ, up to a permutation."""

    @property
    def negative(self) -> int:
        """Number of negative eigenvalues of D, thus of A + E (Sylvester's law)."""

    def solve(self, b: Vector) -> Vector:
        """A⁻¹b."""

    def backward_error(self) -> float:
        """Return a bound on ‖E‖∞: k·eps·‖|L||D||Lᵀ|‖∞, k the longest inner product.

        Higham (2002), *Accuracy and Stability of Numerical Algorithms*, theorems 9.3 and 11.3.
        """


class Factorizer(Protocol):
    """Factors matrices one after another; a pattern is analysed once where the package can."""

    def factor(self, A: sp.csc_array) -> SparseFactor | None:
        """Return the factor; None if there is none without a zero pivot."""


def sparse_factorizer() -> Factorizer:
    """Return a factorizer of feral-solver if it is installed, else of SuperLU."""
    return FeralFactorizer() if _has_feral() else SuperLUFactorizer()


@functools.cache
def _has_feral() -> bool:
    return importlib.util.find_spec("feral") is not None


def _error_bound(L: Any, times_d: Any) -> float:
    sums = times_d(np.asarray(abs(L).sum(axis=0)).ravel())
    longest = int(np.diff(sp.csr_array(L).indptr).max()) + 2
    return 2.0 * longest * EPS * float((abs(L) @ sums).max())


class SuperLUFactorizer:
    """SuperLU without pivoting: U = DLᵀ if every pivot is on the diagonal. It analyses the pattern each time."""

    def factor(self, A: sp.csc_array) -> SuperLUFactor | None:
        """Return the factor; None at a zero pivot, where SuperLU takes a pivot off the diagonal."""
        try:
            lu = splu(
                sp.csc_matrix(A),
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True, "Equil": False},
            )
        except RuntimeError:  # exactly singular
            return None
        return SuperLUFactor(lu) if np.array_equal(lu.perm_r, lu.perm_c) else None


class SuperLUFactor:
    """A factor of `SuperLUFactorizer`."""

    def __init__(self, lu: Any) -> None:
        self._lu = lu
        self.solve = lu.solve

    @property
    def negative(self) -> int:
        """Number of negative eigenvalues of D."""
        return int(np.sum(self._lu.U.diagonal() < 0.0))

    def backward_error(self) -> float:
        """Return the bound on ‖E‖∞."""
        d = np.abs(self._lu.U.diagonal())
        return _error_bound(self._lu.L, lambda v: d * v)


class FeralFactorizer:
    """Multifrontal LDLᵀ of feral-solver with Bunch and Kaufman's pivots.

    Measured on grids of 300² and 1000² points, one thread: the first factorization takes 0.8 and 0.4 of SuperLU's time,
    and one with the same pattern 0.3 and 0.25.
    """

    def __init__(self) -> None:
        self._idle: list[Any] = []  # a solver holds the analysis of a pattern and one factor

    def factor(self, A: sp.csc_array) -> FeralFactor | None:
        """Return the factor; None if a pivot is zero or was replaced."""
        feral = importlib.import_module("feral")
        T = sp.csc_array(sp.tril(A))
        lower = feral.CscMatrix(T.shape[0], T.indptr.astype(np.int64), T.indices.astype(np.int64), T.data)
        solver = (
            self._idle.pop()
            if self._idle
            else feral.Solver(
                parallel=False, scaling="none", pivot_threshold=_PIVOT_THRESHOLD, auto_cascade_break=False
            )
        )
        try:
            status = int(solver.factor(lower)[0])
        except feral.FeralError:
            status = -1
        if status != 0 or solver.needs_refinement or solver.inertia.n_zero:
            self._idle.append(solver)
            return None
        return FeralFactor(solver, self._idle)


class FeralFactor:
    """A factor of `FeralFactorizer`; its solver is used again when this object is deleted."""

    def __init__(self, solver: Any, idle: list[Any]) -> None:
        self._solver = solver
        self.negative: int = solver.inertia.n_neg
        weakref.finalize(self, idle.append, solver)

    def solve(self, b: Vector) -> Vector:
        """A⁻¹b."""
        return self._solver.solve(b)  # type: ignore[no-any-return]

    def backward_error(self) -> float:
        """Return the bound on ‖E‖∞."""
        factors = self._solver.factors()
        diagonal, below = factors.d_blocks()
        d, e = np.abs(diagonal), np.abs(below)

        def times_d(v: Vector) -> Vector:
            product: Vector = d * v
            product[:-1] += e[:-1] * v[1:]
            product[1:] += e[:-1] * v[:-1]
            return product

        return _error_bound(factors.to_scipy_l(), times_d) if diagonal.size else math.inf
