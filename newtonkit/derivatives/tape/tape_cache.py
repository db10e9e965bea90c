"""The tapes of one function for one shape of x and args: recorded, replayed, and compared with plain autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from newtonkit.derivatives.autograd.tracing import as_number, trace_lock
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import is_input
from newtonkit.linalg.kernels import Matrix, Vector

if TYPE_CHECKING:
    from newtonkit.derivatives.tape.batching import BatchedStage
    from newtonkit.derivatives.tape.code_generation import Program

GRADIENTS_BEFORE_RECORDING = 2
"""Gradients by plain autograd before a tape is recorded; a recording costs about as much as four gradients save."""
# Relative difference allowed between tape and plain autograd: far above rounding errors, far below the effect of data
# that have changed. CANCELLATION_TOLERANCE is relative to the largest values seen so far; it covers points where f or g
# cancels to almost nothing.
AGREEMENT_TOLERANCE = 1e-9
CANCELLATION_TOLERANCE = 1e-12


class TapeCache:
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
        """Whether there is a tape of f and ∇f; it is recorded now if enough calls were made, or if ``at_once``."""
        return "gradient" in self.programs or self._recorded("gradient", x, args, at_once=at_once)

    def has_product(self, x: Vector, args: tuple[Any, ...], *, at_once: bool = False) -> bool:
        """Whether there is a tape of v ↦ ∇²f·v; it is recorded now if enough calls were made, or if ``at_once``."""
        return "product" in self.programs or self._recorded("product", x, args, at_once=at_once)

    def _recorded(self, kind: str, x: Vector, args: tuple[Any, ...], *, at_once: bool) -> bool:
        self.asked[kind] += 1
        if self.failure or not (at_once or self.asked[kind] > GRADIENTS_BEFORE_RECORDING):
            return False
        with trace_lock, np.errstate(all="ignore"):
            if kind in self.programs:  # another thread has recorded it meanwhile
                return True
            try:
                self._record(kind, x, args)
            except Exception as error:  # autograd or the tape does not support something: plain autograd remains
                first_line = str(error).partition("\n")[0]
                named = "" if type(error).__name__ == "ValueDependentError" else f"{type(error).__name__}: "
                self.failure = f"no tape: {named}{first_line}"
        return not self.failure

    def _record(self, kind: str, x: Vector, args: tuple[Any, ...]) -> None:
        # imported here: if the internals of autograd change, only the recording fails, and plain autograd remains
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
        """Whether this use of a tape is to be compared with plain autograd: the 1st, 2nd, 4th, 8th …"""
        uses = self.uses[kind] + 1
        self.uses[kind] = uses
        return not uses & (uses - 1)

    def agree(self, f: float, g: Vector, f_plain: float, g_plain: Vector) -> bool:
        """Whether two values and gradients are equal up to rounding errors."""
        size = float(np.abs(g_plain).max())
        if not (np.isfinite(f_plain) and np.isfinite(size)):
            return not (np.isfinite(f) and np.isfinite(g).all())
        self.largest_f, self.largest_g = max(self.largest_f, abs(f_plain)), max(self.largest_g, size)
        same_f = abs(f - f_plain) <= AGREEMENT_TOLERANCE * abs(f_plain) + CANCELLATION_TOLERANCE * self.largest_f
        same_g = np.abs(g - g_plain).max() <= AGREEMENT_TOLERANCE * size + CANCELLATION_TOLERANCE * self.largest_g
        return bool(same_f and same_g)

    def agree_on_curvature(self, taped: Linearization, plain: Linearization, x: Vector) -> bool:
        """The same for f, ∇f and a Hessian-vector product, computed singly and in a batch."""
        if not self.agree(taped.f, taped.g, plain.f, plain.g):
            return False
        v = np.cos(np.arange(1.0, x.size + 1.0))  # a generic direction
        exact = plain.product(v)
        with np.errstate(all="ignore"):
            found = taped.product(v), taped.products(v[np.newaxis])[0]
        size = float(np.abs(exact).max())
        if not np.isfinite(size):
            return True
        self.largest_Hv = max(self.largest_Hv, size)
        allowed = AGREEMENT_TOLERANCE * size + CANCELLATION_TOLERANCE * self.largest_Hv
        return all(bool(np.abs(Hv - exact).max() <= allowed) for Hv in found)


def _number(f: Any) -> float:
    return f if type(f) is float else as_number(f)


def _own(g: Any, x: Vector) -> Vector:
    """A new array of the shape of x: a tape may return its input, a constant, or a view."""
    own = np.empty_like(x)
    own[...] = g
    return own
