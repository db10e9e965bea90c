"""Tables with a row or a column for each method: endings and costs, all runs in one matrix, learning rates."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from matplotlib.colors import to_hex

from comparisons.core.endings import CLASSES, endings
from comparisons.core.labels import Ending, cheapest, ending, false_success, groups, long_name, methods, number, times
from comparisons.core.labels import where as where_ended
from comparisons.core.runs import Run
from comparisons.plots.heatmaps import cost_colour
from comparisons.plots.overview import row_labels
from comparisons.plots.style import style
from comparisons.report.document import Cell, Row, Table

# what a cell shows of a run that did not end at the lowest known minimum
MARKS = {
    Ending.CLOSE: ("☆", "close to it, but less accurate than required"),
    Ending.OTHER: ("○", "another known minimum"),
    Ending.SADDLE: ("×", "a saddle point or maximum"),
    Ending.BUDGET: ("–", "budget spent before convergence"),
    Ending.DOWN: ("▼", "f decreases without bound"),
    Ending.ELSEWHERE: ("?", "stopped elsewhere"),
}
_MAX_SHADE = 100.0  # times the cheapest; the colour scale ends there


def method_cell(method: str, **more: str) -> Cell:
    """The name of a method with a dot in its colour."""
    return Cell(method, dot=style(method).colour, **more)  # type: ignore[arg-type]


def method_table(runs: Sequence[Run]) -> Table:
    """A row for each method: runs solved, relative cost, and how many runs ended in each class."""
    best = {key: cheapest(members) for key, members in groups(runs).items()}
    ends = endings(runs)
    rows: list[Row] = []
    for method in methods(runs):
        mine = [run for run in runs if run.method == method]
        ratios = [
            run.price / max(first.price, 1)
            for run in mine
            if ending(run) is Ending.LOWEST and (first := best[run.problem, run.start]) is not None
        ]
        wrong = sum(map(false_success, mine))
        rows.append(
            [
                method_cell(method, hint=long_name(method)),
                f"{len(ratios)} of {sum(run.gap is not None for run in mine)}",
                number(statistics.median(ratios) if ratios else None, 3),
                str(sum(ratio == 1 for ratio in ratios)),
                *(str(ends[method][name] or "·") for name in CLASSES),
                Cell(str(wrong), tone="bad" if wrong else ""),
            ]
        )
    headings = ("method", "solved", "relative cost", "cheapest", *CLASSES, "false successes")
    return Table("", headings, rows)


def ending_table(runs: Sequence[Run]) -> Table:
    """A row for each method, a column for each class of ending."""
    rows = [[method, *(str(row[name] or "·") for name in CLASSES)] for method, row in endings(runs).items()]
    return Table("", ("method", *CLASSES), rows)


def overview_table(runs: Sequence[Run], anchors: Sequence[str], run_anchor: Mapping[int, str]) -> Table:
    """A row for each problem and start, a column for each method; each cell leads to its run.

    Parameters
    ----------
    runs : sequence of Run
    anchors : sequence of str
        Of the sections of the problems, in the order of `groups`.
    run_anchor : mapping of int to str
        The anchor of each run, by its ``id``.
    """
    names = methods(runs)
    rows: list[Row] = []
    for label, anchor, members in zip(row_labels(runs), anchors, groups(runs).values(), strict=True):
        first = cheapest(members)
        here = {run.method: _overview_cell(run, first, run_anchor[id(run)]) for run in members}
        rows.append([Cell(label, link=anchor), *(here.get(name, Cell("")) for name in names)])
    return Table("", ("", *names), rows, dense=True)


def _overview_cell(run: Run, first: Run | None, anchor: str) -> Cell:
    wrong = "!" if false_success(run) else ""
    if ending(run) is Ending.LOWEST and first is not None:
        ratio = run.price / max(first.price, 1)
        hint = f"{run.method}: {times(ratio)} times the lowest cost"
        return Cell(times(ratio) + wrong, anchor, hint, fill=to_hex(cost_colour(min(ratio, _MAX_SHADE))))
    return Cell(MARKS[ending(run)][0] + wrong, anchor, f"{run.method}: {where_ended(run)}", "bad" if wrong else "")


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
