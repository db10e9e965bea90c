"""One trust-region step: the quadratic model of f at a point and the candidate steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newtonkit import Evaluator, Objective
from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import EPS, norm, solve
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.radius import first_radius
from newtonkit.trustregion.step_bound import TrustRegion

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The model and the candidate steps at one point for one radius."""

    x: Vector
    f: float
    g: Vector
    H: Matrix
    radius: float
    step: Vector
    """The minimizer of the model within the radius."""
    predicted: float
    actual: float
    newton: Vector | None
    """−H⁻¹g, of any length; None if H is singular."""
    steepest: Vector
    """The lowest point of the model along −g within the radius: the Cauchy point."""
    dogleg: Matrix | None
    """The path from 0 along −g to the Newton step, cut at the radius; None where H is not positive definite."""
    curvature: Vector | None
    """The eigenvector of the lowest eigenvalue, where that is negative: as long as the radius, pointing downhill."""
    eigenvalues: Vector

    @property
    def ratio(self) -> float:
        """Actual over predicted reduction."""
        return self.actual / self.predicted if self.predicted > 0 else math.nan

    @property
    def takes_newton(self) -> bool:
        """Whether the step is the Newton step."""
        return self.newton is not None and norm(self.newton - self.step) <= 1e-8 * norm(self.step)

    @property
    def on_boundary(self) -> bool:
        """Whether the step is as long as the radius allows."""
        return norm(self.step) >= (1 - 1e-8) * self.radius


def step_anatomy(fun: Callable[..., Any], x: Any, radius: float | None = None) -> Anatomy:
    """The quadratic model of f at x, and its steps within the radius.

    Parameters
    ----------
    fun : callable
        f of a vector of shape (2,), written with ``autograd.numpy``.
    x : array_like, shape (2,)
    radius : float, positive, optional
        Radius of the trust region; by default the initial one of Newton's method from x. The Newton step may exceed it.

    Returns
    -------
    Anatomy

    Raises
    ------
    ValueError
        If x is not a point of the plane, f, its gradient or its Hessian are not finite there, or the gradient is zero
        and there is no negative curvature.

    References
    ----------
    Nocedal & Wright (2006), sections 4.1 (Cauchy point, eq. 4.11; dogleg, eq. 4.16) and 4.3.

    Examples
    --------
    >>> found = step_anatomy(lambda x: x[0] ** 2 + 10 * x[1] ** 2, [2.0, 1.0], radius=10.0)
    >>> found.step, round(found.ratio, 12)
    (array([-2., -1.]), 1.0)
    """
    point = np.array(x, dtype=np.float64)
    if point.shape != (2,):
        raise ValueError(f"x must be a point of the plane, shape (2,); got shape {point.shape}")
    if radius is not None:
        check_real("radius", radius, 0.0, math.inf, open_low=True, open_high=True)
    evaluator = Evaluator(Objective(fun), second_order=True)
    with np.errstate(all="ignore"):
        f, g = evaluator.value_and_grad(point)
        H = evaluator.hessian(point)
    if not (math.isfinite(f) and np.isfinite(g).all() and np.isfinite(H).all()):
        raise ValueError(f"x must be a point where f and its derivatives are finite; f({point.tolist()}) = {f}")
    model = EigenSubproblem(g, H)
    if norm(g) == 0.0 and model.eigenvalues[0] >= 0.0:
        raise ValueError(f"x must not be a critical point without negative curvature; {point.tolist()} is one")
    size = first_radius(norm(g), model.hessian_norm, norm(point)) if radius is None else float(radius)
    trial = model.solve(TrustRegion(size))
    with np.errstate(all="ignore"):
        actual = f - evaluator.value(point + trial.p)
    return Anatomy(
        point,
        f,
        g,
        H,
        size,
        trial.p,
        trial.predicted,
        actual,
        solve(H, -g),
        _cauchy(g, H, size),
        _dogleg(g, H, size) if model.newton_length > 0.0 else None,
        _downhill(model, g, size),
        model.eigenvalues,
    )


def _cauchy(g: Vector, H: Matrix, radius: float) -> Vector:
    length, bend = norm(g), float(g @ H @ g)
    if length == 0.0:
        return np.zeros_like(g)
    longest = radius / length
    return -(longest if bend <= 0.0 else min(longest, length**2 / bend)) * g


def _dogleg(g: Vector, H: Matrix, radius: float) -> Matrix:
    """Corners of the path, the last of them at the radius or at the Newton step."""
    corner = -(g @ g) / (g @ H @ g) * g
    newton: Vector = np.asarray(np.linalg.solve(H, -g))
    if norm(newton) <= radius:
        return np.array([np.zeros(2), corner, newton])
    if norm(corner) >= radius:
        return np.array([np.zeros(2), -radius / norm(g) * g])
    # ‖corner + t (newton − corner)‖ = radius
    leg = newton - corner
    a, b, c = float(leg @ leg), float(corner @ leg), float(corner @ corner) - radius**2
    t = (-b + math.sqrt(b * b - a * c)) / a
    return np.array([np.zeros(2), corner, corner + t * leg])


def _downhill(model: EigenSubproblem, g: Vector, radius: float) -> Vector | None:
    if model.eigenvalues[0] >= -g.size * EPS * model.hessian_norm:
        return None
    v: Vector = model.Q[:, 0]
    return (-radius if g @ v > 0.0 else radius) * v
