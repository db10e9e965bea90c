"""Tapes of one function: f with its gradient, and the map v ↦ ∇²f(x)·v."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.differential_operators import make_jvp, make_vjp

from newtonkit.derivatives.autograd.tracing import pullback, unit
from newtonkit.derivatives.pytree import is_input
from newtonkit.derivatives.tape.batching import BatchedStage
from newtonkit.derivatives.tape.code_generation import Program
from newtonkit.derivatives.tape.graph import Tape
from newtonkit.derivatives.tape.recording import record
from newtonkit.linalg.kernels import Vector


def gradient_program(fun: Callable[..., Any], x: Vector, args: tuple[Any, ...]) -> Program:
    """(f, ∇f) as a numpy program; the caller holds `trace_lock`."""
    function, names = _with_inputs(fun, args)
    return Program(Tape(record(_gradient(function), _inputs(x, args, names), branches=True)))


def value_program(fun: Callable[..., Any], x: Vector, args: tuple[Any, ...]) -> Program:
    """f alone as a numpy program; the caller holds `trace_lock`."""
    function, names = _with_inputs(fun, args)
    run = record(lambda x, **inputs: (function(x, inputs),), _inputs(x, args, names), branches=True)
    return Program(Tape(run))


def product_program(fun: Callable[..., Any], x: Vector, args: tuple[Any, ...]) -> tuple[Program, BatchedStage]:
    """(f, ∇f, v ↦ ∇²f·v) as a numpy program, for one direction or many; the caller holds `trace_lock`."""
    function, names = _with_inputs(fun, args)
    inputs = _inputs(x, args, names) | {"v": np.ones_like(x)}
    try:
        recording = record(_forward_over_reverse(function), inputs, branches=True)
    except Exception:  # a primitive has no forward rule, or its forward rule requires values
        recording = record(_reverse_over_reverse(function), inputs, branches=True)
    tape = Tape(recording, directions=("v",))
    program = Program(tape)
    return program, BatchedStage(tape, program.residuals)


def jacobian_program(fun: Callable[..., Any], x: Vector, args: tuple[Any, ...]) -> tuple[Program, BatchedStage]:
    """(r, v ↦ J·v) of a vector-valued function as a numpy program; the caller holds `trace_lock`."""
    function, names = _with_inputs(fun, args)

    def run(x: Any, v: Any, **inputs: Any) -> tuple[Any, Any]:
        return tuple(make_jvp(lambda z: function(z, inputs))(x)(v))

    tape = Tape(record(run, _inputs(x, args, names) | {"v": np.ones_like(x)}), directions=("v",))
    program = Program(tape)
    return program, BatchedStage(tape, program.residuals)


def _inputs(x: Vector, args: tuple[Any, ...], names: dict[int, str]) -> dict[str, Any]:
    return {"x": x.copy()} | {name: args[i] for i, name in names.items()}


def _with_inputs(fun: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Callable[..., Any], dict[int, str]]:
    """fun as a function of x and of its named runtime inputs, and the names by position in ``args``."""
    names = {i: f"input{i}" for i, arg in enumerate(args) if is_input(arg)}

    def function(x: Any, inputs: dict[str, Any]) -> Any:
        return fun(x, *[inputs[names[i]] if i in names else arg for i, arg in enumerate(args)])

    return function, names


def _gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, **inputs: Any) -> tuple[Any, Any]:
        value, back = pullback(lambda z: function(z, inputs), x)
        return value, back(unit(value))

    return run


def _forward_over_reverse(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, v: Any, **inputs: Any) -> tuple[Any, Any, Any]:
        values = []

        def gradient(z: Any) -> Any:
            value, back = pullback(lambda y: function(y, inputs), z)
            values.append(value)
            return back(unit(value))

        g, Hv = make_jvp(gradient)(x)(v)
        return values[0], g, Hv

    return run


def _reverse_over_reverse(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, v: Any, **inputs: Any) -> tuple[Any, Any, Any]:
        values = []

        def gradient(z: Any) -> Any:
            value, back = pullback(lambda y: function(y, inputs), z)
            values.append(value)
            return back(unit(value))

        back, g = make_vjp(gradient)(x)
        return values[0], g, back(v)

    return run
