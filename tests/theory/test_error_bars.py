"""The true eigenvalues of the Hessian lie inside the bars, wherever the Hessian comes from."""

from __future__ import annotations

import numpy as np
import pytest

from comparisons.studies.critical_points.eigenvalue_truth import measured
from newtonkit import classify
from newtonkit.classification.error_bars import EXACT, GRADIENTS, VALUES


@pytest.mark.parametrize("source", [EXACT, GRADIENTS, VALUES])
def test_true_eigenvalues_lie_inside_the_bars(source):
    """And the bars are no excuse: 1e-12, 1e-6 and 1e-4 of the largest eigenvalue, in nine cases of ten."""
    error, bar = np.array(list(measured(source, range(60)))).T
    assert (error <= bar).all()
    assert np.quantile(bar, 0.9) < {EXACT: 1e-12, GRADIENTS: 1e-6, VALUES: 1e-4}[source]


def opaque(fun):
    return lambda x: float(fun([float(t) for t in x]))


def test_differences_of_f_decide_what_is_far_from_singular():
    for x, kind in [([0.0, 0.0], "saddle"), ([np.pi, 0.0], "minimum"), ([1.0, 0.0], "not critical")]:
        verdict = classify(opaque(lambda x: np.cos(x[0]) + x[1] ** 2), x)
        assert (verdict.kind, verdict.source) == (kind, VALUES)


def test_differences_of_f_cannot_decide_curvature_below_root_eps_and_say_so():
    """The same functions are decided by exact derivatives."""
    for small in (1e-9, -1e-9):
        verdict = classify(opaque(lambda x, c=small: 1.0 + x[0] ** 2 + c * x[1] ** 2), [0.0, 0.0])
        assert verdict.kind == "undecided"
        assert "differences of f know no eigenvalue to better than" in verdict.reason
        exact = classify(lambda x, c=small: 1.0 + x[0] ** 2 + c * x[1] ** 2, [0.0, 0.0])
        assert exact.kind == ("minimum" if small > 0.0 else "saddle")


@pytest.mark.parametrize("small", [1e-9, -1e-9, 0.0])
def test_what_differences_of_f_cannot_tell_of_one_direction_hides_no_other(small):
    """x² and −z² have their signs whatever the curvature along y: a saddle (Cauchy's interlacing theorem)."""

    def fun(x):
        return 1.0 + x[0] ** 2 + small * x[1] ** 2 - x[2] ** 2

    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    for turned in (opaque(fun), opaque(lambda x: fun(Q @ x))):
        verdict = classify(turned, [0.0, 0.0, 0.0])
        assert (verdict.kind, verdict.index, verdict.nullity) == ("saddle", 1, 1)


def test_a_constant_added_to_f_widens_the_bars_of_differences_only():
    fun = opaque(lambda x: x[0] ** 2 - x[1] ** 2)
    bars = [classify(lambda x, c=c: c + fun(x), [0.0, 0.0]).eigenvalue_error for c in (1.0, 1e3, 1e6)]
    assert bars[0] < 1e-4 < 1e-3 < bars[2]
