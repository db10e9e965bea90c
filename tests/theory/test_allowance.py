"""A verdict spends no more than its allowance, and costs the run nothing that it knows already."""

from __future__ import annotations

import dataclasses
import math

import autograd.numpy as anp
import numpy as np
import pytest

from newtonkit import Evaluator, Objective
from newtonkit.classification.allowance import UNLIMITED, Allowance, AllowanceSpent, MeteredEvaluator, allowance_after
from newtonkit.classification.staged import staged_verdict


def hat(x):
    return (anp.sum(x**2) - 1.0) ** 2


def evaluator_of(fun):
    return Evaluator(Objective(fun), second_order=True)


def test_kinds_of_evaluations_are_exchangeable_at_their_costs():
    assert Allowance(f=1, g=1, H=1, Hv=1).cost(hessian_products=7) == 1 + 2 + 4 + 28
    assert math.isinf(UNLIMITED.cost(hessian_products=3))


def test_after_a_short_run_a_verdict_may_take_two_hessians_and_ten_gradients():
    assert allowance_after(evaluator_of(hat), 3) == Allowance(g=10, H=2)


def test_after_a_long_run_it_may_take_a_fifth_of_its_cost_less_earlier_checks():
    evaluator = evaluator_of(hat)
    evaluator.counts.f = evaluator.counts.g = 1000
    assert allowance_after(evaluator, 3).cost(3) == pytest.approx(0.2 * 3000)
    evaluator.check_counts.g = 100
    assert allowance_after(evaluator, 3).cost(3) == pytest.approx(0.2 * 3000 - 200)


def test_above_two_hundred_variables_it_is_ten_products_that_a_verdict_may_always_take():
    assert allowance_after(evaluator_of(hat), 201).Hv == 10


def test_a_request_beyond_the_allowance_is_refused_before_it_is_evaluated():
    evaluator = evaluator_of(hat)
    metered = MeteredEvaluator(evaluator, 2, Allowance(g=1))
    metered.gradient(np.ones(2))
    with pytest.raises(AllowanceSpent):
        metered.gradient(np.zeros(2))
    assert metered.refused
    assert evaluator.counts.g == 1


def test_a_hessian_that_the_run_knows_is_free_and_is_still_known_after_the_verdict():
    evaluator, x = evaluator_of(hat), np.array([0.6, 0.80001])
    H = evaluator.hessian(x)
    metered = MeteredEvaluator(evaluator, 2, Allowance())
    assert metered.hessian(x) is H
    staged_verdict(evaluator, x, evaluator.gradient(x))
    assert evaluator.known_hessian(x) is H


@pytest.mark.parametrize("gradients", range(12))
def test_whatever_the_allowance_it_is_not_exceeded_and_no_verdict_is_wrong(gradients):
    """At a point of a sphere of minima: a valley if the allowance suffices, undecided otherwise."""
    evaluator, x = evaluator_of(hat), np.array([0.48, 0.64, 0.60001])
    g = evaluator.gradient(x)
    before = dataclasses.replace(evaluator.counts)
    allowance = Allowance(g=gradients, H=2)
    verdict = staged_verdict(evaluator, x, g, allowance=allowance)
    after = evaluator.counts
    assert Allowance(after.f - before.f, after.g - before.g, after.H - before.H).cost(3) <= allowance.cost(3)
    assert verdict.kind in ("valley", "undecided")
    if verdict.kind == "undecided":
        assert "allowance" in verdict.reason
