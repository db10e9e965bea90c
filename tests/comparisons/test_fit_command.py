"""``newtonkit fit``: formulas parsed without execution, columns, start values, reports."""

import numpy as np
import pytest
from click.testing import CliRunner

from comparisons.cli.data_file import read_columns
from comparisons.cli.main import main
from comparisons.cli.model_expression import ModelExpression
from newtonkit.fitting.start_search import candidate_starts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a*exp(-b*x) + c", 2.0 * np.exp(-3.0 * 0.5) + 4.0),
        ("a*x^2 + b*x + c", 2.0 * 0.25 + 1.5 + 4.0),
        ("-a/(1 + exp(-(x - b)/c))", -2.0 / (1 + np.exp(2.5 / 4.0))),
        ("a + b*sin(2*pi*x) + c*e", 2.0 + 3.0 * np.sin(np.pi) + 4.0 * np.e),
        ("where(a, b, c)", 3.0),
    ],
)
def test_formulas_have_the_value_of_python(text, value):
    model = ModelExpression(text, ["x"])
    assert model.parameters == ["a", "b", "c"]
    assert float(model(0.5, 2.0, 3.0, 4.0)) == pytest.approx(value, abs=1e-14)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') + a",
        "a.real",
        "a[0]",
        "(lambda: a)()",
        "[a for a in x]",
        "open('f') + a",
        "a if x else b",
        "a < x",
        "exp(x, out=a)",
        "exp + a",
        "'a' + x",
        "a + True",
        "a; b",
        "a := 1",
        "a*x**9999999",
        "f'{a}'",
        "2*x",
        "",
        "(" * 3000 + "a" + ")" * 3000,
    ],
)
def test_anything_else_than_a_formula_is_refused(text):
    with pytest.raises(ValueError, match=r"model|function|exponent"):
        ModelExpression(text, ["x"])


def test_a_constant_that_overflows_is_no_exception():
    with np.errstate(over="ignore"):
        assert np.isinf(ModelExpression("a*(9e99)**9999", ["x"])(1.0, 1.0))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("t,signal\n1,2\n3,4\n", ["t", "signal"]),
        ("1;2\n3;4", ["x", "y"]),
        ("# made by hand\n1 2 5\n3 4 6\n", ["x1", "x2", "y"]),
        ("a\tb\n1\t2\n\n3\t\n", ["a", "b"]),
    ],
)
def test_columns(tmp_path, text, names):
    file = tmp_path / "data.txt"
    file.write_text(text)
    columns = read_columns(file)
    assert list(columns) == names
    assert columns[names[0]].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(("text", "message"), [("x,y\n1,2\n1\n", "line 3"), ("1,2\n1,z\n", "'z'"), ("", "no data")])
def test_mistakes_in_files_are_named(tmp_path, text, message):
    file = tmp_path / "data.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_columns(file)


def peaks(t):
    return 50.0 * np.exp(-((t - 23.0) ** 2) / 9.0) + 2.0 * t + 1.0


def decay(t):
    return 300.0 * np.exp(-0.13 * t) + 20.0


def logistic(t):
    return 8.0 / (1.0 + np.exp(-(t - 17.0) / 2.5))


@pytest.mark.parametrize(
    ("truth", "formula", "parameters"),
    [
        (decay, "a*exp(-b*x) + c", {"a": 300.0, "b": 0.13, "c": 20.0}),
        (peaks, "h*exp(-(x - m)^2/w^2) + s*x + c", {"h": 50.0, "m": 23.0, "s": 2.0, "c": 1.0}),
        (logistic, "top/(1 + exp(-(x - mid)/width))", {"top": 8.0, "mid": 17.0, "width": 2.5}),
    ],
)
def test_the_command_finds_starts_and_fits(tmp_path, truth, formula, parameters):
    rng = np.random.default_rng(1)
    t = np.linspace(0.0, 40.0, 60)
    y = truth(t) + 0.01 * rng.standard_normal(60)
    file, figure = tmp_path / "data.csv", tmp_path / "fit.png"
    np.savetxt(file, np.column_stack([t, y]), delimiter=",")
    answer = CliRunner().invoke(main, ["fit", str(file), "--model", formula, "--plot", str(figure)])
    assert answer.exit_code == 0, answer.output
    assert figure.stat().st_size > 1000
    shown = {line.split()[0]: float(line.split()[1]) for line in answer.output.splitlines() if "[" in line}
    for name, value in parameters.items():
        assert shown[name] == pytest.approx(value, rel=0.02)


def test_given_starts_and_fixed_parameters(tmp_path):
    file = tmp_path / "data.csv"
    t = np.linspace(0.0, 40.0, 30)
    np.savetxt(file, np.column_stack([t, decay(t)]), delimiter=",", header="t,y", comments="")
    arguments = ["fit", str(file), "--model", "a*exp(-b*t) + c", "--fix", "c=20"]
    answer = CliRunner().invoke(main, [*arguments, "--start", "a=200", "--start", "b=0.1"])
    assert answer.exit_code == 0, answer.output
    assert "0.13" in answer.output
    assert CliRunner().invoke(main, [*arguments, "--y", "z"]).exit_code == 2


def test_candidates_are_ordered_and_finite():
    t = np.linspace(0.0, 40.0, 30)

    def model(t, a, b):
        return ModelExpression("a*exp(-b*x)", ["x"])(t, a, b)

    starts = candidate_starts(model, t, decay(t), 2)
    costs = [float(np.sum((model(t, *start) - decay(t)) ** 2)) for start in starts]
    assert costs == sorted(costs)
    assert np.isfinite(costs).all()
