"""``method="auto"``: what it takes, why, and what takes over when that fails."""

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit

RNG = onp.random.default_rng(0)
A = RNG.standard_normal((400, 60))


def chain(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def full(w):
    """Every variable meets every other: a Hessian costs two gradients a variable."""
    return np.sum(np.logaddexp(0.0, A @ w)) + np.sum(w**2)


@pytest.mark.parametrize(
    ("fun", "n", "method", "said"),
    [
        (chain, 2, "newton", "n = 2"),
        (chain, 50, "newton", "gradients"),
        (chain, 500, "newton", "3 products"),
        (full, 60, "newton-cg", "gradients"),
    ],
)
def test_the_choice_follows_counts_and_is_told(fun, n, method, said):
    result = newtonkit.minimize(fun, onp.full(n, 0.9))
    assert result.success
    assert result.method == method
    assert said in result.choice
    assert "chosen automatically" in repr(result)


@pytest.mark.parametrize(
    ("given", "method"),
    [
        ({"jac": lambda x: 2 * x}, "bfgs"),
        ({"jac": lambda x: 2 * x, "hess": lambda x: 2 * onp.eye(300)}, "newton"),
        ({"jac": lambda x: 2 * x, "hessp": lambda x, p: 2 * p}, "newton-cg"),
    ],
)
def test_it_follows_what_derivatives_are_given(given, method):
    result = newtonkit.minimize(lambda x: float(x @ x), onp.ones(300), **given)
    assert result.success
    assert result.method == method


def test_a_large_problem_with_nothing_but_a_gradient_goes_to_lbfgs():
    result = newtonkit.minimize(lambda x: float(x @ x), onp.ones(5000), jac=lambda x: 2 * x)
    assert (result.method, result.success) == ("lbfgs", True)


def test_where_newton_fails_for_a_hessian_that_is_not_finite_the_next_takes_over_on_the_same_counts():
    calls = {"f": 0, "g": 0}

    def fun(x):
        calls["f"] += 1
        return float((x[0] - 1) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2)

    def jac(x):
        calls["g"] += 1
        return onp.array([2 * (x[0] - 1) - 40 * x[0] * (x[1] - x[0] ** 2), 20 * (x[1] - x[0] ** 2)])

    def hess(x):
        return onp.full((2, 2), onp.nan)

    result = newtonkit.minimize(fun, [-1.0, 1.0], jac=jac, hess=hess, options={"gtol": 1e-8})
    assert result.success
    assert result.method == "bfgs"
    assert "newton failed (NON_FINITE)" in result.choice
    assert "bfgs took over" in result.choice
    onp.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-6)
    assert calls == {"f": result.nfev + result.checks.f, "g": result.njev + result.checks.g}


def test_a_method_that_was_asked_for_is_not_replaced():
    result = newtonkit.minimize(
        lambda x: float(x @ x),
        [1.0, 1.0],
        jac=lambda x: 2 * x,
        hess=lambda x: x[0] * onp.nan * onp.eye(2),
        method="newton",
    )
    assert not result.success
    assert result.method == "newton"
    assert result.choice == ""


def test_the_portfolio_keeps_to_one_budget():
    result = newtonkit.minimize(
        chain,
        onp.full(4, -1.0),
        hess=lambda x: onp.full((4, 4), onp.nan),
        jac=newtonkit.grad(chain),
        options={"maxgev": 7},
    )
    assert result.reason is newtonkit.TerminationReason.EVALUATIONS
    assert result.njev + result.checks.g <= 7
