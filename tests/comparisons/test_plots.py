"""The figures of a comparison show the data of the runs."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

import problems
from comparisons.core.endings import Ending
from comparisons.core.labels import ending_label, family, full_name, listing, long_name, number
from comparisons.core.runs import Run, TracePoint, Tuning
from comparisons.core.scored import score_runs
from comparisons.core.trace import Evaluations, Iterations, Trace
from comparisons.plots.convergence import GREY, convergence, convergence_caption
from comparisons.plots.convergence_curves import in_colour
from comparisons.plots.convergence_order_plots import order_caption, order_of_convergence
from comparisons.plots.paths import paths, paths_caption
from comparisons.plots.style import save, style, svg_text, thin
from comparisons.report.document import without_keys
from comparisons.report.method_tables import overview_table
from comparisons.running.runner import DEFAULT_METHODS
from comparisons.scores.convergence_order import observed_order
from newtonkit import Counts
from newtonkit.methods.registry import METHODS


def make_trace(*points, tick=1e-4):
    """The trace with these iterations: evaluations of f alone, one every ``tick`` seconds."""
    costs = [point.cost for point in points]
    spent, width = max(costs, default=0), len(points[0].x) if points else 0
    nan, zeros = np.full(spent, np.nan), np.zeros(len(points))
    f = nan.copy()
    for point in points:
        f[max(point.cost - 1, 0) : point.cost] = point.f
    return Trace(
        2,
        Evaluations(
            kind=np.full(spent, "f"),
            f=f,
            gradient_norm=nan,
            distance=nan,
            nearest=np.full(spent, -1, dtype=np.int32),
            seconds=tick * np.arange(1, spent + 1),
            iteration=np.zeros(spent, dtype=np.int32),
            check=np.zeros(spent, dtype=bool),
        ),
        Iterations(
            evaluations=np.array(costs, dtype=np.int32),
            f=np.array([point.f for point in points]),
            gradient_norm=np.array([point.gradient_norm for point in points]),
            accepted=zeros == 0,
            length=zeros,
            alpha=zeros,
            radius=zeros,
            note=zeros.astype(np.int32),
            notes=np.array([""]),
            x=np.array([point.x for point in points]).reshape(len(points), width),
        ),
    )


def make_run(method="newton", name="himmelblau", steps=6, cost=50, **changes):
    """A run from the standard start to the minimum (3, 2) of Himmelblau's function; the last step reaches it."""
    problem = problems.get(name)
    end = np.array(problem.best.x)
    start = np.array(problem.starts["standard"])
    xs = [end + (start - end) * 0.25**k for k in range(steps)]
    fs = [float(problem.fun(x)) for x in xs]
    fs[-1] = min(fs[-1], problem.best.f + 1e-9 * (fs[0] - problem.best.f))
    trace = make_trace(
        *(
            TracePoint(max(1, cost * k // max(steps - 1, 1)), f, 10.0 * 0.25**k, tuple(map(float, x)))
            for k, (x, f) in enumerate(zip(xs, fs, strict=True))
        )
    )
    fields = {
        "problem": problem.label,
        "name": name,
        "parameters": dict(problem.parameters),
        "n": problem.n,
        "start": "standard",
        "method": method,
        "options": {},
        "x": tuple(map(float, xs[-1])),
        "f": fs[-1],
        "f_start": fs[0],
        "gradient_norm": 1e-9,
        "success": True,
        "reason": "GRADIENT",
        "message": "the gradient is small",
        "verdict": "minimum",
        "verdict_reason": "every eigenvalue is positive",
        "index": 0,
        "reached": "minimum",
        "reached_f": problem.best.f,
        "gap": fs[-1] - problem.best.f,
        "counts": Counts(cost, 0, 0, 0),
        "checks": Counts(),
        "reported": {},
        "cost": cost,
        "nit": steps - 1,
        "seconds": 0.01,
        "trace": trace,
        "ending": Ending.GLOBAL,
    }
    return Run(**fields | changes)


def nowhere(method="gd", **changes):
    """A run whose budget was spent on the way."""
    away = {"success": False, "reason": "EVALUATIONS", "reached": None, "reached_f": None, "verdict": "not critical"}
    away["ending"] = Ending.BUDGET
    cost = changes.get("cost", 50)
    away["trace"] = make_trace(TracePoint(1, 170.0, 40.0), TracePoint(cost, 1.0, 1.0))
    return make_run(method, **away | changes)


def lines_by_colour(figure, colour):
    return [
        line for axes in figure.axes for line in axes.lines if line.get_color() == colour and len(line.get_xdata()) > 1
    ]


HIMMELBLAU = problems.get("himmelblau")


class TestWords:
    def test_the_label_of_an_ending_names_the_point(self):
        assert ending_label(make_run(), solved=True) == "lowest minimum"
        assert ending_label(make_run(), solved=False) == "near the lowest minimum"
        assert ending_label(make_run(ending=Ending.LOCAL, reached_f=5.0), solved=False) == "minimum with f = 5"
        assert ending_label(nowhere(ending=Ending.SADDLE, reached="maximum"), solved=False) == "maximum"
        assert ending_label(nowhere(), solved=False) == "budget spent"
        assert ending_label(nowhere(ending=Ending.DIVERGED), solved=False) == "diverged"

    def test_a_run_is_scored_by_its_trace_and_not_by_its_report(self):
        near = nowhere(cost=30, ending=Ending.GLOBAL)
        rows = score_runs([make_run(cost=20), make_run("bfgs", cost=50, success=False), near])
        assert [(row.solved, row.cost, row.ratio) for row in rows] == [
            (True, 20, 1),
            (True, 50, 2.5),
            (False, 30, math.inf),
        ]
        (newton, bfgs, gd) = rows.methods
        assert (newton.solved, newton.cheapest, newton.relative_cost) == (1, 1, 1.0)
        assert (bfgs.cheapest, gd.solved, gd.relative_cost, gd.known) == (0, 0, None, 1)

    def test_reported_success_away_from_a_minimum_is_a_false_success(self):
        def false_success(run):
            return score_runs([run])[0].false_success

        assert false_success(nowhere(success=True))
        assert false_success(nowhere(success=True, f=-math.inf, verdict="undecided"))
        assert false_success(nowhere(success=True, reached="degenerate saddle", verdict="undecided"))
        assert not false_success(nowhere())
        assert not false_success(make_run(verdict="undecided"))

    @pytest.mark.parametrize(
        ("value", "text"),
        [(1.2344e-12, "1.234e-12"), (0.0, "0"), (1000, "1000"), (3.2e-5, "3.2e-5"), (None, "–"), (-math.inf, "−∞")],
    )
    def test_numbers_are_short(self, value, text):
        assert number(value) == text

    def test_a_long_listing_says_how_many_it_leaves_out(self):
        assert listing(["a"]) == "a"
        assert listing(["a", "b", "c"]) == "a, b and c"
        assert listing(list("abcdefgh"), most=4) == "a, b, c and 5 more"


class TestNames:
    @pytest.mark.parametrize(
        ("method", "kind"),
        [
            ("newton", "second-order"),
            ("newton-cg", "second-order"),
            ("cubic", "second-order"),
            ("scipy:trust-krylov", "second-order"),
            ("lbfgs[memory=20]", "quasi-Newton"),
            ("cg", "quasi-Newton"),
            ("gd-linesearch", "first-order"),
            ("adam[rate=0.01]", "first-order"),
            ("my_solver", "other solvers"),
        ],
    )
    def test_a_family_follows_from_what_a_method_asks_for(self, method, kind):
        assert family(method) == kind

    def test_every_method_has_words_of_its_own(self):
        assert len({long_name(method) for method in METHODS}) == len(METHODS)

    @pytest.mark.parametrize(
        ("method", "words"),
        [
            ("bfgs", "BFGS"),
            ("lbfgs[memory=20]", "L-BFGS with memory=20"),
            ("newton", "Newton's method with a trust region (newton)"),
            ("scipy:L-BFGS-B[maxcor=20]", "scipy's L-BFGS-B with maxcor=20"),
            ("my_solver", "my_solver"),
        ],
    )
    def test_parameters_are_part_of_the_words(self, method, words):
        assert full_name(method) == words


class TestStyle:
    def test_every_method_has_a_colour_of_its_own(self):
        ours = [method for method in DEFAULT_METHODS if not method.startswith("scipy:") and "batch=" not in method]
        assert len({style(method).colour for method in ours}) == len(ours)

    def test_a_rule_on_mini_batches_has_the_colour_of_the_rule_and_is_dashed(self):
        full, batches = style("adam"), style("adam[batch=64]")
        assert batches == full._replace(dashed=True) != full

    def test_scipys_counterpart_has_the_same_colour_dashed(self):
        ours, theirs = style("bfgs"), style("scipy:BFGS")
        assert (ours.colour, ours.dashed, theirs.colour, theirs.dashed) == (ours.colour, False, ours.colour, True)

    def test_a_methods_colour_does_not_depend_on_the_company_it_is_in(self):
        colour = style("lbfgs").colour
        alone = convergence(score_runs([make_run("lbfgs")]), HIMMELBLAU)
        among = convergence(score_runs([make_run("adam"), make_run("newton"), make_run("lbfgs")]), HIMMELBLAU)
        assert len(lines_by_colour(alone, colour)) == len(lines_by_colour(among, colour)) == 6

    @pytest.mark.parametrize("length", [1, 2, 300, 301, 1000, 12345])
    def test_thinning_keeps_the_first_and_the_last_point(self, length):
        kept = thin(length)
        assert kept[0] == 0
        assert kept[-1] == length - 1
        assert len(kept) <= 301
        assert (np.diff(kept) > 0).all()


class TestConvergence:
    def test_the_gap_is_drawn_against_the_certified_minimum(self):
        """Not against the best value seen: the run below ends 5 above f*, and its line does too."""
        run = make_run(
            f=5.0, gap=5.0, reached_f=5.0, trace=make_trace(TracePoint(1, 9.0, 1.0), TracePoint(50, 5.0, 0.1)), nit=1
        )
        figure = convergence(score_runs([run]), HIMMELBLAU)
        (line,) = lines_by_colour(figure, style("newton").colour)[:1]
        np.testing.assert_allclose(line.get_ydata()[:2], [9.0, 5.0])

    def test_a_trace_of_nan_gradients_leaves_only_the_end(self):
        points = [replace(p, gradient_norm=math.nan) for p in make_run().trace]
        run = make_run("scipy:trust-exact", trace=make_trace(*points))
        figure = convergence(score_runs([run]), HIMMELBLAU)
        gradients = figure.axes[3].lines[0].get_ydata()
        assert np.isfinite(gradients).sum() == 1
        assert gradients[-1] == run.gradient_norm
        svg_text(figure)
        assert "scipy:trust-exact has few gradients" in convergence_caption(score_runs([run]), HIMMELBLAU)

    def test_its_columns_are_iterations_cost_and_seconds(self):
        figure = convergence(score_runs([make_run("bfgs", cost=20)]), HIMMELBLAU)
        assert [axes.get_title() for axes in figure.axes[:3]] == ["iterations", "cost", "time"]
        by_iterations, by_cost, by_seconds = (axes.lines[0].get_xdata() for axes in figure.axes[:3])
        assert by_iterations.tolist()[:6] == [0, 1, 2, 3, 4, 5]
        assert by_cost.tolist()[:6] == [1, 4, 8, 12, 16, 20]
        np.testing.assert_allclose(by_seconds, 1e-4 * by_cost)

    def test_at_most_eight_methods_are_in_colour_and_each_family_has_its_share(self):
        runs = [make_run(method, cost=10 + i) for i, method in enumerate(DEFAULT_METHODS)]
        coloured = in_colour(score_runs(runs))
        assert len(coloured) == 8
        assert [family(run.method) for run in coloured[:3]] == ["second-order", "quasi-Newton", "first-order"]
        figure = convergence(score_runs(runs), HIMMELBLAU)
        names = {text.get_text() for text in figure.axes[2].texts}
        assert {run.method for run in coloured} <= names
        assert len(lines_by_colour(figure, GREY)) == 6 * (len(runs) - 8)
        caption = convergence_caption(score_runs(runs), HIMMELBLAU)
        assert "In colour: 8 methods" in caption

    def test_a_run_that_solves_the_problem_is_in_colour_before_one_that_does_not(self):
        lost = [nowhere(method, cost=2, gap=1e-12) for method in ("adam", "momentum", "nesterov")]
        coloured = in_colour(score_runs([*lost, make_run("gd", cost=10**6)]), most=1)
        assert [run.method for run in coloured] == ["gd"]

    def test_the_names_beside_a_panel_stand_in_the_order_in_which_their_lines_end_and_apart(self):
        lowest = {"newton": 1e-3, "bfgs": 1e-3, "lbfgs": 1e-3, "cg": 1e-9, "adam": 1.0}
        runs = [
            make_run(method, trace=make_trace(TracePoint(9, f, 1.0)), f=f, gradient_norm=1.0)
            for method, f in lowest.items()
        ]
        panel = convergence(score_runs(runs), HIMMELBLAU).axes[2]
        places = {text.get_text(): text.xyann[1] for text in panel.texts}
        assert set(places) == set(lowest)
        assert np.diff(sorted(places.values())).min() >= 0.075 - 1e-9
        assert places["adam"] > max(places[method] for method in ("newton", "bfgs", "lbfgs"))
        assert places["cg"] < min(places[method] for method in ("newton", "bfgs", "lbfgs"))

    @pytest.mark.parametrize(
        "changes",
        [
            {"trace": make_trace()},
            {"trace": make_trace(), "f": math.inf, "gradient_norm": math.nan},
            {"trace": make_trace(TracePoint(0, math.nan, math.nan)), "f": math.nan, "gradient_norm": math.nan},
            {"trace": make_trace(TracePoint(3, 1e300, 1e299), TracePoint(9, -math.inf, math.inf)), "f": -math.inf},
        ],
    )
    def test_it_can_be_drawn_whatever_a_run_holds(self, changes):
        for problem in (HIMMELBLAU, None):
            svg_text(convergence(score_runs([make_run(**changes)]), problem))
            assert convergence_caption(score_runs([make_run(**changes)]), problem)

    def test_the_caption_names_the_cheapest_method_and_its_cost(self):
        runs = [make_run("bfgs", cost=80), make_run("lbfgs", cost=37), make_run("newton", cost=95), nowhere(cost=5)]
        solved = [run for run in runs if run.reached == "minimum"]
        best = min(solved, key=lambda run: run.cost)
        caption = convergence_caption(score_runs(runs), HIMMELBLAU)
        assert re.search(r"cheapest of the 3 methods .* is L-BFGS: cost 37 until", caption)
        assert best.method == "lbfgs"

    def test_the_caption_names_the_fastest_in_seconds(self):
        slow, quick = make_run("newton", cost=10), make_run("adam", cost=20)
        slow = replace(slow, trace=make_trace(*slow.trace, tick=1e-2))
        caption = convergence_caption(score_runs([slow, quick]), HIMMELBLAU)
        assert "is Newton's method with a trust region (newton): " in caption
        assert "The fastest of them is Adam: 2 ms." in caption

    def test_the_names_of_lines_that_leave_the_panel_are_joined_to_its_edge(self):
        steep = make_trace(TracePoint(1, 1.0, 1.0), TracePoint(9, 1e30, 1e30))
        run = nowhere("gd", trace=steep, f=1e30, gap=1e30, gradient_norm=1e30)
        for axes in convergence(score_runs([make_run(), run]), HIMMELBLAU).axes[2::3]:
            low, high = axes.get_ylim()
            named = [text for text in axes.texts if text.get_text() in ("gd", "newton")]
            assert len(named) == 2
            assert all(low <= text.xy[1] <= high for text in named)

    def test_the_caption_gives_the_gap_of_tuned_gradient_descent_when_its_budget_is_spent(self):
        tuning = Tuning(0.03, (0.01, 0.03), (0.03,), "the lowest f", 500)
        run = nowhere("gd", f=1e-5, gap=1e-5, counts=Counts(1000, 1000, 0, 0), tuning=tuning)
        caption = convergence_caption(score_runs([make_run(), run]), HIMMELBLAU)
        assert "rate of 0.03 has spent its budget (1000 gradients) with f − f* = 1e-5" in caption

    def test_the_caption_names_other_minima_and_false_successes(self):
        local = nowhere("bfgs", f=5.0, gap=5.0, reached="minimum", reached_f=5.0, ending=Ending.LOCAL)
        runs = [make_run(), local, nowhere("scipy:Newton-CG", success=True)]
        caption = convergence_caption(score_runs(runs), HIMMELBLAU)
        assert "At another minimum (f = 5): bfgs." in caption
        assert "Success reported at a point that is no minimum: scipy:Newton-CG." in caption

    def test_the_rounding_of_a_minimum_other_than_zero_is_drawn(self):
        problem = problems.get("six-hump-camel")
        run = make_run(f=problem.best.f, gap=0.0, reached_f=problem.best.f, trace=make_trace())
        figure = convergence(score_runs([run]), problem)
        floors = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == ":"]
        assert [line.get_ydata()[0] for line in floors] == pytest.approx([2.29e-16] * 3, rel=0.01)


class TestPaths:
    def test_each_family_has_its_panel(self):
        figure = paths([make_run("newton"), make_run("scipy:BFGS"), make_run("adam")], HIMMELBLAU)
        assert [axes.get_title() for axes in figure.axes] == ["second-order", "quasi-Newton", "first-order"]

    def test_the_window_is_the_domain_widened_to_hold_the_start(self):
        away = make_trace(TracePoint(1, 1.0, 1.0, (20.0, 0.0)), TracePoint(2, 0.5, 1.0, (3.0, 2.0)))
        figure = paths([make_run(trace=away)], HIMMELBLAU)
        (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
        assert left == -6
        assert 20 < right < 25
        assert (bottom, top) == (-6, 6)

    def test_a_path_to_infinity_is_cut_and_the_caption_says_so(self):
        steps = make_trace(*(TracePoint(k, 1.0, 1.0, (10.0**k, 0.0)) for k in (0, 50, 100, 300)))
        run = make_run(trace=steps, x=(1e300, 0.0))
        figure = paths([run], HIMMELBLAU)
        drawn = np.concatenate([line.get_xdata() for line in figure.axes[0].lines])
        assert np.abs(drawn).max() < 1e3
        svg_text(figure)
        assert "Partly outside the window, as marked by arrows: newton." in paths_caption(score_runs([run]), HIMMELBLAU)

    def test_an_arrow_stands_where_a_path_leaves_the_window_and_nowhere_else(self):
        """From the start (0, 0) of this one straight to (20, 10): it crosses x = 6 at y = 3."""
        ways = ((0.0, 0.0), (20.0, 10.0), (3.0, 2.0))
        run = make_run(trace=make_trace(*(TracePoint(k + 1, 1.0, 1.0, x) for k, x in enumerate(ways))))
        (arrow,) = (text for text in paths([run], HIMMELBLAU).axes[0].texts if text.arrow_patch is not None)
        assert arrow.xy == pytest.approx((6.0, 3.0))
        within = paths([make_run()], HIMMELBLAU).axes[0].texts
        assert not any(text.arrow_patch for text in within)

    def test_methods_that_take_the_same_steps_are_all_seen(self):
        """The line below is the wider one."""
        figure = paths([make_run("bfgs"), make_run("lbfgs")], HIMMELBLAU)
        above, below = (lines_by_colour(figure, style(name).colour)[0] for name in ("bfgs", "lbfgs"))
        assert above.get_linewidth() < below.get_linewidth()

    def test_a_problem_without_a_domain_is_refused(self):
        with pytest.raises(ValueError, match="no domain"):
            paths([make_run()], problems.get("wood"))


class TestOrder:
    def test_squared_errors_have_order_two(self):
        assert observed_order([10.0 ** -(2**k) for k in range(4)]) == pytest.approx(2)

    def test_halved_errors_have_order_one(self):
        assert observed_order([2.0**-k for k in range(30)]) == pytest.approx(1)

    def test_rejected_steps_and_rounding_do_not_count(self):
        errors = [1e-1, 1e-1, 1e-2, 1e-4, 1e-4, 1e-8, 1e-16, 3e-16, 0.0, math.nan]
        assert observed_order(errors) == pytest.approx(2)

    @pytest.mark.parametrize("errors", [[], [0.1], [0.1, 0.01], [math.nan] * 5])
    def test_too_few_errors_have_no_order(self, errors):
        assert math.isnan(observed_order(errors))

    def test_the_figure_and_the_caption_state_the_order_of_each_method(self):
        run = make_run("bfgs", steps=12)
        assert "1.00 for bfgs" in order_caption([run], HIMMELBLAU)
        labels = order_of_convergence([run], HIMMELBLAU).axes[0].get_legend_handles_labels()[1]
        assert labels == ["bfgs: observed order 1.00"]


class TestOverview:
    def cells(self, runs):
        anchors = {id(run): f"r{k}" for k, run in enumerate(runs)}
        scored = score_runs(runs)
        return overview_table(scored, ["here", "there"][: len(scored.instances)], anchors).cells

    def test_a_cell_shows_the_cost_relative_to_the_cheapest_of_its_row(self):
        runs = [make_run("bfgs", cost=20), make_run("newton", cost=50), nowhere("gd", cost=3)]
        ((_, *cells),) = self.cells(runs)
        assert [without_keys(cell.text) for cell in cells] == ["1", "2.5", "–"]
        assert [cell.link for cell in cells] == ["r0", "r1", "r2"]

    def test_a_false_success_is_marked(self):
        ((_, _, wrong),) = self.cells([make_run(), nowhere("scipy:Newton-CG", success=True)])
        assert wrong.text.endswith("!")
        assert wrong.tone == "bad"

    def test_rows_with_the_same_problem_are_named_by_their_start(self):
        rows = self.cells([make_run(), make_run(start="far")])
        assert [row[0].text for row in rows] == ["himmelblau · standard", "himmelblau · far"]


class TestSaving:
    def test_the_same_runs_give_the_same_bytes(self, tmp_path):
        first, second = (paths([make_run()], HIMMELBLAU) for _ in range(2))
        assert svg_text(first) == svg_text(second)
        one = save(first, tmp_path / "a.png").read_bytes()
        assert one == save(second, tmp_path / "b.png").read_bytes()

    def test_the_svg_holds_no_date_and_its_text_as_text(self):
        text = svg_text(convergence(score_runs([make_run()]), HIMMELBLAU))
        assert "<dc:date>" not in text
        assert ">iterations</text>" in text
