"""The face of a box on which a quadratic model is minimal, found by conjugate gradients with projections."""

from __future__ import annotations

import math

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.linalg.factorization import SparseSymmetric
from newtonkit.linalg.kernels import Vector, add_scaled, dot, norm, scale
from newtonkit.trustregion.model import QuadraticModel

# The face changes until the gradient is this part of the first one. Measured on the torsion and obstacle problems with
# 1e5 variables: 8 and 0 variables of 1e5 are then still on the wrong side; with 1e-3 they are 72 and 0, with 1e-2 2400
# and 3
_REDUCTION = 1e-4
# Products, in units of √n: twice as many as the conjugate gradients of a grid in two dimensions with n points require.
# Measured with 1e5 points: 1300 products for the torsion and obstacle problems
_PRODUCTS = 20.0


def products_for_face(model: QuadraticModel) -> int:
    """How many products may be spent to find the face; 0 if a factorization on each face is cheaper.

    A factorization of a large sparse matrix takes as long as a hundred products or more, that of a band matrix only as
    long as a few.
    """
    is_sparse = isinstance(getattr(model, "B", None), SparseSymmetric)
    return int(_PRODUCTS * math.sqrt(model.g.size)) if is_sparse else 0


def find_face(
    model: QuadraticModel, steps: Domain, s: Vector, Bs: Vector, radius: float, products: int
) -> tuple[Vector, Vector, int]:
    """Return a step s with a lower value of the model, on nearly the face of its minimizer, then Bs, and the products.

    Let φ be the gradient of the model on the variables that are not at a bound, and β its part at the bounds that leads
    into the box. While β is small compared with φ, conjugate gradients minimize on the face. A step of theirs that
    leaves the box is projected, so that many variables reach their bounds at once; if the model is not lower there, the
    step ends at the first bound. If β is large, the variables leave their bounds along −β. The search ends early where
    the curvature is not positive, or outside the ball ‖s‖ ≤ radius.

    Parameters
    ----------
    model : QuadraticModel
    steps : Domain
        The domain of the steps; it contains s.
    s, Bs : ndarray, shape (n,)
        The first step and its product.
    radius : float
    products : int
        Limit.

    References
    ----------
    Dostál & Schöberl (2005), Comput. Optim. Appl. 30, 23-43 (MPRGP: proportioning, and the conjugate-gradient and
    expansion steps); Moré & Toraldo (1991), SIAM J. Optim. 1, 93-113.
    """
    search = _Search(model, steps, s, Bs)
    target = _REDUCTION * _REDUCTION * search.squared
    while search.spent < products and search.squared > target:
        if not search.advance() or norm(search.s) > radius:
            break
        s = search.s
    return s, model.times(s), search.spent + 1


class _Search:
    """The iteration. Vectors are reused."""

    def __init__(self, model: QuadraticModel, steps: Domain, s: Vector, Bs: Vector) -> None:
        self.model, self.steps = model, steps
        self.lower, self.upper = np.asarray(steps.lower), np.asarray(steps.upper)
        self.s, self.r = s, model.g + Bs
        self.spent = 0
        self._work: Vector = np.empty_like(s)
        self._p: Vector = self._work
        self._change_face()

    @property
    def squared(self) -> float:
        """‖φ + β‖²."""
        return self._phi_squared + self._beta_squared

    def advance(self) -> bool:
        """Compute one step; return False where the curvature along it is not positive."""
        on_face = self._beta_squared <= self._phi_squared
        d = self._p if on_face else self._work * self._side
        Bd = self.model.times(d)
        self.spent += 1
        curvature = dot(d, Bd)
        if not 0.0 < curvature < math.inf:
            return False
        alpha = dot(self.r, d) / curvature
        s = add_scaled(self.s.copy(), -alpha, d)
        if not self.steps.contains(s):
            self._end_at_bounds(s, d, Bd)
            self._change_face()
            return True
        self.s, self.r = s, add_scaled(self.r, -alpha, Bd)
        if on_face:
            np.multiply(self.r, self._inside, out=self._phi)
            self._p = add_scaled(scale(d, -dot(self._phi, Bd) / curvature), 1.0, self._phi)
            self._measure()
        else:
            self._change_face()
        return True

    def _end_at_bounds(self, outside: Vector, d: Vector, Bd: Vector) -> None:
        """Project the step; if the model is not lower there, end it at the first bound."""
        s = self.steps.project(outside)
        e = s - self.s
        Be = self.model.times(e)
        self.spent += 1
        if dot(self.r, e) + 0.5 * dot(e, Be) < 0.0:
            self.s, self.r = s, self.r + Be
            return
        reach = self.steps.reach(self.s, -d)
        first = float(reach.min())
        bound = np.where(d > 0.0, self.lower, self.upper)
        self.s = np.where(reach <= first, bound, self.steps.project(self.s - first * d))
        self.r = add_scaled(self.r, -first, Bd)

    def _change_face(self) -> None:
        """Start conjugate gradients on the face of s."""
        at_lower, at_upper = self.s <= self.lower, self.s >= self.upper
        # 1 at an upper bound, −1 at a lower one, 0 between them and where both are equal
        self._side = at_upper.astype(np.float64) - at_lower
        self._inside = (~(at_lower | at_upper)).astype(np.float64)
        self._phi = self.r * self._inside
        self._p = self._phi.copy()
        self._measure()

    def _measure(self) -> None:
        """Compute |β|, ‖φ‖² and ‖β‖²."""
        np.multiply(self.r, self._side, out=self._work)
        np.maximum(self._work, 0.0, out=self._work)
        self._phi_squared, self._beta_squared = dot(self._phi, self._phi), dot(self._work, self._work)
