"""The radius of the trust region: it shrinks from a bad step's length, grows after a good one that reached its edge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newtonkit.trustregion.radius import ACCEPT, first_radius, next_radius, reduction_is_rounding

lengths = st.floats(1e-12, 1e12)
EXAMPLES = settings(deadline=None, max_examples=200, derandomize=True)
EPS = float(np.finfo(np.float64).eps)


@EXAMPLES
@given(lengths, st.floats(1e-6, 1.0), st.floats(-1e6, 0.09), st.booleans())
def test_a_poor_step_makes_the_radius_smaller_than_the_step(radius, share, ratio, on_boundary):
    length = share * radius
    assert 0.0 < next_radius(radius, length, ratio, on_boundary=on_boundary) < length


@EXAMPLES
@given(lengths, st.floats(1e-6, 1.0), st.booleans())
def test_a_trial_that_was_not_finite_counts_as_poor(radius, share, on_boundary):
    """Its ratio is NaN, of which every comparison is false."""
    length = share * radius
    shrunk = next_radius(radius, length, math.nan, on_boundary=on_boundary)
    assert shrunk == next_radius(radius, length, -1.0, on_boundary=on_boundary)
    assert shrunk < length


@EXAMPLES
@given(lengths, st.floats(0.95, 10.0))
def test_a_good_step_that_reached_the_edge_lets_the_radius_grow(radius, ratio):
    assert next_radius(radius, radius, ratio, on_boundary=True) > radius


@EXAMPLES
@given(lengths, st.floats(1e-6, 1.0), st.floats(0.25, 10.0))
def test_a_step_inside_the_region_that_is_not_poor_leaves_the_radius_alone(radius, share, ratio):
    assert next_radius(radius, share * radius, ratio, on_boundary=False) == radius


@EXAMPLES
@given(lengths, st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.booleans())
def test_a_better_ratio_never_gives_a_smaller_radius(radius, one, other, on_boundary):
    worse, better = sorted((one, other))
    small = next_radius(radius, radius, worse, on_boundary=on_boundary)
    assert small <= next_radius(radius, radius, better, on_boundary=on_boundary)


@EXAMPLES
@given(lengths, st.floats(1e-6, 1.0), st.floats(-2.0, 2.0), st.booleans(), st.integers(-30, 30))
def test_the_rule_does_not_depend_on_the_unit_of_length(radius, share, ratio, on_boundary, k):
    """Powers of two are exact, so that equality is too."""
    unit, length = 2.0**k, share * radius
    scaled = next_radius(unit * radius, unit * length, ratio, on_boundary=on_boundary)
    assert scaled == unit * next_radius(radius, length, ratio, on_boundary=on_boundary)


def test_repeated_failures_shrink_the_radius_to_nothing():
    radius = 1.0
    for _ in range(200):
        radius = next_radius(radius, radius, -1.0, on_boundary=True)
    assert 0.0 < radius < 1e-40


def test_a_step_may_be_accepted_before_the_radius_stops_shrinking():
    assert 0.0 < ACCEPT < 0.25
    assert next_radius(1.0, 1.0, ACCEPT, on_boundary=True) < 1.0


def test_the_first_radius_is_the_gradient_over_the_hessian():
    assert first_radius(3.0, 2.0, 100.0) == 1.5


@pytest.mark.parametrize("k", [-500, -40, 37, 500])
def test_the_first_radius_does_not_depend_on_the_unit_of_f(k):
    assert first_radius(3.0 * 2.0**k, 7.0 * 2.0**k, 1.0) == first_radius(3.0, 7.0, 1.0)


@pytest.mark.parametrize(("gradient", "hessian"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1e200, 1e-200)])
def test_without_gradient_or_curvature_the_first_radius_is_the_size_of_x_or_1(gradient, hessian):
    assert first_radius(gradient, hessian, 5.0) == 5.0
    assert first_radius(gradient, hessian, 0.0) == 1.0


@EXAMPLES
@given(st.floats(-1e8, 1e8), st.floats(-1e8, 1e8), st.floats(1e-12, 1e8))
def test_whether_a_difference_is_rounding_does_not_depend_on_order_sign_or_unit(f, f_trial, predicted):
    answer = reduction_is_rounding(f, f_trial, predicted)
    assert reduction_is_rounding(f_trial, f, predicted) == answer
    assert reduction_is_rounding(-f, -f_trial, predicted) == answer
    assert reduction_is_rounding(2.0**20 * f, 2.0**20 * f_trial, 2.0**20 * predicted) == answer


def test_a_difference_is_rounding_below_about_ten_thousand_eps():
    f = 1e10
    assert reduction_is_rounding(f, f - 1e3 * EPS * f, 1.0)
    assert reduction_is_rounding(f, f - 1.0, 1e3 * EPS * f)
    assert not reduction_is_rounding(f, f - 1e5 * EPS * f, 1e5 * EPS * f)
