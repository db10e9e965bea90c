"""Moré, Garbow and Hillstrom's functions of two to four variables that fit no measurements."""

from __future__ import annotations

from math import pi
from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import COLLECTION, CriticalPoint, Problem, check_integer
from problems.mgh import mgh_residuals
from problems.mgh.mgh_points import points_of
from problems.mgh.more_garbow_hillstrom import multiples, sum_of_squares
from problems.registry import register

ELIMINATED = "exact: y eliminated by the resultant of ∂f/∂x and ∂f/∂y, of degree 5 in x with one real root"


@register(
    "freudenstein-roth",
    tags=("2d", "nonconvex", "multimodal", "saddle", "classic", "mgh", "benchmark"),
    summary="the global minimum 0, and a valley that leads most methods to the local minimum 48.98",
)
def freudenstein_roth() -> Problem:
    """(−13 + x + ((5 − y)y − 2)y)² + (−29 + x + ((y + 1)y − 14)y)².

    f is quadratic in x. With x eliminated f is ½(2y³ − 4y² − 12y − 16)², whose derivative has the three real roots 4
    and (2 ± √22)/3.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return (x - 13 + ((5 - y) * y - 2) * y) ** 2 + (x - 29 + ((y + 1) * y - 14) * y) ** 2

    return Problem(
        fun=fun,
        residuals=mgh_residuals.freudenstein_roth,
        n=2,
        starts=multiples([0.5, -2.0]),
        points=points_of("freudenstein-roth", 2),
        complete=True,
        domain=((-10.0, 35.0), (-4.0, 7.0)),
        formula="(−13 + x + ((5 − y)y − 2)y)² + (−29 + x + ((y + 1)y − 14)y)²",
        references=("Freudenstein & Roth 1963, J. ACM 10, 550-556", f"{COLLECTION}, problem 2"),
    )


@register(
    "powell-badly-scaled",
    tags=("2d", "nonconvex", "multimodal", "saddle", "valley", "classic", "mgh", "benchmark"),
    summary="a hyperbola and an exponential: condition number 10¹⁸ at the two minima, and a local minimum 1.04",
)
def powell_badly_scaled() -> Problem:
    """(10⁴xy − 1)² + (exp(−x) + exp(−y) − 1.0001)², symmetric in x and y.

    There are three minima and four saddles. Two minima of value 0 are mirror images. The third one, with f = 1.04, is
    on the branch x, y < 0 of the hyperbola. Beyond the minima the valley rises only to a saddle with f = 1.13e-8; it
    then falls to 1e-8 at infinity.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return (1e4 * x * y - 1) ** 2 + (anp.exp(-x) + anp.exp(-y) - 1.0001) ** 2

    return Problem(
        fun=fun,
        residuals=mgh_residuals.powell_badly_scaled,
        n=2,
        starts=multiples([0.0, 1.0]),
        points=points_of("powell-badly-scaled", 2),
        domain=((-1.0, 16.0), (-1.0, 16.0)),
        formula="(10⁴xy − 1)² + (exp(−x) + exp(−y) − 1.0001)²",
        references=("Powell 1970, in Rabinowitz (ed.), Numerical Methods, 87-114", f"{COLLECTION}, problem 3"),
    )


@register(
    "brown-badly-scaled",
    tags=("2d", "nonconvex", "valley", "classic", "mgh", "benchmark"),
    summary="coordinates of size 10⁶ and 10⁻⁶",
)
def brown_badly_scaled() -> Problem:
    """(x − 10⁶)² + (y − 2·10⁻⁶)² + (xy − 2)² with the minimizer (10⁶, 2·10⁻⁶) and the value 0."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return (x - 1e6) ** 2 + (y - 2e-6) ** 2 + (x * y - 2) ** 2

    return Problem(
        fun=fun,
        residuals=mgh_residuals.brown_badly_scaled,
        n=2,
        starts=multiples([1.0, 1.0]),
        points=(CriticalPoint(x=np.array([1e6, 2e-6]), f=0.0, kind="minimum", index=0, verified=ELIMINATED),),
        complete=True,
        domain=((-1e6, 2e6), (-10.0, 10.0)),
        formula="(x − 10⁶)² + (y − 2·10⁻⁶)² + (xy − 2)²",
        references=(f"{COLLECTION}, problem 4",),
    )


@register(
    "jennrich-sampson",
    tags=("2d", "nonconvex", "valley", "classic", "mgh", "benchmark"),
    summary="sums of steep exponentials, minimum 124.36 on the diagonal",
)
def jennrich_sampson(*, m: int = 10) -> Problem:
    """Σ (2 + 2i − exp(ix) − exp(iy))², i = 1 … m, symmetric in x and y.

    As y → −∞, the infimum of f over x tends to 259.58. At 100 times the start, exp overflows in f.

    Parameters
    ----------
    m : int >= 2, default 10
        Critical points are listed for 10.
    """
    m = check_integer("m", m, low=2)
    i = np.arange(1.0, m + 1.0)

    def residuals(p: Any) -> Any:
        # an axis for i in front of the axes of a grid of points
        index = i.reshape(-1, *(1,) * (anp.ndim(p) - 1))
        return 2 + 2 * index - anp.exp(index * p[0]) - anp.exp(index * p[1])

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=2,
        starts=multiples([0.3, 0.4], factors=(10,)),
        points=points_of("jennrich-sampson", 2) if m == 10 else (),
        domain=((-1.0, 0.5), (-1.0, 0.5)),
        formula="Σ (2 + 2i − exp(ix) − exp(iy))²,  i = 1 … m",
        references=("Jennrich & Sampson 1968, Technometrics 10, 63-72", f"{COLLECTION}, problem 6"),
    )


@register(
    "helical-valley",
    tags=("nonconvex", "valley", "classic", "mgh", "benchmark"),
    summary="a valley along a helix, with a discontinuity on a half-plane",
)
def helical_valley() -> Problem:
    """100(z − 10θ)² + 100(√(x² + y²) − 1)² + z² with 2πθ the angle of (x, y), from −π/2 to 3π/2.

    Like the angle, f is discontinuous across the half-plane x = 0, y < 0. It is smooth elsewhere except on the axis. In
    cylindrical coordinates ∇f = 0 gives r = 1, z = 10θ, z = 0: there is one critical point.
    """

    def fun(p: Any) -> Any:
        x, y, z = p[0], p[1], p[2]
        # the angle of (y, −x): its branch cut is not at x < 0, where the start is
        turn = anp.arctan2(-x, y) / (2 * pi) + 0.25
        return 100 * ((z - 10 * turn) ** 2 + (anp.sqrt(x * x + y * y) - 1) ** 2) + z * z

    return Problem(
        fun=fun,
        residuals=mgh_residuals.helical_valley,
        n=3,
        starts=multiples([-1.0, 0.0, 0.0]),
        points=(CriticalPoint(x=np.array([1.0, 0.0, 0.0]), f=0.0, kind="minimum", index=0, verified="closed form"),),
        complete=True,
        formula="100(z − 10θ)² + 100(√(x² + y²) − 1)² + z²,  2πθ = angle of (x, y) in (−π/2, 3π/2)",
        references=("Fletcher & Powell 1963, Computer J. 6, 163-168", f"{COLLECTION}, problem 7"),
    )


@register(
    "brown-dennis",
    tags=("convex", "strongly-convex", "classic", "mgh", "benchmark"),
    summary="a convex quartic with minimum 85822, from a start at 8 million",
)
def brown_dennis(*, m: int = 20) -> Problem:
    """Σ ((x₁ + tᵢx₂ − exp tᵢ)² + (x₃ + x₄ sin tᵢ − cos tᵢ)²)², tᵢ = i/5, i = 1 … m.

    f is a sum of squares of aᵢ² + bᵢ² with affine aᵢ and bᵢ. So f is convex, and its Hessian is at least
    4 Σ (aᵢ² + bᵢ²)(∇aᵢ∇aᵢᵀ + ∇bᵢ∇bᵢᵀ). Since exp is convex, aᵢ = 0 for at most two i. The gradients for the other i
    span R⁴, so the Hessian is positive definite and there is one critical point.

    Parameters
    ----------
    m : int >= 4, default 20
        The minimum is listed for 20.
    """
    m = check_integer("m", m, low=4)
    t = np.arange(1.0, m + 1.0) / 5
    exp, sin, cos = np.exp(t), np.sin(t), np.cos(t)

    def residuals(x: Any) -> Any:
        return (x[0] + t * x[1] - exp) ** 2 + (x[2] + x[3] * sin - cos) ** 2

    points = points_of("brown-dennis", 4) if m == 20 else ()
    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=4,
        starts=multiples([25.0, 5.0, -5.0, -1.0]),
        points=points,
        complete=bool(points),
        formula="Σ ((x₁ + tᵢx₂ − exp tᵢ)² + (x₃ + x₄ sin tᵢ − cos tᵢ)²)²,  tᵢ = i/5,  i = 1 … m",
        references=("Brown & Dennis 1971, Yale University, report 71-6", f"{COLLECTION}, problem 16"),
    )
