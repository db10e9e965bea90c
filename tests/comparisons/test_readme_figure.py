"""The figure of README.md: its costs are those of fresh runs, and the text below it states the same numbers."""

import json
import math
import re
from pathlib import Path

import pytest

from comparisons import compare
from comparisons.core.prices import ad_costs
from comparisons.core.solving import TOLERANCE, spending
from comparisons.running.runner import DEFAULT_METHODS, default_problems, problem_named

ROOT = Path(__file__).parents[2]
COSTS = json.loads((ROOT / "docs" / "images" / "comparison.json").read_text(encoding="utf-8"))
TEXT = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
FIRST_ORDER = ("gd-linesearch", "gd", "momentum", "nesterov", "adam")
UNTUNED = tuple(name for name in DEFAULT_METHODS if name not in FIRST_ORDER[1:] and "batch=" not in name)
# relative; the last digits of f, and with them a few evaluations, may differ between processors
SAME = 0.1


def test_the_figure_has_the_default_methods_and_all_default_problems_with_a_minimum():
    known = {problem_named(name) for name in default_problems()}
    assert set(COSTS) == {problem.label for problem in known if problem.best is not None}
    assert all(set(row) == set(DEFAULT_METHODS) for row in COSTS.values())


@pytest.mark.parametrize("name", ["rosenbrock", "wood", "quadratic", "hs38"])
def test_a_fresh_run_has_the_costs_of_the_figure(name):
    found = compare([name], UNTUNED, "standard")
    table = spending(found.runs, tolerance=TOLERANCE).priced(ad_costs)
    recorded = COSTS[problem_named(name).label]
    for method, cost in zip(table.methods, table.costs[0], strict=True):
        expected = math.inf if recorded[method] is None else recorded[method]
        assert cost == pytest.approx(expected, rel=SAME), method


def test_the_text_below_the_figure_states_its_numbers():
    lowest = {problem: min(filter(None, row.values()), default=None) for problem, row in COSTS.items()}
    ratios = [
        row[name] / lowest[problem] for problem, row in COSTS.items() for name in FIRST_ORDER if row[name] is not None
    ]
    assert f"cost {min(ratios):.2g} to {max(ratios):.3g} times as much as the cheapest" in TEXT
    unsolved = {_short(problem) for problem in COSTS if lowest[problem] is None}
    listed = re.search(r"no method reaches the lowest minimum of (.*?)\. ", TEXT).group(1)
    assert set(re.split(", | and ", listed)) == unsolved
    beyond = {
        _short(problem)
        for problem, row in COSTS.items()
        if lowest[problem] is not None and not any(row[name] for name in FIRST_ORDER)
    }
    listed = re.search(r"; on (.*?) none does", TEXT).group(1)
    assert set(re.split(", | and ", listed)) == beyond
    digits = next(row for problem, row in COSTS.items() if problem.startswith("digits-softmax"))
    assert f"costs {digits['newton'] / digits['bfgs']:.0f} times as much as BFGS" in TEXT


def _short(problem):
    return problem.split("(")[0]
