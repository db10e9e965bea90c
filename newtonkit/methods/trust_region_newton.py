"""Newton's method with a trust region: the default for small and medium n, and for sparse Hessians."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from newtonkit.core.domain import Domain
from newtonkit.core.state import State
from newtonkit.core.validation import check_real
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.hessian_source import HessianSource, choose_hessian_source
from newtonkit.methods.trust_region import TrustRegionMethod
from newtonkit.trustregion.box_step import DomainModel


@dataclass(frozen=True)
class TrustRegionNewton(TrustRegionMethod):
    """Minimize the quadratic model m(p) = f + gᵀp + ½ pᵀHp within ‖p‖ ≤ Δ, nearly exactly; adapt Δ to the ratio.

    Indefinite and singular Hessians are fine: the step follows negative curvature to the boundary of the region.

    Parameters
    ----------
    initial_radius : float, positive, optional
        The first Δ; by default the length of the Newton step, or ‖g₀‖/‖H₀‖ if H₀ is not positive definite.
    scaling : {"auto", "none", "sizes"} or array_like, shape (n,), default "auto"
        Units of the variables: the length of a step is ‖Dp‖ with D diagonal, its entries rounded to powers of two. A
        vector of typical sizes: D = 1/size, and the iterates do not depend on the units. "sizes": D = 1/max |xᵢ| over
        the points so far. "none": D is the identity. "auto": "none" for 30 trials; after that "sizes", if the sizes
        differ by a factor of 100 or more, and the curvatures differ less in units of the sizes.

    Notes
    -----
    Each trial point costs one f; an accepted one also a gradient and a Hessian. A trial point at which f or g is not
    finite is rejected; a step to a point at which the Hessian is not finite is undone. If the difference of f is lost
    in rounding, the ratio is computed from the gradients.

    Up to n = 30 one eigendecomposition serves every radius at a point; above, a few Cholesky factorizations of H + λI.
    Above n = 100 the sparsity pattern of the Hessian is detected, and a sparse Hessian is factored as a band matrix or
    by SuperLU. If a factor would fill in, products are used, as in `TrustRegionNewtonCG`. ``result.choice`` states the
    choice and its reason.

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

    accepts_bounds: ClassVar[bool] = True
    name: ClassVar[str] = "newton"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_radius(self.initial_radius)

    def hessian_source(self, evaluator: Evaluator, state: State) -> HessianSource:
        """Return full, sparse or products."""
        return choose_hessian_source(evaluator, state)

    def first_radius(self, model: DomainModel, domain: Domain, x: Vector) -> float:
        """Return the option, or the default."""
        return self.initial_radius or super().first_radius(model, domain, x)


def check_radius(radius: float | None) -> None:
    """Raise ValueError unless the option ``initial_radius`` is a positive number or None."""
    if radius is not None:
        check_real("initial_radius", radius, 0.0, math.inf, open_low=True, open_high=True)
