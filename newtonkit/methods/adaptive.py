"""Adaptive per-coordinate learning rates: AdaGrad, RMSProp, AdaDelta, Adam, AdamW, Nadam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from newtonkit.core.validation import check_choice
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate
from newtonkit.methods.transforms.adam_moments import scale_by_adam, scale_by_nadam
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.methods.transforms.learning_rate import ScaleByCorrectedRate, scale_by_learning_rate
from newtonkit.methods.transforms.second_moments import scale_by_adadelta, scale_by_adagrad, scale_by_rmsprop
from newtonkit.methods.transforms.weight_decay import decay_weights


@dataclass(frozen=True)
class AdaGrad(FirstOrderRule):
    """G ← G + g², θ ← θ − ηg/(√G + ε).

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η.
    epsilon, epsilon_inside, initial_accumulator
        As in `newtonkit.scale_by_adagrad`.

    References
    ----------
    Duchi, Hazan & Singer (2011), J. Mach. Learn. Res. 12, 2121.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.AdaGrad(rate=0.5)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-3)
    True
    """

    epsilon: float = 1e-8
    epsilon_inside: bool = False
    initial_accumulator: float = 0.0

    name: ClassVar[str] = "adagrad"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The scaled gradient, then the learning rate."""
        scaling = scale_by_adagrad(
            epsilon=self.epsilon, epsilon_inside=self.epsilon_inside, initial_accumulator=self.initial_accumulator
        )
        return scaling, scale_by_learning_rate(self.rate)


@dataclass(frozen=True)
class RMSProp(AdaGrad):
    """G ← ρG + (1−ρ)g², θ ← θ − ηg/(√G + ε): AdaGrad with a running mean in place of the sum.

    Parameters
    ----------
    rate, epsilon, epsilon_inside, initial_accumulator
        As in `AdaGrad`.
    decay : float in [0, 1), default 0.9
        ρ.

    References
    ----------
    Tieleman & Hinton (2012), *Neural Networks for Machine Learning*, lecture 6.5.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.RMSProp(rate=newtonkit.Exponential(0.1, decay=0.02))
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-3)
    True
    """

    decay: float = 0.9

    name: ClassVar[str] = "rmsprop"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The scaled gradient, then the learning rate."""
        scaling = scale_by_rmsprop(
            self.decay,
            epsilon=self.epsilon,
            epsilon_inside=self.epsilon_inside,
            initial_accumulator=self.initial_accumulator,
        )
        return scaling, scale_by_learning_rate(self.rate)


@dataclass(frozen=True)
class AdaDelta(FirstOrderRule):
    """G ← ρG + (1−ρ)g², Δ = √(s+ε)/√(G+ε)·g, θ ← θ − ηΔ, s ← ρs + (1−ρ)Δ².

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 1
        η; the published method has none, that is η = 1.
    decay : float in [0, 1), default 0.95
        ρ.
    epsilon : float, positive, default 1e-6
        ε; it determines the length of the first steps.

    References
    ----------
    Zeiler (2012), arXiv:1212.5701, algorithm 1.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.AdaDelta()
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 4)
    True
    """

    rate: Rate = 1.0
    decay: float = 0.95
    epsilon: float = 1e-6

    name: ClassVar[str] = "adadelta"

    def compose(self) -> tuple[GradientTransform, ...]:
        """Δ, then the learning rate."""
        return scale_by_adadelta(self.decay, self.epsilon), scale_by_learning_rate(self.rate)


@dataclass(frozen=True)
class Adam(FirstOrderRule):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − η·m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 1e-3
        η.
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
    epsilon : float, at least 0, default 1e-8
        ε.
    epsilon_inside : bool, default False
        Whether ε is inside the root: m̂/√(v̂ + ε).
    correction : {"moments", "rate"}, default "moments"
        How the bias is corrected: in m̂ and v̂, or folded into the learning rate, η·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v + ε). In
        the second form ε is compared with √v in place of √v̂ (Kingma & Ba, end of section 2).
    amsgrad : bool, default False
        Whether v in the denominator is the largest so far, component by component, so that the effective learning rate
        of a component never increases.

    References
    ----------
    Kingma & Ba (2015), ICLR, algorithm 1. AMSGrad: Reddi, Kale & Kumar (2018), ICLR, algorithm 2, where the bias is not
    corrected; here it is, as in `torch.optim.Adam`.

    Examples
    --------
    >>> import numpy as np
    >>> step, state = Adam(rate=0.1).update(np.array([5.0, -0.2]), Adam().init(2), np.zeros(2))
    >>> step.round(6)
    array([-0.1,  0.1])
    """

    rate: Rate = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_inside: bool = False
    correction: Literal["moments", "rate"] = "moments"
    amsgrad: bool = False

    name: ClassVar[str] = "adam"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The scaled mean, then the learning rate."""
        check_choice("correction", self.correction, ("moments", "rate"))
        in_moments = self.correction == "moments"
        scaling = scale_by_adam(
            self.beta1, self.beta2, self.epsilon, self.epsilon_inside, bias_correction=in_moments, amsgrad=self.amsgrad
        )
        if in_moments:
            return scaling, scale_by_learning_rate(self.rate)
        return scaling, ScaleByCorrectedRate(self.rate, self.beta1, self.beta2)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← θ − ηλθ − η·m̂/(√v̂ + ε).

    Parameters
    ----------
    rate, beta1, beta2, epsilon, epsilon_inside, correction, amsgrad
        As in `Adam`.
    weight_decay : float, at least 0, default 0.01
        λ.

    Notes
    -----
    The published algorithm has λθ in place of ηλθ. The factor η is that of `torch.optim.AdamW`; with it the meaning of
    λ does not depend on η. The rule converges to a KKT point of f in the box ‖θ‖∞ ≤ 1/λ, not to a minimum of
    f + ½λ‖θ‖² (Xie & Li, 2024, ICML).

    References
    ----------
    Loshchilov & Hutter (2019), ICLR, algorithm 2.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.AdamW(rate=0.1, weight_decay=0.0)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-3)
    True
    """

    weight_decay: float = 0.01

    name: ClassVar[str] = "adamw"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The step of Adam, then −ηλθ."""
        return *super().compose(), decay_weights(self.weight_decay, self.rate)


@dataclass(frozen=True)
class Nadam(FirstOrderRule):
    """Adam with Nesterov momentum: θ ← θ − η·[μₜ₊₁m/(1−∏₁ᵗ⁺¹μ) + (1−μₜ)g/(1−∏₁ᵗμ)]/(√v̂ + ε), m and v̂ as in `Adam`.

    The momentum rises from about β₁/2 to β₁: μₜ = β₁(1 − ½·0.96^(tψ)).

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 2e-3
        η.
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
    >>> method = newtonkit.Nadam(rate=0.1)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-3)
    True
    """

    rate: Rate = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    momentum_decay: float = 0.004

    name: ClassVar[str] = "nadam"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The scaled mean, then the learning rate."""
        scaling = scale_by_nadam(self.beta1, self.beta2, self.epsilon, self.momentum_decay)
        return scaling, scale_by_learning_rate(self.rate)
