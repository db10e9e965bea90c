"""The command line, as a user meets it."""

import importlib
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest
from click.testing import CliRunner

import problems
from comparisons.cli.main import COMMANDS, main
from comparisons.core.runs import record
from comparisons.running import runner
from comparisons.running.protocol import Protocol
from comparisons.running.regression_check import stored_runs
from comparisons.running.runner import DEFAULT_METHODS, default_problems, problem_named
from comparisons.running.store import Store
from comparisons.running.suites import QUICK, all_methods
from comparisons.studies import registry as experiments
from newtonkit.methods.registry import METHODS

command = importlib.import_module("comparisons.cli.compare_command")  # the package has the command itself by that name


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
    assert "4 minima, 4 index-1 saddles" in result.output
    assert "f = 13.3119263 at (3.385, 0.07385); paths to point" in result.output
    assert f"figure: {picture}" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_classify_all_takes_a_box_for_all_variables_or_for_each():
    once = newtonkit("classify", "rosenbrock", "-n", "3", "--all", "--box", "-2,2")
    each = newtonkit("classify", "rosenbrock", "-n", "3", "--all", "--box", "-2,2", "--box", "-2,2", "--box", "0,2")
    assert once.output.startswith("rosenbrock(n=3) on [-2, 2] × [-2, 2] × [-2, 2]")
    assert each.output.startswith("rosenbrock(n=3) on [-2, 2] × [-2, 2] × [0, 2]")
    for result in (once, each):
        assert result.exit_code == 0
        assert "1 critical point (1 × minimum), proved complete" in result.output
        assert "1 minimum, 0 index-1 saddles" in result.output


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
        (("classify", "rosenbrock", "-n", "4", "--all"), "no default box: give --box LOW,HIGH once"),
        (("classify", "rosenbrock", "-n", "4", "--all", "--box", "0,1", "--box", "0,1"), "or 4 times; got 2"),
        (("experiment", "mnist", "--quick", "--option", "folder=nowhere"), "into nowhere: there is no such folder"),
        (("draw", "ribbons", "digits-softmax"), "up to n = 200; digits-softmax(l2=0.001) has 650 variables"),
        (("compare", "-p", "bele"), "did you mean 'beale'"),
        (("compare", "-m", "scipy:BFG"), "did you mean 'scipy:BFGS'"),
        (("compare", "-p", "beale", "-s", "nowhere"), "no problem has a start"),
        (("compare", "-t", "convx"), "unknown tag"),
        (("compare", "--quick", "--suite"), "give --quick or --suite, not both"),
        (("compare", "-p", "beale", "--export", "runs.xls"), "--export must end in one of .csv, .jsonl, .parquet"),
        (("compare", "-p", "beale", "--against", "nowhere.sqlite"), "File 'nowhere.sqlite' does not exist"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_the_nearest_valid_name(arguments, sentence):
    result = newtonkit(*arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_mistake_names_the_help_of_its_command():
    result = newtonkit("tune", "booth", "--method", "bfgs")
    assert "Try 'main tune --help' for help." in result.output


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_import_neither_numpy_nor_the_library(option):
    code = (
        f"import sys; sys.argv[1:] = [{option!r}]\n"
        "from comparisons.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'newtonkit', 'rich', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_shows_the_first_sentence_of_their_help(name):
    command = main.get_command(None, name)
    assert command.name == name
    assert COMMANDS[name][1] == command.help.split("\n\n")[0].replace("\n", " ").strip()


@pytest.mark.parametrize("package", ["click", "rich"])
def test_a_missing_package_of_the_extra_is_named_with_the_command_that_installs_it(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = ['list', 'methods']\n"
        "from comparisons.__main__ import main\n"
        "main()"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr == f"newtonkit: the command line requires {package}: pip install 'newtonkit[compare]'\n"


def compare(out, *arguments, problem="booth", methods=("newton", "scipy:BFGS"), jobs=1):
    """A small comparison without figures."""
    named = [part for method in methods for part in ("-m", method)]
    fixed = ("--jobs", str(jobs), "--no-figures", "--out", str(out))
    return newtonkit("compare", "-p", problem, *named, *fixed, *arguments)


def records_of(result):
    """The runs that --json printed, without their seconds."""
    return [{**json.loads(line), "seconds": None} for line in result.stdout.splitlines()]


def test_compare_keeps_its_runs_and_writes_its_report(tmp_path):
    out = tmp_path / "new" / "folder"
    arguments = ("-p", "booth", "-m", "newton", "-m", "scipy:BFGS", "--jobs", "1", "--out", str(out))
    result = newtonkit("compare", *arguments)
    assert result.exit_code == 0, result.output
    assert "Check against scipy: 1 of 1 passed" in result.output
    assert [run.method for run in stored_runs(out / "runs.sqlite", Protocol())] == ["newton", "scipy:BFGS"]
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert "figures/booth-convergence.svg" in (out / "report.md").read_text(encoding="utf-8")


def test_compare_exits_with_1_where_the_check_fails(tmp_path):
    # three gradients do not take BFGS to the minimum
    result = compare(tmp_path, "--gradients", "3", problem="beale", methods=["bfgs"])
    assert result.exit_code == 1
    assert "FAILED" in result.output


def test_compare_exits_with_1_where_a_run_beats_a_recorded_minimum(tmp_path, monkeypatch):
    def with_a_wrong_fact(run):
        return replace(run, gap=-1.0)

    made = runner.run_planned
    monkeypatch.setattr(command, "run_planned", lambda *args, **more: list(map(with_a_wrong_fact, made(*args, **more))))
    result = compare(tmp_path, methods=["scipy:BFGS"])
    assert result.exit_code == 1
    assert "BELOW REFERENCE  scipy:BFGS on booth from 'standard'" in result.output
    assert "so the record is wrong" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_compare_json_is_a_record_a_line_on_standard_output_and_nothing_else(tmp_path):
    result = compare(tmp_path, "--json")
    assert [record["method"] for record in records_of(result)] == ["newton", "scipy:BFGS"]
    assert "Check against scipy: 1 of 1 passed" in result.stderr


def test_the_same_seed_gives_the_same_numbers_in_one_process_as_in_several_and_another_seed_others(tmp_path):
    chosen = ("--start", "seeded-1", "--gradients", "40", "--json")
    methods = ["bfgs", "adam"]
    one, again = (compare(tmp_path / str(k), *chosen, jobs=k, methods=methods) for k in (1, 2))
    other = compare(tmp_path / "other", *chosen, "--seed", "1", methods=methods)
    assert len(records_of(one)) == 2
    assert records_of(one) == records_of(again)
    assert records_of(one)[0]["x_start"] != records_of(other)[0]["x_start"]


def test_a_store_that_cannot_be_written_is_a_sentence(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError("runs.sqlite cannot be written to: is the disk full?")

    monkeypatch.setattr(Store, "append", full)
    result = compare(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.strip() == "Error: runs.sqlite cannot be written to: is the disk full?"


def test_an_interrupted_comparison_says_what_is_kept_and_how_to_go_on(tmp_path, monkeypatch):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_planned", interrupted)
    result = compare(tmp_path)
    assert result.exit_code == 130
    assert f"stopped; 0 runs are in {tmp_path / 'runs.sqlite'}; --resume continues" in result.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_every_learning_rate_and_every_cell_once(tmp_path, monkeypatch, jobs):
    counted = []

    @contextmanager
    def bar(what, total):
        yield None, counted.append
        assert len(counted) == total == 3, "a rate, and two cells"

    monkeypatch.setattr(command, "progress", bar)
    for arguments in ((), ("--resume",)):
        counted.clear()
        result = compare(tmp_path, "--gradients", "40", *arguments, methods=["adam", "newton"], jobs=jobs)
        assert result.exit_code == 0, result.exception
    assert set(counted) == {"rate of adam on booth", "adam on booth", "newton on booth"}


def test_resume_makes_only_the_runs_that_are_missing(tmp_path, monkeypatch):
    compare(tmp_path, methods=["newton"])
    made = []
    real = runner.run_one
    monkeypatch.setattr(runner, "run_one", lambda *args, **more: made.append(args[2]) or real(*args, **more))
    result = compare(tmp_path, "--resume", "--json")
    assert made == ["scipy:BFGS"]
    assert [record["method"] for record in records_of(result)] == ["newton", "scipy:BFGS"]


def test_without_resume_the_store_of_the_comparison_before_is_kept_beside_the_new_one(tmp_path):
    compare(tmp_path, methods=["newton"])
    compare(tmp_path, methods=["scipy:BFGS"])
    assert [run.method for run in stored_runs(tmp_path / "runs-before.sqlite", Protocol())] == ["newton"]
    assert [run.method for run in stored_runs(tmp_path / "runs.sqlite", Protocol())] == ["scipy:BFGS"]


def test_a_store_of_ones_own_is_never_replaced(tmp_path):
    kept = ("--store", str(tmp_path / "mine.sqlite"))
    assert compare(tmp_path, *kept).exit_code == 0
    result = compare(tmp_path, *kept)
    assert result.exit_code == 2
    assert "exists already; --resume continues it" in " ".join(result.output.split())


def test_against_lists_the_cells_that_changed_and_exits_with_3(tmp_path):
    compare(tmp_path / "old", methods=["newton"])
    same = compare(tmp_path / "new", "--against", str(tmp_path / "old" / "runs.sqlite"), methods=["newton"])
    assert same.exit_code == 0
    assert "0 runs of 1 changed" in " ".join(same.output.split())
    (run,) = stored_runs(tmp_path / "old" / "runs.sqlite", Protocol())
    identity = {"problem": "booth", "protocol": asdict(Protocol())}
    with Store(tmp_path / "worse.sqlite") as store:
        store.append(identity, record(replace(run, ending="saddle")), run.trace.arrays())
    changed = compare(tmp_path / "new", "--against", str(tmp_path / "worse.sqlite"), methods=["newton"])
    assert changed.exit_code == 3
    assert "newton on booth from 'standard': ending saddle → global (better)" in " ".join(changed.output.split())


def test_against_runs_under_another_protocol_is_a_mistake_told_before_anything_is_run(tmp_path):
    compare(tmp_path, methods=["newton"])
    result = compare(tmp_path / "new", "--seed", "1", "--against", str(tmp_path / "runs.sqlite"))
    assert result.exit_code == 2
    assert "holds no run under the protocol" in " ".join(result.output.split())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["runs.csv", "runs.jsonl"])
def test_export_writes_a_line_for_each_run(tmp_path, name):
    assert compare(tmp_path, "--export", str(tmp_path / name)).exit_code == 0
    lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 + name.endswith(".csv")


def test_a_method_and_a_problem_may_have_parameters(tmp_path):
    result = compare(tmp_path, "--json", problem="rosenbrock[n=4]", methods=["lbfgs[memory=3]"])
    (found,) = records_of(result)
    assert (found["problem"], found["method"], found["n"]) == ("rosenbrock(n=4)", "lbfgs[memory=3]", 4)


def test_in_the_mode_shipped_a_solver_stops_by_its_own_rules(tmp_path):
    counts = {}
    for mode in ("budget", "shipped"):
        result = compare(tmp_path / mode, "--mode", mode, "--json", problem="beale", methods=["gd-linesearch"])
        (found,) = records_of(result)
        counts[mode] = found["counts"]["g"]
    assert counts["shipped"] < counts["budget"]


def test_a_limit_on_time_costs_the_run_that_exceeds_it(tmp_path):
    result = compare(tmp_path, "--seconds", "1e-4", "--json", methods=["gd-linesearch"])
    (found,) = records_of(result)
    assert (found["reason"], found["ending"]) == ("TIME", "budget")


def test_every_problem_of_the_quick_set_is_of_the_catalogue_and_the_sets_are_as_large_as_they_say():
    assert len({problem_named(name).label for name in QUICK}) == len(QUICK) == 12
    assert len({problem_named(name).label for name in default_problems()}) == len(default_problems()) == 31
    assert {problem_named(name).n for name in default_problems()} >= {2, 10, 200, 500, 650, 100_000}
    assert len(DEFAULT_METHODS) == 17
    assert "auto" in DEFAULT_METHODS
    assert {*METHODS, *DEFAULT_METHODS} <= set(all_methods())


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
