"""Tolerances and budgets of one run, and the cheap tests made on every state."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from newtonkit.core.counts import Budget
from newtonkit.core.state import State
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import all_finite, max_norm, norm

_UNBOUNDED = 1e20  # times the scale of f at the start: beyond the range of any f that is bounded in practice


@dataclass(frozen=True, slots=True)
class Stop:
    """Tolerances and budgets of one run. A tolerance of 0 means "as far as rounding allows".

    Parameters
    ----------
    gtol : float, at least 0, default 1e-5
        Converged if ‖g‖∞ ≤ gtol *and* the quadratic model predicts no worthwhile reduction: see
        `newtonkit.driver.remaining_reduction.nothing_left`.
    ftol : float, at least 0, default 0 (off)
        Stalled if an accepted step changes f by at most ftol·max(|f|, |f₊|).
    xtol : float, at least 0, default 0 (off)
        Stalled if an accepted step is no longer than xtol·‖x‖.
    maxiter : int, at least 0, default 10000
        Iterations; a rejected trial of a trust region counts.
    maxfev, maxgev, maxhev, maxhvp : int, at least 0, default infinite
        Evaluations of f, gradient, Hessian, Hessian-vector products, those for checks included.
    maxtime : float, positive, default infinite
        Seconds.
    target : float, default -inf
        Stop as soon as f ≤ target.

    Raises
    ------
    ValueError, TypeError
        For a value outside these ranges, naming it.

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.Stop(gtol=1e-8, maxiter=100).maxiter
    100
    """

    gtol: float = 1e-5
    ftol: float = 0.0
    xtol: float = 0.0
    maxiter: int = 10_000
    maxfev: float = math.inf
    maxgev: float = math.inf
    maxhev: float = math.inf
    maxhvp: float = math.inf
    maxtime: float = math.inf
    target: float = -math.inf

    def __post_init__(self) -> None:
        for name in ("gtol", "ftol", "xtol"):
            check_real(name, getattr(self, name), 0.0, open_high=True)
        check_integer("maxiter", self.maxiter, 0)
        for name in ("maxfev", "maxgev", "maxhev", "maxhvp"):
            check_real(name, getattr(self, name), 0.0)
        check_real("maxtime", self.maxtime, 0.0, open_low=True)
        check_real("target", self.target, open_high=True)

    @property
    def budget(self) -> Budget:
        """The limits that the Evaluator enforces."""
        return Budget(self.maxfev, self.maxgev, self.maxhev, self.maxhvp, self.maxtime)

    def claim(self, state: State, gradient_norm: float, nit: int, lowest: float) -> Termination | None:
        """Return the first of the cheap tests that this state meets; None: the run continues.

        GRADIENT and STALLED are claims: curvature must confirm them (`newtonkit.driver.convergence`).

        Parameters
        ----------
        state : State
        gradient_norm : float
            ‖g‖∞; NaN if f or g is not finite.
        nit : int
            Iterations until this state.
        lowest : float
            f below this value is considered unbounded, see `unbounded_limit`.
        """
        f = state.f
        if math.isnan(gradient_norm):
            return _non_finite(state, nit)
        if f <= self.target:
            return Termination(TerminationReason.TARGET, f, self.target)
        if gradient_norm <= self.gtol:
            return Termination(TerminationReason.GRADIENT, gradient_norm, self.gtol)
        info = state.info
        if self.ftol > 0.0 and info.accepted and abs(info.decrease) <= self.ftol * max(abs(f), abs(f + info.decrease)):
            return Termination(TerminationReason.STALLED, abs(info.decrease), self.ftol * abs(f), "|Δf|")
        if self.xtol > 0.0 and info.accepted and info.length <= self.xtol * norm(state.x):
            return Termination(TerminationReason.STALLED, info.length, self.xtol * norm(state.x), "‖Δx‖")
        if f < lowest:
            return Termination(TerminationReason.UNBOUNDED, f, lowest)
        return self.iterations_spent(nit)

    def iterations_spent(self, nit: int) -> Termination | None:
        """Return ITERATIONS if ``nit`` has reached the limit."""
        return Termination(TerminationReason.ITERATIONS, nit, self.maxiter) if nit >= self.maxiter else None


def unbounded_limit(first: State) -> float:
    """Return the value of f below which a run from this state is considered unbounded."""
    if not (math.isfinite(first.f) and all_finite(first.g)):
        return -math.inf
    scale = max(abs(first.f), max_norm(first.g) * max(1.0, max_norm(first.x)))
    # a start where f is tiny is no measure of the depth of f
    return -_UNBOUNDED * max(1.0, scale)


def _non_finite(state: State, nit: int) -> Termination:
    where = "at x0" if nit == 0 else f"after {nit} iterations"
    if not math.isfinite(state.f):
        return Termination(TerminationReason.NON_FINITE, state.f, detail=f"f = {state.f} {where}")
    wrong = np.flatnonzero(~np.isfinite(state.g))
    entries = f"{wrong.size} of {state.g.size} entries of the gradient are not finite, the first is entry {wrong[0]}"
    return Termination(TerminationReason.NON_FINITE, state.f, detail=f"f = {state.f:.6g} {where}, but {entries}")
