"""Lion: steps of the same length in every coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.methods.transforms.learning_rate import scale_by_learning_rate
from newtonkit.methods.transforms.sign_momentum import scale_by_lion
from newtonkit.methods.transforms.weight_decay import add_weight_decay


@dataclass(frozen=True)
class Lion(FirstOrderRule):
    """θ ← θ − η(sign(β₁m + (1−β₁)g) + λθ), m ← β₂m + (1−β₂)g.

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 1e-4
        η, the length of the step in every coordinate.
    beta1, beta2 : float in [0, 1), default 0.9 and 0.99
    weight_decay : float, at least 0, default 0
        λ.

    Notes
    -----
    At a constant rate the rule does not converge to a point: the steps keep the length η. Use a schedule that decreases
    to 0. The authors recommend a rate 3 to 10 times smaller than that of AdamW, and a λ larger by the same factor
    (section 5).

    References
    ----------
    Chen et al. (2023), *Symbolic Discovery of Optimization Algorithms*, arXiv:2302.06675, algorithm 2.

    Examples
    --------
    >>> import numpy as np, newtonkit as nk
    >>> data = np.array([1.0, 2.0, 3.0])
    >>> method = nk.Lion(rate=nk.Linear(0.1, horizon=50))
    >>> nk.train(lambda p, batch: ((batch - p) ** 2).mean(), [0.0], data, method, epochs=50).x.round(1)
    array([2.])
    """

    rate: Rate = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    name: ClassVar[str] = "lion"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The sign, the weight decay, the learning rate."""
        decay = (add_weight_decay(self.weight_decay),) if self.weight_decay != 0.0 else ()
        return scale_by_lion(self.beta1, self.beta2), *decay, scale_by_learning_rate(self.rate)
