"""Recorded derivatives that calls of `least_squares` with one function share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from newtonkit.derivatives.pytree import Unflatten
from newtonkit.derivatives.residuals import ResidualDerivatives
from newtonkit.fitting.weak_functions import SharedByFunction

_shared: SharedByFunction[ResidualDerivatives] = SharedByFunction()


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

    def make(reference: Callable[[], Any]) -> ResidualDerivatives:
        def weak(x: Any, *values: Any) -> Any:
            return reference()(x, *values)  # the caller of least_squares holds it

        return ResidualDerivatives(flat_function(weak, unflatten, names), tape=tape)

    known = _shared.get(fun, (structure, names, tape), make)
    return ResidualDerivatives(flat_function(fun, unflatten, names), tape=tape) if known is None else known
