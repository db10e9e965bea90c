"""The iteration of least squares: Gauss–Newton steps in a trust region, and Newton steps where those are slow.

The region is ‖Dp‖ ≤ radius with D the running maximum of the column norms of J (Moré, 1978, LNM 630, 105), so that
iterates do not depend on the units of the parameters. Newton's model replaces that of Gauss and Newton (Fletcher & Xu,
1987, IMA J. Numer. Anal. 7, 371) after an interior step if the free Gauss–Newton step has shrunk too little, or when
an interior Gauss–Newton step is rejected, provided that it has a minimum within the region.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from newtonkit.core.domain import Domain, Unbounded
from newtonkit.core.state import BudgetSpent
from newtonkit.fitting.box_step import step_in_box
from newtonkit.fitting.jacobians import absolute_transposed_product, column_norms
from newtonkit.fitting.outcome import Fitted, Model, Outcome, Tolerances
from newtonkit.fitting.problem import FitPoint, Problem
from newtonkit.fitting.sparse_model import AnyStepModel, model_of
from newtonkit.fitting.step_model import Mask, length_of
from newtonkit.linalg.kernels import EPS, Vector, norm
from newtonkit.trustregion.radius import ACCEPT, next_radius

_FIRST_RADIUS = (
    1.0  # times ‖Dx₀‖. MINPACK's factor 100 loses NIST runs with exponentials (54 solved with 1, 52–53 else)
)
_SLOW = 0.2  # a free Gauss–Newton step longer than this share of the last; 0.05 to 0.5 give the same NIST runs
_UNBOUNDED = Unbounded()
_FADED = 1e-8  # a column of J below this share of its largest norm does not determine its parameter
_ROUNDING = 10 * EPS  # of sums of terms as large as FitPoint.rounding
_SHORT = 1e-4, 1e-3  # shares of |x| and of the standard error: a free step this short is converged where f is rounding
_NEGLIGIBLE = 1e-11  # relative: NIST certifies 11 digits. Saves a Jacobian where the iteration is quadratic at the end
_PATIENCE = 50  # iterations without progress, as in `newtonkit.driver.stopping`


Callback = Callable[[FitPoint, int], bool]


class Iteration:
    """One run.

    Parameters
    ----------
    problem : Problem
    x0 : ndarray, shape (n,)
    kind : Model
    tolerances : Tolerances
    domain : Domain, default Unbounded()
        Contains x0.
    first_radius : float, default 1
        In units of ‖Dx₀‖.
    sizes : ndarray, shape (n,), optional
        Typical sizes of the parameters; then D = 1/sizes throughout.
    callback : callable, optional
        callback(point, nit) after every accepted step; true ends the run.
    start : FitPoint, optional
        x0 with its residuals, if they are known.
    """

    def __init__(
        self,
        problem: Problem,
        x0: Vector,
        kind: Model = Model.HYBRID,
        tolerances: Tolerances | None = None,
        *,
        domain: Domain = _UNBOUNDED,
        first_radius: float = _FIRST_RADIUS,
        sizes: Vector | None = None,
        callback: Callback | None = None,
        start: FitPoint | None = None,
    ) -> None:
        self.problem, self.kind, self.callback = problem, kind, callback
        self.tolerances = tolerances or Tolerances()
        if kind is Model.HYBRID and not problem.has_curvature:
            self.kind = Model.GAUSS_NEWTON
        self.first_radius, self.sizes = first_radius, sizes
        self.domain = domain
        self.at = problem.evaluate(x0) if start is None else start
        self.scales = np.ones(x0.size)
        self.radius = math.nan
        self.newton = self.kind is Model.NEWTON
        self.interior = False
        """Whether the last step was inside the region."""
        self.length = math.inf
        """‖Dp‖ of the last step."""
        self.last_rounding_step = math.inf
        self.costs = [self.at.cost]
        self.nit = 0
        self.stalled = 0
        self.mark: tuple[float, float] | None = None
        """Cost and gradient at the last point that counted as progress."""

    def run(self) -> Fitted:
        """Step until something ends the run."""
        try:
            return self._run()
        except BudgetSpent:
            return self._fitted(Outcome.EVALUATIONS, self.nit, None)

    def _run(self) -> Fitted:
        if not math.isfinite(self.at.cost) or not self.problem.linearize(self.at):
            return self._fitted(Outcome.NOT_FINITE, 0, None)
        model = None
        for nit in range(self.tolerances.maxiter):
            if model is None:
                model = self._model_here()
                outcome = self._converged(model)
                if outcome is not None:
                    return self._finish(outcome, model, nit)
            accepted, outcome = self._trial(model)
            self.nit = nit + 1
            if outcome is not None:
                return self._fitted(outcome, nit + 1, model)
            if accepted:
                model = None
                self.costs.append(self.at.cost)
                if self.callback is not None and self.callback(self.at, nit + 1):
                    return self._fitted(Outcome.CALLBACK, nit + 1, None)
        return self._fitted(Outcome.ITERATIONS, self.tolerances.maxiter, model)

    # --- a new point ----------------------------------------------------------------------------------------

    def _model_here(self) -> AnyStepModel:
        """The models at a new point, with the scales and, at the start, the radius."""
        at = self.at
        assert at.jacobian is not None
        norms = column_norms(at.jacobian)
        first = math.isnan(self.radius)
        if first:
            positive = norms > 0.0
            self.scales = np.where(positive, norms, norms[positive].min() if positive.any() else 1.0)
        elif self.sizes is None:
            self.scales = np.maximum(self.scales, norms)
        if first:
            if self.sizes is not None:
                self.scales = norm(np.ascontiguousarray(norms * self.sizes)) / self.sizes
            self.radius = self._radius_at_start()
        model = model_of(at.jacobian, at.weighted, self.scales, self.domain.free(at.x, at.gradient))
        self.rescued = self.refused = self.escaped = False
        if self.kind is Model.HYBRID:
            free = model.free_step(newton=False)
            slow = self.newton or (free is not None and length_of(free) > _SLOW * self.length)
            self.newton = self.interior and slow
        if self.newton:
            self._add_curvature(model)
            self.newton = self.kind is Model.NEWTON or self._newton_fits(model)
        return model

    def _radius_at_start(self) -> float:
        """‖Dx₀‖; where some entry of x₀ is zero it may be far too small, and ‖r₀‖ has the same unit."""
        size = norm(self.scales * self.at.x)
        if not self.at.x.all():
            size = max(size, norm(self.at.weighted))
        return self.first_radius * size or 1.0

    def _add_curvature(self, model: AnyStepModel) -> None:
        if not model.has_curvature and self.problem.has_curvature:
            model.add_curvature(self.problem.curvature(self.at))

    def _newton_fits(self, model: AnyStepModel) -> bool:
        free = model.free_step(newton=True)
        return free is not None and length_of(free) <= self.radius

    # --- convergence ----------------------------------------------------------------------------------------

    def _converged(self, model: AnyStepModel) -> Outcome | None:
        """CONVERGED where the free step is short for every parameter, and exact curvature confirms a minimum."""
        at, tolerances = self.at, self.tolerances
        if tolerances.gtol > 0.0 and self.domain.criticality(at.x, at.gradient) <= tolerances.gtol:
            return Outcome.SMALL_GRADIENT
        free = model.free_step(newton=self.newton)
        if free is None or not self._is_short(model.to_x(free)):
            return None
        self._add_curvature(model)
        if not model.full_rank and (not model.has_curvature or model.lowest == 0.0):
            return Outcome.UNDETERMINED
        if not model.has_curvature or model.lowest > 0.0:
            return Outcome.CONVERGED
        self.newton = self.refused = True  # no minimum: leave it along negative curvature
        return None

    def _is_short(self, p: Vector) -> bool:
        """Whether a step is short for every parameter by itself, or the gradient is rounding of r and J."""
        at = self.at
        assert at.jacobian is not None
        assert at.rounding is not None
        if bool(np.all(np.abs(p) <= self.tolerances.xtol * np.abs(at.x))):
            return True
        noise = _ROUNDING * absolute_transposed_product(at.jacobian, at.rounding)
        free = self.domain.free(at.x, at.gradient)
        return bool(np.all(np.abs(at.gradient)[free] <= noise[free]))

    def _finish(self, outcome: Outcome, model: AnyStepModel, nit: int) -> Fitted:
        """Take the last free step, which is known and short; a negligible one is left out."""
        free = model.free_step(newton=self.newton)
        x = self.at.x
        if free is not None:
            p = model.to_x(free)
            small = bool((np.abs(p) <= _NEGLIGIBLE * np.abs(x)).all())
            if not (small and model.predicted(free, newton=self.newton) <= self._noise()):
                x = x + p
        if outcome is Outcome.CONVERGED and (x != self.at.x).any() and self.domain.contains(x):
            last = self.problem.evaluate(x)
            if last.cost <= self.at.cost * (1.0 + 1e-12):
                last.jacobian, last.weighted, last.rounding = self.at.jacobian, last.residuals, self.at.rounding
                last.second, last.borrowed = self.at.second, True
                self.at = last
        return self._fitted(outcome, nit, model)

    # --- a trial --------------------------------------------------------------------------------------------

    def _trial(self, model: AnyStepModel) -> tuple[bool, Outcome | None]:
        """One trial step: whether it was accepted, and the outcome where it ends the run."""
        y, boundary = model.step(self.radius, newton=self.newton)
        p, self.length, inside = model.to_x(y), length_of(y), True
        x = self.at.x + p
        predicted = model.predicted(y, newton=self.newton)
        if not self.domain.contains(x):
            inside = False
            x, predicted = step_in_box(model, self.at, self.domain, self.radius, newton=self.newton)
            p = x - self.at.x
            self.length = norm(self.scales * p)
        if not predicted > 0.0 or bool(np.all(x == self.at.x)):
            return False, self._end_or_escape(model)
        trial = self.problem.evaluate(x)
        self.interior = inside and not boundary
        ratio = math.nan
        if math.isfinite(trial.cost):
            actual = self._actual_reduction(trial)
            ratio = actual / predicted
            if self._is_rounding(predicted, actual):
                shrinks = self.length <= 0.5 * self.last_rounding_step
                self.last_rounding_step = self.length
                if not shrinks:
                    return False, self._end_or_escape(model)
                ratio = 1.0
        if ratio >= ACCEPT and not self.problem.linearize(trial):
            ratio = math.nan
        accepted = ratio >= ACCEPT
        if not accepted and self._try_newton_instead(model):
            return False, None
        self.radius = next_radius(self.radius, self.length, ratio, on_boundary=boundary)
        if not accepted:
            return False, None
        outcome = self._tolerance_met(trial)
        self.at = trial
        return True, outcome or self._progress()

    def _actual_reduction(self, trial: FitPoint) -> float:
        if not self.problem.exact_differences:
            return self.at.cost - trial.cost
        r, r_trial = self.at.residuals, trial.residuals
        return 0.5 * float((r - r_trial) @ (r + r_trial))

    def _is_rounding(self, predicted: float, actual: float) -> bool:
        return max(predicted, abs(actual)) <= self._noise()

    def _try_newton_instead(self, model: AnyStepModel) -> bool:
        """Whether Newton's step takes the place of a rejected interior Gauss–Newton step, at the same radius."""
        if self.kind is not Model.HYBRID or self.refused:
            return False
        if self.interior and not self.newton and not self.rescued:
            self.rescued = True
            self._add_curvature(model)
            self.newton = self._newton_fits(model)
            return self.newton
        self.newton = False
        return False

    def _tolerance_met(self, trial: FitPoint) -> Outcome | None:
        """ftol, if it was given: the cost fell by less than that share."""
        ftol = self.tolerances.ftol
        if ftol > 0.0 and self.at.cost - trial.cost <= ftol * self.at.cost:
            return Outcome.SMALL_REDUCTION
        return None

    def _progress(self) -> Outcome | None:
        """NO_PROGRESS where neither the cost nor the gradient has fallen over the last 50 accepted steps.

        The cost must have fallen by 1e-10 of itself, the largest entry of the gradient, in units of D, by 10 %.
        """
        optimality = self._optimality()
        if self.mark is None or self.at.cost < self.mark[0] * (1.0 - 1e-10) or optimality < 0.9 * self.mark[1]:
            self.mark, self.stalled = (self.at.cost, optimality), 0
            return None
        self.stalled += 1
        return Outcome.NO_PROGRESS if self.stalled >= _PATIENCE else None

    def _optimality(self) -> float:
        """The largest entry of the gradient in units of D, over the free variables."""
        free = self.domain.free(self.at.x, self.at.gradient)
        return float(np.max((np.abs(self.at.gradient) / self.scales)[free], initial=0.0))

    def _end_or_escape(self, model: AnyStepModel) -> Outcome | None:
        """The outcome if no step can reduce the cost; None if certain negative curvature leads away, once a point.

        Near a saddle, or a maximum, the Jacobian may be so small that every Gauss–Newton step is rounding.
        """
        outcome = self._outcome_without_step(model)
        if outcome is not Outcome.NO_STEP or self.escaped or self.kind is Model.GAUSS_NEWTON:
            return outcome
        if not self.newton and not self.refused:
            self._add_curvature(model)
            if self._newton_fits(model):
                # the Gauss–Newton step is too long where the residuals are large: judge by that of Newton
                self.newton = self.refused = True
                return None
        self.escaped = True
        self._add_curvature(model)
        length = model.escape_length(self._noise()) if model.has_curvature else None
        if length is None:
            return outcome
        self.newton = self.refused = True
        self.radius = max(self.radius, length)
        return None

    def _noise(self) -> float:
        """The rounding error of the cost."""
        assert self.at.rounding is not None
        return _ROUNDING * float(np.abs(self.at.weighted) @ self.at.rounding)

    def _outcome_without_step(self, model: AnyStepModel) -> Outcome:
        """ROUNDING where the free step is short for every parameter and all of them are determined."""
        at = self.at
        free = model.free_step(newton=self.newton)
        if free is None or not model.full_rank or self._faded().any():
            return Outcome.UNDETERMINED
        degrees = max(at.residuals.size - at.x.size, 1)
        errors = np.zeros(at.x.size)
        errors[model.free] = model.standard_lengths() * math.sqrt(2.0 * at.cost / degrees)
        short = np.maximum(_SHORT[0] * np.abs(at.x), _SHORT[1] * errors)
        return Outcome.ROUNDING if bool(np.all(np.abs(model.to_x(free)) <= short)) else Outcome.NO_STEP

    def _faded(self) -> Mask:
        if self.at.jacobian is None:
            return np.zeros(self.at.x.size, dtype=bool)
        faded = column_norms(self.at.jacobian) <= _FADED * self.scales
        return np.asarray(faded & self.domain.free(self.at.x, self.at.gradient))

    def _fitted(self, outcome: Outcome, nit: int, model: AnyStepModel | None) -> Fitted:
        return Fitted(self.at, outcome, nit, model, self.scales, self._faded(), self.costs)
