"""The collection of Moré, Garbow and Hillstrom agrees with the residuals of the paper, written independently.

The formulas below follow section 3 of the paper index by index, in plain Python: nothing is shared with the
vectorised objectives. `R` constructs a number, so that the same formulas work in any arithmetic; `lib` contains its
functions.
"""

import math

import numpy as np
import pytest
from autograd import grad, hessian

import problems
from problems.mgh.more_garbow_hillstrom import MGH

R, lib = float, math


def numbers(text):
    return [R(word) for word in text.split()]


BARD = "0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39"
GAUSSIAN = "9e-4 0.0044 0.0175 0.054 0.1295 0.242 0.3521 0.3989 0.3521 0.242 0.1295 0.054 0.0175 0.0044 9e-4"
MEYER = "34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872"
KOWALIK_Y = "0.1957 0.1947 0.1735 0.16 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246"
KOWALIK_U = "4 2 1 0.5 0.25 0.167 0.125 0.1 0.0833 0.0714 0.0625"
OSBORNE_1 = """0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628 0.603 0.580
    0.558 0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 0.414 0.411 0.406"""
OSBORNE_2 = """1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616 0.606 0.602
    0.626 0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495 0.500 0.423 0.395 0.375 0.372 0.391
    0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672 0.708 0.633 0.668 0.645 0.632 0.591 0.559 0.597 0.625 0.739
    0.710 0.729 0.720 0.636 0.581 0.428 0.292 0.162 0.098 0.054"""


def rosenbrock(x):
    return [10 * (x[1] - x[0] ** 2), 1 - x[0]]


def freudenstein_roth(x):
    a, b = x
    return [-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b]


def powell_badly_scaled(x):
    return [10000 * x[0] * x[1] - 1, lib.exp(-x[0]) + lib.exp(-x[1]) - R("1.0001")]


def brown_badly_scaled(x):
    return [x[0] - 1000000, x[1] - R("2e-6"), x[0] * x[1] - 2]


def beale(x):
    return [R(y) - x[0] * (1 - x[1] ** i) for i, y in ((1, "1.5"), (2, "2.25"), (3, "2.625"))]


def jennrich_sampson(x, m=10):
    return [2 + 2 * i - (lib.exp(i * x[0]) + lib.exp(i * x[1])) for i in range(1, m + 1)]


def helical_valley(x):
    turn = lib.atan(x[1] / x[0]) / (2 * lib.pi) + (R("0.5") if x[0] < 0 else 0)
    return [10 * (x[2] - 10 * turn), 10 * (lib.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]]


def bard(x):
    residuals = []
    for u, y in enumerate(numbers(BARD), 1):
        v = 16 - u
        residuals.append(y - (x[0] + u / (v * x[1] + min(u, v) * x[2])))
    return residuals


def gaussian(x):
    residuals = []
    for i, y in enumerate(numbers(GAUSSIAN), 1):
        t = R(8 - i) / 2
        residuals.append(x[0] * lib.exp(-x[1] * (t - x[2]) ** 2 / 2) - y)
    return residuals


def meyer(x):
    return [x[0] * lib.exp(x[1] / (45 + 5 * i + x[2])) - y for i, y in enumerate(numbers(MEYER), 1)]


def gulf(x, m=99):
    residuals = []
    for i in range(1, m + 1):
        t = R(i) / 100
        y = 25 + (-50 * lib.log(t)) ** (R(2) / 3)
        residuals.append(lib.exp(-(abs(y - x[1]) ** x[2]) / x[0]) - t)
    return residuals


def box_3d(x, m=10):
    residuals = []
    for i in range(1, m + 1):
        t = R(i) / 10
        fitted = lib.exp(-t * x[0]) - lib.exp(-t * x[1])
        residuals.append(fitted - x[2] * (lib.exp(-t) - lib.exp(-10 * t)))
    return residuals


def powell_singular(x):
    a, b, c, d = x
    return [a + 10 * b, lib.sqrt(R(5)) * (c - d), (b - 2 * c) ** 2, lib.sqrt(R(10)) * (a - d) ** 2]


def wood(x):
    a, b, c, d = x
    return [
        10 * (b - a**2),
        1 - a,
        lib.sqrt(R(90)) * (d - c**2),
        1 - c,
        lib.sqrt(R(10)) * (b + d - 2),
        (b - d) / lib.sqrt(R(10)),
    ]


def kowalik_osborne(x):
    residuals = []
    for y, u in zip(numbers(KOWALIK_Y), numbers(KOWALIK_U), strict=True):
        residuals.append(y - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3]))
    return residuals


def brown_dennis(x, m=20):
    residuals = []
    for i in range(1, m + 1):
        t = R(i) / 5
        first, second = x[0] + t * x[1] - lib.exp(t), x[2] + x[3] * lib.sin(t) - lib.cos(t)
        residuals.append(first**2 + second**2)
    return residuals


def osborne_1(x):
    residuals = []
    for i, y in enumerate(numbers(OSBORNE_1), 1):
        t = 10 * (i - 1)
        residuals.append(y - (x[0] + x[1] * lib.exp(-t * x[3]) + x[2] * lib.exp(-t * x[4])))
    return residuals


def biggs_exp6(x, m=13):
    residuals = []
    for i in range(1, m + 1):
        t = R(i) / 10
        y = lib.exp(-t) - 5 * lib.exp(-10 * t) + 3 * lib.exp(-4 * t)
        fitted = x[2] * lib.exp(-t * x[0]) - x[3] * lib.exp(-t * x[1]) + x[5] * lib.exp(-t * x[4])
        residuals.append(fitted - y)
    return residuals


def osborne_2(x):
    residuals = []
    for i, y in enumerate(numbers(OSBORNE_2), 1):
        t = R(i - 1) / 10
        fitted = x[0] * lib.exp(-t * x[4])
        for k in (1, 2, 3):
            fitted += x[k] * lib.exp(-((t - x[7 + k]) ** 2) * x[4 + k])
        residuals.append(y - fitted)
    return residuals


def watson(x):
    n, residuals = len(x), []
    for i in range(1, 30):
        t = R(i) / 29
        slope = sum((j - 1) * x[j - 1] * t ** (j - 2) for j in range(2, n + 1))
        value = sum(x[j - 1] * t ** (j - 1) for j in range(1, n + 1))
        residuals.append(slope - value**2 - 1)
    return [*residuals, x[0], x[1] - x[0] ** 2 - 1]


def extended_rosenbrock(x):
    residuals = []
    for i in range(0, len(x), 2):
        residuals += rosenbrock(x[i : i + 2])
    return residuals


def extended_powell_singular(x):
    residuals = []
    for i in range(0, len(x), 4):
        residuals += powell_singular(x[i : i + 4])
    return residuals


def penalty_1(x):
    a = lib.sqrt(R("1e-5"))
    return [a * (t - 1) for t in x] + [sum(t**2 for t in x) - R("0.25")]


def penalty_2(x):
    n, a = len(x), lib.sqrt(R("1e-5"))

    def e(t):
        return lib.exp(t / 10)

    neighbours = [a * (e(x[i - 1]) + e(x[i - 2]) - e(R(i)) - e(R(i - 1))) for i in range(2, n + 1)]
    small = [a * (e(x[i - n]) - e(R(-1))) for i in range(n + 1, 2 * n)]
    return [x[0] - R("0.2"), *neighbours, *small, sum((n - j + 1) * x[j - 1] ** 2 for j in range(1, n + 1)) - 1]


def variably_dimensioned(x):
    s = sum(j * (t - 1) for j, t in enumerate(x, 1))
    return [t - 1 for t in x] + [s, s**2]


def trigonometric(x):
    n, total = len(x), sum(lib.cos(t) for t in x)
    return [n - total + i * (1 - lib.cos(t)) - lib.sin(t) for i, t in enumerate(x, 1)]


def brown_almost_linear(x):
    n, product = len(x), 1
    for t in x:
        product *= t
    return [t + sum(x) - (n + 1) for t in x[:-1]] + [product - 1]


def discrete_boundary_value(x):
    n = len(x)
    h, padded = R(1) / (n + 1), [0, *x, 0]
    return [
        2 * padded[i] - padded[i - 1] - padded[i + 1] + h**2 * (padded[i] + i * h + 1) ** 3 / 2 for i in range(1, n + 1)
    ]


def discrete_integral(x):
    n = len(x)
    h, residuals = R(1) / (n + 1), []
    for i in range(1, n + 1):
        below = sum(j * h * (x[j - 1] + j * h + 1) ** 3 for j in range(1, i + 1))
        above = sum((1 - j * h) * (x[j - 1] + j * h + 1) ** 3 for j in range(i + 1, n + 1))
        residuals.append(x[i - 1] + h * ((1 - i * h) * below + i * h * above) / 2)
    return residuals


def broyden_tridiagonal(x):
    padded = [0, *x, 0]
    return [(3 - 2 * t) * t - padded[i - 1] - 2 * padded[i + 1] + 1 for i, t in enumerate(x, 1)]


def broyden_banded(x):
    n, residuals = len(x), []
    for i in range(1, n + 1):
        band = [j for j in range(max(1, i - 5), min(n, i + 1) + 1) if j != i]
        t = x[i - 1]
        residuals.append(t * (2 + 5 * t**2) + 1 - sum(x[j - 1] * (1 + x[j - 1]) for j in band))
    return residuals


def linear_full_rank(x, m=10):
    mean = R(2) / m * sum(x)
    return [t - mean - 1 for t in x] + [-mean - 1] * (m - len(x))


def linear_rank_1(x, m=10):
    total = sum(j * t for j, t in enumerate(x, 1))
    return [i * total - 1 for i in range(1, m + 1)]


def linear_rank_1_zeros(x, m=10):
    total = sum(j * x[j - 1] for j in range(2, len(x)))
    return [-1, *((i - 1) * total - 1 for i in range(2, m)), -1]


def chebyquad(x, m=None):
    n, residuals = len(x), []
    for i in range(1, (n if m is None else m) + 1):
        total = 0
        for t in x:
            before, here = 1, 2 * t - 1
            for _ in range(i - 1):
                before, here = here, 2 * (2 * t - 1) * here - before
            total += here
        integral = 0 if i % 2 else R(-1) / (i**2 - 1)
        residuals.append(total / n - integral)
    return residuals


def residuals_of(name):
    return globals()[name.replace("-", "_")]


def case_id(case):
    name, parameters = case
    return "-".join([name, *(f"{key}={value}" for key, value in parameters.items())])


each_case = pytest.mark.parametrize("case", problems.MGH, ids=case_id)


def by_the_paper(name, x, parameters):
    more = {"m": parameters["m"]} if "m" in parameters else {}
    return math.fsum(r**2 for r in residuals_of(name)([float(t) for t in x], **more))


@each_case
def test_f_is_the_sum_of_squares_of_the_residuals_in_the_paper(case):
    """At every start and at random points around the first. A residual is rounded relative to its terms, of which the
    largest is taken for the size of f where they cancel; n·m operations lose less than 1e-12 of it."""
    name, parameters = case
    problem = problems.get(name, **parameters)
    rng = np.random.default_rng(7)
    x0 = problem.starts["standard"]
    near = [x0 * (1 + 0.1 * rng.standard_normal(problem.n)) + 0.05 * rng.standard_normal(problem.n) for _ in range(3)]
    for x in [*problem.starts.values(), *near]:
        assert problem.fun(np.array(x)) == pytest.approx(by_the_paper(name, x, parameters), rel=1e-12)


# f(x₀) by hand
STARTS = {
    "rosenbrock": 24.2,
    "freudenstein-roth": 400.5,
    "beale": 14.203125,
    "helical-valley": 2500.0,
    "powell-singular": 215.0,
    "wood": 19192.0,
    "watson": 30.0,
    "extended-rosenbrock": 5 * 24.2,
    "extended-powell-singular": 3 * 215.0,
    "broyden-tridiagonal": 21.0,
    "broyden-banded": 360.0,
    "linear-full-rank": 25.0,
}


@pytest.mark.parametrize("name", STARTS)
def test_f_at_the_start_has_its_value_by_hand(name):
    problem = problems.get(name)
    assert problem.fun(np.array(problem.starts["standard"])) == pytest.approx(STARTS[name], rel=1e-14)


@each_case
def test_the_starts_are_the_usable_multiples_of_the_first(case):
    """(10, …) and (100, …) for Watson's function, which starts at 0. Unusable multiples are left out."""
    name, parameters = case
    problem = problems.get(name, **parameters)
    x0 = problem.starts["standard"]
    for factor in (10, 100):
        x = factor * (x0 if x0.any() else np.ones(problem.n))
        if f"x{factor}" in problem.starts:
            np.testing.assert_array_equal(problem.starts[f"x{factor}"], x)
        else:
            with np.errstate(all="ignore"):
                f, gradient = problem.fun(x), np.abs(grad(problem.fun)(x)).max()
            assert not np.isfinite(f) or gradient < 1e-8
    assert len(problem.starts) >= 3 or name in {"gulf", "jennrich-sampson"}


@each_case
def test_every_stated_value_is_right_in_all_its_digits(case):
    """By the residuals of the paper again. eps·‖r‖² and (rounding of x) eps·‖Jx‖·‖r‖ bound the error of f; the
    sum of |rᵢ| times 1e-13 covers both, and 1e-24 covers residuals that are zero."""
    name, parameters = case
    more = {"m": parameters["m"]} if "m" in parameters else {}
    for point in problems.get(name, **parameters).points:
        if point.x is None:
            continue
        residuals = residuals_of(name)([float(t) for t in point.x], **more)
        error = abs(math.fsum(r**2 for r in residuals) - point.f)
        size = max(1.0, float(np.abs(point.x).max()))
        assert error <= 1e-13 * size * sum(abs(r) for r in residuals) + 1e-24 * size**2


# Moré, Garbow & Hillstrom, section 3, to the digits given there
PUBLISHED = [
    ("freudenstein-roth", {}, 48.9842),
    ("jennrich-sampson", {}, 124.362),
    ("bard", {}, 8.21487e-3),
    ("gaussian", {}, 1.12793e-8),
    ("meyer", {}, 87.9458),
    ("kowalik-osborne", {}, 3.07505e-4),
    ("brown-dennis", {}, 85822.2),
    ("osborne-1", {}, 5.46489e-5),
    ("biggs-exp6", {}, 5.65565e-3),
    ("osborne-2", {}, 4.01377e-2),
    ("watson", {"n": 6}, 2.28767e-3),
    ("watson", {"n": 9}, 1.39976e-6),
    ("watson", {"n": 12}, 4.72238e-10),
    ("penalty-1", {"n": 4}, 2.24997e-5),
    ("penalty-1", {"n": 10}, 7.08765e-5),
    ("penalty-2", {"n": 4}, 9.37629e-6),
    ("penalty-2", {"n": 10}, 2.93660e-4),
    ("trigonometric", {}, 2.79506e-5),
    ("chebyquad", {"n": 8}, 3.51687e-3),
    ("chebyquad", {"n": 10}, 6.50395e-3),
]


@pytest.mark.parametrize(("name", "parameters", "f"), PUBLISHED)
def test_the_values_of_the_paper_are_among_those_stated(name, parameters, f):
    """The paper truncates after six digits, and sometimes rounds."""
    stated = [point.f for point in problems.get(name, **parameters).points]
    assert any(abs(value - f) <= 1.01e-5 * f for value in stated)


def test_kowalik_and_osborne_agree_with_the_certified_fit_of_nist():
    """NIST StRD, MGH09: parameters to 11 digits, residual sum of squares 3.0750560385e-4."""
    best = problems.get("kowalik-osborne").best
    certified = [1.9280693458e-1, 1.9128232873e-1, 1.2305650693e-1, 1.3606233068e-1]
    assert best.x == pytest.approx(certified, rel=1e-10)
    assert best.f == pytest.approx(3.0750560385e-4, rel=1e-10)


def test_meyer_agrees_with_the_certified_fit_of_nist():
    """NIST StRD, MGH10: parameters to 11 digits, residual sum of squares 8.7945855171e1."""
    best = problems.get("meyer").best
    assert best.x == pytest.approx([5.6096364710e-3, 6.1813463463e3, 3.4522363462e2], rel=1e-10)
    assert best.f == pytest.approx(8.7945855171e1, rel=1e-10)


def test_the_value_one_of_browns_function_is_not_a_minimum():
    """∇f = 0 at (0, …, 0, n + 1), f = 1; along (t, …, t, n + 1 − nt) f is (tⁿ⁻¹(n + 1 − nt) − 1)² < 1."""
    problem = problems.get("brown-almost-linear", n=5)
    x = np.array([0.0, 0.0, 0.0, 0.0, 6.0])
    assert problem.fun(x) == 1.0
    assert np.abs(grad(problem.fun)(x)).max() == 0.0
    assert problem.fun(np.array([0.1, 0.1, 0.1, 0.1, 5.5])) < 0.9999


def test_the_published_minimum_of_biggs_is_a_saddle_on_a_line_of_critical_points():
    """Moving amplitude from one of the two equal exponentials to the other changes only the curvature."""
    problem = problems.get("biggs-exp6")
    saddle, minimum = (p for p in problem.points if p.degenerate)
    assert saddle.kind == "degenerate saddle"
    along = (minimum.x - saddle.x) / np.linalg.norm(minimum.x - saddle.x)
    assert along == pytest.approx([0, 0, -np.sqrt(0.5), 0, 0, np.sqrt(0.5)], abs=1e-14)
    for t in (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0):
        x = saddle.x + t * along
        eigenvalues = np.linalg.eigvalsh(hessian(problem.fun)(x))
        inside = x[2] * x[5] > 0
        assert problem.fun(x) == pytest.approx(saddle.f, rel=1e-12)
        assert np.abs(grad(problem.fun)(x)).max() < 1e-14
        assert (eigenvalues[0] < -1e-3) == inside
        assert np.abs(eigenvalues).min() < 1e-13


def test_the_best_ten_nodes_of_chebyquad_are_not_symmetric():
    """The symmetric minimum of the paper is higher; the mirror image 1 − x of the best one is as good."""
    problem = problems.get("chebyquad", n=10)
    symmetric = next(p for p in problem.minima if abs(p.f - 6.50395e-3) < 1e-8)
    assert symmetric.x + symmetric.x[::-1] == pytest.approx(np.ones(10), abs=1e-15)
    assert problem.best.f < 0.75 * symmetric.f
    mirrored = np.sort(1 - problem.best.x)
    assert np.abs(mirrored - problem.best.x).max() > 0.01
    assert problem.fun(mirrored) == pytest.approx(problem.best.f, rel=1e-13)


def test_powells_valley_rises_to_a_saddle_and_falls_to_1e_8_at_infinity():
    problem = problems.get("powell-badly-scaled")
    saddle = min((p for p in problem.points if p.kind == "saddle"), key=lambda p: p.f)
    x = max(saddle.x)

    def on_the_hyperbola(x):
        return problem.fun(np.array([x, 1e-4 / x]))

    assert saddle.f == pytest.approx(on_the_hyperbola(x), rel=1e-4)
    assert on_the_hyperbola(0.9 * x) < on_the_hyperbola(x) > on_the_hyperbola(1.1 * x)
    assert on_the_hyperbola(1e6) == pytest.approx(1e-8, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "x", "f"),
    [
        ("bard", [0.84066667, 1e9, 1e9], 17.4287),
        ("kowalik-osborne", [1e9, -14.07588258, -45.25718817e9, -28.23149547e9], 1.02734e-3),
        ("jennrich-sampson", [-1e3, 0.3314852779], 259.580190134),
    ],
)
def test_the_limits_at_infinity_are_not_critical_values(name, x, f):
    """f tends to the published value far from the origin, and no listed point has it."""
    problem = problems.get(name)
    assert problem.fun(np.array(x)) == pytest.approx(f, rel=1e-5)
    assert all(abs(point.f - f) > 1e-3 * f for point in problem.points)


def test_both_discretisations_of_the_boundary_value_problem_have_one_solution():
    """The kernel is the inverse of the second difference, so the two systems are equivalent."""
    first, second = (problems.get(f"discrete-{kind}").best for kind in ("boundary-value", "integral"))
    np.testing.assert_array_equal(first.x, second.x)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("watson", {"n": 32}, "n must be an integer from 2 to 31, got 32"),
        ("watson", {"n": 1}, "n must be an integer >= 2, got 1"),
        ("gulf", {"m": 100}, "m must be an integer from 3 to 99, got 100"),
        ("jennrich-sampson", {"m": 1}, "m must be an integer >= 2, got 1"),
        ("extended-rosenbrock", {"n": 5}, "n must be a multiple of 2, got 5"),
        ("extended-powell-singular", {"n": 6}, "n must be a multiple of 4, got 6"),
        ("linear-full-rank", {"n": 5, "m": 4}, "m must be an integer >= 5, got 4"),
        ("linear-rank-1-zeros", {"n": 2}, "n must be an integer >= 3, got 2"),
        ("chebyquad", {"n": 5, "m": 4}, "m must be an integer >= 5, got 4"),
        ("badly-scaled-valley", {"exponent": 9}, "exponent must be an integer from -8 to 8, got 9"),
        ("offset-valley", {"offset": -1.0}, "offset must be a finite number >= 0, got -1.0"),
    ],
)
def test_a_dimension_outside_the_papers_range_is_refused(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        problems.get(name, **parameters)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("extended-rosenbrock", {"n": 2}),
        ("extended-powell-singular", {"n": 4}),
        ("chebyquad", {"n": 3, "m": 8}),
        ("box-3d", {"m": 20}),
        ("biggs-exp6", {"m": 6}),
        ("gulf", {"m": 30}),
        ("brown-dennis", {"m": 7}),
        ("jennrich-sampson", {"m": 4}),
    ],
)
def test_other_dimensions_follow_the_same_formulas(name, parameters):
    problem = problems.get(name, **parameters)
    x = problem.starts["standard"] + 0.1
    assert problem.fun(x) == pytest.approx(by_the_paper(name, x, parameters), rel=1e-12)
    for point in problem.points:
        if point.x is not None:
            assert problem.fun(np.array(point.x)) == pytest.approx(0.0, abs=1e-25)


@pytest.mark.parametrize(("name", "parameters"), MGH, ids=lambda value: value if isinstance(value, str) else "")
def test_f_is_the_sum_of_squared_residuals(name, parameters):
    problem = problems.get(name, **parameters)
    rng = np.random.default_rng(0)
    for start in problem.starts.values():
        x = start * (1.0 + 0.01 * rng.standard_normal(start.size))
        r = problem.residuals(x)
        assert r.ndim == 1
        assert r @ r == pytest.approx(problem.fun(x), rel=1e-13)
