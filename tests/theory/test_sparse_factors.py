"""Both packages for sparse LDLᵀ: inertia, backward error, solves, and factors that live at the same time."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import scipy.sparse as sp

from newtonkit.linalg.sparse_factors import FeralFactorizer, SuperLUFactorizer


@pytest.fixture(params=["superlu", "feral"])
def factorizer(request):
    if request.param == "superlu":
        return SuperLUFactorizer()
    pytest.importorskip("feral")
    return FeralFactorizer()


def random_symmetric(seed, n=60, shift=0.0):
    rng = np.random.default_rng(seed)
    A = sp.random_array((n, n), density=0.05, rng=rng)
    return sp.csc_array(A + A.T + sp.diags_array(rng.standard_normal(n) + shift))


@pytest.mark.parametrize("seed", range(20))
def test_the_inertia_is_right_where_the_bound_says_so_and_positive_definite_matrices_have_no_negative_pivot(
    factorizer, seed
):
    for shift in (0.0, 20.0):
        A = random_symmetric(seed, shift=shift)
        eigenvalues = np.linalg.eigvalsh(A.toarray())
        factor = factorizer.factor(A)
        if factor is not None and factor.backward_error() < np.abs(eigenvalues).min():
            assert factor.negative == int(np.sum(eigenvalues < 0.0))
        if shift:
            assert factor is not None
            assert factor.negative == 0
            assert factor.backward_error() < 1e-10


@pytest.mark.parametrize("seed", range(5))
def test_factors_that_exist_at_once_each_solve_with_their_own_matrix(factorizer, seed):
    A = random_symmetric(seed, shift=20.0)
    b = np.random.default_rng(seed).standard_normal(60)
    shifts = [0.0, 1.0, 100.0]
    unit = sp.eye_array(60, format="csc")
    factors = [factorizer.factor(A + shift * unit) for shift in shifts]
    for shift, factor in zip(shifts, factors, strict=True):
        np.testing.assert_allclose((A + shift * unit) @ factor.solve(b), b, atol=1e-10)
    kept = factors[0]
    del factors, factor
    gc.collect()
    factorizer.factor(A + 7.0 * unit)
    np.testing.assert_allclose(A @ kept.solve(b), b, atol=1e-10)


def test_a_singular_matrix_has_no_factor_and_the_next_one_has(factorizer):
    A = sp.csc_array(np.diag([1.0, 0.0, 2.0]))
    assert factorizer.factor(A) is None
    assert factorizer.factor(sp.csc_array(np.diag([1.0, 3.0, 2.0]))).negative == 0


def test_the_bound_holds_for_the_factors():
    """A 2 × 2 pivot is necessary: the diagonal is zero."""
    pytest.importorskip("feral")
    A = sp.csc_array(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1e-3], [0.0, 1e-3, -1.0]]))
    factor = FeralFactorizer().factor(A)
    assert factor.negative == int(np.sum(np.linalg.eigvalsh(A.toarray()) < 0.0))
    assert 0.0 < factor.backward_error() < 1e-14


def test_feral_analyses_a_pattern_once():
    pytest.importorskip("feral")
    factorizer = FeralFactorizer()
    A = random_symmetric(0, shift=20.0)
    for scale in (1.0, 2.0, 3.0):
        factor = factorizer.factor(A * scale)
        solver = factor._solver
        del factor
    assert solver.symbolic_call_count == 1
