"""All the scores at once, from real runs."""

import re
from dataclasses import replace

import pytest

from comparisons import drawing
from comparisons.scores.board import scoreboard
from comparisons.scores.prices import counted

ALL = [
    "performance-profile",
    "data-profile",
    "accuracy-profile",
    "ranks",
    "wins",
    "ranks-by-tolerance",
    "ranks-by-price",
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
    assert all("f − f* ≤ 1e-06·(f₀ − f*)" in plate.caption for plate in plates[:2])
    other = scoreboard(real_runs, test="gradient", tolerance=1e-4, model=counted)
    assert "‖g‖∞ ≤ 0.0001·max(1, ‖g₀‖∞)" in other[0].caption


def test_a_single_method_has_profiles_but_nobody_to_be_ranked_against(real_runs):
    alone = scoreboard([run for run in real_runs if run.method == "lbfgs"])
    assert [plate.name for plate in alone] == ALL[:4]


def test_methods_with_parameters_are_methods_like_others(real_runs):
    runs = [run for run in real_runs if run.method in ("lbfgs", "newton")]
    runs += [replace(run, method="lbfgs[memory=20]") for run in runs if run.method == "lbfgs"]
    found = {plate.name: plate for plate in scoreboard(runs)}
    assert any(text.get_text().startswith("lbfgs[memory=20]  ") for text in found["data-profile"].figure.axes[0].texts)
    drawing.svg_text(found["wins"].figure)
