"""BFGS and DFP: the secant equation, definiteness, the textbook formulas, and finite termination on quadratics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import problems
from newtonkit import BFGS, Evaluator, HagerZhang, Objective, iterate, minimize
from newtonkit.linesearch.line_function import LineFunction
from newtonkit.methods.dfp import DFP

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ExactOnQuadratic:
    """The line search that minimizes a quadratic of Hessian A along any ray in one trial."""

    A: Any
    max_trials: int = 1

    def search(self, ray: LineFunction, alpha: float) -> float:
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


def bfgs_update(H, s, y):
    """(I − ρsyᵀ) H (I − ρysᵀ) + ρssᵀ with ρ = 1/yᵀs (N&W, eq. 6.17)."""
    rho = 1.0 / (y @ s)
    V = np.eye(s.size) - rho * np.outer(y, s)
    return V.T @ H @ V + rho * np.outer(s, s)


def dfp_update(H, s, y):
    """H − HyyᵀH/yᵀHy + ssᵀ/yᵀs (N&W, eq. 6.15)."""
    return H - np.outer(H @ y, H @ y) / (y @ H @ y) + np.outer(s, s) / (y @ s)


UPDATES = {BFGS: bfgs_update, DFP: dfp_update}
RANK_TWO = [BFGS, DFP]


def textbook(kind, **options):
    """The method without self-scaling."""
    return kind(self_scaling=False, **options)


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


@pytest.mark.parametrize("kind", RANK_TWO)
@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_after_every_step_the_inverse_hessian_meets_the_secant_equation(kind, name, parameters, steps):
    """H₊y = s, to a hundred times the rounding of one update times ‖y‖."""
    problem = problems.get(name, **parameters)
    trace = recorded(problem.fun, problem.starts["standard"], steps, kind())
    for (x, g, H), (x_next, g_next, H_next) in pairwise(trace):
        s, y = x_next - x, g_next - g
        rounding = rounding_of_update(H, H_next, s, y, g, g_next) * np.linalg.norm(y)
        assert np.linalg.norm(H_next @ y - s) <= 100 * rounding
        assert rounding < 1e-3 * np.linalg.norm(s), "otherwise the test is meaningless"


@pytest.mark.parametrize("kind", RANK_TWO)
@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_the_inverse_hessian_stays_symmetric_and_positive_definite(kind, name, parameters, steps):
    problem = problems.get(name, **parameters)
    for _, _, H in recorded(problem.fun, problem.starts["standard"], steps, kind()):
        np.testing.assert_array_equal(H, H.T)
        assert np.linalg.eigvalsh(H)[0] > 0.0


@pytest.mark.parametrize("kind", RANK_TWO)
@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_every_update_is_the_textbook_formula_on_the_scaled_matrix(kind, name, parameters, steps):
    """One step at a time, from θ times the matrix before; the first from γI with γ = sᵀy/yᵀy (N&W, eq. 6.20)."""
    problem = problems.get(name, **parameters)
    x0 = problem.starts["standard"]
    states = [(state, state.inverse.matrix) for state in islice(iterate(kind(), problem.fun, x0), steps + 1)]
    scaled, rounding = 0, 0.0
    for k, ((state, H), (following, H_next)) in enumerate(pairwise(states)):
        x, g, x_next, g_next = state.x, state.g, following.x, following.g
        s, y = x_next - x, g_next - g
        before = np.eye(s.size) * (s @ y) / (y @ y)
        if k > 0:
            theta = max(1.0, following.info.alpha**2 * (g @ H @ g) / (s @ y))
            scaled += theta > 1.0
            before = theta * H
        error = np.linalg.norm(H_next - UPDATES[kind](before, s, y))
        # θ is known as well as gᵀHg and sᵀy are, and p = −Hg only as well as the update before left it
        amplified = np.linalg.norm(s) * np.linalg.norm(y) / (s @ y)
        known = np.linalg.norm(H) * (g @ g) / (g @ H @ g) + amplified
        inherited = rounding * np.linalg.norm(g) / np.linalg.norm(y) * amplified * (1 + amplified)
        rounding = rounding_of_update(before, H_next, s, y, g, g_next) + EPS * known * np.linalg.norm(before)
        assert error <= 100 * (rounding + inherited)
    assert scaled > 0, "no step of this run was long for its matrix"


@pytest.mark.parametrize("kind", RANK_TWO)
def test_the_factor_of_the_matrix_is_what_it_was_too_small_along_the_step(kind):
    """θ = max(1, sᵀH⁻¹s / sᵀy), here by solving with H; to 1e-6, for H has a condition of up to 1e4."""
    problem = problems.get("wood")
    trace = recorded(problem.fun, problem.starts["standard"], 20, kind())[1:]
    seen = []
    for (x, g, H), (x_next, g_next, H_next) in pairwise(trace):
        s, y = x_next - x, g_next - g
        theta = max(1.0, (s @ np.linalg.solve(H, s)) / (s @ y))
        expected = UPDATES[kind](theta * H, s, y)
        np.testing.assert_allclose(H_next, expected, rtol=0, atol=1e-6 * np.linalg.norm(expected))
        seen.append(theta)
    assert min(seen) == 1.0 < max(seen)


@pytest.mark.parametrize("kind", UPDATES)
def test_without_self_scaling_every_update_is_the_textbook_formula(kind):
    """Over a whole run, to 1e-6."""
    problem = problems.get("wood")
    trace = recorded(problem.fun, problem.starts["standard"], 15, textbook(kind))
    for k, ((x, g, H), (x_next, g_next, H_next)) in enumerate(pairwise(trace)):
        s, y = x_next - x, g_next - g
        before = np.eye(s.size) * (s @ y) / (y @ y) if k == 0 else H
        np.testing.assert_allclose(
            H_next, UPDATES[kind](before, s, y), rtol=0, atol=1e-6 * (np.linalg.norm(before) + np.linalg.norm(H_next))
        )


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.sampled_from(RANK_TWO), st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))
def test_any_sequence_of_pairs_gives_the_textbook_matrix(kind, n, updates, seed):
    """All updates together, each on θH with θ up to 100, pairs from a Hessian of condition 100; 1e6·n·eps."""
    rng = np.random.default_rng(seed)
    A = positive_definite(rng, n, 100.0)
    workspace, expected, g = kind.workspace(n), None, rng.standard_normal(n)
    for _ in range(updates):
        s = rng.standard_normal(n)
        y = A @ s
        g = g + y
        theta = 1.0 if rng.random() < 0.5 else 10.0 ** rng.uniform(0.0, 2.0)
        workspace.update(s, y, g, theta)
        expected = np.eye(n) * (s @ y) / (y @ y) if expected is None else theta * expected
        expected = UPDATES[kind](expected, s, y)
        size = np.linalg.norm(expected)
        np.testing.assert_allclose(workspace.matrix, expected, rtol=0, atol=1e6 * n * EPS * size)
        np.testing.assert_allclose(
            workspace.direction, -expected @ g, rtol=0, atol=1e6 * n * EPS * size * np.linalg.norm(g)
        )


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("condition", [1.0, 10.0, 50.0])
@pytest.mark.parametrize("method", [BFGS, DFP, textbook], ids=["bfgs", "dfp", "textbook"])
def test_with_exact_line_searches_a_quadratic_ends_in_n_steps(method, n, condition):
    """n steps, and one more for rounding: with gtol at 1e-9 of the first gradient (N&W, theorem 6.4).

    n and the condition are small, for the theorem is one of exact arithmetic: at n = 12 and condition 50 the textbook
    formula has lost conjugacy to 1e-4 by the last step.
    """
    rng = np.random.default_rng(n)
    A = positive_definite(rng, n, condition)
    x0, c = rng.standard_normal(n), rng.standard_normal(n)
    first = float(np.abs(A @ (x0 - c)).max())
    exact = ExactOnQuadratic(A)
    result = minimize(
        lambda x: 0.5 * (x - c) @ A @ (x - c),
        x0,
        jac=lambda x: A @ (x - c),
        method=method(BFGS, line_search=exact) if method is textbook else method(line_search=exact),
        options={"gtol": 1e-9 * first},
    )
    assert result.success
    assert result.nit <= n + 1
    if n > 1 and condition > 1.0:
        assert result.nit >= n, "were it solved in fewer, the theorem would not have been tested"


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_with_exact_line_searches_the_steps_are_conjugate(n):
    """sᵢᵀAsⱼ = 0 for i ≠ j, to 1e-8 of the product of their energy norms at condition 20; self-scaling keeps it."""
    rng = np.random.default_rng(10 + n)
    A = positive_definite(rng, n, 20.0)
    x0, c = rng.standard_normal(n), rng.standard_normal(n)
    trace = recorded(quadratic(A, c), x0, n, BFGS(line_search=ExactOnQuadratic(A)))
    S = np.array([x_next - x for (x, _, _), (x_next, _, _) in pairwise(trace)])
    energy = np.sqrt(np.einsum("ki,ij,kj->k", S, A, S))
    products = (S @ A @ S.T) / np.outer(energy, energy)
    np.testing.assert_allclose(products, np.eye(len(S)), rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", UPDATES)
@pytest.mark.parametrize("n", [2, 5, 9])
def test_after_n_exact_steps_on_a_quadratic_the_textbook_matrix_is_the_inverse_hessian(kind, n):
    """To 1e-6 at condition 50: the errors of all pairs add up (N&W, theorems 6.1 and 6.4)."""
    rng = np.random.default_rng(20 + n)
    A = positive_definite(rng, n, 50.0)
    x0, c = rng.standard_normal(n), rng.standard_normal(n)
    H = recorded(quadratic(A, c), x0, n, textbook(kind, line_search=ExactOnQuadratic(A)))[-1][2]
    np.testing.assert_allclose(H @ A, np.eye(n), rtol=0, atol=1e-6)


def test_the_first_direction_is_steepest_descent_and_later_ones_are_minus_h_times_g():
    problem = problems.get("rosenbrock")
    trace = recorded(problem.fun, problem.starts["standard"], 12)
    for k, ((x, g, H), (x_next, _, _)) in enumerate(pairwise(trace)):
        p, s = (-g if k == 0 else -H @ g), x_next - x
        cosine = (p @ s) / (np.linalg.norm(p) * np.linalg.norm(s))
        assert cosine == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("kind", RANK_TWO)
def test_a_pair_without_curvature_is_skipped_and_the_matrix_kept(kind):
    rng = np.random.default_rng(3)
    workspace, g = kind.workspace(4), rng.standard_normal(4)
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


@pytest.mark.parametrize("method", [BFGS(line_search=HagerZhang()), DFP()])
def test_stepping_a_stale_state_raises(method):
    problem = problems.get("rosenbrock")
    evaluator = Evaluator(Objective(problem.fun))
    first = method.init(evaluator, np.array(problem.starts["standard"]))
    second = method.step(evaluator, first)
    method.step(evaluator, second)
    with pytest.raises(RuntimeError, match="stale"):
        method.step(evaluator, second)


@pytest.mark.parametrize("k", [-40, 37])
@pytest.mark.parametrize("kind", UPDATES)
def test_multiplying_f_by_a_power_of_two_leaves_every_point_the_same_to_the_last_bit(kind, k):
    problem = problems.get("rosenbrock", n=8)
    x0 = problem.starts["standard"]
    one = [state.x for state in islice(iterate(kind(), problem.fun, x0), 30)]
    other = [state.x for state in islice(iterate(kind(), lambda x: 2.0**k * problem.fun(x), x0), 30)]
    np.testing.assert_array_equal(one, other)
