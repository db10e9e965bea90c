"""The terms of a finite sum: the weighted loss of one partition with its derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from newtonkit.derivatives.autograd.tracing import as_number
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.source import DerivativeSource, make_source
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.executors.part_structure import arrays_of, rebuilt, size_of
from newtonkit.objectives.executors.partitions import Partitions, Recipe
from newtonkit.objectives.executors.residual_terms import ResidualTerms, add_triangles
from newtonkit.objectives.executors.tree_sum import Add, Term, TreeSum, add_entries
from newtonkit.objectives.sum_of_squares import SumOfSquares

LINEARIZATION_BYTES = 4
"""Bytes that a kept linearization is assumed to take, in bytes of its part: measured 2 to 5 for losses of Xw."""

_keys = count()


class PartitionError(RuntimeError):
    """A partition could not be loaded or evaluated; ``partition`` is its index, ``__cause__`` the exception."""

    def __init__(self, message: str, partition: int) -> None:
        super().__init__(message)
        self.partition = partition

    def __reduce__(self) -> Any:
        return PartitionError, (str(self), self.partition)


class Definition:
    """What is added: a loss, its partitions and weights, and the source of derivatives.

    Parameters
    ----------
    loss : callable or SumOfSquares
        loss(x, part), or residuals(x, part).
    partitions : Partitions
    weights : ndarray, shape (partitions,)
    source : str
    memory : int
        Bytes of loaded parts and of linearizations that a process keeps.
    """

    def __init__(
        self,
        loss: Callable[..., Any] | SumOfSquares,
        partitions: Partitions,
        weights: Vector,
        source: str,
        memory: float,
    ) -> None:
        self.loss, self.partitions, self.weights, self.source, self.memory = loss, partitions, weights, source, memory
        self.key = next(_keys)


class Request(NamedTuple):
    """What is requested of every partition, at one point."""

    kind: str
    """ "plain", "gradient", "linearization", "product", "products" or "hessian"; "triangle", "curvature"."""
    x: Vector
    V: Any = None
    """One direction, or several as rows."""

    @property
    def add(self) -> Add:
        """The sum of two answers."""
        return add_triangles if self.kind == "triangle" else add_entries

    @property
    def numbers(self) -> int:
        """Numbers in an answer, apart from single ones."""
        n = self.x.size
        if self.kind == "products":
            return int(self.V.size)
        return {"hessian": n * (n + 1) // 2, "curvature": n * (n + 1) // 2, "triangle": (n + 1) ** 2}.get(self.kind, n)


class Terms:
    """Evaluates terms in this process; keeps loaded parts, and the linearizations at the last point, within a limit.

    Parameters
    ----------
    loss, weights, source, memory
        As in `Definition`.
    recipes : mapping or sequence
        Recipe of each partition, by its index.
    """

    def __init__(
        self, loss: Callable[..., Any] | SumOfSquares, weights: Vector, source: str, memory: float, recipes: Any
    ) -> None:
        self._squares = loss if isinstance(loss, SumOfSquares) else None
        self._residuals: dict[Any, ResidualTerms] = {}
        self._loss: Callable[..., Any] = loss.fun if isinstance(loss, SumOfSquares) else loss
        self._weights, self._source, self._memory = weights, source, memory
        self._recipes = recipes
        self._sources: dict[Any, DerivativeSource] = {}
        self._parts: dict[int, Any] = {}
        self._linearizations: dict[int, tuple[Linearization, int]] = {}
        self._at: Vector | None = None
        self._kept = 0

    def group(
        self, request: Request, level: int, index: int, size: int, show: Callable[[int], None] | None = None
    ) -> Term:
        """The sum of a node of the tree: of 2^level terms from index·2^level on, of ``size`` terms in all.

        ``show(done)`` is called after every term.
        """
        start = index << level
        stop = min(start + (1 << level), size)
        tree = TreeSum(stop - start, request.add)
        for i in range(start, stop):
            tree.add(0, i - start, self.term(request, i))
            if show is not None:
                show(i - start + 1)
        return tree.total

    def term(self, request: Request, i: int) -> Term:
        """The weighted term of one partition.

        Raises
        ------
        PartitionError
            If the part cannot be loaded, or if the loss raises an exception.
        """
        try:
            part = self._loaded(i)
        except Exception as error:
            raise PartitionError(f"partition {i} could not be loaded: {_described(error)}", i) from error
        try:
            values = self._evaluate(request, i, part)
        except Exception as error:
            raise PartitionError(f"the loss of partition {i} failed: {_described(error)}", i) from error
        w = float(self._weights[i])
        if request.kind == "triangle":
            triangle, cost, rows = values
            return math.sqrt(w) * triangle, w * cost, rows
        return values if w == 1.0 else tuple(w * value for value in values)

    def _evaluate(self, request: Request, i: int, part: Any) -> Term:
        kind, x = request.kind, request.x
        entries, structure = part
        if kind == "triangle":
            return self._residual_terms(structure).triangle(x, entries)
        if kind == "curvature":
            return (packed(self._residual_terms(structure).curvature(x, entries)),)
        source = self._source_for(structure)
        if kind == "plain":
            plain = source.plain(self._loss)
            return (as_number(plain(x.copy(), rebuilt(entries, structure))),)
        source = source.with_args(entries)
        if kind == "gradient":
            source.prepare(x, second_order=False)
            return source.value_and_gradient(x)
        linearization = self._linearization(source, x, i, LINEARIZATION_BYTES * size_of(entries))
        if kind == "linearization":
            return linearization.f, linearization.g
        if kind == "hessian":
            return (packed(linearization.hessian()),)
        return (linearization.product(request.V) if kind == "product" else linearization.products(request.V),)

    def _linearization(self, source: DerivativeSource, x: Vector, i: int, size: int) -> Linearization:
        """f, ∇f and ∇²f of a term: kept since the last request at x, or computed again."""
        if self._at is None or not np.array_equal(self._at, x):
            self._kept -= sum(size for _, size in self._linearizations.values())
            self._linearizations.clear()
            self._at = x.copy()
        if i in self._linearizations:
            return self._linearizations[i][0]
        source.prepare(x, second_order=True)
        linearization = source.linearize(x)
        assert linearization is not None
        if self._kept + size <= self._memory:
            self._linearizations[i] = linearization, size
            self._kept += size
        return linearization

    def _loaded(self, i: int) -> tuple[tuple[Any, ...], Any]:
        known = self._parts.get(i)
        if known is None:
            recipe: Recipe = self._recipes[i]
            known = arrays_of(recipe.load())
            size = size_of(known[0])
            if not recipe.in_memory and self._kept + size <= self._memory:
                self._parts[i] = known
                self._kept += size
        return known

    def _source_for(self, structure: Any) -> DerivativeSource:
        """The derivatives of the loss for parts of one structure; what they record or compile serves all of them."""
        if structure not in self._sources:
            self._sources[structure] = make_source(self._source, _of_entries(self._loss, structure))
        return self._sources[structure]

    def _residual_terms(self, structure: Any) -> ResidualTerms:
        """The residuals with their derivatives, for parts of one structure."""
        assert self._squares is not None
        if structure not in self._residuals:
            residuals = _of_entries(self._squares.residuals, structure)
            self._residuals[structure] = ResidualTerms(residuals, self._squares.loss, self._source)
        return self._residuals[structure]


def _of_entries(function: Callable[..., Any], structure: Any) -> Callable[..., Any]:
    """function(x, part) as a function of x and the entries of the part."""

    def of_entries(x: Any, *entries: Any) -> Any:
        return function(x, rebuilt(entries, structure))

    return of_entries


def packed(H: Matrix) -> Vector:
    """The upper triangle of a symmetric matrix, row by row."""
    return H[np.triu_indices(len(H))]


def unpacked(triangle: Vector, n: int) -> Matrix:
    """The symmetric matrix of an upper triangle."""
    H = np.empty((n, n))
    upper = np.triu_indices(n)
    H[upper] = triangle
    H.T[upper] = triangle
    return H


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
