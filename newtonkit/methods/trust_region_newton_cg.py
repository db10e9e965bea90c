"""Truncated Newton: the trust region on Hessian-vector products, up to a million variables and more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from newtonkit.core.validation import check_integer
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.hessian_source import Curvature, Model, Products
from newtonkit.methods.trust_region import TrustRegionMethod, TrustRegionState
from newtonkit.methods.trust_region_newton import check_radius


@dataclass(frozen=True)
class TrustRegionNewtonCG(TrustRegionMethod):
    """Minimize the quadratic model within ‖p‖ ≤ Δ over a Krylov space, grown until ‖∇m‖ is small enough.

    Parameters
    ----------
    preconditioner : callable, optional
        preconditioner(x) returns a function v ↦ M⁻¹v, M symmetric positive definite and near ∇²f(x); lengths of steps
        are then √(pᵀMp).
    max_products : int, at least 1, optional
        Products at one point; 2n by default, as many vectors being stored as fit into 1 GB.
    initial_radius : float, positive, optional
        The first Δ; by default the length of the step along −g that minimizes the model.

    Notes
    -----
    At each point products are spent until ‖∇m‖ ≤ min(0.1, √(‖g‖/‖g₀‖))·‖g‖, which makes convergence superlinear, or
    until on the boundary a further one brings less than a tenth of the decrease. The Lanczos basis is kept after a
    rejection: a smaller radius costs no product.

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

    name: ClassVar[str] = "newton-cg"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hvp"})

    def __post_init__(self) -> None:
        if self.preconditioner is not None and not callable(self.preconditioner):
            raise TypeError(f"preconditioner must be callable or None, got {self.preconditioner!r}")
        if self.max_products is not None:
            check_integer("max_products", self.max_products, 1)
        check_radius(self.initial_radius)

    def curvature(self, evaluator: Evaluator, x: Vector) -> Curvature:
        """Products."""
        return Products("", self.preconditioner, self.max_products)

    def first_size(self, model: Model, state: TrustRegionState) -> float:
        """The option, or the length of the Cauchy step."""
        return self.initial_radius or super().first_size(model, state)
