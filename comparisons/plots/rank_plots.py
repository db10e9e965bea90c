"""Rank charts over ways of scoring, and the break-even cost of a Hessian-vector product."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from comparisons.core.labels import count, full_name, listing, number
from comparisons.core.trace import COST_OF_PRODUCT
from comparisons.plots.style import GREY, INK, MAX_LINES, LineStyle, clean_axes, line_styles, name_ends, tick
from comparisons.scores.bootstrap import resamples
from comparisons.scores.breakeven import BreakEven
from comparisons.scores.stability import Ranking

_LEAST, _MOST = 2.0**-4, 2.0**6  # prices of a product that the axis contains


def rank_chart(ranking: Ranking, axis: str, title: str = "") -> Figure:
    """The ranks of the methods under each way of scoring, the best on top.

    Parameters
    ----------
    ranking : Ranking
        Eight methods are in colour: those that rank first somewhere, then the best on average.
    axis : str
        The quantity that changes from left to right.
    title : str, optional
    """
    ranks = ranking.ranks
    shown = [ranking.methods[k] for k in np.lexsort((ranks.mean(axis=0), ranks.min(axis=0) > 1))[:MAX_LINES]]
    styles = line_styles(shown)
    size = len(ranking.methods)
    figure = Figure(figsize=(9.0, 1.6 + 0.34 * max(size, 6)), layout="constrained")
    axes = figure.subplots()
    across = np.arange(len(ranking.labels))
    for k, method in enumerate(ranking.methods):
        colour, dashes = styles.get(method, LineStyle(GREY, "solid"))
        axes.plot(across, ranks[:, k], color=colour, linestyle=dashes, linewidth=2 if method in styles else 0.9)
        axes.plot(across, ranks[:, k], "o", color=colour, markersize=6 if method in styles else 3)
    axes.set(xlim=(-0.2, across[-1] + 0.2), ylim=(size + 0.5, 0.5), xlabel=axis, ylabel="rank by score", title=title)
    axes.set_xticks(across, ranking.labels)
    axes.set_yticks(range(1, size + 1))
    clean_axes(axes)
    axes.title.set_fontsize(11)
    grey = LineStyle(GREY, "solid")
    name_ends(axes, [(m, ranks[-1, k], styles.get(m, grey)) for k, m in enumerate(ranking.methods)])
    return figure


def rank_caption(ranking: Ranking, axis: str) -> str:
    """The first method under each way of scoring, pairs that change places, and the agreement of both ends."""
    winners = ranking.winners()
    stretches: list[tuple[str, str, str]] = []
    for label, winner in zip(ranking.labels, winners, strict=True):
        if stretches and stretches[-1][0] == winner:
            stretches[-1] = (winner, stretches[-1][1], label)
        else:
            stretches.append((winner, label, label))
    leaders = listing(
        [f"{winner} ({first}" + (")" if first == last else f" to {last})") for winner, first, last in stretches], most=8
    )
    overtaken = ranking.overtakings()
    pairs = len(ranking.methods) * (len(ranking.methods) - 1) // 2
    agreement = ranking.agreement(0, len(ranking.labels) - 1)
    changes = (
        f"{len(overtaken)} of the {count(pairs, 'pair')} of methods change places: "
        + listing([f"{one} and {other}" for one, other in overtaken], most=5)
        if overtaken
        else "No two methods change places"
    )
    return (
        "The score is the mean of (lowest cost)/(cost), zero for a failure; a method that is always the cheapest has "
        f"score 1. The horizontal axis is {axis}. First: {leaders}. {changes}. Kendall's τ between the rankings at "
        f"both ends is {agreement:.2f} (1: identical, 0: unrelated, −1: reversed)."
    )


def break_even_figure(results: Sequence[BreakEven], title: str = "") -> Figure:
    """The share of instances on which a method with products costs no more than one without, by the price of a product.

    Parameters
    ----------
    results : sequence of BreakEven
        One to eight, each with at least one instance. An instance counts up to the price at which the method with
        products stops to be the cheaper one.
    title : str, optional
    """
    styles = line_styles([result.method for result in results])
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log", base=2)
    finite = np.concatenate([result.each[np.isfinite(result.each) & (result.each > 0)] for result in results])
    low, high = min([_LEAST, *finite]), max([_MOST, *finite])
    low, high = max(low, _LEAST / 16), min(high, _MOST * 16)
    at = np.geomspace(low, high, 400)
    for result in results:
        colour, dashes = styles[result.method]
        shares = (result.each[:, None] >= at).astype(np.float64)
        drawn = resamples(result.rows)
        bands = np.quantile((drawn @ shares) / drawn.sum(axis=1, keepdims=True), [0.025, 0.975], axis=0)
        axes.fill_between(at, *bands, color=colour, alpha=0.13, linewidth=0)
        axes.step(at, shares.mean(axis=0), where="post", color=colour, linestyle=dashes, linewidth=1.8)
        if low < result.price < high:
            axes.plot([result.price], [0.5], "o", color=colour, markersize=7, zorder=4)
    axes.axhline(0.5, color=INK, linewidth=0.8)
    axes.axvline(COST_OF_PRODUCT, color=INK, linewidth=0.9, linestyle=":")
    axes.annotate("theoretical price", (COST_OF_PRODUCT, 1.0), xytext=(4, -8), textcoords="offset points", fontsize=8.5)
    axes.set(xlim=(low, high), ylim=(0, 1.02), title=title)
    axes.set(xlabel="price of a Hessian-vector product, in evaluations of f (log₂ scale)")
    axes.set_ylabel(f"instances on which it is\nno more expensive than {listing(sorted({r.other for r in results}))}")
    axes.xaxis.set_major_formatter(tick)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    clean_axes(axes)
    axes.title.set_fontsize(11)
    name_ends(axes, [(r.method, float((r.each >= high).mean()), styles[r.method]) for r in results])
    return figure


def break_even_caption(results: Sequence[BreakEven]) -> str:
    """The break-even prices, compared with the theoretical one."""
    sentences = [
        "The price at which a curve falls below one half is the break-even cost of a Hessian-vector product. An "
        "instance that only one of the two methods solves counts for it at any price. Band: 95 % of the resamples.",
        *(result.sentence for result in results),
    ]
    sentences += [_total_words(result) for result in results if math.isfinite(result.total)]
    sentences.append(f"By the theory of automatic differentiation, a product costs at most {COST_OF_PRODUCT}.")
    return " ".join(sentences)


def _total_words(result: BreakEven) -> str:
    so_far = f"up to a price of {number(result.total, 2)}" if result.total >= 0 else "at no price of a product"
    there = count(result.both, "instance")
    return f"In total over the {there} that both solve, {full_name(result.method)} costs less {so_far}."
