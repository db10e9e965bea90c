"""A sum of squares of residuals as an Objective: f(x) = ½ s² Σ ρ((rᵢ(x)/s)²)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from newtonkit.derivatives.losses import Loss
from newtonkit.derivatives.residuals import flat_residuals, transposed_product
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.objective import Objective


@dataclass(frozen=True, init=False)
class SumOfSquares(Objective):
    """The cost ½ f_scale² Σ ρ((rᵢ(x)/f_scale)²) of residuals r; ½‖r‖² by default.

    It is an `Objective`: `newtonkit.minimize(SumOfSquares(r), x0)`, verdicts and comparisons treat it as any function.
    `newtonkit.least_squares` accepts it too and uses the residuals.

    Parameters
    ----------
    residuals : callable
        r(x, \\*args): an array of any shape, or a structure of arrays.
    jac : callable, optional
        The Jacobian, jac(x, \\*args) of shape (m, n), dense or sparse. Default: derivatives of the cost come from
        ``source``, second derivatives included.
    curvature : callable, optional
        curvature(x, w, \\*args) = Σ wᵢ∇²rᵢ(x), shape (n, n); requires ``jac``. The Hessian is then JᵀWJ + S exactly.
        With ``jac`` alone, Hessian products come from differentiation, or central differences, of the gradient Jᵀr.
    loss : str or callable, default "linear"
        As for `newtonkit.least_squares`; a callable loss requires ``jac``.
    f_scale : float, positive, default 1
    args : tuple, optional
        Further arguments of residuals, jac and curvature.
    source : str, default "tape"
        Where derivatives come from that are not given; see `Objective`.

    Raises
    ------
    TypeError, ValueError
        For a wrong argument, naming it.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(SumOfSquares(lambda x: [10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]), [-1.2, 1.0])
    >>> result.success, result.x.round(6)
    (True, array([1., 1.]))
    """

    residuals: Callable[..., Any] = field(kw_only=True)
    jacobian: Callable[..., Any] | None = field(kw_only=True, default=None)
    curvature: Callable[..., Any] | None = field(kw_only=True, default=None)
    loss: Loss = field(kw_only=True, default_factory=Loss)

    def __init__(
        self,
        residuals: Callable[..., Any],
        *,
        jac: Callable[..., Any] | None = None,
        curvature: Callable[..., Any] | None = None,
        loss: str | Callable[..., Any] = "linear",
        f_scale: float = 1.0,
        args: tuple[Any, ...] = (),
        source: str = "tape",
    ) -> None:
        if not callable(residuals):
            raise TypeError(f"residuals must be callable, got {residuals!r}")
        for name, value in (("jac", jac), ("curvature", curvature)):
            if not (value is None or callable(value)):
                raise TypeError(f"{name} must be callable, got {value!r}")
        if curvature is not None and jac is None:
            raise ValueError("curvature requires jac: without jac, second derivatives come from the source")
        if callable(loss) and jac is None:
            raise ValueError("a callable loss requires jac; losses with names are differentiated automatically")
        scaled = Loss(loss, f_scale)
        parts = _Parts(residuals, jac, curvature, scaled)
        super().__init__(
            parts.cost,
            None if jac is None else parts.gradient,
            None if curvature is None else parts.hessian,
            args=args if isinstance(args, tuple) else (args,),
            source=source,
        )
        for name, own in (("residuals", residuals), ("jacobian", jac), ("curvature", curvature), ("loss", scaled)):
            object.__setattr__(self, name, own)


@dataclass(frozen=True)
class _Parts:
    """The cost with its derivatives."""

    residuals: Callable[..., Any]
    jac: Callable[..., Any] | None
    curvature: Callable[..., Any] | None
    loss: Loss

    def cost(self, x: Any, *args: Any) -> Any:
        """f(x); traceable where the residuals are."""
        return self.loss.cost(flat_residuals(self.residuals(x, *args)))

    def gradient(self, x: Any, *args: Any) -> Any:
        """Jᵀ(ρ′r)."""
        assert self.jac is not None
        r, J = flat_residuals(self.residuals(x, *args)), self.jac(x, *args)
        first, _ = self.loss.weights(r)
        return transposed_product(J, first * r)

    def hessian(self, x: Vector, *args: Any) -> Matrix:
        """Jᵀ diag(ρ′ + 2zρ″) J + Σ ρ′ᵢrᵢ∇²rᵢ."""
        assert self.jac is not None
        assert self.curvature is not None
        r, J = np.asarray(flat_residuals(self.residuals(x.copy(), *args))), self.jac(x.copy(), *args)
        first, second = self.loss.weights(r)
        S = np.asarray(self.curvature(x.copy(), first * r, *args))
        weighted = sp.diags_array(second) @ J if sp.issparse(J) else second[:, np.newaxis] * J
        product = J.T @ weighted
        H: Matrix = np.asarray(product.toarray() if sp.issparse(product) else product, dtype=np.float64) + S
        return H
