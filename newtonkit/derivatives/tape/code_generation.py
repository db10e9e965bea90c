"""Generate a plain Python function of numpy calls from a tape.

No output buffers are kept between calls. They save no time (our measurement), and results of different calls or threads
would share memory.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.derivatives.tape.graph import GETITEM, INPUT, SCATTER, Instruction, Tape, UnsupportedError, is_basic

# these operators on Python floats round as numpy does and raise no exception; division and powers may raise one
_REDUCTIONS = (np.sum, np.mean)
_INFIX = {np.add: "+", np.subtract: "-", np.multiply: "*"}


class Program:
    """The two stages of a tape as functions.

    Attributes
    ----------
    once : callable
        once(\\*inputs) -> (outputs that do not depend on v, residuals); inputs in the tape's order. None if x takes
        another path than the recorded one.
    per_direction : callable or None
        per_direction(residuals, v) -> the output that depends on v; None if no output does.
    residuals : list of Instruction
        The values of the first stage that the second stage reads.
    fresh : tuple of bool
        For each output whether it is a new array: not an input, not a constant, not a view.
    source : str
        The generated code.
    """

    __slots__ = ("_rounded", "_writer", "fresh", "once", "per_direction", "residuals", "source")

    def __init__(self, tape: Tape) -> None:
        writer = _Writer(tape)
        self.residuals = writer.residuals
        kept = {residual.id for residual in self.residuals}
        self.fresh = tuple(_is_fresh(tape, output, kept) for output in tape.outputs)
        self.source = writer.source()
        scope: dict[str, Any] = dict(writer.constants)
        exec(compile(self.source, "<tape>", "exec"), scope)
        self.once: Callable[..., Any] = scope["once"]
        self.per_direction: Callable[..., Any] | None = scope.get("per_direction")
        self._writer = writer
        self._rounded: Callable[..., Any] | None = None

    def rounded(self, perturb: Callable[[Any], Any], *inputs: Any) -> tuple[Any, ...]:
        """All outputs, with every floating-point intermediate value passed through ``perturb``: for rounding errors.

        The inputs come in the order of the tape, the direction included. This is Monte Carlo arithmetic (Parker, 1997).
        """
        if self._rounded is None:
            source = self._writer.rounded_source()
            scope: dict[str, Any] = dict(self._writer.constants)
            exec(compile(source, "<rounded tape>", "exec"), scope)
            self._rounded = scope["rounded"]
        return self._rounded(perturb, *inputs)  # type: ignore[no-any-return]


class _Writer:
    """Turns the instructions of one tape into source text."""

    def __init__(self, tape: Tape) -> None:
        if any(guard.depends_on_v for guard in tape.guards):
            raise UnsupportedError("a branch depends on the direction of a product")
        self.tape = tape
        self.constants: dict[str, Any] = {"zeros": np.zeros, "add_at": np.add.at}
        self._names: dict[int, str] = {}
        self.uses = Counter(source.id for i in tape.instructions for source in i.sources())
        # the result of an operation with a Python float keeps single precision; with a numpy double it does not
        self.doubles = not any(i.dtype in (np.float32, np.float16) for i in tape.instructions)
        self.kept = {out.id for out in tape.outputs if isinstance(out, Instruction)}
        read = {s.id: s for i in tape.instructions if i.depends_on_v for s in i.sources() if not s.depends_on_v}
        self.residuals = [read[number] for number in sorted(read)]

    def _direction(self) -> Instruction | None:
        return next((i for i in self.tape.inputs.values() if i.depends_on_v), None)

    def source(self) -> str:
        """The text of ``once``, and of ``per_direction`` if the tape has a direction."""
        inputs = [i for i in self.tape.inputs.values() if not i.depends_on_v]
        fixed = [out for out in self.tape.outputs if not _varies(out)]
        residuals = _tuple([self.name(r) for r in self.residuals])
        lines = [f"def once({', '.join(map(self.name, inputs))}):"]
        lines += self._body(depends_on_v=False)
        lines.append(f"    return {_tuple([self.name(out) for out in fixed])}, {residuals}")
        v = self._direction()
        if v is not None:
            lines.append(f"def per_direction(residuals, {self.name(v)}):")
            if self.residuals:
                lines.append(f"    {residuals} = residuals")
            lines += self._body(depends_on_v=True)
            (varying,) = [out for out in self.tape.outputs if _varies(out)] or [self.tape.outputs[-1]]
            lines.append(f"    return {self.name(varying)}")
        return "\n".join(lines) + "\n"

    def rounded_source(self) -> str:
        """The text of ``rounded``: both stages in one function, with a call of ``perturb`` after each instruction."""
        inputs = [self.name(i) for i in self.tape.inputs.values()]
        lines = [f"def rounded({', '.join(['perturb', *inputs])}):"]
        for i in self.tape.instructions:
            if i.op is not INPUT:
                lines += [f"    {line}" for line in self._statement(i)]
            if i.dtype is not None and i.dtype.kind == "f":
                lines.append(f"    {self.name(i)} = perturb({self.name(i)})")
        lines.append(f"    return {_tuple([self.name(out) for out in self.tape.outputs])}")
        return "\n".join(lines) + "\n"

    def _body(self, *, depends_on_v: bool) -> list[str]:
        lines: list[str] = []
        for i in self.tape.instructions:
            if i.op is not INPUT and i.depends_on_v is depends_on_v:
                lines += [f"    {line}" for line in self._statement(i)]
            # the guards come first: what follows may raise on another path
            if not depends_on_v and i in self.tape.guards:
                lines.append(f"    if {'not ' if self.tape.guards[i] else ''}{self.name(i)}: return None")
        return lines

    def _statement(self, i: Instruction) -> list[str]:
        target, op, args = self.name(i), i.op, i.args
        if op is GETITEM:
            source, index = args
            if self.doubles and type(index) is int and _is_float_vector(source):
                return [f"{target} = {self.name(source)}.item({index})"]
            return [f"{target} = {self.name(source)}[{self.name(index)}]"]
        if op is SCATTER:
            return self._scatter(i)
        if i.shape == () and i.dtype == np.float64 and not i.kwargs:
            if op in _INFIX and all(_is_scalar(arg) for arg in args):
                return [f"{target} = {self.name(args[0])} {_INFIX[op]} {self.name(args[1])}"]
            if op is np.negative and _is_scalar(args[0]):
                return [f"{target} = -{self.name(args[0])}"]
        if op in _REDUCTIONS and len(args) == 1 and set(i.kwargs) <= {"axis", "keepdims"}:
            # the dispatch of np.sum and np.mean to this call takes longer than the call itself at n = 1000
            options = {"axis": None, **i.kwargs}
            given = ", ".join(f"{key}={self.name(value)}" for key, value in options.items())
            total = f"{target} = {self.name(np.add.reduce)}({self.name(args[0])}, {given})"
            if op is np.sum:
                return [total]
            return [total, f"{target} = {target} / {float(_count(args[0], i))!r}"]
        named = [self.name(arg) for arg in args] + [f"{key}={self.name(arg)}" for key, arg in i.kwargs.items()]
        return [f"{target} = {self.name(op)}({', '.join(named)})"]

    def _scatter(self, i: Instruction) -> list[str]:
        previous, x, index, shape = i.args
        target = self.name(i)
        basic = not isinstance(index, Instruction) and is_basic(index)
        if previous is None:
            lines = [f"{target} = zeros({shape!r})"]
            if basic:
                return [*lines, f"{target}[{self.name(index)}] = {self.name(x)}"]
        elif self._may_overwrite(previous, i):
            lines = [f"{target} = {self.name(previous)}"]
        else:
            lines = [f"{target} = {self.name(previous)}.copy()"]
        if basic:
            return [*lines, f"{target}[{self.name(index)}] += {self.name(x)}"]
        return [*lines, f"add_at({target}, {self.name(index)}, {self.name(x)})"]

    def _may_overwrite(self, previous: Any, i: Instruction) -> bool:
        """Whether the array to which this instruction adds is new, and no other instruction reads it."""
        return may_overwrite(previous, i, self.uses, self.kept)

    def name(self, arg: Any) -> str:
        """The name of a value, a number as a literal, or the name of a constant."""
        if isinstance(arg, Instruction):
            return f"t{arg.id}"
        if arg is None or type(arg) in (bool, int) or (type(arg) is float and math.isfinite(arg)):
            return repr(arg) if not isinstance(arg, float | int) or arg >= 0 else f"({arg!r})"
        if id(arg) not in self._names:
            self._names[id(arg)] = f"c{len(self._names)}"
            self.constants[self._names[id(arg)]] = arg
        return self._names[id(arg)]


def _count(source: Any, mean: Instruction) -> int:
    """The number of entries in a mean."""
    size = math.prod(source.shape) if isinstance(source, Instruction) else np.size(source)
    return int(size // max(math.prod(mean.shape), 1))


def _is_float_vector(source: Any) -> bool:
    """Whether ``item`` returns Python floats; entries of other dtypes follow other rules of arithmetic."""
    return isinstance(source, Instruction) and len(source.shape) == 1 and source.dtype == np.float64


def _is_scalar(arg: Any) -> bool:
    """Whether the value is one float at run time, so that an operator can replace a ufunc."""
    return type(arg) is float or (isinstance(arg, Instruction) and arg.shape == () and arg.dtype == np.float64)


def may_overwrite(previous: Any, i: Instruction, uses: Counter[int], kept: set[int]) -> bool:
    """Whether a SCATTER may add in place: its target is the new result of another one, and nothing else reads it."""
    return (
        isinstance(previous, Instruction)
        and previous.op is SCATTER
        and uses[previous.id] == 1
        and previous.id not in kept
        and previous.depends_on_v is i.depends_on_v
    )


def _is_fresh(tape: Tape, output: Any, kept: set[int]) -> bool:
    """Whether an output is at each call a new array of the input's shape, with no other reference to it."""
    if not isinstance(output, Instruction) or output.shape != tape.inputs["x"].shape or output.id in kept:
        return False
    if sum(other is output for other in tape.outputs) > 1:
        return False
    made = output.op is SCATTER or isinstance(output.op, np.ufunc) or output.op in (np.dot, np.outer)
    return made and output.dtype == np.float64


def _varies(output: Any) -> bool:
    return isinstance(output, Instruction) and output.depends_on_v


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)},)" if names else "()"
