"""What a notebook shows of results, histories, verdicts and lists of points; figures, tables and JSON of a run."""

import json
from html.parser import HTMLParser

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit
from newtonkit.core.plain_data import plain
from newtonkit.plots.run_path import plot_path


def valley(x):
    return (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2


def run(**options):
    return newtonkit.minimize(valley, [-1.0, 1.0], method="newton", options=options)


class Cells(HTMLParser):
    """The texts of a table; fails if a tag is not closed in order."""

    def __init__(self, source):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in ("p", "b", "table", "tr", "th", "td"), "plain HTML without style or script"
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_a_result_shows_in_a_notebook_the_lines_that_it_prints():
    result = run()
    texts = Cells(result._repr_html_()).texts
    title, *lines = str(result).splitlines()
    assert texts[0] == title
    assert [f"{name:>9}: {text}" for name, text in zip(texts[1::2], texts[2::2], strict=True)] == lines


def test_a_result_without_a_reason_is_shown_with_its_entries():
    texts = Cells(newtonkit.Result(x=1.0)._repr_html_()).texts
    assert texts == ["Result", "x", "1.0"]


def test_a_long_history_shows_its_first_and_last_states():
    history = newtonkit.minimize(valley, [-1.0, 1.0], method="gd", options={"rate": 1e-3, "maxiter": 50}).history
    texts = Cells(history._repr_html_()).texts
    assert texts[0] == f"History of {len(history)} states"
    assert texts[-1] == f"The first and the last 10 of {len(history)} states; history.to_frame() has all."
    assert f"{history.f[0]:.6g}" in texts
    assert f"{history.f[-1]:.6g}" in texts
    short = run().history
    assert len(short) <= 20, "the example is too long"
    assert Cells(short._repr_html_()).texts.count(str(True)) == int(short.accepted.sum())


def test_a_verdict_shows_its_kind_reason_and_eigenvalues():
    verdict = newtonkit.classify(lambda x: x[0] ** 2 - 2 * x[1] ** 2, [0.0, 0.0])
    texts = Cells(verdict._repr_html_()).texts
    assert texts[0] == "saddle"
    assert texts[texts.index("reason") + 1] == verdict.reason
    assert texts[texts.index("negative eigenvalues") + 1] == "1"
    assert texts[texts.index("eigenvalues") + 1] == "2 known, from -4 to 2"


def test_a_checked_result_shows_the_sentence_that_it_prints():
    class Claim:
        x, fun, success = np.zeros(2), 0.0, True

    checked = newtonkit.check_result(lambda x: x[0] ** 2 - x[1] ** 2, Claim())
    assert str(checked) in Cells(checked._repr_html_()).texts


def test_a_list_of_points_has_a_row_for_each_point():
    points = newtonkit.find_critical_points(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4, [(-2, 2), (-3, 3)])
    texts = Cells(points._repr_html_()).texts
    assert texts[:7] == ["#", "kind", "index", "f", "x", "within", "level"]
    assert [texts[7 * k + 1] for k in range(1, len(points) + 1)] == [point.kind for point in points]
    assert texts[7 * (len(points) + 1) :] == points.summary().splitlines()


def test_markup_in_a_message_is_shown_as_text():
    result = run()
    result.message = "<script>alert(1)</script>"
    assert "<script>" not in result._repr_html_()


def test_the_columns_of_a_frame_are_those_of_the_rows():
    pandas = pytest.importorskip("pandas", reason="the extra 'tables' is not installed")
    history = run().history
    frame = history.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    for name, column in frame.items():
        np.testing.assert_array_equal(column.to_numpy(), getattr(history, name))
    assert list(frame.columns) == list(history.rows[0]._fields)


def test_json_has_the_numbers_of_the_result_and_reads_back():
    result = run()
    record = json.loads(result.to_json())
    assert record["x"] == result.x.tolist()
    assert record["fun"] == result.fun
    assert record["reason"] == result.reason.name
    assert record["verdict"]["eigenvalues"] == result.verdict.eigenvalues.tolist()
    assert record["history"]["f"] == result.history.f.tolist()
    assert record["history"]["alpha"][0] == "nan"
    assert record["checks"] == {kind: getattr(result.checks, kind) for kind in ("f", "g", "H", "Hv")}
    assert not {"hess", "hess_inv", "state", "start"} & set(record)


def test_json_keeps_the_structure_of_the_parameters():
    def f(p):
        return anp.sum((p["a"] - 1.0) ** 2) + p["b"] ** 2

    record = json.loads(newtonkit.minimize(f, {"a": np.zeros(2), "b": 2.0}, method="bfgs").to_json())
    assert set(record["x"]) == {"a", "b"}
    assert record["x"]["a"] == pytest.approx([1.0, 1.0])
    assert isinstance(record["x"]["b"], float)


@pytest.mark.parametrize("options", [{"history": False}, {"verdict": False}])
def test_json_of_a_run_without_history_or_verdict(options):
    record = json.loads(run(**options).to_json())
    assert ("history" in record) == options.get("history", True)


def test_values_that_are_not_finite_become_text_that_float_reads():
    assert [float(text) for text in plain((np.inf, -np.inf))] == [np.inf, -np.inf]
    assert plain(np.array([np.nan])) == ["nan"]
    assert plain({1: [np.True_, np.float64(0.5), {2}]}) == {"1": [True, 0.5, "{2}"]}


class TestFigures:
    def test_a_plot_without_a_function_is_that_of_the_history(self):
        titles = [axes.get_title() for axes in run().plot().axes]
        assert titles == ["value", "gradient"]

    def test_a_plot_with_the_function_has_the_path_of_the_run(self):
        result = run(history="points")
        (axes,) = result.plot(valley).axes
        path = axes.get_lines()[0]
        np.testing.assert_array_equal(np.column_stack([path.get_xdata(), path.get_ydata()]), result.history.x)
        low, high = axes.get_xlim()
        assert low < result.history.x[:, 0].min()
        assert high > result.history.x[:, 0].max()

    def test_a_path_along_an_axis_and_values_that_are_not_finite_are_drawn(self):
        points = np.array([[1.0, 0.0], [0.5, 0.0], [0.0, 0.0]])
        plot_path(lambda x: np.inf if x[1] > 0 else x @ x, points)
        plot_path(lambda x: np.nan, points[:1])

    def test_a_path_requires_points_and_two_variables(self):
        with pytest.raises(ValueError, match=r"options=\{'history': 'points'\}"):
            run().plot(valley)
        with pytest.raises(ValueError, match="has no history"):
            run(history=False).plot()
        three = newtonkit.minimize(lambda x: x @ x, np.ones(3), method="newton", options={"history": "points"})
        with pytest.raises(ValueError, match="two variables, got points of shape"):
            three.plot(lambda x: x @ x)
