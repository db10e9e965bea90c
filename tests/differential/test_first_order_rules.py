"""Every first-order rule compared with a loop written directly from its formula, over 150 steps.

The function is not quadratic and has several minima, so that a wrong power, a wrong order of updates or a t that
starts at 0 leads to other points at once. Points agree to a few ulps per step, since the order of multiplications may
differ.
"""

from __future__ import annotations

import math
from itertools import islice

import autograd.numpy as anp
import numpy as np
import pytest

from newtonkit import (
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    Cosine,
    Exponential,
    GradientDescent,
    InverseSquareRoot,
    InverseTime,
    Linear,
    Momentum,
    Nadam,
    Nesterov,
    Objective,
    RMSProp,
    StepDecay,
    iterate,
)

STEPS = 150
START = np.array([1.7, -0.6, 0.9])
EPS = float(np.finfo(np.float64).eps)


def fun(x):
    return anp.sum(anp.sin(x) ** 2 + 0.05 * x**2) + anp.exp(0.3 * x[0] * x[1]) + 0.1 * x[2] ** 4


def gradient(x):
    """By hand, independent of automatic differentiation."""
    e = math.exp(0.3 * x[0] * x[1])
    own = 2 * np.sin(x) * np.cos(x) + 0.1 * x
    return own + np.array([0.3 * x[1] * e, 0.3 * x[0] * e, 0.4 * x[2] ** 3])


# --- the formulas, each as a generator of points; eta is a function of t = 1, 2, … ---------------------------------


def gradient_descent(x, eta):
    for t in range(1, STEPS + 1):
        x = x - eta(t) * gradient(x)
        yield x


def momentum_classical(x, eta, gamma):
    v = np.zeros_like(x)
    for t in range(1, STEPS + 1):
        v = gamma * v - eta(t) * gradient(x)
        x = x + v
        yield x


def momentum_second(x, eta, rho):
    v = np.zeros_like(x)
    for t in range(1, STEPS + 1):
        v = rho * v + gradient(x)
        x = x - eta(t) * v
        yield x


def momentum_average(x, eta, beta):
    v = np.zeros_like(x)
    for t in range(1, STEPS + 1):
        v = beta * v + (1 - beta) * gradient(x)
        x = x - eta(t) * v
        yield x


def nesterov(x, eta, gamma):
    v = np.zeros_like(x)
    for t in range(1, STEPS + 1):
        v = gamma * v + eta(t) * gradient(x - gamma * v)
        x = x - v
        yield x


def adagrad(x, eta, epsilon, *, inside=False, first=0.0):
    G = np.full_like(x, first)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        G = G + g**2
        x = x - eta(t) * g / (np.sqrt(G + epsilon) if inside else np.sqrt(G) + epsilon)
        yield x


def rmsprop(x, eta, rho, epsilon, *, inside=False, first=0.0):
    G = np.full_like(x, first)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        G = rho * G + (1 - rho) * g**2
        x = x - eta(t) * g / (np.sqrt(G + epsilon) if inside else np.sqrt(G) + epsilon)
        yield x


def adadelta(x, eta, rho, epsilon):
    G, s = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        G = rho * G + (1 - rho) * g**2
        delta = np.sqrt(s + epsilon) / np.sqrt(G + epsilon) * g
        x = x - eta(t) * delta
        s = rho * s + (1 - rho) * delta**2
        yield x


def adam(x, eta, beta1, beta2, epsilon, *, inside=False):
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        x = x - eta(t) * m_hat / (np.sqrt(v_hat + epsilon) if inside else np.sqrt(v_hat) + epsilon)
        yield x


def adam_folded(x, eta, beta1, beta2, epsilon, *, inside=False):
    """The bias correction folded into the rate; ε is added to the uncorrected √v."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        rate = eta(t) * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        x = x - rate * m / (np.sqrt(v + epsilon) if inside else np.sqrt(v) + epsilon)
        yield x


def amsgrad(x, eta, beta1, beta2, epsilon):
    m, v, largest = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        largest = np.where(v > largest, v, largest)
        x = x - eta(t) * (m / (1 - beta1**t)) / (np.sqrt(largest / (1 - beta2**t)) + epsilon)
        yield x


def adamw(x, eta, beta1, beta2, epsilon, decay):
    """Loshchilov & Hutter, algorithm 2, line 12, with the decay multiplied by the learning rate."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        x = x - eta(t) * (m_hat / (np.sqrt(v_hat) + epsilon) + decay * x)
        yield x


def nadam(x, eta, beta1, beta2, epsilon, mu):
    """Dozat, algorithm 2, with m as a running mean; g and m are each corrected by the product of their momenta."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        until_now = math.prod(mu(i) for i in range(1, t + 1))
        until_next = math.prod(mu(i) for i in range(1, t + 2))
        m_bar = mu(t + 1) * m / (1 - until_next) + (1 - mu(t)) * g / (1 - until_now)
        x = x - eta(t) * m_bar / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        yield x


def fixed(value):
    return lambda t: value


CASES = {
    "gd": (GradientDescent(rate=0.1), gradient_descent(START, fixed(0.1))),
    "momentum, classical": (Momentum(rate=0.02, decay=0.9), momentum_classical(START, fixed(0.02), 0.9)),
    "momentum, second form": (
        Momentum(rate=0.01, decay=0.95, form="second"),
        momentum_second(START, fixed(0.01), 0.95),
    ),
    "momentum, average": (Momentum(rate=0.3, decay=0.8, form="average"), momentum_average(START, fixed(0.3), 0.8)),
    "nesterov": (Nesterov(rate=0.02, decay=0.9), nesterov(START, fixed(0.02), 0.9)),
    "adagrad": (AdaGrad(rate=0.2, epsilon=1e-4), adagrad(START, fixed(0.2), 1e-4)),
    "adagrad, ε inside": (
        AdaGrad(rate=0.2, epsilon=1e-2, epsilon_inside=True),
        adagrad(START, fixed(0.2), 1e-2, inside=True),
    ),
    "adagrad, G₀ = 0.1, no ε": (
        AdaGrad(rate=0.2, epsilon=0.0, initial_accumulator=0.1),
        adagrad(START, fixed(0.2), 0.0, first=0.1),
    ),
    "rmsprop": (RMSProp(rate=0.05, decay=0.9, epsilon=1e-4), rmsprop(START, fixed(0.05), 0.9, 1e-4)),
    "rmsprop, ε inside": (
        RMSProp(rate=0.05, decay=0.99, epsilon=1e-2, epsilon_inside=True),
        rmsprop(START, fixed(0.05), 0.99, 1e-2, inside=True),
    ),
    "rmsprop, G₀ = 0.1, no ε": (
        RMSProp(rate=0.05, decay=0.8, epsilon=0.0, initial_accumulator=0.1),
        rmsprop(START, fixed(0.05), 0.8, 0.0, first=0.1),
    ),
    "adadelta": (AdaDelta(decay=0.95, epsilon=1e-4), adadelta(START, fixed(1.0), 0.95, 1e-4)),
    "adadelta with a rate": (
        AdaDelta(rate=0.5, decay=0.9, epsilon=1e-3),
        adadelta(START, fixed(0.5), 0.9, 1e-3),
    ),
    "adam": (Adam(rate=0.05), adam(START, fixed(0.05), 0.9, 0.999, 1e-8)),
    "adam, other constants": (
        Adam(rate=0.05, beta1=0.8, beta2=0.95, epsilon=1e-2),
        adam(START, fixed(0.05), 0.8, 0.95, 1e-2),
    ),
    "adam, ε inside": (
        Adam(rate=0.05, epsilon=1e-2, epsilon_inside=True),
        adam(START, fixed(0.05), 0.9, 0.999, 1e-2, inside=True),
    ),
    "adam, corrected in the rate": (
        Adam(rate=0.05, epsilon=1e-2, correction="rate"),
        adam_folded(START, fixed(0.05), 0.9, 0.999, 1e-2),
    ),
    "adam, corrected in the rate, ε inside": (
        Adam(rate=0.05, epsilon=1e-2, epsilon_inside=True, correction="rate"),
        adam_folded(START, fixed(0.05), 0.9, 0.999, 1e-2, inside=True),
    ),
    "amsgrad": (
        Adam(rate=0.05, beta2=0.9, epsilon=1e-3, amsgrad=True),
        amsgrad(START, fixed(0.05), 0.9, 0.9, 1e-3),
    ),
    "adamw": (AdamW(rate=0.05, weight_decay=0.1), adamw(START, fixed(0.05), 0.9, 0.999, 1e-8, 0.1)),
    "nadam": (
        Nadam(rate=0.02, epsilon=1e-4),
        nadam(START, fixed(0.02), 0.9, 0.999, 1e-4, lambda t: 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))),
    ),
    "nadam at constant momentum": (
        Nadam(rate=0.02, epsilon=1e-4, momentum_decay=math.inf),
        nadam(START, fixed(0.02), 0.9, 0.999, 1e-4, lambda t: 0.9),
    ),
}


def step_decay(t):
    return 0.1 * 0.1 ** ((t >= 30) + (t >= 60) + (t >= 90))


def cosine(t):
    return 0.05 * (1 + math.cos(math.pi * min(t, 100) / 100))


SCHEDULED = {
    "gd with step decay": (GradientDescent(rate=StepDecay(0.1)), gradient_descent(START, step_decay)),
    "momentum with 1/t": (
        Momentum(rate=InverseTime(0.05, decay=0.1)),
        momentum_classical(START, lambda t: 0.05 / (1 + 0.1 * t), 0.9),
    ),
    "momentum, second form, with exponential": (
        Momentum(rate=Exponential(0.02, decay=0.02), form="second"),
        momentum_second(START, lambda t: 0.02 * math.exp(-0.02 * t), 0.9),
    ),
    "momentum, average, with cosine": (
        Momentum(rate=Cosine(0.1, horizon=100), form="average"),
        momentum_average(START, cosine, 0.9),
    ),
    "nesterov with linear": (
        Nesterov(rate=Linear(0.02, horizon=120)),
        nesterov(START, lambda t: 0.02 * (1 - min(t, 120) / 120), 0.9),
    ),
    "adagrad with inverse square root": (
        AdaGrad(rate=InverseSquareRoot(0.5)),
        adagrad(START, lambda t: 0.5 / math.sqrt(t), 1e-8),
    ),
    "rmsprop with cosine": (RMSProp(rate=Cosine(0.1, horizon=100)), rmsprop(START, cosine, 0.9, 1e-8)),
    "adadelta with a function": (
        AdaDelta(rate=lambda t: 1.0 + 1.0 / t, epsilon=1e-4),
        adadelta(START, lambda t: 1.0 + 1.0 / t, 0.95, 1e-4),
    ),
    "adam with inverse square root": (
        Adam(rate=InverseSquareRoot(0.1)),
        adam(START, lambda t: 0.1 / math.sqrt(t), 0.9, 0.999, 1e-8),
    ),
    "adamw with cosine": (AdamW(rate=Cosine(0.1, horizon=100)), adamw(START, cosine, 0.9, 0.999, 1e-8, 0.01)),
}


@pytest.mark.parametrize("case", [*CASES, *SCHEDULED])
def test_a_rule_takes_the_steps_of_its_formula(case):
    """Within 1000 eps after 150 steps; a factor of 1 + 1e-6 in any constant would be detected."""
    rule, expected = {**CASES, **SCHEDULED}[case]
    expected = np.array(list(expected))
    states = islice(iterate(rule, Objective(fun, grad=gradient), START), 1, STEPS + 1)
    points = np.array([state.x for state in states])
    assert points.shape == (STEPS, 3)
    np.testing.assert_allclose(points, expected, rtol=0, atol=1000 * EPS)
    assert np.linalg.norm(points[-1] - START) > 0.1


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_by_autograd_gives_the_same_steps(case):
    """Fifty steps to 1e-9: the last bits of the gradients differ, and adaptive rules divide by small numbers."""
    rule = CASES[case][0]
    by_hand = islice(iterate(rule, Objective(fun, grad=gradient), START), 51)
    by_autograd = islice(iterate(rule, fun, START), 51)
    for one, other in zip(by_hand, by_autograd, strict=True):
        np.testing.assert_allclose(other.x, one.x, rtol=0, atol=1e-9)


def test_the_first_update_has_t_equal_to_one():
    for kind in (GradientDescent, Momentum, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam, AdamW, Nadam):
        requested = []

        def schedule(t, requested=requested):
            requested.append(t)
            return 0.01

        states = list(islice(iterate(kind(rate=schedule), fun, START), 5))
        assert sorted(set(requested)) == [1, 2, 3, 4]
        assert [state.t for state in states] == [0, 1, 2, 3, 4]


def test_the_first_two_momentum_forms_agree_at_a_fixed_rate_and_the_third_at_a_tenth_of_it():
    classical = islice(iterate(Momentum(rate=0.01), fun, START), 100)
    second = islice(iterate(Momentum(rate=0.01, form="second"), fun, START), 100)
    average = islice(iterate(Momentum(rate=0.1, form="average"), fun, START), 100)
    for one, two, three in zip(classical, second, average, strict=True):
        np.testing.assert_allclose(two.x, one.x, rtol=0, atol=1e-12)
        np.testing.assert_allclose(three.x, one.x, rtol=0, atol=1e-12)


def test_with_decay_zero_momentum_nesterov_and_gradient_descent_agree():
    rules = [GradientDescent(rate=0.1), Nesterov(rate=0.1, decay=0.0)]
    rules += [Momentum(rate=0.1, decay=0.0, form=form) for form in ("classical", "second", "average")]
    ends = [next(islice(iterate(rule, fun, START), 50, None)).x for rule in rules]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], rtol=0, atol=100 * EPS)


@pytest.mark.parametrize(
    "rule",
    [AdaGrad(epsilon=0.0), RMSProp(epsilon=0.0), Adam(epsilon=0.0), Adam(epsilon=0.0, correction="rate")],
)
def test_a_coordinate_without_gradient_stays_where_it_is_even_without_epsilon(rule):
    """0/0 is replaced by 0."""
    states = islice(iterate(rule, lambda x: x[0] ** 2 + 0.0 * x[1], [1.0, 2.0]), 20)
    for state in states:
        assert state.x[1] == 2.0
        assert np.isfinite(state.x).all()


def test_without_decay_adamw_is_adam():
    one, other = (
        islice(iterate(rule, fun, START), 50) for rule in (AdamW(rate=0.05, weight_decay=0.0), Adam(rate=0.05))
    )
    for here, there in zip(one, other, strict=True):
        np.testing.assert_array_equal(here.x, there.x)


def test_amsgrad_never_forgets_a_large_gradient_and_adam_does():
    """After one gradient of 100, a thousand of 0.01: Adam's step has grown back, AMSGrad's has not."""
    lengths = {}
    for amsgrad in (False, True):
        rule = Adam(rate=1.0, beta2=0.9, amsgrad=amsgrad)
        state = rule.init(1)
        for g in (100.0, *[0.01] * 1000):
            step, state = rule.update(np.array([g]), state, np.zeros(1))
        lengths[amsgrad] = abs(step[0])
    assert lengths[False] == pytest.approx(1.0, rel=1e-3)
    assert lengths[True] < 1e-3


@pytest.mark.parametrize("kind", [Adam, AdamW, Nadam])
@pytest.mark.parametrize("option", [{"beta1": 1.0}, {"beta2": -0.1}, {"epsilon": -1.0}, {"rate": 0.0}])
def test_a_constant_out_of_range_is_refused_by_name(kind, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} must be a number in"):
        kind(**option)


def leaves(state):
    """The arrays and numbers of a state; the states of transforms are nested tuples."""
    if isinstance(state, tuple):
        return [leaf for part in state for leaf in leaves(part)]
    return [] if state is None else [np.array(state)]


@pytest.mark.parametrize("case", CASES)
def test_a_rule_modifies_neither_its_state_nor_its_gradient(case):
    rule = CASES[case][0]
    rng = np.random.default_rng(0)
    state = rule.init(4)
    for _ in range(3):
        g, x = rng.standard_normal(4), rng.standard_normal(4)
        kept = leaves(state)
        g_before, x_before = g.copy(), x.copy()
        _, following = rule.update(g, state, x)
        np.testing.assert_array_equal(g, g_before)
        np.testing.assert_array_equal(x, x_before)
        assert len(kept) == len(leaves(state)) > 0
        for part, before in zip(leaves(state), kept, strict=True):
            np.testing.assert_array_equal(part, before)
        state = following
