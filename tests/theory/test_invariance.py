"""The unit of f is arbitrary and so is its zero: neither may steer a method or make success easier."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest

import problems
from newtonkit import Objective, StepFailure, grad, hessian, iterate, minimize
from newtonkit.methods.registry import make_method

METHODS = ["newton", "newton-cg", "cubic", "bfgs", "dfp", "sr1", "lbfgs", "newton-linesearch", "gd-linesearch"]
PROBLEMS = [
    ("rosenbrock", {}, "standard"),
    ("rosenbrock", {"n": 8}, "standard"),
    ("himmelblau", {}, "indefinite"),
    ("six-hump-camel", {}, "indefinite"),
    ("wood", {}, "standard"),
    ("bowl", {}, "far"),
    ("powell-singular", {}, "standard"),
    ("styblinski-tang", {"n": 4}, "standard"),
]


def points(method, fun, x0, count=40):
    """The points of a run, as far as it goes."""
    states, found = iterate(make_method(method), fun, x0), []
    while len(found) < count:
        try:
            found.append(next(states).x)
        except StepFailure:
            break
    return np.array(found)


@pytest.mark.parametrize("k", [-40, 37])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "parameters", "start"), PROBLEMS)
def test_multiplying_f_by_a_power_of_two_leaves_every_point_the_same_to_the_last_bit(
    name, parameters, start, method, k
):
    problem = problems.get(name, **parameters)
    x0 = problem.starts[start]
    expected = points(method, problem.fun, x0)
    assert len(expected) > 5
    np.testing.assert_array_equal(points(method, lambda x: 2.0**k * problem.fun(x), x0), expected)


@pytest.mark.parametrize("k", [-40, 37])
@pytest.mark.parametrize("method", ["bfgs", "lbfgs", "gd-linesearch", "newton"])
def test_the_same_holds_with_a_gradient_by_the_user(method, k):
    """Where no exact Hessian-vector product is at hand, the first step comes from the size of x."""
    problem = problems.get("rosenbrock", n=5)
    gradient = grad(problem.fun)
    one = Objective(problem.fun, grad=gradient)
    other = Objective(lambda x: 2.0**k * problem.fun(x), grad=lambda x: 2.0**k * gradient(x))
    x0 = problem.starts["standard"]
    np.testing.assert_array_equal(points(method, other, x0), points(method, one, x0))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [4, 8])
def test_a_larger_unit_of_f_gives_the_same_run_until_gtol_stops_one(method, k):
    """Under `minimize` with gtol in the unit of f, the results are equal bit for bit."""
    problem = problems.get("bowl")
    one = minimize(problem.fun, problem.starts["standard"], method=method, options={"gtol": 1e-7})
    unit = 2.0**k
    other = minimize(
        lambda x: unit * problem.fun(x), problem.starts["standard"], method=method, options={"gtol": 1e-7 * unit}
    )
    np.testing.assert_array_equal(other.x, one.x)
    assert other.fun == unit * one.fun
    assert (other.nit, other.nfev, other.reason) == (one.nit, one.nfev, one.reason)


REGULAR = [
    ("bowl", {}, "standard", METHODS),
    ("himmelblau", {}, "standard", METHODS),
    ("six-hump-camel", {}, "standard", METHODS),
    ("quadratic", {"n": 10, "condition": 30.0}, "standard", METHODS),
    ("rosenbrock", {}, "standard", METHODS[:-1]),
    ("wood", {}, "standard", METHODS[:-1]),
    ("beale", {}, "standard", METHODS[:-1]),
]
RUNS = [(name, parameters, start, method) for name, parameters, start, methods in REGULAR for method in methods]


@pytest.mark.parametrize(("name", "parameters", "start", "method"), RUNS)
def test_a_constant_of_a_million_added_to_f_still_lets_the_minimizer_be_reached(name, parameters, start, method):
    """The gradient knows nothing of the constant, so the point is as good as ‖g‖∞ ≤ gtol makes it: 1e-3 away at most.

    Values of f alone would know it only to √(eps·1e6) ≈ 1e-5 over the root of the smallest curvature.
    """
    problem = problems.get(name, **parameters)
    result = minimize(lambda x: problem.fun(x) + 1e6, problem.starts[start], method=method)
    assert result.success, result.message
    point, distance = problem.nearest(result.x)
    assert point.kind == "minimum"
    assert distance <= 1e-3
    assert np.abs(result.jac).max() <= 1e-5


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("method", METHODS[:-1])
def test_a_constant_makes_no_point_of_a_plateau_a_minimum(method, shift):
    """exp(−x) + constant from 0: far out the decrease is below the rounding of f, but the Newton step stays 1."""
    result = minimize(lambda x: anp.exp(-x[0]) + shift, [0.0], method=method, options={"gtol": 1e-5, "maxiter": 100})
    assert result.verdict.kind != "minimum"


@pytest.mark.parametrize(("name", "parameters", "start", "method"), RUNS)
def test_f_in_a_unit_a_million_times_larger_is_still_solved_at_the_default_gtol(name, parameters, start, method):
    """1e-6·f has gradients below gtol far from any minimizer; the run continues until 1e-8 of the decrease is left.

    Twice that, since the remaining decrease is estimated by the model.
    """
    problem = problems.get(name, **parameters)
    x0 = problem.starts[start]
    result = minimize(lambda x: 1e-6 * problem.fun(x), x0, method=method)
    assert result.success, result.message
    assert result.verdict.kind == "minimum"
    point, _ = problem.nearest(result.x)
    assert point.kind == "minimum"
    assert problem.fun(result.x) - point.f <= 2e-8 * (problem.fun(x0) - point.f)


@pytest.mark.parametrize("constant", [1.0, -1e3])
@pytest.mark.parametrize("method", METHODS[:-1])
@pytest.mark.parametrize("name", ["bowl", "rosenbrock", "himmelblau"])
def test_a_constant_added_to_f_does_not_make_success_easier(name, method, constant):
    """The remaining share of the decrease does not grow with the constant, except for its rounding errors.

    That is ten eps·|f|, twice for the model.
    """
    problem = problems.get(name)
    x0 = problem.starts["standard"]
    result = minimize(lambda x: 1e-6 * problem.fun(x) + constant, x0, method=method)
    assert result.success, result.message
    point, _ = problem.nearest(result.x)
    allowed = 1e-8 * 1e-6 * (problem.fun(x0) - point.f) + 10 * np.finfo(float).eps * abs(result.fun)
    assert 1e-6 * (problem.fun(result.x) - point.f) <= 2 * allowed


@pytest.mark.parametrize("k", [-300, -70, -20])
def test_the_unit_of_f_does_not_end_a_large_run_early_either(k):
    """At n = 300 the verdict rests on products; for any unit, the same share of the decrease may remain."""
    problem = problems.get("quadratic", n=300)
    x0 = problem.starts["standard"]
    result = minimize(lambda x: 2.0**k * problem.fun(x), x0, method="lbfgs")
    assert result.success
    assert problem.fun(result.x) <= 2e-8 * problem.fun(x0)


@pytest.mark.parametrize("n", [3, 300])
@pytest.mark.parametrize("method", ["lbfgs", "bfgs"])
def test_a_linear_function_of_small_slope_is_no_success(method, n):
    """‖g‖∞ = 1e-6 is below gtol everywhere, and nothing is critical anywhere."""
    result = minimize(lambda x: 1e-6 * anp.sum(x), np.zeros(n), method=method, options={"maxiter": 50})
    assert not result.success, result.message


@pytest.mark.parametrize("name", ["bowl", "rosenbrock", "beale", "six-hump-camel", "quadratic"])
def test_newton_finds_the_minimizer_of_a_millionth_of_f(name):
    """There gtol alone would have stopped it with ‖∇f‖∞ ≤ 10; ½λ₁d² is at most 1e-8 of what f has fallen."""
    problem = problems.get(name)
    result = minimize(lambda x: 1e-6 * problem.fun(x), problem.starts["standard"], method="newton")
    point, distance = problem.nearest(result.x)
    assert result.success
    assert point.kind == "minimum"
    lowest = np.linalg.eigvalsh(hessian(problem.fun)(point.x))[0]
    fallen = problem.fun(problem.starts["standard"]) - point.f
    assert distance <= 2 * np.sqrt(2e-8 * fallen / lowest)


@pytest.mark.parametrize("method", ["newton", "newton-linesearch", "newton-pure"])
def test_newtons_methods_follow_a_translation_of_the_origin(method):
    """x = y + c: the same points shifted, up to rounding; only the first radius may look at ‖x₀‖."""
    problem = problems.get("himmelblau")
    c = np.array([0.5, -0.25])
    x0 = problem.starts["indefinite"]
    one = points(method, problem.fun, x0, 8)
    other = points(method, lambda y: problem.fun(y - c), x0 + c, 8)
    np.testing.assert_allclose(other - c, one, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs", "newton-linesearch", "gd-linesearch"])
def test_every_method_follows_a_rotation_of_the_axes(method):
    """x = Qy: the points correspond, up to rounding that the curved valley amplifies."""
    problem = problems.get("himmelblau")
    Q = np.array([[0.6, -0.8], [0.8, 0.6]])
    x0 = np.array([0.5, 0.5])
    one = points(method, problem.fun, x0, 8)
    other = points(method, lambda y: problem.fun(Q @ y), Q.T @ x0, 8)
    np.testing.assert_allclose(other @ Q.T, one, rtol=0, atol=1e-8)
