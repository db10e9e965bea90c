"""The protocol of a quadratic model, which the subproblem solvers implement."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from newtonkit.linalg.kernels import Vector
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution

MAX_KNOTS = 100  # products with a matrix are cheap compared with its factorization


class QuadraticModel(Protocol):
    """m(p) = gᵀp + ½ pᵀBp at one point."""

    g: Vector
    max_knots: ClassVar[int]
    """Breakpoints of a projected path at which the model is evaluated, one product each. Between two of them the path
    is replaced by its chord, which lies in the box and in the ball. Up to this many the search is exact."""

    @property
    def hessian_norm(self) -> float:
        """‖B‖, or a bound on it."""

    @property
    def diagonal(self) -> Vector | None:
        """The diagonal of B; None if it is not known."""

    @property
    def newton_length(self) -> float:
        """Length of the Newton step if the model is certainly convex; 0 if it is not, or if that is unknown."""

    def solve(self, bound: StepBound) -> SubproblemSolution:
        """Return the minimizer of the model within the bound."""

    def times(self, v: Vector) -> Vector:
        """Return Bv."""

    def face(self, free: NDArray[np.bool_], g: Vector) -> Self:
        """Return the model of the free variables alone, with this gradient; the others do not move."""
