"""Newton's direction on a Hessian made positive definite, by its eigenvalues or by those of D in LDLᵀ."""

import numpy as np
import pytest

import newtonkit
import problems
from newtonkit.methods.line_search_newton import _by_cholesky, _by_eigenvalues

MODIFICATIONS = {"eigenvalues": _by_eigenvalues, "cholesky": _by_cholesky}
each = pytest.mark.parametrize("modified", MODIFICATIONS.values(), ids=MODIFICATIONS)


def symmetric(rng, n):
    A = rng.standard_normal((n, n))
    return A + A.T


@each
@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_it_is_a_direction_of_descent_and_counts_the_negative_eigenvalues(modified, n):
    for seed in range(30):
        rng = np.random.default_rng([seed, n])
        H, g = symmetric(rng, n), rng.standard_normal(n)
        p, negative = modified(H, g, 1e-8)
        assert g @ p < 0.0
        assert negative == np.sum(np.linalg.eigvalsh(H) < 0.0)


@each
@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_a_positive_definite_hessian_is_left_alone(modified, n):
    """Up to 100·n·eps times the condition number."""
    rng = np.random.default_rng(n)
    A = rng.standard_normal((n, n))
    H, g = A @ A.T + np.eye(n), rng.standard_normal(n)
    newton = -np.linalg.solve(H, g)
    p, negative = modified(H, g, 1e-8)
    assert negative == 0
    assert np.linalg.norm(p - newton) <= 100 * n * 2.2e-16 * np.linalg.cond(H) * np.linalg.norm(newton)


@each
def test_on_a_diagonal_every_negative_eigenvalue_is_turned(modified):
    p, negative = modified(np.diag([4.0, -2.0, 0.0]), np.array([4.0, 2.0, 8.0e-8]), 1e-8)
    np.testing.assert_allclose(p, [-1.0, -1.0, -2.0], rtol=1e-12)
    assert negative == 1


@each
def test_without_any_curvature_it_is_steepest_descent(modified):
    p, negative = modified(np.zeros((2, 2)), np.array([1.0, -2.0]), 1e-8)
    np.testing.assert_array_equal(p, [-1.0, 2.0])
    assert negative == 0


@pytest.mark.parametrize("modification", MODIFICATIONS)
@pytest.mark.parametrize("name", ["rosenbrock", "wood", "himmelblau", "strict-saddle"])
def test_with_a_line_search_it_reaches_a_minimum(name, modification):
    problem = problems.get(name)
    result = newtonkit.minimize(
        problem.fun, problem.starts["standard"], method="newton-linesearch", options={"modification": modification}
    )
    assert result.success
    assert problem.reached(result.x).kind == "minimum"


def test_an_unknown_modification_is_named():
    with pytest.raises(ValueError, match="modification='cholseky' is not known; did you mean 'cholesky'"):
        newtonkit.LineSearchNewton(modification="cholseky")
