"""What is minimized: a function and what is known of its derivatives. A definition, without counters."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from newtonkit.derivatives.autograd.tracing import DifferentiationError, as_number, trace_jacobian_product, trace_lock
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import Unflatten, flatten, is_plain_vector
from newtonkit.derivatives.sparsity.colouring import SparseHessian
from newtonkit.derivatives.sparsity.patterns import SparsityError
from newtonkit.derivatives.tape.cache import Derivatives
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm

_TRACED_GRADIENT = 1e-4  # relative, generous to differences: a wrong product is wrong in the first digit
# a pattern with more entries than this, or a value that depends on as many, is too full to be of use
_FEW, _PER_ROW = 100_000, 100
_UNSYMMETRIC = 1e-8  # relative asymmetry of a user's Hessian above which a warning is due


class Product(NamedTuple):
    """The map v ↦ ∇²f(x)·v at one point, and what it costs in calls of the user's gradient."""

    times: Callable[[Vector], Vector]
    gradients_each: int
    """Of every product."""
    gradients_spent: int
    """On making the map."""


@dataclass(frozen=True)
class Objective:
    """A function and what is known of its derivatives; shared freely between runs and threads.

    What is missing is found in this order: what the user gave; autograd of a traceable ``grad``; autograd of
    ``fun``; central differences of ``grad`` (two gradients a product). With a ``grad``, ``fun`` itself is only ever
    called plainly. Calls of user code are made one at a time in a process, since any of them may use autograd, whose
    stack of traces is global; to run user code in parallel, use processes.

    Parameters
    ----------
    fun : callable
        f(x, \\*args) of a float64 vector x of shape (n,); returns one real number.
    grad : callable or True, optional
        ∇f(x, \\*args), shape (n,). True: ``fun`` returns the pair (f, ∇f).
    hess : callable, optional
        ∇²f(x, \\*args), shape (n, n), dense or scipy sparse.
    hvp : callable, optional
        ∇²f(x)·v as hvp(x, v, \\*args), shape (n,).
    args : tuple, optional
        Further arguments of all four.
    tape : bool, default True
        Whether autograd's work may be recorded and replayed as straight numpy; see `newtonkit.derivatives`.

    Examples
    --------
    >>> Objective(lambda x: (x**2).sum()).gradient(np.array([1.0, 2.0]))
    array([2., 4.])
    """

    fun: Callable[..., Any]
    grad: Callable[..., Any] | bool | None = None
    hess: Callable[..., Any] | None = None
    hvp: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    tape: bool = True
    _known: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    _sparse: dict[int, SparseHessian | str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def value(self, x: Vector) -> float:
        """f(x), by a plain call."""
        result = self._called(self.fun, x)
        return as_number(result[0] if self.grad is True else result)

    def quick_value(self, x: Vector) -> float:
        """f(x), from a tape where there is one."""
        if self.has_own_derivatives:
            return self.value(x)
        with trace_lock:
            return self.derivatives.value(x, self.args)

    def gradient(self, x: Vector) -> Vector:
        """∇f(x)."""
        if callable(self.grad):
            return _as_vector(self._called(self.grad, x), x, "jac")
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """f(x) and ∇f(x), from one call or one trace where there is one that gives both."""
        if callable(self.grad):
            untouched = x.copy()  # fun may write into x
            with trace_lock:
                f, g = self.fun(x, *self.args), self.grad(untouched, *self.args)
            return as_number(f), _as_vector(g, x, "jac")
        if self.grad is True:
            f, g = self._called(self.fun, x)
            return as_number(f), _as_vector(g, x, "the gradient that fun returned (jac=True)")
        return self.derivatives.value_and_gradient(x, self.args)

    def linearize(self, x: Vector) -> Linearization | None:
        """f, ∇f and v ↦ ∇²f·v from one nested trace, where the derivatives are autograd's; else None."""
        if self.has_own_derivatives:
            return None
        return self.derivatives.linearize(x, self.args)

    @cached_property
    def derivatives(self) -> Derivatives:
        """What autograd knows of fun; its tapes serve all runs on this objective."""
        return Derivatives(self.fun, tape=self.tape)

    def hessian(self, x: Vector) -> Matrix | sp.csc_array | None:
        """The user's ∇²f(x), float64 and symmetric, sparse where it was given so; None where the user gave none.

        Warns
        -----
        RuntimeWarning
            If the matrix is not symmetric; it is then replaced by its symmetric part.
        """
        if self.hess is None:
            return None
        result = self._called(self.hess, x)
        sparse = sp.issparse(result)
        H: Any = sp.csc_array(result, dtype=np.float64) if sparse else np.array(result, dtype=np.float64)
        if H.shape != (x.size, x.size):
            raise ValueError(f"hess must return a matrix of shape {(x.size, x.size)}, got shape {H.shape}")
        if not sparse and (H == H.T).all():
            return np.asarray(H)
        asymmetry, largest = abs(H - H.T).max(), abs(H).max()
        if asymmetry > _UNSYMMETRIC * largest:
            warnings.warn(
                f"hess returned an unsymmetric matrix (|H - Hᵀ| up to {asymmetry:.3g}); its symmetric part is used",
                RuntimeWarning,
                stacklevel=2,
            )
        H = 0.5 * (H + H.T)
        return sp.csc_array(H) if sparse else np.asarray(H, dtype=np.float64)

    def pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """The non-zeros of autograd's Hessian near x, or None where they are many or not known, and why; found once."""
        if self.has_own_derivatives:
            return None, "the derivatives are given, and not as a sparse matrix"
        if not self.tape:
            return None, "the tape is turned off"
        with trace_lock:
            known = self._sparse.get(x.size)
            if isinstance(known, str):
                return None, known
            if known is None:
                try:
                    known = SparseHessian(self.fun, x, self.args, max(_FEW, _PER_ROW * x.size))
                except SparsityError as error:
                    self._sparse[x.size] = reason = str(error)
                    return None, reason
                self._sparse[x.size] = known
        return known.pattern, known.reason

    def products_for_hessian(self, n: int) -> int:
        """How many products a sparse Hessian takes, n where no pattern was found."""
        known = self._sparse.get(n)
        return known.groups.count if isinstance(known, SparseHessian) else n

    def recovered_hessian(self, x: Vector, linearize: Callable[[Vector], Linearization | None]) -> sp.csc_array:
        """Autograd's ∇²f(x) as a sparse matrix, from a few products; only after `pattern` has found one."""
        self.derivatives.prepare(x, self.args)  # several products for each of many x: worth a tape
        linearization, known = linearize(x), self._sparse[x.size]
        assert linearization is not None
        assert isinstance(known, SparseHessian)
        return known.at(linearization)

    def product(self, x: Vector, scale: float) -> Product:
        """The map v ↦ ∇²f(x)·v from user code; ``scale`` is the length that counts as large in x.

        Only for an objective with derivatives of its own: a user's ``hvp``, else the pull-back of a traceable
        ``grad``, else central differences of it.
        """
        if self.hvp is not None:
            hvp = self.hvp
            return Product(lambda v: _as_vector(self._called(hvp, x.copy(), v.copy()), x, "hessp"), 0, 0)
        differences = Product(lambda v: self._difference(x, v, scale), 2, 0)
        if not callable(self.grad) or "grad cannot be traced" in self._known:
            return differences
        grad = self.grad
        spent = 1
        try:
            times = trace_jacobian_product(lambda z: grad(z, *self.args), x)
            if "grad can be traced" not in self._known:
                # a gradient that keeps values of its own would give a wrong product without a word: compare once
                spent = 3
                v = np.cos(np.arange(1.0, x.size + 1.0))
                exact, rough = times(v), self._difference(x, v, scale)
                if not norm(exact - rough) <= _TRACED_GRADIENT * (norm(exact) + norm(rough)):
                    raise DifferentiationError("the traced gradient disagrees with differences of it")
                self._known.add("grad can be traced")
            return Product(times, 0, spent)
        except DifferentiationError:
            self._known.add("grad cannot be traced")
            return differences._replace(gradients_spent=spent)

    @property
    def derivative_source(self) -> str:
        """Where the last derivatives came from: the user, a tape, or plain autograd and why."""
        if self.has_own_derivatives:
            return "given"
        note = self.derivatives.note
        return f"{self.derivatives.source} ({note})" if note else self.derivatives.source

    @property
    def has_own_derivatives(self) -> bool:
        """Whether any derivative comes from the user."""
        return bool(self.grad) or self.hess is not None or self.hvp is not None

    def _called(self, function: Callable[..., Any], *arguments: Vector) -> Any:
        """A plain call of user code, under the lock: it may differentiate something by autograd itself."""
        with trace_lock:
            return function(*arguments, *self.args)

    def _difference(self, x: Vector, v: Vector, scale: float) -> Vector:
        length = norm(v)
        if length == 0.0:
            return np.zeros_like(x)
        # step eps^(1/3) balances truncation against rounding for central differences (N&W, 2006, p. 197)
        h = math.cbrt(EPS) * scale / length
        return (self.gradient(x + h * v) - self.gradient(x - h * v)) / (2 * h)


def structured_objective(
    fun: Callable[..., Any],
    jac: Callable[..., Any] | bool | None,
    hess: Callable[..., Any] | None,
    hessp: Callable[..., Any] | None,
    args: tuple[Any, ...],
    unflatten: Unflatten,
    *,
    tape: bool = True,
) -> Objective:
    """The objective of the flat vector that functions of structured parameters amount to."""
    if is_plain_vector(unflatten):
        return Objective(fun, jac, hess, hessp, args, tape)

    def flat_fun(v: Any, *rest: Any) -> Any:
        value = fun(unflatten(v), *rest)
        return (value[0], flatten(value[1])[0]) if jac is True else value

    def flat_jac(v: Vector, *rest: Any) -> Vector:
        assert callable(jac)
        return flatten(jac(unflatten(v), *rest))[0]

    def flat_hess(v: Vector, *rest: Any) -> Any:
        assert hess is not None
        return hess(unflatten(v), *rest)

    def flat_hessp(v: Vector, p: Vector, *rest: Any) -> Vector:
        assert hessp is not None
        return flatten(hessp(unflatten(v), unflatten(p), *rest))[0]

    return Objective(
        flat_fun,
        flat_jac if callable(jac) else jac,
        None if hess is None else flat_hess,
        None if hessp is None else flat_hessp,
        args,
        tape,
    )


def _as_vector(result: Any, x: Vector, name: str) -> Vector:
    """A contiguous float64 vector of x's shape that shares no memory with user code."""
    vector = np.array(result, dtype=np.float64, order="C")
    if vector.shape != x.shape:
        if vector.size != x.size:
            raise ValueError(f"{name} must have shape {x.shape}, got shape {vector.shape}")
        vector = vector.reshape(x.shape)
    return vector
