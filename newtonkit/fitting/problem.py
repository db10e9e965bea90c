"""Residuals, Jacobian and curvature of a fit, counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from newtonkit.core.counts import Counts
from newtonkit.derivatives.losses import Loss
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.jacobians import Jacobian, absolute_product, is_finite, scale_rows
from newtonkit.linalg.kernels import Matrix, Vector


@dataclass
class FitPoint:
    """A point of a fit. The Jacobian is None until it is evaluated.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The variables of the iteration.
    parameters : ndarray
        All parameters of the model; x itself, unless some were eliminated.
    residuals : ndarray, shape (m,)
        r, as the user's function gives it.
    cost : float
        ½ Σρ; NaN where a residual is not finite.
    weighted : ndarray, shape (m,)
        √ρ′·r, so that the gradient is ``jacobian.T @ weighted``.
    jacobian : ndarray or sparse array, shape (m, n), or None
        √ρ′·J.
    rounding : ndarray, shape (m,)
        |r| + |J||x|, weighted: eps times this is the rounding error of the residuals.
    second : ndarray, shape (n, n), or None
        The second-order part of the Hessian of the cost in all parameters, where it was evaluated.
    borrowed : bool
        Whether jacobian and second belong to the point before the last, short step.
    """

    x: Vector
    parameters: Vector
    residuals: Vector
    cost: float
    weighted: Vector
    jacobian: Jacobian | None = None
    rounding: Vector | None = None
    second: Matrix | None = None
    borrowed: bool = False

    @cached_property
    def gradient(self) -> Vector:
        """∇(cost)."""
        assert self.jacobian is not None
        gradient: Vector = self.jacobian.T @ self.weighted
        return gradient


class Problem(Protocol):
    """What the iteration needs of a problem; see `FitProblem`."""

    @property
    def counts(self) -> Counts:
        """Evaluations so far."""

    @property
    def has_curvature(self) -> bool:
        """Whether `curvature` may be called."""

    @property
    def exact_differences(self) -> bool:
        """Whether f − f₊ = ½(r − r₊)ᵀ(r + r₊)."""

    def evaluate(self, x: Vector) -> FitPoint:
        """Residuals and cost."""

    def linearize(self, at: FitPoint) -> bool:
        """Evaluate the Jacobian in place; whether it is finite."""

    def curvature(self, at: FitPoint) -> Matrix:
        """Σ wᵢ∇²rᵢ."""


class FitProblem:
    """A fit with a loss, in all parameters.

    Parameters
    ----------
    functions : FitFunctions
    loss : Loss
    """

    def __init__(self, functions: FitFunctions, loss: Loss) -> None:
        self.functions, self.loss = functions, loss

    @property
    def counts(self) -> Counts:
        """Evaluations so far."""
        return self.functions.counts

    @property
    def has_curvature(self) -> bool:
        """Whether the exact second derivatives of the residuals are available."""
        return self.functions.has_curvature

    @property
    def exact_differences(self) -> bool:
        """Whether f − f₊ is ½(r − r₊)ᵀ(r + r₊), without cancellation."""
        return self.loss.linear

    def evaluate(self, x: Vector) -> FitPoint:
        """r and the cost at x."""
        with np.errstate(all="ignore"):
            r = self.functions.residuals(x)
            cost = float(self.loss.cost(r))
        return FitPoint(x, x, r, cost if math.isfinite(cost) else math.nan, r)

    def linearize(self, at: FitPoint) -> bool:
        """Evaluate the Jacobian at a point, in place; whether it is finite."""
        with np.errstate(all="ignore"):
            J = self.functions.jacobian(at.x)
            first, _ = self.loss.weights(at.residuals)
            root = np.sqrt(first)
            at.weighted, at.jacobian = root * at.residuals, J if self.loss.linear else scale_rows(root, J)
            at.rounding = np.abs(at.weighted) + absolute_product(at.jacobian, at.x)
        return is_finite(at.jacobian)

    def curvature(self, at: FitPoint) -> Matrix:
        """The Hessian of the cost without JᵀJ of the weighted Jacobian."""
        assert at.jacobian is not None
        first, second = self.loss.weights(at.residuals)
        with np.errstate(all="ignore"):
            S = self.functions.curvature(at.x, first * at.residuals)
            if not self.loss.linear:
                # what ρ″ adds, never positive for these losses; relative to the weighted Jacobian
                ratio = np.divide(second - first, first, out=np.zeros_like(first), where=first > 0.0)
                S = S + (at.jacobian.T * ratio) @ at.jacobian
        at.second = 0.5 * (S + S.T)
        return at.second
