"""Convexity from structure: what is decided, and that nothing false is ever stated."""

import autograd.numpy as np
import numpy as onp
import pytest
from autograd.scipy.special import gammaln, logsumexp
from hypothesis import given, settings
from hypothesis import strategies as st

import newtonkit
from newtonkit.convex.analysis import convexity, prove

N = 6
RNG = onp.random.default_rng(0)
A = RNG.standard_normal((9, N))
B = RNG.standard_normal(9)
SIGNS = onp.sign(RNG.standard_normal(9))
SCORES = RNG.standard_normal((9, 2))
LABELS = RNG.integers(0, 3, 9)
ONE_HOT = onp.eye(3)[LABELS]


def _logits(x):
    return np.dot(SCORES, np.reshape(x, (2, 3)))


def _cross_entropy(x):
    s = _logits(x)
    s = s - np.max(s, axis=1, keepdims=True)
    return -np.mean(np.sum(ONE_HOT * (s - np.log(np.sum(np.exp(s), axis=1, keepdims=True))), axis=1))


def _cross_entropy_by_index(x):
    s = _logits(x)
    s = s - np.max(s, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(9), LABELS])


def _cross_entropy_by_softmax(x):
    e = np.exp(_logits(x) - np.max(_logits(x), axis=1, keepdims=True))
    return -np.sum(ONE_HOT * np.log(e / np.sum(e, axis=1, keepdims=True)))


def _huber(z, d):
    return np.where(np.abs(z) <= d, 0.5 * z**2, d * (np.abs(z) - 0.5 * d))


CONVEX = {
    "sum of squares": lambda x: np.sum(x**2),
    "least squares": lambda x: 0.5 * np.sum((A @ x - B) ** 2),
    "ridge": lambda x: np.sum((A @ x - B) ** 2) + 0.1 * np.dot(x, x),
    "logistic regression": lambda x: np.sum(np.log1p(np.exp(-SIGNS * (A @ x)))),
    "ridge logistic regression": lambda x: np.mean(np.logaddexp(0.0, -SIGNS * (A @ x))) + 0.05 * np.sum(x**2),
    "stable softplus": lambda x: np.sum(np.maximum(A @ x, 0) + np.log1p(np.exp(-np.abs(A @ x)))),
    "softmax regression": _cross_entropy,
    "softmax regression by index": _cross_entropy_by_index,
    "softmax regression by softmax": _cross_entropy_by_softmax,
    "log-sum-exp": lambda x: np.log(np.sum(np.exp(A @ x))),
    "log-sum-exp of scipy": lambda x: logsumexp(A @ x - B) + np.sum(x**2),
    "shifted log-sum-exp": lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x)))),
    "Huber": lambda x: np.sum(_huber(A @ x - B, 0.7)),
    "pseudo-Huber": lambda x: np.sum(np.sqrt(1.0 + (A @ x - B) ** 2) - 1.0),
    "total variation": lambda x: np.sum(np.sqrt((x[1:] - x[:-1]) ** 2 + 1e-6)) + 0.5 * np.sum((x - 1.0) ** 2),
    "Poisson regression": lambda x: np.sum(np.exp(A @ x) - np.abs(B) * (A @ x)),
    "squared hinge": lambda x: np.sum(np.maximum(0.0, 1.0 - SIGNS * (A @ x)) ** 2) + 1e-3 * np.sum(x**2),
    "negative entropy": lambda x: np.sum(x * np.log(x)),
    "relative entropy": lambda x: np.sum(x * np.log(x / 2.0) - x),
    "log barrier": lambda x: np.sum(x) - np.sum(np.log(2.0 - A @ x / 9.0)),
    "barrier of a box": lambda x: -np.sum(np.log(1.0 - x**2)),
    "quadratic form": lambda x: np.dot(x, np.dot(A.T @ A, x)) - np.sum(x),
    "group lasso": lambda x: np.linalg.norm(x[:3]) + np.linalg.norm(x[3:]) + np.sum((A @ x - B) ** 2),
    "fourth powers": lambda x: np.sum((A @ x - B) ** 4),
    "square over linear": lambda x: np.sum(x[1:] ** 2) / (x[0] + 5.0),
    "reciprocals": lambda x: np.sum(1.0 / x) + np.sum(x),
    "log-gamma": lambda x: np.sum(gammaln(x)) + np.sum(x**2),
    "hyperbolic cosine": lambda x: np.sum(np.cosh(A @ x)),
    "geometric program": lambda x: np.log(np.exp(A[0] @ x) + 2.0 * np.exp(A[1] @ x) + 0.5) + np.exp(A[2] @ x),
    "norm squared": lambda x: np.linalg.norm(A @ x - B) ** 2,
}

NOT_PROVED = {
    "Rosenbrock": lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2),
    "x exp(x)": lambda x: np.sum(x * np.exp(x)),
    "softplus times x": lambda x: np.sum(np.logaddexp(0.0, x) * x),
    "log-sum-exp without its shift": lambda x: np.log(np.sum(np.exp(x - np.max(x)))),
    "shift of another array": lambda x: np.max(2 * x) + np.log(np.sum(np.exp(x - np.max(x)))) - np.max(3.0 * x),
    "softplus with another slope": lambda x: np.sum(np.log1p(np.exp(-np.abs(x))) - 0.1 * np.maximum(x, 0.0)),
    "half of a stable softplus": lambda x: np.sum(np.log1p(0.5 * np.exp(-np.abs(x)))),
    "log1p of exp(-|x|)": lambda x: np.sum(np.log1p(np.exp(-np.abs(x)))),
    "maximum of concave": lambda x: np.max(-(x**2)),
    "minimum of affine": lambda x: np.min(x),
    "sine": lambda x: np.sum(np.sin(x)),
    "squared tanh": lambda x: np.sum(np.tanh(A @ x) ** 2),
    "double well": lambda x: np.sum(x**4 - x**2),
    "square of a convex function of any sign": lambda x: np.sum((x**2 - 1.0) ** 2),
    "product of two variables": lambda x: np.sum(x[1:] * x[:-1]),
    "indefinite form": lambda x: np.dot(x, np.dot(A[:N], x)),
    "square over a denominator of the other sign": lambda x: np.sum(x[1:] ** 2) / (x[0] - 5.0),
    "reciprocal of a convex function": lambda x: np.sum(1.0 / (1.0 + x**2)),
    "log of a square": lambda x: np.sum(np.log(1.0 + x**2)),
    "Huber with a falling slope": lambda x: np.sum(np.where(np.abs(x) <= 1.0, x**2, np.abs(x))),
    "Huber with a jump": lambda x: np.sum(np.where(np.abs(x) <= 1.0, 0.5 * x**2, 2.0 * np.abs(x))),
    "Huber of mixed arguments": lambda x: np.sum(np.where(np.abs(x) <= 1.0, 0.5 * x[::-1] ** 2, np.abs(x) - 0.5)),
    "square root of a fourth power minus": lambda x: np.sum(np.sqrt(1.0 + x**2) - x**2),
    "softmax entropy": lambda x: -np.sum(np.exp(x) / np.sum(np.exp(x))),
    "a row and a column": lambda x: np.sum((x[:, None] - x[None, :]) * np.log1p(np.exp(-np.abs(x)))),
    "branch by value": lambda x: np.sum(x**2) if x[0] > 0 else np.sum(x**4),
    "index by value": lambda x: x[np.argmax(x)] ** 2,
    "permuted shift": lambda x: np.sum(np.max(x) * np.ones(N) + np.log(np.cumsum(np.exp(x - np.max(x))[::-1]))),
    "negative multiple of a norm": lambda x: -np.linalg.norm(x),
    "cube": lambda x: np.sum(x**3),
}

START = onp.array([0.3, 0.5, 0.2, 0.6, 0.4, 0.35])


@pytest.mark.parametrize("name", CONVEX)
def test_convex_functions_are_decided(name):
    proof = convexity(CONVEX[name], START)
    assert proof.convex, proof.tree


@pytest.mark.parametrize("name", NOT_PROVED)
def test_nothing_is_stated_of_functions_that_are_not_convex(name):
    assert convexity(NOT_PROVED[name], START).kind == "unknown"


def _finite_points(fun, rng, scale, count):
    """Points of the domain: those at which f is finite."""
    with onp.errstate(all="ignore"):
        points = [START + scale * rng.standard_normal(N) for _ in range(count)]
        return [x for x in points if onp.isfinite(float(fun(x)))]


def _violates_midpoint(fun, points):
    """The first pair whose midpoint is above the mean of its values by more than rounding."""
    with onp.errstate(all="ignore"):
        for x, y in zip(points[::2], points[1::2], strict=False):
            values = float(fun(x)), float(fun(y)), float(fun(0.5 * (x + y)))
            size = abs(values[0]) + abs(values[1]) + 1.0
            if values[2] > 0.5 * (values[0] + values[1]) + 1e-10 * size:
                return x, y
    return None


@pytest.mark.parametrize("name", CONVEX)
def test_midpoints_of_convex_functions(name):
    fun, rng = CONVEX[name], onp.random.default_rng(1)
    inside = "set where" in convexity(fun, START).domain
    for scale in (0.05,) if inside else (0.1, 1.0, 10.0):
        assert _violates_midpoint(fun, _finite_points(fun, rng, scale, 200)) is None


@pytest.mark.parametrize("name", CONVEX)
def test_hessians_are_at_least_the_moduli(name):
    fun, rng = CONVEX[name], onp.random.default_rng(2)
    moduli = convexity(fun, START).moduli
    if not moduli.any():
        assert convexity(fun, START).mu == 0.0
    for x in _finite_points(fun, rng, 0.05, 20):
        H = newtonkit.hessian(fun)(x)
        least = onp.linalg.eigvalsh(H - onp.diag(moduli))[0]
        assert least >= -1e-10 * max(1.0, onp.abs(H).max())


def test_the_gap_bounds_the_distance_to_the_minimum():
    fun = CONVEX["ridge logistic regression"]
    proof = convexity(fun, START)
    lowest = newtonkit.minimize(fun, START, tol=1e-12).fun
    for scale in (1e-3, 0.1, 1.0):
        x = START + scale
        f, g = newtonkit.value_and_grad(fun)(x)
        assert f - lowest <= proof.gap(g)
    assert proof.gap(onp.zeros(N)) == 0.0


def test_convex_without_modulus_has_no_gap():
    proof = convexity(lambda x: np.sum(np.exp(-x)), START)
    assert proof.kind == "convex"
    assert proof.gap(onp.full(N, 1e-6)) == onp.inf
    assert proof.lower_bound == 0.0


def test_bounds_on_x_give_moduli():
    """exp'' ≥ exp(−1) on [−1, 2]; (x⁴)'' ≥ 12 on [1, 2]."""
    proof = prove(lambda x: np.sum(np.exp(x)), START, (), -1.0, 2.0)
    assert onp.exp(-1.0) * (1 - 1e-9) <= proof.mu <= onp.exp(-1.0)
    assert prove(lambda x: np.sum(x**4), onp.full(N, 1.5), (), 1.0, 2.0).mu == pytest.approx(12.0)
    assert prove(lambda x: -np.sum(np.log(x)), START, (), 0.0, 2.0).mu == pytest.approx(0.25)
    assert prove(lambda x: np.sum(x * np.log(x)), START, (), 0.0, 4.0).mu == pytest.approx(0.25)


def test_a_zero_residual_is_a_lower_bound():
    assert convexity(lambda x: np.sum((np.tanh(A @ x) - B) ** 2), START).lower_bound == 0.0


def test_structured_parameters():
    start = {"w": onp.zeros((2, 3)), "b": onp.zeros(3)}

    def loss(p):
        s = np.dot(SCORES, p["w"]) + p["b"]
        return np.mean(logsumexp(s, axis=1) - np.sum(ONE_HOT * s, axis=1)) + 0.01 * np.sum(p["w"] ** 2)

    proof = convexity(loss, start)
    assert proof.kind == "convex"  # the biases have no modulus
    assert sorted(set(proof.moduli.round(6))) == [0.0, 0.02]


def test_constants_that_leak_from_x_are_found():
    seen = []

    def remembers(x):
        seen.append(1.0)
        return np.sum((x - len(seen)) ** 2)

    proof = convexity(remembers, START)
    assert proof.kind == "unknown"
    assert "depend on the values of x" in proof.tree


def test_the_tree_names_the_call_without_a_rule():
    proof = convexity(NOT_PROVED["sine"], START)
    assert "no rule for sin of (x)" in str(proof)
    assert "sum [1]: unknown" in proof.tree


# random compositions: whatever is stated must hold at random midpoints

_LEAVES = [lambda x: x, lambda x: A[:N] @ x, lambda x: 1.0 - x, lambda x: x[::-1] * 0.5, lambda x: A @ x - B]
_UNARY = [
    lambda z: z**2,
    lambda z: z**3,
    lambda z: np.exp(z),
    lambda z: -z,
    lambda z: np.abs(z),
    lambda z: np.log1p(np.exp(-np.abs(z))),
    lambda z: np.maximum(z, 0.0),
    lambda z: np.minimum(z, 1.0),
    lambda z: np.sqrt(1.0 + z**2),
    lambda z: np.log(1.0 + np.exp(z)),
    lambda z: z - np.max(z),
    lambda z: np.max(z) + 0.0 * z,
    lambda z: np.log(np.cumsum(np.exp(z - np.max(z)))),
    lambda z: 1.0 / (2.0 + z**2),
    lambda z: np.exp(z) / np.sum(np.exp(z)),
    lambda z: np.log(np.exp(z) / np.sum(np.exp(z))),
    lambda z: np.where(np.abs(z) < 1.0, 0.5 * z**2, np.abs(z) - 0.5),
    lambda z: np.where(np.abs(z) < 1.0, z**2, np.abs(z)),
    lambda z: np.tanh(z),
    lambda z: np.cosh(z),
    lambda z: 0.5 * z[::-1],
    lambda z: z * np.log(1e-9 + np.exp(z)),
    lambda z: np.logaddexp(0.0, z),
    lambda z: np.sum(z**2) / (3.0 + z**2),
]
_BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a + 0.5 * b,
    lambda a, b: a * b,
    lambda a, b: np.maximum(a, b),
    lambda a, b: a + np.max(b),
    lambda a, b: a - np.max(b),
    lambda a, b: a**2 / (1.0 + np.exp(b)),
]


@st.composite
def _expressions(draw):
    leaf = draw(st.sampled_from(_LEAVES[:4]))
    steps = draw(
        st.lists(
            st.one_of(st.sampled_from(_UNARY), st.tuples(st.sampled_from(_BINARY), st.sampled_from(_UNARY))), max_size=4
        )
    )
    side = draw(st.sampled_from(_LEAVES[:4]))

    def fun(x):
        z = leaf(x)
        for step in steps:
            z = step[0](z, step[1](side(x))) if isinstance(step, tuple) else step(z)
        return np.sum(z)

    return fun


@settings(max_examples=400, deadline=None, derandomize=True)
@given(_expressions(), st.integers(0, 2**16))
def test_random_compositions_keep_what_is_stated(fun, seed):
    proof = convexity(fun, START)
    if not proof.convex:
        return
    rng = onp.random.default_rng(seed)
    for scale in (0.1, 1.0, 3.0):
        assert _violates_midpoint(fun, _finite_points(fun, rng, scale, 40)) is None, proof.tree


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_expressions(), st.integers(0, 2**16))
def test_random_compositions_stay_within_their_lower_bounds(fun, seed):
    bound = convexity(fun, START).lower_bound
    for x in _finite_points(fun, onp.random.default_rng(seed), 2.0, 20):
        value = float(fun(x))
        assert value >= bound - 1e-12 * abs(bound) - 1e-12
