"""A newcomer's mistakes: each is answered early, by a sentence that names the argument, the value and what is right."""

import math

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.optimize

import newtonkit
from newtonkit import DifferentiationError

X0 = [1.0, 2.0]


def f(x):
    return np.sum(x**2)


def solve(fun=f, x0=X0, **arguments):
    return newtonkit.minimize(fun, x0, **arguments)


def own_bug(x):
    return x[7]


def with_assignment(x):
    y = onp.zeros(2)
    y[0] = x[0]
    return y.sum()


@pytest.mark.parametrize(
    ("mistake", "error", "sentence"),
    [
        (lambda: solve(method="bgfs"), ValueError, "unknown method 'bgfs'; did you mean 'bfgs'"),
        (lambda: solve(method="xyz"), ValueError, "valid names: .*newton"),
        (lambda: solve(method="Nelder-Mead"), ValueError, "without derivatives are not provided; use 'newton'"),
        (lambda: solve(method="Powell"), ValueError, "without derivatives are not provided; use 'newton'"),
        (lambda: solve(method="SLSQP"), ValueError, "constraints are not supported; use scipy.optimize.minimize"),
        (lambda: solve(method="COBYLA"), ValueError, "constraints are not supported; use scipy.optimize.minimize"),
        (lambda: solve(method=newtonkit.BFGS), TypeError, r"write BFGS\(\)"),
        (lambda: solve(method=3), TypeError, "a name or a method"),
        (lambda: solve(options={"gtoll": 1e-8}), ValueError, "unknown option 'gtoll' .* did you mean 'gtol'"),
        (lambda: solve(method="lbfgs", options={"memry": 5}), ValueError, "did you mean 'memory'"),
        (lambda: solve(method="lbfgs", options={"memory": 0}), ValueError, "memory must be an integer of at least 1"),
        (lambda: solve(method="lbfgs", options={"memory": 2.5}), TypeError, "memory must be an integer"),
        (lambda: solve(method="adam", options={"rate": -1.0}), ValueError, r"rate must be a number in \(0, inf\)"),
        (lambda: solve(method="adam", options={"beta1": 1.0}), ValueError, "beta1"),
        (lambda: solve(method="momentum", options={"form": "clasical"}), ValueError, "did you mean 'classical'"),
        (lambda: solve(tol=-1.0), ValueError, r"gtol must be a number in \[0, inf\), got -1"),
        (lambda: solve(tol=math.nan), ValueError, "gtol"),
        (lambda: solve(tol="small"), TypeError, "gtol"),
        (lambda: solve(options={"maxiter": -1}), ValueError, "maxiter"),
        (lambda: solve(options={"maxtime": 0}), ValueError, "maxtime"),
        (lambda: solve(options={"history": "all"}), ValueError, "True, False or 'points'"),
        (lambda: solve(3), TypeError, "fun must be callable"),
        (lambda: solve(lambda x: x**2), TypeError, r"one real number, got an array of shape \(2,\)"),
        (lambda: solve(lambda x: None), TypeError, "one real number, got None"),
        (lambda: solve(lambda x: "low"), TypeError, "one real number, got 'low'"),
        (lambda: solve(lambda x: np.sum(x) * 1j), TypeError, "complex"),
        (lambda: solve(lambda x: math.sin(x[0])), DifferentiationError, "autograd.numpy"),
        (lambda: solve(lambda x: float(x[0]) ** 2), DifferentiationError, "jac="),
        (lambda: solve(lambda x: onp.sum(onp.array(x, dtype=float))), DifferentiationError, "in place of numpy"),
        (lambda: solve(with_assignment), DifferentiationError, "assignment into arrays"),
        (lambda: solve(own_bug), IndexError, "index 7"),
        (lambda: solve(x0=None), TypeError, "x0 must hold real numbers"),
        (lambda: solve(x0="here"), TypeError, "x0 must hold real numbers"),
        (lambda: solve(x0=[1j, 0.0]), TypeError, "complex"),
        (lambda: solve(x0=[]), ValueError, "at least one number"),
        (lambda: solve(x0={}), ValueError, "at least one number"),
        (lambda: solve(x0={"a": None}), TypeError, r"x0\['a'\]"),
        (lambda: solve(x0=[1.0, math.nan]), ValueError, "x0 must be finite"),
        (lambda: solve(jac=2), TypeError, "jac must be callable or a bool"),
        (lambda: solve(jac="4-point"), ValueError, "jac='4-point' is not known; did you mean '3-point'"),
        (lambda: solve(hess=3), TypeError, "hess must be callable"),
        (lambda: solve(jac=lambda x: onp.ones(3)), ValueError, r"jac must have shape \(2,\), got shape \(3,\)"),
        (lambda: solve(hess=lambda x: onp.ones(3)), ValueError, r"hess must return a matrix of shape \(2, 2\)"),
        (lambda: solve(bounds=[(0, 1), (2, 1)]), ValueError, "lower bound must not exceed its upper bound: variable 1"),
        (lambda: solve(bounds=[(0, 1), (math.nan, 1)]), ValueError, "must not be NaN: variable 1"),
        (lambda: solve(bounds=[(0, 1)] * 3), ValueError, "one pair for each of the 2 variables, got 3"),
        (lambda: solve(x0=onp.ones(3), bounds=onp.ones((2, 3))), ValueError, r"scipy.optimize.Bounds\(lower, upper\)"),
        (lambda: solve(bounds=[(0, 1), (0, "a")]), TypeError, "real numbers or None; variable 1"),
        (lambda: solve(bounds=3), TypeError, "n pairs"),
        (
            lambda: solve(bounds=[(0, 1), (0, 1)], method="dfp"),
            ValueError,
            "'dfp' does not accept bounds; use 'newton'",
        ),
        (lambda: solve(bounds=[(0, 1), (0, 1)], method="newton-pure"), ValueError, "does not accept bounds"),
        (lambda: solve(bounds=[(0, 1), (0, 1)], method="newton-linesearch"), ValueError, "does not accept bounds"),
        (lambda: solve(constraints={"type": "eq"}), NotImplementedError, "constraints are not supported"),
        (lambda: solve(x0=onp.ones(10**6), method="bfgs"), ValueError, "use method='lbfgs'"),
        (lambda: newtonkit.classify(f, [math.nan, 0.0]), ValueError, "x must be finite"),
        (lambda: newtonkit.classify(f, X0, radius=0.0), ValueError, "radius"),
        (lambda: newtonkit.hvp(f)(X0, [1.0]), ValueError, "as many entries as x"),
        (lambda: newtonkit.check_derivatives(f, X0, directions=0), ValueError, "directions"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(mistake, error, sentence):
    with pytest.raises(error, match=sentence):
        mistake()


def test_a_function_of_another_length_than_x0_fails_with_the_users_own_error():
    with pytest.raises(ValueError, match="broadcast") as caught:
        solve(lambda x: np.sum((x - onp.ones(3)) ** 2))
    assert any("a vector of 2" in note for note in caught.value.__notes__)


def test_plain_numpy_that_autograd_can_follow_is_differentiated_rightly():
    for fun in (lambda x: onp.sum(onp.sin(x) ** 2), lambda x: onp.dot(x, x)):
        expected = newtonkit.grad(lambda x, fun=fun: fun(x))(X0)
        h = 1e-6
        rough = [(fun(X0 + h * e) - fun(X0 - h * e)) / (2 * h) for e in onp.eye(2)]
        onp.testing.assert_allclose(expected, rough, rtol=1e-8)


def test_an_unsymmetric_hessian_is_symmetrised_with_a_warning():
    with pytest.warns(RuntimeWarning, match="unsymmetric"):
        result = solve(hess=lambda x: onp.array([[2.0, 0.1], [0.0, 2.0]]))
    assert result.success


def test_an_unsupported_but_empty_argument_is_fine():
    assert solve(bounds=[], constraints=()).success
    assert solve(bounds=None, constraints=[]).success


@pytest.mark.parametrize("x0", [3, 3.0, onp.float32(3), onp.array(3), [3], (3,), onp.array([3], dtype=onp.int64)])
def test_numbers_of_every_kind_are_a_start(x0):
    result = solve(x0=x0)
    assert result.success
    assert result.x.shape == (1,)
    assert result.x.dtype == onp.float64


def test_an_array_keeps_its_shape():
    seen = []

    def fun(x):
        seen.append(x.shape)
        return np.sum((x - 1.0) ** 2)

    for x0 in (onp.zeros((2, 3)), [[0.0] * 3] * 2):
        assert solve(fun, x0).x.shape == (2, 3)
    assert set(seen) == {(2, 3)}


def test_scipys_names_mean_the_nearest_of_ours_in_any_case():
    for name, ours in {"BFGS": "bfgs", "L-BFGS-B": "lbfgs", "trust-exact": "newton", "Newton-CG": "newton-cg"}.items():
        assert solve(method=name).method == ours


def test_progress_is_printed_only_where_it_is_asked_for(capsys):
    solve()
    assert capsys.readouterr().out == ""
    result = solve(method="gd", options={"rate": 0.01, "maxiter": 300, "disp": True})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["nit", "f", "‖g‖∞", "‖s‖", "note"]
    assert lines[-1] == result.message
    assert len(lines) < 100, "a long run is thinned out"


def test_a_function_without_gradient_under_jac_true_is_named():
    with pytest.raises(TypeError, match=r"with jac=True fun must return the pair \(f, gradient\), got float"):
        newtonkit.minimize(lambda x: float(x[0] ** 2), [1.0], jac=True)


def test_check_result_with_its_arguments_exchanged_is_named():
    with pytest.raises(TypeError, match=r"must have an attribute x, got function; write check_result\(fun, result\)"):
        newtonkit.check_result(scipy.optimize.OptimizeResult(x=[1.0]), lambda x: x[0] ** 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 1.0], lambda x, a: a * x, [0.0, 1.0]), r"got list; write curve_fit\(f, xdata, ydata\)"),
        ((lambda x, a: a * x, [0.0, 1.0, 2.0], [0.0, 1.0]), r"f must return 2 values.*xdata has shape \(3,\)"),
    ],
)
def test_exchanged_and_unequal_data_of_a_fit_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        newtonkit.curve_fit(*arguments)


def test_pairs_of_bounds_of_a_fit_are_named():
    with pytest.raises(ValueError, match=r"must not exceed.*bounds of a fit are \(lower, upper\), as in scipy"):
        newtonkit.least_squares(lambda p: p - 1.0, [0.5, 0.5], bounds=[(0, 10), (0, 1)])
    with pytest.raises(ValueError, match=r"for a list of pairs write tuple\(zip\(\*bounds\)\)"):
        newtonkit.least_squares(lambda p: p - 1.0, [0.5, 0.5, 0.5], bounds=[(0, 10), (0, 1), (0, 1)])


def test_an_unknown_option_of_a_fit_is_named():
    with pytest.raises(TypeError, match=r"curve_fit has no option 'lss'; did you mean 'loss'"):
        newtonkit.curve_fit(lambda x, a: a * x, [0.0, 1.0], [0.0, 1.0], lss="huber")


def test_maxfev_of_scipy_limits_the_residuals_of_a_fit():
    with pytest.warns(scipy.optimize.OptimizeWarning, match="would exceed the limit"):
        fit = newtonkit.curve_fit(lambda x, a: np.exp(a * x), [0.0, 1.0, 2.0], [1.0, 3.0, 8.0], maxfev=1)
    assert fit.result.nfev == 1


def test_run_takes_a_list_and_refuses_a_matrix():
    objective, stop = newtonkit.Objective(lambda x: (x[0] - 1.0) ** 2), newtonkit.Stop(gtol=1e-8)
    assert newtonkit.run(newtonkit.BFGS(), objective, [3.0], stop).success
    with pytest.raises(ValueError, match="x0 must be a vector"):
        newtonkit.run(newtonkit.BFGS(), objective, [[3.0]], stop)
