"""Functions on boxes in which the number of critical points of every index is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np

import problems

Function = Callable[[Any], Any]
Box = tuple[tuple[float, float], ...]

RESULTANTS = "all real roots of ∇f by resultants, 70 digits"


class Landscape(NamedTuple):
    """A function on a box."""

    name: str
    fun: Function
    box: Box
    counts: tuple[int, ...]
    """Its critical points there of index 0, 1, …, n."""
    known: str
    """How these numbers are known."""


def landscapes() -> list[Landscape]:
    """All of them, as they are tabulated."""
    tang = "three roots a variable"
    waves = "minima and maxima of one variable"
    curves = "zeros of ∂f/∂y along the curves ∂f/∂x = 0"
    return [
        _catalogued("himmelblau", RESULTANTS),
        _catalogued("six-hump-camel", RESULTANTS),
        _catalogued("three-hump-camel", RESULTANTS),
        Landscape("muller-brown", muller_brown, ((-1.7, 1.3), (-0.5, 2.3)), (3, 2, 0), "Müller & Brown 1979"),
        _catalogued("goldstein-price", "product of two polynomials of one variable"),
        *(
            Landscape(
                "styblinski-tang", problems.get("styblinski-tang", n=n).fun, _cube(-5, 5, n), separable(2, 1, n), tang
            )
            for n in (3, 5, 6)
        ),
        Landscape("rastrigin", rastrigin, _cube(-5.12, 5.12, 2), separable(11, 10, 2), waves),
        Landscape("rastrigin", rastrigin, _cube(-5, 6, 2), separable(12, 11, 2), waves),
        *(_catalogued("rosenbrock", "Kok & Sandrock 2009", _cube(-1.5, 1.5, n), n=n) for n in (4, 5, 6)),
        Landscape("trefethen", trefethen, _cube(-0.5, 0.5, 2), (138, 273, 135), curves),
        Landscape("trefethen", trefethen, _cube(-1, 1, 2), (693, 1360, 667), curves),
        Landscape("shubert", shubert, _cube(-10, 10, 2), (722, 1444, 722), "extremes and zeros of one variable"),
    ]


def separable(minima: int, maxima: int, n: int) -> tuple[int, ...]:
    """Of a sum over n variables of the same function of each, with so many minima and maxima: points by index."""
    return tuple(math.comb(n, k) * minima ** (n - k) * maxima**k for k in range(n + 1))


def _catalogued(name: str, known: str, box: Box | None = None, **parameters: int) -> Landscape:
    problem = problems.get(name, **parameters)
    window = box or problem.domain
    if window is None or not problem.complete:
        raise ValueError(f"{problem.label} must have a window and a complete list of critical points")
    lo, hi = np.array(window).T
    inside = [point.index for point in problem.points if ((lo <= point.x) & (point.x <= hi)).all()]
    return Landscape(name, problem.fun, window, tuple(inside.count(k) for k in range(problem.n + 1)), known)


def _cube(low: float, high: float, n: int) -> Box:
    return ((low, high),) * n


def muller_brown(p: Any) -> Any:
    """Müller & Brown (1979), Theor. Chim. Acta 53, 75-93: a potential with three wells in a bent valley."""
    x, y = p[0], p[1]
    return (
        -200 * anp.exp(-((x - 1) ** 2) - 10 * y**2)
        - 100 * anp.exp(-(x**2) - 10 * (y - 0.5) ** 2)
        - 170 * anp.exp(-6.5 * (x + 0.5) ** 2 + 11 * (x + 0.5) * (y - 1.5) - 6.5 * (y - 1.5) ** 2)
        + 15 * anp.exp(0.7 * (x + 1) ** 2 + 0.6 * (x + 1) * (y - 1) + 0.7 * (y - 1) ** 2)
    )


def rastrigin(x: Any) -> Any:
    """10n + Σ xᵢ² − 10 cos 2πxᵢ: Rastrigin (1974), *Systems of Extremal Control*, in n variables."""
    return 10 * len(x) + anp.sum(x**2 - 10 * anp.cos(2 * np.pi * x))


def trefethen(p: Any) -> Any:
    """The fourth of Trefethen's ten problems, SIAM News 35 (2002)."""
    x, y = p[0], p[1]
    waves = anp.exp(anp.sin(50 * x)) + anp.sin(60 * anp.exp(y)) + anp.sin(70 * anp.sin(x)) + anp.sin(anp.sin(80 * y))
    return waves - anp.sin(10 * (x + y)) + (x * x + y * y) / 4


def shubert(p: Any) -> Any:
    """A(x) A(y) with A(t) = Σ i cos((i + 1)t + i), i = 1 … 5: Shubert (1972), SIAM J. Numer. Anal. 9, 379-388."""
    i = np.arange(1.0, 6.0)
    return anp.sum(i * anp.cos((i + 1) * p[0] + i)) * anp.sum(i * anp.cos((i + 1) * p[1] + i))
