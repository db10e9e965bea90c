"""Verdicts on functions whose convexity is proved: global minima, certified gaps, and no claim without a minimum."""

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit.classification.convex_scope import certified_gap
from newtonkit.convex.analysis import prove
from newtonkit.core.domain import Box

RNG = onp.random.default_rng(0)
DATA = RNG.standard_normal((200, 10))
SIGNS = onp.sign(DATA[:, 0] + 0.3 * RNG.standard_normal(200))


def ridge_logistic(w):
    return np.mean(np.logaddexp(0.0, -SIGNS * (DATA @ w))) + 0.05 * np.sum(w**2)


@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs", "newton-cg"])
def test_strongly_convex_functions_end_at_global_minima(method):
    result = newtonkit.minimize(ridge_logistic, onp.zeros(10), method=method)
    verdict = result.verdict
    assert (verdict.kind, verdict.scope) == ("minimum", "global")
    assert verdict.modulus == pytest.approx(0.1)
    assert str(verdict).startswith("global minimum: f is strongly convex, f − f* ≤ ")
    lowest = newtonkit.minimize(ridge_logistic, onp.zeros(10), method="newton", tol=1e-13).fun
    assert verdict.gap >= 0.0
    assert result.fun - lowest <= verdict.gap + 1e-15


def test_the_gap_is_above_the_true_gap_away_from_the_minimum():
    lowest = newtonkit.minimize(ridge_logistic, onp.zeros(10), tol=1e-13).fun
    for scale in (1e-3, 0.1, 2.0):
        x = scale * RNG.standard_normal(10)
        f, g = newtonkit.value_and_grad(ridge_logistic)(x)
        assert f - lowest <= prove(ridge_logistic, x, ()).gap(g)


def test_large_strongly_convex_functions_take_no_curvature_for_their_verdict():
    def fun(x):
        return np.sum(np.sqrt(1.0 + (x - 2.0) ** 2)) + 0.5 * np.sum(x**2)

    result = newtonkit.minimize(fun, onp.zeros(3000), method="lbfgs")
    assert (result.verdict.scope, result.verdict.level) == ("global", "proved")
    assert (result.checks.H, result.checks.Hv) == (0, 0)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: np.exp(-x[0]),
        lambda w: np.sum(np.logaddexp(0.0, -onp.sign(DATA[:, 0]) * (DATA[:, :1] @ w))),  # separable data
    ],
)
def test_convex_functions_without_a_minimum_give_no_global_claim(fun):
    result = newtonkit.minimize(fun, onp.zeros(1))
    assert not result.success
    assert result.verdict.scope == "local"


def test_a_zero_residual_is_a_proved_global_minimum():
    """Not convex: the Rosenbrock function is a sum of squares, so 0 is its lowest possible value."""

    def rosenbrock(x):
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    exact = newtonkit.classify(rosenbrock, [1.0, 1.0])
    assert (exact.scope, exact.gap) == ("global", 0.0)
    near = newtonkit.minimize(rosenbrock, [-1.2, 1.0])
    assert near.verdict.scope == "local"
    assert near.verdict.gap == near.fun


def test_an_attained_lower_bound_is_a_minimum_whatever_curvature_shows():
    """Σ(x⁴ − x²)² has a singular Hessian at 0, and is nowhere negative."""
    verdict = newtonkit.classify(lambda x: np.sum((x**4 - x**2) ** 2) + np.sum(np.tanh(x) ** 8), [0.0, 0.0])
    assert verdict.kind in ("degenerate minimum", "minimum")
    assert verdict.scope == "global"


def test_saddles_of_functions_that_are_not_convex_stay_saddles():
    verdict = newtonkit.classify(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0])
    assert (verdict.kind, verdict.scope) == ("saddle", "local")
    assert onp.isnan(verdict.gap)


def test_the_gap_in_a_box_is_attained_by_linear_and_by_quadratic_functions():
    box = Box([0.0, 0.0], [2.0, 3.0])
    x = onp.array([1.0, 1.0])
    linear = prove(lambda z: z[0] - 2.0 * z[1] + 0.0 * np.sum(np.abs(z)), x, (), 0.0, 3.0)
    assert certified_gap(linear, x, onp.array([1.0, -2.0]), onp.zeros(2), box) == pytest.approx(1.0 + 4.0)
    square = prove(lambda z: np.sum((z - 5.0) ** 2), x, (), 0.0, 3.0)
    # f(1, 1) = 32, lowest at the corner (2, 3): 9 + 4
    assert certified_gap(square, x, onp.array([-8.0, -8.0]), onp.zeros(2), box) == pytest.approx(32.0 - 13.0)
