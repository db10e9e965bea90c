"""Lyapunov–Schmidt reduction: near a singular Hessian only the few directions without curvature matter.

Split ℝⁿ into N, along which the Hessian is singular or becomes so within a radius, and R, where it stays regular.
For every small z the equation Rᵀ∇f(x + Nz + Rw) = 0 has one solution w(z), by Newton's method. The reduced function
φ(z) = f(x + Nz + Rw(z)) has the critical points of f and no others, and f is φ plus a regular quadratic form in new
variables (the splitting lemma of Gromoll & Meyer, 1969; Poston & Stewart, 1978, *Catastrophe Theory*, ch. 4).

Derivatives of f along N itself are those of φ only up to the second: Peano's (y − x²)(y − 2x²) has 2x⁴ along its null
direction, and φ = −x⁴/4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.linalg.equilibration import equilibrating
from newtonkit.linalg.kernels import EPS, Matrix, Vector, all_finite, eigh, max_norm, norm, solve

_SAMPLES = 8  # random points at which the variation of the Hessian is sampled, next to those along four eigenvectors
_SEED = 0  # of these points; fixed, so that the same point gives the same verdict
_REGULAR = 0.5  # ‖B⁻¹(B(y) − B)‖ below 1 keeps B(y) regular; half of it leaves room for what the samples missed
_NEWTON = 12
_NOISE = 10.0  # times eps·(|H||y| + |g|), what rounding of y and of the sums of a gradient amounts to
_STEEPEST = 1.0  # of the graph over N: steeper, it is no longer near its tangent space


class ReducedPoint(NamedTuple):
    """The reduced function at one z."""

    z: Vector
    y: Vector
    """x + Nz + Rw(z)."""
    slope: Vector
    """∇φ."""
    curvature: Matrix
    """∇²φ, the Schur complement of the range block."""
    noise: float
    """‖∇φ‖ that rounding alone may cause."""

    @property
    def certain(self) -> bool:
        """Whether ∇φ is more than rounding."""
        return norm(self.slope) > self.noise


class Reduction:
    """φ near x, for null directions that are found by sampling the Hessian within ``radius`` of x.

    Attributes
    ----------
    N, R : ndarray, shapes (n, k) and (n, n − k)
        N orthonormal; the columns of R of length 1.
    negative, positive : int
        The inertia of RᵀHR.
    steepest : ndarray
        The direction of its least eigenvalue.

    Notes
    -----
    The null directions are as few as possible: those least regular are added, in order, until the Hessian varies on the
    others by less than half of itself, ‖B⁻¹(B(y) − B)‖ < ½. All this in variables that equilibrate |H| and its
    variation together, so that no unit of a variable decides.
    """

    def __init__(self, evaluator: MeteredEvaluator, x: Vector, H: Matrix, radius: float) -> None:
        self.evaluator, self.x, self.radius = evaluator, x, radius
        n = x.size
        changes = list(self._changes(H, radius))
        variation = np.max(np.abs(changes), axis=0, initial=0.0)
        D = equilibrating(np.abs(H) + variation)
        eigenvalues, Q = eigh(D[:, np.newaxis] * H * D)
        tolerance = evaluator.hessian_error * n * max(max_norm(eigenvalues), EPS)
        in_eigenbasis = [Q.T @ (D[:, np.newaxis] * change * D) @ Q for change in changes]
        varies = np.max([np.abs(np.diag(change)) for change in in_eigenbasis], axis=0, initial=0.0)
        order = np.argsort(np.abs(eigenvalues) / np.maximum(varies, tolerance))
        for k in range(n + 1):
            kept = order[k:]
            least = np.min(np.abs(eigenvalues[kept]), initial=np.inf)
            if least > tolerance and all(
                np.linalg.norm(change[np.ix_(kept, kept)] / eigenvalues[kept, np.newaxis], 2) < _REGULAR
                for change in (in_eigenbasis if kept.size else [])
            ):
                break
        self.nullity = k
        self.N = np.linalg.qr(D[:, np.newaxis] * Q[:, order[:k]])[0]
        R = D[:, np.newaxis] * Q[:, kept]
        self.R = R / np.sqrt((R**2).sum(axis=0))
        self.negative = int(np.sum(eigenvalues[kept] < 0.0))
        self.positive = n - k - self.negative
        self.steepest = self.R[:, np.argmin(eigenvalues[kept])] if kept.size else np.zeros(n)

    def _changes(self, H: Matrix, radius: float) -> Iterator[Matrix]:
        rng = np.random.default_rng(_SEED)
        eigenvalues, Q = eigh(H)
        directions = [sign * Q[:, i] for i in np.argsort(np.abs(eigenvalues))[:4] for sign in (1.0, -1.0)]
        directions += [v / norm(v) for v in rng.standard_normal((_SAMPLES, self.x.size))]
        for v in directions:
            change = self.evaluator.hessian(self.x + radius * v) - H
            if np.isfinite(change).all():
                yield change

    def at(self, z: Vector, near: ReducedPoint | None = None) -> ReducedPoint | None:
        """φ at z, from a point near; None where the range equation has no solution within reach of N."""
        anchor = self.x if near is None else near.y
        shift = self.N @ (z if near is None else z - near.z)
        y = anchor + shift
        reach = _STEEPEST * norm(shift) + (2.0 * self.radius if near is None else EPS * max_norm(self.x))
        last = np.inf
        for _ in range(_NEWTON):
            g, H = self.evaluator.gradient(y), self.evaluator.hessian(y)
            if not (all_finite(g) and np.isfinite(H).all()):
                return None
            if not self.R.shape[1]:
                break
            B = self.R.T @ H @ self.R
            step = solve(B, -(self.R.T @ g))
            if step is None or not np.isfinite(step).all():
                return None
            length = norm(self.R @ step)
            # as far as rounding allows: the step is tiny, or no longer shrinks
            if length <= 4 * EPS * max_norm(y) or (length > 0.5 * last and last <= 1e-10 * max_norm(y)):
                break
            y, last = y + self.R @ step, length
            if norm(y - anchor - shift) > reach:
                return None
        else:
            return None
        T = self.N
        if self.R.shape[1]:
            T = self.N - self.R @ np.linalg.solve(B, self.R.T @ (H @ self.N))
        # with the tangent T of the graph, the remaining range gradient has an effect of second order only
        rounding = _NOISE * EPS * (np.abs(H) @ np.abs(y) + np.abs(g))
        return ReducedPoint(z, y, T.T @ g, self.N.T @ H @ T, float(np.linalg.norm(np.abs(T).T @ rounding)))
