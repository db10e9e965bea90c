"""Detecting runs that stagnate: at the limit of rounding, or without progress for many iterations."""

from __future__ import annotations

import math

from newtonkit.core.state import State
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.linalg.kernels import EPS

_STALL_LIMIT = 5  # steps; an iteration at the limit of rounding seldom gains anything in five
WINDOW = 50  # accepted steps without progress that end a run; DESIGN, rule 7
_REDUCTION = 1e-10  # of f₀ − f_best, within the window; DESIGN, rule 7
# of |f_best|, within the window: at this rate f takes 3e7 iterations to halve. From starts where f₀ is huge, runs on
# penalty-2, meyer and powell-badly-scaled converge although windows gain less than 1e-10·(f₀ − f_best), measured
_RELATIVE_REDUCTION = 1e-6
_SLOW = 1e-3  # of the total reduction of f in half of the iterations: as many again gain no more
_CRITICALITY = 0.9  # of the lowest ‖g‖∞ before the window; DESIGN, rule 7


class StallDetector:
    """Suspects the limit of precision: several steps gain no more in f than its rounding and do not halve ‖g‖∞."""

    def __init__(self) -> None:
        self.stall_count = 0
        self.stall_limit = _STALL_LIMIT
        self._lowest = math.inf

    def is_stalled(self, state: State, gradient_norm: float) -> bool:
        """Record the state; return whether the limit of precision is suspected.

        A suspicion costs a verdict. The number of steps until the next one is doubled.
        """
        if gradient_norm < 0.5 * self._lowest:
            self._lowest, self.stall_count = gradient_norm, 0
        elif abs(state.info.decrease) <= 10 * EPS * abs(state.f):
            self.stall_count += 1
        if self.stall_count < self.stall_limit:
            return False
        self.stall_count, self.stall_limit = 0, 2 * self.stall_limit
        return True


class RecentProgress:
    """What the second half of a run has gained, for the advice at the limit of iterations.

    A mark is set at every power of two, so that it lies between half of the iterations and all of them.
    """

    def __init__(self, f_start: float) -> None:
        self._f_start = f_start
        self._nit, self._f, self._gradient_norm, self._lowest = 0, math.inf, math.inf, math.inf
        self._previous: tuple[int, float, float] = (0, math.inf, math.inf)

    def record(self, nit: int, f_best: float, gradient_norm: float) -> None:
        """Record a state."""
        if gradient_norm < self._lowest:
            self._lowest = gradient_norm
        if not nit & (nit - 1):
            self._previous = (self._nit, self._f, self._gradient_norm)
            self._nit, self._f, self._gradient_norm = nit, f_best, self._lowest

    def description(self, nit: int, f_best: float) -> str:
        """Describe slow progress in a clause; empty if f or ‖g‖∞ has fallen notably."""
        start, f, gradient_norm = self._previous
        if nit - start < WINDOW or self._lowest < 0.5 * gradient_norm:
            return ""
        share = (f - f_best) / (self._f_start - f_best) if self._f_start > f_best else 0.0
        if not share < _SLOW:
            return ""
        return f", the last {nit - start} of which reduced f by {max(share, 0.0):.1g} of its total reduction"


class ProgressMonitor:
    """Ends a run without progress: over 50 accepted steps neither f nor ‖g‖∞ reaches a notably lower value.

    No progress: the best f falls by at most 1e-10·(f₀ − f_best) or 1e-6·|f_best|, and the lowest ‖g‖∞ by at
    most 10 %. Rejected trials are not counted: the trust region shrinks, so that their number is limited already.

    Parameters
    ----------
    f_start : float
        f at the first state.
    """

    def __init__(self, f_start: float) -> None:
        self._f_start = f_start
        self._restart(math.inf, math.inf, 0)

    def _restart(self, f: float, gradient_norm: float, nit: int) -> None:
        self._f, self._gradient_norm, self._nit, self._steps = f, gradient_norm, nit, 0

    def claim(self, state: State, gradient_norm: float, f_best: float, nit: int) -> Termination | None:
        """Record the state; return NO_PROGRESS after 50 accepted steps without progress."""
        required = min(_REDUCTION * (self._f_start - f_best), _RELATIVE_REDUCTION * abs(f_best))
        if self._f - f_best > required or gradient_norm < _CRITICALITY * self._gradient_norm:
            self._restart(min(f_best, self._f), min(gradient_norm, self._gradient_norm), nit)
            return None
        self._steps += state.info.accepted
        if self._steps < WINDOW:
            return None
        return Termination(TerminationReason.NO_PROGRESS, nit - self._nit, self._gradient_norm)
