"""Derivatives of a vector of residuals: r(x), its Jacobian, and Σ wᵢ∇²rᵢ, by autograd and its tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.differential_operators import make_jvp, make_vjp
from numpy.typing import NDArray

from newtonkit.derivatives.autograd.tracing import DifferentiationError, trace_lock
from newtonkit.derivatives.tape.batching import BatchedStage
from newtonkit.derivatives.tape.cache import Derivatives
from newtonkit.derivatives.tape.code_generation import Program
from newtonkit.derivatives.tape.programs import jacobian_program
from newtonkit.linalg.kernels import Matrix, Vector

_PLAIN_JACOBIANS = 1  # by plain autograd before a tape is recorded: one recording costs about two of them
_AGREEMENT = 1e-9  # relative difference of tape and plain autograd, far above rounding


class ResidualDerivatives:
    """Derivatives of ``fun(x)``, a vector of m residuals of a vector x of n entries.

    Parameters
    ----------
    fun : callable
        Written with autograd.numpy; returns an array, or a structure of arrays, of residuals.

    Notes
    -----
    A Jacobian is n forward passes, made at once on the tape; where autograd has no forward rule, m reverse passes. The
    first taped Jacobian is compared with plain autograd; where they differ, the tape is not used.
    """

    def __init__(self, fun: Callable[[Any], Any]) -> None:
        self.fun: Callable[[Any], Any] = lambda x: flat_residuals(fun(x))
        self._weighted = Derivatives(lambda x, w: anp.dot(w, self.fun(x)))
        self._program: tuple[Program, BatchedStage] | None = None
        self._made = 0
        self._forward = True

    def value(self, x: Vector) -> Vector:
        """r(x), by a plain call."""
        return residual_vector(self.fun(x))

    def jacobian(self, x: Vector, columns: NDArray[np.bool_] | None = None) -> Matrix:
        """J(x), shape (m, n), or some of its columns.

        Raises
        ------
        DifferentiationError
            If autograd cannot differentiate fun.
        """
        with trace_lock, np.errstate(all="ignore"):
            directions = np.eye(x.size) if columns is None else np.eye(x.size)[columns]
            self._made += 1
            if self._made == _PLAIN_JACOBIANS + 1:
                self._record(x)
            if self._program is not None:
                program, batched = self._program
                _, residuals = program.once(x)
                return np.ascontiguousarray(batched(residuals, directions).T)
            J = self._plain(x)
            return J if columns is None else J[:, columns]

    def curvature(self, x: Vector, w: Vector) -> Matrix:
        """Σ wᵢ∇²rᵢ(x), shape (n, n), symmetric."""
        with trace_lock, np.errstate(all="ignore"):
            self._weighted.prepare(x, (w,))
            return self._weighted.linearize(x, (w,)).hessian()

    def _record(self, x: Vector) -> None:
        try:
            program, batched = jacobian_program(self.fun, x)
            _, residuals = program.once(x)
            taped, plain = batched(residuals, np.eye(x.size)).T, self._plain(x)
        except Exception:  # whatever a tape cannot do, plain autograd can
            return
        scale = np.abs(plain).max(initial=0.0)
        if np.abs(taped - plain).max(initial=0.0) <= _AGREEMENT * scale:
            self._program = program, batched

    def _plain(self, x: Vector) -> Matrix:
        if self._forward:
            try:
                push = make_jvp(self.fun)(x)
                return np.array([push(e)[1] for e in np.eye(x.size)], dtype=np.float64).T
            except NotImplementedError:  # a primitive without a forward rule
                self._forward = False
            except (TypeError, ValueError, AttributeError) as error:
                raise _not_differentiable(error) from error
        try:
            pull, r = make_vjp(self.fun, x)
            return np.array([pull(e) for e in np.eye(np.size(r))], dtype=np.float64)
        except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
            raise _not_differentiable(error) from error


def flat_residuals(value: Any) -> Any:
    """The residuals as one traceable vector: a dict, list or tuple of arrays is concatenated, dicts by sorted keys."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        return anp.concatenate([flat_residuals(part) for part in value])
    return anp.reshape(value, (-1,))


def residual_vector(value: Any) -> Vector:
    """What a function of residuals returned, as a float64 vector of its own.

    Raises
    ------
    TypeError
        If it is not an array of real numbers.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"fun must return an array of real residuals, got {value!r}")
    return np.array(array, dtype=np.float64)


def _not_differentiable(error: Exception) -> DifferentiationError:
    return DifferentiationError(
        f"autograd could not differentiate the residuals ({type(error).__name__}: {error}). Write fun with "
        "`import autograd.numpy as np` in place of numpy; or pass jac, or jac='2-point' for finite differences"
    )
