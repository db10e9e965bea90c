"""All critical points of a function in a box: proved complete for small n, searched for from many starts otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from newtonkit.classification.staged import staged_verdict
from newtonkit.core.validation import check_choice, check_integer
from newtonkit.enumeration.audit import Audit, FaceAudit, degree_of_clusters, sum_of_signs
from newtonkit.enumeration.branching import all_zeros
from newtonkit.enumeration.clusters import classify_cluster, degenerate_point
from newtonkit.enumeration.degree import Degree, boundary_degree, sampled_winding_number
from newtonkit.enumeration.enclosures import Array, Jets, PointwiseDerivatives, try_interval_jets
from newtonkit.enumeration.faces import FaceSearch
from newtonkit.enumeration.krawczyk import Boxes, certify_near, proved_index
from newtonkit.enumeration.multistart import coverage, distinct, newton_from_many
from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, eigh
from newtonkit.objectives.objective import Objective

MAX_PROOF_DIMENSION = 6  # the number of boxes grows exponentially with the number of variables
MAX_BOXES = (
    500_000  # half a minute in the plane; Shubert's function with its 2888 critical points needs a quarter of it
)
BATCHED_STARTS, POINTWISE_STARTS = 2048, 256  # a start by autograd costs a thousand times as much as one in a batch
MAX_CLASSIFIED_CLUSTERS = (
    40  # a larger number comes from one non-isolated set, or from a limit on boxes that is too low
)


def find_critical_points(
    fun: Callable[..., Any],
    box: Sequence[Sequence[float]],
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    method: str = "auto",
    max_boxes: int = MAX_BOXES,
    starts: int | None = None,
    seed: int = 0,
    faces: bool = False,
) -> CriticalPoints:
    """Find the critical points of f in a box, with their kinds and Morse indices; prove that the list is complete.

    Up to six variables the box is cut into pieces. ∇f is enclosed with outward rounding until it cannot vanish in a
    piece, or until Krawczyk's operator proves that it vanishes exactly once. The list is then *proved* complete. The
    proof assumes that numpy's elementary functions are accurate to 4 units in the last place. It applies to f with its
    constants as the floating-point numbers that they are. For more variables Newton's method is run from many random
    starts, and each point found is certified.

    Parameters
    ----------
    fun : callable
        f(x, \\*args) of a vector of shape (n,), written with ``autograd.numpy`` or numpy; returns one real number.
    box : sequence of (low, high)
        One pair of finite numbers, low < high, for each variable.
    args : tuple, optional
        Further arguments of fun, jac and hess.
    jac, hess : callable, optional
        Gradient and Hessian. If they are given, the points are searched for by multistart, and nothing is proved.
    method : {"auto", "prove", "multistart"}, default "auto"
        "prove" cuts boxes for any n. "auto" does so up to n = 6 and uses multistart above.
    max_boxes : int, at least 1, default 500 000
        After this many boxes the remaining parts are reported as unresolved.
    starts : int, at least 1, optional
        Number of starts of multistart. Default 2048, or 256 if derivatives are computed one point at a time.
    seed : int, at least 0, default 0
        Seed of the random starts.
    faces : bool, default False
        Whether to list the Karush–Kuhn–Tucker points of minimizing f on the box instead: points on faces, edges and
        corners where ∂ᵢf = 0 for the free variables, ∂ᵢf > 0 at lower and ∂ᵢf < 0 at upper bounds. ``index`` and
        ``eigenvalues`` are then those of the free variables, and a point has ``active`` and ``multipliers``. The list
        is proved complete on the relative interior of every face. Always by "prove", for at most six variables.

    Returns
    -------
    CriticalPoints
        A sequence of points with ``.x .fun .kind .index .level``. It also has ``complete``, ``unresolved_boxes`` and
        ``audit``. ``print`` shows a table.

    Notes
    -----
    Derivatives are enclosed by running f on interval jets. They support sums, products, powers, `dot`, slices and
    elementary functions. If f uses anything else (`where`, `abs`, `max`, comparisons, `float`), the search uses
    autograd and multistart, and ``notes`` states this. Critical points with a singular Hessian, and sets of them,
    cannot be proved; they are reported in ``unresolved_boxes``. With ``faces=True`` the same holds for points with a
    multiplier of zero. If there are none of these, Σ(−1)^index = 1; ``audit`` compares this sum.

    References
    ----------
    Neumaier (1990), *Interval Methods for Systems of Equations*, chapter 5.

    Examples
    --------
    >>> points = find_critical_points(lambda x: x[0] ** 4 - 2 * x[0] ** 2 + x[1] ** 2, [(-2, 2), (-1, 1)])
    >>> [(point.kind, point.index) for point in points], points.complete
    ([('minimum', 0), ('minimum', 0), ('saddle', 1)], True)
    """
    lo, hi = checked_box(box)
    check_choice("method", method, ("auto", "prove", "multistart"))
    check_integer("max_boxes", max_boxes, 1)
    check_integer("seed", seed, 0)
    if starts is not None:
        check_integer("starts", starts, 1)
    # the box gets a size of about 1 in every variable; the units are powers of two, so there are no rounding errors
    unit: Vector = np.exp2(np.round(np.log2(hi - lo)))
    search = _Search(Objective(fun, jac, hess, args=args), unit, lo, hi, np.random.default_rng(seed))
    jets, reason = try_interval_jets(search.objective, unit, search.lo, search.hi, search.rng)
    if faces:
        if jets is None:
            raise ValueError(f"faces=True requires a function that can be enclosed in intervals: {reason}")
        if lo.size > MAX_PROOF_DIMENSION:
            raise ValueError(f"faces=True requires at most {MAX_PROOF_DIMENSION} variables, got {lo.size}")
        return search.solve_on_faces(jets, max_boxes)
    if jets is None:
        return search.solve_by_autograd(starts or POINTWISE_STARTS, reason)
    if method == "prove" or (method == "auto" and lo.size <= MAX_PROOF_DIMENSION):
        return search.solve_by_proof(jets, max_boxes)
    return search.solve_by_multistart(jets, starts or BATCHED_STARTS)


class _Search:
    """One call of `find_critical_points`: the function, the box, and the three ways of solving."""

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
            for cluster in zeros.clusters[:MAX_CLASSIFIED_CLUSTERS]
        ]
        indices = [point.index for point in points]
        found = sum_of_signs(indices)
        if zeros.clusters:
            hulls, degrees = [report.hull for report in reports], [report.degree for report in reports]
            rest = degree_of_clusters(hulls, degrees, zeros.certified, indices)
            found = None if found is None or rest is None or len(hulls) < len(zeros.clusters) else found + rest
        notes = [
            f"{zeros.processed} {'box was' if zeros.processed == 1 else 'boxes were'} examined by interval arithmetic, "
            "assuming that numpy's elementary functions are accurate to 4 units in the last place"
        ]
        if zeros.exhausted:
            notes.append(f"the limit of {max_boxes} boxes was reached (max_boxes)")
        if len(zeros.clusters) > MAX_CLASSIFIED_CLUSTERS:
            notes.append(f"only {MAX_CLASSIFIED_CLUSTERS} of {len(zeros.clusters)} unresolved parts were classified")
        return self._result(
            [*points, *(report.point for report in reports if report.point is not None)],
            complete=not zeros.clusters and None not in indices,
            unresolved_boxes=tuple(report.part for report in reports),
            audit=Audit(boundary_degree(jets, self.lo, self.hi), found),
            notes=tuple(notes),
            processed=zeros.processed,
        )

    def solve_on_faces(self, jets: Jets, max_boxes: int) -> CriticalPoints:
        """Branch and prune on every face."""
        found = FaceSearch(jets, self.objective, self.lo, self.hi, max_boxes).solve()
        notes = [f"{found.processed} boxes on {3**self.lo.size} faces were examined by interval arithmetic"]
        if found.exhausted:
            notes.append(f"the limit of {max_boxes} boxes was reached (max_boxes)")
        return self._result(
            list(found.points),
            complete=not found.unresolved,
            unresolved_boxes=found.unresolved,
            audit=FaceAudit(Degree(1, "proved", "the Euler characteristic of a box"), found.sum_of_signs),
            notes=tuple(notes),
            processed=found.processed,
        )

    def solve_by_multistart(self, jets: Jets, starts: int) -> CriticalPoints:
        """Newton's method on batches, and a certificate for each point."""
        limits, hits = self._limits(jets, starts)
        boxes, _, proved = certify_near(jets, limits, self.whole)
        points = self._certified(jets, boxes.where(proved))
        rest = np.clip(limits[~proved], self.lo, self.hi)
        points += [degenerate_point(jets, self.objective, t) for t in rest]
        return self._result(
            points,
            complete=False,
            audit=Audit(boundary_degree(jets, self.lo, self.hi), sum_of_signs([point.index for point in points])),
            notes=(f"searched by Newton's method from {starts} random starts; completeness is not proved",),
            processed=starts,
            coverage=coverage(hits),
        )

    def solve_by_autograd(self, starts: int, reason: str) -> CriticalPoints:
        """Newton's method with the derivatives of the objective, one point at a time; nothing is proved."""
        limits, hits = self._limits(PointwiseDerivatives(self.objective, self.unit), starts)
        points, kept = self._classified(limits)
        lo, hi = np.array(self.box).T
        degree = Degree(None, "", "the boundary is sampled for two variables only")
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
        """The points in boxes that contain exactly one critical point each."""
        if not boxes.number:
            return []
        # if a point lies on the boundary up to rounding errors, its box may extend beyond the boundary
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

    def _classified(self, limits: Array) -> tuple[list[CriticalPoint], list[int]]:
        """The limits that `classify` does not reject as "not critical", and their positions among the limits."""
        points, kept = [], []
        for k, t in enumerate(limits):
            x = self.unit * np.clip(t, self.lo, self.hi)
            with np.errstate(all="ignore"):
                evaluator = Evaluator(self.objective, second_order=True)
                verdict = staged_verdict(evaluator, x, evaluator.gradient(x))
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


def checked_box(box: Sequence[Sequence[float]]) -> tuple[Vector, Vector]:
    """The lower and the upper corner of a box that a user gave as pairs; a ValueError if it is not one."""
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
