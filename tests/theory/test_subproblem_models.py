"""The three models of a trust region, each against the eigendecomposition, which is exact."""

from __future__ import annotations

import numpy as np
import pytest

from newtonkit.linalg.factorization import DenseSymmetric
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import CubicRegularization, TrustRegion

EPS = float(np.finfo(np.float64).eps)
MISSING = 0.03  # share of the best decrease: 1 % on the length, and 1 % in the hard case, each at most doubled


def matrix(rng, eigenvalues):
    n = eigenvalues.size
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    B = (Q * eigenvalues) @ Q.T
    return 0.5 * (B + B.T), Q


def positive(rng, n):
    B, _ = matrix(rng, 10.0 ** rng.uniform(-3, 2, n))
    return rng.standard_normal(n), B


def indefinite(rng, n):
    B, _ = matrix(rng, rng.standard_normal(n) * 10.0 ** rng.uniform(-2, 2, n) - 0.1)
    return rng.standard_normal(n), B


def singular(rng, n):
    eigenvalues = 10.0 ** rng.uniform(-2, 2, n)
    eigenvalues[: 1 + n // 3] = 0.0
    B, _ = matrix(rng, eigenvalues)
    return rng.standard_normal(n), B


def hard(rng, n):
    """g orthogonal to the eigenvector of λ₁ < 0."""
    eigenvalues = np.sort(rng.standard_normal(n))
    eigenvalues[0] = min(eigenvalues[0], 0.0) - 1.0
    B, Q = matrix(rng, eigenvalues)
    c = rng.standard_normal(n)
    c[0] = 0.0
    return Q @ c, B


def stationary(rng, n):
    B, _ = matrix(rng, rng.standard_normal(n))
    return np.zeros(n), B


def flat(rng, n):
    return rng.standard_normal(n), np.zeros((n, n))


EASY = [positive, indefinite, singular, flat]
SHAPES = [*EASY, hard, stationary]
SIZES = [1, 2, 7, 40]


def cases(shape, n, seeds=6):
    for seed in range(seeds):
        rng = np.random.default_rng([seed, n, SHAPES.index(shape)])
        g, B = shape(rng, n)
        largest = np.abs(B).max()
        natural = np.linalg.norm(g) / largest if largest > 0 and g.any() else 1.0
        for factor in (1e-4, 0.1, 1.0, 30.0, 1e5):
            yield g, B, TrustRegion(factor * natural)
            yield g, B, CubicRegularization((largest or 1.0) / (factor * natural))


def decrease(g, B, bound, p):
    length = np.linalg.norm(p)
    return -(g @ p) - 0.5 * (p @ B @ p) - bound.penalty(length)


def noise(g, B, p):
    length = np.linalg.norm(p)
    return 100 * len(g) * EPS * (np.linalg.norm(g) * length + np.linalg.norm(B, 2) * length**2)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_factors_find_nearly_the_best_step_within_every_bound(shape, n):
    for g, B, bound in cases(shape, n):
        best = EigenSubproblem(g, B).solve(bound)
        trial = MoreSorensenSubproblem(g, DenseSymmetric(B)).solve(bound)
        room = noise(g, B, best.p)
        assert trial.predicted == pytest.approx(decrease(g, B, bound, trial.p), rel=1e-9, abs=room)
        assert trial.predicted >= (1 - MISSING) * best.predicted - room
        assert trial.length <= bound.length(trial.lam) * (1 + 1e-9) or isinstance(bound, CubicRegularization)
        assert trial.predicted <= best.predicted * (1 + 1e-9) + room, "nothing beats the exact minimizer"


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", EASY)
def test_the_krylov_space_holds_nearly_the_best_step(shape, n):
    """With tolerance 0 it grows until it is exhausted, unless a product on the boundary buys less than a tenth."""
    for g, B, bound in cases(shape, n):
        best = EigenSubproblem(g, B).solve(bound)
        model = LanczosSubproblem(g, lambda v, B=B: B @ v, 0.0)
        trial = model.solve(bound)
        room = noise(g, B, best.p)
        assert trial.predicted == pytest.approx(decrease(g, B, bound, trial.p), rel=1e-6, abs=room)
        assert trial.predicted <= best.predicted * (1 + 1e-9) + room
        if not trial.on_boundary or isinstance(bound, CubicRegularization):
            assert trial.predicted >= (1 - MISSING) * best.predicted - room
        assert model.products <= n


@pytest.mark.parametrize("shape", EASY)
def test_the_krylov_step_is_at_least_as_good_as_the_cauchy_point(shape):
    for g, B, bound in cases(shape, 12):
        if isinstance(bound, CubicRegularization):
            continue
        trial = LanczosSubproblem(g, lambda v, B=B: B @ v, 0.9).solve(bound)
        size, curvature = np.linalg.norm(g), g @ B @ g
        tau = bound.radius / size if curvature <= 0 else min(bound.radius / size, size**2 / curvature)
        assert trial.predicted >= 0.98 * (tau * size**2 - 0.5 * tau**2 * curvature)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", [*SHAPES])
def test_with_a_cubic_term_the_multiplier_is_its_weight_times_the_length(shape, n):
    """Cartis, Gould & Toint (2011), theorem 3.1: (B + λI)p = −g, λ = σ‖p‖, B + λI positive semidefinite."""
    for g, B, bound in cases(shape, n):
        if isinstance(bound, TrustRegion):
            continue
        p, _, _, length, multiplier, _ = EigenSubproblem(g, B).solve(bound)
        norm_B = np.linalg.norm(B, 2)
        scale = norm_B * length + multiplier * length + np.linalg.norm(g)
        assert np.linalg.norm(B @ p + multiplier * p + g) <= 1000 * n * EPS * scale
        assert multiplier == pytest.approx(bound.sigma * length, rel=1e-8, abs=1000 * n * EPS * norm_B)
        assert np.linalg.eigvalsh(B)[0] + multiplier >= -100 * n * EPS * (norm_B + multiplier)


def test_products_in_the_krylov_space_stop_at_the_requested_residual():
    rng = np.random.default_rng(1)
    g, B = positive(rng, 60)
    spent = []
    for tolerance in (0.5, 0.1, 1e-3, 1e-8):
        model = LanczosSubproblem(g, lambda v: B @ v, tolerance)
        p = model.solve(TrustRegion(1e9)).p
        assert np.linalg.norm(B @ p + g) <= tolerance * np.linalg.norm(g) * (1 + 1e-6)
        spent.append(model.products)
    assert spent == sorted(spent)
    assert spent[0] < spent[-1] <= 60


def test_after_a_rejection_the_krylov_space_that_is_there_serves_a_smaller_radius():
    rng = np.random.default_rng(2)
    g, B = positive(rng, 60)
    model = LanczosSubproblem(g, lambda v: B @ v, 0.01)
    length = model.solve(TrustRegion(1e9)).length
    products = model.products
    for share in (0.9, 0.5, 0.1, 0.01):
        trial = model.solve(TrustRegion(share * length))
        assert trial.length == pytest.approx(share * length, rel=0.011)
    assert model.products == products


def test_an_exact_preconditioner_needs_one_product():
    rng = np.random.default_rng(3)
    g, B = positive(rng, 40)
    model = LanczosSubproblem(g, lambda v: B @ v, 1e-6, precondition=lambda v: np.linalg.solve(B, v))
    trial = model.solve(TrustRegion(1e9))
    assert model.products == 1
    np.testing.assert_allclose(trial.p, -np.linalg.solve(B, g), rtol=1e-9)


def test_a_preconditioned_space_measures_lengths_by_the_preconditioner():
    rng = np.random.default_rng(4)
    g, B = positive(rng, 30)
    M = np.diag(np.linspace(1.0, 100.0, 30))
    trial = LanczosSubproblem(g, lambda v: B @ v, 1e-9, precondition=lambda v: v / M.diagonal()).solve(
        TrustRegion(1e-3)
    )
    assert np.sqrt(trial.p @ M @ trial.p) == pytest.approx(trial.length, rel=1e-9)
    assert trial.length == pytest.approx(1e-3, rel=0.011)


def test_a_product_that_is_not_finite_is_reported_and_not_used():
    trial = LanczosSubproblem(np.ones(3), lambda v: v * np.nan, 0.1).solve(TrustRegion(1.0))
    assert np.isnan(trial.predicted)


@pytest.mark.parametrize("n", [3, 50])
def test_a_good_first_guess_of_the_multiplier_saves_factorizations(n):
    saved = 0
    for seed in range(10):
        g, B = indefinite(np.random.default_rng([seed, n]), n)
        cold = MoreSorensenSubproblem(g, DenseSymmetric(B)).solve(TrustRegion(0.3))
        warm = MoreSorensenSubproblem(g, DenseSymmetric(B), cold.lam).solve(TrustRegion(0.3))
        assert warm.inner <= cold.inner
        saved += cold.inner - warm.inner
    assert saved > 0
