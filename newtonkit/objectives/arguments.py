"""The arguments jac, hess, hessp and derivatives of `newtonkit.minimize` as an Objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from newtonkit.core.validation import check_choice
from newtonkit.derivatives.pytree import Unflatten, is_plain_vector
from newtonkit.derivatives.source import check_source
from newtonkit.objectives.objective import Objective, structured_objective

SCHEMES = ("2-point", "3-point")
"""scipy's names of forward and central differences."""


def objective_from_arguments(
    fun: Callable[..., Any] | Objective,
    jac: Callable[..., Any] | str | bool | None,
    hess: Callable[..., Any] | str | None,
    hessp: Callable[..., Any] | None,
    args: tuple[Any, ...],
    unflatten: Unflatten,
    *,
    derivatives: str = "tape",
    tape: bool = True,
    errors: str = "raise",
) -> Objective:
    """Return the objective of a flat vector.

    Parameters
    ----------
    fun, jac, hess, hessp, args
        As in `newtonkit.minimize`.
    unflatten : callable
        The structure of the user's points.
    derivatives : str, default "tape"
        The source of derivatives that are not given.
    tape : bool, default True
        False: "autograd" replaces "tape".
    errors : str, default "raise"
        See `Objective`.

    Raises
    ------
    TypeError, ValueError
        For a wrong argument, naming it.
    """
    if isinstance(fun, Objective):
        return _given_objective(fun, {"jac": jac, "hess": hess, "hessp": hessp, "args": args or None}, unflatten)
    check_source(derivatives)
    source = "autograd" if derivatives == "tape" and not tape else derivatives
    scheme = None
    if isinstance(jac, str):
        _check_scheme("jac", jac)
        source, jac = jac, None
    if isinstance(hess, str):
        _check_scheme("hess", hess)
        # without an exact gradient, the Hessian consists of differences of f at once
        scheme, hess = (hess if jac or source not in (*SCHEMES, "differences") else None), None
    for name, value in (("jac", jac), ("hess", hess), ("hessp", hessp)):
        if not (value is None or callable(value) or (name == "jac" and isinstance(value, bool))):
            kinds = 'callable or a bool, or "2-point" or "3-point"' if name == "jac" else "callable"
            raise TypeError(f"{name} must be {kinds}, got {value!r}")
    return structured_objective(
        fun, jac or None, hess, hessp, args, unflatten, source=source, hess_scheme=scheme, errors=errors
    )


def _given_objective(objective: Objective, others: dict[str, Any], unflatten: Unflatten) -> Objective:
    """An Objective of the user as a function of the flat vector."""
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"fun is an Objective, which holds its own derivatives and args; leave out {name}")
    return objective if is_plain_vector(unflatten) else objective.of_structure(unflatten)


def _check_scheme(name: str, scheme: str) -> None:
    if scheme == "cs":
        raise ValueError(
            f'{name}="cs" is not supported: complex steps require that fun accepts complex numbers; leave {name} out '
            f'for exact derivatives, or pass {name}="3-point" for central differences'
        )
    check_choice(name, scheme, SCHEMES)
