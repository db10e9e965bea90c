"""Lion and Muon: steps computed by hand, and properties that follow from the formulas."""

import pickle
from itertools import islice

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit
from newtonkit import Adam, Linear, Lion, Muon, iterate, leaf_shapes, scale_by_muon, train


def test_the_first_steps_of_lion_by_hand():
    """β₁ = ½, β₂ = ¾, η = 0.1, λ = 1: the second gradient changes m but not the sign of the interpolation."""
    rule = Lion(rate=0.1, beta1=0.5, beta2=0.75, weight_decay=1.0)
    x, state = np.array([1.0, -2.0]), rule.init(2)
    step, state = rule.update(np.array([4.0, -0.5]), state, x)
    # c = (2, −0.25); step = −0.1·((1, −1) + x); m = (1, −0.125)
    np.testing.assert_allclose(step, [-0.2, 0.3], rtol=1e-15)
    step, state = rule.update(np.array([-0.5, 0.25]), state, np.zeros(2))
    # c = (0.25, 0.0625); m = (0.625, −0.03125)
    np.testing.assert_allclose(step, [-0.1, -0.1], rtol=1e-15)
    step, state = rule.update(np.array([-0.625, 0.0]), state, np.zeros(2))
    # c = (0, −0.015625): no step where the interpolation is 0
    np.testing.assert_allclose(step, [0.0, 0.1], rtol=1e-15)


def test_the_steps_of_lion_do_not_depend_on_the_scale_of_the_function():
    def points(scale):
        states = islice(iterate(Lion(rate=0.05), lambda x: scale * anp.sum((x - 1) ** 2 + x**4), [3.0, -2.0]), 60)
        return [state.x for state in states]

    np.testing.assert_array_equal(points(1.0), points(2.0**20))


def orthonormal(rng, rows, columns):
    return np.linalg.qr(rng.standard_normal((rows, columns)))[0]


def test_the_first_step_of_muon_is_the_orthogonal_factor_of_the_gradient():
    """G = UΣWᵀ with known factors: the step is −η·0.2·√max(p, q)·UWᵀ, whatever the singular values are."""
    rng = np.random.default_rng(0)
    for rows, columns in ((5, 3), (3, 5), (4, 4)):
        rank = min(rows, columns)
        U, W = orthonormal(rng, rows, rank), orthonormal(rng, columns, rank)
        G = U @ np.diag(10.0 ** -np.arange(rank)) @ W.T
        rule = Muon(rate=0.1, shapes=((rows, columns),))
        step, _ = rule.update(G.reshape(-1), rule.init(G.size), np.zeros(G.size))
        expected = -0.1 * 0.2 * np.sqrt(max(rows, columns)) * U @ W.T
        np.testing.assert_allclose(step.reshape(rows, columns), expected, rtol=0, atol=1e-12)
        assert np.sqrt(np.mean(step**2)) == pytest.approx(0.1 * 0.2, rel=1e-12)


def test_the_momentum_of_muon_by_hand():
    """Two updates of a diagonal matrix: V = γG₁ + G₂, and the signs of the diagonal of G₂ + γV."""
    transform = scale_by_muon(((2, 2),), decay=0.5)
    _, state = transform.update(np.diag([4.0, 1.0]).reshape(-1), transform.init(4), np.zeros(4))
    direction, state = transform.update(np.diag([-1.0, -1.0]).reshape(-1), state, np.zeros(4))
    np.testing.assert_allclose(state.v.reshape(2, 2), np.diag([1.0, -0.5]), rtol=1e-15)
    # G₂ + γV = diag(−0.5, −1.25)
    np.testing.assert_allclose(direction.reshape(2, 2), -0.2 * np.sqrt(2) * np.eye(2), rtol=0, atol=1e-15)


def test_muon_updates_vectors_by_adam():
    rng = np.random.default_rng(1)
    shapes = ((3,), (2, 3), (1, 4), (2,))
    muon, adam = Muon(rate=0.1, shapes=shapes), Adam(rate=0.1)
    vectors = np.r_[0:3, 9:15]
    state, its_state = muon.init(15), adam.init(9)
    for _ in range(5):
        g = rng.standard_normal(15)
        step, state = muon.update(g, state, np.zeros(15))
        expected, its_state = adam.update(g[vectors], its_state, np.zeros(9))
        np.testing.assert_array_equal(step[vectors], expected)


@pytest.mark.parametrize("G", [np.zeros((2, 3)), np.full((2, 3), np.inf)])
def test_muon_raises_no_exception_for_a_zero_or_infinite_gradient(G):
    transform = scale_by_muon(((2, 3),))
    direction, _ = transform.update(G.reshape(-1), transform.init(6), np.zeros(6))
    assert np.all(direction == 0.0) if not G.any() else np.isnan(direction).all()


PARAMS = {"W": np.random.default_rng(2).standard_normal((4, 3)), "b": np.ones(3)}
X = np.random.default_rng(3).standard_normal((60, 4))


def loss(p, x):
    """A linear regression without noise: the minimum is 0, at W = the first three columns of I and b = 0."""
    return anp.mean((anp.dot(x, p["W"]) + p["b"] - x[:, :3]) ** 2)


@pytest.mark.parametrize(
    "method", [Lion(rate=Linear(0.05, 200)), Muon(rate=Linear(0.3, 200), shapes=leaf_shapes(PARAMS))]
)
def test_training_lowers_the_loss_and_resumes_bit_for_bit(method):
    whole = train(loss, PARAMS, X, method, batch_size=15, epochs=50)
    assert whole.success
    assert whole.fun < 1e-3 * whole.history.full_loss[0]
    first = train(loss, PARAMS, X, method, batch_size=15, epochs=50, callback=lambda u: u.number == 77)
    first.state = pickle.loads(pickle.dumps(first.state))
    second = train(loss, first, X, epochs=50)
    for name in PARAMS:
        np.testing.assert_array_equal(second.last[name], whole.last[name])


def test_the_shapes_of_muon_must_be_those_of_the_parameters():
    assert leaf_shapes(PARAMS) == ((4, 3), (3,))
    with pytest.raises(ValueError, match=r"0 entries in total, but there are 15 parameters.*leaf_shapes"):
        train(loss, PARAMS, X, Muon(), epochs=1)


def test_a_parameter_out_of_range_is_refused():
    with pytest.raises(ValueError, match="beta1 must be a number in"):
        Lion(beta1=1.0)
    with pytest.raises(ValueError, match="decay must be a number in"):
        Muon(shapes=((2, 2),), decay=-0.1)
    assert "Lion" in newtonkit.__all__
