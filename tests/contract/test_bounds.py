"""Bounds: no function is called outside them, solutions are exact at them, and no success is false."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize

import newtonkit
import problems
from newtonkit import Evaluator, Objective, iterate
from newtonkit.core.domain import Box
from newtonkit.methods.registry import METHODS, make_method

METHODS_WITH_BOUNDS = ["newton", "newton-cg", "cubic", "sr1", "bfgs", "lbfgs", "cg", "gd-linesearch"]
FIRST_ORDER = ["gd", "momentum", "nesterov", "adam"]


def boxes():
    """Problems with active bounds at the solution: a box shifted away from the unconstrained minimum."""
    rng = np.random.default_rng(3)
    for name, parameters in [
        ("rosenbrock", {}),
        ("beale", {}),
        ("himmelblau", {}),
        ("wood", {}),
        ("styblinski-tang", {"n": 5}),
        ("quadratic", {"n": 12, "condition": 100.0}),
    ]:
        problem = problems.get(name, **parameters)
        best = problem.best.x
        lower = best - 1.0
        upper = np.maximum(best + rng.uniform(-0.5, 0.5, best.size), lower + 0.1)
        yield pytest.param(problem, lower, upper, id=name)
        half = np.where(np.arange(best.size) % 2 == 0, best + 0.2, -np.inf)
        yield pytest.param(problem, half, np.full(best.size, np.inf), id=f"{name}, lower bounds")


def guarded(fun, lower, upper):
    """The function, which raises outside the box; it sees the numbers behind autograd's boxes."""

    def inside(x):
        value = x
        while hasattr(value, "_value"):
            value = value._value
        value = np.asarray(value, dtype=float)
        if not ((value >= lower) & (value <= upper)).all():
            raise AssertionError(f"called outside the box, at {value}")
        return fun(x)

    return inside


@pytest.mark.parametrize("method", METHODS_WITH_BOUNDS)
@pytest.mark.parametrize(("problem", "lower", "upper"), list(boxes()))
def test_solutions_are_as_good_as_scipys_and_no_call_leaves_the_box(problem, lower, upper, method):
    fun = guarded(problem.fun, lower, upper)
    x0 = problem.starts["standard"]
    bounds = scipy.optimize.Bounds(lower, upper)
    result = newtonkit.minimize(fun, x0, method=method, bounds=bounds, options={"tape": False, "gtol": 1e-6})
    assert ((result.x >= lower) & (result.x <= upper)).all()
    criticality = Box(lower, upper).criticality(result.x, newtonkit.grad(problem.fun)(result.x))
    if result.success:
        assert criticality <= 1e-5
    if method != "gd-linesearch":
        assert result.success, result.message
        assert result.verdict.kind == "minimum", str(result.verdict)
        gradient = newtonkit.grad(problem.fun)
        reference = scipy.optimize.minimize(
            problem.fun,
            np.clip(x0, lower, upper),
            jac=gradient,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 0.0, "gtol": 1e-9, "maxiter": 5000},
        )
        # another local minimum may be reached; these boxes have the same one for all but few
        assert result.fun <= reference.fun + 1e-6 * max(1.0, abs(reference.fun))


@pytest.mark.parametrize("method", METHODS_WITH_BOUNDS)
def test_variables_at_a_bound_are_there_exactly(method):
    lower, upper = np.array([0.3, -2.0, 0.1]), np.array([np.inf, 0.7, np.inf])
    result = newtonkit.minimize(
        lambda x: ((x - anp.array([-1.0, 2.0, 0.5])) ** 2).sum(),
        [1.0, 0.0, 2.0],
        method=method,
        bounds=np.column_stack([lower, upper]),
    )
    assert result.success
    assert result.x[0] == 0.3
    assert result.x[1] == 0.7
    assert result.x[2] == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("method", FIRST_ORDER)
def test_first_order_methods_project_onto_the_box(method):
    lower, upper = np.array([0.3, -2.0]), np.array([3.0, 0.7])
    fun = guarded(lambda x: ((x - anp.array([-1.0, 2.0])) ** 2).sum(), lower, upper)
    result = newtonkit.minimize(
        fun,
        [1.0, 0.0],
        method=method,
        bounds=list(zip(lower, upper, strict=True)),
        options={"rate": 0.05, "maxiter": 2000, "tape": False},
    )
    np.testing.assert_array_equal(result.x, [0.3, 0.7])
    assert result.success


@pytest.mark.parametrize("method", METHODS_WITH_BOUNDS)
def test_with_bounds_that_never_act_the_solution_is_the_unconstrained_one(method):
    problem = problems.get("rosenbrock")
    options = {"gtol": 1e-8} if method != "gd-linesearch" else {"maxiter": 50}
    free = newtonkit.minimize(problem.fun, [-1.2, 1.0], method=method, options=options)
    bounded = newtonkit.minimize(problem.fun, [-1.2, 1.0], method=method, bounds=[(-1e6, 1e6)] * 2, options=options)
    np.testing.assert_allclose(bounded.x, free.x, rtol=1e-7)
    assert bounded.nfev == free.nfev
    assert bounded.njev == free.njev


def test_a_start_outside_is_moved_to_the_box_and_the_result_says_so():
    result = newtonkit.minimize(lambda x: ((x - 5.0) ** 2).sum(), [9.0, 0.0], bounds=[(0, 1), (None, 2)])
    np.testing.assert_array_equal(result.start.x, [1.0, 0.0])
    np.testing.assert_array_equal(result.x, [1.0, 2.0])
    assert "moved to the nearest point inside" in result.choice
    assert "P(x − g) − x" in result.message
    assert "2 of 2 variables at bounds" in result.verdict.reason


def test_fixed_variables_stay_fixed():
    result = newtonkit.minimize(
        lambda x: ((x - 5.0) ** 2).sum() + x[0] * x[1], [9.0, 0.0, 3.0], bounds=[(1, 1), (0, 9), (3, 3)]
    )
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 4.5, 3.0], rtol=1e-8)
    assert result.x[0] == 1.0


def test_bounds_of_a_dict_are_a_dict_of_pairs():
    start = {"a": np.ones(2), "b": 1.0}
    fun = lambda p: ((p["a"] - 3.0) ** 2).sum() + (p["b"] + 1.0) ** 2  # noqa: E731
    result = newtonkit.minimize(fun, start, bounds={"a": (None, [2.0, 9.0]), "b": (0, None)})
    np.testing.assert_allclose(result.x["a"], [2.0, 3.0])
    assert result.x["b"] == 0.0
    with pytest.raises(ValueError, match="'c'"):
        newtonkit.minimize(fun, start, bounds={"c": (0, 1)})


@pytest.mark.parametrize(("off_diagonal", "kind"), [(4.0, "minimum"), (-4.0, "saddle")])
def test_equal_eigenvalues_one_a_minimum_and_one_not(off_diagonal, kind):
    """At 0 on x ≥ 0 both Hessians have the eigenvalues −2 and 6; only copositivity decides."""
    A = np.array([[2.0, off_diagonal], [off_diagonal, 2.0]])
    result = newtonkit.minimize(lambda x: 0.5 * x @ A @ x, [0.0, 0.0], bounds=[(0, 10)] * 2, options={"maxiter": 50})
    if kind == "minimum":
        assert result.success
        np.testing.assert_array_equal(result.x, [0.0, 0.0])
        assert result.verdict.kind == "minimum"
    else:
        assert result.fun < -50.0


def test_a_saddle_within_a_face_is_left_along_the_face():
    """x₀ is held at its bound; x₁ starts at a maximum of the face."""
    result = newtonkit.minimize(lambda x: x[0] + x[1] ** 4 - x[1] ** 2, [0.0, 0.0], bounds=[(0, 1), (-3, 3)])
    assert result.success
    assert result.x[0] == 0.0
    assert abs(result.x[1]) == pytest.approx(np.sqrt(0.5), abs=1e-5)


def test_a_vertex_with_a_wrong_multiplier_is_left_into_the_box():
    result = newtonkit.minimize(lambda x: ((x - 0.5) ** 2).sum(), [0.0, 1.0], bounds=[(0, 1)] * 2)
    assert result.success
    np.testing.assert_allclose(result.x, 0.5)


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_differences_stay_inside_too(jac):
    lower, upper = np.zeros(2), np.ones(2)
    fun = guarded(lambda x: (x[0] - 2.0) ** 2 + (x[1] - 0.5) ** 2 + x[0] * x[1], lower, upper)
    result = newtonkit.minimize(fun, [0.0, 1.0], jac=jac, bounds=[(0, 1)] * 2)
    assert result.x[0] == 1.0
    assert result.x[1] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("method", ["newton", "newton-cg"])
@pytest.mark.parametrize("n", [150, 1000])
def test_sparse_problems_with_many_active_bounds(method, n):
    """A chain that is pulled through its lower bounds; the Hessian is tridiagonal."""
    fun = lambda x: 0.5 * ((x[1:] - x[:-1]) ** 2).sum() + 0.5 * x[0] ** 2 + 0.5 * x[-1] ** 2 - 0.001 * x.sum()  # noqa: E731
    upper = np.full(n, 0.5)
    result = newtonkit.minimize(
        fun, np.zeros(n), method=method, bounds=scipy.optimize.Bounds(-np.inf, upper), options={"gtol": 1e-8}
    )
    assert result.success, result.message
    active = result.x == 0.5
    assert 0 < active.sum() < n
    assert Box(np.full(n, -np.inf), upper).criticality(result.x, newtonkit.grad(fun)(result.x)) <= 1e-7


def test_every_method_declares_whether_it_accepts_bounds():
    evaluator = Evaluator(Objective(lambda x: (x**2).sum()), domain=Box([1.0, 1.0], [2.0, 2.0]))
    for name in METHODS:
        if not make_method(name).accepts_bounds:
            continue
        states = iterate(make_method(name), evaluator, [2.0, 1.5])
        state, steps = next(states), 0
        while steps < 3 and evaluator.domain.criticality(state.x, state.g) > 0.0:
            state, steps = next(states), steps + 1
            assert evaluator.domain.contains(state.x), name
        assert steps > 0


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_the_verdict_has_the_active_set_and_its_multipliers(method):
    """f = (x₀ + 1)² + (x₁ − 3)² + (x₂ − 1)² on [0, 2] × [0, 2] × [1, 5]: multipliers 2, 2 and 0."""
    result = newtonkit.minimize(
        lambda x: ((x - anp.array([-1.0, 3.0, 1.0])) ** 2).sum(),
        [1.0, 1.0, 1.0],
        method=method,
        bounds=[(0, 2), (0, 2), (1, 5)],
    )
    verdict = result.verdict
    assert verdict.kind == "minimum"
    np.testing.assert_array_equal(verdict.active, [-1.0, 1.0, -1.0])
    np.testing.assert_allclose(verdict.multipliers, [2.0, 2.0, 0.0], atol=1e-12)
    np.testing.assert_array_equal(verdict.weakly_active, [0.0, 0.0, 1.0])
    assert "3 of 3 variables at bounds (2 strongly active, smallest multiplier 2; 1 weakly)" in str(verdict)
