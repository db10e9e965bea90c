"""L-BFGS: the two-loop recursion is the product with the BFGS matrix of its pairs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import problems
from newtonkit import BFGS, LBFGS, Evaluator, HagerZhang, Objective, iterate
from newtonkit.linesearch.line_function import LineFunction
from newtonkit.methods.lbfgs import CurvaturePairs

EPS = float(np.finfo(np.float64).eps)


def materialised(pairs, gamma, n):
    """The BFGS matrix that these pairs, oldest first, make of γI (N&W, eq. 7.16 and 7.19)."""
    H = gamma * np.eye(n)
    for s, y in pairs:
        rho = 1.0 / (y @ s)
        V = np.eye(n) - rho * np.outer(y, s)
        H = V.T @ H @ V + rho * np.outer(s, s)
    return H


def random_pairs(rng, n, count):
    """Steps and what a positive definite Hessian of condition 100 makes of them."""
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * np.geomspace(1.0, 100.0, n)) @ Q.T
    steps = rng.standard_normal((count, n))
    return [(s, A @ s) for s in steps]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(1, 20), st.integers(1, 12), st.integers(1, 25), st.integers(0, 10**6))
def test_the_two_loop_product_is_the_product_with_the_materialised_matrix(n, memory, pushed, seed):
    """Of the last ``memory`` pairs, rescaled by the newest; to 1e4·n·eps of ‖H‖‖v‖."""
    rng = np.random.default_rng(seed)
    pairs, workspace = random_pairs(rng, n, pushed), CurvaturePairs(n, memory)
    for s, y in pairs:
        assert workspace.push(s.copy(), y.copy())
    assert len(workspace) == min(memory, pushed)
    s, y = pairs[-1]
    H = materialised(pairs[-memory:], (s @ y) / (y @ y), n)
    v = rng.standard_normal(n)
    before = v.copy()
    product = workspace.inverse_hessian_times(v)
    np.testing.assert_array_equal(v, before)
    np.testing.assert_allclose(product, H @ v, rtol=0, atol=1e4 * n * EPS * np.linalg.norm(H) * np.linalg.norm(v))


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.integers(1, 15), st.integers(1, 8), st.integers(0, 10**6))
def test_the_product_meets_the_newest_secant_equation(n, memory, seed):
    """Hy = s, to 1e4·n·eps of ‖H‖‖y‖."""
    rng = np.random.default_rng(seed)
    pairs, workspace = random_pairs(rng, n, memory + 3), CurvaturePairs(n, memory)
    for s, y in pairs:
        workspace.push(s, y)
    s, y = pairs[-1]
    size = np.linalg.norm(materialised(pairs[-memory:], (s @ y) / (y @ y), n))
    np.testing.assert_allclose(
        workspace.inverse_hessian_times(y), s, rtol=0, atol=1e4 * n * EPS * size * np.linalg.norm(y)
    )


def test_a_pair_without_curvature_is_not_kept():
    workspace = CurvaturePairs(2, 3)
    s = np.array([1.0, 2.0])
    assert workspace.push(s, 3.0 * s)
    product = workspace.inverse_hessian_times(s)
    for y in (-s, np.zeros(2), np.array([2.0, -1.0])):
        assert not workspace.push(s, y)
    assert len(workspace) == 1
    np.testing.assert_array_equal(workspace.inverse_hessian_times(s), product)


RUNS = [
    ("rosenbrock", {}, 20),
    ("rosenbrock", {"n": 10}, 30),
    ("wood", {}, 25),
    ("quadratic", {"n": 12, "condition": 1e3}, 20),
    ("six-hump-camel", {}, 6),
]


@pytest.mark.parametrize("memory", [1, 3, 100])
@pytest.mark.parametrize(("name", "parameters", "steps"), RUNS)
def test_every_step_of_a_run_goes_along_the_materialised_direction(name, parameters, steps, memory):
    """With memory for all pairs this is BFGS whose first matrix is rescaled by the last pair instead of the first.

    To 1e-8: the condition of H times eps.
    """
    problem = problems.get(name, **parameters)
    states = list(islice(iterate(LBFGS(memory=memory), problem.fun, problem.starts["standard"]), steps + 1))
    pairs = []
    for state, following in pairwise(states):
        s, y = following.x - state.x, following.g - state.g
        p = -state.g
        if pairs:
            newest_s, newest_y = pairs[-1]
            gamma = (newest_s @ newest_y) / (newest_y @ newest_y)
            p = -materialised(pairs[-memory:], gamma, problem.n) @ state.g
        assert (p @ s) / (np.linalg.norm(p) * np.linalg.norm(s)) == pytest.approx(1.0, abs=1e-8)
        assert following.info.alpha * np.linalg.norm(p) == pytest.approx(np.linalg.norm(s), rel=1e-6)
        pairs.append((s, y))


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


@pytest.mark.parametrize("n", [2, 4, 8])
def test_on_a_quadratic_with_exact_searches_l_bfgs_and_bfgs_give_the_same_points(n):
    """There the points do not depend on the first matrix, so that the rescaling does not matter (N&W, p. 180)."""
    rng = np.random.default_rng(n)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * np.geomspace(1.0, 30.0, n)) @ Q.T
    A = 0.5 * (A + A.T)
    c, x0 = rng.standard_normal(n), rng.standard_normal(n)
    objective = Objective(lambda x: 0.5 * (x - c) @ A @ (x - c), grad=lambda x: A @ (x - c))
    exact = ExactOnQuadratic(A)
    ours = islice(iterate(LBFGS(memory=n, line_search=exact), objective, x0), n + 1)
    theirs = islice(iterate(BFGS(line_search=exact), objective, x0), n + 1)
    distances = []
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.x, other.x, rtol=0, atol=1e-9)
        distances.append(np.linalg.norm(one.x - c))
    assert distances[-1] <= 1e-9 < distances[-2]


def test_two_steps_agree_with_bfgs_whatever_the_function():
    """After one pair the rescaling is the same; only from the third step on may the points differ."""
    problem = problems.get("rosenbrock", n=6)
    x0 = problem.starts["standard"]
    bfgs = list(islice(iterate(BFGS(line_search=HagerZhang()), problem.fun, x0), 4))
    lbfgs = list(islice(iterate(LBFGS(line_search=HagerZhang()), problem.fun, x0), 4))
    for one, other in zip(bfgs[:3], lbfgs[:3], strict=True):
        np.testing.assert_allclose(one.x, other.x, rtol=1e-12)
    assert not np.allclose(bfgs[3].x, lbfgs[3].x, rtol=1e-6)


@pytest.mark.parametrize(("n", "memory", "kept"), [(2, None, 20), (1000, None, 20), (1001, None, 10), (1001, 3, 3)])
def test_by_default_twenty_pairs_are_kept_where_they_cost_nothing_and_ten_above(n, memory, kept):
    objective = Objective(lambda x: 0.5 * x @ x, grad=lambda x: x)
    state = LBFGS(memory=memory).init(Evaluator(objective), np.ones(n))
    assert state.pairs.memory == kept


@pytest.mark.parametrize("memory", [1, 2, 5])
def test_pairs_survive_being_moved_to_the_front_of_their_arrays(memory):
    """After each of many pushes the product is that of the last pairs, whatever was dropped and moved."""
    rng = np.random.default_rng(memory)
    pairs, workspace, v = random_pairs(rng, 6, 4 * memory + 3), CurvaturePairs(6, memory), rng.standard_normal(6)
    for k, (s, y) in enumerate(pairs, start=1):
        workspace.push(s, y)
        H = materialised(pairs[max(0, k - memory) : k], (s @ y) / (y @ y), 6)
        np.testing.assert_allclose(
            workspace.inverse_hessian_times(v), H @ v, rtol=0, atol=1e5 * EPS * np.linalg.norm(H) * np.linalg.norm(v)
        )


@pytest.mark.parametrize("memory", [1, 3])
def test_a_snapshot_of_pairs_keeps_its_product_and_so_do_the_pairs(memory):
    """Both share their arrays until one of them stores another pair."""
    rng = np.random.default_rng(memory)
    pairs, workspace, v = random_pairs(rng, 5, 9), CurvaturePairs(5, memory), rng.standard_normal(5)
    for s, y in pairs[:4]:
        workspace.push(s, y)
    first, second = workspace.snapshot(), workspace.snapshot()
    before = workspace.inverse_hessian_times(v)
    for s, y in pairs[4:]:
        workspace.push(s, y)
    np.testing.assert_array_equal(first.inverse_hessian_times(v), before)
    after = workspace.inverse_hessian_times(v)
    for s, y in pairs[4:]:
        first.push(s, y)
    np.testing.assert_array_equal(second.inverse_hessian_times(v), before)
    np.testing.assert_array_equal(first.inverse_hessian_times(v), after)
    np.testing.assert_array_equal(workspace.inverse_hessian_times(v), after)
