"""The wall times are of whole runs that end where they should; none of these tests looks at how long."""

import numpy as np
import pytest
from click.testing import CliRunner

from comparisons.cli.main import main
from comparisons.studies.solvers import wall_time


@pytest.fixture(scope="module")
def beale():
    (case,) = [case for case in wall_time.small_cases() if case.name == "Beale"]
    return case


def test_both_solvers_of_a_pair_run_on_both_sources_of_derivatives(beale):
    timings = wall_time.measure([beale], repeats=2)
    solvers = {name for ours, other in beale.pairs for name in (ours, f"scipy:{other}")}
    assert {(t.solver, t.source) for t in timings} == {(s, source) for s in solvers for source in wall_time.SOURCES}
    assert all(t.met and t.seconds > 0 for t in timings)
    assert len(wall_time.time_table(timings, [beale]).rows) == len(beale.pairs)


def test_every_function_is_new_so_that_no_run_finds_a_tape_of_the_one_before():
    for case in [*wall_time.small_cases(), *wall_time.sparse_cases([9])]:
        assert case.make() is not case.make()


def test_every_case_starts_where_its_gradient_is_more_than_it_is_asked_for():
    for case in [*wall_time.small_cases(), *wall_time.sparse_cases([100])]:
        assert case.x0.shape == (case.n,)
        assert case.gradient_norm(case.x0) >= 100 * case.gtol > 0


@pytest.mark.parametrize("solver", ["BFGS", "Newton-CG", "trust-exact"])
def test_a_run_of_scipys_is_stopped_when_its_time_is_up(beale, solver):
    x, note = wall_time._scipy_solve(beale, beale.make(), solver, "tape", -1.0)
    np.testing.assert_array_equal(x, beale.x0)
    assert note == "stopped after -1 s"


def test_the_sparse_cases_run_and_say_what_ours_took():
    cases = wall_time.sparse_cases([144])
    timings = wall_time.measure(cases, repeats=1)
    assert all(t.met for t in timings if not t.solver.startswith("scipy:"))
    assert any("sparse" in t.note for t in timings if t.solver == "newton")


def test_the_command_prints_a_row_for_each_pair():
    result = CliRunner().invoke(main, ["walltime", "--sparse", "-n", "9", "--repeats", "1", "--limit", "5"])
    assert result.exit_code == 0, result.output
    assert result.output.count("trust-krylov") == 2
