"""The promises to the user, each kept by every method."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import Kind, TerminationReason

CENTRE = onp.array([1.0, -2.0, 0.5])
WEIGHTS = onp.array([1.0, 4.0, 16.0])
X0 = onp.array([3.0, 1.0, -1.0])


def valley(x):
    """A smooth convex function with its minimum 1 at CENTRE; not a quadratic."""
    r = x - CENTRE
    return 1.0 + 0.5 * np.sum(WEIGHTS * r**2) + 0.1 * np.sum(r**4)


def valley_gradient(x):
    r = x - CENTRE
    return WEIGHTS * r + 0.4 * r**3


def valley_hessian(x):
    return onp.diag(WEIGHTS + 1.2 * (x - CENTRE) ** 2)


class Counted:
    """The valley with derivatives by hand, counting its calls."""

    def __init__(self):
        self.f = self.g = self.H = 0

    def fun(self, x):
        self.f += 1
        return valley(x)

    def jac(self, x):
        self.g += 1
        return valley_gradient(x)

    def hess(self, x):
        self.H += 1
        return valley_hessian(x)

    def derivatives(self):
        return {"jac": self.jac, "hess": self.hess}


def test_success_means_that_the_stated_test_holds_at_x(method):
    result = newtonkit.minimize(valley, X0, method=method, options={"maxiter": 3000})
    if result.success:
        assert result.reason in (TerminationReason.GRADIENT, TerminationReason.PRECISION)
        assert onp.abs(valley_gradient(result.x)).max() <= 1e-5
        assert result.verdict.kind == "minimum"
    else:
        assert result.reason.kind is not Kind.CONVERGED
        # those that only crawl or circle here, or are held back by their decay
        assert method.name in ("adagrad", "rmsprop", "adadelta", "adamw")


def test_fun_is_the_users_function_at_x_and_jac_its_gradient(method):
    result = newtonkit.minimize(valley, X0, method=method, options={"maxiter": 60})
    assert result.fun == float(valley(result.x))
    # a tape may add in another order than plain autograd
    onp.testing.assert_array_max_ulp(result.jac, newtonkit.grad(valley)(result.x), maxulp=2)


def test_the_point_returned_is_never_worse_than_the_start(method):
    for seed in range(5):
        x0 = onp.random.default_rng(seed).normal(size=3) * 3
        result = newtonkit.minimize(valley, x0, method=method, options={"maxiter": 7})
        assert result.fun <= valley(x0)


def test_counts_equal_the_calls_really_made(method):
    calls = Counted()
    result = newtonkit.minimize(calls.fun, X0, method=method, **calls.derivatives(), options={"maxiter": 40})
    assert result.nfev + result.checks.f == calls.f
    assert result.njev + result.checks.g == calls.g
    assert result.nhev + result.checks.H == calls.H


def test_counts_hold_where_products_come_from_differences_of_a_gradient():
    calls = Counted()

    def opaque(x):
        return onp.array([float(v) for v in calls.jac(x)])  # autograd cannot see through float()

    result = newtonkit.minimize(calls.fun, X0, method="newton", jac=opaque)
    assert result.success
    assert result.njev + result.checks.g == calls.g
    assert result.njev + result.checks.g >= 2 * 3 * result.nhev


@pytest.mark.parametrize("limit", ["maxfev", "maxgev", "maxhev"])
def test_budgets_are_never_exceeded_by_even_one_evaluation(method, limit):
    for budget in range(14):
        calls = Counted()
        result = newtonkit.minimize(
            calls.fun, X0, method=method, **calls.derivatives(), options={limit: budget, "maxiter": 40}
        )
        made = {"maxfev": calls.f, "maxgev": calls.g, "maxhev": calls.H}[limit]
        assert made <= budget
        assert result.fun == valley(result.x) or onp.isnan(result.fun)
        if result.reason is TerminationReason.EVALUATIONS:
            assert str(budget) in result.message
            assert not result.success


def test_maxiter_is_exact(method):
    for limit in (0, 1, 5):
        result = newtonkit.minimize(valley, X0, method=method, options={"maxiter": limit, "gtol": 0.0})
        assert result.nit <= limit
        if result.reason is TerminationReason.ITERATIONS:
            assert result.nit == limit
            assert str(limit) in result.message


@pytest.mark.parametrize("error", [ValueError("broken at this point"), KeyboardInterrupt()])
def test_an_error_in_user_code_arrives_with_the_best_point_so_far(method, error):
    values = []

    def breaks(x):
        if len(values) == 6:
            raise error
        values.append(float(valley(x)))
        return values[-1]

    with pytest.raises(type(error)) as caught:
        newtonkit.minimize(breaks, X0, method=method, jac=valley_gradient, hess=valley_hessian, options={"gtol": 0.0})
    partial = caught.value.partial_result
    assert not partial.success
    assert partial.reason is TerminationReason.EXCEPTION
    assert partial.fun == min(values)
    assert partial.fun == float(valley(partial.x))


def test_a_user_who_overwrites_and_reuses_buffers_breaks_nothing(method):
    buffer = onp.empty(3)

    def vandal(x):
        value = float(valley(x))
        x[:] = onp.nan
        return value

    def reused(x):
        buffer[:] = valley_gradient(x)
        x[:] = onp.nan
        return buffer

    def seen(x):
        x[:] = onp.nan

    options = {"maxiter": 30}
    x0 = X0.copy()
    rough = newtonkit.minimize(
        vandal, x0, method=method, jac=reused, hess=valley_hessian, callback=seen, options=options
    )
    gentle = newtonkit.minimize(valley, X0, method=method, jac=valley_gradient, hess=valley_hessian, options=options)
    onp.testing.assert_array_equal(rough.x, gentle.x)
    onp.testing.assert_array_equal(x0, X0)
    assert rough.nit == gentle.nit


def test_a_function_that_doubles_its_argument_does_not_double_that_of_the_gradient(method):
    def doubling(x):
        value = float(valley(x))
        x *= 2.0
        return value

    options = {"maxiter": 30}
    rough = newtonkit.minimize(doubling, X0, method=method, jac=valley_gradient, hess=valley_hessian, options=options)
    gentle = newtonkit.minimize(valley, X0, method=method, jac=valley_gradient, hess=valley_hessian, options=options)
    onp.testing.assert_array_equal(rough.x, gentle.x)


def test_states_are_never_written_after_they_were_yielded(method):
    states, copies = [], []
    for state in islice(newtonkit.iterate(method, valley, X0), 12):
        states.append(state)
        copies.append((state.x.copy(), state.f, state.g.copy()))
        if not state.g.any():
            break
    for state, (x, f, g) in zip(states, copies, strict=True):
        onp.testing.assert_array_equal(state.x, x)
        onp.testing.assert_array_equal(state.g, g)
        assert state.f == f


def test_the_same_input_gives_the_same_result_bit_for_bit_from_any_thread(method):
    def solve(_):
        result = newtonkit.minimize(valley, X0, method=method, options={"maxiter": 25})
        return result.x.tobytes(), result.nit, result.message

    alone = solve(0)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(solve, range(8))) == {alone}


def test_the_callback_stops_the_run_on_the_exact_iteration(method):
    def third(x):
        seen.append(x)
        return len(seen) == 3

    def third_by_exception(intermediate_result):
        seen.append(intermediate_result.x)
        assert intermediate_result.fun == valley(intermediate_result.x)
        assert intermediate_result.nit == len(seen)
        if len(seen) == 3:
            raise StopIteration

    for callback in (third, third_by_exception):
        seen = []
        result = newtonkit.minimize(valley, X0, method=method, callback=callback, options={"gtol": 0.0})
        if result.reason is not TerminationReason.CALLBACK:  # converged before
            assert method.name == "newton-pure" or result.nit < 3
            continue
        assert result.nit == len(seen) == 3
        assert not result.success


def test_the_last_state_can_be_pickled_and_belongs_to_the_caller(method):
    result = newtonkit.minimize(valley, X0, method=method, options={"maxiter": 5})
    again = pickle.loads(pickle.dumps(result.state))
    onp.testing.assert_array_equal(again.x, result.state.x)
    assert again.f == result.state.f


def test_a_random_failure_in_one_call_in_a_hundred_does_not_keep_a_problem_from_being_solved(fast):
    for seed in range(20):
        rng = onp.random.default_rng(seed)

        def flaky(x, rng=rng):
            if rng.random() < 0.01:
                return rng.choice([onp.nan, onp.inf, -onp.inf, 1e300, -1e300])
            return valley(x)

        def flaky_gradient(x, rng=rng):
            g = valley_gradient(x)
            if rng.random() < 0.01:
                g[rng.integers(3)] = rng.choice([onp.nan, onp.inf, 1e200])
            return g

        result = newtonkit.minimize(flaky, X0, method=fast, jac=flaky_gradient, hess=valley_hessian)
        assert result.success, (seed, result.message)
        onp.testing.assert_allclose(result.x, CENTRE, atol=1e-5)


def test_a_wall_of_nan_beside_the_path_is_walked_around(guarded):
    def walled(x):
        return np.where(x[0] > 0.05, valley(x) - np.log(np.where(x[0] > 0.05, x[0], 1.0)), np.nan)

    result = newtonkit.minimize(walled, [8.0, 1.0, -1.0], method=guarded, options={"maxiter": 3000})
    assert result.success, result.message
    assert result.x[0] > 0.05


def test_nan_everywhere_is_a_result_and_not_an_exception(method):
    result = newtonkit.minimize(lambda x: np.sum(x) * np.nan, X0, method=method)
    assert result.reason is TerminationReason.NON_FINITE
    assert "x0" in result.message
    assert onp.isnan(result.fun)
    onp.testing.assert_array_equal(result.x, X0)


def test_every_ending_without_success_says_why_with_a_number(method):
    for options in ({"maxiter": 2}, {"maxfev": 3}, {"maxgev": 2}, {"maxtime": 1e-9}):
        result = newtonkit.minimize(valley, X0, method=method, options=options | {"gtol": 0.0})
        if not result.success:
            assert any(character.isdigit() for character in result.message)
            assert result.status > 0


def test_a_history_adds_up_with_the_result(method):
    result = newtonkit.minimize(valley, X0, method=method, options={"maxiter": 20, "history": "points"})
    history = result.history
    assert len(history) == result.nit + 1
    assert list(history.nit) == list(range(result.nit + 1))
    assert history.nfev[-1] == result.nfev
    assert history.njev[-1] == result.njev
    onp.testing.assert_array_equal(history.x[0], X0)
    onp.testing.assert_array_equal(history.f, [valley(x) for x in history.x])
    assert (onp.diff(history.seconds) >= 0).all()


def test_parameters_with_structure_come_back_in_it(method):
    def fun(p):
        return valley(np.concatenate([np.ravel(p["a"]), p["b"]]))

    seen = []
    flat = newtonkit.minimize(valley, X0, method=method, options={"maxiter": 20})
    tree = newtonkit.minimize(
        fun,
        {"a": X0[:2].reshape(1, 2), "b": X0[2:]},
        method=method,
        callback=lambda p: seen.append(p["a"].shape),
        options={"maxiter": 20},
    )
    assert tree.x["a"].shape == tree.jac["a"].shape == (1, 2)
    assert set(seen) == {(1, 2)}
    # the same point up to the rounding of another order of the derivative's sums
    onp.testing.assert_allclose(onp.concatenate([tree.x["a"].ravel(), tree.x["b"]]), flat.x, rtol=1e-6)


def test_a_hessian_that_a_check_asked_for_first_is_the_methods_to_pay():
    """The claim at ‖g‖ ≤ gtol is checked by a Hessian and turned down; Newton's next step then uses it."""
    calls = Counted()
    scale = 1e-9  # so small a unit that the start meets gtol, far from the minimum

    result = newtonkit.minimize(
        lambda x: scale * calls.fun(x),
        X0,
        method="newton",
        jac=lambda x: scale * calls.jac(x),
        hess=lambda x: scale * calls.hess(x),
    )
    assert result.success
    onp.testing.assert_allclose(result.x, CENTRE, atol=1e-3)
    assert result.nhev + result.checks.H == calls.H
    assert result.nhev == sum(result.history.accepted[1:]), "one Hessian for each point left, none twice"


def test_a_history_without_points_says_how_to_get_them():
    history = newtonkit.minimize(valley, X0).history
    with pytest.raises(ValueError, match="'points'"):
        _ = history.x
    with pytest.raises(AttributeError, match="gradient_norm"):
        _ = history.gradients


def test_a_claim_put_off_is_heard_when_the_budget_ends():
    """Gradient descent meets gtol, is turned down for what is left to gain, and creeps on until maxiter."""
    seen = []
    for limit in range(100, 164, 8):
        result = newtonkit.minimize(
            lambda x: 0.5 * np.sum(WEIGHTS * x**2),
            X0,
            method="gd",
            options={"rate": 0.06, "gtol": 1e-1, "maxiter": limit},
        )
        seen.append(result.success)
        left = 0.5 * result.jac @ (result.jac / WEIGHTS)
        assert result.success == (left <= 1e-8 * (0.5 * WEIGHTS @ X0**2 - result.fun))
    assert True in seen
    assert False in seen


def test_a_result_says_where_derivatives_came_from_and_names_what_slows_them_down():
    """The tape by default, also with branches; plain autograd if requested, or for an index; the user's own."""

    def branching(x):
        return valley(x) if x[0] > 0 else valley(x) + 0.0

    def indexing(x):
        return valley(x) + [0.0, 0.0][int(x[0] > 0)]

    assert newtonkit.minimize(valley, X0, method="bfgs").derivatives == "tape"
    off = newtonkit.minimize(valley, X0, method="bfgs", options={"tape": False})
    assert off.derivatives == "plain autograd (turned off)"
    assert "slower" not in repr(off)
    given = newtonkit.minimize(valley, X0, method="bfgs", jac=valley_gradient)
    assert given.derivatives == "given"
    assert newtonkit.minimize(branching, X0, method="bfgs").derivatives == "tape"
    slow = newtonkit.minimize(indexing, X0, method="bfgs")
    assert slow.success
    assert "depends on the values of x" in repr(slow)


def test_tape_or_not_the_run_ends_at_the_same_point(fast):
    """The tape rounds in another order here and there: the same steps to 1e-8."""
    taped = newtonkit.minimize(valley, X0, method=fast)
    plain = newtonkit.minimize(valley, X0, method=fast, options={"tape": False})
    assert taped.nit == plain.nit
    onp.testing.assert_allclose(taped.x, plain.x, rtol=1e-8)


def test_data_that_change_under_a_tape_are_noticed_before_anything_is_returned(fast):
    """The minimizer jumps from 1 to 2 during the run: what is returned is a minimum of what f is in the end."""
    data = {"centre": 1.0}

    def moving(x):
        return np.sum((x - data["centre"]) ** 4 + WEIGHTS * (x - data["centre"]) ** 2)

    def move(intermediate_result):
        if intermediate_result.nit == 5:
            data["centre"] = 2.0

    result = newtonkit.minimize(moving, X0 * 30, method=fast, callback=move)
    assert data["centre"] == 2.0, "the run was too short to be misled"
    assert result.success, result.message
    onp.testing.assert_allclose(result.x, 2.0, atol=1e-4)
