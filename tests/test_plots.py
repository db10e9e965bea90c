"""Figures show the data that they are given."""

import numpy as np

import newtonkit
from newtonkit.plots.learning_rates import plot_schedules


def test_a_history_plots_every_state_with_a_positive_value():
    history = newtonkit.minimize(lambda x: ((x - 1) ** 4).sum(), [3.0, 0.0], method="bfgs").history
    value, gradient = (axes.get_lines()[0].get_ydata() for axes in history.plot().axes)
    np.testing.assert_array_equal(gradient, history.gradient_norm)
    assert np.isnan(value).sum() == 1, "only the lowest value has no logarithm"
    assert history.plot().axes[0].get_yscale() == "log"


def test_schedules_are_drawn_from_the_first_update():
    schedules = [newtonkit.Cosine(0.5, horizon=20), newtonkit.InverseSquareRoot(1.0)]
    axes = plot_schedules(schedules, steps=20).axes[0]
    cosine, root = axes.get_lines()
    assert list(cosine.get_xdata()) == list(range(1, 21))
    np.testing.assert_allclose(root.get_ydata(), 1 / np.sqrt(np.arange(1, 21)))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Cosine", "InverseSquareRoot"]
    assert len(schedules[0].plot(5).axes[0].get_lines()[0].get_xdata()) == 5
