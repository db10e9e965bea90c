"""The benchmark of solvers: its scores say what they define, its runs are reproducible, its command runs."""

import dataclasses
import math
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import problems
from comparisons.cli.main import main
from comparisons.core.runs import write_jsonl
from comparisons.report.document import Table
from comparisons.running import galahad
from comparisons.running import scipy_solvers as reference
from comparisons.running.recorder import Recorder
from comparisons.studies.solvers import solver_benchmark
from comparisons.studies.solvers import solver_scores as scoring
from comparisons.studies.solvers import solver_tables as benchmark_tables
from comparisons.studies.solvers.solver_benchmark import SolverRun, Terms
from newtonkit import Budget, Counts, Evaluator, Objective

# a run that ended where it should and says so
SOLVED = SolverRun(
    problem="p",
    n=2,
    start="standard",
    method="newton",
    x=(0.0, 0.0),
    f=0.0,
    best=0.0,
    gradient_norm=1e-9,
    decrement=1e-18,
    kind="minimum",
    success=True,
    reason="GRADIENT",
    message="converged",
    counts=Counts(f=4, g=3, H=2),
    checks=Counts(H=1),
    nit=3,
)


def trial(**changes):
    return dataclasses.replace(SOLVED, **changes)


# --- what counts as what ------------------------------------------------------------------------------------------


def test_a_small_gradient_at_a_minimum_is_solved_and_its_claim_is_true():
    assert scoring.solved(SOLVED)
    assert scoring.best(SOLVED)
    assert not scoring.false_failure(SOLVED)
    assert not scoring.false_success(SOLVED)


@pytest.mark.parametrize("kind", ["saddle", "maximum", "degenerate saddle"])
def test_a_success_claimed_at_a_saddle_or_maximum_is_a_false_success_however_small_the_gradient(kind):
    there = trial(kind=kind, gradient_norm=0.0, decrement=math.inf)
    assert not scoring.solved(there)
    assert scoring.false_success(there)
    assert scoring.success_at_saddle(there)


def test_a_small_gradient_far_from_any_critical_point_is_not_solved():
    # as of exp(-x), whose infimum is at infinity
    there = trial(kind="not critical", gradient_norm=1e-12)
    assert not scoring.solved(there)
    assert scoring.false_success(there)
    assert not scoring.success_at_saddle(there)
    assert not scoring.false_success(dataclasses.replace(there, success=False))


def test_where_f_cannot_tell_the_point_from_the_minimum_it_is_solved_at_the_rounding_floor():
    eps = 2.0**-52
    floor = trial(f=1e10, best=1e10, gradient_norm=1e-3, decrement=9 * eps * 1e10)
    assert scoring.solved(floor)
    assert scoring.best(floor)
    assert not scoring.solved(dataclasses.replace(floor, decrement=11 * eps * 1e10))
    assert not scoring.solved(dataclasses.replace(floor, f=1.0))


def test_a_solved_run_that_calls_itself_a_failure_is_a_false_failure():
    assert scoring.false_failure(trial(success=False, reason="LINE_SEARCH"))
    assert not scoring.false_failure(trial(success=False, gradient_norm=1e-3, decrement=1e-6))


def test_a_success_at_a_minimum_short_of_the_tolerance_is_short_and_not_false():
    early = trial(gradient_norm=1e-6, decrement=1e-12)
    assert scoring.short(early)
    assert not scoring.false_success(early)
    assert scoring.false_success(dataclasses.replace(early, kind="undecided"))


def test_where_f_is_flat_to_the_last_bit_only_the_lowest_minimum_known_counts_as_solved():
    flat = trial(kind="undecided", f=0.0756, gradient_norm=1e-15)
    assert not scoring.solved(flat)
    assert scoring.unsure(flat)
    assert not scoring.false_success(flat)
    assert scoring.solved(dataclasses.replace(flat, f=0.0))
    assert not scoring.solved(dataclasses.replace(flat, best=None))


def test_a_point_where_f_is_not_finite_is_never_solved():
    nowhere = trial(f=math.nan, gradient_norm=math.nan, decrement=math.inf, kind="undecided")
    assert not scoring.solved(nowhere)
    assert scoring.false_success(nowhere)
    assert not scoring.best(nowhere)


def test_another_minimum_is_solved_but_not_the_best():
    other = trial(f=1e-3)
    assert scoring.solved(other)
    assert not scoring.best(other)


# --- means and ratios ---------------------------------------------------------------------------------------------


def test_a_geometric_mean_is_shifted_only_where_it_must_be():
    assert scoring.geometric_mean([1.0, 4.0, 16.0]) == pytest.approx(4.0)
    assert scoring.geometric_mean([0.0, 8.0]) == pytest.approx(2.0)
    assert math.isnan(scoring.geometric_mean([]))


def test_a_hessian_costs_n_products():
    assert scoring.amount(trial(n=10, counts=Counts(f=1, g=2, H=3, Hv=4)), "cost") == 1 + 2 + 4 + 30


def test_a_ratio_is_taken_over_the_runs_that_both_solve():
    ours = [trial(problem=p, counts=Counts(f=1, g=g, H=1)) for p, g in (("a", 2), ("b", 8), ("c", 100))]
    others = [
        trial(problem="a", method="scipy:BFGS", counts=Counts(f=1, g=4)),
        trial(problem="b", method="scipy:BFGS", counts=Counts(f=1, g=4)),
        trial(problem="c", method="scipy:BFGS", counts=Counts(f=1, g=1), kind="saddle"),
    ]
    pair = scoring.compare([*ours, *others], "newton", "scipy:BFGS")
    assert pair.runs == 2
    assert pair.ratio["g"] == pytest.approx(1.0)
    assert math.isnan(pair.ratio["H"]), "the other evaluates none"


def test_the_aims_count_what_is_solved_and_every_false_claim():
    ours = [trial(), trial(problem="q", kind="saddle"), trial(problem="r", success=False)]
    theirs = [dataclasses.replace(t, method="scipy:BFGS", kind="minimum", success=True) for t in ours]
    found = {aim.sentence: aim for aim in scoring.aims([*ours, *theirs])}
    most = found["newton: solves at least as many as the best of the others from 'standard'"]
    assert (most.measured, most.met) == ("2, scipy:BFGS 3", False)
    assert not found["no false failures by any of our methods"].met
    assert found["no successes at a saddle by any of our methods"].measured == "1"


# --- runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trials():
    chosen = [problems.get("booth"), problems.get("strict-saddle")]
    methods = ["newton", "bfgs", "auto", *reference.solver_names()]
    return solver_benchmark.run_cells(solver_benchmark.cells(chosen, methods, ["standard", "stable-manifold"]), Terms())


def test_every_solver_solves_the_convex_quadratic(trials):
    booth = [t for t in trials if t.problem == "booth"]
    assert len(booth) == 3 + 6
    assert all(scoring.solved(t) and scoring.best(t) and t.success for t in booth)


def test_who_calls_a_saddle_a_success_is_found_out(trials):
    """From (1, 0) the gradient of x² − y² + y⁴/4 never points off the axis; scipy issue #20213 is such a case."""
    liars = {t.method for t in trials if t.start == "stable-manifold" and scoring.success_at_saddle(t)}
    assert "scipy:L-BFGS-B" in liars
    assert not liars & {"newton", "bfgs", "auto"}


def test_counts_are_those_of_our_counter_for_every_solver(trials):
    for t in trials:
        assert t.counts.f >= 1
        assert t.counts.g >= 1
    by_method = {t.method: t.counts for t in trials if t.problem == "booth"}
    assert by_method["scipy:trust-exact"].H >= 1
    assert by_method["scipy:trust-krylov"].Hv >= 1
    assert by_method["scipy:BFGS"].H == by_method["scipy:BFGS"].Hv == 0


def test_a_benchmark_run_twice_writes_the_same_file(trials, tmp_path):
    chosen = [problems.get("booth"), problems.get("strict-saddle")]
    ours = ["newton", "bfgs", "auto"]
    again = solver_benchmark.run_cells(
        solver_benchmark.cells(chosen, ours, ["standard", "stable-manifold"]), Terms(), jobs=2
    )
    write_jsonl([t for t in trials if t.method in ours], tmp_path / "one.jsonl")
    write_jsonl(again, tmp_path / "two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_the_tables_have_a_row_for_every_solver(trials):
    methods = {t.method for t in trials}
    for table in (benchmark_tables.solved_table, benchmark_tables.claims_table, benchmark_tables.cost_table):
        assert len(table(trials).rows) == len(methods)
    tables = benchmark_tables.benchmark_document(trials).parts(Table)
    aims = [row[0] for table in tables if table.title == "Aims" for row in table.rows]
    assert any("newton: H at most 0.8 × scipy:trust-exact's" in aim for aim in aims)


def test_a_method_that_breaks_is_a_failure_of_its_own_cell_only(monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(solver_benchmark.newtonkit, "minimize", broken)
    (end,) = solver_benchmark.run_cells(
        solver_benchmark.cells([problems.get("booth")], ["newton"], ["standard"]), Terms()
    )
    assert (end.success, end.reason) == (False, "ZeroDivisionError")
    assert not scoring.solved(end)


def test_ours_are_those_that_promise_to_leave_saddles_and_know_curvature():
    ours = solver_benchmark.own_methods()
    assert {"newton", "newton-linesearch", "bfgs", "lbfgs", "auto"} <= set(ours)
    assert not {"adam", "gd", "gd-linesearch", "newton-pure"} & set(ours)


# --- GALAHAD ------------------------------------------------------------------------------------------------------


def test_without_galahad_there_is_a_sentence_and_the_rest_runs(tmp_path):
    command = ["benchmark", "-p", "booth", "-p", "beale", "-s", "standard", "-m", "newton", "-m", "scipy:BFGS"]
    command += ["-m", "galahad:TRU", "--galahad", "no-such-python", "--jobs", "1", "--out", str(tmp_path / "b.jsonl")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "GALAHAD is left out: there is no interpreter 'no-such-python'" in result.output
    assert "newton: solves at least as many" in result.output
    assert len((tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_a_mistake_on_the_command_line_is_one_sentence():
    for arguments, sentence in (
        (["-m", "scipy:BFG"], "did you mean 'scipy:BFGS'"),
        (["-p", "booth", "-m", "newton", "-s", "nowhere"], "nothing to run"),
    ):
        result = CliRunner().invoke(main, ["benchmark", *arguments])
        assert result.exit_code == 2
        assert sentence in result.output


_CHILD = """
import os, struct, sys
n = 2
def ask(kind, x, length):
    os.write(1, kind + struct.pack("2d", *x))
    return struct.unpack(f"{length}d", os.read(0, 8 * length))
x = struct.unpack("2d", os.read(0, 16))
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    """A stand-in for the solver's process, which does what a test tells it to."""

    def runs(script, seconds=5.0):
        path = tmp_path / "child.py"
        path.write_text(_CHILD + script, encoding="utf-8")
        monkeypatch.setattr(galahad, "_CHILD", path)
        booth = problems.get("booth")
        limits = Budget(maxfev=5, maxgev=5)
        return galahad.solve(
            booth,
            booth.starts["far"],
            "TRU",
            gtol=1e-8,
            maxiter=9,
            budget=limits,
            python=sys.executable,
            seconds=seconds,
        )

    return runs


def test_a_child_that_asks_and_answers_is_believed_and_counted(child):
    """One Newton step solves a quadratic, here made by the child from what it asked of us."""
    end = child("""
f, = ask(b"f", x, 1)
g = ask(b"g", x, 2)
a, b, c = ask(b"H", x, 3)
d = a * c - b * b
x = x[0] - (c * g[0] - b * g[1]) / d, x[1] - (a * g[1] - b * g[0]) / d
os.write(1, b"." + struct.pack("4d", 0.0, 1.0, *x))
""")
    assert end.success is True, "a plain bool, which JSON knows"
    assert end.x == pytest.approx([1.0, 3.0])
    assert end.evaluator.counts == Counts(f=1, g=1, H=1)
    assert end.nit == 1


def test_a_child_that_crashes_costs_its_own_run_only(child):
    end = child('ask(b"f", x, 1); os._exit(11)')
    assert (end.success, end.reason) == (False, "CRASHED")
    assert tuple(end.x) == tuple(problems.get("booth").starts["far"])


def test_a_child_that_never_ends_is_stopped_by_the_budget(child):
    end = child('while True: ask(b"f", x, 1)')
    assert (end.success, end.reason) == (False, "EVALUATIONS")
    assert end.evaluator.counts.f <= 5


def test_a_child_that_hangs_in_silence_is_killed(child):
    end = child("import time; time.sleep(60)", seconds=0.3)
    assert (end.success, end.reason) == (False, "CRASHED")


# --- problems with bounds -----------------------------------------------------------------------------------------


def test_with_bounds_the_solvers_are_those_that_accept_them():
    chosen = solver_benchmark.chosen_solvers([], bounded=True)
    assert {"newton", "lbfgs", "auto", "scipy:TNC", "scipy:SLSQP", "scipy:trust-constr", "galahad:TRB"} <= set(chosen)
    assert not {"dfp", "newton-pure", "scipy:BFGS", "galahad:TRU", "adam"} & set(chosen)
    with pytest.raises(ValueError, match="unknown solver"):
        solver_benchmark.chosen_solvers(["dfp"], bounded=True)


@pytest.mark.parametrize("method", ["newton", "lbfgs", "auto", "scipy:L-BFGS-B", "scipy:TNC", "scipy:SLSQP"])
def test_a_run_with_bounds_is_scored_by_the_projected_gradient(method):
    run = solver_benchmark.run_trial(problems.get("rosenbrock-bounded"), "standard", method, Terms(gtol=1e-6))
    assert run.outside == 0
    assert run.x[0] == pytest.approx(0.5, abs=1e-6)
    assert run.gradient_norm < 1e-4  # the gradient itself is 1 there
    assert run.kind == "minimum"
    assert not scoring.false_success(run)
    assert scoring.has_bounds(run)


def test_evaluations_outside_are_counted():
    run = solver_benchmark.run_trial(problems.get("hs4"), "standard", "scipy:trust-constr", Terms())
    inside = solver_benchmark.run_trial(problems.get("hs4"), "standard", "newton", Terms())
    assert inside.outside == 0
    assert run.outside == 0 or scoring.left_bounds(run)
    recorder = Recorder(problems.get("hs4"))  # x0 >= 1, x1 >= 0
    evaluator = Evaluator(Objective(problems.get("hs4").fun), observer=recorder)
    for x in ([0.5, 1.0], [1.0, 0.0], [2.0, -1e-300]):
        evaluator.value(np.array(x))
    assert recorder.outside == 2


def test_the_tables_show_evaluations_outside_and_leave_out_solvers_that_rarely_solve():
    bad = [trial(method="bad", problem=f"p{k}", gradient_norm=1.0, decrement=1.0, outside=3) for k in range(4)]
    good = [trial(problem=f"p{k}", outside=0) for k in range(4)]
    claims = benchmark_tables.claims_table([*good, *bad])
    assert claims.headings[-1] == "evaluations outside"
    assert [row[-1] for row in claims.rows] == ["0", "12"]
    costs = benchmark_tables.cost_table([*good, *bad])
    assert "4 runs" in costs.title
    assert "bad" in costs.title
    assert [row[0] for row in costs.rows] == ["newton"]
    names = [aim.sentence for aim in scoring.aims([*good, *bad])]
    assert "no evaluations outside the bounds by any of our methods" in names
