"""Derivatives from JAX and PyTorch against those of the tape."""

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit
from newtonkit.derivatives.source import make_source

POINT = np.array([-1.2, 1.0, 0.7, -0.3, 0.4])


@pytest.fixture
def jnp():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def chain(np_like, steepness=100.0):
    """The chained Rosenbrock function, with a term of exponentials and data."""

    def fun(x):
        return np_like.sum(steepness * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2) + np_like.log(
            np_like.sum(np_like.exp(x))
        )

    return fun


@pytest.fixture(params=["jax", "torch"])
def library(request):
    """The name of the library, and its module of numpy-like functions."""
    return request.param, request.getfixturevalue("jnp" if request.param == "jax" else "torch")


def relative(a, b):
    return np.abs(np.asarray(a) - b).max() / np.abs(b).max()


def test_value_gradient_products_and_hessian_are_those_of_the_tape(library):
    name, module = library
    source, tape = make_source(name, chain(module)), make_source("tape", chain(anp))
    rng = np.random.default_rng(0)
    for x in (POINT, 3 * POINT):
        f, g = source.value_and_gradient(x)
        f0, g0 = tape.value_and_gradient(x)
        assert relative(f, f0) < 1e-12
        assert relative(source.value(x), f0) < 1e-12
        assert relative(g, g0) < 1e-12
        lin, lin0 = source.linearize(x), tape.linearize(x)
        V = rng.standard_normal((3, 5))
        assert relative(lin.f, f0) < 1e-12
        assert relative(lin.g, g0) < 1e-12
        assert relative(lin.product(V[0]), lin0.product(V[0])) < 1e-12
        assert relative(lin.products(V), lin0.products(V)) < 1e-12
        H = lin.hessian()
        assert relative(H, lin0.hessian()) < 1e-12
        assert (H == H.T).all()


def test_results_are_arrays_that_may_be_written_and_x_stays_unchanged(library):
    name, module = library
    source = make_source(name, chain(module))
    x = POINT.copy()
    _, g = source.value_and_gradient(x)
    lin = source.linearize(x)
    for array in (g, lin.g, lin.product(x), lin.products(np.eye(5)), lin.hessian()):
        assert array.dtype == np.float64
        array[...] = 0.0
    assert (x == POINT).all()
    assert relative(source.gradient(x), make_source("tape", chain(anp)).gradient(x)) < 1e-12


@pytest.mark.parametrize("method", ["newton", "newton-cg", "bfgs", "lbfgs", "cubic", "cg"])
def test_minimize_ends_at_the_point_of_the_tape(library, method):
    name, module = library
    found = newtonkit.minimize(chain(module, 1.0), POINT, method=method, derivatives=name, tol=1e-9)
    expected = newtonkit.minimize(chain(anp, 1.0), POINT, method=method, tol=1e-9)
    assert found.success
    assert expected.success
    assert found.verdict.kind == expected.verdict.kind == "minimum"
    assert np.abs(found.x - expected.x).max() < 1e-8
    assert found.derivatives.startswith(name)


def test_structured_parameters_and_data_are_arrays_of_the_library(library):
    name, module = library
    X = np.random.default_rng(0).standard_normal((20, 3))
    y = X @ np.array([1.0, -2.0, 0.5]) + 0.25

    def fun(p, data):
        X, y = data["X"], data["y"]
        assert not isinstance(p["w"], np.ndarray)
        return module.sum((X @ p["w"] + p["b"] - y) ** 2)

    start = {"w": np.zeros(3), "b": 0.0}
    result = newtonkit.minimize(fun, start, args=({"X": X, "y": y},), derivatives=name)
    assert result.success
    assert np.abs(result.x["w"] - [1.0, -2.0, 0.5]).max() < 1e-8
    assert abs(result.x["b"] - 0.25) < 1e-8


def test_fun_is_called_plainly_at_the_end(library):
    name, module = library
    result = newtonkit.minimize(chain(module), POINT, derivatives=name)
    assert relative(result.fun, make_source(name, chain(module)).value(result.x)) < 1e-15


def test_sparsity_patterns_require_the_tape(library):
    name, module = library
    source = make_source(name, chain(module))
    pattern, reason = source.pattern(POINT)
    assert pattern is None
    assert 'derivatives="tape"' in reason


def test_a_result_in_single_precision_is_refused(library):
    name, module = library

    def single(x):
        y = x.astype(module.float32) if name == "jax" else x.float()
        return module.sum(y**2)

    with pytest.raises(TypeError, match="float64"):
        newtonkit.minimize(single, POINT, derivatives=name)


def test_a_vector_as_result_is_refused(library):
    name, _ = library
    with pytest.raises(TypeError, match="one real number"):
        newtonkit.minimize(lambda x: x**2, POINT, derivatives=name)


def test_linear_and_constant_functions_have_no_curvature(library):
    name, module = library
    linear = make_source(name, lambda x: module.sum(2.0 * x)).linearize(POINT)
    assert (linear.g == 2.0).all()
    assert not linear.product(POINT).any()
    assert not linear.hessian().any()
    constant = make_source(name, lambda x: module.sum(0.0 * x) + 1.0)
    assert not constant.gradient(POINT).any()


def test_jax_compiles_once_for_each_kind_and_shape(jnp):
    traces = []

    def fun(x):
        traces.append(x.shape)
        return jnp.sum(x**4)

    source = make_source("jax", fun)
    for k in range(5):
        source.value_and_gradient(POINT + k)
        source.value(POINT + k)
        source.linearize(POINT + k).product(POINT)
        source.linearize(POINT + k).products(np.eye(5)[:3])
        source.linearize(POINT + k).products(np.eye(5)[:4])
    assert len(traces) == 3  # value, gradient, linearization
    assert "5 functions compiled" in source.description  # and products, singly and in blocks of four


def test_jax_without_float64_is_refused_with_the_line_to_write(jnp):
    import jax

    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match=r'jax\.config\.update\("jax_enable_x64", True\)'):
            newtonkit.minimize(lambda x: jnp.sum(x**2), POINT, derivatives="jax")
    finally:
        jax.config.update("jax_enable_x64", True)


def test_new_data_of_the_same_shape_compile_nothing(jnp):
    source = make_source("jax", lambda x, a, k: jnp.sum((x - a) ** k), (np.ones(5), 2))
    assert not source.gradient(np.ones(5)).any()
    other = source.with_args((np.zeros(5), 2))
    assert (other.gradient(np.ones(5)) == 2.0).all()
    assert "1 functions" in other.description
    assert (source.with_args((np.zeros(5), 3)).gradient(np.ones(5)) == 3.0).all()  # an integer is a constant


def test_an_operation_without_batching_rule_gives_products_singly(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, w):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * w

    source = make_source("torch", lambda x: torch.sum(Cube.apply(x)))
    assert relative(source.linearize(POINT).hessian(), np.diag(6 * POINT)) < 1e-14


def test_least_squares_has_the_fit_of_the_tape(library):
    name, module = library
    t = np.linspace(0.0, 3.0, 25)
    y = 2.0 * np.exp(-1.3 * t) + 0.5 + 0.01 * np.cos(7 * t)

    def residuals(np_like):
        def fun(p, t, y):
            return {"fit": p["a"] * np_like.exp(-p["k"] * t) + p["c"] - y, "prior": [0.01 * p["k"] - 0.01]}

        return fun

    start = {"a": 1.0, "k": 1.0, "c": 0.0}
    for method in ("auto", "newton"):
        found = newtonkit.least_squares(residuals(module), start, args=(t, y), method=method, derivatives=name)
        expected = newtonkit.least_squares(residuals(anp), start, args=(t, y), method=method)
        assert found.success
        assert found.derivatives == name
        for key in start:
            assert abs(found.x[key] - expected.x[key]) < 1e-8
        assert relative(found.jac, expected.jac) < 1e-6
        assert relative(found.covariance, expected.covariance) < 1e-5


def test_train_takes_gradients_from_the_library(library):
    name, module = library
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)

    def loss(np_like):
        def fun(w, batch):
            X, y = batch
            return np_like.sum((X @ w - y) ** 2) / y.shape[0]

        return fun

    found = newtonkit.train(loss(module), np.zeros(3), (X, y), batch_size=16, epochs=5, derivatives=name)
    expected = newtonkit.train(loss(anp), np.zeros(3), (X, y), batch_size=16, epochs=5)
    assert np.abs(found.x - expected.x).max() < 1e-12
    assert found.fun == pytest.approx(expected.fun, rel=1e-12)
    assert found.derivatives.startswith(name)


def test_a_finite_sum_of_losses_of_the_library(library):
    name, module = library
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)

    def loss(np_like):
        return lambda w, part: np_like.sum((part[0] @ w - part[1]) ** 2 + np_like.exp(0.1 * (part[0] @ w)))

    options = {"chunk": 17, "regularizer": lambda w: 0.1 * (w**2).sum()}
    found = newtonkit.minimize(newtonkit.FiniteSum(loss(module), (X, y), source=name, **options), np.zeros(3))
    expected = newtonkit.minimize(newtonkit.FiniteSum(loss(anp), (X, y), **options), np.zeros(3))
    assert found.success
    assert np.abs(found.x - expected.x).max() < 1e-8
    pool = newtonkit.Processes(1)
    try:
        parallel = newtonkit.FiniteSum(loss(module), (X, y), source=name, executor=pool, **options)
        assert np.abs(newtonkit.minimize(parallel, np.zeros(3)).x - found.x).max() < 1e-12
    finally:
        pool.close()


def network(torch, *extra):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), *extra, torch.nn.Linear(4, 1)).double()


def test_a_module_is_minimized_and_written_back(torch):
    net = network(torch)
    rng = np.random.default_rng(0)
    X, y = torch.tensor(rng.standard_normal((30, 3))), torch.tensor(rng.standard_normal((30, 1)))

    def loss(net):
        decay = sum((p**2).sum() for p in net.parameters())
        return torch.nn.functional.mse_loss(net(X), y) + 1e-2 * decay

    before = [p.detach().clone() for p in net.parameters()]
    first = loss(net).item()
    objective, x0, write_back = newtonkit.from_module(net, loss)
    assert x0.size == 21
    assert objective.value(x0) == pytest.approx(first, rel=1e-14)
    result = newtonkit.minimize(objective, x0, tol=1e-8)
    assert result.success
    assert result.fun < first
    assert result.derivatives == "torch"
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True))
    assert write_back(result.x) is net
    assert loss(net).item() == pytest.approx(result.fun, rel=1e-14)
    assert newtonkit.classify(objective, result.x).kind == "minimum"


def test_shared_parameters_of_a_module_are_one_variable(torch):
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)).double()
    net[1].weight = net[0].weight
    objective, x0, _ = newtonkit.from_module(net, lambda net: sum((p**2).sum() for p in (net[0].weight, net[1].weight)))
    assert x0.size == 8
    assert relative(objective.gradient(x0)[:4], 4 * x0[:4]) < 1e-14


def test_a_module_in_single_precision_is_refused(torch):
    with pytest.raises(TypeError, match=r"module\.double\(\)"):
        newtonkit.from_module(torch.nn.Linear(2, 1), lambda net: net.weight.sum())


@pytest.mark.parametrize("layer", ["Dropout", "BatchNorm1d"])
def test_layers_that_depend_on_the_mode_give_a_warning(torch, layer):
    net = network(torch, getattr(torch.nn, layer)(4) if layer == "BatchNorm1d" else torch.nn.Dropout())
    with pytest.warns(UserWarning, match=layer):
        newtonkit.from_module(net, lambda net: net[0].weight.sum())
    assert not net.training


def test_a_function_of_another_library_gives_a_message_with_the_keyword_to_write(library):
    name, module = library
    with pytest.raises(TypeError) as caught:
        newtonkit.minimize(chain(module), POINT)
    text = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
    assert f'derivatives="{name}"' in text
