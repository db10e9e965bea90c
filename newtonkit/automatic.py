"""``method="auto"``: the method to start with, the fallbacks if it fails, and the reason."""

from __future__ import annotations

from typing import NamedTuple

from newtonkit.derivatives.sparsity.cost_model import gradient_work
from newtonkit.driver.method import Method
from newtonkit.linalg.factorization import SparseStructure
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.bfgs import BFGS
from newtonkit.methods.cubic import Cubic
from newtonkit.methods.lbfgs import LBFGS
from newtonkit.methods.trust_region_newton import TrustRegionNewton
from newtonkit.methods.trust_region_newton_cg import TrustRegionNewtonCG
from newtonkit.objectives.objective import Objective

_SMALL = 30  # up to this n the method is chosen without counting: a full Hessian is cheap
_GRADIENTS = 50.0  # cost of a Hessian in gradients, by counts, at which truncated Newton takes the same time, measured
_FULL = 100  # above this n the sparsity pattern is determined, as in `newtonkit.methods.hessian_source`
# columns of a Hessian of a finite sum that take the time of a gradient, in blocks on parts of 1 MiB: for logistic
# regression with n = 50, 100, 300 a Hessian takes 12, 20, 35 to 70 gradients, measured
_COLUMNS_IN_GRADIENT = 4
_MATRIX = 1000  # up to this n an update of bfgs takes less time than a gradient, measured


class Choice(NamedTuple):
    """Methods that share one budget and one ledger of evaluations."""

    method: Method
    fallbacks: tuple[Method, ...]
    reason: str


def select_methods(objective: Objective, x: Vector) -> Choice:
    """Return the methods for this objective from x: by n, by the given derivatives, and by the cost of a Hessian.

    Every choice follows counts (of variables, numpy calls, numbers, non-zeros, fill), never the clock.

    Parameters
    ----------
    objective : Objective
    x : ndarray, shape (n,)
    """
    n = x.size
    quasi = BFGS() if n <= _MATRIX else LBFGS()
    newton = (Cubic(), quasi)
    if objective.hess is not None:
        return Choice(TrustRegionNewton(), newton, "a Hessian is given")
    if objective.hvp is not None:
        return Choice(TrustRegionNewtonCG(), (quasi,), "Hessian-vector products are given")
    if objective.has_own_derivatives:
        return Choice(quasi, (LBFGS(),), f"a gradient is given and nothing more, n = {n}")
    if not objective.is_traced:
        return Choice(quasi, (LBFGS(),), f"derivatives are differences of f, n = {n}")
    if n <= _SMALL:
        return Choice(TrustRegionNewton(), newton, f"n = {n} ≤ {_SMALL}: a full Hessian is cheap")
    if n > _FULL and (groups := _sparse_products(objective, x)) is not None and 2 * groups <= _GRADIENTS:
        return Choice(TrustRegionNewton(), newton, f"a sparse Hessian from {groups} products")
    if objective.evaluated_in_rounds:
        rounds = f"n = {n}, each product takes one round over the partitions"
        if n <= _COLUMNS_IN_GRADIENT * _GRADIENTS:
            price = f"a Hessian too, at the cost of {n / _COLUMNS_IN_GRADIENT:.0f} gradients"
            return Choice(TrustRegionNewton(), newton, f"{rounds}, {price}")
        return Choice(
            TrustRegionNewtonCG(), (quasi,), f"{rounds}, a Hessian costs more than {_GRADIENTS:.0f} gradients"
        )
    work = gradient_work(lambda z: objective.fun(z, *objective.args), x) if objective.has_graph else None
    if work is None:
        return Choice(TrustRegionNewtonCG(), (quasi,), f"n = {n} > {_SMALL}, and the cost of a Hessian is not known")
    cost = work.hessian_in_gradients(n)
    counted = f"n = {n}, a Hessian costs as much as {cost:.0f} gradients"
    if cost <= _GRADIENTS:
        return Choice(TrustRegionNewton(), newton, counted)
    return Choice(TrustRegionNewtonCG(), (quasi,), counted)


def _sparse_products(objective: Objective, x: Vector) -> int | None:
    """The number of products for a sparse Hessian; None if there is no pattern or its factor would fill in."""
    try:
        pattern, _ = objective.pattern(x)
    except Exception:  # whatever fun raised, it raises again in the run
        return None
    return objective.products_for_hessian(x.size) if pattern is not None and SparseStructure(pattern).fits else None
