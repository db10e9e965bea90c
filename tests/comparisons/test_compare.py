"""`comparisons.compare`: one's own problems and one's own solvers, under the same terms as ours."""

import dataclasses
import importlib.util
import io
import sys

import numpy as np
import pytest
from rich.console import Console
from scipy.optimize import OptimizeResult, minimize

import comparisons
import newtonkit
import problems
from comparisons import BelowReferenceError, Protocol, compare
from comparisons.api import FRAME_COLUMNS
from comparisons.core.runs import record

QUICK = Protocol(gradients=100, tuning_gradients=50)


def cup(x):
    return ((x - 1) ** 2).sum() + (x[0] + x[1]) ** 4


def descent(fun, x0, jac):
    """A solver of one's own: no callback, no options."""
    x, steps = x0.copy(), 30
    for _ in range(steps):
        x = x - 0.05 * jac(x)
    return OptimizeResult(x=x, fun=fun(x), success=True, message="done", nit=steps, nfev=1, njev=7)


def scipys_bfgs(fun, x0, jac, callback, **_):
    return minimize(fun, x0, jac=jac, method="BFGS", callback=callback, options={"gtol": 0.0, "maxiter": 1000})


def test_functions_solvers_and_names_are_compared_side_by_side():
    found = compare(
        ["booth", problems.get("beale"), ("mine", cup, [0.0, 0.0]), (cup, {"standard": [2.0, 1.0, 0.0]})],
        ["bfgs", newtonkit.LBFGS(memory=3), "scipy:BFGS", descent],
        "standard",
        protocol=QUICK,
    )
    assert [(run.problem, run.method) for run in found.runs] == [
        (problem, method)
        for problem in ("booth", "beale", "mine", "cup")
        for method in ("bfgs", "lbfgs[memory=3]", "scipy:BFGS", "descent")
    ]
    assert all(run.trace.counts() == run.counts for run in found.runs)
    assert {run.n for run in found.runs if run.problem == "cup"} == {3}
    assert all(run.ending == "global" for run in found.runs if run.name == "mine" and run.method != "descent")


def test_a_solver_in_a_callable_is_the_solver_by_name():
    by_name, as_callable = compare(["beale"], ["scipy:BFGS", scipys_bfgs], "standard").runs
    assert as_callable.counts == by_name.counts
    np.testing.assert_array_equal(as_callable.trace.iterations.f, by_name.trace.iterations.f)


def test_what_a_solver_says_of_itself_is_kept_beside_what_was_counted():
    (run,) = compare(["booth"], [descent], "standard").runs
    assert run.reported == {"nfev": 1, "njev": 7}
    assert (run.counts.f, run.counts.g, run.nit) == (1, 30, 30)


def test_without_a_callback_each_gradient_is_an_iteration():
    (run,) = compare(["booth"], [descent], "standard").runs
    assert len(run.trace) == 30
    assert run.trace[1].x == tuple(problems.get("booth").starts["standard"] - 0.05 * _gradient_of_booth())


def _gradient_of_booth():
    problem = problems.get("booth")
    return newtonkit.grad(problem.fun)(np.array(problem.starts["standard"]))


def raises(fun, x0, **_):
    raise RuntimeError("I give up")


def returns_nan(fun, x0, **_):
    return OptimizeResult(x=np.full(x0.shape, np.nan), success=True)


def returns_another_shape(fun, x0, **_):
    return OptimizeResult(x=np.zeros(x0.size + 1), success=True)


def returns_a_pair(fun, x0, **_):
    return x0, fun(x0)


def writes_into_everything(fun, x0, jac, **_):
    g = jac(x0)
    g[:] = 7.0
    x0[:] = 3.0
    return OptimizeResult(x=x0, success=True)


def asks_for_ever(fun, x0, **_):
    while True:
        fun(x0)


@pytest.mark.parametrize(
    ("solver", "reason", "ending"),
    [
        (raises, "RuntimeError", "elsewhere"),
        (returns_nan, "status not given", "diverged"),
        (returns_another_shape, "ValueError", "elsewhere"),
        (returns_a_pair, "TypeError", "elsewhere"),
        (asks_for_ever, "EVALUATIONS", "budget"),
    ],
)
def test_a_solver_that_misbehaves_costs_its_own_cell(solver, reason, ending):
    bad, good = compare(["booth"], [solver, "newton"], "standard", protocol=QUICK).runs
    assert (bad.reason, bad.ending) == (reason, ending)
    assert good.ending == "global"


def test_a_solver_that_writes_into_what_it_is_given_spoils_nothing():
    before = problems.get("booth").starts["standard"].copy()
    found = compare(["booth"], [writes_into_everything, "newton"], "standard")
    alone = compare(["booth"], ["newton"], "standard")
    assert found.runs[1].trace.points == alone.runs[0].trace.points
    assert (problems.get("booth").starts["standard"] == before).all()


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    def figures(seed):
        runs = compare(["rosenbrock"], ["bfgs", "scipy:BFGS"], ["seeded-1", "seeded-2"], seed=seed).runs
        return [(run.x_start, run.x, run.f, run.cost) for run in runs]

    assert figures(5) == figures(5)
    assert all(a != b for a, b in zip(figures(5), figures(6), strict=True))


def test_the_order_in_which_methods_are_given_changes_no_run():
    one = compare(["beale"], ["bfgs", "adam", "scipy:BFGS"], "standard", protocol=QUICK).runs
    two = compare(["beale"], ["scipy:BFGS", "adam", "bfgs"], "standard", protocol=QUICK).runs

    def figures(runs):
        return sorted((run.method, run.x, run.cost, run.options.get("rate")) for run in runs)

    assert figures(one) == figures(two)


def test_a_run_below_the_recorded_minimum_fails_loudly_and_keeps_the_runs():
    problem = problems.get("booth")
    (minimum,) = problem.points
    wrong = dataclasses.replace(problem, points=(dataclasses.replace(minimum, f=0.5),), name="wrong")
    with pytest.raises(
        BelowReferenceError, match=r"newton on wrong from 'standard' has f = .*below f\* = 0\.5"
    ) as caught:
        compare([wrong], ["newton"], "standard")
    assert len(caught.value.comparison.runs) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"problems": "booth"}, "problems must be a list"),
        ({"problems": []}, "at least one"),
        ({"problems": ["boooth"]}, "did you mean 'booth'"),
        ({"problems": [3]}, "must be a name, a Problem"),
        ({"problems": [("mine", 3, [0.0])]}, "fun must be callable"),
        ({"problems": ["booth", "booth"]}, "'booth' twice"),
        ({"problems": [("booth", cup, [0.0])]}, "another name"),
        ({"problems": [("mine", lambda x: x[0] / 0.0, [1.0])]}, "finite at the start 'standard'"),
        ({"problems": [("mine", cup, {"first": [0.0, 0.0]})]}, "standard"),
        ({"methods": ["nwton"]}, "did you mean 'newton'"),
        ({"methods": [3]}, "must be a name, a method"),
        ({"methods": [newtonkit.BFGS]}, r"write BFGS\(\)"),
        ({"methods": ["lbfgs", newtonkit.LBFGS()]}, "'lbfgs' twice"),
        ({"starts": ["nowhere"]}, "none of the starts"),
        ({"seed": -1}, "seed"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_mistake_is_named_before_anything_runs(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        compare(**{"problems": ["booth"], "methods": ["newton"], **arguments})


def test_tables_show_every_run_and_parameters_in_brackets():
    found = compare(["booth"], ["lbfgs[memory=3]", "scipy:BFGS"], "standard")
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(found.table())
    console.print(found.endings_table())
    text = console.export_text()
    assert text.count("lbfgs[memory=3]") == 2
    assert text.count("global") == 3


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="needs pandas")
def test_a_frame_has_a_row_for_each_run():
    found = compare(["booth"], ["newton", "adam"], ["standard", "far"], protocol=QUICK)
    frame = found.to_frame()
    assert tuple(frame.columns) == FRAME_COLUMNS
    assert all(name in comparisons.Comparison.to_frame.__doc__ for name in FRAME_COLUMNS)
    assert list(frame["solved"]) == [row.solved for row in found.scored]
    assert list(frame["method"]) == [run.method for run in found.runs]
    assert list(frame["njev"]) == [run.counts.g for run in found.runs]


def test_without_pandas_a_frame_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = compare(["booth"], ["newton"], "standard")
    with pytest.raises(ImportError, match="pip install"):
        found.to_frame()


def test_runs_are_kept_in_a_store_and_read_from_it(tmp_path):
    path = tmp_path / "runs.sqlite"
    first = compare(["booth"], ["newton", descent], "standard", store=path)
    second = compare(["booth"], ["newton", descent], "standard", store=str(path))
    assert record(first.runs[0]) == record(second.runs[0])


def test_the_public_names_are_there():
    assert all(hasattr(comparisons, name) for name in comparisons.__all__)
