"""Strictly convex quadratics with bounds: obstacle problems on a grid, and random ones with a known solution."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import CriticalPoint, Problem, Vector, check_integer, check_number
from problems.bounded.bounded_problem import with_bounds
from problems.registry import register

MORE_TORALDO = "Moré & Toraldo 1991, SIAM J. Optim. 1, 93-113"
CERTIFIED_VALUE = "bracketed to 1e-11 by the primal value and a lower bound from the strong convexity on the box"
# minimal values at the default size
VALUES: dict[str, float] = {
    "elastic-plastic-torsion": -0.41441533138513226,
    "obstacle": 1.1852908535849236,
    "journal-bearing": -0.17965738615123733,
}


def _points(name: str, is_default: bool) -> tuple[CriticalPoint, ...]:
    if not is_default or name not in VALUES:
        return ()
    return (CriticalPoint(x=None, f=VALUES[name], kind="minimum", index=0, verified=CERTIFIED_VALUE),)


def _grid(x: Any, k: int) -> Any:
    """The values on a grid of k × k interior points, with zeros on the boundary."""
    return anp.pad(anp.reshape(x, (k, k)), 1, mode="constant")


def _membrane(k: int, load: Any) -> Any:
    """½ ∫|∇v|² − ∫ load·v on the unit square, by linear elements on a grid of width h = 1/(k + 1)."""
    h = 1.0 / (k + 1)

    def fun(x: Any) -> Any:
        v = _grid(x, k)
        energy = 0.5 * (anp.sum((v[1:, :] - v[:-1, :]) ** 2) + anp.sum((v[:, 1:] - v[:, :-1]) ** 2))
        return energy - h * h * anp.sum(load * x)

    return fun


def _inside(k: int) -> tuple[Vector, Vector]:
    t = np.arange(1, k + 1) / (k + 1)
    s, t = np.meshgrid(t, t, indexing="ij")
    return s.ravel(), t.ravel()


@register("elastic-plastic-torsion", tags=("bounded", "scalable"), summary="a bar twisted until parts become plastic")
def elastic_plastic_torsion(*, k: int = 15, c: float = 5.0) -> Problem:
    """½ ∫|∇v|² − c ∫ v on the unit square, |v| ≤ distance to the boundary; n = k².

    Parameters
    ----------
    k : int >= 2, default 15
        Grid points in each direction; the minimal value is listed for k = 15, c = 5.
    c : float > 0, default 5.0
        Angle of twist.
    """
    k, c = check_integer("k", k, low=2), check_number("c", c, low=0.0, strict=True)
    s, t = _inside(k)
    distance = np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t))
    return with_bounds(
        "elastic-plastic-torsion",
        _membrane(k, c),
        -distance,
        distance,
        {"standard": distance},
        points=_points("elastic-plastic-torsion", (k, c) == (15, 5.0)),
        formula="½ ∫|∇v|² − c ∫ v,  |v| ≤ distance to the boundary",
        references=(MORE_TORALDO, "Dembo & Tulowitzki 1983, Yale University, working paper B71"),
    )


@register("obstacle", tags=("bounded", "scalable"), summary="a membrane over an obstacle with four bumps")
def obstacle(*, k: int = 15) -> Problem:
    """½ ∫|∇v|² − ∫ v on the unit square, (sin 3.2s sin 3.3t)³ ≤ v ≤ 2000; n = k².

    Parameters
    ----------
    k : int >= 2, default 15
        Grid points in each direction; the minimal value is listed for 15.
    """
    k = check_integer("k", k, low=2)
    s, t = _inside(k)
    lower = (np.sin(3.2 * s) * np.sin(3.3 * t)) ** 3
    return with_bounds(
        "obstacle",
        _membrane(k, 1.0),
        lower,
        2000.0,
        {"standard": np.maximum(lower, 0.0)},
        points=_points("obstacle", k == 15),
        formula="½ ∫|∇v|² − ∫ v,  (sin 3.2s sin 3.3t)³ ≤ v ≤ 2000",
        references=(MORE_TORALDO, "Dembo & Tulowitzki 1983, Yale University, working paper B71"),
    )


@register(
    "journal-bearing", tags=("bounded", "scalable"), summary="pressure of a film of oil, which cannot be negative"
)
def journal_bearing(*, k: int = 15, eccentricity: float = 0.1, b: float = 10.0) -> Problem:
    """½ ∫ w_q|∇v|² − ∫ w_l v on (0, 2π) × (0, 2b), v ≥ 0, w_q = (1 + ε cos s)³, w_l = ε sin s; n = k².

    Parameters
    ----------
    k : int >= 2, default 15
        Grid points in each direction; the minimal value is listed for the defaults.
    eccentricity : float > 0, default 0.1
    b : float > 0, default 10.0
    """
    k, e = check_integer("k", k, low=2), check_number("eccentricity", eccentricity, low=0.0, strict=True)
    b = check_number("b", b, low=0.0, strict=True)
    hs, ht = 2 * np.pi / (k + 1), 2 * b / (k + 1)
    s = hs * np.arange(k + 2)
    w = (1 + e * np.cos(s)) ** 3
    between = 0.5 * (w[1:] + w[:-1])[:, None]
    load = np.repeat(e * np.sin(s[1:-1]), k)

    def fun(x: Any) -> Any:
        v = _grid(x, k)
        across = 0.5 * ht / hs * anp.sum(between * (v[1:, :] - v[:-1, :]) ** 2)
        along = 0.5 * hs / ht * anp.sum(w[:, None] * (v[:, 1:] - v[:, :-1]) ** 2)
        return across + along - hs * ht * anp.sum(load * x)

    return with_bounds(
        "journal-bearing",
        fun,
        0.0,
        np.inf,
        {"standard": np.maximum(np.repeat(np.sin(s[1:-1]), k), 0.0)},
        points=_points("journal-bearing", (k, e, b) == (15, 0.1, 10.0)),
        formula="½ ∫ (1 + ε cos s)³|∇v|² − ∫ ε sin(s) v,  v ≥ 0",
        references=(MORE_TORALDO, "Cimatti 1977, Appl. Math. Optim. 3, 227-242"),
    )


@register("more-toraldo-quadratic", tags=("bounded", "scalable"), summary="random box-constrained quadratic, known x*")
def more_toraldo_quadratic(*, n: int = 20, condition: float = 1e3, degeneracy: float = 2.0, seed: int = 0) -> Problem:
    """½xᵀAx − cᵀx with −1 ≤ x ≤ 1, built so that the minimizer and its multipliers are known.

    A = ZDZ with a Householder matrix Z and eigenvalues from 1 to ``condition``. Half of the variables are at bounds,
    with multipliers 10^(−μ·degeneracy), μ uniform in (0, 1).

    Parameters
    ----------
    n : int >= 2, default 20
    condition : float >= 1, default 1e3
    degeneracy : float >= 0, default 2.0
        Multipliers are down to 10^(−degeneracy).
    seed : int >= 0, default 0
    """
    n, seed = check_integer("n", n, low=2), check_integer("seed", seed, low=0)
    condition, degeneracy = check_number("condition", condition, low=1.0), check_number("degeneracy", degeneracy, low=0)
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(n)
    Z = np.eye(n) - 2 * np.outer(z, z) / (z @ z)
    A = Z @ np.diag(np.geomspace(1.0, condition, n)) @ Z
    A = 0.5 * (A + A.T)
    solution = rng.uniform(-0.9, 0.9, n)
    side = np.where(np.arange(n) % 2 == 0, np.sign(rng.uniform(-1, 1, n)), 0.0)
    solution = np.where(side != 0.0, side, solution)
    gradient = -side * 10.0 ** (-degeneracy * rng.uniform(0, 1, n))
    c = A @ solution - gradient

    def fun(x: Any) -> Any:
        return 0.5 * anp.dot(x, anp.dot(A, x)) - anp.dot(c, x)

    point = CriticalPoint(
        x=solution, f=float(fun(solution)), kind="minimum", index=0, verified="by construction; f is strictly convex"
    )
    return with_bounds(
        "more-toraldo-quadratic",
        fun,
        -1.0,
        1.0,
        {"standard": np.zeros(n)},
        points=(point,),
        formula="½xᵀAx − cᵀx,  −1 ≤ x ≤ 1",
        references=("Moré & Toraldo 1989, Numer. Math. 55, 377-400",),
    )
