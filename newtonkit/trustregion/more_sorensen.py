"""The trust-region subproblem by Cholesky factorizations of B + λI, for large or sparse matrices."""

from __future__ import annotations

import math
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Vector, dot, norm
from newtonkit.linalg.sparse_factors import Solve
from newtonkit.trustregion.model import MAX_KNOTS
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution

_EASY = 0.01  # relative error of ‖p‖; Conn, Gould & Toint (2000, p. 185) use 0.1
_HARD = 0.01  # share of the predicted reduction that may be missed in the hard case (Moré & Sorensen, 1983, lemma 3.4)
_FACTORIZATIONS = 40  # at most, for one bound; two or three suffice as a rule
_INVERSE_ITERATIONS = 3  # per factorization in the hard case


class _Shifted(NamedTuple):
    """The result of one factorization of B + λI."""

    lam: float
    solve: Solve
    p: Vector
    length: float


class MoreSorensenSubproblem:
    """m(p) = gᵀp + ½ pᵀBp, minimized nearly exactly within a `StepBound`; one object solves it for many bounds.

    Parameters
    ----------
    g : ndarray, shape (n,)
    B : Symmetric
        May be indefinite or singular.
    lam : float, at least 0, default 0
        First guess for λ, used if λ = 0 is no solution.

    Notes
    -----
    Newton's method on 1/‖p(λ)‖ − 1/length(λ), safeguarded by an interval that contains λ. A failed factorization, a
    Newton step from the left and a Rayleigh quotient each raise its lower end. In the hard case, inverse iteration with
    the last factor finds an eigenvector, of which a multiple is added to the step. If B is singular within rounding, λ
    is that rounding error. The lower end and the last factor are reused for the next bound.

    References
    ----------
    Moré & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4(3), 553; Conn, Gould & Toint (2000), *Trust-Region
    Methods*, algorithm 7.3.4.
    """

    max_knots: ClassVar[int] = MAX_KNOTS

    def __init__(self, g: Vector, B: Symmetric, lam: float = 0.0) -> None:
        self.g, self.B = g, B
        self.g_norm = norm(g)
        self.hessian_norm = B.norm
        self.lam = lam
        self._spent = 0  # factorizations
        self._last: _Shifted | None = None
        # −λ₁ is at least the largest of −Bᵢᵢ
        self._lowest = max(0.0, -float(B.diagonal.min()))
        self._direction: Vector = np.cos(1.7 * np.arange(g.size))

    @cached_property
    def _free(self) -> _Shifted | None:
        """The factorization without a bound on the step, made when it is first needed; None if B is indefinite."""
        free = self._shifted(0.0) if self._lowest == 0.0 else None
        if free is None and self._lowest <= self.B.rounding:
            free = self._shifted(self.B.rounding)
        return free

    def times(self, v: Vector) -> Vector:
        """Return Bv."""
        return self.B.times(v)

    def face(self, free: NDArray[np.bool_], g: Vector) -> MoreSorensenSubproblem:
        """Return the model of the free variables alone, with this gradient; the others do not move."""
        return MoreSorensenSubproblem(np.where(free, g, 0.0), self.B.masked(free), self.lam)

    @property
    def indefinite(self) -> bool:
        """Whether B has a negative eigenvalue beyond rounding."""
        return self._free is None

    @property
    def diagonal(self) -> Vector:
        """Return the diagonal of B."""
        return self.B.diagonal

    @property
    def newton_length(self) -> float:
        """Length of the unconstrained minimizer of the model; 0 if the model is not certainly convex."""
        return self._free.length if self._free is not None and not self.singular else 0.0

    @property
    def singular(self) -> bool:
        """Whether B is positive semidefinite, and singular within rounding."""
        return self._free is not None and self._free.lam > 0.0

    def solve(self, bound: StepBound) -> SubproblemSolution:
        """Return the minimizer within this bound."""
        free = self._free
        if free is not None and free.length <= bound.length(0.0):
            return self._solution(free.p, bound, 0.0)
        low, high = bound.lam_interval(self.g_norm, self.B.norm)
        if self.B.norm == 0.0:  # then low = high
            return self._solution(self.g * (-1.0 / low if low > 0.0 else 0.0), bound, low)
        low = max(low, self._lowest)
        high = max(high, low * (1.0 + 1e-8))
        if free is not None:
            low = max(low, free.lam)
            at: _Shifted | None = free
        else:
            at = self._last
        lam = self.lam
        if at is not None and at.length > bound.length(at.lam):
            lam = self._newton(at, bound)
        for _ in range(_FACTORIZATIONS):
            if not low < lam < high:
                lam = max(math.sqrt(low * high), low + 0.01 * (high - low))
            at = self._shifted(lam)
            if at is None:
                low = self._lowest = max(low, lam)
                lam = low
                continue
            self._last = at
            allowed = bound.length(lam)
            if abs(at.length - allowed) <= _EASY * allowed:
                break
            if at.length > allowed:
                low = lam
            else:
                high = lam
                if self.indefinite:
                    p = self._hard_case(at, allowed)
                    if p is not None:
                        return self._solution(p, bound, lam)
                    low = max(low, self._lowest)
            if high - low <= 1e-12 * high:
                break
            lam = self._newton(at, bound)
        if at is None:
            at = self._last
        if at is None:
            at = self._dominant(high)
        # a step longer than allowed is scaled back, so that the bound holds up to rounding
        scale = min(1.0, bound.length(at.lam) / at.length) if at.length > 0.0 else 1.0
        return self._solution(scale * at.p, bound, at.lam)

    def _shifted(self, lam: float) -> _Shifted | None:
        self._spent += 1
        solve = self.B.factor(lam)
        if solve is None:
            return None
        p = solve(-self.g)
        length = norm(p)
        return _Shifted(lam, solve, p, length) if math.isfinite(length) else None

    def _dominant(self, lam: float) -> _Shifted:
        """Return the step for a λ above ‖B‖, if every factorization within the interval has failed by rounding."""
        at = None
        while at is None:  # B + λI is diagonally dominant in the end
            lam = 2.0 * lam + self.B.norm
            at = self._shifted(lam)
        return at

    def _newton(self, at: _Shifted, bound: StepBound) -> float:
        # N&W (2006), eq. 4.43, with pᵀ(B + λI)⁻¹p in place of ‖R⁻ᵀp‖²
        if at.length == 0.0:
            return 0.0
        u = at.p / at.length
        inverse, slope = bound.inverse(at.lam)
        return at.lam + (at.length * inverse - 1.0) / (dot(u, at.solve(u)) - at.length * slope)

    def _hard_case(self, at: _Shifted, allowed: float) -> Vector | None:
        """Return p + τv of the allowed length, v ≈ the eigenvector of λ₁; None if that misses too much reduction."""
        v = self._direction
        for _ in range(_INVERSE_ITERATIONS):
            v = at.solve(v)
            v = v / norm(v)
        self._direction = v
        Bv = self.B.times(v)
        rayleigh = dot(v, Bv)
        self._lowest = max(self._lowest, -rayleigh)
        pv, missing = dot(at.p, v), allowed * allowed - at.length * at.length
        # the smaller root of ‖p + τv‖² = allowed²
        tau = missing / (pv + math.copysign(math.sqrt(pv * pv + missing), pv))
        decrease = -dot(self.g, at.p) + at.lam * allowed * allowed
        if tau * tau * (rayleigh + at.lam) <= _HARD * decrease:
            filled: Vector = at.p + tau * v
            return filled
        return None

    def _solution(self, p: Vector, bound: StepBound, lam: float) -> SubproblemSolution:
        length = norm(p)
        predicted = -dot(self.g, p) - 0.5 * dot(p, self.B.times(p)) - bound.penalty(length)
        spent, self._spent = self._spent, 0
        return SubproblemSolution(p, predicted, lam > self.B.rounding, length, lam, spent)
