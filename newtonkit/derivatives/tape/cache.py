"""Derivatives of one function: by plain autograd at first, by a tape from the third gradient on.

A tape replays the operations of autograd in numpy for every x of the same shape. It does not notice that a function
reads data that change, or draws random numbers. The tape is therefore compared with plain autograd: at its first use,
at some later uses, and whenever `Derivatives.verify` is called. For a function that cannot be recorded plain autograd
is used, and ``note`` gives the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.derivatives.autograd.tracing import (
    as_number,
    dense_from_products,
    trace_gradient,
    trace_linearization,
)
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import is_input
from newtonkit.derivatives.tape.tape_cache import GRADIENTS_BEFORE_RECORDING, NoPathError, TapeCache
from newtonkit.linalg.kernels import Matrix, Vector

MAX_TAPE_CACHES = 64  # caches kept for different shapes and constants
_NO_GRADIENT = np.zeros(1)

PLAIN, TAPE = "plain autograd", "tape"


class Derivatives:
    """The derivatives of ``fun(x, *args)`` with respect to the vector x; shared by runs and threads.

    Parameters
    ----------
    fun : callable
        Written with autograd.numpy; returns one real number.
    tape : bool, default True
        False: always plain autograd.

    Attributes
    ----------
    source : str
        The source of the last derivative: "tape" or "plain autograd".
    note : str
        Why a tape is not used, or was dropped; otherwise empty.

    Notes
    -----
    Numbers and arrays among ``args`` are runtime inputs of the tape, like x. Any other argument is a constant of it.
    """

    def __init__(self, fun: Callable[..., Any], *, tape: bool = True) -> None:
        self.fun = fun
        self.source = PLAIN
        self.note = "" if tape else "turned off"
        self._tape = tape
        self._cases: dict[Any, TapeCache] = {}
        self._recent: tuple[tuple[Any, ...], tuple[int, ...], TapeCache] | tuple[None, None, None] = (None, None, None)

    def value(self, x: Vector, args: tuple[Any, ...] = ()) -> float:
        """f(x): by a plain call, or by a tape once derivatives of this shape come from a tape."""
        case = self._case(x, args)
        if case is not None and case.has_value(x, args):
            try:
                f = case.value(x, args)
            except Exception:  # the user's function may handle it
                return as_number(self.fun(x, *args))
            if not case.is_due("value"):
                return f
            plain = as_number(self.fun(x, *args))
            if case.agree(f, _NO_GRADIENT, plain, _NO_GRADIENT, x, args, "value"):
                return f
            self._drop(case)
            return plain
        return as_number(self.fun(x, *args))

    def value_and_gradient(self, x: Vector, args: tuple[Any, ...] = ()) -> tuple[float, Vector]:
        """f(x) and ∇f(x)."""
        case = self._case(x, args)
        if case is not None and case.has_gradient(x, args):
            try:
                f, g = case.gradient(x, args)
            except Exception as error:  # as in `value`
                return self._plain(x, args, error)
            if not case.is_due("gradient") or self._agrees(case, f, g, x, args):
                self.source, self.note = TAPE, ""
                return f, g
        if case is not None:
            self.note = case.failure
        return self._plain(x, args)

    def linearize(self, x: Vector, args: tuple[Any, ...] = ()) -> Linearization:
        """f(x), ∇f(x), and the Hessian at x as a linear map and, on request, as a matrix."""
        x = x.copy()  # the result must not change with the caller's array
        case = self._case(x, args)
        if case is not None and case.has_product(x, args):
            try:
                taped = case.linearize(x, args)
            except Exception as error:  # as in `value`
                self._note_missing_path(error)
                return self._plain_linearization(x, args, None)
            if not case.is_due("product"):
                self.source, self.note = TAPE, ""
                return taped
            plain = self._plain_linearization(x, args, None)
            if case.agree_on_curvature(taped, plain, x, args):
                self.source, self.note = TAPE, ""
                return taped
            self._drop(case)
            return plain
        if case is not None:
            self.note = case.failure
        return self._plain_linearization(x, args, case)

    def prepare(self, x: Vector, args: tuple[Any, ...] = ()) -> None:
        """Record the tape of products now; for a caller that will request many of them."""
        case = self._case(x, args)
        if case is not None:
            case.has_product(x, args, at_once=True)

    def prepare_gradient(self, x: Vector, args: tuple[Any, ...] = ()) -> None:
        """Record the tape of the gradient now, so that all gradients of this shape have the same rounding errors."""
        case = self._case(x, args)
        if case is not None:
            case.has_gradient(x, args, at_once=True)

    def may_be_stale(self, x: Vector, args: tuple[Any, ...] = ()) -> bool:
        """Whether derivatives for this shape of x and args have come from a tape."""
        case = self._case(x, args)
        return case is not None and bool(case.programs)

    def verify(self, x: Vector, g: Vector, args: tuple[Any, ...] = ()) -> bool:
        """Whether plain autograd agrees with a gradient that a tape returned at x; if not, the tape is dropped."""
        case = self._case(x, args)
        if case is None or not case.programs:
            return True
        f_plain, g_plain = self._plain(x, args)
        kind = "gradient" if "gradient" in case.programs else "product"
        if case.agree(f_plain, g, f_plain, g_plain, x, args, kind):
            self.source, self.note = TAPE, ""
            return True
        self._drop(case)
        return False

    def _case(self, x: Vector, args: tuple[Any, ...]) -> TapeCache | None:
        """The tapes for this shape of x and args; None if no tape can be used."""
        recent_args, shape, case = self._recent
        if case is not None and args is recent_args and x.shape == shape and not case.failure:
            return case
        if not self._tape:
            return None
        try:
            signature = (x.shape, *map(_signature, args))
            case = self._cases.get(signature)
            if case is None:
                if len(self._cases) >= MAX_TAPE_CACHES:  # e.g. an integer argument that counts calls
                    self._cases.clear()
                case = self._cases.setdefault(signature, TapeCache(self.fun))
        except TypeError:
            self.note = "an argument in args is neither a number nor hashable"
            return None
        if case.failure:
            self.note = case.failure
            return None
        self._recent = args, x.shape, case
        return case

    def _note_missing_path(self, error: Exception) -> None:
        if isinstance(error, NoPathError):
            self.note = str(error)

    def _plain(self, x: Vector, args: tuple[Any, ...], error: Exception | None = None) -> tuple[float, Vector]:
        if error is not None:
            self._note_missing_path(error)
        f, g = trace_gradient(lambda z: self.fun(z, *args), x)
        self.source = PLAIN
        return as_number(f), np.asarray(g)

    def _plain_linearization(self, x: Vector, args: tuple[Any, ...], case: TapeCache | None) -> Linearization:
        f, g, product = trace_linearization(lambda z: self.fun(z, *args), x)
        self.source = PLAIN
        plain: Linearization

        def hessian() -> Matrix:
            # a matrix takes n products, so a recording saves time
            if case is not None and x.size > GRADIENTS_BEFORE_RECORDING and case.has_product(x, args, at_once=True):
                try:
                    taped = case.linearize(x, args)
                except Exception:  # as in `value`
                    return dense_from_products(product, x.size)
                if case.agree_on_curvature(taped, plain, x, args):
                    self.source = TAPE
                    return taped.hessian()
                self._drop(case)
            return dense_from_products(product, x.size)

        def products(V: Matrix) -> Matrix:
            return np.array([product(v) for v in V]).reshape(V.shape)

        plain = Linearization(as_number(f), np.asarray(g), product, products, hessian)
        return plain

    def _agrees(self, case: TapeCache, f: float, g: Vector, x: Vector, args: tuple[Any, ...]) -> bool:
        """Whether plain autograd gives the same; if not, the tape is dropped."""
        same = case.agree(f, g, *self._plain(x, args), x, args, "gradient")
        if not same:
            self._drop(case)
        return same

    def _drop(self, case: TapeCache) -> None:
        case.failure = self.note = "the tape disagreed with plain autograd: fun reads data that change, or is random"


def _signature(arg: Any) -> Any:
    """A key that must be equal for a tape to be used again."""
    if isinstance(arg, tuple):
        return type(arg), tuple(map(_signature, arg)), arg  # (1,) == (True,), but the types differ
    if is_input(arg):
        array = np.asarray(arg)
        return array.shape, array.dtype.str
    hash(arg)
    return type(arg), arg
