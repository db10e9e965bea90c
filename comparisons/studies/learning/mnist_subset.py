"""All images of a subset of MNIST in every step: L-BFGS and Newton-CG against first-order rules at tuned rates.

Every method has the same number of passes over the subset; a pass is f and its gradient, a Hessian-vector product 4/3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from comparisons.core.labels import listing, long_name, number
from comparisons.plots.style import style, tick
from comparisons.report.document import Table
from comparisons.running.tuning import RateSearch, tune_rate
from comparisons.studies.learning.loss_curves import LossCurve, Task, minimized, trained
from newtonkit import Adam, GradientDescent, Momentum
from newtonkit.methods.transforms.composition import FirstOrderRule
from problems.networks import Network, accuracy, softmax_cross_entropy

Vector = NDArray[np.float64]

BATCH = 128
# a rule and the size of its batches, None for all images
FIRST_ORDER: dict[str, tuple[FirstOrderRule, int | None]] = {
    "gd": (GradientDescent(), BATCH),
    "momentum": (Momentum(), BATCH),
    "adam": (Adam(), BATCH),
    "adam, all images": (Adam(), None),
}
_LOSSES = (0.1, 0.01, 0.001)
_OVERFITTED = 1.05  # times the lowest test loss during the run


def subset_of(network: Network, x: Vector, labels: NDArray[np.int64], images: int, seed: int) -> Task:
    """Images to train on and as many others to test on, drawn by a seed."""
    chosen = np.random.default_rng(seed).permutation(len(x))[: 2 * images]
    data, held_out = ((x[rows], np.eye(10)[labels[rows]]) for rows in (chosen[:images], chosen[images:]))
    return Task(network, data, softmax_cross_entropy, held_out=held_out)


def on_subset(
    subset: Task, elsewhere: Task, seeds: tuple[int, int], grid: Sequence[float], passes: int
) -> tuple[dict[str, LossCurve], dict[str, RateSearch]]:
    """Loss curves by label: first-order rules at rates tuned on other images, and methods on all images.

    Parameters
    ----------
    subset, elsewhere : Task
        The images of the report, and those for tuning.
    seeds : (int, int)
        Seeds of the initialization and the batches, for the report and for tuning.
    grid : sequence of float
        Of rates.
    passes : int
        Budget of each run.
    """
    seed, other = seeds
    elsewhere = replace(elsewhere, held_out=None)
    courses: dict[str, LossCurve] = {}
    searches: dict[str, RateSearch] = {}
    for label, (rule, batch) in FIRST_ORDER.items():

        def score(rate: float, rule: FirstOrderRule = rule, batch: int | None = batch) -> tuple[float, float]:
            """Passes until the lowest of the losses is reached, and the last loss."""
            course = trained(elsewhere, replace(rule, rate=rate), batch, other, passes, timed=False)
            return course.until(_LOSSES[-1])[0], float(course.loss[-1])

        found = tune_rate(
            score,
            grid,
            default=rule.rate if isinstance(rule.rate, float) else None,
            target=f"a training loss of {_LOSSES[-1]:g}",
            budget=passes,
        )
        searches[label] = found
        courses[label] = trained(subset, replace(rule, rate=found.rate), batch, seed, passes)
    for method in ("lbfgs", "newton-cg"):
        courses[method] = minimized(subset, method, seed, passes)
    return courses, searches


def accuracy_of(subset: Task, course: LossCurve) -> float:
    """Accuracy on the held-out images at the end."""
    assert subset.held_out is not None
    x, labels = subset.held_out
    return accuracy(subset.network.scores(course.params, x), labels.argmax(axis=1))


def courses_table(subset: Task, courses: Mapping[str, LossCurve], searches: Mapping[str, RateSearch]) -> Table:
    rows = []
    for label, course in courses.items():
        until = [course.until(loss)[0] for loss in _LOSSES]
        lowest = int(np.argmin(course.held_out))
        rows.append(
            [
                label_of(label),
                number(searches[label].rate) if label in searches else "–",
                *("never" if math.isinf(passes) else number(passes, 3) for passes in until),
                number(float(course.loss[-1]), 2),
                number(float(course.held_out[-1]), 3),
                f"{number(float(course.held_out[lowest]), 3)} at {number(float(course.spent[lowest]), 3)}",
                f"{accuracy_of(subset, course):.1%}",
                f"{course.seconds[-1]:.1f}",
            ]
        )
    heads = (
        "method",
        "rate",
        *(f"passes to {loss:g}" for loss in _LOSSES),
        "training loss",
        "test loss",
        "lowest test loss",
        "test accuracy",
        "seconds",
    )
    return Table("On the subset: passes to training losses, and results on held-out images", heads, rows)


def subset_verdict(courses: Mapping[str, LossCurve]) -> str:
    """The fastest methods in training, early and late, and the best on the test images."""
    sentences = []
    for loss in _LOSSES:
        until = {label: course.until(loss)[0] for label, course in courses.items()}
        first = min(until, key=lambda label: until[label])
        if math.isfinite(until[first]):
            sentences.append(
                f"{label_of(first)} is first at a training loss of {loss:g}, after {number(until[first], 3)} passes"
            )
        else:
            sentences.append(f"none reaches a training loss of {loss:g}")
    test = {label: float(course.held_out.min()) for label, course in courses.items()}
    best = min(test, key=lambda label: test[label])
    rising = [label for label, course in courses.items() if course.held_out[-1] > _OVERFITTED * test[label]]
    words = (
        "; ".join(sentences)
        + f". The lowest test loss during a run is that of {label_of(best)}, {number(test[best], 3)}"
    )
    if not rising:
        return words + "."
    listed = listing([label_of(label) for label in rising])
    fitted = "it fits its images" if len(rising) == 1 else "they fit their images"
    return f"{words}. By the end the test loss of {listed} has risen again: {fitted}, and no others."


def courses_figure(courses: Mapping[str, LossCurve], passes: int) -> Figure:
    """Training and test loss against passes."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for label, course in courses.items():
        look = style(label.split(",")[0])
        dash = (0, (4, 2)) if "," in label else "-"
        for axes, losses in ((left, course.loss), (right, course.held_out)):
            axes.plot(course.spent, losses, color=look.colour, linestyle=dash, linewidth=1.8, label=label_of(label))
    for axes, title in ((left, "training loss"), (right, "test loss")):
        axes.set(yscale="log", xlim=(0, passes), title=title, xlabel="passes over the subset")
        axes.yaxis.set_major_formatter(tick)
        axes.grid(alpha=0.3)
    left.set_ylim(bottom=1e-6)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def courses_caption(courses: Mapping[str, LossCurve], passes: int) -> str:
    """Where each ends."""
    order = sorted(courses, key=lambda label: courses[label].loss[-1])
    ends = listing([f"{label_of(label)} {number(float(courses[label].loss[-1]), 2)}" for label in order])
    return (
        f"Losses on the subset and on as many other images, against passes, of which each method may spend {passes}. "
        f"Training losses at the end, from the lowest: {ends}."
    )


def label_of(label: str) -> str:
    """The full name of the method, with the text after the comma."""
    method, comma, rest = label.partition(",")
    name = {"gd": "SGD", "momentum": "momentum"}.get(method, long_name(method))
    return name + comma + rest
