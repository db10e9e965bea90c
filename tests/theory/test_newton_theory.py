"""Newton's method: exact on quadratics, of second order near a regular minimum, linear near a singular one."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import numpy as np
import pytest

import problems
from newtonkit import (
    BFGS,
    LBFGS,
    LineSearchNewton,
    PureNewton,
    SteepestDescent,
    TerminationReason,
    TrustRegionNewton,
    classify,
    grad,
    hessian,
    iterate,
    minimize,
)


def quadratic(n, condition, seed=0):
    """½(x − c)ᵀA(x − c) with eigenvalues log-spaced from 1 to the condition number; also c and a start."""
    rng = np.random.default_rng([seed, n])
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * np.geomspace(1.0, condition, n)) @ Q.T
    A = 0.5 * (A + A.T)
    c = rng.standard_normal(n)
    return lambda x: 0.5 * ((x - c) @ (A @ (x - c))), c, rng.standard_normal(n)


@pytest.mark.parametrize("n", [1, 2, 5, 20, 60])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6])
def test_pure_newton_ends_on_a_convex_quadratic_in_one_step(n, condition):
    """The point to 100·n·eps times the condition number."""
    fun, c, x0 = quadratic(n, condition)
    result = minimize(fun, x0, method="newton-pure")
    assert result.nit == 1
    assert result.success
    assert result.verdict.kind == "minimum"
    error = np.linalg.norm(result.x - c)
    assert error <= 100 * n * np.finfo(float).eps * condition * np.linalg.norm(x0 - c)


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("condition", [1.0, 5.0, 1e6])
def test_newton_in_a_trust_region_needs_one_step_for_a_convex_quadratic(n, condition):
    """The first region holds the Newton step."""
    fun, _, x0 = quadratic(n, condition)
    assert minimize(fun, x0, method="newton").nit == 1


def observed_order(method, steps, start_within=0.2):
    """The slope of log ‖x₊ − x*‖ over log ‖x − x*‖, fitted to all steps of forty runs near Rosenbrock's minimum.

    Only errors between 0.02 and 1e-12 count: above them is the transient, below them rounding. Single runs are too
    uneven, for the constant of the valley's two directions differs by a factor of a thousand.
    """
    problem = problems.get("rosenbrock")
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(40):
        states = iterate(method, problem.fun, 1.0 + rng.uniform(-start_within, start_within, 2))
        e = []
        for state in islice(states, steps):
            e.append(float(np.linalg.norm(state.x - 1.0)))
            if e[-1] < 1e-12:
                break
        pairs += [(math.log(a), math.log(b)) for a, b in pairwise(e) if a < 0.02 and b > 1e-12]
    assert len(pairs) >= 50, "a slope through few points is not reliable"
    return float(np.polyfit(*np.array(pairs).T, 1)[0])


@pytest.mark.parametrize(("method", "steps"), [(PureNewton(), 12), (TrustRegionNewton(), 25)])
def test_the_observed_order_of_newton_near_rosenbrocks_minimum_is_two(method, steps):
    assert observed_order(method, steps) == pytest.approx(2.0, abs=0.25)


@pytest.mark.parametrize("method", [BFGS(), LBFGS()])
def test_the_observed_order_of_quasi_newton_methods_is_above_one(method):
    """The control is steepest descent, whose order is one."""
    assert observed_order(SteepestDescent(), 40) < 1.1
    assert 1.15 < observed_order(method, 60) < 1.75


@pytest.mark.parametrize(
    ("name", "start"),
    [("himmelblau", [2.5, 2.5]), ("six-hump-camel", [0.0, -0.9]), ("goldstein-price", [0.05, -0.95])],
)
def test_the_errors_of_newton_are_about_a_constant_times_their_squares(name, start):
    """e₊/e² keeps within a factor of eight while e falls from 0.2 to below 1e-7 (N&W, theorem 3.5)."""
    problem = problems.get(name)
    states = list(islice(iterate(PureNewton(), problem.fun, start), 7))
    minimum, distance = problem.nearest(states[-1].x)
    assert minimum.kind == "minimum"
    assert distance < 1e-12
    e = [float(np.linalg.norm(state.x - minimum.x)) for state in states]
    constants = [b / a**2 for a, b in pairwise(e) if a < 0.2 and b > 1e-14]
    assert len(constants) >= 3
    assert max(constants) <= 8 * min(constants)


def test_on_powells_singular_function_pure_newton_shrinks_f_by_16_81_a_step():
    """The Hessian at the minimum has rank 2, so the quartic terms fall like (2/3)⁴ from the second step on."""
    problem = problems.get("powell-singular")
    f = [state.f for state in islice(iterate(PureNewton(), problem.fun, problem.starts["standard"]), 20)]
    for before, after in pairwise(f[1:]):
        assert after / before == pytest.approx(16 / 81, abs=0.005)


def test_on_x_to_the_fourth_newtons_factor_is_two_thirds():
    """x − 4x³/12x² = 2x/3, to a few eps a step; the trust region leaves the step alone."""
    for method in (PureNewton(), TrustRegionNewton()):
        x = [state.x[0] for state in islice(iterate(method, lambda x: (x**4).sum(), [1.0]), 25)]
        for before, after in pairwise(x):
            assert after / before == pytest.approx(2 / 3, rel=1e-13)


def test_pure_newton_started_near_a_saddle_ends_at_it_and_reports_it():
    """It ends at the saddle and returns the lowest point of the path, which is near it."""
    problem = problems.get("strict-saddle")
    result = minimize(problem.fun, [0.5, 0.05], method="newton-pure")
    np.testing.assert_allclose(result.state.x, 0.0, atol=1e-8)
    assert not result.success
    assert result.reason is TerminationReason.SADDLE
    assert result.verdict.kind == "saddle"
    assert result.verdict.index == 1


@pytest.mark.parametrize("method", ["newton", "newton-linesearch", "bfgs", "lbfgs"])
@pytest.mark.parametrize("start", [[0.5, 0.05], [1.0, 1e-3], [1.0, 0.0], [0.0, 0.0]])
def test_the_guarded_methods_leave_the_saddle_for_a_minimum(method, start):
    """From near the saddle, from its stable manifold, and from the saddle itself."""
    problem = problems.get("strict-saddle")
    result = minimize(problem.fun, start, method=method)
    assert result.success
    assert result.fun == pytest.approx(-1.0, abs=1e-9)
    assert result.verdict.kind == "minimum"


@pytest.mark.parametrize(
    ("name", "start"), [("strict-saddle", [1.0, 0.5]), ("himmelblau", [0.0, 3.0]), ("himmelblau", [-0.2, -0.8])]
)
def test_newton_with_a_line_search_turns_negative_curvature_round(name, start):
    """Its direction is −Q|Λ|⁻¹Qᵀg: away from saddles and maxima, with the length given by |λ|. To 1e-10."""
    problem = problems.get(name)
    x = np.array(start)
    g, H = grad(problem.fun)(x), hessian(problem.fun)(x)
    eigenvalues, Q = np.linalg.eigh(H)
    assert eigenvalues[0] < 0.0
    p = -Q @ ((Q.T @ g) / np.abs(eigenvalues))
    _, after = islice(iterate(LineSearchNewton(), problem.fun, x), 2)
    np.testing.assert_allclose(after.x - x, after.info.alpha * p, rtol=1e-10, atol=1e-14)
    assert g @ p < 0.0


def test_pure_newton_is_drawn_to_a_maximum_too():
    """Newton's model knows only stationary points: from near Himmelblau's maximum it goes there."""
    problem = problems.get("himmelblau")
    result = minimize(problem.fun, [-0.2, -0.9], method="newton-pure")
    assert result.reason is TerminationReason.SADDLE
    assert result.verdict.kind == "maximum"
    assert classify(problem.fun, result.state.x).kind == "maximum"


def test_pure_newton_does_not_depend_on_the_coordinates():
    """x = My: the iterates correspond (N&W, p. 27). To 1e-9 with a matrix of condition about 10."""
    problem = problems.get("himmelblau")
    M = np.array([[2.0, -1.0], [0.5, 3.0]])
    shift = np.array([0.3, -0.7])
    x0 = np.array([2.0, 3.5])
    plain = islice(iterate(PureNewton(), problem.fun, x0), 7)
    changed = islice(iterate(PureNewton(), lambda y: problem.fun(M @ y + shift), np.linalg.solve(M, x0 - shift)), 7)
    for one, other in zip(plain, changed, strict=True):
        np.testing.assert_allclose(M @ other.x + shift, one.x, rtol=0, atol=1e-9)
