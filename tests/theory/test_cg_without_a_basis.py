"""When the stored basis of Lanczos' method is full, conjugate gradients continue from it without further vectors."""

from __future__ import annotations

import numpy as np
import pytest

from newtonkit.trustregion import lanczos
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.step_bound import CubicRegularization, TrustRegion

N = 150


@pytest.fixture
def small_store(monkeypatch):
    """16 vectors of the basis are stored; none is orthogonalized again."""
    monkeypatch.setattr(lanczos, "_STORE", 16 * N)
    monkeypatch.setattr(lanczos, "_ORTHOGONAL", 0)


def case(seed, lowest):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((N, N)))[0]
    eigenvalues = np.r_[lowest, 10.0 ** rng.uniform(-2, 1, N - 1)]
    B = (Q * eigenvalues) @ Q.T
    return rng.standard_normal(N), 0.5 * (B + B.T)


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_newton_step_is_computed_to_the_tolerance(small_store, seed, preconditioned):
    g, B = case(seed, 0.01)
    d = B.diagonal()
    model = LanczosSubproblem(g, lambda v: B @ v, 1e-8, (lambda v: v / d) if preconditioned else None)
    solution = model.solve(TrustRegion(1e6))
    assert model.products > 16
    scaled = (B @ solution.p + g) / (np.sqrt(d) if preconditioned else 1.0)
    assert np.linalg.norm(scaled) <= 1.01e-8 * np.linalg.norm(g / (np.sqrt(d) if preconditioned else 1.0))
    assert solution.predicted == pytest.approx(0.5 * g @ np.linalg.solve(B, g), rel=1e-6)
    assert solution.length == pytest.approx(np.sqrt(solution.p @ ((d if preconditioned else 1.0) * solution.p)))


@pytest.mark.parametrize("lowest", [0.01, -0.05, -3.0])
@pytest.mark.parametrize("share", [3.0, 0.9, 0.3, 0.01])
def test_a_step_to_the_boundary_is_predicted_right_and_at_least_as_good_as_the_cauchy_step(small_store, share, lowest):
    for seed in range(4):
        g, B = case(seed, lowest)
        model = LanczosSubproblem(g, lambda v, B=B: B @ v, 1e-8)
        model.solve(TrustRegion(1e4))
        radius = share * np.linalg.norm(np.linalg.solve(B, g))
        p, predicted, _, length, *_ = model.solve(TrustRegion(radius))
        assert np.linalg.norm(p) <= radius * (1 + 1e-9)
        assert length == pytest.approx(np.linalg.norm(p), rel=1e-6)
        assert predicted == pytest.approx(-(g @ p) - 0.5 * p @ (B @ p), rel=1e-4)  # orthogonality is lost by degrees
        size, curvature = np.linalg.norm(g), g @ B @ g
        tau = min(radius / size, size**2 / curvature) if curvature > 0 else radius / size
        assert predicted >= 0.98 * (tau * size**2 - 0.5 * tau**2 * curvature)


def test_a_cubic_term_is_minimized_over_the_stored_basis(small_store):
    g, B = case(0, -0.05)
    model = LanczosSubproblem(g, lambda v: B @ v, 1e-8)
    solution = model.solve(CubicRegularization(1e-3))
    assert model.products == 16
    assert solution.lam == pytest.approx(1e-3 * np.linalg.norm(solution.p), rel=1e-6)


def test_a_large_problem_takes_no_more_memory_than_the_store_and_as_many_products_as_needed(monkeypatch):
    monkeypatch.setattr(lanczos, "_STORE", 20 * 5000)
    w = np.linspace(1e-3, 1.0, 5000)
    model = LanczosSubproblem(np.ones(5000), lambda v: w * v, 1e-6)
    solution = model.solve(TrustRegion(1e9))
    assert model.products > 100
    assert len(model._basis) == 20
    np.testing.assert_allclose(w * solution.p, -np.ones(5000), atol=1e-4)


def test_an_ill_conditioned_model_of_many_variables_is_minimized_although_orthogonality_is_lost():
    w, g = np.geomspace(1e-6, 1.0, 1500), np.random.default_rng(0).standard_normal(1500)
    model = LanczosSubproblem(g, lambda v: w * v, 1e-6)
    p = model.solve(TrustRegion(1e12)).p
    assert model.products > 2 * 1500
    assert np.linalg.norm(w * p + g) <= 1.01e-6 * np.linalg.norm(g)
