"""Two moons: classification by three rules as in a teaching document, and the same loss with curvature.

First: a network 2-5-2-1 with ReLU, batches of 64, 10,000 epochs by gradient descent, momentum and Adam. Then: L-BFGS,
BFGS and Newton-CG on all points, and Adam at tuned rates. Last: how paths oscillate with smaller batches.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from comparisons.core.labels import count, listing
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.studies.learning.loss_curves import GRID, Task
from comparisons.studies.learning.moons_boundaries import boundaries_caption, boundaries_figure, endings, endings_table
from comparisons.studies.learning.moons_document import (
    RATE,
    RULES,
    SIZES,
    accuracies_table,
    costs_caption,
    costs_figure,
    document_run,
    document_start,
    document_verdict,
)
from comparisons.studies.learning.moons_paths import swings_caption, swings_figure, swings_of, swings_table
from comparisons.studies.learning.time_to_target import BATCH, Race, race
from comparisons.studies.learning.time_to_target_report import (
    name,
    protocol,
    rates_table,
    reach_caption,
    reach_figure,
    reach_table,
    verdict,
)
from newtonkit.core.validation import check_integer
from problems import datasets
from problems.networks import Network, binary_cross_entropy

QUICK = {"epochs": 200, "starts": 2, "budget": 40}
# target losses that most starts can reach
TARGETS: dict[str, tuple[float, ...]] = {"ReLU": (0.3, 0.2, 0.15, 0.12), "tanh": (0.3, 0.15, 0.12, 0.1)}
_OWN_STARTS = 3  # starts of the document's run, in addition to its own
_TUNED_ON = 5


def run(
    out: Path, *, seed: int = 0, quick: bool = False, epochs: int = 10_000, starts: int = 10, budget: int = 1000
) -> Document:
    """The document's run from its start and others, curvature on the same loss, and paths by the size of a batch.

    Parameters
    ----------
    out : Path
    seed : int, default 0
        Of the first start and of the batches; the next starts follow. Rates are tuned on others.
    quick : bool, default False
        Few epochs, starts and rates.
    epochs : int, at least 1, default 10,000
        Of the document's run.
    starts : int, at least 1, default 10
        Of the comparison with curvature; the document's run takes the first three.
    budget : int, at least 1, default 1000
        Gradient-equivalents of a run in the comparison.
    """
    targets, tuned_on, grid = TARGETS, _TUNED_ON, GRID
    if quick:
        tuned_on, grid = 1, GRID[-4::2]
        targets = dict.fromkeys(TARGETS, (0.5,))
    check_integer("epochs", epochs, 1)
    check_integer("starts", starts, 1)
    data = datasets.moons()
    tasks = {
        "ReLU": Task(Network(SIZES, activation="relu"), data, binary_cross_entropy, "he"),
        "tanh": Task(Network(SIZES, activation="tanh"), data, binary_cross_entropy, "xavier"),
    }
    document = tasks["ReLU"]
    seeds = range(seed, seed + starts)
    firsts = [document_start(), *map(document.start, seeds[:_OWN_STARTS])]
    runs = {
        method: [document_run(document, rule, params, epochs, seed) for params in firsts]
        for method, rule in RULES.items()
    }
    ends = endings(document, {method: results[0] for method, results in runs.items()}, budget)
    races = {
        activation: race(task, targets[activation], seeds=seeds, tuned_on=tuned_on, grid=grid, budget=budget)
        for activation, task in tasks.items()
    }
    swings = swings_of(*data, seed)
    figures = [
        save_figure(
            boundaries_figure(document, ends),
            out / "boundaries.png",
            "Six decision boundaries over two moons: three rules as the document runs them, three with curvature.",
            boundaries_caption(ends, epochs),
        ),
        save_figure(
            costs_figure(runs),
            out / "costs.png",
            "Loss against epochs for gradient descent, momentum and Adam at the document's rate.",
            costs_caption(runs),
        ),
        *(
            save_figure(
                reach_figure(found),
                out / f"reach-{activation.lower()}.png",
                f"Training loss on two moons with {activation} against gradient-equivalents and seconds.",
                f"With {activation}. {reach_caption(found)}",
            )
            for activation, found in races.items()
        ),
        save_figure(
            swings_figure(swings),
            out / "paths.png",
            "Paths of gradient descent on all points, batches of 64 and single points, over the same contours.",
            swings_caption(swings),
        ),
    ]
    paragraphs = [
        f"A network {'-'.join(map(str, SIZES))} with ReLU, a sigmoid at the end and cross-entropy, n = "
        f"{document.network.n}, on {len(data[0])} points of two moons with noise 0.2. As in the document: batches of "
        f"{BATCH}, reshuffled for every epoch with the last one smaller, {epochs} epochs, rate {RATE:g}; from the "
        f"document's start, and from {count(len(firsts) - 1, 'other')}.",
        document_verdict(document, runs),
        f"Then all points in every step. {protocol(races['ReLU'])}",
        *(f"With {activation}. {verdict(found)} {stuck(found)}" for activation, found in races.items()),
        "ReLU is not differentiable at zero and has no curvature elsewhere, so the loss is only piecewise smooth. With "
        "tanh it is smooth.",
    ]
    tables = [
        accuracies_table(document, runs),
        endings_table(ends, budget),
        *(table for activation, found in races.items() for table in _race_tables(activation, found)),
        swings_table(swings),
    ]
    return Document("Two moons", [*paragraphs, *figures, *tables])


def _race_tables(activation: str, found: Race) -> tuple[Table, Table]:
    return (
        reach_table(found, f"Gradient-equivalents (and seconds) to a training loss, {activation}"),
        rates_table(found, f"Adam's rates, tuned on other starts, {activation}"),
    )


def stuck(found: Race) -> str:
    """The number of starts that never fall below the loss of a constant, by method and for every method."""
    constant = float(np.log(2.0))
    dead = {
        label: {seed for seed, course in zip(found.seeds, courses, strict=True) if course.loss.min() > 0.99 * constant}
        for label, courses in found.courses.items()
    }
    if not any(dead.values()):
        return "No start is stuck at ln 2, the loss of a constant."
    listed = listing([f"{name(label)} ({len(seeds)})" for label, seeds in dead.items() if seeds])
    everywhere = len(set.intersection(*dead.values()))
    return f"Starts stuck at ln 2, the loss of a constant: {listed}; with every method: {everywhere}."
