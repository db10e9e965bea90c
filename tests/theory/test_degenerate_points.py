"""Where the Hessian is singular, the kind is that of the reduced function, whatever the coordinates and the unit of f.

``python tests/theory/test_degenerate_points.py 40`` counts the verdicts on 40 random changes of variables of every
normal form, at the exact point and a ten-thousandth beside it.
"""

from __future__ import annotations

import sys
from collections import Counter

import autograd.numpy as anp
import numpy as np
import pytest

import problems
from newtonkit import classify

SADDLE, MINIMUM, MAXIMUM = "degenerate saddle", "degenerate minimum", "degenerate maximum"

# from Thom's list and the families that Arnold calls A, D, E, X; u, v, w are the new variables
NORMAL_FORMS = {
    "A2: u³ + v²": (2, SADDLE, lambda u: u[0] ** 3 + u[1] ** 2),
    "A2: u³ - v²": (2, SADDLE, lambda u: u[0] ** 3 - u[1] ** 2),
    "A3: u⁴ + v²": (2, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 2),
    "A3: -u⁴ - v²": (2, MAXIMUM, lambda u: -(u[0] ** 4) - u[1] ** 2),
    "A3: -u⁴ + v²": (2, SADDLE, lambda u: -(u[0] ** 4) + u[1] ** 2),
    "A4: u⁵ + v²": (2, SADDLE, lambda u: u[0] ** 5 + u[1] ** 2),
    "A5: u⁶ + v²": (2, MINIMUM, lambda u: u[0] ** 6 + u[1] ** 2),
    "A3: u⁴ + v² + 2w²": (3, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 2 + 2.0 * u[2] ** 2),
    "D4-: u³ - 3uv²": (2, SADDLE, lambda u: u[0] ** 3 - 3.0 * u[0] * u[1] ** 2),
    "D4+: u³ + v³": (2, SADDLE, lambda u: u[0] ** 3 + u[1] ** 3),
    "D4-: u³ - 3uv² + w²": (3, SADDLE, lambda u: u[0] ** 3 - 3.0 * u[0] * u[1] ** 2 + u[2] ** 2),
    "D5: u²v + v⁴": (2, SADDLE, lambda u: u[0] ** 2 * u[1] + u[1] ** 4),
    "E6: u³ + v⁴": (2, SADDLE, lambda u: u[0] ** 3 + u[1] ** 4),
    "X9: u⁴ + v⁴": (2, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 4),
    "X9: u⁴ + v⁴ + w²": (3, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 4 + u[2] ** 2),
    "X9: u⁴ - v⁴": (2, SADDLE, lambda u: u[0] ** 4 - u[1] ** 4),
    "Peano: (v - u²)(v - 2u²)": (2, SADDLE, lambda u: (u[1] - u[0] ** 2) * (u[1] - 2.0 * u[0] ** 2)),
}


def disguised(form, n, rng):
    """f(x) = unit·form(A(x − c) + ((x − c)ᵀBᵢ(x − c))ᵢ), the point c, and the unit."""
    U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    A = U @ np.diag(np.exp(rng.uniform(-0.8, 0.8, n))) @ V
    B, c, unit = 0.4 * rng.standard_normal((n, n, n)), rng.uniform(-1, 1, n), 10.0 ** rng.uniform(-4, 4)

    def fun(x):
        d = x - c
        return unit * form(anp.dot(A, d) + anp.dot(anp.dot(B, d), d))

    return fun, c


def verdicts(seeds):
    """(name, how far beside, expected kind, verdict) for every normal form under every change of variables."""
    for i, (name, (n, kind, form)) in enumerate(NORMAL_FORMS.items()):
        for seed in seeds:
            rng = np.random.default_rng([i, seed])
            fun, c = disguised(form, n, rng)
            for beside in (0.0, 1e-4):
                yield name, beside, kind, classify(fun, c + beside * rng.standard_normal(n))


def test_a_normal_form_keeps_its_kind_under_random_nonlinear_changes_of_variables():
    """Two of each; "undecided" is allowed, but rare."""
    answers = list(verdicts(range(2)))
    assert [v for _, _, kind, v in answers if v.kind not in (kind, "undecided")] == []
    assert sum(v.kind == "undecided" for *_, v in answers) <= len(answers) // 20


def circle(x):
    return (x[0] ** 2 + x[1] ** 2 - 1.0) ** 2


def hyperbola(x):
    return (x[0] * x[1] - 1.0) ** 2


def peano(x):
    return (x[1] - x[0] ** 2) * (x[1] - 2.0 * x[0] ** 2)


def cube_roots(x):
    """|z³ − 1|² of z = x + iy."""
    return (x[0] ** 3 - 3.0 * x[0] * x[1] ** 2 - 1.0) ** 2 + (3.0 * x[0] ** 2 * x[1] - x[1] ** 3) ** 2


def network(layers):
    """Squared error of a tanh network 2-2-…-1 without biases on four points, as a function of its weights."""
    X, y = np.array([[0.5, -1.0], [1.0, 0.3], [-0.7, 0.8], [0.2, 1.1]]), np.array([0.3, 0.9, -0.2, 0.4])

    def fun(w):
        h = X
        for k in range(layers - 1):
            h = anp.tanh(anp.dot(h, anp.reshape(w[4 * k : 4 * k + 4], (2, 2))))
        return anp.mean((anp.dot(h, w[-2:]) - y) ** 2)

    return fun, np.zeros(4 * (layers - 1) + 2)


ZOO = [
    ("x³ - 3xy² at 0", lambda x: x[0] ** 3 - 3.0 * x[0] * x[1] ** 2, [0.0, 0.0], SADDLE),
    ("x⁴ + y⁴ at 0", lambda x: x[0] ** 4 + x[1] ** 4, [0.0, 0.0], MINIMUM),
    ("x² - y⁴ at 0", lambda x: x[0] ** 2 - x[1] ** 4, [0.0, 0.0], SADDLE),
    ("Peano at 0", peano, [0.0, 0.0], SADDLE),
    ("the circle (x² + y² - 1)² at (0.6, 0.8)", circle, [0.6, 0.8], "valley"),
    ("the circle, beside it", circle, [0.6001, 0.8001], "valley"),
    ("the circle's centre", circle, [0.0, 0.0], "maximum"),
    ("the circle upside down", lambda x: -circle(x), [0.6, 0.8], "ridge"),
    ("a small circle", lambda x: (x[0] ** 2 + x[1] ** 2 - 0.01) ** 2, [0.06, 0.08], "valley"),
    ("the hyperbola (xy - 1)² at (2, 1/2)", hyperbola, [2.0, 0.5], "valley"),
    ("the hyperbola at 0", hyperbola, [0.0, 0.0], "saddle"),
    ("x²y² at 0, where two valleys cross", lambda x: x[0] ** 2 * x[1] ** 2, [0.0, 0.0], "valley"),
    ("-x²y² at 0", lambda x: -(x[0] ** 2) * x[1] ** 2, [0.0, 0.0], "ridge"),
    ("x²y² at (1, 0)", lambda x: x[0] ** 2 * x[1] ** 2, [1.0, 0.0], "valley"),
    ("(x - y²)⁴ at 0", lambda x: (x[0] - x[1] ** 2) ** 4, [0.0, 0.0], "valley"),
    ("x² + y³ at 0", lambda x: x[0] ** 2 + x[1] ** 3, [0.0, 0.0], SADDLE),
    ("x³ beside 0", lambda x: x[0] ** 3, [1e-4], SADDLE),
    ("-x⁴ at 0", lambda x: -(x[0] ** 4), [0.0], MAXIMUM),
    ("x²⁰ + y² at 0, flat to rounding as far as 0.1", lambda x: x[0] ** 20 + x[1] ** 2, [0.0, 0.0], MINIMUM),
    ("|z³ - 1|² at 0", cube_roots, [0.0, 0.0], SADDLE),
    ("|z³ - 1|² at a root", cube_roots, [-0.5, np.sqrt(0.75)], "minimum"),
    ("x² + y⁴ - z⁴ at 0", lambda x: x[0] ** 2 + x[1] ** 4 - x[2] ** 4, [0.0, 0.0, 0.0], SADDLE),
    ("xyz at 0", lambda x: x[0] * x[1] * x[2], [0.0, 0.0, 0.0], SADDLE),
    ("a tanh network of two layers at 0", *network(2), "saddle"),
    ("a tanh network of three layers at 0", *network(3), SADDLE),
    ("x³/3 + 1e-6 x at 0", lambda x: x[0] ** 3 / 3 + 1e-6 * x[0], [0.0], "not critical"),
    ("x³/3 + 1e-6 x + y³ at 0", lambda x: x[0] ** 3 / 3 + 1e-6 * x[0] + x[1] ** 3, [0.0, 0.0], "not critical"),
    ("x + y - z at 0", lambda x: x[0] + x[1] - x[2], [0.0, 0.0, 0.0], "not critical"),
    # nothing below three dimensions of null directions: "no descent found" is no proof
    ("x⁴ + y⁴ + z⁴ at 0", lambda x: anp.sum(x**4), [0.0, 0.0, 0.0], "undecided"),
    ("a constant", lambda x: 0.0 * x[0] + 1.0, [0.0, 0.0], "undecided"),
]


@pytest.mark.parametrize(("fun", "x", "kind"), [pytest.param(*case[1:], id=case[0]) for case in ZOO])
def test_the_zoo(fun, x, kind):
    assert classify(fun, x).kind == kind


@pytest.mark.parametrize("beside", [0.0, 1e-3])
def test_powells_singular_function_has_a_minimum_without_curvature_in_two_directions(beside):
    x = beside * np.array([1.0, -0.1, 0.5, 0.5])
    verdict = classify(problems.get("powell-singular").fun, x)
    assert (verdict.kind, verdict.index, verdict.nullity) == (MINIMUM, 0, 2)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_a_degenerate_kind_does_not_depend_on_the_unit_of_f(unit):
    for _, fun, x, kind in ZOO[:8]:
        assert classify(lambda z, fun=fun: unit * fun(z), x).kind == kind


def test_the_fourth_derivative_along_the_null_direction_is_corrected_for_the_others():
    """Peano's is +48 along the x-axis, and −6 along the parabola where f falls."""
    assert "corrected fourth derivative being about -6" in classify(peano, [0.0, 0.0]).reason


@pytest.mark.parametrize("case", ["Peano at 0", "x² - y⁴ at 0", "x³ - 3xy² at 0", "xyz at 0"])
def test_the_escape_direction_of_a_degenerate_saddle_leads_down_at_the_length_stated(case):
    fun, x = next((np_fun, np.array(x)) for name, np_fun, x, _ in ZOO if name == case)
    verdict = classify(fun, x)
    assert fun(x + verdict.escape_length * verdict.escape_direction) < fun(x)
    assert verdict.escape_length > 0.1


def test_a_valley_has_the_dimension_of_its_manifold():
    assert classify(circle, [0.6, 0.8]).dimension == 1
    assert classify(lambda x: (anp.dot(x, x) - 1.0) ** 2, [0.48, 0.64, 0.6]).dimension == 2


def test_differences_of_a_gradient_are_enough_to_tell_degenerate_kinds_apart():
    """The gradient is exact; only the Hessian, known to seven digits, is not, and it merely guides Newton's method."""

    def slope(x):
        a, b = float(x[0]), float(x[1])  # nothing that autograd could follow
        return np.array([-6.0 * a * b + 8.0 * a**3, 2.0 * b - 3.0 * a**2])

    verdict = classify(peano, [0.0, 0.0], jac=slope)
    assert (verdict.kind, verdict.source) == (SADDLE, "differences of the gradient")


if __name__ == "__main__":
    tally, wrong = Counter(), []
    for name, beside, kind, verdict in verdicts(range(int(sys.argv[1]))):
        answer = "right" if verdict.kind == kind else "undecided" if verdict.kind == "undecided" else "wrong"
        tally[beside, answer] += 1
        if answer != "right":
            wrong.append(f"{name} beside {beside:g}: {verdict}")
    print(*wrong, dict(tally), sep="\n")
