"""Scaling by running means of the gradient and of its square: Adam and Nadam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.transforms.second_moments import divide_by_root, running_mean


class AdamState(NamedTuple):
    """Updates made, running means of g and of g², and for AMSGrad the largest value so far of the latter."""

    t: int
    m: Vector
    v: Vector
    largest: Vector | None = None


class NadamState(NamedTuple):
    """Updates made, both running means, and the product of the momenta μ₁ … μₜ."""

    t: int
    m: Vector
    v: Vector
    product: float


@dataclass(frozen=True)
class _TwoMoments(GradientTransform):
    """The parameters that Adam and Nadam share."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_real("beta1", self.beta1, 0.0, 1.0, open_high=True)
        check_real("beta2", self.beta2, 0.0, 1.0, open_high=True)
        check_real("epsilon", self.epsilon, 0.0, open_high=True)


@dataclass(frozen=True)
class scale_by_adam(_TwoMoments):  # noqa: N801
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², and m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
    epsilon : float, at least 0, default 1e-8
        ε.
    epsilon_inside : bool, default False
        Whether ε is inside the root: m̂/√(v̂ + ε).
    bias_correction : bool, default True
        False: m and v in place of m̂ and v̂.
    amsgrad : bool, default False
        Whether v in the denominator is the largest so far, component by component.

    References
    ----------
    Kingma & Ba (2015), ICLR, algorithm 1. AMSGrad: Reddi, Kale & Kumar (2018), ICLR, algorithm 2, where the bias is not
    corrected.

    Examples
    --------
    >>> import newtonkit
    >>> rule = newtonkit.chain(newtonkit.scale_by_adam(0.9, 0.999), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    epsilon_inside: bool = False
    bias_correction: bool = True
    amsgrad: bool = False

    def init(self, n: int) -> AdamState:
        """Both means zero."""
        return AdamState(0, np.zeros(n), np.zeros(n), np.zeros(n) if self.amsgrad else None)

    def update(self, g: Vector, state: AdamState, x: Vector) -> tuple[Vector, AdamState]:
        """The mean of g divided by the root of the mean of g²."""
        t = state.t + 1
        m = running_mean(state.m, g, self.beta1)
        v = running_mean(state.v, g * g, self.beta2)
        largest = None if state.largest is None else np.maximum(state.largest, v)
        squares = v if largest is None else largest
        following = AdamState(t, m, v, largest)
        if self.bias_correction:
            m, squares = m / (1.0 - self.beta1**t), squares / (1.0 - self.beta2**t)
        return divide_by_root(m, squares, self.epsilon, inside=self.epsilon_inside), following


@dataclass(frozen=True)
class scale_by_nadam(_TwoMoments):  # noqa: N801
    """[μₜ₊₁m/(1−∏₁ᵗ⁺¹μ) + (1−μₜ)g/(1−∏₁ᵗμ)]/(√v̂ + ε), with m and v̂ as in `scale_by_adam`.

    The momentum rises from about β₁/2 to β₁: μₜ = β₁(1 − ½·0.96^(tψ)).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
    epsilon : float, at least 0, default 1e-8
        ε.
    momentum_decay : float, at least 0, or infinite, default 0.004
        ψ, the speed at which the momentum rises; infinite: μₜ = β₁ from the start.

    References
    ----------
    Dozat (2016), *Incorporating Nesterov Momentum into Adam*, ICLR workshop, algorithm 2; μₜ from section 3.

    Examples
    --------
    >>> import newtonkit
    >>> rule = newtonkit.chain(newtonkit.scale_by_nadam(), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    momentum_decay: float = 0.004

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("momentum_decay", self.momentum_decay, 0.0)

    def init(self, n: int) -> NadamState:
        """Both means zero, and an empty product."""
        return NadamState(0, np.zeros(n), np.zeros(n), 1.0)

    def momentum(self, t: int) -> float:
        """μₜ; the constant 0.96 is from Dozat (2016), section 3."""
        return self.beta1 * (1.0 - 0.5 * math.pow(0.96, t * self.momentum_decay))

    def update(self, g: Vector, state: NadamState, x: Vector) -> tuple[Vector, NadamState]:
        """The predicted mean of g after the next step, divided by the root of the mean of g²."""
        t = state.t + 1
        m = running_mean(state.m, g, self.beta1)
        v = running_mean(state.v, g * g, self.beta2)
        now, following = self.momentum(t), self.momentum(t + 1)
        product = state.product * now
        ahead = following / (1.0 - product * following) * m + (1.0 - now) / (1.0 - product) * g
        output = divide_by_root(ahead, v / (1.0 - self.beta2**t), self.epsilon, inside=False)
        return output, NadamState(t, m, v, product)
