"""The protocol gives every solver the same, and the trace of a run leaves nothing out."""

import dataclasses
import json
import math

import numpy as np
import pytest

import newtonkit
import problems
from comparisons.core.endings import Ending, classify_ending, count_endings
from comparisons.core.reference import below_reference
from comparisons.core.runs import Tuning, from_record, record
from comparisons.core.scored import score_runs
from comparisons.core.trace import Trace, cost
from comparisons.running import scipy_solvers as reference
from comparisons.running.protocol import SEEDED, Protocol, start_names, start_point
from comparisons.running.recorder import Recorder, reported_trace
from comparisons.running.single_run import run_one
from comparisons.running.solvers import accepted, as_solver, joined_name, split_name
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.registry import METHODS

QUICK = Protocol(gradients=100)
RATE = Tuning(1e-3, (1e-3,), (), "nothing", 1)


def one(problem, method, start="standard", protocol=QUICK):
    solver = as_solver(method)
    return run_one(problems.get(problem), start, solver, protocol, RATE if solver.rate == "tuned" else None)


# --- the trace ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [*METHODS, *reference.solver_names()])
@pytest.mark.parametrize("problem", ["nan-wall", "wood"])
def test_the_rows_of_a_trace_are_what_the_counters_count(method, problem):
    run = one(problem, method)
    assert run.trace.counts() == run.counts
    assert run.trace.counts(checks=True) == run.checks
    assert run.trace.weights().sum() == run.cost == cost(run.counts, run.trace.hessian_products)


def test_a_sparse_hessian_is_charged_one_product_for_each_group_of_columns():
    sparse = one("extended-rosenbrock", "newton")
    again = Trace.from_arrays(sparse.n, sparse.trace.arrays())
    assert sparse.counts.H > 0
    assert sparse.trace.hessian_products == again.hessian_products == 2 < sparse.n
    counts = sparse.counts
    assert sparse.cost == counts.f + 2 * counts.g + 4 * counts.Hv + 4 * 2 * counts.H
    assert one("himmelblau", "newton").trace.hessian_products == 2
    without = one("extended-rosenbrock", "adam").trace
    assert without.sparse_products == 0, "a run without Hessians does not look for the pattern"


def test_a_run_that_leaves_a_saddle_and_is_checked_there_is_traced_to_the_last_evaluation():
    run = one("strict-saddle", "bfgs", "stable-manifold")
    assert any("left a saddle" in note for note in run.trace.iterations.notes), "the example has lost its point"
    assert run.trace.counts() == run.counts
    assert run.trace.counts(checks=True) == run.checks


def test_differences_of_a_gradient_are_counted_one_by_one():
    seen = []
    problem = problems.get("wood")
    objective = newtonkit.Objective(problem.fun, lambda x: np.array(newtonkit.grad(problem.fun)(x), dtype=float))
    evaluator = newtonkit.Evaluator(objective, observer=lambda kind, x, f, g, check: seen.append((kind, check)))
    evaluator.hessian(np.array(problem.starts["standard"]))
    for kind in ("f", "g", "H", "Hv"):
        assert seen.count((kind, False)) == getattr(evaluator.counts, kind)
    assert evaluator.counts.g > problem.n


def test_the_row_of_an_evaluation_holds_its_value():
    problem = problems.get("himmelblau")
    run = run_one(problem, "standard", "newton")
    rows, states = run.trace.evaluations, run.trace.iterations
    assert states.f[0] == run.f_start == rows.f[0]
    assert run.trace[0].gradient_norm == states.gradient_norm[0] == rows.gradient_norm[1]
    assert rows.f[~rows.check & (rows.kind == "f")].min() == run.f
    assert np.isnan(rows.f[rows.kind != "f"]).all()
    assert np.isnan(rows.gradient_norm[rows.kind != "g"]).all()
    last = rows.distance[-1]
    assert last == pytest.approx(run.distance, abs=1e-15)
    assert problem.points[rows.nearest[-1]].f == run.reached_f


def test_seconds_and_iterations_of_a_trace_never_fall_and_a_step_lies_between_its_states():
    run = one("rosenbrock", "lbfgs")
    rows, states = run.trace.evaluations, run.trace.iterations
    assert (np.diff(rows.seconds) >= 0).all()
    assert (np.diff(rows.iteration) >= 0).all()
    for k in range(1, len(states)):
        assert (rows.iteration[states.evaluations[k - 1] : states.evaluations[k]] == k - 1).all()


def test_a_rejected_trial_and_its_radius_are_in_the_trace():
    states = one("rosenbrock", "newton").trace.iterations
    assert not states.accepted.all()
    rejected = np.flatnonzero(~states.accepted)
    assert (states.x[rejected] == states.x[rejected - 1]).all()
    assert np.isfinite(states.radius[1:]).all()


def test_watching_changes_nothing():
    problem = problems.get("rosenbrock")
    x0 = np.array(problem.starts["standard"])
    for name in ("newton", "newton-cg", "bfgs", "lbfgs"):
        method, objective = newtonkit.methods.registry.make_method(name), newtonkit.Objective(problem.fun)
        alone = newtonkit.driver.runner.run(method, objective, x0, newtonkit.Stop())
        watched = newtonkit.driver.runner.run(method, objective, x0, newtonkit.Stop(), observer=Recorder(problem))
        assert (alone.x == watched.x).all()
        assert (alone.nfev, alone.njev, alone.nhev) == (watched.nfev, watched.njev, watched.nhev)


def test_a_trace_survives_as_arrays_and_as_json():
    run = one("wood", "newton")
    again = Trace.from_arrays(run.n, run.trace.arrays())
    from_text = Trace.from_arrays(run.n, json.loads(json.dumps({k: v.tolist() for k, v in run.trace.arrays().items()})))
    for other in (again, from_text):
        for name, column in run.trace.arrays().items():
            np.testing.assert_array_equal(column, other.arrays()[name])
            assert column.dtype.kind == other.arrays()[name].dtype.kind
    assert repr(from_record(record(run), run.trace.arrays())) == repr(run)


def test_a_trace_that_lacks_a_column_or_a_row_is_refused_by_name():
    arrays = one("booth", "newton").trace.arrays()
    with pytest.raises(ValueError, match=r"evaluations\.seconds"):
        Trace.from_arrays(2, {name: column for name, column in arrays.items() if name != "evaluations.seconds"})
    with pytest.raises(ValueError, match=r"iterations\.radius must have"):
        Trace.from_arrays(2, arrays | {"iterations.radius": [1.0]})


def test_what_was_reported_on_the_way_is_the_trace_without_its_iterations():
    problem = problems.get("beale")
    reports = []
    recorder = Recorder(problem, reports.append)
    x0 = np.array(problem.starts["standard"])
    newtonkit.driver.runner.run(
        newtonkit.BFGS(), newtonkit.Objective(problem.fun), x0, newtonkit.Stop(), observer=recorder
    )
    recorder._send(reports.append)
    whole, parts = recorder.trace().evaluations, reported_trace(2, reports).evaluations
    for name in ("kind", "f", "gradient_norm", "distance", "seconds", "check"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert len(reported_trace(2, []).evaluations) == 0


# --- modes, starts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["newton", "lbfgs", "scipy:BFGS", "scipy:L-BFGS-B", "scipy:Newton-CG"])
def test_with_its_own_rules_off_a_solver_goes_further_than_as_shipped(method):
    as_shipped = one("rosenbrock", method, protocol=Protocol(mode="shipped"))
    to_the_end = one("rosenbrock", method, protocol=Protocol())
    assert as_shipped.gtol is None
    assert to_the_end.gtol == 0
    assert to_the_end.cost > as_shipped.cost
    assert to_the_end.gap <= as_shipped.gap


@pytest.mark.parametrize("method", ["newton", "newton-cg", "bfgs", "lbfgs"])
def test_as_shipped_is_what_minimize_does_by_itself(method):
    problem = problems.get("wood")
    run = run_one(problem, "standard", method, Protocol(mode="shipped"))
    result = newtonkit.minimize(problem.fun, problem.starts["standard"], method=method)
    assert run.x == tuple(result.x)
    assert (run.counts.f, run.counts.g, run.nit) == (result.nfev, result.njev, result.nit)


@pytest.mark.parametrize("method", ["gd-linesearch", "momentum", "scipy:BFGS", "scipy:trust-ncg"])
def test_the_budget_is_never_exceeded(method):
    protocol = Protocol(gradients=20)
    run = one("rosenbrock", method, protocol=protocol)
    assert run.reason == "EVALUATIONS"
    assert run.counts.g <= 20
    assert run.counts.f <= 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mode": "fast"}, "budget, shipped"),
        ({"gtol": -1.0}, "gtol"),
        ({"gradients": 0}, "gradients"),
        ({"seed": -1}, "seed"),
        ({"mode": "shipped", "gtol": 1e-6}, "own"),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Protocol(**change)


def test_the_suite_starts_at_the_standard_point_far_out_at_random_and_on_a_line_of_symmetry():
    assert start_names(problems.get("wood")) == ("standard", "x10", *SEEDED)
    assert start_names(problems.get("strict-saddle")) == ("standard", "far", *SEEDED, "stable-manifold")
    assert start_names(problems.get("wood"), "all") == ("standard", "x10", "x100")
    assert start_names(problems.get("wood"), ["standard", "far"]) == ("standard",)


def test_seeded_starts_are_the_same_for_the_same_seed_and_problem_and_differ_otherwise():
    problem = problems.get("rosenbrock", n=4)
    points = [start_point(problem, name, seed) for name in SEEDED for seed in (0, 1)]
    points.append(start_point(problems.get("wood"), "seeded-1", 0))
    assert (start_point(problem, "seeded-1", 0) == points[0]).all()
    for i, x in enumerate(points):
        assert all((x != y).any() for y in points[:i])


def test_seeded_starts_keep_the_scale_of_each_variable():
    problem = problems.get("meyer")  # its standard start is (0.02, 4000, 250)
    x0 = problem.starts["standard"]
    for name in SEEDED:
        assert (np.abs(start_point(problem, name) / x0 - 1) < 0.5).all()


def test_a_seeded_start_lies_where_f_is_finite():
    for name in ("nan-wall", "log-barrier"):
        problem = problems.get(name)
        for start in SEEDED:
            assert math.isfinite(problem.fun(start_point(problem, start)))


def test_an_unknown_start_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="seeded-1"):
        start_point(problems.get("wood"), "seeded1")


# --- solvers by name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("L-BFGS[memory = 20]", "lbfgs[memory=20]"),
        ("scipy:l-bfgs-b[maxcor=20]", "scipy:L-BFGS-B[maxcor=20]"),
        ("adam", "adam"),
        ("adam[rate=tuned]", "adam"),
        ("adam[rate=default]", "adam[rate=default]"),
        ("adam[rate=0.01, amsgrad=true]", "adam[amsgrad=true, rate=0.01]"),
        (newtonkit.LBFGS(memory=7), "lbfgs[memory=7]"),
        (newtonkit.BFGS(), "bfgs"),
        (newtonkit.GradientDescent(rate=0.5), "gd[rate=0.5]"),
    ],
)
def test_a_solver_has_one_name_however_it_is_given(given, label):
    solver = as_solver(given)
    assert solver.label == label
    assert as_solver(label) == solver


def test_parameters_reach_the_method():
    assert as_solver("lbfgs[memory=3]").method().memory == 3
    assert one("rosenbrock", "lbfgs[memory=1]").trace.points != one("rosenbrock", "lbfgs").trace.points
    more = one("wood", "scipy:L-BFGS-B[maxcor=1]")
    assert more.trace.points != one("wood", "scipy:L-BFGS-B").trace.points
    assert more.options == {"maxcor": 1}
    assert one("booth", "gd[rate=0.05]").options == {"rate": 0.05}


def test_a_rate_is_tuned_only_where_none_is_given():
    assert [as_solver(name).rate for name in ("adam", "adam[rate=default]", "adam[rate=0.1]", "bfgs")] == [
        "tuned",
        "default",
        "",
        "",
    ]
    assert as_solver("adam[rate=default]").method().rule.rate == newtonkit.Adam().rate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nwton", "did you mean 'newton'"),
        ("scipy:BGFS", "did you mean 'scipy:BFGS'"),
        ("lbfgs[memori=20]", "did you mean 'memory'"),
        ("lbfgs[memory=-1]", "memory must be"),
        ("lbfgs[memory]", r"look like \[memory=20"),
        ("lbfgs[memory=20", "look like"),
        ("lbfgs[memory=1, memory=2]", "twice"),
        ("adam[rate=fast]", "a number, tuned or default"),
        ("newton-pure[x=1]", "it has none"),
        ("bfgs[line_search=exact]", "no parameter 'line_search'"),
        ("scipy:BFGS[maxcor=3]", "maxcor"),
    ],
)
def test_a_name_that_is_none_is_answered_with_what_would_be_right(text, words):
    with pytest.raises(ValueError, match=words):
        as_solver(text)


def test_a_name_taken_apart_and_joined_again_is_the_same():
    for text in ("rosenbrock", "adam[amsgrad=true, rate=0.01]", "chebyquad[m=none, n=8]", "quadratic[condition=1e+06]"):
        name, parameters = split_name(text)
        assert split_name(joined_name(name, parameters)) == (name, parameters)


def test_a_callable_is_given_what_it_takes():
    def few(fun, x0, jac):
        pass

    def any_(fun, x0, **options):
        pass

    assert accepted(few) == ("jac",)
    assert accepted(any_) == ("jac", "hess", "hessp", "callback", "bounds")
    with pytest.raises(TypeError, match=r"write BFGS\(\)"):
        as_solver(newtonkit.BFGS)


def test_the_automatic_choice_is_a_method_and_runs_as_minimize_does():
    assert as_solver("Auto").label == "auto"
    with pytest.raises(ValueError, match="auto has no parameter 'memory'"):
        as_solver("auto[memory=3]")
    for name in ("wood", "quadratic"):
        problem = problems.get(name)
        run = one(name, "auto", protocol=Protocol(gtol=1e-8))
        result = newtonkit.minimize(problem.fun, problem.starts["standard"], options={"gtol": 1e-8})
        assert run.x == tuple(result.x)
        assert run.counts == newtonkit.Counts(result.nfev, result.njev, result.nhev, result.nhvp)


def test_every_rule_is_tuned_and_nothing_else():
    for name, cls in METHODS.items():
        assert (as_solver(name).rate == "tuned") == issubclass(cls, GradientTransform)


# --- endings --------------------------------------------------------------------------------------------------------


def test_endings_are_classified_by_the_point_and_not_by_the_report_of_the_solver():
    assert one("booth", "newton").ending == "global"
    assert one("freudenstein-roth", "scipy:BFGS").ending == "local"
    assert one("strict-saddle", "scipy:L-BFGS-B", "stable-manifold").ending == "saddle"
    assert one("strict-saddle", "gd[rate=0.1]", "stable-manifold").ending == "saddle"
    assert one("monkey-saddle", "newton-pure").ending == "degenerate"
    assert one("monkey-saddle", "newton").ending == "diverged"
    assert one("rosenbrock", "gd[rate=1.0]").ending in ("budget", "diverged")
    assert one("rosenbrock", "gd[rate=1e-5]").ending == "budget"
    assert one("rosenbrock", "scipy:BFGS", protocol=Protocol(mode="shipped", gradients=5)).ending == "budget"


def test_an_ending_is_classified_without_known_minima():
    problem = dataclasses.replace(problems.get("booth"), points=())
    run = run_one(problem, "standard", "newton")
    assert (run.ending, run.gap, run.distance) == ("local", None, None)


def test_an_end_that_is_not_finite_has_diverged():
    assert classify_ending(problems.get("booth"), math.nan, 1.0, "status 2", None, None) == "diverged"


def test_the_lowest_eigenvalue_is_that_of_the_hessian_at_the_end():
    run = one("strict-saddle", "gd[rate=0.1]", "stable-manifold")
    H = newtonkit.hessian(problems.get("strict-saddle").fun)(np.array(run.x))
    assert run.lambda_min == pytest.approx(np.linalg.eigvalsh(H)[0], rel=1e-12)
    assert run.lambda_min < 0


def test_the_table_of_endings_counts_every_run_once():
    runs = [one("booth", "newton"), one("monkey-saddle", "newton"), one("booth", "bfgs")]
    table = count_endings(runs)
    assert list(table) == ["newton", "bfgs"]
    assert all(tuple(row) == tuple(ending.value for ending in Ending) for row in table.values())
    assert sum(sum(row.values()) for row in table.values()) == 3
    assert table["newton"]["global"] == table["newton"]["diverged"] == 1


def test_a_run_below_the_recorded_minimum_by_more_than_rounding_is_found():
    run = one("gaussian", "newton")
    best = problems.get("gaussian").best.f

    def lower_by(relative, f_start=run.f_start):
        return dataclasses.replace(run, f=best * (1 - relative), gap=-best * relative, f_start=f_start)

    assert below_reference([run, lower_by(1e-15)]) == []
    assert below_reference([lower_by(1e-6)]) == [lower_by(1e-6)]
    # a start far out excuses nothing where there is a nearer one
    assert below_reference([lower_by(1e-6, f_start=1e20)]) == []
    assert below_reference([run, lower_by(1e-6, f_start=1e20)]) == [lower_by(1e-6, f_start=1e20)]


def test_meyers_noise_is_no_lower_minimum():
    runs = [one("meyer", method, "seeded-1", Protocol()) for method in ("newton", "bfgs")]
    assert min(run.gap for run in runs) < 0, "the example has lost its point"
    assert below_reference(runs) == []


def test_a_run_without_a_tolerance_is_measured_by_when_it_was_accurate_enough():
    run = one("himmelblau", "gd[rate=0.01]", protocol=Protocol(gradients=500))
    assert run.reason == "EVALUATIONS"
    (row,) = score_runs([run])
    assert row.solved
    assert row.cost < run.cost
    spent, f = 0.0, math.inf
    rows = run.trace.evaluations
    for weight, value in zip(run.trace.weights(), rows.f, strict=True):
        spent += weight
        f = min(f, value)
        if f <= 1e-8 * run.f_start:
            break
    assert row.cost == spent
    assert not score_runs([one("rosenbrock", "gd[rate=1e-4]")])[0].solved


def test_a_run_with_a_tolerance_is_measured_by_its_trace_and_not_by_its_report():
    run = one("himmelblau", "bfgs", protocol=Protocol(gtol=1e-8))
    (row,) = score_runs([run])
    assert (row.solved, row.ratio) == (True, 1.0)
    assert row.cost <= run.cost
    assert score_runs([dataclasses.replace(run, success=False)])[0].solved
    rough = one("himmelblau", "scipy:BFGS", protocol=Protocol(gtol=3.0))
    assert rough.success
    assert not score_runs([rough])[0].solved
    assert score_runs([rough], tolerance=0.1)[0].solved


def test_without_a_known_minimum_no_run_is_solved():
    problem = dataclasses.replace(problems.get("booth"), points=())
    run = run_one(dataclasses.replace(problem, name="mine"), "standard", "newton")
    (row,) = score_runs([run])
    assert (row.solved, row.cost, row.ratio) == (False, run.cost, math.inf)
