"""The trust-region iteration, shared by all methods that minimize a quadratic model within a bound on the step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.core.state import FIRST, State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Vector, all_finite, dot, norm
from newtonkit.methods.base import MethodBase
from newtonkit.methods.hessian_source import HessianSource
from newtonkit.methods.variable_scaling import Scaling, VariableScaling, checked_scaling
from newtonkit.trustregion.box_step import DomainModel
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.model import QuadraticModel
from newtonkit.trustregion.radius import ACCEPT, exceeds_best, first_radius, next_radius, reduction_is_rounding
from newtonkit.trustregion.step_bound import StepBound, SubproblemSolution, TrustRegion

_SHORTEST = 1e-290  # length of a step; at x = 0 no step is absorbed by the rounding of x, so this ends the run


class Origin(NamedTuple):
    """The point that an accepted step started from, and the model there: what is needed to undo the step."""

    x: Vector
    f: float
    g: Vector
    lam: float
    model: DomainModel
    scaling: VariableScaling
    length: float
    """Length of the step in the units of the model."""


@dataclass(frozen=True, slots=True)
class TrustRegionState(State):
    """A point, the bound on the next step, and the model at the point once it is known."""

    radius: float
    """Trust-region radius Δ, or the weight σ of the cubic term; NaN before the first step."""
    lam: float
    """λ of the last accepted step, the first guess for the next λ."""
    model: DomainModel | None
    """Kept after a rejected step; None at a new point."""
    source: HessianSource
    scaling: VariableScaling
    """The units in which the length of the next step is measured."""
    origin: Origin | None
    """Where the last accepted step started; the step is undone if the Hessian is not finite here."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy keeps small models only: the others may hold functions, and are computed again from the Hessian.
        model = self.model if self.model is not None and isinstance(self.model.whole, EigenSubproblem) else None
        fields = (self.x, self.f, self.g, self.info, self.radius, self.lam, model, self.source, self.scaling, None)
        return TrustRegionState, fields


class Trial(NamedTuple):
    """The outcome of a trial point."""

    x: Vector
    f: float
    g: Vector | None
    """None if the gradient was not needed."""
    ratio: float
    """Actual over predicted reduction; NaN if f or g is not finite."""

    @property
    def accepted(self) -> bool:
        """Whether the reduction of f is a sufficient share of the predicted one."""
        return self.ratio >= ACCEPT


@dataclass(frozen=True)
class TrustRegionMethod(MethodBase):
    """One trial point per step: accepted if f falls by a sufficient share of the predicted reduction.

    Otherwise the bound is tightened. Subclasses provide the source of the models (`hessian_source`) and may replace the
    ball by another bound.
    """

    scaling: Scaling = field(default="auto", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scaling", checked_scaling(self.scaling))

    def hessian_source(self, evaluator: Evaluator, state: State) -> HessianSource:
        """Return the source of the models for a run from this state."""
        raise NotImplementedError

    def bound(self, radius: float) -> StepBound:
        """Return the ball of this radius."""
        return TrustRegion(radius)

    def first_radius(self, model: DomainModel, domain: Domain, x: Vector) -> float:
        """Return the first radius: at least the length of the Newton step in the domain, if that exists."""
        face = model.face
        return max(first_radius(norm(face.g), face.hessian_norm, norm(x)), model.newton_length(domain, x))

    def next_radius(self, radius: float, model: QuadraticModel, solution: SubproblemSolution, ratio: float) -> float:
        """Return the radius after this step; ``ratio`` is NaN if f or g was not finite at the trial point."""
        return next_radius(radius, solution.length, ratio, on_boundary=solution.on_boundary)

    def first_scaling(self, x: Vector) -> VariableScaling:
        """Return the scaling of the variables at the first point."""
        return VariableScaling.at_start(self.scaling, x)

    def convert_radius(self, radius: float, ratio: float) -> float:
        """Return the radius in new units, in which the last step is ``ratio`` times as long."""
        return radius * ratio

    def init(self, evaluator: Evaluator, x0: Vector) -> TrustRegionState:
        """Return the state at x0; its note gives the reason for the source of the models, if there was a choice."""
        start = super().init(evaluator, x0)
        source = self.hessian_source(evaluator, start)
        info = FIRST._replace(note=source.reason)
        scaling = self.first_scaling(x0)
        return TrustRegionState(x0, start.f, start.g, info, math.nan, 0.0, None, source, scaling, None)

    def factorizable_hessian(self, evaluator: Evaluator, state: State) -> Symmetric | None:
        """Return ∇²f(state.x) in the form that this run factors; None if it uses products only."""
        source = state.source if isinstance(state, TrustRegionState) else self.hessian_source(evaluator, state)
        return source.factorizable(evaluator, state.x)

    def step(self, evaluator: Evaluator, state: TrustRegionState) -> TrustRegionState:
        """Return the state at the trial point if that is accepted, else the same point with a tighter bound."""
        model, units = state.model, state.scaling.units
        domain, z = units.domain(evaluator.domain), units.point(state.x)
        if model is None:
            whole = state.source.quadratic_model(evaluator, state, state.lam, units)
            if whole is None:
                return self.undo_step(state)
            model = DomainModel.at(whole, domain, z)
        radius = self.first_radius(model, domain, z) if math.isnan(state.radius) else state.radius
        solution = model.solve(domain, z, self.bound(radius))
        if math.isnan(solution.predicted):
            return self.undo_step(state)
        if units.D is not None:
            solution = solution._replace(p=units.step(solution.p))
        x = evaluator.domain.move(state.x, solution.p)
        try:
            _check_progress(state, solution, x)
        except StepFailure:
            restarted = self.restart(evaluator, state)
            if restarted is None:
                raise
            return self.step(evaluator, restarted)

        trial = _evaluate(evaluator, state, solution, x)
        source = state.source if trial.g is None else state.source.after_step(state, trial.x, trial.g, units)
        info = StepInfo(
            trial.accepted,
            solution.length if units.D is None else norm(solution.p),
            state.f - trial.f,
            radius=radius,
            ratio=trial.ratio,
            inner=solution.inner,
            note="f not finite" if math.isnan(trial.f) else "",
        )
        radius = self.next_radius(radius, model.face, solution, trial.ratio)
        if trial.accepted:
            origin = Origin(state.x, state.f, state.g, state.lam, model, state.scaling, solution.length)
            scaling = state.scaling.after_step(state.x, trial.x, model.whole.diagonal)
            if scaling.units is not units:
                radius = self.convert_radius(radius, scaling.units.length(solution.p) / solution.length)
            return _state(trial, info, radius, solution.lam, None, source, scaling, origin)
        kept = model if source is state.source else None
        return _state(state, info, radius, state.lam, kept, source, state.scaling.after_trial(), state.origin)

    def restart(self, evaluator: Evaluator, state: TrustRegionState) -> TrustRegionState | None:
        """Return this state in the units of the sizes of x after a step without progress; None if nothing changes."""
        scaling = state.scaling.after_failure(state.x)
        if scaling is None:
            return None
        return _state(state, state.info, math.nan, 0.0, None, state.source, scaling, None)

    def undo_step(self, state: TrustRegionState) -> TrustRegionState:
        """Return to the point before the last accepted step, with a tighter bound: the Hessian is not finite here."""
        origin = state.origin
        if origin is None:
            raise StepFailure(
                TerminationReason.NON_FINITE, "the Hessian, or the model it makes, is not finite at the starting point"
            )
        radius = state.info.radius
        info = StepInfo(False, state.info.length, radius=radius, note="Hessian not finite: step undone")
        rejected = SubproblemSolution(state.x - origin.x, math.nan, False, origin.length)
        radius = self.next_radius(radius, origin.model.face, rejected, math.nan)
        return _state(origin, info, radius, origin.lam, origin.model, state.source, origin.scaling, None)


def _state(
    point: State | Trial | Origin,
    info: StepInfo,
    radius: float,
    lam: float,
    model: DomainModel | None,
    source: HessianSource,
    scaling: VariableScaling,
    origin: Origin | None,
) -> TrustRegionState:
    """Return the state at this point; by position, in half the time that keywords or dataclasses.replace take."""
    g = point.g
    assert g is not None
    return TrustRegionState(point.x, point.f, g, info, radius, lam, model, source, scaling, origin)


def _check_progress(state: State, solution: SubproblemSolution, x: Vector) -> None:
    """Raise StepFailure if the model predicts no reduction, or if the step is lost in the rounding of x."""
    if not solution.predicted > 0.0:
        raise StepFailure(TerminationReason.NOT_DESCENT, measured=dot(state.g, solution.p), limit=0.0)
    if bool((x == state.x).all()) or solution.length < _SHORTEST:
        limit = float(np.spacing(np.abs(state.x).max()))
        raise StepFailure(TerminationReason.RADIUS, measured=solution.length, limit=limit)


def _evaluate(evaluator: Evaluator, state: State, solution: SubproblemSolution, x: Vector) -> Trial:
    """Evaluate f at the trial point, and its gradient if the step is accepted or must be judged by gradients."""
    f, g, predicted = evaluator.value(x), None, solution.predicted
    if not math.isfinite(f):
        return Trial(x, f, None, math.nan)
    ratio = (state.f - f) / predicted
    if reduction_is_rounding(state.f, f, predicted) and not exceeds_best(evaluator.incumbent.f, f):
        g = evaluator.gradient(x)
        ratio = -0.5 * dot(g + state.g, solution.p) / predicted
    elif ratio >= ACCEPT:
        g = evaluator.gradient(x)
    if g is not None and not all_finite(g):
        ratio = math.nan
    return Trial(x, f, g, ratio)
