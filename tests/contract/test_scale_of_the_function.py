"""f multiplied by an extreme number is solved like f; what the user sees stays in the user's units."""

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit as nk
from newtonkit.evaluation.scaling import choose_scale

START = onp.array([-1.2, 1.0])


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def scaled(factor):
    return lambda x: factor * rosenbrock(x)


@pytest.mark.parametrize("exponent", [-900, -300, 300, 900])
def test_iterates_do_not_depend_on_a_power_of_two(fast, exponent):
    options = {"gtol": 0.0, "maxiter": 200, "history": "points"}
    reference = nk.minimize(scaled(2.0**-8), START, method=fast, options=options)
    result = nk.minimize(scaled(2.0**exponent), START, method=fast, options=options)
    assert result.nit == reference.nit
    assert all((x == y).all() for x, y in zip(result.history.x, reference.history.x, strict=True))
    assert (result.x == reference.x).all()
    assert result.success


@pytest.mark.parametrize("factor", [1e-310, 1e-200, 1e200, 1e300])
def test_extreme_functions_are_solved_in_the_users_units(fast, factor):
    fun = scaled(factor)
    seen = []
    result = nk.minimize(
        fun, START, method=fast, callback=lambda intermediate_result: seen.append(intermediate_result.fun)
    )
    assert result.success, result.message
    assert result.x == pytest.approx([1.0, 1.0], abs=0.05)
    assert result.fun == fun(result.x)
    assert seen[0] <= fun(START)
    assert result.history.f[0] == pytest.approx(fun(START), rel=1e-12)
    gradient = nk.grad(fun)(result.x)
    assert result.jac == pytest.approx(gradient, rel=1e-6, abs=1e-8 * factor * 200)
    assert result.verdict.gradient_norm == pytest.approx(abs(result.jac).max(), rel=1e-6, abs=1e-6 * factor * 200)
    if "hess" in result:
        assert result.hess[0, 0] == pytest.approx(802 * factor, rel=0.2)


@pytest.mark.parametrize("derivatives", ["autograd", "differences"])
@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_other_sources_are_scaled_too(derivatives, factor):
    result = nk.minimize(scaled(factor), START, method="newton", derivatives=derivatives)
    assert result.x == pytest.approx([1.0, 1.0], abs=1e-2)
    assert result.fun == scaled(factor)(result.x)


def test_given_derivatives_are_scaled_too():
    fun, factor = scaled(1e200), 1e200
    result = nk.minimize(
        fun,
        START,
        jac=lambda x: factor * nk.grad(rosenbrock)(x),
        hess=lambda x: factor * nk.hessian(rosenbrock)(x),
        method="newton",
    )
    assert result.success
    assert result.x == pytest.approx([1.0, 1.0], abs=1e-3)


def test_a_scaled_run_resumes_bit_for_bit():
    fun = scaled(1e200)
    whole = nk.minimize(fun, START, method="bfgs", options={"maxiter": 20})
    part = nk.minimize(fun, START, method="bfgs", options={"maxiter": 8})
    resumed = nk.minimize(fun, part, options={"maxiter": 20})
    assert (resumed.x == whole.x).all()
    assert resumed.fun == whole.fun
    assert resumed.nit == whole.nit == 20


def test_the_target_is_in_the_users_units():
    result = nk.minimize(scaled(1e200), START, method="bfgs", options={"target": 1e200})
    assert result.reason is nk.TerminationReason.TARGET
    assert result.fun <= 1e200
    assert "e+200" in result.message or "e+199" in result.message


def test_moderate_functions_are_left_alone():
    for factor in (1e-40, 1.0, 1e40):
        assert nk.minimize(scaled(factor), START, method="bfgs").scale == 1.0
    assert choose_scale(onp.array([1e60])) * 1e60 == pytest.approx(1.5, abs=0.5)
    assert choose_scale(onp.array([0.0])) == choose_scale(onp.array([onp.nan])) == 1.0
    assert onp.isfinite(choose_scale(onp.array([5e-324])))
    assert np.log2(choose_scale(onp.array([1e-60]))) % 1.0 == 0.0
