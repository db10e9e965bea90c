"""The incumbent is the point of lowest finite f with a usable gradient."""

import math

import numpy as np
import pytest

from newtonkit.evaluation.incumbent import Incumbent

A, B, C = np.array([1.0]), np.array([2.0]), np.array([3.0])
GOOD, BAD = np.array([0.5]), np.array([math.nan])


def test_only_a_lower_finite_value_replaces_it():
    best = Incumbent()
    for x, f in ((A, 2.0), (B, 3.0), (B, math.nan), (B, -math.inf), (B, 2.0)):
        best.offer(x, f)
        assert best.x is A
    best.offer(C, 1.0)
    assert (best.x is C, best.f, best.g) == (True, 1.0, None)


def test_the_gradient_is_recorded_for_the_incumbent_only():
    best = Incumbent()
    best.offer(A, 2.0)
    best.record_gradient(A.copy(), GOOD)
    assert best.g is None
    best.record_gradient(A, GOOD)
    assert best.g is GOOD


def test_a_point_whose_gradient_is_not_finite_is_discarded_for_the_previous_one():
    best = Incumbent()
    best.offer(A, 2.0, GOOD)
    best.offer(B, 1.0)
    best.record_gradient(B, BAD)
    assert (best.x is A, best.f, best.g is GOOD) == (True, 2.0, True)


def test_the_first_point_is_kept_even_without_a_finite_gradient():
    best = Incumbent()
    best.offer(A, 2.0)
    best.record_gradient(A, BAD)
    assert best.x is A


@pytest.mark.parametrize("f", [1.0, -1e300])
def test_forgetting_drops_all_points(f):
    best = Incumbent()
    best.offer(A, f, GOOD)
    best.forget()
    assert (best.x, best.f, best.g) == (None, math.inf, None)
