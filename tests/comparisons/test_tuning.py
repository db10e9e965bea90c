"""A learning rate is tuned fairly: on other starts, every rate on the same budget, and nothing is left out."""

import math

import numpy as np
import pytest

import newtonkit
import problems
from comparisons.report.tuning_tables import search_table, trial_table
from comparisons.running import tuning
from comparisons.running.tuning import GRID, held_out_start, search, tune, tune_rate

ELLIPSE = problems.get("long-ellipse")


class TestSearch:
    def test_the_cost_of_every_rate_is_that_of_the_theory_and_none_of_the_grid_is_left_out(self):
        """On x²/20 + y² gradient descent multiplies the entries of the gradient by 1 − η/10 and 1 − 2η in each step."""
        grid = (0.001, 0.05, 0.1, 0.3, 0.45, 0.9, 0.95, 1.0, 2.0)
        found = search(ELLIPSE, "gd", budget=500, grid=grid)
        g = np.abs(held_out_start(ELLIPSE) * [0.1, 2.0])
        for trial in found.trials:
            factors = np.abs(1.0 - trial.rate * np.array([0.1, 2.0]))
            if (factors < 1).all():
                steps = math.ceil(max(np.log(1e-6 * g.max() / g) / np.log(factors)))
                assert trial.cost == (steps + 1 if steps < 490 else math.inf)
            else:
                assert not trial.converged
        assert found.converged == (0.3, 0.45, 0.9, 0.95)
        assert found.share == 4 / 9

    def test_the_record_of_a_comparison_holds_what_the_search_found(self):
        found, record = search(ELLIPSE, "momentum", budget=500), tune(ELLIPSE, "momentum", budget=500)
        assert (record.rate, record.grid, record.converged) == (found.rate, GRID, found.converged)
        assert record.rate in record.converged

    def test_the_default_rate_is_scored_but_is_not_part_of_the_grid(self):
        found = search(ELLIPSE, "adadelta", budget=50, grid=(0.1, 10.0))
        assert found.default.rate == newtonkit.AdaDelta().rate == 1.0
        assert [trial.rate for trial in found.trials] == [0.1, 10.0]

    def test_no_rate_is_given_more_than_the_budget(self, monkeypatch):
        spent = []
        minimize = newtonkit.minimize

        def watched(*args, **keywords):
            result = minimize(*args, **keywords)
            spent.append(result.njev + result.checks.g)
            return result

        monkeypatch.setattr(tuning.newtonkit, "minimize", watched)
        search(problems.get("rosenbrock"), "nesterov", budget=40, grid=(1e-4, 1e-3, 1.0), starts=2)
        assert len(spent) == 2 * 4
        assert max(spent) <= 40

    def test_a_rate_converges_only_if_it_does_from_every_start(self):
        problem = problems.get("himmelblau")
        one, three = (search(problem, "gd", budget=200, starts=k) for k in (1, 3))
        assert set(three.converged) <= set(one.converged)

    def test_the_starts_are_near_the_given_one_and_different_from_it(self):
        near = np.array([1.0, 1.5])
        starts = [held_out_start(problems.get("beale"), near, k) for k in range(3)]
        for i, start in enumerate(starts):
            assert 0 < np.abs(start - near).max() < 1
            assert all((start != other).any() for other in starts[:i])

    def test_ending_at_a_saddle_is_not_converging(self):
        """With y = 0 every gradient points at the saddle: the target is met there, and does not count."""
        problem = problems.get("strict-saddle")
        x0 = held_out_start(problem, problem.starts["stable-manifold"])
        assert x0[1] != 0.0
        assert search(problem, "gd", budget=300).converged
        on_axis = problems.Problem(
            fun=lambda p: problem.fun(p * np.array([1.0, 0.0])),
            n=2,
            starts=dict(problem.starts),
            points=problem.points,
            complete=True,
            formula="x²",
        )
        assert not search(on_axis, "gd", budget=300).converged

    def test_a_method_without_a_rate_is_refused_by_name(self):
        with pytest.raises(ValueError, match=r"method must be one with a learning rate \(gd, .*got 'bfgs'"):
            search(ELLIPSE, "bfgs", budget=100)

    @pytest.mark.parametrize("options", [{"budget": 0}, {"budget": 10, "starts": 0}])
    def test_a_budget_and_a_start_are_needed(self, options):
        with pytest.raises(ValueError, match="must be an integer"):
            search(ELLIPSE, "gd", **options)


class TestTuneRate:
    def test_where_no_rate_reaches_the_target_the_lowest_value_decides(self):
        found = tune_rate(lambda rate: (math.inf, abs(math.log10(rate) + 2)), (1e-4, 1e-2, 1.0))
        assert found.rate == 1e-2
        assert found.share == 0.0

    def test_a_rate_that_gives_nan_is_never_the_best(self):
        found = tune_rate(lambda rate: (math.inf, math.nan if rate > 1 else 5.0), (0.1, 10.0))
        assert found.rate == 0.1
        assert found.trials[1].value == math.inf

    def test_it_serves_a_training_run_as_well(self):
        """Any score will do: here the epochs of noisy gradient descent on seeds other than those reported."""

        def score(rate):
            rng, x = np.random.default_rng(7), 1.0
            for epoch in range(100):
                x -= rate * (x + 1e-4 * rng.standard_normal())
                if abs(x) < 1e-2:
                    return epoch + 1, x
            return math.inf, abs(x)

        found = tune_rate(score, default=0.01, target="|x| < 0.01", budget=100)
        assert found.rate == 1.0
        assert set(found.converged) == {0.1, 0.32, 1.0}
        assert not found.default.converged

    def test_the_order_of_the_grid_does_not_matter(self):
        score = {0.1: (3.0, 0.0), 1.0: (2.0, 0.0), 10.0: (math.inf, 1.0)}.get
        assert tune_rate(score, (10.0, 0.1, 1.0)) == tune_rate(score, (0.1, 1.0, 10.0))

    def test_finer_rates_lie_between_the_best_and_its_neighbours_and_do_not_count_in_the_share(self):
        found = tune_rate(lambda rate: (abs(math.log(rate / 0.5)), 0.0), (0.01, 0.1, 1.0, 10.0), finer=3)
        between = [trial.rate for trial in found.finer]
        assert between == pytest.approx([0.178, 0.316, 0.562, 1.78, 3.16, 5.62])
        assert found.rate == 0.562
        assert found.share == 1.0
        assert len(found.trials) == 4
        assert found.tuning.grid == tuple(sorted([0.01, 0.1, 1.0, 10.0, *between]))

    def test_at_the_edge_of_the_grid_finer_rates_are_on_one_side_only(self):
        found = tune_rate(lambda rate: (rate, 0.0), (0.1, 1.0, 10.0), finer=2)
        assert [trial.rate for trial in found.finer] == pytest.approx([0.215, 0.464])
        assert found.at_the_edge

    @pytest.mark.parametrize("grid", [(), (0.0, 1.0), (-1.0,), (1.0, 1.0), (math.nan,), (math.inf,)])
    def test_a_grid_that_is_none_is_refused(self, grid):
        with pytest.raises(ValueError, match="grid must hold positive rates"):
            tune_rate(lambda rate: (1.0, 1.0), grid)


SCORES = {0.01: (math.inf, 4.0), 0.1: (30.0, 0.0), 1.0: (20.0, 0.0), 0.5: (math.inf, 7.0)}


class TestTables:
    def found(self, **options):
        return tune_rate(SCORES.get, (0.01, 0.1, 1.0), **options)

    def test_a_row_names_the_best_rate_the_default_and_the_share_that_converges(self):
        (row,) = search_table({"adam": self.found(default=0.5)}).rows
        assert row == ["adam", "1*", "20", "0.5", "(f = 7)", "2 of 3", "0.1 … 1"]

    def test_a_star_marks_a_rate_at_the_edge_of_the_grid(self):
        assert tune_rate(SCORES.get, (0.01, 0.1)).at_the_edge
        (row,) = search_table({"adam": tune_rate({**SCORES, 10.0: (math.inf, 9.0)}.get, (0.1, 1.0, 10.0))}).rows
        assert row[:5] == ["adam", "1", "20", "–", "–"]

    def test_every_rate_has_its_row_the_default_among_them(self):
        rows = trial_table(self.found(default=0.5), "rates").rows
        assert [row[0] for row in rows] == ["0.01", "0.1", "0.5 (default)", "1"]
        assert [row[1] for row in rows] == ["not reached", "30", "not reached", "20"]
        assert [row[3] for row in rows] == ["", "", "", "best"]
