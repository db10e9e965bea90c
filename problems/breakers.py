"""Functions on which some method fails: by overshooting, by regions of NaN, by scaling, by an offset or by noise.

They are small and their minima are known, so a failure is a property of the method. The docstrings state what fails;
`tests/theory/test_breakers.py` asserts it.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import CriticalPoint, Problem, check_integer, check_number
from problems.registry import register

CLOSED = "closed form"


def _minimum(x: Any, f: float, kind: str = "minimum") -> CriticalPoint:
    return CriticalPoint(x=None if x is None else np.array(x), f=f, kind=kind, index=0, verified=CLOSED)


def _valley(x: Any, y: Any) -> Any:
    """Rosenbrock's function."""
    return 100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2


@register(
    "hyperbola-branch",
    tags=("convex", "breaker", "benchmark"),
    summary="√(1 + x²): the pure Newton step maps x to −x³",
)
def hyperbola_branch() -> Problem:
    """√(1 + x²), strictly convex. Pure Newton converges cubically from |x| < 1 and diverges from |x| > 1."""

    def fun(x: Any) -> Any:
        return anp.sqrt(1.0 + x[0] * x[0])

    return Problem(
        fun=fun,
        n=1,
        starts={"standard": np.array([1.5]), "inside": np.array([0.5]), "far": np.array([20.0])},
        points=(_minimum([0.0], 1.0),),
        complete=True,
        formula="√(1 + x²)",
        references=("f′ = x(1 + x²)^(−1/2), f″ = (1 + x²)^(−3/2), so that x − f′/f″ = −x³",),
    )


@register(
    "log-barrier",
    tags=("2d", "convex", "breaker", "benchmark"),
    summary="Σ (xᵢ − ln xᵢ) from (50, 2): the first Newton steps leave the domain x > 0, where f is NaN",
)
def log_barrier() -> Problem:
    """Σ (xᵢ − ln xᵢ) on x > 0, NaN elsewhere: strictly convex and self-concordant, minimizer (1, 1).

    The pure Newton step is xᵢ(2 − xᵢ): from xᵢ > 2 it leaves the domain.
    """

    def fun(x: Any) -> Any:
        return anp.sum(x - anp.log(x), axis=0)

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.array([50.0, 2.0]), "far": np.array([500.0, 20.0])},
        points=(_minimum([1.0, 1.0], 2.0),),
        complete=True,
        domain=((0.05, 6.0), (0.05, 6.0)),
        formula="Σ (xᵢ − ln xᵢ)",
        references=("self-concordance: Nesterov & Nemirovskii 1994, Interior-Point Polynomial Algorithms, chapter 2",),
    )


@register(
    "three-halves-power",
    tags=("convex", "breaker", "benchmark", "scalable"),
    summary="Σ |xᵢ|^(3/2): the second derivative is infinite at the minimizer",
)
def three_halves_power(*, n: int = 3) -> Problem:
    """Σ |xᵢ|^(3/2), once but not twice differentiable at its minimizer 0.

    The pure Newton step maps x to −x, so the iterates oscillate without end. There is no Hessian at 0, so only the
    value of the minimum is listed.

    Parameters
    ----------
    n : int >= 1, default 3
    """
    n = check_integer("n", n, low=1)

    def fun(x: Any) -> Any:
        return anp.sum(anp.abs(x) ** 1.5, axis=0)

    return Problem(
        fun=fun,
        n=n,
        starts={"standard": np.arange(1.0, n + 1.0), "far": 100.0 * np.arange(1.0, n + 1.0)},
        points=(_minimum(None, 0.0),),
        complete=True,
        domain=((-2.0, 2.0), (-2.0, 2.0)) if n == 2 else None,
        formula="Σ |xᵢ|^(3/2)",
    )


@register(
    "exponential-decay",
    tags=("convex", "unattained", "breaker", "benchmark"),
    summary="exp(−x): bounded below by 0, but the infimum is not attained",
)
def exponential_decay() -> Problem:
    """exp(−x): f and its gradient tend to 0, so a small gradient does not imply a minimum. Pure Newton steps are 1."""

    def fun(x: Any) -> Any:
        return anp.exp(-x[0])

    return Problem(
        fun=fun,
        n=1,
        starts={"standard": np.array([0.0]), "far": np.array([-20.0])},
        complete=True,
        formula="exp(−x)",
    )


@register(
    "quartic",
    tags=("convex", "degenerate", "breaker", "benchmark", "scalable"),
    summary="Σ xᵢ⁴: the pure Newton step multiplies x by 2/3",
)
def quartic(*, n: int = 1) -> Problem:
    """Σ xᵢ⁴. The Hessian is zero at the minimizer 0, so Newton's method converges only linearly: xₖ₊₁ = ⅔xₖ.

    Parameters
    ----------
    n : int >= 1, default 1
    """
    n = check_integer("n", n, low=1)

    def fun(x: Any) -> Any:
        return anp.sum(x**4, axis=0)

    return Problem(
        fun=fun,
        n=n,
        starts={"standard": np.arange(1.0, n + 1.0), "far": 100.0 * np.arange(1.0, n + 1.0)},
        points=(_minimum(np.zeros(n), 0.0, "degenerate minimum"),),
        complete=True,
        domain=((-2.0, 2.0), (-2.0, 2.0)) if n == 2 else None,
        formula="Σ xᵢ⁴",
    )


@register(
    "nan-wall",
    tags=("2d", "convex", "breaker", "benchmark"),
    summary="a convex function whose minimizer has the distance 0.01 from a region where f is NaN",
)
def nan_wall() -> Problem:
    """√(1 + (x − 1)²) + √(1 + y²) for x ≤ 1.01, NaN beyond: convex on its domain, minimizer (1, 0).

    Pure Newton maps x − 1 to −(x − 1)³; from the start it steps into the region of NaN. The NaN comes from a square
    root of a negative number, multiplied by zero.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return anp.sqrt(1.0 + (x - 1.0) ** 2) + anp.sqrt(1.0 + y * y) + 0.0 * anp.sqrt(1.01 - x)

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.array([-1.0, 2.0]), "far": np.array([-20.0, 20.0])},
        points=(_minimum([1.0, 0.0], 2.0),),
        complete=True,
        domain=((-3.0, 1.0099), (-2.0, 2.0)),
        formula="√(1 + (x − 1)²) + √(1 + y²) + 0·√(1.01 − x)",
    )


@register(
    "badly-scaled-valley",
    tags=("2d", "nonconvex", "valley", "breaker", "benchmark"),
    summary="Rosenbrock's valley in units of 10⁻⁶ and 10⁶",
)
def badly_scaled_valley(*, exponent: int = 6) -> Problem:
    """Rosenbrock's function of (10ᵉu, 10⁻ᵉv): the curvatures differ by 10⁴ᵉ, which does not affect Newton's method.

    Parameters
    ----------
    exponent : int from −8 to 8, default 6
        e; with −6 the units are exchanged.
    """
    exponent = check_integer("exponent", exponent, low=-8)
    if exponent > 8:
        raise ValueError(f"exponent must be an integer from -8 to 8, got {exponent}")
    # the power that is an integer is exact, so dividing by it rounds only once
    large = 10.0 ** abs(exponent)

    def fun(p: Any) -> Any:
        u, v = p[0], p[1]
        return _valley(u * large, v / large) if exponent >= 0 else _valley(u / large, v * large)

    units = np.array([1.0 / large, large]) if exponent >= 0 else np.array([large, 1.0 / large])
    standard = units * np.array([-1.2, 1.0])
    return Problem(
        fun=fun,
        n=2,
        starts={"standard": standard, "far": 10.0 * standard},
        points=(_minimum(units, 0.0),),
        complete=True,
        domain=((-2.0 * units[0], 2.0 * units[0]), (-units[1], 3.0 * units[1])),
        formula="100(10⁻ᵉv − 10²ᵉu²)² + (1 − 10ᵉu)²",
        references=("Rosenbrock 1960, Computer J. 3, 175-184",),
    )


@register(
    "offset-valley",
    tags=("2d", "nonconvex", "valley", "breaker", "benchmark"),
    summary="Rosenbrock's function plus 10¹⁰: only six decimal digits remain for the variation of f",
)
def offset_valley(*, offset: float = 1e10) -> Problem:
    """Rosenbrock's function plus a constant. Differences of f below eps·offset are lost; the gradient is exact.

    Parameters
    ----------
    offset : float >= 0, default 1e10
    """
    offset = check_number("offset", offset, low=0.0)

    def fun(p: Any) -> Any:
        return _valley(p[0], p[1]) + offset

    standard = np.array([-1.2, 1.0])
    return Problem(
        fun=fun,
        n=2,
        starts={"standard": standard, "far": 10.0 * standard},
        points=(_minimum([1.0, 1.0], offset),),
        complete=True,
        domain=((-2.0, 2.0), (-1.0, 3.0)),
        formula="100(y − x²)² + (1 − x)² + offset",
        references=("Rosenbrock 1960, Computer J. 3, 175-184",),
    )


@register(
    "ripples",
    tags=("nonconvex", "breaker", "benchmark", "scalable"),
    summary="a convex function with superimposed ripples of height 10⁻⁸ and slope 10⁻³",
)
def ripples(*, n: int = 3) -> Problem:
    """Σ √(1 + xᵢ²) − 1 + 10⁻⁸(1 − cos 10⁵xᵢ): deterministic noise, with exact derivatives.

    The curvature of the ripples, 100, is a hundred times that of the convex part. There are many local minima within
    10⁻³ of the global minimizer 0; their values are at most 5·10⁻⁷ per variable.

    Parameters
    ----------
    n : int >= 1, default 3
    """
    n = check_integer("n", n, low=1)

    def fun(x: Any) -> Any:
        return anp.sum(anp.sqrt(1.0 + x * x) - 1.0 + 1e-8 * (1.0 - anp.cos(1e5 * x)), axis=0)

    return Problem(
        fun=fun,
        n=n,
        starts={"standard": np.arange(2.0, n + 2.0), "far": 10.0 * np.arange(2.0, n + 2.0)},
        points=(_minimum(np.zeros(n), 0.0),),
        domain=((-4.0, 4.0), (-4.0, 4.0)) if n == 2 else None,
        formula="Σ √(1 + xᵢ²) − 1 + 10⁻⁸(1 − cos 10⁵xᵢ)",
    )
