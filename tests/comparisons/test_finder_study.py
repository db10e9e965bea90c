"""The expected numbers of critical points are right, and the tables of the finder's figures say what was found."""

from __future__ import annotations

import dataclasses
import io
import itertools

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console
from scipy.optimize import brentq

from comparisons.cli.main import main
from comparisons.report.document import Note
from comparisons.report.terminal import rich_table
from comparisons.studies.critical_points import finder as finder_figures
from comparisons.studies.critical_points.finder import count_table, graph_table, named, run, tried
from comparisons.studies.critical_points.finder_cases import landscapes, rastrigin, separable, shubert, trefethen
from newtonkit import grad


def printed(table):
    console = Console(file=io.StringIO(), width=230)
    console.print(rich_table(table))
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def expected(fun):
    return [(landscape.box, landscape.counts) for landscape in landscapes() if landscape.fun is fun]


# --- what is expected -------------------------------------------------------------------------------------------------


def test_a_sum_of_waves_has_the_points_that_its_minima_and_maxima_of_one_variable_say():
    slope = grad(rastrigin)
    for ((low, high), *_), counts in expected(rastrigin):
        t = np.linspace(low, high, 5000)
        rises = np.diff(np.sign([slope([ti])[0] for ti in t]))
        assert counts == separable(int(np.sum(rises > 0)), int(np.sum(rises < 0)), 2)


def test_a_product_of_waves_has_extremes_where_both_have_and_saddles_where_both_vanish():
    """A(x) A(y): its minima are those of one factor with a maximum of the other, as all maxima of A are positive."""
    (((low, high), _), counts) = expected(shubert)[0]
    t, i = np.linspace(low, high, 20_000), np.arange(1, 6)[:, None]
    wave = np.sum(i * np.cos((i + 1) * t + i), axis=0)
    turns = np.diff(np.sign(np.diff(wave)))
    tops, bottoms = wave[1:-1][turns < 0], wave[1:-1][turns > 0]
    assert tops.min() > 0.0 > bottoms.max()
    zeros = int(np.sum(np.diff(np.sign(wave)) != 0))
    assert counts == (2 * len(tops) * len(bottoms), zeros**2, len(tops) ** 2 + len(bottoms) ** 2)


def u(x):
    """∂f/∂x + 10 cos(10(x + y)) of Trefethen's function, and its derivative."""
    e, s, c = np.exp(np.sin(50 * x)), np.sin(x), np.cos(x)
    first = 50 * np.cos(50 * x) * e + 70 * c * np.cos(70 * s) + x / 2
    waves = 2500 * (np.cos(50 * x) ** 2 - np.sin(50 * x)) * e
    return first, waves - 70 * s * np.cos(70 * s) - 4900 * c**2 * np.sin(70 * s) + 0.5


def v(y):
    """∂f/∂y + 10 cos(10(x + y)), and its derivative."""
    z, s, c = 60 * np.exp(y), np.sin(80 * y), np.cos(80 * y)
    first = z * np.cos(z) + 80 * c * np.cos(s) + y / 2
    return first, z * np.cos(z) - z**2 * np.sin(z) - 6400 * (s * np.cos(s) + c**2 * np.sin(s)) + 0.5


def on_curves(r):
    """Critical points of Trefethen's function in [−r, r]², by index: zeros of ∂f/∂y on the curves where ∂f/∂x = 0.

    These are explicit: 10(x + y) = ± arccos(u(x)/10) + 2πk, over the intervals of x where |u| ≤ 10.
    """
    grid = np.linspace(-r, r, 20_001)
    turns = [
        brentq(lambda x, level=level: u(x)[0] - level, grid[j], grid[j + 1], xtol=1e-15)
        for level in (-10.0, 10.0)
        for j in np.flatnonzero(np.diff(np.sign(u(grid)[0] - level)))
    ]
    ends, counts = np.sort([-r, r, *turns]), np.zeros(3, dtype=int)
    k = 2.0 * np.pi * np.arange(-6, 7)[:, None]
    for a, b in itertools.pairwise(ends):
        # points that crowd at the ends, where the two branches meet with vertical tangents
        x = 0.5 * (a + b) - 0.5 * (b - a) * np.cos(np.linspace(0.0, np.pi, 500))
        cosine = u(x)[0] / 10.0
        if abs(cosine[250]) > 1.0:
            continue
        for end in (0, -1):
            cosine[end] = np.sign(cosine[end]) if abs(x[end]) < r else cosine[end]
        for angle in (np.arccos(cosine), -np.arccos(cosine)):
            y = (angle + k) / 10.0 - x
            slope = v(y)[0] - 10.0 * cosine
            row, j = np.nonzero(slope[:, :-1] * slope[:, 1:] < 0.0)
            part = slope[row, j] / (slope[row, j] - slope[row, j + 1])
            X, Y = x[j] + part * (x[j + 1] - x[j]), y[row, j] + part * (y[row, j + 1] - y[row, j])
            X, Y = X[np.abs(Y) <= r], Y[np.abs(Y) <= r]
            mixed = 100.0 * np.sin(10.0 * (X + Y))
            fxx, fyy = u(X)[1] + mixed, v(Y)[1] + mixed
            saddle = fxx * fyy < mixed**2
            counts += [np.sum(~saddle & (fxx > 0)), np.sum(saddle), np.sum(~saddle & (fxx < 0))]
    return tuple(int(count) for count in counts)


def test_the_derivatives_by_hand_are_those_of_trefethens_function():
    x, y = 0.31, -0.47
    cosine = 10.0 * np.cos(10.0 * (x + y))
    np.testing.assert_allclose(grad(trefethen)([x, y]), [u(x)[0] - cosine, v(y)[0] - cosine], rtol=1e-12)
    for function, t in ((u, x), (v, y)):
        slope = (function(t + 1e-6)[0] - function(t - 1e-6)[0]) / 2e-6
        assert function(t)[1] == pytest.approx(slope, rel=1e-6)


def test_trefethens_function_has_the_points_that_lie_on_the_curves_of_horizontal_slope_zero():
    for ((_, r), _), counts in expected(trefethen):
        assert counts == on_curves(r)


# --- what is printed --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few():
    return [tried(landscape) for landscape in named(["muller-brown", "rosenbrock"])[:2]]


def test_a_list_that_is_as_known_and_proved_is_right(few):
    assert all(trial.right for trial in few)
    rows = printed(count_table(few))[2:]
    assert rows[0].startswith("muller-brown [−1.7, 1.3]×[−0.5, 2.3] as it is 5 3, 2, 0 Müller & Brown 1979 ")
    assert rows[0].endswith(" yes 1 = 1, proved")
    assert rows[1].startswith("rosenbrock [−1.5, 1.5]⁴ as it is 3 2, 1, 0, 0, 0 ")
    assert rows[1].endswith(" yes not known"), "∇f has no one sign on a face"


def test_the_graph_has_as_many_minima_and_passes_as_the_list(few):
    rows = printed(graph_table(few))[2:]
    assert rows[0].startswith("muller-brown [−1.7, 1.3]×[−0.5, 2.3] 3 2 2 ")
    assert rows[1].startswith("rosenbrock [−1.5, 1.5]⁴ 2 1 1 ")


def test_the_numbers_are_the_same_in_other_units_of_f_and_of_a_variable():
    document = run(["himmelblau", "six-hump-camel"], scale=True)
    assert document.parts(Note) == []
    assert "8 of 8 lists agree with the known counts and are proved complete" in document.parts(str)


def test_a_number_that_differs_from_what_is_known_is_said_to_and_the_command_exits_with_1(monkeypatch):
    truth = named(["himmelblau"])[0]
    monkeypatch.setattr(finder_figures, "landscapes", lambda: [truth._replace(counts=(4, 5, 1))])
    answer = CliRunner().invoke(main, ["finder", "-f", "himmelblau"])
    assert answer.exit_code == 1
    assert "differs: himmelblau, as it is: the known counts are 4, 5, 1" in answer.output
    assert "0 of 1 lists agree" in answer.output
    monkeypatch.setattr(finder_figures, "landscapes", lambda: [truth])
    assert CliRunner().invoke(main, ["finder"]).exit_code == 0


def test_a_list_that_is_not_proved_complete_is_not_right(few):
    unproved = dataclasses.replace(few[0].points, complete=False)
    assert not dataclasses.replace(few[0], points=unproved).right


def test_a_function_that_is_not_in_the_table_is_refused_with_the_nearest_name():
    answer = CliRunner().invoke(main, ["finder", "-f", "himmelblu"])
    assert answer.exit_code == 2
    assert "did you mean 'himmelblau'?" in answer.output
