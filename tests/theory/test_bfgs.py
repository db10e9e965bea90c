"""BFGS: the secant equation, positive definiteness, the textbook formula, and finite termination on quadratics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import problems
from newtonkit import BFGS, HagerZhang, Objective, Oracle, iterate, minimize
from newtonkit.linesearch import Ray
from newtonkit.methods.bfgs import InverseHessian

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ExactOnQuadratic:
    """The line search that minimizes a quadratic of Hessian A along any ray in one trial."""

    A: Any
    max_trials: int = 1

    def search(self, ray: Ray, alpha: float) -> float:
        """−g·p / p·Ap, whatever was guessed."""
        alpha = -ray.slope0 / float(ray.p @ self.A @ ray.p)
        ray(alpha)
        return alpha


def positive_definite(rng, n, condition):
    """A random symmetric matrix with eigenvalues log-spaced from 1 to its condition number."""
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * np.geomspace(1.0, condition, n)) @ Q.T
    return 0.5 * (A + A.T)


def quadratic(A, c):
    """½(x − c)ᵀA(x − c), with its gradient."""
    return Objective(lambda x: 0.5 * (x - c) @ A @ (x - c), grad=lambda x: A @ (x - c))


def textbook_update(H, s, y):
    """(I − ρsyᵀ) H (I − ρysᵀ) + ρssᵀ with ρ = 1/yᵀs (N&W, eq. 6.17)."""
    rho = 1.0 / (y @ s)
    V = np.eye(s.size) - rho * np.outer(y, s)
    return V.T @ H @ V + rho * np.outer(s, s)


def recorded(objective, x0, steps, method=None):
    """Points, gradients and inverse Hessians of a run; the matrix is copied, since the run updates it in place."""
    states = iterate(method or BFGS(), objective, x0)
    return [(state.x, state.g, state.inverse.matrix.copy()) for state in islice(states, steps + 1)]


def rounding_of_update(H, H_next, s, y, g, g_next):
    """What one update may lose: Hy is the difference of two directions, so it is known to eps·‖H‖(‖g‖ + ‖g₊‖)."""
    loss = EPS * np.linalg.norm(H) * (np.linalg.norm(g) + np.linalg.norm(g_next))
    amplified = np.linalg.norm(s) * np.linalg.norm(y) / (s @ y)
    return loss * amplified / np.linalg.norm(y) * (1 + amplified) + EPS * (
        np.linalg.norm(H_next) + np.linalg.norm(H) * (1 + amplified) ** 2
    )


RUNS = [
    ("rosenbrock", {}, 20),
    ("rosenbrock", {"n": 10}, 35),
    ("beale", {}, 10),
    ("wood", {}, 25),
    ("quadratic", {"n": 12, "condition": 1e4}, 25),
    ("himmelblau", {}, 7),
    ("styblinski-tang", {"n": 5}, 5),
]


@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_after_every_step_the_inverse_hessian_meets_the_secant_equation(name, parameters, steps):
    """H₊y = s, to a hundred times the rounding of one update times ‖y‖."""
    problem = problems.get(name, **parameters)
    trace = recorded(problem.fun, problem.starts["standard"], steps)
    for (x, g, H), (x_next, g_next, H_next) in pairwise(trace):
        s, y = x_next - x, g_next - g
        rounding = rounding_of_update(H, H_next, s, y, g, g_next) * np.linalg.norm(y)
        assert np.linalg.norm(H_next @ y - s) <= 100 * rounding
        assert rounding < 1e-3 * np.linalg.norm(s), "else this says nothing"


@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_the_inverse_hessian_stays_symmetric_and_positive_definite(name, parameters, steps):
    problem = problems.get(name, **parameters)
    for _, _, H in recorded(problem.fun, problem.starts["standard"], steps):
        np.testing.assert_array_equal(H, H.T)
        assert np.linalg.eigvalsh(H)[0] > 0.0


@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_every_update_is_the_textbook_product(name, parameters, steps):
    """One step at a time, from the matrix before; the first from γI with γ = sᵀy/yᵀy (N&W, eq. 6.20)."""
    problem = problems.get(name, **parameters)
    trace = recorded(problem.fun, problem.starts["standard"], steps)
    for k, ((x, g, H), (x_next, g_next, H_next)) in enumerate(pairwise(trace)):
        s, y = x_next - x, g_next - g
        before = np.eye(s.size) * (s @ y) / (y @ y) if k == 0 else H
        error = np.linalg.norm(H_next - textbook_update(before, s, y))
        assert error <= 100 * rounding_of_update(before, H_next, s, y, g, g_next)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))
def test_any_sequence_of_pairs_gives_the_textbook_matrix(n, updates, seed):
    """All updates together, pairs from a random positive definite Hessian of condition 100; 1e4·n·eps."""
    rng = np.random.default_rng(seed)
    A = positive_definite(rng, n, 100.0)
    workspace, expected, g = InverseHessian(n), None, rng.standard_normal(n)
    for _ in range(updates):
        s = rng.standard_normal(n)
        y = A @ s
        g = g + y
        workspace.update(s, y, g)
        if expected is None:
            expected = np.eye(n) * (s @ y) / (y @ y)
        expected = textbook_update(expected, s, y)
        size = np.linalg.norm(expected)
        np.testing.assert_allclose(workspace.matrix, expected, rtol=0, atol=1e4 * n * EPS * size)
        np.testing.assert_allclose(
            workspace.direction, -expected @ g, rtol=0, atol=1e4 * n * EPS * size * np.linalg.norm(g)
        )


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("condition", [1.0, 10.0, 50.0])
def test_with_exact_line_searches_a_quadratic_ends_in_n_steps(n, condition):
    """n steps, and one more for rounding: with gtol at 1e-9 of the first gradient (N&W, theorem 6.4).

    n and the condition are small, for the theorem is one of exact arithmetic: at n = 12 and condition 50 the textbook
    formula has lost conjugacy to 1e-4 by the last step.
    """
    rng = np.random.default_rng(n)
    A = positive_definite(rng, n, condition)
    x0, c = rng.standard_normal(n), rng.standard_normal(n)
    first = float(np.abs(A @ (x0 - c)).max())
    result = minimize(
        lambda x: 0.5 * (x - c) @ A @ (x - c),
        x0,
        jac=lambda x: A @ (x - c),
        method=BFGS(line_search=ExactOnQuadratic(A)),
        options={"gtol": 1e-9 * first},
    )
    assert result.success
    assert result.nit <= n + 1
    if n > 1 and condition > 1.0:
        assert result.nit >= n, "were it solved in fewer, the theorem would not have been tested"


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_with_exact_line_searches_the_steps_are_conjugate(n):
    """sᵢᵀAsⱼ = 0 for i ≠ j, to 1e-8 of the product of their energy norms at condition 20."""
    rng = np.random.default_rng(10 + n)
    A = positive_definite(rng, n, 20.0)
    x0, c = rng.standard_normal(n), rng.standard_normal(n)
    trace = recorded(quadratic(A, c), x0, n, BFGS(line_search=ExactOnQuadratic(A)))
    S = np.array([x_next - x for (x, _, _), (x_next, _, _) in pairwise(trace)])
    energy = np.sqrt(np.einsum("ki,ij,kj->k", S, A, S))
    products = (S @ A @ S.T) / np.outer(energy, energy)
    np.testing.assert_allclose(products, np.eye(len(S)), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_after_n_exact_steps_on_a_quadratic_the_matrix_is_the_inverse_hessian(n):
    """To 1e-6 at condition 50: the errors of all pairs add up (N&W, theorem 6.4)."""
    rng = np.random.default_rng(20 + n)
    A = positive_definite(rng, n, 50.0)
    x0, c = rng.standard_normal(n), rng.standard_normal(n)
    H = recorded(quadratic(A, c), x0, n, BFGS(line_search=ExactOnQuadratic(A)))[-1][2]
    np.testing.assert_allclose(H @ A, np.eye(n), rtol=0, atol=1e-6)


def test_the_first_direction_is_steepest_descent_and_later_ones_are_minus_h_times_g():
    problem = problems.get("rosenbrock")
    trace = recorded(problem.fun, problem.starts["standard"], 12)
    for k, ((x, g, H), (x_next, _, _)) in enumerate(pairwise(trace)):
        p, s = (-g if k == 0 else -H @ g), x_next - x
        cosine = (p @ s) / (np.linalg.norm(p) * np.linalg.norm(s))
        assert cosine == pytest.approx(1.0, abs=1e-10)


def test_a_pair_without_curvature_is_skipped_and_the_matrix_kept():
    rng = np.random.default_rng(3)
    workspace, g = InverseHessian(4), rng.standard_normal(4)
    s = rng.standard_normal(4)
    workspace.update(s, 2.0 * s, g + 2.0 * s)
    kept = workspace.matrix.copy()
    for y in (-s, np.zeros(4), s - s * (s @ s) / (s @ s)):
        workspace.update(s, y, g)
        np.testing.assert_array_equal(workspace.matrix, kept)
        np.testing.assert_allclose(workspace.direction, -kept @ g, rtol=0, atol=100 * EPS * np.linalg.norm(g))
        assert "skipped" in workspace.note


def test_on_a_concave_stretch_the_matrix_still_ends_positive_definite():
    """Wolfe's conditions give sᵀy > 0 on every accepted step, also where the Hessian is indefinite."""
    problem = problems.get("strict-saddle")
    trace = recorded(problem.fun, problem.starts["indefinite"], 8)
    indefinite = 0
    for (x, g, _), (x_next, g_next, H_next) in pairwise(trace):
        indefinite += 3 * x[1] ** 2 < 2
        assert (x_next - x) @ (g_next - g) > 0.0
        assert np.linalg.eigvalsh(H_next)[0] > 0.0
    assert indefinite > 0


def test_stepping_a_stale_state_raises():
    problem = problems.get("rosenbrock")
    oracle, method = Oracle(Objective(problem.fun)), BFGS(line_search=HagerZhang())
    first = method.init(oracle, np.array(problem.starts["standard"]))
    second = method.step(oracle, first)
    method.step(oracle, second)
    with pytest.raises(RuntimeError, match="stale"):
        method.step(oracle, second)
