"""A sum of a loss over partitions of data as an Objective: f(θ) = Σₚ wₚ·loss(θ, partₚ) + regularizer(θ)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from newtonkit.core.validation import check_integer, check_real
from newtonkit.derivatives.autograd.tracing import as_number
from newtonkit.derivatives.pytree import Unflatten
from newtonkit.derivatives.source import DerivativeSource, make_source
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.executors.partitions import Partitions, as_partitions
from newtonkit.objectives.executors.processes import Processes
from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.serial import Executor, Serial
from newtonkit.objectives.executors.terms import Definition, Request
from newtonkit.objectives.finite_sum_source import FiniteSumSource
from newtonkit.objectives.objective import Objective

MEMORY = 1 << 28
"""Bytes that a process keeps of loaded parts and linearizations by default: 256 MiB, our choice."""

_EXACT = ("tape", "autograd", "jax", "torch")
_EXECUTORS: dict[str, Callable[[], Executor]] = {"serial": Serial, "processes": Processes}


@dataclass(frozen=True, init=False)
class FiniteSum(Objective):
    """The sum f(θ) = Σₚ wₚ·loss(θ, partₚ) + regularizer(θ) over partitions of data, not a mean.

    It is an `Objective`: `newtonkit.minimize(FiniteSum(loss, data), x0)`, verdicts and comparisons treat it as any
    function. Data need not fit into memory. The terms are added in a fixed binary tree over the index of the
    partitions, so that results have the same bits for every executor and every number of workers.

    Parameters
    ----------
    loss : callable
        loss(θ, part), one real number; ``part`` is passed as `newtonkit.train` passes a batch.
    partitions : list, or array, tuple of arrays or dict of arrays
        A list holds the parts, or functions without arguments that load one each. Arrays with one row per example are
        cut into chunks of rows; a chunk of a `numpy.memmap` is read from its file when it is needed.
    weights : array_like, shape (partitions,), optional
        Default: 1 each.
    regularizer : callable, optional
        regularizer(θ), added once.
    executor : {"serial", "processes"} or Executor, default "serial"
        "serial": in this process, one partition after another. "processes": `Processes`, one worker for each processor.
    curvature_sample : float in (0, 1], optional
        Take the Hessian from this share of the partitions only, drawn with ``seed`` and kept in this process; f and ∇f
        remain exact. It saves rounds if one Hessian is much more expensive than a gradient.
    seed : int, default 0
    chunk : int, at least 1, optional
        Rows of a chunk; by default as many as take 16 MiB.
    memory : float, at least 0, default 256 MiB
        Bytes of loaded parts and of linearizations that each process keeps between rounds.
    source : str, default "tape"
        Where derivatives come from, see `Objective`: of the loss on every partition if they are exact; differences are
        taken of the sum.

    Raises
    ------
    TypeError, ValueError
        For a wrong argument, naming it.

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

    loss: Callable[..., Any] = field(kw_only=True)
    partitions: Partitions = field(kw_only=True)
    weights: Vector = field(kw_only=True)
    regularizer: Callable[..., Any] | None = field(kw_only=True, default=None)
    executor: Executor = field(kw_only=True)
    curvature_sample: float | None = field(kw_only=True, default=None)
    seed: int = field(kw_only=True, default=0)
    memory: float = field(kw_only=True, default=MEMORY)

    def __init__(
        self,
        loss: Callable[..., Any],
        partitions: Any,
        *,
        weights: Sequence[float] | Vector | None = None,
        regularizer: Callable[..., Any] | None = None,
        executor: str | Executor = "serial",
        curvature_sample: float | None = None,
        seed: int = 0,
        chunk: int | None = None,
        memory: float = MEMORY,
        source: str = "tape",
    ) -> None:
        for name, function in (("loss", loss), ("regularizer", regularizer)):
            if not (callable(function) or (function is None and name == "regularizer")):
                raise TypeError(f"{name} must be callable, got {function!r}")
        if chunk is not None:
            check_integer("chunk", chunk, 1)
        check_integer("seed", seed, 0)
        check_real("memory", memory, 0.0)
        if curvature_sample is not None:
            check_real("curvature_sample", curvature_sample, 0.0, 1.0, open_low=True)
        recipes = as_partitions(partitions, chunk)
        w = _as_weights(weights, len(recipes))
        own = _executor(executor)
        definition = Definition(loss, recipes, w, source, memory)
        super().__init__(_PlainSum(definition, own, regularizer), source=source)
        for name, value in {
            "loss": loss,
            "partitions": recipes,
            "weights": w,
            "regularizer": regularizer,
            "executor": own,
            "curvature_sample": curvature_sample,
            "seed": seed,
            "memory": memory,
        }.items():
            object.__setattr__(self, name, value)

    def of_structure(self, unflatten: Unflatten) -> FiniteSum:
        """The same sum as a function of the flat vector; partitions and workers are shared."""
        loss, regularizer = self.loss, self.regularizer
        return FiniteSum(
            lambda v, part: loss(unflatten(v), part),
            self.partitions,
            weights=self.weights,
            regularizer=None if regularizer is None else lambda v: regularizer(unflatten(v)),
            executor=self.executor,
            curvature_sample=self.curvature_sample,
            seed=self.seed,
            memory=self.memory,
            source=self.source,
        )

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
        regularizer = None if self.regularizer is None else make_source(self.source, self.regularizer)
        return FiniteSumSource(self._definition, self.executor, regularizer, self._sample())

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


def _executor(executor: Any) -> Executor:
    if isinstance(executor, str) and executor in _EXECUTORS:
        return _EXECUTORS[executor]()
    if not hasattr(executor, "total"):
        names = " or ".join(map(repr, _EXECUTORS))
        raise ValueError(f"executor must be {names}, or an executor such as newtonkit.Processes(2), got {executor!r}")
    own: Executor = executor
    return own
