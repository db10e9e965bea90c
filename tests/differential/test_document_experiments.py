"""Two published teaching experiments on optimizers, reproduced through `newtonkit.iterate` to the digits they give."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

import problems
from newtonkit import AdaGrad, Adam, GradientDescent, Momentum, RMSProp, iterate

# rule, updates before the first one with Σ|Δx| < 1e-5, f at the point before that one
BOWL = {
    "adagrad": (AdaGrad(rate=0.1, initial_accumulator=0.1, epsilon=0.0), 562, -4.112352244740471),
    "rmsprop": (RMSProp(rate=0.1, decay=0.8, initial_accumulator=0.1, epsilon=0.0), 30, -4.112353204214919),
    "adam": (Adam(rate=0.1, epsilon=1e-7), 173, -4.112353104302869),
}


@pytest.mark.parametrize("name", BOWL)
def test_on_the_two_variable_bowl_the_updates_and_the_last_value_are_those_published(name):
    """The rule stops at the first step with Σ|Δx| < 1e-5 and keeps the point before it; f to 1e-12 of the figure."""
    rule, updates, figure = BOWL[name]
    problem = problems.get("bowl")
    states = iterate(rule, problem.fun, problem.starts["standard"])
    state, made = next(states), 0
    for following in states:
        if np.abs(following.x - state.x).sum() < 1e-5:
            break
        state, made = following, made + 1
        assert made <= updates
    assert made == updates
    assert state.f == pytest.approx(figure, rel=1e-12)
    assert state.f >= problem.best.f


ELLIPSE = {
    "sgd": (GradientDescent(rate=0.95), (-0.350393, 0.084782), 0.0133268),
    "momentum": (Momentum(rate=0.1, decay=0.9), (0.896414, 0.088086), 0.0479370),
    "adagrad": (AdaGrad(rate=1.5, epsilon=1e-7), (-0.120162, 2.5e-17), 7.21949e-4),
    "adam": (Adam(rate=0.3, epsilon=1e-7, correction="rate"), (0.136007, 0.318245), 0.102205),
}


@pytest.mark.parametrize("name", ELLIPSE)
def test_on_the_long_ellipse_thirty_steps_end_where_published(name):
    """Half a unit of the last digit given: 5e-7 in the points, six digits of f; 1e-17 where y is all but zero."""
    rule, (x, y), f = ELLIPSE[name]
    problem = problems.get("long-ellipse")
    state = next(islice(iterate(rule, problem.fun, problem.starts["standard"]), 30, None))
    assert state.x[0] == pytest.approx(x, abs=5.1e-7)
    assert state.x[1] == pytest.approx(y, abs=1e-17 if abs(y) < 1e-10 else 5.1e-7)
    assert state.f == pytest.approx(f, rel=1e-6)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_momentum_and_adam_pass_better_points_on_the_way(name):
    """Which is why the published endpoints look so poor."""
    rule, _, f = ELLIPSE[name]
    problem = problems.get("long-ellipse")
    values = [state.f for state in islice(iterate(rule, problem.fun, problem.starts["standard"]), 31)]
    assert min(values) < 0.5 * f


def test_too_large_a_rate_diverges_and_too_small_a_one_crawls():
    problem = problems.get("bowl")
    x0 = problem.starts["standard"]

    def after(rate, steps):
        return next(islice(iterate(GradientDescent(rate=rate), problem.fun, x0), steps, None)).f - problem.best.f

    gap = problem.fun(x0) - problem.best.f
    assert after(0.25, 12) > 2 * gap
    assert after(1e-4, 50) > 0.9 * gap
    assert after(0.1, 50) < 1e-6 * gap
