"""Functions of Moré, Garbow and Hillstrom with any number of variables, except the systems of equations."""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import COLLECTION, CriticalPoint, Problem, check_integer
from problems.mgh import mgh_residuals
from problems.mgh.mgh_points import points_of, same_value
from problems.mgh.more_garbow_hillstrom import multiples, sum_of_squares
from problems.registry import register

CLOSED = "closed form"

# the root t < 1 of ntⁿ − (n + 1)tⁿ⁻¹ + 1, and n + 1 − nt, by n
BROWN_ROOTS = {
    10: (0.97943030334986245, 1.2056969665013755),
    30: (0.99775421644281044, 1.0673735067156869),
    40: (0.998739938279891674, 1.0504024688043330),
}


def _check_multiple(n: int, of: int) -> int:
    n = check_integer("n", n, low=of)
    if n % of:
        raise ValueError(f"n must be a multiple of {of}, got {n}")
    return n


@register(
    "watson",
    tags=("nonconvex", "valley", "classic", "scalable", "mgh", "benchmark"),
    summary="a differential equation by polynomials of degree n − 1: the condition number increases with n",
)
def watson(*, n: int = 6) -> Problem:
    """Σ (p′(tᵢ) − p(tᵢ)² − 1)² + x₁² + (x₂ − x₁² − 1)² with p(t) = Σ xⱼ tʲ⁻¹, tᵢ = i/29, i = 1 … 29.

    p is fitted to the solution tan t of p′ = 1 + p², p(0) = 0. The start is 0. In place of its multiples the starts
    (10, …, 10) and (100, …, 100) are used.

    Parameters
    ----------
    n : int from 2 to 31, default 6
        The minimum is listed for 6, 9 and 12.
    """
    n = check_integer("n", n, low=2)
    if n > 31:
        raise ValueError(f"n must be an integer from 2 to 31, got {n}")
    j = np.arange(n)
    powers = (np.arange(1.0, 30.0) / 29)[:, None] ** j
    slopes = np.hstack([np.zeros((29, 1)), j[1:] * powers[:, :-1]])

    def fun(x: Any) -> Any:
        misfit = anp.dot(slopes, x) - anp.dot(powers, x) ** 2 - 1
        return anp.sum(misfit**2) + x[0] ** 2 + (x[1] - x[0] ** 2 - 1) ** 2

    return Problem(
        fun=fun,
        residuals=lambda x: mgh_residuals.watson(x, slopes, powers),
        n=n,
        starts=multiples(np.zeros(n)),
        points=points_of("watson", n),
        formula="Σ (p′(tᵢ) − p(tᵢ)² − 1)² + x₁² + (x₂ − x₁² − 1)²,  p(t) = Σ xⱼ tʲ⁻¹,  tᵢ = i/29,  i = 1 … 29",
        references=(
            "Kowalik & Osborne 1968, Methods for Unconstrained Optimization Problems",
            f"{COLLECTION}, problem 20",
        ),
    )


@register(
    "extended-rosenbrock",
    tags=("nonconvex", "valley", "classic", "scalable", "mgh", "benchmark"),
    summary="n/2 independent copies of Rosenbrock's function",
)
def extended_rosenbrock(*, n: int = 10) -> Problem:
    """Σ 100(x₂ᵢ − x₂ᵢ₋₁²)² + (1 − x₂ᵢ₋₁)², i = 1 … n/2: separable, unlike the chained function "rosenbrock".

    Parameters
    ----------
    n : even int >= 2, default 10
    """
    n = _check_multiple(n, 2)

    def fun(x: Any) -> Any:
        odd, even = x[::2], x[1::2]
        return anp.sum(100.0 * (even - odd * odd) ** 2 + (1.0 - odd) ** 2, axis=0)

    return Problem(
        fun=fun,
        residuals=mgh_residuals.extended_rosenbrock,
        n=n,
        starts=multiples(np.tile([-1.2, 1.0], n // 2)),
        points=(CriticalPoint(x=np.ones(n), f=0.0, kind="minimum", index=0, verified=CLOSED),),
        complete=True,
        domain=((-2.0, 2.0), (-1.0, 3.0)) if n == 2 else None,
        formula="Σ 100(x₂ᵢ − x₂ᵢ₋₁²)² + (1 − x₂ᵢ₋₁)²,  i = 1 … n/2",
        references=("Spedicato 1975, CISE, report CISE-N-175 (after the collection)", f"{COLLECTION}, problem 21"),
    )


@register(
    "extended-powell-singular",
    tags=("convex", "degenerate", "classic", "scalable", "mgh", "benchmark"),
    summary="n/4 copies of Powell's singular function: a Hessian of rank n/2 at the minimizer",
)
def extended_powell_singular(*, n: int = 12) -> Problem:
    """Σ (a + 10b)² + 5(c − d)² + (b − 2c)⁴ + 10(a − d)⁴ over the quadruples (a, b, c, d) of x.

    Parameters
    ----------
    n : multiple of 4, default 12
    """
    n = _check_multiple(n, 4)

    def fun(x: Any) -> Any:
        a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
        return anp.sum((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4)

    return Problem(
        fun=fun,
        residuals=mgh_residuals.powell_singular,
        n=n,
        starts=multiples(np.tile([3.0, -1.0, 0.0, 1.0], n // 4)),
        points=(CriticalPoint(x=np.zeros(n), f=0.0, kind="degenerate minimum", index=0, verified=CLOSED),),
        complete=True,
        formula="Σ (a + 10b)² + 5(c − d)² + (b − 2c)⁴ + 10(a − d)⁴ over the quadruples (a, b, c, d) of x",
        references=("Spedicato 1975, CISE, report CISE-N-175 (after the collection)", f"{COLLECTION}, problem 22"),
    )


@register(
    "penalty-1",
    tags=("nonconvex", "saddle", "valley", "classic", "scalable", "mgh", "benchmark"),
    summary="a penalty on a sphere plus 10⁻⁵ times a quadratic: one large curvature, the others 10⁻⁵",
)
def penalty_1(*, n: int = 10) -> Problem:
    """10⁻⁵ Σ (xᵢ − 1)² + (Σ xᵢ² − ¼)².

    ∇f = 0 is xᵢ(10⁻⁵ + 2(‖x‖² − ¼)) = 10⁻⁵. So all xᵢ are equal to a root t of the cubic 10⁻⁵(t − 1) + 2t(nt² − ¼), and
    every critical point lies on the diagonal.

    Parameters
    ----------
    n : int >= 1, default 10
        Critical points are listed for 4 and 10.
    """
    n = check_integer("n", n, low=1)

    def fun(x: Any) -> Any:
        return 1e-5 * anp.sum((x - 1.0) ** 2, axis=0) + (anp.sum(x * x, axis=0) - 0.25) ** 2

    points = points_of("penalty-1", n)
    return Problem(
        fun=fun,
        residuals=mgh_residuals.penalty_1,
        n=n,
        starts=multiples(np.arange(1.0, n + 1.0)),
        points=points,
        complete=bool(points),
        domain=((-1.0, 1.0), (-1.0, 1.0)) if n == 2 else None,
        formula="10⁻⁵ Σ (xᵢ − 1)² + (Σ xᵢ² − ¼)²",
        references=("Gill, Murray & Pitfield 1972, NPL report NAC 11", f"{COLLECTION}, problem 23"),
    )


@register(
    "penalty-2",
    tags=("nonconvex", "valley", "classic", "scalable", "mgh", "benchmark"),
    summary="exponentials weighted 10⁻⁵ on an ellipsoid",
)
def penalty_2(*, n: int = 10) -> Problem:
    """(x₁ − 0.2)² + (Σ (n − j + 1)xⱼ² − 1)² + 10⁻⁵ Σ (eⱼ + eⱼ₋₁ − yⱼ)² + 10⁻⁵ Σ (eⱼ − exp(−0.1))².

    eⱼ = exp(xⱼ/10), yⱼ = exp(j/10) + exp((j − 1)/10); the last two sums run over j = 2 … n.

    Parameters
    ----------
    n : int >= 1, default 10
        The minima found are listed for 4 and 10.
    """
    n = check_integer("n", n, low=1)
    weights = np.arange(n, 0.0, -1.0)
    e = np.exp(np.arange(1.0, n + 1.0) / 10)
    y = e[1:] + e[:-1]

    def fun(x: Any) -> Any:
        grown = anp.exp(x / 10)
        small = anp.sum((grown[1:] + grown[:-1] - y) ** 2) + anp.sum((grown[1:] - np.exp(-0.1)) ** 2)
        return (x[0] - 0.2) ** 2 + (anp.dot(weights, x * x) - 1) ** 2 + 1e-5 * small

    return Problem(
        fun=fun,
        residuals=lambda x: mgh_residuals.penalty_2(x, weights, y),
        n=n,
        starts=multiples(np.full(n, 0.5)),
        points=points_of("penalty-2", n),
        formula=(
            "(x₁ − 0.2)² + (Σ (n − j + 1)xⱼ² − 1)² + 10⁻⁵ Σ (eⱼ + eⱼ₋₁ − yⱼ)² + 10⁻⁵ Σ (eⱼ − exp(−0.1))²,  "
            "eⱼ = exp(xⱼ/10)"
        ),
        references=("Gill, Murray & Pitfield 1972, NPL report NAC 11", f"{COLLECTION}, problem 24"),
    )


@register(
    "variably-dimensioned",
    tags=("convex", "strongly-convex", "classic", "scalable", "mgh", "benchmark"),
    summary="a convex quadratic plus a quartic in one direction, which becomes steeper as n increases",
)
def variably_dimensioned(*, n: int = 10) -> Problem:
    """Σ (xⱼ − 1)² + s² + s⁴ with s = Σ j(xⱼ − 1): strongly convex with modulus 2, minimizer (1, …, 1).

    Parameters
    ----------
    n : int >= 1, default 10
    """
    n = check_integer("n", n, low=1)
    j = np.arange(1.0, n + 1.0)

    def fun(x: Any) -> Any:
        shifted = x - 1.0
        square = anp.dot(j, shifted) ** 2
        return anp.sum(shifted * shifted) + square + square * square

    return Problem(
        fun=fun,
        residuals=mgh_residuals.variably_dimensioned,
        n=n,
        starts=multiples(1 - j / n),
        points=(CriticalPoint(x=np.ones(n), f=0.0, kind="minimum", index=0, verified=CLOSED),),
        complete=True,
        formula="Σ (xⱼ − 1)² + s² + s⁴,  s = Σ j(xⱼ − 1)",
        references=(f"{COLLECTION}, problem 25",),
    )


@register(
    "trigonometric",
    tags=("nonconvex", "multimodal", "classic", "scalable", "mgh", "benchmark"),
    summary="periodic in every variable, with many minima",
)
def trigonometric(*, n: int = 10) -> Problem:
    """Σ (n − Σ cos xⱼ + i(1 − cos xᵢ) − sin xᵢ)², periodic in every variable with period 2π.

    f = 0 at 0 and at many other points; ten of them were found for n = 10. From the published start descent methods end
    at a local minimum, 2.795e-5. Each minimum is repeated at every shift of every variable by 2π; one copy is listed.

    Parameters
    ----------
    n : int >= 1, default 10
        Other minima than 0 are listed for 10.
    """
    n = check_integer("n", n, low=1)
    i = np.arange(1.0, n + 1.0)

    def residuals(x: Any) -> Any:
        cos = anp.cos(x)
        return n - anp.sum(cos) + i * (1 - cos) - anp.sin(x)

    origin = CriticalPoint(x=np.zeros(n), f=0.0, kind="minimum", index=0, verified=CLOSED)
    points = points_of("trigonometric", n) or (origin,)
    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=n,
        starts=multiples(np.full(n, 1 / n)),
        points=(*points, same_value(origin, "shifted by multiples of 2π")),
        formula="Σ (n − Σ cos xⱼ + i(1 − cos xᵢ) − sin xᵢ)²",
        references=("Spedicato 1975, CISE, report CISE-N-175 (after the collection)", f"{COLLECTION}, problem 26"),
    )


@register(
    "brown-almost-linear",
    tags=("nonconvex", "multimodal", "classic", "scalable", "mgh", "benchmark"),
    summary="n − 1 linear equations and a product",
)
def brown_almost_linear(*, n: int = 10) -> Problem:
    """Σ (xᵢ + Σ xⱼ − n − 1)² + (Π xⱼ − 1)², i = 1 … n − 1.

    f = 0 at (t, …, t, n + 1 − nt) for every real root t of ntⁿ − (n + 1)tⁿ⁻¹ + 1. For even n there are two roots: t = 1
    and one between 0 and 1. The value 1, published for (0, …, 0, n + 1), is not a minimum: ∇f = 0 at this point, but f
    decreases along (t, …, t, n + 1 − nt), t > 0.

    Parameters
    ----------
    n : int >= 2, default 10
        t = 1 is listed for every n, the root below 1 for n = 10, 30 and 40.
    """
    n = check_integer("n", n, low=2)

    def fun(x: Any) -> Any:
        total = anp.sum(x, axis=0)
        # factor by factor, since the derivative of prod divides by x
        product = reduce(mul, [x[j] for j in range(n)])
        return anp.sum((x[:-1] + total - (n + 1)) ** 2, axis=0) + (product - 1) ** 2

    points = [CriticalPoint(x=np.ones(n), f=0.0, kind="minimum", index=0, verified=CLOSED)]
    if n in BROWN_ROOTS:
        t, last = BROWN_ROOTS[n]
        x = np.append(np.full(n - 1, t), last)
        points.append(CriticalPoint(x=x, f=0.0, kind="minimum", index=0, verified="closed form, t to 100 digits"))
    return Problem(
        fun=fun,
        residuals=mgh_residuals.brown_almost_linear,
        n=n,
        starts=multiples(np.full(n, 0.5)),
        points=tuple(points),
        domain=((-1.0, 4.0), (-1.0, 4.0)) if n == 2 else None,
        formula="Σ (xᵢ + Σ xⱼ − n − 1)² + (Π xⱼ − 1)²,  i = 1 … n − 1",
        references=("Brown 1969, SIAM J. Numer. Anal. 6, 560-569", f"{COLLECTION}, problem 27"),
    )
