"""NIST's data sets in the catalogue: certified parameters, sums of squares, residuals."""

import numpy as np
import pytest

import problems
from problems.nist.data_sets import data_set, names


@pytest.mark.parametrize("name", names())
def test_the_stated_minimum_is_the_certified_one(name):
    fit, problem = data_set(name), problems.get(f"nist-{name}")
    (point,) = problem.points
    np.testing.assert_allclose(point.x, fit.certified, rtol=1e-8)
    assert point.f == pytest.approx(fit.residual_sum, rel=1e-8, abs=1e-21)
    start = problem.starts["standard"]
    assert problem.fun(start) == pytest.approx(float(np.sum(problem.residuals(start) ** 2)), rel=1e-14)


def test_there_are_27():
    assert len(problems.names("nist")) == 27
