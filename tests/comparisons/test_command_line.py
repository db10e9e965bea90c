"""The command line, as a user meets it."""

import pytest
from click.testing import CliRunner

import problems
from comparisons import experiments
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
    assert "level: numerical, by exact derivatives" in result.output
    assert "eigenvalues [-2.  2.] ± " in result.output


def test_classify_all_lists_every_critical_point_the_ways_between_them_and_draws_both(tmp_path):
    picture = tmp_path / "new" / "folder" / "himmelblau.png"
    result = newtonkit("classify", "himmelblau", "--all", "--plot", str(picture))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("himmelblau on [-6, 6] × [-6, 6]")
    assert "9 critical points (4 × minimum, 4 × saddle, 1 × maximum), proved complete" in result.output
    assert "degree on the boundary 1 (proved): they agree" in result.output
    assert "4 minima, 4 passes" in result.output
    assert "f = 13.3119263 at (3.385, 0.07385), down to point" in result.output
    assert f"picture: {picture}" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_classify_all_takes_a_box_for_all_variables_or_for_each():
    once = newtonkit("classify", "rosenbrock", "-n", "3", "--all", "--box", "-2,2")
    each = newtonkit("classify", "rosenbrock", "-n", "3", "--all", "--box", "-2,2", "--box", "-2,2", "--box", "0,2")
    assert once.output.startswith("rosenbrock(n=3) on [-2, 2] × [-2, 2] × [-2, 2]")
    assert each.output.startswith("rosenbrock(n=3) on [-2, 2] × [-2, 2] × [0, 2]")
    for result in (once, each):
        assert result.exit_code == 0
        assert "1 critical point (1 × minimum), proved complete" in result.output
        assert "1 minimum, 0 passes" in result.output


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
        (("classify", "beale"), "either a point, --at X,Y,…, or --all"),
        (("classify", "beale", "--at", "1,1", "--all"), "either a point, --at X,Y,…, or --all"),
        (("classify", "beale", "--at", "1,1", "--box", "0,1"), "--box and --plot go with --all"),
        (("classify", "beale", "--all", "--box", "1"), "--box must be 2 numbers"),
        (("classify", "beale", "--all", "--box", "3,1"), "low < high for every variable, got (3, 1) for x[0]"),
        (("classify", "beale", "--all", "--plot", "beale.gif"), "--plot must end in .png, .svg, .pdf"),
        (("classify", "rosenbrock", "-n", "4", "--all"), "no window of its own: give --box LOW,HIGH once"),
        (("classify", "rosenbrock", "-n", "4", "--all", "--box", "0,1", "--box", "0,1"), "or 4 times; got 2"),
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


def test_experiment_list_names_every_experiment_and_a_misspelt_one_is_told_the_nearest():
    listed = newtonkit("experiment", "list").output
    assert all(name in listed for name in experiments.names())
    result = newtonkit("experiment", "bowll")
    assert result.exit_code == 2
    assert "unknown experiment 'bowll'; did you mean 'bowl'?" in " ".join(result.output.split())


def test_tune_shows_every_rate_of_the_grid_and_the_best():
    result = newtonkit("tune", "booth", "--method", "gd", "--gradients", "50")
    assert result.exit_code == 0, result.output
    assert all(f" {rate} " in result.output for rate in ("1e-5", "0.01 (default)", "100"))
    assert "best rate" in result.output
    assert "must be one with a learning rate" in " ".join(newtonkit("tune", "booth", "--method", "bfgs").output.split())
