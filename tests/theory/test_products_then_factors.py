"""Products first, factorizations when the products have cost as much: the step, the work, and when it is used."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.sparse as sp

import newtonkit
from newtonkit.linalg.factorization import SparseStructure
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.products_then_factors import ProductsThenFactors
from newtonkit.trustregion.step_bound import CubicRegularization, TrustRegion


def grid_matrix(m, shift):
    """The Laplacian of an m × m grid plus shift·I."""
    line = sp.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(m, m))
    return sp.csc_array(sp.kron(sp.eye(m), line) + sp.kron(line, sp.eye(m)) + shift * sp.eye(m * m))


def recorded(structure, matrix):
    """The matrix, with a list of the names of the operations computed with it."""
    B = structure.matrix(matrix)
    operations = []

    class Recorded(type(B)):
        def times(self, v):
            operations.append("product")
            return super().times(v)

        def factor(self, shift):
            operations.append("factor")
            return super().factor(shift)

    B.__class__ = Recorded
    return B, operations


BOUNDS = [TrustRegion(1e-3), TrustRegion(1.0), TrustRegion(1e6), CubicRegularization(1e-3), CubicRegularization(10.0)]


@pytest.mark.parametrize("shift", [0.01, -0.3, 5.0])
@pytest.mark.parametrize("bound", BOUNDS, ids=str)
def test_few_products_lead_to_the_step_of_factorizations(shift, bound):
    matrix = grid_matrix(12, shift)
    g = np.random.default_rng(1).standard_normal(144)
    structure = SparseStructure(matrix)
    exact = MoreSorensenSubproblem(g, structure.matrix(matrix), 0.0).solve(bound)
    B, operations = recorded(structure, matrix)
    solution = ProductsThenFactors(g, B, 0.0, 1e-12, 3).solve(bound)
    assert "factor" not in operations or operations.index("factor") <= 3
    assert solution.predicted == pytest.approx(exact.predicted, rel=0.03)  # each is within 1 % in length
    decrease = -(g @ solution.p) - 0.5 * solution.p @ (matrix @ solution.p) - bound.penalty(np.linalg.norm(solution.p))
    assert solution.predicted == pytest.approx(decrease, rel=1e-8)


@pytest.mark.parametrize("bound", BOUNDS, ids=str)
def test_enough_products_need_no_factorization(bound):
    matrix = grid_matrix(12, 5.0)  # condition number below 3
    g = np.random.default_rng(2).standard_normal(144)
    B, operations = recorded(SparseStructure(matrix), matrix)
    solution = ProductsThenFactors(g, B, 0.0, 1e-6, 100).solve(bound)
    assert operations == solution.inner * ["product"]
    if solution.lam == 0.0:
        assert np.linalg.norm(matrix @ solution.p + g) <= 1e-6 * np.linalg.norm(g) * (1 + 1e-9)


def test_after_a_factorization_a_smaller_region_is_not_tried_by_products():
    matrix = grid_matrix(12, 0.0)
    g = np.random.default_rng(3).standard_normal(144)
    B, operations = recorded(SparseStructure(matrix), matrix)
    model = ProductsThenFactors(g, B, 0.0, 1e-12, 3)
    model.solve(TrustRegion(1e6))
    assert "factor" in operations
    del operations[:]
    model.solve(TrustRegion(0.5))
    assert operations.count("product") == 1  # for the predicted reduction


def test_the_newton_length_is_that_of_the_inexact_step_and_0_for_an_indefinite_matrix():
    g = np.random.default_rng(4).standard_normal(144)
    for shift, convex in ((1.0, True), (-1.0, False)):
        matrix = grid_matrix(12, shift)
        length = ProductsThenFactors(g, SparseStructure(matrix).matrix(matrix), 0.0, 1e-8, 150).newton_length
        if convex:
            assert length == pytest.approx(np.linalg.norm(sp.linalg.spsolve(matrix, g)), rel=1e-6)
        else:
            assert length == 0.0


def test_a_matrix_that_is_not_finite_leads_to_no_step():
    matrix = grid_matrix(4, 1.0)
    structure = SparseStructure(matrix)
    matrix.data[5] = np.nan
    solution = ProductsThenFactors(np.ones(16), structure.matrix(matrix), 0.0, 1e-3, 10).solve(TrustRegion(1.0))
    assert np.isnan(solution.predicted)


def test_the_number_of_products_that_cost_a_factorization_grows_with_the_band():
    chain = sp.diags([1.0, 4.0, 1.0], [-1, 0, 1], shape=(5000, 5000))
    narrow, wide = SparseStructure(sp.csc_array(chain)), SparseStructure(grid_matrix(150, 1.0))
    assert narrow.products_per_factor < 20
    assert wide.products_per_factor > 100


def test_a_run_of_newton_on_a_grid_computes_no_factorization_where_products_suffice(monkeypatch):
    """60 × 60 pixels; ½‖u − d‖² bounds the curvature from below, so conjugate gradients converge in a few products."""
    noisy = np.random.default_rng(0).standard_normal((60, 60))

    def f(x):
        u = anp.reshape(x, (60, 60))
        across, down = u[:-1, 1:] - u[:-1, :-1], u[1:, :-1] - u[:-1, :-1]
        return 0.5 * anp.sum((u - noisy) ** 2) + 0.1 * anp.sum(anp.sqrt(across**2 + down**2 + 1e-2))

    calls = []
    solve = MoreSorensenSubproblem.__init__

    def counted(self, g, B, *rest):
        calls.append(g.size)
        solve(self, g, B, *rest)

    monkeypatch.setattr(MoreSorensenSubproblem, "__init__", counted)
    result = newtonkit.minimize(f, noisy.ravel(), method="newton")
    assert result.success
    assert 3600 not in calls
    assert np.linalg.norm(result.jac, np.inf) <= 1e-5
