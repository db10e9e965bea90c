"""Derivatives that autograd lacks: ``interp``, and ``where`` of operands that are broadcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
from autograd.core import make_vjp
from autograd.extend import defvjp
from autograd.numpy.numpy_vjps import unbroadcast_f


def define_interpolation() -> None:
    """Define the derivatives of ``interp(x, xp, fp)`` with respect to x, xp and fp.

    At a node, where the interpolant has a kink, the derivative is that of the interval to its right. Outside the nodes
    it is that of a constant. ``period`` is not supported.
    """
    defvjp(anp.interp, *(_vjp(argnum) for argnum in range(3)), argnums=(0, 1, 2))


def define_broadcast_where() -> None:
    """Redefine the derivative of ``where``: that of autograd raises if an operand is smaller than the result."""
    defvjp(
        getattr(anp, "_original_where", anp.where),  # in some versions anp.where is a function that calls the primitive
        None,
        lambda ans, c, x=None, y=None: unbroadcast_f(x, lambda g: anp.where(c, g, anp.zeros(g.shape))),
        lambda ans, c, x=None, y=None: unbroadcast_f(y, lambda g: anp.where(c, anp.zeros(g.shape), g)),
    )


def _vjp(argnum: int) -> Callable[..., Any]:
    def maker(
        ans: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
    ) -> Callable[[Any], Any]:
        if period is not None:
            raise NotImplementedError("the derivative of interp with a period is not defined")
        args = [anp.array(x), anp.array(xp), anp.array(fp)]

        def interpolant(z: Any) -> Any:
            values = [z if k == argnum else arg for k, arg in enumerate(args)]
            return _interpolant(values[0], values[1], values[2], left, right)

        def pull(g: Any) -> Any:
            back, _ = make_vjp(interpolant, args[argnum])
            return back(g)

        return pull

    return maker


def _interpolant(x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    """interp(x, xp, fp) by functions that autograd can differentiate."""
    i = anp.clip(anp.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)
    share = (x - xp[i]) / (xp[i + 1] - xp[i])
    inside = fp[i] + share * (fp[i + 1] - fp[i])
    left, right = fp[0] if left is None else left, fp[-1] if right is None else right
    return anp.where(x < xp[0], left, anp.where(x > xp[-1], right, inside))
