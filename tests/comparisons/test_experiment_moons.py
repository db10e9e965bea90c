"""Networks on moons and digits: work is counted alike for all, rates are tuned elsewhere, Adam's wins are said."""

import math

import numpy as np
import pytest

from comparisons.report.document import Figure as FigureBlock
from comparisons.studies import registry as experiments
from comparisons.studies.learning import moons
from comparisons.studies.learning import time_to_target as reaching
from comparisons.studies.learning.loss_curves import LossCurve, Task, minimized, trained
from comparisons.studies.learning.moons_boundaries import boundaries_figure, endings
from comparisons.studies.learning.moons_document import RULES, document_run, document_start, training_accuracy
from comparisons.studies.learning.moons_paths import swings_of
from comparisons.studies.learning.time_to_target import Race, race
from comparisons.studies.learning.time_to_target_report import reach_table, verdict
from newtonkit import Adam
from problems import datasets
from problems.networks import Network, binary_cross_entropy

pytest.importorskip("sklearn", reason="moons and digits come from scikit-learn")


@pytest.fixture(scope="module")
def task():
    return Task(Network((2, 5, 2, 1), activation="tanh"), datasets.moons(), binary_cross_entropy, "xavier")


@pytest.fixture(scope="module")
def document_task():
    return Task(Network((2, 5, 2, 1)), datasets.moons(), binary_cross_entropy, "he")


@pytest.mark.parametrize("name", ["moons", "digits"])
def test_a_quick_run_writes_its_report_and_pictures(name, tmp_path):
    report = experiments.run(name, tmp_path, quick=True)
    assert (tmp_path / "report.html").is_file()
    assert len(report.parts(FigureBlock)) == {"moons": 5, "digits": 1}[name]
    assert all(picture.path.stat().st_size > 10_000 for picture in report.parts(FigureBlock))
    text = " ".join(report.parts(str))
    assert "gradient-equivalents" in text
    assert "Adam wins at" in text


# ------------------------------------------------------------------------------------------ the document's run


def test_the_documents_start_is_that_of_numpys_old_generator_with_outputs_first():
    """Seed 3 begins 1.78862847, 0.43650985; the first layer's standard deviation is √(2/2)."""
    first, second, _ = document_start()
    assert first["W"][:, 0] == pytest.approx([1.78862847, 0.43650985], abs=1e-8)
    assert second["W"].shape == (5, 2)
    assert not second["b"].any()


def test_at_the_documents_rate_momentum_follows_gradient_descent_and_adam_leaves_both_behind(document_task):
    ends = {name: document_run(document_task, rule, document_start(), 1500, 0) for name, rule in RULES.items()}
    losses = {name: result.history.full_loss for name, result in ends.items()}
    assert np.abs(losses["momentum"] - losses["gd"]).max() < 1e-3
    accuracies = {name: training_accuracy(document_task, result.last) for name, result in ends.items()}
    assert accuracies["adam"] > 0.9 > 0.8 > accuracies["gd"]
    assert len(losses["gd"]) == 16  # every hundred epochs, and the start


def test_the_last_of_the_shuffled_batches_is_smaller(document_task):
    """300 points are four batches of 64 and one of 44."""
    result = document_run(document_task, RULES["gd"], document_start(), 2, 0)
    assert result.nit == 10
    assert result.epochs == 2


def test_boundaries_are_drawn_for_the_documents_rules_and_for_curvature(document_task):
    runs = {name: document_run(document_task, rule, document_start(), 1, 0) for name, rule in RULES.items()}
    ends = endings(document_task, runs, 10)
    figure = boundaries_figure(document_task, ends)
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 6
    for title, end in zip(titles, ends, strict=True):
        assert title.endswith(f"{end.accuracy:.1%}")


def test_the_smaller_the_batch_the_longer_the_path_of_gradient_descent():
    everything, batches, single = swings_of(*datasets.moons(), 0)
    assert len(everything.path) == len(batches.path) == len(single.path) == 301
    assert everything.detour < batches.detour < single.detour
    assert everything.swing < batches.swing < single.swing


# -------------------------------------------------------------------------------------- what a run has spent


def test_a_pass_in_batches_is_one_gradient_equivalent(task):
    course = trained(task, Adam(rate=0.1), 64, 0, 4)
    assert course.spent == pytest.approx([0, 1, 2, 3, 4])
    assert course.loss[0] == pytest.approx(task.loss(task.start(0), task.data))
    assert course.loss[-1] == pytest.approx(task.loss(course.params, task.data))


def test_the_seconds_of_a_run_on_batches_are_those_of_its_updates(task):
    """In proportion to them: the looks at the loss over all data are left out."""
    course = trained(task, Adam(rate=0.1), 64, 0, 4)
    assert course.seconds / course.seconds[-1] == pytest.approx(course.spent / 4)


@pytest.mark.parametrize("method", reaching.CURVED)
def test_the_work_of_a_method_with_curvature_is_what_it_asks_of_the_network(task, method):
    """Value and gradient together are one, a Hessian-vector product 4/3; the first point costs one."""
    course = minimized(task, method, 0, 30)
    assert course.spent[0] == pytest.approx(1.0)
    assert (np.diff(course.spent) >= 2 / 3).all()
    assert 15 < course.spent[-1] <= 30
    assert course.loss[-1] == pytest.approx(task.loss(course.params, task.data))


def test_a_loss_is_reached_where_it_is_first_no_larger():
    course = LossCurve(np.arange(4.0), 10 * np.arange(4.0), np.array([3.0, 1.0, 2.0, 0.5]), np.full(4, np.nan), None)
    assert course.until(1.0) == (1.0, 10.0)
    assert course.until(0.9) == (3.0, 30.0)
    assert course.until(0.1) == (math.inf, math.inf)


def test_rates_are_tuned_on_starts_that_are_not_reported(task, monkeypatch):
    tuned, reported = set(), set()

    def watched(task, rule, batch, seed, budget, target, *, timed=True):
        (reported if timed else tuned).add(seed)
        return trained(task, rule, batch, seed, budget, target, timed=False)

    monkeypatch.setattr(reaching, "trained", watched)
    found = race(task, (0.6,), seeds=range(2), tuned_on=2, grid=(0.01, 0.1), budget=5)
    assert reported == {0, 1}
    assert len(tuned) == 2
    assert not tuned & reported
    for searches in found.searches.values():
        assert len(searches[0.6].trials) == 2
        assert len(searches[0.6].finer) == 1


@pytest.mark.parametrize(
    ("seeds", "budget", "message"),
    [
        (range(0), 5, "starts must be an integer of at least 1, got 0"),
        (range(1001), 5, "starts must be at most 1000, since rates are tuned on others; got 1001"),
        (range(2), 0, "budget must be an integer of at least 1, got 0"),
    ],
)
def test_a_race_without_starts_or_budget_is_refused(task, seeds, budget, message):
    with pytest.raises(ValueError, match=message):
        race(task, (0.6,), seeds=seeds, tuned_on=1, grid=(0.1,), budget=budget)


# ------------------------------------------------------------------------------------------------- the verdict


def a_race(task, costs):
    """Methods that reach a loss of 0.1 after these gradient-equivalents, one number for each start."""
    reached = {label: {0.1: [(cost, cost / 10) for cost in each]} for label, each in costs.items()}
    course = LossCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 0.5]), np.full(2, np.nan), None)
    courses = {label: [course] * len(each) for label, each in costs.items()}
    starts = tuple(range(len(next(iter(costs.values())))))
    return Race(task, (0.1,), 100, starts, 1, reached, courses, {})


def test_where_adam_needs_least_it_is_said(task):
    text = verdict(a_race(task, {"adam": [5, 5, 5], "lbfgs": [10, 10, 10]}))
    assert "Adam, batches of 64 needs the fewest gradient-equivalents, 5; L-BFGS takes 2 times as many" in text
    assert "Adam wins at 0.1." in text


def test_where_curvature_needs_least_it_is_said(task):
    text = verdict(a_race(task, {"adam": [30, 30, 30], "lbfgs": [10, 10, 10]}))
    assert "L-BFGS needs the fewest" in text
    assert "Adam wins at none of these losses, curvature at 0.1." in text


def test_a_method_counts_only_where_half_of_the_starts_get_there(task):
    few = a_race(task, {"adam": [5, math.inf, math.inf], "lbfgs": [50, 60, math.inf]})
    assert "only methods with curvature reach it from half the starts" in verdict(few)
    rows = {row[0]: row[1:3] for row in reach_table(few, "title").rows}
    assert rows["Adam, batches of 64"] == ["never", "1/3: 5 … 5"]
    assert rows["L-BFGS"] == ["60 (6.0 s)", "2/3: 50 … 60"]
    none = a_race(task, {"adam": [math.inf] * 3, "lbfgs": [math.inf] * 3})
    assert "no method reaches it" in verdict(none)


def test_starts_that_no_method_improves_on_a_constant_are_counted(task):
    flat = LossCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([0.7, 0.6931]), np.full(2, np.nan), None)
    found = a_race(task, {"adam": [5, 5], "lbfgs": [10, 10]})
    assert moons.stuck(found) == "No start is stuck at ln 2, the loss of a constant."
    found.courses["lbfgs"][1] = flat
    assert moons.stuck(found).endswith("L-BFGS (1); with every method: 0.")
    found.courses["adam"][1] = flat
    assert moons.stuck(found).endswith("Adam, batches of 64 (1) and L-BFGS (1); with every method: 1.")
