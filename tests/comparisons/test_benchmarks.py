"""The benchmarks measure what they say; none of these tests looks at a time."""

import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import value_and_grad

from comparisons.studies.solvers import derivative_speed, overhead, sparse_speed


@pytest.mark.parametrize("case", derivative_speed.cases(), ids=lambda case: f"{case.name} {case.n}")
def test_the_gradients_by_hand_are_those_of_the_function(case):
    x = np.random.default_rng(0).uniform(-0.5, 0.5, case.n)
    f, g = case.by_hand(x)
    f_exact, g_exact = value_and_grad(lambda z: case.fun(anp, z))(x)
    assert f == pytest.approx(f_exact, rel=1e-12)
    # sums of up to 2000 terms in another order
    np.testing.assert_allclose(g, g_exact, rtol=0, atol=1e-12 * max(1.0, np.abs(g_exact).max()))


def test_every_source_of_a_derivative_is_timed(monkeypatch):
    monkeypatch.setattr(derivative_speed, "_SECONDS", 1e-4)
    small = [case for case in derivative_speed.cases() if case.n <= 10]
    timings = derivative_speed.measure(small)
    for case, timing in zip(small, timings, strict=True):
        assert (timing.name, timing.n) == (case.name, case.n)
        assert {"by hand", "autograd", "tape"} <= set(timing.gradient)
        assert {"autograd", "tape"} <= set(timing.product) & set(timing.hessian)
        measured = [*timing.gradient.values(), *timing.product.values(), *timing.hessian.values()]
        assert all(math.isfinite(t) and t > 0 for t in measured)
    assert len(derivative_speed.speed_table(timings).rows) == len(small)


def test_sparse_hessians_are_timed_on_a_chain_and_on_a_grid():
    timings = sparse_speed.measure([9, 100])
    assert [(t.name, t.n, t.groups) for t in timings] == [
        ("chain", 9, 3),
        ("grid", 9, timings[1].groups),
        ("chain", 100, 3),
        ("grid", 100, timings[3].groups),
    ]
    assert timings[2].entries == 3 * 100 - 2
    assert timings[3].entries == 5 * 100 - 4 * 10
    assert len(sparse_speed.sparse_table(timings).rows) == 4


def test_overhead_leaves_the_users_functions_out():
    figures = overhead.measure([2, 5], methods=["bfgs", "scipy:BFGS", "newton"], repeats=1)
    assert [(figure.method, figure.n) for figure in figures] == [
        (method, n) for n in (2, 5) for method in ("bfgs", "scipy:BFGS", "newton")
    ]
    for figure in figures:
        assert figure.lowest <= figure.microseconds <= figure.highest
        assert figure.iterations > 20
    assert len(overhead.overhead_table(figures).rows) == 3


def test_the_derivatives_of_the_overhead_benchmark_are_right():
    f, x = overhead._Rosenbrock(), np.array([0.3, -0.7, 1.1])
    exact = value_and_grad(lambda z: anp.sum(100.0 * (z[1:] - z[:-1] ** 2) ** 2 + (1.0 - z[:-1]) ** 2))
    assert f.value(x) == pytest.approx(exact(x)[0], rel=1e-14)
    np.testing.assert_allclose(f.gradient(x), exact(x)[1], rtol=1e-12)
    h = 1e-6
    rough = np.array([(f.gradient(x + h * e) - f.gradient(x - h * e)) / (2 * h) for e in np.eye(3)])
    np.testing.assert_allclose(f.hessian(x), rough, atol=1e-5)
    assert f.seconds > 0.0
