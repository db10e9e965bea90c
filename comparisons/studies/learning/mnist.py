"""MNIST as a teaching document runs it, and the same network on a subset with methods that use curvature.

First: a network 784-100-100-100-100-10, batches of 128 drawn with replacement, 2000 updates by each first-order rule.
Then: L-BFGS and Newton-CG on all images of a subset, against first-order rules at tuned rates, at equal gradient cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import newtonkit
from comparisons.core.labels import listing, number
from comparisons.plots.style import LineStyle, name_ends, style, tick
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.report.tuning_tables import search_table
from comparisons.studies.learning.loss_curves import GRID
from comparisons.studies.learning.mnist_subset import (
    BATCH,
    courses_caption,
    courses_figure,
    courses_table,
    label_of,
    on_subset,
    subset_of,
    subset_verdict,
)
from newtonkit import AdaDelta, AdaGrad, Adam, GradientDescent, Momentum, RMSProp
from newtonkit.core.validation import check_integer
from newtonkit.methods.transforms.composition import FirstOrderRule
from problems import datasets
from problems.networks import Network, softmax_cross_entropy

Vector = NDArray[np.float64]

QUICK = {"steps": 60, "images": 100, "passes": 6}
# the rates of the document; RMSProp and AdaDelta, which it does not run, have their default rates
RULES: dict[str, FirstOrderRule] = {
    "gd": GradientDescent(rate=0.01),
    "momentum": Momentum(rate=0.01),
    "adagrad": AdaGrad(rate=0.01),
    "rmsprop": RMSProp(rate=0.001),
    "adadelta": AdaDelta(),
    "adam": Adam(rate=0.001),
}
# loss on the batch after update 1900, as printed in the document, which trains on 60,000 images
PUBLISHED = {"gd": 0.250, "momentum": 0.105, "adagrad": 0.0296, "adam": 0.0262}
_PUBLISHED_AT, _PUBLISHED_IMAGES = 1900, 60_000
_SMOOTHED = 100  # number of updates in a smoothed loss
_TUNING_SEED = 1000


def run(
    out: Path,
    *,
    seed: int = 0,
    quick: bool = False,
    folder: str | None = None,
    part: str = "train",
    steps: int = 2000,
    images: int = 1000,
    passes: int = 100,
    activation: str = "relu",
) -> Document:
    """The document's run, and methods with curvature on a subset.

    Parameters
    ----------
    out : Path
    seed : int, default 0
        Of the network's start, the batches and the subset; rates are tuned on another.
    quick : bool, default False
        Few images, updates, passes and rates.
    folder : str, optional
        Where MNIST's IDX files are; by default they are downloaded from openml.org, see `problems.datasets.mnist`.
    part : {"train", "test", "all"}, default "train"
        The images that are used, as the data set divides them.
    steps : int, at least 1, default 2000
        Updates of the document's run.
    images : int, at least 1, default 1000
        In the subset; as many others are tested on.
    passes : int, at least 2, default 100
        Over the subset, in evaluations of f and gradient together.
    activation : {"relu", "tanh", "sigmoid"}, default "relu"
        Of the network on the subset.
    """
    check_integer("steps", steps, 1)
    check_integer("images", images, 1)
    check_integer("passes", passes, 2)
    x, labels = datasets.mnist(folder, part)
    grid = GRID[2::3] if quick else GRID
    if 2 * images > len(x):
        raise ValueError(
            f"images must be at most half of the {len(x)} there are, since others are tested on; got {images}"
        )
    network = Network((784, 100, 100, 100, 100, 10))
    losses = {name: document_losses(network, rule, x, labels, steps, seed) for name, rule in RULES.items()}
    curved = Network(network.sizes, activation)
    seeds = seed, _TUNING_SEED + seed
    subset, elsewhere = (subset_of(curved, x, labels, images, drawn) for drawn in seeds)
    courses, searches = on_subset(subset, elsewhere, seeds, grid, passes)
    figures = [
        save_figure(
            losses_figure(losses),
            out / "losses.png",
            "Smoothed losses of six first-order rules on mini-batches.",
            losses_caption(losses),
        ),
        save_figure(
            courses_figure(courses, passes),
            out / "subset.png",
            "Training and test loss on a subset, against passes over it, for methods with and without curvature.",
            courses_caption(courses, passes),
        ),
    ]
    theirs, ours = steps * BATCH / _PUBLISHED_IMAGES, steps * BATCH / len(x)
    paragraphs = [
        f"A network {'-'.join(map(str, network.sizes))} with ReLU and softmax cross-entropy, n = {network.n}, from "
        f"He's start, on {len(x)} images; batches of {BATCH} drawn with replacement, {steps} updates. The loss is that "
        "of the current batch after the update, as the document prints it.",
        f"The document trains on {_PUBLISHED_IMAGES} images: there {steps} updates are {theirs:.1f} passes over the "
        f"data, here {ours:.1f}. Images that are seen more often are fitted sooner, so the last column stands after as "
        "many passes as the document's, at fewer updates. Its single losses are one batch each, and jump by a factor "
        "of two.",
        f"Then {images} of the images, all of them in every step, with {activation}; {images} others are tested on. "
        f"Every method may spend {passes} passes, of f and gradient together; a Hessian-vector product counts 4/3 of "
        f"one. Rates are the best of {len(grid)} from {number(grid[0])} to {number(grid[-1])}, tuned for the training "
        "loss on another subset and start, on the same budget.",
        subset_verdict(courses),
    ]
    tables = [
        _document_table(losses, len(x)),
        courses_table(subset, courses, searches),
        search_table(searches, "Learning rates, tuned on another subset and start", "training loss"),
    ]
    return Document("MNIST", [*paragraphs, *figures, *tables])


# --- the document's run -------------------------------------------------------------------------------------


def document_losses(
    network: Network, rule: FirstOrderRule, x: Vector, labels: NDArray[np.int64], steps: int, seed: int
) -> Vector:
    """The loss on each batch after its update."""
    losses: list[float] = []

    def loss(params: Any, batch: Any) -> Any:
        return softmax_cross_entropy(network.scores(params, batch[0]), batch[1])

    newtonkit.train(
        loss,
        network.start(seed),
        (x, np.eye(10)[labels]),
        rule,
        batch_size=BATCH,
        steps=steps,
        seed=seed,
        check_every=steps,
        callback=lambda update: losses.append(update.loss_after()),
    )
    return np.array(losses)


def smoothed(losses: Vector, at: int) -> float:
    """The mean over the hundred updates round this one, or as many as there are."""
    half = min(_SMOOTHED // 2, at, len(losses) - 1 - at)
    return float(losses[at - half : at + half + 1].mean())


def _document_table(losses: Mapping[str, Vector], images: int) -> Table:
    steps = len(next(iter(losses.values())))
    late = min(_PUBLISHED_AT, steps - 1)
    early = late * images // _PUBLISHED_IMAGES
    rows = []
    for name, values in losses.items():
        rule: Any = RULES[name]
        published = PUBLISHED.get(name) if late == _PUBLISHED_AT else None
        rows.append(
            [
                label_of(name),
                number(rule.rate),
                number(published),
                number(smoothed(values, late), 3),
                number(float(values[late]), 3),
                number(smoothed(values, early), 3),
            ]
        )
    heads = ("rule", "rate", "document", f"ours near update {late}", "single", f"near update {early}, as many passes")
    return Table("Losses on the batch after the update", heads, rows)


def losses_figure(losses: Mapping[str, Vector]) -> Figure:
    """All smoothed curves on one pair of axes."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.subplots()
    width = min(_SMOOTHED, *map(len, losses.values()))
    means = {name: np.convolve(values, np.ones(width) / width, mode="valid") for name, values in losses.items()}
    for name, mean in means.items():
        axes.plot(np.arange(len(mean)) + (width + 1) / 2, mean, color=style(name).colour, linewidth=1.8)
    axes.set(yscale="log", xlabel="update", ylabel=f"loss on the batch, mean of {_SMOOTHED}")
    axes.set_xlim(0, max(len(values) for values in losses.values()))
    axes.yaxis.set_major_formatter(tick)
    axes.grid(alpha=0.3)
    name_ends(
        axes, [(label_of(name), mean[-1], LineStyle(style(name).colour, "solid")) for name, mean in means.items()]
    )
    return figure


def losses_caption(losses: Mapping[str, Vector]) -> str:
    """The methods by their final loss."""
    last = {name: float(values[-_SMOOTHED:].mean()) for name, values in losses.items()}
    ends = [f"{label_of(name)} {number(last[name], 2)}" for name in sorted(last, key=lambda name: last[name])]
    return (
        f"Losses on the current batch after each update, smoothed over {_SMOOTHED}, at the document's rates, none of "
        f"them tuned. At the end, from the lowest: {listing(ends)}."
    )
