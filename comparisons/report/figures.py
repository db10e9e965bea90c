"""The figures of a comparison: of each problem and start, drawn by several processes, and of the scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure as Drawing

from comparisons.core.labels import count, methods, problem_of
from comparisons.core.runs import Run
from comparisons.core.scored import Scored
from comparisons.plots.convergence import convergence, convergence_caption
from comparisons.plots.convergence_order_plots import order_caption, order_of_convergence
from comparisons.plots.eigenvalue_ribbon_plots import ribbon_figure
from comparisons.plots.paths import paths, paths_caption
from comparisons.plots.scoreboard import ScoreFigure
from comparisons.plots.style import save
from comparisons.report.document import Figure, Section
from comparisons.running.worker_main import Report
from comparisons.running.workers import run_all
from comparisons.scores.convergence_order import orders
from problems import Problem

MAX_FIGURE_SECTIONS = 3  # about 300 kB of figures each, and 600 kB of the scores: a page stays below 2 MB
_MAX_EIGENVALUES = 30  # variables; more ribbons cannot be distinguished


def score_sections(folder: Path, figures: Sequence[ScoreFigure]) -> list[Section]:
    """A section for each figure of the scores."""
    return [
        Section(f.title, [_saved(folder / f"{f.name}.svg", f.figure, f"{f.title}.", f.caption)], f.name)
        for f in figures
    ]


def problem_figures(
    folder: Path,
    anchors: Sequence[str],
    members: Sequence[Sequence[Scored]],
    jobs: int = 1,
    own: Mapping[str, Problem] | None = None,
) -> list[list[Figure]]:
    """The figures of each problem and start.

    Parameters
    ----------
    folder : Path
        Where they are written.
    anchors : sequence of str
        The first part of the file names.
    members : sequence of sequences of Scored
        The runs of one problem from one start each.
    jobs : int, default 1
        Processes that draw; problems of the user are drawn in this process.
    own : mapping of str to Problem, optional
        Problems by their label that the catalogue does not have.
    """
    tasks = [
        _Task(str(folder), anchor, tuple(rows), (own or {}).get(rows[0].run.problem))
        for anchor, rows in zip(anchors, members, strict=True)
    ]
    if jobs == 1 or own:  # functions of the user cannot be sent to other processes
        return [list(_figures(task)) for task in tasks]
    found: dict[int, list[Figure]] = {}
    for outcome in run_all(tasks, _draw, jobs=jobs, preload=[__name__], reuse=True):
        if outcome.result is None:
            raise RuntimeError(f"the figures of {anchors[outcome.number]} were not drawn: {outcome.message}")
        found[outcome.number] = [Figure(Path(path), alt, caption) for path, alt, caption in json.loads(outcome.result)]
    return [found[number] for number in range(len(tasks))]


@dataclass(frozen=True)
class _Task:
    folder: str
    anchor: str
    rows: tuple[Scored, ...]
    own: Problem | None


def _draw(task: _Task, report: Report) -> bytes:
    return json.dumps([(str(figure.path), figure.alt, figure.caption) for figure in _figures(task)]).encode()


def _figures(task: _Task) -> Iterator[Figure]:
    runs = [row.run for row in task.rows]
    problem, name = task.own or problem_of(runs[0]), runs[0].name
    several = count(len(runs), "method")

    def drawn(kind: str, figure: Drawing, alt: str, caption: str) -> Figure:
        return _saved(Path(task.folder) / f"{task.anchor}-{kind}.svg", figure, alt, caption)

    yield drawn(
        "convergence",
        convergence(task.rows, problem),
        f"Convergence of {several} on {name}: f and its gradient against iterations, cost and seconds.",
        convergence_caption(task.rows, problem),
    )
    if problem is None:
        return
    if problem.domain is not None:
        alt = f"Paths of {several} over the contours of {name}."
        yield drawn("paths", paths(runs, problem), alt, paths_caption(task.rows, problem))
    if problem.n == 2 and name == "rosenbrock" and orders(runs, problem):
        alt = f"Error after each step against the error before it, near the minimum of {name}."
        yield drawn("order", order_of_convergence(runs, problem), alt, order_caption(runs, problem))
    if _has_ribbons(runs, problem):
        figure, caption = ribbon_figure(problem, "newton", runs[0].start)
        alt = f"Eigenvalues of the Hessian of {name} along the run of newton, and how many are negative."
        yield drawn("ribbons", figure, alt, caption)


def _has_ribbons(runs: Sequence[Run], problem: Problem) -> bool:
    return problem.n <= _MAX_EIGENVALUES and runs[0].start in problem.starts and "newton" in methods(runs)


def _saved(path: Path, figure: Drawing, alt: str, caption: str) -> Figure:
    return Figure(save(figure, path), alt, caption)
