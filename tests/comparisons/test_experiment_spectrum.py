"""Stochastic Lanczos quadrature: moments of the density, extremes, and the experiment's table."""

import numpy as np
import pytest

from comparisons.report.document import Table
from comparisons.studies.learning.spectrum import lanczos_quadrature, run


def test_the_quadrature_has_the_moments_and_extremes_of_the_matrix():
    """With vectors of signs the first moment of a diagonal matrix is exact, and so is the weight 1."""
    eigenvalues = np.concatenate([np.linspace(-1.0, 1.0, 190), np.linspace(5.0, 50.0, 10)])
    found = lanczos_quadrature(lambda v: eigenvalues * v, 200, 60, 5, np.random.default_rng(0))
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.mean == pytest.approx(eigenvalues.mean(), rel=1e-10)
    assert found.weights @ found.values**2 == pytest.approx((eigenvalues**2).mean(), rel=1e-10)
    assert (found.smallest, found.largest) == pytest.approx((-1.0, 50.0), rel=1e-6)


def test_shares_are_near_those_of_a_dense_matrix():
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.standard_normal((100, 100)))[0]
    eigenvalues = np.concatenate([-np.ones(30), np.full(60, 0.001), np.full(10, 2.0)])
    A = (Q * eigenvalues) @ Q.T
    found = lanczos_quadrature(lambda v: A @ v, 100, 20, 40, rng)
    assert found.negative == pytest.approx(0.3, abs=0.03)
    assert found.small == pytest.approx(0.6, abs=0.03)


@pytest.mark.slow
def test_the_table_has_a_row_for_each_point(tmp_path):
    document = run(tmp_path, quick=True, probes=1, steps=5, gradients=5)
    (table,) = document.parts(Table)
    assert [row[0] for row in table.rows] == ["start", "after Adam", "after L-BFGS"]
