"""What is in a group of boxes that branch and prune could not settle: a degenerate point, many, or nothing seen."""

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

_MEMBERS = 64  # boxes of a cluster from whose centres Newton's method is started
# at a root of multiplicity 3 steps shrink by 2/3, which takes a box of width 2⁻²⁰ to 1e-4 of that in 23
_STEPS = 30
_SAME = 1e-4  # of the whole box: limits nearer than this are one degenerate point, known to about √eps or worse
_MANY = 16  # limits of Newton's method apart from each other, with singular Hessians: they are not isolated
_AT_REST = 1e-7  # of the whole box: a Newton step this short has arrived


class ClusterReport(NamedTuple):
    """A cluster explained."""

    part: Unresolved
    point: CriticalPoint | None
    """The degenerate point in it, if it was found."""
    hull: Boxes
    """A box round the cluster."""
    degree: int | None
    """Of ∇f on the boundary of the hull, if that was proved."""


def classify_cluster(jets: Jets, objective: Objective, cluster: Boxes, box: Boxes, regions: Boxes) -> ClusterReport:
    """What Newton's method, started from the boxes of a cluster, sees there; nothing of it is proved but the degree."""
    whole = (box.hi - box.lo)[0]
    lo, hi = cluster.lo.min(axis=0), cluster.hi.max(axis=0)
    margin = 0.5 * (hi - lo) + WIDTH * whole
    hull = Boxes(np.maximum(lo - margin, box.lo), np.minimum(hi + margin, box.hi))
    degree = boundary_degree(jets, hull.lo[0], hull.hi[0]).value
    limits = _limits(jets, cluster, hull, whole)

    def part(kind: str, reason: str) -> Unresolved:
        return Unresolved(jets.unit * lo, jets.unit * hi, cluster.number, kind, reason)

    if not len(limits):
        return ClusterReport(
            part("unresolved", f"{_place(cluster)}, Newton's method finds no critical point"), None, hull, degree
        )
    spread = ((limits.max(axis=0) - limits.min(axis=0)) / whole).max()
    if spread <= _SAME:
        # the limit that most others are near, whatever the slowest of them do
        t = np.median(limits, axis=0)
        if Boxes(t[None], t[None]).within(regions).any():
            return ClusterReport(
                part("unresolved", f"{_place(cluster)}, only a point already listed was found"), None, hull, degree
            )
        point = degenerate_point(jets, objective, t)
        reason = (
            f"near {_shown(point.x)} the Hessian is singular, so that one critical point cannot be told from several"
        )
        return ClusterReport(part("degenerate point", reason), point, hull, degree)
    if len(distinct(limits, whole)[0]) >= _MANY and _singular(jets, limits, whole):
        reason = f"{_place(cluster)}, critical points lie {spread:.2g} of the box apart with others between them"
        return ClusterReport(part("non-isolated set", reason), None, hull, degree)
    return ClusterReport(
        part("unresolved", f"{_place(cluster)}, several critical points may lie close"), None, hull, degree
    )


def degenerate_point(jets: Jets, objective: Objective, t: Vector) -> CriticalPoint:
    """A point found by Newton's method where a singular Hessian lets nothing be proved: the verdict of `classify`.

    It is asked for in the variables of the jets, in which the box has size 1.
    """
    verdict = classify(
        lambda t: objective.value(jets.unit * t),
        t,
        jac=lambda t: jets.at(t[None]).g[0],
        hess=lambda t: jets.at(t[None]).H[0],
        x_scale=1.0,
    )
    # that Newton's method came to rest here is a better reason to call it critical than a length is not to
    kind = "undecided" if verdict.kind == "not critical" else verdict.kind
    index = verdict.index if kind in ("minimum", "maximum", "saddle") and not verdict.nullity else None
    x = jets.unit * t
    H = jets.at(t[None]).H[0] / np.outer(jets.unit, jets.unit)
    return CriticalPoint(x, objective.value(x), kind, index, "numerical", np.nan, eigh(H)[0])


def _limits(jets: Jets, cluster: Boxes, hull: Boxes, whole: Vector) -> Array:
    """Where Newton's method converges from up to 64 boxes of the cluster, as far as that is still near it."""
    chosen = np.unique(np.linspace(0, cluster.number - 1, _MEMBERS).astype(np.int64))
    T = newton(jets, 0.5 * (cluster.lo + cluster.hi)[chosen], whole, cap=0.01, steps=_STEPS)
    values = jets.at(T)
    at_rest = (np.abs(newton_steps(values.g, values.H)) <= _AT_REST * whole).all(axis=1)
    return T[at_rest & between(T, hull.lo, hull.hi)]


def _singular(jets: Jets, T: Array, whole: Vector) -> bool:
    """Whether the Hessian is singular at every row of T, to about √eps, in units of the box."""
    eigenvalues = np.abs(np.linalg.eigvalsh(jets.at(T).H * np.outer(whole, whole)))
    return bool((eigenvalues.min(axis=1) <= 1e-8 * eigenvalues.max(axis=1)).all())


def _place(cluster: Boxes) -> str:
    return f"in {cluster.number} small box{'es' * (cluster.number > 1)}"


def _shown(x: Vector) -> str:
    return "(" + ", ".join(f"{xi:.4g}" for xi in x) + ")"
