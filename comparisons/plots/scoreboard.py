"""All figures of the scores of a comparison, in reading order, each with its caption."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from comparisons.core.costs import Spending
from comparisons.core.labels import number
from comparisons.core.prices import PriceModel, ad_costs, reweight, unit_costs
from comparisons.core.runs import Run
from comparisons.core.solving import TOLERANCES, accuracies, spending
from comparisons.plots import heatmaps, profile_plots, rank_plots
from comparisons.scores.breakeven import break_even
from comparisons.scores.measured import Measured, as_measured
from comparisons.scores.pairwise import pairwise_wins
from comparisons.scores.profiles import accuracy_profile, data_profile, performance_profile
from comparisons.scores.stability import ranking
from problems import Problem

_BUDGET = 100.0  # evaluations of f with its gradient: enough for good methods on most small problems
_ANGLES = (2, 5, 10, 20, 30, 45, 60, 70, 80, 85, 88)
_OF_PRODUCTS, _WITHOUT = ("newton-cg", "scipy:Newton-CG", "scipy:trust-ncg", "scipy:trust-krylov"), "lbfgs"
_TESTS = {
    "value": "f − f* ≤ {0}·(f₀ − f*), f* the lowest known minimum; reaching another minimum counts as a failure",
    "gradient": "‖g‖∞ ≤ {0}·max(1, ‖g₀‖∞)",
    "distance": "a known minimum within {0}, relative to max(1, ‖x*‖)",
}


@dataclass(frozen=True, eq=False)
class ScoreFigure:
    """One figure of the scores."""

    name: str
    """Name of its file, without suffix."""
    title: str
    figure: Figure
    caption: str


def scoreboard(
    runs: Sequence[Run],
    *,
    test: str = "value",
    tolerance: float = 1e-6,
    model: PriceModel = ad_costs,
    own: Mapping[str, Problem] | None = None,
    measurements: Sequence[Measured] = (),
    seed: int = 0,
) -> list[ScoreFigure]:
    """Profiles, heat maps, ranks under other tolerances and prices, and the break-even cost of a product.

    Parameters
    ----------
    runs : sequence of Run
        Every method once on every instance, see `comparisons.core.solving.spending`.
    test, tolerance, own
        The definition of solved.
    model : PriceModel, default `ad_costs`
    measurements : sequence of Measured, optional
        Prices measured on every problem, see `comparisons.scores.measured.measure`, by which methods are ranked too.
    seed : int, default 0
        Seed of the bootstrap.
    """
    spent = spending(runs, test, tolerance, own)
    table = spent.priced(model)
    solved = f"Solved means {_TESTS[test].format(number(tolerance))}."
    performance, data = performance_profile(table), data_profile(table)
    figures = [
        ScoreFigure(
            "performance-profile",
            "Performance profile (Dolan–Moré)",
            profile_plots.profile_figure(performance, seed=seed),
            f"{profile_plots.profile_caption(performance, seed=seed)} {solved}",
        ),
        ScoreFigure(
            "data-profile",
            "Data profile (Moré–Wild)",
            profile_plots.profile_figure(data, seed=seed),
            f"{profile_plots.profile_caption(data, seed=seed)} {solved}",
        ),
        *_accuracy(runs, model, own, seed),
        ScoreFigure(
            "ranks",
            "Relative cost by problem",
            heatmaps.cost_heatmap(table),
            f"{heatmaps.cost_heatmap_caption(table)} {solved}",
        ),
    ]
    if len(spent.methods) > 1:
        wins = pairwise_wins(table)
        figures.append(
            ScoreFigure(
                "pairwise",
                "Pairwise comparison",
                heatmaps.pairwise_figure(wins),
                f"{heatmaps.pairwise_caption(wins)} {solved}",
            )
        )
        figures += _stability(runs, test, spent, model, own)
        figures.append(_by_model(spent, measurements))
    return [*figures, *_break_even(spent, model, seed)]


def _accuracy(
    runs: Sequence[Run], model: PriceModel, own: Mapping[str, Problem] | None, seed: int
) -> list[ScoreFigure]:
    found = accuracies(runs, model, _BUDGET, own)
    if not found[1]:
        return []
    profile = accuracy_profile(*found)
    words = f"The budget is {_BUDGET:g} evaluations of f with its gradient, or the equivalent cost."
    caption = f"{profile_plots.profile_caption(profile, seed=seed)} {words}"
    return [
        ScoreFigure("accuracy-profile", "Accuracy profile", profile_plots.profile_figure(profile, seed=seed), caption)
    ]


def _stability(
    runs: Sequence[Run], test: str, spent: Spending, model: PriceModel, own: Mapping[str, Problem] | None
) -> list[ScoreFigure]:
    by_tolerance = ranking(
        [(f"1e{math.log10(each):.0f}", spending(runs, test, each, own).priced(model)) for each in TOLERANCES]
    )
    by_price = ranking([(f"{angle}°", spent.priced(reweight(model, math.radians(angle)))) for angle in _ANGLES])
    tolerances = "the tolerance, from loose to tight"
    weights = "the weight of second derivatives, from zero to everything"
    return [
        ScoreFigure(
            "ranks-by-tolerance",
            "Ranking by tolerance",
            rank_plots.rank_chart(by_tolerance, tolerances),
            rank_plots.rank_caption(by_tolerance, tolerances),
        ),
        ScoreFigure(
            "ranks-by-price",
            "Ranking by price of second derivatives",
            rank_plots.rank_chart(by_price, f"{weights} (45°: as in the other figures)"),
            rank_plots.rank_caption(by_price, weights),
        ),
    ]


def _by_model(spent: Spending, measurements: Sequence[Measured]) -> ScoreFigure:
    models: dict[str, PriceModel] = {"unit costs": unit_costs, "theory": ad_costs}
    if measurements:
        models["measured"] = as_measured(measurements)
    found = ranking([(label, spent.priced(prices)) for label, prices in models.items()])
    axis = "the cost model"
    words = "Unit costs: f, g, Hv and a Hessian cost 1 each. Theory: 1, 2, 4, and 4 for each product that recovers H."
    if measurements:
        words += " Measured: seconds on this machine, for each problem."
    return ScoreFigure(
        "ranks-by-model",
        "Ranking by cost model",
        rank_plots.rank_chart(found, axis),
        f"{rank_plots.rank_caption(found, axis)} {words}",
    )


def _break_even(spent: Spending, model: PriceModel, seed: int) -> list[ScoreFigure]:
    those = [method for method in _OF_PRODUCTS if method in spent.methods]
    if _WITHOUT not in spent.methods:
        return []
    results = [break_even(spent, method, _WITHOUT, model, seed=seed) for method in those]
    results = [result for result in results if result.instances]
    if not results:
        return []
    title = "Break-even cost of a Hessian-vector product"
    return [
        ScoreFigure("break-even", title, rank_plots.break_even_figure(results), rank_plots.break_even_caption(results))
    ]
