"""A Result in place of x0: the run goes on as if it had not been interrupted."""

import pickle

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.optimize

import newtonkit

START = [2.0, 3.0, -1.5]
WEIGHTS = onp.array([1.0, 5.0, 20.0])


def valley(x):
    return 0.5 * np.sum(WEIGHTS * x**2) + 0.1 * np.sum(x**4)


def jac(x):  # given, so that no tape rounds in another order
    return WEIGHTS * x + 0.4 * x**3


def hess(x):
    return onp.diag(WEIGHTS + 1.2 * x**2)


def run(x0, method, maxiter, **options):
    return newtonkit.minimize(
        valley,
        x0,
        method=method,
        jac=jac,
        hess=hess,
        options={"maxiter": maxiter, "gtol": 0.0, "verdict": False} | options,
    )


@pytest.mark.parametrize("stored", [False, True])
def test_two_runs_make_the_same_steps_and_counts_as_one(method, stored):
    whole = run(START, method, 5)
    first = run(START, method, 2)
    if stored:
        first = pickle.loads(pickle.dumps(first))
    second = run(first, method, 5)
    onp.testing.assert_array_equal(second.state.x, whole.state.x)
    assert (second.nit, second.nfev, second.njev, second.nhev) == (whole.nit, whole.nfev, whole.njev, whole.nhev)


def test_a_result_can_be_gone_on_from_twice():
    first = run(START, "lbfgs", 3)
    again = run(first, None, 6)
    onp.testing.assert_array_equal(run(first, None, 6).x, again.x)
    assert again.method == "lbfgs"


def test_limits_hold_for_both_runs_together():
    first = run(START, "bfgs", 2)
    second = run(first, "bfgs", 100, maxgev=first.njev + 2)
    assert second.reason is newtonkit.TerminationReason.EVALUATIONS
    assert second.njev + second.checks.g <= first.njev + 2


def test_another_method_is_refused_with_the_way_out():
    first = run(START, "bfgs", 2)
    with pytest.raises(
        ValueError, match=r"result of 'bfgs', and 'newton' cannot resume from its state; pass x0=result.x"
    ):
        run(first, "newton", 5)


def test_a_tighter_tolerance_is_met_from_where_the_first_one_was():
    rough = newtonkit.minimize(valley, START, method="lbfgs", options={"gtol": 1e-1})
    fine = newtonkit.minimize(valley, rough, options={"gtol": 1e-10})
    assert fine.success
    assert onp.abs(fine.jac).max() <= 1e-10
    assert fine.nit > rough.nit


def test_a_converged_result_ends_before_the_first_step():
    first = newtonkit.minimize(valley, START, method="lbfgs")
    second = newtonkit.minimize(valley, first)
    assert second.reason is newtonkit.TerminationReason.GRADIENT
    assert (second.nit, second.nfev, second.njev) == (first.nit, first.nfev, first.njev)
    onp.testing.assert_array_equal(second.x, first.x)


def test_no_step_is_made_if_the_iterations_are_spent(method):
    first = run(START, method, 3)
    second = run(first, method, 3)
    assert second.reason is newtonkit.TerminationReason.ITERATIONS
    assert (second.nit, second.nfev, second.njev, second.nhev) == (first.nit, first.nfev, first.njev, first.nhev)


def test_a_result_of_training_is_a_start_for_minimize():
    rows = onp.linspace(-1.0, 1.0, 8)
    trained = newtonkit.train(
        lambda x, batch: np.mean((x[0] - batch) ** 2), [3.0], rows, "gd", epochs=2, options={"rate": 0.1}
    )
    result = newtonkit.minimize(lambda x: np.mean((x[0] - rows) ** 2), trained, method="newton")
    assert result.success
    onp.testing.assert_array_equal(result.history.f[0], onp.mean((trained.x[0] - rows) ** 2))


def test_a_result_of_scipy_is_a_start_for_minimize():
    rough = scipy.optimize.minimize(valley, START, tol=1e-1)
    assert newtonkit.minimize(valley, rough).success


def test_structures_go_on_too():
    x0 = {"a": onp.array([1.0, 2.0]), "b": onp.array(3.0)}

    def fun(p):
        return np.sum((p["a"] - 1) ** 4) + (p["b"] + 1) ** 2

    first = newtonkit.minimize(fun, x0, method="bfgs", options={"maxiter": 2})
    second = newtonkit.minimize(fun, first)
    assert set(second.x) == {"a", "b"}
    assert second.success
