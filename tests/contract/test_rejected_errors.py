"""Exceptions of user code: a replay that raises goes to plain evaluation; errors="reject" rejects trial points."""

import copy
import math
import pickle

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit.derivatives.tape.cache import Derivatives
from newtonkit.objectives.objective import Objective

METHODS = ["newton", "newton-cg", "cubic", "newton-linesearch", "bfgs", "dfp", "sr1", "lbfgs", "cg"]


def log_barrier(x):
    """x² − log x in each variable, which refuses x ≤ 0 by an exception; minimum at 1/√2."""
    if (x <= 0).any():
        raise ValueError("math domain error")
    return float((x * x - onp.log(x)).sum())


def slope(x):
    if (x <= 0).any():
        raise ValueError("math domain error")
    return 2 * x - 1 / x


def fallback(x):
    """The user's own answer to a matrix that is not invertible."""
    A = np.array([[1.0, 1.0], [1.0, 1.0]]) * x[0] + np.array([[1.0, 0.0], [0.0, 0.0]]) * x[1]
    try:
        return np.sum(np.linalg.inv(A) ** 2) + np.sum(x**2)
    except onp.linalg.LinAlgError:
        return 1e3 + np.sum(x**2)


def test_a_replay_that_raises_leaves_the_answer_to_the_users_own_try_and_except():
    derivatives = Derivatives(fallback)
    for k in range(4):
        derivatives.value_and_gradient(onp.array([1.0 + k, 1.0]))
        derivatives.linearize(onp.array([1.0 + k, 1.0]))
        derivatives.value(onp.array([1.0 + k, 1.0]))
    singular = onp.array([1.0, 0.0])
    f, g = derivatives.value_and_gradient(singular)
    assert f == 1001.0
    onp.testing.assert_array_equal(g, [2.0, 0.0])
    assert derivatives.value(singular) == 1001.0
    linear = derivatives.linearize(singular)
    assert linear.f == 1001.0
    onp.testing.assert_array_equal(linear.hessian(), 2.0 * onp.eye(2))
    # the tape remains in use elsewhere
    derivatives.value_and_gradient(onp.array([2.0, 1.0]))
    assert derivatives.source == "tape"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("source", ["given", "differences"])
def test_rejectable_errors_at_trial_points_reject_the_trial(method, source):
    calls = []

    def fun(x):
        calls.append(x)
        return log_barrier(x)

    given = {"jac": slope} if source == "given" else {"derivatives": source}
    x0 = [8.0, 0.3]
    result = newtonkit.minimize(fun, x0, method=method, options={"errors": "reject"}, **given)
    assert result.success, result
    onp.testing.assert_allclose(result.x, math.sqrt(0.5), rtol=1e-4)
    assert len(calls) == result.nfev + result.checks.f


def test_the_default_is_that_errors_propagate_with_the_partial_result():
    with pytest.raises(ValueError, match="math domain error") as caught:
        newtonkit.minimize(log_barrier, [8.0, 0.3], jac=slope, method=newtonkit.BFGS())
    assert caught.value.partial_result.nit >= 0


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, onp.linalg.LinAlgError, OverflowError])
def test_errors_at_the_first_point_always_propagate(error):
    def fun(x):
        raise error("at x0")

    with pytest.raises(error, match="at x0"):
        newtonkit.minimize(fun, [1.0], jac=slope, options={"errors": "reject"})


@pytest.mark.parametrize("error", [TypeError, NameError, KeyboardInterrupt, RuntimeError])
def test_other_errors_always_propagate(error):
    calls = []

    def fun(x):
        calls.append(x)
        if len(calls) > 3:
            raise error("later")
        return log_barrier(x)

    with pytest.raises(error, match="later"):
        newtonkit.minimize(fun, [8.0, 0.3], jac=slope, method="bfgs", options={"errors": "reject"})


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="errors='ignore' is not known"):
        newtonkit.minimize(log_barrier, [1.0], options={"errors": "ignore"})


def test_an_objective_can_be_copied_and_pickled_after_use():
    objective = Objective(fallback, source="tape")
    x = onp.array([1.0, 2.0])
    for _ in range(4):
        expected = objective.gradient(x)
    for other in (copy.deepcopy(objective), pickle.loads(pickle.dumps(objective))):
        onp.testing.assert_allclose(other.gradient(x), expected, rtol=1e-12)
