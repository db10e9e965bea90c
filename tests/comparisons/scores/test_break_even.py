"""Where one method overtakes another, and how firm a ranking is, on tables whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from comparisons.core.costs import CostTable, Spending
from comparisons.core.prices import Instance, ad_costs, reweight
from comparisons.scores.breakeven import break_even
from comparisons.scores.stability import ranking

ROWS = tuple(Instance(f"p{k}", "s", 4) for k in range(9))
INF = [np.inf] * 4

whole = st.integers(1, 200).map(float)
counts = arrays(np.float64, (len(ROWS), 2, 4), elements=whole)


def spent(first, second, rows=ROWS):
    """Counts of f, g, H, Hv for the two methods on each instance."""
    return Spending(("newton-cg", "lbfgs"), rows[: len(first)], np.stack([np.array(first), np.array(second)], axis=1))


def product_costs(price):
    """The prices of theory with another price of a Hessian-vector product; a Hessian costs n products."""
    return lambda instance: ad_costs(instance)._replace(Hv=price, H=price * instance.n)


def result(first, second, **options):
    return break_even(spent(first, second), "newton-cg", "lbfgs", **{"times": 50} | options)


class TestBreakEven:
    def test_on_one_instance_it_is_the_saving_per_product(self):
        # 30 of f and g in place of 90, for 20 products: each may cost 3
        found = result([[10, 10, 0, 20]], [[30, 30, 0, 0]])
        assert found.price == found.total == 3.0
        assert found.interval == found.total_interval == (3.0, 3.0)

    def test_at_that_price_both_cost_the_same(self):
        found = spent([[10, 10, 0, 20]], [[30, 30, 0, 0]])
        one, other = found.priced(product_costs(3.0)).costs[0]
        assert one == other

    @given(counts)
    def test_the_first_method_is_cheaper_on_half_up_to_the_price_and_on_less_above_it(self, values):
        values[:, :, 2] = 0.0
        values[:, 1, 3] = 0.0
        found = break_even(Spending(("newton-cg", "lbfgs"), ROWS, values), "newton-cg", "lbfgs", times=5)

        def share(price):
            costs = found_spending.priced(product_costs(price)).costs
            return float((costs[:, 0] <= costs[:, 1]).mean())

        found_spending = Spending(("newton-cg", "lbfgs"), ROWS, values)
        if found.price > 0:
            assert share(found.price * (1 - 1e-9)) >= 0.5
        if found.price > -1e-6:
            assert share(max(found.price, 0.0) + 1e-6) < 0.5

    @given(counts)
    def test_at_the_price_of_the_total_the_sums_are_equal(self, values):
        values[:, :, 2] = 0.0
        values[:, 0, 3] += values[:, 1, 3]
        found_spending = Spending(("newton-cg", "lbfgs"), ROWS, values)
        price = break_even(found_spending, "newton-cg", "lbfgs", times=5).total
        if price > 0:
            one, other = found_spending.priced(product_costs(price)).costs.sum(axis=0)
            assert one == pytest.approx(other, rel=1e-12)

    def test_what_only_one_of_them_solves_counts_for_it_at_any_price(self):
        equal = [10, 10, 0, 20], [30, 30, 0, 0]
        assert result([equal[0], INF, INF], [equal[1], equal[1], equal[1]]).price == -np.inf
        assert result([equal[0], equal[0], equal[0]], [equal[1], INF, INF]).price == np.inf
        both = result([equal[0], equal[0], INF], [equal[1], INF, equal[1]])
        assert (both.price, both.both, both.instances) == (3.0, 1, 3)

    def test_instances_that_neither_solves_are_left_out(self):
        found = result([[10, 10, 0, 20], INF], [[30, 30, 0, 0], INF])
        assert (found.instances, found.price) == (1, 3.0)
        nothing = result([INF], [INF])
        assert np.isnan(nothing.price)
        assert "solves any" in nothing.sentence

    def test_a_method_more_expensive_without_products_never_breaks_even(self):
        found = result([[50, 50, 0, 20]], [[30, 30, 0, 0]])
        assert found.price == -3.0
        assert "even if products cost nothing" in found.sentence

    def test_its_interval_is_that_of_the_resamples(self):
        rng = np.random.default_rng(5)
        first = np.column_stack([np.full((9, 2), 10.0), np.zeros(9), rng.integers(5, 50, 9)])
        found = result(first, [[30, 30, 0, 0]] * 9, times=400)
        low, high = found.interval
        assert min(found.each) <= low < found.price < high <= max(found.each)
        assert found.price == np.median(found.each)
        assert f"{found.price:.2g} evaluations of f" in found.sentence


class TestStability:
    def tables(self, *matrices):
        rows = ROWS[: len(matrices[0])]
        return [(str(k), CostTable(("a", "b", "c"), rows, matrix)) for k, matrix in enumerate(matrices)]

    def test_a_reversed_ranking_has_an_agreement_of_minus_one(self):
        found = ranking(self.tables([[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]], [[1.0, 2.0, 4.0]]))
        assert (found.agreement(0, 1), found.agreement(0, 2)) == (-1.0, 1.0)
        assert found.overtakings() == [("a", "b"), ("a", "c"), ("b", "c")]
        assert found.winners() == ["a", "c", "a"]
        np.testing.assert_array_equal(found.ranks[:2], [[1, 2, 3], [3, 2, 1]])

    def test_equal_scores_share_their_rank_and_are_no_overtaking(self):
        found = ranking(self.tables([[1.0, 1.0, 2.0]], [[1.0, 2.0, 2.0]]))
        np.testing.assert_array_equal(found.ranks, [[1.5, 1.5, 3], [1, 2.5, 2.5]])
        assert found.overtakings() == []
        assert found.winners()[0] == "a and b"

    def test_a_turn_of_the_prices_turns_the_ranking_round(self):
        """Newton: few steps with Hessians; a quasi-Newton method: many without; curvature for nothing and for all."""
        found = Spending(("newton", "bfgs"), ROWS[:1], [[[10, 10, 10, 0], [40, 40, 0, 0]]])
        angles = (0.01, np.pi / 4, 1.5)
        turning = ranking([(f"{angle:.2f}", found.priced(reweight(ad_costs, angle))) for angle in angles])
        assert turning.winners() == ["newton", "bfgs", "bfgs"]
        assert turning.overtakings() == [("newton", "bfgs")]
        assert turning.agreement(0, 2) == -1.0

    def test_tables_of_different_methods_are_refused(self):
        (first,) = self.tables([[1.0, 2.0, 3.0]])
        with pytest.raises(ValueError, match="'x' has"):
            ranking([first, ("x", first[1].subset(["b", "a"]))])
        with pytest.raises(ValueError, match="at least one"):
            ranking([])
