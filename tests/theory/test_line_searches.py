"""Line searches: what an accepted step length promises, and when there is none.

A ray in one variable is made of φ and φ′ given separately, so that a test may also pair a function with a slope that
is not its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from newtonkit import Backtracking, Evaluator, HagerZhang, Objective, State
from newtonkit.core.state import FIRST
from newtonkit.linesearch.line_function import LineFunction
from newtonkit.linesearch.more_thuente import MoreThuente

EPS = float(np.finfo(np.float64).eps)
Function = Callable[[float], float]


def make_ray(phi: Function, slope: Function) -> LineFunction:
    """The ray φ from 0: in one variable along p = 1, so that α is the coordinate itself."""
    objective = Objective(lambda x: phi(float(x[0])), grad=lambda x: np.array([slope(float(x[0]))]))
    evaluator = Evaluator(objective)
    x = np.zeros(1)
    f, g = evaluator.value_and_grad(x)
    return LineFunction(evaluator, State(x, f, g, FIRST), np.ones(1))


# --- families of rays, each with its minimizer known to exist in the domain ---------------------------------------


def parabolas(rng: np.random.Generator) -> Iterator[tuple[Function, Function]]:
    """a(t − m)² + c with a and m over six orders of magnitude."""
    while True:
        a, m = 10.0 ** rng.uniform(-3, 3, 2)
        c = rng.normal() * a * m**2
        yield lambda t, a=a, m=m, c=c: a * (t - m) ** 2 + c, lambda t, a=a, m=m: 2 * a * (t - m)


def quartics(rng: np.random.Generator) -> Iterator[tuple[Function, Function]]:
    """(t − m)⁴ and double wells (t² − w²)² seen from either side of the hill between them."""
    while True:
        m = 10.0 ** rng.uniform(-1, 1)
        yield lambda t, m=m: (t - m) ** 4, lambda t, m=m: 4 * (t - m) ** 3
        w, start = 10.0 ** rng.uniform(-1, 1), rng.uniform(0.05, 0.95)
        yield (
            lambda t, w=w, a=start * w: ((t + a) ** 2 - w**2) ** 2,
            lambda t, w=w, a=start * w: 4 * (t + a) * ((t + a) ** 2 - w**2),
        )


def more_thuente(rng: np.random.Generator) -> Iterator[tuple[Function, Function]]:
    """−t/(t² + β) and (t + β)⁵ − 2(t + β)⁴ (Moré & Thuente, 1994, ACM TOMS 20, 286, eq. 5.1 and 5.2)."""
    while True:
        beta = rng.uniform(0.5, 4.0)
        yield lambda t, b=beta: -t / (t * t + b), lambda t, b=beta: (t * t - b) / (t * t + b) ** 2
        beta = 10.0 ** rng.uniform(-2, -0.5)
        yield (
            lambda t, b=beta: (t + b) ** 5 - 2 * (t + b) ** 4,
            lambda t, b=beta: 5 * (t + b) ** 4 - 8 * (t + b) ** 3,
        )


def ripples(rng: np.random.Generator) -> Iterator[tuple[Function, Function]]:
    """A parabola with a sine on it: many local minima."""
    while True:
        m, k, a = rng.uniform(1, 10), rng.uniform(1, 20), rng.uniform(0, 1)
        yield (
            lambda t, m=m, k=k, a=a: 0.5 * (t - m) ** 2 + a * math.sin(k * t) / k,
            lambda t, m=m, k=k, a=a: (t - m) + a * math.cos(k * t),
        )


def walls(rng: np.random.Generator) -> Iterator[tuple[Function, Function]]:
    """−log(w − t) − bt, which is NaN from the wall t = w on, and a parabola cut off beyond its minimizer."""
    while True:
        w = 10.0 ** rng.uniform(-2, 2)
        b = rng.uniform(1.5, 50.0) / w
        yield (
            lambda t, w=w, b=b: -math.log(w - t) - b * t if t < w else math.nan,
            lambda t, w=w, b=b: 1 / (w - t) - b if t < w else math.nan,
        )
        m = 10.0 ** rng.uniform(-2, 2)
        end = m * rng.uniform(1.2, 3.0)
        yield (
            lambda t, m=m, end=end: (t - m) ** 2 if t < end else math.nan,
            lambda t, m=m, end=end: 2 * (t - m) if t < end else math.nan,
        )


def rounding(rng: np.random.Generator) -> Iterator[tuple[Function, Function]]:
    """1e10 + a(t − m)² with am² below 1e-7: φ takes one value or two, and only its slope knows better."""
    while True:
        m = 10.0 ** rng.uniform(-2, 2)
        a = 10.0 ** rng.uniform(-12, -7) / m**2
        yield lambda t, a=a, m=m: 1e10 + a * (t - m) ** 2, lambda t, a=a, m=m: 2 * a * (t - m)


SMOOTH = [parabolas, quartics, more_thuente, ripples, walls]
EVERY = [*SMOOTH, rounding]
SEARCHES = [HagerZhang(), MoreThuente(), Backtracking()]


def rays(
    family: Callable[..., Iterator[tuple[Function, Function]]], count: int
) -> Iterator[tuple[LineFunction, float]]:
    """Rays that descend at 0, each with a first guess between a ten-thousandth and ten thousand."""
    rng = np.random.default_rng(20240229)
    functions = family(rng)
    while count:
        phi, slope = next(functions)
        if slope(0.0) < 0.0:
            count -= 1
            yield make_ray(phi, slope), 10.0 ** rng.uniform(-4, 4)


@pytest.mark.parametrize("constants", [{}, {"delta": 0.01, "sigma": 0.1}, {"delta": 0.4, "sigma": 0.5}])
@pytest.mark.parametrize("family", EVERY)
def test_every_step_of_hager_and_zhang_satisfies_wolfe_or_approximate_wolfe(family, constants):
    search = HagerZhang(**constants)
    delta, sigma = search.delta, search.sigma
    for ray, guess in rays(family, 150):
        alpha = search.search(ray, guess)
        assert alpha is not None, "a step exists, since every ray of these families has a minimizer"
        f0, slope0, f, slope = ray.f0, ray.slope0, ray.f, float(ray.g[0])
        wolfe = f - f0 <= delta * alpha * slope0 and slope >= sigma * slope0
        approximate = (2 * delta - 1) * slope0 >= slope >= sigma * slope0 and f <= f0 + 10 * EPS * abs(f0)
        assert wolfe or approximate
        assert 0.0 < alpha < math.inf


@pytest.mark.parametrize("constants", [{}, {"c1": 1e-3, "c2": 0.1}, {"c1": 0.3, "c2": 0.5}, {"c1": 1e-4, "c2": 1e-3}])
@pytest.mark.parametrize("family", SMOOTH)
def test_every_step_of_more_and_thuente_satisfies_the_strong_wolfe_conditions(family, constants):
    search = MoreThuente(**constants)
    for ray, guess in rays(family, 150):
        alpha = search.search(ray, guess)
        assert alpha is not None, "a step exists, since every ray of these families has a minimizer"
        f0, slope0, f, slope = ray.f0, ray.slope0, ray.f, float(ray.g[0])
        assert f - f0 <= search.c1 * alpha * slope0
        assert abs(slope) <= search.c2 * abs(slope0)
        assert 0.0 < alpha < math.inf


@pytest.mark.parametrize("c2", [0.1, 0.9])
def test_where_f_is_all_rounding_more_and_thuente_stop_where_the_slope_is_small(c2):
    for ray, guess in rays(rounding, 150):
        alpha = MoreThuente(c2=c2).search(ray, guess)
        assert alpha is not None
        assert abs(float(ray.g[0])) <= c2 * abs(ray.slope0)
        assert ray.f <= ray.f0 + 10 * EPS * abs(ray.f0)


@pytest.mark.parametrize("family", SMOOTH)
def test_every_step_of_backtracking_satisfies_armijo(family):
    for ray, guess in rays(family, 200):
        alpha = Backtracking().search(ray, guess)
        assert alpha is not None
        assert ray.f <= ray.f0 + 1e-4 * alpha * ray.slope0
        assert 0.0 < alpha <= guess


def test_where_f_is_all_rounding_backtracking_stops_where_the_slope_shows_armijo():
    """For a parabola, sufficient decrease is the same as φ′(α) ≤ (2c₁ − 1)φ′(0)."""
    for ray, guess in rays(rounding, 200):
        alpha = Backtracking().search(ray, guess)
        assert alpha is not None
        assert float(ray.g[0]) <= (2e-4 - 1) * ray.slope0


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("family", EVERY)
def test_the_accepted_trial_is_the_last_of_the_ray(search, family):
    for ray, guess in rays(family, 40):
        alpha = search.search(ray, guess)
        assert ray.alpha == alpha
        assert ray.x[0] == alpha
        assert ray.f == ray.evaluator.objective.value(ray.x)
        np.testing.assert_array_equal(ray.g, ray.evaluator.objective.gradient(ray.x))


@pytest.mark.parametrize("trials", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", [HagerZhang, MoreThuente, Backtracking])
def test_a_search_makes_at_most_max_trials_trials(kind, trials):
    spent = []
    for family in EVERY:
        for ray, guess in rays(family, 60):
            before = ray.evaluator.counts.f
            alpha = kind(max_trials=trials).search(ray, guess)
            assert ray.trials == ray.evaluator.counts.f - before
            assert 1 <= ray.trials <= trials
            spent.append((ray.trials, alpha is None))
    assert (trials, True) in spent, "some ray must have needed more, else this test could not fail"


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("rise", [lambda t: t, lambda t: t + t * t, lambda t: math.expm1(min(t, 700.0))])
@pytest.mark.parametrize("guess", [1e-3, 1.0, 1e3])
def test_there_is_no_step_if_f_increases_although_the_gradient_is_negative(search, rise, guess):
    ray = make_ray(rise, lambda t: -1.0)
    assert search.search(ray, guess) is None
    assert not ray.restore_best()
    assert ray.trials <= search.max_trials


@pytest.mark.parametrize("beyond", [-1.0, -0.5, 0.0])
@pytest.mark.parametrize("offset", [1.0, -1.0, 1e6])
@pytest.mark.parametrize("search", SEARCHES)
def test_no_accepted_step_raises_f_by_more_than_rounding(search, offset, beyond):
    """Rounding is ten eps·|φ(0)|, as in the approximate Wolfe condition; a wrong slope must not buy more than that."""
    unit = abs(offset)
    ray = make_ray(lambda t: offset + unit * t, lambda t: unit * (beyond if t > 0.0 else -1.0))
    alpha = search.search(ray, 1.0)
    assert alpha is None or ray.f <= ray.f0 + 10 * EPS * abs(ray.f0)


@pytest.mark.parametrize("search", SEARCHES)
def test_where_nothing_beyond_the_start_is_finite_there_is_no_step(search):
    ray = make_ray(lambda t: 1.0 if t == 0.0 else math.nan, lambda t: -1.0 if t == 0.0 else math.nan)
    assert search.search(ray, 1.0) is None
    assert ray.trials <= search.max_trials


@pytest.mark.parametrize("search", SEARCHES)
def test_a_finite_value_with_a_gradient_that_is_not_is_never_accepted(search):
    for bad in (math.nan, math.inf, -math.inf):
        ray = make_ray(lambda t: (t - 1.0) ** 2, lambda t, bad=bad: 2 * (t - 1.0) if t < 0.3 else bad)
        alpha = search.search(ray, 1.0)
        assert alpha is None or alpha < 0.3


@pytest.mark.parametrize("k", [-200, -40, 37, 200])
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("family", EVERY)
def test_the_step_length_does_not_depend_on_the_unit_of_f(family, search, k):
    """Multiplying φ by a power of two is exact, so that the same number must come out, bit for bit."""
    unit = 2.0**k
    for (ray, guess), (scaled, _) in zip(rays(family, 30), rays(family, 30), strict=True):
        fun, grad = scaled.evaluator.objective.fun, scaled.evaluator.objective.grad
        again = make_ray(
            lambda t, fun=fun: unit * fun(np.array([t])), lambda t, grad=grad: unit * float(grad(np.array([t]))[0])
        )
        assert search.search(ray, guess) == search.search(again, guess)


def test_a_parabola_is_solved_by_the_second_trial_of_hager_and_zhang():
    """The cubic through values and slopes of a parabola is the parabola, when the bracket holds its minimizer."""
    for ray, _ in rays(parabolas, 50):
        m = -ray.slope0 / (float(ray.evaluator.gradient(np.ones(1))[0]) - ray.slope0)
        alpha = HagerZhang(delta=0.4, sigma=0.4).search(ray, 8.0 * m)
        assert ray.trials == 2
        # conditioning: a minimizer found from values is known to the root of eps
        assert alpha == pytest.approx(m, rel=1e-6)
