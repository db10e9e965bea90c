"""The trust-region subproblem: Moré and Sorensen's conditions, over every shape of matrix there is.

p solves min gᵀp + ½pᵀBp over ‖p‖ ≤ Δ if and only if some σ ≥ 0 has (B + σI)p = −g, B + σI positive semidefinite, and
σ(Δ − ‖p‖) = 0 (Nocedal & Wright, 2006, theorem 4.1).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.step_bound import TrustRegion

EPS = float(np.finfo(np.float64).eps)
LENGTH = 1e-9  # relative: ten times the tolerance to which the solver promises ‖p‖ = radius


def orthogonal(rng, n):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def matrix(Q, eigenvalues):
    B = (Q * eigenvalues) @ Q.T
    return 0.5 * (B + B.T)


def random_spectrum(rng, n):
    return rng.standard_normal(n) * 10.0 ** rng.uniform(-2, 2, n)


def positive(rng, n):
    Q = orthogonal(rng, n)
    return rng.standard_normal(n), matrix(Q, np.abs(random_spectrum(rng, n)) + 1e-3)


def indefinite(rng, n):
    Q = orthogonal(rng, n)
    eigenvalues = random_spectrum(rng, n)
    eigenvalues[0] = -abs(eigenvalues[0]) - 1e-3
    return rng.standard_normal(n), matrix(Q, eigenvalues)


def negative(rng, n):
    Q = orthogonal(rng, n)
    return rng.standard_normal(n), matrix(Q, -np.abs(random_spectrum(rng, n)) - 1e-3)


def singular(rng, n):
    """Positive semidefinite with a null space that g may or may not meet."""
    Q = orthogonal(rng, n)
    eigenvalues = np.abs(random_spectrum(rng, n))
    eigenvalues[: 1 + n // 3] = 0.0
    c = rng.standard_normal(n)
    if rng.random() < 0.5:
        c[: 1 + n // 3] = 0.0
    return Q @ c, matrix(Q, eigenvalues)


def zero(rng, n):
    return rng.standard_normal(n), np.zeros((n, n))


def hard(rng, n):
    """λ₁ < 0 and g orthogonal to its eigenvector."""
    Q = orthogonal(rng, n)
    eigenvalues = np.sort(random_spectrum(rng, n))
    eigenvalues[0] = min(eigenvalues[0], 0.0) - 1.0
    c = rng.standard_normal(n)
    c[0] = 0.0
    return Q @ c, matrix(Q, eigenvalues)


def hard_on_the_axes(rng, n):
    """The hard case without any rounding: B diagonal and g₁ exactly zero."""
    eigenvalues = np.sort(random_spectrum(rng, n))
    eigenvalues[0] = min(eigenvalues[0], 0.0) - 1.0
    g = rng.standard_normal(n)
    g[0] = 0.0
    return g, np.diag(eigenvalues)


def nearly_hard(rng, n):
    """A component of g along the lowest eigenvector between 1e-16 and 1e-4 of the others."""
    Q = orthogonal(rng, n)
    eigenvalues = np.sort(random_spectrum(rng, n))
    eigenvalues[0] = min(eigenvalues[0], 0.0) - 1.0
    c = rng.standard_normal(n)
    c[0] = 10.0 ** rng.uniform(-16, -4)
    return Q @ c, matrix(Q, eigenvalues)


def lowest_twice(rng, n):
    """A multiple lowest eigenvalue, g orthogonal to its space in every other matrix."""
    Q = orthogonal(rng, n)
    k = min(n, 2 + n // 4)
    eigenvalues = np.abs(random_spectrum(rng, n))
    eigenvalues[:k] = -1.5
    c = rng.standard_normal(n)
    if rng.random() < 0.5:
        c[:k] = 0.0
    return Q @ c, matrix(Q, eigenvalues)


def stationary(rng, n):
    """g = 0: only negative curvature, if any, promises something."""
    return np.zeros(n), matrix(orthogonal(rng, n), random_spectrum(rng, n))


def both_zero(rng, n):
    return np.zeros(n), np.zeros((n, n))


SHAPES = [
    positive,
    indefinite,
    negative,
    singular,
    zero,
    hard,
    hard_on_the_axes,
    nearly_hard,
    lowest_twice,
    stationary,
    both_zero,
]
SIZES = [1, 2, 3, 8, 25]


def natural_radius(g, B):
    """A length at which the linear and the quadratic term are of one size, or 1."""
    curvature = np.abs(B).max()
    return np.linalg.norm(g) / curvature if curvature > 0 and g.any() else 1.0


def problems(shape, n, seeds=12):
    for seed in range(seeds):
        rng = np.random.default_rng([seed, n, SHAPES.index(shape)])
        g, B = shape(rng, n)
        for factor in (1e-6, 1e-2, 0.5, 1.0, 3.0, 100.0, 1e6):
            yield g, B, factor * natural_radius(g, B)


def multiplier(g, B, p):
    """The σ that fits (B + σI)p = −g best."""
    pp = p @ p
    return -(p @ (g + B @ p)) / pp if pp > 0 else 0.0


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_step_meets_the_conditions_of_more_and_sorensen(shape, n):
    """Each up to 100·n·eps of the largest term in it: an eigendecomposition is backward stable."""
    for g, B, radius in problems(shape, n):
        p, _, on_boundary, *_ = EigenSubproblem(g, B).solve(TrustRegion(radius))
        size, norm_B = np.linalg.norm(p), np.linalg.norm(B, 2)
        sigma = max(multiplier(g, B, p), 0.0) if on_boundary else 0.0
        k = 100 * n * EPS
        assert size <= radius * (1 + LENGTH), "the step stays inside"
        residual = np.linalg.norm(B @ p + sigma * p + g)
        assert residual <= k * (norm_B * size + sigma * size + np.linalg.norm(g)), "(B + σI)p = −g"
        if size > 0:
            assert multiplier(g, B, p) >= -k * (norm_B + np.linalg.norm(g) / size), "σ ≥ 0"
        assert np.linalg.eigvalsh(B)[0] + sigma >= -k * (norm_B + sigma), "B + σI is positive semidefinite"
        if on_boundary:
            assert abs(size - radius) <= LENGTH * radius, "σ(Δ − ‖p‖) = 0"


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_predicted_reduction_is_that_of_the_model(shape, n):
    """m(0) − m(p) recomputed from g and B, up to 100·n·eps of its terms."""
    for g, B, radius in problems(shape, n):
        p, predicted, *_ = EigenSubproblem(g, B).solve(TrustRegion(radius))
        size = np.linalg.norm(p)
        scale = np.linalg.norm(g) * size + np.linalg.norm(B, 2) * size**2
        assert predicted == pytest.approx(-(g @ p) - 0.5 * (p @ B @ p), rel=0, abs=100 * n * EPS * scale)


def cauchy_reduction(g, B, radius):
    """The reduction at the minimizer of the model along −g inside the ball (N&W, eq. 4.11 and 4.12)."""
    norm_g, curvature = np.linalg.norm(g), g @ B @ g
    if norm_g == 0:
        return 0.0
    tau = 1.0 if curvature <= 0 else min(1.0, norm_g**3 / (radius * curvature))
    length = tau * radius
    return norm_g * length - 0.5 * (length / norm_g) ** 2 * curvature


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_step_promises_at_least_as_much_as_the_cauchy_point(shape, n):
    """Up to the relative 1e-9 that is requested for the length of the step, and 100·n·eps of the terms."""
    for g, B, radius in problems(shape, n):
        p, predicted, *_ = EigenSubproblem(g, B).solve(TrustRegion(radius))
        size = np.linalg.norm(p)
        scale = np.linalg.norm(g) * size + np.linalg.norm(B, 2) * size**2
        cauchy = cauchy_reduction(g, B, radius)
        assert predicted >= cauchy * (1 - LENGTH) - 100 * n * EPS * scale
        if g.any():
            assert predicted > 0.0


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_smaller_radius_never_promises_more(shape, n):
    """One model, many radii, in any order; up to the tolerance on the length of the step."""
    for seed in range(8):
        rng = np.random.default_rng([seed, n, SHAPES.index(shape)])
        g, B = shape(rng, n)
        model = EigenSubproblem(g, B)
        radii = natural_radius(g, B) * np.geomspace(1e-6, 1e6, 49)
        order = rng.permutation(radii.size)
        promised = np.empty(radii.size)
        for i in order:
            promised[i] = model.solve(TrustRegion(float(radii[i]))).predicted
        larger, smaller = promised[1:], promised[:-1]
        lengths = np.minimum(
            radii[:-1], np.array([np.linalg.norm(model.solve(TrustRegion(float(r))).p) for r in radii[:-1]])
        )
        noise = 100 * n * EPS * (np.linalg.norm(g) * lengths + np.linalg.norm(B, 2) * lengths**2)
        assert np.all(smaller <= larger * (1 + LENGTH) + noise)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_model_gives_the_same_step_whatever_radii_it_was_asked_before(shape):
    rng = np.random.default_rng(5)
    g, B = shape(rng, 6)
    used = EigenSubproblem(g, B)
    for radius in np.geomspace(1e-4, 1e4, 17):
        used.solve(TrustRegion(float(radius)))
    for radius in (0.01, 1.0, 50.0):
        np.testing.assert_array_equal(
            used.solve(TrustRegion(radius)).p, EigenSubproblem(g, B).solve(TrustRegion(radius)).p
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_in_the_plane_no_point_of_the_ball_is_lower(shape):
    """Against twenty thousand points of the disc, of which the boundary has a share of its own."""
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = np.array([np.cos(angles), np.sin(angles)])
    rays = np.concatenate([circle * share for share in np.linspace(0.1, 1.0, 10)], axis=1)
    for g, B, radius in problems(shape, 2, seeds=4):
        points = radius * rays
        values = g @ points + 0.5 * np.einsum("ik,ij,jk->k", points, B, points)
        p, predicted, *_ = EigenSubproblem(g, B).solve(TrustRegion(radius))
        size = np.linalg.norm(p)
        noise = 1000 * EPS * (np.linalg.norm(g) * radius + np.linalg.norm(B, 2) * radius**2)
        assert -predicted <= values.min() + LENGTH * abs(predicted) + noise
        assert size <= radius * (1 + LENGTH)


@pytest.mark.parametrize("n", [1, 4, 12])
def test_inside_the_ball_the_step_is_newtons(n):
    """For a positive definite B whose Newton step fits; up to 10·n·eps times the condition number."""
    for seed in range(10):
        g, B = positive(np.random.default_rng([seed, n]), n)
        newton = -np.linalg.solve(B, g)
        size = np.linalg.norm(newton)
        p, _, on_boundary, *_ = EigenSubproblem(g, B).solve(TrustRegion(1.001 * size))
        assert not on_boundary
        assert np.linalg.norm(p - newton) <= 10 * n * EPS * np.linalg.cond(B) * size
        p, _, on_boundary, *_ = EigenSubproblem(g, B).solve(TrustRegion(0.999 * size))
        assert on_boundary
        assert np.linalg.norm(p) == pytest.approx(0.999 * size, rel=LENGTH)


@pytest.mark.parametrize("factor", [1.1, 10.0, 1000.0])
@pytest.mark.parametrize("nullity", [1, 3])
@pytest.mark.parametrize("n", [4, 10])
def test_where_there_is_neither_slope_nor_curvature_the_step_does_not_go(n, nullity, factor):
    """Of all minimizers of a singular convex model the shortest, −B⁺g, is taken, though rounding tempts to others.

    Neither the zero eigenvalues nor the slopes along them are exactly zero after a rotation. To 1e-9 of ‖p‖.
    """
    for seed in range(20):
        rng = np.random.default_rng([seed, n, nullity])
        Q = orthogonal(rng, n)
        eigenvalues, c = rng.uniform(1.0, 3.0, n), rng.standard_normal(n)
        eigenvalues[:nullity], c[:nullity] = 0.0, 0.0
        shortest = -Q[:, nullity:] @ (c[nullity:] / eigenvalues[nullity:])
        size = np.linalg.norm(shortest)
        p, _, on_boundary, *_ = EigenSubproblem(Q @ c, matrix(Q, eigenvalues)).solve(TrustRegion(factor * size))
        assert np.linalg.norm(p - shortest) <= 1e-9 * size
        assert not on_boundary


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-8])
@pytest.mark.parametrize("nullity", [1, 3])
def test_near_a_degenerate_minimizer_rounding_of_the_gradient_does_not_send_the_step_to_the_boundary(nullity, distance):
    """There g is a small difference of large terms, so that its rounding is eps·|B||x|, far above eps·‖g‖.

    The model gets this information from `TrustRegionNewton`. The step is as long as the way to the nearest minimizer,
    at most
    twice, and not as long as the radius.
    """
    n, radius = 6, 1.0
    for seed in range(20):
        rng = np.random.default_rng([seed, nullity])
        Q = orthogonal(rng, n)
        eigenvalues = rng.uniform(1.0, 3.0, n)
        eigenvalues[:nullity] = 0.0
        B, minimizer = matrix(Q, eigenvalues), rng.standard_normal(n)
        d = Q[:, nullity:] @ rng.standard_normal(n - nullity)
        d *= distance / np.linalg.norm(d)
        g = B @ (minimizer + d) - B @ minimizer
        noise = 10 * EPS * (np.abs(B) @ np.abs(minimizer + d) + np.abs(g))
        p, *_ = EigenSubproblem(g, B, noise).solve(TrustRegion(radius))
        assert np.linalg.norm(p) <= 2 * distance


def test_at_a_saddle_the_step_follows_the_lowest_eigenvector_to_the_boundary():
    p, predicted, on_boundary, *_ = EigenSubproblem(np.zeros(3), np.diag([2.0, -4.0, 1.0])).solve(TrustRegion(0.5))
    np.testing.assert_allclose(np.abs(p), [0.0, 0.5, 0.0], atol=4 * EPS)
    assert predicted == pytest.approx(0.5, rel=4 * EPS)
    assert on_boundary


def test_at_a_minimum_there_is_nothing_to_gain():
    p, predicted, on_boundary, *_ = EigenSubproblem(np.zeros(2), np.diag([2.0, 1.0])).solve(TrustRegion(0.5))
    assert not p.any()
    assert predicted == 0.0
    assert not on_boundary


def test_without_curvature_the_step_is_steepest_descent_to_the_boundary():
    g = np.array([3.0, 0.0, -4.0])
    p, predicted, on_boundary, *_ = EigenSubproblem(g, np.zeros((3, 3))).solve(TrustRegion(2.0))
    np.testing.assert_allclose(p, [-1.2, 0.0, 1.6], rtol=0, atol=LENGTH)
    assert predicted == pytest.approx(10.0, rel=LENGTH)
    assert on_boundary


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(1, 6), st.integers(-60, 60), st.integers(0, 10**6))
def test_the_step_does_not_depend_on_the_unit_of_f(n, k, seed):
    """g and B times a power of two: the same step, and the promise times that power, up to 100·n·eps."""
    rng = np.random.default_rng(seed)
    g, B = indefinite(rng, n)
    one = EigenSubproblem(g, B).solve(TrustRegion(0.7))
    other = EigenSubproblem(2.0**k * g, 2.0**k * B).solve(TrustRegion(0.7))
    np.testing.assert_allclose(other.p, one.p, rtol=0, atol=100 * n * EPS)
    assert other.predicted == pytest.approx(2.0**k * one.predicted, rel=100 * n * EPS)
