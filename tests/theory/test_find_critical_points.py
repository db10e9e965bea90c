"""The list of critical points in a box is reported as complete if and only if it is proved complete."""

from __future__ import annotations

import itertools
import math
import sys

import autograd.numpy as anp
import matplotlib.colors
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import problems
from comparisons.studies.critical_points.finder_cases import Landscape, landscapes, rastrigin
from newtonkit import find_critical_points
from newtonkit.enumeration.degree import boundary_degree, sampled_winding_number
from newtonkit.enumeration.enclosures import Jets
from newtonkit.enumeration.krawczyk import Boxes, contract, proved_index
from newtonkit.enumeration.multistart import coverage
from newtonkit.plots.critical_points import plot_critical_points

himmelblau, camel = problems.get("himmelblau").fun, problems.get("six-hump-camel").fun
styblinski_tang = problems.get("styblinski-tang").fun


def monkey(p):
    return p[0] ** 3 - 3 * p[0] * p[1] ** 2


LANDSCAPES = [
    *landscapes(),
    Landscape("one variable", lambda x: anp.sin(x[0]) * x[0], ((-10, 10),), (3, 4), "tan x = −x"),
]


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda landscape: f"{landscape.name} {landscape.box[0]}")
def test_every_critical_point_is_found_with_its_index_and_the_list_is_proved_complete(landscape):
    box = landscape.box
    points = find_critical_points(landscape.fun, box)
    assert points.complete
    assert points.unresolved_boxes == ()
    assert tuple(len(points.by_index(k)) for k in range(len(box) + 1)) == landscape.counts
    assert {point.level for point in points} == {"proved"}
    assert not points.audit.contradicts
    assert all(np.all([low <= xi <= high for xi, (low, high) in zip(p.x, box, strict=True)]) for p in points)
    assert [p.fun for p in points] == sorted(p.fun for p in points)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.integers(1, 3), st.integers(0, 10**6))
def test_a_sum_of_quartics_in_skew_variables_has_the_critical_points_given_by_its_roots(n, seed):
    """In z = Ax each variable has a quartic whose derivative has three known roots; f is a function of x."""
    rng = np.random.default_rng(seed)
    A = np.linalg.qr(rng.standard_normal((n, n)))[0] @ np.diag(rng.uniform(0.5, 2.0, n)) + 0.2 * rng.uniform(
        -1, 1, (n, n)
    )
    roots = np.sort(rng.uniform(-1.5, 1.5, (n, 3)), axis=1)
    derivatives = [np.poly(r) for r in roots]
    coefficients = rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-2, 2, n)

    def f(x):
        z, total = A @ x, 0.0
        for zi, c, (a3, a2, a1, a0) in zip(z, coefficients, derivatives, strict=True):
            total = total + c * zi * (a0 + zi * (a1 / 2 + zi * (a2 / 3 + zi * (a3 / 4))))
        return total

    true = np.array([np.linalg.solve(A, z) for z in itertools.product(*roots)])
    inside = true[(np.abs(true) < 2.0).all(axis=1)]
    points = find_critical_points(f, [(-2, 2)] * n)
    # the outer roots of a quartic that opens upward are its minima
    negative = [
        sum((c < 0) == (k != 1) for c, k in zip(coefficients, choice, strict=True))
        for choice in itertools.product(range(3), repeat=n)
    ]
    index = np.array(negative)[(np.abs(true) < 2.0).all(axis=1)]
    assert points.complete
    assert len(points) == len(inside)
    for x, k in zip(inside, index, strict=True):
        nearest = min(points, key=lambda point: np.abs(point.x - x).max())
        # roots this close lose half their digits to the rounding of the coefficients
        assert np.abs(nearest.x - x).max() <= 1e-8
        assert nearest.index == k


@pytest.mark.parametrize("unit", [1e-12, 1e12, 2.0**-300])
@pytest.mark.parametrize(("f", "box", "count"), [(himmelblau, [(-6, 6)] * 2, 9), (camel, [(-3, 3), (-2, 2)], 15)])
def test_the_list_does_not_depend_on_the_unit_of_f(f, box, count, unit):
    plain = find_critical_points(f, box)
    points = find_critical_points(lambda p: unit * f(p), box)
    assert points.complete
    assert len(points) == count
    assert [p.index for p in points] == [p.index for p in sorted(plain, key=lambda p: (unit * p.fun, *p.x))]


@pytest.mark.parametrize("f_unit", [1e-12, 1.0, 1e12])
def test_the_list_does_not_depend_on_the_unit_of_a_variable(f_unit):
    """One variable in nanometres, one in metres."""
    points = find_critical_points(lambda p: f_unit * camel(p * np.array([1.0, 1e9])), [(-3, 3), (-2e-9, 2e-9)])
    assert points.complete
    assert [len(points.by_index(k)) for k in range(3)] == [6, 7, 2]


def test_the_radius_bounds_the_distance_to_the_true_point():
    """There are four minima at (±1, ±√2) and five points between them, known in closed form."""
    points = find_critical_points(lambda p: (p[0] ** 2 - 1) ** 2 + (p[1] ** 2 - 2) ** 2, [(-5, 5.1), (-5.2, 5)])
    true = [(a, b) for a in (-1.0, 0.0, 1.0) for b in (-math.sqrt(2), 0.0, math.sqrt(2))]
    for point in points:
        distance = min(np.abs(point.x - x).max() for x in true)
        # √2 itself is rounded
        assert distance <= point.radius + 3e-16
        assert point.radius <= 1e-14


def test_a_point_on_the_boundary_of_the_box_is_listed_and_one_outside_is_not():
    def f(x):
        return anp.sum((x - 1.0) ** 2)

    corner, edge = find_critical_points(f, [(0, 1), (0, 1)]), find_critical_points(f, [(0, 2), (1, 2)])
    for points in (corner, edge):
        assert points.complete
        assert points[0].x == pytest.approx([1.0, 1.0], abs=1e-15)
        assert "boundary" in points.audit.expected.reason
    assert len(find_critical_points(f, [(0, 1 - 1e-9), (0, 2)])) == 0
    assert find_critical_points(f, [(0, 1 - 1e-9), (0, 2)]).complete


def test_points_where_boxes_meet_are_found_once():
    """All 3² of them on the lines along which the box is cut, whichever way the box is shifted."""
    for low in (-2.0, -1.94844, -1.0):
        # 0.48711 of four above the lower end lies the first cut: through 0 for the second of these
        points = find_critical_points(lambda x: anp.sum(x**4 - 2 * x**2), [(low, low + 4)] * 2)
        assert points.complete
        assert len(points) == 9


@pytest.mark.parametrize("size", [10.0, 1e3, 1e6, 1e9])
def test_the_list_does_not_depend_on_the_size_of_the_box(size):
    """No point is listed twice, however small the part of the box that contains all of them."""
    points = find_critical_points(himmelblau, [(-size, size), (-size, 1.1 * size)])
    assert points.complete
    assert [len(points.by_index(k)) for k in range(3)] == [4, 4, 1]
    assert points.audit.found == points.audit.expected.value == 1


def test_points_that_nearly_coincide_are_separated():
    """Two minima and a saddle within 1.5e-5 of each other."""
    points = find_critical_points(lambda p: p[0] ** 4 - 1e-10 * p[0] ** 2 + p[1] ** 2, [(-1, 1.3), (-1, 1.3)])
    assert points.complete
    assert sorted(round(1e9 * p.x[0]) for p in points) == [-7071, 0, 7071]


# --- what cannot be proved ------------------------------------------------------------------------------------------

DEGENERATE = {
    "monkey saddle": (monkey, -2),
    "x⁴ + y⁴": (lambda p: p[0] ** 4 + p[1] ** 4, 1),
    "x² − y⁴": (lambda p: p[0] ** 2 - p[1] ** 4, -1),
    "Peano": (lambda p: (p[1] - p[0] ** 2) * (p[1] - 2 * p[0] ** 2), -1),
    "x² + y³": (lambda p: p[0] ** 2 + p[1] ** 3, 0),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_degenerate_point_is_found_without_proof_and_counts_with_its_degree(name):
    f, degree = DEGENERATE[name]
    points = find_critical_points(f, [(-1, 1.2), (-1.1, 1)])
    assert not points.complete
    assert [part.kind for part in points.unresolved_boxes] == ["degenerate point"]
    part = points.unresolved_boxes[0]
    assert ((part.lo <= 0) & (part.hi >= 0)).all()
    assert len(points) == 1
    assert points[0].x == pytest.approx([0, 0], abs=1e-5)
    assert (points[0].level, points[0].index) == ("numerical", None)
    assert points.audit.found == degree
    assert points.audit.expected.value == degree


def test_regular_points_near_a_degenerate_one_are_still_proved():
    """One point is regular, at (−1, 0); at 0 the derivative has a double root."""
    points = find_critical_points(lambda p: p[0] ** 4 / 4 + p[0] ** 3 / 3 + p[1] ** 2, [(-2, 1), (-1, 1)])
    assert {(p.level, p.index) for p in points} == {("proved", 0), ("numerical", None)}
    assert points.audit.found == points.audit.expected.value == 1


def test_a_circle_of_critical_points_is_reported_as_a_set_that_is_not_isolated():
    points = find_critical_points(lambda p: (p[0] ** 2 + p[1] ** 2 - 1) ** 2, [(-2, 2)] * 2, max_boxes=20_000)
    assert [(p.kind, p.level) for p in points] == [("maximum", "proved")]
    assert [part.kind for part in points.unresolved_boxes] == ["non-isolated set"]
    assert not points.complete
    assert any("max_boxes" in note for note in points.notes)
    assert not points.audit.contradicts, "the circle has degree 0: the degree of its hull minus that of the maximum"


@pytest.mark.parametrize("limit", [1, 10, 100])
def test_a_limit_on_boxes_is_kept_and_leaves_the_list_incomplete(limit):
    points = find_critical_points(himmelblau, [(-6, 6)] * 2, max_boxes=limit)
    assert points.processed <= limit
    assert not points.complete
    hulls = [(part.lo, part.hi) for part in points.unresolved_boxes]
    for x in (p.x for p in find_critical_points(himmelblau, [(-6, 6)] * 2)):
        listed = any(np.allclose(x, p.x, atol=1e-9) for p in points)
        assert listed or any(((lo <= x) & (x <= hi)).all() for lo, hi in hulls), "nothing is lost"


@pytest.mark.parametrize(
    ("fun", "box", "minima", "maxima"),
    [
        (lambda x: x[0] + 1 / x[0], [(-3, 3)], [[1.0]], [[-1.0]]),
        (lambda x: x[0] + 1 / x[0], [(-1.5, 4)], [[1.0]], [[-1.0]]),
        (lambda x: 1 / x[0] ** 2 + x[0] ** 2, [(-3, 3)], [[-1.0], [1.0]], []),
        (lambda x: 1 / np.cos(x[0]), [(-1, 5)], [[0.0]], [[np.pi]]),
        (lambda x: np.log(x[0] ** 2), [(-3, 2)], [], []),
        (lambda x: np.tan(x[0]) + x[0], [(-3, 3)], [], []),
        (lambda x: (x[0] ** 2 - 1) / (x[0] - 1), [(-3, 3)], [], []),
        (lambda x: np.sin(x[0]) / x[0], [(-3, 3.5)], [], []),
        (lambda x: 0.07 * x[0] * x[1] + 10 / x[1] + 30 / x[0], [(-1, 30), (-1, 30)], [[10.87380372, 3.62460124]], []),
    ],
)
def test_singularities_are_not_listed_as_critical_points(fun, box, minima, maxima):
    """Poles, poles of the logarithm and removable singularities."""
    found = find_critical_points(fun, box)
    for kind, expected in (("minimum", minima), ("maximum", maxima)):
        places = [point.x for point in found if point.kind == kind]
        assert len(places) == len(expected)
        for x in expected:
            assert min(abs(x - place).max() for place in places) < 1e-7
    assert len(found) == len(minima) + len(maxima)


# --- multistart -----------------------------------------------------------------------------------------------------


def test_above_six_variables_each_point_is_proved_but_not_their_number():
    """A tilted double well in every variable has 3⁷ points; 300 starts can find at most 300."""
    points = find_critical_points(styblinski_tang, [(-5, 5)] * 7, starts=300)
    assert not points.complete
    assert {point.level for point in points} == {"proved"}
    assert points.audit.expected.value == 1, "∇f points outward"
    assert 0.0 <= points.coverage < 0.5
    roots = np.array([point.x for point in points])
    wells = np.sort(np.roots([2.0, 0.0, -16.0, 2.5]).real)
    assert np.abs(roots[:, :, None] - wells).min(axis=2).max() <= 1e-12
    assert len(np.unique(roots.round(6), axis=0)) == len(points)
    assert all(point.index == np.sum(np.abs(point.x - wells[1]) < 1e-6) for point in points)


def test_an_audit_that_disagrees_reports_that_the_list_is_provably_incomplete():
    points = find_critical_points(styblinski_tang, [(-5, 5)] * 2, method="multistart", starts=4)
    whole = find_critical_points(styblinski_tang, [(-5, 5)] * 2, method="multistart", starts=500)
    assert len(points) < 9 == len(whole)
    assert points.audit.contradicts
    assert "provably incomplete" in str(points)
    assert "they agree" in str(whole)
    assert whole.coverage == 1.0


def test_proof_on_request_works_for_more_than_six_variables():
    points = find_critical_points(styblinski_tang, [(-5, 0)] * 7, method="prove")
    assert points.complete
    assert len(points) == 1


def test_a_function_that_jets_do_not_support_is_searched_by_autograd_with_a_note():
    """|x|³ has a continuous second derivative, as Newton's method requires."""
    points = find_critical_points(lambda x: anp.sum(anp.abs(x) ** 3 + x**2) - 3 * x[0] * x[1], [(-3, 3)] * 2, starts=60)
    assert [(p.kind, p.index, p.level) for p in points] == [("minimum", 0, "numerical")] * 2 + [
        ("saddle", 1, "numerical")
    ]
    assert points[0].x == pytest.approx(-points[1].x, abs=1e-9)
    assert abs(points[0].x) == pytest.approx([1 / 3, 1 / 3], abs=1e-9)
    assert not points.complete
    assert any("abs" in note for note in points.notes)
    assert points.audit.expected == (1, "numerical", points.audit.expected.reason)
    assert points.audit.found == 1


def test_if_derivatives_are_given_fun_is_only_called_with_plain_numbers():
    seen = []

    def fun(x):
        seen.append(type(x[0]))
        return float(himmelblau(x))

    def jac(p):
        x, y = p
        a, b = x * x + y - 11, x + y * y - 7
        return np.array([4 * x * a + 2 * b, 2 * a + 4 * y * b])

    points = find_critical_points(fun, [(-6, 6)] * 2, jac=jac, starts=100)
    assert len(points) == 9
    assert set(seen) == {np.float64}
    assert not points.complete


def test_a_function_that_behaves_differently_on_jets_is_caught():
    def f(x):
        return x[0] ** 2 + x[1] ** 2 if isinstance(x[0], float) else x[0] ** 2 + (x[1] - 1) ** 2

    points = find_critical_points(f, [(-1, 2)] * 2, starts=20)
    assert not points.complete
    assert any("disagree" in note for note in points.notes)


def test_plain_numpy_and_further_arguments_are_supported():
    points = find_critical_points(lambda x, a: a * np.sum(np.sin(x)), [(0, 7)] * 2, args=(2.0,))
    assert points.complete
    assert sorted(p.kind for p in points) == ["maximum", "minimum", "saddle", "saddle"]


def test_the_same_seed_gives_the_same_list():
    lists = [find_critical_points(rastrigin, [(-5, 6)] * 2, method="multistart", starts=64, seed=5) for _ in range(2)]
    assert [(*p.x, p.fun) for p in lists[0]] == [(*p.x, p.fun) for p in lists[1]]


# --- the parts ------------------------------------------------------------------------------------------------------


def test_krawczyk_never_excludes_a_box_with_a_zero_nor_certifies_one_without():
    """Random boxes of all sizes, some around a zero of ∇f with the coordinates 1, √2 or 0."""
    jets = Jets(lambda p: (p[0] ** 2 - 1) ** 2 + (p[1] ** 2 - 2) ** 2 + 0.0 * p[0] * p[1], np.ones(2))
    zeros = np.array([(a, b) for a in (-1.0, 0.0, 1.0) for b in (-math.sqrt(2), 0.0, math.sqrt(2))])
    rng = np.random.default_rng(4)
    size = 10.0 ** rng.uniform(-8, 0.3, (4000, 2))
    near = zeros[rng.integers(0, 9, 4000)]
    middle = (
        np.where(rng.random((4000, 1)) < 0.5, near, rng.uniform(-2, 2, (4000, 2)))
        + 0.9 * rng.uniform(-1, 1, (4000, 2)) * size
    )
    result = contract(jets, Boxes(middle - size, middle + size))
    depth = np.min(size[:, None] - np.abs(zeros - middle[:, None]), axis=2)
    surely, perhaps = (depth > 1e-14).sum(axis=1), (depth > -1e-14).sum(axis=1)
    assert not (result.excluded & (surely > 0)).any()
    assert (surely[result.unique] <= 1).all()
    assert (perhaps[result.unique] >= 1).all()
    assert result.unique.sum() > 500
    assert result.excluded.sum() > 500


def test_the_proved_index_is_that_of_every_matrix_in_the_enclosure():
    jets = Jets(lambda x: x[0] ** 2 - 1e-20 * x[1] ** 2 + 1e20 * x[2] ** 2 - x[0] * x[1] * 1e-12, np.ones(3))
    assert proved_index(jets, Boxes(np.full((1, 3), -0.1), np.full((1, 3), 0.1))).tolist() == [1]


def test_an_index_that_changes_within_the_box_is_not_proved():
    jets = Jets(lambda x: x[0] ** 3 + x[1] ** 2, np.ones(2))
    boxes = Boxes(np.array([[-0.1, -1.0], [0.1, -1.0], [-1.0, -1.0]]), np.array([[0.1, 1.0], [0.3, 1.0], [-0.1, 1.0]]))
    assert proved_index(jets, boxes).tolist() == [-1, 0, 1]


def real_power(p, k):
    """Re (x + iy)ᵏ, whose gradient is the conjugate of k(x + iy)ᵏ⁻¹: its winding number around 0 is 1 − k."""
    re, im = p[0], p[1]
    for _ in range(k - 1):
        re, im = re * p[0] - im * p[1], re * p[1] + im * p[0]
    return re


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_the_gradient_of_the_real_part_of_a_power_has_a_negative_winding_number(k):
    lo, hi = np.array([-1.0, -1.1]), np.array([1.2, 1.0])
    jets = Jets(lambda p: real_power(p, k), np.ones(2))
    assert boundary_degree(jets, lo, hi)[:2] == (1 - k, "proved")
    sampled = sampled_winding_number(lambda x: jets.at(x[None]).g[0], lo, hi)
    assert sampled[:2] == (1 - k, "numerical")


@pytest.mark.parametrize("signs", [(1,), (-1,), (1, 1, 1), (1, -1, 1), (-1, -1, -1), (1, -1, -1, 1)])
def test_in_other_dimensions_the_degree_comes_from_the_faces(signs):
    jets = Jets(lambda x: anp.sum(np.array(signs) * x**2) + 0.3 * anp.sum(anp.sin(x)), np.ones(len(signs)))
    degree = boundary_degree(jets, np.full(len(signs), -1.0), np.full(len(signs), 1.5))
    assert degree[:2] == (math.prod(signs), "proved")


def test_a_gradient_of_constant_direction_has_degree_zero():
    jets = Jets(lambda x: x[0] + x[1] ** 2 - x[2] ** 2, np.ones(3))
    assert boundary_degree(jets, -np.ones(3), np.ones(3)).value == 0


def test_a_zero_on_the_boundary_leaves_the_degree_unknown():
    jets = Jets(lambda x: x[0] ** 2 + x[1] ** 2, np.ones(2))
    assert boundary_degree(jets, np.zeros(2), np.ones(2)).value is None
    sampled = sampled_winding_number(lambda x: 2 * x, np.zeros(2), np.ones(2))
    assert sampled.value is None


def test_coverage_is_the_share_of_hits_at_points_hit_more_than_once():
    assert coverage(np.array([5, 1, 3, 1])) == pytest.approx(0.8)
    assert coverage(np.array([], dtype=np.int64)) == 0.0


# --- the list and its mistakes --------------------------------------------------------------------------------------


def test_printing_the_list_shows_a_table_of_its_points_and_a_summary():
    points = find_critical_points(camel, [(-3, 3), (-2, 2)])
    lines = str(points).splitlines()
    assert lines[0].split() == ["#", "kind", "index", "f", "x", "within", "level"]
    assert [line.split()[0] for line in lines[1:16]] == [str(i) for i in range(15)]
    assert len(lines) == 1 + 15 + len(points.summary().splitlines())
    assert "15 critical points (7 × saddle, 6 × minimum, 2 × maximum), proved complete" in lines
    assert (
        repr(points) == "<CriticalPoints: 15 critical points (7 × saddle, 6 × minimum, 2 × maximum), proved complete>"
    )
    assert points[-1] is list(points)[14]
    assert len(points[3:5]) == 2


def test_a_long_list_is_printed_in_part():
    assert "… and 391 more" in str(find_critical_points(rastrigin, [(-5.12, 5.12)] * 2))


def test_a_frame_has_a_row_for_each_point():
    pytest.importorskip("pandas", reason="the extra 'tables' is not installed")
    points = find_critical_points(himmelblau, [(-6, 6)] * 2)
    frame = points.to_frame()
    assert list(frame.columns) == ["kind", "index", "fun", "x0", "x1", "radius", "level"]
    assert list(frame.kind) == [point.kind for point in points]
    assert list(frame["index"]) == [point.index for point in points]
    np.testing.assert_array_equal(frame[["x0", "x1"]], [point.x for point in points])
    assert list(frame.fun) == sorted(point.fun for point in points)


def test_without_pandas_the_error_message_states_what_to_install(monkeypatch):
    points = find_critical_points(himmelblau, [(-6, 6)] * 2)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_frame needs pandas: pip install 'newtonkit"):
        points.to_frame()


def test_a_plot_has_every_point_and_hatches_what_is_unresolved():
    plane = plot_critical_points(find_critical_points(camel, [(-3, 3), (-2, 2)])).axes[0]
    labels = [text.get_text() for text in plane.get_legend().get_texts()]
    assert sorted(labels) == ["maximum (2)", "minimum (6)", "saddle (7)"]
    assert len(plane.patches) == 0
    degenerate = plot_critical_points(find_critical_points(monkey, [(-1, 1.2), (-1, 1)])).axes[0]
    assert [patch.get_hatch() for patch in degenerate.patches].count("//") == 1
    assert "not proved complete" in degenerate.get_title()
    for n in (1, 3):
        axes = plot_critical_points(find_critical_points(styblinski_tang, [(-5, 5)] * n)).axes[0]
        offsets = sum(len(part.get_offsets()) for part in axes.collections)
        assert offsets == 3**n
        assert axes.get_ylabel() == ("f" if n == 1 else "index")


@pytest.mark.parametrize(
    ("fun", "falls", "rises"),
    [
        (lambda p: p[0] ** 3 - 3 * p[0] * p[1] ** 2, 3, 3),
        (lambda p: p[0] ** 2 - p[1] ** 4, 2, 2),
        (lambda p: (p[1] - p[0] ** 2) * (p[1] - 2 * p[0] ** 2), 2, 2),
        (lambda p: p[0] ** 2 + p[1] ** 3, 1, 1),
        (lambda p: p[0] ** 4 + p[1] ** 4, 0, 1),
    ],
)
def test_a_degenerate_point_is_drawn_with_the_sectors_in_which_f_decreases_and_increases(fun, falls, rises):
    """There is a sector between any two rays on which f changes its sign; its colour shows the sign of f in it."""
    axes = plot_critical_points(find_critical_points(fun, [(-1, 1.2), (-1, 1)])).axes[0]
    sectors = [patch for patch in axes.patches if not patch.get_hatch()]
    colours = [patch.get_facecolor()[:3] for patch in sectors]
    blue, red = (matplotlib.colors.to_rgb(name) for name in ("C0", "C3"))
    assert (colours.count(blue), colours.count(red)) == (falls, rises)
    for patch, colour in zip(sectors, colours, strict=True):
        inside = patch.get_xy()[2:-2]  # without the centre and the boundaries between two colours
        assert all((fun(p) < 0.0) == (colour == blue) for p in inside)


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        ([], "list of pairs"),
        ([1.0, 2.0], "list of pairs"),
        ([(0, 1, 2)], "list of pairs"),
        ("abc", "list of pairs"),
        (None, "list of pairs"),
        ([(0, 1), (0,)], "list of pairs"),
        ([(0, 1), (2, 2)], r"low < high for every variable, got \(2, 2\) for x\[1\]"),
        ([(1, 0)], r"got \(1, 0\) for x\[0\]"),
        ([(0, np.inf)], "finite"),
        ([(np.nan, 1)], "finite"),
        ([(-1e308, 1e308)], "finite"),
    ],
)
def test_the_error_message_for_a_wrong_box_names_the_mistake(box, sentence):
    with pytest.raises(ValueError, match=sentence):
        find_critical_points(himmelblau, box)


@pytest.mark.parametrize("options", [{"method": "proof"}, {"max_boxes": 0}, {"starts": 0}, {"seed": -1}])
def test_the_error_message_for_a_wrong_option_names_it(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        find_critical_points(himmelblau, [(-6, 6)] * 2, **options)


def test_an_exception_of_the_function_reaches_the_caller():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        find_critical_points(f, [(0, 1)])


def test_nothing_is_proved_where_the_function_is_not_defined():
    """x − ln x has its minimum at 1; at 0 it is not defined, and its slope is unbounded there but has a sign."""
    points = find_critical_points(lambda x: x[0] - anp.log(x[0]), [(0, 3)])
    assert points.complete
    assert points[0].x == pytest.approx([1.0], abs=1e-14)
    beyond = find_critical_points(lambda x: x[0] + anp.log(x[0]), [(-3, 3)], max_boxes=500)
    assert len(beyond) == 0, "1 + 1/x vanishes at -1, where f is not defined"


def test_a_constant_function_is_critical_everywhere_and_nothing_is_proved():
    points = find_critical_points(lambda x: 1.0 + 0.0 * x[0], [(0, 1), (0, 1)], max_boxes=200)
    assert not points.complete
    assert [part.kind for part in points.unresolved_boxes] == ["non-isolated set"]
