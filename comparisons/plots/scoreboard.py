"""All the scores of a comparison at once: pictures in the order in which they are best read, each with its caption."""

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
from comparisons.plots import heatmaps as heat
from comparisons.plots import profile_plots as curves
from comparisons.plots import rank_plots as bumps
from comparisons.scores.breakeven import break_even
from comparisons.scores.measured import Measured, as_measured
from comparisons.scores.pairwise import pairwise_wins
from comparisons.scores.profiles import accuracy_profile, data_profile, performance_profile
from comparisons.scores.stability import ranking
from problems import Problem

_BUDGET = 100.0  # evaluations of f with its gradient; enough for any of the better methods on most small problems
_ANGLES = (2, 5, 10, 20, 30, 45, 60, 70, 80, 85, 88)
_OF_PRODUCTS, _WITHOUT = ("newton-cg", "scipy:Newton-CG", "scipy:trust-ncg", "scipy:trust-krylov"), "lbfgs"
_TESTS = {
    "value": "f − f* ≤ {0}·(f₀ − f*), f* the lowest minimum known: an end at another minimum is none",
    "gradient": "‖g‖∞ ≤ {0}·max(1, ‖g₀‖∞)",
    "distance": "a known minimum within {0}, relative to max(1, ‖x*‖)",
}


@dataclass(frozen=True, eq=False)
class ScoreFigure:
    """One picture of the scores."""

    name: str
    """For a file."""
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
    """Profiles, tables, ranks under other tolerances and prices, and the break-even price of a product.

    Parameters
    ----------
    runs : sequence of Run
        Every method once on every instance, see `comparisons.core.solving.spending`.
    test, tolerance, own
        What counts as solved.
    model : PriceModel, default `ad_costs`
    measurements : sequence of Measured, optional
        Prices measured on every problem, see `comparisons.scores.measured.measure`, to rank by as well.
    seed : int, default 0
        Of the bootstrap.
    """
    spent = spending(runs, test, tolerance, own)
    table = spent.priced(model)
    solved = f"Solved means {_TESTS[test].format(number(tolerance))}."
    performance, data = performance_profile(table), data_profile(table)
    figures = [
        ScoreFigure(
            "performance-profile",
            "How much dearer than the cheapest, and how often solved",
            curves.profile_figure(performance, seed=seed),
            f"{curves.profile_caption(performance, seed=seed)} {solved}",
        ),
        ScoreFigure(
            "data-profile",
            "What a budget buys",
            curves.profile_figure(data, seed=seed),
            f"{curves.profile_caption(data, seed=seed)} {solved}",
        ),
        *_accuracy(runs, model, own, seed),
        ScoreFigure("ranks", "Problem by problem", heat.rank_heat(table), f"{heat.rank_heat_caption(table)} {solved}"),
    ]
    if len(spent.methods) > 1:
        wins = pairwise_wins(table)
        figures.append(
            ScoreFigure("wins", "Who beats whom", heat.wins_figure(wins), f"{heat.wins_caption(wins)} {solved}")
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
    words = f"The budget is {_BUDGET:g} evaluations of f with its gradient, or what costs the same."
    caption = f"{curves.profile_caption(profile, seed=seed)} {words}"
    return [ScoreFigure("accuracy-profile", "How many digits", curves.profile_figure(profile, seed=seed), caption)]


def _stability(
    runs: Sequence[Run], test: str, spent: Spending, model: PriceModel, own: Mapping[str, Problem] | None
) -> list[ScoreFigure]:
    by_tolerance = ranking(
        [(f"1e{math.log10(each):.0f}", spending(runs, test, each, own).priced(model)) for each in TOLERANCES]
    )
    by_price = ranking([(f"{angle}°", spent.priced(reweight(model, math.radians(angle)))) for angle in _ANGLES])
    rough, dear = "the tolerance, from rough to fine", "the weight of second derivatives, from nothing to everything"
    return [
        ScoreFigure(
            "ranks-by-tolerance",
            "Does the ranking depend on the tolerance?",
            bumps.bump_chart(by_tolerance, rough),
            bumps.bump_caption(by_tolerance, rough),
        ),
        ScoreFigure(
            "ranks-by-price",
            "Does the ranking depend on the price of curvature?",
            bumps.bump_chart(by_price, f"{dear} (45°: the price of the other pictures)"),
            bumps.bump_caption(by_price, dear),
        ),
    ]


def _by_model(spent: Spending, measurements: Sequence[Measured]) -> ScoreFigure:
    models: dict[str, PriceModel] = {"one each": unit_costs, "by theory": ad_costs}
    if measurements:
        models["measured here"] = as_measured(measurements)
    found = ranking([(label, spent.priced(prices)) for label, prices in models.items()])
    axis = "what an evaluation is worth"
    words = "One each: f, g, Hv and a whole Hessian count the same. By theory: 1, 2, 4 and 4n."
    if measurements:
        words += " Measured: seconds on the machine of this comparison, problem by problem."
    return ScoreFigure(
        "ranks-by-model",
        "Does the ranking depend on how cost is counted?",
        bumps.bump_chart(found, axis),
        f"{bumps.bump_caption(found, axis)} {words}",
    )


def _break_even(spent: Spending, model: PriceModel, seed: int) -> list[ScoreFigure]:
    those = [method for method in _OF_PRODUCTS if method in spent.methods]
    if _WITHOUT not in spent.methods:
        return []
    results = [break_even(spent, method, _WITHOUT, model, seed=seed) for method in those]
    results = [result for result in results if result.instances]
    if not results:
        return []
    title = "What may a Hessian-vector product cost?"
    return [ScoreFigure("break-even", title, bumps.break_even_figure(results), bumps.break_even_caption(results))]
