"""The true eigenvalues of the Hessian lie inside the bars, wherever the Hessian comes from.

``python tests/theory/test_error_bars.py 1000`` counts them and tells how wide the bars are.
"""

from __future__ import annotations

import sys

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest

from newtonkit import Objective, Oracle, classify
from newtonkit.critical.certify import EXACT, GRADIENTS, VALUES, by_differences, error_bars

RIDGES = [  # φ and φ″ for mpmath, φ and φ′ for arrays
    (lambda u: -mpmath.sin(u), anp.sin, np.cos),
    (mpmath.exp, anp.exp, np.exp),
    (lambda u: 12 * u**2, lambda u: u**4, lambda u: 4 * u**3),
    (lambda u: (6 * u**2 - 2) / (1 + u**2) ** 3, lambda u: 1 / (1 + u**2), lambda u: -2 * u / (1 + u**2) ** 2),
]


def random_case(seed):
    """f = Σ aₖφₖ(wₖᵀx + bₖ), its gradient, a point, and the eigenvalues of the Hessian there to thirty digits."""
    rng = np.random.default_rng([3, seed])
    n, count = int(rng.integers(1, 5)), int(rng.integers(2, 6))
    a, W, b = rng.standard_normal(count), rng.standard_normal((count, n)), rng.standard_normal(count)
    a = a * 10.0 ** rng.uniform(-6, 6)
    chosen, x = rng.integers(0, len(RIDGES), count), 10.0 ** rng.uniform(-2, 0.5) * rng.standard_normal(n)
    x = x / max(1.0, np.linalg.norm(x) / 3.0)

    def fun(x):
        u = anp.dot(W, x) + b
        return sum(a[k] * RIDGES[chosen[k]][1](u[k]) for k in range(count))

    def gradient(x):
        u = np.array([float(t) for t in W @ x + b])  # nothing that autograd could follow
        return sum(a[k] * RIDGES[chosen[k]][2](u[k]) * W[k] for k in range(count))

    with mpmath.workdps(30):
        H = mpmath.zeros(n)
        for k in range(count):
            w = mpmath.matrix(W[k].tolist())
            u = sum(w[i] * mpmath.mpf(float(x[i])) for i in range(n)) + mpmath.mpf(float(b[k]))
            H += mpmath.mpf(float(a[k])) * RIDGES[chosen[k]][0](u) * (w * w.T)
        truth = [*mpmath.eigsy(H, eigvals_only=True)]
    return fun, gradient, x, truth


def errors_and_bars(source, seeds):
    """The largest error of an eigenvalue and the bar, relative to the largest eigenvalue, for every case."""
    for seed in seeds:
        fun, gradient, x, truth = random_case(seed)
        scale = max(1.0, float(np.abs(x).max()))
        objective = {
            EXACT: lambda f=fun: Objective(f),
            GRADIENTS: lambda f=fun, g=gradient: Objective(f, g),
            VALUES: lambda f=fun, s=scale: by_differences(f, (), s),
        }[source]()
        oracle = Oracle(objective, second_order=True)
        g, H = oracle.gradient(x), oracle.hessian(x)
        bars = error_bars(oracle, x, g, H, scale, of_values=source == VALUES)
        assert bars.source == source
        with mpmath.workdps(30):
            computed = [*mpmath.eigsy(mpmath.matrix(H.tolist()), eigvals_only=True)]
            largest = max(abs(t) for t in truth)
            error = max(abs(c - t) for c, t in zip(computed, truth, strict=True))
        yield float(error / largest), bars.eigenvalues / float(largest)


@pytest.mark.parametrize("source", [EXACT, GRADIENTS, VALUES])
def test_true_eigenvalues_lie_inside_the_bars(source):
    """And the bars are no excuse: 1e-12, 1e-6 and 1e-4 of the largest eigenvalue, in nine cases of ten."""
    error, bar = np.array(list(errors_and_bars(source, range(60)))).T
    assert (error <= bar).all()
    assert np.quantile(bar, 0.9) < {EXACT: 1e-12, GRADIENTS: 1e-6, VALUES: 1e-4}[source]


def opaque(fun):
    return lambda x: float(fun([float(t) for t in x]))


def test_differences_of_f_decide_what_is_far_from_singular():
    for x, kind in [([0.0, 0.0], "saddle"), ([np.pi, 0.0], "minimum"), ([1.0, 0.0], "not critical")]:
        verdict = classify(opaque(lambda x: np.cos(x[0]) + x[1] ** 2), x)
        assert (verdict.kind, verdict.source) == (kind, VALUES)


def test_differences_of_f_cannot_decide_curvature_below_root_eps_and_say_so():
    """The same functions are decided by exact derivatives."""
    for small in (1e-9, -1e-9):
        verdict = classify(opaque(lambda x, c=small: 1.0 + x[0] ** 2 + c * x[1] ** 2), [0.0, 0.0])
        assert verdict.kind == "undecided"
        assert "differences of f know no eigenvalue to better than" in verdict.reason
        exact = classify(lambda x, c=small: 1.0 + x[0] ** 2 + c * x[1] ** 2, [0.0, 0.0])
        assert exact.kind == ("minimum" if small > 0.0 else "saddle")


def test_a_constant_added_to_f_widens_the_bars_of_differences_only():
    fun = opaque(lambda x: x[0] ** 2 - x[1] ** 2)
    bars = [classify(lambda x, c=c: c + fun(x), [0.0, 0.0]).eigenvalue_error for c in (1.0, 1e3, 1e6)]
    assert bars[0] < 1e-4 < 1e-3 < bars[2]


if __name__ == "__main__":
    for source in (EXACT, GRADIENTS, VALUES):
        error, bar = np.array(list(errors_and_bars(source, range(int(sys.argv[1]))))).T
        inside, wide = np.mean(error <= bar), np.median(bar / np.maximum(error, 1e-30))
        print(f"{source}: {inside:.2%} inside; bar {np.median(bar):.1e}, {wide:.0f} times the error (medians)")
