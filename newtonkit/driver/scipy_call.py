"""A call in the manner of `scipy.optimize.minimize`: shared by `newtonkit.minimize` and by methods that scipy calls."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.core.domain import Domain
from newtonkit.core.read_bounds import read_bounds
from newtonkit.core.state import State
from newtonkit.core.validation import check_memory, nearest_name
from newtonkit.derivatives.pytree import Unflatten, flatten
from newtonkit.driver.history import History, Progress
from newtonkit.driver.method import Method, option_names, with_options
from newtonkit.driver.result import Result
from newtonkit.driver.runner import run
from newtonkit.driver.scipy_options import translate_options
from newtonkit.driver.session import Callback
from newtonkit.driver.stopping import Stop
from newtonkit.linalg.kernels import Vector, all_finite
from newtonkit.objectives.arguments import objective_from_arguments
from newtonkit.objectives.objective import Objective

STOP_OPTIONS = [field.name for field in dataclasses.fields(Stop)]
RUN_OPTIONS = ["disp", "history", "verdict", "tape", "errors", "return_all"]


class Problem(NamedTuple):
    """An objective of a flat vector, the start, and the structure of the user's points."""

    objective: Objective
    x0: Vector
    unflatten: Unflatten
    earlier: Result | None
    """The result to resume from."""
    domain: Domain
    note: str
    """Whether x0 was moved into the domain; empty if not."""


def read_problem(
    fun: Callable[..., Any] | Objective,
    x0: Any,
    args: Any,
    jac: Callable[..., Any] | str | bool | None,
    hess: Callable[..., Any] | str | None,
    hessp: Callable[..., Any] | None,
    bounds: Any,
    constraints: Any,
    options: Mapping[str, Any] | None,
    *,
    derivatives: str = "tape",
) -> Problem:
    """Check the arguments of `newtonkit.minimize` and return the problem.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        For a mistake of the caller, naming the argument.
    """
    _refuse_constraints(constraints)
    if not (callable(fun) or isinstance(fun, Objective)):
        raise TypeError(f"fun must be callable, got {fun!r}")
    if not isinstance(options or {}, Mapping):
        raise TypeError(f"options must be a dict such as {{'gtol': 1e-8}}, got {options!r}")
    earlier = x0 if isinstance(x0, Result) and isinstance(x0.get("state"), State) else None
    if earlier is not None and earlier.get("start") is None:
        earlier = None
    vector, unflatten = flatten(x0)
    if not all_finite(vector):
        raise ValueError(f"x0 must be finite, got {x0!r}")
    domain = read_bounds(bounds, vector.size, x0)
    inside = domain.contains(vector)
    if earlier is not None and not domain.contains(earlier.state.x):
        raise ValueError("x0 is a result whose last point lies outside these bounds; pass x0=result.x to start from it")
    args = args if isinstance(args, tuple) else (args,)
    tape = bool((options or {}).get("tape", True))
    errors = (options or {}).get("errors", "raise")
    objective = objective_from_arguments(
        fun, jac, hess, hessp, args, unflatten, derivatives=derivatives, tape=tape, errors=errors
    )
    note = "" if inside else "x0 was outside the bounds and was moved to the nearest point inside"
    return Problem(objective, domain.project(vector), unflatten, earlier, domain, note)


def solve_problem(
    problem: Problem,
    method: Method,
    options: Mapping[str, Any] | None,
    *,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    fallbacks: Sequence[Method] = (),
    choice: str = "",
) -> Result:
    """Run a method on a problem, with options of the method, of `Stop` and of the run.

    Parameters
    ----------
    problem : Problem
    method : Method
        Its options are replaced by those in ``options``.
    options : dict, optional
    tol : float, optional
        Sets gtol unless that is given.
    callback : callable, optional
        In one of scipy's two styles.
    fallbacks : sequence of Method
    choice : str
        Why the method was chosen.
    """
    given = translate_options(method.name, options or {})
    if tol is not None:
        given.setdefault("gtol", tol)
    trials = given.pop("maxls", None)
    own, stop, settings = _split_options(method, given)
    method = with_options(method, own)
    if trials is not None:
        method = _limit_trials(method, trials)
    _check_memory(method, problem.x0.size)
    if problem.domain.is_bounded and not getattr(method, "accepts_bounds", False):
        raise ValueError(f"method {method.name!r} does not accept bounds; use 'newton', 'lbfgs' or 'bfgs'")
    result = run(
        method,
        problem.objective,
        problem.x0,
        stop,
        callback=None if callback is None else _run_callback(callback, problem.unflatten),
        history=_history("points" if settings.get("return_all") else settings.get("history", True)),
        progress=Progress() if settings.get("disp", False) else None,
        check=_verdict_option(settings.get("verdict", True)),
        fallbacks=fallbacks,
        earlier=problem.earlier,
        domain=problem.domain,
    )
    result.choice = "; ".join(filter(None, (choice, problem.note, result.choice)))
    result.x, result.jac = problem.unflatten(result.x), problem.unflatten(result.jac)
    if settings.get("return_all"):
        result.allvecs = [problem.unflatten(x) for x in result.history.x]
    return result


def call_from_scipy(
    method: Method,
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
    *,
    jac: Any,
    hess: Any,
    hessp: Any,
    bounds: Any,
    constraints: Any,
    callback: Callable[..., Any] | None,
    options: dict[str, Any],
) -> Result:
    """Run a method for ``scipy.optimize.minimize(..., method=instance)``.

    scipy puts its ``tol`` among the options, and may wrap the callback in a function of one OptimizeResult, which it
    marks by an attribute ``stop_iteration``. Strings for jac and hess ("2-point" …) and scipy's update strategies
    request approximations; exact derivatives replace them. The option ``derivatives`` is the argument of this name of
    `newtonkit.minimize`, which scipy cannot pass.
    """
    wrapped = callback
    if callback is not None and hasattr(callback, "stop_iteration"):

        def wrapped(intermediate_result: OptimizeResult) -> Any:
            return callback(intermediate_result)

    own_jac = jac if callable(jac) or jac is True else None
    if getattr(jac, "__self__", None) is fun and hasattr(fun, "fun"):
        # scipy makes an object with a cache of jac=True; the cache would hide the trace
        fun, own_jac = fun.fun, True
    own_hess = hess if callable(hess) else None
    tol = options.pop("tol", None)
    source = options.pop("derivatives", "tape")
    problem = read_problem(fun, x0, args, own_jac, own_hess, hessp, bounds, constraints, options, derivatives=source)
    return solve_problem(problem, method, options, tol=tol, callback=wrapped)


def _refuse_constraints(constraints: Any) -> None:
    if not (constraints is None or (isinstance(constraints, Sequence) and len(constraints) == 0)):
        raise NotImplementedError(
            "constraints are not supported, bounds are; use scipy.optimize.minimize with method='SLSQP' or "
            "'trust-constr', or substitute the variables"
        )


def _split_options(method: Method, given: dict[str, Any]) -> tuple[dict[str, Any], Stop, dict[str, Any]]:
    """Return the options of the method, of the stopping rule, and of the run."""
    own = option_names(method)
    for name in given:
        if name not in own and name not in STOP_OPTIONS and name not in RUN_OPTIONS:
            raise ValueError(
                f"unknown option {name!r} for method {method.name!r}; "
                f"{nearest_name(name, [*own, *STOP_OPTIONS, *RUN_OPTIONS])}"
            )
    return (
        {name: value for name, value in given.items() if name in own},
        Stop(**{name: value for name, value in given.items() if name in STOP_OPTIONS}),
        {name: value for name, value in given.items() if name in RUN_OPTIONS},
    )


def _limit_trials(method: Method, trials: int) -> Method:
    """Return the method with at most this many trials per line search: the option ``maxls`` of L-BFGS-B."""
    line_search = getattr(method, "line_search", None)
    if line_search is None:
        raise ValueError(f"option 'maxls': method {method.name!r} has no line search")
    return with_options(method, {"line_search": dataclasses.replace(line_search, max_trials=trials)})


def _check_memory(method: Method, n: int) -> None:
    """Raise ValueError if the matrices that the method stores exceed the memory of this machine."""
    what = f"method {method.name!r} with its n×n matrices at n = {n}"
    check_memory(getattr(method, "matrices", 0) * 8 * n * n, what, "use method='lbfgs'")


def _history(setting: Any) -> History | None:
    if setting not in (True, False, "points"):
        raise ValueError(f"history must be True, False or 'points', got {setting!r}")
    return History(points=setting == "points") if setting else None


def _run_callback(callback: Callable[..., Any], unflatten: Unflatten) -> Callback:
    """Return the driver's callback for a callback in one of scipy's two styles."""
    try:
        takes_result = list(inspect.signature(callback).parameters) == ["intermediate_result"]
    except (TypeError, ValueError):  # some built-in callables have no signature
        takes_result = False

    def call(state: State, nit: int) -> bool:
        x = unflatten(state.x.copy())
        try:
            if not takes_result:
                answer = callback(x)
            else:
                seen = OptimizeResult(x=x, fun=state.f, jac=unflatten(state.g.copy()), nit=nit, state=state)
                answer = callback(intermediate_result=seen)
        except StopIteration:
            return True
        # other return values, an array for instance, do not stop the run, as in scipy
        return isinstance(answer, bool | np.bool_) and bool(answer)

    return call


def _verdict_option(value: Any) -> bool | str:
    if isinstance(value, str) and value != "thorough":
        raise ValueError(f"verdict must be True, False or 'thorough', got {value!r}")
    return value if isinstance(value, str) else bool(value)
