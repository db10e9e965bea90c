"""From a method's request to the user's function: at most two frames besides those of the source of derivatives."""

import inspect
from pathlib import Path

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.objectives.objective import Objective

PACKAGE = Path(newtonkit.__file__).parent
X = onp.array([1.0, 2.0])


class Depth:
    """A function that records the frames of newtonkit above it."""

    def __init__(self, result):
        self.result, self.frames = result, []

    def __call__(self, x, *rest):
        paths = [Path(frame.filename) for frame in inspect.stack()]
        ours = [path.relative_to(PACKAGE) for path in paths if path.is_relative_to(PACKAGE)]
        self.frames.append([str(path) for path in ours])
        return self.result(x)


def of_sources(path):
    return path.startswith("derivatives") or path.startswith(str(Path("objectives") / "given"))


def value(evaluator):
    return evaluator.value(X)


def gradient(evaluator):
    return evaluator.gradient(X)


def value_and_grad(evaluator):
    return evaluator.value_and_grad(X)


def hessian(evaluator):
    return evaluator.hessian(X)


@pytest.mark.parametrize("request_", [value, gradient, value_and_grad])
@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("source", ["given", "autograd", "tape"])
def test_at_most_two_frames_lie_between_a_request_and_the_source(request_, second_order, source):
    fun, jac = Depth(lambda x: np.sum(x**2)), Depth(lambda x: 2 * x)
    objective = Objective(fun, jac) if source == "given" else Objective(fun, source=source)
    evaluator = Evaluator(objective, second_order=second_order)
    for _ in range(5):  # from the third gradient on, a tape is recorded, replayed and compared
        request_(evaluator)
    stacks = fun.frames + jac.frames
    assert stacks
    assert max(sum(not of_sources(path) for path in frames) for frames in stacks) <= 2


@pytest.mark.parametrize("request_", [value, gradient, value_and_grad])
def test_a_given_function_is_called_through_two_frames_in_all(request_):
    fun, jac = Depth(lambda x: float(x @ x)), Depth(lambda x: 2 * x)
    request_(Evaluator(Objective(fun, jac)))
    assert max(map(len, fun.frames + jac.frames)) <= 2


def test_a_given_hessian_is_called_through_three_frames():
    hess = Depth(lambda x: 2.0 * onp.eye(2))
    hessian(Evaluator(Objective(lambda x: x @ x, lambda x: 2 * x, hess)))
    assert max(map(len, hess.frames)) <= 3


def test_a_method_reaches_the_function_through_the_evaluator_alone():
    """The whole chain of a line search: method, line search, Evaluator, source."""
    fun, jac = Depth(lambda x: float(((x - 1) ** 2).sum())), Depth(lambda x: 2 * (x - 1))
    newtonkit.minimize(fun, X, jac=jac, method="bfgs")
    searches = [frames for frames in jac.frames if any(path.startswith("linesearch") for path in frames)]
    assert searches
    between = [next(k for k, path in enumerate(frames) if path.startswith("linesearch")) for frames in searches]
    assert max(between) <= 2
