"""Derivatives: compared with formulas, by Taylor's theorem, with structures, threads and failures."""

from __future__ import annotations

import sys
import threading

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from autograd.tracer import trace_stack
from hypothesis import given, settings
from hypothesis import strategies as st

import problems
from newtonkit import (
    DifferentiationError,
    Evaluator,
    Objective,
    check_derivatives,
    grad,
    hessian,
    hvp,
    minimize,
    value_and_grad,
)
from newtonkit.derivatives.autograd.tracing import trace_gradient, trace_linearization
from newtonkit.derivatives.pytree import flatten

EPS = float(np.finfo(np.float64).eps)


# --- functions with derivatives written by hand -------------------------------------------------------------------


def rosenbrock(x):
    return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    t = x[1:] - x[:-1] ** 2
    g[:-1] = -400.0 * x[:-1] * t - 2.0 * (1.0 - x[:-1])
    g[1:] += 200.0 * t
    return g


def rosenbrock_hessian(x):
    H = np.diag(-400.0 * x[:-1], 1) + np.diag(-400.0 * x[:-1], -1)
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    diagonal[1:] += 200.0
    return H + np.diag(diagonal)


WEIGHTS = np.random.default_rng(1).standard_normal((7, 4))


def log_sum_exp(x):
    return anp.log(anp.sum(anp.exp(anp.dot(WEIGHTS[:, : x.size], x))))


def _softmax(x):
    z = np.exp(WEIGHTS[:, : x.size] @ x)
    return z / z.sum()


def log_sum_exp_gradient(x):
    return WEIGHTS[:, : x.size].T @ _softmax(x)


def log_sum_exp_hessian(x):
    W, p = WEIGHTS[:, : x.size], _softmax(x)
    return W.T @ (np.diag(p) - np.outer(p, p)) @ W


def waves(x):
    return anp.sum(anp.sin(x) * anp.cos(2.0 * x)) + anp.prod(x)


def waves_gradient(x):
    own = np.cos(x) * np.cos(2 * x) - 2 * np.sin(x) * np.sin(2 * x)
    return own + np.array([np.prod(np.delete(x, i)) for i in range(x.size)])


def waves_hessian(x):
    own = -np.sin(x) * np.cos(2 * x) - 4 * np.cos(x) * np.sin(2 * x) - 4 * np.sin(x) * np.cos(2 * x)
    H = np.diag(own)
    for i in range(x.size):
        for j in range(x.size):
            if i != j:
                H[i, j] += np.prod(np.delete(x, [i, j]))
    return H


BY_HAND = [
    (rosenbrock, rosenbrock_gradient, rosenbrock_hessian),
    (log_sum_exp, log_sum_exp_gradient, log_sum_exp_hessian),
    (waves, waves_gradient, waves_hessian),
]


@pytest.mark.parametrize(("fun", "gradient", "second"), BY_HAND)
@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(2, 4), st.integers(0, 10**6))
def test_the_derivatives_agree_with_formulas_derived_by_hand(fun, gradient, second, n, seed):
    """To 200 eps of the largest term in the formulas, which for Rosenbrock is 1200 x²."""
    rng = np.random.default_rng(seed)
    x, v = rng.uniform(-2, 2, n), rng.standard_normal(n)
    f, g, H = fun(x), gradient(x), second(x)
    size = 200 * EPS * (1200.0 if fun is rosenbrock else 10.0) * (1 + np.abs(x).max()) ** 3
    assert value_and_grad(fun)(x)[0] == f
    np.testing.assert_allclose(value_and_grad(fun)(x)[1], g, rtol=0, atol=size)
    np.testing.assert_allclose(grad(fun)(x), g, rtol=0, atol=size)
    np.testing.assert_allclose(hessian(fun)(x), H, rtol=0, atol=size)
    np.testing.assert_allclose(hvp(fun)(x, v), H @ v, rtol=0, atol=size * n * np.linalg.norm(v))


@pytest.mark.parametrize(("fun", "gradient", "second"), BY_HAND)
def test_the_hessian_is_exactly_symmetric(fun, gradient, second):
    H = hessian(fun)(np.array([0.3, -1.1, 0.7]))
    np.testing.assert_array_equal(H, H.T)


@pytest.mark.parametrize(("fun", "gradient", "second"), BY_HAND)
def test_the_trace_for_products_gives_f_and_the_gradient_too(fun, gradient, second):
    x = np.array([0.3, -1.1, 0.7])
    f, g, product = trace_linearization(fun, x)
    f_alone, g_alone = trace_gradient(fun, x)
    assert f == f_alone == fun(x)
    np.testing.assert_allclose(g, g_alone, rtol=1e-14)
    for v in np.eye(3):
        np.testing.assert_allclose(product(v), second(x) @ v, rtol=1e-12, atol=1e-12)


def test_the_product_is_linear_and_may_be_used_any_number_of_times():
    x, (v, w) = np.array([0.3, -1.1, 0.7, 2.0]), np.random.default_rng(0).standard_normal((2, 4))
    _, _, product = trace_linearization(rosenbrock, x)
    np.testing.assert_allclose(product(2.0 * v - 3.0 * w), 2.0 * product(v) - 3.0 * product(w), rtol=1e-12)
    np.testing.assert_array_equal(product(v), product(v))


@pytest.mark.parametrize("value", [3.0, 2.5])
def test_a_function_that_does_not_depend_on_x_has_derivatives_zero(value):
    x = np.array([1.0, 2.0])
    f, g = value_and_grad(lambda x: value)(x)
    assert f == value
    np.testing.assert_array_equal(g, np.zeros(2))
    np.testing.assert_array_equal(hessian(lambda x: value)(x), np.zeros((2, 2)))


def test_a_linear_function_has_hessian_zero():
    np.testing.assert_array_equal(hessian(lambda x: 3.0 * x[0] - x[1])([1.0, 2.0]), np.zeros((2, 2)))


def test_args_are_passed_on_and_not_differentiated():
    f, g = value_and_grad(lambda x, a, b: a * anp.sum(x**2) + b)([1.0, 2.0], 3.0, 7.0)
    assert f == 22.0
    np.testing.assert_array_equal(g, [6.0, 12.0])
    np.testing.assert_array_equal(hvp(lambda x, a: a * anp.sum(x**2))([1.0, 2.0], [1.0, 0.0], 3.0), [6.0, 0.0])
    np.testing.assert_array_equal(hessian(lambda x, a: a * x[0] ** 2)([1.0], 3.0), [[6.0]])


# --- Taylor -------------------------------------------------------------------------------------------------------


# with ripples of 1e-8 the remainder of third order is below rounding errors
@pytest.mark.parametrize("name", sorted(set(problems.names()) - {"ripples"}))
def test_taylor_remainders_of_every_catalogued_function_have_slopes_two_and_three(name):
    if name == "digits-softmax":
        pytest.importorskip("sklearn")
    problem = problems.get(name)
    # a random point of the size of the start: at special points a remainder may vanish
    x, moved = problem.starts["standard"], np.random.default_rng(3).uniform(0.3, 0.9, problem.n)
    # the parameters of NIST's models differ by many powers of ten
    x = x * (1.0 + 0.01 * moved) if name.startswith("nist-") else x + moved
    check = check_derivatives(problem.fun, x)
    assert check.ok, str(check)
    assert check.gradient_slope == pytest.approx(2.0, abs=0.2) or check.gradient_slope > 2
    assert check.hessian_slope > 2.7


@pytest.mark.parametrize(("fun", "gradient", "second"), BY_HAND)
def test_right_derivatives_by_hand_pass(fun, gradient, second):
    check = check_derivatives(fun, [0.3, -1.1, 0.7], jac=gradient, hess=second)
    assert check.ok, str(check)
    assert 1.8 < check.gradient_slope < 2.2
    assert 2.7 < check.hessian_slope < 3.3


WRONG_GRADIENTS = {
    "a sign": lambda g: np.append(-g[:1], g[1:]),
    "a factor": lambda g: 1.01 * g,
    "an entry left out": lambda g: np.append(g[:-1], 0.0),
    "an offset": lambda g: g + 1e-3,
    "two entries exchanged": lambda g: g[::-1],
}


@pytest.mark.parametrize("fault", WRONG_GRADIENTS)
@pytest.mark.parametrize(("fun", "gradient", "second"), BY_HAND)
def test_a_wrong_gradient_is_detected(fun, gradient, second, fault):
    check = check_derivatives(fun, [0.3, -1.1, 0.7], jac=lambda x: WRONG_GRADIENTS[fault](gradient(x)), hess=second)
    assert not check.ok
    assert check.gradient_slope < 1.5
    assert "NOT" in str(check)


WRONG_HESSIANS = {
    "half": lambda H: 0.5 * H,
    "diagonal only": lambda H: np.diag(np.diag(H)),
    "zero": lambda H: 0.0 * H,
    "a factor": lambda H: 1.01 * H,
    "one entry": lambda H: H + np.diag([0.1, 0.0, 0.0]),
}


@pytest.mark.parametrize("fault", WRONG_HESSIANS)
@pytest.mark.parametrize(("fun", "gradient", "second"), BY_HAND)
def test_a_wrong_hessian_is_detected_and_the_gradient_is_not_blamed(fun, gradient, second, fault):
    check = check_derivatives(fun, [0.3, -1.1, 0.7], jac=gradient, hess=lambda x: WRONG_HESSIANS[fault](second(x)))
    assert not check.ok
    assert check.gradient_slope > 1.8
    assert check.hessian_slope < 2.5


# --- structure ----------------------------------------------------------------------------------------------------

STRUCTURES = [
    {"w": np.arange(6.0).reshape(2, 3), "b": np.array([1.0, -1.0])},
    {"b": 2.0, "a": {"deep": [np.ones(2), np.zeros((1, 2))]}},
    [np.ones(3), np.zeros((2, 2))],
    (np.ones(3), 4.0, np.array(5.0)),
    [{"x": np.ones(2)}, (np.zeros(1), [np.full((2, 1, 2), 3.0), 1])],
    np.arange(12.0).reshape(3, 4),
    np.arange(8).reshape(2, 2, 2),
    [[1.0, 2.0], [3.0, 4.0]],
]


def leaves(tree):
    """The leaves of a structure as float64 arrays of at least one dimension, dict keys in order of the dict."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for entry in tree for leaf in leaves(entry)]
    return [np.atleast_1d(np.asarray(tree, dtype=np.float64))]


def numbers_only(tree):
    """Whether a nested list or tuple contains numbers only; it is then converted to one array."""
    return all(numbers_only(entry) if isinstance(entry, list | tuple) else np.isscalar(entry) for entry in tree)


def shape_of(tree):
    """The structure without its numbers."""
    if isinstance(tree, dict):
        return {key: shape_of(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple) and not numbers_only(tree):
        return type(tree)(shape_of(entry) for entry in tree)
    return np.atleast_1d(np.asarray(tree)).shape


@pytest.mark.parametrize("tree", STRUCTURES)
def test_flattening_and_restoring_a_structure_changes_nothing(tree):
    vector, unflatten = flatten(tree)
    assert vector.dtype == np.float64
    assert vector.size == sum(leaf.size for leaf in leaves(tree))
    restored = unflatten(vector)
    assert shape_of(restored) == shape_of(tree)
    np.testing.assert_array_equal(np.sort(vector), np.sort(np.concatenate([leaf.ravel() for leaf in leaves(tree)])))
    np.testing.assert_array_equal(flatten(restored)[0], vector)
    np.testing.assert_array_equal(flatten(unflatten(2.0 * vector))[0], 2.0 * vector)


@pytest.mark.parametrize("tree", STRUCTURES)
def test_the_flat_vector_shares_no_memory_with_the_structure(tree):
    vector, unflatten = flatten(tree)
    before = [leaf.copy() for leaf in leaves(tree)]
    vector += 1.0
    for leaf, old in zip(leaves(tree), before, strict=True):
        np.testing.assert_array_equal(leaf, old)
    original = flatten(tree)[0]
    assert not np.array_equal(flatten(unflatten(vector))[0], original)


def sum_of_squares(tree):
    """The sum over all numbers in a structure; by duck typing, since autograd has its own boxes for dicts and lists."""
    if hasattr(tree, "shape"):
        return anp.sum(tree**2)
    entries = tree.values() if hasattr(tree, "values") else [tree[i] for i in range(len(tree))]
    return sum(sum_of_squares(entry) for entry in entries)


def gradient_by_hand(tree):
    """Twice the structure itself."""
    vector, unflatten = flatten(tree)
    return unflatten(2.0 * vector)


@pytest.mark.parametrize("tree", STRUCTURES)
def test_a_gradient_by_the_user_has_the_structure_of_x_too(tree):
    check = check_derivatives(lambda z: sum_of_squares(z) ** 2, tree, jac=lambda z: gradient_of_square(z))
    assert check.ok, str(check)
    result = minimize(sum_of_squares, tree, jac=gradient_by_hand, method="bfgs")
    assert result.success
    assert shape_of(result.jac) == shape_of(tree)
    np.testing.assert_allclose(flatten(result.x)[0], 0.0, atol=1e-5)


def gradient_of_square(tree):
    """Of the square of the sum of squares."""
    vector, unflatten = flatten(tree)
    return unflatten(4.0 * (vector @ vector) * vector)


@pytest.mark.parametrize("tree", STRUCTURES)
def test_gradients_and_products_have_the_structure_of_x(tree):
    g = grad(sum_of_squares)(tree)
    assert shape_of(g) == shape_of(tree)
    vector, unflatten = flatten(tree)
    np.testing.assert_array_equal(flatten(g)[0], 2.0 * vector)
    v = unflatten(np.linspace(-1.0, 1.0, vector.size))
    product = hvp(sum_of_squares)(tree, v)
    assert shape_of(product) == shape_of(tree)
    np.testing.assert_array_equal(flatten(product)[0], 2.0 * flatten(v)[0])
    np.testing.assert_array_equal(hessian(sum_of_squares)(tree), 2.0 * np.eye(vector.size))


@pytest.mark.parametrize("tree", STRUCTURES)
def test_minimize_returns_the_structure(tree):
    def fun(z):
        return sum_of_squares(z) + 1.0

    result = minimize(fun, tree)
    assert result.success
    assert shape_of(result.x) == shape_of(tree)
    assert shape_of(result.jac) == shape_of(tree)
    np.testing.assert_allclose(flatten(result.x)[0], 0.0, atol=1e-8)


@pytest.mark.parametrize("bad", [[1.0 + 2.0j], ["a"], None, {"a": None}, {"a": np.array([1j])}, [object()]])
def test_the_error_message_names_a_leaf_that_is_not_real(bad):
    with pytest.raises(TypeError, match=r"x0.* must hold real numbers"):
        flatten(bad)


@pytest.mark.parametrize("empty", [[], {}, (), np.empty(0), {"a": np.empty((0, 3))}])
def test_a_structure_without_numbers_is_refused(empty):
    with pytest.raises(ValueError, match="at least one number"):
        flatten(empty)


# --- threads and failures: autograd's stack of traces is one for the whole process ---------------------------------


def test_threads_that_differentiate_at_once_get_right_values():
    """Gradients, products, Hessians and second derivatives of first ones, fifty times in each of four threads."""
    rng = np.random.default_rng(4)
    starts, wrong = rng.uniform(-1, 1, (4, 3)), []
    barrier = threading.Barrier(4)

    def work(x, fun, gradient, second):
        barrier.wait()
        for _ in range(50):
            v = x[::-1].copy()
            ok = (
                np.allclose(grad(fun)(x), gradient(x), rtol=1e-9, atol=1e-9)
                and np.allclose(hvp(fun)(x, v), second(x) @ v, rtol=1e-9, atol=1e-9)
                and np.allclose(hessian(fun)(x), second(x), rtol=1e-9, atol=1e-9)
            )
            if not ok:
                wrong.append(fun.__name__)

    threads = [threading.Thread(target=work, args=(x, *BY_HAND[i % len(BY_HAND)])) for i, x in enumerate(starts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert trace_stack.top == -1


def test_threads_that_minimize_at_once_give_the_results_of_one():
    names = ["rosenbrock", "himmelblau", "wood", "beale"] * 2
    alone = [minimize(problems.get(name).fun, problems.get(name).starts["standard"]) for name in names]
    together = [None] * len(names)

    def work(i):
        problem = problems.get(names[i])
        together[i] = minimize(problem.fun, problem.starts["standard"])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(other.x, one.x)
        assert (other.fun, other.nit, other.nfev) == (one.fun, one.nit, one.nfev)


@pytest.mark.parametrize("inner", [autograd.grad(rosenbrock), grad(rosenbrock)], ids=["autograd's", "newtonkit's"])
def test_a_function_may_differentiate_another_inside(inner):
    """f(x) = ½‖∇h(x)‖² has gradient ∇²h·∇h; the inner gradient is autograd's own, or ours."""
    x = np.array([0.3, -1.1, 0.7])
    expected = rosenbrock_hessian(x) @ rosenbrock_gradient(x)
    np.testing.assert_allclose(grad(lambda z: 0.5 * anp.sum(inner(z) ** 2))(x), expected, rtol=1e-10)


def inner_gradient(x):
    """½‖∇h(x)‖² of Rosenbrock's h."""
    return 0.5 * anp.sum(autograd.grad(rosenbrock)(x) ** 2)


@pytest.mark.parametrize(
    ("fun", "jac"),
    [(inner_gradient, None), (rosenbrock, autograd.grad(rosenbrock)), (rosenbrock, grad(rosenbrock))],
    ids=["fun differentiates another", "jac is autograd's", "jac is ours"],
)
def test_threads_may_minimize_functions_that_trace_when_they_are_called_plainly(fun, jac):
    """Threads must not share the stack of autograd; they are switched as often as possible."""
    alone, together = minimize(fun, [0.9, 0.9], jac=jac), [None] * 12

    def work(i):
        for j in range(i, len(together), 6):
            try:
                together[j] = minimize(fun, [0.9, 0.9], jac=jac)
            except Exception as error:
                together[j] = error

    interval, height = sys.getswitchinterval(), trace_stack.top
    try:
        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert trace_stack.top == height
    finally:
        sys.setswitchinterval(interval)
        trace_stack.top = height  # so that a failure in this test does not affect later tests
    for result in together:
        assert not isinstance(result, Exception), repr(result)
        np.testing.assert_array_equal(result.x, alone.x)
        assert result.nit == alone.nit


@pytest.mark.parametrize("error", [RuntimeError, ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("derivative", [grad, hessian, value_and_grad])
def test_after_an_exception_inside_a_traced_function_derivatives_are_right_again(derivative, error):
    def faulty(x):
        anp.sum(x**2)
        raise error("in user code")

    before = trace_stack.top
    with pytest.raises(error):
        derivative(faulty)(np.ones(2))
    assert trace_stack.top == before
    np.testing.assert_allclose(
        hessian(rosenbrock)(np.array([0.3, -1.1])), rosenbrock_hessian(np.array([0.3, -1.1])), rtol=1e-13
    )


def test_an_exception_from_another_thread_leaves_the_others_right():
    wrong, barrier = [], threading.Barrier(2)
    x = np.array([0.3, -1.1, 0.7])

    def faulty(z):
        anp.sum(z**2)
        raise RuntimeError("in user code")

    def fail():
        barrier.wait()
        for _ in range(100):
            try:
                grad(faulty)(x)
            except RuntimeError:
                continue
            wrong.append("no error")

    def succeed():
        barrier.wait()
        found = [hessian(rosenbrock)(x) for _ in range(100)]
        wrong.extend("value" for H in found if not np.allclose(H, rosenbrock_hessian(x)))

    threads = [threading.Thread(target=fail), threading.Thread(target=succeed)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert trace_stack.top == -1


def test_the_error_for_a_function_that_autograd_cannot_differentiate_explains_how_to_write_it():
    with pytest.raises(DifferentiationError, match=r"plain numbers only"):
        grad(lambda x: float(np.exp(x[0].item())) if hasattr(x[0], "item") else float(x[0]))([1.0])


def test_a_gradient_that_caches_its_last_result_is_not_mistaken_for_a_constant():
    """Inside a trace it may return plain numbers; the Hessian is then computed by differences, and is not zero."""
    known = {}

    def remembering(x):
        if "x" not in known or not np.all(x == known["x"]):
            known["x"], known["g"] = np.copy(x), rosenbrock_gradient(x)
        return known["g"]

    evaluator = Evaluator(Objective(rosenbrock, grad=remembering), second_order=True)
    x = np.array([0.3, -1.1, 0.7])
    evaluator.value_and_grad(x)
    np.testing.assert_allclose(evaluator.hessian(x), rosenbrock_hessian(x), rtol=1e-6, atol=1e-4)


def test_an_evaluator_of_second_order_uses_one_trace_for_value_gradient_and_products():
    calls = []

    def fun(x):
        calls.append(1)
        return rosenbrock(x)

    evaluator = Evaluator(Objective(fun), second_order=True)
    x = np.array([0.3, -1.1])
    f, g = evaluator.value_and_grad(x)
    H = evaluator.hessian(x)
    assert len(calls) == 1
    assert f == rosenbrock(x)
    np.testing.assert_allclose(g, rosenbrock_gradient(x), rtol=1e-13)
    np.testing.assert_allclose(H, rosenbrock_hessian(x), rtol=1e-13)


# --- derivatives that are not finite or have a wrong shape ----------------------------------------------------------


def quadratic(x):
    return anp.sum(x**2)


@pytest.mark.parametrize(
    ("jac", "hess", "fault"),
    [
        (lambda x: np.array([2 * x[0], np.nan]), None, "entry [1] of the gradient is nan"),
        (lambda x: np.array([np.inf, 2 * x[1]]), None, "entry [0] of the gradient is inf"),
        (lambda x: 2 * x[:1], None, "the gradient has shape (1,), expected (2,)"),
        (lambda x: 2 * x, lambda x: np.array([[2.0, np.nan], [0.0, 2.0]]), "entry [0, 1] of the Hessian is nan"),
        (lambda x: 2 * x, lambda x: np.full(2, 2.0), "the Hessian has shape (2,), expected (2, 2)"),
    ],
)
def test_a_derivative_that_is_not_finite_or_has_a_wrong_shape_is_not_ok_and_is_named(jac, hess, fault):
    checked = check_derivatives(quadratic, [1.0, 2.0], jac=jac, hess=hess)
    assert not checked.ok
    assert checked.fault == fault
    assert str(checked) == f"the derivatives do NOT agree with f: {fault}"


@pytest.mark.parametrize(
    ("fun", "x", "entry"),
    [
        (
            lambda x: anp.sum(anp.where(x > 30, x, anp.log1p(anp.exp(x))) - 0.3 * x),
            [800.0, 2.0],
            "entry [0] of the gradient",
        ),
        (lambda x: anp.sum(anp.where(x >= 0, x**2, anp.sqrt(-x))), [2.0, 3.0], "entry [0] of the gradient"),
        (lambda x: anp.sum(anp.log(x)), [-1.0, 2.0], "f = nan at x"),
    ],
)
def test_a_gradient_of_autograd_that_is_not_finite_is_not_ok(fun, x, entry):
    with np.errstate(all="ignore"):
        checked = check_derivatives(fun, x)
    assert not checked.ok
    assert checked.fault.startswith(entry)


def test_derivatives_that_could_not_be_tested_are_not_ok():
    isolated = np.array([1.0, 2.0])
    checked = check_derivatives(
        lambda x: float(x @ x) if (x == isolated).all() else np.nan,
        isolated,
        jac=lambda x: 2 * x,
        hess=lambda x: 2 * np.eye(2),
    )
    assert not checked.ok
    assert "fewer than two steps" in checked.fault


def test_a_linear_function_agrees_with_its_derivatives():
    assert check_derivatives(lambda x: 3 * x[0] - x[1], [1.0, 2.0]).ok


def test_a_large_hessian_from_its_pattern_equals_the_one_from_all_products():
    x = np.random.default_rng(0).uniform(-1.0, 1.0, 150)

    def chain(x):
        return anp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    matrix = hessian(chain)
    for k in range(4):
        expected = Objective(chain).linearize(x + k).hessian()
        np.testing.assert_array_equal(matrix(x + k), expected)


def test_a_large_hessian_follows_data_that_change_its_pattern():
    """The second one is recovered from the old pattern; its check by a product with a random vector must fail."""
    x, data = np.linspace(-1.0, 1.0, 120), {"coupling": 0.0}
    matrix = hessian(lambda x: anp.sum(x**4) + data["coupling"] * anp.sum(x) ** 2)
    np.testing.assert_allclose(matrix(x), np.diag(12 * x**2), atol=1e-12)
    data["coupling"] = 1.0
    for _ in range(4):
        found = matrix(x)
    np.testing.assert_allclose(found, np.diag(12 * x**2) + 2.0, atol=1e-12)
