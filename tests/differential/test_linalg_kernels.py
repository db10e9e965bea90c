"""The kernels of BLAS and LAPACK against the same operations written in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newtonkit.linalg import kernels as linalg

EPS = float(np.finfo(np.float64).eps)
EXAMPLES = settings(deadline=None, max_examples=80, derandomize=True)
sizes, seeds = st.integers(1, 60), st.integers(0, 10**6)


def vectors(n, seed, count):
    """Random vectors with entries over eight orders of magnitude."""
    rng = np.random.default_rng([n, seed])
    return rng.standard_normal((count, n)) * 10.0 ** rng.uniform(-4, 4, (count, n))


def symmetric(n, seed):
    A = np.random.default_rng([n, seed]).standard_normal((n, n))
    return A + A.T


@EXAMPLES
@given(sizes, seeds)
def test_dot_is_the_sum_of_products(n, seed):
    x, y = vectors(n, seed, 2)
    assert linalg.dot(x, y) == pytest.approx(np.sum(x * y), rel=0, abs=n * EPS * np.sum(np.abs(x * y)))
    assert isinstance(linalg.dot(x, y), float)


@EXAMPLES
@given(sizes, seeds, st.floats(-1e3, 1e3))
def test_add_scaled_is_y_plus_alpha_x_in_the_memory_of_y(n, seed, alpha):
    x, y = vectors(n, seed, 2)
    x, y = x.copy(), y.copy()
    expected, x_before = y + alpha * x, x.copy()
    result = linalg.add_scaled(y, alpha, x)
    np.testing.assert_allclose(result, expected, rtol=0, atol=2 * EPS * (np.abs(alpha * x).max() + np.abs(y).max() * 2))
    np.testing.assert_array_equal(x, x_before)
    assert np.shares_memory(result, y)


@EXAMPLES
@given(sizes, seeds)
def test_the_norms_are_the_root_of_the_sum_of_squares_and_the_largest_entry(n, seed):
    (x,) = vectors(n, seed, 1)
    assert linalg.norm(x) == pytest.approx(np.sqrt(np.sum(x**2)), rel=n * EPS)
    assert linalg.max_norm(x) == np.abs(x).max()
    assert linalg.max_norm(-x) == np.abs(x).max()


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
def test_the_norm_neither_overflows_nor_underflows(size):
    assert linalg.norm(np.array([3.0, 4.0]) * size) == pytest.approx(5.0 * size, rel=4 * EPS)
    assert linalg.norm(np.zeros(3)) == 0.0
    assert linalg.max_norm(np.zeros(3)) == 0.0


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_all_finite_sees_one_bad_entry_anywhere(n, bad):
    for i in range(n):
        x = np.ones(n)
        x[i] = bad
        assert not linalg.all_finite(x)


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("size", [0.0, 5e-324, 1.0, 1e200, 1.7e308])
def test_all_finite_is_not_fooled_by_squares_that_overflow(n, size):
    assert linalg.all_finite(np.full(n, size))
    assert linalg.all_finite(-np.full(n, size))


@EXAMPLES
@given(sizes, seeds)
def test_the_symmetric_product_reads_the_upper_triangle_only(n, seed):
    A, (x,) = symmetric(n, seed), vectors(n, seed, 1)
    upper = np.asfortranarray(np.triu(A) + np.tril(np.full((n, n), np.nan), -1))
    tolerance = n * EPS * np.linalg.norm(A) * np.linalg.norm(x)
    np.testing.assert_allclose(linalg.symmetric_times(upper, x), A @ x, rtol=0, atol=tolerance)


@EXAMPLES
@given(sizes, seeds)
def test_the_rank_two_update_adds_both_outer_products_in_place(n, seed):
    A, (x, y) = symmetric(n, seed), np.random.default_rng(seed).standard_normal((2, n))
    x, y = x.copy(), y.copy()
    given_matrix = np.asfortranarray(A)
    expected = A + np.outer(x, y) + np.outer(y, x)
    result = linalg.rank_two_update(given_matrix, x, y)
    tolerance = 4 * EPS * (np.abs(A).max() + 2 * np.abs(x).max() * np.abs(y).max())
    np.testing.assert_allclose(np.triu(result), np.triu(expected), rtol=0, atol=tolerance)
    assert np.shares_memory(result, given_matrix)


@EXAMPLES
@given(sizes, seeds)
def test_eigh_gives_ascending_eigenvalues_and_orthonormal_vectors(n, seed):
    A = symmetric(n, seed)
    before = A.copy()
    eigenvalues, Q = linalg.eigh(A)
    size = max(np.linalg.norm(A, 2), EPS)
    assert np.all(np.diff(eigenvalues) >= 0.0)
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(A), rtol=0, atol=10 * n * EPS * size)
    np.testing.assert_allclose(Q.T @ Q, np.eye(n), rtol=0, atol=10 * n * EPS)
    np.testing.assert_allclose((Q * eigenvalues) @ Q.T, A, rtol=0, atol=10 * n * EPS * size)
    np.testing.assert_array_equal(A, before)


def test_eigh_handles_what_is_degenerate():
    for A in (np.zeros((3, 3)), np.eye(4), np.diag([1.0, 1.0, -2.0]), np.ones((5, 5))):
        eigenvalues, Q = linalg.eigh(A)
        np.testing.assert_allclose((Q * eigenvalues) @ Q.T, A, rtol=0, atol=50 * EPS)


@EXAMPLES
@given(sizes, seeds)
def test_solve_gives_a_small_residual_and_leaves_its_arguments_alone(n, seed):
    """‖Ax − b‖ within 10·n·eps of ‖A‖‖x‖ + ‖b‖: elimination with pivoting is backward stable in practice."""
    A = np.random.default_rng([n, seed]).standard_normal((n, n))
    (b,) = vectors(n, seed, 1)
    A_before, b_before = A.copy(), b.copy()
    x = linalg.solve(A, b)
    residual = np.linalg.norm(A @ x - b)
    assert residual <= 10 * n * EPS * (np.linalg.norm(A) * np.linalg.norm(x) + np.linalg.norm(b))
    np.testing.assert_array_equal(A, A_before)
    np.testing.assert_array_equal(b, b_before)


@pytest.mark.parametrize("A", [np.zeros((1, 1)), np.zeros((3, 3)), np.diag([1.0, 0.0]), np.array([[1.0, 2], [2, 4]])])
def test_solve_returns_none_if_a_pivot_is_exactly_zero(A):
    assert linalg.solve(A, np.ones(len(A))) is None
