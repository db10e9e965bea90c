"""Algebraic multigrid as a preconditioner: symmetric, positive definite, and effective on a grid."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from newtonkit.linalg.factorization import SparseSymmetric
from newtonkit.linalg.preconditioners import multigrid, suits_multigrid
from newtonkit.trustregion.products_then_factors import Preconditioning, ProductsThenFactors
from newtonkit.trustregion.step_bound import TrustRegion


def grid_matrix(m, shift=0.0):
    line = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    unit = sp.eye_array(m)
    return sp.csc_array(sp.kron(unit, line) + sp.kron(line, unit) + shift * sp.eye_array(m * m))


def diagonal_preconditioning(B, log):
    def construct():
        log.append("construct")
        d = B.diagonal()
        return lambda v: v / d

    return Preconditioning(construct, 5, 1)


def scaled_grid(m, shift):
    """A grid whose rows have very different sizes, so that a diagonal preconditioner is effective."""
    d = 10.0 ** np.random.default_rng(0).uniform(-2, 2, m * m)
    return sp.csc_array(sp.diags_array(d) @ grid_matrix(m, shift) @ sp.diags_array(d))


def test_the_newton_step_by_a_preconditioner_is_the_minimizer_and_needs_no_factorization(monkeypatch):
    matrix = scaled_grid(12, 1.0)
    monkeypatch.setattr(SparseSymmetric, "factor", lambda *_: pytest.fail("no factorization is necessary"))
    log, g = [], np.random.default_rng(1).standard_normal(144)
    model = ProductsThenFactors(g, SparseSymmetric(matrix), 0.0, 1e-10, 200, diagonal_preconditioning(matrix, log))
    solution = model.solve(TrustRegion(1e12))
    exact = -sp.linalg.spsolve(matrix, g)
    np.testing.assert_allclose(solution.p, exact, rtol=1e-5, atol=1e-7 * np.abs(exact).max())
    assert solution.length == pytest.approx(np.linalg.norm(solution.p))
    assert solution.predicted == pytest.approx(-0.5 * g @ exact, rel=1e-8)
    model.solve(TrustRegion(1e12))
    assert log == ["construct"]


def test_a_step_that_is_too_long_and_an_indefinite_matrix_are_left_to_factorizations():
    for shift in (1.0, -0.5):
        matrix = scaled_grid(12, shift)
        g = np.random.default_rng(1).standard_normal(144)
        model = ProductsThenFactors(g, SparseSymmetric(matrix), 0.0, 1e-10, 200, diagonal_preconditioning(matrix, []))
        for radius in (1e3, 1e-1, 1e-3):
            solution = model.solve(TrustRegion(radius))
            assert np.linalg.norm(solution.p) <= radius * (1 + 1e-9)
            decrease = -(g @ solution.p) - 0.5 * solution.p @ (matrix @ solution.p)
            assert solution.predicted == pytest.approx(decrease, rel=1e-6)


def test_without_pyamg_or_for_small_and_unsuitable_matrices_there_is_no_multigrid(monkeypatch):
    assert not suits_multigrid(grid_matrix(20))
    with monkeypatch.context() as patched:
        patched.setattr("newtonkit.linalg.preconditioners.has_multigrid", lambda: False)
        with pytest.raises(ImportError, match=r"newtonkit\[sparse\]"):
            multigrid(grid_matrix(20))
    monkeypatch.setattr("newtonkit.linalg.preconditioners.has_multigrid", lambda: True)
    assert suits_multigrid(grid_matrix(150))
    assert not suits_multigrid(grid_matrix(150, -3.0)), "rows are not diagonally dominant"
    assert not suits_multigrid(grid_matrix(150, -5.0)), "the diagonal is negative"


def test_multigrid_is_symmetric_positive_definite_and_converges_in_few_cycles():
    pytest.importorskip("pyamg")
    matrix = grid_matrix(60)
    solve = multigrid(matrix)
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, 3600))
    assert u @ solve(v) == pytest.approx(v @ solve(u), rel=1e-8)
    assert u @ solve(u) > 0.0
    log = []

    def counted(w):
        log.append(1)
        return solve(w)

    g = rng.standard_normal(3600)
    model = ProductsThenFactors(g, SparseSymmetric(matrix), 0.0, 1e-8, 500, Preconditioning(lambda: counted, 5, 1))
    step = model.solve(TrustRegion(1e12)).p
    assert len(log) <= 25
    assert np.linalg.norm(matrix @ step + g) <= 1e-6 * np.linalg.norm(g)
