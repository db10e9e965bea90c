"""A verdict for large n from a few Hessian-vector products: what they prove, and what they only suggest."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from newtonkit.classification.verdict import Verdict
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Vector, dot, max_norm, norm

_LANCZOS_STEPS = 30
_CG_STEPS = 20
_SEED = 0  # of the random start; fixed, so that the same run gives the same verdict
_CONFIDENCE = 0.99


def product_verdict(
    evaluator: Evaluator,
    x: Vector,
    g: Vector,
    *,
    radius: float = 1e-3,
    product: Callable[[Vector], Vector] | None = None,
) -> Verdict:
    """The verdict at x by Lanczos and conjugate gradients, at most 50 products: the evaluator's, unless one is given.

    A direction v with vᵀHv < 0 beyond rounding *proves* that x is no minimum. That there is none is never proved:
    from a random start, k steps of Lanczos miss an eigenvalue lower than the smallest Ritz value by ε times the
    spread of the spectrum with probability at most 1.648·√n·exp(−√ε(2k−1)) (Kuczyński & Woźniakowski, 1992, SIAM
    J. Matrix Anal. Appl. 13, 1094, theorem 4.2).
    """
    product = evaluator.hvp(x) if product is None else product
    scale = max(1.0, max_norm(x))
    ritz, lowest = _lanczos(product, x.size)
    spread = float(ritz[-1] - ritz[0])
    largest = float(np.abs(ritz).max())
    tolerance = 10 * x.size**0.5 * evaluator.product_error * largest
    length, decrease = _newton_step(product, g, tolerance)
    gradient_norm = max_norm(g)
    epsilon = (math.log(1.648 * math.sqrt(x.size) / (1 - _CONFIDENCE)) / (2 * _LANCZOS_STEPS - 1)) ** 2
    bound = float(ritz[0]) - epsilon * spread
    facts = {
        "eigenvalues": ritz[[0, -1]],
        "eigenvalue_tolerance": tolerance,
        "gradient_norm": gradient_norm,
        "newton_step": length,
        "distance": length,
        "radius": radius * scale,
        "decrease": decrease,
        "level": "estimated",
    }
    if length > radius * scale:
        return Verdict("not critical", f"the Newton step is {length:.3g} long, more than {radius * scale:.3g}", **facts)
    if ritz[0] < -tolerance:
        kind = "saddle" if ritz[-1] > tolerance else "maximum"
        # an orthonormal basis is known in which they are eigenvalues: H has as many (Cauchy's interlacing theorem)
        least = int(np.sum(ritz < -tolerance))
        reason = f"at least {least} of {x.size} eigenvalues negative, the lowest below {ritz[0]:.3g}"
        return Verdict(kind, reason, escape_direction=lowest, **facts)
    seen = f"no negative curvature in {_LANCZOS_STEPS} products from a random start"
    if bound > tolerance:
        return Verdict("minimum", f"{seen}; the smallest eigenvalue is at least {bound:.3g} at 99 %", **facts)
    return Verdict("undecided", f"{seen}; the smallest eigenvalue is at least {bound:.3g} at 99 %", **facts)


def _lanczos(product: Callable[[Vector], Vector], n: int) -> tuple[Vector, Vector]:
    """Ritz values, ascending, and the Ritz vector of the smallest (Golub & Van Loan, 2013, algorithm 10.1.1)."""
    rng = np.random.default_rng(_SEED)
    q = rng.standard_normal(n)
    q /= norm(q)
    basis, alphas, betas = [q], [], []
    for _ in range(min(_LANCZOS_STEPS, n)):
        r = product(basis[-1])
        alphas.append(dot(basis[-1], r))
        # full reorthogonalisation: the basis is small, and ghosts would forge eigenvalues
        Q = np.array(basis)
        r = r - Q.T @ (Q @ r)
        r = r - Q.T @ (Q @ r)
        beta = norm(r)
        if not beta > EPS * max(map(abs, alphas)) or len(alphas) == _LANCZOS_STEPS:
            break
        betas.append(beta)
        basis.append(r / beta)
    k = len(alphas)
    T = np.diag(alphas) + np.diag(betas[: k - 1], 1) + np.diag(betas[: k - 1], -1)
    ritz, S = np.linalg.eigh(T)
    lowest = np.array(basis[:k]).T @ S[:, 0]
    return ritz, lowest / norm(lowest)


def _newton_step(product: Callable[[Vector], Vector], g: Vector, tolerance: float) -> tuple[float, float]:
    """Length and predicted decrease of a truncated Newton step by conjugate gradients (N&W, 2006, alg. 7.1).

    Where a direction has no certain curvature, or a negative one, the step along it is as long as for that curvature,
    turned positive: a slope without curvature is far from any critical point.
    """
    p, r, d = np.zeros_like(g), g.copy(), -g
    rr = dot(r, r)
    target = 1e-6 * rr
    decrease = 0.0
    for _ in range(_CG_STEPS):
        if rr <= target:
            break
        Hd = product(d)
        curvature, floor = dot(d, Hd), tolerance * dot(d, d)
        alpha = rr / max(abs(curvature), floor) if max(abs(curvature), floor) > 0.0 else math.inf
        p = p + alpha * d
        decrease += 0.5 * alpha * rr
        if not curvature > floor:
            break
        r += alpha * Hd
        rr, rr_old = dot(r, r), rr
        d = -r + (rr / rr_old) * d
    return norm(p), decrease
