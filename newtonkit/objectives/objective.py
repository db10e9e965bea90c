"""What is minimized: a function and what is known of its derivatives. A definition, without counters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import scipy.sparse as sp

from newtonkit.core.domain import Domain, Unbounded
from newtonkit.core.validation import check_choice
from newtonkit.derivatives.autograd.tracing import as_number, trace_lock
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import Unflatten, flatten, is_plain_vector
from newtonkit.derivatives.source import Call, DerivativeSource, check_source, make_source
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.given import GivenDerivatives


@dataclass(frozen=True)
class Objective:
    """A function and what is known of its derivatives; shared freely between runs and threads.

    Derivatives come from what the user gave; then from differentiation of a traceable ``grad`` or central differences
    of it (two gradients a product); then from the source. With a ``grad``, ``fun`` itself is only ever called plainly.
    Calls of user code are made one at a time in a process, since any of them may use autograd, whose stack of traces is
    global; to run user code in parallel, use processes.

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
    source : str, default "tape"
        Where other derivatives come from: "tape", "autograd", "differences" ("3-point"), "2-point", "jax", "torch", or
        a name registered by `newtonkit.derivatives.source.register_source`.
    hess_scheme : {"2-point", "3-point"}, optional
        Take the Hessian from forward or central differences of the gradient.
    errors : {"raise", "reject"}, default "raise"
        "reject": LinAlgError, ArithmeticError and ValueError raised at a trial point count as a value that is not
        finite; before the first finite value they propagate.

    Examples
    --------
    >>> import numpy as np
    >>> objective = Objective(lambda x: (x**2).sum())
    >>> objective.gradient(np.array([1.0, 2.0]))
    array([2., 4.])
    """

    fun: Callable[..., Any]
    grad: Callable[..., Any] | bool | None = None
    hess: Callable[..., Any] | None = None
    hvp: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    source: str = "tape"
    hess_scheme: str | None = None
    errors: str = "raise"

    evaluated_in_rounds: ClassVar[bool] = False
    """Whether each evaluation is a round over partitions of data."""

    def __post_init__(self) -> None:
        check_source(self.source)
        check_choice("errors", self.errors, ("raise", "reject"))

    def __getstate__(self) -> dict[str, Any]:
        """The definition; sources are made again after pickling or copying."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def bind(self, call: Call, domain: Domain) -> DerivativeSource:
        """The derivatives for one run: what the user gave, and the source for the rest."""
        rest = self._shared_source.bind(call, domain)
        return GivenDerivatives(self, rest, domain, self._traceable) if self.has_own_derivatives else rest

    def value(self, x: Vector) -> float:
        """f(x), by a plain call; x must not be used afterwards."""
        with trace_lock:
            result = self.plain_fun(x, *self.args)
        return as_number(result[0] if self.grad is True else result)

    def of_structure(self, unflatten: Unflatten) -> Objective:
        """This objective of structured parameters as an objective of the flat vector."""
        return structured_objective(
            self.fun,
            self.grad,
            self.hess,
            self.hvp,
            self.args,
            unflatten,
            source=self.source,
            hess_scheme=self.hess_scheme,
            errors=self.errors,
        )

    # --- what no run counts ---------------------------------------------------------------------------------

    def gradient(self, x: Vector) -> Vector:
        """∇f(x)."""
        return self._unbound.gradient(x)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """f(x) and ∇f(x), from one call or one trace if there is one that gives both."""
        return self._unbound.value_and_gradient(x)

    def hessian(self, x: Vector) -> Matrix | sp.csc_array | None:
        """The user's ∇²f(x), symmetric, sparse if it was given so; or differences; None if it comes from products."""
        return self._unbound.hessian(x)

    def linearize(self, x: Vector) -> Linearization | None:
        """f, ∇f and v ↦ ∇²f·v from one evaluation, if all derivatives come from a source that can; else None."""
        return self._unbound.linearize(x)

    def pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """The non-zeros of the Hessian near x; None and the reason if they are too many or not known; found once."""
        if self.has_own_derivatives:
            return None, "the derivatives are given, and not as a sparse matrix"
        return self._shared_source.pattern(x)

    def products_for_hessian(self, n: int) -> int:
        """How many products a sparse Hessian takes, n if no pattern was found."""
        return self._shared_source.products_for_hessian(n)

    # --- what there is --------------------------------------------------------------------------------------

    @property
    def derivative_source(self) -> str:
        """Where the last derivatives came from: the user, a tape, plain autograd and why, or differences."""
        own = "given" if self.has_own_derivatives else ""
        return own or self._shared_source.description

    @property
    def has_own_derivatives(self) -> bool:
        """Whether any derivative comes from the user."""
        return bool(self.grad) or self.hess is not None or self.hvp is not None or self.hess_scheme is not None

    @property
    def is_traced(self) -> bool:
        """Whether all derivatives are exact and come from differentiation of ``fun``."""
        return not self.has_own_derivatives and "linearize" in self._shared_source.capabilities

    @property
    def has_graph(self) -> bool:
        """Whether ``fun`` can be recorded as a graph: for convexity, and to count what a Hessian costs."""
        return self.source == "tape"

    @cached_property
    def _shared_source(self) -> DerivativeSource:
        """What all runs share, such as tapes."""
        return make_source(self.source, self.fun, self.args)

    @cached_property
    def plain_fun(self) -> Callable[..., Any]:
        """``fun`` as a function of a numpy array; for "jax" and "torch" it converts x."""
        return self._shared_source.plain(self.fun)

    @cached_property
    def _unbound(self) -> DerivativeSource:
        return self.bind(self.value, Unbounded())

    @cached_property
    def _traceable(self) -> set[bool]:
        """Whether ``grad`` can be differentiated, once that is known."""
        return set()


def structured_objective(
    fun: Callable[..., Any],
    jac: Callable[..., Any] | bool | None,
    hess: Callable[..., Any] | None,
    hessp: Callable[..., Any] | None,
    args: tuple[Any, ...],
    unflatten: Unflatten,
    *,
    source: str = "tape",
    hess_scheme: str | None = None,
    errors: str = "raise",
) -> Objective:
    """The objective of the flat vector that functions of structured parameters amount to."""
    if is_plain_vector(unflatten):
        return Objective(fun, jac, hess, hessp, args, source, hess_scheme, errors)

    def flat_fun(v: Any, *rest: Any) -> Any:
        x = unflatten(v)
        value = fun(x, *rest)
        return (value[0], _flat_gradient(value[1], x)) if jac is True else value

    def flat_jac(v: Vector, *rest: Any) -> Vector:
        assert callable(jac)
        x = unflatten(v)
        return _flat_gradient(jac(x, *rest), x)

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
        source,
        hess_scheme,
        errors,
    )


def _flat_gradient(g: Any, x: Any) -> Vector:
    """The entries of a user's gradient, which has the structure of x or is a vector, a row or a column."""
    shape, expected = getattr(g, "shape", ()), getattr(x, "shape", None)
    if expected is not None and len(shape) > 1 and shape != expected and max(shape) < math.prod(shape):
        raise ValueError(f"jac must have shape {expected}, as x0, got shape {shape}")
    return flatten(g, "jac")[0]
