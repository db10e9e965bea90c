"""Decision boundaries over two moons, of a document's rules and of methods with curvature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

import newtonkit
from comparisons.core.labels import long_name, number
from comparisons.plots.style import INK
from comparisons.report.document import Table
from comparisons.studies.learning.loss_curves import Task
from comparisons.studies.learning.moons_document import document_start, training_accuracy
from comparisons.studies.learning.time_to_target import CURVED
from newtonkit import Result

Vector = NDArray[np.float64]

_GRID = 161  # grid points along each side of the drawn regions
_CLASSES = (("#D55E00", "o"), ("#0072B2", "^"))  # points of the classes 0 and 1
_TINTS = ("#F7DFCF", "#CFE3F2")


@dataclass(frozen=True)
class Ending:
    """The end of a run on the document's network."""

    method: str
    params: Any
    loss: float
    accuracy: float


def endings(task: Task, runs: Mapping[str, Result], budget: int) -> list[Ending]:
    """The document's rules and methods with curvature, all from the document's start."""
    found = [
        Ending(method, result.last, float(result.history.full_loss[-1]), training_accuracy(task, result.last))
        for method, result in runs.items()
    ]
    for method in CURVED:
        result = newtonkit.minimize(
            lambda params: task.loss(params, task.data),
            document_start(),
            method=method,
            options={"gtol": 0.0, "maxgev": budget, "maxhvp": budget, "verdict": False},
        )
        found.append(Ending(method, result.x, float(result.fun), training_accuracy(task, result.x)))
    return found


def endings_table(ends: Sequence[Ending], budget: int) -> Table:
    rows = [[long_name(end.method), number(end.loss, 4), f"{end.accuracy:.1%}"] for end in ends]
    return Table(
        f"From the document's start: its rules as it runs them; curvature, {budget} gradients at most",
        ("method", "training loss", "training accuracy"),
        rows,
    )


def boundaries_figure(task: Task, ends: Sequence[Ending]) -> Figure:
    """The two regions of each network and the points, six panels."""
    x, labels = task.data
    figure = Figure(figsize=(9.6, 5.3), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    low, high = x.min(axis=0) - 0.4, x.max(axis=0) + 0.4
    sides = [np.linspace(low[i], high[i], _GRID) for i in (0, 1)]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    for axes, end in zip(panels, ends, strict=True):
        scores = np.reshape(task.network.scores(end.params, grid), (_GRID, _GRID))
        _regions(axes, sides, scores)
        for value, (colour, mark) in enumerate(_CLASSES):
            axes.plot(*x[labels == value].T, mark, color=colour, markersize=3.6, markeredgewidth=0)
        axes.set_title(f"{long_name(end.method)}: {end.accuracy:.1%}", fontsize=11)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set_aspect("equal")
    handles = [
        Line2D([], [], linestyle="none", marker=mark, color=colour, label=f"class {value}")
        for value, (colour, mark) in enumerate(_CLASSES)
    ]
    handles.append(Line2D([], [], color=INK, label="decision boundary"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _regions(axes: Axes, sides: Sequence[Vector], scores: Vector) -> None:
    span = float(np.abs(scores).max()) + 1.0
    axes.contourf(*sides, scores, levels=[-span, 0.0, span], colors=_TINTS)
    if scores.min() < 0.0 < scores.max():
        axes.contour(*sides, scores, levels=[0.0], colors=INK, linewidths=1.4)


def boundaries_caption(ends: Sequence[Ending], epochs: int) -> str:
    """The highest training accuracy."""
    best = max(ends, key=lambda end: end.accuracy)
    return (
        f"The classification by each network, with its training accuracy. Top: the document's rules after "
        f"{epochs} epochs on batches. Bottom: methods with curvature on all points. All start at the document's "
        f"start. The highest accuracy is {best.accuracy:.1%}, by {long_name(best.method)}, at a loss of "
        f"{number(best.loss, 3)}."
    )
