"""SR1: the secant equation, the textbook formula, finite termination on quadratics, and the skip rule."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import newtonkit
import problems
from newtonkit import SR1, Objective, iterate
from newtonkit.core.state import FIRST, State
from newtonkit.methods.sr1 import SR1Matrix

EPS = float(np.finfo(np.float64).eps)


def sr1_update(B, s, y):
    """B + rrᵀ/rᵀs with r = y − Bs (N&W, 2006, eq. 6.24)."""
    r = y - B @ s
    return B + np.outer(r, r) / (r @ s)


def symmetric(rng, n):
    A = rng.standard_normal((n, n))
    return 0.5 * (A + A.T)


def state_at(x, g):
    return State(x, 0.0, g, FIRST)


def test_every_accepted_step_updates_by_the_textbook_formula_and_meets_the_secant_equation():
    problem = problems.get("wood")
    updates = 0
    for k, (state, after) in enumerate(pairwise(islice(iterate(SR1(), problem.fun, problem.starts["standard"]), 25))):
        if not after.info.accepted:
            continue
        s, y = after.x - state.x, after.g - state.g
        before = np.eye(s.size) * (y @ y) / (0.9 * (s @ y)) if k == 0 else state.source.B
        B = after.source.B
        size = np.linalg.norm(before) + np.linalg.norm(B)
        np.testing.assert_allclose(B, sr1_update(before, s, y), rtol=0, atol=1e-9 * size)
        np.testing.assert_allclose(B @ s, y, rtol=0, atol=1e-9 * size * np.linalg.norm(s))
        np.testing.assert_array_equal(B, B.T)
        updates += 1
    assert updates > 10


@pytest.mark.parametrize("n", [1, 3, 8])
def test_independent_steps_on_a_quadratic_give_its_hessian_exactly(n):
    """N&W (2006), theorem 6.1: after n updates B is the Hessian, indefinite or not."""
    rng = np.random.default_rng(n)
    A = symmetric(rng, n)
    source, x = SR1Matrix(np.eye(n), updated=True), rng.standard_normal(n)
    for s in np.linalg.qr(rng.standard_normal((n, n)))[0]:
        source = source.after_step(state_at(x, A @ x), x + s, A @ (x + s))
        x = x + s
    np.testing.assert_allclose(source.B, A, rtol=0, atol=1e4 * EPS * np.linalg.norm(A))


def test_an_update_with_a_tiny_denominator_is_skipped():
    """N&W (2006), eq. 6.26: r = y − Bs is orthogonal to s within rounding."""
    rng = np.random.default_rng(4)
    source = SR1Matrix(symmetric(rng, 4), updated=True)
    s, r = rng.standard_normal((2, 4))
    r -= s * (r @ s) / (s @ s)
    x, g = rng.standard_normal((2, 4))
    assert source.after_step(state_at(x, g), x + s, g + source.B @ s + r) is source
    assert source.after_step(state_at(x, g), x + s, np.full(4, np.inf)) is source


def test_b_becomes_indefinite_where_f_is_and_the_run_ends_at_a_minimum():
    problem = problems.get("rosenbrock")
    states = list(islice(iterate(SR1(), problem.fun, problem.starts["standard"]), 40))
    assert min(np.linalg.eigvalsh(state.source.B)[0] for state in states) < 0.0
    assert all(after.f <= state.f + 10 * EPS * abs(state.f) for state, after in pairwise(states))
    result = newtonkit.minimize(problem.fun, problem.starts["standard"], method="sr1")
    assert result.success
    assert result.verdict.kind == "minimum"


def test_a_rejected_step_costs_one_value_and_keeps_b():
    """A first radius far too large makes the first trials rejections."""
    problem = problems.get("rosenbrock")
    evaluator = newtonkit.Evaluator(Objective(problem.fun))
    states = iterate(SR1(initial_radius=1e8), evaluator, problem.starts["standard"])
    rejected = 0
    for before, state in pairwise(islice(states, 20)):
        if not state.info.accepted:
            rejected += 1
            assert state.source is before.source
            np.testing.assert_array_equal(state.x, before.x)
    assert rejected > 0
    assert evaluator.counts.f == 20
    assert evaluator.counts.g == 20 - rejected


@pytest.mark.parametrize("k", [-40, 37])
def test_multiplying_f_by_a_power_of_two_leaves_every_point_the_same_to_the_last_bit(k):
    problem = problems.get("rosenbrock", n=8)
    x0 = problem.starts["standard"]
    one = [state.x for state in islice(iterate(SR1(), problem.fun, x0), 30)]
    other = [state.x for state in islice(iterate(SR1(), lambda x: 2.0**k * problem.fun(x), x0), 30)]
    np.testing.assert_array_equal(one, other)
