"""The minimizer of a quadratic model within a bound and a domain: nearly exact, face by face."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from newtonkit.core.domain import Domain
from newtonkit.linalg.kernels import Vector, dot, norm
from newtonkit.trustregion.face_identification import find_face, products_for_face
from newtonkit.trustregion.model import QuadraticModel
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution, TrustRegion

_RELEASES = 10  # at most, of wrongly fixed variables; more never paid on 149 bound-constrained problems
_LONGEST = 1e3  # longest Newton step in a box that the first radius allows, in units of max(1, ‖x‖): our choice
_NOISE = 1e-12  # relative size of a multiplier that counts as zero: some thousand roundings


class DomainModel:
    """A quadratic model at a point of a domain.

    Attributes
    ----------
    whole : QuadraticModel
    face : QuadraticModel
        The model of the variables that are free at the point; the whole model if all are.
    can_release : bool, default False
        Whether a variable that is not free may leave its bound; a fixed one may not.
    """

    __slots__ = ("_longest", "can_release", "face", "whole")

    def __init__(self, whole: QuadraticModel, face: QuadraticModel, *, can_release: bool = False) -> None:
        self.whole, self.face, self.can_release = whole, face, can_release
        self._longest: SubproblemSolution | None = None

    @classmethod
    def at(cls, model: QuadraticModel, domain: Domain, x: Vector) -> DomainModel:
        """Return the model with its face of free variables at x."""
        if not domain.holds_any(x, model.g):
            return cls(model, model)
        free = domain.free(x, model.g)
        can_release = bool((~free & (np.asarray(domain.lower) < domain.upper)).any())
        return cls(model, model.face(free, model.g), can_release=can_release)

    def newton_length(self, domain: Domain, x: Vector) -> float:
        """Return the length of the Newton step in the domain if the model is certainly convex on the face; else 0.

        Without bounds it is that of the unconstrained minimizer. In a box it is that of the minimizer in the box, which
        may lie on another face than x, as far as a step of 1e3·max(‖x‖, 1, length on the face) can find it.
        """
        length = self.face.newton_length
        if length == 0.0 or not domain.is_bounded:
            return length
        solution = self.solve(domain, x, TrustRegion(_LONGEST * max(1.0, norm(x), length)))
        if solution.on_boundary or not solution.length >= length:
            return length
        self._longest = solution
        return solution.length

    def solve(self, domain: Domain, x: Vector, bound: StepBound) -> SubproblemSolution:
        """Return nearly a local minimizer p of the model within the bound, such that x + p lies in the domain.

        On a face some variables, A, are fixed, and the others, F, minimize the model with gradient g_F + B_FA p_A
        within the radius √(Δ² − ‖p_A‖²). The first face is that of the variables that are free at x. If its minimizer
        lies in the domain and nothing is fixed, it is the step: without bounds this is the unconstrained step. If it
        leaves the domain, the projected path to it is searched (Lin & Moré, 1999), and the variables that meet a bound
        on it are fixed. The first point found is no worse than the generalized Cauchy point, which gives sufficient
        decrease. At the minimizer on a face, variables whose multiplier has the wrong sign are released.

        References
        ----------
        Lin & Moré (1999), SIAM J. Optim. 9(4), 1100; Conn, Gould & Toint (2000), *Trust-Region Methods*, chapter 12.
        """
        if self._longest is not None and isinstance(bound, TrustRegion) and bound.radius >= self._longest.length:
            return self._longest
        solution = self.face.solve(bound)
        if math.isnan(solution.predicted) or (not self.can_release and domain.contains_step(x, solution.p)):
            return solution
        return _FaceSearch(self.whole, domain.steps(x), solution, bound).run()


class _FaceSearch:
    """The search over faces, from the minimizer on the first one."""

    def __init__(
        self,
        model: QuadraticModel,
        steps: Domain,
        solution: SubproblemSolution,
        bound: StepBound,
    ) -> None:
        self.model, self.steps = model, steps
        self.solution, self.bound = solution, bound
        self.ball = bound.within(solution.length)
        self.s: Vector = np.zeros(model.g.size)
        self.Bs: Vector = np.zeros(model.g.size)
        self.value = 0.0
        self.finite = True
        self.inner = solution.inner

    def run(self) -> SubproblemSolution:
        """Return the best step found."""
        g, steps = self.model.g, self.steps
        lower, upper = np.asarray(steps.lower), np.asarray(steps.upper)
        free = steps.free(self.s, g)
        first = np.where(free, self.solution.p, 0.0)  # eigenvectors leave rounding errors
        u, lam = first, self.solution.lam
        is_first, released, fell, inside = True, 0, False, True
        products = products_for_face(self.model)
        for _ in range(2 * g.size + _RELEASES):  # each pass fixes a variable, or releases some
            if not is_first:
                u, lam = self._face_minimizer(free)
            inside = steps.contains(u)
            before = self.value
            self._search(self.s, self.Bs, u - self.s, 1.0)
            if is_first and not inside:
                d, zero = np.where(free, -g, 0.0), np.zeros(g.size)
                self._search(zero, zero, d, self._cauchy_length(d, steps.reach(zero, d)))
            is_first, fell = False, self.value < before
            if products and (not inside or self._wrong(free, lam).any()):
                self._identify(products)
                free, products = steps.free(self.s, g + self.Bs), 0
                continue
            s = self.s
            if not inside:
                hit = free & ((s <= lower) | (s >= upper))
                if not fell:
                    hit &= ((s <= lower) & (u < s)) | ((s >= upper) & (u > s))
                if hit.any():
                    free = free & ~hit
                    continue
                lam = 0.0
            elif released and not fell:
                break
            wrong = self._wrong(free, lam)
            if not wrong.any() or released == _RELEASES:
                break
            released, free = released + 1, free | wrong
        length = norm(self.s)
        # a cubic term has its part in the first minimizer only; later ones are chosen within a ball
        penalty = self.bound.penalty(length) if bool((self.s == first).all()) else 0.0
        predicted = -self.value - penalty if self.finite else math.nan
        return SubproblemSolution(self.s, predicted, inside and lam > 0.0, length, lam, self.inner)

    def _wrong(self, free: NDArray[np.bool_], lam: float) -> NDArray[np.bool_]:
        """Return which of the fixed variables have a multiplier of the wrong sign at s."""
        s, lower, upper = self.s, np.asarray(self.steps.lower), np.asarray(self.steps.upper)
        r = self.model.g + self.Bs + lam * s
        noise = _NOISE * (np.abs(self.model.g) + np.abs(r))
        wrong: NDArray[np.bool_] = (
            ~free & (lower < upper) & (((s <= lower) & (r < -noise)) | ((s >= upper) & (r > noise)))
        )
        return wrong

    def _identify(self, products: int) -> None:
        """Move to a lower point on nearly the face of the minimizer, by products instead of a solution on each face."""
        s, Bs, spent = find_face(self.model, self.steps, self.s, self.Bs, self.ball.radius, products)
        self.inner += spent
        value = dot(self.model.g, s) + 0.5 * dot(s, Bs)
        if value < self.value:
            self.s, self.Bs, self.value = s, Bs, value

    def _face_minimizer(self, free: NDArray[np.bool_]) -> tuple[Vector, float]:
        """Return the minimizer with the variables that are not free where s has them, and λ."""
        held = np.where(free, 0.0, self.s)
        g = self.model.g + self.model.times(held) if held.any() else self.model.g
        radius = math.sqrt(max(0.0, self.ball.radius * self.ball.radius - dot(held, held)))
        if not free.any() or radius == 0.0:
            return held, 0.0
        solution = self.model.face(free, g).solve(TrustRegion(radius))
        self.inner += solution.inner
        if math.isnan(solution.predicted):
            return self.s, 0.0
        return np.where(free, solution.p, held), solution.lam

    def _cauchy_length(self, d: Vector, reach: Vector) -> float:
        """Return how far to search along the projected path of d: to the last breakpoint, or the minimizer on it."""
        last = float(reach[np.isfinite(reach)].max(initial=0.0))
        curvature, length = dot(d, self.model.times(d)), norm(d)
        newton = length * length / curvature if curvature > 0.0 else math.inf
        far = min(max(last, newton), self.ball.radius / length if length > 0.0 else 0.0)
        return far if math.isfinite(far) else 0.0

    def _search(self, s: Vector, Bs: Vector, d: Vector, far: float) -> None:
        """Move to the lowest point of the model on the path P(s + td), 0 ≤ t ≤ far, if it is below the present one."""
        g, steps = self.model.g, self.steps
        reach, side = steps.reach(s, d), np.where(d > 0.0, steps.upper, steps.lower)
        knots = np.unique(reach[(reach > 0.0) & (reach < far)])
        if knots.size > self.model.max_knots:
            knots = knots[np.linspace(0, knots.size - 1, self.model.max_knots).astype(int)]
        here, B_here, value = s, Bs, dot(g, s) + 0.5 * dot(s, Bs)
        for t in [*knots.tolist(), far]:
            following = np.where(reach <= t, side, steps.project(s + t * d))
            e = following - here
            Be = self.model.times(e)
            slope, curvature = dot(g, e) + dot(B_here, e), dot(e, Be)
            tau = min(1.0, -slope / curvature) if slope < 0.0 and curvature > 0.0 else 1.0
            lowest = value + tau * (slope + 0.5 * tau * curvature)
            if math.isnan(lowest):
                self.finite = False
                return
            if lowest < self.value:
                self.value = lowest
                self.s, self.Bs = (following, B_here + Be) if tau == 1.0 else (here + tau * e, B_here + tau * Be)
            here, B_here, value = following, B_here + Be, value + slope + 0.5 * curvature
