"""The face of a box on which a quadratic model is minimal, found by conjugate gradients with projections."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from newtonkit.core.domain import Domain
from newtonkit.linalg.factorization import SparseSymmetric
from newtonkit.linalg.kernels import Vector, dot, norm
from newtonkit.trustregion.model import QuadraticModel

Mask = NDArray[np.bool_]

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
    lower, upper = np.asarray(steps.lower), np.asarray(steps.upper)
    movable, scale = lower < upper, model.hessian_norm
    r = model.g + Bs
    phi, beta = _split(r, movable, at_lower=s <= lower, at_upper=s >= upper)
    target = _REDUCTION * norm(phi + beta)
    p, spent = phi, 0
    while spent < products and norm(phi + beta) > target:
        # the part of φ that a step of length 1/‖B‖ can follow
        followed = np.where(phi > 0.0, np.minimum(scale * (s - lower), phi), np.maximum(scale * (s - upper), phi))
        on_face = dot(beta, beta) <= dot(followed, phi)
        d = p if on_face else beta
        Bd, spent = model.times(d), spent + 1
        curvature = dot(d, Bd)
        if not 0.0 < curvature < math.inf:
            break
        alpha, reach = dot(r, d) / curvature, steps.reach(s, -d)
        first = float(reach.min())
        if alpha <= first:
            s_next, r_next = steps.project(s - alpha * d), r - alpha * Bd
        else:
            s_next = steps.project(s - alpha * d)
            e = s_next - s
            Be, spent = model.times(e), spent + 1
            r_next = r + Be
            if not dot(r, e) + 0.5 * dot(e, Be) < 0.0:
                bound = np.where(d > 0.0, lower, upper)
                s_next, r_next = np.where(reach <= first, bound, steps.project(s - first * d)), r - first * Bd
        if norm(s_next) > radius:
            break
        s, r = s_next, r_next
        phi, beta = _split(r, movable, at_lower=s <= lower, at_upper=s >= upper)
        p = phi - (dot(phi, Bd) / curvature) * d if on_face and alpha <= first else phi
    return s, model.times(s), spent + 1


def _split(r: Vector, movable: Mask, *, at_lower: Mask, at_upper: Mask) -> tuple[Vector, Vector]:
    """The gradient on the variables between their bounds, and its part at the bounds that leads into the box."""
    phi = np.where(at_lower | at_upper, 0.0, r)
    inward = np.where(at_lower, np.minimum(r, 0.0), np.where(at_upper, np.maximum(r, 0.0), 0.0))
    return phi, np.where(movable, inward, 0.0)
