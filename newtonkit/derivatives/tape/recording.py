"""Recording: autograd runs once under an outer tracer that records every numpy call.

The outer trace sees the calls of the function. It also sees those of the derivative, since the reverse pass of autograd
consists of traceable calls. The derivatives are still computed by autograd; a `Recording` is the list of its calls.

During a recording the boxes refuse every conversion to a Python number. Otherwise a decision that depends on the values
of x (an index, for example) would be fixed in the recording. A truth value (an ``if``, the end of a loop) is refused
too, or it is noted as a guard: the recording is then that of one path, and holds wherever all guards have these values.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.builtins import make_sequence
from autograd.core import SparseObject, VSpace
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import Box, Node, isbox, new_box, register_notrace, trace_stack


class ValueDependentError(Exception):
    """Python control flow, or a conversion, that depends on the values of x."""


_REFUSAL = "Python control flow or a conversion depends on the values of x"


class Recorder(list["RecordedNode"]):
    """The calls so far, the truth values that were read, and whether a conversion to a Python number was refused."""

    refused = False

    def __init__(self, *, branches: bool) -> None:
        super().__init__()
        self.branches = branches
        self.guards: list[tuple[RecordedNode, bool]] = []


class RecordedNode(Node):  # type: ignore[misc]
    """One call: the function, its arguments, the arguments that are recorded values, and the result."""

    __slots__ = ("argnums", "args", "fun", "kwargs", "parents", "recorder", "value")

    def __init__(
        self,
        value: Any,
        fun: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: tuple[int, ...],
        parents: tuple[RecordedNode, ...],
    ) -> None:
        self.value, self.fun, self.args, self.kwargs = value, fun, args, kwargs
        self.argnums, self.parents = argnums, parents
        self.recorder: Recorder = parents[0].recorder
        self.recorder.append(self)
        if _shape_depends_on_values(fun.fun, argnums, parents, len(args)):
            self.recorder.refused = True
            raise ValueDependentError(
                f"the length of the result of {getattr(fun, '__name__', fun)} depends on the values of x; use np.where"
            )

    def initialize_root(self, value: Any, recorder: Recorder) -> None:
        """A runtime input."""
        self.value, self.fun, self.args, self.kwargs = value, None, (), {}
        self.argnums, self.parents = (), ()
        self.recorder = recorder


def _shape_depends_on_values(
    function: Any, argnums: tuple[int, ...], parents: tuple[RecordedNode, ...], count: int
) -> bool:
    """Whether the shape of the result depends on the values of x: a selection by a mask, nonzero, unique …"""
    function = getattr(function, "fun", function)
    if function in _SHAPES_BY_VALUE or (function is np.where and count == 1):
        return True
    if any(number in argnums for number in _SIZES.get(function, ())):
        return True
    if function is not _GETITEM:
        return False
    by_number = dict(zip(argnums, parents, strict=True))
    if 1 not in by_number:
        return False
    index = by_number[1].value
    return any(np.asarray(part).dtype == np.bool_ for part in (index if isinstance(index, tuple) else (index,)))


_GETITEM = ArrayBox.__getitem__.fun
_SHAPES_BY_VALUE = frozenset(
    {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.trim_zeros, np.delete}
)
# positions of the arguments that are sizes
_SIZES: dict[Any, tuple[int, ...]] = {
    **dict.fromkeys((np.ones, np.zeros, np.empty, np.full, np.identity), (0,)),
    **dict.fromkeys((np.eye, np.tri, np.arange), (0, 1, 2)),
    np.linspace: (2,),
    **dict.fromkeys((np.repeat, np.tile, np.reshape, np.broadcast_to, np.pad, np.split, np.array_split), (1,)),
}


class GuardedBox(ArrayBox):  # type: ignore[misc]
    """autograd's box of an array in a recording; shape and dtype can be read, the values cannot."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> Any:
        # recorded, since the function may catch the exception and continue on another branch
        recorded_node(self).recorder.refused = True
        raise ValueDependentError(_REFUSAL)

    def __bool__(self) -> bool:
        node = recorded_node(self)
        if not node.recorder.branches:
            self._refuse()
        truth = bool(node.value)
        node.recorder.guards.append((node, truth))
        return truth

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple) and any(map(isbox, index)):
            # the trace does not see the entries of a plain tuple (labels, for example)
            index = make_sequence(tuple, *index)
        return super().__getitem__(index)

    __float__ = __int__ = __index__ = __complex__ = __array__ = item = tolist = _refuse
    __str__ = __repr__ = __format__ = __hash__ = _refuse


class Recording:
    """The calls in their order, the inputs, the outputs (nodes or constants), and the guards."""

    __slots__ = ("guards", "inputs", "nodes", "outputs")

    def __init__(self, nodes: Recorder, inputs: dict[str, RecordedNode], outputs: list[Any]) -> None:
        self.nodes: list[RecordedNode] = nodes
        self.guards = nodes.guards
        self.inputs = inputs
        self.outputs = outputs


def record(function: Callable[..., Any], inputs: Mapping[str, Any], *, branches: bool = False) -> Recording:
    """The numpy calls of ``function(**inputs)``, which returns a tuple.

    The caller holds `trace_lock`.

    Parameters
    ----------
    function : callable
        May use autograd inside.
    inputs : mapping of str to ndarray or float
        The values at which the function is run; the runtime inputs of the recording.
    branches : bool, default False
        Whether the function may read truth values, so that the recording is that of one path, with guards.

    Raises
    ------
    ValueDependentError
        If the function requests a Python number.
    Exception
        If autograd cannot trace the function: the exception of autograd.
    """
    recorder = Recorder(branches=branches)
    height = trace_stack.top
    try:
        with warnings.catch_warnings(), _guarded_boxes(), _pure_sums(), trace_stack.new_trace() as trace:
            warnings.simplefilter("ignore")  # autograd warns of outputs that do not depend on x, as in a linear f
            roots = {name: RecordedNode.new_root(value, recorder) for name, value in inputs.items()}
            boxes = {name: new_box(value, trace, roots[name]) for name, value in inputs.items()}
            outputs = [recorded_node(output) for output in function(**boxes)]
    finally:
        trace_stack.top = height
    if recorder.refused:
        raise ValueDependentError(_REFUSAL)
    return Recording(recorder, roots, outputs)


def recorded_node(value: Any) -> Any:
    """The node of a recorded value, inside any boxes of inner traces; a constant is returned unchanged."""
    while isbox(value) and type(value._node) is not RecordedNode:
        value = value._value
    return value._node if isbox(value) else value


@contextmanager
def _pure_sums() -> Iterator[None]:
    """Make autograd add gradients out of place: otherwise it changes arrays that the recording keeps as constants."""
    in_place, sparse = VSpace._mut_add, SparseObject.__init__

    def added(self: Any, x: Any, y: Any) -> Any:
        return x + y

    def copying(self: Any, space: Any, mut_add: Callable[[Any], Any]) -> None:
        # a tuple is not changed; its entries are added by ``added``
        sparse(self, space, lambda A: mut_add(A.copy() if isinstance(A, np.ndarray) else A))

    VSpace._mut_add, SparseObject.__init__ = added, copying
    try:
        yield
    finally:
        VSpace._mut_add, SparseObject.__init__ = in_place, sparse


# a value that depends on shapes only is a constant of the recording
for _function in (anp.size, anp.ndim, anp.shape, anp.zeros_like, anp.ones_like, anp.empty_like, anp.isscalar):
    register_notrace(RecordedNode, _function)

_NEVER_BOXED = (
    bool,
    np.bool_,
    int,
    np.int32,
    np.int64,
)  # types that autograd has no box for, as they have no derivative


@contextmanager
def _guarded_boxes() -> Iterator[None]:
    """Change autograd's table of box types: nodes of a recording get a `GuardedBox`, others the usual box."""
    mappings = Box.type_mappings
    before = dict(mappings)

    def boxes_for(usual: Any) -> Callable[[Any, int, Any], Any]:
        def box(value: Any, trace: int, node: Any) -> Any:
            if type(node) is RecordedNode:
                return GuardedBox(value, trace, node)
            if usual is None:
                raise KeyError(type(value))  # as the table itself does
            return usual(value, trace, node)

        return box

    arrays = [kind for kind, usual in before.items() if usual is ArrayBox and kind is not ArrayBox]
    for kind in (*arrays, *_NEVER_BOXED):
        mappings[kind] = boxes_for(before.get(kind))
    mappings[GuardedBox] = GuardedBox
    Box.types.add(GuardedBox)
    try:
        yield
    finally:
        # entry by entry: other threads may read the table
        for kind in (*arrays, *_NEVER_BOXED):
            if kind in before:
                mappings[kind] = before[kind]
            else:
                mappings.pop(kind, None)
        if GuardedBox not in before:  # the outermost recording
            mappings.pop(GuardedBox, None)
            Box.types.discard(GuardedBox)
