"""What a verdict may spend, and an evaluator that does not spend more."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.objective import Objective

# costs in units of one f: what automatic differentiation needs at most (Griewank & Walther, 2008, *Evaluating
# Derivatives*, sec. 4.6: a gradient 2 to 4, a product twice that); a Hessian is as many products as it is made of
_GRADIENT, _PRODUCT = 2.0, 4.0
_SHARE = 0.2  # of what the run has cost
_HESSIANS, _GRADIENTS = 2, 10  # what a verdict on up to 200 variables may always take
_PRODUCTS, _FEW = 10, 3  # the same for more variables, with a few gradients
FULL_EIGENVALUES = 200  # up to this n all eigenvalues of the full Hessian; 200 take 10 ms, measured


class AllowanceSpent(Exception):  # noqa: N818
    """The next evaluation would exceed the allowance."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The evaluations that a verdict may spend; their kinds are exchangeable at the cost of each.

    Parameters
    ----------
    f, g, H, Hv : float, at least 0
        Numbers of values, gradients, Hessians, Hessian-vector products; ∞ for no limit.

    Examples
    --------
    >>> Allowance(g=10, H=2).cost(hessian_products=3)
    44.0
    """

    f: float = 0.0
    g: float = 0.0
    H: float = 0.0
    Hv: float = 0.0

    def cost(self, hessian_products: int) -> float:
        """The total in units of one f, where a Hessian is made of so many products."""
        return self.f + _GRADIENT * self.g + _PRODUCT * (self.Hv + hessian_products * self.H)

    @property
    def products(self) -> float:
        """Number of Hessian-vector products of the same cost, Hessians left out."""
        return self.cost(0) / _PRODUCT


UNLIMITED = Allowance(g=math.inf)


def allowance_after(evaluator: Evaluator, n: int) -> Allowance:
    """A fifth of what the run has cost, less its earlier checks; or, if that is more, two Hessians and ten gradients.

    Above 200 variables ten products take the place of the Hessians.
    """
    products = evaluator.objective.products_for_hessian(n)
    run, checks = evaluator.counts, evaluator.check_counts
    minimum = Allowance(g=_GRADIENTS, H=_HESSIANS) if n <= FULL_EIGENVALUES else Allowance(g=_FEW, Hv=_PRODUCTS)
    share = _SHARE * _cost(run, products) - _cost(checks, products)
    return minimum if minimum.cost(products) >= share else Allowance(f=share)


def _cost(counts: Counts, products: int) -> float:
    return Allowance(counts.f, counts.g, counts.H, counts.Hv).cost(products)


class Evaluations(Protocol):
    """What a verdict requires of an evaluator: that of a run, or its restriction to a face of the box."""

    @property
    def domain(self) -> Domain:
        """Where x may lie."""

    @property
    def objective(self) -> Objective:
        """The function; it gives the number of products for a Hessian."""

    @property
    def hessian_error(self) -> float:
        """Relative error to expect in a Hessian."""

    def value(self, x: Vector) -> float:
        """f(x)."""

    def gradient(self, x: Vector) -> Vector:
        """∇f(x)."""

    def hessian(self, x: Vector) -> Matrix:
        """∇²f(x)."""

    def known_hessian(self, x: Vector) -> Matrix | None:
        """∇²f(x) if it was computed at exactly this point last."""

    def probing(self) -> AbstractContextManager[None]:
        """Points evaluated inside are no candidates for the incumbent."""


class MeteredEvaluator:
    """The requests of one verdict to an Evaluator: counted as checks, off the record of the run, within an allowance.

    Parameters
    ----------
    evaluator : Evaluations
    n : int
        Number of variables.
    allowance : Allowance

    Raises
    ------
    AllowanceSpent
        By a request that would exceed the allowance; nothing is evaluated then.
    """

    def __init__(self, evaluator: Evaluations, n: int, allowance: Allowance = UNLIMITED) -> None:
        self.evaluator = evaluator
        self.n = n
        self.allowance = allowance
        self.spent = Allowance()
        self.refused = False

    @property
    def hessian_error(self) -> float:
        """Relative error to expect in a Hessian."""
        return self.evaluator.hessian_error

    def affords(self, f: float = 0, g: float = 0, H: float = 0, Hv: float = 0) -> bool:
        """Whether so many more evaluations stay within the allowance; if not, ``refused`` is set."""
        after = Allowance(self.spent.f + f, self.spent.g + g, self.spent.H + H, self.spent.Hv + Hv)
        products = self.hessian_products
        if after.cost(products) <= self.allowance.cost(products):
            return True
        self.refused = True
        return False

    def value(self, x: Vector) -> float:
        """f(x); NaN outside the domain."""
        if not self.evaluator.domain.contains(x):
            return math.nan
        self._spend(f=1)
        return self.evaluator.value(x)

    def gradient(self, x: Vector) -> Vector:
        """∇f(x); NaN outside the domain."""
        if not self.evaluator.domain.contains(x):
            return np.full(x.size, math.nan)
        self._spend(g=1)
        return self.evaluator.gradient(x)

    def hessian(self, x: Vector) -> Matrix:
        """∇²f(x); free where the run knows it already, NaN outside the domain."""
        if not self.evaluator.domain.contains(x):
            return np.full((x.size, x.size), math.nan)
        if self.evaluator.known_hessian(x) is None:
            self._spend(H=1)
        return self.evaluator.hessian(x)

    def probing(self) -> AbstractContextManager[None]:
        """Points evaluated inside are no candidates for the incumbent, and the run's Hessian is kept."""
        return self.evaluator.probing()

    @property
    def hessian_products(self) -> int:
        """Number of products that a Hessian is made of."""
        return self.evaluator.objective.products_for_hessian(self.n)

    def _spend(self, f: int = 0, g: int = 0, H: int = 0) -> None:
        if not self.affords(f, g, H):
            raise AllowanceSpent
        self.spent = Allowance(self.spent.f + f, self.spent.g + g, self.spent.H + H, self.spent.Hv)
