"""Recording: autograd runs once under an outer tracer, which writes down every numpy call it makes.

The outer trace sees the calls of the function *and*, since autograd's reverse pass is made of traceable calls itself,
those of the derivative. autograd remains what computes derivatives; a `Recording` is what it did.

While a recording is being made, its boxes refuse every conversion to a Python number: a decision that depends on the
values of x (an ``if``, a loop's end, an index) would otherwise be frozen into the recording.
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
    """The calls so far, and whether a value was asked for on the way."""

    refused = False


class RecordedNode(Node):  # type: ignore[misc]
    """One call: the function, its arguments, which of them were recorded before, and the value it gave."""

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
                f"the length of what {getattr(fun, '__name__', fun)} gives depends on the values of x; use np.where"
            )

    def initialize_root(self, value: Any, recorder: Recorder) -> None:
        """A runtime input."""
        self.value, self.fun, self.args, self.kwargs = value, None, (), {}
        self.argnums, self.parents = (), ()
        self.recorder = recorder


def _shape_depends_on_values(
    function: Any, argnums: tuple[int, ...], parents: tuple[RecordedNode, ...], count: int
) -> bool:
    """Whether another x would give a result of another shape: a selection by a mask, nonzero, unique …"""
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
# the arguments that are sizes
_SIZES: dict[Any, tuple[int, ...]] = {
    **dict.fromkeys((np.ones, np.zeros, np.empty, np.full, np.identity), (0,)),
    **dict.fromkeys((np.eye, np.tri, np.arange), (0, 1, 2)),
    np.linspace: (2,),
    **dict.fromkeys((np.repeat, np.tile, np.reshape, np.broadcast_to, np.pad, np.split, np.array_split), (1,)),
}


class GuardedBox(ArrayBox):  # type: ignore[misc]
    """autograd's box of an array in a recording; it has a shape and a dtype, but keeps its values to itself."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> Any:
        # remembered, for the function may catch every exception and take another way
        recorded_node(self).recorder.refused = True
        raise ValueDependentError(_REFUSAL)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple) and any(map(isbox, index)):
            # a tuple hides what is in it, labels for instance, from the trace
            index = make_sequence(tuple, *index)
        return super().__getitem__(index)

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __array__ = item = tolist = _refuse
    __str__ = __repr__ = __format__ = __hash__ = _refuse


class Recording:
    """The calls in the order in which they were made, the inputs, and the outputs (nodes, or constants)."""

    __slots__ = ("inputs", "nodes", "outputs")

    def __init__(self, nodes: list[RecordedNode], inputs: dict[str, RecordedNode], outputs: list[Any]) -> None:
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs


def record(function: Callable[..., Any], inputs: Mapping[str, Any]) -> Recording:
    """What ``function(**inputs)``, which returns a tuple, does with numpy.

    The caller holds the lock on traces.

    Parameters
    ----------
    function : callable
        May use autograd inside.
    inputs : mapping of str to ndarray or float
        The values at which it is run; runtime inputs of the recording.

    Raises
    ------
    ValueDependentError
        Where Python asks for a value.
    Exception
        Whatever autograd cannot trace.
    """
    recorder = Recorder()
    height = trace_stack.top
    try:
        with warnings.catch_warnings(), _guarded_boxes(), _pure_sums(), trace_stack.new_trace() as trace:
            warnings.simplefilter("ignore")  # autograd warns of outputs that do not depend on x: a linear f has some
            roots = {name: RecordedNode.new_root(value, recorder) for name, value in inputs.items()}
            boxes = {name: new_box(value, trace, roots[name]) for name, value in inputs.items()}
            outputs = [recorded_node(output) for output in function(**boxes)]
    finally:
        trace_stack.top = height
    if recorder.refused:
        raise ValueDependentError(_REFUSAL)
    return Recording(recorder, roots, outputs)


def recorded_node(value: Any) -> Any:
    """The node of a value of the recording, whatever autograd has wrapped it in since; a constant stays as it is."""
    while isbox(value) and type(value._node) is not RecordedNode:
        value = value._value
    return value._node if isbox(value) else value


@contextmanager
def _pure_sums() -> Iterator[None]:
    """autograd adds gradients up in place, which would change arrays that the recording keeps as constants."""
    in_place, sparse = VSpace._mut_add, SparseObject.__init__

    def added(self: Any, x: Any, y: Any) -> Any:
        return x + y

    def copying(self: Any, space: Any, mut_add: Callable[[Any], Any]) -> None:
        # a tuple is not changed, and its entries are added by ``added``
        sparse(self, space, lambda A: mut_add(A.copy() if isinstance(A, np.ndarray) else A))

    VSpace._mut_add, SparseObject.__init__ = added, copying
    try:
        yield
    finally:
        VSpace._mut_add, SparseObject.__init__ = in_place, sparse


# what depends on shapes only is a constant of the recording
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
    """autograd's table of boxes, changed so that nodes of a recording get a `GuardedBox`, others the usual one."""
    mappings = Box.type_mappings
    before = dict(mappings)

    def boxes_for(usual: Any) -> Callable[[Any, int, Any], Any]:
        def box(value: Any, trace: int, node: Any) -> Any:
            if type(node) is RecordedNode:
                return GuardedBox(value, trace, node)
            if usual is None:
                raise KeyError(type(value))  # what the table itself would have said
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
        # entry by entry: other threads may be looking
        for kind in (*arrays, *_NEVER_BOXED):
            if kind in before:
                mappings[kind] = before[kind]
            else:
                mappings.pop(kind, None)
        if GuardedBox not in before:  # the outermost recording
            mappings.pop(GuardedBox, None)
            Box.types.discard(GuardedBox)
