"""KKT points on all faces of a box and the proved global minimum, compared with quadratics by linear algebra."""

import itertools

import autograd.numpy as np
import pytest
import scipy.optimize

import newtonkit


def kkt_points_of_quadratic(A, b, lo, hi):
    """All KKT points of ½xᵀAx + bᵀx on the box, from one linear system for each face: (x, index, sides)."""
    found, n = [], len(b)
    for sides in itertools.product((-1, 0, 1), repeat=n):
        s = np.array(sides)
        free = s == 0
        x = np.where(s < 0, lo, hi)
        if free.any():
            x = x.astype(float)
            rest = b[free] + A[np.ix_(free, ~free)] @ x[~free]
            x[free] = np.linalg.solve(A[np.ix_(free, free)], -rest)
            if not ((x > lo) & (x < hi))[free].all():
                continue
        g = A @ x + b
        if (s * g > 0).any():
            continue
        index = int((np.linalg.eigvalsh(A[np.ix_(free, free)]) < 0).sum()) if free.any() else 0
        found.append((x, index, sides))
    return found


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_random_quadratics(n, seed):
    rng = np.random.default_rng(100 * n + seed)
    A = rng.standard_normal((n, n))
    A, b = A + A.T, rng.standard_normal(n)
    lo, hi = -rng.uniform(0.5, 3.0, n), rng.uniform(0.5, 3.0, n)
    points = newtonkit.find_critical_points(
        lambda x: 0.5 * np.dot(x, np.dot(A, x)) + np.dot(b, x), list(zip(lo, hi, strict=True)), faces=True
    )
    expected = kkt_points_of_quadratic(A, b, lo, hi)
    assert points.complete
    assert len(points) == len(expected)
    for x, index, sides in expected:
        (match,) = [p for p in points if p.active == sides]
        assert np.allclose(match.x, x, atol=1e-9)
        assert match.index == index
        assert np.abs(match.x - x).max() <= match.radius + 1e-12
        g = A @ x + b
        assert np.allclose(match.multipliers, -np.array(sides) * g, atol=1e-9)
        assert (match.x[np.array(sides) < 0] == lo[np.array(sides) < 0]).all(), "exactly at the bound"
    assert points.audit.found == 1
    assert not points.audit.contradicts


def camel(x):
    return (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + 4 * (x[1] ** 2 - 1) * x[1] ** 2


@pytest.mark.parametrize(
    ("f", "box"),
    [
        (camel, [(-1.9, 1.2), (-0.5, 1.1)]),
        (camel, [(-2.5, 2.5), (-1.5, 1.5)]),
        (lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2, [(-3.0, 3.3), (-2.5, 4.0)]),
        (lambda x: np.sin(3 * x[0] + 0.2) * np.cos(2 * x[1] - 0.1) + 0.3 * x[0] * x[1], [(-2, 2.1), (-1.9, 2)]),
        (lambda x: np.exp(x[0] * x[1]) + np.sin(2 * x[2]) * x[0] - x[2] ** 2, [(-1, 1.3), (-1.2, 1), (-1, 2)]),
    ],
)
def test_the_sum_of_signs_is_the_euler_characteristic(f, box):
    points = newtonkit.find_critical_points(f, box, faces=True)
    assert points.complete
    assert sum((-1) ** p.index for p in points) == 1
    assert "agree" in str(points.audit)
    for p in points:  # the verdict of floating-point arithmetic agrees
        verdict = newtonkit.classify(f, p.x, bounds=box)
        assert verdict.kind == p.kind
        assert verdict.index == p.index
        assert tuple(verdict.active) == p.active
        assert np.allclose(verdict.multipliers, p.multipliers, atol=1e-9)


def test_every_local_minimum_of_scipy_is_in_the_list():
    box = [(-1.9, 1.2), (-0.5, 1.1)]
    minima = [p.x for p in newtonkit.find_critical_points(camel, box, faces=True).by_index(0)]
    rng = np.random.default_rng(0)
    for _ in range(20):
        start = np.array([rng.uniform(*side) for side in box])
        end = scipy.optimize.minimize(camel, start, method="L-BFGS-B", bounds=box, tol=1e-12)
        assert min(np.abs(end.x - x).max() for x in minima) < 1e-4


def test_a_multiplier_of_zero_is_not_proved_and_listed_once():
    points = newtonkit.find_critical_points(lambda x: x[0] ** 2 + (x[1] - 0.5) ** 2, [(0, 1), (0, 1)], faces=True)
    assert len(points) == 1
    assert points[0].level == "numerical"
    assert points[0].kind == "minimum"
    assert points[0].x.tolist() == [0.0, 0.5]
    assert not points.complete
    assert points.audit.found is None
    assert "may be zero" in points.unresolved_boxes[0].reason


def test_only_corners_without_a_wrong_multiplier_are_listed():
    points = newtonkit.find_critical_points(lambda x: x[0] - 2 * x[1], [(-1, 3), (0, 5)], faces=True)
    assert [(p.x.tolist(), p.kind, p.index) for p in points] == [([-1.0, 5.0], "minimum", 0)]
    assert np.allclose(points[0].multipliers, [1.0, 2.0])
    assert points.complete


def test_the_limit_on_boxes_is_reported():
    points = newtonkit.find_critical_points(
        lambda x: np.sin(9 * x[0]) * np.cos(8 * x[1]) + x[0] * x[1], [(-3, 3)] * 2, faces=True, max_boxes=100
    )
    assert not points.complete
    assert any("limit of 100 boxes" in note for note in points.notes)
    assert points.unresolved_boxes


def test_functions_without_intervals_and_too_many_variables_are_refused():
    with pytest.raises(ValueError, match="enclosed in intervals"):
        newtonkit.find_critical_points(lambda x: abs(x[0]) + x[1] ** 2, [(-1, 1)] * 2, faces=True)
    with pytest.raises(ValueError, match="at most 6"):
        newtonkit.find_critical_points(lambda x: sum(x**2), [(-1, 1)] * 7, faces=True)


# --- the global minimum ------------------------------------------------------------------------------------------


def goldstein_price(x):
    a = 19 - 14 * x[0] + 3 * x[0] ** 2 - 14 * x[1] + 6 * x[0] * x[1] + 3 * x[1] ** 2
    b = 18 - 32 * x[0] + 12 * x[0] ** 2 + 48 * x[1] - 36 * x[0] * x[1] + 27 * x[1] ** 2
    return (1 + (x[0] + x[1] + 1) ** 2 * a) * (30 + (2 * x[0] - 3 * x[1]) ** 2 * b)


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def shubert(x):
    return sum((k + 1) * np.cos((k + 2) * x[0] + k + 1) for k in range(5)) * sum(
        (k + 1) * np.cos((k + 2) * x[1] + k + 1) for k in range(5)
    )


# values from Jamil & Yang (2013)
@pytest.mark.parametrize(
    ("f", "box", "value"),
    [
        (goldstein_price, [(-2, 2)] * 2, 3.0),
        (camel, [(-3, 3), (-2, 2)], -1.0316284534898774),
        (rosenbrock, [(-2, 2)] * 5, 0.0),
        (shubert, [(-10, 10)] * 2, -186.7309088310239),
        (lambda x: x[0] * x[1], [(-1, 2), (-1, 1)], -2.0),
    ],
)
def test_known_global_minima(f, box, value):
    found = newtonkit.global_minimum(f, box)
    assert found.proved
    assert abs(found.fun - value) <= 1e-8 * max(1.0, abs(value))
    assert found.lower_bound <= found.fun
    assert found.fun - found.lower_bound <= 1e-8 * max(1.0, abs(found.fun))
    assert found.fun == f(found.x)
    rng = np.random.default_rng(0)
    lo, hi = np.array(box, dtype=float).T
    for x in rng.uniform(lo, hi, (2000, len(lo))):
        assert f(x) >= found.lower_bound


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_global_minima_of_random_quadratics(n, seed):
    rng = np.random.default_rng(100 * n + seed)
    A = rng.standard_normal((n, n))
    A, b = A + A.T, rng.standard_normal(n)
    lo, hi = -rng.uniform(0.5, 3.0, n), rng.uniform(0.5, 3.0, n)

    def f(x):
        return 0.5 * np.dot(x, np.dot(A, x)) + np.dot(b, x)

    expected = min(f(x) for x, _, _ in kkt_points_of_quadratic(A, b, lo, hi))
    found = newtonkit.global_minimum(f, list(zip(lo, hi, strict=True)))
    assert found.proved
    assert abs(found.fun - expected) <= 1e-9 * (1.0 + abs(expected))


@pytest.mark.parametrize(("f", "box"), [(rosenbrock, [(-1.5, 0.8)] * 3), (camel, [(-1.9, 1.2), (-0.5, 1.1)])])
def test_the_global_minimum_is_the_lowest_kkt_point(f, box):
    lowest = newtonkit.find_critical_points(f, box, faces=True)[0]
    found = newtonkit.global_minimum(f, box)
    assert found.proved
    assert abs(found.fun - lowest.fun) <= 1e-9
    assert np.abs(found.x - lowest.x).max() < 1e-6


def test_continua_of_minimizers_do_not_matter():
    ring = newtonkit.global_minimum(lambda x: (x[0] ** 2 + x[1] ** 2 - 1) ** 2, [(-2, 2)] * 2)
    assert ring.proved
    assert abs(np.hypot(*ring.x) - 1.0) < 1e-6
    wave = newtonkit.global_minimum(lambda x: np.cos(x[0] + x[1]), [(-5, 5)] * 2)
    assert wave.proved
    assert wave.lower_bound <= -1.0 <= wave.fun + 1e-12
    trough = newtonkit.global_minimum(lambda x: np.exp(x[0] + x[1]) - x[0] - x[1], [(-1, 1)] * 2, atol=1e-3)
    assert trough.proved
    assert trough.lower_bound <= 1.0 <= trough.fun + 1e-12
    assert trough.fun - trough.lower_bound <= 1e-3


def test_a_limit_on_boxes_leaves_a_valid_bound():
    found = newtonkit.global_minimum(goldstein_price, [(-2, 2)] * 2, max_boxes=600)
    assert not found.proved
    assert found.lower_bound <= 3.0 <= found.fun + 1e-9
    assert "limit of 600 boxes" in found.message


def test_the_points_hold_minimizers_of_the_same_value():
    found = newtonkit.global_minimum(camel, [(-3, 3), (-2, 2)])
    assert found.proved
    for x in found.points:
        assert abs(camel(x) - found.fun) <= 1e-8


def test_the_minimizer_is_exactly_at_the_bound():
    found = newtonkit.global_minimum(lambda x: x[0] ** 2 + np.exp(-x[1]), [(0.3, 1), (0, 2)])
    assert found.proved
    assert found.x.tolist() == [0.3, 2.0]


def test_units_of_the_variables_and_of_f_do_not_matter():
    for a, c in ((1.0, 2.0**-60), (2.0**40, 1.0), (2.0**-40, 2.0**60)):
        found = newtonkit.global_minimum(lambda x, a=a, c=c: c * camel(x / a), [(-3 * a, 3 * a), (-2 * a, 2 * a)])
        assert found.proved
        assert abs(found.fun / c + 1.0316284534898774) < 1e-9


def test_user_code_is_called_inside_the_box_only():
    def f(x):
        if isinstance(x, np.ndarray) and x.dtype == float:
            assert (x >= 0.0).all()
            assert (x <= 1.0).all()
        return (x[0] + 0.5) ** 2 + np.sqrt(x[1] + 1e-3) + x[0] * x[1]

    found = newtonkit.global_minimum(f, [(0, 1)] * 2)
    assert found.proved
    assert found.x.tolist() == [0.0, 0.0]


def test_mistakes_in_global_minimum_are_named():
    with pytest.raises(ValueError, match="at most 6"):
        newtonkit.global_minimum(lambda x: sum(x**2), [(-1, 1)] * 7)
    with pytest.raises(ValueError, match="intervals"):
        newtonkit.global_minimum(lambda x: abs(x[0]), [(-1, 1)])
    with pytest.raises(ValueError, match="atol"):
        newtonkit.global_minimum(lambda x: x[0] ** 2, [(-1, 1)], atol=-1.0)
    with pytest.raises(ValueError, match="low < high"):
        newtonkit.global_minimum(lambda x: x[0] ** 2, [(1, -1)])
