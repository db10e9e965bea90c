"""The sparsity pattern of the Hessian of a recorded function, by propagation through the tape of its gradient.

Entry (i, j) of the Hessian can be different from zero only if entry i of the gradient depends on entry j of x. The sets
of these j are propagated through the tape of the gradient, one instruction after the other, as the rows of a sparse
boolean matrix. Elementwise functions take the union of rows, sums the union of groups of rows. A data movement is
applied to the row numbers 1, 2, 3 …, which shows where each row goes. For a function without a rule every entry of the
result depends on all entries of the operands: the pattern may be too large, but never too small.

The pattern is valid for every x, not only for the x of the recording: both branches of ``where`` count, and if an index
depends on the values of x, every entry that could be selected counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.special
from autograd.builtins import container_take
from autograd.numpy import numpy_wrapper
from autograd.numpy.numpy_vjps import nograd_functions

from newtonkit.derivatives.autograd.primitives import SPARSE_TIMES
from newtonkit.derivatives.autograd.tracing import pullback, unit
from newtonkit.derivatives.sparsity.pattern_rows import (
    LIMIT,
    DensePattern,
    Pattern,
    broadcast_rows,
    merge_runs,
    merge_runs_until,
    select_rows,
    union_of_rows,
)
from newtonkit.derivatives.tape.graph import GETITEM, INPUT, SCATTER, Instruction, Tape, function_name, is_basic
from newtonkit.derivatives.tape.recording import record
from newtonkit.linalg.kernels import Vector

# functions whose derivative is zero wherever it exists, as listed by autograd: comparisons, sign, floor, argsort …
_STEPS = frozenset(getattr(function, "fun", function) for function in nograd_functions)

# functions other than ufuncs that act entry by entry, with broadcasting
_ELEMENTWISE = frozenset(
    {np.where, np.clip, np.sinc, np.nan_to_num, np.real, np.i0, scipy.special.polygamma, numpy_wrapper._astype.fun}
)

# data movements, in which gaps are filled with constants; the slice gives the arguments that hold the entries
_MOVES: dict[Any, slice] = {
    **dict.fromkeys((np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis), slice(0, 1)),
    **dict.fromkeys((np.expand_dims, np.squeeze, np.atleast_1d, np.atleast_2d, np.atleast_3d), slice(0, 1)),
    **dict.fromkeys((np.roll, np.flip, np.flipud, np.fliplr, np.rot90, np.copy, np.take), slice(0, 1)),
    **dict.fromkeys((np.repeat, np.tile, np.broadcast_to, np.pad, np.diagonal, np.diag), slice(0, 1)),
    **dict.fromkeys((np.triu, np.tril, numpy_wrapper.make_diagonal.fun), slice(0, 1)),
    np.full: slice(1, 2),
    np.where: slice(1, 3),
    numpy_wrapper.concatenate_args.fun: slice(1, None),
    numpy_wrapper.array_from_args.fun: slice(2, None),
    numpy_wrapper._array_from_scalar_or_array.fun: slice(2, 3),
}
_SPLITS = frozenset({np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit})

_REDUCTIONS = frozenset(
    {np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.std, np.var, scipy.special.logsumexp}
)
_SCANS = frozenset({np.cumsum, np.cumprod})
_PRODUCTS = frozenset({np.dot, np.matmul, np.outer})
# the number of entries that these return depends on the values; the tape holds the number at one x only
_LENGTHS = frozenset({np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract})


def gradient_tape(fun: Callable[[Any], Any], x: Vector) -> Tape:
    def gradient(x: Any) -> tuple[Any]:
        value, back = pullback(fun, x)
        return (back(unit(value)),)

    return Tape(record(gradient, {"x": x.copy()}))


class Dependence:
    """The patterns of the values of a tape, each deleted after its last use.

    Attributes
    ----------
    unknown : set of str
        Functions on the tape that have no rule.
    """

    def __init__(self, tape: Tape, limit: int = LIMIT) -> None:
        self.tape = tape
        self.limit = limit  # entries of one pattern
        (x,) = tape.inputs.values()
        self.n = math.prod(x.shape)
        self.unknown: set[str] = set()
        self._of: dict[int, Pattern] = {}
        self._varies: set[int] = set()  # values that depend on x, even if their derivative is zero

    def of_output(self, n: int) -> sp.csc_array:
        """The symmetric pattern of the derivative of the tape's output, a vector of n entries."""
        (output,) = self.tape.outputs
        if not isinstance(output, Instruction):
            return sp.csc_array((n, n), dtype=bool)
        uses = Counter(source.id for i in self.tape.instructions for source in i.sources())
        uses.update(
            source.id for i in self.tape.instructions if i.op in _SPLITS for source in i.sources()
        )  # kept for container_take, see `_by_rule`
        for i in self.tape.instructions:
            P = self._pattern(i)
            self._of[i.id] = None if P is None or P.nnz == 0 else P
            for source in i.sources():
                uses[source.id] -= 1
                if uses[source.id] == 0 and source is not output:
                    self._of[source.id] = None
        P = broadcast_rows(self._of[output.id], output.shape, (n,))
        if P is None:
            return sp.csc_array((n, n), dtype=bool)
        P = union_of_rows([P, P.T.tocsr()])
        if P.nnz > self.limit:
            raise DensePattern("its pattern has too many entries")
        return sp.csc_array((P.data, P.indices, P.indptr), shape=(n, n))  # symmetric: rows are columns

    def _pattern(self, i: Instruction) -> Pattern:
        if i.op is INPUT:
            self._varies.add(i.id)
            return sp.eye_array(self.n, dtype=bool, format="csr")
        if any(source.id in self._varies for source in i.sources()):
            self._varies.add(i.id)
            self._check_length(i)
        if i.op in _STEPS or not any(self._depends(source) for source in i.sources()):
            return None
        P = self._by_rule(i)
        if P is _NO_RULE:
            if i.op not in (GETITEM, SCATTER):
                self.unknown.add(function_name(i.op))
            P = self._everything(i)
        if P is not None and P.nnz > self.limit:
            raise DensePattern(f"the result of {function_name(i.op)} depends on too much")
        return P

    def _depends(self, arg: Any) -> bool:
        return isinstance(arg, Instruction) and self._of[arg.id] is not None

    def _check_length(self, i: Instruction) -> None:
        """Raise `DensePattern` if the number of entries depends on x: the tape holds the number at one x only."""
        index = i.args[1] if i.op is GETITEM else i.args[2] if i.op is SCATTER else None
        if (
            i.op in _LENGTHS
            or (isinstance(index, Instruction) and index.dtype == np.bool_)
            or (i.op is np.where and len(i.args) == 1)
            or (i.op is np.repeat and isinstance(i.args[1], Instruction))
        ):
            raise DensePattern(f"the length of the result of {function_name(i.op)} depends on the values of x")

    def _by_rule(self, i: Instruction) -> Pattern:
        op = i.op
        if op is GETITEM:
            if isinstance(i.args[1], Instruction):
                return _NO_RULE  # the selected entry depends on x
            return self._moved(lambda a: a[i.args[1]], i.args[:1])
        if op is SCATTER:
            return self._scattered(i)
        if op in _MOVES and not (op is np.where and isinstance(i.args[0], Instruction)):
            return self._rearranged(i)
        if op is np.multiply and any(isinstance(arg, np.ndarray) and not arg.all() for arg in i.args):
            return self._masked(i)
        if (isinstance(op, np.ufunc) and op.signature is None) or op in _ELEMENTWISE:
            return union_of_rows([broadcast_rows(self._of[a.id], a.shape, i.shape) for a in i.sources()])
        if op in _REDUCTIONS:
            return self._reduced(i, _axis(i))
        if op in _SCANS:
            return self._scanned(i)
        if op is np.diff:
            return self._differenced(i)
        if op in _PRODUCTS and len(i.args) == 2:
            return self._multiplied(i)
        if op is SPARSE_TIMES:
            return self._sparse_product(i)
        if op in _SPLITS:
            return self._everything(i)  # used if another instruction than container_take, below, reads it
        if op is container_take.fun and getattr(i.args[0], "op", None) in _SPLITS:
            split, part = i.args[0], i.args[1]
            if not any(isinstance(arg, Instruction) for arg in split.args[1:]):
                return self._moved(lambda a: split.op(a, *split.args[1:], **split.kwargs)[part], split.args[:1])
        return _NO_RULE

    # --- rules ----------------------------------------------------------------------------------------------

    def _everything(self, i: Instruction) -> Pattern:
        """Every entry of the result depends on all entries of x on which any operand depends."""
        row = union_of_rows([merge_runs(self._of[source.id], 1) for source in i.sources()])
        return select_rows(row, np.ones(math.prod(i.shape), dtype=np.int64))

    def _moved(self, move: Callable[..., Any], operands: Sequence[Any]) -> Pattern:
        """The rows after a data movement, found by moving their numbers; 0 marks an entry without a row."""
        rows, numbers, first = [], [], 1
        for a in operands:
            if self._depends(a):
                size = math.prod(a.shape)
                rows.append(self._of[a.id])
                numbers.append(np.arange(first, first + size).reshape(a.shape))
                first += size
            else:
                numbers.append(np.zeros(a.shape if isinstance(a, Instruction) else np.shape(a), dtype=np.int64))
        moved = np.asarray(move(*numbers))
        if moved.dtype not in (np.int64, np.float64):
            return _NO_RULE  # a dtype that cannot hold all numbers
        if not rows:
            return None
        return select_rows(rows[0] if len(rows) == 1 else sp.vstack(rows, format="csr"), moved.astype(np.int64).ravel())

    def _masked(self, i: Instruction) -> Pattern:
        """x times a constant with zeros in it."""
        (x,) = i.sources()
        (constant,) = [arg for arg in i.args if arg is not x]
        return self._moved(lambda numbers: np.where(constant != 0, numbers, 0), [x])

    def _rearranged(self, i: Instruction) -> Pattern:
        start, stop, _ = _MOVES[i.op].indices(len(i.args))
        before, operands, after = i.args[:start], i.args[start:stop], i.args[stop:]
        kwargs = {name: value for name, value in i.kwargs.items() if name != "constant_values"}
        if any(isinstance(arg, Instruction) for arg in (*before, *after)):
            return _NO_RULE
        if i.op is np.pad and (i.args[2] if len(i.args) > 2 else kwargs.get("mode", "constant")) != "constant":
            return _NO_RULE
        return self._moved(lambda *numbers: i.op(*before, *numbers, *after, **kwargs), operands)

    def _scattered(self, i: Instruction) -> Pattern:
        previous, x, index, shape = i.args
        if isinstance(index, Instruction):
            return _NO_RULE
        size = math.prod(shape)
        parts = [self._of[previous.id]] if self._depends(previous) else []
        if self._depends(x):
            target = np.arange(size).reshape(shape)[index]
            source = np.broadcast_to(np.arange(1, math.prod(x.shape) + 1).reshape(x.shape), target.shape).ravel()
            if is_basic(index):  # no entry is selected twice
                numbers = np.zeros(size, dtype=np.int64)
                numbers[target.ravel()] = source
                parts.append(select_rows(self._of[x.id], numbers))
            else:
                order = np.argsort(target, axis=None, kind="stable")
                ends = np.cumsum(np.bincount(target.ravel(), minlength=size))
                parts.append(merge_runs_until(select_rows(self._of[x.id], source[order]), ends))
        return union_of_rows(parts)

    def _reduced(self, i: Instruction, axis: Any) -> Pattern:
        a = i.args[0]
        if not self._depends(a) or len(i.sources()) > 1:
            return _NO_RULE
        if axis is None:
            return merge_runs(self._of[a.id], 1)
        axes = {k % len(a.shape) for k in (axis if isinstance(axis, tuple | list) else (axis,))}
        kept = [k for k in range(len(a.shape)) if k not in axes]
        numbers = np.arange(1, math.prod(a.shape) + 1).reshape(a.shape).transpose(*kept, *sorted(axes))
        return merge_runs(select_rows(self._of[a.id], numbers.ravel()), math.prod(a.shape[k] for k in kept))

    def _scanned(self, i: Instruction) -> Pattern:
        """Running sums and products: every entry of a line counts as dependent on the whole line.

        Together with the reverse pass, which runs in the opposite direction, this is exact.
        """
        axis = _axis(i)
        if axis is None:
            return self._everything(i)
        lines = self._reduced(i, axis)
        shape = tuple(1 if k == axis % len(i.shape) else length for k, length in enumerate(i.shape))
        return lines if lines is _NO_RULE else broadcast_rows(lines, shape, i.shape)

    def _differenced(self, i: Instruction) -> Pattern:
        named = dict(zip(("n", "axis"), i.args[1:], strict=False)) | i.kwargs
        order, axis = named.pop("n", 1), named.pop("axis", -1)
        if named or len(i.args) > 3:
            return _NO_RULE
        a = i.args[0]
        length = a.shape[axis] - order
        shifts = [np.arange(k, k + length) for k in range(order + 1)]
        return union_of_rows([self._moved(lambda numbers, s=s: numbers.take(s, axis=axis), [a]) for s in shifts])

    def _multiplied(self, i: Instruction) -> Pattern:
        """A (m×k) times B (k×p); vectors are matrices of one row or one column."""
        A, B = i.args
        shapes = [arg.shape if isinstance(arg, Instruction) else np.shape(arg) for arg in i.args]
        if () in shapes:
            return union_of_rows([broadcast_rows(self._of[a.id], a.shape, i.shape) for a in i.sources()])
        if i.op is np.outer:
            (m, k), (_, p) = (math.prod(shapes[0]), 1), (1, math.prod(shapes[1]))
        elif max(map(len, shapes)) <= 2:
            (m, k), p = (1, *shapes[0])[-2:], math.prod(shapes[1][1:])
        else:
            return _NO_RULE
        parts = []
        if self._depends(A):
            parts.append(_times_constant(self._of[A.id], m, k, p, B))
        if self._depends(B):  # (AB)ᵀ = BᵀAᵀ, with the entries of B and of the result in transposed positions
            transposed = select_rows(self._of[B.id], np.arange(1, k * p + 1).reshape(k, p).T.ravel())
            P = _times_constant(transposed, p, k, m, A if isinstance(A, Instruction) else np.reshape(A, (m, k)).T)
            parts.append(select_rows(P, np.arange(1, m * p + 1).reshape(p, m).T.ravel()))
        return union_of_rows(parts)

    def _sparse_product(self, i: Instruction) -> Pattern:
        """A constant sparse matrix times a vector or matrix."""
        S, X = i.args
        P = self._of[X.id]
        selects = sp.csr_array(S, dtype=bool)
        if len(X.shape) == 2:
            selects = sp.kron(selects, sp.eye_array(X.shape[1], dtype=bool), format="csr")
        if np.diff(P.indptr)[selects.indices].sum(dtype=np.int64) > LIMIT:
            return _NO_RULE
        product = sp.csr_array(selects @ P)
        product.sort_indices()
        return product


_NO_RULE = object()


def _axis(i: Instruction) -> Any:
    return i.kwargs.get("axis", i.args[1] if len(i.args) > 1 else None)


def _times_constant(P: Pattern, m: int, k: int, p: int, B: Any) -> Pattern:
    """The pattern of A·B from that of A (m×k); constant zeros of B (k×p) are ignored."""
    if not isinstance(B, Instruction):
        selects = sp.csr_array(np.reshape(np.asarray(B) != 0, (k, p)).T)
        if selects.nnz < k * p and selects.nnz * m <= LIMIT:
            S = sp.kron(sp.eye_array(m, dtype=bool), selects, format="csr")
            if np.diff(P.indptr)[S.indices].sum(dtype=np.int64) <= LIMIT:
                product = S @ P
                product.sort_indices()
                return product
    return select_rows(merge_runs(P, m), np.repeat(np.arange(1, m + 1), p))
