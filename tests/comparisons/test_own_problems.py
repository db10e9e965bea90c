"""A problem of the user is scored: f* from its runs, other minima apart, known points as given."""

import autograd.numpy as np
import pytest
from click.testing import CliRunner

import newtonkit
from comparisons import OwnProblem, Protocol, compare
from comparisons.cli.main import main
from newtonkit.objectives.finite_sum import FiniteSum
from newtonkit.objectives.sum_of_squares import SumOfSquares

QUICK = Protocol(gradients=200, tuning_gradients=50)
METHODS = ["newton", "lbfgs", "scipy:BFGS"]


def two_wells(x):
    """Minima near x = −1 and x = 1, the first the lower."""
    return (x[0] ** 2 - 1) ** 2 + 0.1 * x[0] + x[1] ** 2


def convex(x):
    return np.sum(np.exp(x)) + 0.5 * np.sum(x**2)


def cubic(x):
    """A minimum at x = 1 with f = −2, and unbounded below."""
    return x[0] ** 3 - 3 * x[0] + x[1] ** 2


def decay(x, t, y):
    return np.mean((x[0] * np.exp(-x[1] * t) - y) ** 2)


def test_f_star_is_the_lowest_verified_minimum_of_any_run():
    starts = {"standard": [1.2, 0.5], "left": [-1.2, 0.5]}
    found = compare([("wells", two_wells, starts)], METHODS, ["standard", "left"], protocol=QUICK)
    by_start = {start: [row for row in found.scored if row.run.start == start] for start in starts}
    assert all(row.ending == "global" and row.solved for row in by_start["left"])
    assert all(row.ending == "local" and not row.solved for row in by_start["standard"])
    lowest = min(run.f for run in found.runs)
    assert all(run.gap == run.f - lowest for run in found.runs)
    (statement,) = found.statements
    assert "lowest verified minimum that a run reached; no lower one is excluded" in statement
    assert "1 other minimum: f = 0.09" in statement


def test_convexity_certifies_f_star():
    found = compare([("bowl-like", convex, [1.0, 2.0])], METHODS, "standard", protocol=QUICK)
    assert "certified as global: f is strongly convex with modulus 1" in found.statements[0]
    assert all(row.solved for row in found.scored)


def test_a_run_that_falls_below_f_star_is_not_solved():
    starts = {"standard": [0.5, 0.1], "far": [-3.0, 0.1]}
    found = compare([("cubic", cubic, starts)], ["newton", "scipy:BFGS"], ["standard", "far"], protocol=QUICK)
    for row in found.scored:
        if row.run.start == "far":
            assert not row.solved
            assert row.ending == "diverged"
        else:
            assert row.solved
            assert row.run.f == pytest.approx(-2.0)
    assert "f fell below f* without reaching a minimum" in found.statements[0]


def test_without_a_verified_minimum_nothing_is_scored():
    found = compare([("line", lambda x: x[0] + x[1] ** 2, [1.0, 1.0])], ["lbfgs"], "standard", protocol=QUICK)
    assert found.runs[0].gap is None
    assert "no run reached a verified minimum" in found.statements[0]


def test_critical_points_that_were_found_are_taken_as_known():
    points = newtonkit.find_critical_points(two_wells, [(-2, 2), (-1, 1)])
    found = compare([OwnProblem("wells", two_wells, [1.2, 0.5], points=points)], METHODS, "standard", protocol=QUICK)
    assert "lowest of the given critical points (proved)" in found.statements[0]
    assert not any(row.solved for row in found.scored)
    assert {run.ending for run in found.runs} == {"local"}
    assert found.own["wells"].complete


def test_data_are_passed_to_the_function():
    t = np.linspace(0, 3, 30)
    problem = OwnProblem("decay", decay, [1.0, 1.0], args=(t, 2 * np.exp(-1.3 * t)))
    found = compare([problem], METHODS, "standard", protocol=QUICK)
    assert all(run.x == pytest.approx((2.0, 1.3), rel=1e-3) for run in found.runs)


def test_residuals_are_compared_by_their_cost():
    residuals = SumOfSquares(lambda x: [10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])
    found = compare([("valley", residuals, [-1.2, 1.0])], METHODS, "standard", protocol=QUICK)
    assert all(row.solved for row in found.scored)
    assert found.runs[0].f_start == pytest.approx(0.5 * (10 * 0.44) ** 2 + 0.5 * 2.2**2)


def test_the_printed_text_has_at_most_ten_lines_and_the_best_method_first():
    methods = ["newton", "bfgs", "lbfgs", "cubic", "newton-cg", "gd-linesearch", "scipy:BFGS", "scipy:trust-exact"]
    found = compare([("wells", two_wells, [1.2, 0.5])], methods, "standard", protocol=QUICK)
    lines = str(found).splitlines()
    assert len(lines) <= 10
    first = min(found.scored, key=lambda row: row.cost)
    assert lines[2].split()[0] == first.method
    assert f"cost {first.cost} " in lines[-1]
    assert "more methods" in str(found)
    assert first.method in found._repr_html_()


def test_it_is_drawn_and_reported(tmp_path):
    found = compare([("wells", two_wells, [1.2, 0.5])], METHODS, "standard", protocol=QUICK)
    assert len(found.plot().axes) == 6
    page = found.report(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "lowest verified minimum that a run reached" in text
    assert "No minimum is known" not in text


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "wells_of_mine.py").write_text(
        "def f(x):\n    return (x[0] ** 2 - 1) ** 2 + x[1] ** 2\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    return "wells_of_mine"


def run(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("suffix", ["", ".py"])
def test_the_commands_take_functions_of_modules(module, suffix):
    name = f"{module}{suffix}:f"
    solved = run("solve", name, "--x0", "1.2,0.5")
    assert solved.exit_code == 0
    assert "success" in solved.output
    assert "saddle" in run("classify", name, "--at", "0,0").output
    assert "proved complete" in run("classify", name, "--all", "--box=-2,2", "--box=-1,1").output
    compared = run("compare", name, "--x0", "1.2,0.5", "-m", "newton", "-m", "scipy:BFGS", "--no-figures")
    assert compared.exit_code == 0
    assert "lowest verified minimum that a run reached" in compared.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("solve", "{}:f"), "give the start"),
        (("solve", "{}:g", "--x0", "1,2"), "has no function 'g'"),
        (("solve", "no_such.py:f", "--x0", "1,2"), "there is no file no_such.py"),
        (("solve", "{}:f", "--x0", "a,b"), "--x0 must be numbers"),
        (("compare", "--x0", "1,2"), "--x0 belongs to functions"),
    ],
)
def test_a_mistake_is_one_sentence(module, arguments, sentence):
    result = run(*(text.format(module) for text in arguments))
    assert result.exit_code == 2
    assert sentence in result.output


def test_bounds_hold_for_every_method():
    def f(x):
        return (x[0] - 2) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2

    mine = OwnProblem("mine", f, [0.0, 0.0], bounds=[(0, 1), (None, None)])
    methods = ["auto", "lbfgs", "scipy:L-BFGS-B", "scipy:TNC", "scipy:BFGS", "newton-linesearch"]
    found = compare([mine], methods, "standard", protocol=QUICK)
    ended = {run.method: run for run in found.runs}
    for method in methods[:4]:
        assert ended[method].ending == "global"
        assert ended[method].x == pytest.approx([1.0, 1.0], abs=1e-6)
        assert ended[method].x[0] <= 1.0
    for method in methods[4:]:
        assert ended[method].ending == "not run"
        assert "does not accept bounds" in ended[method].message


def test_a_finite_sum_is_compared_as_the_sum_of_its_parts():
    X, y = np.arange(12.0).reshape(6, 2) % 5, np.arange(6.0)
    total = FiniteSum(lambda w, part: np.sum((np.dot(part[0], w) - part[1]) ** 2), (X, y), chunk=2)
    found = compare([("sum", total, np.zeros(2))], ["auto", "scipy:BFGS"], "standard", protocol=QUICK)
    lowest = float(np.sum((np.dot(X, np.linalg.lstsq(X, y, rcond=None)[0]) - y) ** 2))
    assert all(row.solved and row.run.f == pytest.approx(lowest) for row in found.scored)
