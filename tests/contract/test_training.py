"""The promises of `train`, on a small network."""

import math
import pickle
import re
import threading
from pathlib import Path

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import Adam, Cosine, GradientDescent, Nesterov, SampledLBFGS, StepDecay, TerminationReason, Warmup, train
from newtonkit.training.batches import Sampling
from newtonkit.training.rules import RULES

ROWS, CLASSES = 150, 3
_rng = onp.random.default_rng(1)
X = _rng.standard_normal((ROWS, 2))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 0] > 1)
ONE_HOT = onp.eye(CLASSES)[LABELS]
# rates at which every rule makes progress; at 0.1 sampled L-BFGS diverges for one seed of three
RATES = {"gd": 0.3, "momentum": 0.05, "nesterov": 0.05, "adagrad": 0.1, "rmsprop": 0.01, "adadelta": 1.0}
RATES |= {"lbfgs": 0.05, "sampled-lbfgs": 0.05, "lion": 0.003}


def network():
    rng = onp.random.default_rng(0)
    return [
        {"W": rng.standard_normal((a, b)) / math.sqrt(a), "b": onp.zeros(b)} for a, b in ((2, 5), (5, 4), (4, CLASSES))
    ]


def log_probabilities(params, x):
    for i, layer in enumerate(params):
        x = np.dot(x, layer["W"]) + layer["b"]
        if i < len(params) - 1:
            x = np.maximum(x, 0.0)
    largest = np.max(x, axis=1, keepdims=True)
    return x - largest - np.log(np.sum(np.exp(x - largest), axis=1, keepdims=True))


def by_mask(params, batch):
    x, labels = batch
    return -np.mean(np.sum(log_probabilities(params, x) * (labels[:, None] == np.arange(CLASSES)), axis=1))


def by_one_hot(params, batch):
    x, rows = batch
    return -np.mean(np.sum(log_probabilities(params, x) * rows, axis=1))


def by_index(params, batch):
    x, labels = batch
    return -np.mean(log_probabilities(params, x)[np.arange(len(labels)), labels])


def line(params, batch):
    """A linear regression, whose gradients are computed by hand."""
    x, y = batch
    return np.mean((params[0] * x + params[1] - y) ** 2)


def line_gradient(params, x, y):
    r = params[0] * x + params[1] - y
    return onp.array([2 * onp.mean(r * x), 2 * onp.mean(r)])


POINTS = onp.linspace(-1.0, 1.0, 10), onp.linspace(-2.0, 4.0, 10) ** 2


def flat(params):
    return onp.concatenate([leaf.ravel() for layer in params for leaf in (layer["W"], layer["b"])])


def options_for(method):
    return {"rate": RATES[method]} if method in RATES else {}


# --- batches ------------------------------------------------------------------------------------------------------


def test_every_epoch_contains_every_row_once_in_a_new_order_with_a_smaller_last_batch():
    seen = []
    train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=3, callback=lambda update: seen.append(update.batch[0].copy()))
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [onp.concatenate(seen[i : i + 3]) for i in (0, 3, 6)]
    for epoch in epochs:
        onp.testing.assert_array_equal(onp.sort(epoch), POINTS[0])
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_with_steps_batches_of_full_size_are_drawn_with_replacement():
    seen = []
    result = train(line, [0.0, 0.0], POINTS, batch_size=4, steps=500, callback=lambda u: seen.append(u.batch[0].copy()))
    assert result.nit == 500
    assert all(len(batch) == 4 for batch in seen)
    drawn = onp.concatenate(seen)
    assert any(len(set(batch)) < 4 for batch in seen)
    # 2000 draws of ten values: 200 ± 13 each; five deviations
    counts = [int((drawn == value).sum()) for value in POINTS[0]]
    assert all(133 < count < 267 for count in counts)


def test_batches_are_those_of_the_documented_generator():
    seen = []
    train(line, [0.0, 0.0], POINTS, seed=7, batch_size=4, epochs=2, callback=lambda u: seen.append(u.batch[1].copy()))
    for epoch in (1, 2):
        order = onp.random.default_rng((7, epoch)).permutation(10)
        onp.testing.assert_array_equal(onp.concatenate(seen[3 * epoch - 3 : 3 * epoch]), POINTS[1][order])


def test_the_position_of_an_update_counts_epochs_and_batches_from_one():
    sampling = Sampling(10, 4, False, 0)
    assert [sampling.position(t) for t in (1, 3, 4, 7)] == [(1, 1), (1, 3), (2, 1), (3, 1)]


@pytest.mark.parametrize(
    ("data", "loss"),
    [
        (X, lambda p, batch: np.mean((batch - p) ** 2)),
        ([X, LABELS], lambda p, batch: np.mean((batch[0] - p) ** 2) + 0.0 * np.sum(batch[1])),
        ({"x": X, "labels": list(LABELS)}, lambda p, batch: np.mean((batch["x"] - p) ** 2)),
    ],
    ids=["array", "list", "dict"],
)
def test_a_batch_has_the_structure_of_the_data(data, loss):
    kinds = set()
    result = train(loss, [5.0, 5.0], data, epochs=2, callback=lambda update: kinds.add(type(update.batch)))
    assert kinds == {type(data)}
    assert result.success


def test_the_data_are_not_copied_and_are_read_only():
    def writes(params, batch):
        batch[...] = 0.0
        return np.mean((batch - params) ** 2)

    with pytest.raises(ValueError, match="read-only"):
        train(writes, [1.0, 1.0], X, batch_size=None, epochs=1)


# --- updates ------------------------------------------------------------------------------------------------------


def test_gradient_descent_on_batches_is_the_textbook_loop():
    params = onp.array([0.5, -0.5])
    losses = []
    result = train(line, [0.5, -0.5], POINTS, GradientDescent(rate=0.1), batch_size=3, epochs=5, seed=2)
    for epoch in range(1, 6):
        order = onp.random.default_rng((2, epoch)).permutation(10)
        for start in range(0, 10, 3):
            x, y = (column[order[start : start + 3]] for column in POINTS)
            losses.append(float(line(params, (x, y))))
            params = params - 0.1 * line_gradient(params, x, y)
    onp.testing.assert_allclose(result.last, params, rtol=1e-13)
    onp.testing.assert_allclose(result.history.loss, losses, rtol=1e-13)
    onp.testing.assert_array_equal(result.history.update, onp.arange(1, 21))


def test_nesterov_takes_one_gradient_per_update_at_the_look_ahead_point():
    params, v = onp.array([0.5, -0.5]), onp.zeros(2)
    result = train(line, params, POINTS, Nesterov(rate=0.05, decay=0.8), batch_size=None, epochs=20)
    for _ in range(20):
        v = 0.8 * v + 0.05 * line_gradient(params - 0.8 * v, *POINTS)
        params = params - v
    onp.testing.assert_allclose(result.last, params, rtol=1e-12)
    assert result.njev == 20


@pytest.mark.parametrize("batch_size", [None, 10, 1000])
def test_with_all_data_in_every_batch_train_makes_the_steps_of_minimize(batch_size):
    result = train(line, [0.0, 0.0], POINTS, Adam(rate=0.05), batch_size=batch_size, epochs=40)
    states = newtonkit.iterate(Adam(rate=0.05), lambda p: line(p, POINTS), [0.0, 0.0])
    for _ in range(41):
        state = next(states)
    onp.testing.assert_allclose(result.last, state.x, rtol=1e-12)
    assert result.nit == result.epochs == 40


@pytest.mark.parametrize("method", RULES)
def test_every_rule_lowers_the_loss_of_a_network(method):
    result = train(by_mask, network(), (X, LABELS), method, batch_size=32, epochs=40, options=options_for(method))
    assert result.reason is TerminationReason.EPOCHS
    assert result.success
    assert result.fun < 0.9 * result.history.full_loss[0]
    assert result.nit == 40 * 5


def test_a_schedule_of_updates_gives_each_update_its_rate():
    rates = []

    def schedule(t):
        rates.append(t)
        return 0.1 / t

    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=4, epochs=3, schedule=schedule)
    assert rates == list(range(1, 10))
    params = onp.zeros(2)
    for epoch in range(1, 4):
        order = onp.random.default_rng((0, epoch)).permutation(10)
        for i in range(3):
            rows = order[4 * i : 4 * i + 4]
            params = params - 0.1 / (3 * (epoch - 1) + i + 1) * line_gradient(params, *(c[rows] for c in POINTS))
    onp.testing.assert_allclose(result.last, params, rtol=1e-12)


@pytest.mark.parametrize("counted", [{"epochs": 4}, {"steps": 12}])
def test_a_schedule_of_epochs_receives_the_number_of_the_epoch(counted):
    requested = []

    def schedule(epoch):
        requested.append(epoch)
        return 0.01

    train(line, [0.0, 0.0], POINTS, batch_size=4, schedule=schedule, schedule_unit="epochs", **counted)
    assert requested == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3


def test_schedule_unit_applies_to_the_schedule_of_an_instance_too():
    own = train(line, [0.0, 0.0], POINTS, GradientDescent(StepDecay(0.1, (2,))), epochs=3, schedule_unit="epochs")
    given = train(line, [0.0, 0.0], POINTS, "gd", epochs=3, schedule=StepDecay(0.1, (2,)), schedule_unit="epochs")
    onp.testing.assert_array_equal(own.last, given.last)


# --- sampled L-BFGS -----------------------------------------------------------------------------------------------


def test_a_pair_on_one_batch_takes_a_second_gradient_and_one_on_two_batches_does_not():
    one = train(by_mask, network(), (X, LABELS), "lbfgs", batch_size=50, epochs=10)
    two = train(by_mask, network(), (X, LABELS), SampledLBFGS(pairs="two batches"), batch_size=50, epochs=10)
    assert (one.nit, one.njev, one.epochs) == (30, 60, 20.0)
    assert (two.nit, two.njev, two.epochs) == (30, 30, 10.0)


def test_on_all_data_the_two_kinds_of_pairs_agree():
    ends = [
        train(line, [0.5, -0.5], POINTS, SampledLBFGS(pairs=pairs), batch_size=None, epochs=30).last
        for pairs in ("one batch", "two batches")
    ]
    onp.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)


def test_on_all_data_sampled_lbfgs_makes_the_steps_of_minimize():
    rule = SampledLBFGS(rate=0.5)
    trained = train(line, [0.5, -0.5], POINTS, rule, batch_size=None, epochs=10).last
    states = newtonkit.iterate(rule, lambda p: line(p, POINTS), [0.5, -0.5])
    for _ in range(11):
        state = next(states)
    onp.testing.assert_allclose(trained, state.x, rtol=1e-10)


def test_pairs_on_one_batch_measure_the_curvature_and_pairs_on_two_batches_do_not():
    """A parabola of curvature 1 with noise: y = s on one batch; on two batches y contains their difference too."""
    rows = onp.random.default_rng(0).standard_normal(400)
    errors = {}
    for pairs in ("one batch", "two batches"):
        result = train(
            lambda p, batch: 0.5 * np.mean((p[0] - batch) ** 2),
            [1.0],
            rows,
            SampledLBFGS(rate=0.01, memory=1, pairs=pairs),
            batch_size=4,
            epochs=1,
        )
        errors[pairs] = abs(result.state.transform_state[0].pairs.gamma - 1.0)
    assert errors["one batch"] < 1e-12
    assert errors["two batches"] > 0.1


def test_a_stale_state_of_sampled_lbfgs_is_refused():
    rule, g = SampledLBFGS(), onp.array([1.0, 2.0])
    _, state = rule.update(g, rule.init(2), onp.zeros(2))
    rule.observe(g / 2, state, -0.1 * g)
    with pytest.raises(RuntimeError, match="stale"):
        rule.observe(g / 2, state, -0.1 * g)


# --- resuming -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize("counted", ["epochs", "steps"])
def test_a_resumed_training_is_bit_for_bit_the_uninterrupted_one(method, counted):
    """The first run is stopped in the middle of an epoch, pickled, and resumed twice."""

    def training(params, callback=None, **new_run):
        return train(by_mask, params, (X, LABELS), batch_size=32, callback=callback, **{counted: 12}, **new_run)

    new_run = {"method": method, "options": options_for(method), "seed": 5}
    whole = training(network(), **new_run)
    stop = 33 if counted == "epochs" else 7
    first = training(network(), lambda update: update.number == stop, **new_run)
    assert (first.reason, first.nit) == (TerminationReason.CALLBACK, stop)
    kept = pickle.loads(pickle.dumps(first.state))
    for _ in range(2):
        first.state = kept
        second = training(first)
        onp.testing.assert_array_equal(flat(second.last), flat(whole.last))
        assert (second.nit, second.nfev, second.njev) == (whole.nit, whole.nfev, whole.njev)
        assert second.epochs == whole.epochs
        assert second.method == whole.method
        onp.testing.assert_array_equal(second.history.loss, whole.history.loss[stop:])
        onp.testing.assert_array_equal(second.history.update, whole.history.update[stop:])


def test_a_resumed_run_continues_its_schedule():
    def training(params, epochs, **new_run):
        return train(line, params, POINTS, batch_size=4, epochs=epochs, **new_run)

    new_run = {"method": "gd", "schedule": Warmup(Cosine(0.2, horizon=20), steps=4), "schedule_unit": "epochs"}
    whole = training([0.0, 0.0], 15, **new_run)
    onp.testing.assert_array_equal(training(training([0.0, 0.0], 6, **new_run), 15).last, whole.last)


def test_a_resumed_run_takes_another_rate_if_one_is_given():
    first = train(line, [0.0, 0.0], POINTS, "gd", epochs=3, options={"rate": 0.1})
    second = train(line, first, POINTS, epochs=4, options={"rate": 0.01})
    expected = first.last - 0.01 * line_gradient(first.last, *POINTS)
    onp.testing.assert_allclose(second.last, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"batch_size": 5}, "batch_size=5, but the earlier run had 4"),
        ({"seed": 1}, "seed=1, but the earlier run had 0"),
        ({"method": "gd"}, "result of 'adam', and 'gd' cannot resume"),
        ({"epochs": None, "steps": 50}, "the earlier run counted epochs"),
        ({"data": (X, LABELS)}, "data has 150 rows, but the earlier run had 10"),
    ],
)
def test_an_argument_that_would_change_the_batches_is_refused_with_advice(changed, words):
    first = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=2)
    with pytest.raises(ValueError, match=words):
        train(line, first, **({"data": POINTS, "epochs": 4} | changed))


def test_a_result_of_minimize_cannot_be_resumed_by_train():
    result = newtonkit.minimize(lambda p: line(p, POINTS), [0.0, 0.0])
    with pytest.raises(ValueError, match=r"params=result\.x to start a new run"):
        train(line, result, POINTS, epochs=1)


# --- the loss over all data ---------------------------------------------------------------------------------------


def test_the_loss_over_all_data_is_evaluated_after_every_epoch_and_counted_separately():
    calls = []

    def counting(params, batch):
        calls.append(len(batch[0]))
        return line(params, batch)

    result = train(counting, [0.0, 0.0], POINTS, batch_size=4, epochs=3, options={"tape": False})
    onp.testing.assert_array_equal(result.history.full_update, [0, 3, 6, 9])
    onp.testing.assert_array_equal(result.history.full_epochs, [0.0, 1.0, 2.0, 3.0])
    assert (result.nfev, result.njev, result.checks.f) == (9, 9, 4)
    assert len(calls) == 9 + 4
    assert result.derivatives == "plain autograd (turned off)"


def test_check_every_sets_the_interval_between_evaluations():
    result = train(line, [0.0, 0.0], POINTS, batch_size=4, steps=20, check_every=8)
    onp.testing.assert_array_equal(result.history.full_update, [0, 8, 16, 20])


def test_with_all_data_in_every_batch_evaluations_cost_nothing():
    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=None, epochs=30)
    assert len(result.history.full) == 31
    # at the start, at the end, and a plain call at x
    assert result.checks.f == 3
    onp.testing.assert_allclose(result.history.full_loss[1:-1], result.history.loss[1:], rtol=0)


@pytest.mark.parametrize("method", ["adam", "nesterov"])
@pytest.mark.parametrize("batch_size", [4, None])
def test_fun_is_the_loss_over_all_data_at_x_and_the_lowest_one_evaluated(method, batch_size):
    result = train(line, [0.0, 0.0], POINTS, method, batch_size=batch_size, epochs=30, options={"rate": 0.2})
    assert result.fun == float(line(result.x, POINTS))
    assert result.fun == pytest.approx(result.history.full_loss.min(), rel=1e-14)


def test_a_callback_can_evaluate_the_loss_on_the_batch_after_the_update():
    after, expected = [], []

    def callback(update):
        after.append(update.loss_after())
        expected.append(float(line(update.params, update.batch)))
        assert update.loss != after[-1]

    result = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=2, callback=callback)
    assert after == expected
    assert result.checks.f == 3 + 6


def test_updates_stored_by_a_callback_keep_their_parameters():
    kept = []
    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=4, epochs=2, callback=lambda update: kept.append(update))
    onp.testing.assert_array_equal(kept[-1].params, result.last)
    assert len({tuple(update.params) for update in kept}) == 6
    assert [(update.number, update.epoch, update.batch_number) for update in kept[2:4]] == [(3, 1, 3), (4, 2, 1)]
    assert [update.loss for update in kept] == list(result.history.loss)


def test_the_history_plots_the_losses_on_batches_all_data_and_validation_data():
    result = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=60, validation=POINTS, options={"rate": 0.1})
    axes = result.history.plot().axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["batch", "batch, mean of the last 3", "all data", "validation data"]
    lines = dict(zip(labels, axes.get_lines(), strict=True))
    onp.testing.assert_array_equal(lines["all data"].get_ydata(), result.history.full_loss)
    assert lines["batch, mean of the last 3"].get_ydata()[0] == pytest.approx(result.history.loss[:3].mean())


# --- termination --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("callback", [lambda update: update.number == 5, lambda update: stop_at(update, 5)])
def test_the_callback_stops_at_the_exact_update(callback):
    result = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=10, callback=callback)
    assert (result.reason, result.nit, result.success) == (TerminationReason.CALLBACK, 5, False)


def stop_at(update, number):
    if update.number == number:
        raise StopIteration


def test_patience_stops_a_run_whose_loss_over_all_data_no_longer_decreases():
    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=2, epochs=500, patience=5, options={"rate": 0.1})
    assert result.reason is TerminationReason.PATIENCE
    assert result.success
    best = int(onp.argmin(result.history.full_loss))
    assert len(result.history.full) - 1 - best == 5
    assert result.fun == result.history.full_loss[best]


def test_with_validation_data_the_parameters_with_the_lowest_validation_loss_are_returned():
    held_out = POINTS[0], 2.0 * POINTS[0] + 3.0  # another line: fitting the data increases the validation loss
    result = train(line, [2.0, 3.0], POINTS, "gd", epochs=100, patience=3, validation=held_out, options={"rate": 0.01})
    assert result.reason is TerminationReason.PATIENCE
    assert result.nit == 3
    onp.testing.assert_array_equal(result.x, [2.0, 3.0])
    assert result.history.full_loss[-1] < result.history.full_loss[0]
    assert onp.all(onp.diff(result.history.validation_loss) > 0)


def test_training_stops_at_its_target():
    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=4, epochs=500, target=20.0, options={"rate": 0.05})
    assert (result.reason, result.success) == (TerminationReason.TARGET, True)
    assert result.fun <= 20.0 < result.history.full_loss[-2]


def test_training_stops_at_the_time_limit():
    result = train(line, [0.0, 0.0], POINTS, epochs=10**6, maxtime=0.1)
    assert result.reason is TerminationReason.TIME
    assert not result.success
    assert result.elapsed < 5.0


def test_a_rate_at_which_the_loss_only_increases_is_a_failure():
    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=4, epochs=5, options={"rate": 3.0})
    assert (result.reason, result.success) == (TerminationReason.DIVERGED, False)
    assert "use a smaller learning rate" in result.message
    onp.testing.assert_array_equal(result.x, [0.0, 0.0])


def test_a_loss_that_overflows_ends_the_run_with_the_last_finite_parameters():
    result = train(line, [0.0, 0.0], POINTS, "gd", batch_size=4, epochs=10_000, options={"rate": 1e10})
    assert result.reason is TerminationReason.NON_FINITE
    # one update led from the last finite parameters to where the loss, of all data or of a batch, is not finite
    assert re.search(
        rf"(after update {result.nit + 1}|at update {result.nit + 2}) \(epoch \d, batch \d of 3\)", result.message
    )
    assert onp.isfinite(result.last).all()
    assert onp.isfinite(result.fun)
    assert result.fun <= line(onp.zeros(2), POINTS)


def test_a_batch_with_nan_in_it_is_named():
    x = POINTS[0].copy()
    order = onp.random.default_rng((0, 1)).permutation(10)
    x[order[5]] = onp.nan
    result = train(line, [0.0, 0.0], (x, POINTS[1]), batch_size=4, epochs=10)
    assert result.reason is TerminationReason.NON_FINITE
    assert (
        "the loss is nan at update 2 (epoch 1, batch 2 of 3), where data[0] has values that are not" in result.message
    )
    assert result.nit == 1
    # the update before it is kept
    clean = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=10, callback=lambda update: update.number == 1)
    onp.testing.assert_array_equal(result.last, clean.last)


def test_rows_that_are_not_finite_are_named_with_advice():
    x = POINTS[0].copy()
    x[[3, 7]] = onp.nan
    result = train(line, [0.0, 0.0], (x, POINTS[1]), batch_size=4, epochs=10)
    assert "data[0] has values that are not finite in 2 of 10 rows, the first row 3;" in result.message
    assert result.message.endswith("remove these rows, or replace the values.")


def test_validation_data_that_are_not_finite_are_named_and_the_last_update_is_kept():
    held_out = {"x": POINTS[0], "y": onp.where(POINTS[1] > 9, onp.inf, POINTS[1])}
    data = dict(zip("xy", POINTS, strict=True))
    result = train(lambda p, b: line(p, (b["x"], b["y"])), [0.0, 0.0], data, epochs=5, validation=held_out)
    assert result.reason is TerminationReason.NON_FINITE
    assert "the validation loss is inf after update 1" in result.message
    assert "where validation['y'] has values that are not finite in 2 of 10 rows" in result.message
    assert result.nit == 1


def test_rows_that_are_not_finite_are_not_named_if_the_loss_handled_them_and_the_rate_is_too_large():
    x = onp.append(POINTS[0], onp.nan)

    def observed(params, batch):
        known = np.where(batch == batch, batch, 0.0)
        return np.mean((params[0] * known - 1.0) ** 2)

    result = train(observed, [0.5], x, "gd", batch_size=4, epochs=10_000, options={"rate": 1e10})
    assert result.reason is TerminationReason.NON_FINITE
    assert "rows" not in result.message
    assert result.message.endswith("use a smaller learning rate.")
    assert math.isfinite(result.fun)


def test_a_dict_of_validation_data_may_have_its_keys_in_another_order():
    data, turned = {"x": POINTS[0], "y": POINTS[1]}, {"y": POINTS[1], "x": POINTS[0]}
    result = train(lambda p, b: line(p, (b["x"], b["y"])), [0.0, 0.0], data, epochs=5, validation=turned)
    onp.testing.assert_array_equal(result.history.validation_loss, result.history.full_loss)


def test_a_loss_that_does_not_depend_on_its_params_is_a_failure():
    mine = onp.array([0.5, -0.5])
    result = train(lambda params, batch: line(mine, batch), mine, POINTS, batch_size=4, epochs=2)
    assert (result.reason, result.success) == (TerminationReason.UNMOVED, False)
    assert "the loss must depend on params" in result.message


def test_a_start_at_a_saddle_where_no_rule_moves_is_a_failure():
    result = train(lambda p, batch: p[0] ** 2 - p[1] ** 2 + 0.0 * np.mean(batch), [0.0, 0.0], X, epochs=3)
    assert (result.reason, result.success) == (TerminationReason.UNMOVED, False)


def test_a_resumed_run_without_remaining_epochs_keeps_its_success():
    first = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=2)
    assert train(line, first, POINTS, epochs=2).reason is TerminationReason.EPOCHS


def test_an_exception_without_arguments_is_named():
    def interrupt(update):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        train(line, [0.0, 0.0], POINTS, epochs=1, callback=interrupt)
    assert "user code raised KeyboardInterrupt; this is the best point" in caught.value.partial_result.message


def test_a_gradient_that_is_not_finite_ends_the_run():
    result = train(lambda p, batch: np.sqrt(np.sum(p**2)) + 0.0 * np.sum(batch), [0.0, 0.0], X, epochs=2)
    assert result.reason is TerminationReason.NON_FINITE
    assert "the gradient has entries that are not finite at update 1 (epoch 1, batch 1 of 3)" in result.message
    assert result.nit == 0


def test_one_nan_in_many_calls_triggers_a_second_evaluation_and_does_no_harm():
    calls = []

    def failing_once(params, batch):
        calls.append(1)
        return line(params, batch) * (onp.nan if len(calls) == 8 else 1.0)

    result = train(failing_once, [0.0, 0.0], POINTS, batch_size=4, epochs=5, options={"tape": False})
    assert result.success
    assert result.checks.g == 1
    steady = train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=5, options={"tape": False})
    onp.testing.assert_array_equal(result.last, steady.last)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_exception_carries_the_partial_result_which_can_be_resumed(error):
    def training(params, callback=None):
        return train(line, params, POINTS, "gd", batch_size=4, epochs=5, callback=callback)

    def callback(update):
        if update.number == 8:
            raise error("enough")

    with pytest.raises(error) as caught:
        training([0.0, 0.0], callback)
    partial = caught.value.partial_result
    assert partial.reason is TerminationReason.EXCEPTION
    assert partial.nit == 8
    assert math.isfinite(partial.fun)
    onp.testing.assert_array_equal(training(partial).last, training([0.0, 0.0]).last)


def test_an_exception_at_the_end_of_an_epoch_loses_no_evaluation():
    def training(params, callback=None):
        return train(line, params, POINTS, "gd", batch_size=4, epochs=4, callback=callback)

    with pytest.raises(ZeroDivisionError) as caught:
        training([0.0, 0.0], lambda update: 1 / (6 - update.number))
    first, second = caught.value.partial_result, training(caught.value.partial_result)
    losses = onp.concatenate([first.history.full_loss, second.history.full_loss])
    onp.testing.assert_array_equal(losses, training([0.0, 0.0]).history.full_loss)


# --- the tape -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "labels"), [(by_mask, LABELS), (by_index, LABELS), (by_one_hot, ONE_HOT)])
@pytest.mark.parametrize("batch_size", [64, None])
def test_batches_are_inputs_of_a_tape_including_the_smaller_last_one(loss, labels, batch_size):
    """After the first epoch the loss is called only by plain evaluations and by the comparisons of the tape."""
    calls = []

    def counting(params, batch):
        calls.append(len(batch[0]))
        return loss(params, batch)

    result = train(counting, network(), (X, labels), "gd", batch_size=batch_size, epochs=40, check_every=10**6)
    assert result.derivatives == "tape"
    sizes = {64, 22} if batch_size else {150}
    assert set(calls) == sizes | {150}
    for size in sizes:
        # a recording, its comparisons at the 1st, 2nd, 4th, … 64th use, and three plain calls
        assert calls.count(size) <= 1 + 7 + 3
    plain = train(loss, network(), (X, labels), "gd", batch_size=batch_size, epochs=40, options={"tape": False})
    onp.testing.assert_allclose(flat(result.last), flat(plain.last), rtol=0, atol=1e-12)


def test_labels_as_a_mask_as_an_index_and_as_rows_give_the_same_parameters():
    pairs = ((by_mask, LABELS), (by_index, LABELS), (by_one_hot, ONE_HOT))
    ends = [flat(train(loss, network(), (X, labels), epochs=20).last) for loss, labels in pairs]
    for end in ends[1:]:
        onp.testing.assert_allclose(end, ends[0], rtol=0, atol=1e-12)


def test_a_loss_that_cannot_be_taped_is_trained_by_plain_autograd_with_the_reason_in_the_result():
    """autograd's eye is a plain array, which cannot be indexed by an input of a tape."""

    def by_eye(params, batch):
        return by_one_hot(params, (batch[0], np.eye(CLASSES)[batch[1]]))

    result = train(by_eye, network(), (X, LABELS), epochs=5)
    assert "no tape" in result.derivatives
    assert "slower: derivatives by plain autograd" in str(result)
    taped = train(by_mask, network(), (X, LABELS), epochs=5)
    onp.testing.assert_allclose(flat(result.last), flat(taped.last), rtol=0, atol=1e-12)


def test_the_random_numbers_of_a_loss_do_not_become_constants_of_a_tape():
    """Half of the inputs are set to zero at random; with a constant mask the losses would repeat."""
    rng = onp.random.default_rng(3)

    def dropping(params, batch):
        return np.mean((batch * (rng.random(batch.shape) < 0.5) - params) ** 2)

    result = train(dropping, [0.0, 0.0], X, "gd", batch_size=None, epochs=20, options={"rate": 1e-12})
    assert "disagreed" in result.derivatives
    assert len(set(result.history.loss)) == 20


def test_trainings_in_threads_do_not_disturb_each_other():
    expected = flat(train(by_mask, network(), (X, LABELS), epochs=5).last)
    ends = [None] * 4

    def training(i):
        ends[i] = flat(train(by_mask, network(), (X, LABELS), epochs=5).last)

    threads = [threading.Thread(target=training, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in ends:
        onp.testing.assert_array_equal(end, expected)


# --- validation of the arguments ----------------------------------------------------------------------------------


def test_parameters_are_returned_in_their_structure_as_floats_and_the_start_is_not_modified():
    start = {"slope": 1, "offset": onp.array([2], dtype=onp.int64)}
    result = train(lambda p, b: line((p["slope"], p["offset"]), b), start, POINTS, epochs=2)
    assert set(result.x) == {"slope", "offset"}
    assert result.x["offset"].dtype == onp.float64
    assert start == {"slope": 1, "offset": onp.array([2])}
    assert result.nit == 2


def test_a_state_in_place_of_a_result_is_refused():
    state = train(line, [0.0, 0.0], POINTS, epochs=1).state
    with pytest.raises(TypeError, match="params must be the Result to resume from, not its state"):
        train(line, state, POINTS, epochs=2)


def test_a_method_that_is_refused_names_every_rule_once():
    with pytest.raises(ValueError, match="or train with one of") as caught:
        train(line, [0.0, 0.0], POINTS, "newton", epochs=1)
    assert str(caught.value).endswith("adam, adamw, nadam, lion, lbfgs")


def test_the_progress_bar_is_on_standard_error_and_ends_where_the_run_does(capsys):
    train(line, [0.0, 0.0], POINTS, batch_size=4, epochs=20, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "60/60 updates" in captured.err
    assert "epoch 20, loss" in captured.err


MISTAKES = [
    ({"loss": 3.0}, TypeError, r"loss must be callable as loss\(params, batch\), got 3.0"),
    ({"loss": lambda p, b: (p[0] - b[0]) ** 2}, TypeError, r"loss must return one real number, got an array of shape"),
    ({"loss": lambda p, b: None}, TypeError, "loss must return one real number, got None"),
    ({"loss": lambda p, b: math.sqrt(p[0] ** 2 + 1)}, TypeError, "autograd.numpy"),
    ({"params": [[1.0, "a"]]}, TypeError, "params must hold real numbers"),
    ({"params": [1.0, math.inf]}, ValueError, "params must be finite"),
    ({"params": {}}, ValueError, "params must hold at least one number"),
    ({"data": (X, LABELS[:-1])}, ValueError, r"equally many rows.*: data\[0\] has 150, data\[1\] has 149"),
    ({"data": X[:0]}, ValueError, "data must have at least one row, got none"),
    ({"data": ()}, ValueError, "data must hold at least one array"),
    ({"data": 3.0}, ValueError, "data must be an array with one row for each example, got the number 3.0"),
    ({"data": [1.0, 2.0]}, ValueError, r"data\[0\] must be an array with one row.*numpy.array"),
    ({"data": (X, ["cat"] * ROWS)}, TypeError, r"data\[1\] must hold numbers, got strings; number the classes"),
    ({"data": {"x": X, "y": None}}, TypeError, r"data\['y'\] must hold real numbers, got NoneType"),
    ({"validation": X}, ValueError, "validation must have the structure of data, 2 arrays; got one array"),
    (
        {"data": {"x": X, "y": LABELS}, "validation": {"x": X, "labels": LABELS}},
        ValueError,
        "the structure of data, a dict of 'x', 'y'; got a dict of 'labels', 'x'",
    ),
    (
        {"loss": lambda p, x, y: p[0] * 0.0},
        TypeError,
        r"but is loss\(p, x, y\): missing a required argument: 'y'; a batch",
    ),
    ({"callback": 3}, TypeError, r"callback must be callable as callback\(update\), got 3"),
    ({"options": ["rate"]}, TypeError, "options must be a dict such as {'rate': 0.01}, got .'rate'."),
    ({"schedule": "cosine"}, TypeError, r"schedule must be a number in \(0, inf\), or a schedule such as.*'cosine'"),
    ({"schedule": lambda t: None}, ValueError, r"must give a number in \[0, inf\) for every update, got None at t = 1"),
    ({"schedule": lambda t: 0.1 - 0.1 * t}, ValueError, "for every update, got -0.1 at t = 2"),
    ({"schedule": lambda t: math.nan}, ValueError, "for every update, got nan at t = 1"),
    ({"epochs": None}, ValueError, "give epochs .* or steps"),
    ({"steps": 5}, ValueError, "give epochs or steps, not both: epochs=2 shuffles"),
    ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
    ({"epochs": 2.5}, TypeError, "epochs must be an integer of at least 1, got 2.5"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1, got 0"),
    ({"batch_size": "all"}, TypeError, "batch_size must be an integer of at least 1, got 'all'"),
    ({"seed": -1}, ValueError, "seed must be an integer of at least 0"),
    ({"patience": 0}, ValueError, "patience must be an integer of at least 1"),
    ({"check_every": 0}, ValueError, "check_every must be an integer of at least 1"),
    ({"target": math.nan}, ValueError, "target must be a number"),
    ({"maxtime": 0.0}, ValueError, "maxtime must be a number in"),
    ({"method": Adam}, TypeError, r"got the class Adam; write Adam\(\)"),
    ({"method": 3}, TypeError, "method must be a name or a rule"),
    ({"method": "adm"}, ValueError, "did you mean 'adam'"),
    ({"method": "newton"}, ValueError, "newtonkit.minimize.*method='newton'.*or train with one of"),
    ({"method": "bfgs"}, ValueError, "newtonkit.minimize.*method='bfgs'"),
    ({"method": newtonkit.LBFGS()}, ValueError, "newtonkit.minimize.*method='lbfgs'.*or train with one of"),
    ({"options": {"rat": 0.1}}, ValueError, "unknown option 'rat' for method 'adam'; did you mean 'rate'"),
    ({"options": {"rate": -1.0}}, ValueError, "rate must be a number in"),
    ({"schedule": Cosine(0.1), "options": {"rate": 0.1}}, ValueError, "give a schedule or a rate, not both"),
    ({"schedule": Cosine(0.1), "method": Adam(rate=0.5)}, ValueError, "give a schedule or a rate, not both"),
    ({"schedule": Cosine}, TypeError, "got the class Cosine"),
    ({"schedule": -0.1}, ValueError, "schedule must be a number in"),
    ({"schedule_unit": "batches"}, ValueError, "schedule_unit='batches' is not known"),
]


@pytest.mark.parametrize(("given", "kind", "words"), MISTAKES, ids=[str(i) for i in range(len(MISTAKES))])
def test_an_invalid_argument_is_named(given, kind, words):
    arguments = {"loss": line, "params": [0.0, 0.0], "data": POINTS, "epochs": 2} | given
    if given.keys() & {"loss"} and "data" not in given:
        arguments["data"] = POINTS
    with pytest.raises(kind, match=words):
        train(**arguments)


def test_float_labels_used_as_an_index_are_explained():
    with pytest.raises(IndexError) as caught:
        train(by_index, network(), (X, LABELS.astype(float)), epochs=1)
    assert caught.value.__notes__ == ["data[1] contains floats: labels that are used as an index must be integers"]


def test_a_loss_of_plain_numpy_raises_with_advice():
    with pytest.raises(newtonkit.DifferentiationError, match=r"import autograd\.numpy as np") as caught:
        train(lambda p, batch: onp.mean((onp.asarray(p) - batch) ** 2).item(), [0.0, 0.0], X, epochs=1)
    assert caught.value.__notes__ == ["train has no argument jac: the loss must be written with autograd.numpy"]


def test_the_document_runs_and_prints_what_it_shows(capsys):
    document = Path(newtonkit.__file__).parents[1] / "docs" / "training.md"
    if not document.exists():
        pytest.skip("the documents are not installed")
    blocks = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(blocks[0], str(document), "exec"), {})
    shown = re.findall(r"print\(.*\)  # (.*)", blocks[0])[0]
    loss, source = shown.split("…, ")
    printed = capsys.readouterr().out.splitlines()[0]
    assert printed.startswith(loss)
    assert printed.endswith(source)
