"""The subproblem of a sparse matrix: products while they cost less than a factorization, then factorizations."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Vector
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.model import MAX_KNOTS
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution


class ProductsThenFactors:
    """m(p) = gᵀp + ½ pᵀBp within a `StepBound`, by Lanczos' method first and by factorizations if that takes too long.

    The number of products before the first factorization is the one whose work equals that of a factorization. The
    work for one B is then at most twice that of the better choice, plus one product: the rule for renting or buying
    skis (Karlin, Manasse, Rudolph & Sleator, 1988, Algorithmica 3, 79).

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
    """

    max_knots: ClassVar[int] = MAX_KNOTS

    def __init__(self, g: Vector, B: Symmetric, lam: float, tolerance: float, products: int) -> None:
        self.g, self.B, self.lam = g, B, lam
        self.tolerance, self.products = tolerance, products
        self._krylov = LanczosSubproblem(g, B.times, tolerance, None, products)
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
        """Length of the inexact Newton step if the model is convex on the Krylov space; else 0."""
        return self._krylov.convex_length()

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
        if math.isnan(solution.predicted) or self._krylov.products < self._krylov.most:
            return solution
        self._factored = MoreSorensenSubproblem(self.g, self.B, solution.lam or self.lam)
        better = self._factored.solve(bound)
        return better._replace(inner=better.inner + solution.inner)
