"""The facts that the catalogue states about its problems are true."""

from fractions import Fraction
from itertools import combinations, pairwise
from math import comb

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, hessian

import newtonkit
import problems

EPS = np.finfo(float).eps
# watson: the lowest eigenvalue of the equilibrated Hessian, 1.2e-13 of the largest, is less than its rounding; the
# others: rounding of the gradient hides the minimizer in a stretch over which the Hessian changes by more than its
# lowest eigenvalue
BEYOND_DOUBLE = {"watson(n=12)", "meyer", "powell-badly-scaled", "penalty-2(n=4)"}
# where rᵢ > 0 > xᵢ + tᵢ + 1, so that rᵢ rᵢ″ < 0 outweighs the rest: too rare a region for random pairs
PAIRS = {
    # f falls from the origin in both directions along this line, on which UVᵀ is positive like the pixels
    "matrix-factorization": [(np.full(312, 0.1), np.full(312, -0.1))],
    "discrete-boundary-value": [
        (np.array([0.0, 0, 0, -60, -10.5, -60, 0, 0, 0, 0]), np.array([0.0, 0, 0, -60, -9.5, -60, 0, 0, 0, 0]))
    ],
}


def placed(problem):
    """The stated points that have coordinates."""
    return [point for point in problem.points if point.x is not None]


def curvatures(problem, x):
    return np.linalg.eigvalsh(hessian(problem.fun)(np.array(x)))


# -------------------------------------------------------------------------------------------- every problem


def test_taylor_remainders_fall_with_the_right_order(problem):
    """Autograd differentiates the function as written: slopes 2 and 3 (steeper where a term vanishes)."""
    rng = np.random.default_rng(1)
    start = problem.starts["standard"]
    # NIST's parameters have scales of their own
    x = start + (0.01 * np.abs(start) if "nist" in problem.tags else 0.3) * rng.standard_normal(problem.n)
    check = newtonkit.check_derivatives(problem.fun, x)
    assert check.ok, check
    assert check.gradient_slope > 1.9
    assert check.hessian_slope > 2.8


def test_every_stated_point_has_the_stated_value(problem):
    for point in placed(problem):
        assert abs(problem.fun(np.array(point.x)) - point.f) <= 1e-10 * max(1.0, abs(point.f))


def test_the_gradient_vanishes_at_every_stated_point(problem):
    """Rounding x to doubles moves the gradient by eps·‖H‖·‖x‖; the factor 10n covers its evaluation."""
    for point in placed(problem):
        gradient = grad(problem.fun)(np.array(point.x))
        scale = np.abs(curvatures(problem, point.x)).max() * max(1.0, np.linalg.norm(point.x))
        assert np.linalg.norm(gradient) <= 10 * problem.n * EPS * scale


def test_every_stated_point_is_of_the_stated_kind(problem):
    for point in placed(problem):
        verdict = newtonkit.classify(problem.fun, np.array(point.x))
        accepted = {point.kind, "undecided"} if point.degenerate or problem.label in BEYOND_DOUBLE else {point.kind}
        if point.kind == "degenerate minimum":
            accepted.add("valley")
        if point.kind == "degenerate saddle" and point.index > 0:
            accepted.add("saddle")
        assert verdict.kind in accepted, f"{point}: {verdict}"
        assert verdict.index == point.index or (verdict.kind == "undecided" and problem.label in BEYOND_DOUBLE)


def test_no_point_is_stated_twice(problem):
    points = placed(problem)
    for i, point in enumerate(points):
        for other in points[:i]:
            assert np.linalg.norm(point.x - other.x) > 0.01


def test_every_start_is_finite_and_not_critical(problem):
    assert len(problem.starts) >= 2 or problem.name == "gulf"
    for x in problem.starts.values():
        assert x.shape == (problem.n,)
        assert np.isfinite(problem.fun(np.array(x)))
        gradient = grad(problem.fun)(np.array(x))
        assert np.isfinite(gradient).all()
        assert np.linalg.norm(gradient) > 1e-8


def test_a_far_start_is_far(problem):
    """Nine times the size of the standard one, which counts as 1 at least where it is 0."""
    size = np.linalg.norm(problem.starts["standard"])
    far = [x for name, x in problem.starts.items() if name in ("far", "x10", "x100")]
    assert far or problem.name == "gulf" or "nist" in problem.tags  # NIST states both starts of its own
    for x in far:
        assert np.linalg.norm(x) >= 9 * (size or 1.0)


@pytest.mark.parametrize("name", problems.names("2d"))
def test_a_plane_function_takes_a_grid(name):
    """fun on an array of shape (2, 3, 4) is fun at each of the twelve points."""
    problem = problems.get(name)
    low, high = np.array(problem.domain).T
    grid = np.random.default_rng(2).uniform(low, high, (3, 4, 2)).transpose(2, 0, 1)
    values = problem.fun(grid)
    assert values.shape == (3, 4)
    for i, j in np.ndindex(3, 4):
        assert values[i, j] == pytest.approx(problem.fun(grid[:, i, j]), rel=1e-14)


def test_the_tags_agree_with_the_points(problem):
    assert ("2d" in problem.tags) == (problem.n == 2)
    assert ("convex" in problem.tags) != ("nonconvex" in problem.tags)
    assert problem.tags >= {"convex"} or "strongly-convex" not in problem.tags
    assert ("multimodal" in problem.tags) == (len(problem.minima) > 1)
    assert ("saddle" in problem.tags) == any(point.kind.endswith("saddle") for point in problem.points)
    assert ("degenerate" in problem.tags) == any(point.degenerate for point in problem.points)
    assert (problem.best is None) == (bool(problem.tags & {"unbounded", "unattained"}) or "l2=0.1" in problem.label)


def test_convexity_is_as_tagged(problem):
    """f at a midpoint is at most the mean of f at the ends; if f is not convex, some random pair shows it."""
    rng = np.random.default_rng(3)
    start = problem.starts["standard"]
    pairs = []
    # about 0 and about the start, in units of the problem and at other scales
    units = [
        (start, 0.3),
        *((0.0, unit) for unit in (1.0, np.where(start == 0, 1.0, np.abs(start)), 1e-5, 0.05, 100.0)),
    ]
    for center, unit in units:
        for _ in range(100):
            x, d = center + unit * rng.standard_normal(problem.n), np.zeros(problem.n)
            # In a few coordinates only, since the many convex directions of a valley would hide the others.
            d[rng.integers(problem.n, size=2)] = 10 ** rng.uniform(-2, 0) * rng.standard_normal(2)
            pairs.append((x + unit * d, x - unit * d))
    pairs += PAIRS.get(problem.name, [])
    # The minimizers of a convex function form a convex set, so any two minima may show that f is not convex.
    pairs += combinations([point.x for point in placed(problem)], 2)
    excess = []
    for x, y in pairs:
        with np.errstate(all="ignore"):
            ends, middle = 0.5 * (problem.fun(x) + problem.fun(y)), problem.fun(0.5 * (x + y))
        if np.isfinite(ends) and np.isfinite(middle):
            excess.append((middle - ends) / max(1.0, abs(ends)))
    assert (max(excess) <= 10 * problem.n * EPS) == ("convex" in problem.tags)


def test_every_fact_has_its_source(problem):
    assert problem.formula
    assert all(point.verified for point in problem.points)
    assert problem.references or "classic" not in problem.tags


# ---------------------------------------------------------------------------------- are the lists complete?


# Powell's gradient turns by π within 1e-17 of the point where its valley crosses the boundary. There are not enough
# doubles in between to see the direction.
# the lists of NIST's problems are not stated to be complete
@pytest.mark.parametrize(
    "name", sorted(set(problems.names("2d")) - set(problems.names("nist")) - {"powell-badly-scaled"})
)
def test_the_winding_number_of_the_gradient_counts_the_critical_points(name):
    """Around the domain the gradient turns Σ(−1)^index times; −2 times around a monkey saddle."""
    problem = problems.get(name)
    (left, right), (bottom, top) = problem.domain
    for point in problem.points:
        assert left < point.x[0] < right
        assert bottom < point.x[1] < top
    t = np.linspace(0.0, 1.0, 20_001)
    xs, ys = left + (right - left) * t, bottom + (top - bottom) * t
    boundary = np.hstack(
        [
            np.array([xs, np.full_like(t, bottom)]),
            np.array([np.full_like(t, right), ys]),
            np.array([xs[::-1], np.full_like(t, top)]),
            np.array([np.full_like(t, left), ys[::-1]]),
        ]
    )
    g = grad(lambda z: anp.sum(problem.fun(z)))(boundary)
    angle = np.unwrap(np.arctan2(g[1], g[0]))
    turns = (angle[-1] - angle[0]) / (2 * np.pi)
    expected = sum(-2 if point.kind == "degenerate saddle" else (-1) ** point.index for point in problem.points)
    assert problem.complete or name == "jennrich-sampson"  # with exponentials y cannot be eliminated
    assert turns == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("wood", {}), ("styblinski-tang", {"n": 3}), ("styblinski-tang", {"n": 5})]
    + [("rosenbrock", {"n": n}) for n in range(3, 10)],
)
def test_the_indices_of_a_coercive_function_sum_to_one(name, parameters):
    """Poincaré and Hopf: Σ(−1)^index = 1 over the critical points of a function that grows to infinity."""
    problem = problems.get(name, **parameters)
    assert problem.complete
    assert sum((-1) ** point.index for point in problem.points) == 1


def remainder(a, b):
    """a modulo b, for polynomials with exact coefficients, highest degree first."""
    a = list(a)
    while len(a) >= len(b):
        factor = a[0] / b[0]
        a = [u - factor * v for u, v in zip(a, [*b, *[0] * (len(a) - len(b))], strict=True)][1:]
    while a and a[0] == 0:
        a = a[1:]
    return a


def number_of_real_roots(polynomial):
    """Sturm's theorem: the number of sign changes in the Sturm chain at −∞ minus that at +∞."""
    chain = [list(polynomial), list(np.polyder(polynomial))]
    while rest := remainder(chain[-2], chain[-1]):
        chain.append([-c for c in rest])
    at_plus = [q[0] > 0 for q in chain]
    at_minus = [(q[0] > 0) == (len(q) % 2 == 1) for q in chain]
    changes = [sum(u != v for u, v in pairwise(signs)) for signs in (at_minus, at_plus)]
    return changes[0] - changes[1]


@pytest.mark.parametrize("n", [3, 4])
def test_the_chained_rosenbrock_function_has_no_critical_points_but_the_listed_ones(n):
    """Eliminate x₂ = N/D, then x₃, and count exactly the real x₁ that satisfy the last equation.

    ∂f/∂x₁ = 0 gives x₂. r₂ = 200(x₂ − x₁²) − 2(1 − x₂) vanishes for n = 3; for n = 4 it is 400x₂(x₃ − x₂²),
    and r₃, formed alike, vanishes. Powers of N and D, not zero at critical points, clear the fractions.
    """
    x = np.array([Fraction(1), Fraction(0)])
    D = 200 * x
    N = np.polyadd(np.polymul(np.polymul(x, x), D), np.polyadd(x, [-1]))
    r2 = np.polysub(202 * N, np.polymul(D, 200 * np.polymul(x, x) + np.array([0, 0, 2])))
    rest = r2
    if n == 4:
        square = np.polymul(D, D)
        rest = np.polysub(2 * np.polymul(N, np.polymul(N, N)), 2 * np.polymul(N, square))
        rest = np.polyadd(rest, Fraction(202, 400) * np.polymul(r2, square))
    points = problems.get("rosenbrock", n=n).points
    assert number_of_real_roots(rest) == len(points)
    for point in points:
        assert abs(float(np.polyval(rest, Fraction(point.x[0])))) < 1e-6 * abs(float(rest[0]))


# ---------------------------------------------------------------------------------------- published numbers


def values(name, kind, **parameters):
    return sorted(p.f for p in problems.get(name, **parameters).points if p.kind == kind)


def test_himmelblau_has_four_minima_of_value_zero_and_one_maximum():
    assert values("himmelblau", "minimum") == [0.0] * 4
    assert values("himmelblau", "saddle") == pytest.approx([13.3119, 67.7192, 104.0152, 178.3372], abs=5e-5)
    assert values("himmelblau", "maximum") == pytest.approx([181.6165], abs=5e-5)


def test_the_six_hump_camel_has_its_published_minima():
    expected = [-1.0316285] * 2 + [-0.2154638] * 2 + [2.1042503] * 2
    assert values("six-hump-camel", "minimum") == pytest.approx(expected, abs=5e-8)
    assert len(values("six-hump-camel", "saddle")) == 7
    assert len(values("six-hump-camel", "maximum")) == 2


def test_the_three_hump_camel_has_its_critical_points_in_closed_form():
    """∂f/∂y = 0 gives x = −2y; then x = 0 or x² = (4.2 ± √3.64)/2."""
    outer, inner = np.sqrt((4.2 + np.sqrt(3.64)) / 2), np.sqrt((4.2 - np.sqrt(3.64)) / 2)
    problem = problems.get("three-hump-camel")
    found = sorted(point.x[0] for point in problem.points)
    assert found == pytest.approx([-outer, -inner, 0.0, inner, outer], rel=1e-15)


def test_goldstein_price_has_its_published_values():
    assert values("goldstein-price", "minimum") == [3.0, 30.0, 84.0, 840.0]
    assert values("goldstein-price", "saddle") == [35.0, 99.0, 980.0, 990.0]
    assert values("goldstein-price", "maximum") == [1155.0]


def test_the_product_form_of_goldstein_price_is_the_published_polynomial():
    def published(x, y):
        u = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
        v = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
        return u * v

    points = np.random.default_rng(4).uniform(-2, 2, (2, 100))
    assert problems.get("goldstein-price").fun(points) == pytest.approx(published(*points), rel=1e-10)


def test_beale_has_two_saddles():
    assert values("beale", "saddle") == pytest.approx([9.8645, 14.203125], abs=5e-5)


def test_beale_starts_in_an_indefinite_region():
    low, high = curvatures(problems.get("beale"), [1.0, 1.0])
    assert low < 0 < high


def test_wood_has_a_saddle_at_7_8769672():
    assert values("wood", "saddle") == pytest.approx([7.8769672, 35.0900342], abs=5e-8)
    assert problems.get("wood").fun(np.array([-3.0, -1.0, -3.0, -1.0])) == 19192.0


def test_rosenbrock_starts_at_24_2_and_has_a_second_minimum_from_n_4_on():
    assert problems.get("rosenbrock").fun(np.array([-1.2, 1.0])) == pytest.approx(24.2)
    assert len(problems.get("rosenbrock", n=3).minima) == 1
    assert values("rosenbrock", "minimum", n=4) == pytest.approx([0.0, 3.70143], abs=5e-6)
    assert values("rosenbrock", "saddle", n=4) == pytest.approx([3.70824], abs=5e-6)


def test_powell_singular_starts_at_215_and_has_a_hessian_of_rank_two():
    problem = problems.get("powell-singular")
    assert problem.fun(np.array([3.0, -1.0, 0.0, 1.0])) == 215.0
    assert np.linalg.matrix_rank(hessian(problem.fun)(np.zeros(4))) == 2


def test_the_monkey_saddle_is_harmonic_and_unbounded():
    """Δf = 0: the two curvatures at any point are opposite; along −x f falls like −t³."""
    problem = problems.get("monkey-saddle")
    for x in np.random.default_rng(5).standard_normal((5, 2)):
        low, high = curvatures(problem, x)
        assert low == pytest.approx(-high)
    assert problem.fun(np.array([-100.0, 0.0])) == -1e6


@pytest.mark.parametrize("n", [2, 3, 5])
def test_styblinski_tang_has_binomially_many_points_of_each_index(n):
    """Of index k there are C(n, k) 2^(n−k); the global minimum is −39.16617 per variable."""
    problem = problems.get("styblinski-tang", n=n)
    counts = [sum(point.index == k for point in problem.points) for k in range(n + 1)]
    assert counts == [comb(n, k) * 2 ** (n - k) for k in range(n + 1)]
    assert problem.best.f == pytest.approx(-39.16617 * n, abs=1e-5 * n)


@pytest.mark.parametrize(("n", "listed"), [(6, 64), (10, 1024), (11, 1)])
def test_a_large_styblinski_tang_lists_minima_only_and_does_not_claim_to_be_complete(n, listed):
    problem = problems.get("styblinski-tang", n=n)
    assert len(problem.minima) == len(problem.points) == listed
    assert not problem.complete


@pytest.mark.parametrize(("n", "condition"), [(2, 1.0), (2, 1e3), (10, 100.0), (40, 1e6)])
def test_the_quadratic_has_the_requested_condition_number(n, condition):
    eigenvalues = curvatures(problems.get("quadratic", n=n, condition=condition), np.zeros(n))
    assert eigenvalues == pytest.approx(np.geomspace(1, condition, n), rel=10 * n * EPS * condition)


def test_the_eigenvectors_of_the_quadratic_are_not_coordinate_axes():
    H = hessian(problems.get("quadratic").fun)(np.zeros(10))
    assert np.abs(H - np.diag(np.diag(H))).max() > 1


def test_the_bowl_is_strongly_convex_with_the_stated_modulus():
    problem = problems.get("bowl")
    points = 20 * np.random.default_rng(6).standard_normal((50, 2))
    assert min(curvatures(problem, x)[0] for x in points) >= 8 - np.sqrt(8)


def test_the_long_valley_ends_with_condition_12500():
    low, high = curvatures(problems.get("long-valley"), [5.0, 5.0])
    assert high / low == pytest.approx(12508, abs=1)


# --------------------------------------------------------------------------------------------------- starts


@pytest.mark.parametrize("name", sorted(set(problems.names(["2d", "multimodal"])) - set(problems.names("mgh"))))
def test_a_multimodal_function_without_published_starts_has_one_in_an_indefinite_region(name):
    problem = problems.get(name)
    low, high = curvatures(problem, problem.starts["indefinite"])
    assert low < -0.1
    assert high > 0.1


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("strict-saddle", "stable-manifold"),
        ("strict-saddle", "axis"),
        ("monkey-saddle", "axis"),
        ("styblinski-tang", "axis"),
    ],
)
def test_on_an_axis_of_symmetry_the_gradient_points_along_it(name, start):
    problem = problems.get(name)
    x = problem.starts[start]
    g = grad(problem.fun)(np.array(x))
    assert np.linalg.norm(g) > 0.1
    assert g[0] * x[1] == g[1] * x[0]


def test_the_starts_used_in_teaching_are_there():
    assert problems.get("bowl").starts["standard"].tolist() == [0.0, 0.0]
    assert problems.get("long-ellipse").starts["standard"].tolist() == [-7.0, 2.0]
    assert problems.get("long-valley").starts["standard"].tolist() == [-6.0, 6.0]
    assert problems.get("beale").starts["document"].tolist() == [1.0, 1.5]
    assert problems.get("strict-saddle").starts["standard"].tolist() == [1.0, 1e-3]
    assert problems.get("rosenbrock", n=5).starts["standard"].tolist() == [-1.2, 1.0, -1.2, 1.0, -1.2]
