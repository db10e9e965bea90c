"""Derivatives of one function: by plain autograd at first, by a tape from the third gradient on.

A tape replays what autograd did, as straight numpy, for every x of the same shape. What it cannot see, a function that
reads data which change or draws random numbers, is caught by comparing it with plain autograd: at its first use,
at scattered later ones, and wherever `Derivatives.verify` is asked for. A function that cannot be recorded stays with
plain autograd, and ``note`` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from newtonkit.derivatives.autograd.tracing import (
    as_number,
    dense_from_products,
    trace_gradient,
    trace_linearization,
    trace_lock,
)
from newtonkit.derivatives.pytree import is_input
from newtonkit.linalg.kernels import Matrix, Vector

if TYPE_CHECKING:
    from newtonkit.derivatives.tape.batching import BatchedStage
    from newtonkit.derivatives.tape.code_generation import Program

_PLAIN = 2  # gradients by plain autograd before a recording, which pays for itself after about four of them
_AGREEMENT = 1e-9  # relative, of tape and autograd: far above their rounding, far below what stale data do
_CANCELLATION = 1e-12  # the same, relative to the largest values seen, for points where f or g cancels to nothing

_CASES = 64  # tapes kept for different shapes and constants
_NOTHING = np.zeros(1)

PLAIN, TAPE = "plain autograd", "tape"


class Linearization(NamedTuple):
    """f, its gradient, and the map v ↦ ∇²f(x)·v at one point; ``hessian`` gives the whole matrix."""

    f: float
    g: Vector
    product: Callable[[Vector], Vector]
    products: Callable[[Matrix], Matrix]
    """The same for the rows of a matrix, all at once."""
    hessian: Callable[[], Matrix]


class Derivatives:
    """The derivatives of ``fun(x, *args)`` with respect to the vector x; shared by runs and threads.

    Parameters
    ----------
    fun : callable
        Written with autograd.numpy; returns one real number.
    tape : bool, default True
        False: plain autograd for ever.

    Attributes
    ----------
    source : str
        "tape" or "plain autograd": where the last derivative came from.
    note : str
        Why a tape is not used, or was dropped; empty where neither is so.

    Notes
    -----
    Numbers and arrays among ``args`` are inputs of the tape at run time, like x; anything else is a constant of it.
    """

    def __init__(self, fun: Callable[..., Any], *, tape: bool = True) -> None:
        self.fun = fun
        self.source = PLAIN
        self.note = "" if tape else "turned off"
        self._tape = tape
        self._cases: dict[Any, _Case] = {}
        self._recent: tuple[tuple[Any, ...], tuple[int, ...], _Case] | tuple[None, None, None] = (None, None, None)

    def value(self, x: Vector, args: tuple[Any, ...] = ()) -> float:
        """f(x): by a plain call, until derivatives of this shape come from a tape too."""
        case = self._case(x, args)
        if case is not None and case.has_value(x, args):
            f = case.value(x, args)
            if not case.is_due("value"):
                return f
            plain = as_number(self.fun(x, *args))
            if case.agree(f, _NOTHING, plain, _NOTHING):
                return f
            self._drop(case)
            return plain
        return as_number(self.fun(x, *args))

    def value_and_gradient(self, x: Vector, args: tuple[Any, ...] = ()) -> tuple[float, Vector]:
        """f(x) and ∇f(x)."""
        case = self._case(x, args)
        if case is not None and case.has_gradient(x, args):
            f, g = case.gradient(x, args)
            if not case.is_due("gradient") or self._agrees(case, f, g, x, args):
                self.source = TAPE
                return f, g
        if case is not None:
            self.note = case.failure
        return self._plain(x, args)

    def linearize(self, x: Vector, args: tuple[Any, ...] = ()) -> Linearization:
        """f(x), ∇f(x), and the Hessian at x as a map and, on demand, as a matrix."""
        x = x.copy()  # what is handed out must not change with the caller's array
        case = self._case(x, args)
        if case is not None and case.has_product(x, args):
            taped = case.linearize(x, args)
            if not case.is_due("product"):
                self.source = TAPE
                return taped
            plain = self._plain_linearization(x, args, None)
            if case.agree_on_curvature(taped, plain, x):
                self.source = TAPE
                return taped
            self._drop(case)
            return plain
        if case is not None:
            self.note = case.failure
        return self._plain_linearization(x, args, case)

    def prepare(self, x: Vector, args: tuple[Any, ...] = ()) -> None:
        """Record the tape of products now, for one who knows that many will be asked for."""
        case = self._case(x, args)
        if case is not None:
            case.has_product(x, args, at_once=True)

    def prepare_gradient(self, x: Vector, args: tuple[Any, ...] = ()) -> None:
        """Record the tape of the gradient now, so that every gradient of this shape rounds alike from the first on."""
        case = self._case(x, args)
        if case is not None:
            case.has_gradient(x, args, at_once=True)

    def may_be_stale(self, x: Vector, args: tuple[Any, ...] = ()) -> bool:
        """Whether derivatives for this shape of x and args have come from a tape."""
        case = self._case(x, args)
        return case is not None and bool(case.programs)

    def verify(self, x: Vector, g: Vector, args: tuple[Any, ...] = ()) -> bool:
        """Whether plain autograd agrees with a gradient that a tape gave at x; the tape is dropped where not."""
        case = self._case(x, args)
        if case is None or not case.programs:
            return True
        f_plain, g_plain = self._plain(x, args)
        if case.agree(f_plain, g, f_plain, g_plain):
            self.source = TAPE
            return True
        self._drop(case)
        return False

    def _case(self, x: Vector, args: tuple[Any, ...]) -> _Case | None:
        """The tapes for this shape of x and args; None where none can be used."""
        recent_args, shape, case = self._recent
        if case is not None and args is recent_args and x.shape == shape and not case.failure:
            return case
        if not self._tape:
            return None
        try:
            signature = (x.shape, *map(_signature, args))
            case = self._cases.get(signature)
            if case is None:
                if len(self._cases) >= _CASES:  # an argument that counts, and should be a float
                    self._cases.clear()
                case = self._cases.setdefault(signature, _Case(self.fun))
        except TypeError:
            self.note = "an argument in args is neither a number nor hashable"
            return None
        if case.failure:
            self.note = case.failure
            return None
        self._recent = args, x.shape, case
        return case

    def _plain(self, x: Vector, args: tuple[Any, ...]) -> tuple[float, Vector]:
        f, g = trace_gradient(lambda z: self.fun(z, *args), x)
        self.source = PLAIN
        return as_number(f), np.asarray(g)

    def _plain_linearization(self, x: Vector, args: tuple[Any, ...], case: _Case | None) -> Linearization:
        self.source = PLAIN
        f, g, product = trace_linearization(lambda z: self.fun(z, *args), x)
        plain: Linearization

        def hessian() -> Matrix:
            # a matrix is n products: a recording has paid for itself before they are done
            if case is not None and x.size > _PLAIN and case.has_product(x, args, at_once=True):
                taped = case.linearize(x, args)
                if case.agree_on_curvature(taped, plain, x):
                    self.source = TAPE
                    return taped.hessian()
                self._drop(case)
            return dense_from_products(product, x.size)

        def products(V: Matrix) -> Matrix:
            return np.array([product(v) for v in V]).reshape(V.shape)

        plain = Linearization(as_number(f), np.asarray(g), product, products, hessian)
        return plain

    def _agrees(self, case: _Case, f: float, g: Vector, x: Vector, args: tuple[Any, ...]) -> bool:
        """Whether plain autograd gives the same; drops the tape where it does not."""
        same = case.agree(f, g, *self._plain(x, args))
        if not same:
            self._drop(case)
        return same

    def _drop(self, case: _Case) -> None:
        case.failure = self.note = "the tape disagreed with plain autograd: fun reads data that change, or is random"


class _Case:
    """The tapes for one shape of x and args."""

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fun
        self.failure = ""
        self.programs: dict[str, Program] = {}
        self.batched: BatchedStage | None = None
        self.asked = {"value": 0, "gradient": 0, "product": 0}
        self.uses = {"value": 0, "gradient": 0, "product": 0}
        self.largest_f = self.largest_g = self.largest_Hv = 0.0

    # --- recording ------------------------------------------------------------------------------------------

    def has_value(self, x: Vector, args: tuple[Any, ...]) -> bool:
        """Whether there is a tape of f, recorded after that of a derivative."""
        if "value" in self.programs:
            return True
        return bool(self.programs) and self._recorded("value", x, args, at_once=True)

    def has_gradient(self, x: Vector, args: tuple[Any, ...], *, at_once: bool = False) -> bool:
        """Whether there is a tape of f and ∇f, recorded now if its turn has come, or at once."""
        return "gradient" in self.programs or self._recorded("gradient", x, args, at_once=at_once)

    def has_product(self, x: Vector, args: tuple[Any, ...], *, at_once: bool = False) -> bool:
        """Whether there is a tape of v ↦ ∇²f·v, recorded now if its turn has come, or at once."""
        return "product" in self.programs or self._recorded("product", x, args, at_once=at_once)

    def _recorded(self, kind: str, x: Vector, args: tuple[Any, ...], *, at_once: bool) -> bool:
        self.asked[kind] += 1
        if self.failure or not (at_once or self.asked[kind] > _PLAIN):
            return False
        with trace_lock, np.errstate(all="ignore"):
            if kind in self.programs:  # another thread was faster
                return True
            try:
                self._record(kind, x, args)
            except Exception as error:  # whatever autograd or the tape cannot do: plain autograd is always right
                first_line = str(error).partition("\n")[0]
                named = "" if type(error).__name__ == "ValueDependentError" else f"{type(error).__name__}: "
                self.failure = f"no tape: {named}{first_line}"
        return not self.failure

    def _record(self, kind: str, x: Vector, args: tuple[Any, ...]) -> None:
        # imported here: should autograd's internals move, recording fails and plain autograd goes on
        from newtonkit.derivatives.tape.programs import gradient_program, product_program, value_program

        if kind == "value":
            self.programs[kind] = value_program(self.fun, x, args)
        elif kind == "gradient":
            self.programs[kind] = gradient_program(self.fun, x, args)
        else:
            program, self.batched = product_program(self.fun, x, args)
            self.programs[kind] = program

    # --- replaying ------------------------------------------------------------------------------------------

    def value(self, x: Vector, args: tuple[Any, ...]) -> float:
        """f from the tape."""
        program = self.programs["value"]
        (f,), _ = program.once(x, *filter(is_input, args)) if args else program.once(x)
        return _number(f)

    def gradient(self, x: Vector, args: tuple[Any, ...]) -> tuple[float, Vector]:
        """f and ∇f from the tape."""
        program = self.programs["gradient"]
        (f, g), _ = program.once(x, *filter(is_input, args)) if args else program.once(x)
        return _number(f), (g if program.fresh[1] else _own(g, x))

    def linearize(self, x: Vector, args: tuple[Any, ...]) -> Linearization:
        """f, ∇f and the Hessian from the tape."""
        program, batched = self.programs["product"], self.batched
        assert program.per_direction is not None
        assert batched is not None
        (f, g, *_), residuals = program.once(x, *filter(is_input, args)) if args else program.once(x)
        per_direction = program.per_direction
        fresh = program.fresh

        def product(v: Vector) -> Vector:
            Hv = per_direction(residuals, v)
            return Hv if fresh[-1] else _own(Hv, x)

        def products(V: Matrix) -> Matrix:
            return np.array(batched(residuals, V))

        return Linearization(
            _number(f), g if fresh[1] else _own(g, x), product, products, lambda: batched.hessian(residuals)
        )

    # --- checking -------------------------------------------------------------------------------------------

    def is_due(self, kind: str) -> bool:
        """Whether this use of a tape is to be compared: the 1st, 2nd, 4th, 8th …"""
        uses = self.uses[kind] + 1
        self.uses[kind] = uses
        return not uses & (uses - 1)

    def agree(self, f: float, g: Vector, f_plain: float, g_plain: Vector) -> bool:
        """Whether two values and gradients are the same up to rounding."""
        size = float(np.abs(g_plain).max())
        if not (np.isfinite(f_plain) and np.isfinite(size)):
            return not (np.isfinite(f) and np.isfinite(g).all())
        self.largest_f, self.largest_g = max(self.largest_f, abs(f_plain)), max(self.largest_g, size)
        same_f = abs(f - f_plain) <= _AGREEMENT * abs(f_plain) + _CANCELLATION * self.largest_f
        same_g = np.abs(g - g_plain).max() <= _AGREEMENT * size + _CANCELLATION * self.largest_g
        return bool(same_f and same_g)

    def agree_on_curvature(self, taped: Linearization, plain: Linearization, x: Vector) -> bool:
        """The same for f, ∇f and a Hessian-vector product, of which the batched form is checked too."""
        if not self.agree(taped.f, taped.g, plain.f, plain.g):
            return False
        v = np.cos(np.arange(1.0, x.size + 1.0))  # any direction that is not special
        exact = plain.product(v)
        with np.errstate(all="ignore"):
            found = taped.product(v), taped.products(v[np.newaxis])[0]
        size = float(np.abs(exact).max())
        if not np.isfinite(size):
            return True
        self.largest_Hv = max(self.largest_Hv, size)
        allowed = _AGREEMENT * size + _CANCELLATION * self.largest_Hv
        return all(bool(np.abs(Hv - exact).max() <= allowed) for Hv in found)


def _number(f: Any) -> float:
    return f if type(f) is float else as_number(f)


def _own(g: Any, x: Vector) -> Vector:
    """A fresh array of x's shape: a tape may hand out its input, a constant, or a view."""
    own = np.empty_like(x)
    own[...] = g
    return own


def _signature(arg: Any) -> Any:
    """What must be the same for a tape to be used again."""
    if isinstance(arg, tuple):
        return type(arg), tuple(map(_signature, arg)), arg  # (1,) and (True,) are equal, but not the same
    if is_input(arg):
        array = np.asarray(arg)
        return array.shape, array.dtype.str
    hash(arg)
    return type(arg), arg
