"""Data fits of Moré, Garbow and Hillstrom: exponentials and rational functions, measured and synthetic data."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import COLLECTION, CriticalPoint, Problem, Vector, check_integer
from problems.mgh.mgh_points import points_of, same_value
from problems.mgh.more_garbow_hillstrom import multiples, sum_of_squares
from problems.registry import register

CLOSED = "closed form"


def _measured(text: str) -> Vector:
    return np.array(text.split(), dtype=np.float64)


BARD = _measured("0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39")
# the density of the normal distribution at 0, ½, …, 3½, to four digits
GAUSSIAN = _measured("0.3989 0.3521 0.2420 0.1295 0.0540 0.0175 0.0044 0.0009")
MEYER = _measured("34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872")
KOWALIK_OSBORNE = _measured("0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246")
# the last is 0.0625, as in the paper and in NIST's MGH09; CUTEst's KOWOSB has 0.0624
DOSES = _measured("4 2 1 0.5 0.25 0.167 0.125 0.1 0.0833 0.0714 0.0625")
OSBORNE_1 = _measured(
    "0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628 0.603 0.580 "
    "0.558 0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 0.414 0.411 0.406"
)
OSBORNE_2 = _measured(
    "1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616 0.606 0.602 "
    "0.626 0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495 0.500 0.423 0.395 0.375 "
    "0.372 0.391 0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672 0.708 0.633 0.668 0.645 0.632 0.591 "
    "0.559 0.597 0.625 0.739 0.710 0.729 0.720 0.636 0.581 0.428 0.292 0.162 0.098 0.054"
)


@register(
    "bard",
    tags=("nonconvex", "multimodal", "classic", "mgh", "benchmark"),
    summary="a rational function fitted to 15 points; f tends to 17.43 at infinity",
)
def bard() -> Problem:
    """Σ (yᵢ − x₁ − uᵢ/(vᵢx₂ + wᵢx₃))², uᵢ = i, vᵢ = 16 − i, wᵢ = min(uᵢ, vᵢ), i = 1 … 15.

    f tends to 17.4287 as x₂, x₃ → ±∞ with x₁ = 0.84067, the mean of the yᵢ. Runs from distant starts end at this value,
    although it is not attained. Between the poles vᵢx₂ + wᵢx₃ = 0, where x₂ and x₃ differ in sign, there are more
    minima.
    """
    u = np.arange(1.0, 16.0)
    v = 16 - u
    w = np.minimum(u, v)

    def residuals(x: Any) -> Any:
        return BARD - x[0] - u / (v * x[1] + w * x[2])

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=3,
        starts=multiples([1.0, 1.0, 1.0]),
        points=points_of("bard", 3),
        formula="Σ (yᵢ − x₁ − i/((16 − i)x₂ + min(i, 16 − i)x₃))²,  i = 1 … 15",
        references=("Bard 1970, SIAM J. Numer. Anal. 7, 157-186", f"{COLLECTION}, problem 8"),
    )


@register(
    "gaussian",
    tags=("nonconvex", "classic", "mgh", "benchmark"),
    summary="a bell curve fitted to the normal density, minimum 1.13e-8",
)
def gaussian() -> Problem:
    """Σ (x₁ exp(−½x₂(tᵢ − x₃)²) − yᵢ)², tᵢ = (8 − i)/2, i = 1 … 15, with the normal density to four digits as yᵢ.

    x₃ = 0 by symmetry at the minimum.
    """
    t = (8 - np.arange(1.0, 16.0)) / 2
    y = np.concatenate([GAUSSIAN[:0:-1], GAUSSIAN])

    def residuals(x: Any) -> Any:
        return x[0] * anp.exp(-0.5 * x[1] * (t - x[2]) ** 2) - y

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=3,
        starts=multiples([0.4, 1.0, 0.0]),
        points=points_of("gaussian", 3),
        formula="Σ (x₁ exp(−½x₂(tᵢ − x₃)²) − yᵢ)²,  tᵢ = (8 − i)/2,  i = 1 … 15",
        references=(f"{COLLECTION}, problem 9",),
    )


@register(
    "meyer",
    tags=("nonconvex", "valley", "classic", "mgh", "benchmark"),
    summary="the resistance of a thermistor: a minimum of 87.9 on a scale of 10⁹, variables from 10⁻³ to 10⁴",
)
def meyer() -> Problem:
    """Σ (x₁ exp(x₂/(tᵢ + x₃)) − yᵢ)², tᵢ = 45 + 5i, i = 1 … 16."""
    t = 45 + 5 * np.arange(1.0, 17.0)

    def residuals(x: Any) -> Any:
        return x[0] * anp.exp(x[1] / (t + x[2])) - MEYER

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=3,
        starts=multiples([0.02, 4000.0, 250.0]),
        points=points_of("meyer", 3),
        formula="Σ (x₁ exp(x₂/(45 + 5i + x₃)) − yᵢ)²,  i = 1 … 16",
        references=("Meyer 1970, in Rosen et al. (eds.), Nonlinear Programming, 465-486", f"{COLLECTION}, problem 10"),
    )


@register(
    "gulf",
    tags=("nonconvex", "classic", "mgh", "benchmark"),
    summary="the Weibull-like curve of Gulf research and development, with a variable exponent",
)
def gulf(*, m: int = 99) -> Problem:
    """Σ (exp(−|yᵢ − x₂|^x₃ / x₁) − tᵢ)², tᵢ = i/100, yᵢ = 25 + (−50 ln tᵢ)^⅔, i = 1 … m.

    The paper prints |yᵢ·m·i·x₂|, with "mi" in place of a minus sign. With the minus sign f = 0 at (50, 25, 1.5), as the
    paper states. Ten times the start is this minimizer, and at a hundred times the start f is flat. Neither is used.

    Parameters
    ----------
    m : int from 3 to 99, default 99
        The paper also allows 100; y₁₀₀ = 25 would put the kink of |y − x₂| at the minimizer.
    """
    m = check_integer("m", m, low=3)
    if m > 99:
        raise ValueError(f"m must be an integer from 3 to 99, got {m}")
    t = np.arange(1.0, m + 1.0) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)

    def residuals(x: Any) -> Any:
        return anp.exp(-(anp.abs(y - x[1]) ** x[2]) / x[0]) - t

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=3,
        starts=multiples([5.0, 2.5, 0.15], factors=()),
        points=(CriticalPoint(x=np.array([50.0, 25.0, 1.5]), f=0.0, kind="minimum", index=0, verified=CLOSED),),
        formula="Σ (exp(−|yᵢ − x₂|^x₃ / x₁) − tᵢ)²,  tᵢ = i/100,  yᵢ = 25 + (−50 ln tᵢ)^⅔,  i = 1 … m",
        references=("Cox 1969, in Numerical Optimisation (after the collection)", f"{COLLECTION}, problem 11"),
    )


@register(
    "box-3d",
    tags=("nonconvex", "multimodal", "degenerate", "classic", "mgh", "benchmark"),
    summary="a difference of exponentials: two minimizers and a line of them",
)
def box_3d(*, m: int = 10) -> Problem:
    """Σ (exp(−tᵢx₁) − exp(−tᵢx₂) − x₃(exp(−tᵢ) − exp(−10tᵢ)))², tᵢ = i/10, i = 1 … m.

    f = 0 at (1, 10, 1), at (10, 1, −1) and on the line x₁ = x₂, x₃ = 0. Of this line the point (1, 1, 0) is listed.

    Parameters
    ----------
    m : int >= 3, default 10
    """
    m = check_integer("m", m, low=3)
    t = np.arange(1.0, m + 1.0) / 10
    y = np.exp(-t) - np.exp(-10 * t)

    def residuals(x: Any) -> Any:
        return anp.exp(-t * x[0]) - anp.exp(-t * x[1]) - x[2] * y

    on_line = CriticalPoint(x=np.array([1.0, 1.0, 0.0]), f=0.0, kind="degenerate minimum", index=0, verified=CLOSED)
    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=3,
        starts=multiples([0.0, 10.0, 20.0]),
        points=(
            CriticalPoint(x=np.array([1.0, 10.0, 1.0]), f=0.0, kind="minimum", index=0, verified=CLOSED),
            CriticalPoint(x=np.array([10.0, 1.0, -1.0]), f=0.0, kind="minimum", index=0, verified=CLOSED),
            on_line,
            same_value(on_line, "on the line x₁ = x₂, x₃ = 0"),
        ),
        formula="Σ (exp(−tᵢx₁) − exp(−tᵢx₂) − x₃(exp(−tᵢ) − exp(−10tᵢ)))²,  tᵢ = i/10,  i = 1 … m",
        references=("Box 1966, Computer J. 9, 67-77", f"{COLLECTION}, problem 12"),
    )


@register(
    "kowalik-osborne",
    tags=("nonconvex", "multimodal", "classic", "mgh", "benchmark"),
    summary="an enzyme reaction fitted to 11 points; f tends to 1.03e-3 at infinity",
)
def kowalik_osborne() -> Problem:
    """Σ (yᵢ − x₁(uᵢ² + uᵢx₂)/(uᵢ² + uᵢx₃ + x₄))², i = 1 … 11.

    The lowest minimum is the certified value of NIST for MGH09, which has the same data. The others lie between poles.
    The second value of the paper, 1.02734e-3, is the limit for x₂ = −14.08 and x₁, −x₃, −x₄ → ∞, so it is not a
    critical value. CUTEst's KOWOSB has a different datum, and therefore a different minimum, 3.0780e-4.
    """

    def residuals(x: Any) -> Any:
        u = DOSES
        return KOWALIK_OSBORNE - x[0] * u * (u + x[1]) / (u * (u + x[2]) + x[3])

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=4,
        starts=multiples([0.25, 0.39, 0.415, 0.39]),
        points=points_of("kowalik-osborne", 4),
        formula="Σ (yᵢ − x₁(uᵢ² + uᵢx₂)/(uᵢ² + uᵢx₃ + x₄))²,  i = 1 … 11",
        references=(
            "Kowalik & Osborne 1968, Methods for Unconstrained Optimization Problems, Elsevier",
            "NIST Statistical Reference Datasets, nonlinear regression, MGH09",
            f"{COLLECTION}, problem 15",
        ),
    )


@register(
    "osborne-1",
    tags=("nonconvex", "multimodal", "valley", "classic", "mgh", "benchmark"),
    summary="two decaying exponentials and a constant fitted to 33 points, minimum 5.46e-5",
)
def osborne_1() -> Problem:
    """Σ (yᵢ − x₁ − x₂ exp(−tᵢx₄) − x₃ exp(−tᵢx₅))², tᵢ = 10(i − 1), i = 1 … 33.

    Exchanging the two exponentials does not change f, so the minima come in pairs.
    """
    t = 10 * np.arange(33.0)

    def residuals(x: Any) -> Any:
        return OSBORNE_1 - x[0] - x[1] * anp.exp(-t * x[3]) - x[2] * anp.exp(-t * x[4])

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=5,
        starts=multiples([0.5, 1.5, -1.0, 0.01, 0.02]),
        points=points_of("osborne-1", 5),
        formula="Σ (yᵢ − x₁ − x₂ exp(−tᵢx₄) − x₃ exp(−tᵢx₅))²,  tᵢ = 10(i − 1),  i = 1 … 33",
        references=(
            "Osborne 1972, in Numerical Methods for Non-linear Optimization, 171-189",
            f"{COLLECTION}, problem 17",
        ),
    )


@register(
    "biggs-exp6",
    tags=("nonconvex", "multimodal", "saddle", "degenerate", "valley", "classic", "mgh", "benchmark"),
    summary="three exponentials with six parameters; descent from the published start ends at a saddle",
)
def biggs_exp6(*, m: int = 13) -> Problem:
    """Σ (x₃ exp(−tᵢx₁) − x₄ exp(−tᵢx₂) + x₆ exp(−tᵢx₅) − yᵢ)², tᵢ = i/10, i = 1 … m.

    yᵢ = exp(−tᵢ) − 5 exp(−10tᵢ) + 3 exp(−4tᵢ), so f = 0 at (1, 10, 1, 5, 4, 3) and at the points with exchanged terms.

    The value 5.65565e-3, published as that of a local minimum, belongs to a line of critical points with x₁ = x₅ and
    constant x₃ + x₆. Splitting the equal exponentials lowers f if x₃ and x₆ have the same sign, and raises it if their
    signs differ. So the point with x₃ = x₆, at which runs from the published start end by symmetry, is a saddle. On the
    distant parts of the line there are degenerate minima. One point of each kind is listed.

    Parameters
    ----------
    m : int >= 6, default 13
        Critical points are listed for 13.
    """
    m = check_integer("m", m, low=6)
    t = np.arange(1.0, m + 1.0) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)

    def residuals(x: Any) -> Any:
        first, second, third = (anp.exp(-t * rate) for rate in (x[0], x[1], x[4]))
        return x[2] * first - x[3] * second + x[5] * third - y

    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=6,
        starts=multiples([1.0, 2.0, 1.0, 1.0, 1.0, 1.0]),
        points=points_of("biggs-exp6", 6) if m == 13 else (),
        formula="Σ (x₃ exp(−tᵢx₁) − x₄ exp(−tᵢx₂) + x₆ exp(−tᵢx₅) − yᵢ)²,  tᵢ = i/10,  i = 1 … m",
        references=("Biggs 1971, J. Inst. Math. Appl. 8, 315-327", f"{COLLECTION}, problem 18"),
    )


@register(
    "osborne-2",
    tags=("nonconvex", "multimodal", "classic", "mgh", "benchmark"),
    summary="an exponential and three bells fitted to 65 points in 11 variables, minimum 0.0401",
)
def osborne_2() -> Problem:
    """Σ (yᵢ − x₁ exp(−tᵢx₅) − Σₖ xₖ₊₁ exp(−(tᵢ − xₖ₊₈)²xₖ₊₅))², k = 1 … 3, tᵢ = (i − 1)/10, i = 1 … 65.

    The Gaussians may be exchanged, so every minimum occurs six times; one of the six is listed. There are many minima,
    with Gaussians of negative height or large width.
    """
    t = np.arange(65.0) / 10

    def residuals(x: Any) -> Any:
        fitted = x[0] * anp.exp(-t * x[4])
        for k in (1, 2, 3):
            fitted = fitted + x[k] * anp.exp(-((t - x[k + 7]) ** 2) * x[k + 4])
        return OSBORNE_2 - fitted

    points = points_of("osborne-2", 11)
    return Problem(
        fun=sum_of_squares(residuals),
        residuals=residuals,
        n=11,
        starts=multiples([1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5]),
        points=(*points, same_value(points[0], "with the bells exchanged")),
        formula="Σ (yᵢ − x₁ exp(−tᵢx₅) − Σₖ xₖ₊₁ exp(−(tᵢ − xₖ₊₈)²xₖ₊₅))²,  k = 1, 2, 3,  tᵢ = (i − 1)/10,  i = 1 … 65",
        references=(
            "Osborne 1972, in Numerical Methods for Non-linear Optimization, 171-189",
            f"{COLLECTION}, problem 19",
        ),
    )
