"""Checks by values of f are made in a box too, and evaluate f inside it only."""

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit

METHODS = ["newton", "bfgs", "lbfgs", "cg"]
UNIT = [(0, 1)] * 2


def inside(fun, lower, upper):
    """The function, which raises outside the box."""

    def guarded(x):
        value = x
        while hasattr(value, "_value"):
            value = value._value
        value = np.asarray(value, dtype=float)
        if not ((value >= lower) & (value <= upper)).all():
            raise AssertionError(f"called outside the box, at {value}")
        return fun(x)

    return guarded


def bowl(x):
    return ((x - 0.3) ** 2).sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("x0", [[0.9, 0.8], [1.0, 0.8]])
def test_a_gradient_of_zero_that_values_contradict_is_no_success(method, x0):
    result = newtonkit.minimize(inside(bowl, 0.0, 1.0), x0, jac=lambda x: 0.0 * x, method=method, bounds=UNIT)
    assert not result.success
    assert "by differences of f" in result.message


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("x0", [[0.9, 0.8], [1.0, 0.8], [1.0 - 1e-9, 0.8]])
def test_a_gradient_of_the_wrong_sign_is_named(method, x0):
    result = newtonkit.minimize(inside(bowl, 0.0, 1.0), x0, jac=lambda x: 0.6 - 2.0 * x, method=method, bounds=UNIT)
    assert not result.success
    # from the vertex at which every variable is held nothing can be measured
    assert "the gradient looks wrong" in result.message or result.verdict.active.all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("fun", "x0", "best"),
    [
        (lambda x: -(x[0] ** 2) + (x[1] - 2.0) ** 2, [0.0, 0.5], 0.0),
        (lambda x: -(x[0] ** 4) + (x[1] - 2.0) ** 2, [0.0, 0.5], 0.0),
        (lambda x: (x[0] - 0.5) ** 3 - x[1], [0.5, 0.5], -4.375),
        (lambda x: -((x[0] - 1.0 + 1e-9) ** 4) - x[1], [1.0 - 1e-9, 0.5], -1.0),
        (lambda x: anp.sin(8.0 * x[0]) + x[1] ** 2 * x[0], [np.pi / 16, 0.0], -1.0),
    ],
    ids=["saddle on a face", "degenerate saddle on a face", "cubic", "maximum near a bound", "maximum in the box"],
)
def test_saddles_are_left_without_a_call_outside(method, fun, x0, best):
    guarded = inside(fun, -1.0, 1.0)
    result = newtonkit.minimize(guarded, x0, method=method, bounds=[(-1, 1)] * 2, options={"tape": False})
    assert result.success, result.message
    assert result.fun <= best + 1e-8


@pytest.mark.parametrize("method", [*METHODS, "newton-cg", "cubic", "sr1"])
def test_a_saddle_is_left_within_its_face_without_a_call_outside(method):
    """x₀ is held at its bound by a multiplier of 1; x₁ starts at a maximum of the face, x₂ at a minimum of it."""
    lower, upper = np.array([0.0, -0.4, -0.1]), np.array([1.0, 0.5, 0.1])
    fun = inside(lambda x: x[0] + x[1] ** 4 - x[1] ** 2 + x[2] ** 2 + x[0] * x[1], lower, upper)
    bounds = np.column_stack([lower, upper])
    result = newtonkit.minimize(fun, np.zeros(3), method=method, bounds=bounds, options={"tape": False})
    assert result.success, result.message
    assert result.verdict.kind == "minimum"
    np.testing.assert_array_equal(result.verdict.active[1:], [np.sign(result.x[1]), 0.0])
    assert result.x[0] == 0.0
    assert result.x[1] in (-0.4, 0.5)  # both are minima of the face


@pytest.mark.parametrize("value", [0.0, 1e6])
@pytest.mark.parametrize("method", ["newton", "newton-cg", "cubic", "sr1", "lbfgs", "cg", "gd-linesearch"])
def test_a_fixed_variable_changes_nothing_for_the_others(method, value):
    """The iterates are those without the variable, whatever its value and the slope along it are."""

    def rosenbrock(x):
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    box, options = [(-2.0, 0.5), (-2.0, 2.0)], {"gtol": 1e-8}
    removed = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method=method, bounds=box, options=options)
    fixed = newtonkit.minimize(
        lambda x: rosenbrock(x) + 16.0 * (x[2] - value),
        [-1.2, 1.0, value],
        method=method,
        bounds=[*box, (value, value)],
        options=options,
    )
    assert fixed.success
    np.testing.assert_array_equal(fixed.x, [*removed.x, value])
    assert (fixed.nfev, fixed.njev, fixed.nhev, fixed.nhvp) == (
        removed.nfev, removed.njev, removed.nhev, removed.nhvp,
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_noise_is_measured_inside_the_box(method):
    def noisy(x):
        return bowl(x) + 1e-7 * np.sin(1e9 * x.sum())

    result = newtonkit.minimize(
        inside(noisy, 0.0, 1.0),
        [1.0, 1.0],
        jac=lambda x: 2.0 * (x - 0.3) + 1e-3 * np.sin(1e8 * x),
        method=method,
        bounds=UNIT,
    )
    assert not result.success or np.abs(result.x - 0.3).max() < 1e-3
    np.testing.assert_allclose(result.x, 0.3, atol=2e-3)


@pytest.mark.parametrize("distance", [1e-3, 1e-5])
def test_the_way_to_a_bound_is_a_part_of_what_is_left_to_gain(distance):
    """x₀ is close to a bound that its Newton step passes: the face is minimal, but the point is not."""
    fun = lambda x: (x[0] + 1.0) ** 2 + (x[1] - 0.5) ** 2  # noqa: E731
    verdict = newtonkit.classify(fun, [distance, 0.5], bounds=UNIT)
    assert verdict.active[0] == -1
    assert verdict.decrease == pytest.approx(2.0 * distance + distance**2, rel=1e-6)
    assert verdict.newton_step == pytest.approx(distance, rel=1e-6)
