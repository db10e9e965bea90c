"""Gradient transforms and `chain`: every transform compared with a loop written from its formula."""

import pickle
from itertools import islice

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize

import newtonkit
from newtonkit import (
    Adam,
    AdamW,
    Cosine,
    Evaluator,
    GradientDescent,
    Momentum,
    Nesterov,
    Objective,
    RMSProp,
    SampledLBFGS,
    StepFailure,
    TerminationReason,
    add_weight_decay,
    chain,
    clip_by_norm,
    clip_by_value,
    decay_weights,
    iterate,
    minimize,
    scale_by_adadelta,
    scale_by_adagrad,
    scale_by_adam,
    scale_by_learning_rate,
    scale_by_nadam,
    scale_by_rmsprop,
    trace,
    train,
)
from newtonkit.core.domain import Box

STEPS = 60
START = np.array([1.7, -0.6, 0.9])
COMPLETE = chain(clip_by_norm(1.0), add_weight_decay(0.01), trace(0.9), scale_by_learning_rate(Cosine(0.05)))


def fun(x):
    return anp.sum(anp.sin(x) ** 2 + 0.05 * x**2) + 0.5 * anp.sum(x**4)


def gradient(x):
    return 2 * np.sin(x) * np.cos(x) + 0.1 * x + 2 * x**3


def points(rule, steps=STEPS):
    return np.array([state.x for state in islice(iterate(rule, Objective(fun, grad=gradient), START), 1, steps + 1)])


def loop(step):
    """The points x ← x + step(x, t)."""
    x, found = START.copy(), []
    for t in range(1, STEPS + 1):
        x = x + step(x, t)
        found.append(x)
    return np.array(found)


# --- the transforms -----------------------------------------------------------------------------------------------


def test_clipping_by_value_clips_every_component():
    expected = loop(lambda x, t: -0.1 * np.minimum(np.maximum(gradient(x), -1.5), 1.5))
    np.testing.assert_array_equal(points(chain(clip_by_value(1.5), scale_by_learning_rate(0.1))), expected)
    assert np.abs(gradient(START)).max() > 1.5


def test_clipping_by_norm_keeps_the_direction_and_limits_the_norm():
    def step(x, t):
        g = gradient(x)
        return -0.1 * g * min(1.0, 2.0 / np.linalg.norm(g))

    found = points(chain(clip_by_norm(2.0), scale_by_learning_rate(0.1)))
    np.testing.assert_allclose(found, loop(step), rtol=0, atol=1e-13)
    lengths = np.linalg.norm(np.diff(np.vstack([START, found]), axis=0), axis=1)
    assert lengths[0] == pytest.approx(0.2, rel=1e-14)
    assert lengths[-1] < 0.01


def test_weight_decay_before_the_scaling_is_a_term_of_the_gradient():
    coupled = points(chain(add_weight_decay(0.3), scale_by_adam(), scale_by_learning_rate(0.05)))
    regularized = Objective(lambda x: fun(x) + 0.15 * anp.sum(x**2), grad=lambda x: gradient(x) + 0.3 * x)
    states = islice(iterate(Adam(rate=0.05), regularized, START), 1, STEPS + 1)
    np.testing.assert_array_equal(coupled, [state.x for state in states])


def test_weight_decay_after_the_scaling_is_decoupled():
    rate = Cosine(0.05, horizon=50)
    before_rate = points(chain(scale_by_adam(), add_weight_decay(0.3), scale_by_learning_rate(rate)))
    after_rate = points(chain(scale_by_adam(), scale_by_learning_rate(rate), decay_weights(0.3, rate)))
    np.testing.assert_allclose(before_rate, after_rate, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(after_rate, points(AdamW(rate=rate, weight_decay=0.3)))


def test_the_published_weight_decay_is_not_multiplied_by_the_learning_rate():
    found = points(chain(scale_by_learning_rate(0.1), decay_weights(0.02)))
    np.testing.assert_allclose(found, loop(lambda x, t: -0.1 * gradient(x) - 0.02 * x), rtol=0, atol=1e-13)


def test_the_nesterov_form_visits_the_look_ahead_points_of_the_look_ahead_form():
    """Bengio et al. (2013), eq. 7: the variable is x + γv of Sutskever et al. (2013), up to the order of operations."""
    found = points(chain(trace(0.8, form="nesterov"), scale_by_learning_rate(0.02)))
    x, v, expected = START.copy(), np.zeros(3), []
    for _ in range(STEPS):
        v = 0.8 * v - 0.02 * gradient(x + 0.8 * v)
        x = x + v
        expected.append(x + 0.8 * v)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("rule", "composed"),
    [
        (GradientDescent(0.05), [scale_by_learning_rate(0.05)]),
        (Momentum(0.02, 0.8), [scale_by_learning_rate(0.02), trace(0.8)]),
        (Momentum(0.02, 0.8, form="second"), [trace(0.8), scale_by_learning_rate(0.02)]),
        (Momentum(0.1, 0.8, form="average"), [trace(0.8, 1 - 0.8), scale_by_learning_rate(0.1)]),
        (Nesterov(0.02), [scale_by_learning_rate(0.02), trace(0.9, form="lookahead")]),
        (newtonkit.AdaGrad(0.1), [scale_by_adagrad(), scale_by_learning_rate(0.1)]),
        (RMSProp(0.02, decay=0.8), [scale_by_rmsprop(0.8), scale_by_learning_rate(0.02)]),
        (newtonkit.AdaDelta(), [scale_by_adadelta(), scale_by_learning_rate(1.0)]),
        (Adam(0.05, amsgrad=True), [scale_by_adam(amsgrad=True), scale_by_learning_rate(0.05)]),
        (newtonkit.Nadam(0.05), [scale_by_nadam(), scale_by_learning_rate(0.05)]),
    ],
)
def test_a_named_rule_is_the_composition_of_its_transforms(rule, composed):
    np.testing.assert_array_equal(points(chain(*composed)), points(rule))


# --- chain --------------------------------------------------------------------------------------------------------


def test_a_complete_rule_can_follow_a_transform():
    clipped = points(chain(clip_by_norm(0.5), Adam(rate=0.05)))
    np.testing.assert_array_equal(
        clipped, points(chain(clip_by_norm(0.5), scale_by_adam(), scale_by_learning_rate(0.05)))
    )
    assert not np.array_equal(clipped, points(Adam(rate=0.05)))


def test_nesterov_looks_ahead_inside_a_chain_too():
    found = points(chain(clip_by_norm(1e9), Nesterov(0.02)))
    np.testing.assert_array_equal(found, points(Nesterov(0.02)))


def test_sampled_lbfgs_gets_its_second_gradient_inside_a_chain_too():
    found = points(chain(SampledLBFGS(rate=0.3), decay_weights(0.0)), steps=20)
    np.testing.assert_array_equal(found, points(SampledLBFGS(rate=0.3), steps=20))


def test_the_step_length_parameter_in_the_history_is_the_learning_rate():
    states = list(islice(iterate(COMPLETE, fun, START), 4))
    assert [state.info.alpha for state in states[1:]] == [Cosine(0.05)(t) for t in (1, 2, 3)]


def test_a_chain_is_compared_printed_and_pickled_by_its_transforms():
    again = eval(repr(COMPLETE), vars(newtonkit))
    assert again == COMPLETE
    assert hash(again) == hash(COMPLETE)
    assert again != chain(clip_by_norm(1.0), scale_by_learning_rate(0.1))
    np.testing.assert_array_equal(points(pickle.loads(pickle.dumps(COMPLETE))), points(COMPLETE))


def test_minimize_and_scipy_accept_a_chain():
    method = chain(clip_by_norm(1.0), trace(0.5), scale_by_learning_rate(0.05))
    result = minimize(fun, START, method=method, options={"maxiter": 500})
    assert result.success
    assert result.method == "chain(clip_by_norm, trace, scale_by_learning_rate)"
    by_scipy = scipy.optimize.minimize(fun, START, method=method, options={"maxiter": 500})
    np.testing.assert_array_equal(by_scipy.x, result.x)


def test_a_resumed_minimization_with_a_chain_is_the_uninterrupted_one():
    whole = minimize(fun, START, method=COMPLETE, options={"maxiter": 30, "gtol": 0.0})
    first = minimize(fun, START, method=COMPLETE, options={"maxiter": 11, "gtol": 0.0})
    second = minimize(fun, first, method=COMPLETE, options={"maxiter": 30, "gtol": 0.0})
    np.testing.assert_array_equal(second.x, whole.x)
    assert second.nit == whole.nit == 30
    with pytest.raises(ValueError, match="pass the same method again"):
        minimize(fun, first)


ROWS = np.random.default_rng(0).standard_normal((40, 2))


def loss(p, batch):
    return anp.mean((batch - p) ** 2)


def test_train_accepts_a_chain_and_resumes_it_bit_for_bit():
    whole = train(loss, [3.0, -3.0], ROWS, COMPLETE, batch_size=8, epochs=12)
    first = train(loss, [3.0, -3.0], ROWS, COMPLETE, batch_size=8, epochs=12, callback=lambda u: u.number == 17)
    first.state = pickle.loads(pickle.dumps(first.state))
    second = train(loss, first, ROWS, batch_size=8, epochs=12)
    assert whole.success
    assert whole.fun < 0.5 * whole.history.full_loss[0]
    assert first.reason is TerminationReason.CALLBACK
    np.testing.assert_array_equal(second.last, whole.last)


def test_train_does_not_resume_another_chain():
    first = train(loss, [3.0, -3.0], ROWS, COMPLETE, epochs=2)
    with pytest.raises(ValueError, match="cannot resume from its state"):
        train(loss, first, ROWS, chain(trace(), scale_by_learning_rate(0.1)), epochs=4)


@pytest.mark.parametrize("given", [{"schedule": Cosine(0.1)}, {"schedule_unit": "epochs"}])
def test_train_refuses_a_schedule_for_a_chain_which_has_its_own(given):
    with pytest.raises(ValueError, match="contains its learning rate"):
        train(loss, [3.0, -3.0], ROWS, COMPLETE, epochs=2, **given)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: chain(), ValueError, "at least one transform"),
        (lambda: chain(clip_by_norm), TypeError, r"got the class clip_by_norm; write clip_by_norm\("),
        (lambda: chain(0.1), TypeError, "must be a newtonkit.GradientTransform, got 0.1"),
        (lambda: chain(Nesterov(), clip_by_norm(1.0)), ValueError, "nesterov .* must be the last transform"),
        (lambda: chain(clip_by_norm(1.0), SampledLBFGS()), ValueError, "sampled-lbfgs .* must be the first transform"),
        (lambda: minimize(fun, START, method=chain(trace())), ValueError, "no learning rate.*scale_by_learning_rate"),
        (lambda: train(loss, [0.0, 0.0], ROWS, trace(), epochs=1), ValueError, "trace has no learning rate"),
        (lambda: minimize(fun, START, method=COMPLETE, options={"rate": 0.1}), ValueError, "unknown option 'rate'"),
        (lambda: clip_by_norm(0.0), ValueError, "limit must be a number in"),
        (lambda: clip_by_value(-1.0), ValueError, "limit must be a number in"),
        (lambda: trace(1.0), ValueError, "decay must be a number in"),
        (lambda: trace(form="heavy"), ValueError, "form='heavy' is not known"),
        (lambda: add_weight_decay(-0.1), ValueError, "weight_decay must be a number in"),
        (lambda: scale_by_learning_rate(0.0), ValueError, "rate must be a number in"),
    ],
)
def test_an_invalid_composition_or_parameter_is_refused(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


@pytest.mark.parametrize("transform", COMPLETE.transforms)
def test_a_transform_modifies_neither_its_gradient_nor_x_nor_its_state(transform):
    state = transform.init(3)
    for seed in range(3):
        g, x = np.random.default_rng(seed).standard_normal((2, 3))
        kept, g_before, x_before = pickle.dumps(state), g.copy(), x.copy()
        _, following = transform.update(g, state, x)
        np.testing.assert_array_equal(g, g_before)
        np.testing.assert_array_equal(x, x_before)
        assert pickle.dumps(state) == kept
        state = following


# --- bounds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", [GradientDescent(0.05), Momentum(0.02), Nesterov(0.02), Adam(0.05), RMSProp(Cosine(0.05, 300)), COMPLETE]
)
def test_in_a_box_points_are_projected_and_the_constrained_minimum_is_found(rule):
    """f = Σ(xᵢ − cᵢ)² with c = (2, −2, 0.5) in [−1, 1]³: the minimum is (1, −1, 0.5)."""
    calls, centre = [], np.array([2.0, -2.0, 0.5])

    def bowl(x):
        calls.append(x.copy())
        return float(np.sum((x - centre) ** 2))

    def bowl_gradient(x):
        calls.append(x.copy())
        return 2 * (x - centre)

    evaluator = Evaluator(Objective(bowl, grad=bowl_gradient), domain=Box([-1.0] * 3, [1.0] * 3))
    method = rule.as_method()
    state = method.init(evaluator, np.zeros(3))
    for _ in range(300):
        state = method.step(evaluator, state)
    assert state.x[0] == 1.0
    assert state.x[1] == -1.0
    assert state.x[2] == pytest.approx(0.5, abs=0.01)
    assert np.abs(calls).max() <= 1.0
    assert state.info.length < 0.1


def test_a_step_that_is_nan_ends_the_iteration_in_a_box():
    evaluator = Evaluator(Objective(fun, grad=lambda x: x * np.nan), domain=Box([-3.0] * 3, [3.0] * 3))
    method = GradientDescent(0.1).as_method()
    with pytest.raises(StepFailure, match="NaN"):
        method.step(evaluator, method.init(evaluator, START))
