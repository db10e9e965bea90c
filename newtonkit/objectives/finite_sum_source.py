"""Derivatives of a finite sum: one round over all partitions for each request."""

from __future__ import annotations

from typing import Any

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.derivatives.foreign import hessian_in_blocks
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.source import Call, DerivativeSource
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.executors.progress import Display
from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.serial import Executor, Serial
from newtonkit.objectives.executors.terms import Definition, Request, unpacked

MAX_HESSIAN = 2000
"""Variables up to which the Hessian is collected in one round: n²/2 numbers, 16 MB for every task (our choice)."""


class FiniteSumSource(DerivativeSource):
    """f, ∇f and ∇²f of a finite sum.

    Parameters
    ----------
    definition : Definition
    executor : Executor
    regularizer : DerivativeSource, optional
        Of the term that is added in this process.
    sample : Definition, optional
        A part of the partitions, with weights enlarged to stand for all: the Hessian comes from it, in this process.
    progress : bool, default False
        Show how much of a round is done.
    """

    capabilities = frozenset({"linearize"})

    def __init__(
        self,
        definition: Definition,
        executor: Executor,
        regularizer: DerivativeSource | None = None,
        sample: Definition | None = None,
        *,
        progress: bool = False,
    ) -> None:
        self._definition, self._executor, self._regularizer = definition, executor, regularizer
        self._sample, self._sampler = sample, Serial()
        self._kind = "gradient"
        self._pending: tuple[str, Vector, tuple[float, Vector]] | None = None
        self._progress = progress
        self.rounds = new_rounds(progress)

    @property
    def description(self) -> str:
        """The source of the loss, and the number of partitions."""
        return f"{self._definition.source}, summed over {len(self._definition.partitions)} partitions"

    @property
    def hessian_error(self) -> float:
        """The relative error of the Hessian: 1/√k if it comes from a sample of k partitions."""
        return super().hessian_error if self._sample is None else float(len(self._sample.partitions) ** -0.5)

    def bind(self, call: Call, domain: Domain) -> FiniteSumSource:
        """Return the source for one run, with rounds of its own."""
        bound = FiniteSumSource(
            self._definition, self._executor, self._regularizer, self._sample, progress=self._progress
        )
        bound._sampler = self._sampler
        return bound

    def total(self, kind: str, x: Vector, V: Any = None) -> tuple[Any, ...]:
        """Return the sum of all terms for one request, without the regularizer."""
        return self._executor.total(self._definition, Request(kind, x, V), self.rounds)

    def value(self, x: Vector) -> float:
        """Return f(x). The round computes ∇f(x) too, and keeps it for the next request if that is at x.

        Most trial points are accepted, so that this saves a pass over the data; ∇f costs about as much as f.
        """
        both = self._both(self._kind, x)
        self._pending = self._kind, x.copy(), both
        return both[0]

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x), in one round."""
        return self._known("gradient", x) or self._both("gradient", x)

    def linearize(self, x: Vector) -> Linearization:
        """Return f, ∇f and v ↦ ∇²f·v; the workers keep what products need."""
        self._kind = "linearization" if self._sample is None else "gradient"
        f, g = self._known(self._kind, x) or self._both(self._kind, x)
        own = self._regularizer_at(x)

        def product(v: Vector) -> Vector:
            Hv: Vector = self._curvature("product", x, v)
            return Hv if own is None else Hv + own.product(v)

        def products(V: Matrix) -> Matrix:
            HV: Matrix = self._curvature("products", x, V)
            return HV if own is None else HV + own.products(V)

        def hessian() -> Matrix:
            if x.size > MAX_HESSIAN:
                return hessian_in_blocks(products, x.size)
            H = unpacked(self._curvature("hessian", x), x.size)
            return H if own is None else H + own.hessian()

        return Linearization(f, g, product, products, hessian)

    def pattern(self, x: Vector) -> tuple[None, str]:
        """Return None and the reason."""
        return None, "sparsity patterns require one function recorded on a tape; a finite sum is evaluated in parts"

    def _both(self, kind: str, x: Vector) -> tuple[float, Vector]:
        """f and ∇f from a round of this kind."""
        f, g = self.total(kind, x)
        own = self._regularizer_at(x)
        return (float(f), g) if own is None else (float(f + own.f), g + own.g)

    def _known(self, kind: str, x: Vector) -> tuple[float, Vector] | None:
        """f and ∇f if `value` has just computed them at x; given out once, so that a repetition evaluates again."""
        pending, self._pending = self._pending, None
        if pending is None or not np.array_equal(pending[1], x):
            return None
        return pending[2] if kind in (pending[0], "gradient") else None

    def _regularizer_at(self, x: Vector) -> Linearization | None:
        """The regularizer with its derivatives; None if there is none."""
        if self._regularizer is None:
            return None
        self._regularizer.prepare(x, second_order=True)
        return self._regularizer.linearize(x)

    def _curvature(self, kind: str, x: Vector, V: Any = None) -> Any:
        if self._sample is None:
            (result,) = self.total(kind, x, V)
        else:
            own = Rounds()
            (result,) = self._sampler.total(self._sample, Request(kind, x, V), own)
            record = self.rounds.of(f"sampled {kind}")
            record.count += 1
            record.seconds += own.total.seconds
        return np.asarray(result)


def new_rounds(progress: bool) -> Rounds:
    """The rounds of a run, with a display or without."""
    return Rounds(display=Display() if progress else None)
