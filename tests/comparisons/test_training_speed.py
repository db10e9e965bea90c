"""The benchmark of training steps: that it measures what it says, not how fast anything is."""

import math

import numpy as np
import pytest

from comparisons.studies.solvers import training_speed
from comparisons.studies.solvers.training_speed import AUTOGRAD, TAPE, TORCH, Setting

SMALL = (Setting("2-3-1", (2, 3, 1), 8, 20), Setting("4-3-3", (4, 3, 3), 8, 20))


def test_every_source_is_timed_and_the_tape_is_one():
    times = [training_speed._step_time(setting) for setting in SMALL]
    assert [t.n for t in times] == [13, 27]
    for t in times:
        assert t.derivatives == "tape"
        assert all(0.0 < micros < math.inf for micros in t.micros.values())
        assert {AUTOGRAD, TAPE} <= set(t.micros)
    table = training_speed.training_table(times)
    assert len(table.rows) == 2
    assert len(table.headings) == 4 + len(times[0].micros) + len(times[0].micros) - 2


def test_the_two_sources_of_ours_make_the_same_steps():
    rng = np.random.default_rng(0)
    for setting in SMALL:
        x, labels = rng.standard_normal((32, setting.sizes[0])), rng.integers(max(2, setting.sizes[-1]), size=32)
        network = training_speed.Network(setting.sizes)
        ends = [training_speed._train(network, setting, x, labels, tape=tape)[0] for tape in (False, True)]
        np.testing.assert_allclose(ends[0].history.loss, ends[1].history.loss, rtol=1e-12)


def test_torch_makes_the_same_steps():
    pytest.importorskip("torch")
    for setting in SMALL:
        t = training_speed._step_time(setting)
        assert TORCH in t.micros
        assert t.largest_difference < 1e-10
