"""What a point is that a minimizer returns, and where f falls from it if it is no minimum."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize

from comparisons.studies.critical_points.saddle_claims import scipy_claims
from comparisons.studies.critical_points.saddle_claims import strict_saddle as fun
from newtonkit import check_result, classify, escape, minimize


def test_every_scipy_result_at_the_saddle_is_found_out_and_led_to_a_minimum():
    """All eleven succeed at the saddle itself, most of them from (1, 0) too, though f = −1 is not far."""
    caught = 0
    for claim in scipy_claims():
        result, checked = claim.result, claim.checked
        at_the_saddle = abs(result.fun) < 0.1
        assert checked.contradicted == (at_the_saddle and result.success), (claim.method, claim.start)
        if at_the_saddle:
            caught += 1
            assert (checked.verdict.kind, checked.verdict.index) == ("saddle", 1)
            assert checked.escape.fun == fun(checked.escape.x) < -0.7
            assert claim.end.fun == pytest.approx(-1.0)
        elif result.success:
            assert checked.verdict.kind == "minimum"
            assert checked.escape is None
    assert caught >= 15


def test_a_result_of_newtonkit_is_a_minimum():
    checked = check_result(fun, minimize(fun, [1.0, 0.3]))
    assert checked.verdict.kind == "minimum"
    assert not checked.contradicted
    assert str(checked).startswith("the solver reported success; the point is: minimum: every eigenvalue is positive")


def test_a_function_that_autograd_cannot_follow_is_checked_by_differences():
    def opaque(x):
        return float(fun([float(t) for t in x]))

    result = scipy.optimize.minimize(opaque, [1.0, 0.0], method="BFGS")
    checked = check_result(opaque, result)
    assert result.success
    assert checked.contradicted
    assert checked.verdict.source == "differences of f"
    assert checked.escape.fun < -0.7


def test_the_escape_from_a_point_that_is_not_critical_is_along_the_gradient():
    checked = check_result(lambda x: anp.exp(-x[0]), scipy.optimize.OptimizeResult(x=np.array([20.0]), success=True))
    assert checked.verdict.kind == "not critical"
    assert checked.contradicted
    assert checked.escape.fun < np.exp(-20.0)


def test_products_check_a_result_in_many_variables():
    n = 3000

    def many(x):  # with a full Hessian
        return anp.sum(x[:-1] ** 2) + 0.1 * anp.sum(x**4) - x[-1] ** 2 + 0.01 * anp.sum(x) ** 4

    checked = check_result(many, scipy.optimize.OptimizeResult(x=np.zeros(n), success=True))
    assert checked.verdict.kind == "saddle"
    assert checked.verdict.level == "estimated"
    assert checked.escape.fun < -0.5


def test_parameters_with_structure_come_back_in_it():
    def structured(p):
        return p["a"] ** 2 - p["b"] ** 2 + p["b"] ** 4 / 4

    lower = escape(structured, {"a": 0.0, "b": 0.0})
    assert set(lower.x) == {"a", "b"}
    assert structured(lower.x) == lower.fun < -0.7


@pytest.mark.parametrize(
    ("degenerate", "x"),
    [
        (lambda x: x[0] ** 2 - x[1] ** 4, [0.0, 0.0]),
        (lambda x: (x[1] - x[0] ** 2) * (x[1] - 2 * x[0] ** 2), [0.0, 0.0]),
        (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, [0.0, 0.0]),
        (lambda x: x[0] * x[1] * x[2], [0.0, 0.0, 0.0]),
    ],
)
def test_the_escape_from_a_degenerate_saddle_is_long_enough(degenerate, x):
    """At 1e-3 the gradient of a quartic is 4e-9, and any gtol would stop there at once."""
    lower = escape(degenerate, x)
    assert lower.length > 0.1
    assert degenerate(lower.x) == lower.fun < -1e-3


@pytest.mark.parametrize("minimum", [lambda x: x[0] ** 4 + x[1] ** 4, lambda x: (x[0] ** 2 + x[1] ** 2) ** 2])
def test_there_is_no_escape_from_a_degenerate_minimum(minimum):
    assert classify(minimum, [0.0, 0.0]).kind == "degenerate minimum"
    assert escape(minimum, [0.0, 0.0]) is None
