"""The two-variable bowl f = exp(x/5) + 5x² + 3y² − 2xy − 7x − 8y + 5, by a teaching document and other methods.

The document stops at the first step with Σ|Δx| < 1e-5, and reports f at the point before that step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

import problems
from comparisons.core.labels import count, listing, long_name, number
from comparisons.plots.paths import contours, known_points, landscape
from comparisons.plots.style import INK, tick
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.report.tuning_tables import search_table
from comparisons.studies.learning.baselines import CURVED, cost_table, gap_caption, gap_figure, lowest, run_baselines
from newtonkit import AdaGrad, Adam, GradientDescent, RMSProp, State, iterate
from newtonkit.methods.transforms.composition import FirstOrderRule
from problems import Problem

SHORT_STEP = 1e-5


@dataclass(frozen=True)
class Published:
    """A rule with the settings of the document, and the results of its code in double precision."""

    rule: FirstOrderRule
    updates: int
    f: float


PUBLISHED = {
    "adagrad": Published(AdaGrad(rate=0.1, initial_accumulator=0.1, epsilon=0.0), 562, -4.112352244740471),
    "rmsprop": Published(RMSProp(rate=0.1, decay=0.8, initial_accumulator=0.1, epsilon=0.0), 30, -4.112353204214919),
    "adam": Published(Adam(rate=0.1, epsilon=1e-7), 173, -4.112353104302869),
}
_RATES = (1e-4, 1e-3, 1e-2, 0.1, 0.17, 0.19, 0.25)  # about 2/λ = 0.184, above which gradient descent cannot converge
_PATIENCE = 5000  # updates on the function with several minima
_CRAWLS = 0.5  # share of the initial f − f* above which a run is slow


def until_short_step(rule: FirstOrderRule, problem: Problem, most: int, start: str = "standard") -> list[State]:
    """The states from the start up to the first step with Σ|Δx| < 1e-5; at most ``most`` updates."""
    states = iterate(rule.as_method(), problem.fun, problem.starts[start])
    kept = [next(states)]
    for state in islice(states, most):
        if np.abs(state.x - kept[-1].x).sum() < SHORT_STEP:
            break
        kept.append(state)
    return kept


def run(out: Path, *, seed: int = 0, quick: bool = False) -> Document:
    """The document's three rules, also on a function with several minima, a range of rates, and curvature.

    Nothing here is random, so ``seed`` changes nothing; ``quick`` tunes over fewer rates.
    """
    bowl, camel = problems.get("bowl"), problems.get("three-hump-camel")
    on_bowl = {name: until_short_step(case.rule, bowl, 2 * case.updates) for name, case in PUBLISHED.items()}
    on_camel = {name: until_short_step(case.rule, camel, _PATIENCE) for name, case in PUBLISHED.items()}
    descents = {rate: descent(bowl, rate, 60) for rate in _RATES}
    baselines = run_baselines(bowl, "standard", (*CURVED, "gd", "adagrad", "rmsprop", "adam"), quick=quick)
    figures = [
        save_figure(drawing, out / name, caption.split(".")[0] + ".", caption)
        for drawing, name, caption in (
            (path_figure(on_bowl, bowl), "paths.png", path_caption(on_bowl, bowl)),
            (path_figure(on_camel, camel), "minima.png", path_caption(on_camel, camel)),
            (rates_figure(descents, bowl), "rates.png", rates_caption(descents, bowl)),
            (gap_figure(baselines), "cost.png", gap_caption(baselines)),
        )
    ]
    paragraphs = [
        f"The function is f = {bowl.formula}, strongly convex, from (0, 0); its minimum is f* = {lowest(bowl):.15g}. "
        f"A rule stops at the first step with Σ|Δx| < {number(SHORT_STEP)}; f is the value before that step.",
        "The same rules, at the same rates, then run on a function with several minima, the three-hump camel: "
        f"{camel.formula}, from (2.5, 2.5). Its global minimum 0 lies at 0, between two local ones.",
        "Last, methods that use curvature run on the bowl, and first-order methods with tuned rates and otherwise "
        "default options. The rates of the document are not tuned: all are 0.1.",
    ]
    tables = [
        _published_table(on_bowl, bowl),
        _ends_table(on_camel, camel),
        cost_table(baselines, "The bowl: cost to the target"),
        search_table(baselines.searches, "The bowl: learning rates, tuned on three other starts"),
    ]
    return Document("The two-variable bowl", [*paragraphs, *figures, *tables])


# --- tables ---------------------------------------------------------------------------------------------------------


def _published_table(runs: dict[str, list[State]], problem: Problem) -> Table:
    rows = [
        [
            long_name(name),
            str(len(states) - 1),
            str(PUBLISHED[name].updates),
            f"{states[-1].f:.15f}",
            f"{PUBLISHED[name].f:.15f}",
            number(states[-1].f - lowest(problem), 2),
        ]
        for name, states in runs.items()
    ]
    heads = ("rule", "updates", "document", "f", "document", "f − f*")
    return Table("The bowl: the document's rules", heads, rows)


def _ends_table(runs: dict[str, list[State]], problem: Problem) -> Table:
    rows = []
    for name, states in runs.items():
        end = states[-1]
        point, _ = problem.nearest(end.x)
        kind = "–" if point is None else f"{point.kind} with f = {number(point.f)}"
        updates = str(len(states) - 1) if len(states) <= _PATIENCE else f"more than {_PATIENCE}"
        rows.append([long_name(name), updates, number(end.f), kind])
    return Table(
        "Several minima: the same rules", ("rule", "updates to rest", "f", "nearest critical point"), rows, text=(0, 3)
    )


# --- paths ----------------------------------------------------------------------------------------------------------


def path_figure(runs: dict[str, list[State]], problem: Problem) -> Figure:
    """The path of each rule over the contours, every point coloured by its iteration."""
    window = path_window([np.array([state.x for state in states]) for states in runs.values()])
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    panels = figure.subplots(1, len(runs), sharex=True, sharey=True)
    ground = landscape(problem, window)
    for axes, (name, states) in zip(panels, runs.items(), strict=True):
        contours(axes, *ground)
        known_points(axes, problem)
        points = np.array([state.x for state in states])
        axes.plot(*points.T, color=INK, linewidth=0.5, zorder=2)
        dots = axes.scatter(*points.T, c=np.arange(len(points)), cmap="viridis", s=16, zorder=3)
        figure.colorbar(dots, ax=axes, location="bottom", label="update", shrink=0.9)
        axes.set(title=f"{long_name(name)}: {count(len(states) - 1, 'update')}", xlim=window[0], ylim=window[1])
        axes.title.set_fontsize(11)
        axes.set_xlabel("x")
    panels[0].set_ylabel("y")
    return figure


def path_window(paths: Sequence[NDArray[np.float64]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The window that contains all points, with a margin."""
    points = np.vstack(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 1e-3)
    (left, bottom), (right, top) = low - margin, high + margin
    return (float(left), float(right)), (float(bottom), float(top))


def path_caption(runs: dict[str, list[State]], problem: Problem) -> str:
    """The end of each path and the number of updates."""
    sentences = [f"The paths of {count(len(runs), 'rule')} on {problem.name}, each point coloured by its update."]
    for name, states in runs.items():
        end = states[-1]
        point, distance = problem.nearest(end.x)
        place = (
            f"{number(distance, 2)} from the {point.kind} with f = {number(point.f)}" if point else "at no known point"
        )
        ends = "ends" if len(states) <= _PATIENCE else "has not stopped"
        sentences.append(f"{long_name(name)} {ends} {place} after {count(len(states) - 1, 'update')}.")
    return " ".join(sentences)


# --- rates ----------------------------------------------------------------------------------------------------------


def descent(problem: Problem, rate: float, updates: int) -> list[float]:
    """f − f* of gradient descent at a fixed rate, including the start."""
    states = iterate(GradientDescent(rate=rate).as_method(), problem.fun, problem.starts["standard"])
    return [state.f - lowest(problem) for state in islice(states, updates + 1)]


def rates_figure(gaps: dict[float, list[float]], problem: Problem) -> Figure:
    """f − f* of gradient descent at a range of rates."""
    figure = Figure(figsize=(7.6, 4.4), layout="constrained")
    axes = figure.subplots()
    first = next(iter(gaps.values()))[0]
    for (rate, gap), shade in zip(gaps.items(), np.linspace(0.0, 0.9, len(gaps)), strict=True):
        height = np.where(np.isfinite(gap), np.maximum(gap, 1e-16 * first), np.nan)
        axes.plot(height, color=colormaps["viridis"](shade), linewidth=1.7, label=f"η = {rate:g}")
    axes.set(yscale="log", ylim=(1e-16 * first, 1e6 * first), xlabel="update", ylabel="f − f*")
    axes.yaxis.set_major_formatter(tick)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False)
    return figure


def rates_caption(gaps: dict[float, list[float]], problem: Problem) -> str:
    """The rates that diverge, those that are slow, and the best one."""
    updates = len(next(iter(gaps.values()))) - 1
    diverging = [number(rate) for rate, gap in gaps.items() if not gap[-1] <= gap[0]]
    crawling = [number(rate) for rate, gap in gaps.items() if _CRAWLS * gap[0] < gap[-1] <= gap[0]]
    best = min(gaps, key=lambda rate: gaps[rate][-1])
    return (
        f"Gradient descent on {problem.name} at {len(gaps)} rates, {updates} updates. Rates that are too large and "
        f"diverge: {listing(diverging)}. Rates that are too small, with more than half of f − f* left at the end: "
        f"{listing(crawling)}. The best is {number(best)}: f − f* = {number(gaps[best][-1], 2)}."
    )
