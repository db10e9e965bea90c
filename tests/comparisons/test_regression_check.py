"""The regression check lists exactly the cells whose ending, accuracy or cost has changed."""

from dataclasses import replace

import numpy as np
import pytest

import problems
from comparisons.core.endings import Ending
from comparisons.core.runs import record
from comparisons.running.protocol import Protocol
from comparisons.running.regression_check import changes, stored_runs
from comparisons.running.runner import planned_runs, run_one, run_planned
from comparisons.running.store import Store

PROTOCOL = Protocol(gradients=100, gtol=1e-6)
RUN = run_one(problems.get("booth"), "standard", "bfgs", PROTOCOL)


def with_cost(run, cost):
    """The run with evaluations of f only, as many as this; the last has the value of the end."""
    rows = run.trace.evaluations
    kept = ("gradient_norm", "distance", "nearest", "seconds")
    columns = {name: np.resize(getattr(rows, name), cost) for name in kept}
    f = np.append(np.full(cost - 1, run.f_start), run.f)
    kind, check = np.full(cost, "f"), np.zeros(cost, dtype=bool)
    evaluations = replace(rows, kind=kind, f=f, check=check, iteration=np.zeros(cost, dtype=np.int32), **columns)
    return replace(run, cost=cost, trace=replace(run.trace, evaluations=evaluations))


def inaccurate(run):
    """The same run, whose f never came close to the minimum."""
    rows = run.trace.evaluations
    return replace(run, trace=replace(run.trace, evaluations=replace(rows, f=np.full(len(rows), run.f_start))))


def only(old, new, **options):
    """The one change there is."""
    (change,) = changes([old], [new], **options)
    return change


def test_a_comparison_has_not_changed_against_itself():
    assert changes([RUN], [RUN]) == []


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [("global", "saddle", False), ("local", "global", True), ("saddle", "budget", None), ("diverged", "local", True)],
)
def test_another_ending_is_an_improvement_if_it_is_a_minimum(before, after, better):
    change = only(replace(RUN, ending=before), replace(RUN, ending=after))
    assert (change.what, change.before, change.after, change.better) == ("ending", before, after, better)


def test_a_lost_accuracy_with_the_same_ending_is_a_change():
    change = only(RUN, inaccurate(RUN))
    assert (change.what, change.before, change.after, change.better) == ("accuracy", "reached", "not reached", False)


@pytest.mark.parametrize(("cost", "changed"), [(110, False), (111, True), (91, False), (90, True)])
def test_a_cost_has_changed_if_the_larger_is_more_than_a_tenth_above_the_smaller(cost, changed):
    found = changes([with_cost(RUN, 100)], [with_cost(RUN, cost)])
    assert bool(found) == changed
    if changed:
        assert found[0].better == (cost < 100)
        assert found[0].sentence.startswith(f"bfgs on booth from 'standard': cost 100 → {cost}, ")


def test_the_share_can_be_chosen():
    assert changes([with_cost(RUN, 10)], [with_cost(RUN, 20)], share=1.0) == []
    with pytest.raises(ValueError, match="share must be at least 0, got -1"):
        changes([RUN], [RUN], share=-1)


def test_the_cost_of_a_run_that_is_not_solved_is_no_change():
    lost = replace(inaccurate(RUN), ending=Ending.BUDGET)
    assert changes([lost], [replace(lost, cost=9 * lost.cost)]) == []


def test_a_cell_in_only_one_comparison_is_left_out():
    assert changes([RUN], [replace(RUN, start="far", ending=Ending.SADDLE)]) == []


def test_the_last_run_of_a_cell_counts_and_runs_under_another_protocol_do_not(tmp_path):
    path = tmp_path / "runs.sqlite"
    identity = {"problem": "booth", "start": "standard", "method": "bfgs"}
    plain = {"mode": "budget", "gtol": 1e-6, "gradients": 100, "tuning_gradients": 500, "seed": 0}
    with Store(path) as store:
        for version, cost in ("1", 10), ("2", 20):
            run = replace(RUN, cost=cost)
            store.append(
                identity | {"protocol": plain, "versions": {"newtonkit": version}}, record(run), run.trace.arrays()
            )
        other = plain | {"gradients": 7}
        store.append(identity | {"protocol": other, "versions": {}}, record(RUN), RUN.trace.arrays())
    assert [run.cost for run in stored_runs(path, PROTOCOL)] == [20]
    with pytest.raises(ValueError, match=r"holds no run under the protocol .*\"seed\":1.*: its runs were made under"):
        stored_runs(path, Protocol(seed=1))


def test_a_stored_comparison_has_not_changed_against_itself_run_again(tmp_path):
    work = planned_runs(["booth", "beale"], ["newton", "scipy:BFGS"])
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        run_planned(work, PROTOCOL, store=store)
    assert changes(stored_runs(path, PROTOCOL), run_planned(work, PROTOCOL), share=0.0) == []
