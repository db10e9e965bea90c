"""`iterate`: the states of a method as a generator without a stopping rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from newtonkit.driver.method import Method, as_method, wants_curvature
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.objective import Objective


def iterate(method: Method, objective: Objective | Evaluator | Callable[..., Any], x0: Any) -> Iterator[Any]:
    """Yield the states of a method without end: for teaching, plots and loops that stop by their own rule.

    Parameters
    ----------
    method : Method
        For instance ``newtonkit.BFGS()``.
    objective : callable, Objective or Evaluator
        A callable is differentiated automatically. Pass an Evaluator to read its counts.
    x0 : array_like, shape (n,)

    Yields
    ------
    State
        First the start, then one per step. States are immutable.

    Raises
    ------
    StepFailure
        If the method finds no next point.

    Examples
    --------
    >>> import newtonkit
    >>> from itertools import islice
    >>> states = iterate(newtonkit.GradientDescent(rate=0.25), lambda x: (x**2).sum(), [1.0])
    >>> [float(state.f) for state in islice(states, 3)]
    [1.0, 0.25, 0.0625]
    """
    method = as_method(method)
    if not isinstance(objective, Evaluator):
        definition = objective if isinstance(objective, Objective) else Objective(objective)
        objective = Evaluator(definition, second_order=wants_curvature(method))
    states = states_from_point(method, objective, np.array(x0, dtype=np.float64, ndmin=1))
    while True:
        # errstate inside the loop: a generator would leak it to the caller between two states
        with np.errstate(all="ignore"):
            state = next(states)
        yield state


def states_from_point(method: Method, evaluator: Evaluator, x0: Vector) -> Iterator[Any]:
    """Yield the state at x0 and all later ones; the caller disables numpy's warnings."""
    state = method.init(evaluator, x0)
    yield state
    yield from states_after(method, evaluator, state)


def states_after(method: Method, evaluator: Evaluator, state: Any) -> Iterator[Any]:
    """Yield the states after this one."""
    while True:
        state = method.step(evaluator, state)
        yield state
