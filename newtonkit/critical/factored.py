"""A verdict for matrices too large for eigenvectors: whether all eigenvalues are positive, by one factorization."""

from __future__ import annotations

from typing import Any

import numpy as np

from newtonkit.critical.lanczos import product_verdict
from newtonkit.critical.verdict import Verdict
from newtonkit.factorization import Symmetric
from newtonkit.linalg import Vector, dot, max_norm, norm
from newtonkit.oracle import Oracle


def factored_verdict(oracle: Oracle, x: Vector, g: Vector, B: Symmetric, *, radius: float = 1e-3) -> Verdict:
    """The verdict at x from its Hessian B: "minimum" where B − τI has a Cholesky factor, τ being rounding.

    Then every eigenvalue is above τ, less the backward error of the factorization (Higham, 2002, *Accuracy and
    Stability of Numerical Algorithms*, theorem 10.7). Where it has none, Lanczos looks for a direction of negative
    curvature; its products are with B and cost no evaluation.
    """
    solve = B.factor(-B.rounding)
    if solve is None:
        return product_verdict(oracle, x, g, radius=radius, product=B.times)
    step = solve(g)
    length, scale = norm(step), max(1.0, max_norm(x))
    facts: dict[str, Any] = {
        "gradient_norm": max_norm(g),
        "newton_step": length,
        "distance": length,
        "radius": radius * scale,
        "decrease": 0.5 * dot(g, step),
        "eigenvalue_tolerance": B.rounding,
        "level": "numerical",
        "index": 0,
        "nullity": 0,
    }
    if not np.isfinite(length) or length > radius * scale:
        return Verdict("not critical", f"the Newton step is {length:.3g} long, more than {radius * scale:.3g}", **facts)
    return Verdict("minimum", f"every eigenvalue is above {B.rounding:.2g}, by a Cholesky factorization", **facts)
