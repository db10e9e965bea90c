"""What a point is that a minimizer returns, and where f falls from it if it is no minimum.

``python tests/theory/test_landscape.py`` prints what scipy's gradient methods claim at, and on the stable manifold of,
the saddle of x² − y² + y⁴/4.
"""

from __future__ import annotations

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize

from newtonkit import check_result, classify, escape, minimize


def fun(x):
    """A saddle at 0 with f = 0; minima at (0, ±√2) with f = −1."""
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


def gradient(x):
    return np.array([2 * x[0], -2 * x[1] + x[1] ** 3])


def hessian(x):
    return np.array([[2.0, 0.0], [0.0, -2.0 + 3.0 * x[1] ** 2]])


PLAIN = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP"]
SECOND_ORDER = ["Newton-CG", "trust-constr", "dogleg", "trust-ncg", "trust-krylov", "trust-exact"]


def scipy_result(method, x0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scipy.optimize.minimize(fun, x0, method=method, jac=gradient, hess=None if method in PLAIN else hessian)


def claims():
    """(method, start, scipy's result, what `check_result` says) for scipy's eleven gradient methods."""
    for method in PLAIN + SECOND_ORDER:
        for start in ([0.0, 0.0], [1.0, 0.0]):
            try:
                result = scipy_result(method, start)
            except ValueError:  # dogleg refuses an indefinite Hessian
                continue
            yield method, start, result, check_result(fun, result)


def test_every_scipy_result_at_the_saddle_is_found_out_and_led_to_a_minimum():
    """All eleven succeed at the saddle itself, most of them from (1, 0) too, though f = −1 is not far."""
    caught = 0
    for method, start, result, checked in claims():
        at_the_saddle = abs(result.fun) < 0.1
        assert checked.contradicted == (at_the_saddle and result.success), (method, start)
        if at_the_saddle:
            caught += 1
            assert (checked.verdict.kind, checked.verdict.index) == ("saddle", 1)
            assert checked.escape.fun == fun(checked.escape.x) < -0.7
            assert minimize(fun, checked.escape.x).fun == pytest.approx(-1.0)
        elif result.success:
            assert checked.verdict.kind == "minimum"
            assert checked.escape is None
    assert caught >= 15


def test_a_result_of_ours_is_a_minimum():
    checked = check_result(fun, minimize(fun, [1.0, 0.3]))
    assert checked.verdict.kind == "minimum"
    assert not checked.contradicted
    assert str(checked).startswith("success was claimed, and the point is: minimum: every eigenvalue is positive")


def test_a_function_that_autograd_cannot_follow_is_checked_by_differences():
    def opaque(x):
        return float(fun([float(t) for t in x]))

    result = scipy.optimize.minimize(opaque, [1.0, 0.0], method="BFGS")
    checked = check_result(opaque, result)
    assert result.success
    assert checked.contradicted
    assert checked.verdict.source == "differences of f"
    assert checked.escape.fun < -0.7


def test_from_a_point_that_is_not_critical_the_way_down_is_along_the_gradient():
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
def test_from_a_degenerate_saddle_the_way_down_is_long_enough_to_stay_down(degenerate, x):
    """At 1e-3 the gradient of a quartic is 4e-9, and any gtol would stop there at once."""
    lower = escape(degenerate, x)
    assert lower.length > 0.1
    assert degenerate(lower.x) == lower.fun < -1e-3


@pytest.mark.parametrize("minimum", [lambda x: x[0] ** 4 + x[1] ** 4, lambda x: (x[0] ** 2 + x[1] ** 2) ** 2])
def test_there_is_no_way_down_from_a_degenerate_minimum(minimum):
    assert classify(minimum, [0.0, 0.0]).kind == "degenerate minimum"
    assert escape(minimum, [0.0, 0.0]) is None


if __name__ == "__main__":
    for method, start, result, checked in claims():
        print(f"{method} from {start}: success={result.success} f={result.fun:.3g}; {checked}")
