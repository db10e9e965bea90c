"""The experiments: the frame they share, and what each of them must show."""

import base64
import itertools
import math
import re
from importlib import import_module

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

import problems
from comparisons.core.runs import Tuning
from comparisons.plots.style import style
from comparisons.report.document import Document, Table
from comparisons.report.document import Figure as FigureBlock
from comparisons.report.files import save_figure, write
from comparisons.report.markdown import markdown
from comparisons.report.terminal import show
from comparisons.running.protocol import Protocol
from comparisons.running.runner import run_one
from comparisons.running.tuning import needs_rate
from comparisons.studies import registry as experiments
from comparisons.studies.learning import animation, races, schedules
from comparisons.studies.learning.baselines import cost_until, lowest, run_baselines


def small_report(folder):
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    (folder / "figures").mkdir()
    drawn = save_figure(figure, folder / "figures" / "line.png", "a line", "It rises from f* to 1.")
    table = Table("Costs", ["method", "cost"], [["a|b", "3"]])
    return Document("A <small> report", ["f* here, f* there & nowhere", drawn, table])


class TestFrame:
    def test_every_experiment_has_a_module_and_a_summary(self):
        for name in experiments.names():
            assert experiments.summary(name)
            assert isinstance(experiments.options(name), list)

    def test_a_misspelt_experiment_or_option_is_named_with_the_nearest(self, tmp_path):
        with pytest.raises(ValueError, match="unknown experiment 'bowll'; did you mean 'bowl'"):
            experiments.run("bowll", tmp_path)
        with pytest.raises(ValueError, match="experiment bowl has no option 'raet'"):
            experiments.run("bowl", tmp_path, raet=3)

    @pytest.mark.parametrize(
        ("name", "option", "words"),
        [
            ("digits", {"budget": 0}, "budget must be an integer of at least 1, got 0"),
            ("moons", {"epochs": "many"}, "epochs must be an integer of at least 1, got 'many'"),
            ("mnist", {"passes": 1}, "passes must be an integer of at least 2, got 1"),
            ("minibatch-lbfgs", {"passes": 1}, "passes must be an integer of at least 2, got 1"),
            ("bowl", {"seed": -1}, "seed must be an integer of at least 0, got -1"),
        ],
    )
    def test_an_option_holds_in_the_quick_version_too_and_a_mistake_leaves_no_folder(
        self, tmp_path, name, option, words
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            experiments.run(name, tmp_path / "new", quick=True, **option)
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("name", experiments.names())
    def test_what_the_quick_version_sets_are_options_of_the_experiment(self, name):
        module = import_module(f"comparisons.studies.{experiments.EXPERIMENTS[name][0]}")
        assert set(getattr(module, "QUICK", {})) <= set(experiments.options(name))

    def test_the_page_is_one_file_that_contains_its_figures_and_escapes_its_text(self, tmp_path):
        page = write(small_report(tmp_path), tmp_path).read_text(encoding="utf-8")
        assert "A &lt;small&gt; report" in page
        (source,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
        assert base64.b64decode(source) == (tmp_path / "figures" / "line.png").read_bytes()
        assert not re.findall(r'(?:src|href)="(?!data:)', page)

    def test_the_markdown_links_to_its_figures_and_escapes_stars(self, tmp_path):
        write(small_report(tmp_path), tmp_path)
        text = (tmp_path / "report.md").read_text(encoding="utf-8")
        assert "![a line](figures/line.png)" in text
        assert r"f\* here, f\* there & nowhere" in text
        assert "| a\\|b | 3 |" in text

    def test_a_film_is_played_and_not_shown_as_an_image(self, tmp_path):
        (tmp_path / "race.mp4").write_bytes(b"video")
        document = Document("Races", [FigureBlock(tmp_path / "race.mp4", "a race", "Who wins.")])
        assert '<video src="data:video/mp4;base64,' in write(document, tmp_path).read_text(encoding="utf-8")
        assert "\n[a race](race.mp4)" in markdown(document, tmp_path)

    def test_a_terminal_shows_text_tables_and_the_paths_of_figures(self, tmp_path):
        console = Console(width=160)
        with console.capture() as capture:
            show(small_report(tmp_path), console)
        shown = capture.get()
        assert "f* here" in shown
        assert "line.png" in shown
        assert "Costs" in shown

    def test_a_row_that_does_not_fit_its_headings_is_refused(self):
        with pytest.raises(ValueError, match="rows must have 2 entries"):
            Table("Costs", ["method", "cost"], [["bfgs"]])

    def test_a_picture_is_a_file_a_browser_can_show(self, tmp_path):
        with pytest.raises(ValueError, match="path must end in"):
            FigureBlock(tmp_path / "figure.pdf", "", "")


def written(name, folder):
    """A quick run of an experiment, and that all it promises is there."""
    document = experiments.run(name, folder, quick=True)
    page = (folder / "report.html").read_text(encoding="utf-8")
    for figure in document.parts(FigureBlock):
        assert figure.data_uri in page
        assert figure.caption
    for table in document.parts(Table):
        assert table.rows
    return document


def column(table, heading):
    i = list(table.headings).index(heading)
    return {row[0]: row[i] for row in table.rows}


@pytest.fixture(scope="module")
def bowl(tmp_path_factory):
    return written("bowl", tmp_path_factory.mktemp("bowl"))


class TestBowl:
    def test_the_table_sets_what_was_found_beside_what_was_published(self, bowl):
        assert [row[1:5] for row in bowl.parts(Table)[0].rows] == [
            ["562", "562", "-4.112352244740471", "-4.112352244740471"],
            ["30", "30", "-4.112353204214919", "-4.112353204214919"],
            ["173", "173", "-4.112353104302869", "-4.112353104302869"],
        ]

    def test_among_several_minima_not_every_rule_finds_the_lowest(self, bowl):
        ends = column(bowl.parts(Table)[1], "nearest critical point")
        assert ends["Adam"] == "minimum with f = 0"
        assert ends["AdaGrad"] == "minimum with f = 0.2986"

    def test_the_caption_names_the_rates_that_diverge_and_those_that_crawl(self, bowl):
        """Above 2/λ = 0.184 gradient descent on the bowl cannot converge."""
        caption = bowl.parts(FigureBlock)[2].caption
        assert "diverge: 0.19 and 0.25" in caption
        assert "at the end: 0.0001 and 0.001" in caption

    def test_curvature_closes_the_gap_at_less_cost_than_any_tuned_rule(self, bowl):
        costs = column(bowl.parts(Table)[2], "cost until 1e-6")
        curved = [int(costs[name]) for name in ("newton", "bfgs", "lbfgs")]
        plain = [int(costs[name]) for name in ("gd", "adagrad", "rmsprop", "adam") if costs[name] != "never"]
        assert max(curved) < min(plain)


@pytest.fixture(scope="module")
def ellipse(tmp_path_factory):
    return written("ellipse", tmp_path_factory.mktemp("ellipse"))


class TestEllipse:
    def test_the_endpoints_are_those_published(self, ellipse):
        for _, found, published, f, published_f in ellipse.parts(Table)[0].rows:
            assert found == published
            assert float(f) == pytest.approx(float(published_f), rel=1e-6)

    def test_it_is_said_that_better_points_are_passed_on_the_way(self, ellipse):
        assert "earlier in the runs of momentum (0.00954 after 24 steps) and Adam" in ellipse.parts(str)[1]

    def test_gradient_descent_zig_zags_in_every_step(self, ellipse):
        assert "sgd zigzags most: it crosses the valley 30 times" in ellipse.parts(FigureBlock)[0].caption


class TestBaselines:
    def test_the_cost_of_a_gap_is_that_of_the_first_state_beneath_it(self):
        problem = problems.get("long-ellipse")
        run = run_one(problem, "standard", "bfgs")
        cost = cost_until(run, 0.5)
        gaps = {point.cost: point.f / run.f_start for point in run.trace}
        assert gaps[cost] <= 0.5
        assert all(gap > 0.5 for before, gap in gaps.items() if before < cost)

    def test_a_gap_that_is_never_closed_has_no_cost(self):
        problem = problems.get("rosenbrock")
        tuning = Tuning(1e-6, (1e-6,), (), "nothing", 10)
        assert cost_until(run_one(problem, "standard", "gd", Protocol(gradients=20), tuning)) is None

    def test_a_problem_without_a_minimum_has_no_gap(self):
        with pytest.raises(ValueError, match="monkey-saddle has no known minimum"):
            lowest(problems.get("monkey-saddle"))


@pytest.fixture(scope="module")
def raced():
    """Three methods on the saddle, with rates from a coarse grid."""
    return run_baselines(problems.get("strict-saddle"), "standard", ("bfgs", "gd", "adam"), budget=60, quick=True)


@pytest.fixture(scope="module")
def frames(raced):
    return animation.shoot(raced.runs, raced.problem, "The saddle", frames=8)


class TestFilm:
    def test_a_rate_is_tuned_on_another_start_than_the_one_shown(self, raced):
        assert raced.held_out == 1
        assert {run.method for run in raced.runs if run.tuning} == set(raced.searches) == {"gd", "adam"}

    def test_every_frame_shows_more_of_the_race_until_the_end(self, frames):
        assert len(frames) <= 8
        assert all((before != after).any() for before, after in itertools.pairwise(frames))
        assert len({frame.shape for frame in frames}) == 1

    def test_its_sides_are_even_as_h264_wants_them(self, frames):
        assert frames[0].shape[0] % 2 == frames[0].shape[1] % 2 == 0

    def test_a_method_stands_at_the_last_point_it_has_paid_for(self, raced):
        """Newton-like methods pay for several evaluations at once: between two states nothing moves."""
        track = animation._track(raced.runs[0], lowest(raced.problem), ((-2, 2), (-2, 2)))
        left, right = Figure().subplots(1, 2)
        runner = animation._runner(track, left, right)
        for k, cost in enumerate(track.cost[:-1]):
            for spent in range(int(cost), int(track.cost[k + 1])):
                animation._move(runner, spent)
                assert tuple(runner.head.get_xydata()[0]) == tuple(track.x[k])
                assert len(runner.curve.get_xdata()) == k + 1

    def test_old_steps_fade(self, raced):
        track = animation._track(raced.runs[2], lowest(raced.problem), ((-2, 2), (-2, 2)))
        left, right = Figure().subplots(1, 2)
        runner = animation._runner(track, left, right)
        animation._move(runner, int(track.cost[-1]))
        alphas = runner.trail.get_color()[:, 3]
        assert (np.diff(alphas) >= 0).all()
        assert alphas[0] < 0.2 < 0.8 < alphas[-1]

    def test_a_gif_keeps_the_colours_of_the_methods_and_white_is_white(self, raced, frames, tmp_path):
        path = animation.write_gif(frames, tmp_path / "race.gif", raced.runs)
        with Image.open(path) as image:
            assert image.n_frames == len(frames)
            image.seek(len(frames) - 1)
            last = np.asarray(image.convert("RGB")).astype(int)
        assert (last[0, 0] == 255).all()
        for run in raced.runs:
            colour = (255 * np.array(to_rgb(style(run.method).colour))).round()
            shown, true = (((picture == colour).all(axis=2)).sum() for picture in (last, frames[-1]))
            assert shown >= true > 0
        assert np.abs(last - frames[-1]).max() < 70

    @pytest.mark.skipif(not animation.can_write_mp4(), reason="needs ffmpeg")
    def test_a_film_can_be_written_where_there_is_ffmpeg(self, frames, tmp_path):
        assert animation.write_mp4(frames, tmp_path / "race.mp4").read_bytes()[4:8] == b"ftyp"

    def test_without_ffmpeg_an_mp4_is_refused_with_a_sentence(self, frames, tmp_path, monkeypatch):
        monkeypatch.setattr(animation, "can_write_mp4", lambda: False)
        with pytest.raises(ValueError, match="requires ffmpeg"):
            animation.write_mp4(frames, tmp_path / "race.mp4")

    def test_a_landscape_without_a_minimum_has_no_gap_to_film(self, raced):
        with pytest.raises(ValueError, match="monkey-saddle has no known minimum"):
            animation.shoot(raced.runs, problems.get("monkey-saddle"), "")


class TestRaces:
    def test_first_order_rules_end_at_the_saddle_from_its_stable_manifold_and_the_others_do_not(self, tmp_path):
        report = experiments.run("races", tmp_path, quick=True, race="stable-manifold", budget=100)
        ends = column(report.parts(Table)[0], "ended at")
        assert {ends[name] for name in ("newton", "bfgs", "lbfgs")} == {"lowest minimum"}
        assert {ends[name] for name in ("gd", "momentum", "adagrad")} <= {"saddle", "budget spent"}
        assert "Ended at a saddle point or maximum: gd" in report.parts(FigureBlock)[0].caption
        assert (tmp_path / "stable-manifold.gif").exists()

    def test_the_rates_are_said(self, tmp_path):
        report = experiments.run("races", tmp_path, quick=True, race="valley", budget=30)
        rates = column(report.parts(Table)[1], "best rate")
        assert set(rates) == {name for name in races.METHODS if needs_rate(name)}

    def test_an_unknown_race_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="race must be one of valley, beale"):
            experiments.run("races", tmp_path, race="canyon")


class TestSchedules:
    @pytest.mark.parametrize("name", schedules.SCHEDULES)
    def test_the_mean_of_the_runs_is_what_theory_expects(self, name):
        """E[xᵢ²] ← (1 − ηλᵢ)²E[xᵢ²] + η²σ²; to five standard errors of 2000 runs, at most √(2/2000) each."""
        rate = schedules.SCHEDULES[name][2](0.3, 50)
        mean = schedules.descend(rate, 50, noise=0.1, runs=2000, seed=(3,))
        np.testing.assert_allclose(mean, schedules.expected(rate, 50, 0.1), rtol=5 * math.sqrt(2 / 2000))

    def test_without_noise_the_runs_are_what_theory_says_to_rounding(self):
        rate = schedules.SCHEDULES["cosine"][2](1.0, 100)
        f = schedules.descend(rate, 100, noise=0.0, runs=1, seed=(0,))
        np.testing.assert_allclose(f, schedules.expected(rate, 100, 0.0), rtol=1e-12)

    def test_a_constant_rate_is_best_with_exact_gradients_and_stalls_with_noisy_ones(self, tmp_path):
        report = written("schedules", tmp_path)
        caption = report.parts(FigureBlock)[0].caption
        assert "Exact gradients: no schedule is better than a constant rate" in caption
        assert "Better than constant:" in caption
        assert [row[0] for row in report.parts(Table)[0].rows] == list(schedules.SCHEDULES)

    def test_the_same_seed_gives_the_same_noise_and_rates_are_found_on_another(self):
        cosine = schedules.SCHEDULES["cosine"][2]
        one, two, other = (schedules.tuned(cosine, 20, noise=0.1, runs=5, seed=seed) for seed in (0, 0, 1))
        assert one.search == two.search
        assert (one.f == two.f).all()
        assert (one.f[1:] != other.f[1:]).all()
        assert one.f[-1] != one.search.best.value
