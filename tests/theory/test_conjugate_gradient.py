"""Nonlinear conjugate gradients: descent, conjugacy, the formula of Hager & Zhang, restarts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest

import problems
from newtonkit import Evaluator, Objective, State, iterate, minimize
from newtonkit.core.state import FIRST
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.line_function import LineFunction
from newtonkit.methods.conjugate_gradient import ConjugateGradient, _first_trial

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


def quadratic(n, condition, seed):
    """A, its ½(x − c)ᵀA(x − c) with a gradient, and a start."""
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * np.geomspace(1.0, condition, n)) @ Q.T
    A = 0.5 * (A + A.T)
    c, x0 = rng.standard_normal(n), rng.standard_normal(n)
    return A, Objective(lambda x: 0.5 * (x - c) @ A @ (x - c), grad=lambda x: A @ (x - c)), x0


def states_of(method, fun, x0, count):
    """The states of a run, as far as ‖g‖ is above 1e-6 of its first value."""
    found = []
    for state in islice(iterate(method, fun, x0), count):
        found.append(state)
        if np.linalg.norm(state.g) <= 1e-6 * np.linalg.norm(found[0].g):
            break
    return found


RUNS = [
    ("rosenbrock", {"n": 10}, "standard"),
    ("wood", {}, "standard"),
    ("beale", {}, "document"),
    ("himmelblau", {}, "indefinite"),
    ("goldstein-price", {}, "far"),
    ("powell-singular", {}, "standard"),
]


@pytest.mark.parametrize("sigma", [0.1, 0.4, 0.9])
@pytest.mark.parametrize(("name", "parameters", "start"), RUNS)
def test_every_direction_descends_whatever_the_line_search(name, parameters, start, sigma):
    """gᵀp ≤ −⅞‖g‖² (Hager & Zhang, 2005, theorem 1.1), where the lower bound on β has not taken effect too."""
    problem = problems.get(name, **parameters)
    method = ConjugateGradient(line_search=HagerZhang(sigma=sigma))
    conjugate = 0
    for state in states_of(method, problem.fun, problem.starts[start], 40)[1:]:
        assert state.p @ state.g <= -0.875 * (1 - 1e-6) * (state.g @ state.g)
        conjugate += state.since > 0
    assert conjugate > 5


@pytest.mark.parametrize(("name", "parameters", "start"), RUNS)
def test_every_direction_is_that_of_the_formula(name, parameters, start):
    """To 1e-10 of its length: the formula subtracts numbers that are larger than their difference."""
    problem = problems.get(name, **parameters)
    method = ConjugateGradient(eta=0.1)
    for state, following in pairwise(states_of(method, problem.fun, problem.starts[start], 30)[1:]):
        p, y = state.p, following.g - state.g
        free = (y - 2 * p * (y @ y) / (y @ p)) @ following.g / (y @ p)
        bound = 0.1 * (state.g @ p) / (p @ p)
        expected = -following.g + (max(free, bound) if following.since else 0.0) * p
        assert np.linalg.norm(following.p - expected) <= 1e-10 * np.linalg.norm(expected)


def test_the_lower_bound_on_beta_takes_effect():
    """With η next to nothing, no β is negative; with η large, some are."""
    problem = problems.get("rosenbrock", n=10)
    lowest = {}
    for eta in (1e-12, 10.0):
        states = islice(iterate(ConjugateGradient(eta=eta), problem.fun, problem.starts["standard"]), 1, 40)
        betas = [(b.p + b.g) @ a.p / (a.p @ a.p) for a, b in pairwise(states)]
        lowest[eta] = min(betas)
    assert lowest[1e-12] >= -1e-10
    assert lowest[10.0] < -1e-3


@pytest.mark.parametrize("n", [2, 3, 5, 8])
@pytest.mark.parametrize("condition", [10.0, 50.0])
def test_with_exact_line_searches_a_quadratic_ends_in_n_steps(n, condition):
    """n steps, and one more for rounding (N&W, theorem 5.1): β^N is then that of Hestenes and Stiefel."""
    A, objective, x0 = quadratic(n, condition, n)
    first = float(np.abs(objective.gradient(x0)).max())
    result = minimize(
        objective.fun,
        x0,
        jac=objective.grad,
        method=ConjugateGradient(line_search=ExactOnQuadratic(A)),
        options={"gtol": 1e-9 * first},
    )
    assert result.success
    assert n <= result.nit <= n + 1


def test_with_exact_line_searches_the_steps_are_conjugate():
    """sᵢᵀAsⱼ = 0 for i ≠ j, to 1e-8 of the product of their energy norms at condition 20."""
    n = 6
    A, objective, x0 = quadratic(n, 20.0, 1)
    states = list(islice(iterate(ConjugateGradient(line_search=ExactOnQuadratic(A)), objective, x0), n + 1))
    S = np.array([b.x - a.x for a, b in pairwise(states)])
    energy = np.sqrt(np.einsum("ki,ij,kj->k", S, A, S))
    np.testing.assert_allclose((S @ A @ S.T) / np.outer(energy, energy), np.eye(n), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n", [2, 4])
def test_the_direction_is_steepest_descent_every_six_n_steps(n):
    problem = problems.get("rosenbrock", n=n)
    states = islice(iterate(ConjugateGradient(), problem.fun, problem.starts["standard"]), 1, 13 * n)
    steepest = [k for k, state in enumerate(states, start=1) if np.array_equal(state.p, -state.g)]
    assert steepest[0] == 6 * n
    assert all(later - earlier <= 6 * n for earlier, later in pairwise(steepest))


def test_the_first_trial_is_exact_on_a_parabola_and_costs_one_value():
    A, objective, x0 = quadratic(4, 10.0, 3)
    evaluator = Evaluator(objective)
    f, g = evaluator.value_and_grad(x0)
    for last in (1e-3, 1.0, 10.0):
        ray = LineFunction(evaluator, State(x0, f, g, FIRST), -g)
        before = evaluator.counts.f, evaluator.counts.g
        exact = (g @ g) / (g @ A @ g)
        alpha = _first_trial(ray, last)
        assert (evaluator.counts.f, evaluator.counts.g) == (before[0] + 1, before[1])
        if 0.1 * last <= 2 * exact:  # beyond this the value exceeds φ(0), and the step is not changed
            assert alpha == pytest.approx(exact, rel=1e-6)
        else:
            assert alpha == 2 * last


def test_the_first_trial_is_reduced_at_a_wall_and_costs_nothing_if_all_values_are_rounding_errors():
    def ray(fun, slope):
        evaluator = Evaluator(Objective(fun, grad=lambda x: np.array([slope])))
        x = np.zeros(1)
        return LineFunction(evaluator, State(x, *evaluator.value_and_grad(x), FIRST), np.ones(1))

    walled = ray(lambda x: -x[0] if x[0] < 1e-3 else np.nan, -1.0)
    assert _first_trial(walled, 1.0) < 0.1
    flat = ray(lambda x: 1e10 - 1e-9 * x[0], -1e-9)
    before = flat.evaluator.counts.f
    assert _first_trial(flat, 1.0) == 2.0
    assert flat.evaluator.counts.f == before


@pytest.mark.parametrize("k", [-40, 37])
@pytest.mark.parametrize(("name", "parameters", "start"), RUNS)
def test_multiplying_f_by_a_power_of_two_leaves_every_point_the_same(name, parameters, start, k):
    problem = problems.get(name, **parameters)
    x0 = problem.starts[start]
    one = [state.x for state in states_of(ConjugateGradient(), problem.fun, x0, 25)]
    other = [state.x for state in states_of(ConjugateGradient(), lambda x: 2.0**k * problem.fun(x), x0, 25)]
    assert len(one) > 5
    np.testing.assert_array_equal(one, other)
