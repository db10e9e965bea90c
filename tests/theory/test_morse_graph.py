"""Steepest-descent paths, the index-1 saddles between minima, and the merge tree of the basins."""

from dataclasses import dataclass
from itertools import islice

import autograd.numpy as np
import pytest
from mpmath import mp
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

import newtonkit
import problems
from comparisons.studies.critical_points.finder_cases import muller_brown
from newtonkit import find_critical_points, morse_graph
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.landscape.gradient_path import _phi1, _phi3, gradient_flow
from newtonkit.objectives.objective import Objective


def graph_of(fun, box):
    return morse_graph(fun, find_critical_points(fun, box))


def ends(graph):
    return {graph_pass.point: {side.end for side in graph_pass.sides} for graph_pass in graph.passes}


# --- the flow -------------------------------------------------------------------------------------------------------


def test_on_a_quadratic_every_step_of_the_flow_is_exact():
    """On ½(x² + 100y²) the flow keeps y/x¹⁰⁰; on ½(y² − x²) it keeps xy."""
    evaluator = Evaluator(Objective(lambda x: 0.5 * (x[1] ** 2 - x[0] ** 2)), second_order=True)
    start = np.array([0.01, 1.0])
    for steps, x in enumerate(gradient_flow(evaluator, start, np.ones(2), 0.1), 1):
        assert x[0] * x[1] == pytest.approx(0.01, rel=1e-13)
        if steps == 20:
            break
    stiff = Evaluator(Objective(lambda x: 0.5 * (x[0] ** 2 + 100 * x[1] ** 2)), second_order=True)
    for x in gradient_flow(stiff, np.array([1.0, 0.5]), np.ones(2), 0.1):
        if x[1] < 1e-12:
            break
        assert x[1] == pytest.approx(0.5 * x[0] ** 100, rel=1e-11)
    assert x[0] > 0.7


def test_the_flow_follows_the_solution_of_the_differential_equation():
    """In the curved valleys of Müller and Brown, and of Rosenbrock's function with condition number 2500."""
    for fun, start in ((muller_brown, [-0.8, 0.63]), (problems.get("rosenbrock").fun, [-1.2, 1.0])):
        objective = Objective(fun)
        reference = solve_ivp(
            lambda t, x, objective=objective: -objective.gradient(x),
            (0.0, 50.0),
            start,
            method="LSODA",
            rtol=1e-10,
            atol=1e-12,
        ).y.T
        farthest = 0.0
        for x in gradient_flow(Evaluator(objective, second_order=True), np.array(start), np.ones(2), 0.05):
            a, b = reference[:-1], np.diff(reference, axis=0)
            t = np.clip(((x - a) * b).sum(axis=1) / np.maximum((b * b).sum(axis=1), 1e-300), 0.0, 1.0)
            farthest = max(farthest, np.linalg.norm(a + t[:, None] * b - x, axis=1).min())
        assert farthest < 2e-4
        assert_allclose(x, reference[-1], atol=1e-6)


def test_f_decreases_along_the_flow_which_ends_at_a_critical_point():
    objective = Objective(muller_brown)
    path = list(gradient_flow(Evaluator(objective, second_order=True), np.array([-0.85, 0.63]), np.ones(2), 0.05))
    values = [muller_brown(x) for x in path]
    # the last two are equal to rounding
    assert all(np.diff(values[:-2]) < 0)
    assert values[-1] == pytest.approx(-146.6995, abs=1e-4)
    # rounding of terms of size 200 times exponents of slope 10
    assert np.abs(objective.gradient(path[-1])).max() < 1e-11


def test_the_flow_stops_before_the_derivatives_are_not_finite():
    evaluator = Evaluator(Objective(lambda x: x[0] + np.sqrt(x[0]) ** 3 + x[1] ** 2), second_order=True)
    with np.errstate(all="ignore"):
        path = list(gradient_flow(evaluator, np.array([1.0, 0.3]), np.ones(2), 0.1))
    assert 0.0 <= path[-1][0] < 1e-6


def test_the_functions_of_the_integrator_agree_with_forty_digits():
    z = np.array([-1e300, -700.0, -3.0, -0.011, -0.009, -1e-9, 0.0, 1e-9, 0.009, 0.011, 3.0, 700.0])
    for function, reference in (
        (_phi1, lambda t: mp.expm1(t) / t if t else mp.mpf(1)),
        (_phi3, lambda t: (mp.exp(t) - 1 - t - t**2 / 2) / t**3 if t else mp.mpf(1) / 6),
    ):
        with mp.workdps(60):
            expected = [float(reference(mp.mpf(t))) for t in z]
        # φ₃ loses eps/z² where it changes from the series
        assert_allclose(function(z), expected, rtol=1e-10)


def test_the_time_of_a_step_does_not_overflow_if_f_is_flat_at_infinity():
    evaluator = Evaluator(Objective(lambda x: np.exp(-x[0]) + x[1] ** 2), second_order=True)
    path = list(islice(gradient_flow(evaluator, np.array([690.0, 0.0]), np.ones(2), 1.0), 100))
    assert 700 < path[-1][0] < 750


# --- known landscapes -----------------------------------------------------------------------------------------------


def test_the_barriers_of_muller_and_brown():
    """The three minima lie in a row; the published energies are −146.700, −108.167, −80.768; −40.665, −72.249."""
    graph = graph_of(muller_brown, [(-1.5, 1.2), (-0.2, 2.0)])
    assert graph.complete
    deep, right, middle = graph.minima
    assert [round(graph.points[i].fun, 4) for i in graph.minima] == [-146.6995, -108.1667, -80.7678]
    low, high = (graph_pass.point for graph_pass in graph.passes)
    assert ends(graph) == {low: {right, middle}, high: {deep, middle}}
    assert graph.barrier(middle, right) == pytest.approx(-72.2489 + 80.7678, abs=2e-4)
    assert graph.barrier(right, middle) == pytest.approx(-72.2489 + 108.1667, abs=2e-4)
    assert graph.barrier(middle, deep) == pytest.approx(-40.6648 + 80.7678, abs=2e-4)
    assert graph.barrier(deep, right) == graph.barrier(deep, middle) == pytest.approx(-40.6648 + 146.6995, abs=2e-4)
    assert graph.lowest_pass(deep, right) == high
    assert [(merge.absorbed, merge.survivor) for merge in graph.merges] == [(middle, right), (right, deep)]
    assert [merge.depth for merge in graph.merges] == [graph.barrier(middle, right), graph.barrier(right, deep)]


def test_himmelblaus_four_minima_are_connected_in_a_ring_by_four_saddles():
    graph = graph_of(problems.get("himmelblau").fun, [(-6, 6), (-6, 6)])
    assert graph.complete
    assert len(graph.minima) == len(graph.passes) == 4
    degrees = [sum(i in found for found in ends(graph).values()) for i in graph.minima]
    assert degrees == [2, 2, 2, 2]
    # the fourth saddle closes the ring and merges nothing
    assert len(graph.merges) == 3
    assert graph.passes[-1].point not in {merge.point for merge in graph.merges}
    for i in graph.minima:
        for j in graph.minima:
            if i != j:
                assert graph.lowest_pass(i, j) == graph.lowest_pass(j, i)
                assert graph.lowest_pass(i, j) != graph.passes[-1].point


def test_the_global_minima_of_the_six_hump_camel_are_one_unit_of_energy_apart():
    """f(0, 0) = 0 is the saddle between the two minima of −1.0316."""
    graph = graph_of(problems.get("six-hump-camel").fun, [(-2.1, 2.1), (-1.5, 1.5)])
    assert graph.complete
    assert (len(graph.minima), len(graph.passes), len(graph.merges)) == (6, 7, 5)
    a, b = graph.minima[:2]
    assert_allclose(graph.points[graph.lowest_pass(a, b)].x, 0, atol=1e-12)
    assert graph.barrier(a, b) == pytest.approx(1.0316284534898774, rel=1e-12)


def test_the_lowest_pass_agrees_with_flooding_a_grid():
    """Flood a grid cell by cell: two minima are connected at the level of the saddle between them."""
    fun, box = problems.get("six-hump-camel").fun, [(-2.1, 2.1), (-1.5, 1.5)]
    graph = graph_of(fun, box)
    sides = [np.linspace(low, high, 151) for low, high in box]
    values = np.array([[fun(np.array([x, y])) for y in sides[1]] for x in sides[0]])

    def joined(i, j, level):
        from scipy.ndimage import label

        lakes, _ = label(values <= level)
        cells = [
            tuple(int(np.abs(side - t).argmin()) for side, t in zip(sides, graph.points[k].x, strict=True))
            for k in (i, j)
        ]
        return lakes[cells[0]] == lakes[cells[1]]

    for i in graph.minima:
        for j in graph.minima:
            if i < j:
                height = graph.points[graph.lowest_pass(i, j)].fun
                # a cell is 0.03 wide and f'' at most 60 near the saddles
                assert joined(i, j, height + 0.03)
                assert not joined(i, j, height - 0.03)


def test_in_one_variable_the_maxima_take_the_place_of_the_saddles():
    graph = graph_of(lambda x: np.cos(3 * x[0]) + 0.1 * x[0] ** 2, [(-2.8, 2.8)])
    a, b = graph.minima
    top = next(i for i, point in enumerate(graph.points) if abs(point.x[0]) < 1e-9)
    assert graph.lowest_pass(a, b) == top
    assert ends(graph)[top] == {a, b}


def test_in_three_variables_each_saddle_of_a_separable_function_connects_neighbours():
    """Σ(xᵢ⁴ − 16xᵢ² + 5xᵢ)/2: 8 minima and 12 saddles, the corners and edges of a cube."""
    graph = graph_of(lambda x: 0.5 * np.sum(x**4 - 16 * x**2 + 5 * x), [(-5, 5)] * 3)
    assert (len(graph.minima), len(graph.passes), len(graph.merges)) == (8, 12, 7)
    for found in ends(graph).values():
        signs = np.array([np.sign(graph.points[i].x) for i in found])
        assert np.abs(signs[0] - signs[1]).sum() == 2, "they differ in one variable"


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_the_graph_does_not_depend_on_the_units_of_f(scale):
    fun = problems.get("himmelblau").fun
    plain = graph_of(fun, [(-6, 6), (-6, 6)])
    scaled = graph_of(lambda x: scale * fun(x), [(-6, 6), (-6, 6)])

    def places(graph):
        """Saddles by value, each with the minima that it connects; minima of equal value have no order."""
        return [
            (graph.points[number].x, sorted(tuple(graph.points[i].x) for i in found))
            for number, found in ends(graph).items()
        ]

    for (x, joined), (y, joined_too) in zip(places(plain), places(scaled), strict=True):
        assert_allclose(x, y, rtol=1e-9)
        assert_allclose(joined, joined_too, rtol=1e-9)


def test_the_graph_does_not_depend_on_the_units_of_one_variable():
    fun = problems.get("himmelblau").fun
    graph = graph_of(lambda x: fun(np.array([x[0], 1e9 * x[1]])), [(-6, 6), (-6e-9, 6e-9)])
    assert graph.complete
    assert [round(graph.points[merge.point].fun, 4) for merge in graph.merges] == [13.3119, 67.7192, 104.0152]


# --- what is reported if something is not known ---------------------------------------------------------------------


def test_a_path_that_leaves_the_box_is_reported():
    graph = graph_of(problems.get("himmelblau").fun, [(-2, 6), (-4, 4)])
    assert not graph.complete
    lost = [side for each in graph.passes for side in each.sides if side.end is None]
    assert len(lost) == 2
    assert all(side.reason.startswith("the boundary of the box near (-2.") for side in lost)
    assert "leads to no listed point" in str(graph)
    assert len(graph.merges) == 1


def test_a_path_to_a_minimum_that_is_not_listed_is_reported():
    fun = problems.get("himmelblau").fun
    points = [p for p in find_critical_points(fun, [(-6, 6), (-6, 6)]) if p.index == 1 or p.x[0] > 0]
    graph = morse_graph(fun, points)
    assert not graph.complete
    lost = [side for each in graph.passes for side in each.sides if side.end is None]
    assert len(lost) == 4
    for side in lost:
        assert "where no critical point is listed" in side.reason
        assert fun(side.path[-1]) < 1e-20
    assert "not proved complete" in graph.notes[0]
    assert graph.plot().axes, "points without a box are drawn as well"


def test_the_barrier_between_minima_is_infinite_if_no_path_is_known():
    fun = problems.get("himmelblau").fun
    minima = [point for point in find_critical_points(fun, [(-6, 6), (-6, 6)]) if point.index == 0]
    graph = morse_graph(fun, minima)
    assert graph.lowest_pass(0, 1) is None
    assert graph.barrier(0, 1) == np.inf


def test_a_path_may_end_at_another_saddle_and_the_merge_tree_is_still_complete():
    """y⁴ − 2y² + (1 − 2y²)x² + 2x⁴: by symmetry the paths from 0 stay on x = 0 and end at the saddles (0, ±1)."""

    def fun(p):
        x, y = p[0], p[1]
        return y**4 - 2 * y**2 + (1 - 2 * y**2) * x**2 + 2 * x**4

    graph = graph_of(fun, [(-2, 2), (-2, 2)])
    assert_allclose(graph.points[graph.passes[-1].point].x, 0, atol=1e-12)
    saddles = [graph.points[side.end] for side in graph.passes[-1].sides]
    assert [saddle.index for saddle in saddles] == [1, 1]
    assert_allclose(sorted(saddle.x[1] for saddle in saddles), [-1, 1])
    # the four minima are one group in the end
    assert (len(graph.minima), len(graph.merges)) == (4, 3)
    assert graph.merges[-1].point == graph.passes[-1].point


def test_the_minima_connected_by_a_degenerate_saddle_are_reported_as_unknown():
    graph = graph_of(lambda x: x[0] ** 4 + x[1] ** 4 - x[1] ** 2, [(-1, 1), (-2, 2)])
    assert len(graph.minima) == 2
    assert not graph.passes
    assert "(degenerate) are not known" in str(graph)


# --- mistakes -------------------------------------------------------------------------------------------------------


@dataclass
class Point:
    x: object
    fun: float
    kind: str
    index: int


def bowl(x):
    return x[0] ** 2 + x[1] ** 2


def test_the_error_message_names_the_mistake_of_the_caller():
    with pytest.raises(ValueError, match=r"points\[0\] is listed with index 1, but the eigenvalues"):
        morse_graph(bowl, [Point(np.zeros(2), 0.0, "saddle", 1)])
    with pytest.raises(TypeError, match=r"must have \.x, \.fun, \.kind and \.index, got .* as points\[0\]"):
        morse_graph(bowl, [np.zeros(2)])
    with pytest.raises(ValueError, match="got none"):
        morse_graph(bowl, [])
    twice = [Point(np.zeros(2), 0.0, "saddle", 1)] * 2
    with pytest.raises(ValueError, match=r"as points\[0\] and points\[1\]"):
        morse_graph(bowl, twice)
    graph = graph_of(muller_brown, [(-1.5, 1.2), (-0.2, 2.0)])
    with pytest.raises(ValueError, match=r"j must be the number of a minimum, one of \(0, 1, 2\), got 3"):
        graph.barrier(0, 3)
    with pytest.raises(ValueError, match="two minima"):
        graph.barrier(1, 1)


def test_no_descent_path_starts_at_a_point_that_is_wrongly_listed_as_a_saddle():
    """Near the saddle, but not at it, the gradient is not zero."""
    graph = morse_graph(lambda x: x[1] ** 2 - x[0] ** 2, [Point(np.array([0.3, 0.0]), -0.09, "saddle", 1)])
    assert [side.end for side in graph.passes[0].sides] == [None, None]
    assert "none: the local gradient is inconsistent" in str(graph)


def test_derivatives_given_by_the_user_are_used():
    calls = []

    def plain(x):
        assert isinstance(x, np.ndarray), "no tracing"
        return x[0] ** 4 - 2 * x[0] ** 2 + x[1] ** 2

    def jac(x):
        calls.append(x)
        return np.array([4 * x[0] ** 3 - 4 * x[0], 2 * x[1]])

    points = [
        Point(np.array([x, 0.0]), f, kind, index)
        for x, f, kind, index in ((-1, -1, "minimum", 0), (1, -1, "minimum", 0), (0, 0, "saddle", 1))
    ]
    graph = morse_graph(plain, points, jac=jac, hess=lambda x: np.diag([12 * x[0] ** 2 - 4, 2.0]))
    assert ends(graph) == {2: {0, 1}}
    assert calls


# --- the figure -----------------------------------------------------------------------------------------------------


def test_the_figure_shows_every_descent_path_and_two_arrows_along_each_eigenvector():
    graph = graph_of(muller_brown, [(-1.5, 1.2), (-0.2, 2.0)])
    axes = graph.plot().axes[0]
    assert len(axes.get_lines()) == 4
    drawn = {tuple(line.get_xydata()[-1]) for line in axes.get_lines()}
    assert drawn == {tuple(graph.points[i].x) for i in graph.minima}
    arrows = [text for text in axes.texts if text.arrow_patch is not None]
    assert len(arrows) == 4 * len(graph.passes)
    assert sorted(text.get_text() for text in axes.texts if text.get_text()) == ["0", "1", "2", "3", "4"]


def test_in_more_than_two_variables_the_figure_shows_index_against_value():
    graph = graph_of(lambda x: 0.5 * np.sum(x**4 - 16 * x**2 + 5 * x), [(-5, 5)] * 3)
    axes = graph.plot().axes[0]
    assert len(axes.get_lines()) == 24
    for line in axes.get_lines():
        (higher, lower), (one, zero) = line.get_data()
        assert higher > lower
        assert (one, zero) == (1, 0)


def test_the_morse_graph_is_public():
    assert {"morse_graph", "MorseGraph"} <= set(newtonkit.__all__)
