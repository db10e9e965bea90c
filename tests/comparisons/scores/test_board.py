"""All the scores at once, from real runs."""

import re
from dataclasses import replace

import pytest

import problems
from comparisons.core.endings import Ending
from comparisons.core.prices import unit_costs
from comparisons.plots import style as drawing
from comparisons.plots.scoreboard import scoreboard
from comparisons.scores.measured import measure

ALL = [
    "performance-profile",
    "data-profile",
    "accuracy-profile",
    "ranks",
    "wins",
    "ranks-by-tolerance",
    "ranks-by-price",
    "ranks-by-model",
    "break-even",
]


@pytest.fixture(scope="module")
def plates(real_runs):
    return scoreboard(real_runs)


def test_every_picture_is_there_with_a_caption_that_holds_numbers_of_its_own(plates):
    assert [plate.name for plate in plates] == ALL
    for plate in plates:
        assert re.search(r"\d", plate.caption)
        assert plate.caption.endswith(".")
        assert "nan" not in plate.caption.lower()
        assert plate.title


def test_what_counts_as_solved_is_said(real_runs, plates):
    assert all("f − f* ≤ 1e-6·(f₀ − f*)" in plate.caption for plate in plates[:2])
    other = scoreboard(real_runs, test="gradient", tolerance=1e-4, model=unit_costs)
    assert "‖g‖∞ ≤ 0.0001·max(1, ‖g₀‖∞)" in other[0].caption


def test_measured_prices_are_ranked_by_where_they_are_given(real_runs, plates):
    measurements = [measure(problems.get(name), repeats=1) for name in ("himmelblau", "six-hump-camel")]
    found = {plate.name: plate for plate in scoreboard(real_runs, measurements=measurements)}["ranks-by-model"]
    labels = [label.get_text() for label in found.figure.axes[0].get_xticklabels()]
    assert labels == ["one each", "by theory", "measured here"]
    assert "seconds on the machine" in found.caption
    assert "Measured" not in plates[ALL.index("ranks-by-model")].caption


def test_a_single_method_has_profiles_but_nobody_to_be_ranked_against(real_runs):
    alone = scoreboard([run for run in real_runs if run.method == "lbfgs"])
    assert [plate.name for plate in alone] == ALL[:4]


def test_methods_with_parameters_are_methods_like_others(real_runs):
    runs = [run for run in real_runs if run.method in ("lbfgs", "newton")]
    runs += [replace(run, method="lbfgs[memory=20]") for run in runs if run.method == "lbfgs"]
    found = {plate.name: plate for plate in scoreboard(runs)}
    assert any(text.get_text().startswith("lbfgs[memory=20]  ") for text in found["data-profile"].figure.axes[0].texts)
    drawing.svg_text(found["wins"].figure)


def test_where_nobody_solves_anything_there_are_pictures_all_the_same(real_runs):
    lost = [replace(run, ending=Ending.SADDLE) for run in real_runs]
    found = scoreboard(lost)
    assert [plate.name for plate in found] == ALL[:-1]
    assert "0 %" in found[0].caption
    for plate in found:
        drawing.svg_text(plate.figure)
