"""Oscillation of gradient descent with all points, batches and single points, on a loss of two weights.

A straight line through the middle of two moons has two weights; its loss is convex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import newtonkit
from comparisons.core.labels import listing, number
from comparisons.plots.style import INK, style
from comparisons.report.document import Table
from newtonkit import GradientDescent
from newtonkit.training.update import Update
from problems.networks import binary_cross_entropy

Vector = NDArray[np.float64]

SIZES: dict[str, int | None] = {"all points": None, "batches of 64": 64, "single points": 1}
_UPDATES = 300
_RATE = 2.0
_START = np.array([-2.5, 1.5])
_LATE = 3  # the amplitude is measured on the last third of a path
_SIDE = 101


@dataclass(frozen=True)
class Swing:
    """One path."""

    batches: str
    path: Vector
    best: Vector
    """The minimizer of the loss over all points."""
    loss: Any
    """Of two weights, over all points."""

    @property
    def detour(self) -> float:
        """The length of the path divided by the distance from its start to its end."""
        steps = np.linalg.norm(np.diff(self.path, axis=0), axis=1)
        return float(steps.sum() / np.linalg.norm(self.path[-1] - self.path[0]))

    @property
    def swing(self) -> float:
        """The root mean square distance from the minimizer in the last third."""
        late = self.path[-(len(self.path) // _LATE) :]
        return float(np.sqrt(np.mean(np.sum((late - self.best) ** 2, axis=1))))


def swings_of(x: Vector, labels: NDArray[np.int64], seed: int) -> list[Swing]:
    """Paths of as many updates, at the same rate, from the same start."""
    centred = x - x.mean(axis=0)

    def loss(weights: Any, batch: Any) -> Any:
        return binary_cross_entropy(anp.dot(batch[0], weights), batch[1])

    def of_all(weights: Any) -> Any:
        return loss(weights, (centred, labels))

    best = newtonkit.minimize(of_all, _START, method="newton").x
    found = []
    for batches, size in SIZES.items():
        path = [_START]

        def keep(update: Update, path: list[Vector] = path) -> bool:
            path.append(np.asarray(update.params))
            return update.number >= _UPDATES

        newtonkit.train(
            loss,
            _START,
            (centred, labels),
            GradientDescent(rate=_RATE),
            batch_size=size,
            epochs=_UPDATES,
            seed=seed,
            check_every=_UPDATES,
            callback=keep,
        )
        found.append(Swing(batches, np.array(path), np.asarray(best), of_all))
    return found


def swings_table(swings: Sequence[Swing]) -> Table:
    rows = [
        [swing.batches, number(swing.detour, 3), number(swing.swing, 2), number(float(swing.loss(swing.path[-1])), 4)]
        for swing in swings
    ]
    heads = (
        "gradients of",
        "path length / distance",
        "final distance from the minimizer",
        "loss at the end",
    )
    return Table(f"Gradient descent on two weights, {_UPDATES} updates at rate {_RATE:g}", heads, rows)


def swings_figure(swings: Sequence[Swing]) -> Figure:
    """The paths side by side over the contours of the loss over all points."""
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    panels = figure.subplots(1, len(swings), sharex=True, sharey=True)
    points = np.vstack([swing.path for swing in swings])
    margin = 0.12 * np.ptp(points, axis=0)
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    sides = [np.linspace(low[i], high[i], _SIDE) for i in (0, 1)]
    loss = swings[0].loss
    height = np.array([[float(loss(np.array([u, v]))) for u in sides[0]] for v in sides[1]])
    floor = float(loss(swings[0].best))
    levels = floor + np.geomspace(0.005, float(height.max()) - floor, 13)[:-1]
    for axes, swing in zip(panels, swings, strict=True):
        axes.contour(*sides, height, levels=levels, colors="#b9b9b9", linewidths=0.6)
        axes.plot(*swing.path.T, color=style("gd").colour, linewidth=1.0, marker=".", markersize=2.5)
        axes.plot(*swing.path[0], "o", color="white", markeredgecolor="black", markersize=7, label="start")
        axes.plot(*swing.best, "*", color=INK, markeredgecolor="white", markersize=13, label="minimum over all points")
        axes.set(title=swing.batches, xlabel="w[0]")
    panels[0].set_ylabel("w[1]")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def swings_caption(swings: Sequence[Swing]) -> str:
    """The relative lengths of the paths."""
    lengths = listing([f"{number(swing.detour, 3)} with {swing.batches}" for swing in swings])
    return (
        f"Gradient descent, {_UPDATES} updates at the same rate, on the two weights of a line through the middle of "
        "the moons; contours of the loss over all points. Path length divided by the distance from start to end: "
        f"{lengths}. With smaller batches an update is cheaper and the path oscillates more."
    )
