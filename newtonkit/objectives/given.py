"""Derivatives that the user gave, completed by a source."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain
from newtonkit.derivatives.autograd.tracing import (
    DifferentiationError,
    as_number,
    trace_jacobian_product,
    trace_lock,
)
from newtonkit.derivatives.gradient_differences import (
    CENTRAL_ERROR,
    FORWARD_ERROR,
    central_product,
    forward_product,
)
from newtonkit.derivatives.source import EXACT_ERROR, DerivativeSource, Product
from newtonkit.linalg.kernels import Matrix, Vector, norm

if TYPE_CHECKING:
    from newtonkit.objectives.objective import Objective

# Relative; generous to differences: a wrong product is wrong in the first digit. Our choice.
_TRACED_GRADIENT = 1e-4
_UNSYMMETRIC = 1e-8  # relative asymmetry of a user's Hessian above which a warning is due: √eps, our choice


class GivenDerivatives(DerivativeSource):
    """The user's derivatives; the gradient comes from another source if only ``hess`` or ``hvp`` was given.

    Parameters
    ----------
    objective : Objective
    rest : DerivativeSource
        For a gradient that was not given.
    domain : Domain
        Differences of the gradient stay inside.
    traceable : set of bool
        Shared between runs: holds whether ``grad`` can be differentiated by autograd, once that is known.
    """

    def __init__(self, objective: Objective, rest: DerivativeSource, domain: Domain, traceable: set[bool]) -> None:
        self._fun, self._args = objective.plain_fun, objective.args
        self._grad, self._hess, self._hvp = objective.grad, objective.hess, objective.hvp
        self._scheme = objective.hess_scheme
        self._rest = rest
        self._domain = domain
        self._traceable = traceable
        self._gradient_of_value: tuple[Vector, Any] | None = None
        self._hessian_error = EXACT_ERROR
        self.counts_calls = rest.counts_calls and not objective.grad
        self.capabilities = frozenset() if objective.hess is None else frozenset({"hessian"})

    @property
    def description(self) -> str:
        """The word "given"."""
        return "given"

    def cost(self, kind: str, n: int) -> Counts:
        """Return the evaluations that a request takes at most."""
        if self.counts_calls and "gradient" in kind:
            return self._rest.cost(kind, n)
        return super().cost(kind, n)

    # --- f and its gradient ---------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """Return f(x), by a plain call; a gradient that comes with it serves the next request for it."""
        if self._grad is not True:
            with trace_lock:
                return as_number(self._fun(x, *self._args))
        untouched = x.copy()  # fun may write into x
        with trace_lock:
            f, g = self._fun(x, *self._args)
        self._gradient_of_value = untouched, g
        return as_number(f)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x)."""
        if callable(self._grad):
            untouched = x.copy()  # fun may write into x
            with trace_lock:
                f, g = self._fun(x, *self._args), self._grad(untouched, *self._args)
            return as_number(f), _as_vector(g, x, "jac")
        if self._grad is True:
            with trace_lock:
                result = self._fun(x, *self._args)
            if not (isinstance(result, tuple | list) and len(result) == 2):
                raise TypeError(f"with jac=True fun must return the pair (f, gradient), got {type(result).__name__}")
            f, g = result
            return as_number(f), _as_vector(g, x, "the gradient that fun returned (jac=True)")
        return self._rest.value_and_gradient(x)

    def gradient(self, x: Vector) -> Vector:
        """Return ∇f(x)."""
        if callable(self._grad):
            with trace_lock:
                g = self._grad(x, *self._args)
            return _as_vector(g, x, "jac")
        if self._gradient_of_value is not None:
            at, g = self._gradient_of_value
            self._gradient_of_value = None
            if np.array_equal(at, x):
                return _as_vector(g, x, "the gradient that fun returned (jac=True)")
        return self.value_and_gradient(x)[1] if self._grad else self._rest.gradient(x)

    def gradient_error(self, x: Vector, g: Vector) -> float:
        """Return a bound on the error of g; 0 for a gradient that was given."""
        return 0.0 if self._grad else self._rest.gradient_error(x, g)

    @property
    def value_noise(self) -> float:
        """The noise of f as the other source has measured it."""
        return 0.0 if self._grad else self._rest.value_noise

    @property
    def gradient_noise(self) -> float:
        """The part of the error of the last gradient that is due to noise."""
        return 0.0 if self._grad else self._rest.gradient_noise

    @property
    def hessian_error(self) -> float:
        """The relative error of the last Hessian or product."""
        return self._hessian_error

    # --- second derivatives ---------------------------------------------------------------------------------

    def hessian(self, x: Vector) -> Matrix | sp.csc_array | None:
        """Return the user's ∇²f(x), float64 and symmetric, sparse if it was given so; None if the user gave none.

        Warns
        -----
        RuntimeWarning
            If the matrix is not symmetric; it is then replaced by its symmetric part.
        """
        if self._hess is None:
            return None
        with trace_lock:
            result = self._hess(x, *self._args)
        sparse = sp.issparse(result)
        H: Any = sp.csc_array(result, dtype=np.float64) if sparse else np.array(result, dtype=np.float64)
        if H.shape != (x.size, x.size):
            raise ValueError(f"hess must return a matrix of shape {(x.size, x.size)}, got shape {H.shape}")
        if not sparse and np.count_nonzero(H == H.T) == H.size:
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

    def product(self, x: Vector, scale: float) -> Product:
        """Return v ↦ ∇²f(x)·v: the user's ``hvp``, else autograd of a traceable ``grad``, else differences of it."""
        if self._hvp is not None:
            return Product(lambda v: self._given_product(x, v), 0, 0)
        if self._scheme == "2-point" and not self._domain.is_bounded:
            self._hessian_error = FORWARD_ERROR
            g = self.gradient(x.copy())
            return Product(lambda v: forward_product(self.gradient, x, g, v, scale), 1, 1)
        differences = Product(lambda v: central_product(self.gradient, x, v, scale, self._domain), 2, 0)
        if self._scheme is not None or not callable(self._grad) or False in self._traceable:
            self._hessian_error = CENTRAL_ERROR
            return differences
        grad = self._grad
        spent = 1
        try:
            times = trace_jacobian_product(lambda z: _reshaped(grad(z, *self._args), x), x)
            if True not in self._traceable:
                # a gradient that keeps values of its own would give a wrong product: compare once
                spent = 3
                v = np.cos(np.arange(1.0, x.size + 1.0))
                exact, rough = times(v), central_product(self.gradient, x, v, scale, self._domain)
                if not norm(exact - rough) <= _TRACED_GRADIENT * (norm(exact) + norm(rough)):
                    raise DifferentiationError("the traced gradient disagrees with differences of it")
                self._traceable.add(True)
            return Product(times, 0, spent)
        except DifferentiationError:
            self._traceable.add(False)
            self._hessian_error = CENTRAL_ERROR
            return differences._replace(gradients_spent=spent)

    def _given_product(self, x: Vector, v: Vector) -> Vector:
        hvp = self._hvp
        assert hvp is not None
        with trace_lock:
            Hv = hvp(x.copy(), v.copy(), *self._args)
        return _as_vector(Hv, x, "hessp")


def _reshaped(g: Any, x: Vector) -> Any:
    """A traced gradient in x's shape, if it is an array of as many entries: a row or a column."""
    return g.reshape(x.shape) if getattr(g, "shape", x.shape) != x.shape and g.size == x.size else g


def _as_vector(result: Any, x: Vector, name: str) -> Vector:
    """A contiguous float64 vector of x's shape that shares no memory with user code."""
    if type(result) is np.ndarray and result.dtype == x.dtype and result.shape == x.shape:
        return result.copy()  # the usual case, in half the time
    vector = np.array(result, dtype=np.float64, order="C")
    if vector.shape != x.shape:
        if vector.size != x.size:
            raise ValueError(f"{name} must have shape {x.shape}, got shape {vector.shape}")
        vector = vector.reshape(x.shape)
    return vector
