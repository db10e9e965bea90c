"""Random functions whose Hessians are known to thirty digits: do true eigenvalues lie inside the error bars?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray

import newtonkit
from newtonkit.classification.error_bars import EXACT, GRADIENTS, VALUES, by_differences, error_bars

Vector = NDArray[np.float64]

SOURCES = (EXACT, GRADIENTS, VALUES)
_DIGITS = 30


class RandomCase(NamedTuple):
    """f = Σ aₖφₖ(wₖᵀx + bₖ) at a point."""

    fun: Callable[[Any], Any]
    gradient: Callable[[Vector], Vector]
    """f in Python floats, which autograd cannot trace."""
    x: Vector
    eigenvalues: list[Any]
    """Of the Hessian, ascending, to thirty digits."""


class Measured(NamedTuple):
    """One case: the largest error of its eigenvalues and the error bar, both relative to the largest eigenvalue."""

    error: float
    bar: float


def random_case(seed: int) -> RandomCase:
    """One to four variables, two to five terms, in any unit of f."""
    mpmath = _mpmath()
    ridges = [  # φ″ for mpmath, φ and φ′ for arrays
        (lambda u: -mpmath.sin(u), anp.sin, np.cos),
        (mpmath.exp, anp.exp, np.exp),
        (lambda u: 12 * u**2, lambda u: u**4, lambda u: 4 * u**3),
        (lambda u: (6 * u**2 - 2) / (1 + u**2) ** 3, lambda u: 1 / (1 + u**2), lambda u: -2 * u / (1 + u**2) ** 2),
    ]
    rng = np.random.default_rng([3, seed])
    n, count = int(rng.integers(1, 5)), int(rng.integers(2, 6))
    a, W, b = rng.standard_normal(count), rng.standard_normal((count, n)), rng.standard_normal(count)
    a = a * 10.0 ** rng.uniform(-6, 6)
    chosen, x = rng.integers(0, len(ridges), count), 10.0 ** rng.uniform(-2, 0.5) * rng.standard_normal(n)
    x = x / max(1.0, float(np.linalg.norm(x)) / 3.0)

    def fun(x: Any) -> Any:
        u = anp.dot(W, x) + b
        return sum(a[k] * ridges[chosen[k]][1](u[k]) for k in range(count))

    def gradient(x: Vector) -> Vector:
        u = np.array([float(t) for t in W @ x + b])
        slope: Vector = sum((a[k] * ridges[chosen[k]][2](u[k]) * W[k] for k in range(count)), np.zeros(n))
        return slope

    with mpmath.workdps(_DIGITS):
        H = mpmath.zeros(n)
        for k in range(count):
            w = mpmath.matrix(W[k].tolist())
            u = sum(w[i] * mpmath.mpf(float(x[i])) for i in range(n)) + mpmath.mpf(float(b[k]))
            H += mpmath.mpf(float(a[k])) * ridges[chosen[k]][0](u) * (w * w.T)
        truth = [*mpmath.eigsy(H, eigvals_only=True)]
    return RandomCase(fun, gradient, x, truth)


def measured(source: str, seeds: Iterable[int]) -> Iterator[Measured]:
    """The error and the bar for each case, with the Hessian from one of `SOURCES`."""
    mpmath = _mpmath()
    for seed in seeds:
        case = random_case(seed)
        scale = max(1.0, float(np.abs(case.x).max()))
        if source == EXACT:
            objective = newtonkit.Objective(case.fun)
        elif source == GRADIENTS:
            objective = newtonkit.Objective(case.fun, case.gradient)
        else:
            objective = by_differences(case.fun, (), scale)
        evaluator = newtonkit.Evaluator(objective, second_order=True)
        g, H = evaluator.gradient(case.x), evaluator.hessian(case.x)
        bars = error_bars(evaluator, case.x, g, H, scale, of_values=source == VALUES)
        if bars.source != source:
            raise RuntimeError(f"the Hessian came from {bars.source}, not from {source}")
        with mpmath.workdps(_DIGITS):
            computed = [*mpmath.eigsy(mpmath.matrix(H.tolist()), eigvals_only=True)]
            largest = max(abs(t) for t in case.eigenvalues)
            error = max(abs(c - t) for c, t in zip(computed, case.eigenvalues, strict=True))
        yield Measured(float(error / largest), bars.eigenvalues / float(largest))


def _mpmath() -> Any:
    try:
        import mpmath  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise ImportError("eigenvalues to thirty digits require mpmath: pip install mpmath") from None
    return mpmath
