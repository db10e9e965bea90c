"""The first figure of a comparison: the relative cost of every method on each kind of problem."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from comparisons.core.labels import times
from comparisons.plots.style import INK, clean_axes, marker, style, tick
from comparisons.scores.kinds import MINI_BATCHES, Kind, KindScore

_MOST = 5  # methods in a panel


def kind_figure(found: Sequence[Kind]) -> Figure:
    """A panel for each kind of problem: a row for each method that solves most of them, its marker at its cost.

    The number at the right is how many problems the method solved. A method that solves less than half is left out,
    but the best method on mini-batches is shown where these are usual.
    """
    chosen = [_shown(kind) for kind in found]
    heights = [len(shown) + 2 for shown in chosen]
    # narrow, so that its text is readable on a phone
    figure = Figure(figsize=(4.8, 0.3 + sum(heights) * 0.2), layout="constrained")
    panels = figure.subplots(len(found), 1, squeeze=False, height_ratios=heights).flat
    for axes, kind, shown in zip(panels, found, chosen, strict=True):
        for height, score in enumerate(shown):
            assert score.relative_cost is not None
            line_style = style(score.method)
            axes.hlines(height, 1, score.relative_cost, color=line_style.colour, linewidth=1.2)
            axes.add_line(
                Line2D([score.relative_cost], [height], linestyle="none", **marker(line_style), clip_on=False)
            )
            label = f"{times(score.relative_cost)}×, {score.solved} of {kind.instances}"
            axes.annotate(
                label,
                (score.relative_cost, height),
                (8, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=INK,
            )
        axes.set_xscale("log")
        axes.set_yticks(range(len(shown)), [score.method for score in shown], fontsize=9)
        axes.tick_params(labelsize=8)
        axes.set_xlim(0.9, 5 * max([1.0, *(s.relative_cost or 1.0 for s in shown)]))
        axes.set_title(f"{kind.name} (n ≤ {kind.largest})", fontsize=10, loc="left")
        axes.xaxis.set_major_formatter(tick)
        clean_axes(axes)
    return figure


def _shown(kind: Kind) -> list[KindScore]:
    """The methods of a panel, the best last."""
    chosen = sorted((s for s in kind.scores if 2 * s.solved >= kind.instances), key=lambda s: s.rank)[:_MOST]
    batches = kind.best_of("mini-batches")
    if kind.name == MINI_BATCHES and batches is not None and batches.solved and batches not in chosen:
        chosen = [*chosen[: _MOST - 1], batches]
    return chosen[::-1]
