"""Runs of methods on problems: records agree with what happened."""

import dataclasses
import json
import math

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

import newtonkit
import problems
from comparisons.core import runs as records
from comparisons.core.runs import Run, read_jsonl, write_jsonl
from comparisons.core.scored import score_runs
from comparisons.running import runner, tuning
from comparisons.running import scipy_solvers as reference
from comparisons.running.runner import PlannedRuns, Protocol, planned_runs, run_one, run_planned
from comparisons.running.store import Store
from newtonkit import Budget, Counts, TerminationReason

SCIPY = reference.solver_names()
QUICK = Protocol(gradients=200, tuning_gradients=100)


@pytest.fixture(scope="module")
def beale_runs():
    return run_planned(planned_runs(["beale"], ["newton", "bfgs", "adam", *SCIPY]), QUICK)


def test_one_run_for_each_problem_method_and_start():
    work = planned_runs(["strict-saddle"], ["newton", "scipy:BFGS"], ["standard", "stable-manifold", "no such start"])
    runs = run_planned(work)
    assert [(run.method, run.start) for run in runs] == [
        (method, start) for method in ("newton", "scipy:BFGS") for start in ("standard", "stable-manifold")
    ]


def test_several_processes_give_the_same_runs_as_one():
    work = planned_runs(["beale", "booth"], ["newton", "gd", "scipy:L-BFGS-B"])

    def figures(runs):
        return [(r.problem, r.method, r.f, r.cost, r.reason, r.trace.points) for r in runs]

    done = []
    parallel = run_planned(work, QUICK, jobs=2, on_done=done.append)
    # NaN in scipy's traces is equal to nothing, so the texts are compared
    assert repr(figures(parallel)) == repr(figures(run_planned(work, QUICK)))
    assert sorted(map(repr, done)) == sorted(map(repr, work))


@pytest.mark.parametrize("method", SCIPY)
def test_our_counters_count_the_calls_that_scipy_really_makes(method):
    problem = problems.get("beale")
    calls = Counts()

    def fun(x):
        calls.f += 1
        return problem.fun(x)

    def jac(x):
        calls.g += 1
        return newtonkit.grad(problem.fun)(x)

    def hess(x):
        calls.H += 1
        return newtonkit.hessian(problem.fun)(x)

    def hessp(x, p):
        calls.Hv += 1
        return newtonkit.hvp(problem.fun)(x, p)

    name = method.removeprefix("scipy:")
    x0 = np.array(problem.starts["standard"])
    second = {key: given for key, given in (("hess", hess), ("hessp", hessp)) if key in reference.SOLVERS[name]}
    scipy_minimize(fun, x0, method=name, jac=jac, **second, options=reference._options(name, 1e-8, 2000))
    end = reference.solve(problem, x0, name, gtol=1e-8, maxiter=2000, budget=Budget())
    assert end.evaluator.counts == calls


@pytest.mark.parametrize("method", SCIPY)
def test_a_budget_stops_scipy_from_outside_and_keeps_the_best_point(method):
    problem = problems.get("rosenbrock")
    x0 = np.array(problem.starts["standard"])
    budget = Budget(maxfev=50, maxgev=5)
    end = reference.solve(problem, x0, method.removeprefix("scipy:"), gtol=1e-8, maxiter=2000, budget=budget)
    assert end.reason == "EVALUATIONS"
    assert not end.success
    assert end.evaluator.counts.g <= 5
    assert end.f == problem.fun(end.x) <= problem.fun(x0)


def test_a_trace_begins_at_the_start_and_its_cost_never_falls(beale_runs):
    for run in beale_runs:
        assert run.trace[0].f == run.f_start
        assert run.trace[0].x == tuple(problems.get("beale").starts["standard"])
        costs = [point.cost for point in run.trace]
        assert costs == sorted(costs)
        assert costs[-1] <= run.cost
        assert len(run.trace) == run.nit + 1


def test_cost_weighs_evaluations_by_the_theory_of_automatic_differentiation():
    assert records.cost(Counts(f=3, g=2, H=1, Hv=5), hessian_products=10) == 3 + 2 * 2 + 4 * 5 + 4 * 10 * 1


def test_a_record_names_the_known_point_that_was_reached(beale_runs):
    for run in beale_runs:
        if run.method == "adam":
            continue
        assert run.reached == "minimum"
        assert run.reached_f == 0.0
        assert run.verdict == "minimum"
        assert run.gap == pytest.approx(0.0, abs=1e-12)
        assert run.at_minimum


def test_runs_survive_being_written_and_read(beale_runs, tmp_path):
    odd = dataclasses.replace(beale_runs[0], f=math.nan, gap=math.inf, seconds=-math.inf)
    path = tmp_path / "runs.jsonl"
    write_jsonl([*beale_runs, odd], path)
    again = list(read_jsonl(path))
    assert repr([*beale_runs, odd]) == repr(again)
    for line in path.read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_line_that_is_no_run_is_named(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text('{"problem": "beale"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        list(read_jsonl(path))


def test_a_run_holds_everything_that_may_change_its_figures(beale_runs):
    names = {field.name for field in dataclasses.fields(Run)}
    assert names >= {
        "problem",
        "method",
        "options",
        "start",
        "versions",
        "counts",
        "seconds",
        "reason",
        "verdict",
        "trace",
    }
    assert set(beale_runs[0].versions) == {"python", "newtonkit", "numpy", "scipy", "autograd"}


def test_a_learning_rate_is_tuned_on_another_start_than_those_reported():
    for name in problems.names(None):
        if name in problems.names("data"):
            continue
        problem = problems.get(name)
        held_out = tuning.held_out_start(problem)
        assert all((held_out != start).any() for start in problem.starts.values())
        assert np.isfinite(problem.fun(held_out))


def test_tuning_finds_the_best_rate_of_gradient_descent_on_a_quadratic():
    # 2/(λ₁ + λ₂) = 0.952 is the best fixed rate on x²/20 + y²; 1 makes y oscillate without end
    problem = problems.get("long-ellipse")
    found = tuning.tune(problem, "gd", budget=500, grid=(0.01, 0.1, 0.5, 0.95, 1.0, 10.0))
    assert found.rate == 0.95
    assert set(found.converged) == {0.5, 0.95}  # 0.1 needs 690 steps


def test_a_tuned_rate_is_used_and_stated(beale_runs):
    run = next(run for run in beale_runs if run.method == "adam")
    assert run.options["rate"] == run.tuning.rate
    assert run.tuning.rate in run.tuning.grid == tuning.GRID


def test_a_method_without_a_rate_is_not_tuned(beale_runs):
    assert all(run.tuning is None for run in beale_runs if run.method != "adam")


def test_an_unbounded_problem_has_no_gap_and_no_success():
    run = run_one(problems.get("monkey-saddle"), "standard", "newton")
    assert run.reason == TerminationReason.UNBOUNDED.name
    assert run.gap is None
    assert run.reached is None
    assert not run.success


@pytest.mark.parametrize(
    ("name", "suggestion"), [("scipy:BGFS", "scipy:BFGS"), ("nwton", "newton"), ("scipy:bfgs", None)]
)
def test_a_misspelt_method_is_answered_with_the_nearest_one(name, suggestion):
    if suggestion is None:
        assert runner.canonical_method(name) == "scipy:BFGS"
    else:
        with pytest.raises(ValueError, match=suggestion):
            planned_runs(["beale"], [name])


ENDLESS = Protocol(gradients=10**8, tuning_gradients=10**8)


def test_a_run_that_does_not_end_is_stopped_and_its_evaluations_are_kept():
    work = planned_runs(["rosenbrock"], ["gd[rate=1e-6]"]) + planned_runs(["booth"], ["bfgs"], ["standard", "far"])
    slow, *others = run_planned(work, ENDLESS, seconds=1.0)
    assert slow.reason == "TIME"
    assert not slow.success
    assert "1 s" in slow.message
    assert slow.ending == "budget"
    assert slow.x == slow.x_start
    assert slow.counts == slow.trace.counts()
    assert slow.counts.g > 10
    assert [run.ending for run in others] == ["global", "global"]


def test_each_run_names_the_lost_search_for_its_rate():
    runs = run_planned(planned_runs(["rosenbrock"], ["gd"], ["standard", "x10"]), ENDLESS, seconds=0.2)
    assert [run.reason for run in runs] == ["TIME", "TIME"]
    assert all("learning rate" in run.message for run in runs)


def test_a_comparison_that_is_resumed_is_the_one_that_was_never_interrupted(tmp_path):
    work = planned_runs(["beale", "booth"], ["newton", "gd", "scipy:BFGS"], ["standard", "seeded-1"])
    made = []
    with Store(tmp_path / "runs.sqlite") as store:
        first = run_planned(work[:2], QUICK, store=store)
        both = run_planned(work, QUICK, store=store, on_done=made.append)
        assert len(store) == 12
        assert list(map(repr, both[:4])) == list(map(repr, first))  # seconds too: they were read, not made again
        again = run_planned(work, QUICK, store=store)
        assert len(store) == 12
    assert list(map(repr, again)) == list(map(repr, both))
    assert sorted(map(repr, made)) == sorted(map(repr, work))
    alone = run_planned(work, QUICK)
    assert [(r.x, r.cost, r.reason) for r in alone] == [(r.x, r.cost, r.reason) for r in both]


def test_a_run_that_was_lost_is_made_again_under_other_limits_only(tmp_path):
    work, long = planned_runs(["rosenbrock"], ["gd[rate=1e-6]"]), Protocol(gradients=20_000)
    with Store(tmp_path / "runs.sqlite") as store:
        (lost,) = run_planned(work, long, seconds=0.01, store=store)
        assert lost.reason == "TIME"
        assert repr(run_planned(work, long, seconds=0.01, store=store)) == repr([lost])
        (made,) = run_planned(work, long, seconds=100.0, store=store)
        assert made.reason == "EVALUATIONS"
        assert repr(run_planned(work, long, seconds=0.01, store=store)) == repr([made])
        assert len(store) == 2


def test_another_protocol_is_another_run(tmp_path):
    work = planned_runs(["booth"], ["newton"])
    with Store(tmp_path / "runs.sqlite") as store:
        for protocol in (QUICK, Protocol(), Protocol(seed=1), Protocol(mode="shipped")):
            run_planned(work, protocol, store=store)
        assert len(store) == 4


def test_a_cell_travels_by_name():
    cell = PlannedRuns("quadratic", {"n": 4, "condition": 10.0}, ("standard",), "newton")
    (run,) = run_planned([cell])
    assert run.n == 4
    assert run.problem == "quadratic(n=4, condition=10)"


@pytest.mark.parametrize("method", ["bfgs", "scipy:BFGS", "scipy:trust-exact", "adam"])
def test_a_method_that_is_too_large_for_a_problem_is_not_run_and_says_why(method):
    (run,) = run_planned(planned_runs(["extended-rosenbrock[n=100000]"], [method]))
    assert run.ending == "not run"
    assert run.reason == "SKIPPED"
    assert "100000" in run.message
    assert run.counts == Counts()
    assert not score_runs([run])[0].solved
