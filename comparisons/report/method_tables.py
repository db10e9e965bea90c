"""Tables with a row or a column for each method: endings and costs, all runs in one matrix, learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.colors import to_hex

from comparisons.core.endings import Ending, count_endings
from comparisons.core.labels import MARKS, ending_label, groups, long_name, number, times
from comparisons.core.runs import Run
from comparisons.core.scored import MethodScore, Scored, ScoredTable
from comparisons.plots.heatmaps import cost_colour
from comparisons.plots.style import style, symbol
from comparisons.report.document import Cell, Row, Table, Tone, keyed


def method_cell(method: str, **more: str) -> Cell:
    """The name of a method with its symbol, in shape and colour that of the figures."""
    line_style = style(method)
    return Cell(method, dot=line_style.colour, symbol=symbol(line_style), **more)  # type: ignore[arg-type]


def run_key(row: Scored) -> str:
    """The first part of the keys of the numbers of a run."""
    return f"{row.run.problem}/{row.run.start}/{row.method}"


def key_table(scored: ScoredTable) -> Table:
    """A row for each method, narrow enough for a phone: runs solved, relative cost, seconds, false successes."""
    rows: list[Row] = [
        [
            method_cell(score.method, hint=long_name(score.method)),
            Cell(f"{score.solved} of {score.known}", key=f"{score.method}/solved"),
            Cell(number(score.relative_cost, 3), key=f"{score.method}/relative cost"),
            Cell(number(score.seconds, 2), key=f"{score.method}/seconds"),
            _false_successes(score),
        ]
        for score in scored.methods
    ]
    return Table("", ("method", "solved", "relative cost", "seconds", "false successes"), rows)


def _false_successes(score: MethodScore) -> Cell:
    tone: Tone = "bad" if score.false_successes else ""
    return Cell(str(score.false_successes), tone=tone, key=f"{score.method}/false successes")


def method_table(scored: ScoredTable) -> Table:
    """A row for each method: runs solved, relative cost, and how many runs ended in each class."""
    rows: list[Row] = [
        [
            method_cell(score.method, hint=long_name(score.method)),
            Cell(f"{score.solved} of {score.known}", key=f"{score.method}/solved"),
            Cell(number(score.relative_cost, 3), key=f"{score.method}/relative cost"),
            Cell(str(score.cheapest), key=f"{score.method}/cheapest"),
            *(Cell(str(score.endings[ending] or "·"), key=f"{score.method}/{ending}") for ending in Ending),
            _false_successes(score),
        ]
        for score in scored.methods
    ]
    headings = ("method", "solved", "relative cost", "cheapest", *Ending, "false successes")
    return Table("", headings, rows)


def ending_table(runs: Sequence[Run]) -> Table:
    """A row for each method, a column for each class of ending."""
    rows = [[method, *(str(row[name] or "·") for name in Ending)] for method, row in count_endings(runs).items()]
    return Table("", ("method", *Ending), rows)


def row_labels(runs: Sequence[Run]) -> list[str]:
    """A short name for each problem and start: parameters and start only where they distinguish rows."""
    firsts = [members[0] for members in groups(runs).values()]
    labels_of_name = {name: {run.problem for run in firsts if run.name == name} for name in {r.name for r in firsts}}
    several_starts = len({run.start for run in firsts}) > 1
    return [
        (run.name if len(labels_of_name[run.name]) == 1 else run.problem)
        + (f" · {run.start}" if several_starts else "")
        for run in firsts
    ]


def overview_table(scored: ScoredTable, anchors: Sequence[str], run_anchor: Mapping[int, str]) -> Table:
    """A row for each problem and start, a column for each method; each cell leads to its run.

    Parameters
    ----------
    scored : ScoredTable
    anchors : sequence of str
        Of the sections of the problems, in the order of `groups`.
    run_anchor : mapping of int to str
        The anchor of each run, by its ``id``.
    """
    names = [score.method for score in scored.methods]
    labels = row_labels([row.run for row in scored])
    rows: list[Row] = []
    for label, anchor, members in zip(labels, anchors, scored.instances.values(), strict=True):
        here = {row.method: _overview_cell(row, run_anchor[id(row.run)]) for row in members}
        rows.append([Cell(label, link=anchor), *(here.get(name, Cell("")) for name in names)])
    return Table("", ("", *names), rows, dense=True)


def _overview_cell(row: Scored, anchor: str) -> Cell:
    wrong = "!" if row.false_success else ""
    if row.solved:
        hint = f"{row.method}: {times(row.ratio)} times the lowest cost"
        text = keyed(f"{run_key(row)}/ratio", times(row.ratio)) + wrong
        return Cell(text, anchor, hint, fill=to_hex(cost_colour(row.ratio)))
    hint = f"{row.method}: {ending_label(row.run, row.solved)}"
    return Cell(MARKS[row.ending][0] + wrong, anchor, hint, "bad" if wrong else "")


def overview_legend() -> str:
    """What the entries of the overview mean."""
    marks = "; ".join(f"{mark} {meaning}" for mark, meaning in MARKS.values())
    return (
        "A row is a problem from one start, a column a method. A number means that the run reached the lowest known "
        "minimum; it is the cost relative to the cheapest such run (1 is the best). Other runs have a mark: "
        f"{marks}; ! success was reported at a point that is not a minimum. Each entry leads to its run."
    )


def rate_table(runs: Sequence[Run]) -> Table | None:
    """The tuned learning rates, a row for each problem; None if none was tuned."""
    tuned = {(run.problem, run.method): run.tuning for run in runs if run.tuning is not None}
    if not tuned:
        return None
    names = list(dict.fromkeys(method for _, method in tuned))
    rows: list[Row] = []
    for problem in dict.fromkeys(problem for problem, _ in tuned):
        row: list[str | Cell] = [problem]
        for method in names:
            tuning = tuned.get((problem, method))
            if tuning is None:
                row.append("")
                continue
            star = "*" if tuning.rate in (min(tuning.grid), max(tuning.grid)) else ""
            text = f"{number(tuning.rate)}{star} ({len(tuning.converged)} of {len(tuning.grid)})"
            reached = ", ".join(map(number, tuning.converged)) or "none"
            hint = f"target: {tuning.target} within {tuning.budget} gradients; reached by rates {reached}"
            row.append(Cell(text, hint=hint))
        rows.append(row)
    return Table("", ("problem", *names), rows)
