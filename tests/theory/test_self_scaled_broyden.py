"""The self-scaled Broyden update: the formula with dense matrices, the secant equation, definiteness."""

import autograd.numpy as np
import pytest

import newtonkit
from newtonkit import BFGS
from newtonkit.methods.bfgs import BFGSInverse
from newtonkit.methods.self_scaled_broyden import SelfScaledBroydenInverse, self_scaled_broyden


def dense_update(H, s, y, tau, phi):
    """(H − HyyᵀH/q + φvvᵀ)/τ + ssᵀ/yᵀs with q = yᵀHy, v = √q (s/yᵀs − Hy/q)."""
    Hy, sy = H @ y, s @ y
    q = y @ Hy
    v = np.sqrt(q) * (s / sy - Hy / q)
    return (H - np.outer(Hy, Hy) / q + phi * np.outer(v, v)) / tau + np.outer(s, s) / sy


@pytest.mark.parametrize("seed", range(6))
def test_the_update_is_the_formula(seed):
    """From H₀ = γI, with steps along −Hg of random length on a random convex quadratic."""
    n, rng = 7, np.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    A = A @ A.T + 0.1 * np.eye(n)
    inverse, x = SelfScaledBroydenInverse(n), rng.standard_normal(n)
    g = A @ x
    s = -0.01 * g
    inverse.update(s.copy(), A @ s, g + A @ s)
    H = inverse.matrix
    x, g = x + s, g + A @ s
    for _ in range(5):
        s = rng.uniform(0.2, 2.0) * inverse.direction
        y = A @ s
        b, h = s @ np.linalg.solve(H, s) / (s @ y), y @ H @ y / (s @ y)
        H = dense_update(H, s, y, *self_scaled_broyden(b, h, n))
        x, g = x + s, g + y
        inverse.update(s.copy(), y.copy(), g.copy())
        assert inverse.matrix == pytest.approx(H, rel=1e-9, abs=1e-12 * np.abs(H).max())
        assert inverse.matrix @ y == pytest.approx(s, rel=1e-8, abs=1e-10)
        assert inverse.direction == pytest.approx(-H @ g, rel=1e-8, abs=1e-10)
        assert np.linalg.eigvalsh(H)[0] > 0


def test_a_step_along_another_direction_is_bfgs():
    rng = np.random.default_rng(0)
    s, y, other, further = rng.standard_normal((4, 5))
    y, further = y * np.sign(s @ y), further * np.sign(other @ further)
    broyden, bfgs = SelfScaledBroydenInverse(5), BFGSInverse(5)
    for inverse in (broyden, bfgs):
        inverse.update(s.copy(), y.copy(), np.ones(5))
        inverse.update(other.copy(), further.copy(), np.arange(5.0))
    assert broyden.matrix == pytest.approx(bfgs.matrix, rel=1e-10)


def test_coefficients_keep_the_matrix_positive_definite():
    rng = np.random.default_rng(1)
    for _ in range(2000):
        b, a = 10.0 ** rng.uniform(-6, 6), 10.0 ** rng.uniform(-10, 6)
        tau, phi = self_scaled_broyden(b, (a + 1.0) / b, 20)
        assert tau > 0
        assert phi >= 0 or phi > -1 / a  # the bound below which the class is no longer positive definite


def test_it_solves_and_the_name_of_an_update_is_checked():
    def f(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    result = newtonkit.minimize(f, np.full(8, -1.0), method="bfgs", options={"update": "broyden"})
    assert result.success
    with pytest.raises(ValueError, match="did you mean 'broyden'"):
        BFGS(update="broydn")
