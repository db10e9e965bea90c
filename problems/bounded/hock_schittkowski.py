"""The problems of Hock and Schittkowski (1981) that have bounds and no other constraints."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import CriticalPoint, Problem
from problems.bounded.bounded_problem import INF, with_bounds
from problems.registry import register

BOOK = "Hock & Schittkowski 1981, Test Examples for Nonlinear Programming Codes, Springer, problem"


def _valley(x: Any) -> Any:
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


@register("hs1", tags=("bounded",), summary="Rosenbrock's function with a bound that is inactive at the minimum")
def hs1() -> Problem:
    """100(x₂ − x₁²)² + (1 − x₁)² with x₂ ≥ −1.5."""
    return with_bounds(
        "hs1",
        _valley,
        [-INF, -1.5],
        INF,
        {"standard": [-2.0, 1.0]},
        formula="100(x₂ − x₁²)² + (1 − x₁)²,  x₂ ≥ −1.5",
        references=(f"{BOOK} 1",),
    )


@register("hs2", tags=("bounded",), summary="Rosenbrock's function with an active bound and a second minimum")
def hs2() -> Problem:
    """100(x₂ − x₁²)² + (1 − x₁)² with x₂ ≥ 1.5. On the bound ∂f/∂x₁ = 0 is a cubic with three real roots."""
    return with_bounds(
        "hs2",
        _valley,
        [-INF, 1.5],
        INF,
        {"standard": [-2.0, 1.0]},
        formula="100(x₂ − x₁²)² + (1 − x₁)²,  x₂ ≥ 1.5",
        references=(f"{BOOK} 2",),
    )


@register("hs3", tags=("bounded",), summary="curvature of 2e-5 along a bound with multiplier 1")
def hs3() -> Problem:
    """x₂ + 10⁻⁵(x₂ − x₁)² with x₂ ≥ 0."""
    origin = CriticalPoint(x=np.zeros(2), f=0.0, kind="minimum", index=0, verified="closed form; f is convex")
    return with_bounds(
        "hs3",
        lambda x: x[1] + 1e-5 * (x[1] - x[0]) ** 2,
        [-INF, 0.0],
        INF,
        {"standard": [10.0, 1.0]},
        points=(origin,),
        formula="x₂ + 10⁻⁵(x₂ − x₁)²,  x₂ ≥ 0",
        references=(f"{BOOK} 3",),
    )


@register("hs4", tags=("bounded",), summary="a minimum at a vertex")
def hs4() -> Problem:
    """(x₁ + 1)³/3 + x₂ with x₁ ≥ 1, x₂ ≥ 0."""
    vertex = CriticalPoint(
        x=np.array([1.0, 0.0]), f=8 / 3, kind="minimum", index=0, verified="closed form; f is monotone on the box"
    )
    return with_bounds(
        "hs4",
        lambda x: (x[0] + 1) ** 3 / 3 + x[1],
        [1.0, 0.0],
        INF,
        {"standard": [1.125, 0.125]},
        points=(vertex,),
        formula="(x₁ + 1)³/3 + x₂,  x ≥ (1, 0)",
        references=(f"{BOOK} 4",),
    )


@register("hs5", tags=("bounded",), summary="McCormick's function: an interior minimum and others on the boundary")
def hs5() -> Problem:
    """sin(x₁ + x₂) + (x₁ − x₂)² − 1.5x₁ + 2.5x₂ + 1 with −1.5 ≤ x₁ ≤ 4, −3 ≤ x₂ ≤ 3."""
    return with_bounds(
        "hs5",
        lambda x: anp.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1,
        [-1.5, -3.0],
        [4.0, 3.0],
        {"standard": [0.0, 0.0]},
        formula="sin(x₁ + x₂) + (x₁ − x₂)² − 1.5x₁ + 2.5x₂ + 1,  (−1.5, −3) ≤ x ≤ (4, 3)",
        references=(f"{BOOK} 5", "McCormick 1976, Math. Program. 10, 147-175"),
    )


@register("hs25", tags=("bounded",), summary="a fit with an exponent; f is nearly constant at the start")
def hs25() -> Problem:
    """Σ (exp(−(uᵢ − x₂)^x₃/x₁) − i/100)², uᵢ = 25 + (−50 ln(i/100))^(2/3), i = 1 … 99.

    On large parts of the box the exponentials are 0 or 1 up to rounding errors, and f is constant in floating point.
    """
    share = np.arange(1.0, 100.0) / 100
    u = 25 + (-50 * np.log(share)) ** (2 / 3)
    return with_bounds(
        "hs25",
        lambda x: anp.sum((anp.exp(-((u - x[1]) ** x[2]) / x[0]) - share) ** 2),
        [0.1, 0.0, 0.0],
        [100.0, 25.6, 5.0],
        {"standard": [100.0, 12.5, 3.0], "near": [40.0, 24.5, 1.4]},
        points=(
            CriticalPoint(
                x=np.array([50.0, 25.0, 1.5]), f=0.0, kind="minimum", index=0, verified="closed form: f = 0 there"
            ),
        ),
        formula="Σ (exp(−(uᵢ − x₂)^x₃/x₁) − i/100)²,  (0.1, 0, 0) ≤ x ≤ (100, 25.6, 5)",
        references=(f"{BOOK} 25",),
    )


@register("hs38", tags=("bounded",), summary="Wood's function on a box")
def hs38() -> Problem:
    """Wood's function with −10 ≤ x ≤ 10."""

    def fun(x: Any) -> Any:
        valleys = _valley(x) + 90 * (x[3] - x[2] ** 2) ** 2 + (1 - x[2]) ** 2
        return valleys + 10.1 * ((x[1] - 1) ** 2 + (x[3] - 1) ** 2) + 19.8 * (x[1] - 1) * (x[3] - 1)

    return with_bounds(
        "hs38",
        fun,
        -10.0,
        10.0,
        {"standard": [-3.0, -1.0, -3.0, -1.0]},
        formula="Wood's function,  −10 ≤ x ≤ 10",
        references=(f"{BOOK} 38", "Colville 1968, IBM New York Scientific Center, report 320-2949"),
    )


@register("hs45", tags=("bounded",), summary="a product of five variables; the minimum is a vertex")
def hs45() -> Problem:
    """2 − x₁x₂x₃x₄x₅/120 with 0 ≤ xᵢ ≤ i. At every point with two or more zeros the gradient vanishes."""
    top = np.arange(1.0, 6.0)
    vertex = CriticalPoint(
        x=top, f=1.0, kind="minimum", index=0, verified="closed form: the product is largest at the upper bounds"
    )
    return with_bounds(
        "hs45",
        lambda x: 2 - x[0] * x[1] * x[2] * x[3] * x[4] / 120,
        0.0,
        top,
        {"standard": [2.0] * 5},
        points=(vertex,),
        formula="2 − x₁x₂x₃x₄x₅/120,  0 ≤ xᵢ ≤ i",
        references=(f"{BOOK} 45",),
    )


@register("hs110", tags=("bounded",), summary="logarithms that are infinite just outside the box")
def hs110() -> Problem:
    """Σ (ln²(xᵢ − 2) + ln²(10 − xᵢ)) − (Π xᵢ)^0.2 with 2.001 ≤ xᵢ ≤ 9.999, i = 1 … 10."""

    def fun(x: Any) -> Any:
        product = anp.exp(0.2 * anp.sum(anp.log(x)))
        return anp.sum(anp.log(x - 2) ** 2 + anp.log(10 - x) ** 2) - product

    return with_bounds(
        "hs110",
        fun,
        2.001,
        9.999,
        {"standard": [9.0] * 10},
        formula="Σ (ln²(xᵢ − 2) + ln²(10 − xᵢ)) − (Π xᵢ)^0.2,  2.001 ≤ x ≤ 9.999",
        references=(f"{BOOK} 110",),
    )
