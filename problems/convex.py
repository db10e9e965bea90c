"""Convex problems with known minimizers: quadratics, and a quadratic plus an exponential."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import SURVEY, CriticalPoint, Problem, check_integer, check_number
from problems.registry import register


@register("bowl", tags=("2d", "convex", "strongly-convex"), summary="a convex quadratic plus an exponential")
def bowl() -> Problem:
    """exp(x/5) + 5x² + 3y² − 2xy − 7x − 8y + 5, strongly convex with modulus 8 − √8.

    The starts are (0, 0), and (50, 50), where the exponential is e¹⁰.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return anp.exp(x / 5) + (5 * x - 2 * y - 7) * x + (3 * y - 8) * y + 5

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.zeros(2), "far": np.full(2, 50.0)},
        points=(
            CriticalPoint(
                x=np.array([1.0094916375124310, 1.6698305458374770]),
                f=-4.1123532042318074,
                kind="minimum",
                index=0,
                verified="Newton in 60-digit arithmetic; the only critical point, by strong convexity",
            ),
        ),
        complete=True,
        domain=((-2.0, 4.0), (-2.0, 5.0)),
        formula="exp(x/5) + 5x² + 3y² − 2xy − 7x − 8y + 5",
    )


@register(
    "long-ellipse",
    tags=("2d", "convex", "strongly-convex", "valley"),
    summary="x²/20 + y²: zig-zag in a straight valley",
)
def long_ellipse() -> Problem:
    """x²/20 + y² from (−7, 2): condition number 20, so gradient descent zig-zags across the valley."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return x * x / 20 + y * y

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.array([-7.0, 2.0]), "far": np.array([-70.0, 20.0])},
        points=(CriticalPoint(x=np.zeros(2), f=0.0, kind="minimum", index=0, verified="closed form"),),
        complete=True,
        domain=((-10.0, 10.0), (-5.0, 5.0)),
        formula="x²/20 + y²",
    )


@register(
    "booth",
    tags=("2d", "convex", "strongly-convex", "classic"),
    summary="a convex quadratic with minimizer (1, 3)",
)
def booth() -> Problem:
    """(x + 2y − 7)² + (2x + y − 5)².

    No start is published; "standard" is a corner of the usual box [−10, 10]².
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.array([-10.0, -10.0]), "far": np.array([-100.0, -100.0])},
        points=(CriticalPoint(x=np.array([1.0, 3.0]), f=0.0, kind="minimum", index=0, verified="closed form"),),
        complete=True,
        domain=((-10.0, 10.0), (-10.0, 10.0)),
        formula="(x + 2y − 7)² + (2x + y − 5)²",
        references=(f"{SURVEY}, function 17",),
    )


@register(
    "matyas",
    tags=("2d", "convex", "strongly-convex", "classic"),
    summary="a convex quadratic of condition 25 with minimizer 0",
)
def matyas() -> Problem:
    """0.26(x² + y²) − 0.48xy. No start is published; "standard" is (10, 0), which is not on an axis of the ellipses."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return 0.26 * (x * x + y * y) - 0.48 * x * y

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.array([10.0, 0.0]), "far": np.array([100.0, 0.0])},
        points=(CriticalPoint(x=np.zeros(2), f=0.0, kind="minimum", index=0, verified="closed form"),),
        complete=True,
        domain=((-10.0, 10.0), (-10.0, 10.0)),
        formula="0.26(x² + y²) − 0.48xy",
        references=(f"{SURVEY}, function 71",),
    )


@register(
    "quadratic",
    tags=("convex", "strongly-convex", "scalable"),
    summary="a rotated convex quadratic of any size and condition number, minimizer (1, …, 1)",
)
def quadratic(*, n: int = 10, condition: float = 100.0) -> Problem:
    """½ (x − c)ᵀ Q diag(λ) Q (x − c) with c = (1, …, 1) and λ log-spaced from 1 to `condition`.

    Q = I − 2vvᵀ is a Householder reflection with a seeded random unit vector v. No eigenvector is a coordinate axis,
    and f costs only O(n). The minimum is 0.

    Parameters
    ----------
    n : int >= 2, default 10
    condition : float >= 1, default 100
        Condition number of the Hessian.
    """
    n = check_integer("n", n, low=2)
    condition = check_number("condition", condition, low=1.0)
    eigenvalues = np.geomspace(1.0, condition, n)
    v = np.random.default_rng(20).standard_normal(n)
    v /= np.linalg.norm(v)

    def fun(x: Any) -> Any:
        shifted = x - 1.0
        z = shifted - 2.0 * v * anp.dot(v, shifted)
        return 0.5 * anp.dot(eigenvalues, z * z)

    return Problem(
        fun=fun,
        n=n,
        starts={"standard": np.zeros(n), "far": np.full(n, 100.0)},
        points=(CriticalPoint(x=np.ones(n), f=0.0, kind="minimum", index=0, verified="closed form"),),
        complete=True,
        formula="½ (x − c)ᵀ Q diag(λ) Q (x − c),  c = (1, …, 1),  Q = I − 2vvᵀ,  λ from 1 to condition",
    )
