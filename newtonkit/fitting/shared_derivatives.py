"""Recorded derivatives that calls of `least_squares` with one function share."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.derivatives.pytree import Unflatten
from newtonkit.derivatives.residuals import ResidualDerivatives

_shared: weakref.WeakKeyDictionary[Any, dict[Any, ResidualDerivatives]] = weakref.WeakKeyDictionary()
_MOST_KEYS = 16  # structures of x0 for one function


def flat_function(fun: Callable[..., Any], unflatten: Unflatten, names: tuple[str, ...]) -> Callable[..., Any]:
    """fun of a structure as a function of the flat vector; the last ``len(names)`` arguments are keywords of fun."""

    def flat(x: Any, *values: Any) -> Any:
        if not names:
            return fun(unflatten(x), *values)
        last = len(values) - len(names)
        return fun(unflatten(x), *values[:last], **dict(zip(names, values[last:], strict=True)))

    return flat


def shared_derivatives(
    fun: Callable[..., Any], structure: Any, unflatten: Unflatten, names: tuple[str, ...], *, tape: bool
) -> ResidualDerivatives:
    """The derivatives of fun; those of an earlier call with the same fun and structure of x0.

    They hold fun by a weak reference only, so that it lives no longer than the caller keeps it.

    Parameters
    ----------
    structure : hashable
        The structure of x0.
    unflatten : callable
        Restores it.
    names : tuple of str
        The keyword arguments of fun.
    """
    with trace_lock:
        try:
            reference = weakref.ref(fun)
            by_key = _shared.setdefault(fun, {})
        except TypeError:  # not hashable, or it cannot be referenced weakly
            return ResidualDerivatives(flat_function(fun, unflatten, names), tape=tape)
        key = structure, names, tape
        known = by_key.get(key)
        if known is None:
            if len(by_key) >= _MOST_KEYS:
                by_key.clear()

            def weak(x: Any, *values: Any) -> Any:
                function = reference()
                assert function is not None  # the caller of least_squares holds it
                return function(x, *values)

            known = by_key[key] = ResidualDerivatives(flat_function(weak, unflatten, names), tape=tape)
        return known
