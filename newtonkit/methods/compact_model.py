"""The quadratic model of quasi-Newton methods in a bounded domain, and the search direction that it gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from newtonkit.core.domain import Domain
from newtonkit.core.state import State
from newtonkit.linalg.kernels import Matrix, Vector, all_finite, dot, norm
from newtonkit.trustregion.box_step import DomainModel
from newtonkit.trustregion.model import MAX_KNOTS, QuadraticModel
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution, TrustRegion
from newtonkit.trustregion.units import EUCLIDEAN, Units

_CURVATURE = 1e-8  # least cosine of the angle of s and y for a pair restricted to the free variables


def direction_in_domain(
    domain: Domain, state: State, p: Vector | None, model: Callable[[], QuadraticModel], units: Units = EUCLIDEAN
) -> Vector | None:
    """Return a direction from this state such that a unit step along it ends in the domain.

    It is p if that ends in the domain and every variable is free, else the step of `DomainModel` without a bound on its
    length. None if p is None, or if the model is not convex enough to give a descent direction.

    Parameters
    ----------
    domain : Domain
    state : State
    p : ndarray, shape (n,), or None
        The unconstrained direction.
    model : callable
        Returns the quadratic model of which p is the minimizer. It is called only if p is not returned.
    units : Units
        Those of the model.
    """
    x, g = state.x, state.g
    if p is None or (not domain.holds_any(x, g) and domain.contains_step(x, p)):
        return p
    z, domain = units.point(x), units.domain(domain)
    step = units.step(DomainModel.at(model(), domain, z).solve(domain, z, TrustRegion(math.inf)).p)
    return step if all_finite(step) and dot(step, g) < 0.0 else None


class CompactModel:
    """m(p) = gᵀp + ½ pᵀBp with B the BFGS matrix of θI and some pairs: B = θI − W M⁻¹ Wᵀ, W = [Y, θS].

    Convex, so that its minimizer needs no bound on the length.

    Parameters
    ----------
    g : ndarray, shape (n,)
    S, Y : ndarray, shape (n, m)
        Pairs of positive curvature, oldest first.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Math. Program. 63, 129, theorem 2.3; Byrd, Lu, Nocedal & Zhu (1995), SIAM J. Sci.
    Comput. 16, 1190, section 5.
    """

    max_knots: ClassVar[int] = MAX_KNOTS
    newton_length: ClassVar[float] = 0.0
    diagonal: ClassVar[None] = None

    def __init__(self, g: Vector, S: Matrix, Y: Matrix) -> None:
        sy = np.einsum("ij,ij->j", S, Y)
        kept = sy > _CURVATURE * np.linalg.norm(S, axis=0) * np.linalg.norm(Y, axis=0)
        root = np.sqrt(sy[kept])
        S, Y = S[:, kept] / root, Y[:, kept] / root  # now sᵀy = 1, which keeps M well scaled
        self.theta = dot(Y[:, -1].copy(), Y[:, -1].copy()) if root.size else 1.0
        L = np.tril(S.T @ Y, -1)
        self.W = np.hstack([Y, math.sqrt(self.theta) * S])
        scaled_L = L / math.sqrt(self.theta)
        self.M = np.block([[-np.eye(len(L)), scaled_L.T], [scaled_L, S.T @ S]])
        self.g = g

    @property
    def hessian_norm(self) -> float:
        """θ, the norm on most of the space."""
        return self.theta

    def times(self, v: Vector) -> Vector:
        """Return Bv."""
        Bv: Vector = self.theta * v - self.W @ _solve(self.M, self.W.T @ v)
        return Bv

    def face(self, free: NDArray[np.bool_], g: Vector) -> CompactModel:
        """Return the model of the free variables alone, with this gradient; the others do not move."""
        face = object.__new__(CompactModel)
        face.theta, face.M = self.theta, self.M
        face.W, face.g = np.where(free[:, None], self.W, 0.0), np.where(free, g, 0.0)
        return face

    def solve(self, bound: StepBound) -> SubproblemSolution:
        """Return −B⁻¹g, by the formula of Sherman, Morrison and Woodbury."""
        W, theta = self.W, self.theta
        p: Vector = -(self.g + W @ _solve(theta * self.M - W.T @ W, W.T @ self.g)) / theta
        return SubproblemSolution(p, -dot(self.g, p) - 0.5 * dot(p, self.times(p)), False, norm(p))


def _solve(A: Matrix, b: Vector) -> Vector:
    """Return the solution of Ax = b; NaN if A is singular."""
    try:
        return np.asarray(np.linalg.solve(A, b), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(b.shape, math.nan)
