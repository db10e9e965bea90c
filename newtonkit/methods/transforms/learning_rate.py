"""The transform that makes a step of a direction: multiplication by −η(t)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate, check_rate, rate_at


@dataclass(frozen=True)
class scale_by_learning_rate(GradientTransform):  # noqa: N801
    """−η(t)·g: the step of gradient descent.

    The state is the number of updates made.

    Parameters
    ----------
    rate : float, positive, or schedule
        η, or a callable η(t) of the number of the update, t = 1, 2, …

    Examples
    --------
    >>> import numpy as np
    >>> transform = scale_by_learning_rate(0.5)
    >>> transform.update(np.array([1.0, -4.0]), transform.init(2), np.zeros(2))
    (array([-0.5,  2. ]), 1)
    """

    rate: Rate

    def __post_init__(self) -> None:
        check_rate(self.rate)

    @property
    def learning_rate(self) -> Rate:
        """η."""
        return self.rate

    def init(self, n: int) -> int:
        """No updates."""
        return 0

    def update(self, g: Vector, state: int, x: Vector) -> tuple[Vector, int]:
        """−η(t)·g."""
        t = state + 1
        return -rate_at(self.rate, t) * g, t


@dataclass(frozen=True)
class ScaleByCorrectedRate(scale_by_learning_rate):
    """−η(t)·√(1−β₂ᵗ)/(1−β₁ᵗ)·g: the bias correction of Adam folded into the learning rate.

    References
    ----------
    Kingma & Ba (2015), ICLR, end of section 2.
    """

    beta1: float
    beta2: float

    def update(self, g: Vector, state: int, x: Vector) -> tuple[Vector, int]:
        """−η(t)·√(1−β₂ᵗ)/(1−β₁ᵗ)·g."""
        t = state + 1
        return -rate_at(self.rate, t) * math.sqrt(1.0 - self.beta2**t) / (1.0 - self.beta1**t) * g, t
