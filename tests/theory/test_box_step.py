"""Steps within a trust region and a box: against enumeration of all faces, and the identities that they rest on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from newtonkit.core.domain import Box, Unbounded
from newtonkit.core.state import FIRST, State
from newtonkit.linalg.factorization import DenseSymmetric, SparseStructure, SparseSymmetric
from newtonkit.methods.compact_model import CompactModel, direction_in_domain
from newtonkit.trustregion.box_step import DomainModel
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.face_identification import find_face, products_for_face
from newtonkit.trustregion.lanczos import LanczosSubproblem
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.step_bound import CubicRegularization, TrustRegion

EPS = float(np.finfo(np.float64).eps)


def random_problem(seed, n, *, convex):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    B = A @ A.T + 0.1 * np.eye(n) if convex else 0.5 * (A + A.T)
    x = rng.uniform(-1.0, 1.0, n)
    box = Box(x - rng.uniform(0.0, 0.5, n) * (rng.random(n) < 0.7), x + rng.uniform(0.1, 0.5, n))
    return rng.standard_normal(n), B, x, box


def value(g, B, p):
    return g @ p + 0.5 * p @ B @ p


def lowest_by_enumeration(g, B, lower, upper):
    """The minimizer of a convex model in a box: the lowest feasible stationary point of all faces."""
    n, best = g.size, np.zeros(g.size)
    for sides in itertools.product((-1, 0, 1), repeat=n):
        side = np.array(sides)
        p = np.where(side < 0, lower, np.where(side > 0, upper, 0.0))
        free = side == 0
        if free.any():
            p[free] = np.linalg.solve(B[np.ix_(free, free)], -(g + B @ np.where(free, 0.0, p))[free])
        feasible = (p >= lower - 1e-12).all() and (p <= upper + 1e-12).all()
        if feasible and value(g, B, p) < value(g, B, best):
            best = p
    return best


def models(g, B):
    yield EigenSubproblem(g, B)
    yield MoreSorensenSubproblem(g, DenseSymmetric(B))
    structure = SparseStructure(sp.csc_array(B))
    yield MoreSorensenSubproblem(g, structure.matrix(sp.csc_array(B)))
    yield LanczosSubproblem(g, lambda v: B @ v, 1e-12)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_convex_model_is_minimized_in_the_box(n, seed):
    g, B, x, box = random_problem(seed, n, convex=True)
    expected = lowest_by_enumeration(g, B, box.lower - x, box.upper - x)
    for model in models(g, B):
        solution = DomainModel.at(model, box, x).solve(box, x, TrustRegion(1e6))
        assert box.contains(box.move(x, solution.p))
        missing = value(g, B, solution.p) - value(g, B, expected)
        assert missing <= 1e-8 * abs(value(g, B, expected)), type(model)
        assert solution.predicted == pytest.approx(-value(g, B, solution.p), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("radius", [0.05, 0.3, 2.0])
@pytest.mark.parametrize("convex", [True, False])
def test_steps_keep_to_ball_and_box_and_are_no_worse_than_the_projected_gradient(convex, radius, seed):
    """The generalized Cauchy point gives sufficient decrease; here it is approximated on a fine grid."""
    n = 6
    g, B, x, box = random_problem(seed, n, convex=convex)
    lower, upper = box.lower - x, box.upper - x
    path = [np.clip(-t * g, lower, upper) for t in np.geomspace(1e-4, 1e4, 400)]
    cauchy = min(value(g, B, p) for p in path if np.linalg.norm(p) <= radius)
    for model in models(g, B):
        solution = DomainModel.at(model, box, x).solve(box, x, TrustRegion(radius))
        assert np.linalg.norm(solution.p) <= radius * (1 + 1e-9)
        assert (solution.p >= lower).all()
        assert (solution.p <= upper).all()
        assert solution.predicted >= -(0.5 if isinstance(model, LanczosSubproblem) else 0.99) * cauchy


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("sigma", [1e-3, 1.0, 1e3])
def test_steps_with_a_cubic_term_keep_to_the_box_and_reduce_the_model(sigma, seed):
    g, B, x, box = random_problem(seed, 6, convex=False)
    for model in models(g, B):
        solution = DomainModel.at(model, box, x).solve(box, x, CubicRegularization(sigma))
        assert solution.predicted > 0.0
        assert value(g, B, solution.p) < 0.0
        assert box.contains(box.move(x, solution.p))


@pytest.mark.parametrize("bound", [TrustRegion(0.3), TrustRegion(1e3), CubicRegularization(2.0)])
@pytest.mark.parametrize("convex", [True, False])
def test_without_active_bounds_the_step_is_the_unconstrained_one_to_the_last_bit(convex, bound):
    g, B, x, _ = random_problem(1, 6, convex=convex)
    for index in range(4):
        plain = list(models(g, B))[index].solve(bound)
        for domain in (Unbounded(), Box(np.full(6, -1e12), np.full(6, 1e12))):
            model = list(models(g, B))[index]
            solution = DomainModel.at(model, domain, x).solve(domain, x, bound)
            np.testing.assert_array_equal(solution.p, plain.p)
            assert solution.predicted == plain.predicted


@pytest.mark.parametrize("seed", range(10))
def test_a_masked_matrix_is_the_block_of_the_free_variables(seed):
    rng = np.random.default_rng(seed)
    n = 30
    B = np.diag(rng.uniform(2.0, 3.0, n)) + np.diag(np.full(n - 1, 0.5), 1) + np.diag(np.full(n - 1, 0.5), -1)
    B[3, 3] = 0.0  # a diagonal entry that a sparse matrix does not store
    free = rng.random(n) < 0.6
    free[3] = seed % 2 == 0
    sparse = sp.csc_array(B)
    v = rng.standard_normal(n)
    expected = np.where(free, B @ np.where(free, v, 0.0), 0.0)
    for matrix in (DenseSymmetric(B), SparseStructure(sparse).matrix(sparse)):
        masked = matrix.masked(free)
        np.testing.assert_allclose(np.where(free, masked.times(np.where(free, v, 0.0)), 0.0), expected, atol=1e-13)
        solve = masked.factor(5.0)
        p = solve(np.where(free, v, 0.0))
        np.testing.assert_array_equal(p[~free], 0.0)
        block = np.ix_(free, free)
        np.testing.assert_allclose(p[free], np.linalg.solve(B[block] + 5.0 * np.eye(free.sum()), v[free]), rtol=1e-10)


@pytest.mark.parametrize("m", [1, 3, 6])
def test_the_compact_model_is_the_bfgs_matrix(m):
    """Byrd, Nocedal & Schnabel (1994), theorem 2.3, against m updates of θI."""
    rng = np.random.default_rng(m)
    n = 8
    A = rng.standard_normal((n, n))
    A = A @ A.T + np.eye(n)
    S = rng.standard_normal((n, m))
    Y = A @ S
    B = (Y[:, -1] @ Y[:, -1]) / (S[:, -1] @ Y[:, -1]) * np.eye(n)
    for s, y in zip(S.T, Y.T, strict=True):
        B = B - np.outer(B @ s, B @ s) / (s @ B @ s) + np.outer(y, y) / (s @ y)
    g = rng.standard_normal(n)
    model = CompactModel(g, S, Y)
    v = rng.standard_normal(n)
    np.testing.assert_allclose(model.times(v), B @ v, rtol=0, atol=1e-9 * np.linalg.norm(B) * np.linalg.norm(v))
    np.testing.assert_allclose(model.solve(TrustRegion(np.inf)).p, -np.linalg.solve(B, g), rtol=1e-7, atol=1e-9)
    free = np.arange(n) % 3 > 0
    p = model.face(free, g).solve(TrustRegion(np.inf)).p
    np.testing.assert_allclose(p[free], -np.linalg.solve(B[np.ix_(free, free)], g[free]), rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(p[~free], 0.0)


def test_directions_end_in_the_domain_and_descend():
    for seed in range(30):
        g, B, x, box = random_problem(seed, 6, convex=True)
        state = State(x, 0.0, g, FIRST)
        p = -np.linalg.solve(B, g)
        d = direction_in_domain(box, state, p, lambda g=g, B=B: MoreSorensenSubproblem(g, DenseSymmetric(B)))
        if d is None:
            assert not box.free(x, g).any()
            continue
        assert box.contains(box.move(x, d))
        assert d @ g < 0.0
    assert direction_in_domain(Unbounded(), state, p, lambda: None) is p


def grid_matrix(k):
    one = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(k, k))
    return sp.csc_array(sp.kron(one, sp.eye_array(k)) + sp.kron(sp.eye_array(k), one))


@pytest.mark.parametrize("seed", range(5))
def test_conjugate_gradients_with_projections_find_the_face_of_the_minimizer(seed):
    """Against the multipliers: the gradient is small on the free variables and points outward at the bounds."""
    rng = np.random.default_rng(seed)
    k = 12
    A = grid_matrix(k)
    g, width = rng.standard_normal(k * k), rng.uniform(0.0, 0.4, k * k)
    width[::10] = 0.0  # fixed variables
    box = Box(-width, width)
    model = MoreSorensenSubproblem(g, SparseSymmetric(A))
    s, As, spent = find_face(model, box, np.zeros(k * k), np.zeros(k * k), np.inf, 10_000)
    assert box.contains(s)
    np.testing.assert_allclose(As, A @ s, atol=1e-12)
    assert 0 < spent < 1000
    r = np.where(width > 0.0, g + As, 0.0)
    inward = np.where(s <= -width, np.minimum(r, 0.0), np.where(s >= width, np.maximum(r, 0.0), r))
    assert np.linalg.norm(inward) <= 1e-4 * np.linalg.norm(g)


@pytest.mark.parametrize("radius", [1e-3, 0.5])
@pytest.mark.parametrize("shift", [0.0, -3.0])
def test_the_search_for_a_face_keeps_to_the_ball_and_reduces_the_model_without_convexity(shift, radius):
    k = 8
    g = np.random.default_rng(1).standard_normal(k * k)
    A = sp.csc_array(grid_matrix(k) + shift * sp.eye_array(k * k))
    model = MoreSorensenSubproblem(g, SparseSymmetric(A))
    s, _, _ = find_face(model, Box(np.full(k * k, -0.1), np.full(k * k, 0.2)), 0 * g, 0 * g, radius, 10_000)
    assert np.linalg.norm(s) <= radius
    assert value(g, A, s) <= 0.0
    assert find_face(model, Box(np.full(k * k, -0.1), np.full(k * k, 0.2)), 0 * g, 0 * g, radius, 3)[2] <= 5


def test_products_replace_factorizations_on_faces_for_sparse_matrices_only():
    k = 12
    n = k * k
    A, x = grid_matrix(k), np.zeros(n)
    box, g = Box(x - 0.1, x + 0.05), np.random.default_rng(2).standard_normal(n)
    sparse, band = (
        MoreSorensenSubproblem(g, SparseSymmetric(A)),
        MoreSorensenSubproblem(g, SparseStructure(A).matrix(A)),
    )
    assert products_for_face(sparse) > 0
    assert products_for_face(band) == 0
    solutions = [DomainModel.at(model, box, x).solve(box, x, TrustRegion(1e3)) for model in (sparse, band)]
    np.testing.assert_allclose(solutions[0].p, solutions[1].p, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_the_newton_length_in_a_box_is_that_of_the_minimizer_in_the_box(seed):
    g, B, x, box = random_problem(seed, 5, convex=True)
    expected = lowest_by_enumeration(g, B, box.lower - x, box.upper - x)
    model = DomainModel.at(EigenSubproblem(g, B), box, x)
    length = model.newton_length(box, x)
    assert length >= model.face.newton_length
    if length > model.face.newton_length:
        assert length == pytest.approx(np.linalg.norm(expected), rel=1e-6)
        # the solution is kept for a radius that contains it, and not used for a smaller one
        assert model.solve(box, x, TrustRegion(length)).length == length
        assert model.solve(box, x, TrustRegion(0.5 * length)).length <= 0.5 * length * (1 + 1e-9)
    g, B, x, box = random_problem(seed, 5, convex=False)
    model = DomainModel.at(EigenSubproblem(g, B), box, x)
    if model.face.newton_length == 0.0:
        assert model.newton_length(box, x) == 0.0
