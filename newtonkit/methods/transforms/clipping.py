"""Clipping of gradients, by value and by norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.methods.first_order import GradientTransform


class _Clipping(GradientTransform):
    """The common part of both kinds: there is no state."""

    def init(self, n: int) -> None:
        """No state."""


@dataclass(frozen=True)
class clip_by_value(_Clipping):  # noqa: N801
    """Every component of g clipped to [−limit, limit].

    Parameters
    ----------
    limit : float, positive

    Examples
    --------
    >>> clip_by_value(1.0).update(np.array([3.0, -0.5]), None, np.zeros(2))[0]
    array([ 1. , -0.5])
    """

    limit: float

    def __post_init__(self) -> None:
        check_real("limit", self.limit, 0.0, open_low=True, open_high=True)

    def update(self, g: Vector, state: None, x: Vector) -> tuple[Vector, None]:
        """The clipped gradient."""
        return np.clip(g, -self.limit, self.limit), None


@dataclass(frozen=True)
class clip_by_norm(_Clipping):  # noqa: N801
    """g scaled to the norm ``limit`` if its norm is larger: g·min(1, limit/‖g‖).

    The norm is Euclidean and over all parameters together ("global norm").

    Parameters
    ----------
    limit : float, positive

    References
    ----------
    Pascanu, Mikolov & Bengio (2013), ICML, algorithm 1.

    Examples
    --------
    >>> clip_by_norm(1.0).update(np.array([3.0, -4.0]), None, np.zeros(2))[0]
    array([ 0.6, -0.8])
    """

    limit: float

    def __post_init__(self) -> None:
        check_real("limit", self.limit, 0.0, open_low=True, open_high=True)

    def update(self, g: Vector, state: None, x: Vector) -> tuple[Vector, None]:
        """The clipped gradient."""
        length = norm(g)
        return (g * (self.limit / length) if length > self.limit else g), None
