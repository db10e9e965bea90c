"""A sum of a loss over partitions of data as an Objective: f(θ) = Σₚ wₚ·loss(θ, partₚ) + regularizer(θ)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from newtonkit.core.validation import check_integer, check_real
from newtonkit.derivatives.autograd.tracing import as_number
from newtonkit.derivatives.pytree import Unflatten
from newtonkit.derivatives.source import DerivativeSource, make_source
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.executors.named import as_executor
from newtonkit.objectives.executors.partitions import Partitions, as_partitions
from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.serial import Executor
from newtonkit.objectives.executors.terms import Definition, Request
from newtonkit.objectives.finite_sum_source import FiniteSumSource, new_rounds
from newtonkit.objectives.objective import Objective
from newtonkit.objectives.residual_source import ResidualSource, ResidualTriangle
from newtonkit.objectives.sum_of_squares import SumOfSquares

MEMORY = 1 << 28
"""Bytes that a process keeps of loaded parts and linearizations by default: 256 MiB, our choice."""

_EXACT = ("tape", "autograd", "jax", "torch")


@dataclass(frozen=True, init=False)
class FiniteSum(Objective):
    """The sum f(θ) = Σₚ wₚ·loss(θ, partₚ) + regularizer(θ) over partitions of data, not a mean.

    It is an `Objective`: `newtonkit.minimize(FiniteSum(loss, data), x0)`, verdicts and comparisons treat it as any
    function. Data need not fit into memory. The terms are added in a fixed binary tree over the index of the
    partitions, so that results have the same bits for every executor and every number of workers.

    Parameters
    ----------
    loss : callable or SumOfSquares
        loss(θ, part), one real number; ``part`` is passed as `newtonkit.train` passes a batch. For
        `newtonkit.least_squares`: ``SumOfSquares(residuals)``, where residuals(θ, part) is an array.
    partitions : Partitions, or data
        From `newtonkit.as_partitions`, or what it accepts: a list of parts or of functions that load one; arrays, which
        are cut into chunks of rows (a chunk of a `numpy.memmap` is read from its file when it is needed); names of
        Parquet files; arrays, data frames and delayed values of dask.
    weights : array_like, shape (partitions,), optional
        Default: 1 each.
    regularizer : callable, optional
        regularizer(θ), added once. ``SumOfSquares(residuals)`` for `newtonkit.least_squares`.
    executor : {"serial", "processes", "dask"}, distributed.Client or Executor, default "serial"
        "serial": in this process, one partition after another. "processes": `Processes`, one worker for each processor.
        A client of a dask cluster: `newtonkit.Dask`; "dask": a ``LocalCluster`` on this machine.
    curvature_sample : float in (0, 1], optional
        Take the Hessian from this share of the partitions only, drawn with ``seed`` and kept in this process; f and ∇f
        remain exact. It saves rounds if one Hessian is much more expensive than a gradient.
    seed : int, default 0
    chunk : int, at least 1, optional
        Rows of a chunk; by default as many as take 1 MiB.
    memory : float, at least 0, default 256 MiB
        Bytes of loaded parts and of linearizations that each process keeps between rounds.
    source : str, default "tape"
        Where derivatives come from, see `Objective`: of the loss on every partition if they are exact; differences are
        taken of the sum.
    progress : bool, default False
        Show on standard error how much of the present round is done.

    Raises
    ------
    TypeError, ValueError
        For a wrong argument, naming it.
    ImportError
        If an executor or a file requires a package that is not installed; the message names the extra.

    Notes
    -----
    A run's Result has the attribute ``rounds``: how often all partitions were evaluated, with bytes and seconds. f and
    ∇f take one round together, a Hessian of up to 2000 variables takes one, a Hessian-vector product one.

    Equal bits hold on one type of CPU with BLAS on one thread, to which worker processes are set; set
    ``OMP_NUM_THREADS=1`` for "serial".

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import newtonkit
    >>> X, y = np.arange(12.0).reshape(6, 2) % 5, np.arange(6.0)
    >>> def loss(w, part):
    ...     X, y = part
    ...     return np.sum((X @ w - y) ** 2)
    >>> result = newtonkit.minimize(FiniteSum(loss, (X, y), chunk=2), np.zeros(2))
    >>> result.success, result.rounds.of("linearization").count
    (True, 2)
    """

    evaluated_in_rounds: ClassVar[bool] = True

    loss: Callable[..., Any] | SumOfSquares = field(kw_only=True)
    partitions: Partitions = field(kw_only=True)
    weights: Vector = field(kw_only=True)
    regularizer: Callable[..., Any] | SumOfSquares | None = field(kw_only=True, default=None)
    executor: Executor = field(kw_only=True)
    curvature_sample: float | None = field(kw_only=True, default=None)
    seed: int = field(kw_only=True, default=0)
    memory: float = field(kw_only=True, default=MEMORY)
    progress: bool = field(kw_only=True, default=False)

    def __init__(
        self,
        loss: Callable[..., Any] | SumOfSquares,
        partitions: Any,
        *,
        weights: Sequence[float] | Vector | None = None,
        regularizer: Callable[..., Any] | SumOfSquares | None = None,
        executor: Any = "serial",
        curvature_sample: float | None = None,
        seed: int = 0,
        chunk: int | None = None,
        memory: float = MEMORY,
        source: str = "tape",
        progress: bool = False,
    ) -> None:
        for name, function in (("loss", loss), ("regularizer", regularizer)):
            if isinstance(function, SumOfSquares):
                if function.jacobian is not None or function.args:
                    raise ValueError(f"{name}: a SumOfSquares in a FiniteSum takes neither jac nor args")
            elif not (callable(function) or (function is None and name == "regularizer")):
                raise TypeError(f"{name} must be callable, got {function!r}")
        if chunk is not None:
            check_integer("chunk", chunk, 1)
        check_integer("seed", seed, 0)
        check_real("memory", memory, 0.0)
        if curvature_sample is not None:
            check_real("curvature_sample", curvature_sample, 0.0, 1.0, open_low=True)
        recipes = as_partitions(partitions, chunk)
        w = _as_weights(weights, len(recipes))
        own = as_executor(executor)
        definition = Definition(loss, recipes, w, source, memory)
        super().__init__(_PlainSum(definition, own, added_function(regularizer)), source=source)
        for name, value in {
            "loss": loss,
            "partitions": recipes,
            "weights": w,
            "regularizer": regularizer,
            "executor": own,
            "curvature_sample": curvature_sample,
            "seed": seed,
            "memory": memory,
            "progress": bool(progress),
        }.items():
            object.__setattr__(self, name, value)

    def of_structure(self, unflatten: Unflatten) -> FiniteSum:
        """The same sum as a function of the flat vector; partitions and workers are shared."""
        return FiniteSum(
            _of_vector(self.loss, unflatten),
            self.partitions,
            weights=self.weights,
            regularizer=None if self.regularizer is None else _of_vector(self.regularizer, unflatten),
            executor=self.executor,
            curvature_sample=self.curvature_sample,
            seed=self.seed,
            memory=self.memory,
            source=self.source,
            progress=self.progress,
        )

    def residual_triangle(self, x: Vector) -> ResidualTriangle:
        """The triangle of all rows of [J, r] at x by TSQR: one round, in which n × n triangles travel.

        Parameters
        ----------
        x : ndarray, shape (n,)

        Raises
        ------
        TypeError
            If the loss is not a `SumOfSquares`.

        Notes
        -----
        Of R, shape (n + 1, n + 1), the first n columns have the singular values and right singular vectors of J, and
        RᵀR = [J, r]ᵀ[J, r], without that this matrix is formed. Rows are multiplied by √(w ρ′). The tree over the
        partitions is fixed, so that R has the same bits for every executor.

        References
        ----------
        Demmel, Grigori, Hoemmen & Langou (2012), SIAM J. Sci. Comput. 34, A206, section 2.1.

        Examples
        --------
        >>> import newtonkit
        >>> import numpy as np
        >>> X, y = np.arange(12.0).reshape(6, 2) % 5, np.arange(6.0)
        >>> squares = newtonkit.SumOfSquares(lambda w, part: part[0] @ w - part[1])
        >>> R = FiniteSum(squares, (X, y), chunk=2).residual_triangle(np.zeros(2)).R
        >>> bool(np.allclose(R.T @ R, np.column_stack([X, -y]).T @ np.column_stack([X, -y])))
        True
        """
        return self.residual_source().triangle(np.asarray(x, dtype=np.float64))

    def residual_source(self) -> ResidualSource:
        """The residuals of all partitions for one run, which counts its rounds."""
        return ResidualSource(self._definition, self.executor, self.regularizer, new_rounds(self.progress))

    @property
    def has_graph(self) -> bool:
        """False: a finite sum is evaluated in parts."""
        return False

    def close(self) -> None:
        """End the worker processes and release what is kept; a later request starts again."""
        self.executor.close()

    @cached_property
    def _shared_source(self) -> DerivativeSource:
        if self.source not in _EXACT:
            return make_source(self.source, self.fun)
        own = added_function(self.regularizer)
        regularizer = None if own is None else make_source(self.source, own)
        return FiniteSumSource(self._definition, self.executor, regularizer, self._sample(), progress=self.progress)

    @property
    def _definition(self) -> Definition:
        fun = self.fun
        assert isinstance(fun, _PlainSum)
        return fun.definition

    def _sample(self) -> Definition | None:
        """The partitions from which the Hessian comes, with weights that have the sum of all weights."""
        if self.curvature_sample is None:
            return None
        size = len(self.partitions)
        k = max(1, math.ceil(self.curvature_sample * size))
        chosen = np.sort(np.random.default_rng(self.seed).choice(size, k, replace=False))
        w = self.weights[chosen]
        recipes = Partitions([self.partitions.recipes[i] for i in chosen])
        return Definition(self.loss, recipes, w * (self.weights.sum() / w.sum()), self.source, math.inf)


class _PlainSum:
    """The sum by plain calls of the loss."""

    def __init__(self, definition: Definition, executor: Executor, regularizer: Callable[..., Any] | None) -> None:
        self.definition, self._executor, self._regularizer = definition, executor, regularizer

    def __call__(self, x: Vector) -> float:
        (f,) = self._executor.total(self.definition, Request("plain", x), Rounds())
        return float(f if self._regularizer is None else f + as_number(self._regularizer(x.copy())))


def _as_weights(weights: Any, size: int) -> Vector:
    w = np.ones(size) if weights is None else np.array(weights, dtype=np.float64)
    if w.shape != (size,):
        raise ValueError(f"weights must have one entry for each of the {size} partitions, got shape {w.shape}")
    if not np.isfinite(w).all():
        raise ValueError("weights must be finite")
    return w


def added_function(function: Callable[..., Any] | SumOfSquares | None) -> Callable[..., Any] | None:
    """The function that is added; of a `SumOfSquares` its cost."""
    return function.fun if isinstance(function, SumOfSquares) else function


def _of_vector(function: Callable[..., Any] | SumOfSquares, unflatten: Unflatten) -> Callable[..., Any] | SumOfSquares:
    """The same function of the flat vector."""
    if isinstance(function, SumOfSquares):
        residuals, loss = function.residuals, function.loss
        return SumOfSquares(lambda v, *part: residuals(unflatten(v), *part), loss=loss.name, f_scale=loss.scale)
    return lambda v, *part: function(unflatten(v), *part)
