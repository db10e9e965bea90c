"""A Problem checks its arguments, cannot be changed, and determines which of its points a run has reached."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import problems
from problems import CriticalPoint, Problem


def critical(**changes):
    facts = {"x": np.zeros(2), "f": 0.0, "kind": "minimum", "index": 0, "verified": "closed form"}
    return CriticalPoint(**{**facts, **changes})


def a_problem(**changes):
    facts = {"fun": lambda x: x @ x, "n": 2, "starts": {"standard": [1.0, 2.0]}}
    return Problem(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "pass"}, "kind must be one of minimum, maximum, .*; got 'pass'"),
        ({"f": np.nan}, "f must be finite, got nan"),
        ({"x": [[0.0, 0.0]]}, r"x must be one-dimensional, got an array of shape \(1, 2\)"),
        ({"x": [0.0, np.inf]}, "x must have finite entries"),
        ({"index": 1}, r"index of a minimum must lie in \[0, 0\], got 1"),
        ({"kind": "saddle", "index": 2}, r"index of a saddle must lie in \[1, 1\], got 2"),
        ({"kind": "maximum", "index": 1}, r"index of a maximum must lie in \[2, 2\], got 1"),
        ({"kind": "degenerate saddle", "index": 2}, r"must lie in \[0, 1\], got 2"),
    ],
)
def test_a_contradictory_critical_point_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        critical(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, "n must be an integer >= 1, got 0"),
        ({"fun": 3}, "fun must be callable, got 3"),
        ({"starts": {}}, r"starts must begin with 'standard', got \[\]"),
        ({"starts": {"far": [1.0, 2.0]}}, r"starts must begin with 'standard', got \['far'\]"),
        ({"starts": {"standard": [1.0]}}, r"starts\['standard'\] must have shape \(2,\), got \(1,\)"),
        ({"starts": {"standard": [1.0, np.nan]}}, r"starts\['standard'\] must have finite entries"),
        ({"points": (critical(x=np.zeros(3)),)}, r"points\[0\].x must have shape \(2,\), got \(3,\)"),
        ({"domain": ((1.0, 0.0), (0.0, 1.0))}, "domain must be"),
        (
            {"n": 1, "starts": {"standard": [1.0]}, "domain": ((0.0, 1.0), (0.0, 1.0))},
            "domain is for n = 2 only",
        ),
    ],
)
def test_a_contradictory_problem_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        a_problem(**changes)


def test_nothing_in_a_problem_can_be_changed():
    problem = problems.get("himmelblau")
    with pytest.raises(FrozenInstanceError):
        problem.n = 3
    with pytest.raises(ValueError, match="read-only"):
        problem.starts["standard"][0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.best.x[0] = 1.0
    with pytest.raises(TypeError):
        problem.starts["mine"] = np.zeros(2)


def test_a_problem_keeps_copies_of_the_arrays_it_is_given():
    x = np.array([1.0, 2.0])
    problem = a_problem(starts={"standard": x})
    x[:] = 0.0
    assert problem.starts["standard"].tolist() == [1.0, 2.0]


def test_the_best_point_is_the_lowest_minimum_not_the_lowest_point():
    low_saddle = critical(f=-1.0, kind="saddle", index=1)
    minima = (critical(f=2.0), critical(x=np.ones(2), f=1.0))
    problem = a_problem(points=(low_saddle, *minima))
    assert problem.best is minima[1]
    assert problem.minima == (minima[1], minima[0])
    assert a_problem(points=(low_saddle,)).best is None


def test_the_nearest_point_comes_with_its_distance():
    problem = problems.get("himmelblau")
    point, distance = problem.nearest([3.0, 2.3])
    assert point.x.tolist() == [3.0, 2.0]
    assert distance == pytest.approx(0.3)
    assert a_problem().nearest([0.0, 0.0]) == (None, np.inf)


def test_a_point_is_reached_within_a_distance_relative_to_its_size():
    """1e-3·max(1, ‖x*‖): here ‖x*‖ = 50."""
    problem = a_problem(points=(critical(x=np.array([30.0, 40.0])),))
    assert problem.reached([30.0, 40.049]) is problem.points[0]
    assert problem.reached([30.0, 40.051]) is None
    assert problem.reached([30.0, 40.051], tolerance=2e-3) is problem.points[0]


def test_a_degenerate_point_is_reached_within_the_root_of_the_tolerance():
    problem = problems.get("powell-singular")
    assert problem.reached([0.03, 0.0, 0.0, 0.0]) is problem.best
    assert problem.reached([0.04, 0.0, 0.0, 0.0]) is None


def test_every_stated_point_is_reached_by_itself():
    for name in problems.names("multimodal"):
        problem = problems.get(name)
        for point in problem.points:
            if point.x is not None:
                assert problem.reached(point.x) is point


def test_a_point_without_coordinates_is_reached_by_its_value():
    """f − f* <= 1e-8·max(1, |f*|), with f evaluated where it is not given."""
    problem = a_problem(points=(critical(x=None, f=0.0),))
    assert problem.reached([0.0, 9e-5]) is problem.points[0]
    assert problem.reached([0.0, 2e-4]) is None
    assert problem.reached([5.0, 5.0], f=1e-9) is problem.points[0]


def test_a_point_that_is_not_finite_has_reached_nothing():
    problem = a_problem(points=(critical(), critical(x=None, f=0.0)))
    assert problem.reached([np.nan, 0.0]) is None
    assert problem.reached([np.inf, 0.0]) is None


def test_reached_checks_its_arguments():
    problem = problems.get("himmelblau")
    with pytest.raises(ValueError, match=r"x must have shape \(2,\), got \(3,\)"):
        problem.reached(np.zeros(3))
    with pytest.raises(ValueError, match=r"tolerance must be positive and finite, got 0\.0"):
        problem.reached(np.zeros(2), tolerance=0.0)


def test_the_repr_states_how_many_points_are_known():
    expected = "<Problem rosenbrock(n=4): n=4, 3 critical points known (all of them)>"
    assert repr(problems.get("rosenbrock", n=4)) == expected
