"""Newton's method in a trust region: the default for small and medium n, and for sparse Hessians."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from newtonkit.core.validation import check_real
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.hessian_source import Curvature, Model, chosen_curvature
from newtonkit.methods.trust_region import TrustRegionMethod, TrustRegionState


@dataclass(frozen=True)
class TrustRegionNewton(TrustRegionMethod):
    """Minimize the quadratic model m(p) = f + gᵀp + ½ pᵀHp within ‖p‖ ≤ Δ, nearly exactly; adapt Δ to its success.

    Safe at indefinite and singular Hessians: the boundary of the region turns negative curvature into descent.

    Parameters
    ----------
    initial_radius : float, positive, optional
        The first Δ; by default the length of the Newton step, or ‖g₀‖/‖H₀‖ where H₀ is not positive definite.

    Notes
    -----
    One f a trial; a gradient, and a Hessian, only where a trial was accepted. A trial where f or g is not finite is a
    rejection; where the Hessian is not finite, the step that led there is taken back. Where differences of f are all
    rounding, the gradients judge the step.

    Up to n = 30 one eigendecomposition serves every radius at a point; above, a few Cholesky factorizations of H + λI.
    From n = 100 on the Hessian's pattern is found, and a sparse one factored as a band or by SuperLU; where a factor
    would fill in, products take its place, as in `TrustRegionNewtonCG`. ``result.choice`` says what was taken and why.

    References
    ----------
    Moré & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4(3), 553; Conn, Gould & Toint (2000), *Trust-Region
    Methods*, algorithm 6.1.1; Nocedal & Wright (2006), algorithm 4.1.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x**4 - x**2).sum(), [0.1, 0.2], method=TrustRegionNewton())
    >>> result.verdict.kind
    'minimum'
    """

    initial_radius: float | None = None

    name: ClassVar[str] = "newton"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})

    def __post_init__(self) -> None:
        check_radius(self.initial_radius)

    def curvature(self, evaluator: Evaluator, x: Vector) -> Curvature:
        """Full, sparse, or products."""
        return chosen_curvature(evaluator, x)

    def first_size(self, model: Model, state: TrustRegionState) -> float:
        """The option, or the default."""
        return self.initial_radius or super().first_size(model, state)


def check_radius(radius: float | None) -> None:
    """Raise ValueError unless the option ``initial_radius`` is a positive number or None."""
    if radius is not None:
        check_real("initial_radius", radius, 0.0, math.inf, open_low=True, open_high=True)
