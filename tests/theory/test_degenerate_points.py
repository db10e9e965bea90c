"""Where the Hessian is singular, the kind is that of the reduced function, whatever the coordinates and unit of f."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest

import problems
from comparisons.studies.critical_points.classifier import judged
from comparisons.studies.critical_points.classifier_cases import (
    MAXIMUM,
    MINIMUM,
    SADDLE,
    ZOO,
    circle,
    network,
    normal_form_cases,
    peano,
    zoo_cases,
)
from newtonkit import classify


def test_a_normal_form_keeps_its_kind_under_random_nonlinear_changes_of_variables():
    """Two of each; "undecided" is allowed, but rare."""
    answers = [judged(case) for case in normal_form_cases(range(2))]
    assert [answer for answer in answers if answer.outcome == "wrong"] == []
    assert sum(answer.outcome == "undecided" for answer in answers) <= len(answers) // 20


def test_known_examples_keep_their_kind_at_the_points_and_near_them_in_any_unit_of_f():
    assert [answer for answer in map(judged, zoo_cases(range(1))) if answer.outcome != "right"] == []


MORE = [
    ("the circle, beside it", circle, [0.6001, 0.8001], "valley"),
    ("the circle upside down", lambda x: -circle(x), [0.6, 0.8], "ridge"),
    ("a small circle", lambda x: (x[0] ** 2 + x[1] ** 2 - 0.01) ** 2, [0.06, 0.08], "valley"),
    ("-x²y² at 0", lambda x: -(x[0] ** 2) * x[1] ** 2, [0.0, 0.0], "ridge"),
    ("x²y² at (1, 0)", lambda x: x[0] ** 2 * x[1] ** 2, [1.0, 0.0], "valley"),
    ("(x - y²)⁴ at 0", lambda x: (x[0] - x[1] ** 2) ** 4, [0.0, 0.0], "valley"),
    ("x³ beside 0", lambda x: x[0] ** 3, [1e-4], SADDLE),
    ("-x⁴ at 0", lambda x: -(x[0] ** 4), [0.0], MAXIMUM),
    ("x²⁰ + y² at 0, flat to rounding as far as 0.1", lambda x: x[0] ** 20 + x[1] ** 2, [0.0, 0.0], MINIMUM),
    ("x² + y⁴ - z⁴ at 0", lambda x: x[0] ** 2 + x[1] ** 4 - x[2] ** 4, [0.0, 0.0, 0.0], SADDLE),
    ("xyz at 0", lambda x: x[0] * x[1] * x[2], [0.0, 0.0, 0.0], SADDLE),
    ("x³/3 + 1e-6 x at 0", lambda x: x[0] ** 3 / 3 + 1e-6 * x[0], [0.0], "not critical"),
    ("x³/3 + 1e-6 x + y³ at 0", lambda x: x[0] ** 3 / 3 + 1e-6 * x[0] + x[1] ** 3, [0.0, 0.0], "not critical"),
    ("x + y - z at 0", lambda x: x[0] + x[1] - x[2], [0.0, 0.0, 0.0], "not critical"),
    # nothing below three dimensions of null directions: "no descent found" is no proof
    ("x⁴ + y⁴ + z⁴ at 0", lambda x: anp.sum(x**4), [0.0, 0.0, 0.0], "undecided"),
    ("a constant", lambda x: 0.0 * x[0] + 1.0, [0.0, 0.0], "undecided"),
]


@pytest.mark.parametrize(("fun", "x", "kind"), [pytest.param(*case[1:], id=case[0]) for case in [*ZOO, *MORE]])
def test_the_kind_at_the_point_itself(fun, x, kind):
    assert classify(fun, x).kind == kind


def test_a_critical_point_found_along_a_manifold_of_them_is_not_called_the_nearest():
    """Newton's steps end 1.4e-3 away, on the manifold; the nearest critical point, 0, is 3.4e-4 away."""
    x = np.array([-2.25346442e-05, 6.95220321e-05, 9.40668791e-06, 2.34135606e-04, 1.10049866e-04, 1.98910587e-04])
    verdict = classify(network(2)[0], x)
    assert (verdict.kind, verdict.index, verdict.nullity) == ("saddle", 2, 2)


def test_newton_steps_that_do_not_converge_do_not_prove_that_a_point_is_not_critical():
    """At u³ + v⁴ they end 2.1e-3 away; the critical point is 1e-4 away."""
    case = next(case for case in normal_form_cases([4]) if case.name == "E6: u³ + v⁴" and case.distance)
    assert classify(case.fun, case.x).kind in (SADDLE, "undecided")


def test_newton_steps_that_grow_leave_the_kind_to_the_second_stage():
    """At u³ + v⁴ the first Hessians show one null direction, of two, and a minimum along it."""
    case = next(case for case in normal_form_cases([4], [1e-4]) if case.name == "E6: u³ + v⁴")
    assert classify(case.fun, case.x).kind in (SADDLE, "undecided")


def test_a_weak_sextic_is_not_called_a_flat_minimum():
    assert classify(lambda x: 0.01 * x[0] ** 6 + x[1] ** 2, np.zeros(2)).kind in (MINIMUM, "undecided")


@pytest.mark.parametrize(
    ("fun", "x"),
    [
        (lambda x: x[0] ** 4, [1.0]),
        (lambda x: x[0] ** 4 + x[1] ** 2, [0.3, 0.3]),
        (circle, [0.9, 0.8]),
        (circle, [0.0, 0.9]),
        (problems.get("beale").fun, [1.5, 0.2]),
    ],
)
def test_a_point_far_from_critical_is_of_no_kind_of_critical_point(fun, x):
    assert classify(fun, x).kind in ("not critical", "undecided")


def test_a_spectrum_that_decays_into_rounding_shows_no_flat_minimum():
    """The Hilbert matrix of order 13 is positive definite; its least eigenvalue is 1e-18 of the largest."""
    H = np.array([[1.0 / (i + j + 1) for j in range(13)] for i in range(13)])
    assert classify(lambda x: 0.5 * anp.dot(x, anp.dot(H, x)) + anp.sum(x**4), np.full(13, 0.0)).kind != "valley"
    assert classify(lambda x: 0.5 * anp.dot(x, anp.dot(H, x)), np.zeros(13)).kind != "valley"


@pytest.mark.parametrize("distance", [0.0, 1e-3])
def test_powells_singular_function_has_a_minimum_without_curvature_in_two_directions(distance):
    x = distance * np.array([1.0, -0.1, 0.5, 0.5])
    verdict = classify(problems.get("powell-singular").fun, x)
    assert (verdict.kind, verdict.index, verdict.nullity) == (MINIMUM, 0, 2)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_a_degenerate_kind_does_not_depend_on_the_unit_of_f(unit):
    for _, fun, x, kind in ZOO[:8]:
        assert classify(lambda z, fun=fun: unit * fun(z), x).kind == kind


def test_the_fourth_derivative_along_the_null_direction_is_corrected_for_the_others():
    """Peano's is +48 along the x-axis, and −6 along the parabola where f falls."""
    assert "corrected fourth derivative being about -6" in classify(peano, [0.0, 0.0]).reason


@pytest.mark.parametrize("case", ["Peano's (y - x²)(y - 2x²) at 0", "x² - y⁴ at 0", "x³ - 3xy² at 0", "xyz at 0"])
def test_the_escape_direction_of_a_degenerate_saddle_leads_down_at_the_length_stated(case):
    fun, x = next((fun, np.array(x)) for name, fun, x, _ in [*ZOO, *MORE] if name == case)
    verdict = classify(fun, x)
    assert fun(x + verdict.escape_length * verdict.escape_direction) < fun(x)
    assert verdict.escape_length > 0.1


def test_a_valley_has_the_dimension_of_its_manifold():
    assert classify(circle, [0.6, 0.8]).flat_dimension == 1
    assert classify(lambda x: (anp.dot(x, x) - 1.0) ** 2, [0.48, 0.64, 0.6]).flat_dimension == 2


def test_differences_of_a_gradient_suffice_to_distinguish_degenerate_kinds():
    """The gradient is exact; only the Hessian, known to seven digits, is not, and it merely guides Newton's method."""

    def slope(x):
        a, b = float(x[0]), float(x[1])  # nothing that autograd could follow
        return np.array([-6.0 * a * b + 8.0 * a**3, 2.0 * b - 3.0 * a**2])

    verdict = classify(peano, [0.0, 0.0], jac=slope)
    assert (verdict.kind, verdict.source) == (SADDLE, "differences of the gradient")


@pytest.mark.parametrize(
    "x", [[3.48e-44, 3.385e5, 3.013e3], [5.018e-4, 8.358e3, 4.13e2], [7.874e-13, 3.956e4, 9.826e2]], ids=str
)
def test_on_a_cliff_of_exponentials_no_point_is_called_a_saddle(x):
    """Meyer's function where its gradient is 1e5 to 1e48: eigenvalues drown in their errors."""
    verdict = classify(problems.get("meyer").fun, x)
    assert verdict.kind in ("not critical", "undecided"), verdict
