"""L-BFGS with sampled gradients, by batch size, on a convex loss with a known minimum.

Regularized softmax regression on 1797 digits, whose f* is known to rounding. A pair (s, y) takes both
gradients on one batch, or on two batches; rates are tuned for every batch size, on another seed than the one shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograd.numpy as anp
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

import newtonkit
import problems
from comparisons.core.labels import count, listing, number
from comparisons.plots.style import INK, style, tick
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.running.tuning import RateSearch, tune_rate
from newtonkit import SampledLBFGS, train
from newtonkit.core.validation import check_integer
from newtonkit.derivatives.pytree import flatten
from newtonkit.methods.first_order import GradientTransform
from newtonkit.training.rules import RULES
from problems import datasets
from problems.networks import Network, softmax_cross_entropy
from problems.regression import DEFAULT_L2

Vector = NDArray[np.float64]

QUICK = {"passes": 6}
SIZES = (16, 64, 256, 1024)
KINDS = ("one batch", "two batches")
_GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-3.0, 0.51, 0.5))
_FIRST_ORDER_GRID = tuple(float(f"{10.0**k:.2g}") for k in np.arange(-3.0, 1.51, 0.5))
_FIRST_ORDER_BATCH = 64  # the batch size of the first-order methods
_SHARE = 1e-2  # of the initial f − f*: the target of tuning
_TUNING_SEED = 1000
_DRAWS = 200  # batches on which the error of the pairs is measured


@dataclass(frozen=True)
class LossCurve:
    """One run at its tuned rate."""

    search: RateSearch
    passes: Vector
    """Gradients in passes over the data."""
    gap: Vector
    """f − f* over all data."""
    ended: str
    """Its reason."""

    @property
    def level(self) -> float:
        """The level at which f − f* settles: the median of the last fifth."""
        return float(np.median(self.gap[-max(1, len(self.gap) // 5) :]))


class Digits:
    """The data and the loss: f of the problem "digits-softmax"."""

    def __init__(self) -> None:
        x, labels = datasets.digits()
        problem = problems.get("digits-softmax", l2=DEFAULT_L2)
        assert problem.best is not None
        self.best = problem.best.f
        self.l2 = DEFAULT_L2
        self.network = Network((x.shape[1], 10))
        self.start = self.network.start(scale=0.0)
        self.data = (x, np.eye(10)[labels])

    def loss(self, params: Any, batch: Any) -> Any:
        """Mean cross-entropy of the batch, with (l2/2)‖θ‖²."""
        x, labels = batch
        size = anp.sum(params[0]["W"] ** 2) + anp.sum(params[0]["b"] ** 2)
        return softmax_cross_entropy(self.network.scores(params, x), labels) + 0.5 * self.l2 * size


def run(out: Path, *, seed: int = 0, quick: bool = False, passes: int = 60) -> Document:
    """Every batch size with both kinds of pairs, first-order methods, and full-batch L-BFGS.

    Parameters
    ----------
    out : Path
    seed : int, default 0
        Of the batches shown; rates are tuned on another.
    quick : bool, default False
        Two sizes, few rates and passes.
    passes : int, at least 2, default 60
        Over the data, in gradients, for every run.
    """
    check_integer("passes", passes, 2)
    digits = Digits()
    sizes, grid = ((64,), _GRID[-4::2]) if quick else (SIZES, _GRID)
    # on all data both kinds of pairs are the same, and the second gradient is not needed
    wanted: list[tuple[str, int | None]] = [(kind, size) for kind in KINDS for size in sizes]
    courses = {
        (kind, size): _course(digits, SampledLBFGS(pairs=kind), size, grid, passes, seed)  # type: ignore[arg-type]
        for kind, size in [*wanted, ("two batches", None)]
    }
    plain_grid = _FIRST_ORDER_GRID[3::2] if quick else _FIRST_ORDER_GRID
    first_order = {
        name: _course(digits, RULES[name](), _FIRST_ORDER_BATCH, plain_grid, passes, seed) for name in ("gd", "adam")
    }
    full = _full_batch(digits, passes)
    errors = pair_errors(digits, sizes, seed)
    figure = save_figure(
        gap_figure(courses, first_order, full, passes),
        out / "minibatch-lbfgs.png",
        "The gap f − f* against passes over the data, by batch size, for both kinds of pairs.",
        caption(courses, first_order, full),
    )
    paragraphs = [
        f"Softmax regression on the {len(digits.data[0])} digits of scikit-learn with l2 = {number(digits.l2)}, n = "
        f"{digits.network.n}, from zero; its minimum f* = {digits.best:.12g} is certified. Every run may spend "
        f"{passes} passes over the data in gradients; with pairs on one batch each update takes two gradients of its "
        "batch, so it makes half as many updates.",
        "Only the full-batch run uses a line search: on sampled values a line search would compare losses of "
        f"different batches. The rate is the best of {count(len(grid), 'rate')} from {number(grid[0])} to "
        f"{number(grid[-1])}, tuned with another seed for each batch size. Gradient descent (SGD) and Adam run "
        f"on batches of {_FIRST_ORDER_BATCH}, tuned likewise over {count(len(plain_grid), 'rate')}.",
        verdict(courses, first_order, full),
    ]
    tables = [_courses_table(courses, first_order, passes), _errors_table(errors)]
    return Document("L-BFGS on sampled gradients", [*paragraphs, figure, *tables])


def _course(
    digits: Digits, rule: GradientTransform, size: int | None, grid: Sequence[float], passes: int, seed: int
) -> LossCurve:
    """A rule at its best rate for this batch size."""
    twice = isinstance(rule, SampledLBFGS) and rule.pairs == "one batch"
    epochs = max(1, passes // 2) if twice else passes

    def trained(rate: float, seed: int) -> Any:
        return train(
            digits.loss,
            digits.start,
            digits.data,
            rule,
            batch_size=size,
            epochs=epochs,
            seed=seed,
            options={"rate": rate},
        )

    def score(rate: float) -> tuple[float, float]:
        history = trained(rate, _TUNING_SEED).history
        gaps = history.full_loss - digits.best
        settled = float(np.median(gaps[-max(1, len(gaps) // 5) :]))
        there = settled <= _SHARE * gaps[0]
        return (settled if there else math.inf), settled

    found = tune_rate(score, grid, target=f"f − f* settled at {_SHARE:g} of that at the start", budget=passes)
    result = trained(found.rate, seed)
    return LossCurve(found, result.history.full_epochs, result.history.full_loss - digits.best, result.reason.name)


def _full_batch(digits: Digits, passes: int) -> tuple[Vector, Vector]:
    """Passes and gaps of L-BFGS with its line search on all data."""
    history = newtonkit.minimize(
        lambda params: digits.loss(params, digits.data),
        digits.start,
        method="lbfgs",
        options={"gtol": 0.0, "maxgev": passes, "verdict": False},
    ).history
    return history.njev.astype(float), history.f - digits.best


def pair_errors(digits: Digits, sizes: Sequence[int], seed: int) -> dict[int, dict[str, tuple[float, float]]]:
    """The error of y on batches by size and kind: the median of ‖y − y₀‖/‖y₀‖ and the share of sᵀy ≤ 0.

    The step s is that from the tenth to the eleventh point of full-batch L-BFGS.
    """
    result = newtonkit.minimize(
        lambda params: digits.loss(params, digits.data),
        digits.start,
        method="lbfgs",
        options={"maxiter": 11, "history": "points", "verdict": False},
    )
    _, unflatten = flatten(digits.start)
    before, after = result.history.x[10], result.history.x[11]
    s = after - before

    def slope(v: Vector, rows: Any) -> Vector:
        batch = tuple(array[rows] for array in digits.data)
        return flatten(gradient(unflatten(v), batch))[0]

    gradient = newtonkit.grad(digits.loss)
    everything = slice(None)
    exact = slope(after, everything) - slope(before, everything)
    random = np.random.default_rng(seed)
    found: dict[int, dict[str, tuple[float, float]]] = {}
    for size in sizes:
        ys: dict[str, list[Vector]] = {kind: [] for kind in KINDS}
        for _ in range(_DRAWS):
            one, other = (random.choice(len(digits.data[0]), size, replace=False) for _ in range(2))
            ys["one batch"].append(slope(after, one) - slope(before, one))
            ys["two batches"].append(slope(after, other) - slope(before, one))
        found[size] = {
            kind: (
                float(np.median([np.linalg.norm(y - exact) for y in ys[kind]]) / np.linalg.norm(exact)),
                float(np.mean([s @ y <= 0 for y in ys[kind]])),
            )
            for kind in KINDS
        }
    return found


# --- captions and tables ----------------------------------------------------------------------------------


def _size(size: int | None) -> str:
    return "all data" if size is None else f"batches of {size}"


def verdict(
    courses: Mapping[tuple[str, int | None], LossCurve],
    first_order: Mapping[str, LossCurve],
    full: tuple[Vector, Vector],
) -> str:
    """The level at which L-BFGS settles by batch size, and better methods."""
    best = min(first_order, key=lambda name: first_order[name].level)
    reference = first_order[best].level
    sentences = []
    for kind in KINDS:
        levels = {size: course.level for (k, size), course in courses.items() if k == kind and size is not None}
        worse = [_size(size) for size, level in levels.items() if not level < reference]
        listed = ", ".join(f"{number(level, 2)} with {_size(size)}" for size, level in levels.items())
        sentences.append(
            f"With the pairs on {kind}, f − f* settles at {listed}"
            + (f"; no better than {_name(best)}: {listing(worse)}." if worse else ".")
        )
    sentences.append(
        f"{_name(best)} settles at {number(reference, 2)} on batches of {_FIRST_ORDER_BATCH}; L-BFGS with its line "
        f"search on all data reaches {number(max(float(np.min(full[1])), 0.0), 2)} in {number(full[0][-1])} passes."
    )
    return " ".join(sentences)


def caption(
    courses: Mapping[tuple[str, int | None], LossCurve],
    first_order: Mapping[str, LossCurve],
    full: tuple[Vector, Vector],
) -> str:
    """What the figure shows."""
    ended = [f"{_size(size)}, {kind}" for (kind, size), course in courses.items() if course.ended != "EPOCHS"]
    text = (
        "f − f* over all data after each epoch, against gradients in passes over the data. "
        "Lines are lighter for larger batches; black is L-BFGS with a line search on all data. "
    )
    flat = [course.level for (_, size), course in courses.items() if size is not None]
    text += f"With samples it stops decreasing between {number(min(flat), 2)} and {number(max(flat), 2)}. "
    if ended:
        text += f"Ended early: {listing(ended)}. "
    return text + "Rates are the best of their grids, found with another seed."


def _name(method: str) -> str:
    return {"gd": "SGD", "adam": "Adam"}[method]


def _courses_table(
    courses: Mapping[tuple[str, int | None], LossCurve], first_order: Mapping[str, LossCurve], passes: int
) -> Table:
    rows = [_row("L-BFGS", kind, size, course) for (kind, size), course in courses.items()]
    rows += [_row(_name(name), "–", _FIRST_ORDER_BATCH, course) for name, course in first_order.items()]
    heads = ("method", "pairs", "batch", "best rate", "rates that serve", "f − f* settles at", "lowest", "ended")
    return Table(f"After {passes} passes over the data", heads, rows, text=(0, 1, 7))


def _row(method: str, kind: str, size: int | None, course: LossCurve) -> list[str]:
    found = course.search
    edge = "*" if found.at_the_edge else ""
    return [
        method,
        "–" if size is None else kind,
        "all" if size is None else str(size),
        number(found.rate) + edge,
        f"{len(found.converged)} of {len(found.trials)}",
        number(course.level, 2),
        number(float(course.gap.min()), 2),
        course.ended,
    ]


def _errors_table(errors: Mapping[int, Mapping[str, tuple[float, float]]]) -> Table:
    rows = [
        [str(size), *(text for kind in KINDS for text in (number(by[kind][0], 2), f"{by[kind][1]:.0%}"))]
        for size, by in errors.items()
    ]
    heads = ("batch", "one batch: error of y", "sᵀy ≤ 0", "two batches: error of y", "sᵀy ≤ 0")
    return Table("Relative error of y at the tenth step of L-BFGS", heads, rows)


# --- figure -------------------------------------------------------------------------------------------------


def gap_figure(
    courses: Mapping[tuple[str, int | None], LossCurve],
    first_order: Mapping[str, LossCurve],
    full: tuple[Vector, Vector],
    passes: int,
) -> Figure:
    """f − f* against passes: a panel for each kind of pairs, a line for each batch size."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    panels = figure.subplots(1, len(KINDS), sharey=True)
    sizes = list(dict.fromkeys(size for _, size in courses))
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, len(sizes)))
    first = float(full[1][0])
    for axes, kind in zip(panels, KINDS, strict=True):
        for name, course in first_order.items():
            label = f"{_name(name)}, batches of {_FIRST_ORDER_BATCH}"
            dash = (0, (4, 2)) if name == "gd" else (0, (1, 1.2))
            axes.plot(course.passes, course.gap, color=style(name).colour, linestyle=dash, linewidth=1.6, label=label)
        for size, shade in zip(sizes, shades, strict=True):
            course = courses[kind if size else "two batches", size]
            axes.plot(course.passes, course.gap, color=shade, linewidth=1.8, label=f"L-BFGS, {_size(size)}")
        axes.plot(full[0], full[1], color=INK, linewidth=2, label="L-BFGS, all data, line search")
        axes.set(
            yscale="log",
            xlim=(0, passes),
            ylim=(0.3 * float(full[1].min()), 30 * first),
            title=f"pairs on {kind}",
            xlabel="passes over the data",
        )
        axes.yaxis.set_major_formatter(tick)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("f − f*")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure
