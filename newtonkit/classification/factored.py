"""Verdicts by factorizations: Cholesky for the sign of all eigenvalues, sparse LU for the number of negative ones."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from newtonkit.classification.lanczos import product_verdict
from newtonkit.classification.verdict import REGULAR, Verdict
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.equilibration import equilibrating, scaled
from newtonkit.linalg.factorization import SparseStructure, Symmetric
from newtonkit.linalg.inertia import inertia
from newtonkit.linalg.kernels import EPS, Vector, all_finite, dot, max_norm, norm
from newtonkit.linalg.sparse_factors import Solve

_BISECTIONS = 4  # of the exponent of the shift, between one that factors and a quarter of it that does not
_ITERATIONS = 100
_NOISE = 10.0  # times eps·(|H||x| + |g|): what rounding of x and of the sums of a gradient amounts to
_SEED = 0


def factored_verdict(evaluator: Evaluator, x: Vector, g: Vector, B: Symmetric, *, radius: float = 1e-3) -> Verdict:
    """The verdict at x from its Hessian B: "minimum" if B − τI has a Cholesky factor, τ being rounding.

    Then every eigenvalue is above τ, less the backward error of the factorization (Higham, 2002, *Accuracy and
    Stability of Numerical Algorithms*, theorem 10.7). If it has none, Lanczos searches a direction of negative
    curvature, which it may miss; if B + τI has no factor either, such a direction certainly exists, and inverse
    iteration finds it. All products are with B and cost no evaluation.
    """
    return verdict_from_factor(evaluator, x, g, B, B.factor(-B.rounding), radius)


def verdict_from_factor(
    evaluator: Evaluator, x: Vector, g: Vector, B: Symmetric, solve: Solve | None, radius: float
) -> Verdict:
    """The verdict of `factored_verdict` from the factorization of B − τI, or None if there is none."""
    if solve is None:
        verdict = product_verdict(evaluator, x, g, radius=radius, product=B.times)
        direction = negative_curvature(B) if verdict.kind in ("undecided", "minimum") else None
        if direction is None:
            return verdict
        lowest = dot(direction, B.times(direction))
        return dataclasses.replace(
            verdict,
            kind="saddle" if verdict.eigenvalues[-1] > B.rounding else "maximum",
            reason=f"at least 1 of {x.size} eigenvalues negative, the lowest below {lowest:.3g}, by inverse iteration",
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


def sparse_verdict(
    evaluator: Evaluator, x: Vector, g: Vector, H: sp.csc_array, structure: SparseStructure, *, radius: float = 1e-3
) -> Verdict:
    """The verdict at x from its sparse Hessian with the exact number of negative eigenvalues, if it can be counted.

    Counted for DHD, equilibrated, by `inertia`; if that is refused, the verdict is that of `factored_verdict`. A
    second, simplified Newton step shows whether the Hessian is as regular at the critical point
    (`newtonkit.classification.kantorovich`).
    """
    D = equilibrating(H)
    A = scaled(H, D)
    counted, B, n = inertia(A), structure.matrix(H), x.size
    if counted is None or counted.zero:
        verdict = factored_verdict(evaluator, x, g, B, radius=radius)
        if counted is None or verdict.kind == "not critical":
            return verdict
        both = counted.negative > 0 and counted.positive > 0
        reason = f"{counted.negative} of {n} eigenvalues negative, {counted.zero} cannot be distinguished from zero"
        return dataclasses.replace(
            verdict,
            kind="saddle" if both else "undecided",
            reason=reason,
            index=counted.negative,
            nullity=counted.zero,
            level="numerical",
        )
    lu = splu(sp.csc_matrix(A), permc_spec="MMD_AT_PLUS_A")

    def newton(v: Vector) -> Vector:
        return np.ascontiguousarray(-D * lu.solve(D * v))

    step, scale = newton(g), max(1.0, max_norm(x))
    length = norm(step)
    noise = _NOISE * EPS * (abs(H) @ np.abs(x) + np.abs(g))
    rounding = norm(newton(noise * np.random.default_rng(_SEED).choice([-1.0, 1.0], n)))
    g_next = evaluator.gradient(x + step) if length > rounding else np.zeros(n)
    h = math.nan if length <= rounding else 2.0 * norm(newton(g_next)) / length if all_finite(g_next) else math.inf
    direction = negative_curvature(B) if counted.negative else None
    facts: dict[str, Any] = {
        "gradient_norm": max_norm(g),
        "newton_step": length,
        "distance": length,
        "radius": radius * scale,
        "contraction": h,
        "decrease": -0.5 * dot(g, step) if not counted.negative else math.nan,
        "eigenvalue_tolerance": counted.threshold,
        "level": "numerical",
        "index": counted.negative,
        "nullity": 0,
        "escape_direction": direction,
    }
    if not length <= radius * scale:
        return Verdict("not critical", f"the Newton step is {length:.3g} long, more than {radius * scale:.3g}", **facts)
    if h > REGULAR:
        return Verdict("undecided", f"the Newton step is {length:.3g} long, but the next is not much shorter", **facts)
    kind = {0: "minimum", n: "maximum"}.get(counted.negative, "saddle")
    return Verdict(kind, f"{counted.negative} of {n} eigenvalues negative, counted by a sparse factorization", **facts)
