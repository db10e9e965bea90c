"""The tables of the benchmark of solvers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from comparisons.core.labels import number
from comparisons.studies import solver_scores as scoring
from comparisons.studies.solver_benchmark import Trial


def show(console: Console, trials: Sequence[Trial]) -> None:
    """Print everything: who solves what, whose claims hold, what it costs, the aims, and where ours fall short."""
    for table in (solved_table, claims_table, cost_table, pair_table, aim_table):
        console.print(table(trials))
        console.print()
    for title, wrong in (
        ("False failures of ours", scoring.false_failure),
        ("False successes of ours", scoring.false_success),
        ("Successes of ours that nothing confirms", scoring.unsure),
        ("Not solved by ours, though another solver does", unsolved_by_ours(trials)),
    ):
        console.print(case_table(title, [trial for trial in trials if ":" not in trial.method and wrong(trial)]))
        console.print()


def _methods(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(trial.method for trial in trials))


def _classes(trials: Sequence[Trial]) -> Iterator[tuple[str, int]]:
    """The classes of starts that occur, and how many problems are run from each."""
    for name in scoring.CLASSES:
        runs = {(t.problem, t.start) for t in trials if scoring.start_class(t) == name}
        if runs:
            yield name, len(runs)


def solved_table(trials: Sequence[Trial]) -> Table:
    """Runs solved and lowest minima reached, solvers down and classes of starts across."""
    classes = list(_classes(trials))
    table = _table(
        "Solved, and in brackets those at the lowest minimum known",
        ("solver", *(f"{name} ({runs})" for name, runs in classes), f"all ({sum(runs for _, runs in classes)})"),
    )
    for method in _methods(trials):
        mine = [trial for trial in trials if trial.method == method]
        columns = [[t for t in mine if scoring.start_class(t) == name] for name, _ in classes]
        table.add_row(method, *(_solved_and_best(column) for column in (*columns, mine)))
    return table


def _solved_and_best(trials: Sequence[Trial]) -> str:
    good = [trial for trial in trials if scoring.solved(trial)]
    return f"{len(good)} ({sum(map(scoring.best, good))})"


def claims_table(trials: Sequence[Trial]) -> Table:
    """How each solver's claims compare with where it ended."""
    columns: dict[str, Callable[[Trial], bool]] = {
        "solved": scoring.solved,
        "‖g‖∞ ≤ 1e-8": lambda t: scoring.solved(t) and scoring.small_gradient(t),
        "rounding floor": lambda t: scoring.solved(t) and not scoring.small_gradient(t),
        "claimed": lambda t: t.success,
        "false failures": scoring.false_failure,
        "false successes": scoring.false_success,
        "of them at saddles": scoring.success_at_saddle,
        "short": scoring.short,
        "unsure": scoring.unsure,
        "ended at a saddle": scoring.at_saddle,
        "out of budget": lambda t: t.reason in ("EVALUATIONS", "ITERATIONS"),
    }
    table = _table("Claims", ("solver", *columns))
    for method in _methods(trials):
        mine = [trial for trial in trials if trial.method == method]
        table.add_row(method, *(str(sum(map(holds, mine))) for holds in columns.values()))
    return table


def cost_table(trials: Sequence[Trial]) -> Table:
    """Geometric means over the runs that all solvers solve."""
    methods = _methods(trials)
    runs = scoring.solved_by_all(trials, methods)
    table = _table(
        f"Geometric means over the {len(runs)} runs that all solve (cost and checks: f + g + Hv + n·H)",
        ("solver", *scoring.COUNTED, "cost", "checks"),
    )
    for method in methods:
        mine = [run[method] for run in runs]
        means = [scoring.geometric_mean([scoring.amount(t, what) for t in mine]) for what in (*scoring.COUNTED, "cost")]
        checks = scoring.geometric_mean([scoring.checks_cost(t) for t in mine])
        table.add_row(method, *(_mean(value) for value in (*means, checks)))
    return table


def pair_table(trials: Sequence[Trial]) -> Table:
    """Ours in units of its counterpart, over the runs that both solve."""
    table = _table(
        "Ratios of geometric means, ours to the other's, over the runs that both solve",
        ("ours", "other", "runs", *scoring.COUNTED, "cost"),
        words=2,
    )
    took_part = set(_methods(trials))
    for ours, other in scoring.PAIRS:
        if {ours, other} <= took_part:
            pair = scoring.compare(trials, ours, other)
            table.add_row(ours, other, str(pair.runs), *(_ratio(value) for value in pair.ratio.values()))
    return table


def aim_table(trials: Sequence[Trial]) -> Table:
    """The aims, what was measured, and whether they are met."""
    table = _table("Aims", ("aim", "measured", "met"), words=3)
    for aim in scoring.aims(trials):
        table.add_row(aim.sentence, aim.measured, "yes" if aim.met else "NO", style="" if aim.met else "yellow")
    return table


def unsolved_by_ours(trials: Sequence[Trial]) -> Callable[[Trial], bool]:
    """Whether a trial is not solved, though another solver solves that run."""
    runs = scoring.by_run(trials)
    solvable = {run for run, by_method in runs.items() if any(map(scoring.solved, by_method.values()))}
    return lambda trial: (trial.problem, trial.start) in solvable and not scoring.solved(trial)


def case_table(title: str, cases: Sequence[Trial]) -> Table:
    """One row for each trial, with what it says of itself."""
    table = _table(f"{title}: {len(cases)}", ("problem", "start", "solver", "f", "‖g‖∞", "kind", "stopped by"), words=3)
    for t in cases:
        table.add_row(t.problem, t.start, t.method, number(t.f), number(t.gradient_norm, 2), t.kind, t.reason)
    return table


def _table(title: str, headings: Sequence[str], words: int = 1) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i < words else "right")
    return table


def _mean(value: float) -> str:
    return "–" if math.isnan(value) or value == 0.0 else f"{value:.1f}"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"
