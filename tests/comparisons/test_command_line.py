"""The command line, as a user meets it."""

import pytest
from click.testing import CliRunner

import problems
from comparisons.cli import main
from comparisons.records import read_jsonl
from newtonkit.methods import METHODS


def newtonkit(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_help_names_every_command():
    result = newtonkit("--help")
    assert result.exit_code == 0
    for command in ("compare", "solve", "classify", "list", "overhead", "derivatives"):
        assert command in result.output
        assert newtonkit(command, "--help").exit_code == 0


def test_list_shows_every_problem_and_method():
    listed = newtonkit("list", "problems").output
    assert all(name in listed for name in problems.names())
    listed = newtonkit("list", "methods").output
    assert all(name in listed for name in METHODS)
    assert "himmelblau" not in newtonkit("list", "problems", "--tag", "convex").output


def test_solve_prints_the_result_and_the_known_point():
    result = newtonkit("solve", "rosenbrock", "-n", "3", "--method", "bfgs")
    assert result.exit_code == 0
    assert "success (GRADIENT)" in result.output
    assert "known: minimum with f = 0" in result.output


def test_solve_takes_numbers_for_a_start_and_options():
    result = newtonkit("solve", "booth", "--start", "4, -1", "--option", "maxiter=0", "--verbose")
    assert result.exit_code == 1, "a run without success exits with 1"
    assert "ITERATIONS" in result.output
    assert "nit" in result.output


def test_classify_says_what_kind_of_point_it_is():
    result = newtonkit("classify", "strict-saddle", "--at", "0,0")
    assert result.exit_code == 0
    assert result.output.startswith("saddle")
    assert "index 1" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("solve", "rosenbrok"), "did you mean 'rosenbrock'"),
        (("solve", "beale", "--method", "bgfs"), "did you mean 'bfgs'"),
        (("solve", "beale", "--option", "gtl=1"), "did you mean 'gtol'"),
        (("solve", "beale", "--option", "gtol"), "NAME=VALUE"),
        (("solve", "beale", "-n", "3"), "no parameter 'n'"),
        (("solve", "rosenbrock", "-n", "1"), "n must be"),
        (("solve", "beale", "--start", "nowhere"), "it has standard"),
        (("classify", "beale", "--at", "1"), "2 numbers"),
        (("classify", "beale", "--at", "1,b"), "2 numbers"),
        (("compare", "-p", "bele"), "did you mean 'beale'"),
        (("compare", "-m", "scipy:BFG"), "did you mean 'scipy:BFGS'"),
        (("compare", "-p", "beale", "-s", "nowhere"), "no problem has a start"),
        (("compare", "-t", "convx"), "unknown tag"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_the_nearest_valid_name(arguments, sentence):
    result = newtonkit(*arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_compare_writes_its_records_and_its_report(tmp_path):
    out = tmp_path / "new" / "folder"
    result = newtonkit("compare", "-p", "booth", "-m", "newton", "-m", "scipy:BFGS", "--jobs", "1", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "check against scipy: 1 of 1 passed" in result.output
    assert [run.method for run in read_jsonl(out / "runs.jsonl")] == ["newton", "scipy:BFGS"]
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")


def test_compare_exits_with_1_where_the_check_fails(tmp_path):
    # three gradients do not take BFGS to the minimum
    result = newtonkit(
        "compare", "-p", "beale", "-m", "bfgs", "--gradients", "3", "--jobs", "1", "--out", str(tmp_path)
    )
    assert result.exit_code == 1
    assert "FAILED" in result.output
