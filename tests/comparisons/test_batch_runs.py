"""Methods on mini-batches: the loss of all samples is f, and runs are recorded by passes over the data."""

import numpy as np
import pytest

import problems
from comparisons import compare
from comparisons.core.scored import score_runs
from comparisons.running.batch_runs import BATCH_TOLERANCE
from comparisons.running.protocol import Protocol
from comparisons.running.solvers import as_solver
from comparisons.scores.kinds import KINDS, MINI_BATCHES, kinds

QUICK = Protocol(gradients=100, tuning_gradients=20)
WITH_SAMPLES = ("breast-cancer-logistic", "digits-softmax", "moons-network")


@pytest.mark.parametrize("name", WITH_SAMPLES)
def test_the_loss_of_all_samples_is_the_function(name):
    problem = problems.get(name)
    x = problem.starts["standard"] + 0.1 * np.random.default_rng(0).standard_normal(problem.n)
    assert problem.samples.loss(x, problem.samples.data) == pytest.approx(problem.fun(x), rel=1e-12)


@pytest.fixture(scope="module")
def found():
    return compare(["breast-cancer-logistic", "booth"], ["lbfgs", "adam[batch=64]"], "standard", protocol=QUICK)


def test_a_pass_over_the_data_costs_one_gradient(found):
    run = next(run for run in found.runs if run.method == "adam[batch=64]" and run.n == 31)
    assert run.counts.g == run.counts.f == run.nit == 10
    assert run.tuning.rate > 0
    assert run.f < 0.5 * run.f_start


def test_a_problem_without_samples_is_not_run(found):
    run = next(run for run in found.runs if run.method == "adam[batch=64]" and run.n == 2)
    assert run.ending == "not run"
    assert "takes mini-batches" in run.message


def test_the_report_lists_the_sums_a_second_time_to_one_percent(found):
    by_name = {kind.name: kind for kind in kinds(found.scored, None, score_runs(found.runs, BATCH_TOLERANCE))}
    assert set(by_name) == {KINDS[0], KINDS[3], MINI_BATCHES}
    assert by_name[MINI_BATCHES].tolerance == BATCH_TOLERANCE
    assert by_name[KINDS[3]].tolerance == found.protocol.scored_tolerance


def test_only_a_first_order_rule_has_a_batch_size():
    assert as_solver("adam[batch=32]").batch == 32
    with pytest.raises(ValueError, match="lbfgs has no parameter 'batch'"):
        as_solver("lbfgs[batch=32]")
    with pytest.raises(ValueError, match="batch"):
        as_solver("adam[batch=0]")
