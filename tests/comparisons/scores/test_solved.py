"""Whether and when a run was solved follows from its trace alone."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import problems
from comparisons.core.costs import Spending
from comparisons.core.endings import Ending
from comparisons.core.labels import methods
from comparisons.core.prices import Instance, ad_costs, reweight, unit_costs
from comparisons.core.solving import TESTS, TOLERANCES, accuracies, spending
from comparisons.core.trace import KINDS

NAN = float("nan")
HIMMELBLAU = problems.get("himmelblau")
MINIMUM = next(k for k, p in enumerate(HIMMELBLAU.points) if p.kind == "minimum")
SADDLE = next(k for k, p in enumerate(HIMMELBLAU.points) if p.kind == "saddle")


def counts(run, test, tolerance):
    return dict(zip(KINDS, spending([run], test, tolerance).counts[0, 0].tolist(), strict=True))


@pytest.fixture
def by_hand(traced):
    """f₀ = 100 and f* = 0; a check in the middle, which nobody pays."""
    return traced(
        ("f", 100.0, NAN, 5.0, SADDLE, False),
        ("g", NAN, 40.0, 5.0, SADDLE, False),
        ("Hv", NAN, NAN, 5.0, SADDLE, False),
        ("f", 1e-9, NAN, 1e-9, MINIMUM, True),
        ("f", 2.0, NAN, 0.05, MINIMUM, False),
        ("g", NAN, 0.5, 0.05, MINIMUM, False),
        ("H", NAN, NAN, 0.05, MINIMUM, False),
        ("f", 1e-5, NAN, 1e-4, MINIMUM, False),
        ("g", NAN, 1e-3, 1e-4, MINIMUM, False),
    )


class TestFirstMet:
    def test_by_value_it_is_the_first_f_within_tau_of_the_fall(self, by_hand):
        assert counts(by_hand, "value", 0.02) == {"f": 2, "g": 1, "H": 0, "Hv": 1}
        assert counts(by_hand, "value", 0.019) == {"f": 3, "g": 2, "H": 1, "Hv": 1}
        assert counts(by_hand, "value", 1e-8)["f"] == np.inf

    def test_by_gradient_it_is_the_first_small_one(self, by_hand):
        assert counts(by_hand, "gradient", 0.0125) == {"f": 2, "g": 2, "H": 0, "Hv": 1}
        assert counts(by_hand, "gradient", 1e-4) == {"f": 3, "g": 3, "H": 1, "Hv": 1}

    def test_by_distance_it_is_the_first_close_point(self, by_hand):
        assert counts(by_hand, "distance", 0.1) == {"f": 2, "g": 1, "H": 0, "Hv": 1}

    def test_a_small_gradient_near_a_saddle_on_the_way_does_not_solve(self, traced):
        run = traced(
            ("g", NAN, 40.0, 5.0, SADDLE, False),
            ("g", NAN, 1e-9, 1e-9, SADDLE, False),
            ("g", NAN, 1e-9, 1e-9, MINIMUM, False),
        )
        assert counts(run, "gradient", 1e-6)["g"] == 3
        assert counts(run, "distance", 1e-6)["g"] == 3

    @pytest.mark.parametrize("test", TESTS)
    def test_a_run_that_ends_at_a_saddle_is_not_solved_whatever_it_passed(self, by_hand, test):
        lost = replace(by_hand, ending=Ending.SADDLE)
        assert counts(by_hand, test, 0.1)["f"] < np.inf
        assert counts(lost, test, 0.1)["f"] == np.inf

    def test_rounding_of_a_minimum_far_from_zero_is_no_failure(self, traced):
        """At τ = 1e-10 a fall by one requires more digits than f* = −1.03 has, once f₀ is close to it."""
        camel = problems.get("six-hump-camel")
        low = camel.best.f
        run = traced(("f", low + 1e-6, NAN, 1.0, 0, False), ("f", low + 1e-15, NAN, 1.0, 0, False), f_start=low + 1e-6)
        run = replace(run, problem=camel.label, name=camel.name, parameters={})
        assert counts(run, "value", 1e-10)["f"] == 2

    def test_what_is_not_a_number_is_never_small(self, traced):
        run = traced(("f", NAN, NAN, NAN, -1, False), ("g", NAN, NAN, NAN, -1, False))
        for test in TESTS:
            assert counts(run, test, 0.1)["f"] == np.inf


class TestRealRuns:
    def test_the_rows_of_a_trace_are_the_counts_of_the_run(self, real_runs):
        for run in real_runs:
            assert run.trace.counts() == run.counts
            assert run.trace.counts(checks=True) == run.checks

    @pytest.mark.parametrize("test", TESTS)
    def test_a_finer_tolerance_is_never_met_earlier(self, real_runs, test):
        tables = [spending(real_runs, test, tolerance).priced(ad_costs).costs for tolerance in TOLERANCES]
        for rough, fine in itertools.pairwise(tables):
            assert (rough <= fine).all()
        assert np.isfinite(tables[0]).any()

    @pytest.mark.parametrize("test", TESTS)
    def test_nothing_is_met_after_the_end(self, real_runs, test):
        found = spending(real_runs, test, 1e-4)
        total = {(r.problem, r.start, r.method): [getattr(r.counts, kind) for kind in KINDS] for r in real_runs}
        for i, (problem, start, *_) in enumerate(found.instances):
            for m, method in enumerate(found.methods):
                spent = found.counts[i, m]
                assert np.isinf(spent).all() or (spent <= total[problem, start, method]).all()

    def test_a_small_gap_at_the_lowest_minimum_solves_by_value(self, real_runs):
        found = spending(real_runs, "value", 1e-4)
        solved = np.isfinite(found.counts[:, :, 0])
        gaps = {(r.problem, r.start, r.method): (r.gap, r.f_start, r.f - r.gap) for r in real_runs}
        for i, (problem, start, *_) in enumerate(found.instances):
            for m, method in enumerate(found.methods):
                gap, f_start, lowest = gaps[problem, start, method]
                assert solved[i, m] == (gap <= 1e-4 * (f_start - lowest))

    def test_accuracy_within_a_budget_only_improves_with_it_and_agrees_with_the_value_test(self, real_runs):
        _, rows, rough = accuracies(real_runs, ad_costs, 5)
        names, _, fine = accuracies(real_runs, ad_costs, 10_000)
        assert names == methods(real_runs)
        assert (fine <= rough).all()
        found = spending(real_runs, "value", 1e-7)
        assert list(found.instances) == rows
        np.testing.assert_array_equal(np.isfinite(found.counts[:, :, 0]), fine <= 1e-7)


class TestWhoTakesPart:
    def test_a_problem_without_a_minimum_has_no_solution_to_be_found(self, by_hand):
        unbounded = problems.get("monkey-saddle")
        run = replace(by_hand, problem=unbounded.label, name=unbounded.name, parameters={})
        for test in TESTS:
            with pytest.raises(ValueError, match="an instance that the"):
                spending([run], test, 0.1)
            assert len(spending([run, by_hand], test, 0.1).instances) == 1

    def test_a_user_problem_without_known_points_is_judged_by_its_gradient(self, by_hand):
        own = replace(by_hand, problem="mine", name="mine", parameters={}, gap=None)
        rows = own.trace.evaluations
        own = replace(own, trace=replace(own.trace, evaluations=replace(rows, nearest=np.full(len(rows), -1))))
        assert counts(own, "gradient", 0.0125)["g"] == 2
        with pytest.raises(ValueError, match="value test"):
            spending([own], "value", 0.1)

    def test_a_user_problem_may_be_passed(self, by_hand):
        own = replace(by_hand, problem="mine", name="mine", parameters={})
        assert np.isfinite(spending([own], "value", 0.1, own={"mine": HIMMELBLAU}).counts).all()

    def test_a_fall_from_infinity_is_no_measure_and_the_value_test_leaves_it_out(self, by_hand):
        blown = replace(by_hand, start="far", f_start=float("inf"))
        assert [row.start for row in spending([blown, by_hand], "value", 0.1).instances] == ["standard"]
        assert [row.start for row in accuracies([blown, by_hand], ad_costs, 10)[1]] == ["standard"]
        assert len(spending([blown, by_hand], "gradient", 0.1).instances) == 2

    def test_a_run_that_is_missing_or_there_twice_is_named(self, by_hand):
        other = replace(by_hand, method="bfgs")
        elsewhere = replace(by_hand, start="far")
        with pytest.raises(ValueError, match="missing: bfgs"):
            spending([by_hand, other, elsewhere])
        with pytest.raises(ValueError, match="there twice"):
            spending([by_hand, by_hand])

    @pytest.mark.parametrize(
        ("test", "tolerance", "words"), [("valeu", 0.1, "value"), ("value", 0.0, "tolerance"), ("value", 2.0, "got 2")]
    )
    def test_bad_arguments_are_named(self, by_hand, test, tolerance, words):
        with pytest.raises(ValueError, match=words):
            spending([by_hand], test, tolerance)


class TestPrices:
    INSTANCE = Instance("p", "s", 5)

    def test_the_cost_of_a_run_by_theory_is_the_price_of_its_counts(self, real_runs):
        for run in real_runs[:7]:
            price = ad_costs(Instance(run.problem, run.start, run.n, run.trace.sparse_products))
            assert sum(getattr(run.counts, kind) * getattr(price, kind) for kind in KINDS) == run.cost

    def test_a_price_model_is_applied_kind_by_kind(self):
        found = Spending(("a",), (self.INSTANCE,), [[[1.0, 2.0, 3.0, 4.0]]])
        assert found.priced(unit_costs).costs[0, 0] == 10
        assert found.priced(ad_costs).costs[0, 0] == 1 + 2 * 2 + 3 * 20 + 4 * 4
        assert (
            found.priced(lambda it: ad_costs(it)._replace(Hv=0.5, H=0.5 * it.n)).costs[0, 0]
            == 1 + 2 * 2 + 3 * 2.5 + 4 * 0.5
        )
        assert found.priced(ad_costs).unit[0] == 3

    def test_at_pi_over_4_the_reweighted_prices_are_proportional_to_the_old_ones(self):
        half = np.array(reweight(ad_costs, np.pi / 4)(self.INSTANCE))
        np.testing.assert_allclose(half * np.sqrt(2), ad_costs(self.INSTANCE), rtol=1e-15)
        with pytest.raises(ValueError, match="angle"):
            reweight(ad_costs, 0.0)

    def test_the_columns_of_a_spending_may_be_chosen(self, real_runs):
        found = spending(real_runs)
        one = found.subset(["lbfgs"])
        np.testing.assert_array_equal(one.counts[:, 0], found.counts[:, found.methods.index("lbfgs")])
