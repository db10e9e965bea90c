"""A verdict for matrices too large for eigenvectors: whether all eigenvalues are positive, by one factorization."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from newtonkit.critical.lanczos import product_verdict
from newtonkit.critical.verdict import Verdict
from newtonkit.factorization import Symmetric
from newtonkit.linalg import Vector, dot, max_norm, norm
from newtonkit.oracle import Oracle

_BISECTIONS = 4  # of the exponent of the shift, between one that factors and a quarter of it that does not
_ITERATIONS = 100
_SEED = 0


def factored_verdict(oracle: Oracle, x: Vector, g: Vector, B: Symmetric, *, radius: float = 1e-3) -> Verdict:
    """The verdict at x from its Hessian B: "minimum" where B − τI has a Cholesky factor, τ being rounding.

    Then every eigenvalue is above τ, less the backward error of the factorization (Higham, 2002, *Accuracy and
    Stability of Numerical Algorithms*, theorem 10.7). Where it has none, Lanczos looks for a direction of negative
    curvature, which it may miss; where B + τI has no factor either, there certainly is one, and inverse iteration
    finds it. All products are with B and cost no evaluation.
    """
    solve = B.factor(-B.rounding)
    if solve is None:
        verdict = product_verdict(oracle, x, g, radius=radius, product=B.times)
        direction = negative_curvature(B) if verdict.kind in ("undecided", "minimum") else None
        if direction is None:
            return verdict
        return dataclasses.replace(
            verdict,
            kind="saddle" if verdict.eigenvalues[-1] > B.rounding else "maximum",
            reason=f"a direction of curvature {dot(direction, B.times(direction)):.3g} was found by inverse iteration",
            level="numerical",
            escape_direction=direction,
        )
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


def negative_curvature(B: Symmetric) -> Vector | None:
    """A unit vector v with vᵀBv below −τ, τ being rounding; None where B + τI is positive definite.

    Inverse iteration with a shift that just factors: B + σI is then nearly singular along the lowest eigenvectors
    (Golub & Van Loan, 2013, sec. 8.2.2). The lowest eigenvalue lies below the opposite of the shift that fails, and the
    iteration stops at half of that.
    """
    failing, solve = B.rounding, B.factor(B.rounding)
    if solve is not None:
        return None
    shift = failing
    while solve is None:
        if not shift <= 4.0 * B.norm:
            return None
        failing, shift = shift, 4.0 * shift
        solve = B.factor(shift)
    for _ in range(_BISECTIONS):
        middle = math.sqrt(failing * shift)
        nearer = B.factor(middle)
        if nearer is None:
            failing = middle
        else:
            shift, solve = middle, nearer
    v = np.random.default_rng(_SEED).standard_normal(B.diagonal.size)
    for _ in range(_ITERATIONS):
        v = solve(v)
        v = v / norm(v)
        if dot(v, B.times(v)) < -0.5 * failing:
            break
    return v if dot(v, B.times(v)) < -B.rounding else None
