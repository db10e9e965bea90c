"""Performance, data and accuracy profiles with bootstrap bands, and their captions."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from comparisons.core.labels import count, full_name, listing, number
from comparisons.plots.style import GREY, MAX_LINES, LineStyle, clean_axes, line_styles, name_ends, tick
from comparisons.scores.bootstrap import TIMES, band, interval, resamples
from comparisons.scores.profiles import ACCURACY, DATA, PERFORMANCE, Profile
from newtonkit.linalg.kernels import EPS

Vector = NDArray[np.float64]

_BANDS = 3  # curves with a band; more bands would overlap
_PLACES = 200  # points at which a band is computed
_FAR = 2.0**12  # times the lowest cost: the right limit of the axis
_ALL = sys.float_info.max  # larger than every finite value; unsolved instances have an infinite one
_AXES = {
    PERFORMANCE: "cost relative to the cheapest method (log₂ scale)",
    DATA: "cost, in evaluations of f with its gradient (log₂ scale)",
    ACCURACY: "required accuracy (f − f*)/(f₀ − f*), higher to the right",
}


def leading(profile: Profile, most: int = MAX_LINES) -> list[str]:
    """The ``most`` methods with the largest area under their curves, on the axis as drawn."""
    low, high = _limits(profile)
    with np.errstate(divide="ignore"):
        area = np.clip(np.log(high / profile.values), 0.0, math.log(high / low)).mean(axis=0)
    return [profile.methods[i] for i in np.argsort(-area, kind="stable")[:most]]


def profile_figure(
    profile: Profile, methods: Sequence[str] | None = None, *, bands: bool = True, seed: int = 0, title: str = ""
) -> Figure:
    """The curves of a profile.

    Parameters
    ----------
    profile : Profile
    methods : sequence of str, optional
        At most eight that are drawn in colour; by default those of `leading`. The others are grey.
    bands : bool, default True
        Whether the first three have the 95 % bands of `comparisons.scores.bootstrap`.
    seed : int, default 0
        Of the bootstrap.
    title : str, optional
    """
    shown = leading(profile) if methods is None else list(methods)
    styles = line_styles(shown)
    figure = Figure(figsize=(9.0, 4.8), layout="constrained")
    axes = figure.subplots()
    _scale(axes, profile)
    for method in profile.methods:
        if method not in styles:
            _steps(axes, profile, method, LineStyle(GREY, "solid"), width=0.8, order=1)
    if bands:
        drawn = resamples(profile.instances, seed=seed)
        low, high = _limits(profile)
        at = np.geomspace(low, high, _PLACES)
        for method in shown[:_BANDS]:
            below, above = band(profile, method, at, drawn)
            axes.fill_between(at, below, above, color=styles[method].colour, alpha=0.13, linewidth=0, zorder=1)
    for method in reversed(shown):  # the best on top
        _steps(axes, profile, method, styles[method], width=1.8, order=2)
    clean_axes(axes)
    # of names at the same height, that of the best is on top
    edges = [(method, _edge(profile, method)) for method in reversed(shown)]
    name_ends(axes, [(f"{method}  {_percent(edge)}", edge, styles[method]) for method, edge in edges])
    axes.set(xlabel=_AXES[profile.kind], ylabel="share of the instances", title=title)
    axes.title.set_fontsize(11)
    return figure


def _limits(profile: Profile) -> tuple[float, float]:
    """The smallest and the largest value on the axis."""
    low, high = profile.reach
    if profile.kind == ACCURACY:
        return EPS, 1.0
    return (1.0 if profile.kind == PERFORMANCE else low / 1.1), min(max(1.05 * high, 2.0 * low), _FAR * low)


def _edge(profile: Profile, method: str) -> float:
    """The share at the right edge of the figure."""
    return float(profile.share(method, EPS)) if profile.kind == ACCURACY else profile.right_edge(method)


def _scale(axes: Axes, profile: Profile) -> None:
    low, high = _limits(profile)
    if profile.kind == ACCURACY:
        axes.set_xscale("log")
        axes.set_xlim(high, low)
        axes.set_xticks([10.0**k for k in range(-15, 1, 3)])
    else:
        axes.set_xscale("log", base=2)
        axes.set_xlim(low, high)
        exponents = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
        axes.set_xticks([2.0**k for k in exponents][:: max(1, len(exponents) // 8)])
    axes.xaxis.set_major_formatter(tick)
    axes.set_ylim(0.0, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: _percent(value))


def _steps(axes: Axes, profile: Profile, method: str, line_style: LineStyle, *, width: float, order: int) -> None:
    """The step line over the whole width of the axes."""
    low, high = _limits(profile)
    at, _ = profile.steps(method)
    places = np.concatenate([[low], at[(at > low) & (at < high)], [high]])
    shares = profile.share(method, places)
    if profile.kind != ACCURACY:
        shares[-1] = profile.share(method, np.nextafter(high, 0.0))
    axes.step(
        places,
        shares,
        where="post",
        color=line_style.colour,
        linestyle=line_style.dashes,
        linewidth=width,
        zorder=order,
    )


def profile_caption(profile: Profile, methods: Sequence[str] | None = None, *, seed: int = 0) -> str:
    """The meaning of the curves, the leading methods, and bootstrap intervals; for the same arguments as the figure."""
    shown = leading(profile) if methods is None else list(methods)
    problems = len({instance.problem for instance in profile.instances})
    size = f"{count(len(profile.instances), 'instance')} ({count(problems, 'problem')} with their starts)"
    sentences = [
        {PERFORMANCE: _performance_words, DATA: _data_words, ACCURACY: _accuracy_words}[profile.kind](
            profile, size, seed
        ),
        f"Bands ({listing(shown[:_BANDS])}): 95 % of {TIMES} resamples of problems and starts.",
    ]
    grey = [method for method in profile.methods if method not in shown]
    if grey:
        sentences.append(f"In grey: {listing(grey, most=len(grey))}.")
    return " ".join(sentences)


def _performance_words(profile: Profile, size: str, seed: int) -> str:
    (often, share), (most, solved) = _leaders(profile, 1.0), _leaders(profile, _ALL)
    return (
        f"Each curve is the share of the {size} that a method solves within a multiple of the lowest cost: the share "
        "at the left edge is how often it is the cheapest, at the right edge how often it solves. "
        f"Most often the cheapest: {_names(often)}, on {_percent(share)}{_within(profile, often[0], 1.0, seed)}. "
        f"Most solved: {_names(most)}, {_percent(solved)}{_within(profile, most[0], _ALL, seed)}. "
        f"Costs are relative to these {len(profile.methods)} methods: without one of them, the order of two others may "
        "change."
    )


def _data_words(profile: Profile, size: str, seed: int) -> str:
    low, high = profile.reach
    budget = 2.0 ** round(math.log2(math.sqrt(low * high)))
    (early, share), (most, solved) = _leaders(profile, budget), _leaders(profile, _ALL)
    return (
        f"Each curve is the share of the {size} that a method solves within a budget, counted in evaluations of f "
        "with its gradient. It does not depend on the other methods. "
        f"With a budget of {number(budget, 3)} most are solved by {_names(early)}, "
        f"{_percent(share)}{_within(profile, early[0], budget, seed)}; with any budget by {_names(most)}, "
        f"{_percent(solved)}{_within(profile, most[0], _ALL, seed)}."
    )


def _accuracy_words(profile: Profile, size: str, seed: int) -> str:
    (early, share), (most, all_digits) = _leaders(profile, 1e-3), _leaders(profile, EPS)
    return (
        f"Each curve is the share of the {size} on which the lowest f within the budget reaches an accuracy relative "
        "to f₀ − f*. "
        f"Three digits most often: {_names(early)}, on {_percent(share)}{_within(profile, early[0], 1e-3, seed)}; all "
        f"digits of double precision: {_names(most)}, on {_percent(all_digits)}{_within(profile, most[0], EPS, seed)}."
    )


def _names(methods: Sequence[str]) -> str:
    return listing([full_name(name) for name in methods])


def _leaders(profile: Profile, x: float) -> tuple[list[str], float]:
    """The methods of the greatest share at x, and that share."""
    shares = {method: float(profile.share(method, x)) for method in profile.methods}
    most = max(shares.values())
    return [method for method, share in shares.items() if share == most], most


def _within(profile: Profile, method: str, x: float, seed: int) -> str:
    """The interval of a share, in brackets."""
    drawn = resamples(profile.instances, seed=seed)
    met = profile.values[:, profile.methods.index(method)] <= x
    low, high = interval(drawn @ met / drawn.sum(axis=1))
    return f" (95 % of the resamples: {_percent(low)} to {_percent(high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
