"""Problems that users of other optimizers often report, and the behaviour of newtonkit; each with its issue of scipy.

An issue is named by its number, as in github.com/scipy/scipy/issues/9885. The functions are those of the reports, or
similar ones that do not require the data of the reports.
"""

import math
import pickle
import re
import threading
from pathlib import Path

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import Evaluator, Objective, TerminationReason
from newtonkit.methods.registry import METHODS

GUARDED = [name for name, method in METHODS.items() if getattr(method, "escapes", False)]
WITH_HESSIAN = [name for name in GUARDED if "hess" in METHODS[name].needs]
CURVED = [name for name in GUARDED if name != "gd-linesearch"]  # methods that use curvature
WEIGHTS = onp.array([1.0, 4.0, 16.0])


def each(names):
    """Parametrize a test by these methods; otherwise the fixture ``method`` covers all methods."""
    return pytest.mark.parametrize("method", names, indirect=True)


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def double_well(x):
    """A saddle at the origin between two minima −1 at (0, ±√2); the x axis is its stable manifold."""
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


def valley(x):
    """Smooth and convex, with curvatures between 1 and 20: no method rejects a step or diverges."""
    return 1.0 + 0.5 * np.sum(WEIGHTS * x**2) + 0.1 * np.sum(x**4)


def solve(method, fun, x0, **arguments):
    return newtonkit.minimize(fun, x0, method=method, **arguments)


# --- false failure at the solution ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gtol", [1e-9, 0.0])
@each(CURVED)
def test_a_run_limited_by_rounding_at_the_solution_is_a_success(method, gtol):
    """#9885, #17792: "Desired error not necessarily achieved due to precision loss" at the solution.

    The bent cigar function in 30 variables, rotated and shifted, from a vector of ones. Its minimal value −1200 hides
    the last digits of the variation.
    """
    Q = onp.linalg.qr(onp.random.default_rng(0).normal(size=(30, 30)))[0]
    centre = onp.random.default_rng(1).uniform(-80, 80, 30)
    weights = onp.full(30, 1e6)
    weights[0] = 1.0
    result = solve(method, lambda x: np.sum(weights * np.dot(Q, x - centre) ** 2) - 1200, onp.ones(30), tol=gtol)
    assert result.success, result.message
    assert "precision loss" not in result.message
    assert result.fun <= -1200 + 1e-9
    onp.testing.assert_allclose(result.x, centre, rtol=1e-5)


@each(CURVED)
def test_a_large_constant_in_f_does_not_turn_a_minimum_into_a_failure(method):
    """#9885: rounding of f + 1e10 hides differences below 1e-6; the gradient still leads to the minimum."""
    result = solve(method, lambda x: 1e10 + himmelblau(x), onp.ones(2), tol=1e-10)
    assert result.success, result.message
    onp.testing.assert_allclose(result.x, [3, 2], rtol=1e-6)


@each(GUARDED)
def test_a_start_in_single_precision_is_solved_in_double(method):
    """#19024: himmelblau from float32 ones ended in "precision loss", four digits short of (3, 2)."""
    result = solve(method, himmelblau, onp.ones(2, dtype="f4"))
    assert result.success, result.message
    assert result.x.dtype == onp.float64
    onp.testing.assert_allclose(result.x, [3, 2], rtol=1e-6)


@each(GUARDED)
def test_a_function_computed_in_single_precision_is_solved_to_single_precision(method):
    """#19024: f and gradient with seven digits are sufficient for a success at the tolerance that they allow."""

    def fun(x):
        x = onp.asarray(x, dtype="f4")
        return himmelblau(x)

    def jac(x):
        x = onp.asarray(x, dtype="f4")
        a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
        return onp.array([4 * x[0] * a + 2 * b, 2 * a + 4 * x[1] * b])

    result = solve(method, fun, onp.ones(2), jac=jac, tol=1e-3)
    assert result.success, result.message
    onp.testing.assert_allclose(result.x, [3, 2], rtol=1e-4)


# --- false success --------------------------------------------------------------------------------------------------


def test_a_run_from_a_maximum_leaves_it_or_reports_it(method):
    """#20213: Newton-CG "terminated successfully" at (0, 0), a maximum of cos x + cos y of which it had the Hessian."""
    result = solve(method, lambda x: np.cos(x[0]) + np.cos(x[1]), onp.zeros(2))
    if method.name in GUARDED:
        assert result.success, result.message
        assert result.fun == pytest.approx(-2.0, abs=1e-8)
        assert result.verdict.kind == "minimum"
    else:
        assert result.reason is TerminationReason.SADDLE
        assert "maximum" in result.message
        assert not result.success


def test_no_start_near_a_maximum_of_the_sine_ends_in_success_there(method):
    """#8065: "SLSQP finds minima that aren't minima", from starts near and at 13π/2."""
    for x0 in (*onp.linspace(20.41, 20.43, 5), 13 * math.pi / 2):
        result = solve(method, lambda x: np.sin(x[0]), [x0], options={"maxiter": 150})
        assert not result.success or result.fun == pytest.approx(-1.0, abs=1e-8), (x0, result.message)
        assert result.success or method.name not in GUARDED, (x0, result.message)


@pytest.mark.parametrize("x0", [(0.0, 0.0), (1.0, 0.0)], ids=["at the saddle", "on its stable manifold"])
def test_a_run_leaves_a_saddle_or_reports_it(method, x0):
    """#20213: every solver of scipy's that starts at this saddle reports success there, nine of eleven from (1, 0)."""
    result = solve(method, double_well, x0, options={"maxiter": 1000})
    assert result.success is (method.name in GUARDED), result.message
    if result.success:
        assert result.fun == pytest.approx(-1.0, abs=1e-8)
    elif result.reason is not TerminationReason.ITERATIONS:
        assert result.reason is TerminationReason.SADDLE
        assert result.verdict.index == 1
        assert "saddle of index 1" in result.message


@pytest.mark.parametrize(
    ("fun", "x0"),
    [
        (lambda x: -(x[0] ** 4), (0.0,)),
        (lambda x: x[0] ** 3, (0.0,)),
        (lambda x: x[0] ** 3, (1.0,)),
        (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, (0.0, 0.0)),
        (lambda x: x[0] ** 2 - x[1] ** 4, (1.0, 0.0)),
        (lambda x: x[0] * x[1] * x[2], (0.0, 0.0, 0.0)),
        (lambda x: -np.sum(np.abs(x)), (0.0, 0.0)),
    ],
    ids=["-x⁴", "x³", "x³ from 1", "monkey saddle", "x²-y⁴", "xyz", "-|x|"],
)
def test_a_point_from_which_f_decreases_is_no_success_even_without_curvature(method, fun, x0):
    """#8065, with a Hessian that is zero at the point: f still decreases, and is unbounded below."""
    result = solve(method, fun, x0, options={"maxiter": 300})
    assert not result.success, result.message


def test_degenerate_minima_are_still_minima(method):
    """The opposite of the previous test: a minimum with a singular Hessian may be a success."""
    for fun, x0 in (
        (lambda x: np.sum(x**4), (0.0, 0.0)),
        (lambda x: (x[1] - x[0] ** 2) ** 2, (1.0, 1.0)),
        (lambda x: np.sum(np.maximum(0.0, np.abs(x) - 1) ** 2), (1.0, 0.2)),
    ):
        result = solve(method, fun, x0)
        assert result.success, result.message
        assert result.nit == 0


@each(CURVED)
def test_a_degenerate_minimum_that_is_reached_slowly_is_a_success(method):
    """#9885: at the end of a run on Powell's singular function f still decreases slightly along two flat directions."""

    def powell(x):
        return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4

    for seed in range(8):
        x0 = 3 * onp.random.default_rng(seed).normal(size=4)
        result = solve(method, powell, x0)
        assert result.success, (seed, result.message)
        assert result.fun <= 1e-6 * powell(x0)


def test_without_verdict_a_success_is_reported_as_unchecked(method):
    """#20213, "no extra work": the user may turn the second-order check off; the message then states this."""
    result = solve(method, double_well, (0.0, 0.0), options={"verdict": False})
    assert result.success
    assert result.verdict.kind == "unchecked"
    assert "no second-order check was made" in result.message
    assert result.checks.H == result.checks.Hv == 0


def test_a_value_that_is_nan_is_never_a_success(method):
    """#6264: L-BFGS-B converged by "norm of projected gradient" on a function that returns NaN."""
    result = solve(method, lambda x: onp.nan, [1.3, 0.7, 0.8, 1.9, 1.2])
    assert not result.success
    assert result.reason is TerminationReason.NON_FINITE
    assert "f = nan at x0" in result.message


def test_a_parabola_in_single_precision_is_solved_and_the_start_is_no_success(method):
    """#17636: x² in float32 from 1 was a "success" in 0 iterations at x = 1, since its differences are zero."""
    result = solve(method, lambda x: np.sum(x.astype(np.float32) ** 2), onp.float32(1), options={"maxiter": 500})
    assert result.nit > 0
    assert result.fun < 1.0
    assert not result.success or abs(result.x[0]) < 1e-5
    assert result.success or method.name not in GUARDED


def test_a_cast_that_autograd_does_not_support_raises_an_error_that_names_it():
    """#17636, as reported: np.float32(x)."""
    with pytest.raises(newtonkit.DifferentiationError, match=r"autograd\.numpy"):
        solve("newton", lambda x: np.float32(x) * np.float32(x), 1)


def test_a_function_of_rounded_numbers_is_no_success(method):
    """#17636 for exact derivatives: those of a step function are zero."""
    result = solve(method, lambda x: np.sum(np.round(x) ** 2), [1.2, -0.8])
    assert not result.success
    assert result.reason in (TerminationReason.NOT_CRITICAL, TerminationReason.SADDLE)


@pytest.mark.parametrize(
    ("fun", "x0", "reasons"),
    [
        (lambda x: -np.sum(x**2), (1.0, 2.0), {TerminationReason.UNBOUNDED}),
        (lambda x: np.sum(x) - 3.0, (1.0, 2.0), {TerminationReason.UNBOUNDED}),
        (lambda x: -np.exp(x[0]), (1.0,), {TerminationReason.UNBOUNDED}),
        (lambda x: np.exp(-x[0]), (0.0,), {TerminationReason.NOT_CRITICAL}),
        (lambda x: 1e10 + np.exp(-x[0]), (0.0,), {TerminationReason.NOT_CRITICAL}),
        (lambda x: 1 / (1 + x[0] ** 2), (1.0,), {TerminationReason.NOT_CRITICAL}),
    ],
    ids=["-x²", "linear", "-exp(x)", "exp(-x)", "1e10 + exp(-x)", "1/(1+x²)"],
)
def test_a_function_without_a_minimum_ends_without_success(method, fun, x0, reasons):
    """Without an issue of its own: many reports of "why did it stop" are functions without a minimum."""
    result = solve(method, fun, x0, options={"maxiter": 400})
    assert not result.success, result.message
    if method.name in ("newton", "newton-cg", "bfgs", "lbfgs"):
        assert result.reason in reasons, result.message
        assert any(c.isdigit() for c in result.message)


# --- outside the domain ---------------------------------------------------------------------------------------------


@each(GUARDED)
def test_a_step_out_of_the_domain_is_rejected(method):
    """#12503: trust-exact "runs without progress" if a trial gives NaN; here Σ(x − ln x) from (50, 2)."""
    result = solve(method, lambda x: np.sum(x - np.log(x)), [50.0, 2.0])
    assert result.success, result.message
    onp.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-4)


@each(WITH_HESSIAN)
def test_the_hessian_is_not_evaluated_at_a_rejected_point(method):
    """#12503: the Hessian was evaluated at rejected points, outside its domain, and raised."""
    rejected = []

    def fun(x):
        if (x <= 0).any():
            rejected.append(x)
            return onp.nan
        return float(onp.sum(x - onp.log(x)))

    def hess(x):
        if (x <= 0).any():
            raise FloatingPointError("a Hessian outside the domain")
        return onp.diag(1 / x**2)

    result = solve(method, fun, [50.0, 2.0], jac=lambda x: 1 - 1 / x, hess=hess)
    assert rejected, "no trial left the domain"
    assert result.success, result.message
    assert result.nhev + result.checks.H <= result.nit + 2


@each(WITH_HESSIAN)
def test_a_subproblem_always_ends(method):
    """#12513: "the program just does not halt", from a gradient of 1e-6 and a nearly singular Hessian."""
    rng = onp.random.default_rng(0)
    Q = onp.linalg.qr(rng.normal(size=(19, 19)))[0]
    eigenvalues = 10.0 ** onp.linspace(5, -9, 19)
    eigenvalues[-2:] = 0.0, -1e-8
    H = Q * eigenvalues @ Q.T
    g = 1e-6 * rng.normal(size=19)
    result = solve(
        method,
        lambda x: np.dot(g, x) + 0.5 * np.dot(x, np.dot(H, x)) + 1e-3 * np.sum(x**4),
        onp.zeros(19),
        options={"gtol": 1e-9, "maxiter": 500},
    )
    assert result.nit < 500
    assert result.fun < -2e-7


@each(WITH_HESSIAN)
def test_a_hessian_of_nan_ends_the_run_at_once(method):
    """#12513: the cause of the infinite loop in the application of the report."""
    result = solve(
        method,
        lambda x: float(onp.sum(x**2)),
        onp.ones(3),
        jac=lambda x: 2 * x,
        hess=lambda x: onp.full((3, 3), onp.nan),
        options={"maxiter": 50},
    )
    assert result.reason is TerminationReason.NON_FINITE
    assert "Hessian" in result.message


# --- the best point -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [1.0, 1.05])
def test_the_returned_value_is_the_lowest_that_was_computed(method, power):
    """#15643: CG on |x| from 1.1 met 1e-13 in a line search and returned 0.1."""
    values = []

    def fun(x):
        values.append(float(abs(x[0]) ** power))
        return values[-1]

    result = solve(
        method, fun, 1.1, jac=lambda x: power * onp.sign(x) * onp.abs(x) ** (power - 1), options={"maxiter": 60}
    )
    assert result.fun == min(values)
    assert result.fun == abs(result.x[0]) ** power


# --- scale ----------------------------------------------------------------------------------------------------------


@each(CURVED)
def test_a_gradient_of_thousands_at_the_start_does_not_cause_a_huge_first_step(method):
    """#3581: least squares with an exponential; fmin_bfgs failed on half of such samples."""
    for seed in range(4):
        rng = onp.random.default_rng(seed)
        X = onp.column_stack([onp.ones(100), rng.normal(size=(100, 4))])
        truth = onp.array([1.0, 0.5, 0.1, 0.5, 1.0])
        y = onp.exp(X @ truth) + 0.1 * rng.normal(size=100)
        result = solve(method, lambda b, X=X, y=y: np.sum((y - np.exp(np.dot(X, b))) ** 2), onp.ones(5))
        assert result.success, (seed, result.message)
        onp.testing.assert_allclose(result.x, truth, atol=0.05)


# --- information about a run ----------------------------------------------------------------------------------------


def test_the_trace_of_a_run_costs_no_evaluation(method):
    """#8176: f per iteration, without computing it again in a callback."""
    seen = []

    def watch(intermediate_result):
        seen.append((intermediate_result.fun, onp.abs(intermediate_result.jac).max()))

    options = {"maxiter": 20, "gtol": 0.0}
    with_trace = solve(method, valley, [2.0, 3.0, -1.5], callback=watch, options=options)
    without = solve(method, valley, [2.0, 3.0, -1.5], options=options | {"history": False})
    history = with_trace.history
    onp.testing.assert_array_equal(history.f[1:], [f for f, _ in seen])
    onp.testing.assert_array_equal(history.gradient_norm[1:], [size for _, size in seen])
    assert with_trace.nfev + with_trace.checks.f == without.nfev + without.checks.f
    assert with_trace.njev + with_trace.checks.g == without.njev + without.checks.g


@each(WITH_HESSIAN)
def test_a_callback_may_stop_a_run_by_a_property_of_the_hessian(method):
    """#19719: stop as soon as the Hessian is positive definite, from within the callback."""
    hessian = newtonkit.hessian(double_well)
    seen = []

    def until_convex(intermediate_result):
        seen.append(onp.linalg.eigvalsh(hessian(intermediate_result.x))[0])
        if seen[-1] > 0:
            raise StopIteration

    result = solve(method, double_well, [1.0, 1e-3], callback=until_convex)
    assert result.reason is TerminationReason.CALLBACK
    assert seen[-1] > 0
    assert all(smallest <= 0 for smallest in seen[:-1])
    assert result.nit == len(seen)


STUCK = {TerminationReason.LINE_SEARCH, TerminationReason.RADIUS}
WRONG = {
    "the sign": lambda x: -2 * (x - 1.0),
    "one entry": lambda x: 2 * (x - 1.0) * onp.array([1.0, -0.5]),
}


@pytest.mark.parametrize("mistake", WRONG)
@each([name for name in GUARDED if name != "newton-linesearch"])
def test_a_run_that_fails_because_of_a_wrong_gradient_reports_both_slopes(method, mistake):
    """#22629 and similar ones, "why did it stop, what do I do?": the cause of most such reports is a wrong gradient."""
    calls = []

    def fun(x):
        calls.append(x)
        return float(onp.sum((x - 1.0) ** 2)) + 4.0

    result = solve(method, fun, [3.0, 2.0], jac=WRONG[mistake], options={"maxiter": 400})
    assert not result.success
    if result.reason in STUCK:
        assert "the gradient looks wrong" in result.message
        by_gradient, by_differences = map(
            float,
            re.search(r"slope along -g is (\S+) by the gradient but (\S+) by differences", result.message).groups(),
        )
        assert by_gradient < 0 < by_differences
    assert result.nfev + result.checks.f == len(calls)


@pytest.mark.parametrize("hess", [None, lambda x: 2 * onp.eye(2)], ids=["", "with the right Hessian"])
@pytest.mark.parametrize(
    "jac",
    [lambda x: onp.array([2 * (x[0] - 1), 0.0]), lambda x: 2 * (x - 2.0)],
    ids=["an entry forgotten", "another f"],
)
def test_a_critical_point_of_a_wrong_gradient_is_no_success(method, jac, hess):
    """#22629 and similar ones: a wrong gradient that has a zero is the most dangerous."""

    def fun(x):
        return float(onp.sum((x - 1.0) ** 2)) + 4.0

    result = solve(method, fun, [3.0, 2.0], jac=jac, hess=hess, options={"maxiter": 400})
    assert not result.success, result.message
    assert result.reason in (
        TerminationReason.NOT_CRITICAL,
        TerminationReason.SADDLE,
        TerminationReason.SINGULAR,
        TerminationReason.ITERATIONS,
        *STUCK,
    )


@each(CURVED)
def test_noise_in_f_does_not_contradict_a_correct_gradient(method):
    """#19024, reversed: values with eight digits do not contradict a gradient with sixteen."""
    for seed in range(12):
        rng = onp.random.default_rng(seed)
        centre = rng.normal(size=3)

        def fun(x, centre=centre):
            r = x - centre
            return 1.0 + float(r @ r + onp.sum(r**4)) + 1e-8 * math.sin(1e9 * onp.sum(x))

        result = solve(
            method, fun, centre + 2.0, jac=lambda x, c=centre: 2 * (x - c) + 4 * (x - c) ** 3, options={"gtol": 1e-3}
        )
        assert result.success, result.message


def test_a_failure_with_a_correct_gradient_is_not_attributed_to_it():
    """#22629: at a kink the gradient is right on either side, and the message names the kink."""
    result = newtonkit.minimize(
        lambda x: abs(float(x[0])) + 1.0,
        [1.1],
        jac=lambda x: onp.where(x >= 0.0, 1.0, -1.0),
        hess=lambda x: onp.eye(1),
        method="newton-linesearch",
    )
    assert result.reason is TerminationReason.LINE_SEARCH
    assert "a kink" in result.message
    assert "looks wrong" not in result.message


@pytest.mark.parametrize("room", range(8))
def test_the_check_of_the_gradient_respects_the_budget(room):
    """#22629: its evaluations count as checks, and are not made if the limit does not allow them."""
    calls = []

    def fun(x):
        calls.append(x)
        return float(onp.sum((x - 1.0) ** 2)) + 4.0

    def run(**options):
        calls.clear()
        return newtonkit.minimize(fun, [3.0, 2.0], jac=WRONG["the sign"], method="bfgs", options=options)

    unlimited = run()
    assert unlimited.checks.f >= 4
    limit = unlimited.nfev + room
    result = run(maxfev=limit)
    assert len(calls) <= limit
    assert not result.success


# --- resuming -------------------------------------------------------------------------------------------------------


def test_a_run_is_resumed_from_its_last_state_bit_for_bit(method):
    """#19522: ten iterations, and ten more without losing the curvature information of the method."""
    x0 = [2.0, 3.0, -1.5]

    def jac(x):  # given, so that a tape does not change the rounding errors
        return WEIGHTS * x + 0.4 * x**3

    def hess(x):
        return onp.diag(WEIGHTS + 1.2 * x**2)

    short = solve(method, valley, x0, jac=jac, hess=hess, options={"maxiter": 2, "gtol": 0.0})
    whole = solve(method, valley, x0, jac=jac, hess=hess, options={"maxiter": 5, "gtol": 0.0, "history": "points"})
    assert short.nit == 2 or method.name == "newton-pure"
    state = pickle.loads(pickle.dumps(short.state))
    evaluator = Evaluator(Objective(valley, jac, hess), second_order=bool(method.needs & {"hess", "hvp"}))
    for x in whole.history.x[short.nit + 1 :]:
        with onp.errstate(all="ignore"):
            state = method.step(evaluator, state)
        onp.testing.assert_array_equal(state.x, x)


# --- work -----------------------------------------------------------------------------------------------------------


@each(CURVED)
def test_f_gradient_and_hessian_share_their_work_automatically(method):
    """#9265: "hess=True", since f, gradient and Hessian repeat the same work. A tape shares it.

    Only a few calls of the function are made to check the tape.
    """
    calls = []

    def rosenbrock(x):
        calls.append(x)
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    result = solve(method, rosenbrock, onp.array([-1.2, 1.0, -1.2, 1.0]), tol=1e-9)
    assert result.success, result.message
    assert result.derivatives == "tape"
    assert result.nit > 20
    assert len(calls) < 0.5 * (result.nfev + result.njev + result.nhev + result.nhvp)


def test_f_and_gradient_from_one_function_are_computed_once_for_each_point(method):
    """#9265, the part that scipy has: jac=True."""
    points = []

    def both(x):
        points.append(x.tobytes())
        return float(himmelblau(x)), newtonkit.grad(himmelblau)(x)

    result = solve(method, both, [1.0, 1.0], jac=True, options={"maxiter": 15, "verdict": False})
    assert len(points) <= result.nfev + result.checks.f + result.njev + result.checks.g
    if "hess" not in method.needs and "hvp" not in method.needs and method.name != "nesterov":
        assert len(points) <= result.nfev + result.checks.f + result.checks.g


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux shows them")
def test_a_run_starts_no_threads_and_calls_the_function_in_the_thread_of_the_caller(method):
    """#22438: evaluations were ten times slower in scipy 1.15, since BLAS threads of solver and function competed."""
    callers, numbers = set(), set()

    def fun(x):
        callers.add(threading.get_ident())
        numbers.add(len(list(Path("/proc/self/task").iterdir())))
        return float(onp.sum((x - 1.0) ** 4 + (x - 1.0) ** 2))

    onp.linalg.eigh(onp.eye(200))  # numpy starts its thread pool at the first use
    before = len(list(Path("/proc/self/task").iterdir()))
    solve(
        method,
        fun,
        onp.zeros(100),
        jac=lambda x: 4 * (x - 1.0) ** 3 + 2 * (x - 1.0),
        hess=lambda x: onp.diag(12 * (x - 1.0) ** 2 + 2),
        options={"maxiter": 10},
    )
    assert callers == {threading.get_ident()}
    assert numbers == {before}
