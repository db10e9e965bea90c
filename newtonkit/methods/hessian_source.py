"""Where a trust-region method has its model from: a full Hessian, a sparse one, or products; and which of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from newtonkit.core.state import State
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import DenseSymmetric, SparseStructure, Symmetric
from newtonkit.linalg.kernels import EPS, Vector, norm
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import StepBound, Trial

_EIGEN = 30  # up to this n one eigendecomposition; measured, µs: n = 10: 11, a Cholesky factorization 3; 100: 857, 35
_FULL = 100  # up to this n no pattern is looked for
_DENSITY = 0.1  # share of non-zeros above which a sparse factorization is no gain
_DENSE_MOST = 5000  # a full Cholesky factorization takes 4e10 operations there, and a Hessian 5000 products
_FORCING = 0.1


class Model(Protocol):
    """The quadratic model at one point."""

    @property
    def hessian_norm(self) -> float:
        """‖∇²f‖, or a bound on it."""

    @property
    def newton_length(self) -> float:
        """Length of the Newton step where the model is certainly convex; 0 where it is not, or that is not known."""

    def solve(self, bound: StepBound) -> Trial:
        """Its minimizer within the bound."""


class Curvature(Protocol):
    """A source of models; it holds nothing that depends on the point."""

    @property
    def reason(self) -> str:
        """Why this source, where it was chosen."""

    def model(self, evaluator: Evaluator, state: State, multiplier: float, first: float) -> Model | None:
        """The model at this state; None where the Hessian is not finite.

        ``multiplier`` is that of the step before, ``first`` the norm of the gradient at the start.
        """

    def factorizable(self, evaluator: Evaluator, x: Vector) -> Symmetric | None:
        """Return the Hessian at x in the form that this source factors; None if it uses products only."""


@dataclass(frozen=True, slots=True)
class FullHessian:
    """A dense matrix: its eigenvectors where it is small, else Cholesky factors of B + λI."""

    reason: str = ""

    def model(self, evaluator: Evaluator, state: State, multiplier: float, first: float) -> Model | None:
        """One Hessian."""
        H = evaluator.hessian(state.x)
        if not np.isfinite(H).all():
            return None
        if state.x.size > _EIGEN:
            model = MoreSorensenSubproblem(state.g, DenseSymmetric(H), multiplier)
            if not model.singular:
                return model
        # the terms that cancel in a gradient near a minimizer are as large as those of Hx
        return EigenSubproblem(state.g, H, 10 * EPS * (np.abs(H) @ np.abs(state.x) + np.abs(state.g)))

    def factorizable(self, evaluator: Evaluator, x: Vector) -> Symmetric:
        """Return the full Hessian at x."""
        return DenseSymmetric(evaluator.hessian(x))


@dataclass(frozen=True, slots=True)
class SparseHessians:
    """A sparse matrix, by the factorization that suits its pattern."""

    structure: SparseStructure

    @property
    def reason(self) -> str:
        """The factorization, and the figures it was chosen by."""
        return self.structure.reason

    def model(self, evaluator: Evaluator, state: State, multiplier: float, first: float) -> Model | None:
        """One Hessian, which counts as one whatever the products it took."""
        B = self.factorizable(evaluator, state.x)
        return MoreSorensenSubproblem(state.g, B, multiplier) if math.isfinite(B.norm) else None

    def factorizable(self, evaluator: Evaluator, x: Vector) -> Symmetric:
        """Return the sparse Hessian at x, or a full one if the user's function returns that here."""
        H = evaluator.sparse_hessian(x)
        return DenseSymmetric(evaluator.hessian(x)) if H is None else self.structure.matrix(H)


@dataclass(frozen=True, slots=True)
class Products:
    """Hessian-vector products in a Krylov space, until the residual is min(0.1, √(‖g‖/‖g₀‖)) of ‖g‖.

    The forcing term makes the convergence superlinear (Nocedal & Wright, 2006, theorem 7.2).
    """

    reason: str = ""
    preconditioner: Callable[[Vector], Callable[[Vector], Vector]] | None = None
    max_products: int | None = None

    def model(self, evaluator: Evaluator, state: State, multiplier: float, first: float) -> Model | None:
        """No product yet: the model asks for them as it is solved."""
        forcing = min(_FORCING, math.sqrt(norm(state.g) / first)) if first > 0.0 else _FORCING
        precondition = None if self.preconditioner is None else self.preconditioner(state.x.copy())
        return LanczosSubproblem(state.g, evaluator.hvp(state.x), forcing, precondition, self.max_products)

    def factorizable(self, evaluator: Evaluator, x: Vector) -> None:
        """Return None: there is no matrix."""


def chosen_curvature(evaluator: Evaluator, x: Vector) -> Curvature:
    """Full, sparse, or products: by n, by the pattern of the Hessian, by the fill to expect of its factor."""
    n = x.size
    if n <= _FULL:
        return FullHessian()
    pattern, why_not = evaluator.hessian_pattern(x)
    if pattern is None or pattern.nnz > _DENSITY * n * n:
        if pattern is not None:
            why_not = f"{100 * pattern.nnz / n**2:.0f} % of the Hessian are non-zero"
        if n <= _DENSE_MOST:
            return FullHessian(f"dense Cholesky: {why_not}")
        return Products(f"truncated Newton: {why_not}, and n = {n} > {_DENSE_MOST}")
    structure = SparseStructure(pattern)
    if structure.fits:
        return SparseHessians(structure)
    if n <= _DENSE_MOST:
        return FullHessian(f"dense Cholesky: {structure.reason}")
    return Products(f"truncated Newton: {structure.reason}")
