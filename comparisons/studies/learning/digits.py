"""A small network on handwritten digits: cost of fitting by Adam at tuned rates and by methods with curvature."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from comparisons.report.document import Document
from comparisons.report.files import save_figure
from comparisons.studies.learning.loss_curves import GRID, Task
from comparisons.studies.learning.time_to_target import race
from comparisons.studies.learning.time_to_target_report import (
    protocol,
    rates_table,
    reach_caption,
    reach_figure,
    reach_table,
    verdict,
)
from problems import datasets
from problems.networks import Network, softmax_cross_entropy

QUICK = {"starts": 2, "budget": 30}
TARGETS: tuple[float, ...] = (0.1, 0.01, 0.001, 0.0001)


def run(out: Path, *, seed: int = 0, quick: bool = False, starts: int = 5, budget: int = 300) -> Document:
    """All methods on all 1797 digits, from several starts.

    Parameters
    ----------
    out : Path
    seed : int, default 0
        Seed of the first start; the next ones follow. Rates are tuned on others.
    quick : bool, default False
        Few digits, starts and rates.
    starts : int, at least 1, default 5
    budget : int, at least 1, default 300
        Gradient-equivalents of a run.
    """
    x, labels = datasets.digits()
    targets, tuned_on, grid = TARGETS, 3, GRID
    if quick:
        x, labels, targets, tuned_on, grid = x[:200], labels[:200], (0.5,), 1, GRID[-4::2]
    network = Network((x.shape[1], 32, 10), activation="tanh")
    task = Task(network, (x, np.eye(10)[labels]), softmax_cross_entropy, "xavier")
    seeds = range(seed, seed + starts)
    found = race(task, targets, seeds=seeds, tuned_on=tuned_on, grid=grid, budget=budget)
    figure = save_figure(
        reach_figure(found),
        out / "digits.png",
        "Training loss of a network on digits against gradient-equivalents and seconds, Adam and three with curvature.",
        reach_caption(found),
    )
    paragraphs = [
        f"A network {'-'.join(map(str, network.sizes))} with tanh and softmax cross-entropy, n = {network.n}, on "
        f"{len(x)} digits of 8×8 pixels, without held-out data or regularization: the question is how fast the loss "
        "falls, not how well the network generalizes.",
        protocol(found),
        verdict(found),
    ]
    tables = [
        reach_table(found, "Gradient-equivalents (and seconds) to a training loss"),
        rates_table(found, "Adam's rates, tuned on other starts"),
    ]
    return Document("Digits", [*paragraphs, figure, *tables])
