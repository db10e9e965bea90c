"""All Karush–Kuhn–Tucker points of minimizing f on a box: on every face, the zeros of the free part of ∇f.

A point is a KKT point if gᵢ = 0 for the free variables, gᵢ ≥ 0 at lower and gᵢ ≤ 0 at upper bounds. On each of the 3ⁿ
faces branch and prune lists the zeros of the free part; the signs of the multipliers are proved by intervals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from newtonkit.classification.at_bounds import bounded_verdict
from newtonkit.core.domain import Box
from newtonkit.enumeration.branching import all_zeros
from newtonkit.enumeration.clusters import classify_cluster
from newtonkit.enumeration.enclosures import Jets
from newtonkit.enumeration.face_jets import FaceJets, Sides, all_sides, multipliers_over, on_face
from newtonkit.enumeration.krawczyk import Boxes, proved_index
from newtonkit.enumeration.points import CriticalPoint, Unresolved
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, eigh
from newtonkit.objectives.objective import Objective

SAME_POINT = 1e-7  # of the box: a point found on two faces has a multiplier of zero; √eps, as it may be degenerate
MAX_CLASSIFIED_CLUSTERS = 5  # of one face; there are up to 729 faces


class FacePoints(NamedTuple):
    """The KKT points of a box."""

    points: tuple[CriticalPoint, ...]
    unresolved: tuple[Unresolved, ...]
    sum_of_signs: int | None
    """Σ(−1)^index, which is 1 if all points are nondegenerate; None if one may be degenerate."""
    processed: int
    exhausted: bool


@dataclass
class FaceSearch:
    """The search on all faces.

    Parameters
    ----------
    jets : Jets
    objective : Objective
    lo, hi : ndarray, shape (n,)
        The box, in the variables of the jets.
    max_boxes : int
        Limit on the boxes of all faces together.
    """

    jets: Jets
    objective: Objective
    lo: Vector
    hi: Vector
    max_boxes: int
    proved: list[CriticalPoint] = field(default_factory=list)
    doubtful: list[CriticalPoint] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    processed: int = 0
    exhausted: bool = False

    def solve(self) -> FacePoints:
        """Search all faces, those of smallest dimension first."""
        for sides in all_sides(self.lo.size):
            self._search(sides)
        known = [(-1) ** point.index for point in self.proved if point.index is not None]
        certain = not self.unresolved and len(known) == len(self.proved)
        return FacePoints(
            (*self.proved, *self.doubtful),
            tuple(self.unresolved),
            sum(known) if certain else None,
            self.processed,
            self.exhausted,
        )

    def _search(self, sides: Sides) -> None:
        free = sides == 0
        whole = Boxes(np.where(sides > 0, self.hi, self.lo)[None], np.where(sides < 0, self.lo, self.hi)[None])
        if (multipliers_over(self.jets, whole, sides)[1] < 0.0).any():
            return  # on the whole face a multiplier has the wrong sign
        if not free.any():
            self.processed += 1
            self._sort(whole, np.zeros(1, dtype=np.int64), sides, np.array([True]))
            return
        left = self.max_boxes - self.processed
        if left < 1:
            self.exhausted = True
            self._leave(whole, 1, "the limit on boxes was reached before this face was examined")
            return
        face = FaceJets(self.jets, self.lo, self.hi, sides)
        lo, hi = self.lo[free], self.hi[free]
        zeros = all_zeros(face, lo, hi, max_boxes=left)
        self.processed += zeros.processed
        self.exhausted |= zeros.exhausted
        found = zeros.certified
        if found.number:
            inside = ((found.lo > lo) & (found.hi < hi)).all(axis=1)
            clipped = Boxes(np.clip(found.lo, lo, hi), np.clip(found.hi, lo, hi))
            self._sort(face.embed(clipped), proved_index(face, found), sides, inside)
        for k, cluster in enumerate(zeros.clusters):
            hull = face.embed(Boxes(cluster.lo.min(axis=0)[None], cluster.hi.max(axis=0)[None]))
            if (multipliers_over(self.jets, hull, sides)[1] < 0.0).any():
                continue
            if k >= MAX_CLASSIFIED_CLUSTERS or zeros.exhausted:
                count = "1 small box was" if cluster.number == 1 else f"{cluster.number} small boxes were"
                self._leave(hull, cluster.number, f"{count} not settled")
                continue
            objective = on_face(self.objective, self.jets.unit * face.corner, free)
            report = classify_cluster(face, objective, cluster, Boxes(lo[None], hi[None]), zeros.regions)
            if report.point is not None:
                t = face.corner.copy()
                t[free] = report.point.x / self.jets.unit[free]
                self._doubt(t, report.part.reason)
            else:
                self._leave(hull, cluster.number, report.part.reason, report.part.kind)

    def _sort(self, boxes: Boxes, indices: np.ndarray, sides: Sides, inside: np.ndarray) -> None:
        """Keep the points with multipliers that are proved positive, discard those with one proved negative."""
        lower, upper = multipliers_over(self.jets, boxes, sides)
        fixed = sides != 0
        T = 0.5 * (boxes.lo + boxes.hi)
        T[:, fixed] = boxes.lo[:, fixed]
        H = self.jets.at(T).H / np.outer(self.jets.unit, self.jets.unit)
        for k, t in enumerate(T):
            if (upper[k] < 0.0).any():
                continue
            if not inside[k] or (lower[k][fixed] <= 0.0).any() or indices[k] < 0:
                self._doubt(t, "a multiplier or an eigenvalue may be zero there")
                continue
            x, index = self.jets.unit * t, int(indices[k])
            radius = float(np.nextafter((np.maximum(boxes.hi[k] - t, t - boxes.lo[k]) * self.jets.unit).max(), np.inf))
            maximum = index == x.size
            kind = "minimum" if index == 0 else "maximum" if maximum else "saddle"
            free = ~fixed
            eigenvalues = eigh(H[k][np.ix_(free, free)])[0] if free.any() else np.empty(0)
            multipliers = 0.5 * (lower[k] + upper[k]) / self.jets.unit
            self.proved.append(
                CriticalPoint(
                    x,
                    self.objective.value(x),
                    kind,
                    index,
                    "proved",
                    radius,
                    eigenvalues,
                    tuple(int(s) for s in sides),
                    multipliers,
                )
            )

    def _doubt(self, t: Vector, reason: str) -> None:
        """Keep a point at which nothing is proved, with the verdict of floating-point arithmetic."""
        near = SAME_POINT * (self.hi - self.lo)
        t = np.where(t - self.lo <= near, self.lo, np.where(self.hi - t <= near, self.hi, t))
        x = self.jets.unit * t
        for point in self.doubtful:
            if (np.abs(point.x - x) <= near * self.jets.unit).all():
                return
        evaluator = Evaluator(
            self.objective, second_order=True, domain=Box(self.jets.unit * self.lo, self.jets.unit * self.hi)
        )
        with np.errstate(all="ignore"):
            verdict = bounded_verdict(evaluator, x, evaluator.gradient(x))
        active = () if verdict.active is None else tuple(int(s) for s in verdict.active)
        kind = "undecided" if verdict.kind == "not critical" else verdict.kind
        fun = self.objective.value(x)
        self.doubtful.append(
            CriticalPoint(x, fun, kind, None, "numerical", np.nan, verdict.eigenvalues, active, verdict.multipliers)
        )
        place = Boxes(t[None], t[None])
        self._leave(place, 1, f"near {_shown(x)}: {reason}", "degenerate point")

    def _leave(self, box: Boxes, number: int, reason: str, kind: str = "unresolved") -> None:
        self.unresolved.append(Unresolved(self.jets.unit * box.lo[0], self.jets.unit * box.hi[0], number, kind, reason))


def _shown(x: Vector) -> str:
    return "(" + ", ".join(f"{xi:.4g}" for xi in x) + ")"
