"""Systems of equations of Moré, Garbow and Hillstrom: two discretisations, Broyden's two, three linear, Chebyquad."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import COLLECTION, CriticalPoint, Problem, Vector, check_integer
from problems.mgh import mgh_residuals
from problems.mgh.mgh_points import points_of, same_value
from problems.mgh.more_garbow_hillstrom import multiples, sum_of_squares
from problems.registry import register

COSNARD = "Moré & Cosnard 1979, ACM Trans. Math. Softw. 5, 64-85"


def _padded(x: Any, before: int, after: int) -> Any:
    """x with zeros before and after it: the neighbours of the first and last entries."""
    return anp.concatenate([np.zeros(before), x, np.zeros(after)])


def _nodes(n: int) -> tuple[float, Vector]:
    """h = 1/(n + 1) and t = (h, 2h, …, nh)."""
    h = 1.0 / (n + 1)
    return h, h * np.arange(1, n + 1, dtype=np.float64)


@register(
    "discrete-boundary-value",
    tags=("nonconvex", "classic", "scalable", "mgh", "benchmark"),
    summary="u″ = ½(u + t + 1)³ by differences on n points",
)
def discrete_boundary_value(*, n: int = 10) -> Problem:
    """Σ (2xᵢ − xᵢ₋₁ − xᵢ₊₁ + ½h²(xᵢ + tᵢ + 1)³)², tᵢ = ih, h = 1/(n + 1), x₀ = xₙ₊₁ = 0.

    The start t(t − 1) is close to the solution: f = 7.9e-4 there.

    Parameters
    ----------
    n : int >= 1, default 10
        The solution is listed for 10.
    """
    n = check_integer("n", n, low=1)
    h, t = _nodes(n)

    def residuals(x: Any) -> Any:
        u = _padded(x, 1, 1)
        return 2 * x - u[:-2] - u[2:] + 0.5 * h * h * (x + t + 1) ** 3

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=n,
        starts=multiples(t * (t - 1)),
        points=points_of("discrete-boundary-value", n),
        formula="Σ (2xᵢ − xᵢ₋₁ − xᵢ₊₁ + ½h²(xᵢ + tᵢ + 1)³)²,  tᵢ = ih,  h = 1/(n + 1),  x₀ = xₙ₊₁ = 0",
        references=(COSNARD, f"{COLLECTION}, problem 28"),
    )


@register(
    "discrete-integral",
    tags=("nonconvex", "classic", "scalable", "mgh", "benchmark"),
    summary="the same boundary value problem as an integral equation, discretised",
)
def discrete_integral(*, n: int = 10) -> Problem:
    """Σ (xᵢ + ½h Σ G(tᵢ, tⱼ)(xⱼ + tⱼ + 1)³)², G(s, t) = min(s, t)(1 − max(s, t)), tᵢ = ih, h = 1/(n + 1).

    The solution is that of "discrete-boundary-value", since G is the exact inverse of the second difference.

    Parameters
    ----------
    n : int >= 1, default 10
        The solution is listed for 10. The kernel is a dense matrix, n² numbers.
    """
    n = check_integer("n", n, low=1)
    h, t = _nodes(n)
    kernel = 0.5 * h * np.minimum.outer(t, t) * (1 - np.maximum.outer(t, t))

    def residuals(x: Any) -> Any:
        return x + anp.dot(kernel, (x + t + 1) ** 3)

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=n,
        starts=multiples(t * (t - 1)),
        points=points_of("discrete-integral", n),
        formula="Σ (xᵢ + ½h Σ G(tᵢ, tⱼ)(xⱼ + tⱼ + 1)³)²,  G(s, t) = min(s, t)(1 − max(s, t)),  tᵢ = ih,  h = 1/(n + 1)",
        references=(COSNARD, f"{COLLECTION}, problem 29"),
    )


@register(
    "broyden-tridiagonal",
    tags=("nonconvex", "multimodal", "classic", "scalable", "mgh", "benchmark"),
    summary="a quadratic system in which each equation has three unknowns",
)
def broyden_tridiagonal(*, n: int = 10) -> Problem:
    """Σ ((3 − 2xᵢ)xᵢ − xᵢ₋₁ − 2xᵢ₊₁ + 1)², x₀ = xₙ₊₁ = 0.

    Parameters
    ----------
    n : int >= 1, default 10
        The minima found are listed for 10.
    """
    n = check_integer("n", n, low=1)

    def residuals(x: Any) -> Any:
        u = _padded(x, 1, 1)
        return (3 - 2 * x) * x - u[:-2] - 2 * u[2:] + 1

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=n,
        starts=multiples(np.full(n, -1.0)),
        points=points_of("broyden-tridiagonal", n),
        formula="Σ ((3 − 2xᵢ)xᵢ − xᵢ₋₁ − 2xᵢ₊₁ + 1)²,  x₀ = xₙ₊₁ = 0",
        references=("Broyden 1965, Math. Comp. 19, 577-593", f"{COLLECTION}, problem 30"),
    )


@register(
    "broyden-banded",
    tags=("nonconvex", "multimodal", "classic", "scalable", "mgh", "benchmark"),
    summary="a cubic system with five unknowns below the diagonal and one above",
)
def broyden_banded(*, n: int = 10) -> Problem:
    """Σ (xᵢ(2 + 5xᵢ²) + 1 − Σ xⱼ(1 + xⱼ))², j from max(1, i − 5) to min(n, i + 1), j ≠ i.

    Parameters
    ----------
    n : int >= 1, default 10
        The minima found are listed for 10.
    """
    n = check_integer("n", n, low=1)

    def residuals(x: Any) -> Any:
        q = _padded(x * (1 + x), 5, 1)
        band = sum(q[k : k + n] for k in (0, 1, 2, 3, 4, 6))
        return x * (2 + 5 * x * x) + 1 - band

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=n,
        starts=multiples(np.full(n, -1.0)),
        points=points_of("broyden-banded", n),
        formula="Σ (xᵢ(2 + 5xᵢ²) + 1 − Σ xⱼ(1 + xⱼ))²,  max(1, i − 5) ≤ j ≤ min(n, i + 1),  j ≠ i",
        references=("Broyden 1971, Math. Comp. 25, 285-294", f"{COLLECTION}, problem 31"),
    )


def _linear_size(n: int, m: int) -> tuple[int, int]:
    n = check_integer("n", n, low=1)
    return n, check_integer("m", m, low=n)


@register(
    "linear-full-rank",
    tags=("convex", "strongly-convex", "classic", "scalable", "mgh", "benchmark"),
    summary="a linear least squares problem whose Hessian is 2I",
)
def linear_full_rank(*, n: int = 5, m: int = 10) -> Problem:
    """Σ (xᵢ − s − 1)² over i = 1 … n plus (m − n)(s + 1)², s = (2/m) Σ xⱼ.

    The columns are orthonormal, so f = ‖x + 1‖² + m − n.

    Parameters
    ----------
    n : int >= 1, default 5
    m : int >= n, default 10
    """
    n, m = _linear_size(n, m)

    def fun(x: Any) -> Any:
        s = (2.0 / m) * anp.sum(x, axis=0)
        return anp.sum((x - s - 1) ** 2, axis=0) + (m - n) * (s + 1) ** 2

    return Problem(
        fun=fun,
        residuals=lambda x: mgh_residuals.linear_full_rank(x, m),
        n=n,
        starts=multiples(np.ones(n)),
        points=(CriticalPoint(x=np.full(n, -1.0), f=float(m - n), kind="minimum", index=0, verified="closed form"),),
        complete=True,
        domain=((-3.0, 3.0), (-3.0, 3.0)) if n == 2 else None,
        formula="Σ (xᵢ − s − 1)² + (m − n)(s + 1)²,  s = (2/m) Σ xⱼ,  i = 1 … n",
        references=(f"{COLLECTION}, problem 32",),
    )


@register(
    "linear-rank-1",
    tags=("convex", "degenerate", "classic", "scalable", "mgh", "benchmark"),
    summary="a linear least squares problem of rank 1: a hyperplane of minimizers",
)
def linear_rank_1(*, n: int = 5, m: int = 10) -> Problem:
    """Σ (is − 1)², i = 1 … m, with s = Σ jxⱼ.

    Every x with s = 3/(2m + 1) is a minimizer with the value m(m − 1)/(2(2m + 1)). The shortest one is listed.

    Parameters
    ----------
    n : int >= 2, default 5
    m : int >= n, default 10
    """
    n, m = _linear_size(check_integer("n", n, low=2), m)
    i, j = np.arange(1.0, m + 1.0), np.arange(1.0, n + 1.0)

    def residuals(x: Any) -> Any:
        return i * anp.dot(j, x) - 1

    point = CriticalPoint(
        x=3 / (2 * m + 1) * j / (j @ j),
        f=m * (m - 1) / (2 * (2 * m + 1)),
        kind="degenerate minimum",
        index=0,
        verified="closed form",
    )
    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=n,
        starts=multiples(np.ones(n)),
        points=(point,),
        formula="Σ (is − 1)²,  s = Σ jxⱼ,  i = 1 … m",
        references=(f"{COLLECTION}, problem 33",),
    )


@register(
    "linear-rank-1-zeros",
    tags=("convex", "degenerate", "classic", "scalable", "mgh", "benchmark"),
    summary="a linear least squares problem of rank 1 that does not depend on two of its variables",
)
def linear_rank_1_zeros(*, n: int = 5, m: int = 10) -> Problem:
    """2 + Σ ((i − 1)s − 1)², i = 2 … m − 1, with s = Σ jxⱼ over j = 2 … n − 1.

    Every x with s = 3/(2m − 3) is a minimizer with the value (m² + 3m − 6)/(2(2m − 3)). The shortest one is listed.

    Parameters
    ----------
    n : int >= 3, default 5
    m : int >= n, default 10
    """
    n, m = _linear_size(check_integer("n", n, low=3), m)
    i, j = np.arange(1.0, m - 1.0), np.arange(2.0, n)

    def fun(x: Any) -> Any:
        return 2 + anp.sum((i * anp.dot(j, x[1:-1]) - 1) ** 2)

    point = CriticalPoint(
        x=np.concatenate([[0.0], 3 / (2 * m - 3) * j / (j @ j), [0.0]]),
        f=(m * m + 3 * m - 6) / (2 * (2 * m - 3)),
        kind="degenerate minimum",
        index=0,
        verified="closed form",
    )
    return Problem(
        fun=fun,
        residuals=lambda x: mgh_residuals.linear_rank_1_zeros(x, m),
        n=n,
        starts=multiples(np.ones(n)),
        points=(point,),
        formula="2 + Σ ((i − 1)s − 1)²,  s = Σ jxⱼ,  i = 2 … m − 1,  j = 2 … n − 1",
        references=(f"{COLLECTION}, problem 34",),
    )


@register(
    "chebyquad",
    tags=("nonconvex", "multimodal", "classic", "scalable", "mgh", "benchmark"),
    summary="nodes of equal weights that integrate Chebyshev's polynomials: no exact ones for n = 8 and n ≥ 10",
)
def chebyquad(*, n: int = 8, m: int | None = None) -> Problem:
    """Σ ((1/n) Σ Tᵢ(xⱼ) − ∫Tᵢ)², Tᵢ Chebyshev's polynomials shifted to [0, 1], i = 1 … m.

    The integrals over [0, 1] are 0 for odd i and −1/(i² − 1) for even i. f is symmetric in all variables, so every
    minimum occurs n! times; the one in ascending order is listed. For n = 10 the value 6.504e-3 of the paper is a local
    minimum, at which runs from the symmetric start end. The lowest minimum found, 4.773e-3, is not symmetric about ½.

    Parameters
    ----------
    n : int >= 1, default 8
        The minima found are listed for 7 … 10 with m = n.
    m : int >= n, default n
    """
    n = check_integer("n", n, low=1)
    m = n if m is None else check_integer("m", m, low=n)
    i = np.arange(1, m + 1)
    integrals = np.where(i % 2 == 0, -1.0 / np.where(i > 1, i * i - 1, 1), 0.0)

    def fun(x: Any) -> Any:
        s = 2 * x - 1
        before, here, f = anp.ones_like(s), s, 0.0
        for integral in integrals:
            f = f + (anp.sum(here, axis=0) / n - integral) ** 2
            before, here = here, 2 * s * here - before
        return f

    points = points_of("chebyquad", n) if m == n else ()
    if points:
        points = (*points, same_value(points[0], "in any order"))
    return Problem(
        fun=fun,
        residuals=lambda x: mgh_residuals.chebyquad(x, integrals),
        n=n,
        starts=multiples(np.arange(1.0, n + 1.0) / (n + 1)),
        points=points,
        domain=((-0.5, 1.5), (-0.5, 1.5)) if n == 2 else None,
        formula="Σ ((1/n) Σ Tᵢ(xⱼ) − ∫Tᵢ)²,  Tᵢ Chebyshev's polynomials on [0, 1],  i = 1 … m",
        references=("Fletcher 1965, Computer J. 8, 33-41", f"{COLLECTION}, problem 35"),
    )
