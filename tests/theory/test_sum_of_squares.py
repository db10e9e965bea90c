"""SumOfSquares: an Objective with the cost, gradient and Hessian of a fit."""

import pickle

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import SumOfSquares

T = onp.linspace(0.0, 2.0, 15)
Y = 3.0 * onp.exp(-0.8 * T) + 0.1 * onp.cos(9.0 * T)
X = onp.array([2.0, 0.5])


def residuals(x, y=Y):
    return x[0] * np.exp(-x[1] * T) - y


def jacobian(x, y=Y):
    e = onp.exp(-x[1] * T)
    return onp.stack([e, -x[0] * T * e], axis=1)


def curvature(x, w, y=Y):
    e = onp.exp(-x[1] * T)
    return onp.array([[0.0, -(w @ (T * e))], [-(w @ (T * e)), w @ (x[0] * T**2 * e)]])


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
def test_given_and_automatic_derivatives_agree(loss):
    """Gradient and Hessian from jac and curvature are those that autograd finds for the cost."""
    automatic = SumOfSquares(residuals, loss=loss, f_scale=0.2)
    given = SumOfSquares(residuals, jac=jacobian, curvature=curvature, loss=loss, f_scale=0.2)
    assert given.value(X.copy()) == pytest.approx(automatic.value(X.copy()), rel=1e-14)
    onp.testing.assert_allclose(given.gradient(X), automatic.gradient(X), rtol=1e-11)
    onp.testing.assert_allclose(given.hessian(X), automatic.linearize(X).hessian(), rtol=1e-10)


@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs", "newton-cg", "sr1"])
@pytest.mark.parametrize("options", [{}, {"jac": jacobian}, {"jac": jacobian, "curvature": curvature}])
def test_minimize_reaches_the_solution_of_least_squares(method, options):
    fit = newtonkit.least_squares(residuals, X)
    result = newtonkit.minimize(SumOfSquares(residuals, **options), X, method=method)
    assert result.success
    assert result.verdict.kind == "minimum"
    assert result.fun == pytest.approx(fit.cost, rel=1e-8)
    onp.testing.assert_allclose(result.x, fit.x, rtol=1e-5)
    assert result.jac.shape == (2,)


def test_structured_parameters():
    def named(p):
        return residuals([p["a"], p["b"]])

    result = newtonkit.minimize(SumOfSquares(named), {"a": 2.0, "b": 0.5})
    assert result.success
    onp.testing.assert_allclose([result.x["a"], result.x["b"]], newtonkit.least_squares(residuals, X).x, rtol=1e-6)


def test_least_squares_uses_its_parts():
    objective = SumOfSquares(residuals, jac=jacobian, curvature=curvature, loss="soft_l1", f_scale=0.1, args=(1.1 * Y,))
    fit = newtonkit.least_squares(objective, X)
    same = newtonkit.least_squares(residuals, X, loss="soft_l1", f_scale=0.1, args=(1.1 * Y,), method="hybrid")
    assert fit.derivatives == "given"
    onp.testing.assert_allclose(fit.x, same.x, rtol=1e-7)


@pytest.mark.parametrize("other", [{"jac": jacobian}, {"args": (1,)}])
def test_an_objective_holds_its_own_derivatives(other):
    objective = SumOfSquares(residuals)
    with pytest.raises(ValueError, match="leave out"):
        newtonkit.minimize(objective, X, **other)
    with pytest.raises(ValueError, match="leave out"):
        newtonkit.least_squares(objective, X, **other)


def test_minimize_refuses_a_second_hessian():
    with pytest.raises(ValueError, match="leave out hess"):
        newtonkit.minimize(SumOfSquares(residuals), X, hess=lambda x: onp.eye(2))


def test_it_pickles():
    objective = pickle.loads(pickle.dumps(SumOfSquares(residuals, jac=jacobian, loss="huber")))
    onp.testing.assert_array_equal(
        objective.gradient(X), SumOfSquares(residuals, jac=jacobian, loss="huber").gradient(X)
    )
    assert objective.residuals is residuals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"curvature": curvature}, "requires jac"),
        ({"jac": "2-point"}, "callable"),
        ({"loss": "hubert"}, "huber"),
        ({"loss": lambda z: (z, z, z)}, "requires jac"),
        ({"source": "tap"}, "tape"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SumOfSquares(residuals, **arguments)
