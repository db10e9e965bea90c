"""The function of one variable that a line search minimizes: φ(α) = f(x + αp)."""

from __future__ import annotations

import math
from typing import Protocol

from newtonkit.core.state import State
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, all_finite, dot

ARMIJO = 1e-4  # c₁ of Armijo's condition; N&W (2006), eq. 3.4


class LineFunction:
    """φ(α) = f(x + αp) and φ′(α) = g(x + αp)ᵀp; keeps the last trial and the best one that met Armijo's condition.

    Parameters
    ----------
    evaluator : Evaluator
    state : State
        The point at α = 0: x, f, g.
    p : ndarray, shape (n,)
        A descent direction.

    Attributes
    ----------
    alpha_max : float
        The largest step length in the domain of x; infinite if there are no bounds.
    """

    __slots__ = (
        "alpha",
        "alpha_max",
        "base",
        "best",
        "best_armijo_f",
        "evaluator",
        "f",
        "f0",
        "g",
        "p",
        "slope0",
        "trials",
        "x",
    )

    def __init__(self, evaluator: Evaluator, state: State, p: Vector) -> None:
        self.evaluator = evaluator
        self.base = state.x
        self.alpha_max = evaluator.domain.largest_step(state.x, p)
        self.p = p
        self.f0 = state.f
        self.slope0 = dot(state.g, p)
        self.trials = 0
        self.best: tuple[float, Vector, float, Vector] | None = None
        self.best_armijo_f = state.f
        self.alpha = 0.0
        self.x, self.f, self.g = state.x, state.f, state.g

    def __call__(self, alpha: float) -> tuple[float, float]:
        """Return φ(α) and φ′(α); the slope is NaN if f or g is not finite."""
        self.trials += 1
        self.alpha = alpha
        self.x = self.evaluator.domain.along(self.base, alpha, self.p)
        f, g = self.f, self.g = self.evaluator.value_and_grad(self.x)
        slope = dot(g, self.p)
        if not (math.isfinite(f) and math.isfinite(slope)):  # a slope is finite only if all of g is
            return math.inf, math.nan
        if f < self.best_armijo_f and f <= self.f0 + ARMIJO * alpha * self.slope0:
            self.best_armijo_f, self.best = f, (alpha, self.x, f, g)
        return f, slope

    def value(self, alpha: float) -> float:
        """Return φ(α) alone; infinite if f is not finite. `gradient` completes the trial."""
        self.trials += 1
        self.alpha = alpha
        self.x = self.evaluator.domain.along(self.base, alpha, self.p)
        self.f = self.evaluator.value(self.x)
        return self.f if math.isfinite(self.f) else math.inf

    def gradient(self) -> float:
        """Return φ′ at the last trial, whose value is known; NaN if g is not finite."""
        self.g = self.evaluator.gradient(self.x)
        return dot(self.g, self.p) if all_finite(self.g) else math.nan

    def ends_search(self, alpha: float, f: float, slope: float) -> bool:
        """Return whether f still falls at the largest step length α, and Armijo's condition holds there."""
        return slope < 0.0 and f <= self.f0 + ARMIJO * alpha * self.slope0

    def restore_best(self) -> bool:
        """Make the best point that met Armijo's condition the last trial; return False if there is none."""
        if self.best is None:
            return False
        self.alpha, self.x, self.f, self.g = self.best
        return True


class LineSearch(Protocol):
    """The protocol of a line search."""

    @property
    def max_trials(self) -> int:
        """The largest number of trials."""

    def search(self, line: LineFunction, alpha: float) -> float | None:
        """Return an acceptable step length, starting from the guess ``alpha`` > 0; None if none was found."""
