"""Baseline runs for an experiment: other methods from the same start, with rates tuned on other starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from comparisons.core.labels import FIRST_ORDER, coinciding, ending_label, family, full_name, number, times
from comparisons.core.runs import Run
from comparisons.plots.style import INK, legend, marker, style, tick
from comparisons.report.document import Table
from comparisons.running.protocol import Protocol
from comparisons.running.runner import run_one
from comparisons.running.tuning import GRID, RateSearch, needs_rate, search
from newtonkit.linalg.kernels import EPS
from problems import Problem

CURVED = ("newton", "newton-cg", "bfgs", "lbfgs")
SHARE = 1e-6  # of the initial f − f*: costs are compared when it is reached
_HELD_OUT = 3  # number of starts on which a rate is tuned
_GRID = (*GRID, 320.0, 1000.0, 3200.0)  # AdaDelta's first step is a thousandth of its rate
_FINER = 4
_GTOL = 1e-8  # tolerance on ‖g‖∞


@dataclass(frozen=True)
class Baselines:
    """Runs of several methods on one problem from one start."""

    problem: Problem
    runs: Sequence[Run]
    searches: Mapping[str, RateSearch]
    """How the rates of the first-order methods among them were found."""
    held_out: int
    """Number of starts on which they were tuned."""


def run_baselines(
    problem: Problem, start: str, methods: Sequence[str], *, budget: int = 500, quick: bool = False
) -> Baselines:
    """Run methods from a start; rates are tuned near it, on three others that are not reported.

    Rates come from a grid of half decades, then of tenths between the best and its neighbours. If none converges, the
    level at which f settles decides: a run at too large a rate may find a low f by chance.

    Parameters
    ----------
    problem : Problem
        Of two variables, with a known minimum.
    start : str
        Name of one of its starts.
    methods : sequence of str
    budget : int, default 500
        Gradients of a run, and of each rate in the tuning.
    quick : bool, default False
        Tune on one start and few rates.
    """
    near = problem.starts[start]
    starts, grid, finer = (1, _GRID[4::4], 0) if quick else (_HELD_OUT, _GRID, _FINER)
    searches = {
        method: search(problem, method, budget=budget, grid=grid, finer=finer, near=near, starts=starts, settled=True)
        for method in methods
        if needs_rate(method)
    }
    protocol = Protocol(gtol=_GTOL, gradients=budget)
    runs = [
        run_one(problem, start, method, protocol, searches[method].tuning if method in searches else None)
        for method in methods
    ]
    return Baselines(problem, runs, searches, starts)


def lowest(problem: Problem) -> float:
    """f* of a problem that has a known minimum."""
    if problem.best is None:
        raise ValueError(f"{problem.label} has no known minimum to measure a gap from")
    return problem.best.f


def cost_until(run: Run, share: float = SHARE) -> int | None:
    """The cost at which f − f* first falls to a share of its initial value; None if it never does."""
    if run.gap is None or not run.trace:
        return None
    f_star = run.f - run.gap
    target = max(share * (run.f_start - f_star), 10 * EPS * abs(f_star))
    return next((point.cost for point in run.trace if point.f - f_star <= target), None)


def cost_table(baselines: Baselines, title: str) -> Table:
    """A row for each run: its rate, its end, and the cost until f − f* reached the target."""
    rows = []
    for run in baselines.runs:
        cost = cost_until(run)
        rows.append(
            [
                run.method,
                "–" if run.tuning is None else number(run.tuning.rate),
                ending_label(run),
                number(max(run.gap, 0.0) if run.gap is not None else None, 2),
                *(str(amount) for amount in (run.nit, run.counts.f, run.counts.g, run.counts.H, run.counts.Hv)),
                "never" if cost is None else str(cost),
            ]
        )
    heads = ("method", "rate", "ended at", "f − f*", "iterations", "f", "g", "H", "Hv", f"cost until {number(SHARE)}")
    return Table(title, heads, rows, text=(0, 2))


def gap_figure(baselines: Baselines) -> Figure:
    """f − f* against cost, one line for each run."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.subplots()
    f_star = lowest(baselines.problem)
    first = baselines.runs[0].f_start - f_star
    floor = max(EPS * abs(f_star), EPS * first)
    for run in reversed(baselines.runs):  # the first on top
        look = style(run.method)
        cost = np.array([max(point.cost, 1) for point in run.trace], dtype=np.float64)
        gap = np.maximum([point.f - f_star for point in run.trace], floor)
        shown = np.flatnonzero(np.isfinite(gap))
        axes.plot(cost, gap, color=look.colour, linewidth=1.7)
        axes.plot(cost[shown[-1:]], gap[shown[-1:]], linestyle="none", **marker(look))
    axes.axhline(SHARE * first, color=INK, linewidth=0.9, linestyle=":")
    axes.set(
        xscale="log", yscale="log", ylim=(floor / 3, 10 * first), xlabel="cost, in evaluations of f", ylabel="f − f*"
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(tick)
    axes.grid(alpha=0.3)
    legend(figure, baselines.runs)
    return figure


def gap_caption(baselines: Baselines) -> str:
    """The cheapest method with curvature and the cheapest first-order method."""
    costs = {run.method: cost for run in baselines.runs if (cost := cost_until(run)) is not None}
    sentences = [
        "f − f* against cost, f + 2 g + 4 Hv + 4k H (k products for a Hessian) in evaluations of f; the dotted "
        f"line is at {number(SHARE)} of the initial f − f*."
    ]
    plain = {method: cost for method, cost in costs.items() if family(method) == FIRST_ORDER}
    curved = {method: cost for method, cost in costs.items() if family(method) != FIRST_ORDER}
    for what, found in (("methods that use curvature", curved), ("first-order methods at tuned rates", plain)):
        if found:
            first = min(found, key=lambda method: found[method])
            sentences.append(f"Of the {what}, {full_name(first)} reaches it at the lowest cost, {found[first]}.")
    never = sum(run.method not in costs for run in baselines.runs)
    if never:
        sentences.append(f"{never} of the {len(baselines.runs)} do not reach it within their budget.")
    if plain and curved and min(plain.values()) < min(curved.values()):
        ratio = times(min(curved.values()) / min(plain.values()))
        sentences.append(f"Here curvature does not pay: the first-order method costs {ratio} times less.")
    return " ".join(sentences + coinciding(baselines.runs))
