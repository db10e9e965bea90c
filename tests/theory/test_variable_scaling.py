"""The option scaling: with fixed sizes the iterates do not depend on the units of the variables."""

from __future__ import annotations

import contextlib
import copy
import math
from itertools import islice

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.sparse as sp

import newtonkit
import problems
from newtonkit import (
    BFGS,
    DFP,
    LBFGS,
    SR1,
    Cubic,
    LineSearchNewton,
    TrustRegionNewton,
    TrustRegionNewtonCG,
    iterate,
)
from newtonkit.core.domain import Box
from newtonkit.core.state import StepFailure
from newtonkit.methods.lbfgs import CurvaturePairs
from newtonkit.methods.variable_scaling import PATIENCE, VariableScaling, other_units
from newtonkit.trustregion.units import EUCLIDEAN, Units

METHODS = [TrustRegionNewton, TrustRegionNewtonCG, Cubic, LineSearchNewton, SR1, BFGS, DFP, LBFGS]
START = np.array([-1.2, 1.0, 0.8, -0.4, 2.0])


def chain(x):
    return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def powers_of_two(n: int) -> np.ndarray:
    return np.ldexp(1.0, np.random.default_rng(n).integers(-40, 40, n))


def points(method, fun, x0, count=40):
    """The points of a run, until it can move no further."""
    found = []
    with contextlib.suppress(StepFailure):
        found.extend(state.x for state in islice(iterate(method, fun, x0), count))
    return found


@pytest.mark.parametrize("method", METHODS)
def test_iterates_do_not_depend_on_the_units_if_typical_sizes_are_given(method):
    units = powers_of_two(START.size)
    sizes = np.array([1.0, 2.0, 0.5, 1.0, 4.0])
    plain = points(method(scaling=sizes), chain, START)
    scaled = points(method(scaling=sizes * units), lambda x: chain(x / units), START * units)
    assert len(plain) == len(scaled) > 10
    for x, y in zip(plain, scaled, strict=True):
        np.testing.assert_array_equal(x * units, y)


@pytest.mark.parametrize("method", METHODS)
def test_iterates_do_not_depend_on_the_units_if_sizes_are_taken_from_the_points(method):
    units = powers_of_two(START.size)
    plain = points(method(scaling="sizes"), chain, START)
    scaled = points(method(scaling="sizes"), lambda x: chain(x / units), START * units)
    assert len(plain) == len(scaled) > 10
    for x, y in zip(plain, scaled, strict=True):
        np.testing.assert_array_equal(x * units, y)


@pytest.mark.parametrize("n", [40, 200])
def test_dense_and_sparse_factorizations_are_independent_of_the_units_too(n):
    units, x0 = powers_of_two(n), np.tile([-1.2, 1.0], n // 2)
    ours = points(TrustRegionNewton(scaling=np.ones(n)), chain, x0, 15)
    scaled = points(TrustRegionNewton(scaling=units), lambda x: chain(x / units), x0 * units, 15)
    for x, y in zip(ours, scaled, strict=True):
        np.testing.assert_allclose(x * units, y, rtol=1e-9, atol=0)


@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic", "sr1", "bfgs", "lbfgs"])
def test_bounds_are_met_exactly_in_any_units(method):
    units = powers_of_two(START.size)
    upper = 0.7 * units
    result = newtonkit.minimize(
        lambda x: chain(x / units),
        np.clip(START, -0.5, 0.5) * units,
        method=method,
        bounds=[(-0.5 * unit, bound) for unit, bound in zip(units, upper, strict=True)],
        options={"scaling": units, "gtol": 0.0},
    )
    assert result.success, result.message
    assert result.x[0] == upper[0]
    reference = newtonkit.minimize(chain, np.clip(START, -0.5, 0.5), method="newton", bounds=[(-0.5, 0.7)] * 5)
    np.testing.assert_allclose(result.x / units, reference.x, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_auto_takes_the_same_steps_as_none_in_the_first_trials(method):
    problem = problems.get("meyer")
    x0 = problem.starts["standard"]
    auto = points(method(), problem.fun, x0, PATIENCE)
    none = points(method(scaling="none"), problem.fun, x0, PATIENCE)
    np.testing.assert_array_equal(auto, none)


@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic", "newton-linesearch"])
def test_auto_solves_a_fit_whose_parameters_have_different_units(method):
    problem = problems.get("meyer")
    x0 = 10.0 * np.asarray(problem.starts["standard"])
    auto = newtonkit.minimize(problem.fun, x0, method=method, options={"maxiter": 700})
    none = newtonkit.minimize(problem.fun, x0, method=method, options={"maxiter": 700, "scaling": "none"})
    assert auto.success, auto.message
    assert auto.fun == pytest.approx(87.945855170, rel=1e-9)
    assert none.fun > 100.0


def test_lbfgs_solves_a_fit_in_different_units_by_itself():
    fit = problems.get("meyer")
    x0 = np.array([2.0, 4e5, 2.5e4])  # NIST's first start
    auto = newtonkit.minimize(fit.fun, x0, method="lbfgs", options={"maxiter": 3500, "gtol": 1e-4})
    none = newtonkit.minimize(fit.fun, x0, method="lbfgs", options={"maxiter": 3500, "gtol": 1e-4, "scaling": "none"})
    assert auto.fun == pytest.approx(87.945855170, rel=1e-6)
    assert none.fun > 1e3


@pytest.mark.parametrize("method", ["bfgs", "lbfgs", "dfp", "sr1"])
def test_a_search_that_fails_in_the_given_units_is_repeated_in_those_of_x(method):
    """Along −g the second variable is lost in the rounding of the first: f has 1e-16 relative error there."""
    fun, x0 = lambda x: (x[0] * x[1] - 1.0) ** 2 + (1e6 * x[1] - 1.0) ** 4, np.array([3e5, 2e-6])
    result = newtonkit.minimize(fun, x0, method=method, options={"gtol": 1e-6})
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1e6, 1e-6], rtol=1e-3)


def test_a_model_that_is_convex_but_for_rounding_raises_nothing():
    """With curvatures that differ by 1e20, pivots are positive in the recurrence and not in the factorization."""
    t, units = np.linspace(0, 5, 20), 10.0 ** np.random.default_rng(3).uniform(-6, 6, 3)

    def fun(x):
        a, b, c = x[0] / units[0], x[1] / units[1], x[2] / units[2]
        return ((a * anp.exp(-b * t) + c - (3e4 * np.exp(-1.3 * t) + 2)) ** 2).sum()

    x0 = np.array([1e3, 0.1, 1.0]) * units
    result = newtonkit.minimize(fun, x0, method="newton-cg", options={"maxiter": 2000, "scaling": "none"})
    assert np.isfinite(result.fun)
    assert newtonkit.minimize(fun, x0, method="newton-cg").success


@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic", "newton-linesearch", "sr1", "bfgs", "dfp", "lbfgs"])
@pytest.mark.parametrize("unit", [1e-6, 1e-12, 1e-16])
def test_a_rate_and_amplitudes_of_other_units_are_fitted_by_every_method(method, unit):
    """A rate constant of the order of 1e-16 next to amplitudes of thousands: curvatures differ by 1e40."""
    t = np.array([0.0, 0.13, 0.26, 0.38, 0.5, 0.65, 0.78, 0.88])
    y = 5300 + 2000 * np.exp(-2.5 * t) + 60 * np.random.default_rng(3).normal(size=8)

    def fun(p):
        return anp.sum((p[2] + p[1] * anp.exp(-t * p[0] / unit) - y) ** 2)

    x0 = np.array([2.5 * unit, y[0] - y[-1], y[-1]])
    result = newtonkit.minimize(fun, x0, method=method, options={"maxiter": 1000})
    assert result.success, result.message
    assert result.fun == pytest.approx(38361.649, rel=1e-7)


def test_units_of_a_restart_are_those_of_the_sizes_unless_the_option_fixes_them():
    x = np.array([1000.0, 0.01])
    expected = Units.of_sizes(x)
    for scaling in ("auto", "sizes"):
        assert other_units(scaling, x, EUCLIDEAN).same_as(expected)
        assert other_units(scaling, x, expected) is None
    assert other_units("none", x, EUCLIDEAN) is None
    assert other_units((1.0, 1.0), x, EUCLIDEAN) is None
    assert other_units("auto", np.array([1.0, 2.0]), EUCLIDEAN) is None


def test_adapted_pairs_are_the_bfgs_matrix_of_a_diagonal_that_fits_the_pairs():
    rng, n = np.random.default_rng(5), 4
    D = np.array([2.0**10, 1.0, 2.0**-8, 1.0])
    pairs = CurvaturePairs(n, 3)
    kept = []
    for _ in range(3):
        s = rng.standard_normal(n) / D
        y = D * D * s * (1.0 + 0.1 * rng.random(n))
        assert pairs.push(s, y)
        kept.append((s, y))
    pairs.adapt_units(Units(1.0 / D))  # s and y are less parallel in these units
    assert pairs.units is EUCLIDEAN
    pairs.adapt_units(Units(D))
    np.testing.assert_array_equal(pairs.units.D, D)
    s, y = kept[-1]
    H = np.diag((s @ y) / ((y / D) @ (y / D)) / D**2)
    for s, y in kept:
        V = np.eye(n) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    v = rng.standard_normal(n)
    np.testing.assert_allclose(pairs.inverse_hessian_times(v), H @ v, rtol=1e-10)


def test_auto_keeps_the_units_where_the_curvatures_do_not_confirm_that_units_differ():
    sizes, ones = np.array([1e-4, 1.0, 50.0]), np.ones(3)
    ready = VariableScaling.at_start("auto", sizes)._replace(waiting=0)
    assert ready.after_step(sizes, sizes, ones).units is EUCLIDEAN
    np.testing.assert_array_equal(ready.after_step(sizes, sizes, 1.0 / sizes**2).units.D, [2.0**14, 1.0, 2.0**-5])
    assert ready.after_step(ones, ones, 1.0 / sizes**2).units is EUCLIDEAN
    assert ready.after_step(sizes, sizes, None).units is not EUCLIDEAN
    many = np.resize(sizes, 31)
    assert ready.after_step(many[:30], many[:30], None).units is not EUCLIDEAN
    assert ready.after_step(many, many, None).units is EUCLIDEAN, "sizes alone are too weak a sign"


def test_the_radius_is_converted_when_units_are_taken_up():
    """The last step has the same length relative to the bound: a radius r becomes r·‖D₊p‖/‖Dp‖."""
    assert TrustRegionNewton().convert_radius(3.0, 0.5) == 1.5
    sigma, ratio = 7.0, 0.5
    assert Cubic().convert_radius(sigma, ratio) * ratio**3 == sigma
    assert math.isfinite(Cubic().convert_radius(sigma, 1e-200))


def test_a_run_is_resumed_with_the_same_units():
    problem = problems.get("meyer")
    method = TrustRegionNewton()
    states = list(islice(iterate(method, problem.fun, problem.starts["standard"]), 61))
    assert states[40].scaling.units.D is not None
    evaluator = newtonkit.Evaluator(newtonkit.Objective(problem.fun))
    state = copy.deepcopy(states[40])
    for expected in states[41:45]:
        state = method.step(evaluator, state)
        np.testing.assert_array_equal(state.x, expected.x)


def test_units_change_gradients_hessians_and_domains_consistently():
    rng = np.random.default_rng(0)
    units = Units.of_sizes(np.array([1000.0, 0.3, 1.0]))
    np.testing.assert_array_equal(units.D, [2.0**-9, 4.0, 1.0])
    A = rng.standard_normal((3, 3))
    H, v = A + A.T, rng.standard_normal(3)
    scaled = units.matrix(H)
    np.testing.assert_array_equal(units.user_matrix(scaled), H)
    np.testing.assert_array_equal(units.sparse(sp.csc_array(H)).toarray(), scaled)
    np.testing.assert_allclose(units.product(lambda w: H @ w)(v), scaled @ v, rtol=1e-14)
    box = units.domain(Box([-1.0, 0.1, -np.inf], [1.0, 0.2, 3.0]))
    np.testing.assert_array_equal(units.step(np.asarray(box.lower)), [-1.0, 0.1, -np.inf])
    assert units.length(v) == pytest.approx(float(np.linalg.norm(units.D * v)), rel=1e-15)


def test_a_size_of_zero_counts_as_the_geometric_mean_of_the_others():
    np.testing.assert_array_equal(Units.of_sizes(np.array([4.0, 0.0, 16.0])).D, [0.25, 0.125, 0.0625])
    np.testing.assert_array_equal(Units.of_sizes(np.zeros(2)).D, [1.0, 1.0])


@pytest.mark.parametrize("wrong", ["size", [1.0, -1.0], [1.0, np.nan], [[1.0]], 0.0, None, abs])
@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_scaling_is_refused_with_its_value(method, wrong):
    with pytest.raises(ValueError, match="scaling must"):
        method(scaling=wrong)


def test_another_number_of_sizes_than_variables_is_refused():
    with pytest.raises(ValueError, match="scaling has 3 sizes, but there are 5 variables"):
        newtonkit.minimize(chain, START, method="newton", options={"scaling": [1.0, 1.0, 1.0]})


def test_a_preconditioner_and_sizes_exclude_each_other():
    with pytest.raises(ValueError, match="preconditioner"):
        TrustRegionNewtonCG(preconditioner=lambda x: lambda v: v, scaling="sizes")


@pytest.mark.parametrize("exponent", [-150, 150])
@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic", "sr1", "bfgs", "dfp", "lbfgs"])
def test_extreme_units_common_to_all_variables_are_harmless(method, exponent):
    unit = 10.0**exponent
    result = newtonkit.minimize(lambda x: chain(x / unit), START[:2] * unit, method=method, options={"maxiter": 300})
    np.testing.assert_allclose(result.x / unit, 1.0, atol=1e-3)
