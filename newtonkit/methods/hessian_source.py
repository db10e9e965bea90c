"""Sources of the quadratic model of a trust-region method: a full Hessian, a sparse one, or products."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from newtonkit.core.state import State
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import DenseSymmetric, SparseStructure, SparseSymmetric, Symmetric
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm
from newtonkit.linalg.preconditioners import CYCLE_PRODUCTS, SETUP_PRODUCTS, multigrid, suits_multigrid
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.model import QuadraticModel
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.products_then_factors import Preconditioning, ProductsThenFactors
from newtonkit.trustregion.units import EUCLIDEAN, Units

# Up to this n the subproblem is solved by one eigendecomposition. Measured, µs, against one Cholesky factorization:
# n = 10: 11 and 3; n = 100: 857 and 35
_EIGEN = 30
_FULL = 100  # up to this n a full Hessian is used without a search for its pattern; it costs less than the search
_DENSITY = 0.1  # share of nonzeros above which a sparse factorization is not faster than a dense one
_DENSE_LIMIT = 5000  # a dense Cholesky factorization takes 4e10 operations there, and a Hessian 5000 products
_FEW_PRODUCTS = 20  # below this number of products a factorization is hardly more expensive than the rest of a step
_FORCING = 0.1  # largest relative residual of an inexact Newton step
_SPARSE_FORCING = 0.01  # the same where products with a sparse matrix are cheap compared with the next Hessian


class HessianSource(Protocol):
    """A source of quadratic models. It is immutable: a source that learns from steps returns a new one."""

    @property
    def reason(self) -> str:
        """Why this source was chosen; empty if there was no choice."""

    def quadratic_model(self, evaluator: Evaluator, state: State, lam: float, units: Units) -> QuadraticModel | None:
        """Return the model at this state, in these units; None if the Hessian is not finite.

        ``lam`` is λ of the last step.
        """

    def factorizable(self, evaluator: Evaluator, x: Vector) -> Symmetric | None:
        """Return the Hessian at x in the form that this source factors; None if it has no Hessian."""

    def after_step(self, state: State, x: Vector, g: Vector, units: Units) -> HessianSource:
        """Return the source after a step from this state to x, where the gradient is g; lengths are in these units."""


class EvaluatedHessian:
    """What the sources that evaluate ∇²f share: they learn nothing from steps."""

    __slots__ = ()

    def after_step(self, state: State, x: Vector, g: Vector, units: Units) -> Self:
        """Return this source."""
        return self


def dense_model(g: Vector, B: Matrix, x: Vector, lam: float) -> QuadraticModel:
    """Return the model of a dense symmetric B: by eigenvectors if n is small or B is singular, else by factors."""
    if g.size > _EIGEN:
        model = MoreSorensenSubproblem(g, DenseSymmetric(B), lam)
        if not model.singular:
            return model
    # the terms that cancel in a gradient near a minimizer are as large as those of Bx
    return EigenSubproblem(g, B, 10 * EPS * (np.abs(B) @ np.abs(x) + np.abs(g)))


@dataclass(frozen=True, slots=True)
class FullHessian(EvaluatedHessian):
    """A dense Hessian at each point."""

    reason: str = ""

    def quadratic_model(self, evaluator: Evaluator, state: State, lam: float, units: Units) -> QuadraticModel | None:
        """Return the model; it costs one Hessian."""
        H = evaluator.hessian(state.x)
        if not np.isfinite(H).all():
            return None
        return dense_model(units.gradient(state.g), units.matrix(H), units.point(state.x), lam)

    def factorizable(self, evaluator: Evaluator, x: Vector) -> Symmetric:
        """Return the full Hessian at x."""
        return DenseSymmetric(evaluator.hessian(x))


@dataclass(frozen=True, slots=True)
class SparseHessian(EvaluatedHessian):
    """A sparse Hessian at each point, with the factorization that suits its pattern."""

    structure: SparseStructure
    first_gradient: Vector

    @property
    def reason(self) -> str:
        """The factorization, and the numbers that decided it."""
        return self.structure.reason

    def quadratic_model(self, evaluator: Evaluator, state: State, lam: float, units: Units) -> QuadraticModel | None:
        """Return the model; it counts as one Hessian, however many products that takes."""
        B, g = self.factorizable(evaluator, state.x, units), units.gradient(state.g)
        if not math.isfinite(B.norm):
            return None
        products = self.structure.products_per_factor
        if products < _FEW_PRODUCTS or isinstance(B, DenseSymmetric):
            return MoreSorensenSubproblem(g, B, lam)
        share = gradient_share(evaluator, state, self.first_gradient, units)
        return ProductsThenFactors(g, B, lam, min(_SPARSE_FORCING, share), products, _multigrid_for(B))

    def factorizable(self, evaluator: Evaluator, x: Vector, units: Units = EUCLIDEAN) -> Symmetric:
        """Return the sparse Hessian at x, or a full one if the user's function returns that here."""
        H = evaluator.sparse_hessian(x)
        if H is None:
            return DenseSymmetric(units.matrix(evaluator.hessian(x)))
        return self.structure.matrix(units.sparse(H))


def _multigrid_for(B: Symmetric) -> Preconditioning | None:
    if not (isinstance(B, SparseSymmetric) and suits_multigrid(B.B)):
        return None
    matrix = B.B
    return Preconditioning(lambda: multigrid(matrix), SETUP_PRODUCTS, CYCLE_PRODUCTS)


@dataclass(frozen=True, slots=True)
class HessianProducts(EvaluatedHessian):
    """Hessian-vector products, computed until the residual is min(0.1, √(‖g‖/‖g₀‖))·‖g‖.

    This forcing term makes the convergence superlinear (Nocedal & Wright, 2006, theorem 7.2).

    Parameters
    ----------
    first_gradient : ndarray, shape (n,)
        g₀, 0 where a variable is held at a bound.
    reason : str
    preconditioner : callable, optional
    max_products : int, optional
        Limit at one point.
    """

    first_gradient: Vector
    reason: str = ""
    preconditioner: Callable[[Vector], Callable[[Vector], Vector]] | None = None
    max_products: int | None = None

    def quadratic_model(self, evaluator: Evaluator, state: State, lam: float, units: Units) -> QuadraticModel | None:
        """Return the model; it computes products when it is solved."""
        forcing = min(_FORCING, math.sqrt(gradient_share(evaluator, state, self.first_gradient, units)))
        precondition = None if self.preconditioner is None else self.preconditioner(state.x.copy())
        product = units.product(evaluator.hvp(state.x))
        return LanczosSubproblem(units.gradient(state.g), product, forcing, precondition, self.max_products)

    def factorizable(self, evaluator: Evaluator, x: Vector) -> None:
        """Return None: there is no matrix."""


def gradient_share(evaluator: Evaluator, state: State, first_gradient: Vector, units: Units) -> float:
    """Return ‖g‖/‖g₀‖ in these units, g without the variables held at a bound; 1 if g₀ is zero."""
    first = norm(units.gradient(first_gradient))
    g = evaluator.domain.free_gradient(state.x, state.g)
    return norm(units.gradient(g)) / first if first > 0.0 else 1.0


def choose_hessian_source(evaluator: Evaluator, state: State) -> HessianSource:
    """Return full, sparse or products, by n, by the pattern of the Hessian, and by the expected fill of its factor."""
    x, g = state.x, evaluator.domain.free_gradient(state.x, state.g)
    n = x.size
    if n <= _FULL:
        return FullHessian()
    pattern, why_not = evaluator.hessian_pattern(x)
    if pattern is None or pattern.nnz > _DENSITY * n * n:
        if pattern is not None:
            why_not = f"{100 * pattern.nnz / n**2:.0f} % of the Hessian are nonzero"
        if n <= _DENSE_LIMIT:
            return FullHessian(f"dense Cholesky: {why_not}")
        return HessianProducts(g, f"truncated Newton: {why_not}, and n = {n} > {_DENSE_LIMIT}")
    structure = SparseStructure(pattern)
    if structure.fits:
        return SparseHessian(structure, g)
    if n <= _DENSE_LIMIT:
        return FullHessian(f"dense Cholesky: {structure.reason}")
    return HessianProducts(g, f"truncated Newton: {structure.reason}")
