"""Profiles: what must hold of them whatever the costs are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from comparisons.core.costs import CostTable
from comparisons.core.prices import Instance
from comparisons.scores.bootstrap import band, interval, resamples
from comparisons.scores.pairwise import pairwise_wins
from comparisons.scores.profiles import data_profile, performance_profile
from comparisons.scores.stability import score

METHODS = ("a", "b", "c")
ROWS = tuple(Instance(f"p{k // 2}", f"s{k % 2}", 3) for k in range(8))
AT = np.geomspace(1.0, 1e4, 50)

costs = arrays(
    np.float64,
    (len(ROWS), len(METHODS)),
    elements=st.one_of(st.just(np.inf), st.integers(1, 40).map(float), st.floats(1.0, 1e4)),
)
tables = costs.map(lambda values: CostTable(METHODS, ROWS, values))


def curves(profile):
    return np.array([profile.share(method, AT) for method in profile.methods])


@given(tables, st.integers(-20, 20))
def test_all_costs_times_a_constant_leave_the_performance_profile_unchanged(table, exponent):
    # a power of two, so that the ratios are the same to the last bit
    scaled = CostTable(METHODS, ROWS, table.costs * 2.0**exponent)
    np.testing.assert_array_equal(performance_profile(scaled).values, performance_profile(table).values)


@given(tables, st.floats(0.1, 10.0))
def test_any_constant_does_up_to_rounding(table, factor):
    scaled = CostTable(METHODS, ROWS, table.costs * factor)
    np.testing.assert_allclose(performance_profile(scaled).values, performance_profile(table).values, rtol=1e-14)


@given(tables, st.permutations(METHODS))
def test_the_order_of_the_solvers_does_not_matter(table, order):
    turned = table.subset(order)
    for profile in (performance_profile, data_profile):
        for method in METHODS:
            one, other = profile(table).steps(method), profile(turned).steps(method)
            np.testing.assert_array_equal(one, other)
    assert score(turned) == pytest.approx(score(table))


@given(tables)
def test_a_solver_that_never_solves_changes_nobodys_curve(table):
    with_it = CostTable(("never", *METHODS), ROWS, np.column_stack([np.full(len(ROWS), np.inf), table.costs]))
    for profile in (performance_profile, data_profile):
        together, alone = profile(with_it), profile(table)
        for method in METHODS:
            np.testing.assert_array_equal(together.steps(method), alone.steps(method))
        assert together.right_edge("never") == 0.0


@given(tables)
def test_the_right_edge_is_the_share_solved_and_so_is_the_data_profile_at_full_budget(table):
    performance, data = performance_profile(table), data_profile(table)
    for k, method in enumerate(METHODS):
        share = np.isfinite(table.costs[:, k]).sum() / len(ROWS)
        assert performance.right_edge(method) == share
        assert performance.share(method, performance.reach[1]) == share
        assert data.share(method, data.reach[1]) == share
        assert table.share_solved[method] == share


@given(tables)
def test_a_curve_never_falls(table):
    assert (np.diff(curves(performance_profile(table)), axis=1) >= 0).all()


@given(tables)
def test_at_the_left_edge_somebody_is_the_cheapest_wherever_anybody_solves(table):
    shares = [float(performance_profile(table).share(method, 1.0)) for method in METHODS]
    assert sum(shares) >= np.isfinite(table.costs).any(axis=1).mean() - 1e-12


@given(tables)
def test_a_data_profile_does_not_depend_on_who_else_is_there(table):
    for method in METHODS:
        np.testing.assert_array_equal(data_profile(table).steps(method), data_profile(table, [method]).steps(method))


def test_a_performance_profile_does_and_two_methods_may_change_places():
    """Gould & Scott's warning as an example: c is best where b is poor, and hides that b beats a on most."""
    table = CostTable(METHODS, ROWS[:3], [[2.0, 4.0, 1.0], [2.0, 4.0, 1.0], [9.0, 3.0, 9.0]])
    all_three, two = performance_profile(table), performance_profile(table, ["a", "b"])
    assert [float(all_three.share(m, 2.0)) for m in "ab"] == pytest.approx([2 / 3, 1 / 3])
    assert [float(two.share(m, 2.0)) for m in "ab"] == pytest.approx([2 / 3, 1.0])


@given(tables)
def test_the_score_is_the_area_under_the_performance_profile_over_the_square_of_tau(table):
    profile = performance_profile(table)
    for method, value in score(table).items():
        at, shares = profile.steps(method)
        # ∫ ρ(τ)/τ² dτ of a step function: every rise counts 1/τ
        rises = np.diff(shares, prepend=0.0)
        assert value == pytest.approx(float(rises @ (1.0 / at)), abs=1e-12)


@given(tables)
def test_every_instance_is_won_by_one_lost_tied_or_solved_by_neither(table):
    wins = pairwise_wins(table)
    assert (wins.neither >= 0).all()
    np.testing.assert_array_equal(wins.tied, wins.tied.T)
    neither = (~table.solved[:, :, None] & ~table.solved[:, None, :]).sum(axis=0)
    np.testing.assert_array_equal(wins.neither, neither)


def test_costs_a_hair_apart_are_a_tie():
    table = CostTable(("a", "b"), ROWS[:2], [[100.0, 100.5], [100.0, 102.0]])
    wins = pairwise_wins(table)
    assert (wins.won[0, 1], wins.won[1, 0], wins.tied[0, 1]) == (1, 0, 1)


class TestBootstrap:
    def test_problems_are_drawn_first_and_then_their_starts(self):
        rows = tuple(Instance(p, s, 2) for p, s in (("p", "1"), ("p", "2"), ("p", "3"), ("q", "1")))
        drawn = resamples(rows, times=500, seed=3)
        # two problems are drawn; each brings as many starts as it has
        assert set(map(int, drawn.sum(axis=1))) == {2, 4, 6}
        assert set(map(int, drawn[:, 3])) == {0, 1, 2}
        np.testing.assert_array_equal(drawn[:, :3].sum(axis=1), 3 * (2 - drawn[:, 3]))

    def test_every_instance_is_drawn_once_on_average(self):
        drawn = resamples(ROWS, times=4000, seed=1)
        # the standard error of a mean is about √(2/4000) = 0.022
        np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=0.1)

    def test_the_same_seed_draws_the_same(self):
        np.testing.assert_array_equal(resamples(ROWS, 20, seed=5), resamples(ROWS, 20, seed=5))
        assert (resamples(ROWS, 20, seed=5) != resamples(ROWS, 20, seed=6)).any()

    def test_starts_that_all_behave_like_their_problem_widen_the_band(self):
        """Eight starts of two problems are not eight problems, and the band knows."""
        values = np.where(np.arange(8) < 4, 1.0, 9.0)[:, None]
        of_two = tuple(Instance(f"p{k // 4}", f"s{k}", 2) for k in range(8))
        of_eight = tuple(Instance(f"p{k}", "s", 2) for k in range(8))
        widths = []
        for rows in (of_two, of_eight):
            profile = performance_profile(CostTable(("a", "best"), rows, np.column_stack([values, np.ones(8)])))
            low, high = band(profile, "a", np.array([2.0]), resamples(rows))
            widths.append(float(high[0] - low[0]))
        assert widths[0] == 1.0
        assert widths[1] < 0.8

    def test_a_band_holds_its_curve(self):
        rng = np.random.default_rng(0)
        table = CostTable(METHODS, ROWS, rng.lognormal(3, 1, (len(ROWS), 3)))
        profile = performance_profile(table)
        low, high = band(profile, "a", AT, resamples(ROWS))
        assert (low <= profile.share("a", AT)).all()
        assert (profile.share("a", AT) <= high).all()

    def test_a_band_covers_the_truth_about_as_often_as_its_level(self):
        """Half of all instances are solved; the 95 % band of 40 of them holds one half in 88 to 100 of 100 samples."""
        rng = np.random.default_rng(11)
        rows = tuple(Instance(f"p{k}", "s", 2) for k in range(40))
        drawn = resamples(rows, times=400)
        inside = 0
        for _ in range(100):
            met = rng.random(40) < 0.5
            low, high = interval(drawn @ met / drawn.sum(axis=1))
            inside += low <= 0.5 <= high
        assert 88 <= inside <= 100

    def test_infinite_values_have_intervals_too(self):
        assert interval(np.array([1.0] * 90 + [np.inf] * 10)) == (1.0, np.inf)

    def test_no_resamples_are_refused(self):
        with pytest.raises(ValueError, match="times"):
            resamples(ROWS, 0)


@pytest.mark.parametrize(
    ("methods", "values", "words"),
    [
        (("a", "b"), np.ones((2, 3)), "costs must have a row"),
        (("a", "b"), [[1.0, 0.0], [1.0, 1.0]], "costs must be positive"),
        (("a", "b"), [[1.0, np.nan], [1.0, 1.0]], "costs must be positive"),
        (("a", "a"), np.ones((2, 2)), "methods must differ"),
    ],
)
def test_a_table_that_is_none_is_refused(methods, values, words):
    with pytest.raises(ValueError, match=words):
        CostTable(methods, ROWS[:2], values)


def test_a_method_that_took_no_part_is_answered_with_the_nearest():
    table = CostTable(("newton", "bfgs"), ROWS[:1], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="newton"):
        table.subset(["nwton"])
    with pytest.raises(ValueError, match="at least one"):
        table.subset([])
