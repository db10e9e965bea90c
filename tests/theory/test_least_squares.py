"""Least squares: NIST's certified values, invariance under units, bounds, robust losses, undetermined parameters."""

import pickle

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.optimize
import scipy.sparse as sp
from autograd.tracer import trace_stack
from scipy.sparse.linalg import aslinearoperator

import newtonkit
import problems
from newtonkit.core.domain import Unbounded
from newtonkit.derivatives.losses import LOSSES, Loss
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.iteration import Iteration
from newtonkit.fitting.jacobians import absolute_product, absolute_transposed_product, triangular_factor
from newtonkit.fitting.outcome import Model
from newtonkit.fitting.problem import FitProblem
from newtonkit.fitting.sparse_model import SparseStepModel
from newtonkit.fitting.variable_projection import ProjectedProblem, linear_parameters
from problems.nist.data_sets import data_set, names

T = onp.linspace(0.0, 4.0, 40)
NOISE = 0.02 * onp.random.default_rng(0).standard_normal(40)
Y = 2.0 * onp.exp(-1.3 * T) + 0.5 + NOISE


def decay(p):
    return p[0] * np.exp(-p[1] * T) + p[2] - Y


def digits(x, certified):
    """The number of correct digits of the worst parameter; MGH17's two exponentials may be exchanged."""
    orders = [onp.arange(len(x))] + ([onp.array([0, 2, 1, 4, 3])] if len(x) == 5 else [])
    errors = [onp.abs(x[order] - certified) / onp.abs(certified) for order in orders]
    return max(float(onp.min(-onp.log10(onp.maximum(error, 1e-16)))) for error in errors)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("method", ["auto", "hybrid"])
def test_nist_certified_values(name, start, method):
    fit = data_set(name)
    result = newtonkit.least_squares(fit.residuals, fit.starts[start], method=method)
    assert result.success, result.message
    assert digits(result.x, fit.certified) >= 8.0
    assert result.verdict.kind == "minimum"
    assert 2.0 * result.cost == pytest.approx(fit.residual_sum, rel=1e-9, abs=1e-22)


@pytest.mark.parametrize("name", [name for name in names() if name not in ("Lanczos1", "MGH17")])
def test_nist_standard_deviations(name):
    """Lanczos1's residuals are rounding; MGH17 may end with its exponentials exchanged."""
    fit = data_set(name)
    result = newtonkit.least_squares(fit.residuals, fit.starts[1])
    onp.testing.assert_allclose(result.errors, fit.deviations, rtol=1e-7)


@pytest.mark.parametrize("model", list(Model))
def test_the_iteration_does_not_depend_on_units(model):
    """Under x → diag(2^k)x all numbers are scaled without rounding: the same costs, bit for bit."""
    scales = 2.0 ** onp.array([30, -40, 13])

    def costs(units):
        # powers of two: the products are exact
        functions = FitFunctions(lambda p: decay(p * units), None, None, Unbounded())
        return Iteration(FitProblem(functions, Loss()), onp.array([1.0, 1.0, 0.1]) / units, model).run().costs

    onp.testing.assert_allclose(costs(scales), costs(onp.ones(3)), rtol=1e-12)


def test_linear_parameters_are_found_and_eliminated():
    functions = FitFunctions(decay, None, None, Unbounded())
    start = onp.array([1.0, 1.0, 0.1])
    linear = linear_parameters(functions, start, T.size)
    assert linear.tolist() == [True, False, True]
    fitted = Iteration(ProjectedProblem(functions, start, linear), start[~linear]).run()
    together = newtonkit.least_squares(decay, start, method="hybrid")
    onp.testing.assert_allclose(fitted.at.parameters, together.x, rtol=1e-7)
    result = newtonkit.least_squares(decay, start)
    assert result.eliminated == ["x[0]", "x[2]"]
    assert "variable projection" in result.choice


@pytest.mark.parametrize("jac", ["3-point", "given", None])
def test_linear_parameters_can_be_named(jac):
    """Without second derivatives too: the same solution, with fewer Jacobians than without elimination."""

    def given(p):
        e = onp.exp(-p[1] * T)
        return onp.column_stack([e, -p[0] * T * e, onp.ones_like(T)])

    options = {"names": ["a", "b", "c"], "jac": given if jac == "given" else jac}
    start = [1.0, 1.0, 0.1]
    result = newtonkit.least_squares(decay, start, linear=["a", "c"], **options)
    assert result.success
    assert result.eliminated == ["a", "c"]
    plain = newtonkit.least_squares(decay, start, method="hybrid", **options)
    onp.testing.assert_allclose(result.x, plain.x, rtol=1e-7)
    onp.testing.assert_allclose(result.errors, plain.errors, rtol=1e-5)
    one = newtonkit.least_squares(decay, start, linear="c", **options)
    assert one.choice == "1 linear parameter is eliminated by variable projection"


def test_mistakes_in_the_names_of_linear_parameters():
    options = {"names": ["a", "b", "c"]}
    with pytest.raises(ValueError, match="not affine"):
        newtonkit.least_squares(decay, [1.0, 1.0, 0.1], linear=["b"], **options)
    with pytest.raises(ValueError, match="linear must name parameters, a, b, c; got"):
        newtonkit.least_squares(decay, [1.0, 1.0, 0.1], linear=["d"], **options)
    with pytest.raises(ValueError, match="cannot have bounds"):
        newtonkit.least_squares(decay, [1.0, 1.0, 0.1], linear=["a"], bounds=(0.0, 9.0), **options)
    with pytest.raises(ValueError, match="requires method"):
        newtonkit.least_squares(decay, [1.0, 1.0, 0.1], linear=["a"], method="lm", **options)


def test_reduced_gradient_and_hessian_are_exact():
    """Against differences of the reduced cost, in 1-D."""
    functions = FitFunctions(decay, None, None, Unbounded())
    problem = ProjectedProblem(functions, onp.array([1.0, 1.0, 0.1]), onp.array([True, False, True]))

    def cost(b):
        return problem.evaluate(onp.array([b])).cost

    at = problem.evaluate(onp.array([0.9]))
    problem.linearize(at)
    h = 1e-4
    assert at.gradient[0] == pytest.approx((cost(0.9 + h) - cost(0.9 - h)) / (2 * h), rel=1e-6)
    hessian = float(at.jacobian[:, 0] @ at.jacobian[:, 0] + problem.curvature(at)[0, 0])
    assert hessian == pytest.approx((cost(0.9 + h) - 2 * cost(0.9) + cost(0.9 - h)) / h**2, rel=1e-5)


@pytest.mark.parametrize("method", ["hybrid", "levenberg-marquardt", "newton"])
def test_bounds_are_met_exactly_and_never_crossed(method):
    lower, upper = onp.array([0.0, 0.0, 0.6]), onp.array([1.8, 5.0, 2.0])

    def residuals(p):
        values = onp.array([getattr(v, "_value", v) for v in p], dtype=object)
        while any(hasattr(v, "_value") for v in values):
            values = onp.array([getattr(v, "_value", v) for v in values], dtype=object)
        assert (values >= lower).all() and (values <= upper).all()  # noqa: PT018
        return decay(p)

    result = newtonkit.least_squares(residuals, [1.0, 1.0, 1.0], bounds=(lower, upper), method=method)
    theirs = scipy.optimize.least_squares(decay, [1.0, 1.0, 1.0], bounds=(lower, upper), xtol=1e-12, ftol=1e-12)
    assert result.success
    assert result.cost <= theirs.cost * (1 + 1e-8)
    assert result.x[2] == 0.6
    assert result.active_mask.tolist()[2] == -1
    assert result.optimality <= 1e-6


@pytest.mark.parametrize("scheme", ["2-point", "3-point"])
def test_differences_stay_within_the_bounds(scheme):
    seen = []

    def residuals(p):
        seen.append(p.copy())
        return decay(p)

    box = onp.array([0.0, 1.3, 0.0]), onp.array([3.0, 2.0, 1.0])
    result = newtonkit.least_squares(residuals, [1.0, 1.3, 1.0], jac=scheme, bounds=box)
    points = onp.array(seen)
    assert ((points >= box[0]) & (points <= box[1])).all()
    assert result.success
    assert result.nfev == len(seen)


def test_a_failed_trace_leaves_the_trace_stack_as_it_was():
    height = trace_stack.top
    newtonkit.least_squares(lambda p: float(p[0]) * T - Y, [1.0])
    assert trace_stack.top == height


def test_residuals_of_plain_numpy_are_differentiated_by_differences():
    def residuals(p):
        return float(p[0]) * onp.exp(-float(p[1]) * T) + float(p[2]) - Y

    result = newtonkit.least_squares(residuals, [1.0, 1.0, 0.1])
    assert result.success
    assert result.derivatives.startswith("3-point differences")
    onp.testing.assert_allclose(result.x, newtonkit.least_squares(decay, [1.0, 1.0, 0.1]).x, rtol=1e-6)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_losses_agree_with_scipy(loss):
    outliers = Y.copy()
    outliers[::4] += 3.0

    def residuals(p):
        return p[0] * np.exp(-p[1] * T) + p[2] - outliers

    ours = newtonkit.least_squares(residuals, [2.0, 1.0, 0.5], loss=loss, f_scale=0.1, method="hybrid")
    theirs = scipy.optimize.least_squares(
        residuals, [2.0, 1.0, 0.5], loss=loss, f_scale=0.1, xtol=1e-14, ftol=1e-14, gtol=1e-12, x_scale="jac"
    )
    assert ours.success
    assert ours.cost <= theirs.cost * (1 + 1e-9)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_derivatives_of_losses(loss):
    z, h = onp.array([1e-3, 0.3, 0.99, 1.01, 2.0, 50.0]), 1e-6
    rho, above, below = (LOSSES[loss](z + t) for t in (0.0, h, -h))
    onp.testing.assert_allclose(rho.first, (above.value - below.value) / (2 * h), rtol=1e-6)
    onp.testing.assert_allclose(rho.second, (above.first - below.first) / (2 * h), rtol=1e-5, atol=1e-9)


def test_hessians_of_robust_costs_are_exact():
    loss = Loss("cauchy", 0.3)
    problem = FitProblem(FitFunctions(decay, None, None, Unbounded()), loss)
    x = onp.array([1.0, 0.7, 0.2])
    at = problem.evaluate(x)
    problem.linearize(at)
    H = at.jacobian.T @ at.jacobian + problem.curvature(at)

    def cost(p):
        return 0.5 * 0.3**2 * np.sum(np.log1p((decay(p) / 0.3) ** 2))

    onp.testing.assert_allclose(at.gradient, newtonkit.grad(cost)(x), rtol=1e-10)
    onp.testing.assert_allclose(H, newtonkit.hessian(cost)(x), rtol=1e-9, atol=1e-12)


def test_parameters_that_the_data_do_not_determine_are_named():
    result = newtonkit.least_squares(
        lambda p: p["a"] * np.exp(-(p["b"] + p["c"]) * T) - Y, {"a": 1.0, "b": 0.5, "c": 0.1}
    )
    assert not result.success
    assert result.reason.name == "UNDETERMINED"
    assert result.undetermined == ["c − b"]
    assert onp.isinf(result.covariance).all()


def test_a_parameter_without_influence_is_named():
    result = newtonkit.least_squares(lambda p: p[0] - Y + 0.0 * p[1], [1.0, 1.0], names=["level", "useless"])
    assert not result.success
    assert result.undetermined == ["useless"]


def test_a_plateau_is_no_success():
    """Residuals that no longer depend on the rate: exp(−1000 t) has vanished on the data."""
    t = onp.linspace(1.0, 4.0, 20)
    result = newtonkit.least_squares(lambda p: np.exp(-p[0] * t) - onp.exp(-0.5 * t), [2000.0])
    assert not result.success


@pytest.mark.parametrize("method", ["auto", "hybrid", "lm"])
def test_parameters_that_run_to_infinity_are_named(method):
    t = onp.linspace(0.0, 5.0, 20)
    y = onp.where(t == 0.0, 1.0, 0.0) + 1e-3 * onp.sin(37.0 * t)
    result = newtonkit.least_squares(
        lambda p: p[0] * np.exp(-p[1] * t) - y, [1.0, 1.0], method=method, names=["amplitude", "rate"]
    )
    assert not result.success
    assert result.reason.name == "UNDETERMINED"
    assert "the cost tends to its infimum" in result.message
    assert "as rate → ∞" in result.message
    assert "rate, of which the column of J has vanished" in result.message


def test_a_valley_that_leads_to_infinity_is_no_success():
    """Bard's problem from 100 times the standard start: f tends to 0.1148 as x₂ = −x₃ grows; its minimum is 0.0082."""
    problem = problems.get("bard")
    result = newtonkit.least_squares(problem.residuals, problem.starts["x100"], method="hybrid")
    assert not result.success
    assert result.reason.name == "UNDETERMINED"
    assert result.undetermined


@pytest.mark.parametrize(("name", "start"), [("jennrich-sampson", "standard"), ("chebyquad", "standard")])
def test_minima_with_a_singular_jacobian_or_large_residuals_are_successes(name, start):
    """J is singular at the one, where exact curvature determines x; Gauss–Newton steps stay long at the other."""
    problem = problems.get(name)
    result = newtonkit.least_squares(problem.residuals, problem.starts[start], method="hybrid")
    assert result.success
    assert result.verdict.kind == "minimum"
    assert 2.0 * result.cost == pytest.approx(min(point.f for point in problem.minima), rel=1e-9)


def test_a_saddle_is_left():
    """r = x² − 1 at x = 0 has a zero Jacobian and a maximum of the cost."""
    result = newtonkit.least_squares(lambda x: x**2 - 1.0, [0.0])
    assert result.success
    assert abs(result.x[0]) == pytest.approx(1.0)


def test_user_functions_are_used():
    calls = {"jac": 0, "curvature": 0}

    def jacobian(p):
        calls["jac"] += 1
        e = onp.exp(-p[1] * T)
        return onp.stack([e, -p[0] * T * e, onp.ones_like(T)], axis=1)

    def curvature(p, w):
        calls["curvature"] += 1
        e = onp.exp(-p[1] * T)
        S = onp.zeros((3, 3))
        S[0, 1] = S[1, 0] = -(w @ (T * e))
        S[1, 1] = w @ (p[0] * T**2 * e)
        return S

    result = newtonkit.least_squares(decay, [1.0, 1.0, 0.1], jacobian, curvature=curvature)
    assert result.success
    counted = result.njev + result.checks.g, result.nhev + result.checks.H
    assert counted == (calls["jac"], calls["curvature"])
    onp.testing.assert_allclose(result.x, newtonkit.least_squares(decay, [1.0, 1.0, 0.1]).x, rtol=1e-7)


def test_an_exception_carries_the_result_so_far():
    calls = []

    def residuals(p):
        calls.append(p)
        if len(calls) > 4:
            raise RuntimeError("the instrument is off")
        return onp.exp(-float(p[0]) * T) * 3.0 - Y

    with pytest.raises(RuntimeError, match="instrument") as caught:
        newtonkit.least_squares(residuals, [1.0], jac="2-point")
    assert not caught.value.partial_result.success
    assert caught.value.partial_result.reason.name == "EXCEPTION"


def test_limits():
    result = newtonkit.least_squares(decay, [50.0, 9.0, -3.0], method="hybrid", max_nfev=3)
    assert not result.success
    assert result.reason.name == "EVALUATIONS"


def test_functions_of_one_number_are_refused():
    total = newtonkit.FiniteSum(lambda x, d: np.sum((x - d) ** 2), [onp.ones(3)])
    for fun in (total, newtonkit.Objective(lambda x: np.sum(x**2))):
        with pytest.raises(TypeError, match="needs a vector of residuals"):
            newtonkit.least_squares(fun, onp.zeros(3))
    with pytest.raises(ValueError, match="leave out loss"):
        newtonkit.least_squares(newtonkit.SumOfSquares(lambda x: x - 1.0), [0.0], loss="huber")
    squared = newtonkit.least_squares(lambda x: np.sum(x**2), [1.0, 1.0])
    assert "return the residuals, not the sum of their squares" in squared.message


def test_jacobians_that_cannot_be_used_are_refused():
    with pytest.raises(TypeError, match="jac must return an array"):
        newtonkit.least_squares(lambda x: x - 1.0, [0.0, 0.0], lambda x: aslinearoperator(onp.eye(2)))
    with pytest.raises(ValueError, match="pass jac_sparsity or a sparse jac"):  # 24 TB
        newtonkit.least_squares(lambda x: np.concatenate([x] * 10), onp.ones(400_000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "lmm"}, "did you mean 'lm'"),
        ({"loss": "hubert"}, "did you mean 'huber'"),
        ({"jac": "cs"}, "3-point"),
        ({"bounds": ([1, 2], [3, 4])}, "3 entries"),
        ({"bounds": ([2, 0, 0], [1, 1, 1])}, "exceed"),
        ({"f_scale": 0.0}, "f_scale"),
        ({"x_scale": [1.0, -1.0, 1.0]}, "x_scale"),
        ({"names": ["a"]}, "3 entries"),
        ({"max_nfev": 0}, "max_nfev"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        newtonkit.least_squares(decay, [1.0, 1.0, 0.1], **arguments)


@pytest.mark.parametrize("x0", [1e-9, -1e-12, 1e-3])
def test_the_neighbourhood_of_a_saddle_is_left(x0):
    """Near the maximum of ½(x² − 1)² every Gauss–Newton step changes the cost by rounding errors only."""
    result = newtonkit.least_squares(lambda x: x**2 - 1.0, [x0])
    assert result.success
    assert abs(result.x[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["auto", "hybrid", "variable-projection"])
@pytest.mark.parametrize("jac", [None, "2-point", "3-point"])
@pytest.mark.parametrize("limit", range(1, 12))
def test_max_nfev_is_never_exceeded(limit, jac, method):
    if jac is not None and method == "variable-projection":
        method = "lm"
    result = newtonkit.least_squares(decay, [1.0, 1.0, 0.1], jac, method=method, max_nfev=limit)
    assert result.nfev <= limit
    assert onp.isfinite(result.cost)
    assert result.success == (result.reason.name in ("STEP", "PRECISION"))


@pytest.mark.parametrize("derivatives", ["tape", "autograd", "differences", "3-point", "2-point"])
def test_sources_of_derivatives(derivatives):
    result = newtonkit.least_squares(decay, [1.0, 1.0, 0.1], derivatives=derivatives)
    assert result.success
    onp.testing.assert_allclose(result.x, newtonkit.least_squares(decay, [1.0, 1.0, 0.1]).x, rtol=1e-6)
    assert ("differences" in result.derivatives) == (derivatives not in ("tape", "autograd"))


def test_bounds_in_the_structure_of_the_start():
    def residuals(p):
        return decay(np.array([p["a"], p["b"], p["c"]]))

    start = {"a": 1.0, "b": 1.0, "c": 0.1}
    by_name = newtonkit.least_squares(residuals, start, bounds={"b": (None, 1.0)})
    pair = newtonkit.least_squares(residuals, start, bounds=(-9.0, {"a": 9.0, "b": 1.0, "c": 9.0}))
    box = scipy.optimize.Bounds([-onp.inf] * 3, [onp.inf, 1.0, onp.inf])
    assert by_name.x["b"] == 1.0
    assert pair.x["b"] == 1.0
    onp.testing.assert_array_equal(by_name.vector, newtonkit.least_squares(residuals, start, bounds=box).vector)
    with pytest.raises(ValueError, match="'d'"):
        newtonkit.least_squares(residuals, start, bounds={"d": (0.0, 1.0)})


def test_callbacks_in_both_styles_of_scipy():
    seen, points = [], []

    def stop(intermediate_result):
        seen.append(intermediate_result)
        raise StopIteration

    result = newtonkit.least_squares(decay, [1.0, 1.0, 0.1], callback=stop)
    newtonkit.least_squares(decay, [1.0, 1.0, 0.1], callback=points.append)
    assert result.reason.name == "CALLBACK"
    assert seen[0].cost == pytest.approx(result.cost, rel=1e-12)
    assert all(point.shape == (3,) for point in points)


def test_verbose_prints_a_table(capsys):
    result = newtonkit.least_squares(decay, [1.0, 1.0, 0.1], verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "Iteration"
    assert len(lines) == result.nit + 3
    with pytest.raises(ValueError, match="verbose"):
        newtonkit.least_squares(decay, [1.0], verbose=3)


def test_results_pickle():
    result = newtonkit.least_squares(decay, [1.0, 1.0, 0.1])
    again = pickle.loads(pickle.dumps(result))
    onp.testing.assert_array_equal(again.covariance, result.covariance)
    assert (again.reason, again.message, str(again)) == (result.reason, result.message, str(result))


def test_shared_tapes_follow_the_data_and_closures():
    """One function, other data of the same shape, in args and in a closure: the fits are those of a new function."""
    offset = [0.0]

    def residuals(p, y):
        return p[0] * np.exp(-p[1] * T) + p[2] + offset[0] - y

    for shift in (0.0, 0.3, 1.0, 2.5):
        offset[0] = shift
        for y in (Y, 2.0 * Y, onp.sin(T)):
            shared = newtonkit.least_squares(residuals, [1.0, 1.0, 0.1], args=(y,))
            new = newtonkit.least_squares(lambda p, y: residuals(p, y), [1.0, 1.0, 0.1], args=(y,))
            assert shared.success == new.success
            onp.testing.assert_allclose(shared.x, new.x, rtol=1e-6)


def test_linear_parameters_are_looked_for_again_where_the_data_change_them():
    """With t = 0 the rate has no influence and the model is affine; with other t of the same shape it is not."""

    def residuals(p, t, y):
        return p[0] * np.exp(-p[1] * t) + p[2] * t - y

    zero = onp.zeros_like(T)
    newtonkit.least_squares(residuals, [1.0, 1.0, 1.0], args=(zero, Y))
    result = newtonkit.least_squares(residuals, [1.0, 1.0, 1.0], args=(T, Y))
    new = newtonkit.least_squares(lambda *args: residuals(*args), [1.0, 1.0, 1.0], args=(T, Y))
    assert result.success
    onp.testing.assert_allclose(result.x, new.x, rtol=1e-6)


def chained_residuals(n):
    """r = (10(x_{i+1} − x_i²), 1 − x_i): the extended Rosenbrock chain, with its sparse Jacobian."""

    def residuals(x):
        return onp.concatenate([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]])

    def jacobian(x):
        first = sp.diags_array([-20.0 * x[:-1], onp.full(n - 1, 10.0)], offsets=[0, 1], shape=(n - 1, n))
        return sp.vstack([first, -sp.eye_array(n - 1, n)])

    return residuals, jacobian


@pytest.mark.parametrize("bounded", [False, True])
def test_sparse_jacobians_give_the_solution_of_dense_ones(bounded):
    n = 120
    residuals, jacobian = chained_residuals(n)
    bounds = (-2.0, onp.where(onp.arange(n) == 60, 0.3, 2.0)) if bounded else None
    start = onp.full(n, 0.2)
    sparse = newtonkit.least_squares(residuals, start, jacobian, bounds)
    dense = newtonkit.least_squares(residuals, start, lambda x: jacobian(x).toarray(), bounds)
    assert sp.issparse(sparse.jac)
    assert sparse.success
    assert dense.success
    onp.testing.assert_allclose(sparse.x, dense.x, rtol=1e-6)
    assert sparse.cost == pytest.approx(dense.cost, rel=1e-10, abs=1e-25)
    if bounded:
        assert sparse.x[60] == 0.3


@pytest.mark.parametrize("bounded", [False, True])
def test_the_covariance_of_a_sparse_fit_is_that_of_the_dense_one(bounded):
    n = 130
    rng = onp.random.default_rng(2)
    A = (sp.random_array((400, n), density=0.03, rng=rng) + sp.eye_array(400, n)) * onp.exp(rng.uniform(-9, 9, n))
    A, b = sp.csc_array(A), rng.standard_normal(400)
    start, bounds = onp.ones(n), (onp.where(onp.arange(n) == 5, 1.0, -onp.inf), onp.inf) if bounded else None
    sparse = newtonkit.least_squares(lambda x: A @ x - b, start, lambda x: A, bounds)
    dense = newtonkit.least_squares(lambda x: A @ x - b, start, lambda x: A.toarray(), bounds)
    assert sp.issparse(sparse.jac)
    onp.testing.assert_allclose(sparse.errors, dense.errors, rtol=1e-6)
    size = onp.outer(dense.errors, dense.errors)
    onp.testing.assert_allclose(sparse.covariance / size, dense.covariance / size, rtol=1e-6, atol=1e-8)


def chain(x):
    return np.concatenate([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]])


@pytest.mark.parametrize("jac", [None, "2-point", "3-point"])
@pytest.mark.parametrize("bounded", [False, True])
def test_a_pattern_gives_sparse_jacobians_by_few_evaluations(jac, bounded):
    n = 120
    _, jacobian = chained_residuals(n)
    pattern = jacobian(onp.full(n, 0.5)) != 0
    start = onp.full(n, 0.9)
    bounds = (-2.0, onp.where(onp.arange(n) % 7 == 3, 0.9, 2.0)) if bounded else None
    result = newtonkit.least_squares(chain, start, jac, bounds, jac_sparsity=pattern)
    exact = newtonkit.least_squares(chain, start, jacobian, bounds)
    assert sp.issparse(result.jac)
    assert result.success
    onp.testing.assert_allclose(result.x, exact.x, rtol=1e-6)
    difference = abs(result.jac - jacobian(result.x)).max()
    assert difference <= {None: 1e-13, "3-point": 1e-8, "2-point": 1e-5}[jac]
    if jac:
        assert result.nfev <= 2 * 3 * (result.njev + result.nit + 2)  # 2 groups of columns, 2 evaluations each at most


def test_a_pattern_that_lacks_entries_is_a_mistake():
    pattern = sp.csc_array(onp.eye(2 * 119, 120))
    with pytest.raises(ValueError, match="jac_sparsity lacks entries"):
        newtonkit.least_squares(chain, onp.full(120, 0.9), jac_sparsity=pattern)
    with pytest.raises(ValueError, match="jac_sparsity has 3 rows, but there are 238 residuals"):
        newtonkit.least_squares(chain, onp.full(120, 0.9), jac_sparsity=onp.ones((3, 120)))
    with pytest.raises(ValueError, match="jac_sparsity must have shape"):
        newtonkit.least_squares(chain, onp.full(120, 0.9), jac_sparsity=onp.ones((3, 4)))


def test_a_rank_deficient_sparse_jacobian_is_no_success():
    n = 150

    def jacobian(x):
        return sp.csr_array(onp.repeat([[1.0]], n - 1, axis=0) * sp.eye_array(n - 1, n) - sp.eye_array(n - 1, n, k=1))

    result = newtonkit.least_squares(lambda x: x[:-1] - x[1:] - 1.0, onp.zeros(n), jacobian)
    assert not result.success
    assert result.reason.name == "UNDETERMINED"


def test_sparse_steps_minimize_the_damped_problem():
    """The step on the boundary solves (AᵀA + λI)y = −Aᵀr for some λ, and its length is the radius within 10 %."""
    rng = onp.random.default_rng(3)
    A = sp.random_array((400, 120), density=0.05, rng=rng, format="csc") + sp.eye_array(400, 120)
    r, D = rng.standard_normal(400), 1.0 + rng.uniform(size=120)
    model = SparseStepModel(A, r, D, onp.ones(120, dtype=bool))
    free = onp.linalg.lstsq((A / D[onp.newaxis]).toarray(), -r)[0]
    onp.testing.assert_allclose(model.free_step(newton=False), free, rtol=1e-9, atol=1e-12)
    radius = 0.3 * float(onp.linalg.norm(free))
    y, boundary = model.step(radius, newton=False)
    assert boundary
    assert onp.linalg.norm(y) == pytest.approx(radius, rel=0.1001)
    gradient = (A / D[onp.newaxis]).T @ (r + (A / D[onp.newaxis]) @ y)
    lam = -float(gradient @ y) / float(y @ y)
    assert lam > 0.0
    onp.testing.assert_allclose(gradient, -lam * y, atol=1e-8 * float(onp.abs(gradient).max()))


def test_tall_jacobians_are_factored_in_blocks():
    rng = onp.random.default_rng(5)
    J, r, D = rng.standard_normal((40_000, 7)), rng.standard_normal(40_000), 1.0 + rng.uniform(size=7)
    R, c = triangular_factor(J, r, D)
    onp.testing.assert_allclose(R.T @ R, (J / D).T @ (J / D), rtol=1e-10, atol=1e-8)
    onp.testing.assert_allclose(R.T @ c, (J / D).T @ r, rtol=1e-9, atol=1e-8)
    onp.testing.assert_allclose(absolute_product(J, D), onp.abs(J) @ D)
    onp.testing.assert_allclose(absolute_transposed_product(J, onp.abs(r)), onp.abs(J).T @ onp.abs(r))
    t = onp.linspace(0.0, 1.0, 70_000)
    y = 2.0 * onp.exp(-3.0 * t) + 0.1 * onp.cos(50.0 * t)
    fit = newtonkit.least_squares(lambda p: p[0] * np.exp(-p[1] * t) - y, [1.0, 1.0], method="hybrid")
    reference = scipy.optimize.curve_fit(lambda t, a, b: a * onp.exp(-b * t), t, y, ftol=1e-14, xtol=1e-14)
    onp.testing.assert_allclose(fit.x, reference[0], rtol=1e-6)
    onp.testing.assert_allclose(fit.covariance, reference[1], rtol=1e-5)
