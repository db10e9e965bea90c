"""Two moons as a teaching document runs them: three rules on batches of 64 at one rate, from its own start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import newtonkit
from comparisons.core.labels import listing, long_name, number
from comparisons.plots.style import style
from comparisons.report.document import Table
from comparisons.studies.learning.loss_curves import Task
from comparisons.studies.learning.time_to_target import BATCH
from newtonkit import Adam, GradientDescent, Momentum, Result
from newtonkit.methods.first_order import GradientTransform
from problems.networks import accuracy

SIZES = (2, 5, 2, 1)
RATE = 0.0007
RULES: dict[str, GradientTransform] = {
    "gd": GradientDescent(rate=RATE),
    "momentum": Momentum(rate=RATE, form="average"),
    "adam": Adam(rate=RATE),
}
# training accuracies as printed in the document
PUBLISHED = {"gd": "about 80 %", "momentum": "hardly differs", "adam": "clearly better"}
_SEED = 3
_EVERY = 100  # epochs between two costs
_CLEARLY = 0.05  # of the points


def document_start() -> Any:
    """He's weights as the document draws them, by NumPy's old generator and with the outputs of a layer first."""
    random = np.random.RandomState(_SEED)
    params = []
    for inputs, outputs in pairwise(SIZES):
        W = random.randn(outputs, inputs) * np.sqrt(2.0 / inputs)
        params.append({"W": W.T.copy(), "b": np.zeros(outputs)})
    return params


def document_run(task: Task, rule: GradientTransform, params: Any, epochs: int, seed: int) -> Result:
    """Mini-batches at the document's rate, with the loss over all data after every hundred epochs."""
    per_epoch = -(-len(task.data[0]) // BATCH)
    return newtonkit.train(
        task.loss,
        params,
        task.data,
        rule,
        batch_size=BATCH,
        epochs=epochs,
        seed=seed,
        check_every=_EVERY * per_epoch,
    )


def training_accuracy(task: Task, params: Any) -> float:
    """The training accuracy of these parameters."""
    x, labels = task.data
    return accuracy(task.network.scores(params, x), labels)


def document_verdict(task: Task, runs: Mapping[str, Sequence[Result]]) -> str:
    """The accuracies from the document's start, compared with those printed in it."""
    ours = {method: training_accuracy(task, results[0].last) for method, results in runs.items()}
    losses = {method: number(_loss(results[0]), 4) for method, results in runs.items()}
    apart = 100 * abs(ours["momentum"] - ours["gd"])
    momentum = "the same" if apart == 0 else f"{apart:.1f} percentage points away"
    adam = "clearly better" if ours["adam"] > ours["gd"] + _CLEARLY else "not clearly better"
    return (
        f"From the document's start gradient descent classifies {ours['gd']:.1%} of the points correctly (document: "
        f"{PUBLISHED['gd']}), momentum {ours['momentum']:.1%}, {momentum}, Adam {ours['adam']:.1%}, {adam}. The losses "
        f"are {losses['gd']}, {losses['momentum']} and {losses['adam']}: in its weighted-average form momentum makes "
        "the steps of gradient descent with a delay of some updates."
    )


def accuracies_table(task: Task, runs: Mapping[str, Sequence[Result]]) -> Table:
    """A row for each rule: training accuracy and loss from every start."""
    rows = []
    for method, results in runs.items():
        cells = [f"{training_accuracy(task, result.last):.1%} ({number(_loss(result), 3)})" for result in results]
        rows.append([long_name(method), PUBLISHED[method], *cells])
    others = len(next(iter(runs.values()))) - 1
    heads = ("rule", "document", "from its start", *(f"start {i + 1}" for i in range(others)))
    return Table(f"Training accuracy (and loss) on batches of {BATCH} at rate {RATE:g}", heads, rows, text=(0, 1))


def costs_figure(runs: Mapping[str, Sequence[Result]]) -> Figure:
    """The loss over all points, every hundred epochs: from the document's start in bold, from others faint."""
    figure = Figure(figsize=(8.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for method, results in runs.items():
        # dashed momentum on top of gradient descent: they are the same but for some updates
        dash = (0, (3, 3)) if method == "momentum" else "-"
        look: dict[str, Any] = {"color": style(method).colour, "linestyle": dash}
        for result in results[1:]:
            axes.plot(result.history.full_epochs, result.history.full_loss, linewidth=0.9, alpha=0.45, **look)
        history = results[0].history
        axes.plot(history.full_epochs, history.full_loss, linewidth=2.4, label=long_name(method), **look)
    axes.set(xlabel="epochs", ylabel="loss over all points", ylim=(0, None), xlim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def costs_caption(runs: Mapping[str, Sequence[Result]]) -> str:
    """The final losses, and the largest distance between gradient descent and momentum."""
    ends = listing([f"{long_name(method)} {number(_loss(results[0]), 3)}" for method, results in runs.items()])
    losses = [runs[method][0].history.full_loss for method in ("gd", "momentum")]
    return (
        f"The loss over all points every {_EVERY} epochs, from the document's start (bold) and others. At the end of "
        f"the bold ones: {ends}. Gradient descent and momentum are never more than "
        f"{number(float(np.abs(losses[0] - losses[1]).max()), 2)} apart."
    )


def _loss(result: Result) -> float:
    """The final loss over all points."""
    return float(result.history.full_loss[-1])
