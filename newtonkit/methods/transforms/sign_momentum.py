"""The sign of a running mean of gradients: Lion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.transforms.second_moments import running_mean


@dataclass(frozen=True)
class scale_by_lion(GradientTransform):  # noqa: N801
    """sign(β₁m + (1−β₁)g), and then m ← β₂m + (1−β₂)g, the state.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1), default 0.9 and 0.99

    References
    ----------
    Chen et al. (2023), *Symbolic Discovery of Optimization Algorithms*, arXiv:2302.06675, algorithm 2.

    Examples
    --------
    >>> transform = scale_by_lion()
    >>> transform.update(np.array([0.3, -20.0, 0.0]), transform.init(3), np.zeros(3))[0]
    array([ 1., -1.,  0.])
    """

    beta1: float = 0.9
    beta2: float = 0.99

    def __post_init__(self) -> None:
        check_real("beta1", self.beta1, 0.0, 1.0, open_high=True)
        check_real("beta2", self.beta2, 0.0, 1.0, open_high=True)

    def init(self, n: int) -> Vector:
        """m = 0."""
        return np.zeros(n)

    def update(self, g: Vector, state: Vector, x: Vector) -> tuple[Vector, Vector]:
        """The sign of the interpolation, and the new m."""
        direction: Vector = np.sign(running_mean(state, g, self.beta1))
        return direction, running_mean(state, g, self.beta2)
