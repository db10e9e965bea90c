"""Matrices that can be factored with a shift: dense, band, sparse and tridiagonal ones answer alike."""

import numpy as np
import pytest
import scipy.sparse as sp

from newtonkit.linalg.factorization import (
    BandLayout,
    BandSymmetric,
    DenseSymmetric,
    SparseStructure,
    SparseSymmetric,
    TridiagonalSymmetric,
)

EPS = np.finfo(float).eps


def tridiagonal(n, seed=0):
    rng = np.random.default_rng(seed)
    off_diagonal = rng.standard_normal(n - 1)
    return sp.csc_array(sp.diags_array([off_diagonal, rng.standard_normal(n), off_diagonal], offsets=[-1, 0, 1]))


def grid(m):
    """The five-point pattern of an m×m grid."""
    chain = sp.diags_array([-np.ones(m - 1), 2 * np.ones(m), -np.ones(m - 1)], offsets=[-1, 0, 1])
    return sp.csc_array(sp.kron(chain, sp.eye_array(m)) + sp.kron(sp.eye_array(m), chain))


def kinds(B):
    """The same matrix in every form that it can take."""
    full = B.toarray()
    forms = [DenseSymmetric(full), BandSymmetric(B, BandLayout(B)), SparseSymmetric(B)]
    if BandLayout(B).bandwidth <= 1 and np.array_equal(full, np.triu(np.tril(full, 1), -1)):
        forms.append(TridiagonalSymmetric(full.diagonal().copy(), full.diagonal(1).copy()))
    return forms


MATRICES = {"one": sp.csc_array([[2.0]]), "chain": tridiagonal(30), "grid": grid(6), "two": tridiagonal(2)}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("above", [1e-3, 1.0, 1e6])
def test_every_form_solves_with_the_shifted_matrix(name, above):
    """Up to 100·n·eps times the condition number."""
    B = MATRICES[name]
    n = B.shape[0]
    eigenvalues = np.linalg.eigvalsh(B.toarray())
    shift = above - eigenvalues[0]
    A = B.toarray() + shift * np.eye(n)
    b = np.cos(np.arange(1.0, n + 1.0))
    for form in kinds(B):
        solve = form.factor(shift)
        assert solve is not None, type(form).__name__
        x = solve(b)
        np.testing.assert_allclose(
            x, np.linalg.solve(A, b), rtol=0, atol=100 * n * EPS * np.linalg.cond(A) * np.abs(x).max()
        )


@pytest.mark.parametrize("name", MATRICES)
def test_every_form_refuses_a_matrix_that_is_not_positive_definite(name):
    B = MATRICES[name]
    eigenvalues = np.linalg.eigvalsh(B.toarray())
    for form in kinds(B):
        for below in (1e-6, 0.5, 100.0):
            assert form.factor(-eigenvalues[0] - below) is None, type(form).__name__


@pytest.mark.parametrize("name", MATRICES)
def test_every_form_multiplies_and_bounds_its_norm(name):
    B = MATRICES[name]
    v = np.sin(np.arange(1.0, B.shape[0] + 1.0))
    for form in kinds(B):
        np.testing.assert_allclose(form.times(v), B @ v, rtol=0, atol=100 * EPS * np.abs(B).max() * np.abs(v).sum())
        np.testing.assert_array_equal(form.diagonal, B.diagonal())
        assert form.norm >= np.linalg.norm(B.toarray(), 2) * (1 - 10 * EPS)
        assert form.rounding < 1e-10 * form.norm


def test_a_factorization_leaves_the_matrix_as_it_was():
    B = grid(5)
    for form in kinds(B):
        first = form.factor(1.0)(np.ones(25))
        form.factor(7.0)
        np.testing.assert_array_equal(form.factor(1.0)(np.ones(25)), first)


def test_a_zero_on_the_diagonal_of_a_sparse_matrix_is_no_reason_to_believe_in_definiteness():
    """[[0, 1], [1, 0]] has eigenvalues −1 and 1; pivoting would hide that."""
    assert SparseSymmetric(sp.csc_array([[0.0, 1.0], [1.0, 0.0]])).factor(0.0) is None


def test_a_permuted_chain_is_found_to_be_narrow():
    B = tridiagonal(500)
    order = np.random.default_rng(0).permutation(500)
    shuffled = sp.csc_array(B[order][:, order])
    layout = BandLayout(shuffled)
    assert layout.bandwidth <= 2
    b = np.cos(np.arange(500.0))
    x = BandSymmetric(shuffled, layout).factor(10.0)(b)
    assert np.abs(shuffled @ x + 10.0 * x - b).max() < 1e-13


def test_the_factorization_is_chosen_by_bandwidth_and_by_the_fill_to_expect():
    chain, plane = SparseStructure(tridiagonal(10_000)), SparseStructure(grid(200))
    assert chain.fits
    assert "band" in chain.reason
    assert plane.fits
    assert plane.layout is None
    assert "sparse Cholesky" in plane.reason
    rng = np.random.default_rng(0)
    n = 50_000  # every row has a few entries anywhere: no small set of them separates the others
    row, column = rng.integers(n, size=(2, 4 * n))
    tangle = sp.csc_array((np.ones(4 * n), (row, column)), shape=(n, n))
    tangled = SparseStructure(sp.csc_array(tangle + tangle.T + sp.eye_array(n)))
    assert not tangled.fits
    assert "fill" in tangled.reason


def test_a_matrix_with_another_pattern_gets_a_new_layout():
    structure = SparseStructure(tridiagonal(40))
    B = grid(7)[:40][:, :40]
    x = structure.matrix(sp.csc_array(B)).factor(1.0)(np.ones(40))
    assert np.abs(B @ x + x - 1.0).max() < 1e-13
