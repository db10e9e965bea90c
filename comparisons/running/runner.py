"""Run methods on problems: a list of cells, several runs at a time."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import problems
from comparisons.core.runs import Run, Tuning, from_record, record, tuning_from, versions
from comparisons.core.serialization import json_text, key_of, pack, plain, unpack
from comparisons.running.protocol import STANDARD, Protocol, start_names
from comparisons.running.recorder import Report, reported_trace
from comparisons.running.single_run import lost_run, run_one, tunes, tuning_for
from comparisons.running.solvers import as_solver, split_name
from comparisons.running.store import Store
from comparisons.running.workers import TaskOutcome, run_all
from problems import Problem

__all__ = [
    "DEFAULT_METHODS",
    "PlannedRuns",
    "Protocol",
    "canonical_method",
    "default_problems",
    "planned_runs",
    "problem_named",
    "run_one",
    "run_planned",
]

DEFAULT_METHODS = (
    "auto",
    "newton",
    "newton-cg",
    "newton-linesearch",
    "bfgs",
    "lbfgs",
    "gd-linesearch",
    "gd",
    "momentum",
    "nesterov",
    "adam",
    "momentum[batch=64]",
    "adam[batch=64]",
    "scipy:BFGS",
    "scipy:L-BFGS-B",
    "scipy:Newton-CG",
    "scipy:trust-exact",
)


# problems of many variables, sparse and dense, fits to data, and problems with bounds, that the default comparison has
# in addition
LARGE_AND_DATA = (
    "extended-rosenbrock[n=100000]",
    "extended-powell-singular[n=200]",
    "variably-dimensioned[n=200]",
    "quadratic[n=500]",
    "moons-network",
    "osborne-2",
    "hs38",
    "more-toraldo-quadratic",
    "obstacle",
)


def default_problems() -> tuple[str, ...]:
    """The problems of a comparison by default: all but those of the benchmark of solvers, and `LARGE_AND_DATA`."""
    return (*sorted(set(problems.names()) - set(problems.names("benchmark"))), *LARGE_AND_DATA)


@dataclass(frozen=True)
class PlannedRuns:
    """One problem and one method, from several starts; names and parameters only, so that it can be pickled."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    starts: tuple[str, ...] = ("standard",)
    method: str = "newton"


def canonical_method(name: str) -> str:
    """The name of a method as runs record it, from a user's spelling; see `as_solver`.

    Raises
    ------
    ValueError
        With the nearest valid name.
    """
    return as_solver(name).label


def planned_runs(
    problem_names: Sequence[str], methods: Sequence[str], starts: str | Sequence[str] | None = ("standard",)
) -> list[PlannedRuns]:
    """The cells of every problem with every method.

    Parameters
    ----------
    problem_names : sequence of str
        With parameters in brackets if any: ``"rosenbrock[n=10]"``.
    methods : sequence of str
    starts : str or sequence of str, optional
        See `start_names`; None: every start of the catalogue.
    """
    labels = [canonical_method(method) for method in methods]
    chosen = []
    for text in problem_names:
        problem = problem_named(text)
        here = start_names(problem, "all" if starts is None else starts)
        _, parameters = split_name(text)
        chosen += [PlannedRuns(problem.name, parameters, here, label) for label in labels if here]
    return chosen


def problem_named(text: str) -> Problem:
    """The problem from a name with parameters: ``"rosenbrock[n=10]"``."""
    name, parameters = split_name(text)
    return problems.get(name, **parameters)


def run_planned(
    work: Sequence[PlannedRuns],
    protocol: Protocol = STANDARD,
    *,
    jobs: int = 1,
    seconds: float = math.inf,
    megabytes: float = math.inf,
    store: Store | None = None,
    on_done: Callable[[PlannedRuns], None] = lambda cell: None,
    on_tuned: Callable[[PlannedRuns], None] = lambda cell: None,
) -> list[Run]:
    """All runs of these cells, in the order of the cells.

    Parameters
    ----------
    work : sequence of PlannedRuns
    protocol : Protocol
    jobs : int, at least 1, default 1
        Runs at a time. With 1 and no limits they run in this process; otherwise each has a process of its own, see
        `comparisons.running.workers`, so that a hang or a crash ends that run only.
    seconds, megabytes : float, positive, default inf
        Limits of a run, and of the search for a learning rate before it. If a run exceeds them or its process dies, the
        record contains the reason and the evaluations until then.
    store : Store, optional
        Every run is added to it when it ends; runs that it already contains are not repeated. A run that was lost is
        repeated under other limits.
    on_done : callable, optional
        Called with each cell when its last run ends.
    on_tuned : callable, optional
        Called with each cell whose learning rate has been found, if all are found before the first run.
    """
    tasks = [_Task(place, cell, start, protocol) for place, cell in enumerate(work) for start in cell.starts]
    limits = {"jobs": jobs, "seconds": seconds, "megabytes": megabytes}
    runs = {} if store is None else _stored(tasks, store, limits)
    left = Counter(task.place for task in tasks)

    def finish(number: int) -> None:
        task = tasks[number]
        left[task.place] -= 1
        if not left[task.place]:
            on_done(task.cell)

    for number in runs:
        finish(number)
    missing = {number: task for number, task in enumerate(tasks) if number not in runs}
    alone = jobs == 1 and seconds == megabytes == math.inf
    for number, run, lost in _here(missing) if alone else _apart(missing, limits, on_tuned):
        if store is not None:
            store.append(tasks[number].identity(limits if lost else None), record(run), run.trace.arrays())
        runs[number] = run
        finish(number)
    return [runs[number] for number in range(len(tasks))]


@dataclass(frozen=True)
class _Task:
    """One run; without a start, the tuning before the runs of a cell."""

    place: int
    """The index of the cell in the list of cells."""
    cell: PlannedRuns
    start: str
    protocol: Protocol
    tuning: Tuning | None = None

    @property
    def problem(self) -> Problem:
        return problems.get(self.cell.name, **self.cell.parameters)

    @property
    def tunes(self) -> bool:
        return tunes(self.problem, as_solver(self.cell.method))

    def identity(self, limits: Mapping[str, Any] | None) -> dict[str, Any]:
        """Everything that determines the run; the limits only if it was lost because of them."""
        lost_to = {} if limits is None else {name: limits[name] for name in ("seconds", "megabytes")}
        return {
            "problem": self.problem.label,
            "start": self.start,
            "method": self.cell.method,
            "protocol": asdict(self.protocol),
            "versions": versions(),
            **lost_to,
        }


def _stored(tasks: Sequence[_Task], store: Store, limits: Mapping[str, Any]) -> dict[int, Run]:
    """The runs of these tasks that the store contains, by number."""
    numbers = {
        key_of(task.identity(lost_to)): number for number, task in enumerate(tasks) for lost_to in (None, limits)
    }
    return {numbers[row.key]: from_record(row.record, row.arrays) for row in store.rows(numbers.keys())}


def _here(tasks: Mapping[int, _Task]) -> Iterator[tuple[int, Run, bool]]:
    """The runs by number, made one after the other in this process; none can be lost."""
    tuned: dict[int, Tuning | None] = {}
    for number, task in tasks.items():
        problem = task.problem
        if task.place not in tuned:
            tuned[task.place] = tuning_for(problem, as_solver(task.cell.method), task.protocol)
        run = run_one(problem, task.start, task.cell.method, task.protocol, tuned[task.place])
        yield number, run, False


def _apart(
    tasks: Mapping[int, _Task], limits: Mapping[str, Any], on_tuned: Callable[[PlannedRuns], None]
) -> Iterator[tuple[int, Run, bool]]:
    """The runs by number as they end, and whether they were lost; each in a process of its own, after the tuning."""
    search = {task.place: task for task in tasks.values() if task.tunes}
    outcomes: dict[int, TaskOutcome] = {}
    for place, outcome in _outcomes(search, _tune, limits):
        outcomes[place] = outcome
        on_tuned(search[place].cell)
    ready = {}
    for number, task in tasks.items():
        found = outcomes.get(task.place)
        if found is None:
            ready[number] = task
        elif found.result is None:
            yield number, _lost(task, found, "the search for a learning rate "), True
        else:
            ready[number] = replace(task, tuning=tuning_from(json.loads(found.result)))
    for number, outcome in _outcomes(ready, _run, limits):
        if outcome.result is None:
            yield number, _lost(ready[number], outcome), True
        else:
            text, _, packed = outcome.result.partition(b"\n")
            yield number, from_record(json.loads(text), unpack(packed)), False


# modules that a run imports on first use; preloaded, so that not every process imports them
_PRELOADED = (__name__, *(f"newtonkit.derivatives.{name}" for name in ("taping", "batching", "codegen")))


def _outcomes(
    tasks: Mapping[int, _Task], function: Callable[[_Task, Report], bytes], limits: Mapping[str, Any]
) -> Iterator[tuple[int, TaskOutcome]]:
    """The outcome of each task by its key, as they end."""
    # the most expensive first, so that none of them is left for the end
    order = sorted(tasks, key=lambda number: -tasks[number].problem.n)
    for outcome in run_all([tasks[number] for number in order], function, preload=_PRELOADED, **limits):
        yield order[outcome.number], outcome


def _tune(task: _Task, report: Report) -> bytes:
    tuning = tuning_for(task.problem, as_solver(task.cell.method), task.protocol)
    assert tuning is not None
    return json_text(plain(asdict(tuning))).encode()


def _run(task: _Task, report: Report) -> bytes:
    run = run_one(task.problem, task.start, task.cell.method, task.protocol, task.tuning, report=report)
    return json_text(record(run)).encode() + b"\n" + pack(run.trace.arrays())


def _lost(task: _Task, outcome: TaskOutcome, what: str = "") -> Run:
    problem = task.problem
    end = {
        "seconds": outcome.seconds,
        "reason": outcome.status.name,
        "message": what + outcome.message,
        "trace": reported_trace(problem.n, outcome.reports),
    }
    return lost_run(problem, task.start, task.cell.method, task.protocol, task.tuning, end)
