"""Lyapunov–Schmidt reduction by gradients only: f on the graph over the directions whose curvature may be zero.

φ(z) = f(y + Nz + Rw(z)) with Rᵀ∇f = 0, by Broyden steps in the range from the one factorization at y. φ has the
critical points of f and no others (the splitting lemma of Gromoll & Meyer, 1969). The expensive version, with a Hessian
for each step, is `newtonkit.classification.reduction`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.classification.chord_steps import EquilibratedHessian
from newtonkit.linalg.equilibration import equilibrating
from newtonkit.linalg.kernels import EPS, Vector, all_finite

_MAX_STEPS = 16
_NEW_HESSIANS = 2  # per reduction, where Broyden steps do not converge
CLEAR = 3.0  # times its error bar: a slope of this size keeps its sign whatever remains of the range equation
_NOISE = 10.0  # times the norm of the error bars of the gradient; a bar is a typical error, not a bound
# two steps must reduce the energy norm by this factor together; one may stall
_CONTRACTION = 0.7
_STALLED = 0.5  # reduction of one step above which the iteration ends if the rest is near its error bar
_NEAR_NOISE = 1e2
# of the largest curvature times ‖z‖: a slope known to this is known well enough; t⁶ has 1.5e-9 at the radius 0.004
_RESOLUTION = 2e-10
# of the slope at z that curvature 1 in equilibrated variables would cause: a slope known no better may hide t⁴, which
# has 6e-5 of it at that radius
_UNRESOLVED = 1e-6


class GraphPoint(NamedTuple):
    """The reduced function at one z."""

    y: Vector
    """y + Nz + Rw(z)."""
    remainder: float
    """Estimate of f − φ: the range equation is not solved exactly."""
    slope: Vector
    """∇φ."""
    bar: float
    """Error bar of ‖∇φ‖."""
    resolved: bool = True
    """Whether the error bar is small enough for a slope within it to be called zero."""


class GradientReduction:
    """φ near the polished point y; ``null`` masks the eigenvectors of the model that span N.

    Attributes
    ----------
    N, R : ndarray, shapes (n, k) and (n, n − k)
        N orthonormal; the columns of R have length 1 and ``curvatures``.
    y : ndarray, shape (n,)
        The point of the graph at z = 0.
    slope : ndarray, shape (k,)
        ∇φ there.
    """

    def __init__(
        self, evaluator: MeteredEvaluator, model: EquilibratedHessian, null: NDArray[np.bool_], y: Vector, g: Vector
    ) -> None:
        self.evaluator, self.model = evaluator, model
        self.N = np.linalg.qr(model.D[:, np.newaxis] * model.Q[:, null])[0]
        R = model.D[:, np.newaxis] * model.Q[:, ~null]
        lengths = np.sqrt((R**2).sum(axis=0))
        self.R, self.curvatures = R / lengths, model.eigenvalues[~null] / lengths**2
        # the Newton step in the range costs no gradient; after it y is on the graph up to second order
        r = self.R.T @ g
        self.y = y - self.R @ (r / self.curvatures) if r.size else y
        self.slope = self.N.T @ g
        self._noise = model.gradient_noise(y, g)
        self._curvature = float(np.linalg.norm(model.H, 2))
        self._new_hessians = _NEW_HESSIANS
        self._coupling = 0.0
        self._units = equilibrating(model.H)

    def at(self, z: Vector, start: Vector | None = None) -> GraphPoint | None:
        """φ at z, from a point of the graph near it; None if the range equation cannot be solved with the allowance."""
        y = self.y + self.N @ z if start is None else start + self.N @ (z - self.N.T @ (start - self.y))
        weights = np.sqrt(np.abs(self.curvatures))
        inverse = np.diag(np.sign(self.curvatures))  # of the Jacobian in coordinates of the energy norm √(Σr²/|λ|)
        sizes, step, scaled, last_slope = [math.inf, math.inf], np.empty(0), np.empty(0), np.empty(0)
        resolution = _RESOLUTION * self._curvature * float(np.linalg.norm(z))
        for _ in range(_MAX_STEPS):
            if not self.evaluator.affords(g=1):
                return None
            g = self.evaluator.gradient(y)
            if not all_finite(g):
                return None
            noise = np.maximum(self._noise, self.model.gradient_noise(y, g))
            r, slope = self.R.T @ g, self.N.T @ g
            before, scaled = scaled, r / weights
            size = float(np.linalg.norm(scaled))
            rest = float(np.linalg.norm(self.R @ r))
            if not step.size and start is None and z.any():
                # off the graph the slope differs by ΔH·δw, where r = ½ΔH·z shows ΔH = D³f·z, and δw is the correction
                # still to come
                self._coupling = max(self._coupling, 2.0 * rest / float(z @ z))
            correction = float(np.linalg.norm(self.R @ (r / self.curvatures)))
            rest = min(rest, self._coupling * float(np.linalg.norm(z)) * correction)
            if before.size and size < _STALLED * sizes[-1]:
                # the slope changes with r; as r vanishes it changes by about this much more
                rest = min(rest, float(np.linalg.norm(slope - last_slope)) * size / (sizes[-1] - size))
            last_slope, bar = slope, _NOISE * (float(np.linalg.norm(noise)) + rest)
            if float(np.linalg.norm(slope)) > CLEAR * bar:
                break
            floor = float(np.linalg.norm((np.abs(self.R.T) @ noise) / weights))
            if size <= floor or bar <= resolution or (size > _STALLED * sizes[-1] and size <= _NEAR_NOISE * floor):
                break
            if size > _CONTRACTION * sizes[-2]:
                if self._new_hessians == 0 or not self.evaluator.affords(H=1):
                    return None
                self._new_hessians -= 1
                B = (self.R / weights).T @ self.evaluator.hessian(y) @ (self.R / weights)
                if not np.isfinite(B).all():
                    return None
                inverse = np.linalg.pinv(B, rcond=EPS)
            elif step.size:  # Broyden's update (N&W, 2006, eq. 11.19, for the inverse)
                predicted = inverse @ (scaled - before)
                inverse += np.outer(step - predicted, step @ inverse) / float(step @ predicted)
            sizes.append(size)
            step = -(inverse @ scaled)
            y = y + self.R @ (step / weights)
        else:
            return None
        remainder = 0.5 * float(r @ (r / self.curvatures)) if r.size else 0.0
        # a curvature that equilibrated variables would call 1
        unit = float(np.linalg.norm((self.N @ z) / self._units)) ** 2 / max(float(np.linalg.norm(z)), 1e-300)
        return GraphPoint(y, remainder, slope, bar, bar <= _UNRESOLVED * unit)
