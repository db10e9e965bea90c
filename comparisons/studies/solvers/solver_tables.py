"""The tables of the solver benchmark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from comparisons.core.labels import number
from comparisons.report.document import Cell, Document, Row, Table
from comparisons.studies.solvers import solver_scores as scoring
from comparisons.studies.solvers.solver_benchmark import SolverRun


def benchmark_document(trials: Sequence[SolverRun]) -> Document:
    """All tables: runs solved, reports of success, cost, aims, and the runs that our methods fail."""
    own = [trial for trial in trials if ":" not in trial.method]
    tables = [table(trials) for table in (solved_table, claims_table, cost_table, pair_table, aim_table)]
    for title, wrong in (
        ("False failures of our methods", scoring.false_failure),
        ("False successes of our methods", scoring.false_success),
        ("Unconfirmed successes of our methods", scoring.unsure),
        ("Not solved by our method, but by another solver", unsolved_by_ours(trials)),
    ):
        tables.append(case_table(title, [trial for trial in own if wrong(trial)]))
    return Document("Benchmark of solvers", tables)


def _methods(trials: Sequence[SolverRun]) -> list[str]:
    return list(dict.fromkeys(trial.method for trial in trials))


def _classes(trials: Sequence[SolverRun]) -> Iterator[tuple[str, int]]:
    """The classes of starts that occur, and how many problems are run from each."""
    for name in scoring.CLASSES:
        runs = {(t.problem, t.start) for t in trials if scoring.start_class(t) == name}
        if runs:
            yield name, len(runs)


def solved_table(trials: Sequence[SolverRun]) -> Table:
    """Runs solved and lowest minima reached, solvers down and classes of starts across."""
    classes = list(_classes(trials))
    headings = ("solver", *(f"{name} ({runs})" for name, runs in classes), f"all ({sum(runs for _, runs in classes)})")
    rows = []
    for method in _methods(trials):
        mine = [trial for trial in trials if trial.method == method]
        columns = [[t for t in mine if scoring.start_class(t) == name] for name, _ in classes]
        rows.append([method, *(_solved_and_best(column) for column in (*columns, mine))])
    return Table("Solved, and in brackets at the lowest known minimum", headings, rows)


def _solved_and_best(trials: Sequence[SolverRun]) -> str:
    good = [trial for trial in trials if scoring.solved(trial)]
    return f"{len(good)} ({sum(map(scoring.best, good))})"


def claims_table(trials: Sequence[SolverRun]) -> Table:
    """The reports of each solver compared with where its runs ended."""
    columns: dict[str, Callable[[SolverRun], bool]] = {
        "solved": scoring.solved,
        "‖g‖∞ ≤ 1e-8": lambda t: scoring.solved(t) and scoring.small_gradient(t),
        "rounding floor": lambda t: scoring.solved(t) and not scoring.small_gradient(t),
        "reported": lambda t: t.success,
        "false failures": scoring.false_failure,
        "false successes": scoring.false_success,
        "of these at saddles": scoring.success_at_saddle,
        "short": scoring.short,
        "unsure": scoring.unsure,
        "ended at a saddle": scoring.at_saddle,
        "out of budget": lambda t: t.reason in ("EVALUATIONS", "ITERATIONS"),
    }
    bounded = any(map(scoring.has_bounds, trials))
    if bounded:
        columns["left the bounds"] = scoring.left_bounds
    rows = []
    for method in _methods(trials):
        mine = [trial for trial in trials if trial.method == method]
        outside = [str(sum(trial.outside or 0 for trial in mine))] if bounded else []
        rows.append([method, *(str(sum(map(holds, mine))) for holds in columns.values()), *outside])
    more = ("evaluations outside",) if bounded else ()
    return Table("Reports of success", ("solver", *columns, *more), rows)


def cost_table(trials: Sequence[SolverRun]) -> Table:
    """Geometric means over the runs that all solvers solve."""
    counts = {m: sum(scoring.solved(t) for t in trials if t.method == m) for m in _methods(trials)}
    methods = [m for m, count in counts.items() if 2 * count >= max(counts.values())]
    left_out = [m for m in counts if m not in methods]
    runs = scoring.solved_by_all(trials, methods)
    rows = []
    for method in methods:
        mine = [run[method] for run in runs]
        means = [scoring.geometric_mean([scoring.amount(t, what) for t in mine]) for what in (*scoring.COUNTED, "cost")]
        checks = scoring.geometric_mean([scoring.checks_cost(t) for t in mine])
        rows.append([method, *(_mean(value) for value in (*means, checks))])
    title = f"Geometric means over the {len(runs)} runs that all solve (cost and checks: f + g + Hv + n·H)"
    if left_out:
        title += f"; left out, since they solve less than half as many as the best: {', '.join(left_out)}"
    return Table(title, ("solver", *scoring.COUNTED, "cost", "checks"), rows)


def pair_table(trials: Sequence[SolverRun]) -> Table:
    """The evaluations of our method relative to its counterpart, over the runs that both solve."""
    rows = []
    took_part = set(_methods(trials))
    for ours, other in scoring.PAIRS:
        if {ours, other} <= took_part:
            pair = scoring.compare(trials, ours, other)
            rows.append([ours, other, str(pair.runs), *(_ratio(value) for value in pair.ratio.values())])
    title = "Ratios of geometric means, ours to the other solver's, over the runs that both solve"
    return Table(title, ("ours", "other", "runs", *scoring.COUNTED, "cost"), rows, text=(0, 1))


def aim_table(trials: Sequence[SolverRun]) -> Table:
    """The aims, what was measured, and whether they are met."""
    rows: list[Row] = [
        [aim.sentence, aim.measured, Cell("yes") if aim.met else Cell("NO", tone="bad")] for aim in scoring.aims(trials)
    ]
    return Table("Aims", ("aim", "measured", "met"), rows, text=(0, 1, 2))


def unsolved_by_ours(trials: Sequence[SolverRun]) -> Callable[[SolverRun], bool]:
    """Whether a trial is not solved, though another solver solves that run."""
    runs = scoring.by_run(trials)
    solvable = {run for run, by_method in runs.items() if any(map(scoring.solved, by_method.values()))}
    return lambda trial: (trial.problem, trial.start) in solvable and not scoring.solved(trial)


def case_table(title: str, cases: Sequence[SolverRun]) -> Table:
    """One row for each run, with its report."""
    rows = [[t.problem, t.start, t.method, number(t.f), number(t.gradient_norm, 2), t.kind, t.reason] for t in cases]
    headings = ("problem", "start", "solver", "f", "‖g‖∞", "kind", "stopped by")
    return Table(f"{title}: {len(cases)}", headings, rows, text=(0, 1, 2, 5, 6))


def _mean(value: float) -> str:
    return "–" if math.isnan(value) or value == 0.0 else f"{value:.1f}"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"
