"""The trust-region subproblem from Hessian-vector products: Lanczos' method in the Krylov space of the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.factorization import TridiagonalSymmetric
from newtonkit.linalg.kernels import (
    EPS,
    Matrix,
    Vector,
    add_scaled,
    all_finite,
    dot,
    norm,
    tridiagonal_cholesky,
    tridiagonal_solve,
)
from newtonkit.trustregion.cg_iterate import CgIterate, ConjugateGradients
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution

_STORE = 1 << 26  # numbers in the basis: 512 MB, or 67 vectors of a million variables
# Up to this n each new vector is orthogonalized against all earlier ones; otherwise orthogonality is lost as
# eigenvalues converge. Measured for a condition number of 1e8 and n = 500: 2,700 products with it, 190,000 without.
# Above this n each vector is orthogonalized against the last two only, as in exact arithmetic. Measured for 1e6 and
# n = 3000: 11,300 products in place of 5,400, in an eighth of the time.
_ORTHOGONAL = 1000
# Default limit of products, as a multiple of n, where orthogonality is lost. Measured, for 1e6, to a residual of 1e-6:
# 6,700 products with n = 1500, 7,400 with n = 3000
_LIMIT = 10
_CAPACITY = 16  # vectors allocated at first; doubled as needed
_NOT_FINITE = SubproblemSolution(np.zeros(0), math.nan, False, 0.0)
# On the boundary, a product that adds less than this share of the reduction is the last one: Yuan (2000) shows that
# half of the best reduction is reached already, and further products rarely pay
_WORTHWHILE = 0.1


class LanczosSubproblem:
    """m(p) = gᵀp + ½ pᵀBp, minimized within a `StepBound` over span{g, Bg, B²g, …} until the residual is small.

    Parameters
    ----------
    g : ndarray, shape (n,)
    product : callable
        v ↦ Bv.
    tolerance : float in [0, 1)
        Products are computed until ‖(B + λI)p + g‖ ≤ tolerance·‖g‖.
    precondition : callable, optional
        v ↦ M⁻¹v, M symmetric positive definite and close to B; lengths are then ‖p‖_M = √(pᵀMp).
    max_products : int, optional
        Limit for this model; default 2n up to n = 1000, 10n above.

    Attributes
    ----------
    products : int
        Number of products computed so far.

    Notes
    -----
    Lanczos' method reduces B to a tridiagonal matrix; the subproblem in its basis is solved by factorizations of O(k)
    operations each (`MoreSorensenSubproblem`). Inside the bound, p is the iterate of conjugate gradients. On the
    boundary, products are computed while they are worthwhile: Steihaug's step, the first that meets the boundary, has
    at least half the best reduction if B is positive definite (Yuan, 2000). A smaller bound, after a rejected step, is
    solved in the present space without a product, if that suffices.

    The basis is stored up to 512 MB. After that conjugate gradients are computed by their recurrence, with no further
    vectors stored, as long as the model is convex and the iterate is within the bound.

    References
    ----------
    Gould, Lucidi, Roma & Toint (1999), SIAM J. Optim. 9(2), 504 (GLTR); Steihaug (1983), SIAM J. Numer. Anal. 20, 626;
    Yuan (2000), Math. Program. 87, 561.
    """

    max_knots: ClassVar[int] = 3  # products are evaluations here
    diagonal: ClassVar[None] = None

    def __init__(
        self,
        g: Vector,
        product: Callable[[Vector], Vector],
        tolerance: float,
        precondition: Callable[[Vector], Vector] | None = None,
        max_products: int | None = None,
    ) -> None:
        self.g, self.product, self.precondition = g, product, precondition
        self.tolerance, self._max_products = tolerance, max_products
        n = g.size
        limit = 2 * n if n <= _ORTHOGONAL else _LIMIT * n
        self.most = limit if max_products is None else max_products
        self._capacity = max(_CAPACITY, _STORE // n)
        self.products = 0
        self.lam = 0.0
        self._exhausted = False
        self._basis: Matrix = np.empty((min(_CAPACITY, self.most), n))
        self._last: Vector = np.zeros(0)  # vector of the basis
        self._alphas: list[float] = []
        self._betas: list[float] = []
        q = g if precondition is None else precondition(g)
        self.g_norm = norm(g) if precondition is None else math.sqrt(max(dot(g, q), 0.0))
        self._t, self._q = g, q  # the next vector before it is scaled, times M and without
        self._next = self.g_norm
        self._Mq = np.zeros(0 if precondition is None else n)  # M times the last vector of the basis
        self._largest = 0.0  # entry of the tridiagonal matrix
        self._cg = ConjugateGradients(self.g_norm)
        self._iterate: CgIterate | None = None  # once the basis is full

    def times(self, v: Vector) -> Vector:
        """Return Bv; it costs a product."""
        return self.product(v)

    def face(self, free: NDArray[np.bool_], g: Vector) -> LanczosSubproblem:
        """Return the model of the free variables alone, with this gradient; the others do not move."""
        precondition = None if self.precondition is None else _masked(self.precondition, free)
        product = _masked(self.product, free)
        return LanczosSubproblem(np.where(free, g, 0.0), product, self.tolerance, precondition, self._max_products)

    @property
    def hessian_norm(self) -> float:
        """|gᵀBg|/‖g‖², by one product: a lower bound on ‖B‖."""
        if not self._alphas:
            self._grow()
        return abs(self._alphas[0]) if self._alphas else 0.0

    @property
    def newton_length(self) -> float:
        """Return 0: it is unknown before the products are computed."""
        return 0.0

    def convex_length(self) -> float:
        """Return the length of the minimizer to the tolerance; 0 if the model is not convex on the Krylov space."""
        while self._cg.convex:
            if self._is_enough(self._cg.residual):
                return self._cg.length
            if not self._grow():
                break
        return 0.0

    def solve(self, bound: StepBound) -> SubproblemSolution:
        """Return the minimizer within this bound, over a Krylov space that is large enough.

        ``predicted`` is NaN if a product is not finite.
        """
        if self.g_norm == 0.0:
            return SubproblemSolution(np.zeros_like(self.g), 0.0, False, 0.0)
        before, spent = 0.0, self.products
        if not self._alphas and not self._grow():
            return _NOT_FINITE
        reach = bound.length(0.0)
        while self._cg.convex and self._cg.length <= reach:  # without forming p
            if self._is_enough(self._cg.residual):
                minimizer = self._free_minimizer()
                if minimizer is None:
                    self._cg.convex = False
                    break
                p, length = minimizer
                return SubproblemSolution(p, self._cg.decrease, False, length, 0.0, self.products - spent)
            if not self._grow():
                return _NOT_FINITE
        while True:
            solution, h = self._solve_in_space(bound)
            if self._is_enough(self._next * abs(h[-1])) or len(self._alphas) >= self._capacity:
                break
            # the test is for balls: a cubic term is active at every length
            on_boundary = solution.on_boundary and reach > 0.0
            if on_boundary and solution.predicted - before <= _WORTHWHILE * solution.predicted and before > 0.0:
                break
            before = solution.predicted if on_boundary else 0.0
            if not self._grow():
                return _NOT_FINITE
        if self._iterate is not None:
            longer = self._iterate.within(reach, self._cg)
            if longer.predicted > solution.predicted:
                return longer._replace(inner=self.products - spent)
        return solution._replace(p=h @ self._basis[: len(h)], inner=self.products - spent)

    def _is_enough(self, residual: float) -> bool:
        return residual <= self.tolerance * self.g_norm or self._exhausted or self.products >= self.most

    def _free_minimizer(self) -> tuple[Vector, float] | None:
        """Return the unconstrained minimizer of a convex model over the present space, and its length.

        None if a pivot is not positive: rounding differs between the recurrence and the factorization.
        """
        if self._iterate is not None:
            return self._iterate.minimizer(), self._cg.length
        g = np.zeros(len(self._alphas))
        g[0] = -self.g_norm
        if g.size == 1:
            h = g / self._alphas[0]
        else:
            factor = tridiagonal_cholesky(np.array(self._alphas), np.array(self._betas[:-1]))
            if factor is None:
                return None
            h = tridiagonal_solve(factor, g)
        return h @ self._basis[: len(h)], norm(h)

    def _solve_in_space(self, bound: StepBound) -> tuple[SubproblemSolution, Vector]:
        k = min(len(self._alphas), self._capacity)
        g = np.zeros(k)
        g[0] = self.g_norm
        T = TridiagonalSymmetric(np.array(self._alphas[:k]), np.array(self._betas[: k - 1]))
        model = MoreSorensenSubproblem(g, T, self.lam)
        solution = model.solve(bound)
        self.lam = solution.lam
        return solution, solution.p

    def _grow(self) -> bool:
        """Compute one product and add one vector to the basis; return False if the product is not finite."""
        k, beta = len(self._alphas), self._next
        if k == self._capacity and self._iterate is None:
            self._iterate = CgIterate(self.g_norm, self._alphas, self._betas, self._basis)
        before = self._last
        q = self._last = self._q / beta
        if k < self._capacity:
            if k == len(self._basis):
                limit = min(self.most, self._capacity)
                # the last growth copies at most half of the basis: two copies of all of it take too much memory
                grown = np.empty((2 * k if 4 * k <= limit else limit, self.g.size))
                grown[:k] = self._basis
                self._basis = grown
            self._basis[k] = q
        t = self.product(q.copy())
        self.products += 1
        if not all_finite(t):
            return False
        alpha = dot(q, t)
        if self.precondition is None:
            if t.size <= _ORTHOGONAL:
                basis = self._basis[: k + 1]
                t = t - (basis @ t) @ basis
                t = t - (basis @ t) @ basis
            else:
                t = t - alpha * q
                if k:
                    t = add_scaled(t, -beta, before)
            self._t = self._q = t
            following = norm(t)
        else:
            Mq_before, self._Mq = self._Mq, self._t / beta
            self._t = t - alpha * self._Mq - (beta if k else 0.0) * Mq_before
            self._q = self.precondition(self._t)
            following = math.sqrt(max(dot(self._t, self._q), 0.0))
        self._alphas.append(alpha)
        self._largest = largest = max(self._largest, abs(alpha), following)
        orthogonal = self.precondition is None and t.size <= _ORTHOGONAL
        if following <= 10 * EPS * largest or (orthogonal and k + 1 == self.g.size):
            self._exhausted, following = True, 0.0  # the space is invariant under B
        self._cg.advance(alpha, beta if k else 0.0, following, 10 * (k + 1) * EPS * largest)
        if self._iterate is not None:
            self._iterate.advance(q, k, self._cg)
        self._betas.append(following)
        self._next = following
        return True


def _masked(operator: Callable[[Vector], Vector], free: NDArray[np.bool_]) -> Callable[[Vector], Vector]:
    """Return the operator restricted to vectors that vanish outside the free variables."""
    return lambda v: np.where(free, operator(np.where(free, v, 0.0)), 0.0)
