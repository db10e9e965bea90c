"""Critical points are distinguished by the inertia of the Hessian, whatever the coordinates and the unit of f."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import problems
from newtonkit import Evaluator, Objective, classify
from newtonkit.classification.allowance import Allowance
from newtonkit.classification.lanczos import product_verdict
from newtonkit.classification.staged import staged_verdict


def kind_of(index, n):
    """What the number of negative eigenvalues of a regular Hessian says (Nocedal & Wright, theorem 2.4 and p. 14)."""
    return "minimum" if index == 0 else "maximum" if index == n else "saddle"


def form(A, c, unit=1.0):
    """unit·½(x − c)ᵀA(x − c)."""
    return lambda x: unit * (0.5 * anp.dot(x - c, anp.dot(A, x - c)))


def eigenvalues_of_inertia(rng, n, index):
    """Magnitudes over two orders, the first ``index`` of them negative."""
    eigenvalues = 10.0 ** rng.uniform(-1, 1, n)
    eigenvalues[:index] *= -1.0
    return eigenvalues


inertias = st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
seeds = st.integers(0, 10**6)
EXAMPLES = settings(deadline=None, max_examples=80, derandomize=True)


@EXAMPLES
@given(inertias, seeds)
def test_a_rotated_form_is_of_the_kind_its_inertia_says(inertia, seed):
    n, index = inertia
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A, c = (Q * eigenvalues_of_inertia(rng, n, index)) @ Q.T, rng.standard_normal(n)
    verdict = classify(form(A, c), c)
    assert (verdict.kind, verdict.index, verdict.nullity) == (kind_of(index, n), index, 0)


@EXAMPLES
@given(inertias, seeds)
def test_the_kind_survives_a_change_of_variables_that_is_not_orthogonal(inertia, seed):
    """MᵀAM has the inertia of A (Sylvester); M has singular values between a third and three."""
    n, index = inertia
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    M = (U * rng.uniform(1 / 3, 3, n)) @ V
    A, c = M.T @ np.diag(eigenvalues_of_inertia(rng, n, index)) @ M, rng.standard_normal(n)
    verdict = classify(form(A, c), c)
    assert (verdict.kind, verdict.index) == (kind_of(index, n), index)


@EXAMPLES
@given(inertias, seeds, st.sampled_from([2.0**-300, 1e-12, 2.0**-40, 2.0**37, 1e12, 2.0**300]))
def test_the_kind_does_not_depend_on_the_unit_of_f(inertia, seed, unit):
    """Neither at the point itself nor a ten-thousandth beside it."""
    n, index = inertia
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A, c = (Q * eigenvalues_of_inertia(rng, n, index)) @ Q.T, rng.standard_normal(n)
    for x in (c, c + 1e-4 * rng.standard_normal(n) / np.sqrt(n)):
        verdict = classify(form(A, c, unit), x)
        assert (verdict.kind, verdict.index) == (kind_of(index, n), index)


@EXAMPLES
@given(inertias, seeds)
def test_a_point_a_tenth_away_is_not_critical(inertia, seed):
    """A hundred radii from the only critical point there is."""
    n, index = inertia
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * eigenvalues_of_inertia(rng, n, index)) @ Q.T
    d = rng.standard_normal(n)
    verdict = classify(form(A, np.zeros(n)), 0.1 * d / np.linalg.norm(d))
    assert verdict.kind == "not critical"


@EXAMPLES
@given(inertias, seeds)
def test_adding_a_constant_changes_no_verdict(inertia, seed):
    n, index = inertia
    rng = np.random.default_rng(seed)
    A, c = np.diag(eigenvalues_of_inertia(rng, n, index)), rng.standard_normal(n)
    fun = form(A, c)
    assert classify(lambda x: fun(x) + 1e9, c).kind == kind_of(index, n)


@pytest.mark.parametrize(
    ("fun", "x"),
    [
        pytest.param(lambda x: 1e-12 * x[0] ** 2, [1.0], id="1e-12 x² at 1"),
        pytest.param(lambda x: anp.exp(-x[0]), [40.0], id="exp(-x) at 40"),
        pytest.param(lambda x: 1e-9 * x[0], [0.0], id="1e-9 x at 0"),
        pytest.param(lambda x: 1e-12 * (x[0] ** 2 - x[1] ** 2), [1.0, 1.0], id="1e-12 (x² - y²) at (1, 1)"),
        pytest.param(lambda x: x[0] + x[1] ** 2, [0.0, 0.0], id="x + y² at 0"),
        pytest.param(lambda x: x[0] ** 3 / 3 + 1e-6 * x[0], [0.0], id="x³/3 + 1e-6 x at 0"),
    ],
)
def test_a_small_gradient_alone_makes_no_critical_point(fun, x):
    assert classify(fun, x).kind == "not critical"


def test_a_large_gradient_may_be_rounding_in_x():
    """1e8 (x − 1)² at 1 + 1e-7 has slope 20, and its minimizer is a ten-millionth away."""
    assert classify(lambda x: 1e8 * (x[0] - 1.0) ** 2, [1.0 + 1e-7]).kind == "minimum"


@pytest.mark.parametrize("name", ["monkey-saddle", "powell-singular"])
def test_eigenvalues_alone_leave_the_kind_undecided_where_the_hessian_is_singular(name):
    problem = problems.get(name)
    evaluator = Evaluator(Objective(problem.fun), second_order=True)
    verdict = staged_verdict(evaluator, np.zeros(problem.n), np.zeros(problem.n), allowance=Allowance(H=1))
    assert verdict.kind == "undecided"
    assert verdict.nullity == 2


def test_curvature_across_newtons_step_counts_too():
    """Near Peano's point the step leads straight to x = 0, and never sees that f_xx = -6y is zero there."""
    verdict = classify(lambda x: (x[1] - x[0] ** 2) * (x[1] - 2 * x[0] ** 2), [1e-6, 1e-4])
    assert verdict.kind == "degenerate saddle"


CATALOGUED = [
    (name, parameters, i)
    for name, parameters in [
        ("himmelblau", {}),
        ("six-hump-camel", {}),
        ("three-hump-camel", {}),
        ("goldstein-price", {}),
        ("beale", {}),
        ("wood", {}),
        ("strict-saddle", {}),
        ("rosenbrock", {"n": 4}),
        ("rosenbrock", {"n": 9}),
        ("styblinski-tang", {"n": 2}),
        ("bowl", {}),
    ]
    for i in range(len(problems.get(name, **parameters).points))
]


@pytest.mark.parametrize(("name", "parameters", "i"), CATALOGUED)
def test_every_catalogued_critical_point_is_of_the_kind_and_index_stated(name, parameters, i):
    """At the point as it is rounded, and a millionth beside it in a random direction."""
    problem = problems.get(name, **parameters)
    point = problem.points[i]
    d = np.random.default_rng(i).standard_normal(problem.n)
    for x in (point.x, point.x + 1e-6 * d / np.linalg.norm(d)):
        verdict = classify(problem.fun, x)
        assert (verdict.kind, verdict.index) == (point.kind, point.index)


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_every_catalogued_point_keeps_its_kind_where_one_variable_is_in_nanometres(unit):
    """And f in any unit: neither is a length or a value that classification may know of."""
    for name, parameters, i in CATALOGUED:
        problem = problems.get(name, **parameters)
        point, units = problem.points[i], np.ones(problem.n)
        units[-1] = 1e-9
        verdict = classify(lambda z, fun=problem.fun, units=units: unit * fun(z / units), units * point.x)
        assert (verdict.kind, verdict.index) == (point.kind, point.index), name


def test_the_escape_direction_is_one_of_negative_curvature():
    for name in ("wood", "himmelblau", "beale"):
        problem = problems.get(name)
        for point in problem.points:
            verdict = classify(problem.fun, point.x)
            v = verdict.escape_direction
            assert (v is None) == (point.index == 0)
            if v is not None:
                rise = [problem.fun(point.x + t * v) - point.f for t in (-1e-3, 1e-3)]
                assert max(rise) < 0.0


# --- the verdict from products only -------------------------------------------------------------------------------


def both_verdicts(fun, x, grad=None):
    """Dense and by products, each with an evaluator of its own."""
    objective = Objective(fun, grad)
    answers = []
    for judge in (staged_verdict, product_verdict):
        evaluator = Evaluator(objective, second_order=True)
        answers.append(judge(evaluator, x, evaluator.gradient(x)))
    return answers


def reflected(rng, eigenvalues, c, linear=0.0):
    """½(x − c)ᵀQΛQ(x − c) + linear·Σx, with Q a reflection, in O(n)."""
    v = rng.standard_normal(eigenvalues.size)
    v /= np.linalg.norm(v)

    def fun(x):
        z = (x - c) - 2.0 * v * anp.dot(v, x - c)
        return 0.5 * anp.dot(eigenvalues, z * z) + linear * anp.sum(x)

    return fun


@pytest.mark.parametrize("lowest", [-1e-2, -1.0, -100.0])
def test_products_find_the_negative_curvature_among_two_thousand_directions(lowest):
    n, rng = 2000, np.random.default_rng(7)
    eigenvalues = rng.uniform(1.0, 2.0, n)
    eigenvalues[n // 3] = lowest
    c = rng.standard_normal(n)
    fun = reflected(rng, eigenvalues, c)
    evaluator = Evaluator(Objective(fun), second_order=True)
    verdict = product_verdict(evaluator, c, evaluator.gradient(c))
    assert verdict.kind == "saddle"
    assert verdict.eigenvalues[0] < 0.0
    v = verdict.escape_direction
    assert np.linalg.norm(v) == pytest.approx(1.0, rel=1e-12)
    assert fun(c + 1e-3 * v) < fun(c), "the direction proves what the verdict says"
    assert evaluator.counts.Hv <= 50


def test_products_call_a_well_conditioned_minimum_one_also_at_two_thousand():
    n, rng = 2000, np.random.default_rng(8)
    c = rng.standard_normal(n)
    evaluator = Evaluator(Objective(reflected(rng, rng.uniform(1.0, 2.0, n), c)), second_order=True)
    verdict = product_verdict(evaluator, c, evaluator.gradient(c))
    assert verdict.kind == "minimum"
    assert verdict.level == "estimated"


@EXAMPLES
@given(st.sampled_from([0, 1, 7, 49, 50]), seeds, st.floats(0, 1e-5))
def test_products_and_full_hessian_agree_on_regular_critical_points_at_n_50(index, seed, beside):
    n, rng = 50, np.random.default_rng(seed)
    eigenvalues = rng.uniform(1.0, 2.0, n)
    eigenvalues[:index] *= -1.0
    c = rng.standard_normal(n)
    dense, products = both_verdicts(reflected(rng, eigenvalues, c), c + beside * rng.standard_normal(n))
    assert dense.kind == products.kind == kind_of(index, n)


@pytest.mark.parametrize(
    "case",
    ["convex", "concave", "indefinite", "linear", "nearly linear", "flat valley with a slope", "tiny unit"],
)
def test_products_and_full_hessian_agree_that_a_point_is_not_critical_at_n_50(case):
    """A claim of convergence rests on this: a small gradient far from any critical point must not pass."""
    n, rng = 50, np.random.default_rng(11)
    positive = rng.uniform(1.0, 2.0, n)
    signs = np.where(np.arange(n) < 9, -1.0, 1.0)
    flat = np.where(np.arange(n) < 9, 0.0, positive)
    fun = {
        "convex": reflected(rng, positive, np.zeros(n)),
        "concave": reflected(rng, -positive, np.zeros(n)),
        "indefinite": reflected(rng, signs * positive, np.zeros(n)),
        "linear": reflected(rng, 0.0 * positive, np.zeros(n), linear=1e-6),
        "nearly linear": reflected(rng, 1e-12 * positive, np.zeros(n), linear=1e-6),
        "flat valley with a slope": reflected(rng, flat, np.zeros(n), linear=1e-6),
        "tiny unit": reflected(rng, 2.0**-70 * positive, np.zeros(n)),
    }[case]
    x = np.zeros(n) if "valley" in case else np.ones(n)
    dense, products = both_verdicts(fun, x)
    assert dense.kind == "not critical"
    assert products.kind == "not critical"


@EXAMPLES
@given(seeds, st.floats(-2, 2), st.floats(-6, 2))
def test_products_never_contradict_the_full_hessian_at_a_critical_point(seed, low, spread):
    """Whatever the spectrum: they may be undecided, but never say minimum for a saddle nor the reverse."""
    n, rng = 50, np.random.default_rng(seed)
    eigenvalues = low + 10.0**spread * rng.standard_normal(n)
    c = rng.standard_normal(n)
    dense, products = both_verdicts(reflected(rng, eigenvalues, c), c)
    assert products.kind in (dense.kind, "undecided")


def test_a_function_that_returns_its_gradient_in_the_structure_of_its_parameters_is_classified_too():
    def fun(p):
        return float(p["x"] @ p["x"] - p["y"] @ p["y"]), {"x": 2 * p["x"], "y": -2 * p["y"]}

    verdict = classify(fun, {"x": np.zeros(2), "y": np.zeros(1)}, jac=True)
    assert (verdict.kind, verdict.index) == ("saddle", 1)
