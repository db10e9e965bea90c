"""The long ellipse f = x²/20 + y² from (−7, 2): thirty steps of four rules, as a teaching document runs them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import problems
from comparisons.core.labels import listing, long_name, number
from comparisons.plots.style import INK, marker, style
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.report.tuning_tables import search_table
from comparisons.studies.learning.baselines import CURVED, cost_table, gap_caption, gap_figure, run_baselines
from newtonkit import AdaGrad, Adam, GradientDescent, Momentum, State, iterate
from newtonkit.methods.schedules import rate_at
from newtonkit.methods.transforms.composition import FirstOrderRule
from problems import Problem

STEPS = 30
_HIGHEST = 7.0  # the largest f with a contour in the document
_LEVELS = np.geomspace(0.05, _HIGHEST, 9)


@dataclass(frozen=True)
class Published:
    """A rule with the settings of the document, and the end point of its code in double precision."""

    rule: FirstOrderRule
    x: tuple[float, float]
    f: float


PUBLISHED = {
    "sgd": Published(GradientDescent(rate=0.95), (-0.350393, 0.084782), 0.0133268),
    "momentum": Published(Momentum(rate=0.1, decay=0.9), (0.896414, 0.088086), 0.0479370),
    "adagrad": Published(AdaGrad(rate=1.5, epsilon=1e-7), (-0.120162, 2.5e-17), 7.21949e-4),
    "adam": Published(Adam(rate=0.3, epsilon=1e-7, correction="rate"), (0.136007, 0.318245), 0.102205),
}


def steps_of(rule: FirstOrderRule, problem: Problem) -> list[State]:
    """The start and thirty states after it."""
    return list(islice(iterate(rule.as_method(), problem.fun, problem.starts["standard"]), STEPS + 1))


def run(out: Path, *, seed: int = 0, quick: bool = False) -> Document:
    """The document's four rules and their end points; then methods with curvature and tuned rates.

    Nothing here is random, so ``seed`` changes nothing; ``quick`` tunes over fewer rates.
    """
    problem = problems.get("long-ellipse")
    runs = {name: steps_of(case.rule, problem) for name, case in PUBLISHED.items()}
    baselines = run_baselines(
        problem, "standard", (*CURVED, "gd", "momentum", "nesterov", "adagrad", "adam"), quick=quick
    )
    paths_caption = caption(runs)
    figures = [
        save_figure(paths_figure(runs, problem), out / "paths.png", "The paths of four rules.", paths_caption),
        save_figure(gap_figure(baselines), out / "cost.png", "The gap against cost.", gap_caption(baselines)),
    ]
    paragraphs = [
        f"The function is f = {problem.formula} from (−7, 2): twenty times as steep along y as along x. Each of the "
        f"document's rules makes {STEPS} steps at the document's rate; the last point is the reported one.",
        _best_on_the_way(runs),
        "Then methods that use curvature run from the same start, and first-order methods with tuned rates and their "
        "default options. The "
        "axes of the ellipse are the coordinate axes: a rule with one rate per coordinate, such as AdaGrad, can adapt "
        "to the whole curvature, which it could not if the ellipse were rotated.",
    ]
    tables = [
        _endpoints(runs),
        cost_table(baselines, "Cost to the target, from the same start"),
        search_table(baselines.searches, "Learning rates, tuned on three other starts"),
    ]
    return Document("The long ellipse", [*paragraphs, *figures, *tables])


def _best_on_the_way(runs: dict[str, list[State]]) -> str:
    """Whether a point before the last has a lower f."""
    parts = []
    for name, states in runs.items():
        values = [state.f for state in states]
        best = int(np.argmin(values))
        if best < STEPS:
            parts.append(f"{long_name(_method(name))} ({number(values[best], 3)} after {best} steps)")
    return (
        f"A lower f than at the end occurs earlier in the runs of {listing(parts)}."
        if parts
        else "No run has a lower f before its end."
    )


def _method(name: str) -> str:
    return "gd" if name == "sgd" else name


def _endpoints(runs: dict[str, list[State]]) -> Table:
    rows = []
    for name, states in runs.items():
        case, end = PUBLISHED[name], states[-1]
        rows.append(
            [
                name,
                _point(*end.x),
                _point(*case.x),
                f"{end.f:.6g}",
                f"{case.f:.6g}",
            ]
        )
    heads = ("rule", f"after {STEPS} steps", "document", "f", "document")
    return Table(f"The document's rules after {STEPS} steps", heads, rows)


def _point(x: float, y: float) -> str:
    """The point with the six decimals of the document; y, which is almost zero, with two digits."""
    return f"({x:.6f}, {y:.6f})" if abs(y) > 1e-6 else f"({x:.6f}, {number(y, 2)})"


def paths_figure(runs: dict[str, list[State]], problem: Problem) -> Figure:
    """The path of each rule over the contours up to f = 7, in two rows of two."""
    figure = Figure(figsize=(9.6, 6.0), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    x, y = np.linspace(-10, 10, 201), np.linspace(-4, 4, 161)
    f: NDArray[np.float64] = problem.fun(np.array(np.meshgrid(x, y)))
    for axes, (name, states) in zip(panels.flat, runs.items(), strict=True):
        axes.contour(x, y, f, levels=_LEVELS, colors="#b9b9b9", linewidths=0.6, zorder=1)
        look = style(_method(name))
        points = np.array([state.x for state in states])
        axes.plot(*points.T, color=look.colour, linewidth=1.2, marker=".", markersize=5, zorder=3)
        axes.plot(*points[:1].T, "o", color="white", markeredgecolor="black", markersize=7, zorder=4)
        axes.plot(*points[-1:].T, linestyle="none", zorder=5, **marker(look))
        axes.plot(0, 0, "+", color=INK, markersize=9, zorder=2)
        axes.set(title=f"{name}, η = {rate_at(PUBLISHED[name].rule.rate, 1):g}: f = {number(states[-1].f, 3)}")
        axes.set(xlim=(-10, 10), ylim=(-4, 4), xticks=range(-8, 9, 4))
        axes.title.set_fontsize(11)
    for axes in panels[1]:
        axes.set_xlabel("x")
    for axes in panels[:, 0]:
        axes.set_ylabel("y")
    return figure


def caption(runs: dict[str, list[State]]) -> str:
    """The rule that zigzags most, and the lowest f after thirty steps."""
    nearest = min(runs, key=lambda name: runs[name][-1].f)
    crossings = {name: _crossings([state.x[1] for state in states]) for name, states in runs.items()}
    most = max(crossings, key=lambda name: crossings[name])
    return (
        f"{STEPS} steps of {len(runs)} rules, over contours up to f = {_HIGHEST:g}, from the dot to +, the minimum. "
        f"{most} zigzags most: it crosses the valley {crossings[most]} times. Lowest at the end is {nearest}, "
        f"with f = {number(runs[nearest][-1].f, 3)}."
    )


def _crossings(values: list[float]) -> int:
    signs = np.sign(values)
    return int(np.sum(signs[1:] * signs[:-1] < 0))
