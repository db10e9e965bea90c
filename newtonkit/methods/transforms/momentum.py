"""Momentum: a decaying sum of past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from newtonkit.core.validation import check_choice, check_real
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform


@dataclass(frozen=True)
class trace(GradientTransform):  # noqa: N801
    """v ← γv + w·g, the state, and from it the output in one of three forms.

    "heavy-ball": v. "nesterov": γv + w·g with the new v, which needs no gradient at another point. "lookahead": v, with
    the gradient taken at x + γv; the trace then comes after `scale_by_learning_rate`, so that v is a step.

    Parameters
    ----------
    decay : float in [0, 1), default 0.9
        γ.
    weight : float, positive, default 1
        w; with w = 1 − γ the trace is a running mean.
    form : {"heavy-ball", "nesterov", "lookahead"}, default "heavy-ball"

    References
    ----------
    "heavy-ball": Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1. "lookahead": Sutskever, Martens, Dahl & Hinton
    (2013), ICML, eq. 3-4. "nesterov": Bengio, Boulanger-Lewandowski & Pascanu (2013), ICASSP, eq. 7, the same method
    with the look-ahead point as its variable.

    Examples
    --------
    >>> import newtonkit
    >>> rule = newtonkit.chain(newtonkit.trace(0.9), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    decay: float = 0.9
    weight: float = 1.0
    form: Literal["heavy-ball", "nesterov", "lookahead"] = "heavy-ball"

    def __post_init__(self) -> None:
        check_real("decay", self.decay, 0.0, 1.0, open_high=True)
        check_real("weight", self.weight, 0.0, open_low=True, open_high=True)
        check_choice("form", self.form, ("heavy-ball", "nesterov", "lookahead"))

    def init(self, n: int) -> Vector:
        """v = 0."""
        return np.zeros(n)

    def update(self, g: Vector, state: Vector, x: Vector) -> tuple[Vector, Vector]:
        """The output of the form, and the new v."""
        weighted = g if self.weight == 1.0 else self.weight * g
        v = self.decay * state + weighted
        return (self.decay * v + weighted if self.form == "nesterov" else v), v

    def lookahead(self, state: Vector) -> Vector | None:
        """γv in the form "lookahead"."""
        return self.decay * state if self.form == "lookahead" else None
