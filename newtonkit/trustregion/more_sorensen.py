"""The subproblem by Cholesky factorizations of B + λI: for matrices too large, or too sparse, for eigenvectors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from newtonkit.linalg.factorization import Solve, Symmetric
from newtonkit.linalg.kernels import Vector, dot, norm
from newtonkit.trustregion.step_bound import StepBound, Trial

_EASY = 0.01  # relative, on ‖p‖: near exact; Conn, Gould & Toint (2000, p. 185) take 0.1
_HARD = 0.01  # share of the model's decrease that may be missed in the hard case (Moré & Sorensen, 1983, lemma 3.4)
_FACTORIZATIONS = 40
_INVERSE_ITERATIONS = 3


class _Shifted(NamedTuple):
    """What one factorization gave."""

    multiplier: float
    solve: Solve
    p: Vector
    length: float


class MoreSorensenSubproblem:
    """m(p) = gᵀp + ½ pᵀBp, minimized nearly exactly within a `StepBound`, for any number of them.

    Parameters
    ----------
    g : ndarray, shape (n,)
    B : Symmetric
        Indefinite and singular matrices are fine.
    multiplier : float, at least 0, default 0
        λ at the point before, tried first where λ = 0 will not do.

    Notes
    -----
    Newton's method on 1/‖p(λ)‖ − 1/length(λ), safeguarded by a bracket on λ that a failed factorization raises from
    below, Newton steps from the left and Rayleigh quotients tighten. In the hard case inverse iteration with the last
    factor finds the eigenvector that makes up the length. Where B is singular within rounding, λ is that rounding. A
    bracket and the last factor serve the next bound.

    References
    ----------
    Moré & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4(3), 553; Conn, Gould & Toint (2000), *Trust-Region
    Methods*, algorithm 7.3.4.
    """

    def __init__(self, g: Vector, B: Symmetric, multiplier: float = 0.0) -> None:
        self.g, self.B = g, B
        self.g_norm = norm(g)
        self.hessian_norm = B.norm
        self.multiplier = multiplier
        self._spent = 0  # factorizations
        self._last: _Shifted | None = None
        # −λ₁ is at least the largest of −Bᵢᵢ
        self._lowest = max(0.0, -float(B.diagonal.min()))
        self._direction: Vector = np.cos(1.7 * np.arange(g.size))
        self._free = self._shifted(0.0) if self._lowest == 0.0 else None
        if self._free is None and self._lowest <= B.rounding:
            self._free = self._shifted(B.rounding)

    @property
    def indefinite(self) -> bool:
        """Whether B has a negative eigenvalue beyond rounding."""
        return self._free is None

    @property
    def newton_length(self) -> float:
        """Length of the minimizer of the model over all p; 0 where it is not certainly convex."""
        return self._free.length if self._free is not None and not self.singular else 0.0

    @property
    def singular(self) -> bool:
        """Whether B is positive semidefinite, and singular within rounding."""
        return self._free is not None and self._free.multiplier > 0.0

    def solve(self, bound: StepBound) -> Trial:
        """The minimizer within this bound."""
        free = self._free
        if free is not None and free.length <= bound.length(0.0):
            return self._trial(free.p, bound, 0.0)
        low, high = bound.multipliers(self.g_norm, self.B.norm)
        if self.B.norm == 0.0:  # and so low = high
            return self._trial(self.g * (-1.0 / low if low > 0.0 else 0.0), bound, low)
        low = max(low, self._lowest)
        high = max(high, low * (1.0 + 1e-8))
        if free is not None:
            low = max(low, free.multiplier)
            at: _Shifted | None = free
        else:
            at = self._last
        if at is not None and at.length > bound.length(at.multiplier):
            multiplier = self._newton(at, bound)
        else:
            multiplier = self.multiplier
        for _ in range(_FACTORIZATIONS):
            if not low < multiplier < high:
                multiplier = max(math.sqrt(low * high), low + 0.01 * (high - low))
            at = self._shifted(multiplier)
            if at is None:
                low = self._lowest = max(low, multiplier)
                multiplier = low
                continue
            self._last = at
            allowed = bound.length(multiplier)
            if abs(at.length - allowed) <= _EASY * allowed:
                break
            if at.length > allowed:
                low = multiplier
            else:
                high = multiplier
                if self.indefinite:
                    p = self._hard_case(at, allowed)
                    if p is not None:
                        return self._trial(p, bound, multiplier)
                    low = max(low, self._lowest)
            if high - low <= 1e-12 * high:
                break
            multiplier = self._newton(at, bound)
        if at is None:
            at = self._last
        if at is None:
            at = self._dominant(high)
        # what is longer than allowed is cut back: the bound is kept to the last bit but for rounding
        scale = min(1.0, bound.length(at.multiplier) / at.length) if at.length > 0.0 else 1.0
        return self._trial(scale * at.p, bound, at.multiplier)

    def _shifted(self, multiplier: float) -> _Shifted | None:
        self._spent += 1
        solve = self.B.factor(multiplier)
        if solve is None:
            return None
        p = solve(-self.g)
        length = norm(p)
        return _Shifted(multiplier, solve, p, length) if math.isfinite(length) else None

    def _dominant(self, multiplier: float) -> _Shifted:
        """A step for a λ above ‖B‖, where no factorization has succeeded: rounding has the better of the bracket."""
        at = None
        while at is None:  # ends at a diagonally dominant matrix
            multiplier = 2.0 * multiplier + self.B.norm
            at = self._shifted(multiplier)
        return at

    def _newton(self, at: _Shifted, bound: StepBound) -> float:
        # N&W (2006), eq. 4.43, with pᵀ(B + λI)⁻¹p in place of ‖R⁻ᵀp‖²
        if at.length == 0.0:
            return 0.0
        u = at.p / at.length
        inverse, slope = bound.inverse(at.multiplier)
        return at.multiplier + (at.length * inverse - 1.0) / (dot(u, at.solve(u)) - at.length * slope)

    def _hard_case(self, at: _Shifted, allowed: float) -> Vector | None:
        """p + τv of the length allowed, v nearly the eigenvector of λ₁, where that is nearly as good as any step."""
        v = self._direction
        for _ in range(_INVERSE_ITERATIONS):
            v = at.solve(v)
            v = v / norm(v)
        self._direction = v
        Bv = self.B.times(v)
        rayleigh = dot(v, Bv)
        self._lowest = max(self._lowest, -rayleigh)
        pv, missing = dot(at.p, v), allowed**2 - at.length**2
        # the smaller root of ‖p + τv‖² = allowed²
        tau = missing / (pv + math.copysign(math.sqrt(pv * pv + missing), pv))
        decrease = -dot(self.g, at.p) + at.multiplier * allowed**2
        if tau * tau * (rayleigh + at.multiplier) <= _HARD * decrease:
            filled: Vector = at.p + tau * v
            return filled
        return None

    def _trial(self, p: Vector, bound: StepBound, multiplier: float) -> Trial:
        length = norm(p)
        predicted = -dot(self.g, p) - 0.5 * dot(p, self.B.times(p)) - bound.penalty(length)
        spent, self._spent = self._spent, 0
        return Trial(p, predicted, multiplier > self.B.rounding, length, multiplier, spent)
