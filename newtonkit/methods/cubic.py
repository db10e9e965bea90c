"""Adaptive cubic regularization: a cubic term in place of the trust region."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from newtonkit.core.domain import Domain
from newtonkit.core.state import State
from newtonkit.core.validation import check_real
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Vector, norm
from newtonkit.methods.hessian_source import HessianSource, choose_hessian_source
from newtonkit.methods.trust_region import TrustRegionMethod
from newtonkit.trustregion.box_step import DomainModel
from newtonkit.trustregion.model import QuadraticModel
from newtonkit.trustregion.step_bound import CubicRegularization, StepBound, SubproblemSolution, TrustRegion

_GOOD = 0.9  # as for the trust region (radius.py)
# limit of a poor step, and factor of σ after a good one; GALAHAD's ARC and JSOSolvers use factors from 0.1 to 0.5
_POOR = 0.25
_DECREASE = 0.1
_FIRST = 0.1  # the curvature of the first cubic term at the length ‖g₀‖/‖H₀‖, relative to ‖H₀‖
_LEAST = EPS  # least curvature of the cubic term at the length of the last step, relative to ‖H‖
_SMALLEST = 1e-300  # σ; its inverse is finite


@dataclass(frozen=True)
class Cubic(TrustRegionMethod):
    """Minimize m(p) = f + gᵀp + ½ pᵀHp + (σ/3)‖p‖³ nearly exactly, over all p; adapt σ to the ratio.

    An alternative to the trust region: steps shrink smoothly with the gradient, and near a minimum the cubic term
    becomes negligible.

    Parameters
    ----------
    initial_weight : float, positive, optional
        The first σ; 0.1‖H₀‖²/‖g₀‖ by default.
    scaling : str or array_like, default "auto"
        Units of the variables, as in `TrustRegionNewton`: the cubic term is (σ/3)‖Dp‖³.

    Notes
    -----
    Evaluations as in `TrustRegionNewton`. After a good step σ is divided by ten; after a poor one, σ is set so that the
    minimizer of the present model is half as long.

    References
    ----------
    Cartis, Gould & Toint (2011), Math. Program. 127, 245 (ARC), algorithm 2.1; Nesterov & Polyak (2006), Math.
    Program. 108, 177.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x**4 - x**2).sum(), [0.1, 0.2], method=Cubic())
    >>> result.verdict.kind
    'minimum'
    """

    initial_weight: float | None = None

    accepts_bounds: ClassVar[bool] = True
    name: ClassVar[str] = "cubic"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.initial_weight is not None:
            check_real("initial_weight", self.initial_weight, 0.0, open_low=True, open_high=True)

    def hessian_source(self, evaluator: Evaluator, state: State) -> HessianSource:
        """Return full, sparse or products."""
        return choose_hessian_source(evaluator, state)

    def first_radius(self, model: DomainModel, domain: Domain, x: Vector) -> float:
        """Return the first σ: the option, or 0.1‖H₀‖²/‖g₀‖."""
        if self.initial_weight is not None:
            return self.initial_weight
        g_norm, H_norm = norm(model.face.g), model.face.hessian_norm
        if g_norm == 0.0 or H_norm == 0.0:
            return g_norm or H_norm or 1.0
        return _representable(_FIRST * H_norm * (H_norm / g_norm))

    def bound(self, radius: float) -> StepBound:
        """Return the cubic term of the weight σ = ``radius``."""
        return CubicRegularization(radius)

    def convert_radius(self, radius: float, ratio: float) -> float:
        """Return σ in new units, in which the last step is ``ratio`` times as long: the cubic term keeps its value."""
        cube = ratio * ratio * ratio
        return _representable(radius / cube if cube > 0.0 else math.inf)

    def next_radius(self, radius: float, model: QuadraticModel, solution: SubproblemSolution, ratio: float) -> float:
        """Return σ after this step."""
        sigma = radius
        if not ratio >= _POOR:
            half = 0.5 * solution.length
            shorter = model.solve(TrustRegion(half))
            return _representable(max(2.0 * sigma, shorter.lam / half))
        if ratio >= _GOOD:
            return _representable(max(_DECREASE * sigma, _LEAST * model.hessian_norm / solution.length))
        return sigma


def _representable(sigma: float) -> float:
    """σ within the range in which neither σ nor 1/σ over- or underflows; units that are extreme in f and x leave it."""
    return min(max(sigma, _SMALLEST), 1.0 / _SMALLEST)
