"""Success is never a lie, and failure never a false one: cases that once were."""

import math

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import TerminationReason

FAST = ["newton", "bfgs", "lbfgs"]


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def solve(fun, x0, method="newton", **arguments):
    return newtonkit.minimize(fun, onp.array(x0, dtype=float), method=method, **arguments)


@pytest.mark.parametrize("method", FAST)
def test_variables_in_very_different_units_are_no_excuse_to_stop(method):
    """One curvature is 1e18 of the other: rounding hides it from the eigenvalues, not from the equilibrated ones."""
    result = solve(lambda x: (x[0] * 1e6 - 1) ** 2 + (x[1] * 1e-3 - 1) ** 2, [0.0, 0.0], method)
    assert result.success, result.message
    onp.testing.assert_allclose(result.x, [1e-6, 1e3], rtol=1e-3)
    assert result.verdict.kind == "minimum"


@pytest.mark.parametrize("method", FAST)
def test_rosenbrock_with_a_variable_in_units_of_1e_minus_7_is_not_called_solved_before_it_is(method):
    result = solve(lambda x: rosenbrock(np.array([x[0], x[1] * 1e7])), [-1.2, 1e-7], method)
    assert not result.success or result.fun < 1e-6


@pytest.mark.parametrize("method", ["gd", "momentum"])
def test_a_run_that_diverges_to_infinity_returns_the_best_point(method):
    result = solve(lambda x: np.sum(x**4), [3.0], method, options={"rate": 1.0})
    assert not result.success
    assert result.fun <= 81.0


@pytest.mark.parametrize("method", ["newton", "newton-linesearch", "bfgs", "lbfgs", "gd-linesearch"])
def test_minus_infinity_is_no_value_to_return(method):
    result = solve(lambda x: np.where(x[0] > 2, -np.inf, 1.0) * (1 + (x[0] - 3) ** 2), [0.0], method)
    assert math.isfinite(result.fun)


@pytest.mark.parametrize("method", FAST)
@pytest.mark.parametrize("wild", [math.nan, 1e30, -math.inf])
def test_one_wild_value_does_not_leave_a_zero_gradient_behind(method, wild):
    """The wild value is a plain number, so that its trace knows of no dependence on x."""
    for bad in range(1, 16):
        calls = []

        def glitch(x, calls=calls, bad=bad):
            calls.append(1)
            return wild if len(calls) == bad else rosenbrock(x)

        result = solve(glitch, [-1.2, 1.0], method)
        assert result.success, (bad, result.message)
        assert result.fun < 1e-8, bad


@pytest.mark.parametrize("method", FAST)
def test_one_gradient_of_zeros_is_not_believed(method):
    for bad in range(1, 12):
        calls = []

        def glitch(x, calls=calls, bad=bad):
            calls.append(1)
            return onp.zeros(2) if len(calls) == bad else onp.array(newtonkit.grad(rosenbrock)(x))

        result = solve(rosenbrock, [-1.2, 1.0], method, jac=glitch, hess=newtonkit.hessian(rosenbrock))
        if result.success:
            assert result.fun < 1e-8, bad


def test_one_nan_in_a_hessian_is_asked_for_again():
    for method in ("newton", "newton-linesearch"):
        for bad in range(1, 8):
            calls = []

            def glitch(x, calls=calls, bad=bad):
                calls.append(1)
                return onp.full((2, 2), onp.nan) if len(calls) == bad else newtonkit.hessian(rosenbrock)(x)

            result = solve(rosenbrock, [-1.2, 1.0], method, jac=newtonkit.grad(rosenbrock), hess=glitch)
            assert result.success, (method, bad, result.message)


def test_the_concave_flank_of_a_well_is_no_place_to_end():
    for method, x0 in (("newton-pure", [331.5]), ("gd", [333.0])):
        result = solve(lambda x: -np.exp(-0.5 * np.sum((x - 330.0) ** 2)), x0, method, options={"maxiter": 300})
        assert not result.success or result.fun < -0.999


@pytest.mark.parametrize("method", FAST)
def test_an_ill_conditioned_quadratic_with_a_gradient_that_cannot_be_traced_is_solved(method):
    def both(x):
        a, b = float(x[0]), float(x[1])
        return 0.5 * (a**2 + 1e-8 * b**2), onp.array([a, 1e-8 * b])

    result = solve(both, [1.0, 100.0], method, jac=True, options={"gtol": 1e-12})
    assert result.success, result.message
    onp.testing.assert_allclose(result.x, 0.0, atol=0.1)


@pytest.mark.parametrize("method", FAST)
def test_small_units_do_not_spoil_differences_of_a_gradient(method):
    def both(x):
        u = float(x[0]) / 1e-6
        return 1 - math.cos(u), onp.array([math.sin(u) / 1e-6])

    result = solve(both, [8e-7], method, jac=True)
    assert result.success, result.message
    assert result.verdict.kind == "minimum"


@pytest.mark.parametrize("method", FAST)
def test_a_start_where_f_is_tiny_does_not_make_a_bounded_function_unbounded(method):
    for fun, x0 in ((lambda x: -np.exp(-(x[0] ** 2)), [8.0]), (lambda x: np.sum(x**4 - x**2), [1e-25])):
        assert solve(fun, x0, method).reason is not TerminationReason.UNBOUNDED


@pytest.mark.parametrize("method", [*FAST, "newton-linesearch"])
def test_precision_is_not_claimed_far_up_in_a_valley_whose_curvature_is_rounding(method):
    """The smallest eigenvalue is 1e-29 of the largest; f still falls along the valley as its gradient predicts."""
    result = solve(rosenbrock, [1e8, 1e8], method, options={"maxiter": 300})
    assert not result.success
    assert result.fun > 1.0
    assert ": ;" not in result.message


@pytest.mark.parametrize("method", [*FAST, "cubic", "sr1"])
@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_a_function_that_falls_as_slowly_as_a_logarithm_is_called_unbounded(method, unit):
    def fun(x):
        return -np.log(1 + (x[0] / unit) ** 2) + (x[1] - 1) ** 2

    result = solve(fun, [unit, 0.0], method, options={"maxiter": 2000})
    assert result.reason is TerminationReason.UNBOUNDED
    assert "each doubling of the distance" in result.message


@pytest.mark.parametrize("method", [*FAST, "cubic", "sr1"])
@pytest.mark.parametrize("power", [0.1, 1.0])
def test_a_tail_towards_a_finite_infimum_is_not_called_unbounded(method, power):
    def fun(x):
        return (1 + x[0] ** 2) ** -power + (x[1] - 1) ** 2

    result = solve(fun, [1.0, 0.0], method, options={"maxiter": 300, "gtol": 0.0})
    assert result.reason is not TerminationReason.UNBOUNDED


@pytest.mark.parametrize("method", FAST)
def test_what_underflows_divides_nothing(method):
    """Curvature at the end of these is too small for yᵀy to be a number."""
    for fun in (lambda x: np.sum(np.exp(-x)), lambda x: np.sum(x**8), lambda x: np.sum(x**4)):
        result = solve(fun, [1.0], method, options={"gtol": 0.0, "maxiter": 400})
        assert math.isfinite(result.fun)


def test_products_for_a_dense_hessian_are_counted_and_limited():
    calls = []

    def hessp(x, p):
        calls.append(1)
        return 2 * p

    arguments = {"jac": lambda x: 2 * x, "hessp": hessp}
    result = solve(lambda x: np.sum(x**2), onp.full(10, 3.0), "newton", **arguments)
    assert result.nhvp + result.checks.Hv == len(calls)
    calls.clear()
    solve(lambda x: np.sum(x**2), onp.full(10, 3.0), "newton", **arguments, options={"maxhvp": 3})
    assert len(calls) <= 3


@pytest.mark.parametrize("error", [OSError("disk"), StopIteration("mine"), ZeroDivisionError("z")])
def test_a_users_exception_arrives_as_it_was_raised_even_if_it_does_not_come_twice(error):
    calls = []

    def once(x):
        calls.append(1)
        if len(calls) == 3:  # before anything is recorded
            raise error
        return rosenbrock(x)

    with pytest.raises(type(error)) as caught:
        solve(once, [-1.2, 1.0])
    assert caught.value is error


def test_no_room_for_a_check_is_no_licence_to_believe_a_small_gradient():
    result = solve(lambda x: 1e-12 * np.sum((x - 3) ** 2), [0.0], "bfgs", options={"maxhev": 0})
    assert not result.success or abs(result.x[0] - 3) < 1e-3


def test_small_steps_leave_a_saddle_of_small_scale():
    result = solve(lambda x: np.sum((x / 1e-12) ** 4 - (x / 1e-12) ** 2), [0.0])
    assert result.success, result.message
    assert abs(abs(result.x[0]) - 1e-12 / math.sqrt(2)) < 1e-15


@pytest.mark.parametrize("jac", [False, True])
@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs"])
def test_a_degenerate_minimum_is_recognized_and_its_cost_is_limited_unless_a_thorough_verdict_is_requested(method, jac):
    def powell(x):
        return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4

    given = {"jac": newtonkit.grad(powell)} if jac else {}
    thorough = newtonkit.minimize(
        powell, [3.0, -1.0, 0.0, 1.0], method=method, options={"verdict": "thorough"}, **given
    )
    assert thorough.success
    assert thorough.verdict.kind == "degenerate minimum"
    cheap = solve(powell, [3.0, -1.0, 0.0, 1.0], method, **given)
    assert cheap.success
    assert cheap.verdict.kind in ("degenerate minimum", "undecided")
    assert cheap.checks.H <= 3


def test_a_claim_at_a_degenerate_saddle_is_no_success():
    """x⁴ − y⁴ + z² from a point on its stable manifold: no eigenvalue is negative anywhere on it."""
    result = solve(lambda x: x[0] ** 4 - x[1] ** 4 + x[2] ** 2, [1.0, 0.0, 1.0], "newton")
    assert result.verdict.kind != "minimum"
    assert not result.success or result.fun < 0


@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic", "newton-linesearch", "bfgs", "lbfgs", "sr1", "cg"])
@pytest.mark.parametrize("start", [[1.0, 2.0], [1e6, -3.0]])
def test_as_far_as_rounding_allows_has_an_end_where_minimizer_and_minimum_are_zero(method, start):
    """Neither x nor f is a measure of rounding there: the values underflow before a step is lost in it."""
    result = solve(lambda x: 0.26 * (x[0] ** 2 + x[1] ** 2) - 0.48 * x[0] * x[1], start, method, options={"gtol": 0.0})
    assert result.success, result.message
    assert onp.abs(result.x).max() <= 1e-16 * onp.abs(start).max()


def test_a_wall_far_below_the_start_is_no_rounding():
    """f falls from 1e40: eps² of that is 5e8. With the gradient wrong there, failing must stay a failure."""

    def fun(x):
        return 1e40 * x[0] ** 8 + (x[1] - 1) ** 2

    def jac(x):
        return onp.array([8e40 * x[0] ** 7, -2 * (x[1] - 1)])

    result = solve(fun, [1.0, 0.0], "bfgs", jac=jac, options={"gtol": 0.0})
    assert not result.success or abs(result.x[1] - 1) < 1e-6


@pytest.mark.parametrize("method", ["newton", "newton-linesearch", "bfgs", "lbfgs", "cg"])
@pytest.mark.parametrize("gtol", [0.0, 1e-300, 1e-8])
def test_a_tail_that_underflows_is_no_minimum_whatever_is_asked_of_the_gradient(method, gtol):
    result = solve(lambda x: np.exp(-x[0]), [0.0], method, options={"gtol": gtol})
    assert not result.success, result.message


@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs", "cg"])
@pytest.mark.parametrize("power", [2, 4])
def test_a_plateau_that_a_slope_leads_down_to_is_one(method, power):
    result = solve(lambda x: np.sum(np.maximum(x - 1, 0.0) ** power) + 3.0, [5.0, 2.0], method, options={"gtol": 0.0})
    assert result.success, result.message
