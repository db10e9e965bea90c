"""`train` with bounds: every point at which the loss is called lies within them."""

import pickle

import autograd.numpy as np
import pytest

import newtonkit

X = np.linspace(-1.0, 1.0, 40)
DATA = (X, 3.0 * X + 1.0)
RULES = ["gd", "momentum", "nesterov", "adam", "rmsprop", "adagrad", "lion", "lbfgs"]


def loss(p, batch):
    x, y = batch
    values = p
    while hasattr(values, "_value"):
        values = values._value
    assert (values >= -0.5).all(), values
    assert (values <= 2.0).all(), values
    return np.mean((p[0] * x + p[1] - y) ** 2)


@pytest.mark.parametrize("method", RULES)
def test_the_loss_is_called_within_the_bounds_only(method):
    bounds = [(-0.5, 2.0)] * 2
    result = newtonkit.train(
        loss, [5.0, -3.0], DATA, method, bounds=bounds, epochs=40, batch_size=10, options={"rate": 0.1, "tape": False}
    )
    assert ((result.last >= -0.5) & (result.last <= 2.0)).all()
    assert result.fun <= loss(np.array([2.0, 1.0]), DATA) * 1.5 + 1e-3
    if method not in ("lion",):
        assert result.x[0] == 2.0, "the slope 3 is beyond the bound, which is met exactly"


def test_bounds_of_a_dict_and_resuming_bit_for_bit():
    def fit(p, batch):
        x, y = batch
        return np.mean((p["slope"] * x + p["offset"] - y) ** 2)

    start, bounds = {"slope": 0.0, "offset": 0.0}, {"slope": (None, 2.0)}
    whole = newtonkit.train(fit, start, DATA, bounds=bounds, epochs=60, batch_size=10, options={"rate": 0.1})
    half = newtonkit.train(fit, start, DATA, bounds=bounds, epochs=30, batch_size=10, options={"rate": 0.1})
    resumed = newtonkit.train(fit, pickle.loads(pickle.dumps(half)), DATA, epochs=60)
    assert whole.last["slope"] <= 2.0
    assert resumed.last["slope"] == whole.last["slope"]
    assert resumed.last["offset"] == whole.last["offset"]
    with pytest.raises(ValueError, match="bounds are those of the earlier run"):
        newtonkit.train(fit, half, DATA, bounds=bounds, epochs=60)


def test_without_effective_bounds_nothing_changes():
    plain = newtonkit.train(loss, [0.0, 0.0], DATA, epochs=5)
    wide = newtonkit.train(loss, [0.0, 0.0], DATA, epochs=5, bounds=[(-100, 100)] * 2)
    assert plain.last.tolist() == wide.last.tolist()


def test_a_step_to_infinity_is_not_hidden_by_the_projection():
    result = newtonkit.train(
        lambda p, batch: np.mean(batch) * p[0] * 1e300,
        [0.5],
        np.ones(10),
        "gd",
        bounds=[(0, 1)],
        epochs=3,
        options={"rate": 1e300},
    )
    assert result.reason is newtonkit.TerminationReason.NON_FINITE


def test_bounds_of_a_dict_belong_to_their_keys_in_any_order():
    for keys in (("b", "a"), ("a", "b")):
        x0 = dict.fromkeys(keys, 0.0)
        result = newtonkit.minimize(
            lambda p: (p["a"] - 3.0) ** 2 + (p["b"] - 5.0) ** 2, x0, bounds={"b": (None, 1.0)}, method="newton"
        )
        assert abs(float(result.x["a"]) - 3.0) < 1e-9
        assert float(result.x["b"]) == 1.0
