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
    "pairwise",
    "ranks-by-tolerance",
    "ranks-by-price",
    "ranks-by-model",
    "break-even",
]


@pytest.fixture(scope="module")
def figures(real_runs):
    return scoreboard(real_runs)


def test_every_picture_is_there_with_a_caption_that_holds_numbers_of_its_own(figures):
    assert [each.name for each in figures] == ALL
    for each in figures:
        assert re.search(r"\d", each.caption)
        assert each.caption.endswith(".")
        assert "nan" not in each.caption.lower()
        assert each.title


def test_what_counts_as_solved_is_said(real_runs, figures):
    assert all("f − f* ≤ 1e-6·(f₀ − f*)" in each.caption for each in figures[:2])
    other = scoreboard(real_runs, test="gradient", tolerance=1e-4, model=unit_costs)
    assert "‖g‖∞ ≤ 0.0001·max(1, ‖g₀‖∞)" in other[0].caption


def test_measured_prices_are_ranked_by_where_they_are_given(real_runs, figures):
    measurements = [measure(problems.get(name), repeats=1) for name in ("himmelblau", "six-hump-camel")]
    found = {each.name: each for each in scoreboard(real_runs, measurements=measurements)}["ranks-by-model"]
    labels = [label.get_text() for label in found.figure.axes[0].get_xticklabels()]
    assert labels == ["unit costs", "theory", "measured"]
    assert "seconds on this machine" in found.caption
    assert "Measured" not in figures[ALL.index("ranks-by-model")].caption


def test_a_single_method_has_profiles_but_nobody_to_be_ranked_against(real_runs):
    alone = scoreboard([run for run in real_runs if run.method == "lbfgs"])
    assert [each.name for each in alone] == ALL[:4]


def test_methods_with_parameters_are_methods_like_others(real_runs):
    runs = [run for run in real_runs if run.method in ("lbfgs", "newton")]
    runs += [replace(run, method="lbfgs[memory=20]") for run in runs if run.method == "lbfgs"]
    found = {each.name: each for each in scoreboard(runs)}
    assert any(text.get_text().startswith("lbfgs[memory=20]  ") for text in found["data-profile"].figure.axes[0].texts)
    drawing.svg_text(found["pairwise"].figure)


def test_where_nobody_solves_anything_there_are_pictures_all_the_same(real_runs):
    lost = [replace(run, ending=Ending.SADDLE) for run in real_runs]
    found = scoreboard(lost)
    assert [each.name for each in found] == ALL[:-1]
    assert "0 %" in found[0].caption
    for each in found:
        drawing.svg_text(each.figure)
