"""The recorded graph of a function with a fact for every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.convex.call import Operand, keeps_order
from newtonkit.convex.curvature import Curvature
from newtonkit.convex.dispatch import apply_rule
from newtonkit.convex.domain import Conditions
from newtonkit.convex.facts import Fact, Multiple, Selection
from newtonkit.convex.ranges import Range
from newtonkit.derivatives.autograd.primitives import raw_function
from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.derivatives.tape.recording import RecordedNode, Recording, record
from newtonkit.linalg.kernels import Vector


class GraphError(Exception):
    """The graph cannot be used for a proof; the message is the reason."""


class Step(NamedTuple):
    """One call of the graph: its function, the steps of its operands, and what is known of its result."""

    name: str
    operands: tuple[int, ...]
    """Numbers of the steps that it takes; −1 is x."""
    fact: Fact
    shape: tuple[int, ...]


class Graph(NamedTuple):
    """All steps in order, the fact of the result, and the conditions on x."""

    steps: list[Step]
    result: Fact
    conditions: list[str]


def analysed_graph(fun: Callable[..., Any], x: Vector, args: tuple[Any, ...], bounds: Range) -> Graph:
    """Record fun twice, compare the recordings, and derive a fact for every call.

    A value that leaks from x into a constant differs between two points; then nothing is stated.

    Raises
    ------
    GraphError
        Where fun cannot be recorded, or its calls depend on the values of x.
    """
    first = _record(fun, x, args)
    # a second point that differs in every entry by its own amount
    other = x + 1e-3 * (1.0 + np.abs(x)) * np.cos(np.arange(1.0, x.size + 1.0))
    second = _record(fun, other, args)
    numbers: dict[Any, int] = {}
    keys, aliases = _keys(first, numbers)
    count = len(numbers)
    again, _ = _keys(second, numbers)
    if len(numbers) != count or list(keys.values()) != list(again.values()):
        raise GraphError("the calls, or constants in them, depend on the values of x")
    return _derive(first, x, bounds, keys, aliases)


def _record(fun: Callable[..., Any], x: Vector, args: tuple[Any, ...]) -> Recording:
    with trace_lock, np.errstate(all="ignore"):
        try:
            recording = record(lambda x: (fun(x, *args),), {"x": x.copy()})
        except Exception as error:
            raise GraphError(f"the function cannot be recorded: {error}") from error
    if not isinstance(recording.outputs[0], RecordedNode):
        raise GraphError("the value does not depend on x")
    if np.size(recording.outputs[0].value) != 1:
        raise GraphError("fun does not return one number")
    return recording


def _keys(recording: Recording, numbers: dict[Any, int]) -> tuple[dict[int, int], dict[int, int]]:
    """Structural numbers of all nodes: equal for equal calls on equal arguments; and the same up to unit axes."""
    root = recording.inputs["x"]
    keys = {id(root): numbers.setdefault("x", len(numbers))}
    aliases = dict(keys)
    for node in recording.nodes:
        positions = dict(zip(node.argnums, node.parents, strict=True))
        call = (
            raw_function(node.fun),
            tuple(
                ("node", keys[id(positions[i])]) if i in positions else _constant_key(argument)
                for i, argument in enumerate(node.args)
            ),
            tuple(sorted((name, _constant_key(value)) for name, value in node.kwargs.items())),
        )
        keys[id(node)] = numbers.setdefault(call, len(numbers))
        aliases[id(node)] = aliases[id(node.parents[0])] if keeps_order(node) else keys[id(node)]
    return keys, aliases


def _constant_key(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, hash(value.tobytes())
    if isinstance(value, tuple | list):
        return tuple(map(_constant_key, value))
    if isinstance(value, dict):
        return tuple((str(name), _constant_key(entry)) for name, entry in sorted(value.items(), key=str))
    if isinstance(value, float | int | str | bytes | type(None) | np.generic):
        return type(value).__name__, repr(value)
    return str(value)


def _derive(recording: Recording, x: Vector, bounds: Range, keys: dict[int, int], aliases: dict[int, int]) -> Graph:
    root = recording.inputs["x"]
    conditions = Conditions()
    indices = np.arange(x.size)
    facts: dict[int, Fact] = {
        id(root): Fact(
            Curvature.AFFINE, bounds, selection=Selection(indices, 1.0), multiple=Multiple(aliases[id(root)], 1.0)
        )
    }
    positions = {id(root): -1}
    steps: list[Step] = []
    for number, node in enumerate(recording.nodes):
        by_number = dict(zip(node.argnums, node.parents, strict=True))
        operands = [
            Operand(facts[id(by_number[i])], by_number[i].value, keys[id(by_number[i])], aliases[id(by_number[i])])
            if i in by_number
            else argument
            for i, argument in enumerate(node.args)
        ]
        fact = apply_rule(node, operands, aliases[id(node)], conditions, x.size)
        if fact.curvature is Curvature.AFFINE and fact.multiple is None:
            fact = fact.but(multiple=Multiple(aliases[id(node)], 1.0))
        facts[id(node)] = fact
        positions[id(node)] = number
        name = getattr(raw_function(node.fun), "__name__", str(node.fun))
        steps.append(Step(name, tuple(positions[id(p)] for p in node.parents), fact, np.shape(node.value)))
    return Graph(steps, facts[id(recording.outputs[0])], conditions.texts)
