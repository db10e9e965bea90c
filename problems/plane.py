"""Functions of two variables; all their critical points are known.

If no starting point is published, "standard" is the centre of the usual box, or of its first quadrant if the centre is
a critical point. At "indefinite" the Hessian has eigenvalues of both signs. "far" is ten times a corner of the box
(Beale's function has the published "x10" and "x100" instead). None of the multimodal functions in this file has an
axis of symmetry, so there is no start "axis".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.base import COLLECTION, SURVEY, CriticalPoint, Problem
from problems.mgh import mgh_residuals
from problems.mgh.more_garbow_hillstrom import multiples
from problems.registry import register

EXACT = "exact: all real roots by resultants, 70 digits; the coordinates by Newton in 60-digit arithmetic"
GLOBAL = "Dixon & Szegő 1978, Towards Global Optimisation 2, 1-15"


def _points(rows: list[tuple[str, float, float, float]], verified: str = EXACT) -> tuple[CriticalPoint, ...]:
    """Critical points of a function of two variables from rows (kind, x, y, f)."""
    index = {"minimum": 0, "saddle": 1, "maximum": 2}
    return tuple(
        CriticalPoint(x=np.array([x, y]), f=f, kind=kind, index=index[kind], verified=verified)
        for kind, x, y, f in rows
    )


@register("long-valley", tags=("2d", "nonconvex", "valley"), summary="a long curved valley to (5, 5), from (−6, 6)")
def long_valley() -> Problem:
    """10 (y − x²/5)² + (x − 5)²/50: a curved valley, of condition number 12 500 at its end."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return 10 * (y - x * x / 5) ** 2 + (x - 5) ** 2 / 50

    return Problem(
        fun=fun,
        n=2,
        starts={"standard": np.array([-6.0, 6.0]), "far": np.array([-60.0, 60.0])},
        points=_points([("minimum", 5.0, 5.0, 0.0)], verified="closed form"),
        complete=True,
        domain=((-8.0, 8.0), (-2.0, 10.0)),
        formula="10 (y − x²/5)² + (x − 5)²/50",
    )


@register(
    "beale",
    tags=("2d", "nonconvex", "saddle", "valley", "classic", "mgh"),
    summary="one minimum (3, ½), two saddles, and valleys that lead to infinity",
)
def beale() -> Problem:
    """Σᵢ (cᵢ − x(1 − yⁱ))², c = (3/2, 9/4, 21/8).

    As x → ±∞ with x(1 − y) → 0.991, f tends to 0.452: a run may follow these valleys to infinity. "standard" is the
    published start, where the Hessian is indefinite. "document" is a start used in teaching.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        y2 = y * y
        return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y2) ** 2 + (2.625 - x + x * y2 * y) ** 2

    return Problem(
        fun=fun,
        residuals=mgh_residuals.beale,
        n=2,
        starts={
            **multiples([1.0, 1.0]),
            "document": np.array([1.0, 1.5]),
        },
        points=_points(
            [
                ("minimum", 3.0, 0.5, 0.0),
                ("saddle", 0.10053793732415836, -2.6445135850231250, 9.8645122847555602),
                ("saddle", 0.0, 1.0, 14.203125),
            ]
        ),
        complete=True,
        domain=((-4.5, 4.5), (-4.5, 4.5)),
        formula="(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        references=(
            "Beale 1958, Technical Report 25, Princeton University",
            f"{COLLECTION}, problem 5",
        ),
    )


@register(
    "himmelblau",
    tags=("2d", "nonconvex", "multimodal", "saddle", "classic"),
    summary="four global minima around one maximum, with four saddles between",
)
def himmelblau() -> Problem:
    """(x² + y − 11)² + (x + y² − 7)²: nine critical points, the four minima all of value 0."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2

    return Problem(
        fun=fun,
        n=2,
        starts={
            "standard": np.zeros(2),
            "indefinite": np.array([0.0, 3.0]),
            "far": np.array([60.0, 60.0]),
        },
        points=_points(
            [
                ("minimum", 3.0, 2.0, 0.0),
                ("minimum", 3.5844283403304917, -1.8481265269644036, 0.0),
                ("minimum", -2.8051180869527449, 3.1313125182505730, 0.0),
                ("minimum", -3.7793102533777469, -3.2831859912861694, 0.0),
                ("saddle", 3.3851541836070209, 0.073851879837749288, 13.311926270405590),
                ("saddle", 0.086677504555396352, 2.8842547011747761, 67.719150087526140),
                ("saddle", -3.0730257507643896, -0.081353044287967512, 104.01516291755811),
                ("saddle", -0.12796134673068007, -1.9537149802445764, 178.33723920192746),
                ("maximum", -0.27084459066734761, -0.92303855647998146, 181.61652152258270),
            ]
        ),
        complete=True,
        domain=((-6.0, 6.0), (-6.0, 6.0)),
        formula="(x² + y − 11)² + (x + y² − 7)²",
        references=("Himmelblau 1972, Applied Nonlinear Programming, McGraw-Hill", f"{SURVEY}, function 65"),
    )


@register(
    "six-hump-camel",
    tags=("2d", "nonconvex", "multimodal", "saddle", "classic"),
    summary="six minima in three mirror pairs, seven saddles, two maxima",
)
def six_hump_camel() -> Problem:
    """(4 − 2.1x² + x⁴/3)x² + xy + (4y² − 4)y²: fifteen critical points, symmetric about the saddle 0."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        x2, y2 = x * x, y * y
        return (4 - 2.1 * x2 + x2 * x2 / 3) * x2 + x * y + (4 * y2 - 4) * y2

    half = [
        ("minimum", 0.089842013100318062, -0.71265640302073963, -1.0316284534898774),
        ("minimum", 1.7036067149699808, -0.79608356867262512, -0.21546382438371764),
        ("minimum", 1.6071047529201972, 0.56865145488413137, 2.1042503103112583),
        ("saddle", 1.1092053368047864, -0.76826809250953984, 0.54371860097818514),
        ("saddle", 1.6380679841897786, 0.22867406904439407, 2.2293571975307147),
        ("saddle", 1.2960702671671092, 0.60508438803865850, 2.2294708180298599),
        ("maximum", 1.2302298765166526, 0.16233458445899497, 2.4962953510235769),
    ]
    mirrored = [(kind, -x, -y, f) for kind, x, y, f in half]
    return Problem(
        fun=fun,
        n=2,
        starts={
            "standard": np.array([1.5, 1.0]),
            "indefinite": np.array([0.5, 0.1]),
            "far": np.array([30.0, 20.0]),
        },
        points=_points([*half, *mirrored, ("saddle", 0.0, 0.0, 0.0)]),
        complete=True,
        domain=((-3.0, 3.0), (-2.0, 2.0)),
        formula="(4 − 2.1x² + x⁴/3)x² + xy + (4y² − 4)y²",
        references=(GLOBAL, f"{SURVEY}, function 30"),
    )


@register(
    "three-hump-camel",
    tags=("2d", "nonconvex", "multimodal", "saddle", "classic"),
    summary="the global minimum 0 between two local ones",
)
def three_hump_camel() -> Problem:
    """2x² − 1.05x⁴ + x⁶/6 + xy + y²: five critical points, symmetric about the global minimizer 0."""

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        x2 = x * x
        return (2 - 1.05 * x2 + x2 * x2 / 6) * x2 + x * y + y * y

    return Problem(
        fun=fun,
        n=2,
        starts={
            "standard": np.array([2.5, 2.5]),
            "indefinite": np.array([1.0, 1.0]),
            "far": np.array([50.0, 50.0]),
        },
        points=_points(
            [
                ("minimum", 0.0, 0.0, 0.0),
                ("minimum", 1.7475523458302889, -0.87377617291514445, 0.29863844223685982),
                ("minimum", -1.7475523458302889, 0.87377617291514445, 0.29863844223685982),
                ("saddle", 1.0705422918236600, -0.53527114591182999, 0.87736155776314018),
                ("saddle", -1.0705422918236600, 0.53527114591182999, 0.87736155776314018),
            ]
        ),
        complete=True,
        domain=((-5.0, 5.0), (-5.0, 5.0)),
        formula="2x² − 1.05x⁴ + x⁶/6 + xy + y²",
        references=(GLOBAL, f"{SURVEY}, function 29"),
    )


@register(
    "goldstein-price",
    tags=("2d", "nonconvex", "multimodal", "saddle", "classic"),
    summary="minima 3, 30, 84 and 840 on a scale of a million",
)
def goldstein_price() -> Problem:
    """u(x + y) v(2x − 3y) with u(s) = 1 + (s+1)²(19 − 14s + 3s²), v(d) = 30 + d²(18 − 16d + 3d²).

    This is the published polynomial, written as a product. Since u ≥ 1 and v ≥ 3, the critical points are those with
    u′ = v′ = 0: s ∈ {−1, 1, 2}, d ∈ {0, 1, 3}, nine in all, with values {1, 33, 28} × {30, 35, 3}.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        s, d = x + y, 2 * x - 3 * y
        return (1 + (s + 1) ** 2 * (19 - 14 * s + 3 * s * s)) * (30 + d * d * (18 - 16 * d + 3 * d * d))

    return Problem(
        fun=fun,
        n=2,
        starts={
            "standard": np.zeros(2),
            "indefinite": np.array([0.5, 0.4]),
            "far": np.array([20.0, 20.0]),
        },
        points=_points(
            [
                ("minimum", 0.0, -1.0, 3.0),
                ("minimum", -0.6, -0.4, 30.0),
                ("minimum", 1.8, 0.2, 84.0),
                ("minimum", 1.2, 0.8, 840.0),
                ("saddle", -0.4, -0.6, 35.0),
                ("saddle", 1.2, -0.2, 99.0),
                ("saddle", 1.4, 0.6, 980.0),
                ("saddle", 0.6, 0.4, 990.0),
                ("maximum", 0.8, 0.2, 1155.0),
            ],
            verified="closed form: f is the product of two positive polynomials in one variable each",
        ),
        complete=True,
        domain=((-2.0, 2.0), (-2.0, 2.0)),
        formula=(
            "(1 + (x+y+1)²(19 − 14x + 3x² − 14y + 6xy + 3y²))·(30 + (2x−3y)²(18 − 32x + 12x² + 48y − 36xy + 27y²))"
        ),
        references=("Goldstein & Price 1971, Math. Comp. 25, 569-574", GLOBAL, f"{SURVEY}, function 58"),
    )
