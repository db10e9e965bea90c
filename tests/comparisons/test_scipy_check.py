"""The check against scipy passes what it should and fails what it should."""

import dataclasses

import pytest

from comparisons.core.endings import Ending
from comparisons.report.checks import counterpart_table
from comparisons.running import scipy_solvers as reference
from comparisons.running.protocol import Protocol
from comparisons.running.runner import planned_runs, run_planned
from comparisons.running.scipy_check import Agreement, check, counterparts

METHODS = ["newton", "scipy:BFGS", "scipy:trust-exact"]
PROTOCOL = Protocol(gtol=1e-8)
PAIRED = ["newton", "newton-cg", "bfgs", "lbfgs", *reference.solver_names()]


@pytest.fixture(scope="module")
def camel():
    return run_planned(planned_runs(["six-hump-camel"], METHODS), PROTOCOL)


@pytest.fixture(scope="module")
def booth():
    return run_planned(planned_runs(["booth"], METHODS), PROTOCOL)


def only(findings):
    (finding,) = findings
    return finding


def with_ours(runs, **changes):
    return [dataclasses.replace(runs[0], **changes), *runs[1:]]


def test_a_run_that_ends_at_a_verified_minimum_as_low_as_scipys_passes(booth):
    finding = only(check(booth))
    assert finding.passed
    assert "as low as 2 of scipy's 2" in finding.sentence


def test_another_minimum_than_scipys_is_reported_and_not_failed(camel):
    ours, bfgs, _ = camel
    assert bfgs.reached_f != ours.reached_f, "the example has lost its point"
    assert only(check([ours, bfgs])).passed
    assert "elsewhere" in only(check([ours, bfgs])).sentence


def test_a_run_above_scipys_best_on_a_convex_problem_fails(booth):
    finding = only(check(with_ours(booth, f=1e-3)))
    assert not finding.passed
    assert "above scipy:" in finding.sentence


def test_a_run_above_scipys_at_the_same_known_point_fails(camel):
    ours = camel[0]
    same = next(run for run in camel[1:] if run.reached_f == ours.reached_f)
    assert not only(check([dataclasses.replace(ours, f=ours.f + 1e-4), same])).passed


def test_a_run_that_ends_at_a_saddle_or_nowhere_fails(camel):
    assert not only(check(with_ours(camel, reached="saddle", reached_f=0.0, ending=Ending.SADDLE))).passed
    assert not only(check(with_ours(camel, reached=None, reached_f=None, ending=Ending.ELSEWHERE))).passed


def test_a_minimum_confirmed_by_the_hessian_only_passes_and_is_named(camel):
    finding = only(check(with_ours(camel, reached=None, reached_f=None, ending=Ending.LOCAL)))
    assert finding.passed
    assert "which is not in the catalogue" in finding.sentence


def test_a_minimum_without_reported_success_fails(booth):
    finding = only(check(with_ours(booth, success=False, message="stopped after 3 iterations")))
    assert not finding.passed
    assert "stopped after 3 iterations" in finding.sentence


def test_a_run_with_tolerance_zero_need_not_report_success(booth):
    assert only(check(with_ours(booth, success=False, gtol=0.0))).passed


def test_without_a_known_minimum_reported_success_fails():
    runs = run_planned(planned_runs(["monkey-saddle"], METHODS), PROTOCOL)
    assert only(check(runs)).passed
    assert not only(check(with_ours(runs, success=True))).passed


def test_only_newton_bfgs_and_lbfgs_are_checked(booth):
    assert check([dataclasses.replace(booth[0], method="adam")]) == []


# --- counterparts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["beale", "six-hump-camel", "powell-singular", "styblinski-tang"])
def test_each_method_ends_where_its_scipy_counterpart_does(problem):
    found = counterparts(
        run_planned(planned_runs([problem], PAIRED, ["standard", "seeded-1"]), Protocol(gradients=100))
    )
    assert len(found) == 2 * len(reference.solver_names())
    for pair in found:
        assert pair.agreement not in (Agreement.DIFFERENT, Agreement.OURS_LOST), pair.sentence


def test_counterparts_that_differ_in_f_or_index_at_the_same_point_are_found(booth):
    pairs = counterparts(booth)
    (pair,) = pairs
    assert (pair.ours.method, pair.theirs.method, pair.agreement) == ("newton", "scipy:trust-exact", Agreement.SAME)
    assert only(counterparts(with_ours(booth, f=1e-3))).agreement is Agreement.DIFFERENT
    assert only(counterparts(with_ours(booth, index=1))).agreement is Agreement.DIFFERENT
    assert only(counterparts(with_ours(booth, ending=Ending.SADDLE))).agreement is Agreement.OURS_LOST
    assert only(counterparts(with_ours(booth, x=(7.0, 7.0), reached=None, reached_f=None))).agreement is Agreement.APART
    assert "indices (1, 0)" in only(counterparts(with_ours(booth, index=1))).sentence
    assert len(counterpart_table(pairs).rows) == 1
    assert counterparts([run for run in booth if run.start != "standard"]) == []
