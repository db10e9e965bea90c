"""Verdicts in a box: active bounds, multipliers with error bars, and copositivity at weakly active bounds."""

import itertools

import autograd.numpy as np
import pytest
import scipy.optimize

import newtonkit
from newtonkit.classification.copositivity import EXACT_ORDER, least_on_orthant
from newtonkit.classification.large_bounded import large_bounded_verdict
from newtonkit.core.domain import Box
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import DenseSymmetric
from newtonkit.objectives.objective import Objective

NONNEGATIVE = (0.0, None)


def quadratic(A, b=None):
    A = np.array(A, dtype=float)
    b = np.zeros(len(A)) if b is None else np.array(b, dtype=float)
    return lambda x: 0.5 * np.dot(x, np.dot(A, x)) + np.dot(b, x)


# --- copositivity ---------------------------------------------------------------------------------------------------


def lowest_on_a_grid(C, steps=60):
    angles = np.linspace(0.0, np.pi / 2, steps)
    points = [(np.cos(a), np.sin(a) * np.cos(b), np.sin(a) * np.sin(b)) for a, b in itertools.product(angles, repeat=2)]
    return min(float(np.dot(y, np.dot(C, y))) for y in map(np.array, points))


@pytest.mark.parametrize("seed", range(20))
def test_least_value_on_the_orthant_against_a_grid(seed):
    A = np.random.default_rng(seed).standard_normal((3, 3))
    C = A + A.T
    least = least_on_orthant(C)
    assert (least.y >= 0.0).all()
    assert abs(np.linalg.norm(least.y) - 1.0) < 1e-9
    assert abs(least.y @ C @ least.y - least.value) < 1e-9
    on_grid = lowest_on_a_grid(C)
    assert on_grid - 0.02 * np.abs(C).max() <= least.value <= on_grid + 1e-12


def test_horn_matrix_is_copositive_but_not_strictly():
    """Hall & Newman (1963): copositive, not the sum of a semidefinite and a nonnegative matrix."""
    H = np.array([[1, -1, 1, 1, -1], [-1, 1, -1, 1, 1], [1, -1, 1, -1, 1], [1, 1, -1, 1, -1], [-1, 1, 1, -1, 1.0]])
    assert abs(least_on_orthant(H).value) < 1e-12
    assert least_on_orthant(H + 0.01 * np.eye(5)).lower_bound > 0.009
    assert least_on_orthant(H - 0.01 * np.eye(5)).value < -0.009


@pytest.mark.parametrize("seed", range(10))
def test_bounds_for_large_orders_enclose_the_minimum(seed):
    rng = np.random.default_rng(seed)
    small = rng.standard_normal((8, 8))
    small = small + small.T
    m = EXACT_ORDER + 3
    C = np.eye(m) * 100.0
    C[:8, :8] = small  # the other variables only raise the value
    exact, bounds = least_on_orthant(small).value, least_on_orthant(C)
    assert bounds.lower_bound <= exact + 1e-10
    assert bounds.value >= exact - 1e-10
    assert bounds.value < 0.0  # refuted, as are all eight of order 8
    assert abs(bounds.y @ C @ bounds.y - bounds.value) < 1e-9


def test_a_large_strictly_copositive_matrix_is_recognized():
    m = EXACT_ORDER + 5
    C = 5.0 * np.ones((m, m)) - 4.0 * np.eye(m)  # eigenvalues -4 and 5m - 4
    assert np.linalg.eigvalsh(C)[0] < 0.0
    assert least_on_orthant(C).lower_bound > 0.0


def test_a_large_positive_definite_matrix_is_recognized():
    m = EXACT_ORDER + 2
    A = np.random.default_rng(0).standard_normal((m, m))
    assert least_on_orthant(A @ A.T + 0.1 * np.eye(m)).lower_bound >= 0.1


# --- verdicts -------------------------------------------------------------------------------------------------------


def test_equal_eigenvalues_but_only_one_of_two_is_a_minimum():
    first, second = [[2, 4], [4, 2]], [[2, -4], [-4, 2]]
    assert np.allclose(np.linalg.eigvalsh(first), np.linalg.eigvalsh(second))
    minimum = newtonkit.classify(quadratic(first), [0.0, 0.0], bounds=[NONNEGATIVE] * 2)
    saddle = newtonkit.classify(quadratic(second), [0.0, 0.0], bounds=[NONNEGATIVE] * 2)
    assert (minimum.kind, saddle.kind) == ("minimum", "saddle")
    assert minimum.weakly_active.tolist() == [True, True]
    assert (saddle.escape_direction > 0.0).all()


def test_weakly_active_bounds_with_free_variables_by_the_schur_complement():
    """f = x²/2 + cxy + y²/2 at 0 with x ≥ 0: 1 − c² decides, although the diagonal is positive."""
    for c, kind in ((0.5, "minimum"), (1.5, "saddle"), (-1.5, "saddle"), (1.0, "undecided")):
        f = quadratic([[1.0, c], [c, 1.0]])
        verdict = newtonkit.classify(f, [0.0, 0.0], bounds=[NONNEGATIVE, (None, None)])
        assert verdict.kind == kind, c
        if kind == "saddle":
            d = verdict.escape_direction
            assert d[0] > 0.0
            assert f(1e-3 * d) < 0.0


@pytest.mark.parametrize("seed", range(30))
def test_random_quadratics_at_a_vertex_agree_with_values_on_rays(seed):
    """At 0 with zero multipliers the kind is decided by the sign of f along all rays into the orthant."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((3, 3))
    A = A + A.T + 1.5 * np.eye(3)
    units = 10.0 ** rng.integers(-3, 4, 3)
    f = quadratic(A * np.outer(units, units))
    verdict = newtonkit.classify(f, np.zeros(3), bounds=[NONNEGATIVE] * 3)
    lowest = lowest_on_a_grid(A)
    assert verdict.kind == ("minimum" if least_on_orthant(A).value > 0.0 else "saddle")
    assert lowest < 0.0 or verdict.kind == "minimum" or least_on_orthant(A).value > -0.1


def test_the_sentence_counts_bounds_and_gives_multiplier_and_eigenvalue():
    def f(x):
        return 0.3 * x[0] + 2.0 * x[1] + 0.5 * (x[2] - 1.0) ** 2 + 0.195 * x[3] ** 2 + x[4] ** 2 + 1.7 * (1.0 - x[5])

    verdict = newtonkit.classify(
        f, [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], bounds=[(0, 1), (0, 1), (0, 2), (-1, 1), (0, 1), (0, 1)]
    )
    assert str(verdict).startswith("global minimum on the box: f is convex")
    assert verdict.reason.endswith(
        "4 of 6 variables at bounds (3 strongly active, smallest multiplier 0.3; 1 weakly), 2 free, eigenvalues ≥ 0.39"
    )
    assert verdict.active.tolist() == [-1, -1, 0, 0, -1, 1]
    assert np.allclose(verdict.multipliers, [0.3, 2.0, 0.0, 0.0, 0.0, 1.7])
    assert (verdict.multiplier_errors[:2] < 1e-12).all()
    assert verdict.index == 0
    assert len(verdict.eigenvalues) == 2


def test_fixed_variables_are_neither_active_nor_free():
    verdict = newtonkit.classify(quadratic(np.eye(3)), [2.0, 0.0, 0.0], bounds=[(2, 2), (-1, 1), (-1, 1)])
    assert verdict.kind == "minimum"
    assert verdict.active.tolist() == [0, 0, 0]
    assert "1 fixed, 2 free" in verdict.reason


def test_a_saddle_within_a_face():
    verdict = newtonkit.classify(
        lambda x: x[0] + x[1] ** 2 - x[2] ** 2 + x[2] ** 4, np.zeros(3), bounds=[NONNEGATIVE, (-1, 1), (-1, 1)]
    )
    assert (verdict.kind, verdict.index) == ("saddle", 1)
    assert np.allclose(np.abs(verdict.escape_direction), [0.0, 0.0, 1.0])


def test_a_maximum_of_the_face_is_a_saddle_of_the_box_if_a_bound_is_strongly_active():
    assert newtonkit.classify(lambda x: x[0] - x[1] ** 2, [0.0, 0.0], bounds=[NONNEGATIVE, (-1, 1)]).kind == "saddle"
    weak = newtonkit.classify(lambda x: -(x[0] ** 2) - x[1] ** 2, [0.0, 0.0], bounds=[NONNEGATIVE, (-1, 1)])
    assert weak.kind == "maximum"


def test_a_wrong_multiplier_is_not_critical_and_the_lower_point_lies_in_the_box():
    def f(x):
        assert (x >= 0.0).all()
        return (x[0] - 1.0) ** 2 + (x[1] - 1.0) ** 2

    verdict = newtonkit.classify(f, [0.0, 0.0], bounds=[NONNEGATIVE] * 2)
    assert verdict.kind == "not critical"
    claim = scipy.optimize.OptimizeResult(x=np.zeros(2), success=True)
    checked = newtonkit.check_result(f, claim, bounds=[NONNEGATIVE] * 2)
    assert checked.contradicted
    assert (checked.escape.x >= 0.0).all()
    assert checked.escape.fun < 2.0


def test_a_tiny_wrong_multiplier_is_a_minimum_near_the_bound():
    """The minimum lies 1e-9 from the bound: the distance to it decides, not the sign alone."""
    verdict = newtonkit.classify(lambda x: (x[0] - 1e-9) ** 2, [0.0], bounds=[NONNEGATIVE])
    assert verdict.kind == "minimum"
    assert 0.5e-9 < verdict.distance < 2e-9


def test_a_symmetry_within_a_face_is_a_valley():
    """A ring of minimizers on the face x₀ = 0; the Hessian at a point with a gradient shows ±‖g‖/‖x‖ along it."""

    def ring(x):
        return x[0] + (x[1] ** 2 + x[2] ** 2 - 1.0) ** 2

    for r in (1.0, 1.0 + 1e-9, 1.0 - 1e-9):
        verdict = newtonkit.classify(ring, [0.0, 0.6 * r, 0.8 * r], bounds=[NONNEGATIVE, (-2, 2), (-2, 2)])
        assert verdict.kind == "valley"
        assert verdict.flat_dimension == 1


def test_a_result_of_an_interior_point_method_counts_as_being_at_the_bound():
    def f(x):
        return x[0] + 0.1 * x[0] ** 2 + (x[1] - 1.0) ** 2

    result = scipy.optimize.minimize(f, [0.5, 0.5], method="trust-constr", bounds=[(0, 2), (0, 2)])
    assert result.x[0] > 0.0
    checked = newtonkit.check_result(f, result, bounds=[(0, 2), (0, 2)])
    assert checked.verdict.kind == "minimum"
    assert checked.verdict.active.tolist() == [-1, 0]


def test_a_free_variable_near_a_bound_is_not_moved_onto_it():
    verdict = newtonkit.classify(lambda x: (x[0] - 1e-5) ** 2, [1.00001e-5], bounds=[NONNEGATIVE])
    assert verdict.active.tolist() == [0]
    assert verdict.kind == "minimum"


@pytest.mark.parametrize("derivatives", ["tape", "autograd", "differences"])
def test_user_code_is_never_called_outside_the_box(derivatives):
    def f(x):
        values = x
        while hasattr(values, "_value"):  # autograd's boxes
            values = values._value
        assert (values >= 0.0).all(), values
        assert (values <= 1.0).all(), values
        return x[0] + (x[1] - 1.0) ** 2 + np.exp(x[2] * x[1]) + (x[3] - 0.5) ** 4

    bounds = [(0, 1)] * 4
    for x in itertools.product((0.0, 1e-12, 1.0), repeat=4):
        newtonkit.classify(f, np.array(x), bounds=bounds, derivatives=derivatives)
    claim = scipy.optimize.OptimizeResult(x=np.array([0.5, 0.0, 1.0, 0.1]), success=True)
    assert newtonkit.check_result(f, claim, bounds=bounds).escape is not None


def test_functions_that_cannot_be_traced_are_differenced_within_the_box():
    def f(x):
        assert (x >= 0.0).all()
        return float(x[0]) + (float(x[1]) - 1.0) ** 2

    verdict = newtonkit.classify(f, [0.0, 1.0], bounds=[NONNEGATIVE] * 2)
    assert verdict.kind == "minimum"
    assert verdict.active.tolist() == [-1, 0]


# --- many variables -------------------------------------------------------------------------------------------------


def large(A, b, x, **kwargs):
    A, b = np.array(A, dtype=float), np.array(b, dtype=float)
    evaluator = Evaluator(
        Objective(lambda x: 0.5 * x @ A @ x + b @ x, lambda x: A @ x + b, lambda x: A),
        domain=Box(np.zeros(len(b)), np.full(len(b), 5.0)),
    )
    x = np.array(x, dtype=float)
    return large_bounded_verdict(evaluator, x, A @ x + b, DenseSymmetric(A), **kwargs)


def test_large_verdicts_by_a_factorization():
    strong = large(np.eye(3), [1.0, -1.0, -2.0], [0.0, 1.0, 2.0])
    assert strong.kind == "minimum"
    assert strong.active.tolist() == [-1, 0, 0]
    assert large([[2, 4], [4, 2]], [0, 0], [0, 0]).kind == "minimum"
    refuted = large([[2, -4, 0], [-4, 2, 0], [0, 0, 1]], [0, 0, -1], [0, 0, 1])
    assert refuted.kind == "saddle"
    assert (refuted.escape_direction[:2] > 0.0).all()
    assert large([[1, 1.5], [1.5, 1]], [0, -1], [0, 1]).kind == "minimum"  # multiplier 1.5
    assert large([[1, 0, 0], [0, -1, 0], [0, 0, 1]], [1, 1, -1], [0, 1, 1]).kind == "saddle"
    assert large(np.eye(2), [-1.0, -1.0], [0.0, 1.0]).kind == "not critical"


def test_large_verdicts_by_products():
    n = 1500
    d = np.linspace(1.0, 2.0, n)

    def f(sign):
        return lambda x: np.sum(d * (x - 1.0) ** 2) * sign + 1e-3 * np.sum(x[10:] - 1.0) ** 2 + 5.0 * np.sum(x[:10])

    x = np.where(np.arange(n) < 10, 0.5, 1.0)
    verdict = newtonkit.classify(f(1.0), x, bounds=[(0.5, 2.0)] * n)
    assert verdict.kind == "minimum"
    assert verdict.active.tolist() == [-1] * 10 + [0] * (n - 10)
    assert newtonkit.classify(f(-1.0), x, bounds=[(0.5, 2.0)] * n).kind == "saddle"
