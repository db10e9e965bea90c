"""Two heat maps: the cost of every method on every problem, and pairwise comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from comparisons.core.costs import CostTable
from comparisons.core.labels import count, full_name, listing, times
from comparisons.plots.style import INK
from comparisons.scores.bootstrap import resamples
from comparisons.scores.pairwise import Wins

Vector = NDArray[np.float64]
Colour = tuple[float, float, float]

CAP = 100.0  # times the lowest cost: the end of the colour scale
UNSOLVED = "#404040"
# From low to high cost, and from losses to wins. Black text on every colour has at least the contrast of 7 that the Web
# Content Accessibility Guidelines 2.2 require at level AAA (criterion 1.4.6).
COSTS = LinearSegmentedColormap.from_list("costs", ["#FFFFE5", "#CDEBB5", "#7FCDBB", "#56B4E9"])
BALANCE = LinearSegmentedColormap.from_list("balance", ["#F2A65E", "#FBE3CC", "#FFFFFF", "#D3E7F5", "#66B5E8"])


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours as the Web Content Accessibility Guidelines define it, from 1 to 21.

    Examples
    --------
    >>> round(contrast((0, 0, 0), (1, 1, 1)), 1)
    21.0
    """
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = np.array(colour)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def cost_colour(ratio: float) -> Colour:
    """By the logarithm of the ratio, from 1 to `CAP`; dark where not solved."""
    if not np.isfinite(ratio):
        return to_rgb(UNSOLVED)
    return to_rgb(COSTS(float(np.log(min(ratio, CAP)) / np.log(CAP))))


def ranks(table: CostTable) -> Vector:
    """The rank of each method on each instance, 1 for the cheapest; equal costs and failures share their mean rank."""
    below = (table.costs[:, None, :] < table.costs[:, :, None]).sum(axis=2)
    equal = (table.costs[:, None, :] == table.costs[:, :, None]).sum(axis=2)
    return np.asarray(below + (equal + 1) / 2, dtype=np.float64)


def by_problem(table: CostTable) -> tuple[list[str], Vector, NDArray[np.int64], NDArray[np.int64]]:
    """For each problem the median ratio over its starts, the number of solved starts, and the number of starts.

    With an even number of starts the median is the larger of the two middle values: if half of them fail, it is a
    failure.
    """
    names = list(dict.fromkeys(instance.problem for instance in table.instances))
    of = np.array([names.index(instance.problem) for instance in table.instances])
    ratios = table.ratios
    medians = np.array([np.sort(ratios[of == k], axis=0)[(of == k).sum() // 2] for k in range(len(names))])
    solved = np.array([table.solved[of == k].sum(axis=0) for k in range(len(names))])
    return names, medians, solved, np.bincount(of)


def cost_heatmap(table: CostTable, title: str = "") -> Figure:
    """A row for each problem, a column for each method, the best mean rank on the left.

    Parameters
    ----------
    table : CostTable
    title : str, optional
    """
    names, medians, solved, starts = by_problem(table)
    mean_ranks = ranks(table).mean(axis=0)
    order = np.argsort(mean_ranks, kind="stable")
    rows, width = len(names), len(order)
    figure = Figure(figsize=(max(6.0, 2.9 + 0.62 * width), 1.9 + 0.25 * (rows + 2)), layout="constrained")
    axes = figure.subplots()
    for j, m in enumerate(order):
        for i in range(rows):
            note = "" if solved[i, m] in (0, starts[i]) else f"  {solved[i, m]}/{starts[i]}"
            text = (times(medians[i, m]) if np.isfinite(medians[i, m]) else "–") + note
            _cell(axes, j, i, cost_colour(medians[i, m]), text)
        share = table.solved[:, m].mean()
        _cell(axes, j, rows + 0.3, to_rgb("white"), f"{mean_ranks[m]:.1f}")
        _cell(axes, j, rows + 1.3, to_rgb("white"), f"{100 * share:.0f} %")
    _frame(
        axes, [table.methods[m] for m in order], [*names, "mean rank", "solved"], [*range(rows), rows + 0.3, rows + 1.3]
    )
    _colour_key(axes, width, rows + 2.3)
    axes.set_title(title, fontsize=11)
    return figure


def _cell(axes: Axes, x: float, y: float, colour: Colour, text: str) -> None:
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.2))
    ink = max(("black", "white"), key=lambda shade: contrast(to_rgb(shade), colour))
    axes.text(x, y, text, ha="center", va="center", fontsize=8, color=ink)


def _frame(axes: Axes, across: Sequence[str], down: Sequence[str], places: Sequence[float]) -> None:
    axes.set(xlim=(-0.5, len(across) - 0.5), ylim=(places[-1] + 0.5, -0.5))
    axes.set_xticks(range(len(across)), across, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_yticks(places, down)
    axes.tick_params(length=0, labelsize=8.5, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)


def _colour_key(axes: Axes, width: int, y: float) -> None:
    """The colour scale as cells below the table."""
    axes.set_ylim(y + 1.1, -0.5)
    for k, ratio in enumerate((1.0, 3.0, 10.0, 30.0, CAP, np.inf)):
        x = (k + 0.5) * width / 6 - 0.5
        axes.add_patch(
            Rectangle((x - width / 12, y), width / 6, 0.35, facecolor=cost_colour(ratio), edgecolor=INK, linewidth=0.4)
        )
        words = "not solved" if ratio == np.inf else f"{ratio:g} ×" + (" or more" if ratio == CAP else "")
        axes.text(x, y + 0.75, words, ha="center", va="center", fontsize=7.5, color=INK)


def cost_heatmap_caption(table: CostTable) -> str:
    """How to read the table, the best mean rank, and problems that no method or every method solved."""
    names, _, solved, starts = by_problem(table)
    mean_ranks = ranks(table).mean(axis=0)
    order = np.argsort(mean_ranks, kind="stable")
    first = table.methods[order[0]]
    sentences = [
        "Each number is the cost of a method relative to the cheapest on the problem, the median over its starts. A "
        "dash means that half of the starts or more were not solved; 3/5 means that three of five were. The columns "
        f"are in the order of the mean rank over the {count(len(table.instances), 'instance')}; failures rank last.",
        f"The best mean rank, {mean_ranks[order[0]]:.1f} of {len(order)}, is that of {full_name(first)}, which solves "
        f"{100 * table.share_solved[first]:.0f} %.",
        _firmness(table, order),
    ]
    nobody = [name for name, row in zip(names, solved, strict=True) if not row.any()]
    if nobody:
        sentences.append(f"No method solves {listing(nobody)}.")
    everywhere = int((solved == starts[:, None]).all(axis=1).sum())
    sentences.append(f"Every method solves every start of {everywhere} of the {count(len(names), 'problem')}.")
    return " ".join(sentences)


def _firmness(table: CostTable, order: NDArray[np.intp]) -> str:
    """The share of resamples in which the first method stays first."""
    if len(order) < 2:
        return "There is no other method."
    drawn = resamples(table.instances)
    means = (drawn @ ranks(table)) / drawn.sum(axis=1, keepdims=True)
    stays = float((means[:, order[0]] <= means.min(axis=1)).mean())
    return f"It stays first in {100 * stays:.0f} % of the resamples of problems and starts."


def pairwise_figure(wins: Wins, title: str = "") -> Figure:
    """The share of instances on which the method of the row costs less than that of the column.

    Parameters
    ----------
    wins : Wins
    title : str, optional
    """
    size = len(wins.methods)
    figure = Figure(figsize=(2.6 + 0.62 * size, 1.5 + 0.36 * size), layout="constrained")
    axes = figure.subplots()
    order = np.argsort(-(wins.won - wins.won.T).sum(axis=1), kind="stable")
    for i, one in enumerate(order):
        for j, other in enumerate(order):
            if one == other:
                _cell(axes, j, i, to_rgb("#eeeeee"), "")
                continue
            balance = (wins.won[one, other] - wins.won[other, one]) / wins.instances
            share = wins.won[one, other] / wins.instances
            _cell(axes, j, i, to_rgb(BALANCE(float(balance + 1) / 2)), f"{100 * share:.0f}")
    names = [wins.methods[k] for k in order]
    _frame(axes, names, names, range(size))
    axes.set_title(title, fontsize=11)
    return figure


def pairwise_caption(wins: Wins) -> str:
    """How to read the matrix, and the method that wins against all others, if there is one."""
    beats = (wins.won > wins.won.T).sum(axis=1)
    best = int(np.argmax(beats))
    others = len(wins.methods) - 1
    sentence = (
        f"{full_name(wins.methods[best])} wins more often than it loses against each of the others."
        if beats[best] == others
        else f"no method wins against all others; {full_name(wins.methods[best])} wins over {beats[best]} of {others}."
    )
    return (
        f"Each number is the percentage of the {count(wins.instances, 'instance')} on which the method of the row is "
        "cheaper than that of the column, or solves what the other does not; blue where it wins more often than it "
        "loses, orange where it loses more often. Each entry compares only these two methods. "
        f"{sentence[0].upper()}{sentence[1:]}"
    )
