"""Classify a group of boxes that branch and prune could not settle: a degenerate point, many points, or none found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from newtonkit.classification.examination import classify
from newtonkit.enumeration.branching import WIDTH
from newtonkit.enumeration.degree import boundary_degree
from newtonkit.enumeration.enclosures import Array, Jets
from newtonkit.enumeration.krawczyk import Boxes
from newtonkit.enumeration.multistart import between, distinct, newton, newton_steps
from newtonkit.enumeration.points import CriticalPoint, Unresolved
from newtonkit.linalg.kernels import Vector, eigh
from newtonkit.objectives.objective import Objective

MAX_STARTS = 64  # boxes of a cluster from whose centres Newton's method is started
# At a root of multiplicity 3 each step is 2/3 of the one before: from a distance of 2⁻²⁰, 23 steps reduce it by 1e-4.
NEWTON_STEPS = 30
SAME_POINT = 1e-4  # of the whole box: closer limits are one degenerate point, which is known to about √eps or worse
MIN_NON_ISOLATED = 16  # this many different limits with singular Hessians are reported as a non-isolated set
CONVERGED_STEP = 1e-7  # of the whole box: Newton's method has converged if its step is shorter
# At a critical point ‖∇f‖ is much smaller than around it, or a rounding error of what it is in the whole box. At a
# limit where both ratios are larger, f has a singularity: near a pole Newton's step is short, but ∇f is huge.
SINGULAR_HULL_RATIO, SINGULAR_BOX_RATIO = 0.5, 1e-6


class ClusterReport(NamedTuple):
    """The classification of a cluster."""

    part: Unresolved
    point: CriticalPoint | None
    """The degenerate point in it, if it was found."""
    hull: Boxes
    """A box around the cluster."""
    degree: int | None
    """The degree of ∇f on the boundary of the hull, if proved."""


def classify_cluster(jets: Jets, objective: Objective, cluster: Boxes, box: Boxes, regions: Boxes) -> ClusterReport:
    """Run Newton's method from the boxes of a cluster and classify its limits; only the degree is proved."""
    whole = (box.hi - box.lo)[0]
    lo, hi = cluster.lo.min(axis=0), cluster.hi.max(axis=0)
    margin = 0.5 * (hi - lo) + WIDTH * whole
    hull = Boxes(np.maximum(lo - margin, box.lo), np.minimum(hi + margin, box.hi))
    degree = boundary_degree(jets, hull.lo[0], hull.hi[0]).value
    limits, singular = _limits(jets, cluster, hull, box)

    def report(kind: str, reason: str, point: CriticalPoint | None = None) -> ClusterReport:
        part = Unresolved(jets.unit * lo, jets.unit * hi, cluster.number, kind, reason)
        return ClusterReport(part, point, hull, degree)

    where = f"in {cluster.number} small box{'es' * (cluster.number > 1)}"
    if not len(limits) and len(singular):
        place = _shown(jets.unit * np.median(singular, axis=0))
        return report(
            "unresolved",
            f"{where} near {place} the gradient does not tend to zero: f has a pole or is not smooth there",
        )
    if not len(limits):
        return report("unresolved", f"{where} Newton's method finds no critical point")
    extent = ((limits.max(axis=0) - limits.min(axis=0)) / whole).max()
    if extent <= SAME_POINT:
        # the median does not depend on the few limits that converge slowly
        t = np.median(limits, axis=0)
        if Boxes(t[None], t[None]).within(regions).any():
            return report("unresolved", f"{where} only a point already listed was found")
        place = _shown(jets.unit * t)
        f = jets.over(t[None] - WIDTH * whole, t[None] + WIDTH * whole, second_order=False).f
        if not (np.isfinite(f.lo).all() and np.isfinite(f.hi).all()):
            return report("unresolved", f"{where} near {place} f may be undefined (a pole or a removable singularity)")
        return report(
            "degenerate point",
            f"near {place} the Hessian is singular: there may be one critical point or several close together",
            degenerate_point(jets, objective, t),
        )
    if len(distinct(limits, whole)[0]) >= MIN_NON_ISOLATED and _singular(jets, limits, whole):
        return report(
            "non-isolated set", f"{where} critical points are not isolated; they extend over {extent:.2g} of the box"
        )
    return report("unresolved", f"{where} there may be several critical points close together")


def degenerate_point(jets: Jets, objective: Objective, t: Vector) -> CriticalPoint:
    """A point found by Newton's method with a singular Hessian, so that nothing is proved: the verdict of `classify`.

    `classify` is called in the variables of the jets, in which the box has size about 1.
    """
    verdict = classify(
        lambda t: objective.value(jets.unit * t),
        t,
        jac=lambda t: jets.at(t[None]).g[0],
        hess=lambda t: jets.at(t[None]).H[0],
        x_scale=1.0,
    )
    # Newton's method has converged here; this is stronger evidence than the size of the gradient
    kind = "undecided" if verdict.kind == "not critical" else verdict.kind
    index = verdict.index if kind in ("minimum", "maximum", "saddle") and not verdict.nullity else None
    x = jets.unit * t
    H = jets.at(t[None]).H[0] / np.outer(jets.unit, jets.unit)
    return CriticalPoint(x, objective.value(x), kind, index, "numerical", np.nan, eigh(H)[0])


def _limits(jets: Jets, cluster: Boxes, hull: Boxes, box: Boxes) -> tuple[Array, Array]:
    """The limits of Newton's method from up to 64 boxes of the cluster that are inside the hull.

    Returned are those that can be critical points, and those at which f has a singularity.
    """
    whole = (box.hi - box.lo)[0]
    chosen = np.unique(np.linspace(0, cluster.number - 1, MAX_STARTS).astype(np.int64))
    T = newton(jets, 0.5 * (cluster.lo + cluster.hi)[chosen], whole, cap=0.01, steps=NEWTON_STEPS)
    values = jets.at(T)
    converged = (np.abs(newton_steps(values.g, values.H)) <= CONVERGED_STEP * whole).all(axis=1)
    kept = converged & between(T, hull.lo, hull.hi)
    size = np.abs(values.g).max(axis=1)
    singular = (size >= SINGULAR_HULL_RATIO * _gradient_size(jets, hull)) & (
        size >= SINGULAR_BOX_RATIO * _gradient_size(jets, box)
    )
    singular &= size > 0.0
    return T[kept & ~singular], T[kept & singular]


def _gradient_size(jets: Jets, box: Boxes) -> float:
    """The median of ‖∇f‖∞ at the corners of a box (at most 64 of them), at which it is finite; 0 if there is none."""
    n = box.lo.shape[1]
    upper = (np.arange(2 ** min(n, 6))[:, None] >> np.arange(n)) & 1
    size = np.abs(jets.at(np.where(upper == 1, box.hi, box.lo)).g).max(axis=1)
    finite = size[np.isfinite(size)]
    return float(np.median(finite)) if finite.size else 0.0


def _singular(jets: Jets, T: Array, whole: Vector) -> bool:
    """Whether the Hessian is singular at every row of T, up to about √eps, in units of the box."""
    eigenvalues = np.abs(np.linalg.eigvalsh(jets.at(T).H * np.outer(whole, whole)))
    return bool((eigenvalues.min(axis=1) <= 1e-8 * eigenvalues.max(axis=1)).all())


def _shown(x: Vector) -> str:
    return "(" + ", ".join(f"{xi:.4g}" for xi in x) + ")"
