"""The index of a large Hessian: exactly by factorizations, at least so much by products, probably by Lanczos."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from comparisons.studies.critical_points.classifier import wells
from newtonkit import Evaluator, Objective, classify, minimize
from newtonkit.classification.factored import factored_verdict, negative_curvature
from newtonkit.classification.lanczos import product_verdict
from newtonkit.linalg.factorization import DenseSymmetric, TridiagonalSymmetric
from newtonkit.linalg.inertia import _sparse_negatives, index_at_least, inertia
from newtonkit.linalg.kernels import EPS
from newtonkit.linalg.sparse_factors import SuperLUFactorizer


def random_sparse(seed):
    """Symmetric and indefinite, of any unit; in two cases of three with zeros on the diagonal."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    M = sp.random_array((n, n), density=0.1, rng=rng)
    present = rng.random(n) < [1.0, 0.7, 0.0][seed % 3]
    return sp.csc_array(M + M.T + sp.diags_array(rng.standard_normal(n) * present)) * 10.0 ** rng.uniform(-8, 8)


def counted(H, tau):
    eigenvalues = np.linalg.eigvalsh(H)
    return int(np.sum(eigenvalues < -tau)), int(np.sum(np.abs(eigenvalues) <= tau)), int(np.sum(eigenvalues > tau))


@pytest.mark.parametrize("kind", ["sparse", "full"])
def test_the_inertia_is_that_of_the_eigenvalues_or_it_is_refused(kind):
    """Three hundred random matrices: none wrong; a full one is never refused, a sparse one hardly ever."""
    refused = 0
    for seed in range(300):
        H = random_sparse(seed)
        answer = inertia(H if kind == "sparse" else H.toarray())
        if answer is None:
            refused += 1
        else:
            assert answer[:3] == counted(H.toarray(), answer.threshold), seed
    assert refused <= (3 if kind == "sparse" else 0)


def grid(seed):
    """Neighbours on a rectangle, of random weights or of one; on the diagonal zeros, or some numbers among them."""
    rng = np.random.default_rng(seed)
    a, b = (int(side) for side in rng.integers(2, 25, 2))

    def line(n):
        weights = rng.standard_normal(n - 1) if seed % 2 else np.ones(n - 1)
        return sp.diags_array([weights, weights], offsets=[-1, 1])

    diagonal = rng.choice([0.0, 0.0, 1.0, -2.0, 1e-5], a * b) if seed % 3 else np.zeros(a * b)
    return sp.csc_array(
        sp.kron(line(a), sp.eye_array(b)) + sp.kron(sp.eye_array(a), line(b)) + sp.diags_array(diagonal)
    )


def at_the_first_threshold_of_six(H):
    """The result of `inertia` if no threshold is left out."""
    n, size = H.shape[0], float(abs(H).sum(axis=0).max())
    unit = sp.eye_array(n, format="csc")
    for k in range(6):
        least = 10 * np.sqrt(n) * EPS * 30.0**k
        tau = least * size
        lower, upper = (_sparse_negatives(H + s * tau * unit, SuperLUFactorizer()) for s in (1.0, -1.0))
        if least <= 1e-6 and 2.0 * max(lower[1], upper[1]) < tau:
            return lower[0], upper[0] - lower[0], n - upper[0]
    return None


@pytest.mark.parametrize("make", [random_sparse, grid])
def test_what_is_given_up_early_none_of_the_six_thresholds_would_have_decided(make, monkeypatch):
    monkeypatch.setattr("newtonkit.linalg.sparse_factors._has_feral", lambda: False)  # without pivoting
    answers = []
    for seed in range(60):
        H = make(seed)
        answer = inertia(H)
        answers.append(None if answer is None else answer[:3])
        assert answers[-1] == at_the_first_threshold_of_six(H), seed
    assert make is random_sparse or {None} < set(answers), "some are refused"


@pytest.mark.parametrize(
    ("diagonal", "index", "factorizations"),
    [(0.0, None, 1), (0.5, None, 2), (4.5, 0, 3)],
    ids=["no diagonal", "indefinite", "positive definite"],
)
def test_factors_that_grow_whatever_the_threshold_are_given_up_after_two(monkeypatch, diagonal, index, factorizations):
    """Of a lattice of 100 × 100 sites; where it is positive definite it needs the second threshold, and no other."""
    factored = []

    def counting(*args, **options):
        factored.append(args)
        return splu(*args, **options)

    monkeypatch.setattr("newtonkit.linalg.sparse_factors._has_feral", lambda: False)
    monkeypatch.setattr("newtonkit.linalg.sparse_factors.splu", counting)
    line = sp.diags_array([np.ones(99)] * 2, offsets=[-1, 1])
    lattice = sp.kron(line, sp.eye_array(100)) + sp.kron(sp.eye_array(100), line)
    answer = inertia(lattice + diagonal * sp.eye_array(10_000))
    assert (answer and answer.negative) == index
    assert len(factored) == factorizations


def test_eigenvalues_that_are_zero_are_counted_as_such():
    """A path's Laplacian has one, two paths have two; minus it has as many."""
    path = sp.diags_array(
        [-np.ones(49), np.r_[1.0, 2.0 * np.ones(48), 1.0], -np.ones(49)], offsets=[-1, 0, 1], format="csc"
    )
    assert inertia(path.toarray())[:3] == (0, 1, 49)
    assert inertia(-sp.block_diag([path, path], format="csc"))[:3] == (98, 2, 0)
    assert inertia(sp.csc_array((7, 7)))[:3] == (0, 7, 0)


def chain(n):
    """The Hessian of a chain of double wells: some of the sites are on their barrier."""
    rng = np.random.default_rng(n)
    off_diagonal = -np.ones(n - 1)
    return rng.uniform(-1.0, 3.0, n), off_diagonal


def test_the_index_of_a_long_chain_agrees_with_the_recurrence_of_sturm():
    diagonal, off_diagonal = chain(10_000)
    pivot, negative = np.inf, 0
    for d, b in zip(diagonal, np.r_[0.0, off_diagonal], strict=True):
        pivot = d - b * b / pivot
        negative += pivot < 0.0
    H = sp.diags_array([off_diagonal, diagonal, off_diagonal], offsets=[-1, 0, 1], format="csc")
    answer = inertia(H)
    assert (answer.negative, answer.zero) == (negative, 0)


def test_a_subspace_of_negative_curvature_bounds_the_index_from_below():
    diagonal, off_diagonal = chain(1000)
    B = TridiagonalSymmetric(diagonal, off_diagonal)
    V = np.eye(1000)[:, np.argsort(diagonal)[:20]]
    H = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    bound = index_at_least(B.times, V)
    assert 15 <= bound <= 20
    assert bound <= counted(H, 0.0)[0]
    assert index_at_least(lambda v: 1e-12 * v, V) == 0
    assert index_at_least(lambda v: -1e-12 * v, V) == 20


@pytest.mark.parametrize("lowest", [-1.0, -1e-3, -1e-6, -1e-9])
def test_inverse_iteration_finds_a_single_negative_eigenvalue_however_small(lowest):
    w = np.linspace(1e-3, 1.0, 500)
    w[7] = lowest
    v = np.random.default_rng(3).standard_normal(500)
    v /= np.linalg.norm(v)
    Q = np.eye(500) - 2.0 * np.outer(v, v)
    B = (Q * w) @ Q
    matrix = DenseSymmetric(0.5 * (B + B.T))
    v = negative_curvature(matrix)
    assert np.linalg.norm(v) == pytest.approx(1.0)
    assert lowest * (1.0 + 1e-3) <= v @ matrix.times(v) < 0.25 * lowest


def test_a_semidefinite_matrix_has_no_direction_of_negative_curvature():
    w = np.linspace(0.0, 1.0, 300)
    assert negative_curvature(DenseSymmetric(np.diag(w))) is None


def needle():
    """Convex in 499 directions; in the eighth f falls by 2.5e-6."""
    w = np.linspace(1e-3, 1.0, 500)
    w[7] = -1e-6
    return lambda x: anp.sum(w * x**2) + 1e-7 * anp.sum(x**4)


def test_the_factored_verdict_sees_what_lanczos_misses():
    fun, x = needle(), np.zeros(500)
    evaluator = Evaluator(Objective(fun), second_order=True)
    g = evaluator.gradient(x)
    assert product_verdict(evaluator, x, g).kind == "undecided"
    verdict = factored_verdict(evaluator, x, g, DenseSymmetric(evaluator.hessian(x)))
    assert (verdict.kind, verdict.level) == ("saddle", "numerical")
    assert "at least 1 of 500 eigenvalues negative" in verdict.reason
    assert abs(verdict.escape_direction[7]) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("offset", [0.0, 1e-6])
def test_in_thousands_of_variables_classify_counts_the_negative_eigenvalues_of_a_sparse_hessian(offset):
    """On the barriers they are −1 + 2(1 − cos(kπ/n)), k < n: a third is negative. In one well none is."""
    n = 3001  # of a multiple of three one would be zero
    noise = offset * np.random.default_rng(0).standard_normal(n)
    index = int(np.sum(2.0 * (1.0 - np.cos(np.pi * np.arange(n) / n)) < 1.0))
    barrier, well = classify(wells, noise), classify(wells, 1.0 + noise)
    assert (barrier.kind, barrier.index, barrier.nullity) == ("saddle", index, 0)
    v = barrier.escape_direction
    assert wells(1e-3 * v) < wells(np.zeros(n))
    assert (well.kind, well.index, well.nullity) == ("minimum", 0, 0)
    assert classify(wells, 0.5 + noise).kind == "not critical"


def test_no_unit_of_a_variable_changes_that_count():
    units = np.where(np.arange(3000) % 2, 1.0, 1e-9)
    assert classify(lambda z: wells(z / units), np.zeros(3000)).index == classify(wells, np.zeros(3000)).index


@pytest.mark.parametrize("offset", [0.0, 1e-9, 1e-4])
def test_one_degenerate_direction_among_thousands_leaves_the_kind_undecided(offset):
    x = np.zeros(3000)
    x[0] = offset
    assert classify(lambda x: x[0] ** 3 + anp.sum(x[1:] ** 2), x).kind == "undecided"


def test_products_state_how_many_eigenvalues_are_negative_at_least():
    """Of a full Hessian with three of them, whose others are near 1."""
    n = 2000
    w = np.r_[-3.0, -2.0, -1.0, np.linspace(1.0, 1.1, n - 3)]
    verdict = classify(lambda x: 0.5 * anp.sum(w * x**2) + anp.sum(x) ** 4, np.zeros(n))
    assert verdict.kind == "saddle"
    assert verdict.index is None, "how many there are is not known"
    assert "at least 3 of 2000 eigenvalues negative" in verdict.reason


def test_values_alone_are_not_enough_in_thousands_of_variables():
    calls = 0

    def opaque(x):
        nonlocal calls
        calls += 1
        return float(sum(float(t) ** 2 for t in x))

    verdict = classify(opaque, np.zeros(1500))
    assert verdict.kind == "undecided"
    assert "give jac" in verdict.reason
    assert calls < 10


def test_newton_leaves_a_saddle_of_one_small_negative_eigenvalue_among_five_hundred():
    result = minimize(needle(), np.zeros(500), method="newton")
    assert result.success
    assert result.fun == pytest.approx(-2.5e-6)
    assert result.verdict.kind == "minimum"
