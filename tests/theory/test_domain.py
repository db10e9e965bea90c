"""Boxes: projection, criticality and free variables are what convex analysis says; no request leaves the domain."""

import math
import pickle

import numpy as np
import pytest

from newtonkit.core.domain import Box, OutsideDomainError, Unbounded
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.objectives.objective import Objective


def random_case(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    lower = np.where(rng.random(n) < 0.3, -np.inf, rng.standard_normal(n))
    upper = np.where(rng.random(n) < 0.3, np.inf, np.maximum(lower, 0.0) + rng.exponential(size=n))
    box = Box(lower, upper)
    x = box.project(3.0 * rng.standard_normal(n))
    return box, x, rng.standard_normal(n), rng


@pytest.mark.parametrize("seed", range(30))
def test_the_projection_is_the_nearest_point(seed):
    box, x, _, rng = random_case(seed)
    y = 3.0 * rng.standard_normal(x.size)
    p = box.project(y)
    assert box.contains(p)
    assert (y - p) @ (x - p) <= 1e-12  # the variational inequality that characterizes it
    np.testing.assert_array_equal(box.project(p), p)


@pytest.mark.parametrize("seed", range(30))
def test_criticality_vanishes_exactly_at_first_order_critical_points(seed):
    box, x, g, _ = random_case(seed)
    expected = np.abs(np.clip(-g, box.lower - x, box.upper - x)).max()
    assert box.criticality(x, g) == expected
    held = np.where(x == box.lower, np.abs(g), np.where(x == box.upper, -np.abs(g), 0.0))
    assert box.criticality(x, held) == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_a_variable_is_free_if_and_only_if_a_small_step_along_the_negative_gradient_moves_it(seed):
    box, x, g, _ = random_case(seed)
    moved = box.project(x - 1e-6 * g) != x
    np.testing.assert_array_equal(box.free(x, g), moved)


def test_a_fixed_variable_is_never_free():
    box = Box([1.0, 0.0], [1.0, 2.0])
    for g in ([0.0, 0.0], [1.0, 1.0], [-1.0, -1.0]):
        np.testing.assert_array_equal(box.free(np.array([1.0, 1.0]), np.array(g)), [False, True])


def test_bounds_are_met_exactly():
    box = Box([0.1], [0.3])
    assert box.project(np.array([-5.0]))[0] == 0.1
    assert box.project(np.array([5.0]))[0] == 0.3


@pytest.mark.parametrize("domain", [Unbounded(), Box([-9.0, -9.0], [9.0, 9.0]), Box([-np.inf] * 2, [np.inf] * 2)])
@pytest.mark.parametrize("g", [[math.nan, 1.0], [math.inf, 0.0], [0.0, -math.inf]])
def test_a_gradient_that_is_not_finite_has_criticality_nan(domain, g):
    assert math.isnan(domain.criticality(np.zeros(2), np.array(g)))


def test_without_bounds_criticality_is_the_maximum_norm():
    x, g = np.array([1.0, 2.0]), np.array([-3.0, 2.0])
    for domain in (Unbounded(), Box([-np.inf, -np.inf], [np.inf, np.inf])):
        assert domain.criticality(x, g) == 3.0
        assert not domain.is_bounded
        np.testing.assert_array_equal(domain.free(x, g), [True, True])
        np.testing.assert_array_equal(domain.project(x), x)


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [
        ([0.0, 2.0], [1.0, 1.0], r"a lower bound must not exceed its upper bound: variable 1 has the bounds \[2, 1\]"),
        ([0.0], [math.nan], "a bound must not be NaN: variable 0"),
        ([math.inf], [math.inf], "a lower bound must be below"),
        ([-math.inf], [-math.inf], "an upper bound must be above"),
        ([0.0, 1.0], [2.0], r"must have the same shape, got shapes \(2,\) and \(1,\)"),
        ([[0.0]], [[1.0]], r"one-dimensional, got shape \(1, 1\)"),
    ],
)
def test_wrong_bounds_are_refused_by_name(lower, upper, message):
    with pytest.raises(ValueError, match=message):
        Box(lower, upper)


def test_a_box_does_not_change_with_the_callers_arrays():
    lower = np.zeros(2)
    box = Box(lower, np.ones(2))
    lower[0] = -7.0
    assert box.lower[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        box.lower[0] = -7.0
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(box)).lower, box.lower)


@pytest.mark.parametrize("request_name", ["value", "gradient", "value_and_grad", "hessian", "sparse_hessian", "hvp"])
def test_a_request_outside_the_domain_is_an_internal_error_and_calls_no_user_code(request_name):
    calls = []

    def fun(x):
        calls.append(x)
        return x @ x

    evaluator = Evaluator(Objective(fun), domain=Box([0.0], [1.0]))
    with pytest.raises(OutsideDomainError, match="internal error"):
        getattr(evaluator, request_name)(np.array([1.5]))
    assert not calls
    evaluator.value(np.array([1.0]))
    assert len(calls) == 1
