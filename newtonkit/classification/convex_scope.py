"""What proved convexity adds to a verdict: a bound on f(x) − f*, and whether the minimum is global.

Every critical point of a convex function is a global minimum. Existence must be known too: the infimum of exp(−x) is
not attained.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from newtonkit.classification.verdict import Verdict
from newtonkit.convex.analysis import prove
from newtonkit.convex.certificate import ROUNDING, Convexity
from newtonkit.core.domain import Domain
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, norm

_UNIVERSAL = "all x"
# kinds that proved convexity turns into a global minimum, if a minimum exists near x
_CRITICAL = frozenset({"minimum", "degenerate minimum", "valley"})


def proved_convexity(evaluator: Evaluator, x: Vector) -> Convexity | None:
    """What the recorded graph of the objective proves on its domain; None if there is no graph.

    The recording runs the function twice on tracers. It is no evaluation, and costs about as much as two gradients.
    """
    objective = evaluator.objective
    if not (objective.is_traced and objective.has_graph):
        return None
    domain = evaluator.domain
    lower, upper = float(np.min(domain.lower)), float(np.max(domain.upper))
    return prove(objective.fun, x, objective.args, lower, upper)


def gradient_bars(x: Vector, g: Vector, H: Matrix | None, error: float) -> Vector:
    """Error bars of the gradient: that of its source, and the rounding of the terms that cancel in it, |H||x|."""
    terms = np.abs(g) if H is None else np.abs(g) + np.abs(H) @ np.abs(x)
    return np.asarray(error + 10 * EPS * terms)


def certified_gap(proof: Convexity, x: Vector, g: Vector, bars: Vector, domain: Domain) -> float:
    """An upper bound of f(x) − inf f; infinite if none is proved.

    With ∇²f ⪰ diag(m): f(x) − f(x + t) ≤ Σ (−gᵢtᵢ − ½mᵢtᵢ²) for every x + t of the domain.
    """
    if not domain.is_bounded:
        return proof.gap(g, bars)
    if not proof.convex:
        return math.inf
    low, high, m = domain.lower - x, domain.upper - x, proof.moduli
    worst = np.zeros_like(x)
    for slope in (g - bars, g + bars):
        with np.errstate(divide="ignore", invalid="ignore"):
            vertex = np.where(m > 0.0, -slope / m, np.where(slope > 0.0, -math.inf, math.inf))
            t = np.where(slope == 0.0, 0.0, np.clip(vertex, low, high))
            terms = -slope * t - np.where(m > 0.0, 0.5 * m * t * t, 0.0)
        worst = np.maximum(worst, np.where(slope == 0.0, 0.0, terms))
    return float(np.sum(worst)) * (1.0 + ROUNDING)


def with_convexity(
    verdict: Verdict, proof: Convexity | None, x: Vector, f: float, g: Vector, bars: Vector, domain: Domain
) -> Verdict:
    """The verdict with scope, gap and modulus, as far as they are proved.

    Scope "global" requires that f attains its infimum: f is strongly convex on all of ℝⁿ; or the verdict itself shows a
    regular minimum near x; or f(x) is the proved lower bound of f; or the box is finite.
    """
    if proof is None or verdict.kind == "unchecked":
        return verdict
    gap = min(certified_gap(proof, x, g, bars, domain), f - proof.lower_bound)
    if math.isnan(gap):
        return verdict
    if not proof.convex:
        if gap <= 0.0:
            kind = verdict.kind if verdict.kind in _CRITICAL else "degenerate minimum"
            reason = f"f attains its proved lower bound {f:.6g}; {verdict.reason}"
            return dataclasses.replace(verdict, kind=kind, scope="global", gap=0.0, reason=reason)
        return dataclasses.replace(verdict, gap=gap) if gap < math.inf else verdict
    modulus = proof.mu if proof.mu > 0.0 else math.nan
    finite_box = domain.is_bounded and bool(np.isfinite(domain.lower).all() and np.isfinite(domain.upper).all())
    everywhere = proof.domain == _UNIVERSAL
    attained = (
        (proof.mu > 0.0 and everywhere) or verdict.kind == "minimum" or gap <= 0.0 or (finite_box and gap < math.inf)
    )
    known = dataclasses.replace(verdict, gap=gap if gap < math.inf else math.nan, modulus=modulus)
    place = "" if everywhere else f" on {proof.domain}"
    if verdict.kind in _CRITICAL and attained:
        bound = f", f − f* ≤ {gap:.2g}" if gap < math.inf else ""
        what = "strongly convex" if proof.mu > 0.0 else "convex"
        return dataclasses.replace(known, scope="global", reason=f"f is {what}{place}{bound}; {verdict.reason}")
    if verdict.kind in _CRITICAL or verdict.kind == "undecided":
        bound = f"f − f* ≤ {gap:.2g}" if gap < math.inf else "no gap is certified"
        text = f"f is convex{place}; {bound}; the infimum may not be attained; {verdict.reason}"
        return dataclasses.replace(known, reason=text)
    return known


def strongly_convex_verdict(proof: Convexity | None, g: Vector, bars: Vector, domain: Domain) -> Verdict | None:
    """The verdict by strong convexity alone, without any curvature; None if it is not proved on all of ℝⁿ.

    The minimizer lies within ‖g‖/μ of x, since μ‖x − x*‖ ≤ ‖g‖.
    """
    if proof is None or not proof.mu > 0.0 or proof.domain != _UNIVERSAL or domain.is_bounded:
        return None
    gap, distance = proof.gap(g, bars), norm(np.abs(g) + bars) / proof.mu
    return Verdict(
        "minimum",
        f"the Hessian is at least {proof.mu:.3g} everywhere, proved from the structure of f",
        index=0,
        nullity=0,
        gradient_norm=float(np.max(np.abs(g))),
        newton_step=distance,
        distance=distance,
        contraction=0.0,
        decrease=gap,
        level="proved",
    )
