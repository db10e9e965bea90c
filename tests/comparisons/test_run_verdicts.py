"""Verdicts at the ends of runs are compared with a truth that does not come from them."""

from __future__ import annotations

import numpy as np
import pytest

from comparisons.studies.critical_points.run_verdicts import judged_run, run_table
from comparisons.studies.critical_points.verdict_families import families, symmetric_families, truth

SMALL = ("Lennard-Jones 3", "factorization 3×3, rank 1", "hat 2", "softmax 2×3", "distances 4 in 2D", "himmelblau")


@pytest.mark.parametrize("method", ["newton", "bfgs"])
def test_at_small_families_no_verdict_is_wrong_and_none_costs_more_than_its_allowance(method):
    runs = [judged_run(family, method, 1e-8) for family in families(0) if family.name in SMALL]
    assert len(runs) == len(SMALL)
    assert {run.outcome for run in runs} <= {"right", "undecided"}
    assert all(run.within for run in runs)
    assert run_table(runs).rows[-1][:2] == ["all", str(len(SMALL))]


def test_the_truth_knows_minima_and_saddles_without_a_verdict():
    family = next(family for family in symmetric_families(0) if family.name == "hat 5")
    assert truth(family, np.array([0.48, 0.64, 0.6, 0.0, 0.0])) == "flat minimum"
    factorization = next(family for family in symmetric_families(0) if family.name == "factorization 3×3, rank 1")
    assert truth(factorization, np.zeros(6) + 1e-9) in ("saddle", "unknown")


@pytest.mark.parametrize(("seed", "method"), [(45, "newton"), (47, "newton-cg"), (60, "cg")])
def test_a_gradient_of_the_size_of_noise_still_explains_an_eigenvalue_of_a_symmetry(seed, method):
    """The minima of (‖x‖² − 1)² are a circle. At x the Hessian has the eigenvalue 4(‖x‖² − 1) along it: no minimum."""
    family = next(family for family in symmetric_families(seed) if family.name == "hat 2")
    run = judged_run(family, method, 1e-8)
    assert run.result.success
    assert run.outcome == "right"
