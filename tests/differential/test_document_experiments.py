"""Two published teaching experiments on optimizers, reproduced through `newtonkit.iterate` to the digits they give."""

from __future__ import annotations

from itertools import islice

import pytest

import problems
from comparisons.studies.learning import bowl, ellipse
from newtonkit import GradientDescent, iterate


@pytest.mark.parametrize("name", bowl.PUBLISHED)
def test_on_the_two_variable_bowl_the_updates_and_the_last_value_are_those_published(name):
    """The rule stops at the first step with Σ|Δx| < 1e-5 and keeps the point before it; f to 1e-12 of the figure."""
    published = bowl.PUBLISHED[name]
    problem = problems.get("bowl")
    states = bowl.until_short_step(published.rule, problem, published.updates + 1)
    assert len(states) - 1 == published.updates
    assert states[-1].f == pytest.approx(published.f, rel=1e-12)
    assert states[-1].f >= problem.best.f


@pytest.mark.parametrize("name", ellipse.PUBLISHED)
def test_on_the_long_ellipse_thirty_steps_end_where_published(name):
    """Half a unit of the last digit given: 5e-7 in the points, six digits of f; 1e-17 where y is all but zero."""
    published = ellipse.PUBLISHED[name]
    (x, y), end = published.x, ellipse.steps_of(published.rule, problems.get("long-ellipse"))[30]
    assert end.x[0] == pytest.approx(x, abs=5.1e-7)
    assert end.x[1] == pytest.approx(y, abs=1e-17 if abs(y) < 1e-10 else 5.1e-7)
    assert end.f == pytest.approx(published.f, rel=1e-6)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_momentum_and_adam_pass_better_points_on_the_way(name):
    """Which is why the published endpoints look so poor."""
    published = ellipse.PUBLISHED[name]
    values = [state.f for state in ellipse.steps_of(published.rule, problems.get("long-ellipse"))]
    assert min(values) < 0.5 * published.f


def test_too_large_a_rate_diverges_and_too_small_a_one_crawls():
    problem = problems.get("bowl")
    x0 = problem.starts["standard"]

    def after(rate, steps):
        return next(islice(iterate(GradientDescent(rate=rate), problem.fun, x0), steps, None)).f - problem.best.f

    gap = problem.fun(x0) - problem.best.f
    assert after(0.25, 12) > 2 * gap
    assert after(1e-4, 50) > 0.9 * gap
    assert after(0.1, 50) < 1e-6 * gap
