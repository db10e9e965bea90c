"""The library's methods against BFGS and trust-region Newton written down naively, straight from the book.

They differ in every detail that a book leaves open, so only the minimizer is compared.
"""

from __future__ import annotations

import numpy as np
import pytest

import problems
from newtonkit import grad, hessian, minimize
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.step_bound import TrustRegion


def textbook_bfgs(fun, gradient, x, tolerance=1e-8, steps=2000):
    """N&W, algorithm 6.1, with a line search that bisects to the weak Wolfe conditions."""
    n = x.size
    H, f, g = np.eye(n), fun(x), gradient(x)
    for k in range(steps):
        if np.linalg.norm(g, np.inf) <= tolerance:
            break
        p = -H @ g
        slope = g @ p
        low, high, alpha = 0.0, np.inf, 1.0
        for _ in range(60):
            x_next = x + alpha * p
            f_next, g_next = fun(x_next), gradient(x_next)
            if not f_next <= f + 1e-4 * alpha * slope:
                high = alpha
            elif g_next @ p < 0.9 * slope:
                low = alpha
            else:
                break
            alpha = 0.5 * (low + high) if np.isfinite(high) else 2.0 * alpha
        s, y = x_next - x, g_next - g
        x, f, g = x_next, f_next, g_next
        if y @ s <= 1e-14 * np.linalg.norm(y) * np.linalg.norm(s):
            H = np.eye(n)
            continue
        if k == 0:
            H = (y @ s) / (y @ y) * np.eye(n)
        rho = 1.0 / (y @ s)
        V = np.eye(n) - rho * np.outer(s, y)
        H = V @ H @ V.T + rho * np.outer(s, s)
    return x


def textbook_subproblem(g, B, radius):
    """The step of N&W, theorem 4.1: its multiplier by bisection, and p. 87 in the hard case."""
    eigenvalues, Q = np.linalg.eigh(B)
    c = Q.T @ g
    lowest = eigenvalues[0]
    if lowest > 0 and np.linalg.norm(c / eigenvalues) <= radius:
        return -Q @ (c / eigenvalues)
    if lowest <= 0:
        # are the components along the lowest eigenvectors rounding only, and what remains too short?
        bottom = eigenvalues - lowest <= 1e-12 * np.abs(eigenvalues).max()
        if np.linalg.norm(c[bottom]) <= 1e-12 * np.linalg.norm(c):
            p = np.where(bottom, 0.0, -c / np.where(bottom, 1.0, eigenvalues - lowest))
            if (gap := radius**2 - p @ p) >= 0:
                p[0] += np.sqrt(gap)
                return Q @ p
    low = max(0.0, -lowest)
    high = low + np.linalg.norm(g) / radius + 1.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        inside = np.linalg.norm(c / (eigenvalues + middle)) <= radius if middle > -lowest else False
        low, high = (low, middle) if inside else (middle, high)
    return -Q @ (c / (eigenvalues + high))


def textbook_trust_region(fun, gradient, second, x, tolerance=1e-8, steps=1000):
    """N&W, algorithm 4.1, with η = 0.1 and a region of at most 100."""
    radius = 1.0
    f, g, B = fun(x), gradient(x), second(x)
    for _ in range(steps):
        if np.linalg.norm(g, np.inf) <= tolerance and np.linalg.eigvalsh(B)[0] >= 0:
            break
        p = textbook_subproblem(g, B, radius)
        predicted = -(g @ p + 0.5 * p @ B @ p)
        f_next = fun(x + p)
        ratio = (f - f_next) / predicted if predicted > 0 else -1.0
        if ratio < 0.25:
            radius *= 0.25
        elif ratio > 0.75 and np.linalg.norm(p) > 0.99 * radius:
            radius = min(2 * radius, 100.0)
        if ratio > 0.1:
            x = x + p
            f, g, B = f_next, gradient(x), second(x)
        if radius < 1e-14:
            break
    return x


# unimodal problems: there is one minimizer, which every method must find
UNIMODAL = [
    ("bowl", {}, "standard"),
    ("bowl", {}, "far"),
    ("long-ellipse", {}, "standard"),
    ("booth", {}, "far"),
    ("matyas", {}, "standard"),
    ("quadratic", {"n": 15, "condition": 1e3}, "standard"),
    ("long-valley", {}, "standard"),
    ("rosenbrock", {}, "standard"),
    ("rosenbrock", {"n": 3}, "standard"),
    ("beale", {}, "standard"),
    ("wood", {}, "standard"),
]


@pytest.mark.parametrize(("name", "parameters", "start"), UNIMODAL)
def test_bfgs_l_bfgs_and_the_textbook_find_the_same_minimizer(name, parameters, start):
    """Each to 1e-5; the gradient tolerance is 1e-8 for all."""
    problem = problems.get(name, **parameters)
    x0 = np.array(problem.starts[start])
    naive = textbook_bfgs(problem.fun, grad(problem.fun), x0)
    assert problem.nearest(naive)[1] <= 1e-5 * max(1.0, np.linalg.norm(problem.best.x)), "the reference itself is right"
    for method in ("bfgs", "lbfgs"):
        ours = minimize(problem.fun, x0, method=method, options={"gtol": 1e-8})
        assert ours.success, ours.message
        np.testing.assert_allclose(ours.x, naive, rtol=0, atol=1e-5 * max(1.0, np.linalg.norm(naive)))


@pytest.mark.parametrize(("name", "parameters", "start"), UNIMODAL)
def test_newton_and_the_textbook_trust_region_find_the_same_minimizer(name, parameters, start):
    problem = problems.get(name, **parameters)
    x0 = np.array(problem.starts[start])
    naive = textbook_trust_region(problem.fun, grad(problem.fun), hessian(problem.fun), x0)
    assert problem.nearest(naive)[1] <= 1e-5 * max(1.0, np.linalg.norm(problem.best.x)), "the reference itself is right"
    for method in ("newton", "newton-linesearch"):
        ours = minimize(problem.fun, x0, method=method, options={"gtol": 1e-8})
        assert ours.success, ours.message
        np.testing.assert_allclose(ours.x, naive, rtol=0, atol=1e-5 * max(1.0, np.linalg.norm(naive)))


@pytest.mark.parametrize("shape", ["positive", "indefinite", "hard"])
@pytest.mark.parametrize("n", [1, 2, 6, 15])
def test_the_subproblem_is_solved_as_well_as_by_bisection(n, shape):
    """The reduction promised, to 1e-7."""
    for seed in range(10):
        rng = np.random.default_rng([seed, n])
        Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
        eigenvalues = np.sort(rng.standard_normal(n))
        eigenvalues = np.abs(eigenvalues) + 0.1 if shape == "positive" else eigenvalues
        eigenvalues[0] -= 0.0 if shape == "positive" else 3.0
        c = rng.standard_normal(n)
        if shape == "hard":
            c[0] = 0.0
        B, g = (Q * eigenvalues) @ Q.T, Q @ c
        B = 0.5 * (B + B.T)
        for radius in (0.01, 0.3, 2.0, 40.0):
            p = textbook_subproblem(g, B, radius)
            reduction = -(g @ p + 0.5 * p @ B @ p)
            assert EigenSubproblem(g, B).solve(TrustRegion(radius)).predicted == pytest.approx(reduction, rel=1e-7)
