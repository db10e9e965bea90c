"""Nonlinear problems with bounds from the literature on large problems and on global optimization."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import SURVEY, CriticalPoint, Problem, check_integer
from problems.bounded.bounded_problem import with_bounds
from problems.registry import register

DIXON_SZEGO = "Dixon & Szegö 1978, Towards Global Optimisation 2, North-Holland, 1-15"


@register("byrd-lu-nocedal-zhu", tags=("bounded",), summary="the example of L-BFGS-B: every second bound weakly active")
def byrd_lu_nocedal_zhu(*, n: int = 25) -> Problem:
    """(x₁ − 1)² + 4 Σ (xᵢ − xᵢ₋₁²)²; 1 ≤ xᵢ ≤ 100 for odd i, −100 ≤ xᵢ ≤ 100 for even i.

    The minimizer (1, …, 1) is at the lower bounds of the variables with odd index, and all multipliers are zero. The
    Hessian there is positive definite, but its lowest eigenvalue is about 4⁻ⁿ: in floating point it is singular.

    Parameters
    ----------
    n : int >= 2, default 25
    """
    n = check_integer("n", n, low=2)

    def fun(x: Any) -> Any:
        return (x[0] - 1) ** 2 + 4 * anp.sum((x[1:] - x[:-1] ** 2) ** 2)

    return with_bounds(
        "byrd-lu-nocedal-zhu",
        fun,
        np.where(np.arange(n) % 2 == 0, 1.0, -100.0),
        100.0,
        {"standard": np.full(n, 3.0)},
        points=(
            CriticalPoint(
                x=np.ones(n), f=0.0, kind="degenerate minimum", index=0, verified="closed form: f = 0 there only"
            ),
        ),
        formula="(x₁ − 1)² + 4 Σ (xᵢ − xᵢ₋₁²)²,  1 ≤ xᵢ ≤ 100 (odd i), −100 ≤ xᵢ ≤ 100 (even i)",
        references=(
            "Byrd, Lu, Nocedal & Zhu 1995, SIAM J. Sci. Comput. 16, 1190-1208",
            "Zhu, Byrd, Lu & Nocedal 1997, ACM Trans. Math. Softw. 23, 550-560, the driver of L-BFGS-B",
        ),
    )


@register("chained-rosenbrock-bounded", tags=("bounded",), summary="chained Rosenbrock with upper bounds 0.5 and 2")
def chained_rosenbrock_bounded(*, n: int = 10) -> Problem:
    """Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²; −2 ≤ xᵢ ≤ 0.5 for every fifth i, beginning with 3, −2 ≤ xᵢ ≤ 2 otherwise.

    The KKT points are listed for n = 10.

    Parameters
    ----------
    n : int >= 3, default 10
    """
    n = check_integer("n", n, low=3)

    def fun(x: Any) -> Any:
        return anp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return with_bounds(
        "chained-rosenbrock-bounded",
        fun,
        -2.0,
        np.where(np.arange(n) % 5 == 2, 0.5, 2.0),
        {"standard": np.where(np.arange(n) % 2 == 0, -1.2, 1.0)},
        points=None if n == 10 else (),
        formula="Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²,  −2 ≤ xᵢ ≤ 0.5 (i = 3, 8, …) or 2",
        references=("Toint 1978, Math. Comput. 32, 839-851 (chained form); the bounds are ours",),
    )


@register("adjiman", tags=("bounded",), summary="the global minimum is on an edge of the box")
def adjiman() -> Problem:
    """cos(x) sin(y) − x/(y² + 1) with −1 ≤ x ≤ 2, −1 ≤ y ≤ 1."""
    return with_bounds(
        "adjiman",
        lambda x: anp.cos(x[0]) * anp.sin(x[1]) - x[0] / (x[1] ** 2 + 1),
        [-1.0, -1.0],
        [2.0, 1.0],
        {"standard": [0.5, 0.0]},
        formula="cos(x) sin(y) − x/(y² + 1),  (−1, −1) ≤ (x, y) ≤ (2, 1)",
        references=(f"{SURVEY}, function 2",),
    )


@register("branin-box", tags=("bounded",), summary="three interior minima, and KKT points on the boundary")
def branin_box() -> Problem:
    """(y − 5.1x²/(4π²) + 5x/π − 6)² + 10(1 − 1/(8π)) cos x + 10 with −5 ≤ x ≤ 10, 0 ≤ y ≤ 15."""
    a, b, c = 5.1 / (4 * np.pi**2), 5 / np.pi, 10 * (1 - 1 / (8 * np.pi))
    return with_bounds(
        "branin-box",
        lambda x: (x[1] - a * x[0] ** 2 + b * x[0] - 6) ** 2 + c * anp.cos(x[0]) + 10,
        [-5.0, 0.0],
        [10.0, 15.0],
        {"standard": [2.5, 7.5]},
        formula="(y − 5.1x²/(4π²) + 5x/π − 6)² + 10(1 − 1/(8π)) cos x + 10,  −5 ≤ x ≤ 10, 0 ≤ y ≤ 15",
        references=("Branin 1972, IBM J. Res. Dev. 16, 504-522", DIXON_SZEGO),
    )


HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_3 = (
    np.array([[3.0, 10, 30], [0.1, 10, 35], [3.0, 10, 30], [0.1, 10, 35]]),
    np.array([[3689.0, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]) / 1e4,
)


@register("hartmann-3", tags=("bounded",), summary="four Gaussian wells in the unit cube")
def hartmann_3() -> Problem:
    """−Σ cᵢ exp(−Σⱼ aᵢⱼ(xⱼ − pᵢⱼ)²), i = 1 … 4, with 0 ≤ x ≤ 1."""
    A, P = HARTMANN_3
    return with_bounds(
        "hartmann-3",
        lambda x: -anp.sum(HARTMANN_WEIGHTS * anp.exp(-anp.sum(A * (x - P) ** 2, axis=1))),
        0.0,
        1.0,
        {"standard": [0.5, 0.5, 0.5]},
        formula="−Σ cᵢ exp(−Σⱼ aᵢⱼ(xⱼ − pᵢⱼ)²),  0 ≤ x ≤ 1",
        references=("Hartman 1973, NASA/Naval Postgraduate School report NPS55HH72051A", DIXON_SZEGO),
    )
