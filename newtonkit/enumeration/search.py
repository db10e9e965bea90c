"""All critical points of a function in a box: proved to be all where n is small, searched for from many starts else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from newtonkit.classification.examination import dense_verdict
from newtonkit.core.validation import check_choice, check_integer
from newtonkit.enumeration.audit import Audit, degree_of_clusters, sum_of_signs
from newtonkit.enumeration.branching import all_zeros
from newtonkit.enumeration.clusters import classify_cluster, degenerate_point
from newtonkit.enumeration.degree import Degree, boundary_degree, sampled_winding_number
from newtonkit.enumeration.enclosures import Array, Jets, PointwiseDerivatives, try_interval_jets
from newtonkit.enumeration.krawczyk import Boxes, certify_near, proved_index
from newtonkit.enumeration.multistart import coverage, distinct, newton_from_many
from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, eigh
from newtonkit.objectives.objective import Objective

_PROVABLE = 6  # variables; above, the number of boxes grows beyond patience
_MAX_BOXES = 500_000  # half a minute in the plane; Shubert's function with its 2888 points takes a quarter of it
_STARTS, _STARTS_ONE_BY_ONE = 2048, 256  # a start by autograd costs a thousand times one of a batch
_EXPLAINED = 40  # clusters; more of them are one set that is not isolated, or a limit reached too early


def find_critical_points(
    fun: Callable[..., Any],
    box: Sequence[Sequence[float]],
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    method: str = "auto",
    max_boxes: int = _MAX_BOXES,
    starts: int | None = None,
    seed: int = 0,
) -> CriticalPoints:
    """The critical points of f in a box, each with its kind and Morse index, and whether these are all.

    Up to six variables the box is cut until ∇f, enclosed with outward rounding, cannot vanish in a piece, or Krawczyk's
    operator proves that it does so exactly once: the list is then *proved* complete, as far as numpy's elementary
    functions are right to 4 units in the last place and the numbers written in f are taken as the floats they are.
    Above, Newton's method is run from many random starts, and every point found is certified by itself.

    Parameters
    ----------
    fun : callable
        f(x, \\*args) of a vector of shape (n,), written with ``autograd.numpy`` or numpy; returns one real number.
    box : sequence of (low, high)
        One pair of finite numbers, low < high, for every variable.
    args : tuple, optional
        Further arguments of fun, jac and hess.
    jac, hess : callable, optional
        Gradient and Hessian. With them fun is only called plainly, points are searched for by multistart, and nothing
        is proved.
    method : {"auto", "prove", "multistart"}, default "auto"
        "prove" cuts boxes whatever n is. "auto" does so up to n = 6.
    max_boxes : int, at least 1, default 500 000
        After this many boxes what is left is reported as unresolved.
    starts : int, at least 1, optional
        Of multistart; 2048, or 256 where derivatives come one point at a time.
    seed : int, at least 0, default 0
        Of the random starts.

    Returns
    -------
    CriticalPoints
        A sequence of points with ``.x .fun .kind .index .level``, and ``complete``, ``unresolved_boxes``, ``audit``;
        printing it prints a table.

    Notes
    -----
    Derivatives are enclosed by running f on interval jets, which pass through sums, products, powers, `dot`, slices
    and elementary functions. What they cannot pass (`where`, `abs`, `max`, comparisons, `float`) is searched by
    autograd and multistart, and ``notes`` says so. Critical points where the Hessian is singular, and sets of them,
    are never proved; they are what ``unresolved_boxes`` is about.

    References
    ----------
    Neumaier (1990), *Interval Methods for Systems of Equations*, chapter 5.

    Examples
    --------
    >>> points = find_critical_points(lambda x: x[0] ** 4 - 2 * x[0] ** 2 + x[1] ** 2, [(-2, 2), (-1, 1)])
    >>> [(point.kind, point.index) for point in points], points.complete
    ([('minimum', 0), ('minimum', 0), ('saddle', 1)], True)
    """
    lo, hi = _checked_box(box)
    check_choice("method", method, ("auto", "prove", "multistart"))
    check_integer("max_boxes", max_boxes, 1)
    check_integer("seed", seed, 0)
    if starts is not None:
        check_integer("starts", starts, 1)
    # boxes of size about 1 in every variable, whatever its unit; powers of two, so that nothing is rounded
    unit: Vector = np.exp2(np.round(np.log2(hi - lo)))
    search = _Search(Objective(fun, jac, hess, args=args), unit, lo, hi, np.random.default_rng(seed))
    jets, reason = try_interval_jets(search.objective, unit, search.lo, search.hi, search.rng)
    if jets is None:
        return search.solve_by_autograd(starts or _STARTS_ONE_BY_ONE, reason)
    if method == "prove" or (method == "auto" and lo.size <= _PROVABLE):
        return search.solve_by_proof(jets, max_boxes)
    return search.solve_by_multistart(jets, starts or _STARTS)


class _Search:
    """One call of `find_critical_points`: the function, the box, and what is done to them."""

    def __init__(self, objective: Objective, unit: Vector, lo: Vector, hi: Vector, rng: np.random.Generator) -> None:
        self.objective, self.unit, self.rng = objective, unit, rng
        self.box = tuple((float(a), float(b)) for a, b in zip(lo, hi, strict=True))
        self.lo, self.hi = lo / unit, hi / unit
        self.whole = self.hi - self.lo

    def solve_by_proof(self, jets: Jets, max_boxes: int) -> CriticalPoints:
        """Branch and prune."""
        zeros = all_zeros(jets, self.lo, self.hi, max_boxes=max_boxes)
        points = self._certified(jets, zeros.certified)
        box = Boxes(self.lo[None], self.hi[None])
        reports = [
            classify_cluster(jets, self.objective, cluster, box, zeros.regions)
            for cluster in zeros.clusters[:_EXPLAINED]
        ]
        indices = [point.index for point in points]
        found = sum_of_signs(indices)
        if zeros.clusters:
            hulls, degrees = [report.hull for report in reports], [report.degree for report in reports]
            rest = degree_of_clusters(hulls, degrees, zeros.certified, indices)
            found = None if found is None or rest is None or len(hulls) < len(zeros.clusters) else found + rest
        notes = [
            f"{zeros.processed} boxes examined by interval arithmetic, assuming that numpy's elementary functions are "
            "right to 4 units in the last place"
        ]
        if zeros.exhausted:
            notes.append(f"the limit of {max_boxes} boxes was reached (max_boxes)")
        if len(zeros.clusters) > _EXPLAINED:
            notes.append(f"only {_EXPLAINED} of {len(zeros.clusters)} unresolved parts were looked at")
        return self._result(
            [*points, *(report.point for report in reports if report.point is not None)],
            complete=not zeros.clusters and None not in indices,
            unresolved_boxes=tuple(report.part for report in reports),
            audit=Audit(boundary_degree(jets, self.lo, self.hi), found),
            notes=tuple(notes),
            processed=zeros.processed,
        )

    def solve_by_multistart(self, jets: Jets, starts: int) -> CriticalPoints:
        """Newton's method on batches, a certificate for every point."""
        limits, hits = self._limits(jets, starts)
        boxes, _, proved = certify_near(jets, limits, self.whole)
        points = self._certified(jets, boxes.where(proved))
        rest = np.clip(limits[~proved], self.lo, self.hi)
        points += [degenerate_point(jets, self.objective, t) for t in rest]
        return self._result(
            points,
            complete=False,
            audit=Audit(boundary_degree(jets, self.lo, self.hi), sum_of_signs([point.index for point in points])),
            notes=(f"searched by Newton's method from {starts} random starts; that these are all is not proved",),
            processed=starts,
            coverage=coverage(hits),
        )

    def solve_by_autograd(self, starts: int, reason: str) -> CriticalPoints:
        """Newton's method with the objective's own derivatives, one point at a time; nothing is proved."""
        limits, hits = self._limits(PointwiseDerivatives(self.objective, self.unit), starts)
        points, kept = self._judged(limits)
        lo, hi = np.array(self.box).T
        degree = Degree(None, "", "the boundary can be sampled in the plane only")
        if lo.size == 2:
            degree = sampled_winding_number(self.objective.gradient, lo, hi)
        return self._result(
            points,
            complete=False,
            audit=Audit(degree, sum_of_signs([point.index for point in points])),
            notes=(reason, f"searched by Newton's method from {starts} random starts; nothing is proved"),
            processed=starts,
            coverage=coverage(hits[kept]),
        )

    def _limits(self, points: Jets | PointwiseDerivatives, starts: int) -> tuple[Array, Any]:
        T = self.lo + self.rng.random((starts, self.lo.size)) * self.whole
        return distinct(newton_from_many(points, T, self.lo, self.hi), self.whole)

    def _certified(self, jets: Jets, boxes: Boxes) -> list[CriticalPoint]:
        """Points from boxes with exactly one each."""
        if not boxes.number:
            return []
        # a box may stick out where the point lies on the boundary, to rounding
        T = np.clip(0.5 * (boxes.lo + boxes.hi), self.lo, self.hi)
        radii = np.nextafter((np.maximum(boxes.hi - T, T - boxes.lo) * self.unit).max(axis=1), np.inf)
        H = jets.at(T).H / np.outer(self.unit, self.unit)
        points = []
        for t, index, radius, Hk in zip(T, proved_index(jets, boxes), radii, H, strict=True):
            x = self.unit * t
            level = "proved" if index >= 0 else "numerical"
            known = int(index) if index >= 0 else None
            kind = "undecided" if known is None else _kind(known, x.size)
            points.append(CriticalPoint(x, self.objective.value(x), kind, known, level, float(radius), eigh(Hk)[0]))
        return points

    def _judged(self, limits: Array) -> tuple[list[CriticalPoint], list[int]]:
        """Points by the verdict on them, those left out that are not critical, and which of the limits they are."""
        points, kept = [], []
        for k, t in enumerate(limits):
            x = self.unit * np.clip(t, self.lo, self.hi)
            with np.errstate(all="ignore"):
                verdict = dense_verdict(Evaluator(self.objective, second_order=True), x)
            if verdict.kind != "not critical":
                index = None if verdict.nullity or verdict.kind == "undecided" else verdict.index
                fun = self.objective.value(x)
                points.append(CriticalPoint(x, fun, verdict.kind, index, "numerical", np.nan, verdict.eigenvalues))
                kept.append(k)
        return points, kept

    def _result(self, points: list[CriticalPoint], **facts: Any) -> CriticalPoints:
        ordered = sorted(points, key=lambda point: (point.fun, *point.x))
        objective = self.objective
        return CriticalPoints(
            tuple(ordered),
            self.box,
            fun=lambda x: objective.fun(x, *objective.args),
            **{"unresolved_boxes": (), **facts},
        )


def _kind(index: int, n: int) -> str:
    return "minimum" if index == 0 else "maximum" if index == n else "saddle"


def _checked_box(box: Sequence[Sequence[float]]) -> tuple[Vector, Vector]:
    expected = "box must be a list of pairs (low, high), one for every variable"
    try:
        corners = np.array(box, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{expected}, got {box!r}") from None
    if corners.ndim != 2 or corners.shape[1] != 2 or not len(corners):
        raise ValueError(f"{expected}, got {box!r}")
    lo, hi = corners[:, 0].copy(), corners[:, 1].copy()
    with np.errstate(over="ignore", invalid="ignore"):
        bad = np.flatnonzero(~((hi > lo) & np.isfinite(hi - lo)))
    if bad.size:
        i = bad[0]
        raise ValueError(f"box must have finite low < high for every variable, got ({lo[i]:g}, {hi[i]:g}) for x[{i}]")
    return lo, hi
