"""The tape agrees with plain autograd: f, ∇f, Hv, V·H and H at other points than that of the recording.

Unless a test states otherwise, the tolerance is 64 ulps of the largest number among f, ∇f and H at that point (x is of
order one), plus 16 times the change of autograd's result if x changes by one ulp (the condition of the quantity).
"""

from __future__ import annotations

import warnings

import autograd
import autograd.numpy as np
import autograd.scipy.linalg as asl
import autograd.scipy.special as asp
import autograd.scipy.stats as astats
import numpy as onp
import pytest
from autograd.differential_operators import make_hvp
from autograd.extend import defvjp, primitive

import newtonkit
from newtonkit.derivatives.tape.cache import TAPE, Derivatives

EPS = float(onp.finfo(onp.float64).eps)
ULPS, CONDITION = 64, 16  # the two factors of the docstring above


# --- how two results are compared ---------------------------------------------------------------------------------


def number(value):
    return float(onp.reshape(value, ()))


def exact(fun, x):
    """f, ∇f and ∇²f by plain autograd, by its public functions."""

    def scalar(z):
        return np.reshape(fun(z), ())

    return number(fun(x)), autograd.grad(scalar)(x), autograd.hessian(scalar)(x)


def with_tolerances(fun, x):
    """f, ∇f, ∇²f by plain autograd, and the tolerance for each."""
    here = exact(fun, x)
    size = max(float(onp.abs(part).max()) for part in here)
    sign = onp.where(onp.arange(x.size) % 3 == 0, -1.0, 1.0)
    spread = [float(onp.abs(a - b).max()) for a, b in zip(exact(fun, x * (1.0 + EPS * sign)), here, strict=True)]
    return here, [ULPS * EPS * size + CONDITION * s for s in spread]


def points(n, count, seed=0, low=-2.0, high=2.0):
    return onp.random.default_rng(seed).uniform(low, high, (count, n))


def assert_taped_gradient(fun, n, *, low=-2.0, high=2.0, args=()):
    """f and ∇f of a tape agree with autograd at the point of the recording and at other points."""
    derivatives = Derivatives(fun)
    for k, x in enumerate(points(n, 8, 1, low, high)):
        f, g = derivatives.value_and_gradient(x, args)
        if k < 2:
            continue
        assert derivatives.source == TAPE, derivatives.note
        if k not in (2, 5, 7):  # the recording, a use that newtonkit compares with autograd, and one that it does not
            continue
        (f_exact, g_exact, _), (df, dg, _) = with_tolerances(lambda z: fun(z, *args), x)
        assert abs(f - f_exact) <= df
        assert onp.abs(g - g_exact).max() <= dg
        assert abs(derivatives.value(x, args) - f_exact) <= df
        assert type(f) is float
        assert g.shape == x.shape
        assert g.dtype == onp.float64


def assert_taped_hessian(fun, n, *, low=-2.0, high=2.0, args=()):
    """f, ∇f, H·v, V·H and H of a tape agree with autograd, at the point of the recording and at others."""
    derivatives = Derivatives(fun)
    rng = onp.random.default_rng(5)
    for k, x in enumerate(points(n, 6, 2, low, high)):
        found = derivatives.linearize(x, args)
        if k < 2:
            continue
        assert derivatives.source == TAPE, derivatives.note
        if k not in (2, 5):
            continue

        def plain(z):
            return np.reshape(fun(z, *args), ())

        (f_exact, g_exact, H_exact), (df, dg, dH) = with_tolerances(plain, x)
        v = rng.standard_normal(n)
        assert abs(found.f - f_exact) <= df
        assert onp.abs(found.g - g_exact).max() <= dg
        assert onp.abs(found.product(v) - make_hvp(plain)(x)[0](v)).max() <= dH * onp.abs(v).sum()
        V = rng.standard_normal((3, n))
        assert onp.abs(found.products(V) - V @ H_exact).max() <= dH * onp.abs(V).sum()
        H = found.hessian()
        assert onp.abs(H - H_exact).max() <= dH
        onp.testing.assert_array_equal(H, H.T)


# --- the functions ------------------------------------------------------------------------------------------------

RNG = onp.random.default_rng(0)
A46, A64, B44 = RNG.standard_normal((4, 6)), RNG.standard_normal((6, 4)), RNG.standard_normal((4, 4))
C6, C4 = RNG.standard_normal(6), RNG.standard_normal(4)
T234 = RNG.standard_normal((2, 3, 4))
LABELS = onp.array([0, 1, 1, 0, 1, 0])
SPD = B44 @ B44.T + 4.0 * onp.eye(4)


def beale(x):
    a, b = x[0], x[1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic_regression(w):
    z = np.dot(A64, w)
    return np.sum(np.logaddexp(0.0, z) - LABELS * z) + 0.5 * np.dot(w, w)


def softmax_regression(w):
    Z = np.dot(A64, np.reshape(w, (4, 3)))
    chosen = Z[onp.arange(6), onp.array([0, 2, 1, 1, 0, 2])]
    return np.sum(asp.logsumexp(Z, axis=1) - chosen) + 0.01 * np.sum(w**2)


def bratu(u):
    """½‖∇u‖² − λ Σ exp(u) on a 4 × 4 grid with zero boundary values."""
    U = np.pad(np.reshape(u, (4, 4)), 1, "constant")
    return (
        0.5 * np.sum((U[1:, :] - U[:-1, :]) ** 2) + 0.5 * np.sum((U[:, 1:] - U[:, :-1]) ** 2) - 0.1 * np.sum(np.exp(U))
    )


def minimal_surface(u):
    """The area of a graph over a 3 × 3 grid inside a fixed frame."""
    frame = onp.add.outer(onp.linspace(-1, 1, 5) ** 2, onp.linspace(0, 1, 5))
    frame[1:-1, 1:-1] = 0.0
    Z = np.pad(np.reshape(u, (3, 3)), ((1, 1), (1, 1)), "constant") + frame
    right, down = Z[:-1, 1:] - Z[:-1, :-1], Z[1:, :-1] - Z[:-1, :-1]
    return np.sum(np.sqrt(1.0 + right**2 + down**2))


def arrowhead(x):
    return np.sum(np.sin(x[0] * x[1:])) + x[0] ** 4 + np.sum(x[1:] ** 2)


def gaussian_likelihood(p):
    """−log N(c; μ, aI + bbᵀ) with solve and slogdet."""
    S = np.exp(p[0]) * np.eye(4) + np.outer(p[1:5], p[1:5]) + 0.5 * SPD
    r = C4 - p[5]
    return 0.5 * np.dot(r, np.linalg.solve(S, r)) + 0.5 * np.linalg.slogdet(S)[1] + 0.05 * np.sum(p**2)


def by_a_loop(x):
    total, state = 0.0, x[0]
    for t in range(12):
        state = np.sin(state) + 0.3 * x[t % 4] * state
        total = total + state**2 / (t + 1.0)
    return total


def by_iteration(x):
    total = 1.0
    for entry in x:
        total = total * (1.0 + 0.1 * entry**2)
    return total


def by_a_list(x):
    return np.sum(np.array([x[0] * x[1], np.sin(x[2]), x[3] ** 3]) ** 2)


def of_a_gradient(x):
    inner = autograd.grad(lambda z: np.sum(np.sin(z) * z**2))
    return np.sum(inner(x) ** 2)


def of_two_gradients(x):
    """Sparse gradients of two shapes, added by the function itself."""
    of_a_vector = autograd.grad(lambda z: z[0] ** 3 + z[2] ** 2 * z[1])(x)
    of_a_matrix = autograd.grad(lambda Z: Z[1, 2] ** 3)(np.outer(x[:2], x))
    return np.sum(np.sin(of_a_vector + of_a_matrix)) + np.sum((of_a_matrix + of_a_vector) ** 2)


@primitive
def cube(x):
    return x**3


defvjp(cube, lambda ans, x: lambda g: g * 3.0 * x**2)


def weigh(v):
    """A sum that is not symmetric in the entries, so that a permuted result is seen."""
    v = np.ravel(v)
    return np.sum(np.sin(v) * (1.0 + onp.arange(v.shape[0]))) + 0.1 * np.sum(v**2)


def as_matrix(x):
    """x, of 6 entries, as a 2 × 3 matrix."""
    return np.reshape(x, (2, 3))


def well_conditioned(x):
    """x, of 4 entries, as a well-conditioned 4 × 4 matrix."""
    return 5.0 * np.eye(4) + np.outer(np.sin(x), np.cos(x)) + 0.1 * np.outer(x, x)


# name: (fun, n) or (fun, n, low, high)
WHOLE_PROBLEMS = {
    "Beale": (beale, 2),
    "Rosenbrock 2": (rosenbrock, 2),
    "Rosenbrock 10": (rosenbrock, 10),
    "logistic regression": (logistic_regression, 4),
    "softmax regression": (softmax_regression, 12),
    "Bratu": (bratu, 16),
    "minimal surface": (minimal_surface, 9),
    "arrowhead": (arrowhead, 6),
    "Gaussian likelihood": (gaussian_likelihood, 6),
    "a Python loop": (by_a_loop, 4),
    "iteration over x": (by_iteration, 5),
    "array of entries": (by_a_list, 4),
    "the gradient of another function": (of_a_gradient, 4),
    "the gradients of two other functions": (of_two_gradients, 3),
    "the sparse gradient of another function": (
        lambda x: weigh(autograd.grad(lambda z: z[0] ** 2 + z[0] * z[1])(x)),
        3,
    ),
    "an entry, and its square": (lambda x: x[0] ** 2 + x[0], 2),
    "an entry, and again its square": (lambda x: x[0] + x[0] ** 2 + x[1], 2),
    "linear terms and others": (lambda x: np.sum(x) + 2.0 * np.sum(x) + np.sum(x**3) + (1.0 - x[0]), 3),
    "a primitive defined by the user": (lambda x: np.sum(cube(x) * C4), 4),
}

ELEMENTWISE = {
    "where": (lambda x: np.sum(np.where(x > 0.1, x**3, np.exp(x))), 5),
    "abs": (lambda x: np.sum(np.abs(x) * x**2), 5),
    "builtin abs": (lambda x: np.sum(abs(x) ** 3), 5),
    "maximum": (lambda x: np.sum(np.maximum(x, 0.3) ** 2), 5),
    "minimum of two": (lambda x: np.sum(np.minimum(x[:3], x[3:]) ** 3), 6),
    "fmax fmin": (lambda x: np.sum(np.fmax(x, 0.1) * np.fmin(x, 0.5) ** 2), 5),
    "sign floor": (lambda x: np.sum(np.sign(x) * x**3 + np.floor(2 * x) * x**2), 5),
    "ceil round trunc": (lambda x: np.sum((np.ceil(x) + np.round(x) + np.trunc(3 * x)) * x**2), 5),
    "clip": (lambda x: np.sum(np.clip(x, -0.7, 0.9) ** 3), 5),
    "power 2.5": (lambda x: np.sum(x**2.5), 4, 0.2, 2.0),
    "power -1": (lambda x: np.sum(x**-1), 4, 0.2, 2.0),
    "power -1.5": (lambda x: np.sum(x**-1.5), 4, 0.2, 2.0),
    "power -2": (lambda x: np.sum(x**-2), 4, 0.2, 2.0),
    "power 0 1 2 3 4": (lambda x: np.sum(x**0 + x**1 + x**2 + x**3 + x**4.0), 4),
    "power of two arrays": (lambda x: np.sum(x[:2] ** x[2:]), 4, 0.3, 2.0),
    "number to the x": (lambda x: np.sum(2.0**x), 4),
    "divide": (lambda x: np.sum(x[:2] / (1.0 + x[2:] ** 2) + 1.0 / (3.0 + x[:2])), 4),
    "reciprocal square sqrt": (lambda x: np.sum(np.reciprocal(x) + np.square(x) * np.sqrt(x)), 4, 0.2, 2.0),
    "exp log": (lambda x: np.sum(np.exp(x) * np.log(x) + np.exp2(x) + np.log2(x) + np.log10(x)), 4, 0.2, 2.0),
    "expm1 log1p": (lambda x: np.sum(np.expm1(x) * np.log1p(x)), 4, 0.2, 2.0),
    "trigonometry": (lambda x: np.sum(np.sin(x) * np.cos(x) + np.tan(x) + np.arctan(x)), 4, -1.0, 1.0),
    "inverse trigonometry": (lambda x: np.sum(np.arcsin(x) * np.arccos(x)), 4, -0.9, 0.9),
    "hyperbolics": (lambda x: np.sum(np.sinh(x) * np.tanh(x) + np.cosh(x) + np.arcsinh(x)), 4),
    "arctan2 hypot": (lambda x: np.arctan2(x[0], x[1]) * np.hypot(x[2], x[3]), 4, 0.2, 2.0),
    "logaddexp": (lambda x: np.sum(np.logaddexp(x[:2], x[2:])) + np.logaddexp2(x[0], x[3]) ** 2, 4),
    "mod": (lambda x: np.sum(np.mod(x, 0.7) ** 2 * x), 4),
    "sinc": (lambda x: np.sum(np.sinc(x) * x), 4, 0.2, 2.0),
    "negative and scalars": (lambda x: np.sum(-1.0 * -(2.0 * (-x)) * (3.0 * x * 0.5) / 2.0 - (0.0 + x) + (x - 0.0)), 4),
    "logsumexp": (lambda x: asp.logsumexp(A64 @ x) + np.sum(asp.logsumexp(np.outer(x, C6), axis=1)), 4),
    "gammaln digamma beta": (
        lambda x: np.sum(asp.gammaln(x) * x + asp.digamma(x)) + asp.betaln(x[0], x[1]),
        4,
        0.5,
        3.0,
    ),
    "expit logit": (lambda x: np.sum(asp.logit(asp.expit(x)) * asp.expit(x)), 4),
    "erf erfc": (lambda x: np.sum(asp.erf(x) * x + asp.erfc(x)), 4),
    "norm.logpdf": (lambda x: np.sum(astats.norm.logpdf(C6, x[0], np.exp(x[1]))) * x[2], 3, -1.0, 1.0),
    "comparisons as numbers": (lambda x: np.sum((x > 0.2) * x**2 + (x <= 0.2) * np.exp(x) + (x != 0.0) * x**3), 5),
}

REDUCTIONS = {
    "sum axis": (lambda x: weigh(np.sum(as_matrix(x) ** 2, axis=0)) + weigh(np.sum(as_matrix(x) ** 3, axis=1)), 6),
    "sum keepdims": (lambda x: weigh(as_matrix(x) / np.sum(1.0 + as_matrix(x) ** 2, axis=1, keepdims=True)), 6),
    "sum two axes": (lambda x: weigh(np.sum(np.reshape(x, (2, 2, 2)) ** 2, axis=(0, 2))), 8),
    "sum last axis": (lambda x: weigh(np.sum(as_matrix(x) ** 2, axis=-1)), 6),
    "sum over axes of length 1": (lambda x: weigh(np.sum(np.reshape(x, (1, 4, 1)), axis=(0, 2), keepdims=True)), 4),
    "mean": (
        lambda x: (
            np.mean(x**2)
            + weigh(np.mean(as_matrix(x) ** 2, axis=0))
            + weigh(np.mean(as_matrix(x), axis=1, keepdims=True))
        ),
        6,
    ),
    "mean two axes": (lambda x: weigh(np.mean(np.reshape(x, (2, 2, 2)) ** 2, axis=(-1, 0), keepdims=True)), 8),
    "var": (lambda x: np.var(x) * x[0] + np.var(x**2, ddof=1), 6),
    "var axis keepdims": (
        lambda x: weigh(np.var(as_matrix(x), axis=1)) + weigh(np.var(as_matrix(x), axis=0, keepdims=True)),
        6,
    ),
    "std": (lambda x: np.std(x) * x[0], 6),
    "std axis keepdims": (
        lambda x: weigh(np.std(as_matrix(x), axis=1)) + weigh(np.std(as_matrix(x) ** 2, axis=0, keepdims=True)),
        6,
    ),
    "standardize": (lambda x: weigh((x - np.mean(x)) / np.sqrt(np.mean((x - np.mean(x)) ** 2))), 5),
    "prod": (lambda x: np.prod(x) + np.prod(x[1:]) * x[0] ** 2, 5),
    "prod axis": (lambda x: weigh(np.prod(as_matrix(x), axis=0)) + weigh(np.prod(as_matrix(x), axis=1)), 6, 0.3, 2.0),
    "max min": (lambda x: np.max(x**3) * np.min(x) ** 2, 5),
    "max axis": (lambda x: weigh(np.max(as_matrix(x) ** 3, axis=1)), 6),
    "cumsum": (lambda x: weigh(np.cumsum(x**2)), 5),
    "cumsum axis": (
        lambda x: weigh(np.cumsum(as_matrix(x) ** 2, axis=1)) + weigh(np.cumsum(as_matrix(x) ** 2, axis=0)),
        6,
    ),
    "diff": (lambda x: weigh(np.diff(x) ** 2), 5),
    "norm": (lambda x: np.linalg.norm(x) + np.linalg.norm(x[:3]) * x[4], 5),
    "norm axis": (lambda x: weigh(np.linalg.norm(as_matrix(x), axis=1)), 6),
    "Frobenius norm": (lambda x: np.linalg.norm(as_matrix(x)) ** 3, 6),
    "methods": (lambda x: (x**2).sum() + (x**3).mean() * x.prod() + weigh(x.cumsum()), 4),
    "builtin sum": (lambda x: sum(x) ** 2 + sum(x[i] * x[i + 1] for i in range(3)), 4),
    "sizes in Python": (
        lambda x: sum(x[i] * x[i + 1] for i in range(x.size - 1)) + np.dot(np.zeros(x.size) + 1.0, x**3) / x.size,
        4,
    ),
    "np.size in Python": (lambda x: sum(x[i] ** 3 / (1 + i) for i in range(np.size(x))), 4),
    "shape, ndim and len in Python": (
        lambda x: sum(x[i] ** 3 for i in range(len(x))) * (x.ndim + np.ndim(x)) + np.sum(x**2) * np.shape(x)[0],
        4,
    ),
    "np.size of x": (lambda x: np.sum(x**4) / np.size(x) + np.sum(x**2) / len(x) / x.size / x.shape[0], 4),
}

PRODUCTS = {
    "dot 1 1": (lambda x: np.dot(x, np.sin(x)) * np.dot(C4, x), 4),
    "dot 2 1": (lambda x: weigh(np.dot(well_conditioned(x), x)), 4),
    "dot 1 2": (lambda x: weigh(np.dot(x, well_conditioned(x))), 4),
    "dot 2 2": (lambda x: weigh(np.dot(well_conditioned(x), np.outer(x, x))), 4),
    "dot with a constant matrix": (
        lambda x: weigh(np.dot(A64, x)) + weigh(np.dot(x, A46)) + weigh(B44 @ np.outer(x, x)),
        4,
    ),
    "dot with a number": (lambda x: weigh(np.dot(x[0], x)) + weigh(np.dot(x, x[1])) + np.dot(x[2], x[3]) ** 2, 4),
    "dot 3 2": (lambda x: weigh(np.dot(T234 * np.sum(x), np.outer(x, x))), 4),
    "dot 3 1": (lambda x: weigh(np.dot(T234 * x[0], x**2)), 4),
    "matmul 1 1": (lambda x: (x @ np.sin(x)) * (C4 @ x), 4),
    "matmul 2 1": (lambda x: weigh(well_conditioned(x) @ x), 4),
    "matmul 1 2": (lambda x: weigh(x @ well_conditioned(x)), 4),
    "matmul 2 2": (lambda x: weigh(well_conditioned(x) @ np.outer(x, C4)), 4),
    "matmul 3 3": (lambda x: weigh((T234 * x) @ np.swapaxes(T234 * np.sin(x), 1, 2)), 4),
    "matmul 3 2": (lambda x: weigh((T234 * x[1]) @ well_conditioned(x)), 4),
    "matmul 2 3": (lambda x: weigh(np.outer(x[:3], x[1:]) @ (T234 * x)), 4),
    "matmul 3 1": (lambda x: weigh((T234 * x) @ x), 4),
    "matmul 1 3": (lambda x: weigh(x[:3] @ (T234 * x)), 4),
    "quadratic form": (lambda x: 0.5 * x @ SPD @ x - C4 @ x + np.sum(x**4), 4),
    "Gram matrix": (lambda x: weigh(as_matrix(x) @ as_matrix(x).T) + weigh(as_matrix(x).T @ as_matrix(x)), 6),
    "outer": (lambda x: weigh(np.outer(x, np.sin(x))) + weigh(np.outer(x, C4)) + weigh(np.outer(C6, x)), 4),
    "inner": (lambda x: np.inner(x, x**2) + weigh(np.inner(np.outer(x, x), np.outer(C4, x))), 4),
    "einsum": (
        lambda x: (
            np.einsum("i,ij,j->", x, well_conditioned(x), x)
            + weigh(np.einsum("ij,kj->ik", well_conditioned(x), np.outer(x, x)))
        ),
        4,
    ),
    "einsum trace": (lambda x: np.einsum("ij,ji->", well_conditioned(x), np.outer(x, C4)), 4),
    "einsum batch": (lambda x: weigh(np.einsum("bij,j->bi", T234, x**2)), 4),
    "tensordot": (
        lambda x: (
            weigh(np.tensordot(T234, well_conditioned(x), axes=1))
            + weigh(np.tensordot(well_conditioned(x), np.outer(x, x), axes=2))
        ),
        4,
    ),
    "tensordot axes": (lambda x: weigh(np.tensordot(well_conditioned(x), T234 * x, axes=([0], [2]))), 4),
    "kron": (lambda x: weigh(np.kron(x[:2], x[2:])) + weigh(np.kron(np.outer(x[:2], x[2:]), B44[:2, :2])), 4),
    "cross": (lambda x: weigh(np.cross(x[:3], x[3:])), 6),
    "solve": (
        lambda x: weigh(np.linalg.solve(well_conditioned(x), x)) + weigh(np.linalg.solve(SPD, np.outer(x, x))),
        4,
    ),
    "inv": (lambda x: weigh(np.linalg.inv(well_conditioned(x))), 4),
    "det": (lambda x: np.linalg.det(0.3 * well_conditioned(x)), 4),
    "slogdet": (lambda x: np.linalg.slogdet(well_conditioned(x))[1] * x[0], 4),
    "slogdet unpacked": (
        lambda x: (lambda sign, log: sign * log)(*np.linalg.slogdet(well_conditioned(x))) + np.sum(x**2),
        4,
    ),
    "cholesky": (lambda x: weigh(np.linalg.cholesky(SPD + np.outer(x, x))), 4),
    "solve_triangular": (lambda x: weigh(asl.solve_triangular(np.tril(well_conditioned(x)), x, lower=True)), 4),
}

INDEXING = {
    "entries": (lambda x: x[0] * x[-1] ** 2 + np.sin(x[1] * x[2]), 4),
    "slices": (lambda x: weigh(x[1:-1] * x[:-2]) + weigh(x[::2] ** 2) + weigh(x[::-1] ** 3), 6),
    "slices of a matrix": (
        lambda x: (
            weigh(as_matrix(x)[:, 1:] * as_matrix(x)[:, :-1]) + weigh(as_matrix(x)[1] ** 2) + as_matrix(x)[0, 2] ** 3
        ),
        6,
    ),
    "ellipsis and newaxis": (lambda x: weigh(x[..., None] * x[None, :]) + weigh(as_matrix(x)[..., 0] ** 2), 6),
    "repeated indices": (lambda x: weigh(x[onp.array([0, 2, 2, 1, 0, 0])] ** 2), 4),
    "list of indices": (lambda x: weigh(x[[3, 3, 0]] ** 2), 4),
    "matrix of indices": (lambda x: weigh(x[onp.array([[0, 1], [1, 3]])] ** 2), 4),
    "negative indices": (lambda x: weigh(x[onp.array([-1, -1, 2])] ** 2), 4),
    "pairs of indices": (lambda x: weigh(as_matrix(x)[[0, 1, 0], [2, 2, 2]] ** 2), 6),
    "an index array and a slice": (
        lambda x: weigh(as_matrix(x)[[1, 0, 1], :] ** 2) + weigh(as_matrix(x)[:, [2, 2, 0]] ** 2),
        6,
    ),
    "an index array and an integer": (lambda x: weigh(as_matrix(x)[1, [2, 2, 0]] ** 2), 6),
    "two separated index arrays": (
        lambda x: weigh(np.reshape(x, (2, 2, 2))[onp.array([0, 1, 1]), :, onp.array([1, 1, 0])] ** 2),
        8,
    ),
    "a fixed mask": (lambda x: weigh(x[onp.array([True, False, True, True])] ** 2), 4),
    "a fixed mask of a matrix": (
        lambda x: weigh(as_matrix(x)[onp.array([[True, False, True], [False, True, True]])] ** 2),
        6,
    ),
    "argsort": (lambda x: weigh(x[np.argsort(x)] ** 2), 5),
    "argmax": (lambda x: x[np.argmax(x)] ** 3 + x[np.argmin(x)] ** 2, 5),
    "an index computed from x": (lambda x: np.sum(x[(np.argsort(x) + 1) % 4] ** 2 * C4), 4),
    "argmax less one": (lambda x: x[np.argmax(x) - 1] ** 3 + np.sum(x**2), 4),
    "entries used several times": (lambda x: x[0] ** 2 + x[0] * x[1] + x[1] * x[0] ** 3 + np.sum(x[:2] ** 2) + x[0], 4),
    "rows": (lambda x: sum(weigh(row**2) for row in as_matrix(x)), 6),
}

SHAPES = {
    "reshape": (
        lambda x: weigh(np.reshape(x**2, (3, 2))) + weigh(x.reshape(2, 3) ** 2) + weigh(x.reshape((6, 1)) ** 2),
        6,
    ),
    "reshape -1": (lambda x: weigh(np.reshape(as_matrix(x) ** 2, -1)), 6),
    "reshape in Fortran order": (lambda x: weigh(np.reshape(x**2, (2, 3), order="F")), 6),
    "reshape in Fortran order, by position": (lambda x: weigh(np.reshape(x**2, (2, 3), "F")), 6),
    "ravel in Fortran order": (lambda x: weigh(np.ravel(as_matrix(x) ** 2, "F")), 6),
    "flatten": (lambda x: weigh((as_matrix(x) ** 2).flatten()), 6),
    "T": (
        lambda x: weigh(as_matrix(x).T ** 2) + weigh(np.transpose(as_matrix(x)) * C6.reshape(3, 2)) + weigh(x.T**2),
        6,
    ),
    "transpose axes": (lambda x: weigh(np.transpose(np.reshape(x, (2, 2, 2)) ** 2, (1, 2, 0))), 8),
    "swapaxes moveaxis rollaxis": (
        lambda x: (
            weigh(np.swapaxes(np.reshape(x, (2, 2, 2)) ** 2, 0, 2))
            + weigh(np.moveaxis(np.reshape(x, (1, 2, 4)) ** 2, 0, -1))
            + weigh(np.rollaxis(np.reshape(x, (1, 2, 4)) ** 2, 2))
        ),
        8,
    ),
    "squeeze expand_dims": (
        lambda x: weigh(np.squeeze(np.reshape(x, (1, 4, 1)) ** 2)) + weigh(np.expand_dims(x**2, 0) * x[:, None]),
        4,
    ),
    "expand_dims -1": (lambda x: weigh(np.expand_dims(x**2, -1) * x) + weigh(np.expand_dims(as_square(x), 1) ** 2), 4),
    "atleast": (lambda x: weigh(np.atleast_2d(x) ** 2) + weigh(np.atleast_1d(x[0] ** 3)), 4),
    "concatenate": (lambda x: weigh(np.concatenate([x**2, x[1:], C4])), 4),
    "concatenate axis": (lambda x: weigh(np.concatenate([as_matrix(x) ** 2, as_matrix(x)], axis=1)), 6),
    "stack vstack hstack": (
        lambda x: weigh(np.stack([x**2, np.sin(x)])) + weigh(np.vstack([x, x**2])) + weigh(np.hstack([x, x**3])),
        4,
    ),
    "stack axis": (lambda x: weigh(np.stack([x**2, np.sin(x), x], axis=1)), 4),
    "append": (lambda x: weigh(np.append(x**2, x[:2])), 4),
    "tile": (lambda x: weigh(np.tile(x**2, 3)), 4),
    "repeat": (lambda x: weigh(np.repeat(x**2, 2)) + weigh(np.repeat(as_square(x) ** 2, 3, axis=1)), 4),
    "roll": (lambda x: weigh(np.roll(x**2, 1)) + weigh(np.roll(as_square(x) ** 2, 1, axis=1)), 4),
    "flipud fliplr rot90": (
        lambda x: (
            weigh(np.flipud(as_matrix(x) ** 2))
            + weigh(np.fliplr(as_matrix(x) ** 3))
            + weigh(np.rot90(as_matrix(x) ** 2))
        ),
        6,
    ),
    "diag of a vector": (lambda x: weigh(np.diag(x**2) + np.diag(x[1:] ** 2, 1)), 4),
    "diag of a matrix": (
        lambda x: weigh(np.diag(well_conditioned(x))) + weigh(np.diagonal(well_conditioned(x) ** 2, 0, -1, -2)),
        4,
    ),
    "trace": (lambda x: np.trace(well_conditioned(x) @ well_conditioned(x)) + np.trace(as_square(x)) ** 2, 4),
    "triu tril": (lambda x: weigh(np.triu(np.outer(x, x))) + weigh(np.tril(np.outer(x, x), -1)), 4),
    "broadcast_to": (lambda x: weigh(np.broadcast_to(np.reshape(x, (1, 4)) ** 2, (3, 4))), 4),
    "broadcasting": (lambda x: weigh(x[:, None] * np.ones((4, 5)) + x[0] + np.reshape(x, (1, 4, 1)) ** 2), 4),
    "pad": (lambda x: weigh(np.pad(as_matrix(x) ** 2, ((1, 0), (2, 1)), "constant")), 6),
    "split": (lambda x: (lambda a, b: weigh(a**2) + weigh(b * a))(*np.split(x, 2)), 4),
    "linspace": (lambda x: weigh(np.linspace(x[0], x[1] ** 2, 5)), 2),
    "full": (lambda x: weigh(np.full((3,), x[0] ** 2) * x[1]), 2),
    "astype float": (lambda x: np.sum(x.astype(float) ** 3), 4),
    "zeros_like ones_like": (lambda x: np.sum((np.ones_like(x) + x) ** 2 + np.zeros_like(x) * x), 4),
}

SIZES_OF_ONE = {
    "n = 1": (lambda x: np.sin(x[0]) * x[0] ** 2, 1),
    "n = 1 and a sum": (lambda x: np.sum(x**4 + np.exp(x)), 1),
    "n = 1 and a product of matrices": (lambda x: np.sum(np.reshape(x, (1, 1)) @ np.reshape(x**2, (1, 1))), 1),
    "n = 1 and sums over axes of length 1": (lambda x: np.sum(np.sum(np.reshape(x**3, (1, 1)), axis=0)), 1),
    "n = 1, value of shape (1,)": (lambda x: x**4, 1),
    "value of shape (1,)": (lambda x: np.sum(x**4, keepdims=True), 3),
    "value of shape (1, 1)": (lambda x: np.reshape(x, (1, 3)) @ np.reshape(np.sin(x), (3, 1)), 3),
    "value x[:1]": (lambda x: x[:1] * np.sum(x**2), 3),
    "size-1 arrays": (lambda x: np.sum(x[:1] * x) * np.sum(np.sum(x**2, keepdims=True) + x[1:2]), 3),
}


def as_square(x):
    """x, of 4 entries, as a 2 × 2 matrix."""
    return np.reshape(x, (2, 2))


CASES = WHOLE_PROBLEMS | ELEMENTWISE | REDUCTIONS | PRODUCTS | INDEXING | SHAPES | SIZES_OF_ONE


def unpacked(case):
    fun, n, *box = case
    low, high = box or (-2.0, 2.0)
    return fun, n, low, high


@pytest.mark.parametrize("name", CASES)
def test_a_taped_gradient_agrees_with_autograd(name):
    fun, n, low, high = unpacked(CASES[name])
    assert_taped_gradient(fun, n, low=low, high=high)


@pytest.mark.parametrize("name", CASES)
def test_a_taped_hessian_agrees_with_autograd(name):
    fun, n, low, high = unpacked(CASES[name])
    assert_taped_hessian(fun, n, low=low, high=high)


# --- large n ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [100, 1000])
def test_tapes_of_long_rosenbrock_chains_agree_with_autograd(n):
    """Within 64 ulps of the largest term, 1200 x² + 400 x, of a row of the Hessian."""
    derivatives = Derivatives(rosenbrock)
    by_autograd = autograd.value_and_grad(rosenbrock)
    for k, x in enumerate(points(n, 5, 3)):
        f, g = derivatives.value_and_gradient(x)
        found = derivatives.linearize(x)
        if k < 2:
            continue
        assert derivatives.source == TAPE, derivatives.note
        f_exact, g_exact = by_autograd(x)
        size = 1200.0 * onp.abs(x).max() ** 3 + 400.0
        V = onp.random.default_rng(k).standard_normal((4, n))
        HV = onp.array([make_hvp(rosenbrock)(x)[0](v) for v in V])
        for value, gradient in ((f, g), (found.f, found.g)):
            assert abs(value - f_exact) <= ULPS * EPS * abs(f_exact)
            assert onp.abs(gradient - g_exact).max() <= ULPS * EPS * size
        assert onp.abs(found.product(V[0]) - HV[0]).max() <= ULPS * EPS * size * onp.abs(V).max()
        assert onp.abs(found.products(V) - HV).max() <= ULPS * EPS * size * onp.abs(V).max()
    H = found.hessian()
    assert onp.abs(V @ H - HV).max() <= ULPS * EPS * size * onp.abs(V).max()
    bandwidth_one = onp.triu(onp.tril(H, 1), -1)
    onp.testing.assert_array_equal(H, bandwidth_one)


# --- parameters with structure ------------------------------------------------------------------------------------

DIGITS, ANSWERS = RNG.standard_normal((12, 3)), onp.eye(2)[RNG.integers(0, 2, 12)]


def mlp(p):
    hidden = np.tanh(DIGITS @ p["W1"] + p["b1"])
    Z = hidden @ p["W2"] + p["b2"]
    penalty = sum(np.sum(leaf**2) for leaf in p.values())
    return np.sum(asp.logsumexp(Z, axis=1) - np.sum(Z * ANSWERS, axis=1)) + 0.01 * penalty


def weights(seed):
    rng = onp.random.default_rng(seed)
    shapes = {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


class Counted:
    """A function that counts its calls: a tape does not call it."""

    def __init__(self, fun):
        self.fun, self.calls = fun, 0

    def __call__(self, *args):
        self.calls += 1
        return self.fun(*args)


def test_a_neural_network_with_weights_in_a_dict_is_taped_correctly():
    """Within 64 ulps of the largest entry of the gradient, times the 12 data that are summed."""
    counted = Counted(mlp)
    value_and_grad = newtonkit.value_and_grad(counted)
    for seed in range(20):
        f, g = value_and_grad(weights(seed))
        f_exact, g_exact = autograd.value_and_grad(mlp)(weights(seed))
        size = max(onp.abs(leaf).max() for leaf in g_exact.values())
        assert abs(f - f_exact) <= ULPS * EPS * abs(f_exact)
        assert list(g) == list(g_exact)
        for name, leaf in g_exact.items():
            assert g[name].shape == leaf.shape
            assert onp.abs(g[name] - leaf).max() <= 12 * ULPS * EPS * size
    assert counted.calls <= 10, "every call was traced again"


def test_products_and_hessians_of_a_neural_network_are_taped_correctly():
    counted, again = Counted(mlp), Counted(mlp)
    hvp, hessian = newtonkit.hvp(counted), newtonkit.hessian(again)
    for seed in range(8):
        p, v = weights(seed), weights(seed + 100)
        flat_v, _ = autograd.misc.flatten(v)
        product = hvp(p, v)
        flat_product, _ = autograd.misc.flatten(product)
        H = hessian(p)
        flat, unflatten = autograd.misc.flatten(p)
        exact_product = make_hvp(lambda z, back=unflatten: mlp(back(z)))(flat)[0](flat_v)
        size = onp.abs(H).max() * onp.abs(flat_v).sum()
        assert onp.abs(flat_product - exact_product).max() <= ULPS * EPS * size
        assert onp.abs(H @ flat_v - exact_product).max() <= ULPS * EPS * size
    assert counted.calls < 8
    assert again.calls < 8


def test_each_structure_of_parameters_has_separate_tapes():
    gradient = newtonkit.grad(lambda p: np.sum(p[0] ** 3) + np.sum(p[1] ** 2))
    for k in range(6):
        first = gradient([onp.full(2, 1.0 + k), onp.full(3, 2.0)])
        second = gradient([onp.full((2, 2), 1.0 + k), onp.full(1, 2.0)])
        onp.testing.assert_array_equal(first[0], onp.full(2, 3.0 * (1.0 + k) ** 2))
        onp.testing.assert_array_equal(second[0], onp.full((2, 2), 3.0 * (1.0 + k) ** 2))


@pytest.mark.parametrize("x", [2.0, [1.0, 2.0], onp.array([[1.0, 2.0], [3.0, 4.0]]), onp.array([1, 2, 3])])
def test_the_public_functions_are_correct_from_the_third_call_on(x):
    """Numbers, lists, matrices and integers as x."""

    def fun(z):
        return np.sum(z**4) + np.sum(np.sin(z))

    value_and_grad, grad, hvp = newtonkit.value_and_grad(fun), newtonkit.grad(fun), newtonkit.hvp(fun)
    hessian = newtonkit.hessian(fun)
    for k in range(7):
        at = onp.asarray(x, dtype=float) + 0.1 * k
        f, g = value_and_grad(at)
        flat = at.reshape(-1)
        first, second = 4 * at**3 + onp.cos(at), 12 * at**2 - onp.sin(at)
        assert f == pytest.approx(float(fun(at)), rel=ULPS * EPS)
        onp.testing.assert_allclose(onp.reshape(g, at.shape), first, rtol=ULPS * EPS)
        onp.testing.assert_allclose(onp.reshape(grad(at), at.shape), first, rtol=ULPS * EPS)
        onp.testing.assert_allclose(onp.reshape(hvp(at, onp.ones_like(at)), at.shape), second, rtol=ULPS * EPS)
        onp.testing.assert_allclose(hessian(at), onp.diag(second.reshape(flat.size)), rtol=ULPS * EPS)


# --- further arguments --------------------------------------------------------------------------------------------


def ridge(w, X, y, penalty, power=2, kind="sum"):
    r = np.dot(X, w) - y
    reduce = np.sum if kind == "sum" else np.mean
    return reduce(r**power) + penalty * np.dot(w, w)


def test_arrays_and_floats_among_args_are_runtime_inputs_of_one_tape():
    """40 calls with other data and another penalty each time call fun only for tracing and for comparisons."""
    counted = Counted(ridge)
    derivatives = Derivatives(counted)
    rng = onp.random.default_rng(2)
    for k in range(40):
        w, args = rng.standard_normal(4), (rng.standard_normal((6, 4)), rng.standard_normal(6), float(rng.uniform()))
        f, g = derivatives.value_and_gradient(w, args)
        f_exact, g_exact = autograd.value_and_grad(ridge)(w, *args)
        assert abs(f - f_exact) <= ULPS * EPS * abs(f_exact)
        assert onp.abs(g - g_exact).max() <= ULPS * EPS * onp.abs(g_exact).max()
        if k >= 2:
            assert derivatives.source == TAPE, derivatives.note
    assert counted.calls <= 12


def test_arrays_and_floats_among_args_are_runtime_inputs_of_the_tape_of_the_hessian():
    counted = Counted(ridge)
    derivatives = Derivatives(counted)
    rng = onp.random.default_rng(3)
    for k in range(20):
        w, args = rng.standard_normal(4), (rng.standard_normal((6, 4)), rng.standard_normal(6), float(rng.uniform()))
        found = derivatives.linearize(w, args)
        H = 2 * args[0].T @ args[0] + 2 * args[2] * onp.eye(4)
        size = onp.abs(H).max()
        assert onp.abs(found.hessian() - H).max() <= ULPS * EPS * size
        assert onp.abs(found.products(onp.eye(4)) - H).max() <= ULPS * EPS * size
        if k >= 2:
            assert derivatives.source == TAPE, derivatives.note
    assert counted.calls <= 12


def test_data_of_another_shape_get_their_own_tape():
    derivatives = Derivatives(ridge)
    rng = onp.random.default_rng(4)
    for _ in range(5):
        for rows in (3, 6, 1):
            w, args = rng.standard_normal(4), (rng.standard_normal((rows, 4)), rng.standard_normal(rows), 0.5)
            f, g = derivatives.value_and_gradient(w, args)
            f_exact, g_exact = autograd.value_and_grad(ridge)(w, *args)
            assert f == pytest.approx(f_exact, rel=ULPS * EPS)
            onp.testing.assert_allclose(g, g_exact, rtol=0, atol=ULPS * EPS * onp.abs(g_exact).max())


def test_integers_and_strings_among_args_are_constants_each_with_its_own_tape():
    derivatives = Derivatives(ridge)
    rng = onp.random.default_rng(5)
    X, y = rng.standard_normal((6, 4)), rng.standard_normal(6)
    for k in range(6):
        for power in (2, 4):
            for kind in ("sum", "mean"):
                w, args = rng.standard_normal(4), (X, y, 0.1, power, kind)
                f, g = derivatives.value_and_gradient(w, args)
                f_exact, g_exact = autograd.value_and_grad(ridge)(w, *args)
                assert f == pytest.approx(f_exact, rel=ULPS * EPS)
                onp.testing.assert_allclose(g, g_exact, rtol=0, atol=ULPS * EPS * onp.abs(g_exact).max())
                if k >= 2:
                    assert derivatives.source == TAPE, derivatives.note


DATA = {
    "integer labels": (lambda x, d: np.sum(np.logaddexp(0.0, x) - d * x), onp.array([0, 1, 1, 0])),
    "labels compared": (lambda x, d: np.sum((d == 1) * x**2 + (d == 0) * np.exp(x)), onp.array([0, 1, 1, 0])),
    "labels as an index": (lambda x, d: np.sum(x[d] ** 2 * C4), onp.array([3, 0, 0, 2])),
    "labels in arithmetic": (lambda x, d: np.sum((2 * d - 1) * x**3 + d / 2 + d**2 * x), onp.array([0, 1, 2, 3])),
    "bytes": (
        lambda x, d: np.sum((d * 1.0) * 100.0 * x**2 + (d * 1.0) ** 2 * x),
        onp.array([1, 120, 3, 4], dtype="i1"),
    ),
    "a mask": (lambda x, d: np.sum(d * x**2) + np.sum(np.where(d, x, x**3)), onp.array([True, False, True, True])),
    "a mask of ones": (lambda x, d: np.sum((d * 1.0 + d * 1.0) * x**2), onp.array([True, False, True, True])),
    "weights of single precision": (lambda x, d: np.sum(d * x**2), onp.array([0.1, 0.2, 0.3, 0.4], dtype="f4")),
    "single times double precision": (
        lambda x, d: np.sum(onp.float64(0.1) * d * x**2) + np.sum(onp.full(4, 0.3) * d * x**3),
        onp.array([0.1, 0.2, 0.3, 0.4], dtype="f4"),
    ),
    "single precision, entry by entry": (
        lambda x, d: sum(d[i] * d[i] * x[i] ** 2 for i in range(4)),
        onp.array([0.1, 0.2, 0.3, 0.4], dtype="f4"),
    ),
    "a matrix in Fortran order": (lambda x, d: weigh(d @ x), onp.asfortranarray(B44)),
    "every other row": (lambda x, d: weigh(d @ x**2), RNG.standard_normal((8, 4))[::2]),
    "a float": (lambda x, d: np.sum(np.abs(x) ** d) * d, 2.5),
    "a float of numpy": (lambda x, d: np.sum(np.abs(x) ** d) * d, onp.float64(2.5)),
    "a zero-dimensional array": (lambda x, d: np.sum(np.abs(x) ** d) * d, onp.array(2.5)),
    "an empty array": (lambda x, d: np.sum(x**2) + np.sum(d), onp.empty(0)),
    "data by iteration": (lambda x, d: sum(v * x[i] ** 2 for i, v in enumerate(d)), C4),
    "the shape of data": (lambda x, d: np.sum(d * x**2) / d.shape[0] / len(d) / d.size, C4),
}


@pytest.mark.parametrize("name", DATA)
def test_data_of_every_kind_among_args_are_taped_correctly(name):
    fun, data = DATA[name]
    assert_taped_gradient(fun, 4, args=(data,))
    if name != "integer labels":  # the Hessian does not depend on the labels
        assert_taped_hessian(fun, 4, args=(data,))


# --- degenerate functions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fun", [lambda x: np.dot(C4, x), lambda x: 2.0 * x[1] - x[3], lambda x: np.sum(x) + 1.0])
def test_a_linear_function_has_no_curvature_and_causes_no_warning(fun, recwarn):
    derivatives = Derivatives(fun)
    for x in points(4, 6):
        found = derivatives.linearize(x)
        onp.testing.assert_array_equal(found.hessian(), onp.zeros((4, 4)))
        onp.testing.assert_array_equal(found.product(onp.ones(4)), onp.zeros(4))
        onp.testing.assert_array_equal(found.products(onp.ones((3, 4))), onp.zeros((3, 4)))
        assert found.f == pytest.approx(fun(x), rel=ULPS * EPS)
        onp.testing.assert_allclose(found.g, autograd.grad(fun)(x), rtol=ULPS * EPS)
    assert derivatives.source == TAPE, derivatives.note
    assert not [str(w.message) for w in recwarn]


def test_a_linear_function_is_recorded_without_a_warning():
    """The warning of autograd for such functions does not reach the caller."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        derivatives = Derivatives(lambda x: np.dot(C4, x))
        for x in points(4, 6):
            derivatives.linearize(x).hessian()
    assert not [str(w.message) for w in seen]


@pytest.mark.parametrize("fun", [lambda x: 3.0, lambda x: 3, lambda x: np.sum(C4), lambda x: np.sum(np.sign(x))])
def test_a_constant_function_has_no_derivatives(fun):
    derivatives, again = Derivatives(fun), Derivatives(fun)
    for x in points(4, 6):
        f, g = derivatives.value_and_gradient(x)
        assert f == number(fun(x))
        onp.testing.assert_array_equal(g, onp.zeros(4))
        found = again.linearize(x)
        onp.testing.assert_array_equal(found.g, onp.zeros(4))
        onp.testing.assert_array_equal(found.hessian(), onp.zeros((4, 4)))
        onp.testing.assert_array_equal(found.product(onp.ones(4)), onp.zeros(4))


def test_the_product_with_no_directions_has_no_rows():
    derivatives = Derivatives(lambda x: np.sum(x**4) * np.prod(x))
    for x in points(3, 6):
        assert derivatives.linearize(x).products(onp.empty((0, 3))).shape == (0, 3)


def test_a_block_of_directions_of_any_size_agrees_with_single_products():
    """More directions than one block of the batched stage; within 64 ulps of the largest entry."""
    fun = CASES["matmul 2 2"][0]
    derivatives = Derivatives(fun)
    for x in points(4, 4):
        found = derivatives.linearize(x)
    assert derivatives.source == TAPE
    for count in (1, 2, 4, 5, 7):
        V = onp.random.default_rng(count).standard_normal((count, 4))
        one_by_one = onp.array([found.product(v) for v in V])
        assert onp.abs(found.products(V) - one_by_one).max() <= ULPS * EPS * onp.abs(one_by_one).max()


def test_non_finite_values_agree_with_autograd():
    """log of a negative number, an overflow, 0/0: NaN and Inf where autograd has them."""
    derivatives = Derivatives(lambda x: np.sum(np.log(x)) + np.exp(x[0]) / x[1])
    for x in points(2, 4, low=0.5):
        derivatives.value_and_gradient(x)
    assert derivatives.source == TAPE
    for bad in ([-1.0, 1.0], [0.0, 1.0], [1.0, 0.0], [800.0, 1.0], [onp.nan, 1.0], [onp.inf, 1.0]):
        x = onp.array(bad)
        with onp.errstate(all="ignore"):
            f_exact, g_exact = autograd.value_and_grad(derivatives.fun)(x)
            f, g = derivatives.value_and_gradient(x)
        onp.testing.assert_equal(f, f_exact)
        onp.testing.assert_equal(onp.isfinite(g), onp.isfinite(g_exact))


# --- functions that cannot be taped: correct results, with the reason -------------------------------------------------

LEFT_TO_AUTOGRAD = {
    "FFT": (lambda x: np.sum(np.abs(np.fft.fft(x)) ** 4), 4),
    "sort": (lambda x: weigh(np.sort(x) ** 2), 4),
    "partition": (lambda x: np.sum(np.partition(x, 2)[:2] ** 2), 5),
    "eigh": (
        lambda x: np.sum(np.linalg.eigh(well_conditioned(x) + well_conditioned(x).T + np.diag(np.arange(4.0)))[0] ** 3),
        4,
    ),
    "a dict of autograd's": (
        lambda x: (lambda d: np.sum(d["a"] ** 2) * d["b"])(autograd.builtins.dict({"a": x[:2], "b": x[3] ** 2})),
        4,
    ),
    "select": (lambda x: np.sum(np.select([x > 0, x <= 0], [x**2, x**3])), 4),
    "rows of data in the order of x": (lambda x: weigh(B44[np.argsort(x)] * x[:, None] ** 2), 4),
}


@pytest.mark.parametrize("name", LEFT_TO_AUTOGRAD)
def test_a_function_that_cannot_be_taped_gives_correct_results_and_a_note_with_the_reason(name):
    """Later versions may support these; the results must always be correct."""
    fun, n = LEFT_TO_AUTOGRAD[name]
    derivatives, again = Derivatives(fun), Derivatives(fun)
    for x in points(n, 6):
        f, g = derivatives.value_and_gradient(x)
        found = again.linearize(x)
        (f_exact, g_exact, H_exact), (df, dg, dH) = with_tolerances(fun, x)
        assert max(abs(f - f_exact), abs(found.f - f_exact)) <= df
        assert max(onp.abs(g - g_exact).max(), onp.abs(found.g - g_exact).max()) <= dg
        assert onp.abs(found.hessian() - H_exact).max() <= dH
    for one in (derivatives, again):
        assert (one.source == TAPE) != bool(one.note)


def test_labels_in_a_tuple_of_indices_are_inputs_of_the_tape():
    """scores[rows, labels], with other labels every time, negative ones among them; and other kinds of tuples."""
    rng = onp.random.default_rng(0)

    def fun(v, X, labels):
        scores = np.tanh(np.dot(X, v.reshape(2, 5)))
        picked = scores[np.arange(len(labels)), labels] ** 3
        return np.sum(picked) + np.sum(scores[labels[:3], 1:3] ** 2) + np.sum(scores[None, labels, 2][0] ** 4)

    derivatives, plain = Derivatives(fun), Derivatives(fun, tape=False)
    for _ in range(6):
        v, X, labels = rng.standard_normal(10), rng.standard_normal((4, 2)), rng.integers(-4, 4, 4)
        taped, exact = derivatives.linearize(v, (X, labels)), plain.linearize(v, (X, labels))
        onp.testing.assert_allclose(taped.f, exact.f, rtol=ULPS * EPS)
        onp.testing.assert_allclose(taped.g, exact.g, rtol=0, atol=ULPS * EPS * onp.abs(exact.g).max())
        H = exact.hessian()
        onp.testing.assert_allclose(taped.hessian(), H, rtol=0, atol=ULPS * EPS * onp.abs(H).max())
    assert derivatives.source == TAPE
    with pytest.raises(IndexError, match="index 7 is out of bounds"):
        derivatives.linearize(v, (X, onp.array([7, 0, 1, 2])))


def test_a_mask_in_a_tuple_of_indices_is_computed_by_plain_autograd():
    rng = onp.random.default_rng(0)
    derivatives = Derivatives(lambda x, mask: np.sum(x[mask,] ** 2))
    for _ in range(5):
        x, mask = rng.standard_normal(6), rng.random(6) < 0.5
        _, g = derivatives.value_and_gradient(x, (mask,))
        onp.testing.assert_array_equal(g, onp.where(mask, 2 * x, 0.0))
    assert "length of the result of __getitem__" in derivatives.note
