"""`minimize`: names, scipy's signature, structures, options, and the automatic choice of a method."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.automatic import chosen_portfolio
from newtonkit.core.state import State
from newtonkit.core.validation import nearest_name
from newtonkit.derivatives.pytree import Unflatten, flatten
from newtonkit.driver.history import History, Progress
from newtonkit.driver.method import Method
from newtonkit.driver.result import Result
from newtonkit.driver.runner import Callback, run
from newtonkit.driver.stopping import Stop
from newtonkit.linalg.kernels import all_finite
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.registry import METHODS, make_method, option_names
from newtonkit.objectives.objective import Objective, structured_objective

_STOP_OPTIONS = [field.name for field in dataclasses.fields(Stop)]
_RUN_OPTIONS = ["disp", "history", "verdict", "tape"]


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    method: str | Method | GradientTransform | None = None,
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    hessp: Callable[..., Any] | None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Minimize a smooth function of one or more variables, with exact derivatives.

    The signature is that of `scipy.optimize.minimize`; derivatives that are not given come from autograd instead of
    finite differences.

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy``; returns one real number. Without ``autograd.numpy``, pass jac.
    x0 : array_like, or a dict, list or tuple of arrays, or a Result
        The start. Everything that takes or returns a point (fun, jac, callback, ``result.x``) has its structure;
        integers and float32 become float64, a number a vector of length 1. An earlier Result: go on from its last state
        with what the method has learnt, by the same method unless that is given again with its options; limits,
        maxtime apart, hold for the counts of both runs together.
    args : tuple, optional
        Further arguments of fun, jac, hess, hessp.
    method : str or method, optional
        One of `newtonkit.method_names()`, a name of scipy's, or an instance such as ``LBFGS(memory=20)``. Default
        "auto": "newton" where a Hessian costs no more than 50 gradients, by counts of numpy calls, numbers and
        non-zeros, else "newton-cg"; "bfgs" or "lbfgs" where only jac is given. Should it fail, the next takes over:
        newton, cubic, bfgs, on one budget and the same counts. ``result.choice`` tells.
    jac : callable or True, optional
        Gradient jac(x, \\*args); True: fun returns (f, gradient).
    hess : callable, optional
        Hessian hess(x, \\*args), an n×n array or scipy sparse matrix in the order of x0's entries.
    hessp : callable, optional
        Hessian-vector product hessp(x, p, \\*args).
    bounds, constraints
        Not supported; must be empty.
    tol : float, optional
        Short for ``options={"gtol": tol}``.
    callback : callable, optional
        callback(xk), or callback(intermediate_result=…) if its parameter has that name (x, fun, jac, nit, state);
        called after every iteration. Returning True or raising StopIteration ends the run.
    options : dict, optional
        gtol, ftol, xtol, maxiter, maxfev, maxgev, maxhev, maxhvp, maxtime, target (see `newtonkit.Stop`);
        ``disp`` (bool, default False): print a line per iteration; ``history`` (True, default; False; or "points" to
        keep x and g too); ``verdict`` (bool, default True): check every claim of convergence by curvature; ``tape``
        (bool, default True): replay autograd's work as straight numpy; and the method's own.

    Returns
    -------
    Result
        Numerical trouble ends in a Result that holds the best point and says why; it never raises.

    Raises
    ------
    ValueError, TypeError
        For a mistake of the caller, naming the argument.
    NotImplementedError
        For bounds or constraints.
    Exception
        Whatever fun, jac, hess or callback raised, with the Result so far as ``partial_result``.

    Notes
    -----
    ``success`` is True only where the test named in ``message`` holds at ``x`` and ``verdict`` does not contradict it:
    a saddle, a maximum or a point that is not critical is no success. Evaluations made for the verdict are counted in
    ``checks``, not in nfev, njev, nhev, nhvp; limits hold for their sum.

    Examples
    --------
    >>> import newtonkit
    >>> import autograd.numpy as np
    >>> result = newtonkit.minimize(lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [-1.2, 1.0])
    >>> result.success, result.verdict.kind, result.x.round(6)
    (True, 'minimum', array([1., 1.]))
    """
    _refuse_constraints(bounds, constraints)
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {fun!r}")
    if not isinstance(options or {}, Mapping):
        raise TypeError(f"options must be a dict such as {{'gtol': 1e-8}}, got {options!r}")
    args = args if isinstance(args, tuple) else (args,)
    earlier = x0 if isinstance(x0, Result) else None
    vector, unflatten = flatten(x0 if earlier is None else earlier.x)
    if not all_finite(vector):
        raise ValueError(f"x0 must be finite, got {x0!r}")
    objective = _objective(fun, jac, hess, hessp, args, unflatten, tape=bool((options or {}).get("tape", True)))
    fallbacks: tuple[Method, ...] = ()
    choice = ""
    if earlier is not None:
        method = _method_to_go_on(earlier, method)
    elif method is None or (isinstance(method, str) and method.lower() == "auto"):
        method, fallbacks, choice = chosen_portfolio(objective, vector)
        choice = f"chosen automatically: {choice}"
    _refuse_no_method(method)
    method_options, stop, settings = _sorted_options(method, options, tol)
    configured = make_method(method, **method_options)
    _refuse_what_cannot_fit(configured, vector.size)

    result = run(
        configured,
        objective,
        vector,
        stop,
        callback=None if callback is None else _scipy_callback(callback, unflatten),
        history=_history(settings.get("history", True)),
        progress=Progress() if settings.get("disp", False) else None,
        check=bool(settings.get("verdict", True)),
        fallbacks=fallbacks,
        earlier=earlier,
    )
    result.choice = "; ".join(filter(None, (choice, result.choice)))
    result.x, result.jac = unflatten(result.x), unflatten(result.jac)
    return result


def minimize_from_scipy(
    method: Method,
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
    jac: Any,
    hess: Any,
    hessp: Any,
    bounds: Any,
    constraints: Any,
    callback: Callable[..., Any] | None,
    options: dict[str, Any],
) -> Result:
    """What ``scipy.optimize.minimize(..., method=instance)`` calls.

    scipy puts its ``tol`` among the options, and may wrap the callback in a function of one OptimizeResult, which it
    marks by an attribute ``stop_iteration``. Strings for jac and hess ("2-point" …) and scipy's update strategies ask
    for approximations; exact derivatives answer them.
    """
    wrapped = callback
    if callback is not None and hasattr(callback, "stop_iteration"):

        def wrapped(intermediate_result: OptimizeResult) -> Any:
            return callback(intermediate_result)

    own_hess = hess if callable(hess) else None
    own_jac = jac if callable(jac) or jac is True else None
    if getattr(jac, "__self__", None) is fun and hasattr(fun, "fun"):
        # scipy makes an object with a cache of jac=True; the cache would swallow a trace
        fun, own_jac = fun.fun, True
    return minimize(
        fun,
        x0,
        args,
        method,
        own_jac,
        own_hess,
        hessp,
        bounds,
        constraints,
        tol=options.pop("tol", None),
        callback=wrapped,
        options=options,
    )


def _refuse_constraints(bounds: Any, constraints: Any) -> None:
    for name, value in (("bounds", bounds), ("constraints", constraints)):
        empty = value is None or (isinstance(value, Sequence) and len(value) == 0)
        if not empty:
            raise NotImplementedError(
                f"{name} are not supported: newtonkit solves unconstrained problems; use scipy.optimize.minimize, or "
                "substitute the variables (x = exp(u) keeps x positive)"
            )


def _method_to_go_on(earlier: Result, method: Any) -> Any:
    """The method that an earlier result can go on with."""
    if earlier.get("state") is None or earlier.get("start") is None:
        raise ValueError("x0 is a result without a state to go on from; pass x0=result.x to start anew")
    wanted = earlier.method if method is None else make_method(method).name
    if wanted != earlier.method:
        raise ValueError(
            f"x0 is a result of {earlier.method!r}, and {wanted!r} cannot go on from its state; "
            "pass x0=result.x to start anew"
        )
    if method is None and wanted not in METHODS:
        raise ValueError(f"x0 is a result of {wanted!r}, which has no name of its own; pass the same method again")
    return earlier.method if method is None else method


def _refuse_no_method(method: Any) -> None:
    if isinstance(method, type):
        raise TypeError(f"method must be an instance, got the class {method.__name__}; write {method.__name__}()")
    if not isinstance(method, str) and not hasattr(method, "step") and not hasattr(method, "as_method"):
        raise TypeError(f"method must be a name or a method such as newtonkit.BFGS(), got {method!r}")


def _sorted_options(
    method: str | Method | GradientTransform, options: Mapping[str, Any] | None, tol: float | None
) -> tuple[dict[str, Any], Stop, dict[str, Any]]:
    """The options by whom they belong to: the method, the stopping rule, the run."""
    given = dict(options or {})
    if tol is not None:
        given.setdefault("gtol", tol)
    own = option_names(method)
    for name in given:
        if name not in own and name not in _STOP_OPTIONS and name not in _RUN_OPTIONS:
            label = method if isinstance(method, str) else getattr(method, "name", "this method")
            raise ValueError(
                f"unknown option {name!r} for method {label!r}; "
                f"{nearest_name(name, [*own, *_STOP_OPTIONS, *_RUN_OPTIONS])}"
            )
    stop = Stop(**{name: value for name, value in given.items() if name in _STOP_OPTIONS})
    return (
        {name: value for name, value in given.items() if name in own},
        stop,
        {name: value for name, value in given.items() if name in _RUN_OPTIONS},
    )


def _refuse_what_cannot_fit(method: Method, n: int) -> None:
    needed = getattr(method, "matrices", 0) * 8 * n * n
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not a POSIX system
        return
    if needed > physical:
        raise ValueError(
            f"method {method.name!r} stores n×n matrices: at n = {n} they take {needed / 2**30:.0f} GB, and this "
            f"machine has {physical / 2**30:.0f}; use method='lbfgs'"
        )


def _objective(
    fun: Callable[..., Any],
    jac: Callable[..., Any] | bool | None,
    hess: Callable[..., Any] | None,
    hessp: Callable[..., Any] | None,
    args: tuple[Any, ...],
    unflatten: Unflatten,
    *,
    tape: bool,
) -> Objective:
    """The objective of the flat vector that a structured problem amounts to."""
    for name, value in (("jac", jac), ("hess", hess), ("hessp", hessp)):
        if not (value is None or callable(value) or (name == "jac" and isinstance(value, bool))):
            raise TypeError(f"{name} must be callable{' or a bool' if name == 'jac' else ''}, got {value!r}")
    return structured_objective(fun, jac or None, hess, hessp, args, unflatten, tape=tape)


def _history(setting: Any) -> History | None:
    if setting not in (True, False, "points"):
        raise ValueError(f"history must be True, False or 'points', got {setting!r}")
    return History(points=setting == "points") if setting else None


def _scipy_callback(callback: Callable[..., Any], unflatten: Unflatten) -> Callback:
    """The loop's callback from one of scipy's two styles."""
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
        # a callback that happens to return something, an array for instance, goes on as under scipy
        return isinstance(answer, bool | np.bool_) and bool(answer)

    return call
