"""The residuals of all partitions of a finite sum, as far as a fit needs them: the triangle of [J, r], and Σ wᵢ∇²rᵢ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.executors.residual_terms import ResidualTerms, add_triangles
from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.serial import Executor
from newtonkit.objectives.executors.terms import Definition, Request, unpacked
from newtonkit.objectives.sum_of_squares import SumOfSquares


class ResidualTriangle(NamedTuple):
    """R with RᵀR = [J, r]ᵀ[J, r], rows weighted by √(w ρ′)."""

    R: Matrix
    """Shape (n + 1, n + 1), upper triangular."""
    cost: float
    """½ Σ w ρ."""
    rows: int
    """The number of residuals."""


class ResidualSource:
    """One round for each request.

    Parameters
    ----------
    definition : Definition
    executor : Executor
    regularizer : SumOfSquares, optional
        Residuals of x that are added in this process.
    rounds : Rounds

    Raises
    ------
    TypeError
        If the loss or the regularizer is not a `SumOfSquares`.
    ValueError
        If a weight is negative.
    """

    def __init__(
        self,
        definition: Definition,
        executor: Executor,
        regularizer: Callable[..., Any] | SumOfSquares | None,
        rounds: Rounds,
    ) -> None:
        if not isinstance(definition.loss, SumOfSquares):
            raise TypeError(
                "least squares requires residuals: write FiniteSum(newtonkit.SumOfSquares(residuals), …), where "
                "residuals(x, part) returns an array"
            )
        if not (regularizer is None or isinstance(regularizer, SumOfSquares)):
            raise TypeError(
                "least squares requires regularizer=newtonkit.SumOfSquares(residuals), where residuals(x) returns an "
                "array"
            )
        if (definition.weights < 0.0).any():
            raise ValueError("least squares requires weights that are not negative")
        self._definition, self._executor, self.rounds = definition, executor, rounds
        self._own = None
        if isinstance(regularizer, SumOfSquares):
            self._own = ResidualTerms(regularizer.residuals, regularizer.loss, definition.source)

    def triangle(self, x: Vector) -> ResidualTriangle:
        """The triangle of all rows at x."""
        term = self._executor.total(self._definition, Request("triangle", x), self.rounds)
        if self._own is not None:
            term = add_triangles(term, self._own.triangle(x, ()))
        R, cost, rows = term
        return ResidualTriangle(R, float(cost), int(rows))

    def curvature(self, x: Vector) -> Matrix:
        """The Hessian of the cost without JᵀJ of the weighted Jacobian, shape (n, n)."""
        (packed,) = self._executor.total(self._definition, Request("curvature", x), self.rounds)
        S = unpacked(packed, x.size)
        return S if self._own is None else S + self._own.curvature(x, ())
