"""The advice in a message fits the method that ran and the problem."""

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import TerminationReason
from newtonkit.core.termination import Termination
from newtonkit.driver.advice import advise
from newtonkit.methods.registry import METHODS, make_method


def advice(reason, method, detail="", n=2, own_gradient=False):
    return advise(Termination(reason, 1.0, 2.0, detail), make_method(method), n, own_gradient=own_gradient).message


@pytest.mark.parametrize("reason", list(TerminationReason), ids=lambda reason: reason.name)
@pytest.mark.parametrize("name", METHODS)
def test_no_method_is_advised_to_use_itself(name, reason):
    for n in (2, 10_000):
        for detail in ("", "f = inf after 3 iterations", "2 entries of the gradient are not finite at x0", "a kink"):
            text = advice(reason, name, detail, n)
            assert f"method={name!r}" not in text
            assert f"such as {name!r}" not in text


def test_a_diverging_learning_rate_is_named():
    result = newtonkit.minimize(lambda x: np.sum((x - 1.0) ** 2), [3.0, 2.0], method="gd", options={"rate": 10.0})
    assert result.message.endswith("use a smaller learning rate.")


def test_a_pure_newton_method_that_diverges_is_advised_to_limit_its_steps():
    assert "method='newton'" in advice(TerminationReason.NON_FINITE, "newton-pure", "f = inf after 3 iterations")


def test_a_method_that_leaves_saddles_is_not_advised_to_use_one():
    assert "start from another point" in advice(TerminationReason.SADDLE, "newton")
    assert "'lbfgs'" in advice(TerminationReason.SADDLE, "gd", own_gradient=True)


def test_a_wrong_gradient_is_suspected_only_if_the_user_gave_it():
    assert "a wrong gradient" in advice(TerminationReason.LINE_SEARCH, "bfgs", own_gradient=True)
    assert "a wrong gradient" not in advice(TerminationReason.LINE_SEARCH, "bfgs")


def guarded_softplus(x):
    return np.sum(np.where(x > 30, x, np.log1p(np.exp(x))) - 0.3 * x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["auto", "newton", "bfgs", "adam"])
def test_a_gradient_of_nan_at_a_finite_value_is_named_with_its_likely_cause(name):
    result = newtonkit.minimize(guarded_softplus, [800.0, 2.0], method=name)
    assert (result.reason, result.nit) == (TerminationReason.NON_FINITE, 0)
    assert (
        "f = 561.527 at x0, but 1 of 2 entries of the gradient are not finite, the first is entry 0" in result.message
    )
    assert "np.where" in result.message


HINGE = onp.random.default_rng(0).normal(size=(20, 3))
LABELS = onp.sign(HINGE @ onp.array([1.0, -2.0, 0.5]) + 0.1)


def hinge(x):
    return np.sum(np.maximum(0.0, 1.0 - LABELS * np.dot(HINGE, x))) + 0.01 * np.sum(x**2)


def lasso(x):
    return np.sum((x - onp.array([1.0, 2.0, -1.0])) ** 2) + 3.0 * np.sum(np.abs(x))


@pytest.mark.parametrize("fun", [hinge, lasso])
@pytest.mark.parametrize("name", ["newton", "newton-cg", "cubic", "bfgs", "lbfgs", "dfp"])
def test_a_kink_is_named_and_no_success_is_reported(fun, name):
    result = newtonkit.minimize(fun, [1.0, 1.0, 1.0], method=name)
    assert not result.success
    assert "a kink" in result.message
    assert "smooth" in result.message
    assert "random" not in result.message


def test_a_run_that_hardly_gains_is_not_advised_to_continue():
    slow = newtonkit.minimize(lasso, [1.0, 1.0, 1.0], method="cg", options={"maxiter": 2000})
    assert slow.reason is TerminationReason.ITERATIONS
    assert "raise maxiter" not in slow.message
    assert "'newton'" in slow.message


def test_a_run_that_gains_is_advised_to_continue():
    fast = newtonkit.minimize(
        lambda x: np.sum((x - 1.0) ** 2), [3.0], method="gd", options={"rate": 0.01, "maxiter": 200}
    )
    assert fast.reason is TerminationReason.ITERATIONS
    assert "raise maxiter to resume" in fast.message
