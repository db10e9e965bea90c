"""Truncated Newton: a trust region with Hessian-vector products, for up to a million variables and more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from newtonkit.core.domain import Domain
from newtonkit.core.state import State
from newtonkit.core.validation import check_integer
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.hessian_source import HessianProducts, HessianSource
from newtonkit.methods.trust_region import TrustRegionMethod
from newtonkit.methods.trust_region_newton import check_radius
from newtonkit.methods.variable_scaling import VariableScaling
from newtonkit.trustregion.box_step import DomainModel


@dataclass(frozen=True)
class TrustRegionNewtonCG(TrustRegionMethod):
    """Minimize the quadratic model within ‖p‖ ≤ Δ over a Krylov space that grows until ‖∇m‖ is small.

    Parameters
    ----------
    preconditioner : callable, optional
        preconditioner(x) returns a function v ↦ M⁻¹v, M symmetric positive definite and close to ∇²f(x); the length
        of a step is then √(pᵀMp).
    max_products : int, at least 1, optional
        Limit at one point; default 2n up to n = 1000, 10n above, where rounding delays convergence.
    initial_radius : float, positive, optional
        The first Δ; by default the length of the minimizer of the model along −g.
    scaling : str or array_like, default "auto"
        Units of the variables, as in `TrustRegionNewton`; without effect if a preconditioner is given.

    Notes
    -----
    At each point products are computed until ‖∇m‖ ≤ min(0.1, √(‖g‖/‖g₀‖))·‖g‖, which makes convergence superlinear;
    on the boundary, until one product adds less than a tenth of the predicted reduction. The Lanczos basis is kept
    after a rejected step: a smaller radius costs no product.

    References
    ----------
    Steihaug (1983), SIAM J. Numer. Anal. 20(3), 626; Gould, Lucidi, Roma & Toint (1999), SIAM J. Optim. 9(2), 504;
    Nocedal & Wright (2006), algorithm 7.2 and theorem 7.2.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: ((x - 1) ** 4).sum(), [0.0] * 1000, method=TrustRegionNewtonCG())
    >>> result.reason.kind.value
    'converged'
    """

    preconditioner: Callable[[Vector], Callable[[Vector], Vector]] | None = None
    max_products: int | None = None
    initial_radius: float | None = None

    accepts_bounds: ClassVar[bool] = True
    name: ClassVar[str] = "newton-cg"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hvp"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.preconditioner is not None and self.scaling not in ("auto", "none"):
            raise ValueError("a preconditioner defines the length of a step; scaling cannot define it too")
        if self.preconditioner is not None and not callable(self.preconditioner):
            raise TypeError(f"preconditioner must be callable or None, got {self.preconditioner!r}")
        if self.max_products is not None:
            check_integer("max_products", self.max_products, 1)
        check_radius(self.initial_radius)

    def first_scaling(self, x: Vector) -> VariableScaling:
        """Return the scaling at x; none if a preconditioner defines the length of a step."""
        return VariableScaling.at_start("none", x) if self.preconditioner is not None else super().first_scaling(x)

    def hessian_source(self, evaluator: Evaluator, state: State) -> HessianSource:
        """Return products."""
        return HessianProducts(
            evaluator.domain.free_gradient(state.x, state.g), "", self.preconditioner, self.max_products
        )

    def first_radius(self, model: DomainModel, domain: Domain, x: Vector) -> float:
        """Return the option, or the length of the Cauchy step."""
        return self.initial_radius or super().first_radius(model, domain, x)
