"""Adaptive cubic regularisation: a cubic term in place of the ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from newtonkit.core.validation import check_real
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Vector, norm
from newtonkit.methods.hessian_source import Curvature, Model, chosen_curvature
from newtonkit.methods.trust_region import TrustRegionMethod, TrustRegionState
from newtonkit.trustregion.step_bound import CubicRegularization, StepBound, Trial, TrustRegion

# good and poor as for the trust region; the factors of GALAHAD's ARC, and of JSOSolvers', lie between 0.1 and 0.5
_GOOD = 0.9
_POOR = 0.25
_DECREASE = 0.1
_FIRST = 0.1  # what the cubic term adds to the curvature at the length ‖g₀‖/‖H₀‖, as a share of ‖H₀‖
_LEAST = EPS  # share of ‖H‖ that it adds at least, at the length of the last step


@dataclass(frozen=True)
class Cubic(TrustRegionMethod):
    """Minimize m(p) = f + gᵀp + ½ pᵀHp + (σ/3)‖p‖³ nearly exactly, over all p; adapt σ to its success.

    A second opinion beside the trust region: its steps shrink smoothly with the gradient, and near a minimum the cubic
    term fades by itself.

    Parameters
    ----------
    initial_weight : float, positive, optional
        The first σ; 0.1‖H₀‖²/‖g₀‖ by default.

    Notes
    -----
    Evaluations as in `TrustRegionNewton`. After a very good step σ falls tenfold; after a poor one it is that σ for
    which the step would be half as long, by the model at hand.

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

    name: ClassVar[str] = "cubic"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})

    def __post_init__(self) -> None:
        if self.initial_weight is not None:
            check_real("initial_weight", self.initial_weight, 0.0, open_low=True, open_high=True)

    def curvature(self, evaluator: Evaluator, x: Vector) -> Curvature:
        """Full, sparse, or products."""
        return chosen_curvature(evaluator, x)

    def first_size(self, model: Model, state: TrustRegionState) -> float:
        """The option, or 0.1‖H₀‖²/‖g₀‖."""
        if self.initial_weight is not None:
            return self.initial_weight
        g_norm, H_norm = norm(state.g), model.hessian_norm
        if g_norm == 0.0 or H_norm == 0.0:
            return g_norm or H_norm or 1.0
        return _FIRST * H_norm * (H_norm / g_norm)

    def bound(self, size: float) -> StepBound:
        """The cubic term of this weight."""
        return CubicRegularization(size)

    def next_size(self, size: float, model: Model, trial: Trial, ratio: float) -> float:
        """The weight after this trial."""
        if not ratio >= _POOR:
            half = 0.5 * trial.length
            shorter = model.solve(TrustRegion(half))
            return max(2.0 * size, shorter.multiplier / half)
        if ratio >= _GOOD:
            return max(_DECREASE * size, _LEAST * model.hessian_norm / trial.length)
        return size
