"""The tape on random compositions of functions that autograd can differentiate."""

from __future__ import annotations

import warnings

import autograd
import autograd.numpy as np
import numpy as onp
from autograd.differential_operators import make_hvp
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from newtonkit.derivatives.tape.cache import TAPE, Derivatives

EPS = float(onp.finfo(onp.float64).eps)
ULPS, CONDITION = (
    256,
    32,
)  # relative to the largest of f, ∇f, H, and to the change caused by one ulp in x: 2 to 10 operations
N = 4  # entries of x
WEIGHTS = onp.random.default_rng(7).standard_normal(64)
MATRIX = onp.random.default_rng(8).standard_normal((8, 8))

# --- operations: each takes values of known shape and a small integer, and states whether it applies ----------------
# They are bounded, or nearly so, and smooth but for kinks at irrational places, so that compositions stay computable.


def broadcastable(a, b):
    try:
        onp.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return True


SMOOTH_UNARY = [
    np.sin,
    np.tanh,
    np.arctan,
    lambda a: np.exp(-(a**2)),
    lambda a: np.log1p(a**2),
    lambda a: np.sqrt(1.3 + a**2),
    lambda a: 1.0 / (1.7 + a**2),
    lambda a: (2.1 + np.cos(a)) ** 2.5,
    lambda a: (2.1 + np.cos(a)) ** -1.5,
    lambda a: np.tanh(a) ** 3,
    lambda a: np.sin(a) ** 2,
    lambda a: -a,
    lambda a: 0.5 * a - 0.25,
    lambda a: 3.0 - a / 2.0,
    lambda a: a * 1.0 + 0.0,
    lambda a: np.logaddexp(a, 0.3),
    lambda a: np.square(np.cos(a)),
]

PIECEWISE_UNARY = [
    np.abs,
    lambda a: np.maximum(a, 0.3137),
    lambda a: np.minimum(np.sin(a), 0.2718),
    lambda a: np.where(a > 0.1416, a, 0.5 * a**2),
    lambda a: np.clip(a, -0.7071, 0.5773),
    lambda a: (a > 0.1732) * 1.0,
    lambda a: (a > 0.1732) * np.sin(a),
    lambda a: np.sign(a - 0.2236) * np.cos(a),
    lambda a: np.floor(3.0 * np.sin(a)),
    lambda a: 1.0 - (a < 0.2449),
    lambda a: ((a > 0.2646) + 0.0) ** 2,
    lambda a: (a > 0.2646) / 1.0,
]

BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    lambda a, b: a / (1.2 + np.sin(b) ** 2),
    lambda a, b: np.maximum(a, b),
    lambda a, b: np.where(a > b, a, np.sin(b)) if a.shape == b.shape else a,  # a limit of autograd
    lambda a, b: (1.1 + np.sin(a) ** 2) ** np.tanh(b),
    lambda a, b: np.arctan2(a, 1.5 + np.cos(b)),
]


def constant(shape, k):
    """Data of a given shape: all ones, all equal, or random."""
    if k % 3 == 0:
        return onp.ones(shape)
    if k % 3 == 1:
        return onp.full(shape, 0.5)
    return onp.resize(WEIGHTS[k:], shape)


RESHAPING = [
    lambda a, k: np.reshape(a, (-1,)) if a.ndim else np.reshape(a, (1,)),
    lambda a, k: np.reshape(a, (a.size, 1) if k % 2 else (1, a.size)),
    lambda a, k: np.reshape(a, (2, a.size // 2), order="F" if k % 2 else "C") if a.size % 2 == 0 else a,
    lambda a, k: np.transpose(a),
    lambda a, k: np.swapaxes(a, 0, -1) if a.ndim else a,
    lambda a, k: np.expand_dims(a, k % (a.ndim + 1)) if a.ndim < 3 else a,
    lambda a, k: np.squeeze(a),
    lambda a, k: np.sum(a),
    lambda a, k: np.sum(a, axis=k % a.ndim) if a.ndim else np.sum(a),
    lambda a, k: np.sum(a, axis=k % a.ndim, keepdims=True) if a.ndim else a,
    lambda a, k: np.mean(a, axis=-1 - k % a.ndim) if a.ndim else a,
    lambda a, k: np.mean(a, keepdims=True),
    lambda a, k: np.prod(np.cos(a), axis=k % a.ndim) if a.ndim else a,
    lambda a, k: np.cumsum(a) if a.ndim == 1 else a,
    lambda a, k: a[k % a.shape[0]] if a.ndim else a,
    lambda a, k: a[..., -1 - k % a.shape[-1]] if a.ndim else a,
    lambda a, k: a[k % 2 :] if a.ndim and a.shape[0] > 1 else a,
    lambda a, k: a[:: 1 + k % 2] if a.ndim else a,
    lambda a, k: a[::-1] if a.ndim else a,
    lambda a, k: a[None] if a.ndim < 3 else a,
    lambda a, k: a[onp.array([0, k, 0, k + 1]) % a.shape[0]] if a.ndim else a,
    lambda a, k: a[..., onp.array([k, 1, k]) % a.shape[-1]] if a.ndim else a,
    lambda a, k: a[onp.arange(a.size).reshape(a.shape) % 3 != k % 3] if a.size > 3 else a,
    lambda a, k: np.concatenate([a, np.sin(a)], axis=k % a.ndim) if a.ndim and a.size < 16 else a,
    lambda a, k: np.stack([a, a**2], axis=k % (a.ndim + 1)) if a.ndim < 3 and a.size < 16 else a,
    lambda a, k: np.roll(a, 1 + k % 2, axis=k % a.ndim) if a.ndim else a,
    lambda a, k: np.tile(a, 2) if a.ndim == 1 and a.size < 16 else a,
    lambda a, k: np.repeat(a, 2, axis=k % a.ndim) if a.ndim and a.size < 16 and min(a.shape) > 1 else a,
    lambda a, k: np.pad(a, 1, "constant") if 0 < a.ndim < 3 and a.size < 16 else a,
    lambda a, k: (
        np.diag(a) if 0 < a.ndim < 3 and 1 < a.shape[0] <= 4 and (a.ndim < 2 or a.shape[0] == a.shape[1]) else a
    ),
    lambda a, k: np.tril(a, k % 2) if a.ndim == 2 else a,
    lambda a, k: np.array([a[0] * 2.0, np.sin(a[-1])]) if a.ndim == 1 else a,
    lambda a, k: np.ravel(a),
    lambda a, k: a.T if a.ndim == 2 else a,
]


def product(a, b, k):
    """A product of vectors and matrices, by one of numpy's ways, where the shapes allow one."""
    if a.ndim == 1 and b.ndim == 1 and k % 2:
        return np.outer(a, b) if a.size * b.size <= 16 else None
    if not (a.ndim and b.ndim and a.shape[-1] == b.shape[max(b.ndim - 2, 0)]) or a.ndim > 2 or b.ndim > 2:
        return None
    if k % 5 == 0:
        return np.matmul(a, b)
    if k % 5 == 1 and a.ndim == b.ndim == 2:
        return np.einsum("ij,jk->ik", a, b)
    if k % 5 == 2:
        return np.tensordot(a, b, axes=1)
    return np.dot(a, b)


def with_data(a, k):
    """A product with a constant matrix, from one side or the other."""
    if a.ndim == 0 or a.ndim > 2 or max(a.shape) > 8:
        return None
    if k % 2:
        return np.dot(MATRIX[: 2 + k % 3, : a.shape[0]], a)
    return np.dot(a, MATRIX[: a.shape[-1], : 2 + k % 3])


def solved(a, k):
    """A linear system with a matrix built from a vector."""
    if a.ndim != 1 or not 1 < a.size <= 4:
        return None
    A = (4.0 + a.size) * np.eye(a.size) + np.outer(np.sin(a), np.cos(a))
    return np.linalg.solve(A, a) if k % 2 else np.linalg.inv(A)


def step(kind, number, first, second, k, *, piecewise):
    """One operation on values of the pool, or None if it does not apply."""
    unary = SMOOTH_UNARY + (PIECEWISE_UNARY if piecewise else [])
    if kind == "unary":
        return unary[number % len(unary)](first)
    if kind == "reshaping":
        return RESHAPING[number % len(RESHAPING)](first, k)
    if kind == "binary":
        return BINARY[number % len(BINARY)](first, second) if broadcastable(first, second) else None
    if kind == "constant":
        return BINARY[number % len(BINARY)](first, constant(first.shape, k))
    if kind == "product":
        return product(first, second, k)
    if kind == "data":
        return with_data(first, k)
    return solved(first, k)


KINDS = [
    "unary",
    "unary",
    "reshaping",
    "reshaping",
    "reshaping",
    "binary",
    "binary",
    "constant",
    "product",
    "data",
    "solve",
]
RECIPES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 50), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=9,
)


def function_of(recipe, *, piecewise):
    """The function that a recipe describes; it ends in a weighted sum over the last values that were made."""

    def fun(x):
        pool = [x]
        for kind, number, i, j, k in recipe:
            # later values are more likely: compositions rather than sums
            first, second = pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]
            made = step(kind, number, first, second, k, piecewise=piecewise)
            if made is not None and made.size <= 64:
                pool.append(made)
        total = 0.1 * np.dot(x, x) * x[1]
        for value in pool[-3:]:
            flat = np.reshape(value, (-1,))
            total = total + np.sum(np.sin(flat) * WEIGHTS[: flat.shape[0]])
        return total

    return fun


def by_autograd(fun, x):
    """f, ∇f, ∇²f; a function that autograd cannot differentiate twice is discarded."""
    try:
        return float(fun(x)), autograd.grad(fun)(x), autograd.hessian(fun)(x)
    except Exception:
        reject()


def check(recipe, seed, *, piecewise):
    fun = function_of(recipe, piecewise=piecewise)
    points = onp.random.default_rng(seed).uniform(-1.2, 1.2, (5, N))
    by_autograd(fun, points[0])
    derivatives, again = Derivatives(fun), Derivatives(fun)
    for k, x in enumerate(points):
        f, g = derivatives.value_and_gradient(x)
        found = again.linearize(x)
        if k < 2:
            continue
        assert derivatives.source == TAPE, derivatives.note
        assert again.source == TAPE, again.note
        if k == 3:
            continue
        exact = by_autograd(fun, x)
        nearby = by_autograd(fun, x * (1.0 + EPS * onp.array([1.0, -1.0, 1.0, -1.0])))
        size = max(float(onp.abs(part).max()) for part in exact)
        df, dg, dH = (
            ULPS * EPS * size + CONDITION * float(onp.abs(a - b).max()) for a, b in zip(exact, nearby, strict=True)
        )
        for value, gradient in ((f, g), (found.f, found.g)):
            assert abs(value - exact[0]) <= df
            assert onp.abs(gradient - exact[1]).max() <= dg
        V = onp.random.default_rng(seed).standard_normal((3, N))
        assert onp.abs(found.product(V[0]) - make_hvp(fun)(x)[0](V[0])).max() <= dH * onp.abs(V[0]).sum()
        assert onp.abs(found.products(V) - V @ exact[2]).max() <= dH * onp.abs(V).sum()
        assert onp.abs(found.hessian() - exact[2]).max() <= dH


# without shrinking, which would take minutes; a recipe is short enough to be read
QUICK = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
    "report_multiple_bugs": False,
}
SETTINGS = settings(max_examples=70, **QUICK)


@SETTINGS
@given(RECIPES, st.integers(0, 10**6))
def test_the_tape_of_a_random_smooth_function_agrees_with_autograd(recipe, seed):
    """f, ∇f, Hv, V·H and H at the recording and away from it; and it is a tape."""
    check(recipe, seed, piecewise=False)


@SETTINGS
@given(RECIPES, st.integers(0, 10**6))
def test_the_tape_of_a_random_piecewise_function_agrees_with_autograd(recipe, seed):
    """Masks, signs and roundings are computed again at each point, also if they are used as numbers."""
    check(recipe, seed, piecewise=True)


@settings(max_examples=40, **QUICK)
@given(RECIPES, st.integers(0, 10**6), st.sampled_from(["f8", "f4", "i8", "i1", "?"]))
def test_the_tape_of_a_random_function_of_data_agrees_with_autograd_for_data_of_every_dtype(recipe, seed, dtype):
    """The data, and with them numpy's type of arithmetic, change from call to call: tolerance 1e-6 for f4."""
    composed = function_of(recipe, piecewise=True)

    def fun(x, data):
        weights = data * 1.0 + data * 2 + (data > 0) / 1.0
        return composed(x * weights) + np.sum(x**2 * data**2)

    rng = onp.random.default_rng(seed)
    derivatives = Derivatives(fun)
    for x in rng.uniform(-1.2, 1.2, (6, N)):
        data = rng.uniform(-3.0, 3.0, N).astype(dtype)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "overflow")
            f, g = derivatives.value_and_gradient(x, (data,))
            f_exact, g_exact = autograd.value_and_grad(fun)(x, data)
        size = max(abs(f_exact), onp.abs(g_exact).max())
        tolerance = (1e-6 if dtype == "f4" else 1e-11) * size
        assert abs(f - f_exact) <= tolerance
        assert onp.abs(g - g_exact).max() <= tolerance
