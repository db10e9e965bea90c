"""The figures of the report: of each problem and start, drawn several at a time, and of the scores."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from matplotlib.figure import Figure

from comparisons.core.labels import count, methods, problem_of
from comparisons.core.runs import Run
from comparisons.plots import catalogue as pictures
from comparisons.plots.scoreboard import Plate
from comparisons.running.worker_main import Report
from comparisons.running.workers import run_all
from comparisons.scores.convergence_order import orders
from problems import Problem

MOST = 24  # sections with figures: about 400 kB each, and a page of 15 MB is as much as one sends
_RIBBONS = 30  # variables up to which eigenvalues are told apart


@dataclass(frozen=True)
class Picture:
    """A figure, its text for those who do not see it, and its caption."""

    name: str
    """Of its file, without suffix."""
    title: str
    svg: str
    alt: str
    caption: str

    @property
    def source(self) -> str:
        """A data URI: inside the page, and out of reach of the page's own styles."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"


def of_plates(plates: Sequence[Plate]) -> list[Picture]:
    """The figures of a scoreboard."""
    return [_picture(plate.name, plate.title, plate.figure, f"{plate.title}.", plate.caption) for plate in plates]


def of_sections(slugs: Sequence[str], sections: Sequence[Sequence[Run]], jobs: int = 1) -> list[list[Picture]]:
    """The figures of each section.

    Parameters
    ----------
    slugs : sequence of str
        What the names of the files begin with.
    sections : sequence of sequences of Run
        The runs of one problem from one start each.
    jobs : int, default 1
        Processes that draw.
    """
    tasks = [_Task(slug, tuple(runs)) for slug, runs in zip(slugs, sections, strict=True)]
    if jobs == 1:
        return [_drawn(task) for task in tasks]
    found: dict[int, list[Picture]] = {}
    for outcome in run_all(tasks, _draw, jobs=jobs, preload=[__name__], reuse=True):
        if outcome.result is None:
            raise RuntimeError(f"the figures of {slugs[outcome.number]} were not drawn: {outcome.message}")
        found[outcome.number] = [Picture(**entry) for entry in json.loads(outcome.result)]
    return [found[number] for number in range(len(tasks))]


@dataclass(frozen=True)
class _Task:
    slug: str
    runs: tuple[Run, ...]


def _draw(task: _Task, report: Report) -> bytes:
    return json.dumps([asdict(picture) for picture in _drawn(task)]).encode()


def _drawn(task: _Task) -> list[Picture]:
    runs = task.runs
    problem, name, slug = problem_of(runs[0]), runs[0].name, task.slug
    found = [
        _picture(
            f"{slug}-convergence",
            "Convergence",
            pictures.convergence(runs, problem),
            f"Convergence of {count(len(runs), 'method')} on {name}: f and its gradient by iterations, cost, seconds.",
            pictures.convergence_caption(runs, problem),
        )
    ]
    if problem is None:
        return found
    if problem.domain is not None:
        found.append(
            _picture(
                f"{slug}-paths",
                "Paths",
                pictures.paths(runs, problem),
                f"Paths of {count(len(runs), 'method')} over the contours of {name}.",
                pictures.paths_caption(runs, problem),
            )
        )
    if problem.n == 2 and name == "rosenbrock" and orders(runs, problem):
        found.append(
            _picture(
                f"{slug}-order",
                "Order of convergence",
                pictures.order_of_convergence(runs, problem),
                f"Error after each step against the error before it, near the minimum of {name}.",
                pictures.order_caption(runs, problem),
            )
        )
    return found + _ribbons(runs, problem, slug)


def _ribbons(runs: Sequence[Run], problem: Problem, slug: str) -> list[Picture]:
    """How f curves along the way of Newton's method, where that ran from a start of the catalogue."""
    start = runs[0].start
    if problem.n > _RIBBONS or start not in problem.starts or "newton" not in methods(runs):
        return []
    figure, caption = pictures.ribbon_figure(problem, "newton", start)
    alt = f"Eigenvalues of the Hessian of {problem.name} along the run of newton, and how many are negative."
    return [_picture(f"{slug}-ribbons", "Curvature along the way", figure, alt, caption)]


def _picture(name: str, title: str, figure: Figure, alt: str, caption: str) -> Picture:
    return Picture(name, title, pictures.svg_text(figure), alt, caption)
