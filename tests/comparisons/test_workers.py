"""A run that misbehaves ends alone: other runs are not affected."""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

import problems
from comparisons.running import workers
from comparisons.running.workers import TaskStatus, no_memory_limit, run_all

HERE = Path(__file__).parent
# the processes import what this one's main module imports
PRELOAD = ("pytest", "problems", "newtonkit.derivatives.tape.programs")

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(scope="module")
def runs():
    """The misbehaving runs; the processes find the module where this one does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield importlib.import_module("misbehaving")


DONE, RAISED, TIME, MEMORY, DIED = TaskStatus
# task, status, message
MISBEHAVIOUR = [
    ("hang_with_the_lock", TIME, "stopped after 1 s, its limit"),
    ("hang_deaf", TIME, "stopped after 1 s, its limit"),
    ("hang", TIME, "stopped after 1 s, its limit"),
    # a message is its length in four bytes, and so many more: here are too few, too many, and none that is an answer
    (("write", b"\0\1\0\0few"), TIME, "stopped after 1 s, its limit"),
    (("write", b"\x7f\0\0\0many"), DIED, "its process sent no more answers"),
    (("write", b"\0\0\0\x04none"), DIED, "its process sent no more answers"),
    ("segfault", DIED, "its process was killed by SIGSEGV (Segmentation fault)"),
    ("abort", DIED, "its process was killed by SIGABRT (Aborted)"),
    (("vanish", 0), DIED, "its process ended by itself, with exit code 0"),
    (("vanish", 3), DIED, "its process ended by itself, with exit code 3"),
    ("close_everything", DIED, "its process ended by itself, with exit code 0"),
    ("flood", MEMORY, "requested more memory than the 50 MB it may allocate"),
    ("flood_slowly", MEMORY, "requested more memory than the 50 MB it may allocate"),
    ("fail", RAISED, "ZeroDivisionError: of my own (misbehaving.py"),
    ("fail_unprintably", RAISED, "UnprintableError"),
    ("leave", RAISED, "SystemExit: I have had enough (misbehaving.py"),
    ("return_a_list", RAISED, "must return bytes, got list"),
    ("nan", DONE, ""),
]


@posix
@pytest.mark.skipif(bool(no_memory_limit()), reason=no_memory_limit() or "there is one")
@pytest.mark.parametrize("reuse", [False, True])
def test_a_misbehaving_run_does_not_affect_other_runs(runs, reuse):
    # a hang costs its second whichever process it has, so one of them is enough the second time
    misbehaviour = MISBEHAVIOUR[3 * reuse :]
    tasks = [task for bad, _, _ in misbehaviour for task in (bad, "well")]
    outcomes = run_all(tasks, runs.behave, jobs=4, seconds=1, megabytes=50, preload=PRELOAD, reuse=reuse)
    found = {outcome.number: outcome for outcome in outcomes}
    assert sorted(found) == list(range(len(tasks)))
    for number, (bad, status, message) in enumerate(misbehaviour):
        outcome, neighbour = found[2 * number], found[2 * number + 1]
        assert (bad, outcome.status) == (bad, status)
        assert message in outcome.message
        assert (outcome.result is None) == (status is not DONE)
        assert (neighbour.status, neighbour.result, neighbour.message) == (DONE, b"well", "")


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_a_limit_may_be_arbitrarily_long(runs, seconds):
    (outcome,) = run_all([21], runs.double, seconds=seconds, preload=PRELOAD)
    assert outcome.result == b"42"


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("reuse", [False, True])
def test_every_task_has_one_outcome_whatever_the_number_of_jobs(runs, jobs, reuse):
    outcomes = list(run_all(range(12), runs.double, jobs=jobs, preload=PRELOAD, reuse=reuse))
    assert {outcome.number: int(outcome.result) for outcome in outcomes} == {k: 2 * k for k in range(12)}
    assert len(outcomes) == 12
    assert list(run_all([], runs.double, jobs=jobs)) == []


def test_a_run_in_another_process_gives_the_same_numbers(runs):
    names = ["beale", "rosenbrock", "himmelblau"]
    outcomes = run_all(names, runs.minimize, jobs=2, preload=PRELOAD)
    assert {names[o.number]: o.result for o in outcomes} == {name: runs.minimize(name, None) for name in names}
    assert np.isfinite(problems.get("beale").fun(np.frombuffer(runs.minimize("beale", None))))


def test_a_process_is_reused_only_if_requested(runs):
    def processes(reuse):
        return {o.result for o in run_all(["process"] * 5, runs.behave, preload=PRELOAD, reuse=reuse)}

    assert len(processes(reuse=False)) == 5
    assert len(processes(reuse=True)) == 1


@pytest.mark.skipif(bool(no_memory_limit()), reason=no_memory_limit() or "there is one")
def test_a_large_result_counts_once_against_the_memory_limit(runs):
    (outcome,) = run_all(["large_result"], runs.behave, megabytes=50, preload=PRELOAD)
    assert (outcome.message, len(outcome.result)) == ("", 30 * 2**20)


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_run_may_start_processes_of_its_own(runs):
    (outcome,) = run_all(["start_processes"], runs.behave, seconds=20, preload=PRELOAD)
    assert (outcome.message, outcome.result) == ("", b"6")


def test_new_interpreters_replace_the_fork_server(runs, monkeypatch):
    monkeypatch.setattr(workers, "_CONTEXT", multiprocessing.get_context("spawn"))
    monkeypatch.setattr(workers, "_FORKS", False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    outcomes = run_all([("vanish", 3), "well", "environment"], runs.behave, seconds=20, reuse=True)
    assert [outcome.result for outcome in outcomes] == [None, b"well", b"1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.parametrize(
    ("function", "status"), [("report_then_hang", TIME), ("report_then_crash", DIED), ("report_much", DONE)]
)
def test_reports_of_a_run_are_kept_after_its_end(runs, function, status):
    (outcome,) = run_all([3], getattr(runs, function), seconds=0.5, preload=PRELOAD)
    assert outcome.status is status
    assert outcome.reports == ((bytes(2**20),) * 3 if function == "report_much" else (b"0", b"1", b"2"))


def test_a_run_that_never_stops_reporting_is_stopped(runs):
    (outcome,) = run_all([0], runs.report_endlessly, seconds=0.2, preload=PRELOAD)
    assert outcome.status is TIME
    assert set(outcome.reports) == {b"and on"}


def test_a_slow_caller_does_not_delay_runs(runs):
    # 3 MB are more than a pipe holds: a run whose reports nobody took would stand still
    for outcome in run_all([3, 3], runs.report_much, jobs=1, seconds=0.6, preload=PRELOAD):
        time.sleep(0.7)
        assert outcome.status is DONE


def gone(process):
    """Whether it is dead, or only waits for its parent to notice."""
    stat = Path(f"/proc/{process}/stat")
    if Path("/proc/self/stat").exists():
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def within(seconds, condition):
    """Whether it comes true in this time."""
    end = time.monotonic() + seconds
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return true


@posix
def test_processes_started_by_a_run_are_killed_with_it(runs, tmp_path):
    path = tmp_path / "number"
    (outcome,) = run_all([str(path)], runs.start_another_and_hang, seconds=1, preload=PRELOAD)
    assert outcome.status is TIME
    assert within(5, lambda: gone(int(path.read_text())))


@posix
def test_an_abandoned_iterator_kills_every_process(runs, tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    outcomes = run_all(["no such folder/x", *map(str, paths)], runs.write_number_and_hang, jobs=3, preload=PRELOAD)
    assert next(outcomes).status is RAISED
    assert within(20, lambda: all(path.exists() and path.read_text() for path in paths))
    outcomes.close()
    assert within(5, lambda: all(gone(int(path.read_text())) for path in paths))


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import misbehaving
from comparisons.running import workers
from comparisons.running.workers import run_all

if __name__ == "__main__":
    how, path = sys.argv[1:]
    outcomes = run_all(["no such folder/x", path], misbehaving.write_number_and_hang, jobs=2)
    for outcome in outcomes:
        print("acknowledged", outcome.number, flush=True)
        if how == "leave" and input():
            break
"""


@posix
@pytest.mark.parametrize(
    ("how", "code"), [("SIGINT", -signal.SIGINT), ("SIGKILL", -signal.SIGKILL), ("leave", 0)], ids=str
)
def test_no_process_survives_its_parent(how, code, tmp_path):
    script, path = tmp_path / "script.py", tmp_path / "number"
    # a shell starts background jobs with SIGINT ignored, which the child would inherit
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script.write_text(heard + SCRIPT.format(here=str(HERE)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(problems.__file__).parents[1]), *sys.path])}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, script, how, path], text=True, env=environment, **pipes) as parent:
        try:
            assert parent.stdout.readline() == "acknowledged 0\n"
            assert within(20, lambda: path.exists() and path.read_text())
            if how != "leave":
                parent.send_signal(signal.Signals[how])
            parent.communicate("leave\n" if how == "leave" else None, timeout=60)
        finally:
            parent.kill()
    assert parent.returncode == code
    assert within(5, lambda: gone(int(path.read_text())))


def test_what_cannot_be_sent_is_named():
    with pytest.raises(TypeError, match=r"the function, .*lambda.* at the top level of a module"):
        run_all([1], lambda task, report: b"")
    with pytest.raises(TypeError, match=r"task 1, .*cannot be sent"):
        run_all([1, iter(lambda: 0, 1)], print)


def test_a_function_that_the_processes_cannot_import_is_named(monkeypatch):
    ghost = types.ModuleType("ghost")
    exec("def run(task, report): return b''", vars(ghost))
    monkeypatch.setitem(sys.modules, "ghost", ghost)
    with pytest.raises(RuntimeError, match=r'exit code 1: .* under if __name__ == "__main__".* can import run'):
        list(run_all([1, 2, 3], ghost.run, jobs=2, preload=PRELOAD))


@pytest.mark.parametrize(
    ("argument", "value"),
    [("jobs", 0), ("jobs", 1.5), ("seconds", 0), ("seconds", float("nan")), ("megabytes", -1)],
)
def test_an_invalid_limit_is_named(argument, value):
    with pytest.raises(ValueError, match=f"{argument} must be .* got {value}"):
        run_all([1], print, **{argument: value})
