"""The rates that traces show are those of theory."""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

import problems
from comparisons.core.labels import number
from comparisons.core.prices import Instance
from comparisons.running.runner import run_one
from comparisons.scores import measured
from comparisons.scores.convergence_order import ROUNDING, errors_of, observed_order
from comparisons.scores.measured import as_measured, measure
from newtonkit.linalg.kernels import EPS

_LAST = 5  # steps from which a factor is estimated, as many as for an order
_STEADY = 0.02  # relative spread of the last factors up to which the convergence counts as linear


@dataclass(frozen=True)
class Rate:
    """The rate of the last steps: order q in e₊ ≈ C·eᵠ, geometric mean of e₊/e, whether these ratios agree to 2 %."""

    order: float
    factor: float
    steady: bool

    @property
    def sentence(self):
        if math.isnan(self.factor):
            return "too few steps"
        if self.steady:
            return f"linear: every step multiplies the error by {number(self.factor, 3)}"
        return f"order {self.order:.2f}"


def rate(errors):
    """The rate of a sequence of errors that goes to zero; rejected steps and zeros are left out."""
    given = list(errors)
    usable = [e for k, e in enumerate(given) if math.isfinite(e) and e > 0 and (k == 0 or e != given[k - 1])]
    last = np.array(usable[-_LAST - 1 :])
    ratios = last[1:] / last[:-1]
    if not ratios.size:
        return Rate(math.nan, math.nan, False)
    steady = ratios.size == _LAST and ratios.max() / ratios.min() <= 1.0 + _STEADY
    return Rate(observed_order(given), float(np.exp(np.log(ratios).mean())), steady)


def value_rate(run, problem):
    """The rate at which f − f* goes to zero, f* the value of the known minimum at which the run ended."""
    point = problem.reached(run.x, run.f) if run.at_minimum else None
    if point is None:
        return Rate(math.nan, math.nan, False)
    # the terms of f have the size of f at the start, and so has the rounding of their sum near the minimum
    floor = 10 * EPS * max(abs(point.f), abs(run.f_start))
    return rate([row.f - point.f for row in run.trace if row.f - point.f > floor])


def point_rate(run, problem):
    """The rate at which ‖x − x*‖ goes to zero."""
    return rate([error for error in errors_of(run, problem) if error > ROUNDING])


def newton_factor(degree):
    """The factor of the error in a pure Newton step if f is homogeneous of this degree: (d − 2)/(d − 1).

    ∇²f(x)·x = (d − 1)·∇f(x) by Euler's theorem (Griewank & Osborne 1983, SIAM J. Numer. Anal. 20, 747-773).
    """
    return (degree - 2) / (degree - 1)


def gradient_factor(condition):
    """The factor of gradient descent at its best fixed rate on a quadratic (Nocedal & Wright 2006, theorem 3.3)."""
    return (condition - 1.0) / (condition + 1.0)


def run(name, method, start="standard", **parameters):
    problem = problems.get(name, **parameters)
    return run_one(problem, start, method), problem


class TestNewton:
    def test_on_powells_singular_function_every_pure_newton_step_leaves_16_81_of_f(self):
        found = value_rate(*run("powell-singular", "newton-pure"))
        assert found.steady
        assert found.factor == pytest.approx(16 / 81, rel=1e-6)
        assert newton_factor(4) ** 4 == pytest.approx(16 / 81)

    def test_on_a_quartic_every_step_leaves_two_thirds_of_the_error(self):
        end, problem = run("quartic", "newton-pure", n=2)
        found = point_rate(end, problem)
        assert found.steady
        assert found.factor == pytest.approx(2 / 3, rel=1e-9) == newton_factor(4)
        assert value_rate(end, problem).factor == pytest.approx((2 / 3) ** 4, rel=1e-9)

    @pytest.mark.parametrize("name", ["rosenbrock", "beale", "himmelblau", "six-hump-camel"])
    def test_at_a_regular_minimum_it_converges_quadratically(self, name):
        found = point_rate(*run(name, "newton"))
        assert 1.7 <= found.order <= 2.6
        assert not found.steady
        assert "order" in found.sentence

    def test_its_factor_is_one_for_the_flattest_minimum_and_zero_for_a_quadratic(self):
        assert newton_factor(2) == 0.0
        assert newton_factor(1000) == pytest.approx(1.0, abs=2e-3)


class TestOthers:
    def test_gradient_descent_at_its_best_rate_contracts_by_the_condition_number(self):
        """Computed here with the best rate 2/(λ₁ + λ₂), against the formula."""
        eigenvalues = np.array([1.0, 9.0])
        x, errors = np.array([1.0, 1.0]), []
        for _ in range(30):
            errors.append(float(np.linalg.norm(x)))
            x = x - 2.0 / eigenvalues.sum() * eigenvalues * x
        found = rate(errors)
        assert found.factor == pytest.approx(gradient_factor(9.0), rel=1e-12)
        assert found.sentence == "linear: every step multiplies the error by 0.8"

    def test_quasi_newton_methods_converge_superlinearly_and_slower_than_newton(self):
        found = point_rate(*run("rosenbrock", "bfgs"))
        assert 1.1 < found.order < 1.9

    def test_rejected_steps_and_an_exact_end_do_not_disturb_a_rate(self):
        assert rate([1.0, 0.5, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.0]).factor == pytest.approx(0.5)

    @pytest.mark.parametrize("errors", [[], [1.0], [math.nan, math.inf], [0.0, 0.0]])
    def test_too_few_errors_have_no_rate(self, errors):
        found = rate(errors)
        assert math.isnan(found.factor)
        assert found.sentence == "too few steps"

    def test_a_run_that_ends_at_no_minimum_has_no_rate(self):
        end, problem = run("himmelblau", "newton")
        lost = replace(end, reached=None)
        assert math.isnan(value_rate(lost, problem).factor)
        assert math.isnan(point_rate(lost, problem).factor)


class TestMeasuredPrices:
    def test_all_four_are_measured_and_f_is_the_unit(self, monkeypatch):
        # a clock that advances by a second with every reading, so that the test does not depend on the load
        readings = itertools.count()
        monkeypatch.setattr(measured.time, "perf_counter", lambda: float(next(readings)))
        beale = problems.get("beale")
        found = measure(beale, repeats=3)
        assert found.prices.f == 1.0
        assert found.seconds == (1.0, 1.0, 1.0, 1.0)
        model = as_measured([found])
        assert model(Instance("beale", "standard", 2)) == found.prices
        with pytest.raises(ValueError, match="no prices were measured on booth"):
            model(Instance("booth", "standard", 2))
        with pytest.raises(ValueError, match="repeats"):
            measure(beale, repeats=0)
