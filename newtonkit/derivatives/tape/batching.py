"""H·V for many directions at once: the second stage of a tape with a leading axis of directions.

An instruction without a rule in this file is run once per direction, and the results are stacked: slow but correct.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.derivatives.tape.code_generation import may_overwrite
from newtonkit.derivatives.tape.graph import GETITEM, INPUT, SCATTER, Instruction, Tape, is_basic
from newtonkit.linalg.kernels import Matrix

# Directions in one block: as many as use 4 MiB of memory, at least 8 and at most 128. On chains of n = 10 … 1000,
# logistic regressions and a network of 1240 parameters the time is within a factor of 1.3 of that of the best block
# size. A bad size costs a factor of 5 (our measurements).
BLOCK_BYTES = 1 << 22
MIN_DIRECTIONS, MAX_DIRECTIONS = 8, 128
_REDUCTIONS = (np.sum, np.mean)
_PRODUCTS = (np.dot, np.matmul)


class BatchedStage:
    """The map V ↦ V·H for the tape of a Hessian-vector product, V of shape (directions, n).

    Parameters
    ----------
    tape : Tape
        One of its inputs is a direction, and one output depends on it.
    residuals : list of Instruction
        The results of the first stage that the second stage reads; see `code_generation.Program`.
    """

    def __init__(self, tape: Tape, residuals: list[Instruction]) -> None:
        (self.direction,) = [i for i in tape.inputs.values() if i.depends_on_v]
        self.output = next((o for o in tape.outputs if isinstance(o, Instruction) and o.depends_on_v), None)
        self.residuals = [r.id for r in residuals]
        steps = [i for i in tape.instructions if i.depends_on_v and i.op is not INPUT]
        uses = Counter(source.id for i in tape.instructions for source in i.sources())
        kept = {o.id for o in tape.outputs if isinstance(o, Instruction)}
        in_place = {i.id for i in steps if i.op is SCATTER and may_overwrite(i.args[0], i, uses, kept)}
        self.steps = [(i.id, _rule(i, in_place=i.id in in_place)) for i in steps]
        self.n = math.prod(self.direction.shape)
        touched = 8 * sum(math.prod(i.shape) for i in (self.direction, *steps))
        self.chunk = min(MAX_DIRECTIONS, max(MIN_DIRECTIONS, BLOCK_BYTES // max(touched, 1)))

    def __call__(self, residuals: tuple[Any, ...], V: Matrix) -> Matrix:
        """The products with all rows of V."""
        if self.output is None or not len(V):  # linear in x: no curvature
            return np.zeros_like(V)
        values = dict(zip(self.residuals, residuals, strict=True))
        values[self.direction.id] = V
        for number, rule in self.steps:
            values[number] = rule(values, len(V))
        return np.broadcast_to(values[self.output.id], (len(V), *self.output.shape))

    def hessian(self, residuals: tuple[Any, ...]) -> Matrix:
        """All n columns, in blocks of directions, exactly symmetric."""
        H = np.empty((self.n, self.n))
        for start in range(0, self.n, self.chunk):
            stop = min(start + self.chunk, self.n)
            V = np.zeros((stop - start, self.n))
            V[np.arange(stop - start), np.arange(start, stop)] = 1.0
            H[start:stop] = self(residuals, V)
        return 0.5 * (H + H.T)


Rule = Callable[[dict[int, Any], int], Any]


def _varies(arg: Any) -> bool:
    return isinstance(arg, Instruction) and arg.depends_on_v


def _get(values: dict[int, Any], arg: Any) -> Any:
    return values[arg.id] if isinstance(arg, Instruction) else arg


def _lifted(values: dict[int, Any], arg: Any, ndim: int) -> Any:
    """A value ready for broadcasting: in a batch the missing axes are inserted after the axis of directions."""
    value = _get(values, arg)
    if _varies(arg) and len(arg.shape) < ndim:
        return np.reshape(value, (len(value), *(1,) * (ndim - len(arg.shape)), *arg.shape))
    return value


def _rule(i: Instruction, *, in_place: bool) -> Rule:
    """The function that runs one instruction on a batch."""
    op, args = i.op, i.args
    found: Rule | None = None
    if op is GETITEM:
        found = _getitem(i)
    elif op is SCATTER:
        found = _scatter(i, in_place=in_place)
    elif (isinstance(op, np.ufunc) and op.signature is None) or op is np.where:
        found = _elementwise(i)
    elif op in _REDUCTIONS and len(args) <= 2 and set(i.kwargs) <= {"axis", "keepdims"}:
        found = _reduction(i)
    elif op is np.reshape and _varies(args[0]) and len(args) <= 2 and not i.kwargs.get("order"):
        found = lambda values, size: np.reshape(values[args[0].id], (size, *i.shape))  # noqa: E731
    elif op is np.transpose and len(args) == 1 and not i.kwargs:
        axes = (0, *range(len(i.shape), 0, -1))
        found = lambda values, size: np.transpose(values[args[0].id], axes)  # noqa: E731
    elif op is np.expand_dims and _varies(args[0]) and isinstance(_axis(i), int):
        axis = _axis(i)
        shifted = axis + 1 if axis >= 0 else axis
        found = lambda values, size: np.expand_dims(values[args[0].id], shifted)  # noqa: E731
    elif op in _PRODUCTS and len(args) == 2 and not i.kwargs:
        found = _product(i)
    return found or _loop(i)


def _axis(i: Instruction) -> Any:
    return i.kwargs.get("axis", i.args[1] if len(i.args) > 1 else None)


def _loop(i: Instruction) -> Rule:
    op, args, kwargs = i.op, i.args, i.kwargs

    def run(values: dict[int, Any], size: int) -> Any:
        results = []
        for k in range(size):
            one = [_get(values, arg)[k] if _varies(arg) else _get(values, arg) for arg in args]
            if op is GETITEM:
                results.append(one[0][one[1]])
            elif op is SCATTER:
                results.append(_scattered(*one))
            else:
                results.append(op(*one, **kwargs))
        return np.stack(results) if isinstance(results[0], np.ndarray | np.generic | float) else results

    return run


def _scattered(previous: Any, x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape) if previous is None else previous.copy()
    np.add.at(out, index, x)
    return out


def _getitem(i: Instruction) -> Rule | None:
    source, index = i.args
    if not _varies(source) or _varies(index) or _mixes(index):
        return None

    def run(values: dict[int, Any], size: int) -> Any:
        where = _get(values, index)
        return values[source.id][(slice(None), *(where if isinstance(where, tuple) else (where,)))]

    return run


def _mixes(index: Any) -> bool:
    """Whether a leading axis may change the order of the axes of the result: more than one index array, or a mask."""
    if isinstance(index, Instruction) and index.dtype is None:
        return True  # a tuple of them
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, np.ndarray | list | Instruction)]
    return len(arrays) > 1 or (bool(arrays) and len(parts) > 1) or any(_is_mask(part) for part in arrays)


def _is_mask(part: Any) -> bool:
    return getattr(part, "dtype", None) == np.bool_


def _scatter(i: Instruction, *, in_place: bool) -> Rule | None:
    previous, x, index, shape = i.args
    if _varies(index) or _mixes(index):
        return None
    basic = not isinstance(index, Instruction) and is_basic(index)

    def run(values: dict[int, Any], size: int) -> Any:
        if previous is None:
            out = np.zeros((size, *shape))
        elif in_place:
            out = values[previous.id]
        else:
            out = np.array(np.broadcast_to(_get(values, previous), (size, *shape)))
        where = _get(values, index)
        where = (slice(None), *(where if isinstance(where, tuple) else (where,)))
        added = _get(values, x)
        if basic:
            target = out[where]
            if _varies(x) and np.ndim(added) < target.ndim:
                added = np.reshape(added, (size, *(1,) * (target.ndim - np.ndim(added)), *np.shape(added)[1:]))
            out[where] += added
        else:
            np.add.at(out, where, added)
        return out

    return run


def _elementwise(i: Instruction) -> Rule | None:
    ndim = len(i.shape)
    if i.kwargs or not all(isinstance(arg, Instruction | int | float | np.ndarray | np.generic) for arg in i.args):
        return None
    op, args = i.op, i.args
    return lambda values, size: op(*[_lifted(values, arg, ndim) for arg in args])


def _reduction(i: Instruction) -> Rule | None:
    source, axis, op = i.args[0], _axis(i), i.op
    if not _varies(source):
        return None
    ndim = len(source.shape)
    axes = range(ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    shifted = tuple(int(a) % ndim + 1 for a in axes)
    keepdims = bool(i.kwargs.get("keepdims", False))
    return lambda values, size: op(values[source.id], axis=shifted, keepdims=keepdims)


def _product(i: Instruction) -> Rule | None:
    """``dot`` and ``matmul`` of vectors and matrices, if exactly one factor varies."""
    a, b = i.args
    dims = (
        len(a.shape) if isinstance(a, Instruction) else np.ndim(a),
        len(b.shape) if isinstance(b, Instruction) else np.ndim(b),
    )
    if not set(dims) <= {1, 2}:
        return None
    if _varies(a) and _varies(b):
        return None
    if _varies(b):
        if dims == (2, 1):
            return lambda values, size: values[b.id] @ _get(values, a).T
        if dims == (2, 2):
            return lambda values, size: np.matmul(_get(values, a), values[b.id])
        if dims == (1, 1):
            return lambda values, size: values[b.id] @ _get(values, a)
        return lambda values, size: np.matmul(_get(values, a), values[b.id])
    if dims[0] == 1:
        return lambda values, size: values[a.id] @ _get(values, b)
    return lambda values, size: np.matmul(values[a.id], _get(values, b))
