"""Automatic differentiation as derivative sources: "tape" and "autograd"."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import scipy.sparse as sp

from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.source import DerivativeSource
from newtonkit.derivatives.sparsity.colouring import SparseHessian
from newtonkit.derivatives.sparsity.patterns import SparsityError
from newtonkit.derivatives.tape.cache import Derivatives
from newtonkit.linalg.kernels import Vector

# A pattern with more entries than this, in all and per row, is too dense; our choice (1 MB, 100 products).
_FEW, _PER_ROW = 100_000, 100


class TapeSource(DerivativeSource):
    """Exact derivatives by autograd, replayed from tapes if ``fun`` can be recorded; its tapes serve all runs.

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy``.
    args : tuple, optional
    tape : bool, default True
        False: plain autograd only.
    """

    capabilities = frozenset({"linearize", "hessian_pattern", "graph"})

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...] = (), *, tape: bool = True) -> None:
        self.args = args
        self.tape = tape
        self.derivatives = Derivatives(fun, tape=tape)
        self._sparse: dict[int, SparseHessian | str] = {}

    @property
    def description(self) -> str:
        """The word "tape", or "plain autograd" and why; the last derivatives decide."""
        note = self.derivatives.note
        return f"{self.derivatives.source} ({note})" if note else self.derivatives.source

    def with_args(self, args: tuple[Any, ...]) -> TapeSource:
        """Return the source of the same function for other arguments; the tapes are shared."""
        other = copy.copy(self)
        other.args = args
        return other

    def prepare(self, x: Vector, *, second_order: bool) -> None:
        """Record the tape of the gradient or of products now."""
        with trace_lock:
            (self.derivatives.prepare if second_order else self.derivatives.prepare_gradient)(x, self.args)

    def value(self, x: Vector) -> float:
        """Return f(x), from a tape if there is one."""
        with trace_lock:
            return self.derivatives.value(x, self.args)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x)."""
        return self.derivatives.value_and_gradient(x, self.args)

    def linearize(self, x: Vector) -> Linearization:
        """Return f, ∇f and v ↦ ∇²f·v from one nested trace or one tape."""
        return self.derivatives.linearize(x, self.args)

    def verify(self, x: Vector, g: Vector) -> bool | None:
        """Return whether plain autograd agrees with g; the tape is dropped if not. None if no tape was used."""
        if not self.derivatives.may_be_stale(x, self.args):
            return None
        return self.derivatives.verify(x, g, self.args)

    # --- sparse Hessians ------------------------------------------------------------------------------------

    def pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """Return the non-zeros of the Hessian near x; None and the reason if they are too many or not known."""
        if not self.tape:
            return None, "the tape is turned off"
        with trace_lock:
            known = self._sparse.get(x.size)
            if isinstance(known, str):
                return None, known
            if known is None:
                try:
                    known = SparseHessian(self.derivatives.fun, x, self.args, max(_FEW, _PER_ROW * x.size))
                except SparsityError as error:
                    self._sparse[x.size] = reason = str(error)
                    return None, reason
                self._sparse[x.size] = known
        return known.pattern, known.reason

    def products_for_hessian(self, n: int) -> int:
        """Return the number of products that a sparse Hessian takes, n if no pattern was found."""
        known = self._sparse.get(n)
        return known.groups.count if isinstance(known, SparseHessian) else n

    def sparse_hessian(self, x: Vector, linearize: Callable[[Vector], Linearization | None]) -> sp.csc_array:
        """Return ∇²f(x) from a few products of ``linearize(x)``; only after `pattern` has found one."""
        self.derivatives.prepare(x, self.args)  # several products at each of many x: worth a tape
        linearization, known = linearize(x), self._sparse[x.size]
        assert linearization is not None
        assert isinstance(known, SparseHessian)
        return known.at(linearization)


class AutogradSource(TapeSource):
    """Plain autograd: slower, and right even for functions that read data which change."""

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        super().__init__(fun, args, tape=False)
