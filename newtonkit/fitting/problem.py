"""Residuals, Jacobian and curvature of a fit, counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from newtonkit.core.counts import Counts
from newtonkit.fitting.losses import Loss
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
    jacobian : ndarray, shape (m, n), or None
        √ρ′·J.
    rounding : ndarray, shape (m,)
        |r| + |J||x|, weighted: eps times this is the rounding error of the residuals.
    """

    x: Vector
    parameters: Vector
    residuals: Vector
    cost: float
    weighted: Vector
    jacobian: Matrix | None = None
    rounding: Vector | None = None

    @property
    def gradient(self) -> Vector:
        """∇(cost)."""
        assert self.jacobian is not None
        gradient: Vector = self.jacobian.T @ self.weighted
        return gradient


class FitProblem:
    """The user's functions with counts: ``counts.f`` residuals, ``counts.g`` Jacobians, ``counts.H`` curvatures.

    Parameters
    ----------
    residuals : callable
        r(x), shape (m,).
    jacobian : callable
        J(x), shape (m, n).
    curvature : callable or None
        (x, w) ↦ Σ wᵢ∇²rᵢ(x), shape (n, n); None where it is not available.
    loss : Loss
    """

    def __init__(
        self,
        residuals: Callable[[Vector], Vector],
        jacobian: Callable[[Vector], Matrix],
        curvature: Callable[[Vector, Vector], Matrix] | None,
        loss: Loss,
    ) -> None:
        self._residuals, self._jacobian, self._curvature = residuals, jacobian, curvature
        self.loss = loss
        self.counts = Counts()

    @property
    def has_curvature(self) -> bool:
        """Whether the exact second derivatives of the residuals are available."""
        return self._curvature is not None

    @property
    def exact_differences(self) -> bool:
        """Whether f − f₊ is ½(r − r₊)ᵀ(r + r₊), without cancellation."""
        return self.loss.linear

    def evaluate(self, x: Vector) -> FitPoint:
        """r and the cost at x."""
        self.counts.f += 1
        with np.errstate(all="ignore"):
            r = self._residuals(x.copy())
            cost = self.loss.cost(r)
        return FitPoint(x, x, r, cost if math.isfinite(cost) else math.nan, r)

    def linearize(self, at: FitPoint) -> bool:
        """Evaluate the Jacobian at a point, in place; whether it is finite."""
        self.counts.g += 1
        with np.errstate(all="ignore"):
            J = self._jacobian(at.x.copy())
            first, _ = self.loss.weights(at.residuals)
            root = np.sqrt(first)
            at.weighted, at.jacobian = root * at.residuals, root[:, np.newaxis] * J
            at.rounding = np.abs(at.weighted) + np.abs(at.jacobian) @ np.abs(at.x)
        return bool(np.isfinite(at.jacobian).all())

    def curvature(self, at: FitPoint) -> Matrix:
        """The Hessian of the cost without JᵀJ of the weighted Jacobian."""
        assert self._curvature is not None
        assert at.jacobian is not None
        self.counts.H += 1
        first, second = self.loss.weights(at.residuals)
        with np.errstate(all="ignore"):
            S = self._curvature(at.x.copy(), first * at.residuals)
            if not self.loss.linear:
                # what ρ″ adds, never positive for these losses; relative to the weighted Jacobian
                S = S + (at.jacobian.T * ((second - first) / first)) @ at.jacobian
        return 0.5 * (S + S.T)
