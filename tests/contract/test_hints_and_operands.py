"""Operands that autograd alone cannot handle work, or the error says what to write instead."""

import math

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.linalg
import scipy.special

import newtonkit as nk

S = sp.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [4.0, 0.0, 5.0], [0.0, 1.0, 1.0]])
DENSE = S.toarray()
X = onp.array([0.3, -0.7, 1.1])


def assert_same_derivatives(fun, reference, x=X):
    """Plain autograd and the tape agree with the reference in f, gradient and Hessian."""
    for _ in range(3):  # the third call comes from a tape
        value, gradient = nk.value_and_grad(fun)(x)
        expected, slope = nk.value_and_grad(reference)(x)
        assert value == pytest.approx(expected, rel=1e-13)
        assert gradient == pytest.approx(slope, rel=1e-12)
        assert nk.hessian(fun)(x) == pytest.approx(nk.hessian(reference)(x), rel=1e-11, abs=1e-12)


# --- sparse matrices ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("family", ["array", "matrix"])
def test_sparse_products_have_derivatives(kind, family):
    A = getattr(sp, f"{kind}_{family}")(DENSE)
    assert_same_derivatives(lambda x: np.sum(np.sin(A @ x) ** 2), lambda x: np.sum(np.sin(np.dot(DENSE, x)) ** 2))


@pytest.mark.parametrize(
    "product",
    [lambda x: S.dot(x), lambda x: x @ S.T, lambda x: sp.csr_matrix(S) * x, lambda x: (S.T @ (S @ x)) + X],
    ids=["dot", "from the right", "matrix *", "composed"],
)
def test_other_forms_of_sparse_products(product):
    reference = [lambda x: np.dot(DENSE, x), lambda x: np.dot(DENSE.T, np.dot(DENSE, x)) + X]
    chosen = reference[product(X).shape == (3,)]
    assert_same_derivatives(lambda x: np.sum(np.exp(product(x))), lambda x: np.sum(np.exp(chosen(x))))


def test_sparse_products_with_matrices():
    def fun(x, times):
        return np.sum(np.tanh(times(np.reshape(x, (3, 2)))) ** 2)

    x = onp.linspace(-1.0, 1.0, 6)
    assert_same_derivatives(lambda x: fun(x, lambda Y: S @ Y), lambda x: fun(x, lambda Y: np.dot(DENSE, Y)), x)


def test_the_hessian_pattern_of_a_sparse_product_is_exact():
    n = 300
    D = sp.diags_array([onp.ones(n), -onp.ones(n - 1)], offsets=[0, 1]).tocsr()
    pattern = nk.hessian_pattern(lambda x: np.sum((D @ x) ** 4) + np.sum(x**2), onp.ones(n))
    assert (abs(D.T @ D) > 0).nnz == pattern.nnz


def test_a_large_sparse_least_squares_problem_is_solved():
    n = 400
    D = sp.diags_array([2.0 * onp.ones(n), -onp.ones(n - 1), -onp.ones(n - 1)], offsets=[0, 1, -1]).tocsr()
    b = D @ onp.ones(n)
    result = nk.minimize(lambda x: np.sum((D @ x - b) ** 2), onp.zeros(n))
    assert result.success
    assert result.x == pytest.approx(onp.ones(n), abs=1e-4)


def test_sparse_products_with_plain_arrays_stay_those_of_scipy():
    assert (S @ X == DENSE @ X).all()
    with pytest.raises(ValueError, match="mismatch"):
        S @ onp.ones(7)


# --- pandas -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "residuals",
    [
        lambda table, x: table["y"] - x[0] * table["a"] - x[1],
        lambda table, x: table["a"] * x[0] + x[1] - table["y"],
        lambda table, x: np.exp(x[0] * table["a"]) - x[1] * table["y"],
        lambda table, x: table[["a", "y"]] @ x - table["y"],
        lambda table, x: np.where(table["a"] * x[0] > table["y"], 1.0, 2.0) * (x[1] - table["y"] / table["a"]),
    ],
)
def test_series_and_frames_enter_as_arrays(residuals):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "y": [3.0, 4.0, 5.5]})
    x = onp.array([0.4, 0.9])

    class Arrays:
        def __getitem__(self, key):
            return frame[key].to_numpy()

    assert_same_derivatives(
        lambda x: np.sum(residuals(frame, x) ** 2), lambda x: np.sum(residuals(Arrays(), x) ** 2), x
    )


def test_pandas_objects_as_arguments_and_as_training_data():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "y": [3.0, 5.0, 7.0]})
    result = nk.minimize(lambda x, a, y: np.sum((y - x[0] * a - x[1]) ** 2), [0.0, 0.0], args=(frame["a"], frame["y"]))
    assert result.x == pytest.approx([2.0, 1.0])
    trained = nk.train(
        lambda w, batch: np.mean((batch[1] - np.dot(batch[0], w)) ** 2),
        onp.zeros(1),
        (frame[["a"]], frame["y"]),
        "adam",
        epochs=2,
    )
    assert onp.isfinite(trained.fun)
    fit = nk.curve_fit(lambda t, a, b: a * t + b, frame["a"], frame["y"])
    assert fit.popt == pytest.approx([2.0, 1.0])


# --- interpolation and special functions --------------------------------------------------------------------------

NODES, VALUES = onp.array([0.0, 1.0, 3.0, 4.0]), onp.array([1.0, -2.0, 0.5, 2.0])


def test_interpolation_is_linear_in_the_values():
    points = onp.array([-1.0, 0.0, 0.2, 1.0, 2.5, 3.9, 4.0, 9.0])
    W = onp.array([onp.interp(points, NODES, e) for e in onp.eye(4)]).T
    for _ in range(3):
        gradient = nk.grad(lambda y: np.sum(np.interp(points, NODES, y) ** 3))(VALUES)
        assert gradient == pytest.approx(3.0 * W.T @ (W @ VALUES) ** 2)
        H = nk.hessian(lambda y: np.sum(np.interp(points, NODES, y) ** 3))(VALUES)
        assert pytest.approx(6.0 * W.T @ onp.diag(W @ VALUES) @ W) == H


@pytest.mark.parametrize("ends", [{}, {"left": 5.0}, {"left": -1.0, "right": 7.0}])
def test_interpolation_has_the_slope_of_its_interval(ends):
    points = onp.array([-0.5, 0.5, 1.5, 3.5, 5.0])
    slopes = onp.array([0.0, -3.0, 1.25, 1.5, 0.0])
    values = onp.interp(points, NODES, VALUES, **ends)
    gradient = nk.grad(lambda x: np.sum(np.interp(x, NODES, VALUES, **ends) ** 2))(points)
    assert gradient == pytest.approx(2.0 * values * slopes)
    H = nk.hessian(lambda x: np.sum(np.interp(x, NODES, VALUES, **ends) ** 2))(points)
    assert pytest.approx(onp.diag(2.0 * slopes**2)) == H


def test_interpolation_depends_on_the_nodes():
    points = onp.array([0.5, 2.0, 3.5])

    def fun(nodes):
        return np.sum(np.interp(points, nodes, VALUES) ** 2)

    step = 1e-6
    differences = [(fun(NODES + step * e) - fun(NODES - step * e)) / (2 * step) for e in onp.eye(4)]
    assert nk.grad(fun)(NODES) == pytest.approx(differences, abs=1e-6)


def test_where_differentiates_operands_that_are_broadcast():
    assert_same_derivatives(
        lambda x: np.sum(np.where(x > 0.0, x[0], x) ** 3),
        lambda x: np.sum(np.where(x > 0.0, x[0] * np.ones(3), x) ** 3),
    )


@pytest.mark.parametrize(
    ("fun", "reference"),
    [
        (lambda x: scipy.special.xlogy(x, x), lambda x: x * np.log(x)),
        (lambda x: scipy.special.entr(x), lambda x: -x * np.log(x)),
        (lambda x: scipy.special.rel_entr(x, 2.0 + x), lambda x: x * np.log(x / (2.0 + x))),
        (lambda x: scipy.special.log_expit(x), lambda x: -np.log1p(np.exp(-x))),
        (lambda x: scipy.special.expit(x), lambda x: 1.0 / (1.0 + np.exp(-x))),
        (lambda x: scipy.special.log_ndtr(x), lambda x: np.log(scipy.special.ndtr(x))),
    ],
)
def test_functions_of_scipy_special_have_derivatives(fun, reference):
    x = onp.array([0.3, 1.2, 2.5])
    assert_same_derivatives(lambda x: np.sum(fun(x)), lambda x: np.sum(reference(x)), x)


# --- hints --------------------------------------------------------------------------------------------------------


def assigned(x):
    y = onp.zeros(3)
    y[0] = x[0]
    return onp.sum(y**2)


HINTS = {
    "math": (lambda x: math.exp(x[0]), "math takes plain numbers only"),
    "float": (lambda x: float(np.sum(x)) ** 2, "plain numbers only"),
    "assignment": (assigned, "without assignment"),
    "plain numpy": (lambda x: onp.sum(onp.roll(x, 2) * x**2), "autograd.numpy as np"),
    "median": (lambda x: np.median(x), "autograd has no derivative of median"),
    "logsumexp": (lambda x: scipy.special.logsumexp(x), "use autograd.scipy.special.logsumexp"),
    "solve": (lambda x: np.sum(scipy.linalg.solve(onp.eye(3), x)), "use autograd.scipy.linalg.solve"),
    "softmax": (lambda x: scipy.special.softmax(x)[0], "no derivative of scipy's softmax"),
    "sparse": (lambda x: np.sum(scipy.sparse.linalg.spsolve(sp.csc_array(onp.eye(3)), x)), "only products S @ x"),
}


@pytest.mark.parametrize("name", HINTS)
@pytest.mark.parametrize("method", ["newton", "bfgs"])
def test_the_error_says_what_to_write_instead(name, method):
    fun, hint = HINTS[name]
    with pytest.raises(nk.DifferentiationError) as raised:
        nk.minimize(fun, abs(X), method=method, options={"maxiter": 1})
    assert hint in str(raised.value)
    assert 'derivatives="differences"' in str(raised.value)


@pytest.mark.parametrize(
    ("message", "package"),
    [
        ("sum(): argument 'input' (position 1) must be Tensor, not numpy.ndarray", "PyTorch"),
        ("Cannot interpret value: not a valid JAX type", "JAX"),
    ],
)
def test_functions_of_tensors_are_named(message, package):
    def fun(x):
        raise TypeError(message)

    with pytest.raises(TypeError) as raised:
        nk.minimize(fun, X)
    assert any(package in note and "derivatives=" in note for note in raised.value.__notes__)
