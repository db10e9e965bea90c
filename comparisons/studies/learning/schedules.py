"""Learning-rate schedules: their curves, and gradient descent with each of them, with exact and noisy gradients.

The function is ½ Σ λᵢxᵢ² with ten λ from 0.01 to 1, from (1, …, 1); the noise is normal, independent in every entry of
every gradient. Then E[xᵢ²] ← (1 − ηλᵢ)²E[xᵢ²] + η²σ² in each step, the exact mean over all runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from comparisons.core.labels import count, listing, number
from comparisons.plots.style import tick
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.running.tuning import RateSearch, tune_rate
from newtonkit import GradientDescent
from newtonkit.methods.schedules import (
    Cosine,
    Exponential,
    InverseSquareRoot,
    InverseTime,
    Linear,
    Rate,
    StepDecay,
    Warmup,
    rate_at,
)

Vector = NDArray[np.float64]

CURVATURES = np.geomspace(0.01, 1.0, 10)
NOISE = 0.1
_GRID = tuple(float(f"{rate:.3g}") for rate in np.geomspace(0.01, 10.0, 25))
_RUNS = 100
_TARGET = 1e-2  # of the initial f: target of convergence
_HIGHEST = 10.0  # of the initial f: if f exceeds it during a run, the rate counts as diverging, even if f falls again

# name -> colour, dashes and the schedule of an initial rate and a horizon (hues of Okabe & Ito and of Tol)
_SOLID, _DASHED, _DOTTED = "-", (0, (5, 2)), (0, (1, 1.3))
SCHEDULES: Mapping[str, tuple[str, object, Callable[[float, int], Rate]]] = {
    "constant": ("#333333", _SOLID, lambda rate, T: rate),
    "step": ("#0072B2", _SOLID, lambda rate, T: StepDecay(rate, (3 * T // 10, 6 * T // 10, 9 * T // 10))),
    "exponential": ("#D55E00", _SOLID, lambda rate, T: Exponential(rate, 5.0 / T)),
    "1/t": ("#E69F00", _DASHED, lambda rate, T: InverseTime(rate, 20.0 / T)),
    "cosine": ("#117733", _SOLID, lambda rate, T: Cosine(rate, T)),
    "linear": ("#56B4E9", _DASHED, lambda rate, T: Linear(rate, T)),
    "1/√t": ("#CC79A7", _DOTTED, lambda rate, T: InverseSquareRoot(rate)),
    "warm-up + cosine": ("#882255", _DASHED, lambda rate, T: Warmup(Cosine(rate, T), max(T // 10, 1))),
}


@dataclass(frozen=True)
class LossCurve:
    """A schedule at its best initial rate."""

    search: RateSearch
    f: Vector
    """The mean of its runs, before every update and after the last."""
    expected: float
    """The final mean f of infinitely many runs, by which schedules are ranked."""


def descend(rate: Rate, updates: int, *, noise: float, runs: int, seed: tuple[int, ...]) -> Vector:
    """Mean f of some runs of gradient descent at a rate or schedule; shape (updates + 1,)."""
    rule, rng = GradientDescent(rate=rate), np.random.default_rng(seed)
    x = np.ones((runs, CURVATURES.size))
    state = rule.init(CURVATURES.size)
    f = np.empty(updates + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(updates + 1):
            f[t] = 0.5 * np.mean(x * x @ CURVATURES)
            if t < updates:
                g = CURVATURES * x
                if noise:
                    g += noise * rng.standard_normal(x.shape)
                step, state = rule.update(g, state, x)
                x = x + step
    return f


def expected(rate: Rate, updates: int, noise: float) -> Vector:
    """The same for infinitely many runs, by the recursion above."""
    second = np.ones(CURVATURES.size)
    f = [0.5 * float(second @ CURVATURES)]
    for t in range(1, updates + 1):
        eta = rate_at(rate, t)
        second = (1.0 - eta * CURVATURES) ** 2 * second + (eta * noise) ** 2
        f.append(0.5 * float(second @ CURVATURES))
    return np.array(f)


def tuned(schedule: Callable[[float, int], Rate], updates: int, *, noise: float, runs: int, seed: int) -> LossCurve:
    """The initial rate is found on other noise than that reported."""

    def score(rate: float) -> tuple[float, float]:
        f = descend(schedule(rate, updates), updates, noise=noise, runs=runs, seed=(seed, 1))
        if not f.max() <= _HIGHEST * f[0]:
            return math.inf, math.inf
        return (updates if f[-1] <= _TARGET * f[0] else math.inf), float(f[-1])

    words = f"mean f after {updates} updates ≤ {number(_TARGET)} of f at the start"
    found = tune_rate(score, _GRID, target=words, budget=updates)
    best = schedule(found.rate, updates)
    f = descend(best, updates, noise=noise, runs=runs, seed=(seed, 0))
    return LossCurve(found, f, float(expected(best, updates, noise)[-1]))


def run(out: Path, *, seed: int = 0, quick: bool = False) -> Document:
    """The curves of all schedules; gradient descent with each of them at a tuned initial rate, without noise and with.

    ``seed`` is that of the noise; ``quick`` makes fewer and shorter runs.
    """
    updates, runs = (200, 20) if quick else (1000, _RUNS)
    exact = {name: tuned(schedule, updates, noise=0.0, runs=1, seed=seed) for name, (*_, schedule) in SCHEDULES.items()}
    noisy = {
        name: tuned(schedule, updates, noise=NOISE, runs=runs, seed=seed) for name, (*_, schedule) in SCHEDULES.items()
    }
    figure = draw(exact, noisy, updates)
    alt = "Schedules of the learning rate, and f of gradient descent with each of them, without noise and with."
    words = caption(exact, noisy, updates, runs)
    paragraphs = [
        "The six schedules η(t) of an initial rate η₀, a constant rate, and a warm-up over a tenth of the "
        "updates followed by the cosine.",
        f"They drive gradient descent on ½ Σ λᵢxᵢ², λ from {CURVATURES[0]:g} to {CURVATURES[-1]:g}, for {updates} "
        f"updates: with exact gradients, and with normal noise of deviation {NOISE:g} in every entry of every gradient "
        f"(mean of {count(runs, 'run')}), as with mini-batches. η₀ is the best of {len(_GRID)} rates from "
        f"{_GRID[0]:g} to {_GRID[-1]:g} for each schedule and each case, found on other noise than that shown. A rate "
        f"converges if f ends below {number(_TARGET)} of its first value; one at which f exceeds "
        f"{_HIGHEST:g} times that is excluded.",
    ]
    drawn = save_figure(figure, out / "schedules.png", alt, words)
    return Document("Learning-rate schedules", [*paragraphs, drawn, table(exact, noisy)])


def table(exact: Mapping[str, LossCurve], noisy: Mapping[str, LossCurve]) -> Table:
    """A row for each schedule: its best initial rates, the final f, and the share of the grid that converges."""
    rows = [
        [
            name,
            *(
                entry
                for course in (exact[name], noisy[name])
                for entry in (
                    number(course.search.rate) + ("*" if course.search.at_the_edge else ""),
                    number(float(course.f[-1]), 2),
                    *([number(course.expected, 2)] if course is noisy[name] else []),
                    f"{len(course.search.converged)} of {len(course.search.trials)}",
                )
            ),
        ]
        for name in exact
    ]
    heads = (
        "schedule",
        "η₀, exact",
        "f at the end",
        "converge",
        "η₀, noisy",
        "mean f at the end",
        "expected",
        "converge",
    )
    return Table("Gradient descent with each schedule, its initial rate tuned", heads, rows)


def draw(exact: Mapping[str, LossCurve], noisy: Mapping[str, LossCurve], updates: int) -> Figure:
    """The curves; f with exact gradients; f with noisy ones."""
    figure = Figure(figsize=(10.4, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    t = np.arange(1, updates + 1)
    for name, (colour, dashes, schedule) in SCHEDULES.items():
        rate = schedule(1.0, updates)
        look = {"color": colour, "linestyle": dashes, "linewidth": 1.7}
        left.plot(t, [rate_at(rate, int(k)) for k in t], label=name, **look)
        _falling(middle, exact[name].f, look)
        _falling(right, noisy[name].f, look)
    left.set(title="schedules", ylabel="η(t) / η₀", ylim=(0, 1.05))
    middle.set(title="exact gradients", ylabel="f")
    right.set(title="noisy gradients", ylabel="mean f")
    for axes in (left, middle, right):
        axes.set_xlabel("update t")
        axes.title.set_fontsize(11)
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _falling(axes: Axes, f: Vector, look: dict[str, object]) -> None:
    axes.semilogy(f, **look)
    axes.yaxis.set_major_formatter(tick)


def caption(exact: Mapping[str, LossCurve], noisy: Mapping[str, LossCurve], updates: int, runs: int) -> str:
    """The schedule with the lowest final f in each case, compared with a constant rate."""
    sentences = [
        f"Left, the schedules; then f of gradient descent over {updates} updates, each at its best η₀; right, the "
        f"mean of {count(runs, 'run')}."
    ]
    for where, courses in (
        ("Exact gradients", exact),
        ("Noisy gradients, f as expected of infinitely many runs", noisy),
    ):
        order = sorted(courses, key=lambda name: courses[name].expected)
        best, constant = courses[order[0]].expected, courses["constant"].expected
        if order[0] == "constant":
            sentences.append(
                f"{where}: no schedule is better than a constant rate, which ends at f = {number(best, 2)}."
            )
            continue
        ahead = [name for name in order if courses[name].expected < constant]
        sentences.append(
            f"{where}: lowest is {order[0]}, at f = {number(best, 2)}; a constant rate ends at "
            f"{number(constant, 2)}. Better than constant: {listing(ahead, most=len(order))}."
        )
    return " ".join(sentences)
