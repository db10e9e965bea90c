"""The verdict at a point of a box for many variables: by a factorization of the free part, or by products with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.classification.copositivity import EXACT_ORDER, least_on_orthant
from newtonkit.classification.faces import Face, bounds_at
from newtonkit.classification.factored import verdict_from_factor
from newtonkit.classification.lanczos import CG_STEPS, LANCZOS_STEPS, product_verdict
from newtonkit.classification.verdict import NO_MINIMUM, Verdict
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import EPS, Vector, max_norm, norm
from newtonkit.linalg.sparse_factors import Solve

_SAFETY = 10.0  # factor of the error bars, as in `newtonkit.classification.faces`


def large_bounded_verdict(
    evaluator: Evaluator,
    x: Vector,
    g: Vector,
    B: Symmetric | None,
    *,
    radius: float = 1e-3,
    products: float = LANCZOS_STEPS + CG_STEPS,
) -> Verdict:
    """What kind of point x is in the box of the evaluator.

    The rules are those of `newtonkit.classification.at_bounds.bounded_verdict`. Weakly active bounds are examined if B
    is given and positive definite on the free variables, and there are at most 12 of them.

    Parameters
    ----------
    evaluator : Evaluator
    x, g : ndarray, shape (n,)
        The point and ∇f(x).
    B : Symmetric or None
        The Hessian at x; None if only products are available.
    products : float
        Products with the Hessian that may be spent if B is None.
    """
    domain = evaluator.domain
    times = evaluator.hvp(x) if B is None else B.times
    bounds = bounds_at(domain, x)
    inward = bounds.inward
    rounding = np.full(x.size, _SAFETY * EPS * max_norm(g))
    at_bound = bounds.lower | bounds.upper
    active = at_bound & (inward * g >= -rounding)
    free = ~active & ~bounds.fixed
    g_free = np.where(free, g, 0.0)
    reduced = None if B is None else B.masked(free)
    solve = None if reduced is None else reduced.factor(-reduced.rounding)
    # without a factorization, the change of a multiplier is taken to be as large as the remaining gradient
    change = np.full(x.size, max_norm(g_free)) if solve is None else np.abs(times(_on(free, solve(g_free))))
    errors = _SAFETY * change + rounding
    kept = np.where(active, 1.0, 0.0)
    weak = active & (inward * g <= errors)
    face = Face(free, active, weak, inward, kept * inward * g, kept * errors)
    found = _free_verdict(evaluator, x, g_free, free, reduced, solve, times, radius, products)
    facts: dict[str, Any] = {
        "active": face.sides,
        "multipliers": face.multipliers,
        "multiplier_errors": face.errors,
        "weakly_active": weak,
        "gradient_norm": domain.criticality(x, g),
    }
    if found.escape_direction is not None:
        facts["escape_direction"] = _unit(_on(free, found.escape_direction))
    reason = face.description() + f"; on the free variables {found.reason}" * bool(free.any())
    if found.kind in NO_MINIMUM:
        kind = "saddle" if found.kind == "maximum" and active.any() else found.kind
        return dataclasses.replace(found, kind=kind, reason=reason, **facts)
    if found.kind == "minimum" and weak.any():
        kind, direction = _weak_bounds(face, times, solve)
        if direction is not None:
            facts["escape_direction"] = direction
            reason = f"{face.description()}; f falls along a direction into the box from weakly active bounds"
        return dataclasses.replace(found, kind=kind, reason=reason, **facts)
    return dataclasses.replace(found, reason=reason, **facts)


def _free_verdict(
    evaluator: Evaluator,
    x: Vector,
    g_free: Vector,
    free: Any,
    reduced: Symmetric | None,
    solve: Solve | None,
    times: Callable[[Vector], Vector],
    radius: float,
    products: float,
) -> Verdict:
    if not free.any():
        return Verdict("minimum", "", index=0, nullity=0, newton_step=0.0, decrease=0.0)
    if reduced is not None:
        return verdict_from_factor(evaluator, x, g_free, reduced, solve, radius)
    # a typical curvature in place of the other variables, which are decoupled
    size = norm(_on(free, times(_on(free, np.ones(x.size))))) / float(free.sum()) ** 0.5

    def product(v: Vector) -> Vector:
        return np.where(free, times(_on(free, v)), size * v)

    return product_verdict(evaluator, x, g_free, radius=radius, product=product, products=products)


def _weak_bounds(face: Face, times: Callable[[Vector], Vector], solve: Solve | None) -> tuple[str, Vector | None]:
    """The kind by copositivity of the Schur complement, and a direction of descent if there is one."""
    W = np.flatnonzero(face.weak)
    if solve is None or W.size > EXACT_ORDER:
        return "undecided", None
    n = face.free.size
    directions = []
    for i in W:  # the variable moves into the box and the free variables minimize the quadratic model
        e = np.zeros(n)
        e[i] = face.inward[i]
        directions.append(e - _on(face.free, solve(_on(face.free, times(e)))))
    P = np.array(directions)
    products = np.array([times(p) for p in P])
    C = P @ products.T
    size = np.sqrt(np.abs(np.diag(C))) + 1e-300
    C, P = 0.5 * (C + C.T) / np.outer(size, size), P / size[:, None]
    error = _SAFETY * n**0.5 * EPS * float((np.abs(P) @ np.abs(products / size[:, None]).T).max())
    least = least_on_orthant(C)
    if least.value < -error:
        return "saddle", _unit(least.y @ P)
    return ("minimum" if least.lower_bound > error else "undecided"), None


def _on(free: Any, v: Vector) -> Vector:
    return np.where(free, v, 0.0)


def _unit(v: Vector) -> Vector:
    return v / norm(v)
