"""Functions with and without continuous symmetries, and what their critical points are by theory.

The truth about a point rests on known minimal values (Eckart and Young, 1936; convexity; a residual of zero), on the
normal form, or on the Hessian at a point polished in the orthogonal complement of the known orbit of the symmetry. None
of it uses `newtonkit.classification`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd import grad, hessian
from numpy.typing import NDArray

import problems
from comparisons.studies.critical_points.symmetric_functions import (
    Function,
    Matrix,
    Vector,
    cluster,
    distances,
    factorization,
    hat,
    lennard_jones,
    linear_network,
    morse,
    phase,
    phase_retrieval,
    rigid_motions,
    softmax,
    sphere_tangent,
)

_POLISHES = 20
_CERTAIN = 1e-8  # of the largest eigenvalue: less is neither a minimum nor a saddle by projection
_RANK = 1e-8  # of the largest singular value of the orbit's directions
_NEAR_BEST = 1e-9  # of the scale of f: a value so near to the known minimum is the minimum

SYMMETRIC, REGULAR, SADDLES, WEAK, DEGENERATE = "symmetric", "regular", "strict saddles", "weak saddles", "degenerate"


class Family(NamedTuple):
    """One function, one start, and what is known about it."""

    name: str
    group: str
    fun: Function
    x0: Vector
    orbit: Callable[[Vector], Matrix] | None = None
    """Columns span the directions of the symmetry at x; None: there is none."""
    best: float | None = None
    """The minimal value, if it is known."""
    only_global: bool = False
    """Whether every local minimum is a global one."""
    degenerate: bool = False
    """Whether the minimizers are degenerate by construction."""


def truth(family: Family, x: Vector) -> str:
    """ "minimum", "flat minimum", "degenerate minimum", "saddle", or "unknown" where theory does not settle it."""
    f = float(family.fun(x))
    size = 1.0 + abs(float(family.fun(family.x0)))
    flat = family.orbit is not None and np.linalg.matrix_rank(family.orbit(x)) > 0
    if family.best is not None and f - family.best <= _NEAR_BEST * size:
        return "degenerate minimum" if family.degenerate else "flat minimum" if flat else "minimum"
    if family.degenerate:
        return "unknown"
    index = _index_off_the_orbit(family, x)
    if index is None:
        return "unknown"
    if index > 0:
        return "saddle"
    if family.only_global:
        return "unknown"
    return "flat minimum" if flat else "minimum"


def _index_off_the_orbit(family: Family, x: Vector) -> int | None:
    """The number of negative eigenvalues orthogonal to the orbit at the critical point that Newton's steps reach."""
    slope, curvature = grad(family.fun), hessian(family.fun)
    y = x.copy()
    for _ in range(_POLISHES):
        P = _complement(family, y)
        step = P @ np.linalg.solve(P.T @ curvature(y) @ P, -(P.T @ slope(y)))
        if not np.isfinite(step).all() or np.linalg.norm(y + step - x) > 1e-2 * (1.0 + float(np.linalg.norm(x))):
            return None
        y = y + step
    P = _complement(family, y)
    eigenvalues = np.linalg.eigvalsh(P.T @ curvature(y) @ P)
    if np.abs(eigenvalues).min() <= _CERTAIN * np.abs(eigenvalues).max():
        return None
    return int(np.sum(eigenvalues < 0.0))


def _complement(family: Family, x: Vector) -> Matrix:
    if family.orbit is None:
        return np.eye(x.size)
    U, s, _ = np.linalg.svd(family.orbit(x), full_matrices=True)
    rank = int(np.sum(s > _RANK * float(np.linalg.norm(s))))
    return U[:, rank:]


def symmetric_families(seed: int) -> Iterator[Family]:
    """Clusters, factorizations, deep linear networks, distances, phase retrieval, softmax, hats."""
    rng = np.random.default_rng(1000 + seed)
    for atoms in (3, 4, 5, 7, 10, 13):
        for name, pair in (("Lennard-Jones", lennard_jones), ("Morse", morse)):
            x0 = rng.uniform(-0.6, 0.6, (atoms, 3)) * atoms ** (1 / 3) * 1.2
            yield Family(f"{name} {atoms}", SYMMETRIC, cluster(atoms, pair), x0.ravel(), rigid_motions(3))
    for m, n, rank in ((3, 3, 1), (6, 5, 2), (8, 6, 3), (10, 8, 4)):
        fun, orbit, best = factorization(m, n, rank, seed)
        x0 = rng.uniform(-1, 1, (m + n) * rank)
        yield Family(f"factorization {m}×{n}, rank {rank}", SYMMETRIC, fun, x0, orbit, best, only_global=True)
    for widths in ((3, 3, 3), (4, 3, 3, 4), (3, 4, 4, 3)):
        fun, orbit, best = linear_network(widths, seed)
        size = sum(a * b for a, b in itertools.pairwise(widths))
        name = f"linear network {'-'.join(map(str, widths))}"
        yield Family(name, SYMMETRIC, fun, rng.uniform(-1, 1, size), orbit, best, only_global=True)
    for points, dimension in ((4, 2), (6, 2), (6, 3), (10, 3)):
        x0 = rng.standard_normal(points * dimension)
        fun = distances(points, dimension, seed)
        yield Family(f"distances {points} in {dimension}D", SYMMETRIC, fun, x0, rigid_motions(dimension), 0.0)
    for n in (3, 6):
        yield Family(
            f"phase retrieval {n}", SYMMETRIC, phase_retrieval(n, seed), rng.standard_normal(2 * n), phase, 0.0
        )
    for features, classes in ((2, 3), (5, 5)):
        generator = np.kron(np.eye(features), np.ones((classes, 1)))
        fun = softmax(features, classes, seed)
        x0 = 0.1 * rng.standard_normal(features * classes)
        yield Family(f"softmax {features}×{classes}", SYMMETRIC, fun, x0, _constant(generator))
    for n in (2, 5, 20):
        yield Family(f"hat {n}", SYMMETRIC, hat, rng.uniform(-1, 1, n), sphere_tangent, 0.0)


# --- families without ------------------------------------------------------------------------------------------------


def _constant(columns: NDArray[Any]) -> Callable[[Vector], Matrix]:
    return lambda x: columns


def _turn_about_z(x: Vector) -> Matrix:
    return np.array([[-x[1]], [x[0]], [0.0]])


def _rotated(rng: np.random.Generator, n: int) -> tuple[Matrix, Vector]:
    return np.linalg.qr(rng.standard_normal((n, n)))[0], rng.uniform(-1, 1, n)


def regular_families(seed: int) -> Iterator[Family]:
    """Problems with strict minima only at their ends."""
    rng = np.random.default_rng(2000 + seed)
    for name, parameters in (
        *[("rosenbrock", {"n": n}) for n in (2, 10, 30)],
        *[(name, {}) for name in ("himmelblau", "beale", "wood", "six-hump-camel", "goldstein-price")],
        ("styblinski-tang", {"n": 5}),
    ):
        problem = problems.get(name, **parameters)
        x0 = np.asarray(problem.starts["standard"]) + 0.1 * rng.standard_normal(problem.n)
        yield Family(problem.label, REGULAR, problem.fun, x0)
    for n, condition in ((5, 1e2), (20, 1e4), (50, 1e3), (10, 1e8)):
        Q, c = _rotated(rng, n)
        w = np.geomspace(1.0, condition, n)

        def fun(x: Any, Q: Matrix = Q, c: Vector = c, w: Vector = w) -> Any:
            z = anp.dot(Q, x - c)
            return 0.5 * anp.sum(w * z**2) + anp.sum(z**4)

        yield Family(f"quartic {n}, condition {condition:g}", REGULAR, fun, rng.standard_normal(n), None, 0.0)


def saddle_families(seed: int, lowest: float, group: str) -> Iterator[Family]:
    """Starts on the stable manifold of a saddle with the eigenvalue ``lowest`` times the others."""
    rng = np.random.default_rng(3000 + seed)
    for n in (2, 5, 20):
        Q, c = _rotated(rng, n)
        w = np.r_[lowest, np.geomspace(0.1, 1.0, n - 1)]

        def fun(x: Any, Q: Matrix = Q, c: Vector = c, w: Vector = w) -> Any:
            z = anp.dot(Q, x - c)
            return 0.5 * anp.sum(w * z**2) + 0.25 * z[0] ** 4 + 0.1 * anp.sum(z[1:] ** 3 * 0.1 + z[1:] ** 4)

        z0 = np.r_[0.0, rng.uniform(-0.5, 0.5, n - 1)]
        yield Family(f"saddle {lowest:g}, n = {n}", group, fun, c + Q.T @ z0)

    def ring(x: Any) -> Any:
        """A circle of saddles at ‖(x, y)‖ = 1, z = 0; two circles of minima."""
        return (x[0] ** 2 + x[1] ** 2 - 1.0) ** 2 + 0.5 * lowest * x[2] ** 2 + 0.25 * x[2] ** 4

    a, b = rng.uniform(0.3, 0.9, 2)
    yield Family(f"ring of saddles {lowest:g}", group, ring, np.array([a, b, 0.0]), _turn_about_z)


def degenerate_families(seed: int) -> Iterator[Family]:
    """Minima of normal forms in random linear coordinates, and Powell's singular function."""
    rng = np.random.default_rng(4000 + seed)
    forms: list[tuple[str, int, Function]] = [
        ("u⁴ + v²", 2, lambda u: u[0] ** 4 + u[1] ** 2),
        ("u⁶ + v²", 2, lambda u: u[0] ** 6 + u[1] ** 2),
        ("u⁴ + v⁴ + w²", 3, lambda u: u[0] ** 4 + u[1] ** 4 + u[2] ** 2),
        ("(v − u²)² + u⁴", 2, lambda u: (u[1] - u[0] ** 2) ** 2 + u[0] ** 4),
        ("u⁴ + Σv²", 10, lambda u: u[0] ** 4 + anp.sum(u[1:] ** 2)),
    ]
    for name, n, form in forms:
        Q, c = _rotated(rng, n)

        def fun(x: Any, form: Function = form, Q: Matrix = Q, c: Vector = c) -> Any:
            return form(anp.dot(Q, x - c))

        yield Family(name, DEGENERATE, fun, rng.uniform(-1, 1, n), None, 0.0, degenerate=True)
    powell = problems.get("powell-singular")
    x0 = np.asarray(powell.starts["standard"]) + 0.1 * rng.standard_normal(4)
    yield Family("powell-singular", DEGENERATE, powell.fun, x0, None, 0.0, degenerate=True)


def families(seed: int) -> Iterator[Family]:
    """All of them, with random data and starts."""
    yield from symmetric_families(seed)
    yield from regular_families(seed)
    yield from saddle_families(seed, -0.5, SADDLES)
    yield from saddle_families(seed, -1e-6, WEAK)
    yield from degenerate_families(seed)
