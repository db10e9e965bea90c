"""A verdict for many variables from a few Hessian-vector products: what they prove, and what is only probable."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.classification.verdict import Verdict
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, dot, max_norm, norm

LANCZOS_STEPS, CG_STEPS = 30, 20
_FEWEST = 5  # of each, whatever the allowance: fewer show nothing
_SEED = 0  # of the random start; fixed, so that the same run gives the same verdict
_CONFIDENCE = 0.99

Product = Callable[[Vector], Vector]


def product_verdict(
    evaluator: Evaluator,
    x: Vector,
    g: Vector,
    *,
    radius: float = 1e-3,
    product: Product | None = None,
    products: float = LANCZOS_STEPS + CG_STEPS,
    count: bool = True,
) -> Verdict:
    """The verdict at x by conjugate gradients and by Lanczos from a random start.

    A direction v with vᵀHv < 0 beyond rounding *proves* that x is no minimum. Its absence is only probable: from a
    random start, k steps of Lanczos miss an eigenvalue that is lower than the smallest Ritz value by ε times the
    largest curvature with probability at most 1.648·√n·exp(−√ε(2k−1)) (Kuczyński & Woźniakowski, 1992, SIAM J. Matrix
    Anal. Appl. 13, 1094, theorem 4.2).

    Parameters
    ----------
    evaluator : Evaluator
    x, g : ndarray, shape (n,)
        The point and ∇f(x).
    radius : float, default 1e-3
        How far, relative to max(1, ‖x‖∞), the critical point may be from x.
    product : callable, optional
        v ↦ ∇²f(x)·v without cost; by default that of the evaluator.
    products : float, default 50
        How many products may be made; 30 for Lanczos and 20 for conjugate gradients at most, 5 at least of each. The
        direction of negative curvature, if there is one, takes as many again as have found it.
    count : bool, default True
        Whether to make all steps and to count the negative Ritz values, with a basis of up to 30 vectors kept in memory
        and orthogonal. Otherwise three vectors are kept, and the first negative Ritz value ends the iteration.
    """
    product = evaluator.hvp(x) if product is None else product
    n, scale = x.size, max(1.0, max_norm(x))
    relative = 10 * n**0.5 * evaluator.product_error
    newton = _newton_step(product, g, relative, int(min(CG_STEPS, max(_FEWEST, products // 2))))
    facts: dict[str, Any] = {"gradient_norm": max_norm(g), "radius": radius * scale, "level": "estimated"}
    facts |= {"newton_step": newton.length, "distance": newton.length, "decrease": newton.decrease}
    if newton.length > radius * scale:
        reason = f"the Newton step is {newton.length:.3g} long, more than {radius * scale:.3g}"
        return Verdict("not critical", reason, eigenvalue_tolerance=relative * newton.largest, **facts)
    steps = int(min(LANCZOS_STEPS, max(_FEWEST, products - newton.products), n))
    start = np.random.default_rng(_SEED).standard_normal(n)
    found = orthogonal_lanczos(product, start, steps) if count else lanczos(product, start, steps, relative)
    lowest, largest = float(found.ritz[0]), float(np.abs(found.ritz).max())
    tolerance = relative * largest
    facts |= {"eigenvalues": found.ritz[[0, -1]], "eigenvalue_tolerance": tolerance}
    if lowest < -tolerance:
        kind = "saddle" if found.ritz[-1] > tolerance else "maximum"
        # with an orthonormal basis known, H has as many negative eigenvalues as T (Cauchy's interlacing theorem)
        least = int(np.sum(found.ritz < -tolerance)) if count else 1
        reason = f"at least {least} of {n} eigenvalues negative, the lowest below {lowest:.3g}"
        return Verdict(kind, reason, escape_direction=ritz_vector(product, start, found), **facts)
    share = missed_share(n, found.steps)
    bound = lowest - share * (float(found.ritz[-1]) - lowest)
    seen = f"no negative curvature seen in {found.steps} products"
    if bound > tolerance:
        return Verdict("minimum", f"{seen}; every eigenvalue is above {bound:.3g}, at {_CONFIDENCE:.0%}", **facts)
    reason = f"{seen}; any negative curvature is below {share:.2g} of the largest, at {_CONFIDENCE:.0%}"
    if 0.001 < share < 1.0:
        reason = f"{seen}; any negative curvature is below {100 * share:.2g} % of the largest, at {_CONFIDENCE:.0%}"
    return Verdict("undecided", reason if share < 1.0 else f"{seen}, too few to exclude it", **facts)


def missed_share(n: int, steps: int) -> float:
    """The share ε of the spread of the spectrum that ``steps`` steps of Lanczos miss with probability 1 %."""
    return (math.log(1.648 * math.sqrt(n) / (1 - _CONFIDENCE)) / (2 * steps - 1)) ** 2


class Tridiagonal(NamedTuple):
    """What Lanczos found."""

    ritz: Vector
    """Ritz values, ascending."""
    matrix: Matrix
    """The tridiagonal matrix whose eigenvalues they are."""
    basis: Matrix | None = None
    """Orthonormal rows, if they were kept."""

    @property
    def steps(self) -> int:
        """Number of products."""
        return len(self.matrix)


def lanczos(product: Product, start: Vector, steps: int, relative: float) -> Tridiagonal:
    """Ritz values by the three-term recurrence, with three vectors in memory; ends when both signs are certain.

    Without reorthogonalization every Ritz value still lies in the spectrum, widened by some eps·‖H‖ (Paige, 1980,
    Linear Algebra Appl. 34, 235): a negative one proves negative curvature.
    Copies of the largest only waste steps. An eigenvalue below −``relative`` times the largest is certain.
    """
    alphas: list[float] = []
    betas: list[float] = []
    q, before, beta = start / norm(start), np.zeros_like(start), 0.0
    for _ in range(steps):
        t = product(q)
        alphas.append(dot(q, t))
        t = t - alphas[-1] * q - beta * before
        T = np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1)
        ritz = np.linalg.eigvalsh(T)
        beta = norm(t)
        certain = relative * float(np.abs(ritz).max())
        if (ritz[0] < -certain and ritz[-1] > certain) or not beta > EPS * max(map(abs, alphas)):
            break
        betas.append(beta)
        q, before = t / beta, q
    return Tridiagonal(ritz, T)


def orthogonal_lanczos(product: Product, start: Vector, steps: int) -> Tridiagonal:
    """The same with a basis that is kept and made orthogonal twice (Golub & Van Loan, 2013, algorithm 10.1.1)."""
    basis, alphas, betas = [start / norm(start)], [], []
    while True:
        t = product(basis[-1])
        alphas.append(dot(basis[-1], t))
        Q = np.array(basis)
        t = t - Q.T @ (Q @ t)
        t = t - Q.T @ (Q @ t)
        beta = norm(t)
        if len(alphas) == steps or not beta > EPS * max(map(abs, alphas)):
            break
        betas.append(beta)
        basis.append(t / beta)
    T = np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1)
    return Tridiagonal(np.linalg.eigvalsh(T), T, Q)


def ritz_vector(product: Product, start: Vector, found: Tridiagonal) -> Vector:
    """The unit Ritz vector of the smallest Ritz value; without a basis by the same recurrence once more."""
    weights: Vector = np.linalg.eigh(found.matrix)[1][:, 0]
    if found.basis is not None:
        combined = np.ascontiguousarray(found.basis.T @ weights)
        return combined / norm(combined)
    q, before, beta = start / norm(start), np.zeros_like(start), 0.0
    v: Vector = weights[0] * q
    for k in range(found.steps - 1):
        t = product(q) - found.matrix[k, k] * q - beta * before
        beta = float(found.matrix[k + 1, k])
        q, before = t / beta, q
        v = v + weights[k + 1] * q
    return v / norm(v)


class _NewtonStep(NamedTuple):
    length: float
    decrease: float
    largest: float
    """The largest curvature seen."""
    products: int


def _newton_step(product: Product, g: Vector, relative: float, steps: int) -> _NewtonStep:
    """Length and predicted reduction of a truncated Newton step by conjugate gradients (N&W, 2006, alg. 7.1).

    Where a direction has no certain curvature, or a negative one, the step along it is as long as for that curvature,
    turned positive: a slope without curvature is far from any critical point.
    """
    p, r, d = np.zeros_like(g), g.copy(), -g
    rr = dot(r, r)
    target = 1e-6 * rr
    decrease, largest, count = 0.0, 0.0, 0
    while count < steps and rr > target:
        Hd, dd = product(d), dot(d, d)
        count += 1
        curvature = dot(d, Hd)
        largest = max(largest, abs(curvature) / dd, norm(Hd) / math.sqrt(dd))
        floor = relative * largest * dd
        size = max(abs(curvature), floor)
        alpha = rr / size if size > 0.0 else math.inf
        p = p + alpha * d
        decrease += 0.5 * alpha * rr
        if not curvature > floor:
            break
        r += alpha * Hd
        rr, rr_old = dot(r, r), rr
        d = -r + (rr / rr_old) * d
    return _NewtonStep(norm(p), decrease, largest, count)
