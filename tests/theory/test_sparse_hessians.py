"""Sparse Hessians: the pattern contains all nonzero entries, the groups separate columns, the values are exact."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.sparse as sp
from autograd.extend import defvjp, primitive
from autograd.scipy.special import gammaln, logsumexp
from hypothesis import given, settings
from hypothesis import strategies as st

from newtonkit import DifferentiationError, hessian
from newtonkit.derivatives.sparsity.colouring import (
    SparseHessian,
    _first_fit_in_python,
    first_fit,
    group_columns,
    sparse_hessian,
)
from newtonkit.derivatives.sparsity.patterns import SparsityError, find_pattern, hessian_pattern

EPS = float(np.finfo(np.float64).eps)
N = 24  # for most functions: 4×6 as a grid
RNG = np.random.default_rng(5)

# --- functions whose pattern is known exactly -----------------------------------------------------------------------

BANDED = np.diag(np.arange(1.0, N + 1)) + np.diag(np.full(N - 1, 0.5), 1)
DENSE = RNG.standard_normal((7, N))
SHUFFLED = RNG.permutation(N)
REPEATED = np.array([3, 3, 0, 7, 3, 11])
EVEN = np.arange(N) % 2 == 0


def rosenbrock(x):
    return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def least_squares_chain(x):
    r = x[:-2] ** 2 + x[1:-1] - anp.sin(x[2:]) - 0.5
    return 0.5 * anp.sum(r * r) + 0.005 * anp.sum((x[1:] - x[:-1]) ** 2)


def on_grid(energy):
    return lambda x: energy(anp.pad(anp.reshape(x, (4, 6)), 1, mode="constant"))


def bratu(U):
    return 0.5 * (anp.sum((U[1:] - U[:-1]) ** 2) + anp.sum((U[:, 1:] - U[:, :-1]) ** 2)) - 0.1 * anp.sum(anp.exp(U))


def minimal_surface(U):
    dx, dy = U[1:, :-1] - U[:-1, :-1], U[:-1, 1:] - U[:-1, :-1]
    ex, ey = U[1:, 1:] - U[:-1, 1:], U[1:, 1:] - U[1:, :-1]
    return anp.sum(anp.sqrt(1 + dx**2 + dy**2) + anp.sqrt(1 + ex**2 + ey**2))


def loop(x):
    total = 0.0
    for i in range(N - 2):
        total = total + x[i] * x[i + 2] ** 2
    return total


EXACT = {
    "chained Rosenbrock": rosenbrock,
    "least squares on a chain": least_squares_chain,
    "Bratu on a grid": on_grid(bratu),
    "minimal surface": on_grid(minimal_surface),
    "arrowhead": lambda x: x[0] * anp.sum(x**2),
    "two arrowheads": lambda x: x[3] * anp.sum(x**2) + anp.exp(x[20]) * anp.sum(x**3),
    "separable": lambda x: anp.sum(gammaln(1.0 + x**2)),
    "rank one": lambda x: anp.sum(x) ** 2,
    "log-sum-exp": lambda x: anp.log(anp.sum(anp.exp(x))),
    "log-sum-exp of lines": lambda x: anp.sum(logsumexp(anp.reshape(x, (4, 6)), axis=1) ** 2),
    "a product with a dense matrix": lambda x: anp.sum(anp.dot(DENSE, x) ** 4),
    "a product with a banded matrix": lambda x: anp.sum((BANDED @ x) ** 4),
    "a product with a banded matrix on the right": lambda x: anp.sum((x @ BANDED) ** 4),
    "a matrix times a grid": lambda x: anp.sum(anp.dot(BANDED[:4, :4], anp.reshape(x, (4, 6))) ** 4),
    "a grid times a matrix": lambda x: anp.sum(anp.dot(anp.reshape(x, (4, 6)), BANDED[:6, :6]) ** 4),
    "two factors of x": lambda x: anp.sum(anp.dot(anp.reshape(x[:6], (2, 3)), anp.reshape(x[6:12], (3, 2))) ** 2),
    "outer product": lambda x: anp.sum(anp.outer(x[:3], x[3:5]) ** 3),
    "inner product": lambda x: anp.dot(x[:5], x[5:10]) ** 2,
    "fancy indexing": lambda x: anp.sum(x[SHUFFLED] * x**2),
    "an index that occurs twice": lambda x: anp.sum(x[REPEATED] * x[:6] ** 2),
    "a constant mask": lambda x: anp.sum(x[EVEN] ** 2 * x[~EVEN]),
    "where, by a constant": lambda x: anp.sum(anp.where(EVEN, x**3, x * x[::-1])),
    "Python loop": loop,
    "running sums": lambda x: anp.sum(anp.cumsum(x) ** 4),
    "running sums of lines": lambda x: anp.sum(anp.cumsum(anp.reshape(x, (4, 6)), axis=1) ** 4),
    "sums of columns": lambda x: anp.sum(anp.sum(anp.reshape(x, (4, 6)), axis=0) ** 4),
    "means of lines": lambda x: anp.sum(anp.mean(anp.reshape(x, (4, 6)), axis=-1, keepdims=True) ** 4),
    "differences": lambda x: anp.sum(anp.diff(x) ** 4),
    "second differences": lambda x: anp.sum(anp.diff(anp.reshape(x, (4, 6)), n=2, axis=0) ** 4),
    "tiles": lambda x: anp.sum(anp.tile(x[:12], 2) * x**2),
    "repetition": lambda x: anp.sum(anp.repeat(x[:12], 2) * x**2),
    "roll": lambda x: anp.sum(anp.roll(x, 3) * x**2),
    "stack": lambda x: anp.sum(anp.stack([x[:12], x[12:]]) ** 2 * anp.concatenate((x[:6], x[18:]))),
    "a list of entries": lambda x: anp.sum(anp.array([x[0] * x[1], x[2] ** 2, 1.0]) ** 2),
    "diagonal": lambda x: anp.sum(anp.diag(anp.reshape(x[:16], (4, 4))) ** 2 * x[16:20]),
    "triangle": lambda x: anp.sum(anp.tril(anp.reshape(x[:16], (4, 4))) ** 3),
    "a constant with zeros": lambda x: anp.sum((EVEN * x) ** 3),
    "broadcast": lambda x: anp.sum((anp.reshape(x[:4], (4, 1)) * anp.reshape(x[4:10], (1, 6))) ** 3),
    "transpose": lambda x: anp.sum(anp.reshape(x, (4, 6)).T.ravel() * x**2),
    "intermediate single precision": lambda x: anp.sum((x * x).astype(np.float64) * x[::-1]),
    "signs and comparisons": lambda x: anp.sum(x**3 * (anp.sign(x[::-1]) + (anp.roll(x, 1) > 0) + anp.floor(x[1]))),
    "linear": lambda x: anp.sum(3.0 * x),
    "constant": lambda x: 2.0,
}

# --- functions whose pattern may be larger than necessary -----------------------------------------------------------


@primitive
def smooth_norm(x):
    return np.sqrt(1.0 + np.sum(x**2))


defvjp(smooth_norm, lambda ans, x: lambda g: g * x / ans)


@primitive
def opaque_cube(x):
    return x**3


defvjp(opaque_cube, lambda ans, x: lambda g: g * 3 * opaque_square(x))


@primitive
def opaque_square(x):
    return x**2


defvjp(opaque_square, lambda ans, x: lambda g: g * 2 * x)

TABLE = np.linspace(1.0, 2.0, N)

CONSERVATIVE = {
    "zeros that are computed": lambda x: anp.sum(anp.tril(anp.outer(x[:4], x[4:8])) ** 3),
    "pieces": lambda x: anp.sum(anp.split(x, 3)[0] ** 2 * anp.split(x, 3)[2]),
    "where, by x": lambda x: anp.sum(anp.where(x > 0, x**3, x * x[::-1])),
    "absolute value": lambda x: anp.sum(anp.abs(x[1:] - x[:-1]) ** 3),
    "maximum": lambda x: anp.sum(anp.maximum(x[1:], x[:-1]) ** 2),
    "largest of a line": lambda x: anp.sum(anp.max(anp.reshape(x, (4, 6)) ** 3, axis=1)),
    "clip": lambda x: anp.sum(anp.clip(x, -0.5, 0.5) ** 2 * x[::-1]),
    "an index that depends on x": lambda x: anp.sum(x[anp.argsort(x)][:3] ** 3 * np.arange(1, 4)),
    "a table read at x": lambda x: anp.sum(TABLE[SHUFFLED] * x**2) + anp.sum(x[anp.argsort(x)] * TABLE * x),
    "a mask that depends on x": lambda x: anp.sum(x[x > 0] ** 3),
    "sorting": lambda x: anp.sum(anp.sort(x) ** 2 * TABLE),
    "a branch on x": lambda x: x[0] ** 2 if x[0] > 0 else x[0] * anp.sum(x**2),
    "an unknown primitive": lambda x: smooth_norm(x[:4]) + anp.sum(opaque_cube(x[4:])),
    "contraction by letters": lambda x: anp.sum(anp.einsum("ij,kj->ik", anp.reshape(x, (4, 6)), DENSE[:, :6]) ** 3),
    "a determinant": lambda x: anp.log(anp.linalg.det(3 * np.eye(3) + 0.1 * anp.reshape(x[:9], (3, 3)))),
}
ALL = EXACT | CONSERVATIVE


def true_pattern(fun, n=N):
    """The entries of the dense Hessian that are not zero at one of a few points."""
    points = np.random.default_rng(8).uniform(-1.5, 1.5, (5, n))
    return np.any([hessian(fun)(x) != 0 for x in points], axis=0)


def point(n=N, seed=3):
    return np.random.default_rng(seed).uniform(-1.5, 1.5, n)


# --- the pattern ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_pattern_contains_every_entry_that_is_not_zero_at_some_point(name):
    assert not (true_pattern(ALL[name]) & ~hessian_pattern(ALL[name], point()).toarray()).any()


@pytest.mark.parametrize("name", EXACT)
def test_the_pattern_contains_no_other_entry_if_every_function_has_a_rule(name):
    P, reason = find_pattern(EXACT[name], point())
    assert reason == ""
    assert (P.toarray() == true_pattern(EXACT[name])).all()


@pytest.mark.parametrize("name", ALL)
def test_the_pattern_is_a_symmetric_matrix_of_booleans_with_sorted_columns(name):
    P = hessian_pattern(ALL[name], point())
    assert isinstance(P, sp.csc_array)
    assert P.dtype == bool
    assert P.shape == (N, N)
    assert P.data.all()
    assert P.has_canonical_format
    assert (P.toarray() == P.toarray().T).all()


def test_both_branches_count_if_and_only_if_x_decides_between_them():
    P, reason = find_pattern(lambda x: anp.sum(anp.where(x > 0, x**2, x[::-1]) ** 2), point())
    assert reason == ""
    assert (P.toarray() == (np.eye(N) + np.eye(N)[::-1] > 0)).all()


def test_the_pattern_does_not_depend_on_the_point_of_the_recording():
    for fun in (CONSERVATIVE["where, by x"], CONSERVATIVE["an index that depends on x"]):
        assert (hessian_pattern(fun, np.arange(N) + 1.0) != hessian_pattern(fun, -np.arange(N) - 1.0)).nnz == 0


def test_a_mask_that_is_empty_at_the_recording_does_not_prove_zeros():
    fun = CONSERVATIVE["a mask that depends on x"]
    assert hessian_pattern(fun, -np.ones(N)).nnz == N * N
    np.testing.assert_allclose(sparse_hessian(fun, np.ones(N)).toarray(), 6 * np.eye(N))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("an unknown primitive", "opaque_square"),
        ("contraction by letters", "einsum"),
        ("sorting", "depends on the values of x"),
        ("a branch on x", "depends on the values of x"),
        ("a mask that depends on x", "length"),
    ],
)
def test_the_reason_for_a_dense_pattern_is_given(name, word):
    assert word in SparseHessian(CONSERVATIVE[name], point()).reason


def test_the_result_of_an_unknown_primitive_depends_on_all_that_it_reads_and_nothing_else():
    P = hessian_pattern(lambda x: anp.sum(opaque_cube(x[4:])) + anp.sum(x[:4] ** 2), point()).toarray()
    assert P[4:, 4:].all()
    assert (P[:4, :4] == np.eye(4)).all()
    assert not P[:4, 4:].any()


def test_arguments_are_held_fixed_and_an_index_among_them_is_known():
    def fun(x, index, weight):
        return weight * anp.sum(x[index] ** 2 * x[:4])

    args = (np.array([5, 6, 7, 8]), 2.5)
    expected = hessian(fun)(point(), *args)
    assert (hessian_pattern(fun, point(), args).toarray() == (expected != 0)).all()
    np.testing.assert_allclose(sparse_hessian(fun, point(), args).toarray(), expected, rtol=4 * EPS)


def test_parameters_with_structure_are_numbered_as_they_are_flattened():
    def fun(p):
        return anp.sum(p["a"] ** 2 * p["b"][0]) + anp.sum(p["b"][1] ** 3)

    x = {"a": np.arange(1.0, 4.0), "b": [np.array(2.0), np.arange(3.0, 5.0)]}
    assert (sparse_hessian(fun, x).toarray() == hessian(fun)(x)).all()
    assert not ((hessian(fun)(x) != 0) & ~hessian_pattern(fun, x).toarray()).any()


# --- movements at random --------------------------------------------------------------------------------------------


@st.composite
def movements(draw):
    """Source text of a chain of data movements with 12 entries at each stage."""
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    shape = draw(st.sampled_from([(3, 4), (2, 6), (12, 1)]))
    moves = {
        "shuffle": (rng.permutation(12), lambda y, k: y[k]),
        "pick": (rng.integers(0, 12, 12), lambda y, k: y[k]),
        "mask": (rng.random(12) < 0.5, lambda y, k: anp.concatenate((y[k], y[~k]))),
        "roll": (int(rng.integers(12)), lambda y, k: anp.roll(y, k)),
        "flip": (None, lambda y, k: y[::-1]),
        "transpose": (shape, lambda y, k: anp.reshape(anp.transpose(anp.reshape(y, k)), 12)),
        "line": (shape, lambda y, k: anp.ravel(anp.reshape(y, k)[[0] * k[0]])),
        "pair": (
            (rng.integers(0, shape[0], 12), rng.integers(0, shape[1], 12), shape),
            lambda y, k: anp.reshape(y, k[2])[k[0], k[1]],
        ),
        "column": (shape, lambda y, k: anp.ravel(anp.reshape(y, k)[:, :1] + np.zeros(k))),
        "gap": (shape, lambda y, k: anp.pad(y[3:9], 3, mode="constant")),
        "repeat": (3, lambda y, k: anp.repeat(y[::k], k)),
        "tile": (4, lambda y, k: anp.tile(y[: 12 // k], k)),
        "upper": (None, lambda y, k: anp.ravel(anp.triu(anp.reshape(y, (3, 4))))),
        "where": (rng.random(12) < 0.5, lambda y, k: anp.where(k, y, 0.0)),
    }
    names = draw(st.lists(st.sampled_from(sorted(moves)), min_size=1, max_size=4))

    def move(x):
        for name in names:
            constant, step = moves[name]
            x = step(x, constant)
        return x

    move.__name__ = " ".join(names)
    return move


@settings(max_examples=60, deadline=None)
@given(movements(), movements())
def test_any_chain_of_data_movements_is_followed_exactly(first, second):
    def fun(x):  # no second derivative cancels
        return anp.sum(anp.exp(first(x) + second(x)))

    x = point(12) + 2.0
    P, reason = find_pattern(fun, x)
    assert reason == ""
    assert (P.toarray() == (hessian(fun)(x) != 0)).all()


# --- the groups -----------------------------------------------------------------------------------------------------


def assert_columns_are_separated(pattern, groups):
    P = pattern.toarray()
    for number in range(groups.count):
        members = np.flatnonzero(groups.of == number)
        assert len(members)
        assert not groups.dense[members].any() or len(members) == 1
        assert (P[~groups.dense][:, members].sum(axis=1) <= 1).all()
    used = P[:, ~groups.dense][~groups.dense].any(axis=0)
    assert (groups.of[~groups.dense][used] >= 0).all()
    assert (groups.of[groups.dense] >= 0).all()


@pytest.mark.parametrize("name", ALL)
def test_no_two_columns_of_a_group_share_a_row_that_is_not_dense(name):
    pattern = hessian_pattern(ALL[name], point())
    assert_columns_are_separated(pattern, group_columns(pattern))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.floats(0.0, 0.4), st.integers(0, 3), st.integers(0, 2**16))
def test_the_groups_are_valid_for_any_symmetric_pattern(n, fill, heads, seed):
    rng = np.random.default_rng(seed)
    P = rng.random((n, n)) < fill
    for head in rng.integers(0, n, heads):
        P[head] = True
    pattern = sp.csc_array(P | P.T)
    groups = group_columns(pattern)
    assert_columns_are_separated(pattern, groups)
    assert groups.count <= n
    H = sp.csc_array(np.where(P | P.T, 1.0 + np.add.outer(np.arange(n), np.arange(n)), 0.0))
    hessian_of = SparseHessian(lambda x: 0.5 * anp.dot(x, anp.dot(H.toarray(), x)), np.ones(n))
    assert (hessian_of(np.ones(n)).toarray() == H.toarray()).all()


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("chained Rosenbrock", 3),
        ("Bratu on a grid", 7),
        ("arrowhead", 2),
        ("two arrowheads", 3),
        ("separable", 1),
        ("linear", 0),
        ("constant", 0),
        ("rank one", N),
    ],
)
def test_the_number_of_groups_is_that_of_the_literature(name, count):
    assert group_columns(hessian_pattern(EXACT[name], point())).count <= count


def test_the_greedy_algorithm_in_python_gives_the_groups_of_scipy():
    for seed in range(5):
        P = sp.random_array((60, 60), density=0.05, rng=np.random.default_rng(seed)) != 0
        pattern = sp.csc_array(P + P.T)
        assert (_first_fit_in_python(pattern) == first_fit(pattern)).all()


class Counted:
    """A linearization that counts its products."""

    def __init__(self, linearization):
        self.count = 0
        self.original = linearization

    def product(self, v):
        self.count += 1
        return self.original.product(v)

    def products(self, V):
        self.count += len(V)
        return self.original.products(V)


def test_an_arrowhead_needs_two_products_and_a_third_where_it_is_checked():
    H = SparseHessian(EXACT["arrowhead"], point(1000))
    counts = []
    for seed in range(5):
        counted = Counted(H.derivatives.linearize(point(1000, seed)))
        H.at(counted)
        counts.append(counted.count)
    assert counts == [3, 3, 2, 3, 2]


# --- the values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_sparse_hessian_is_the_dense_one_at_every_point(name):
    H = SparseHessian(ALL[name], point())
    for seed in range(3):
        x = point(seed=seed)
        dense = hessian(ALL[name])(x)
        assert abs(H(x).toarray() - dense).max() <= 64 * EPS * max(1.0, abs(dense).max())


@pytest.mark.parametrize("name", ALL)
def test_the_sparse_hessian_is_exactly_symmetric_with_the_entries_of_the_pattern(name):
    H = sparse_hessian(ALL[name], point())
    assert isinstance(H, sp.csc_array)
    assert H.dtype == np.float64
    assert (H.toarray() == H.toarray().T).all()
    assert H.nnz == hessian_pattern(ALL[name], point()).nnz


def test_hessians_at_different_points_share_no_memory_with_each_other_or_the_pattern():
    H = SparseHessian(rosenbrock, point())
    first = H(point())
    kept = first.toarray()
    H(point() + 1.0)
    assert (first.toarray() == kept).all()
    assert not np.shares_memory(first.indices, H.pattern.indices)


def test_an_infinite_curvature_is_found_in_its_place():
    def fun(x):
        return anp.sum(x[1:] ** 2 * x[:-1]) + anp.sum(anp.abs(x) ** 1.5)

    x = np.ones(30)
    x[7] = 0.0
    with np.errstate(all="ignore"):
        H = sparse_hessian(fun, x).toarray()
    assert not np.isfinite(H[7, 7])
    elsewhere = np.delete(np.arange(30), 7)
    assert np.isfinite(H[np.ix_(elsewhere, elsewhere)]).all()


def changing(n):
    """A quartic in Mx, and its matrix M. M is diagonal at first, and the pattern uses its zeros."""
    M = np.eye(n)
    return M, lambda x: anp.sum(anp.dot(M, x) ** 4)


def test_a_pattern_that_has_become_wrong_is_detected_and_replaced_by_a_dense_one():
    M, fun = changing(30)
    H = SparseHessian(fun, np.ones(30))
    assert H.pattern.nnz == 30
    M += np.tri(30)
    x = point(30)
    np.testing.assert_allclose(H(x).toarray(), hessian(fun)(x), rtol=1e-12)
    assert "disagreed" in H.reason
    assert H.pattern.nnz == 900


def test_with_many_variables_a_wrong_pattern_is_an_error():
    M, fun = changing(2001)
    H = SparseHessian(fun, np.ones(2001))
    M[0, 1] = 3.0
    with pytest.raises(SparsityError, match="disagreed"):
        H(np.ones(2001))


# --- what is not supported ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rank one", "running sums", "log-sum-exp", "sorting", "a branch on x"])
def test_a_dense_hessian_of_very_many_variables_is_refused_before_it_takes_memory(name):
    fun = (ALL | {"running sums": lambda x: anp.sum(anp.cumsum(x) ** 4), "sorting": lambda x: anp.sum(anp.sort(x))})[
        name
    ]
    with pytest.raises(SparsityError, match="100000 variables is too large"):
        hessian_pattern(fun, point(100_000))


def test_a_chain_of_very_many_variables_is_sparse():
    H = SparseHessian(rosenbrock, point(100_000))
    assert (H.pattern.nnz, H.groups.count, H.reason) == (299_998, 3, "")
    x = point(100_000, seed=1)
    np.testing.assert_allclose(H(x).diagonal()[1:-1], 1200 * x[1:-1] ** 2 - 400 * x[2:] + 202)
    np.testing.assert_allclose(H(x).diagonal(1), -400 * x[:-1])


def test_a_function_that_autograd_cannot_differentiate_raises_an_error():
    with pytest.raises(DifferentiationError):
        hessian_pattern(lambda x: float(x[0]) ** 2, np.ones(3))
    with pytest.raises(ZeroDivisionError):
        sparse_hessian(lambda x: 1 / 0, np.ones(3))


def test_a_point_of_another_length_is_refused():
    with pytest.raises(ValueError, match="24 entries, got 3"):
        SparseHessian(rosenbrock, point())(np.ones(3))
