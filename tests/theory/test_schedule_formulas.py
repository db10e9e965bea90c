"""Learning-rate schedules: each formula at chosen updates, its end, and that rates never increase."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newtonkit import Cosine, Exponential, InverseSquareRoot, InverseTime, Linear, PerEpoch, StepDecay, Warmup

SCHEDULES = [
    StepDecay(0.3),
    StepDecay(0.3, milestones=(5, 20), factor=0.5),
    Exponential(0.3, decay=0.05),
    InverseTime(0.3, decay=0.05),
    Cosine(0.3, horizon=40),
    Linear(0.3, horizon=40),
    InverseSquareRoot(0.3),
]


@pytest.mark.parametrize(
    ("t", "passed"), [(1, 0), (29, 0), (30, 1), (31, 1), (59, 1), (60, 2), (89, 2), (90, 3), (1000, 3)]
)
def test_step_decay_multiplies_by_a_tenth_at_thirty_sixty_and_ninety(t, passed):
    assert StepDecay(0.5)(t) == pytest.approx(0.5 * 0.1**passed, rel=1e-15)


@pytest.mark.parametrize("t", [1, 2, 10, 100, 1000])
def test_every_smooth_schedule_is_its_formula(t):
    """To a few eps; k = 0.02, T = 2000, η₀ = 0.7."""
    close = {"rel": 1e-14, "abs": 1e-16}
    assert Exponential(0.7, decay=0.02)(t) == pytest.approx(0.7 * math.e ** (-0.02 * t), **close)
    assert InverseTime(0.7, decay=0.02)(t) == pytest.approx(0.7 / (1 + 0.02 * t), **close)
    assert Cosine(0.7, horizon=2000)(t) == pytest.approx(0.35 * (1 + math.cos(math.pi * t / 2000)), **close)
    assert Linear(0.7, horizon=2000)(t) == pytest.approx(0.7 * (1 - t / 2000), **close)
    assert InverseSquareRoot(0.7)(t) == pytest.approx(0.7 / math.sqrt(t), **close)


@pytest.mark.parametrize("schedule", [Cosine(0.7, horizon=50), Linear(0.7, horizon=50)])
def test_cosine_and_linear_end_at_zero_and_stay_there(schedule):
    assert schedule(49) > 0.0
    for t in (50, 51, 75, 100, 150, 10**6):
        assert schedule(t) == 0.0


@pytest.mark.parametrize("schedule", [Cosine(0.8, horizon=60), Linear(0.8, horizon=60)])
def test_cosine_and_linear_have_half_the_rate_at_half_the_horizon(schedule):
    assert schedule(30) == pytest.approx(0.4, rel=1e-15)


def test_the_inverse_square_root_starts_at_the_initial_rate():
    assert InverseSquareRoot(0.7)(1) == 0.7


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rates_never_increase_and_are_never_negative(schedule):
    rates = np.array([schedule(t) for t in range(1, 200)])
    assert np.all(np.diff(rates) <= 0.0)
    assert np.all(rates >= 0.0)
    assert rates[0] <= 0.3
    assert rates[-1] < 0.5 * rates[0]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 6), st.integers(1, 5000), st.floats(1e-6, 1e3))
def test_every_rate_is_proportional_to_the_initial_one(which, t, initial):
    schedule = SCHEDULES[which]
    scaled = dataclasses.replace(schedule, initial=initial)
    assert scaled(t) == pytest.approx(initial / 0.3 * schedule(t), rel=1e-13, abs=0.0)


@pytest.mark.parametrize("initial", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("kind", [StepDecay, Exponential, InverseTime, Cosine, Linear, InverseSquareRoot])
def test_an_initial_rate_that_is_not_positive_and_finite_is_refused_by_name(kind, initial):
    with pytest.raises(ValueError, match="initial"):
        kind(initial)


@pytest.mark.parametrize("then", [0.3, *SCHEDULES])
def test_warm_up_increases_linearly_to_the_schedule_and_then_equals_it(then):
    schedule = Warmup(then, steps=10)
    plain = then if callable(then) else lambda t: then
    rising = [schedule(t) for t in range(1, 11)]
    assert rising[-1] == plain(10)
    np.testing.assert_allclose(np.diff(rising), plain(10) / 10, rtol=1e-12)
    assert [schedule(t) for t in range(10, 100)] == [plain(t) for t in range(10, 100)]


def test_warm_up_with_the_inverse_square_root_is_the_schedule_of_the_transformer():
    """Vaswani et al. (2017), eq. 3: d^(−½)·min(t^(−½), t·w^(−3/2)), with d = 512 and w = 4000."""
    schedule = Warmup(InverseSquareRoot(512**-0.5), steps=4000)
    for t in (1, 100, 3999, 4000, 4001, 100_000):
        assert schedule(t) == pytest.approx(512**-0.5 * min(t**-0.5, t * 4000**-1.5), rel=1e-14)


def test_a_warm_up_of_one_step_changes_nothing():
    schedule = Cosine(0.3, horizon=40)
    assert [Warmup(schedule, steps=1)(t) for t in range(1, 50)] == [schedule(t) for t in range(1, 50)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_of_epochs_changes_after_every_epoch_only(schedule):
    by_epoch = PerEpoch(schedule, updates=7)
    assert [by_epoch(t) for t in range(1, 7 * 50 + 1)] == [schedule(e) for e in range(1, 51) for _ in range(7)]


def test_schedules_compose_and_their_labels_name_the_parts():
    schedule = PerEpoch(Warmup(StepDecay(1.0, milestones=(4,)), steps=2), updates=3)
    assert [schedule(t) for t in range(1, 13)] == [0.5] * 3 + [1.0] * 6 + [pytest.approx(0.1)] * 3
    assert Warmup(Cosine(1.0), steps=2).label == "Warmup, then Cosine"
    assert Warmup(0.1, steps=2).label == "Warmup, then constant"
    legend = Warmup(Cosine(1.0), steps=2).plot().axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["Warmup, then Cosine"]


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_a_warm_up_of_no_steps_is_refused(steps):
    with pytest.raises((ValueError, TypeError), match="steps must be an integer of at least 1"):
        Warmup(0.1, steps=steps)


def test_a_schedule_given_as_a_class_is_refused_with_advice():
    with pytest.raises(
        TypeError, match=r"then must be a number or a schedule, got the class Cosine; write Cosine\(…\)"
    ):
        Warmup(Cosine, steps=3)
