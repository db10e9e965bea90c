"""All images of a subset of MNIST in every step: L-BFGS and Newton-CG against first-order rules at tuned rates.

Every method has the same number of passes over the subset; a pass is f and its gradient, a Hessian-vector product 4/3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import newtonkit
from comparisons.drawing import style, tick
from comparisons.experiments.report import Table
from comparisons.tuning import RateSearch, tune_rate
from comparisons.words import listing, long_name, number
from newtonkit import Adam, GradientDescent, Momentum, Result
from newtonkit.derivatives.structure import flatten
from newtonkit.methods import Rule
from problems.networks import Network, accuracy, softmax_cross_entropy

Vector = NDArray[np.float64]

BATCH = 128
# a rule and the size of its batches, None for all images
FIRST_ORDER: dict[str, tuple[Rule, int | None]] = {
    "gd": (GradientDescent(), BATCH),
    "momentum": (Momentum(), BATCH),
    "adam": (Adam(), BATCH),
    "adam, all images": (Adam(), None),
}
GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-4.0, 0.01, 0.5))
_LOSSES = (0.1, 0.01, 0.001)
_OVERFITTED = 1.05  # times the lowest test loss on the way


@dataclass(frozen=True)
class Course:
    """The losses of one run on the subset, against the passes over it that its evaluations amount to."""

    passes: Vector
    training: Vector
    test: Vector
    seconds: Vector
    accuracy: float
    """On the test images, at the end."""

    def passes_until(self, loss: float) -> float:
        """Passes until the training loss is first no larger; infinite if it never is."""
        there = np.flatnonzero(self.training <= loss)
        return float(self.passes[there[0]]) if there.size else math.inf


class Subset:
    """Images to train on and others to test on, drawn by a seed, and the loss over them."""

    def __init__(self, network: Network, x: Vector, labels: NDArray[np.int64], images: int, seed: int) -> None:
        chosen = np.random.default_rng(seed).permutation(len(x))[: 2 * images]
        train, test = chosen[:images], chosen[images:]
        self.network, self.seed = network, seed
        self.data = (x[train], np.eye(10)[labels[train]])
        self.held_out = (x[test], np.eye(10)[labels[test]])
        self.test_labels = labels[test]
        self.start = network.start(seed)

    def loss(self, params: Any, batch: Any) -> Any:
        """Mean cross-entropy."""
        x, labels = batch
        return softmax_cross_entropy(self.network.scores(params, x), labels)

    def trained(self, rule: Rule, batch: int | None, passes: int, rate: float | None = None) -> Result:
        """By a first-order rule."""
        return newtonkit.train(
            self.loss,
            self.start,
            self.data,
            rule,
            batch_size=batch,
            epochs=passes,
            seed=self.seed,
            validation=self.held_out,
            options={} if rate is None else {"rate": rate},
        )

    def course_of_training(self, rule: Rule, batch: int | None, passes: int, rate: float) -> Course:
        """The losses after every epoch."""
        result = self.trained(rule, batch, passes, rate)
        history = result.history
        return Course(
            history.full_epochs,
            history.full_loss,
            history.validation_loss,
            history.seconds,
            accuracy(self.network.scores(result.last, self.held_out[0]), self.test_labels),
        )

    def course_of_minimizing(self, method: str, passes: int) -> Course:
        """The losses after every iteration that the passes allow: f and gradient are one, a product 4/3 of one."""
        result = newtonkit.minimize(
            lambda params: self.loss(params, self.data),
            self.start,
            method=method,
            options={"gtol": 0.0, "maxgev": passes, "maxhvp": passes, "history": "points", "verdict": False},
        )
        history = result.history
        spent = (history.nfev + 2 * history.njev + 4 * history.nhvp) / 3
        kept = (spent <= passes) & history.accepted
        _, unflatten = flatten(self.start)
        points = [unflatten(x) for x in history.x[kept]]
        return Course(
            spent[kept],
            history.f[kept],
            np.array([float(self.loss(params, self.held_out)) for params in points]),
            history.seconds[kept],
            accuracy(self.network.scores(points[-1], self.held_out[0]), self.test_labels),
        )


def on_subset(
    subset: Subset, elsewhere: Subset, grid: Sequence[float], passes: int
) -> tuple[dict[str, Course], dict[str, RateSearch]]:
    """Courses by label: first-order rules at rates tuned elsewhere, and the methods that take all images."""
    courses: dict[str, Course] = {}
    searches: dict[str, RateSearch] = {}
    for label, (rule, batch) in FIRST_ORDER.items():
        found = tune_rate(
            _score(elsewhere, rule, batch, passes),
            grid,
            default=rule.rate if isinstance(rule.rate, float) else None,
            target=f"a training loss of {_LOSSES[-1]:g}",
            budget=passes,
        )
        searches[label] = found
        courses[label] = subset.course_of_training(rule, batch, passes, found.rate)
    for method in ("lbfgs", "newton-cg"):
        courses[method] = subset.course_of_minimizing(method, passes)
    return courses, searches


def _score(subset: Subset, rule: Rule, batch: int | None, passes: int) -> Callable[[float], tuple[float, float]]:
    def score(rate: float) -> tuple[float, float]:
        """Passes until the lowest of the losses is reached, and the last loss."""
        history = subset.trained(rule, batch, passes, rate).history
        there = np.flatnonzero(history.full_loss <= _LOSSES[-1])
        return (float(history.full_epochs[there[0]]) if there.size else math.inf), float(history.full_loss[-1])

    return score


def courses_table(courses: Mapping[str, Course], searches: Mapping[str, RateSearch]) -> Table:
    rows = []
    for label, course in courses.items():
        until = [course.passes_until(loss) for loss in _LOSSES]
        lowest = int(np.argmin(course.test))
        rows.append(
            [
                label_of(label),
                number(searches[label].rate) if label in searches else "–",
                *("never" if math.isinf(passes) else number(passes, 3) for passes in until),
                number(float(course.training[-1]), 2),
                number(float(course.test[-1]), 3),
                f"{number(float(course.test[lowest]), 3)} at {number(float(course.passes[lowest]), 3)}",
                f"{course.accuracy:.1%}",
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
    return Table("On the subset: passes to training losses, and what they are worth on other images", heads, rows)


def subset_verdict(courses: Mapping[str, Course]) -> str:
    """Who wins in training, early and late, and who on the test images."""
    sentences = []
    for loss in _LOSSES:
        until = {label: course.passes_until(loss) for label, course in courses.items()}
        first = min(until, key=lambda label: until[label])
        if math.isfinite(until[first]):
            sentences.append(
                f"{label_of(first)} is first at a training loss of {loss:g}, after {number(until[first], 3)} passes"
            )
        else:
            sentences.append(f"none reaches a training loss of {loss:g}")
    test = {label: float(course.test.min()) for label, course in courses.items()}
    best = min(test, key=lambda label: test[label])
    rising = [label for label, course in courses.items() if course.test[-1] > _OVERFITTED * test[label]]
    words = (
        "; ".join(sentences) + f". The lowest test loss on the way is that of {label_of(best)}, {number(test[best], 3)}"
    )
    if not rising:
        return words + "."
    listed = listing([label_of(label) for label in rising])
    return f"{words}. By the end the test loss of {listed} has risen again: they fit their images, and no others."


def courses_figure(courses: Mapping[str, Course], passes: int) -> Figure:
    """Training and test loss against passes."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for label, course in courses.items():
        look = style(label.split(",")[0])
        dash = (0, (4, 2)) if "," in label else "-"
        for axes, losses in ((left, course.training), (right, course.test)):
            axes.plot(course.passes, losses, color=look.colour, linestyle=dash, linewidth=1.8, label=label_of(label))
    for axes, title in ((left, "training loss"), (right, "test loss")):
        axes.set(yscale="log", xlim=(0, passes), title=title, xlabel="passes over the subset")
        axes.yaxis.set_major_formatter(tick)
        axes.grid(alpha=0.3)
    left.set_ylim(bottom=1e-6)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def courses_caption(courses: Mapping[str, Course], passes: int) -> str:
    """Where each ends."""
    order = sorted(courses, key=lambda label: courses[label].training[-1])
    ends = listing([f"{label_of(label)} {number(float(courses[label].training[-1]), 2)}" for label in order])
    return (
        f"Losses on the subset and on as many other images, against passes, of which each method may spend {passes}. "
        f"Training losses at the end, from the lowest: {ends}."
    )


def label_of(label: str) -> str:
    """The method's name in words, with what follows the comma."""
    method, comma, rest = label.partition(",")
    name = {"gd": "SGD", "momentum": "momentum"}.get(method, long_name(method))
    return name + comma + rest
