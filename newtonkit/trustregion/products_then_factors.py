"""The subproblem of a sparse matrix: products, products with a preconditioner, then factorizations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.linalg.sparse_factors import Solve
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.model import MAX_KNOTS
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution, TrustRegion


class ProductsThenFactors:
    """m(p) = gᵀp + ½ pᵀBp within a `StepBound`, by Lanczos' method first and by factorizations if that takes too long.

    The number of products before the first factorization is the one whose work equals that of a factorization. The
    work for one B is then at most twice that of the better choice, plus one product: the rule for renting or buying
    skis (Karlin, Manasse, Rudolph & Sleator, 1988, Algorithmica 3, 79). The same rule decides when a preconditioner is
    constructed; it is used for the unconstrained minimizer, if that is within the bound.

    Parameters
    ----------
    g : ndarray, shape (n,)
    B : Symmetric
        May be indefinite or singular.
    lam : float, at least 0
        First guess for λ.
    tolerance : float in [0, 1)
        Relative residual of a step by products.
    products : int, at least 1
        Limit of products before the first factorization.
    preconditioning : Preconditioning, optional
        How to construct a preconditioner, and its work.
    """

    max_knots: ClassVar[int] = MAX_KNOTS

    def __init__(
        self,
        g: Vector,
        B: Symmetric,
        lam: float,
        tolerance: float,
        products: int,
        preconditioning: Preconditioning | None = None,
    ) -> None:
        self.g, self.B, self.lam = g, B, lam
        self.tolerance, self.products = tolerance, products
        plain = products if preconditioning is None else min(products, preconditioning.setup)
        self._krylov = LanczosSubproblem(g, B.times, tolerance, None, plain)
        self._preconditioning = preconditioning if plain < products else None
        self._inexact: SubproblemSolution | None = None
        self._factored: MoreSorensenSubproblem | None = None

    @property
    def hessian_norm(self) -> float:
        """‖B‖, or a bound on it."""
        return self.B.norm

    @property
    def diagonal(self) -> Vector:
        """Return the diagonal of B."""
        return self.B.diagonal

    @property
    def newton_length(self) -> float:
        """Length of the Newton step, inexact or exact; 0 if the model is not convex, as far as is known."""
        length = self._krylov.convex_length()
        if self._finished or length == 0.0:
            return length
        inexact = self._newton_step()
        return self._exact().newton_length if inexact is None else inexact.length

    def times(self, v: Vector) -> Vector:
        """Return Bv."""
        return self.B.times(v)

    def face(self, free: NDArray[np.bool_], g: Vector) -> ProductsThenFactors:
        """Return the model of the free variables alone, with this gradient; the others do not move."""
        return ProductsThenFactors(np.where(free, g, 0.0), self.B.masked(free), self.lam, self.tolerance, self.products)

    def solve(self, bound: StepBound) -> SubproblemSolution:
        """Return the minimizer within this bound: to the tolerance by products, nearly exactly by factorizations."""
        if self._factored is not None:
            return self._factored.solve(bound)
        solution = self._krylov.solve(bound)
        if math.isnan(solution.predicted) or self._finished:
            return solution
        if not solution.on_boundary:
            inexact = self._newton_step()
            if inexact is not None and inexact.length <= bound.length(0.0):
                return inexact
        self.lam = solution.lam or self.lam
        better = self._exact().solve(bound)
        return better._replace(inner=better.inner + solution.inner)

    @property
    def _finished(self) -> bool:
        return self._krylov.products < self._krylov.most

    def _exact(self) -> MoreSorensenSubproblem:
        if self._factored is None:
            self._factored = MoreSorensenSubproblem(self.g, self.B, self.lam)
        return self._factored

    def _newton_step(self) -> SubproblemSolution | None:
        """Return the unconstrained minimizer by products with the preconditioner; None if none is found."""
        if self._inexact is None and self._preconditioning is not None:
            setting, self._preconditioning = self._preconditioning, None
            solve = setting.construct()
            if solve is not None:
                cycles = max(1, (self.products - setting.setup) // setting.cycle)
                krylov = LanczosSubproblem(self.g, self.B.times, self.tolerance, solve, cycles)
                if krylov.convex_length() > 0.0 and krylov.products < krylov.most:
                    solution = krylov.solve(TrustRegion(math.inf))
                    self._inexact = solution._replace(length=norm(solution.p))
        return self._inexact


class Preconditioning(NamedTuple):
    """A preconditioner that can be constructed."""

    construct: Callable[[], Solve | None]
    """Returns v ↦ M⁻¹v, or None if the attempt failed."""
    setup: int
    """Number of products with B that take as long as the construction."""
    cycle: int
    """Number of products with B that take as long as one application and one product."""
