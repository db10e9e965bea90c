"""The subproblem from Hessian-vector products alone: in the Krylov space of the gradient, which is kept."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

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
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import StepBound, Trial

_STORE = 1 << 27  # numbers in the basis: 1 GB, which is 134 vectors of a million variables
# Up to this n each new vector is made orthogonal to all before it, without which the method loses its way as
# eigenvalues converge: for a condition of 1e8 and n = 500 a run takes 2,700 products with, 190,000 without. Above, to
# the last two only, as in the theory: for 1e6 and n = 3000 that takes 11,300 products in place of 5,400, in an eighth
# of the time.
_ORTHOGONAL = 1000
_ROOM = 16  # vectors for which there is room at first
_NOT_FINITE = Trial(np.zeros(0), math.nan, False, 0.0)
_WORTH = 0.1  # on the boundary: a product is to bring this share of the decrease so far, or is the last


class LanczosSubproblem:
    """m(p) = gᵀp + ½ pᵀBp, minimized within a `StepBound` over span{g, Bg, B²g, …} until the residual is small.

    Parameters
    ----------
    g : ndarray, shape (n,)
    product : callable
        v ↦ Bv.
    tolerance : float in [0, 1)
        The space grows until ‖(B + λI)p + g‖ ≤ tolerance·‖g‖.
    precondition : callable, optional
        v ↦ M⁻¹v, M symmetric positive definite and near B; lengths are then ‖p‖_M = √(pᵀMp).
    max_products : int, optional
        At one point; 2n by default.

    Attributes
    ----------
    products : int
        Products used so far.

    Notes
    -----
    Lanczos' method makes B tridiagonal, and the subproblem in the basis is solved by factorizations of O(k) work each
    (`MoreSorensenSubproblem`). Inside the bound p is the iterate of conjugate gradients. On it, the space grows while
    that pays:
    Steihaug's step, the first to meet the boundary, has at least half the best decrease where B is positive definite
    (Yuan, 2000), so the last few products buy little. A further bound, after a rejection, is met in the space there is.

    References
    ----------
    Gould, Lucidi, Roma & Toint (1999), SIAM J. Optim. 9(2), 504 (GLTR); Steihaug (1983), SIAM J. Numer. Anal. 20, 626.
    """

    def __init__(
        self,
        g: Vector,
        product: Callable[[Vector], Vector],
        tolerance: float,
        precondition: Callable[[Vector], Vector] | None = None,
        max_products: int | None = None,
    ) -> None:
        self.g, self.product, self.precondition = g, product, precondition
        self.tolerance = tolerance
        n = g.size
        self.most = min(2 * n if max_products is None else max_products, max(_ROOM, _STORE // n))
        self.products = 0
        self.multiplier = 0.0
        self._exhausted = False
        self._basis: Matrix = np.empty((min(_ROOM, self.most), n))
        self._alphas: list[float] = []
        self._betas: list[float] = []
        q = g if precondition is None else precondition(g)
        self.g_norm = norm(g) if precondition is None else math.sqrt(max(dot(g, q), 0.0))
        self._t, self._q = g, q  # the next vector before it is scaled, times M and without
        self._next = self.g_norm
        self._Mq = np.zeros(0 if precondition is None else n)  # M times the last vector of the basis
        self._largest = 0.0  # entry of the tridiagonal matrix
        self._cg = _ConjugateGradients(self.g_norm)

    @property
    def hessian_norm(self) -> float:
        """|gᵀBg|/‖g‖², by one product: a lower bound on ‖B‖."""
        if not self._alphas:
            self._grow()
        return abs(self._alphas[0]) if self._alphas else 0.0

    @property
    def newton_length(self) -> float:
        """Not known before the products are spent: 0."""
        return 0.0

    def solve(self, bound: StepBound) -> Trial:
        """The minimizer within this bound, in a space that is large enough for it.

        ``predicted`` is NaN where a product is not finite.
        """
        if self.g_norm == 0.0:
            return Trial(np.zeros_like(self.g), 0.0, False, 0.0)
        before, spent = 0.0, self.products
        if not self._alphas and not self._grow():
            return _NOT_FINITE
        reach = bound.length(0.0)
        while self._cg.convex and self._cg.length <= reach:  # p needs not be known to know that it goes on
            if self._is_enough(self._cg.residual):
                h = self._free_minimizer()
                p = h @ self._basis[: len(h)]
                return Trial(p, self._cg.decrease, False, norm(h), 0.0, self.products - spent)
            if not self._grow():
                return _NOT_FINITE
        while True:
            trial, h = self._solve_in_space(bound)
            if self._is_enough(self._next * abs(h[-1])):
                break
            # on the boundary of a ball more space must be worth its product; a cubic term is always felt
            on_boundary = trial.on_boundary and reach > 0.0
            if on_boundary and trial.predicted - before <= _WORTH * trial.predicted and before > 0.0:
                break
            before = trial.predicted if on_boundary else 0.0
            if not self._grow():
                return _NOT_FINITE
        return trial._replace(p=h @ self._basis[: len(h)], inner=self.products - spent)

    def _is_enough(self, residual: float) -> bool:
        return residual <= self.tolerance * self.g_norm or self._exhausted or self.products >= self.most

    def _free_minimizer(self) -> Vector:
        """The minimizer over the space there is, of a convex model without bound, in the basis."""
        g = np.zeros(len(self._alphas))
        g[0] = -self.g_norm
        if g.size == 1:
            return g / self._alphas[0]
        factor = tridiagonal_cholesky(np.array(self._alphas), np.array(self._betas[:-1]))
        assert factor is not None  # all its pivots are positive
        return tridiagonal_solve(factor, g)

    def _solve_in_space(self, bound: StepBound) -> tuple[Trial, Vector]:
        k = len(self._alphas)
        g = np.zeros(k)
        g[0] = self.g_norm
        T = TridiagonalSymmetric(np.array(self._alphas), np.array(self._betas[: k - 1]))
        model = MoreSorensenSubproblem(g, T, self.multiplier)
        trial = model.solve(bound)
        self.multiplier = trial.multiplier
        return trial, trial.p

    def _grow(self) -> bool:
        """One product, one more vector in the basis; False where the product is not finite."""
        k, beta = len(self._alphas), self._next
        if k == len(self._basis):
            grown = np.empty((min(2 * k, self.most), self.g.size))
            grown[:k] = self._basis
            self._basis = grown
        q = self._basis[k]
        np.divide(self._q, beta, out=q)
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
                    t = add_scaled(t, -beta, self._basis[k - 1])
            self._t = self._q = t
            following = norm(t)
        else:
            before, self._Mq = self._Mq, self._t / beta
            self._t = t - alpha * self._Mq - (beta if k else 0.0) * before
            self._q = self.precondition(self._t)
            following = math.sqrt(max(dot(self._t, self._q), 0.0))
        self._alphas.append(alpha)
        self._largest = largest = max(self._largest, abs(alpha), following)
        if following <= 10 * EPS * largest or k + 1 == self.g.size:
            self._exhausted, following = True, 0.0  # the space is all that g and B make
        self._cg.advance(alpha, beta if k else 0.0, following, 10 * (k + 1) * EPS * largest)
        self._betas.append(following)
        self._next = following
        return True


class _ConjugateGradients:
    """What conjugate gradients would know of their iterate, by a few numbers a product, from the tridiagonal matrix.

    With LDLᵀ its factorization, 1/dₖ is the length of step k and |zₖ|, z = L⁻¹‖g‖e₁, the residual before it
    (Conn, Gould & Toint, 2000, sections 5.2.2 and 7.5.1).
    """

    __slots__ = ("_along", "_direction", "_pivot", "_squared", "_z", "convex", "decrease", "residual")

    def __init__(self, g_norm: float) -> None:
        self._z, self._pivot = g_norm, 0.0
        self._squared = self._along = self._direction = 0.0  # ‖p‖², pᵀd, ‖d‖², d being the direction
        self.convex = True
        self.decrease = 0.0
        self.residual = g_norm

    @property
    def length(self) -> float:
        """‖p‖."""
        return math.sqrt(self._squared)

    def advance(self, alpha: float, beta: float, following: float, floor: float) -> None:
        """The next diagonal entry, that beside it before, and that beside it after; a pivot ≤ floor is no curvature."""
        if not self.convex:
            return
        before, z_before = self._pivot, self._z
        if before > 0.0:
            self._z = beta / before * z_before
            share = (self._z / z_before) ** 2
            self._along = share * (self._along + self._direction / before)
            self._direction = self._z**2 + share * share * self._direction
            alpha -= beta * beta / before
        else:
            self._direction = self._z**2
        self._pivot = alpha
        if not alpha > floor:
            self.convex = False
            return
        self._squared += (2.0 * self._along + self._direction / alpha) / alpha
        self.decrease += 0.5 * self._z**2 / alpha
        self.residual = following * abs(self._z) / alpha
