"""Lanczos without reorthogonalization proves negative curvature; its absence is stated with its probability."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest

from newtonkit import Evaluator, Objective, minimize
from newtonkit.classification.lanczos import lanczos, missed_share, orthogonal_lanczos, product_verdict, ritz_vector

RELATIVE = 1e-13


def start(n):
    return np.random.default_rng(5).standard_normal(n)


@pytest.mark.parametrize("steps", [1, 5, 15])
def test_both_recurrences_give_the_same_ritz_values_before_orthogonality_is_lost(steps):
    w = np.linspace(0.1, 1.0, 400)
    plain = lanczos(lambda v: w * v, start(400), steps, RELATIVE)
    orthogonal = orthogonal_lanczos(lambda v: w * v, start(400), steps)
    assert plain.steps == orthogonal.steps == steps
    np.testing.assert_allclose(plain.ritz, orthogonal.ritz, rtol=1e-9)


def test_without_reorthogonalization_ritz_values_stay_in_the_spectrum_long_after_orthogonality_is_lost():
    """Paige's theorem: a positive definite matrix gets no negative Ritz value, after 300 steps for 60 variables."""
    w = np.r_[np.linspace(1e-6, 1e-5, 30), np.linspace(0.5, 1.0, 30)]
    found = lanczos(lambda v: w * v, start(60), 300, RELATIVE)
    assert found.ritz[0] > 0.0
    assert found.ritz[-1] <= 1.0 + 1e-12


@pytest.mark.parametrize(("lowest", "most"), [(-1.0, 5), (-1e-1, 15), (-1e-3, 30)])
def test_the_iteration_ends_at_the_first_negative_ritz_value_whose_vector_has_negative_curvature(lowest, most):
    n = 20_000
    w = np.random.default_rng(1).uniform(0.1, 1.0, n)
    w[7] = lowest

    def product(v):
        return w * v

    found = lanczos(product, start(n), 30, RELATIVE)
    assert found.ritz[0] < 0.0
    assert found.steps <= most
    v = ritz_vector(product, start(n), found)
    assert np.linalg.norm(v) == pytest.approx(1.0)
    assert v @ product(v) == pytest.approx(found.ritz[0], rel=1e-6)


def test_the_missed_share_is_that_of_kuczynski_and_wozniakowski():
    """1.648·√n·exp(−√ε(2k−1)) = 1 %."""
    n, k = 10_000, 30
    share = missed_share(n, k)
    assert 1.648 * np.sqrt(n) * np.exp(-np.sqrt(share) * (2 * k - 1)) == pytest.approx(0.01)


def test_without_negative_curvature_the_statement_is_in_units_of_the_largest():
    n = 1000
    w = np.r_[0.0, np.linspace(1e-6, 1.0, n - 1)]
    evaluator = Evaluator(Objective(lambda x: 0.5 * anp.sum(w * x**2)), second_order=True)
    verdict = product_verdict(evaluator, np.zeros(n), np.zeros(n), count=False)
    assert verdict.kind == "undecided"
    assert f"any negative curvature is below {100 * missed_share(n, 30):.2g} % of the largest, at 99%" in verdict.reason


@pytest.mark.parametrize("method", ["lbfgs", "cg"])
def test_after_a_short_run_the_verdict_takes_no_more_than_a_dozen_products(method):
    n = 5000
    c = np.random.default_rng(0).standard_normal(n)
    result = minimize(lambda x: anp.sum((x - c) ** 2 - 0.1 * anp.cos(x - c)), np.zeros(n), method=method)
    assert result.success
    assert 0 < result.checks.Hv <= 12
    assert result.checks.H == 0
