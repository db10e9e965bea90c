"""The iteration of every method that trusts a quadratic model within a bound, whatever the model and the bound."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from newtonkit.core.state import FIRST, State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Vector, all_finite, dot, norm
from newtonkit.methods.base import MethodBase
from newtonkit.methods.hessian_source import Curvature, Model
from newtonkit.trustregion.eigen import EigenSubproblem
from newtonkit.trustregion.radius import ACCEPT, first_radius, has_risen, is_rounding, next_radius
from newtonkit.trustregion.step_bound import StepBound, Trial, TrustRegion

_SMALLEST = 1e-100  # length: from the origin, x + p differs from x for ever


@dataclass(frozen=True, slots=True)
class TrustRegionState(State):
    """A point, how far the next step may go, and the model there once it is known."""

    size: float
    """Radius of the ball, or weight of the cubic term; NaN before the first step."""
    multiplier: float
    """λ of the last step, a first guess for the next."""
    model: Model | None
    """Kept after a rejection, None at a new point."""
    previous: TrustRegionState | None
    """Where to return to should the Hessian not be finite here."""
    curvature: Curvature
    first: float
    """‖g‖ at the start."""

    def __reduce__(self) -> tuple[Any, ...]:
        # a copy leaves all but a small model behind: it may hold functions, and the Hessian makes it again
        model = self.model if isinstance(self.model, EigenSubproblem) else None
        kept = (self.x, self.f, self.g, self.info, self.size, self.multiplier, model, None, self.curvature, self.first)
        return TrustRegionState, kept


@dataclass(frozen=True)
class TrustRegionMethod(MethodBase):
    """One trial point a step: accepted where f falls by enough of what the model promised, else the bound shrinks.

    Subclasses say where the model comes from (`curvature`), and may bound it by something else than a ball.
    """

    def curvature(self, evaluator: Evaluator, x: Vector) -> Curvature:
        """The source of the models of a run from x."""
        raise NotImplementedError

    def first_size(self, model: Model, state: TrustRegionState) -> float:
        """The first radius: it holds the Newton step, where there is one."""
        return max(first_radius(norm(state.g), model.hessian_norm, norm(state.x)), model.newton_length)

    def bound(self, size: float) -> StepBound:
        """The ball of this radius."""
        return TrustRegion(size)

    def next_size(self, size: float, model: Model, trial: Trial, ratio: float) -> float:
        """The radius after this trial; ``ratio`` is NaN where it was not finite."""
        return next_radius(size, trial.length, ratio, on_boundary=trial.on_boundary)

    def init(self, evaluator: Evaluator, x0: Vector) -> TrustRegionState:
        """The state at x0; its note says where the models come from, if that was chosen."""
        f, g = evaluator.value_and_grad(x0)
        curvature = self.curvature(evaluator, x0)
        return TrustRegionState(
            x0, f, g, FIRST._replace(note=curvature.reason), math.nan, 0.0, None, None, curvature, norm(g)
        )

    def factorizable_hessian(self, evaluator: Evaluator, state: State) -> Symmetric | None:
        """Return ∇²f(state.x) in the form that this run factors; None if it uses products only."""
        source = state.curvature if isinstance(state, TrustRegionState) else self.curvature(evaluator, state.x)
        return source.factorizable(evaluator, state.x)

    def step(self, evaluator: Evaluator, state: TrustRegionState) -> TrustRegionState:
        """One trial: the next point, or the same point with a closer bound."""
        model = state.model
        if model is None:
            model = state.curvature.model(evaluator, state, state.multiplier, state.first)
            if model is None:
                return self._taken_back(state)
        size = state.size
        if math.isnan(size):
            size = self.first_size(model, state)
        trial = model.solve(self.bound(size))
        p, predicted, length = trial.p, trial.predicted, trial.length
        if math.isnan(predicted):  # a product was not finite
            return self._taken_back(state)
        x = state.x + p
        if not predicted > 0.0:
            raise StepFailure(TerminationReason.NOT_DESCENT, measured=dot(state.g, p), limit=0.0)
        if bool((x == state.x).all()) or length < _SMALLEST:
            raise StepFailure(TerminationReason.RADIUS, measured=length, limit=float(np.spacing(np.abs(state.x).max())))

        f, g, ratio = evaluator.value(x), None, math.nan
        if math.isfinite(f):
            ratio = (state.f - f) / predicted
            if is_rounding(state.f, f, predicted) and not has_risen(evaluator.incumbent.f, f):
                g = evaluator.gradient(x)
                ratio = -0.5 * dot(g + state.g, p) / predicted
        accepted = ratio >= ACCEPT
        if accepted and g is None:
            g = evaluator.gradient(x)
        if g is not None and not all_finite(g):
            accepted, ratio = False, math.nan
        info = StepInfo(
            accepted,
            length,
            state.f - f,
            radius=size,
            ratio=ratio,
            inner=trial.inner,
            note="" if f == f else "f not finite",
        )
        size = self.next_size(size, model, trial, ratio)
        curvature, first = state.curvature, state.first
        if accepted and g is not None:
            # written out: dataclasses.replace takes ten times as long
            before = TrustRegionState(
                state.x, state.f, state.g, state.info, size, state.multiplier, model, None, curvature, first
            )
            return TrustRegionState(x, f, g, info, size, trial.multiplier, None, before, curvature, first)
        return TrustRegionState(
            state.x, state.f, state.g, info, size, state.multiplier, model, state.previous, curvature, first
        )

    def _taken_back(self, state: TrustRegionState) -> TrustRegionState:
        """The state before a step that led to a Hessian which is not finite, with a closer bound than that step."""
        before = state.previous
        if before is None or before.model is None:
            raise StepFailure(
                TerminationReason.NON_FINITE, "the Hessian, or the model it makes, is not finite at the starting point"
            )
        info = StepInfo(False, state.info.length, radius=state.info.radius, note="Hessian not finite: step taken back")
        rejected = Trial(state.x - before.x, math.nan, False, state.info.length)
        size = self.next_size(state.info.radius, before.model, rejected, math.nan)
        return dataclasses.replace(before, info=info, size=size)
