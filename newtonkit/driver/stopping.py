"""When a run may end: the tolerances and budgets of one run, and the cheap tests made on every state."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.core.counts import Budget
from newtonkit.core.state import State
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.core.validation import check_integer, check_real
from newtonkit.linalg.kernels import EPS, all_finite, max_norm, norm

_UNBOUNDED = 1e20  # times the scale of f at the start


@dataclass(frozen=True, slots=True)
class Stop:
    """Tolerances and budgets of one run. A tolerance of 0 means "as far as rounding allows".

    Parameters
    ----------
    gtol : float, at least 0, default 1e-5
        Converged when ‖g‖∞ ≤ gtol *and* the quadratic model has nothing worthwhile left: see `nothing_left`.
    ftol : float, at least 0, default 0 (off)
        Stalled when an accepted step changes f by at most ftol·max(|f|, |f₊|).
    xtol : float, at least 0, default 0 (off)
        Stalled when an accepted step is no longer than xtol·‖x‖.
    maxiter : int, at least 0, default 10000
        Iterations; a rejected trial of a trust region counts.
    maxfev, maxgev, maxhev, maxhvp : int, at least 0, default infinite
        Evaluations of f, gradient, Hessian, Hessian-vector products, those made for checks included.
    maxtime : float, positive, default infinite
        Seconds.
    target : float, default -inf
        Stop as soon as f ≤ target.

    Raises
    ------
    ValueError, TypeError
        For a value outside these ranges, naming it.
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

    def test(self, state: State, size: float, nit: int, floor: float) -> Termination | None:
        """The first of the cheap tests that this state meets, as an Termination; None: go on.

        GRADIENT and STALLED are claims, for the loop to check by curvature before they are believed.

        Parameters
        ----------
        state : State
        size : float
            ‖g‖∞; NaN where f or g is not finite.
        nit : int
            Iterations until this state.
        floor : float
            See `unbounded_below`.
        """
        f = state.f
        if math.isnan(size):
            return _non_finite(state, nit)
        if f <= self.target:
            return Termination(TerminationReason.TARGET, f, self.target)
        if size <= self.gtol:
            return Termination(TerminationReason.GRADIENT, size, self.gtol)
        info = state.info
        if self.ftol > 0.0 and info.accepted and abs(info.decrease) <= self.ftol * max(abs(f), abs(f + info.decrease)):
            return Termination(TerminationReason.STALLED, abs(info.decrease), self.ftol * abs(f), "|Δf|")
        if self.xtol > 0.0 and info.accepted and info.length <= self.xtol * norm(state.x):
            return Termination(TerminationReason.STALLED, info.length, self.xtol * norm(state.x), "‖Δx‖")
        if f < floor:
            return Termination(TerminationReason.UNBOUNDED, f, floor)
        return self.out_of_iterations(nit)

    def out_of_iterations(self, nit: int) -> Termination | None:
        """ITERATIONS where ``nit`` has reached the limit."""
        return Termination(TerminationReason.ITERATIONS, nit, self.maxiter) if nit >= self.maxiter else None


def nothing_left(decrease: float, length: float, f: float, f0: float, x_norm: float) -> str:
    """In which scale-free sense nothing worthwhile is left to gain; empty where something is.

    The model's decrease is at most 1e-8·(f₀ − f) or 10·eps·|f|, or its step at most 1e-8·‖x‖. A constant added to f
    leaves the first and the third alone and lets the second speak only of rounding.
    """
    if decrease <= 1e-8 * (f0 - f):
        return f"the model's remaining decrease is {decrease:.2g}"
    return rounding_reached(decrease, length, f, x_norm)


def rounding_reached(decrease: float, length: float, f: float, x_norm: float) -> str:
    """In which sense only rounding is left: see `nothing_left`; empty where more is."""
    if decrease <= 10 * EPS * abs(f):
        return f"the model's remaining decrease, {decrease:.2g}, is below the rounding of f"
    if length <= 1e-8 * x_norm:
        return f"the Newton step is {length:.2g} long"
    return ""


def _non_finite(state: State, nit: int) -> Termination:
    what = f"f = {state.f}" if not math.isfinite(state.f) else "the gradient has entries that are not finite"
    where = "at x0" if nit == 0 else f"after {nit} iterations"
    return Termination(TerminationReason.NON_FINITE, state.f, detail=f"{what} {where}")


def unbounded_below(first: State) -> float:
    """The value of f below which a run from this state is taken to have no end."""
    if not (math.isfinite(first.f) and all_finite(first.g)):
        return -math.inf
    scale = max(abs(first.f), max_norm(first.g) * max(1.0, max_norm(first.x)))
    # a start where f is tiny, far from where it lives, says nothing of how deep it may go
    return -_UNBOUNDED * max(1.0, scale)
