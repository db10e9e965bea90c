"""What is shown and called during a fit, in scipy's manner."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.derivatives.pytree import Unflatten
from newtonkit.fitting.iteration import Callback
from newtonkit.fitting.problem import FitPoint


def fit_callback(callback: Callable[..., Any] | None, unflatten: Unflatten, verbose: int) -> Callback | None:
    """The callback of the iteration for a callback in one of scipy's two styles, and for ``verbose=2``."""
    if callback is None and verbose < 2:
        return None
    by_keyword = callback is not None and _takes_result(callback)
    last: list[float] = []

    def call(at: FitPoint, nit: int) -> bool:
        if verbose >= 2:
            _print_line(at, nit, last)
        if callback is None:
            return False
        try:
            if by_keyword:
                seen = OptimizeResult(x=unflatten(at.parameters.copy()), fun=at.residuals.copy(), cost=at.cost, nit=nit)
                answer = callback(intermediate_result=seen)
            else:
                answer = callback(unflatten(at.parameters.copy()))
        except StopIteration:
            return True
        return isinstance(answer, bool | np.bool_) and bool(answer)

    return call


def _takes_result(callback: Callable[..., Any]) -> bool:
    try:
        return list(inspect.signature(callback).parameters) == ["intermediate_result"]
    except (TypeError, ValueError):  # some built-in callables have no signature
        return False


def _print_line(at: FitPoint, nit: int, last: list[float]) -> None:
    if not last:
        print(f"{'Iteration':>10} {'Cost':>17} {'Cost reduction':>17} {'Optimality':>13}")
    reduction = f"{last[-1] - at.cost:17.4e}" if last else " " * 17
    print(f"{nit:10d} {at.cost:17.9e} {reduction} {float(np.abs(at.gradient).max(initial=0.0)):13.3e}")
    last[:] = [at.cost]
