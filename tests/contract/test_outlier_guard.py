"""A large discrepancy triggers a second evaluation, a confirmed one does not."""

import math

import numpy as np
import pytest

from newtonkit.core.counts import Budget
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.evaluation.outliers import OUTLIER_RATIO, OutlierGuard
from newtonkit.objectives.objective import Objective


def test_the_first_finite_value_is_accepted():
    guard = OutlierGuard()
    assert not guard.suspects_value(1e300)
    assert not guard.suspects_gradient(1e300)


def test_a_value_far_above_the_largest_is_suspected():
    guard = OutlierGuard()
    guard.accept_value(-2.0)
    assert not guard.suspects_value(1.9 * OUTLIER_RATIO)
    assert guard.suspects_value(-2.1 * OUTLIER_RATIO)
    guard.accept_gradient(3.0)
    assert not guard.suspects_gradient(2.9 * OUTLIER_RATIO)
    assert guard.suspects_gradient(3.1 * OUTLIER_RATIO)


@pytest.mark.parametrize("f", [math.nan, math.inf, -math.inf])
def test_results_that_are_not_finite_are_suspected_until_one_is_confirmed(f):
    guard = OutlierGuard()
    assert guard.suspects_value(f)
    assert guard.suspects_gradient(math.nan)
    guard.accept_value(f)
    assert math.isnan(guard.largest_f)
    guard.confirm_failure()
    assert not guard.suspects_value(f)
    assert not guard.suspects_gradient(math.nan)


def test_a_zero_hessian_is_suspected_until_it_is_confirmed():
    guard = OutlierGuard()
    assert guard.suspects_hessian(False)
    assert not guard.suspects_hessian(True)
    guard.confirm_hessian(False)
    assert not guard.suspects_hessian(False)
    guard.confirm_hessian(True)
    assert guard.suspects_hessian(False)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 1e30])
def test_one_wrong_value_is_replaced_and_the_second_call_is_a_check(wrong):
    calls = []

    def fun(x):
        calls.append(x)
        return wrong if len(calls) == 2 else float(x @ x)

    evaluator = Evaluator(Objective(fun, lambda x: 2 * x))
    values = [evaluator.value(np.array([t])) for t in (1.0, 2.0, 3.0)]
    assert values == [1.0, 4.0, 9.0]
    assert (evaluator.counts.f, evaluator.check_counts.f, len(calls)) == (3, 1, 4)


def test_no_second_evaluation_exceeds_the_budget():
    calls = []

    def fun(x):
        calls.append(x)
        return math.nan

    evaluator = Evaluator(Objective(fun, lambda x: 2 * x), Budget(maxfev=2))
    assert math.isnan(evaluator.value(np.array([1.0])))
    assert len(calls) == 1
