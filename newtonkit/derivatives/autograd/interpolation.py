"""Derivatives that autograd lacks: ``interp``, ``pad``, and ``where`` of operands that are broadcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
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


# modes of pad whose result consists of copies of entries
_COPYING = frozenset({"edge", "reflect", "symmetric", "wrap"})


def define_pad() -> None:
    """Redefine the derivative of ``pad``: that of autograd requires ``mode`` and knows "constant" only.

    The modes "edge", "reflect", "symmetric" and "wrap" are added. With "constant" the constants have no derivative.
    """
    defvjp(anp.pad, _pad_vjp)


def _pad_vjp(ans: Any, array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Callable[[Any], Any]:
    shape, size = anp.shape(array), anp.size(array)
    if mode not in ("constant", *_COPYING):
        raise NotImplementedError(f"the derivative of pad in mode {mode!r} is not defined")
    # where each entry of the result comes from; −1: a constant
    filling = {"constant_values": -1} if mode == "constant" else options
    source = np.pad(np.arange(size).reshape(shape), pad_width, mode, **filling).reshape(-1)  # type: ignore[call-overload]
    inner = source >= 0

    def pull(g: Any) -> Any:
        copies, _ = make_vjp(lambda z: anp.reshape(z, (-1,))[source[inner]], np.zeros(shape))
        return copies(anp.reshape(g, (-1,))[inner])

    return pull


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
