"""Every method under `scipy.optimize.minimize`: what its arguments mean there is what they mean here."""

import pickle

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.optimize
import scipy.sparse

import newtonkit
from newtonkit import TerminationReason

WEIGHTS = onp.array([1.0, 4.0, 16.0])
ARGS = (onp.array([1.0, -2.0, 0.5]), 0.1)
X0 = onp.array([3.0, 1.0, -1.0])
OPTIONS = {"maxiter": 40}


def valley(x, centre, quartic):
    """Smooth and convex, with its minimum 1 at ``centre``."""
    return 1.0 + 0.5 * np.sum(WEIGHTS * (x - centre) ** 2) + quartic * np.sum((x - centre) ** 4)


def valley_gradient(x, centre, quartic):
    return WEIGHTS * (x - centre) + 4 * quartic * (x - centre) ** 3


def valley_hessian(x, centre, quartic):
    return onp.diag(WEIGHTS + 12 * quartic * (x - centre) ** 2)


def valley_product(x, p, centre, quartic):
    return valley_hessian(x, centre, quartic) @ p


def opaque(x, centre, quartic):
    """The same value, with nothing that autograd could follow."""
    return float(valley(onp.array([float(v) for v in x]), centre, quartic))


def both(x, centre, quartic):
    return opaque(x, centre, quartic), valley_gradient(x, centre, quartic)


def under_scipy(method, fun=valley, x0=X0, args=ARGS, options=OPTIONS, **arguments):
    return scipy.optimize.minimize(fun, x0, args=args, method=method, options=options, **arguments)


def under_newtonkit(method, fun=valley, x0=X0, args=ARGS, options=OPTIONS, **arguments):
    return newtonkit.minimize(fun, x0, args=args, method=method, options=options, **arguments)


def assert_same(theirs, ours):
    """The same run: bit for bit, and by the same evaluations."""
    onp.testing.assert_array_equal(theirs.x, ours.x)
    onp.testing.assert_array_equal(theirs.jac, ours.jac)
    for name in ("fun", "nit", "nfev", "njev", "nhev", "nhvp", "checks", "success", "status", "reason", "message"):
        assert theirs[name] == ours[name], name


def test_the_result_is_the_one_that_newtonkit_gives(method):
    assert_same(under_scipy(method), under_newtonkit(method))


@pytest.mark.parametrize(
    "arguments",
    [
        {"fun": opaque, "jac": valley_gradient},
        {"fun": opaque, "jac": valley_gradient, "hess": valley_hessian},
        {"fun": opaque, "jac": valley_gradient, "hessp": valley_product},
        {"fun": both, "jac": True},
        {"fun": both, "jac": True, "hess": valley_hessian},
        {"hess": valley_hessian},
        {"jac": False},
    ],
    ids=lambda arguments: ", ".join(arguments),
)
def test_derivatives_that_are_given_are_used_as_by_newtonkit(method, arguments):
    theirs = under_scipy(method, **arguments)
    assert_same(theirs, under_newtonkit(method, **arguments))
    if "fun" in arguments:
        assert theirs.derivatives == "given"


def test_a_function_that_returns_its_gradient_too_is_called_once_for_both(method):
    calls = []

    def counted(x, centre, quartic):
        calls.append(x)
        return both(x, centre, quartic)

    result = under_scipy(method, counted, jac=True, hess=valley_hessian)
    asked = result.nfev + result.checks.f + result.njev + result.checks.g
    assert len(calls) < asked
    assert len(calls) >= result.nfev


@pytest.mark.parametrize(
    "approximation",
    [
        {"jac": "2-point"},
        {"jac": "3-point"},
        {"jac": "cs"},
        {"hess": "2-point"},
        {"hess": "cs"},
        {"hess": scipy.optimize.BFGS()},
        {"hess": scipy.optimize.SR1()},
    ],
    ids=["jac 2-point", "jac 3-point", "jac cs", "hess 2-point", "hess cs", "hess BFGS", "hess SR1"],
)
def test_a_request_for_approximate_derivatives_is_answered_by_exact_ones(method, approximation):
    assert_same(under_scipy(method, **approximation), under_newtonkit(method))


def test_a_sparse_hessian_is_taken_as_it_is(method):
    def sparse_hessian(x, centre, quartic):
        return scipy.sparse.csr_matrix(valley_hessian(x, centre, quartic))

    arguments = {"fun": opaque, "jac": valley_gradient, "hess": sparse_hessian}
    result = under_scipy(method, **arguments)
    assert_same(result, under_newtonkit(method, **arguments))
    assert "hess" not in method.needs or result.nhev > 0


@pytest.mark.parametrize("tol", [1e-2, 1e-9])
def test_tol_is_gtol_unless_gtol_is_given(method, tol):
    assert_same(under_scipy(method, tol=tol), under_newtonkit(method, options=OPTIONS | {"gtol": tol}))
    given = OPTIONS | {"gtol": 1e-4}
    assert_same(under_scipy(method, tol=tol, options=given), under_newtonkit(method, options=given))


def test_options_are_passed_on(method):
    for options in ({"maxiter": 3, "gtol": 0.0}, {"maxfev": 4}, {"maxiter": 5, "verdict": False, "history": False}):
        assert_same(under_scipy(method, options=options), under_newtonkit(method, options=options))
    assert under_scipy(method, options={"maxiter": 3, "gtol": 0.0}).nit <= 3


def test_an_unknown_option_is_named(method):
    with pytest.raises(ValueError, match="unknown option 'retain_all'"):
        under_scipy(method, options={"retain_all": True})


@pytest.mark.parametrize("option", [{"eps": 1e-8}, {"c1": 1e-4}, {"norm": 2.0}, {"workers": 2}])
def test_an_option_of_scipys_without_effect_is_accepted_with_a_warning(method, option):
    with pytest.warns(scipy.optimize.OptimizeWarning, match=f"the option '{next(iter(option))}' has no effect"):
        result = under_scipy(method, options=OPTIONS | option)
    assert_same(result, under_newtonkit(method))


def test_none_as_a_limit_is_the_default(method):
    given = {"maxfun": None, "disp": None, "gtol": None}
    assert_same(under_scipy(method, options=OPTIONS | given), under_newtonkit(method))


def test_return_all_gives_every_point(method):
    result = under_scipy(method, options={"return_all": True, "maxiter": 3})
    assert len(result.allvecs) == result.nit + 1
    onp.testing.assert_array_equal(result.allvecs[0], result.history.x[0])


def test_the_options_of_l_bfgs_b_are_translated():
    given = {"maxcor": 3, "maxfun": 30, "maxiter": 7, "gtol": 0.0, "iprint": -1, "maxls": 9}
    search = newtonkit.HagerZhang(max_trials=9)
    ours = {"memory": 3, "maxfev": 30, "maxiter": 7, "gtol": 0.0, "line_search": search}
    results = [under_newtonkit("L-BFGS-B", options=options) for options in (given, ours)]
    assert_same(*results)


def test_the_radius_of_trust_exact_is_translated():
    given, ours = {"initial_trust_radius": 0.1}, {"initial_radius": 0.1}
    results = [under_newtonkit("trust-exact", options=options) for options in (given, ours)]
    assert_same(*results)


@pytest.mark.parametrize(("name", "value"), [("ftol", 1e-3), ("xtol", 1e-2)])
def test_ftol_and_xtol_act_only_if_they_are_given(name, value):
    assert under_newtonkit("lbfgs").reason is newtonkit.TerminationReason.GRADIENT
    options = {name: value, "gtol": 0.0}
    result = under_newtonkit("lbfgs", options=options)
    assert result.reason is newtonkit.TerminationReason.STALLED


@pytest.mark.parametrize("style", ["point", "intermediate result"])
def test_a_callback_sees_every_iteration_and_stop_iteration_ends_the_run(method, style):
    seen = []

    def point(x):
        seen.append(x)
        if len(seen) == 2:
            raise StopIteration

    def result_so_far(intermediate_result):
        assert intermediate_result.fun == valley(intermediate_result.x, *ARGS)
        assert intermediate_result.nit == len(seen) + 1
        onp.testing.assert_allclose(
            intermediate_result.jac, valley_gradient(intermediate_result.x, *ARGS), rtol=1e-12, atol=1e-12
        )
        point(intermediate_result.x)

    callback = point if style == "point" else result_so_far
    result = under_scipy(method, callback=callback, options={"gtol": 0.0, "maxiter": 40})
    assert result.nit == len(seen) == 2
    assert result.reason is TerminationReason.CALLBACK
    assert not result.success
    onp.testing.assert_array_equal(result.state.x, seen[-1])


def test_what_a_callback_happens_to_return_does_not_stop_the_run(method):
    """An array, a number, a string: under scipy they mean nothing."""
    quiet = under_scipy(method)
    for something in (X0, 1, "done", [True], {"stop": True}):
        assert under_scipy(method, callback=lambda x, it=something: it).nit == quiet.nit
    assert under_scipy(method, callback=lambda x: True).reason is TerminationReason.CALLBACK
    assert under_scipy(method, callback=lambda x: onp.bool_(True)).reason is TerminationReason.CALLBACK


def test_args_need_not_be_a_tuple(method):
    def shifted(x, shift):
        return 1.0 + np.sum((x - shift) ** 2)

    assert_same(under_scipy(method, shifted, args=0.5), under_newtonkit(method, shifted, args=(0.5,)))


@pytest.mark.parametrize("x0", [[3, 1, -1], onp.array([3, 1, -1], dtype="f4"), (3.0, 1.0, -1.0)], ids=str)
def test_a_start_of_other_numbers_is_the_same_start(method, x0):
    assert_same(under_scipy(method, x0=x0), under_newtonkit(method))


@pytest.mark.parametrize(
    "restriction",
    [
        {"constraints": {"type": "eq", "fun": lambda x: x[0]}},
        {"constraints": scipy.optimize.LinearConstraint(onp.ones((1, 3)), 0, 1)},
    ],
    ids=lambda restriction: type(next(iter(restriction.values()))).__name__,
)
def test_constraints_are_refused_by_a_sentence(method, restriction):
    name = next(iter(restriction))
    with pytest.raises(NotImplementedError, match=f"{name} are not supported, bounds are; use scipy"):
        under_scipy(method, **restriction)


@pytest.mark.parametrize(
    "bounds",
    [[(None, None)] * 3, [(-onp.inf, onp.inf)] * 3, scipy.optimize.Bounds(), onp.array([[-onp.inf, onp.inf]] * 3)],
    ids=["pairs of None", "pairs of infinity", "Bounds", "array"],
)
def test_bounds_that_bound_nothing_are_accepted(bounds):
    assert_same(under_newtonkit(None, bounds=bounds), under_newtonkit(None))


def test_no_bounds_and_no_constraints_are_none(method):
    assert_same(under_scipy(method, bounds=[], constraints=()), under_newtonkit(method))
    assert_same(under_scipy(method, bounds=None, constraints=[]), under_newtonkit(method))


def test_code_written_for_scipys_results_reads_ours(method):
    result = under_scipy(method)
    assert isinstance(result, scipy.optimize.OptimizeResult)
    for name in ("x", "fun", "jac", "success", "status", "message", "nit", "nfev", "njev"):
        assert result[name] is getattr(result, name)
    assert isinstance(result.fun, float)
    assert isinstance(result.success, bool)
    assert isinstance(result.message, str)
    assert result.x.shape == result.jac.shape == (3,)
    assert result.success == (result.status == 0)
    again = pickle.loads(pickle.dumps(result))
    onp.testing.assert_array_equal(again.x, result.x)
    assert again.reason is result.reason


def test_an_error_in_user_code_travels_through_scipy_with_the_result_so_far(method):
    calls = []

    def breaks(x, centre, quartic):
        if len(calls) == 4:
            raise ZeroDivisionError("one over nothing")
        calls.append(1)
        return opaque(x, centre, quartic)

    with pytest.raises(ZeroDivisionError) as caught:
        under_scipy(method, breaks, jac=valley_gradient, hess=valley_hessian, options={"gtol": 0.0})
    assert caught.value.partial_result.reason is TerminationReason.EXCEPTION


@pytest.mark.parametrize("name", ["bfgs", "dfp", "lbfgs"])
def test_hess_inv_is_symmetric_and_meets_the_secant_equation(name):
    result = under_newtonkit(name, options={"history": "points", "gtol": 1e-4})
    H = pickle.loads(pickle.dumps(result)).hess_inv @ onp.eye(3)
    s, y = (onp.diff(points[-2:], axis=0)[0] for points in (result.history.x, result.history.g))
    onp.testing.assert_allclose(H, H.T, rtol=1e-12)
    onp.testing.assert_allclose(H @ y, s, rtol=1e-6)


def test_only_quasi_newton_methods_have_a_hess_inv():
    assert "hess_inv" not in under_newtonkit("newton")
