"""newton, bfgs and lbfgs against `scipy.optimize.minimize`, and our methods as methods of scipy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

import newtonkit
import problems
from newtonkit import BFGS, LBFGS, Adam, FirstOrder, TrustRegionNewton, grad, hessian

NAMES = [
    ("bowl", {}),
    ("long-ellipse", {}),
    ("booth", {}),
    ("matyas", {}),
    ("quadratic", {"n": 20, "condition": 1e3}),
    ("long-valley", {}),
    ("beale", {}),
    ("himmelblau", {}),
    ("six-hump-camel", {}),
    ("three-hump-camel", {}),
    ("goldstein-price", {}),
    ("rosenbrock", {}),
    ("rosenbrock", {"n": 6}),
    ("wood", {}),
    ("powell-singular", {}),
    ("strict-saddle", {}),
    ("styblinski-tang", {"n": 4}),
]
RUNS = [(name, parameters, start) for name, parameters in NAMES for start in problems.get(name, **parameters).starts]
RIVALS = {"newton": "trust-exact", "bfgs": "BFGS", "lbfgs": "L-BFGS-B"}


def rival(problem, x0, method):
    gradient, second = grad(problem.fun), hessian(problem.fun)
    return scipy.optimize.minimize(
        problem.fun,
        x0,
        jac=gradient,
        hess=second if method == "trust-exact" else None,
        method=method,
        options={"maxiter": 2000, **({"ftol": 0.0} if method == "L-BFGS-B" else {})},
    )


@pytest.mark.parametrize("method", RIVALS)
@pytest.mark.parametrize(("name", "parameters", "start"), RUNS)
def test_we_end_at_a_known_minimum_whenever_scipy_does(name, parameters, start, method):
    """The same minimum, a lower one, or (for problems with several) another that is catalogued as one."""
    problem = problems.get(name, **parameters)
    x0 = np.array(problem.starts[start])
    ours = newtonkit.minimize(problem.fun, x0, method=method)
    theirs = rival(problem, x0, RIVALS[method])
    assert ours.success, ours.message
    reached = problem.reached(ours.x, ours.fun)
    assert reached is not None
    assert reached.kind.endswith("minimum")
    same = reached is problem.reached(theirs.x, theirs.fun)
    lower = ours.fun <= theirs.fun + 1e-8 * max(1.0, abs(theirs.fun))
    assert same or lower or len(problem.minima) > 1


def test_over_all_runs_we_end_no_higher_than_scipy_more_often_than_the_reverse():
    """Where there are several minima one run may have bad luck; all of them together may not."""
    for method, other in RIVALS.items():
        better = worse = 0
        for name, parameters, start in RUNS:
            problem = problems.get(name, **parameters)
            x0 = np.array(problem.starts[start])
            ours, theirs = newtonkit.minimize(problem.fun, x0, method=method).fun, rival(problem, x0, other).fun
            margin = 1e-6 * max(1.0, abs(theirs))
            better += ours < theirs - margin
            worse += ours > theirs + margin
        assert worse <= better + 3, f"{method}: {worse} worse, {better} better"


# --- as a method of scipy's ---------------------------------------------------------------------------------------

CALLABLES = [TrustRegionNewton(), BFGS(), LBFGS(), FirstOrder(Adam(rate=0.2))]


def scaled_bowl(x, a, b):
    """a·‖x − b‖² + ‖x − b‖⁴, with its derivatives by hand."""
    r = x - b
    return a * (r @ r) + (r @ r) ** 2


def scaled_bowl_gradient(x, a, b):
    r = x - b
    return 2 * a * r + 4 * (r @ r) * r


def scaled_bowl_hessian(x, a, b):
    r = x - b
    return 2 * a * np.eye(x.size) + 4 * (r @ r) * np.eye(x.size) + 8 * np.outer(r, r)


ARGS = (0.5, np.array([1.0, -2.0, 0.5]))


@pytest.mark.parametrize("method", CALLABLES)
def test_scipy_accepts_our_methods_and_passes_args_on(method):
    problem_args = ARGS
    result = scipy.optimize.minimize(
        lambda x, a, b: a * ((x - b) ** 2).sum() + ((x - b) ** 2).sum() ** 2,
        [0.0, 0.0, 0.0],
        args=problem_args,
        method=method,
    )
    assert isinstance(result, scipy.optimize.OptimizeResult)
    assert result.success
    assert result.status == 0
    np.testing.assert_allclose(result.x, ARGS[1], atol=2e-5)


@pytest.mark.parametrize("method", CALLABLES)
def test_scipy_passes_jac_and_hess_on(method):
    calls = {"jac": 0, "hess": 0}

    def jac(x, a, b):
        calls["jac"] += 1
        return scaled_bowl_gradient(x, a, b)

    def hess(x, a, b):
        calls["hess"] += 1
        return scaled_bowl_hessian(x, a, b)

    def plain(x, a, b):
        return float(scaled_bowl(np.asarray(x, dtype=float), a, b))  # float(): autograd could not follow

    result = scipy.optimize.minimize(plain, np.zeros(3), args=ARGS, method=method, jac=jac, hess=hess)
    assert result.success
    np.testing.assert_allclose(result.x, ARGS[1], atol=2e-5)
    assert calls["jac"] == result.njev + result.checks.g
    assert calls["hess"] == result.nhev + result.checks.H
    assert calls["hess"] >= (result.nit if "hess" in method.needs else 1)


@pytest.mark.parametrize("method", CALLABLES)
def test_jac_true_means_fun_returns_both(method):
    result = scipy.optimize.minimize(
        lambda x, a, b: (float(scaled_bowl(x, a, b)), scaled_bowl_gradient(x, a, b)),
        np.zeros(3),
        args=ARGS,
        method=method,
        jac=True,
    )
    assert result.success
    np.testing.assert_allclose(result.x, ARGS[1], atol=2e-5)


@pytest.mark.parametrize("method", CALLABLES)
def test_hessp_is_passed_on_and_used_for_products(method):
    asked = []

    def hessp(x, p, a, b):
        asked.append(p)
        return scaled_bowl_hessian(x, a, b) @ p

    result = scipy.optimize.minimize(
        lambda x, a, b: float(scaled_bowl(x, a, b)),
        np.zeros(3),
        args=ARGS,
        method=method,
        jac=scaled_bowl_gradient,
        hessp=hessp,
    )
    assert result.success
    assert asked
    np.testing.assert_allclose(result.x, ARGS[1], atol=2e-5)


@pytest.mark.parametrize("method", CALLABLES)
def test_options_are_passed_on(method):
    problem = problems.get("rosenbrock")
    x0 = problem.starts["standard"]
    result = scipy.optimize.minimize(problem.fun, x0, method=method, options={"maxiter": 3})
    assert result.nit == 3
    assert not result.success
    with pytest.raises(ValueError, match="unknown option"):
        scipy.optimize.minimize(problem.fun, x0, method=method, options={"max_iterations": 3})


def test_options_of_the_method_itself_may_be_given_to_scipy():
    problem = problems.get("rosenbrock", n=6)
    result = scipy.optimize.minimize(
        problem.fun, problem.starts["standard"], method=LBFGS(), options={"memory": 2, "gtol": 1e-7}
    )
    direct = newtonkit.minimize(problem.fun, problem.starts["standard"], method=LBFGS(memory=2), options={"gtol": 1e-7})
    np.testing.assert_array_equal(result.x, direct.x)
    assert result.nit == direct.nit


@pytest.mark.parametrize("method", CALLABLES)
def test_scipy_gives_the_result_that_newtonkit_gives(method):
    problem = problems.get("himmelblau")
    ours = newtonkit.minimize(problem.fun, problem.starts["standard"], method=method)
    theirs = scipy.optimize.minimize(problem.fun, problem.starts["standard"], method=method)
    np.testing.assert_array_equal(theirs.x, ours.x)
    assert (theirs.fun, theirs.nit, theirs.nfev, theirs.njev) == (ours.fun, ours.nit, ours.nfev, ours.njev)


@pytest.mark.parametrize("minimize", [scipy.optimize.minimize, newtonkit.minimize])
@pytest.mark.parametrize("method", CALLABLES)
def test_the_callback_of_one_point_sees_every_iteration(method, minimize):
    problem, seen = problems.get("himmelblau"), []
    result = minimize(problem.fun, problem.starts["standard"], method=method, callback=lambda xk: seen.append(xk))
    assert len(seen) == result.nit
    assert all(x.shape == (2,) for x in seen)
    states = newtonkit.iterate(method, problem.fun, problem.starts["standard"])
    next(states)
    for x, state in zip(seen, states, strict=False):
        np.testing.assert_array_equal(x, state.x)


@pytest.mark.parametrize("minimize", [scipy.optimize.minimize, newtonkit.minimize])
@pytest.mark.parametrize("method", CALLABLES)
def test_the_callback_of_an_intermediate_result_sees_x_and_fun(method, minimize):
    problem, seen = problems.get("himmelblau"), []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    result = minimize(problem.fun, problem.starts["standard"], method=method, callback=callback)
    assert len(seen) == result.nit
    for step in seen:
        assert isinstance(step, scipy.optimize.OptimizeResult)
        assert step.fun == pytest.approx(problem.fun(step.x), rel=1e-14)
    assert [step.nit for step in seen] == list(range(1, result.nit + 1))


@pytest.mark.parametrize("style", ["point", "intermediate result"])
@pytest.mark.parametrize("minimize", [scipy.optimize.minimize, newtonkit.minimize])
@pytest.mark.parametrize("method", CALLABLES)
def test_stop_iteration_in_the_callback_ends_the_run_there(method, minimize, style):
    problem, seen = problems.get("rosenbrock"), []

    def record(x):
        seen.append(np.copy(x))
        if len(seen) == 3:
            raise StopIteration

    def with_result(intermediate_result):
        record(intermediate_result.x)

    callback = record if style == "point" else with_result
    result = minimize(problem.fun, problem.starts["standard"], method=method, callback=callback)
    assert len(seen) == 3
    assert result.nit == 3
    assert not result.success
    assert "callback" in result.message
    np.testing.assert_array_equal(result.state.x, seen[-1])


@pytest.mark.parametrize("method", CALLABLES)
def test_finite_difference_strings_for_jac_are_answered_by_exact_derivatives(method):
    problem = problems.get("bowl")
    by_string = scipy.optimize.minimize(problem.fun, problem.starts["standard"], method=method, jac="2-point")
    plain = newtonkit.minimize(problem.fun, problem.starts["standard"], method=method)
    np.testing.assert_array_equal(by_string.x, plain.x)


def test_constraints_are_refused_through_scipy_too():
    problem = problems.get("bowl")
    with pytest.raises(NotImplementedError, match="constraints"):
        scipy.optimize.minimize(
            problem.fun, [0.0, 0.0], method=BFGS(), constraints={"type": "eq", "fun": lambda x: x[0]}
        )
