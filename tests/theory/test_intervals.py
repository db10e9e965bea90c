"""Interval operations contain all exact values, and interval jets all derivatives, for random compositions f."""

from __future__ import annotations

from fractions import Fraction

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newtonkit.enumeration.enclosures import Jets
from newtonkit.linalg.intervals import FUNCTIONS, Interval

BOXES, SAMPLES = 500, 20  # ten thousand points for each function
SEED = st.integers(0, 10**6)
EXAMPLES = settings(deadline=None, max_examples=25, derandomize=True)

EXPONENTS = (0, 1, 2, 3, 4, 7, -1, -2, -3, 0.5, 1.5, 2.25, -0.5, 1 / 3)
NAMES = [f.__name__ for f in FUNCTIONS] + [f"power {p:.3g}" for p in EXPONENTS]
UNARY = [*FUNCTIONS, *(lambda x, p=p: x**p for p in EXPONENTS)]
POSITIVE = {"log", "sqrt", "power 0.5", "power 1.5", "power 2.25", "power -0.5", "power 0.333"}
BINARY = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y]


def random_intervals(rng, count, *, positive=False):
    """Intervals with widths from rounding to ten, at distances from 1e-8 to 30 from zero, some with zero as an end."""
    middle = rng.choice([-1.0, 1.0], count) * 10.0 ** rng.uniform(-8, 1.5, count)
    half = np.abs(middle) * 10.0 ** rng.uniform(-16, 0.5, count)
    lo, hi = middle - half, middle + half
    touching = rng.random(count) < 0.1
    lo = np.where(touching, np.minimum(0.0, hi), lo)
    hi = np.where(touching, np.maximum(lo, 0.0), hi)
    return Interval(np.abs(lo), np.abs(lo) + (hi - lo)) if positive else Interval(lo, hi)


def inside(rng, x, samples):
    """Random floats in each interval, including its ends."""
    share = rng.random((samples, np.size(x.lo)))
    share[0], share[1] = 0.0, 1.0
    return np.clip(x.lo + share * (x.hi - x.lo), x.lo, x.hi)


@EXAMPLES
@given(st.sampled_from(range(len(UNARY))), SEED)
def test_a_function_of_an_interval_contains_the_function_of_every_point(which, seed):
    """The value of numpy at the point may have an error of 4 units in the last place, and so may the ends."""
    function, rng = UNARY[which], np.random.default_rng(seed)
    x = random_intervals(rng, BOXES, positive=NAMES[which] in POSITIVE)
    with np.errstate(all="ignore"):
        y, values = Interval.bounded(function(x)), function(inside(rng, x, SAMPLES))
    undefined = ~np.isfinite(values)  # at a pole
    assert (undefined | ((y.lo <= values) & (values <= y.hi))).all()


@pytest.mark.parametrize("name", [function.__name__ for function in FUNCTIONS])
def test_a_function_of_an_interval_contains_the_exact_values(name):
    """With 40 digits in place of numpy's functions."""
    exact = {"arctan": "atan", "arcsinh": "asinh"}.get(name, name)
    rng = np.random.default_rng(1)
    x = random_intervals(rng, 50, positive=name in POSITIVE)
    if name == "log1p":
        x = Interval(np.maximum(x.lo, -0.999), np.maximum(x.hi, -0.9))
    with np.errstate(all="ignore"):
        y = FUNCTIONS[getattr(np, name)](x)
    with mpmath.workdps(40):
        for k, column in enumerate(inside(rng, x, 6).T):
            for point in column:
                value = getattr(mpmath, exact)(mpmath.mpf(float(point))) if point or name != "log" else -mpmath.inf
                assert mpmath.mpf(float(y.lo[k])) <= value <= mpmath.mpf(float(y.hi[k]))


@EXAMPLES
@given(st.sampled_from(range(4)), SEED)
def test_an_operation_on_intervals_contains_the_exact_result_for_every_pair_of_points(which, seed):
    """In rational arithmetic, so that the test has no rounding errors of its own."""
    operation, rng = BINARY[which], np.random.default_rng(seed)
    x, y = random_intervals(rng, 20), random_intervals(rng, 20)
    with np.errstate(all="ignore"):
        z = operation(x, y).bounded()
    for a, b, lo, hi in zip(inside(rng, x, 5).T, inside(rng, y, 5).T, z.lo, z.hi, strict=True):
        for p, q in zip(a, b, strict=True):
            if which < 3 or q:
                exact = operation(Fraction(p), Fraction(q))
                assert lo == -np.inf or Fraction(lo) <= exact
                assert hi == np.inf or exact <= Fraction(hi)


@EXAMPLES
@given(st.floats(-1e3, 1e3).filter(bool), SEED)
def test_an_operation_with_a_float_contains_the_exact_result(c, seed):
    rng = np.random.default_rng(seed)
    x = random_intervals(rng, 20)
    for operation in (lambda a, c: a + c, lambda a, c: c - a, lambda a, c: a * c, lambda a, c: a / c):
        with np.errstate(over="ignore"):  # a quotient by a subnormal number is unbounded
            y = operation(x, c)
        for points, lo, hi in zip(inside(rng, x, 4).T, y.lo, y.hi, strict=True):
            for p in points:
                exact = operation(Fraction(p), Fraction(c))
                assert lo == -np.inf or Fraction(lo) <= exact
                assert hi == np.inf or exact <= Fraction(hi)


def test_outside_its_domain_a_function_gives_nan_and_across_the_boundary_it_encloses_the_inner_part():
    x = Interval(np.array([-2.0, -1.0, 0.0]), np.array([-1.0, 4.0, 4.0]))
    with np.errstate(all="ignore"):
        for y in (np.log(x), np.sqrt(x), x**1.5):
            assert np.isnan(y.lo[0])
            assert np.isnan(y.hi[0])
            np.testing.assert_array_equal(y.lo[1], y.lo[2])
            assert np.isfinite(y.hi[1:]).all()
        assert np.log(x).lo[1] == -np.inf
        assert np.sqrt(x).lo[1] == 0.0


def test_a_quotient_is_unbounded_exactly_if_the_divisor_contains_zero():
    y = 1.0 / Interval(np.array([-1.0, -1.0, 0.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0, 2.0]))
    np.testing.assert_array_equal(np.isinf(y.lo), [True, True, False, False, False])
    np.testing.assert_array_equal(np.isinf(y.hi), [True, False, True, False, False])
    assert np.isnan(y.lo[3])


# --- jets ----------------------------------------------------------------------------------------------------------

A = np.array([[2.0, -1.0, 0.3], [-1.0, 0.5, 0.1], [0.3, 0.1, -1.5]])
FORMS = {
    "sums and products": lambda x: x[0] * x[1] - 3 * x[2] * x[2] + (x[0] - 2.5) * (1 - x[1]) / 7,
    "a quadratic form": lambda x: x @ A @ x + anp.dot(A[0], x),
    "slices": lambda x: anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2),
    "quotients": lambda x: x[0] / (2 + x[1] ** 2) + 1 / (3.5 + x[2]) + 2.0 / (x[0] * x[0] + 1),
    "integer powers": lambda x: anp.sum(x**3) + x[0] ** 4 * x[1] ** 5 + (3.5 + x[2]) ** -2,
    "real powers": lambda x: (5 + x[0]) ** 1.5 * (6 + x[1]) ** -0.7 + 2.0 ** x[2] + (4 + x[0]) ** (x[1] / 3),
    "cumulative": lambda x: anp.sum(anp.cumsum(x) ** 2) + anp.prod(x) + anp.mean(x) ** 3 + anp.var(x),
    "arrays": lambda x: anp.sum(anp.concatenate([x, x**2]) * anp.array([1.0, -2, 3, 0.5, 2, 1])) * anp.roll(x, 1)[0],
    "einsum": lambda x: anp.einsum("i,ij,j->", x, A, x) + anp.sum(anp.outer(x, x).reshape(9) * np.arange(9)),
    "a network": lambda x: anp.sum((anp.tanh(A @ anp.tanh(A @ x + 0.1)) - 0.5) ** 2),
    "a logarithm of a sum": lambda x: anp.log(anp.sum(anp.exp(x))),
}


def in_use(function):
    """An elementary function of three variables at arguments where it is smooth."""
    f, shift = getattr(anp, function.__name__), 4.0 if function in (np.log, np.log1p, np.sqrt) else 0.0
    return lambda x: f(shift + x[0] * x[1] - 0.5 * x[2]) * x[2] + f(shift + x[0]) ** 2


ELEMENTARY = {function.__name__: in_use(function) for function in FUNCTIONS}
ALL = FORMS | ELEMENTARY


@pytest.mark.parametrize("name", ALL)
def test_jets_of_floats_agree_with_autograd(name):
    f, unit = ALL[name], np.array([1.0, 0.5, 2.0])
    X = np.random.default_rng(2).uniform(-1.2, 1.2, (5, 3))
    values = Jets(f, unit).at(X / unit)
    for x, v, g, H in zip(X, *values, strict=True):
        expected = f(x), autograd.grad(f)(x) * unit, autograd.hessian(f)(x) * np.outer(unit, unit)
        for got, right in zip((v, g, H), expected, strict=True):
            np.testing.assert_allclose(got, right, rtol=1e-12, atol=1e-12 * (1 + np.abs(right).max()))


@pytest.mark.parametrize("name", ALL)
def test_jets_of_intervals_contain_value_gradient_and_hessian_at_every_point_of_their_boxes(name):
    """Without any tolerance: the result of each rounded operation lies in the interval."""
    rng = np.random.default_rng(3)
    middle, half = rng.uniform(-1.0, 1.0, (BOXES, 3)), 10.0 ** rng.uniform(-12, -0.7, (BOXES, 3))
    lo, hi = middle - half, middle + half
    jets = Jets(ALL[name], np.ones(3))
    enclosed = jets.over(lo, hi)
    for share in rng.random((SAMPLES, BOXES, 3)).round(1):
        values = jets.at(np.clip(lo + share * (hi - lo), lo, hi))
        for enclosure, value in zip(enclosed, values, strict=True):
            assert (enclosure.lo <= value).all()
            assert (value <= enclosure.hi).all()


def test_enclosures_shrink_with_the_box():
    jets = Jets(FORMS["a network"], np.ones(3))
    widths = []
    for half in (1e-2, 1e-4):
        H = jets.over(np.full((1, 3), 0.3 - half), np.full((1, 3), 0.3 + half)).H
        widths.append(float((H.hi - H.lo).max()))
    assert widths[1] <= 0.02 * widths[0], "to first order"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: anp.where(x[0] > 0, x[0], 0.0),
        lambda x: anp.abs(x[0]),
        lambda x: abs(x[0]),
        lambda x: anp.max(x),
        lambda x: anp.maximum(x[0], 0.0),
        lambda x: x[0] if x[0] == x[1] else x[1],
        lambda x: float(x[0]) ** 2,
        lambda x: anp.sort(x)[0],
        lambda x: x[0] if x[1] else 0.0,
        lambda x: x[0] * 1j,
        lambda x: x[0] * (2**60 + 1),
    ],
)
def test_an_operation_that_decides_a_branch_or_loses_a_digit_is_refused(f):
    with pytest.raises(TypeError):
        Jets(f, np.ones(2)).over(np.zeros((2, 2)), np.ones((2, 2)))
