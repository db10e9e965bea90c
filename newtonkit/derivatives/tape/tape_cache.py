"""The tapes of one function for one shape of x and args: recorded, replayed, and compared with plain autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from newtonkit.derivatives.autograd.tracing import as_number, trace_lock
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import is_input
from newtonkit.linalg.kernels import EPS, Matrix, Vector

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
# If the difference is larger, it is compared with the rounding errors of the intermediate values at this point.
ROUNDING_SAMPLES = 16
ROUNDING_FACTOR = 8.0  # the two computations may round in a different order, and the samples may miss the worst case


MAX_PATHS = 8
"""Tapes of one kind for a function with branches; our choice. A call runs each of them to its first false guard."""


class NoPathError(Exception):
    """x takes a path that has no tape, and no more are recorded."""


class TapeCache:
    """The tapes for one shape of x and args: one of each kind, or several if the function has branches.

    The tape that served the last call is in ``programs``; ``paths`` has all, each with its stage for many directions.
    """

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fun
        self.failure = ""
        self.programs: dict[str, Program] = {}
        self.paths: dict[str, dict[Program, BatchedStage | None]] = {"value": {}, "gradient": {}, "product": {}}
        self.recordings = {"value": 0, "gradient": 0, "product": 0}
        self.misses = {
            "value": 0,
            "gradient": 0,
            "product": 0,
        }  # calls on paths without a tape since the last recording
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

        batched: BatchedStage | None = None
        self.recordings[kind] += 1
        self.misses[kind] = 0
        if kind == "value":
            program = value_program(self.fun, x, args)
        elif kind == "gradient":
            program = gradient_program(self.fun, x, args)
        else:
            program, batched = product_program(self.fun, x, args)
        self.paths[kind][program] = batched
        self.programs[kind] = program
        self.uses[kind] = 0  # the first use of each tape is compared

    # --- replaying ------------------------------------------------------------------------------------------

    def _on_another_path(self, kind: str, x: Vector, args: tuple[Any, ...]) -> tuple[Program, Any]:
        """The tape of the path that x takes, and what it returns.

        A new path is recorded after a few calls without a tape; the more paths there are, the more calls: a function
        that seldom takes a path twice gains nothing from tapes.

        Raises
        ------
        NoPathError
            If there is no such tape, and none is recorded now.
        Exception
            What the recording of a new path raised: the function may raise there, or use what a tape does not support.
        """
        inputs = (x, *filter(is_input, args))
        with trace_lock:
            for program in self.paths[kind]:
                found = program.once(*inputs)
                if found is not None:
                    self.programs[kind] = program
                    return program, found
            self.misses[kind] += 1
            made = self.recordings[kind]
            if made < MAX_PATHS and self.misses[kind] > GRADIENTS_BEFORE_RECORDING * made:
                with np.errstate(all="ignore"):
                    self._record(kind, x, args)
                program = self.programs[kind]
                found = program.once(*inputs)
                if found is not None:
                    return program, found
        raise NoPathError("no tape yet for the path that this x takes through the branches of fun")

    def value(self, x: Vector, args: tuple[Any, ...]) -> float:
        """f from the tape."""
        program = self.programs["value"]
        found = program.once(x, *filter(is_input, args)) if args else program.once(x)
        if found is None:
            program, found = self._on_another_path("value", x, args)
        return _number(found[0][0])

    def gradient(self, x: Vector, args: tuple[Any, ...]) -> tuple[float, Vector]:
        """f and ∇f from the tape."""
        program = self.programs["gradient"]
        found = program.once(x, *filter(is_input, args)) if args else program.once(x)
        if found is None:
            program, found = self._on_another_path("gradient", x, args)
        f, g = found[0]
        return _number(f), (g if program.fresh[1] else _own(g, x))

    def linearize(self, x: Vector, args: tuple[Any, ...]) -> Linearization:
        """f, ∇f and the Hessian from the tape."""
        program = self.programs["product"]
        found = program.once(x, *filter(is_input, args)) if args else program.once(x)
        if found is None:
            program, found = self._on_another_path("product", x, args)
        (f, g, *_), residuals = found
        per_direction, batched = program.per_direction, self.paths["product"][program]
        assert per_direction is not None
        assert batched is not None
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

    def agree(
        self, f: float, g: Vector, f_plain: float, g_plain: Vector, x: Vector, args: tuple[Any, ...], kind: str
    ) -> bool:
        """Whether two values and gradients are equal up to rounding errors; ``kind`` is the tape that gave f and g."""
        size = float(np.abs(g_plain).max())
        if not (np.isfinite(f_plain) and np.isfinite(size)):
            return not (np.isfinite(f) and np.isfinite(g).all())
        self.largest_f, self.largest_g = max(self.largest_f, abs(f_plain)), max(self.largest_g, size)
        difference_f, difference_g = abs(f - f_plain), np.abs(g - g_plain).max()
        allowed_f = AGREEMENT_TOLERANCE * abs(f_plain) + CANCELLATION_TOLERANCE * self.largest_f
        allowed_g = AGREEMENT_TOLERANCE * size + CANCELLATION_TOLERANCE * self.largest_g
        if difference_f <= allowed_f and difference_g <= allowed_g:
            return True
        rounding_f, rounding_g, *_ = [*self.rounding_errors(kind, x, args), 0.0]
        return bool(difference_f <= allowed_f + rounding_f and difference_g <= allowed_g + rounding_g)

    def agree_on_curvature(self, taped: Linearization, plain: Linearization, x: Vector, args: tuple[Any, ...]) -> bool:
        """The same for f, ∇f and a Hessian-vector product, computed singly and in a batch."""
        if not self.agree(taped.f, taped.g, plain.f, plain.g, x, args, "product"):
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
        difference = max(float(np.abs(Hv - exact).max()) for Hv in found)
        return difference <= allowed or difference <= allowed + self.rounding_errors("product", x, args, v)[-1]

    def rounding_errors(self, kind: str, x: Vector, args: tuple[Any, ...], v: Vector | None = None) -> list[float]:
        """Estimated errors of the outputs of a tape from the rounding of all intermediate values, in the maximum norm.

        The tape is run with every intermediate value multiplied by 1 ± eps at random. This covers cancellation, and at
        a kink both one-sided derivatives.
        """
        program, rng = self.programs[kind], np.random.default_rng(0)
        directions = [np.cos(np.arange(1.0, x.size + 1.0)) if v is None else v] if kind == "product" else []
        inputs = [x, *filter(is_input, args), *directions]

        def perturb(value: Any) -> Any:
            return value * (1.0 + EPS * rng.choice((-1.0, 1.0), size=np.shape(value)))

        with np.errstate(all="ignore"):
            exact = program.rounded(lambda value: value, *inputs)
            errors = np.zeros(len(exact))
            for _ in range(ROUNDING_SAMPLES):
                try:
                    outputs = program.rounded(perturb, *inputs)
                except Exception:  # e.g. a matrix that is no longer positive definite: no information
                    continue
                errors = np.fmax(errors, [np.abs(a - b).max() for a, b in zip(outputs, exact, strict=True)])
        return [float(ROUNDING_FACTOR * error) for error in errors]


def _number(f: Any) -> float:
    return f if type(f) is float else as_number(f)


def _own(g: Any, x: Vector) -> Vector:
    """A new array of the shape of x: a tape may return its input, a constant, or a view."""
    own = np.empty_like(x)
    own[...] = g
    return own
