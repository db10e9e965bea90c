"""Derivatives of a vector of residuals: r(x), its Jacobian, and Σ wᵢ∇²rᵢ, by autograd and its tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import scipy.sparse as sp
from autograd.differential_operators import make_jvp, make_vjp
from autograd.tracer import trace_stack
from numpy.typing import NDArray

from newtonkit.derivatives.autograd.tracing import DifferentiationError, trace_lock
from newtonkit.derivatives.pytree import is_input
from newtonkit.derivatives.tape.batching import BatchedStage
from newtonkit.derivatives.tape.cache import TAPE, Derivatives
from newtonkit.derivatives.tape.code_generation import Program
from newtonkit.derivatives.tape.programs import jacobian_program
from newtonkit.linalg.kernels import Matrix, Vector

_AGREEMENT = 1e-9  # relative difference of tape and plain autograd, far above rounding
_CANCELLATION = 1e-12  # the same, relative to the largest residuals seen: covers residuals that cancel
_SINGLY = 5  # columns up to which one pass for each is faster than a batch, measured with 50 and 1000 residuals
_LONG = 20_000  # residuals from which a batch no longer fits the cache
_COMPARED = 200  # columns up to which the whole Jacobian of a tape is compared, not only the products requested
_MOST_TAPES = 64  # for different shapes of x and of the data


class ResidualDerivatives:
    """Derivatives of ``fun(x, *args)``, a vector of m residuals of a vector x of n entries.

    Parameters
    ----------
    fun : callable
        Written with autograd.numpy; returns an array, or a structure of arrays, of residuals.
    tape : bool, default True
        False: plain autograd only.

    Notes
    -----
    A Jacobian is n forward passes, made at once on the tape; where autograd has no forward rule, m reverse passes.
    Arrays and floats among ``args`` are inputs of the tape, so that one recording serves all data of the same shape.
    The first taped Jacobian is compared with plain autograd. Later ones are compared with the residuals of a plain
    call at the same x, which the caller has anyway: a tape that has become stale is no longer used.
    """

    def __init__(self, fun: Callable[..., Any], *, tape: bool = True) -> None:
        self.fun: Callable[..., Any] = lambda x, *args: flat_residuals(fun(x, *args))
        self._weighted = Derivatives(lambda x, w, *args: anp.dot(w, self.fun(x, *args)), tape=tape)
        self._tape = tape
        self._tapes: dict[Any, _Tape] = {}
        self._forward = True
        self.linear: dict[Any, NDArray[np.bool_]] = {}
        """Parameters in which the residuals are affine, by the shapes of x and args; see `signature`."""

    def jacobian(
        self,
        x: Vector,
        args: tuple[Any, ...] = (),
        *,
        columns: NDArray[np.bool_] | None = None,
        residuals: Vector | None = None,
    ) -> Matrix:
        """J(x), shape (m, n), or some of its columns; ``residuals`` is r(x) by a plain call, if it is known.

        Raises
        ------
        DifferentiationError
            If autograd cannot differentiate fun.
        """
        directions = np.eye(x.size) if columns is None else np.eye(x.size)[columns]
        return self.products(x, directions, args, residuals=residuals)

    def products(
        self, x: Vector, directions: Matrix, args: tuple[Any, ...] = (), *, residuals: Vector | None = None
    ) -> Matrix:
        """J(x)·v for every row v of the directions, shape (m, k).

        Raises
        ------
        DifferentiationError
            If autograd cannot differentiate fun.
        """
        with trace_lock, np.errstate(all="ignore"):
            tape = self._tape_for(x, args)
            if tape is not None and tape.ready(self, x, args, directions):
                J = tape.jacobian(x, args, directions, residuals)
                if J is not None:
                    return J
            return self.plain(x, args, directions)

    def curvature(self, x: Vector, w: Vector, args: tuple[Any, ...] = (), *, residuals: Vector | None = None) -> Matrix:
        """Σ wᵢ∇²rᵢ(x), shape (n, n), symmetric; ``residuals`` as for `jacobian`."""
        with trace_lock, np.errstate(all="ignore"):
            inputs = (w, *args)
            self._weighted.prepare(x, inputs)
            linearization = self._weighted.linearize(x, inputs)
            if residuals is not None and self._weighted.source == TAPE:
                terms = np.abs(w) @ np.abs(residuals)
                if abs(linearization.f - w @ residuals) > _AGREEMENT * terms:
                    # the tape is stale
                    self._weighted = Derivatives(self._weighted.fun, tape=False)
                    linearization = self._weighted.linearize(x, inputs)
            return linearization.hessian()

    def plain(self, x: Vector, args: tuple[Any, ...], directions: Matrix) -> Matrix:
        """Products with J(x) by plain autograd."""

        def fun(z: Any) -> Any:
            return self.fun(z, *args)

        height = trace_stack.top
        try:
            return self._differentiate(fun, x, directions)
        finally:
            trace_stack.top = height  # make_jvp and make_vjp leave it one higher after an exception

    def _differentiate(self, fun: Callable[[Any], Any], x: Vector, directions: Matrix) -> Matrix:
        if self._forward:
            try:
                push = make_jvp(fun)(x)
                return np.array([push(v)[1] for v in directions], dtype=np.float64).T
            except NotImplementedError:  # a primitive without a forward rule
                self._forward = False
            except (TypeError, ValueError, AttributeError) as error:
                raise _not_differentiable(error) from error
        try:
            pull, r = make_vjp(fun, x)
            J = np.array([pull(e) for e in np.eye(np.size(r))], dtype=np.float64)
            if np.count_nonzero(directions) == len(directions) and (directions.max(axis=1) == 1.0).all():
                return J[:, directions.argmax(axis=1)]  # some columns: an entry that is not finite stays alone
            return np.ascontiguousarray(J @ directions.T)
        except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
            raise _not_differentiable(error) from error

    def _tape_for(self, x: Vector, args: tuple[Any, ...]) -> _Tape | None:
        if not self._tape:
            return None
        try:
            key = signature(x, args)
            tape = self._tapes.get(key)
        except TypeError:  # a constant argument that is not hashable
            return None
        if tape is None:
            if len(self._tapes) >= _MOST_TAPES:
                self._tapes.clear()
            tape = self._tapes[key] = _Tape()
        return tape


class _Tape:
    """The recorded Jacobian for one shape of x and args."""

    def __init__(self) -> None:
        self._program: tuple[Program, BatchedStage] | None = None
        self._tried = False
        self._largest = 0.0

    def ready(self, owner: ResidualDerivatives, x: Vector, args: tuple[Any, ...], directions: Matrix) -> bool:
        """Whether there is a tape; it is recorded at the first request, so that later calls give the same bits."""
        if not self._tried:
            self._tried = True
            self._record(owner, x, args, directions)
        return self._program is not None

    def jacobian(self, x: Vector, args: tuple[Any, ...], directions: Matrix, known: Vector | None) -> Matrix | None:
        """J at some directions; None, from now on, if the residuals of the tape are not those that are known."""
        assert self._program is not None
        program, batched = self._program
        try:
            (r, *_), residuals = program.once(x, *filter(is_input, args))
            if known is not None and not self._agrees(r, known):
                self._program = None
                return None
            if len(directions) <= _SINGLY or np.size(r) >= _LONG:
                assert program.per_direction is not None
                J = np.empty((np.size(r), len(directions)), order="F" if np.size(r) >= _LONG else "C")
                for i, v in enumerate(directions):
                    J[:, i] = program.per_direction(residuals, v)
                return J
            return np.ascontiguousarray(batched(residuals, directions).T)
        except Exception:  # fun may handle what raises here: plain autograd calls fun itself
            return None

    def _agrees(self, r: Any, known: Vector) -> bool:
        size = float(np.abs(known).max(initial=0.0))
        if not np.isfinite(size):
            return True
        self._largest = max(self._largest, size)
        return bool(np.abs(r - known).max(initial=0.0) <= _AGREEMENT * size + _CANCELLATION * self._largest)

    def _record(self, owner: ResidualDerivatives, x: Vector, args: tuple[Any, ...], directions: Matrix) -> None:
        directions = np.eye(x.size) if x.size <= _COMPARED else directions
        try:
            program, batched = jacobian_program(owner.fun, x, args)
            _, residuals = program.once(x, *filter(is_input, args))
            taped, plain = batched(residuals, directions).T, owner.plain(x, args, directions)
        except Exception:  # whatever a tape cannot do, plain autograd can
            return
        scale = np.abs(plain).max(initial=0.0)
        if np.abs(taped - plain).max(initial=0.0) <= _AGREEMENT * scale:
            self._program = program, batched


def signature(x: Vector, args: tuple[Any, ...]) -> Any:
    """A key that is equal only where one tape serves: shapes of inputs, values of constants.

    Raises
    ------
    TypeError
        If a constant is not hashable.
    """
    parts: list[Any] = [x.size]
    for arg in args:
        if is_input(arg):
            parts.append(np.shape(arg))
        else:
            hash(arg)
            parts.append((type(arg), arg))
    return tuple(parts)


def flat_residuals(value: Any) -> Any:
    """The residuals as one traceable vector: a dict, list or tuple of arrays is concatenated, dicts by sorted keys."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        return anp.concatenate([flat_residuals(part) for part in value])
    return value if getattr(value, "ndim", 0) == 1 else anp.reshape(value, (-1,))


def transposed_product(J: Any, w: Any) -> Any:
    """Jᵀw, traceable by autograd for a dense J that was computed with autograd.numpy.

    Raises
    ------
    TypeError
        If J was computed from traced values by plain numpy.
    """
    if isinstance(J, np.ndarray) and J.dtype == object:
        raise TypeError("jac is not written with autograd.numpy")
    return J.T @ w if sp.issparse(J) else anp.dot(anp.transpose(J), w)


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
