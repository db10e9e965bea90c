"""The tape: a recording as straight-line code, without unused, repeated and superfluous operations.

Each instruction calls one numpy function on earlier values and constants. Instructions that depend on the direction v
of a Hessian-vector product are marked. The others run only once for each x.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from autograd.core import SparseObject, VSpace, sparse_add
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vjps import dot_adjoint_0, dot_adjoint_1, untake
from autograd.numpy.numpy_vspaces import ArrayVSpace

from newtonkit.derivatives.tape.recording import RecordedNode, Recording

INPUT, GETITEM, SCATTER = "input", "getitem", "scatter"
"""Operations that are not numpy functions: a runtime input; a[index]; zeros(shape) or an array, plus x at index."""

MAX_COMPARED_BYTES = 4096  # larger constants are compared by identity in the search for common subexpressions

_ADD, _MUT_ADD = VSpace.add.fun, VSpace.mut_add.fun
_COVECTOR, _SCALAR_MUL, _INNER_PROD = VSpace.covector.fun, VSpace.scalar_mul.fun, VSpace.inner_prod.fun
_GETITEM, _UNTAKE, _SPARSE_ADD = ArrayBox.__getitem__.fun, untake.fun, sparse_add.fun

_RIGHT_IDENTITIES = frozenset({(np.divide, 1.0), (np.add, 0.0), (np.subtract, 0.0), (np.power, 1.0)})

ELEMENTWISE_BINARY = frozenset(
    {
        np.add,
        np.subtract,
        np.multiply,
        np.divide,
        np.power,
        np.maximum,
        np.minimum,
        np.fmax,
        np.fmin,
        np.greater,
        np.greater_equal,
        np.less,
        np.less_equal,
        np.equal,
        np.not_equal,
        np.logaddexp,
        np.arctan2,
    }
)


class UnsupportedError(Exception):
    """The recording contains something that a tape does not support: complex numbers, gradients of containers."""


class Instruction:
    """value = op(*args, **kwargs): args hold `Instruction` objects for earlier values, and constants."""

    __slots__ = ("args", "depends_on_v", "dtype", "id", "kwargs", "op", "shape")

    def __init__(
        self, number: int, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shape: tuple[int, ...], dtype: Any
    ) -> None:
        self.id = number
        self.op = op
        self.args = args
        self.kwargs = kwargs
        self.shape = shape
        self.dtype = dtype
        self.depends_on_v: bool = any(source.depends_on_v for source in self.sources())

    def sources(self) -> list[Instruction]:
        """The earlier values that it reads."""
        return [arg for arg in self.args if isinstance(arg, Instruction)]

    def __repr__(self) -> str:
        args = ", ".join(f"t{arg.id}" if isinstance(arg, Instruction) else repr(arg) for arg in self.args)
        name = self.op if isinstance(self.op, str) else getattr(self.op, "__name__", repr(self.op))
        return f"t{self.id} = {name}({args}) {self.shape}"


class Tape:
    """Straight-line code for a recording.

    Parameters
    ----------
    recording : Recording
    directions : sequence of str
        Names of the inputs that are directions v.

    Attributes
    ----------
    instructions : list of Instruction
        Only those that contribute to an output, and the inputs, in an order in which they can run.
    inputs : dict of str to Instruction
    outputs : list
        `Instruction` objects, or constants.
    guards : dict of Instruction to bool
        The truth values of this path. Arithmetic is not simplified then: guards round as the function's calls do.

    Raises
    ------
    UnsupportedError
        If the recording contains something that a tape does not support.
    """

    def __init__(self, recording: Recording, directions: Sequence[str] = ()) -> None:
        self._all: list[Instruction] = []
        self._common: dict[Any, Instruction] = {}
        self._lowered: dict[RecordedNode, Any] = {}
        self._exact = bool(recording.guards)
        self.inputs = {}
        for name, node in recording.inputs.items():
            instruction = self._new(INPUT, (name,), {}, node.value)
            instruction.depends_on_v = name in directions
            self.inputs[name] = self._lowered[node] = instruction
        ends = [*recording.outputs, *(node for node, _ in recording.guards)]
        needed = _ancestors([end for end in ends if isinstance(end, RecordedNode)])
        for node in recording.nodes:
            if node in needed:
                self._lowered[node] = self._lower(node)
        self.outputs = [self._lowered[out] if isinstance(out, RecordedNode) else out for out in recording.outputs]
        for output in self.outputs:
            if isinstance(output, _Sparse):
                raise UnsupportedError("a sparse gradient was not added up")
        lowered = ((self._lowered[node], truth) for node, truth in recording.guards)
        self.guards = {guard: truth for guard, truth in lowered if isinstance(guard, Instruction)}
        self.instructions = self._live()
        del self._all, self._common, self._lowered

    # --- building -------------------------------------------------------------------------------------------

    def _new(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> Instruction:
        dtype = None if isinstance(value, SparseObject | tuple | list | dict) else np.result_type(value)
        if dtype is not None and dtype.kind == "c":
            raise UnsupportedError("complex numbers")
        shape = () if dtype is None else np.shape(value)
        instruction = Instruction(len(self._all), op, args, kwargs, shape, dtype)
        self._all.append(instruction)
        return instruction

    def _emit(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> Instruction:
        """A new instruction, or an existing one that computes the same value."""
        key = (op, tuple(map(_key, args)), tuple(sorted((name, _key(arg)) for name, arg in kwargs.items())))
        try:
            known = self._common.get(key)
        except TypeError:  # an argument is not hashable
            return self._new(op, args, kwargs, value)
        if known is None:
            known = self._common[key] = self._new(op, args, kwargs, value)
        return known

    def _live(self) -> list[Instruction]:
        live: set[int] = set()
        stack = [*self.guards, *(output for output in self.outputs if isinstance(output, Instruction))]
        while stack:
            instruction = stack.pop()
            if instruction.id not in live:
                live.add(instruction.id)
                stack += instruction.sources()
        return [i for i in self._all if i.id in live or i.op is INPUT]

    # --- from autograd's calls to numpy's ---------------------------------------------------------------------

    def _lower(self, node: RecordedNode) -> Any:
        """The instruction for a call, or an existing value equal to its result."""
        args, value = list(node.args), node.value
        for number, parent in zip(node.argnums, node.parents, strict=True):
            args[number] = self._lowered[parent]
        raw = node.fun.fun
        if raw in (_ADD, _MUT_ADD, _COVECTOR, _SCALAR_MUL, _INNER_PROD, _SPARSE_ADD):
            return self._lower_vector_space(raw, args, value)
        if raw is _UNTAKE:
            return _Sparse(args[0], args[1])
        if raw is _GETITEM:
            return self._emit(GETITEM, (args[0], args[1]), {}, value)
        if raw in (dot_adjoint_0.fun, dot_adjoint_1.fun) and not self._exact:
            raw, args = self._lower_dot_adjoint(raw, args)
        if raw in ELEMENTWISE_BINARY and len(args) == 2 and not node.kwargs:
            return self._simplified(raw, args[0], args[1], value)
        if raw is np.negative and isinstance(args[0], Instruction):
            inner = args[0]
            if inner.op is np.negative:
                return inner.args[0]
            if inner.op is np.multiply and type(inner.args[1]) is float:
                return self._emit(np.multiply, (inner.args[0], -inner.args[1]), {}, value)
        plain = set(node.kwargs) <= {"axis", "keepdims"}
        if raw is np.sum and plain and _is_double(args[0]) and getattr(args[0], "shape", None) == np.shape(value):
            return args[0]  # a sum over axes of length 1
        return self._emit(raw, tuple(args), dict(node.kwargs), value)

    def _lower_vector_space(self, raw: Any, args: list[Any], value: Any) -> Any:
        space, rest = args[0], args[1:]
        if space.iscomplex:
            raise UnsupportedError("complex numbers")
        if not isinstance(space, ArrayVSpace):  # tuples, such as the result of slogdet: the call is kept
            if raw is _MUT_ADD and rest[0] is None:
                return rest[1]
            return self._new(_ADD if raw is _MUT_ADD else raw, tuple(args), {}, value)
        if raw is _COVECTOR:
            return rest[0]
        if raw is _SCALAR_MUL:
            return self._simplified(np.multiply, rest[0], rest[1], value)
        if raw is _INNER_PROD:
            product = self._emit(np.multiply, tuple(rest), {}, np.empty(space.shape))
            return self._emit(np.sum, (product,), {}, value)
        if raw is _SPARSE_ADD:
            sparse = rest[1]
            if isinstance(sparse, SparseObject):  # a constant
                constant = sparse.mut_add(np.zeros(space.shape))
                return constant if rest[0] is None else self._simplified(np.add, rest[0], constant, value)
            if not isinstance(sparse, _Sparse):
                raise UnsupportedError("a sparse gradient of unknown origin")
            return self._new(SCATTER, (rest[0], sparse.x, sparse.index, tuple(space.shape)), {}, value)
        if rest[0] is None:
            return rest[1]
        return self._simplified(np.add, rest[0], rest[1], value)

    def _lower_dot_adjoint(self, raw: Any, args: list[Any]) -> tuple[Any, list[Any]]:
        """The adjoints of ``dot``, for which autograd uses ``tensordot``, as plain products."""
        other, G = args[0], args[1]
        dims = (args[2][1], args[3][1])
        if raw is dot_adjoint_1.fun and dims == (2, 1):
            return np.dot, [G, other]
        if raw is dot_adjoint_1.fun and dims == (2, 2):
            return np.dot, [self._transposed(other), G]
        if raw is dot_adjoint_0.fun and dims == (2, 2):
            return np.dot, [G, self._transposed(other)]
        if raw is dot_adjoint_0.fun and dims == (2, 1):
            return np.outer, [G, other]
        if dims == (1, 2):
            return (np.dot, [other, G]) if raw is dot_adjoint_0.fun else (np.outer, [other, G])
        if dims == (1, 1):
            return np.multiply, [other, G]
        return raw, args

    def _transposed(self, A: Any) -> Any:
        if isinstance(A, Instruction):
            return self._emit(np.transpose, (A,), {}, np.empty(A.shape[::-1]))
        return np.asarray(A).T

    def _simplified(self, op: Any, a: Any, b: Any, value: Any) -> Any:
        """a op b, with constants as Python floats, and simplified by identities."""
        shape = np.shape(value)
        if self._exact or np.result_type(value) != np.float64 or not (_is_double(a) and _is_double(b)):
            return self._emit(op, (a, b), {}, value)  # other dtypes follow other rules
        a, b = _as_float(a, b, shape), _as_float(b, a, shape)
        if op is np.add and isinstance(a, Instruction) and isinstance(b, Instruction):
            if _adds_to_zero(b) and a.op is SCATTER and a.shape == b.shape:
                return self._new(SCATTER, (a, *b.args[1:]), {}, value)  # no array of zeros in between
            if b.op is np.negative and a.shape == b.shape:
                return self._emit(np.subtract, (a, b.args[0]), {}, value)
        if op is np.multiply:
            if type(a) is float:
                a, b = b, a
            if type(b) is float and isinstance(a, Instruction):
                if b == 1.0:
                    return a
                if a.op is np.negative:
                    return self._emit(op, (a.args[0], -b), {}, value)
                if a.op is np.multiply and type(a.args[1]) is float:
                    return self._emit(op, (a.args[0], b * a.args[1]), {}, value)
        elif type(b) is float and (op, b) in _RIGHT_IDENTITIES:
            return a
        elif op is np.add and type(a) is float and a == 0.0:
            return b
        elif op is np.power and type(b) is float and isinstance(a, Instruction):
            if b == 2.0:
                return self._emit(np.multiply, (a, a), {}, value)
            if b == 3.0:
                return self._emit(np.multiply, (self._emit(np.multiply, (a, a), {}, value), a), {}, value)
            if b == 0.0:
                return np.ones(shape)
        return self._emit(op, (a, b), {}, value)


class _Sparse:
    """x at an index, zero elsewhere: the gradient of indexing, before it is added to another gradient."""

    __slots__ = ("index", "x")

    def __init__(self, x: Any, index: Any) -> None:
        self.x = x
        self.index = np.array(index, dtype=np.int64) if isinstance(index, list) else index


def _is_double(arg: Any) -> bool:
    return not isinstance(arg, Instruction) or arg.dtype == np.float64


def _adds_to_zero(i: Instruction) -> bool:
    return i.op is SCATTER and i.args[0] is None


def is_basic(index: Any) -> bool:
    """Whether an index consists of slices, integers, None and ``...`` only, so that it selects no element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, slice | int | np.integer) for part in parts)


def _ancestors(nodes: list[RecordedNode]) -> set[RecordedNode]:
    found: set[RecordedNode] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack += node.parents
    return found


def _as_float(arg: Any, other: Any, shape: tuple[int, ...]) -> Any:
    """A constant with equal entries as a Python float, if the result has the shape of the other operand."""
    if isinstance(arg, Instruction | bool) or not isinstance(other, Instruction):
        return arg
    if isinstance(arg, int | float | np.floating | np.integer):
        return float(arg) if other.shape == shape else arg
    if isinstance(arg, np.ndarray) and arg.dtype.kind == "f" and arg.size and other.shape == shape:
        first = arg.flat[0]
        if (arg == first).all():
            return float(first)
    return arg


def _key(arg: Any) -> Any:
    """A hashable key that is equal for equal arguments."""
    if isinstance(arg, Instruction):
        return "value", arg.id
    if isinstance(arg, np.ndarray):
        if arg.nbytes <= MAX_COMPARED_BYTES:
            return "array", arg.shape, arg.dtype.str, arg.tobytes()
        return "object", id(arg)
    if isinstance(arg, slice):
        return "slice", arg.start, arg.stop, arg.step
    if isinstance(arg, tuple | list):
        return type(arg), tuple(map(_key, arg))
    if isinstance(arg, float):
        return "float", arg.hex()  # distinguishes 0.0 from -0.0
    try:
        hash(arg)
    except TypeError:
        return "object", id(arg)
    return type(arg), arg


def function_name(op: Any) -> str:
    """The name of an operation, for messages."""
    return op if isinstance(op, str) else getattr(op, "__name__", repr(op))
