"""Every source of derivatives gives the same f, g and Hv within its error bars, and counts each call exactly."""

import math
import zlib

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit
from newtonkit.core.counts import Budget
from newtonkit.core.domain import Box, Unbounded
from newtonkit.core.state import BudgetSpent
from newtonkit.derivatives.differences import Differences
from newtonkit.derivatives.noise import estimate_noise
from newtonkit.derivatives.source import DerivativeSource, make_source, register_source
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.objectives.objective import Objective

SOURCES = ["tape", "autograd", "differences", "3-point", "2-point"]
METHODS = ["auto", "newton", "newton-cg", "cubic", "newton-linesearch", "bfgs", "dfp", "sr1", "lbfgs", "cg"]
DIFFERENCES = ["differences", "2-point"]


def rosenbrock(x):
    return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def beale(x):
    y, z = x[0], x[1]
    return (1.5 - y + y * z) ** 2 + (2.25 - y + y * z**2) ** 2 + (2.625 - y + y * z**3) ** 2


def wood(x):
    a, b, c, d = x[0], x[1], x[2], x[3]
    return (
        100.0 * (b - a * a) ** 2
        + (1.0 - a) ** 2
        + 90.0 * (d - c * c) ** 2
        + (1.0 - c) ** 2
        + 10.1 * ((b - 1.0) ** 2 + (d - 1.0) ** 2)
        + 19.8 * (b - 1.0) * (d - 1.0)
    )


def waves(x):
    return anp.sum(anp.exp(0.3 * x) + anp.sin(x)) + 0.5 * anp.sum(x) ** 2


def rosenbrock_in_another_order(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


PROBLEMS = [
    (rosenbrock, [-1.2, 1.0]),
    (rosenbrock_in_another_order, [-1.2, 1.0]),
    (beale, [1.0, 1.0]),
    (wood, [-3.0, -1.0, -3.0, -1.0]),
]
FUNCTIONS = [(rosenbrock, 3), (beale, 2), (wood, 4), (waves, 5)]


class Calls:
    """A function on plain numbers, which counts its calls."""

    def __init__(self, fun, low=-math.inf, high=math.inf):
        self.fun, self.low, self.high, self.count = fun, low, high, 0

    def __call__(self, x):
        self.count += 1
        assert isinstance(x, np.ndarray)
        assert x.dtype == np.float64
        assert (self.low <= x).all()
        assert (x <= self.high).all()
        return float(self.fun(x))


# --- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("fun", "n"), FUNCTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_all_sources_agree_within_their_error_bars(name, fun, n, seed):
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, n))
    evaluator = Evaluator(Objective(fun, source=name), second_order=True)
    f, g = evaluator.value_and_grad(x)
    exact = newtonkit.value_and_grad(fun)(x)
    H = newtonkit.hessian(fun)(x)
    assert f == pytest.approx(exact[0], rel=1e-14)
    bar = evaluator.gradient_error(x, g)
    size = np.abs(exact[1]).max()
    assert np.abs(g - exact[1]).max() <= bar + 1e-13 * size
    assert bar <= (1e-4 if name == "2-point" else 1e-6) * (size + np.abs(H).max())
    found = evaluator.hessian(x)
    np.testing.assert_array_equal(found, found.T)
    norm = np.abs(H).max()
    error = max(evaluator.hessian_error, 1e-12)
    assert error <= 1e-3
    assert np.abs(found - H).max() <= 10 * error * norm * n
    assert np.abs(evaluator.hvp(x)(v) - H @ v).max() <= 10 * max(evaluator.product_error, 1e-12) * norm * n * 3


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-5])
def test_the_error_bar_of_a_gradient_holds_for_a_noisy_function(name, noise):
    rng = np.random.default_rng(3)

    def noisy(x):
        # deterministic noise of standard deviation ``noise`` that changes with every bit of x
        seed = zlib.crc32(x.tobytes())
        return float(waves(x)) + noise * float(np.random.default_rng(seed).standard_normal())

    for _ in range(5):
        x = rng.standard_normal(4)
        evaluator = Evaluator(Objective(noisy, source=name))
        _, g = evaluator.value_and_grad(x)
        error = np.abs(g - newtonkit.grad(waves)(x)).max()
        bar = evaluator.gradient_error(x, g)
        assert error <= bar
        assert bar <= 1e3 * math.sqrt(noise + 1e-16)
        if noise:
            assert noise / 5 <= evaluator.value_noise / 4 <= 5 * noise


def test_the_estimate_of_noise_is_within_a_factor_of_three_in_99_of_100_tables():
    rng = np.random.default_rng(0)
    x, step = np.zeros(1), np.array([1e-8])
    found = np.array(
        [estimate_noise(lambda _: rng.standard_normal(), x, rng.standard_normal(), step) for _ in range(2000)]
    )
    assert np.mean((found > 1 / 3.2) & (found < 3.0)) >= 0.985
    assert 0.8 <= np.median(found) <= 1.1


def test_the_steps_of_a_function_in_single_precision_are_wide_enough():
    def single(x):
        return float(np.float32(rosenbrock(x)))

    x = np.array([-1.2, 1.0])
    evaluator = Evaluator(Objective(single, source="differences"))
    _, g = evaluator.value_and_grad(x)
    exact = newtonkit.grad(rosenbrock)(x)
    error = np.abs(g - exact).max()
    assert error <= evaluator.gradient_error(x, g)
    assert error <= 1e-2 * np.abs(exact).max()


@pytest.mark.parametrize("central", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_no_step_leaves_the_box_and_differences_stay_right_at_bounds(central, seed):
    rng = np.random.default_rng(seed)
    n = 4
    lower = rng.standard_normal(n)
    upper = lower + np.where(rng.random(n) < 0.3, 1e-7, rng.exponential(size=n))
    box = Box(lower, upper)
    x = box.project(lower + rng.standard_normal(n))
    v = rng.standard_normal(n)
    calls = Calls(waves, lower, upper)
    source = Differences(calls, box, central=central)
    g, H = newtonkit.grad(waves)(x), newtonkit.hessian(waves)(x)
    # a box of width 1e-7 leaves room for rough differences only
    tolerance = 1e-6 if central else 1e-5
    wide = upper - lower > 1e-6
    assert np.abs(source.gradient(x) - g)[wide].max(initial=0.0) <= tolerance * (1.0 + np.abs(g).max())
    if wide.all():
        # around the nearest point with room for central differences: an error of the order of the step
        assert np.abs(source.hessian(x) - H).max() <= 1e-2
        assert np.abs(source.product(x, 1.0).times(v) - H @ v).max() <= 1e-2 * n
    else:
        source.hessian(x)
        source.product(x, 1.0).times(v)


def test_three_points_at_a_bound_are_of_second_order():
    """The parabola through three points is exact for quadratics, one-sided too."""
    calls = Calls(lambda x: 3.0 * x[0] ** 2 - 2.0 * x[0] + 1.0, 0.0, 1.0)
    for x in (0.0, 1.0):
        g = Differences(calls, Box([0.0], [1.0])).gradient(np.array([x]))
        assert g[0] == pytest.approx(6.0 * x - 2.0, abs=1e-8)


def test_a_fixed_variable_has_a_difference_of_zero():
    calls = Calls(waves, [1.0, -9.0], [1.0, 9.0])
    g = Differences(calls, Box([1.0, -9.0], [1.0, 9.0])).gradient(np.array([1.0, 0.5]))
    assert g[0] == 0.0
    assert g[1] == pytest.approx(newtonkit.grad(waves)(np.array([1.0, 0.5]))[1], rel=1e-8)


# --- counts and budgets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("kind", ["gradient", "value_and_gradient", "hessian", "product"])
@pytest.mark.parametrize("domain", [Unbounded(), Box([-5.0] * 3, [5.0] * 3), Box([0.0] * 3, [5.0] * 3)])
def test_no_request_takes_more_calls_than_its_cost(name, kind, domain):
    for x in (np.zeros(3), np.ones(3)):
        calls = Calls(waves)
        source = make_source(name, waves).bind(calls, domain)
        for _ in range(2):
            before, cost = calls.count, source.cost(kind, 3).f
            source.product(x, 1.0).times(np.ones(3)) if kind == "product" else getattr(source, kind)(x)
            assert calls.count - before <= cost
            assert calls.count > before


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize(("fun", "x0"), PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
def test_nfev_is_the_number_of_calls_of_the_users_function(method, name, fun, x0):
    calls = Calls(fun)
    result = newtonkit.minimize(calls, x0, method=method, derivatives=name)
    assert result.success, result
    assert result.verdict.kind == "minimum"
    assert result.nfev + result.checks.f == calls.count
    exact = newtonkit.grad(fun)(result.x)
    assert np.abs(exact).max() <= 1e-5
    assert result.derivatives.endswith("differences of f")


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("maxfev", [*range(12), 25, 40, 67, 103])
@pytest.mark.parametrize("method", ["bfgs", "newton", "newton-cg", "lbfgs"])
def test_the_budget_is_never_exceeded(name, maxfev, method):
    calls = Calls(rosenbrock)
    result = newtonkit.minimize(calls, [-1.2, 1.0], method=method, derivatives=name, options={"maxfev": maxfev})
    assert calls.count <= maxfev
    assert result.nfev + result.checks.f == calls.count


def test_a_request_that_does_not_fit_the_budget_makes_no_call():
    calls = Calls(waves)
    evaluator = Evaluator(Objective(calls, source="differences"), Budget(maxfev=20))
    with pytest.raises(BudgetSpent):
        evaluator.value_and_grad(np.zeros(9))
    assert calls.count == 0


# --- the interface ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_jac_by_name_is_the_same_as_the_source(jac):
    by_jac = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method="bfgs", jac=jac)
    by_source = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method="bfgs", derivatives=jac)
    np.testing.assert_array_equal(by_jac.x, by_source.x)
    assert by_jac.nfev == by_source.nfev


@pytest.mark.parametrize("hess", ["2-point", "3-point"])
@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic"])
def test_hess_by_name_takes_differences_of_the_gradient(hess, method):
    gradients = []
    exact = newtonkit.grad(rosenbrock)

    def jac(x):
        gradients.append(x)
        return exact(x)

    result = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method=method, jac=jac, hess=hess)
    assert result.success, result
    assert result.njev + result.checks.g == len(gradients)
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-4)


@pytest.mark.parametrize("keyword", ["jac", "hess"])
def test_complex_steps_are_refused_with_a_reason(keyword):
    with pytest.raises(ValueError, match=f'{keyword}="cs" is not supported: complex steps require'):
        newtonkit.minimize(rosenbrock, [-1.2, 1.0], **{keyword: "cs"})


def test_an_unknown_source_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="derivatives='diferences' is not known; did you mean 'differences'"):
        newtonkit.minimize(rosenbrock, [-1.2, 1.0], derivatives="diferences")


def test_given_derivatives_win():
    calls = []
    exact = newtonkit.grad(rosenbrock)

    def jac(x):
        calls.append(x)
        return exact(x)

    result = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method="bfgs", jac=jac, derivatives="differences")
    assert result.success
    assert len(calls) == result.njev + result.checks.g
    assert result.nfev < 100


def test_a_function_that_autograd_cannot_follow_is_pointed_to_differences():
    def plain(x):
        return math.sin(x[0]) + float(x[0]) ** 2

    with pytest.raises(newtonkit.DifferentiationError, match='derivatives="differences"'):
        newtonkit.minimize(plain, [1.0])
    result = newtonkit.minimize(plain, [1.0], derivatives="differences")
    assert result.success
    assert abs(math.cos(result.x[0]) + 2.0 * result.x[0]) <= 1e-5


@pytest.mark.parametrize(
    ("fun", "x", "kind"),
    [
        (lambda x: x[0] ** 2 + 3.0 * x[1] ** 2, [0.0, 0.0], "minimum"),
        (lambda x: x[0] ** 2 - 3.0 * x[1] ** 2, [0.0, 0.0], "saddle"),
        (lambda x: x[0] ** 2 + x[1], [0.0, 0.0], "not critical"),
    ],
)
def test_classify_by_differences(fun, x, kind):
    calls = Calls(fun)
    assert newtonkit.classify(calls, x, derivatives="differences").kind == kind


def test_iterate_takes_an_objective_with_its_source():
    states = newtonkit.iterate(newtonkit.BFGS(), Objective(Calls(rosenbrock), source="differences"), [-1.2, 1.0])
    fs = [next(states).f for _ in range(20)]
    assert fs[-1] < 1e-2 * fs[0]


def test_a_new_source_needs_no_change_of_methods_or_driver():
    class Exact(DerivativeSource):
        """The gradient of ‖x − 1‖² by its formula."""

        capabilities = frozenset()
        description = "formula"

        def __init__(self, fun, args):
            self.fun = fun

        def value(self, x):
            return float(self.fun(x))

        def value_and_gradient(self, x):
            return self.value(x), 2.0 * (x - 1.0)

    register_source("formula", Exact)
    result = newtonkit.minimize(
        lambda x: float(((x - 1.0) ** 2).sum()), [3.0, -2.0], method="bfgs", derivatives="formula"
    )
    assert result.success, result
    assert result.derivatives == "formula"
    np.testing.assert_allclose(result.x, 1.0, atol=1e-6)


# --- no false success -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("digits", [4, 6, 8, 10])
@pytest.mark.parametrize("method", ["bfgs", "newton", "lbfgs"])
def test_no_convergence_is_claimed_beyond_the_error_bar(name, digits, method):
    """f is rounded to some digits: GRADIENT is claimed only if the true gradient is below gtol too."""

    def rounded(x):
        return float(np.round(float(rosenbrock(x)), digits))

    result = newtonkit.minimize(rounded, [-1.2, 1.0], method=method, derivatives=name, options={"maxiter": 300})
    size = np.abs(newtonkit.grad(rosenbrock)(result.x)).max()
    if result.reason is newtonkit.TerminationReason.GRADIENT:
        assert size <= 1e-5
    if result.success:
        # what remains to be gained is below the noise
        assert rosenbrock(result.x) <= 10.0 ** (1 - digits)
