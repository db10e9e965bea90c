"""The figures of scores show the scores."""

import re

import matplotlib
import numpy as np
import pytest

from comparisons.core.costs import CostTable, Spending
from comparisons.core.prices import Instance
from comparisons.plots import heatmaps, profile_plots, rank_plots
from comparisons.plots import style as drawing
from comparisons.plots.style import MAX_LINES, line_styles, spread
from comparisons.scores.breakeven import break_even
from comparisons.scores.pairwise import pairwise_wins
from comparisons.scores.profiles import accuracy_profile, data_profile, performance_profile
from comparisons.scores.stability import ranking
from newtonkit.linalg.kernels import EPS

METHODS = ("newton", "bfgs", "lbfgs", "scipy:BFGS", "adam")
ROWS = tuple(Instance(f"p{k // 2}", f"s{k % 2}", 2) for k in range(20))


def make_table(methods=METHODS, seed=0):
    """Newton solves everything and is the cheapest on most; Adam solves half at a hundred times the cost."""
    rng = np.random.default_rng(seed)
    costs = 100.0 * rng.lognormal(0.0, 0.3, (len(ROWS), len(methods))) * np.geomspace(1, 100, len(methods))
    costs[::2, -1] = np.inf
    return CostTable(tuple(methods), ROWS, costs, unit=np.full(len(ROWS), 3.0))


TABLE = make_table()


def profiles():
    accuracies = np.clip(10.0 ** np.random.default_rng(1).uniform(-18, 0, (len(ROWS), len(METHODS))), EPS, 1.0)
    return [performance_profile(TABLE), data_profile(TABLE), accuracy_profile(METHODS, ROWS, accuracies)]


def all_texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


class TestLineStyles:
    def test_eight_lines_have_different_styles(self):
        names = ("newton", "scipy:trust-exact", "bfgs", "scipy:BFGS", "lbfgs", "scipy:L-BFGS-B", "cg", "cubic")
        found = line_styles(names)
        assert len(set(found.values())) == len({look.dashes for look in found.values()}) == MAX_LINES

    def test_a_method_has_the_colour_it_has_elsewhere(self):
        assert line_styles(["adam", "newton"])["newton"].colour == drawing.style("newton").colour

    def test_more_than_eight_methods_are_refused(self):
        with pytest.raises(ValueError, match="at most 8"):
            line_styles([str(k) for k in range(9)])

    def test_names_keep_their_order_and_their_distance(self):
        heights = [0.9, 0.9, 0.1, 0.92, 0.5, 1.0, 1.0]
        places = spread(heights, gap=0.05)
        assert np.diff(sorted(places)).min() >= 0.05 - 1e-9
        assert max(places) <= 1.0
        assert min(places) >= 0.0
        assert all(places[i] < places[j] for i in range(7) for j in range(7) if heights[i] < heights[j])


class TestProfiles:
    @pytest.mark.parametrize("profile", profiles(), ids=lambda profile: profile.kind)
    def test_each_line_is_named_with_its_share_at_the_right_edge(self, profile):
        texts = all_texts(profile_plots.profile_figure(profile))
        for method in METHODS:
            edge = profile.right_edge(method) if profile.kind != "accuracy" else float(profile.share(method, EPS))
            assert f"{method}  {100 * edge:.0f} %" in texts

    def test_the_line_of_a_method_is_its_curve(self):
        profile = performance_profile(TABLE)
        axes = profile_plots.profile_figure(profile, ["newton", "bfgs"], bands=False).axes[0]
        colour = line_styles(["newton", "bfgs"])["bfgs"].colour
        line = next(line for line in axes.lines if line.get_color() == colour and line.get_drawstyle() == "steps-post")
        at, shares = line.get_xdata(), line.get_ydata()
        np.testing.assert_allclose(shares[:-1], profile.share("bfgs", at[:-1]))
        assert axes.get_xscale() == "log"
        assert axes.xaxis.get_transform().base == 2

    def test_beyond_eight_the_rest_is_grey_and_named_in_the_caption(self):
        names = [*METHODS, "gd", "momentum", "nesterov", "rmsprop", "adagrad"]
        profile = performance_profile(make_table(names))
        shown = profile_plots.leading(profile)
        assert len(shown) == MAX_LINES
        caption = profile_plots.profile_caption(profile)
        grey = re.search(r"In grey: (.*)\.$", caption)
        assert grey is not None
        assert all(name in grey[1] for name in set(names) - set(shown))

    def test_the_caption_says_who_is_cheapest_and_who_solves_most_with_their_shares(self):
        caption = profile_plots.profile_caption(performance_profile(TABLE))
        first = TABLE.ratios[:, 0] == 1.0
        assert (
            f"Most often the cheapest: Newton's method with a trust region (newton), on {100 * first.mean():.0f} %"
            in caption
        )
        assert "20 instances (10 problems with their starts)" in caption
        assert "relative to these 5 methods" in caption

    def test_it_can_be_drawn_if_nobody_solves_anything(self):
        table = CostTable(("a", "b"), ROWS[:2], np.full((2, 2), np.inf))
        for profile in (performance_profile(table), data_profile(table)):
            drawing.svg_text(profile_plots.profile_figure(profile))
            assert "0 %" in profile_plots.profile_caption(profile)

    def test_the_same_scores_give_the_same_bytes(self):
        one, other = (drawing.svg_text(profile_plots.profile_figure(performance_profile(TABLE))) for _ in range(2))
        assert one == other


class TestHeatMaps:
    def test_text_on_every_colour_has_the_contrast_of_level_aaa(self):
        for ratio in [*np.geomspace(1, 1000, 200), np.inf]:
            colour = heatmaps.cost_colour(ratio)
            assert max(heatmaps.contrast(colour, (0, 0, 0)), heatmaps.contrast(colour, (1, 1, 1))) >= 7
        for level in np.linspace(0, 1, 200):
            assert heatmaps.contrast(matplotlib.colors.to_rgb(heatmaps.BALANCE(level)), (0, 0, 0)) >= 7

    def test_colours_are_capped_at_a_hundred_times_the_cheapest(self):
        assert heatmaps.cost_colour(100.0) == heatmaps.cost_colour(1e9) != heatmaps.cost_colour(50.0)
        assert heatmaps.cost_colour(np.inf) != heatmaps.cost_colour(1e9)

    def test_the_luminance_is_that_of_the_guidelines(self):
        # #777777 on white is the well-known example that just misses 4.5
        assert heatmaps.contrast(matplotlib.colors.to_rgb("#777777"), (1, 1, 1)) == pytest.approx(4.48, abs=0.005)

    def test_a_cell_is_the_median_over_the_starts_and_says_how_many_were_solved(self):
        rows = tuple(Instance("p", s, 2) for s in "abc")
        table = CostTable(("one", "two"), rows, [[1.0, 3.0], [1.0, 5.0], [1.0, np.inf]])
        names, medians, solved, starts = heatmaps.by_problem(table)
        assert (names, medians.tolist(), solved.tolist(), starts.tolist()) == (["p"], [[1.0, 5.0]], [[3, 2]], [3])
        texts = all_texts(heatmaps.cost_heatmap(table))
        assert texts[:6] == ["1", "1.0", "100 %", "5  2/3", "2.0", "67 %"]

    def test_failures_share_the_last_rank(self):
        table = CostTable(("a", "b", "c"), ROWS[:1], [[np.inf, 2.0, np.inf]])
        assert heatmaps.ranks(table).tolist() == [[2.5, 1.0, 2.5]]

    def test_the_caption_names_the_first_and_what_nobody_solves(self):
        costs = TABLE.costs.copy()
        costs[:2] = np.inf
        caption = heatmaps.cost_heatmap_caption(CostTable(METHODS, ROWS, costs))
        assert "is that of Newton's method with a trust region (newton), which solves 90 %" in caption
        assert "No method solves p0." in caption
        assert re.search(r"It stays first in \d+ % of the resamples", caption)

    def test_the_matrix_of_wins_shows_percentages_best_first(self):
        wins = pairwise_wins(TABLE)
        figure = heatmaps.pairwise_figure(wins)
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert labels[0] == "newton"
        assert all_texts(figure)[1] == f"{100 * wins.won[0, METHODS.index(labels[1])] / 20:.0f}"
        assert "(newton) wins more often than it loses against each" in heatmaps.pairwise_caption(wins)

    def test_the_caption_names_no_winner_if_there_is_none(self):
        circle = CostTable(("a", "b", "c"), ROWS[:3], [[1.0, 2.0, 3.0], [2.0, 3.0, 1.0], [3.0, 1.0, 2.0]])
        assert "No method wins against all others" in heatmaps.pairwise_caption(pairwise_wins(circle))


class TestRankCharts:
    def test_the_chart_names_every_method_and_the_caption_the_first_ones(self):
        table = CostTable(("a", "b"), ROWS[:1], [[1.0, 2.0]])
        turned = CostTable(("a", "b"), ROWS[:1], [[2.0, 1.0]])
        found = ranking([("1e-1", table), ("1e-2", table), ("1e-3", turned)])
        assert all_texts(rank_plots.rank_chart(found, "the tolerance")) == ["a", "b"]
        caption = rank_plots.rank_caption(found, "the tolerance")
        assert "First: a (1e-1 to 1e-2) and b (1e-3)." in caption
        assert "1 of the 1 pair of methods change places: a and b." in caption
        assert "Kendall's τ between the rankings at both ends is -1.00" in caption

    def test_the_break_even_price_is_marked_and_worded(self):
        counts = np.array([[[10, 10, 0, 20], [30, 30, 0, 0]]] * 4, dtype=float)
        result = break_even(Spending(("newton-cg", "lbfgs"), ROWS[:4], counts), "newton-cg", "lbfgs", times=20)
        figure = rank_plots.break_even_figure([result])
        (dot,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
        assert dot.get_xdata() == [3.0]
        assert "as long as a product costs at most 3 evaluations of f" in rank_plots.break_even_caption([result])
        drawing.svg_text(figure)

    def test_it_can_be_drawn_where_there_is_no_price(self):
        counts = np.array([[[10, 10, 0, 20], [np.inf] * 4]], dtype=float)
        result = break_even(Spending(("newton-cg", "lbfgs"), ROWS[:1], counts), "newton-cg", "lbfgs", times=20)
        drawing.svg_text(rank_plots.break_even_figure([result]))
        assert "at any price of a product" in rank_plots.break_even_caption([result])
