"""Robust losses ρ(z) of z = (r/scale)², with their first and second derivatives.

The cost is ½ scale² Σ ρ((rᵢ/scale)²), as in `scipy.optimize.least_squares`.

References
----------
Triggs et al. (2000), Bundle adjustment, a modern synthesis, section 3.3; Huber (1981), *Robust Statistics*, ch. 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np

from newtonkit.core.validation import check_choice, check_real
from newtonkit.linalg.kernels import Vector


class Rho(NamedTuple):
    """ρ, ρ′ and ρ″, each an array of the shape of z."""

    value: Vector
    first: Vector
    second: Vector


def _linear(z: Vector) -> Rho:
    return Rho(z, anp.ones_like(z), anp.zeros_like(z))


def _soft_l1(z: Vector) -> Rho:
    # 2(√(1+z) − 1) without cancellation at small z
    root = anp.sqrt(1.0 + z)
    return Rho(2.0 * z / (1.0 + root), 1.0 / root, -0.5 * root**-3)


def _huber(z: Vector) -> Rho:
    inside = z <= 1.0
    root = anp.sqrt(anp.where(inside, 1.0, z))
    return Rho(
        anp.where(inside, z, 2.0 * root - 1.0),
        anp.where(inside, 1.0, 1.0 / root),
        anp.where(inside, 0.0, -0.5 * root**-3),
    )


def _cauchy(z: Vector) -> Rho:
    return Rho(anp.log1p(z), 1.0 / (1.0 + z), -1.0 / (1.0 + z) ** 2)


def _arctan(z: Vector) -> Rho:
    return Rho(anp.arctan(z), 1.0 / (1.0 + z**2), -2.0 * z / (1.0 + z**2) ** 2)


LOSSES: dict[str, Callable[[Vector], Rho]] = {
    "linear": _linear,
    "soft_l1": _soft_l1,
    "huber": _huber,
    "cauchy": _cauchy,
    "arctan": _arctan,
}


class Loss:
    """A loss with its scale.

    Parameters
    ----------
    loss : str or callable
        "linear", "soft_l1", "huber", "cauchy", "arctan", or a function of z that returns an array of shape (3, m) with
        ρ, ρ′ and ρ″, as in scipy.
    scale : float, positive
        The residual at which the loss leaves its quadratic part (``f_scale``).

    Raises
    ------
    ValueError, TypeError
        For an unknown name, or a scale that is not a positive number.
    """

    def __init__(self, loss: str | Callable[[Vector], Any] = "linear", scale: float = 1.0) -> None:
        if not callable(loss):
            check_choice("loss", loss, LOSSES)
        check_real("f_scale", scale, 0.0, open_low=True, open_high=True)
        self.name = loss if isinstance(loss, str) else getattr(loss, "__name__", "callable")
        self.scale = float(scale)
        self._rho = LOSSES[loss] if isinstance(loss, str) else _OfCallable(loss)

    @property
    def linear(self) -> bool:
        """Whether this is plain least squares."""
        return self.name == "linear"

    def cost(self, r: Any) -> Any:
        """½ scale² Σ ρ((rᵢ/scale)²), traceable by autograd for the losses with names."""
        if self.linear:
            return 0.5 * anp.dot(r, r)
        return 0.5 * self.scale**2 * anp.sum(self._rho((r / self.scale) ** 2).value)

    def weights(self, r: Vector) -> tuple[Vector, Vector]:
        """ρ′ and ρ′ + 2zρ″: the gradient is Jᵀ(ρ′r); the Hessian is Jᵀdiag(ρ′ + 2zρ″)J + Σ ρ′ᵢrᵢ∇²rᵢ."""
        if self.linear:
            one = anp.ones_like(r)
            return one, one
        z = (r / self.scale) ** 2
        rho = self._rho(z)
        return rho.first, rho.first + 2.0 * z * rho.second


class _OfCallable:
    """A user's loss, which returns (ρ, ρ′, ρ″)."""

    def __init__(self, loss: Callable[[Vector], Any]) -> None:
        self.loss = loss

    def __call__(self, z: Vector) -> Rho:
        values = np.asarray(self.loss(z), dtype=np.float64)
        if values.shape != (3, z.size):
            raise ValueError(f"loss must return an array of shape {(3, z.size)} with ρ, ρ′, ρ″, got {values.shape}")
        return Rho(*values)
