"""What the method-breakers break, and what they do not."""

from itertools import pairwise

import numpy as np
import pytest

import problems
from newtonkit import StepFailure, iterate, minimize
from newtonkit.methods.registry import make_method

ROBUST = ["newton", "newton-linesearch", "bfgs", "lbfgs"]


def pure_newton(problem, x0, steps):
    """The first states of pure Newton, as far as it goes."""
    states, found = iterate(make_method("newton-pure"), problem.fun, np.array(x0)), []
    while len(found) <= steps:
        try:
            found.append(next(states))
        except StepFailure:
            break
    return found


@pytest.mark.parametrize("start", ["standard", "inside"])
def test_on_the_hyperbola_branch_the_newton_step_maps_x_to_minus_x_cubed(start):
    """Cubic convergence from ½, divergence from 1.5. f″ is rounded relative to itself, and multiplied by 3."""
    problem = problems.get("hyperbola-branch")
    states = pure_newton(problem, problem.starts[start], 3)
    assert len(states) == 4
    for before, after in pairwise(states):
        assert after.x[0] == pytest.approx(-(before.x[0] ** 3), rel=1e-10)
    assert (abs(states[-1].x[0]) > 1e4) == (start == "standard")


def test_pure_newton_diverges_on_the_hyperbola_branch_and_reports_it():
    result = minimize(problems.get("hyperbola-branch").fun, [1.5], method="newton-pure")
    assert not result.success


def test_the_first_newton_steps_from_fifty_leave_the_domain_of_the_logarithm():
    """The step is x(2 − x): to −2400."""
    problem = problems.get("log-barrier")
    result = minimize(problem.fun, problem.starts["standard"], method="newton-pure")
    assert not result.success
    assert result.reason.name == "NON_FINITE"
    inside = pure_newton(problem, [1.5, 0.5], 1)[1].x
    np.testing.assert_allclose(inside, [1.5 * 0.5, 0.5 * 1.5], rtol=1e-14)


SOLVED = ["hyperbola-branch", "log-barrier", "nan-wall", "offset-valley", "quartic"]


@pytest.mark.parametrize("method", ROBUST)
@pytest.mark.parametrize(("name", "start"), [(name, start) for name in SOLVED for start in problems.get(name).starts])
def test_a_method_that_shortens_its_steps_is_not_broken(name, start, method):
    """NaN at a trial point, overshooting, an offset of 10¹⁰: the minimum is reached all the same."""
    problem = problems.get(name)
    result = minimize(problem.fun, problem.starts[start], method=method)
    assert result.success, result.message
    assert problem.reached(result.x, result.fun) is problem.best


def test_on_a_quartic_the_newton_step_shrinks_x_by_two_thirds():
    problem = problems.get("quartic", n=3)
    states = pure_newton(problem, problem.starts["standard"], 30)
    assert len(states) == 31
    for before, after in pairwise(states):
        np.testing.assert_allclose(after.x, before.x * (2 / 3), rtol=1e-13)


@pytest.mark.parametrize("start", ["standard", "x10", "x100"])
@pytest.mark.parametrize("name", ["powell-singular", "extended-powell-singular"])
def test_on_powells_singular_function_f_shrinks_by_16_81_from_the_second_newton_step_on(name, start):
    """The first step solves the two linear equations exactly; every one shrinks the two other forms by 2/3.

    After 25 steps f has lost 17 decimals; the squares of what rounding leaves of the linear equations are smaller.
    """
    problem = problems.get(name)
    f = np.array([state.f for state in pure_newton(problem, problem.starts[start], 25)])
    assert len(f) == 26
    np.testing.assert_allclose(f[2:] / f[1:-1], 16 / 81, rtol=1e-6)
    assert abs(f[1] / f[0] - 16 / 81) > 5e-6


def test_on_the_three_halves_power_the_newton_iterates_oscillate():
    """x − (3/2 x^½)/(3/4 x^−½) = −x."""
    problem = problems.get("three-halves-power")
    x0 = problem.starts["standard"]
    for k, state in enumerate(pure_newton(problem, x0, 10)):
        np.testing.assert_allclose(state.x, (-1) ** k * x0, rtol=1e-13)


@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs"])
def test_a_minimum_without_a_second_derivative_is_reached(method):
    problem = problems.get("three-halves-power")
    result = minimize(problem.fun, problem.starts["standard"], method=method)
    assert result.success, result.message
    assert problem.reached(result.x, result.fun) is problem.best


@pytest.mark.parametrize("method", [*ROBUST, "newton-pure", "gd-linesearch"])
@pytest.mark.parametrize("start", ["standard", "far"])
def test_an_infimum_at_infinity_is_no_success(start, method):
    """exp(−x): the gradient falls below any tolerance, and a step worth taking is left at every point."""
    problem = problems.get("exponential-decay")
    result = minimize(problem.fun, problem.starts[start], method=method)
    assert not result.success
    assert "minimum" not in result.verdict.kind


def test_on_an_exponential_the_newton_step_is_one():
    x = [state.x[0] for state in pure_newton(problems.get("exponential-decay"), [0.0], 20)]
    np.testing.assert_allclose(x, np.arange(21.0), rtol=1e-14)


@pytest.mark.parametrize("exponent", [-6, 6])
def test_pure_newton_does_not_notice_the_units_of_the_variables(exponent):
    """Affine invariance: the iterates are those of Rosenbrock's function in other units, up to rounding."""
    problem, plain = problems.get("badly-scaled-valley", exponent=exponent), problems.get("rosenbrock")
    scaled = pure_newton(problem, problem.starts["standard"], 5)
    states = pure_newton(plain, plain.starts["standard"], 5)
    assert len(scaled) == len(states) == 6
    for ours, theirs in zip(scaled, states, strict=True):
        np.testing.assert_allclose(ours.x / problem.best.x, theirs.x, rtol=1e-9)


@pytest.mark.parametrize("exponent", [-6, 6])
@pytest.mark.parametrize("method", ROBUST)
def test_units_of_a_million_may_cost_steps_but_never_the_truth(method, exponent):
    problem = problems.get("badly-scaled-valley", exponent=exponent)
    result = minimize(problem.fun, problem.starts["standard"], method=method, options={"maxiter": 200})
    right = problem.fun(result.x) < 1e-10
    assert result.success == right, result.message
    assert result.success or method != "newton"


@pytest.mark.parametrize("method", ROBUST)
def test_ripples_catch_a_run_only_where_they_outweigh_the_bowl(method):
    """Within 10⁻³ of 0 in every variable, hence f <= n·5·10⁻⁷ and the ripples' 2·10⁻⁸."""
    problem = problems.get("ripples")
    result = minimize(problem.fun, problem.starts["standard"], method=method)
    assert result.success, result.message
    assert np.abs(result.x).max() <= 1.001e-3
    assert result.fun <= problem.n * 5.3e-7
