"""Rules with a rate of its own for every coordinate, from the squares of its past gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from newtonkit.core.validation import check_choice, check_real
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import Rule, check_decay
from newtonkit.methods.schedules import Rate


class SquaredGradients(NamedTuple):
    """The memory of AdaGrad and RMSProp."""

    t: int
    G: Vector


class SquaredSteps(NamedTuple):
    """The memory of AdaDelta: running means of g² and of the squared steps."""

    t: int
    G: Vector
    s: Vector


class Moments(NamedTuple):
    """The memory of Adam: running means of g and of g², and for AMSGrad the largest of the latter so far."""

    t: int
    m: Vector
    v: Vector
    largest: Vector | None = None


class NadamMoments(NamedTuple):
    """The memory of Nadam: both means, and the product of the momenta μ₁ … μₜ."""

    t: int
    m: Vector
    v: Vector
    product: float


def _scaled(g: Vector, G: Vector, epsilon: float, *, inside: bool) -> Vector:
    """g/(√G + ε), or g/√(G + ε) with ε inside the root; 0 where g is 0, also for G = ε = 0."""
    if inside:
        root = G + epsilon
        np.sqrt(root, out=root)
    else:
        root = np.sqrt(G)
        root += epsilon
    if epsilon > 0.0:
        # a division under a mask takes twice the time
        return np.divide(g, root, out=root)
    return np.divide(g, root, out=np.zeros_like(g), where=g != 0.0)


def _mean(old: Vector, new: Vector, decay: float) -> Vector:
    """decay·old + (1 − decay)·new, the running mean after one more value."""
    mean = (1.0 - decay) * new
    mean += decay * old
    return mean


@dataclass(frozen=True)
class AdaGrad(Rule):
    """G ← G + g², θ ← θ − ηg/(√G + ε).

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η.
    epsilon : float, at least 0, default 1e-8
        ε.
    epsilon_inside : bool, default False
        Whether ε stands inside the root: g/√(G + ε).
    initial_accumulator : float, at least 0, default 0
        Every entry of G at the start.

    References
    ----------
    Duchi, Hazan & Singer (2011), J. Mach. Learn. Res. 12, 2121.
    """

    epsilon: float = 1e-8
    epsilon_inside: bool = False
    initial_accumulator: float = 0.0

    name: ClassVar[str] = "adagrad"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("epsilon", self.epsilon, 0.0, open_high=True)
        check_real("initial_accumulator", self.initial_accumulator, 0.0, open_high=True)

    def start(self, n: int) -> SquaredGradients:
        """G full of the initial accumulator."""
        return SquaredGradients(0, np.full(n, float(self.initial_accumulator)))

    def update(self, g: Vector, memory: SquaredGradients, x: Vector) -> tuple[Vector, SquaredGradients]:
        """−ηg/(√G + ε) with the new G."""
        t, G = memory.t + 1, self.accumulated(memory.G, g)
        step = -self.eta(t) * _scaled(g, G, self.epsilon, inside=self.epsilon_inside)
        return step, SquaredGradients(t, G)

    def accumulated(self, G: Vector, g: Vector) -> Vector:
        """G + g²."""
        return G + g * g


@dataclass(frozen=True)
class RMSProp(AdaGrad):
    """G ← ρG + (1−ρ)g², θ ← θ − ηg/(√G + ε): AdaGrad that forgets.

    Parameters
    ----------
    rate, epsilon, epsilon_inside, initial_accumulator
        As in `AdaGrad`.
    decay : float in [0, 1), default 0.9
        ρ.

    References
    ----------
    Tieleman & Hinton (2012), *Neural Networks for Machine Learning*, lecture 6.5.
    """

    decay: float = 0.9

    name: ClassVar[str] = "rmsprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_decay("decay", self.decay)

    def accumulated(self, G: Vector, g: Vector) -> Vector:
        """ρG + (1−ρ)g²."""
        return _mean(G, g * g, self.decay)


@dataclass(frozen=True)
class AdaDelta(Rule):
    """G ← ρG + (1−ρ)g², Δ = √(s+ε)/√(G+ε)·g, θ ← θ − ηΔ, s ← ρs + (1−ρ)Δ².

    Parameters
    ----------
    rate : float or schedule, default 1
        η; the method as published has none, that is η = 1.
    decay : float in [0, 1), default 0.95
        ρ.
    epsilon : float, positive, default 1e-6
        ε; it sets the length of the first steps.

    References
    ----------
    Zeiler (2012), arXiv:1212.5701, algorithm 1.
    """

    rate: Rate = 1.0
    decay: float = 0.95
    epsilon: float = 1e-6

    name: ClassVar[str] = "adadelta"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_decay("decay", self.decay)
        check_real("epsilon", self.epsilon, 0.0, open_low=True, open_high=True)

    def start(self, n: int) -> SquaredSteps:
        """Both means zero."""
        return SquaredSteps(0, np.zeros(n), np.zeros(n))

    def update(self, g: Vector, memory: SquaredSteps, x: Vector) -> tuple[Vector, SquaredSteps]:
        """−ηΔ, the units of which are those of x."""
        t = memory.t + 1
        G = _mean(memory.G, g * g, self.decay)
        delta = np.sqrt(memory.s + self.epsilon) / np.sqrt(G + self.epsilon) * g
        s = _mean(memory.s, delta * delta, self.decay)
        return -self.eta(t) * delta, SquaredSteps(t, G, s)


@dataclass(frozen=True)
class Adam(Rule):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − η·m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    Parameters
    ----------
    rate : float or schedule, default 1e-3
        η.
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
    epsilon : float, at least 0, default 1e-8
        ε.
    epsilon_inside : bool, default False
        Whether ε stands inside the root: m̂/√(v̂ + ε).
    correction : {"moments", "rate"}, default "moments"
        Where the bias is corrected: in m̂ and v̂, or folded into the rate, η·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v + ε), which differs
        in what ε is compared with (Kingma & Ba, end of section 2).
    amsgrad : bool, default False
        Whether v in the denominator is the largest so far, entry by entry, so that no rate of a coordinate ever grows.

    References
    ----------
    Kingma & Ba (2015), ICLR, algorithm 1; AMSGrad: Reddi, Kale & Kumar (2018), ICLR, algorithm 2, where the bias is
    not corrected; here it is, as in `torch.optim.Adam`.

    Examples
    --------
    >>> step, memory = Adam(rate=0.1).update(np.array([5.0, -0.2]), Adam().start(2), np.zeros(2))
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

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_means(self.beta1, self.beta2, self.epsilon)
        check_choice("correction", self.correction, ("moments", "rate"))

    def start(self, n: int) -> Moments:
        """Both means zero."""
        return Moments(0, np.zeros(n), np.zeros(n), np.zeros(n) if self.amsgrad else None)

    def update(self, g: Vector, memory: Moments, x: Vector) -> tuple[Vector, Moments]:
        """The corrected mean of g over the root of the corrected mean of g²."""
        t = memory.t + 1
        m = _mean(memory.m, g, self.beta1)
        v = _mean(memory.v, g * g, self.beta2)
        largest = None if memory.largest is None else np.maximum(memory.largest, v)
        squares = v if largest is None else largest
        bias1, bias2 = 1.0 - self.beta1**t, 1.0 - self.beta2**t
        eta = self.eta(t)
        if self.correction == "rate":
            step = -eta * math.sqrt(bias2) / bias1 * _scaled(m, squares, self.epsilon, inside=self.epsilon_inside)
        else:
            step = -eta * _scaled(m / bias1, squares / bias2, self.epsilon, inside=self.epsilon_inside)
        return step, Moments(t, m, v, largest)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with a decay of the weights that does not pass through its moments: θ ← θ − ηλθ − η·m̂/(√v̂ + ε).

    Parameters
    ----------
    rate, beta1, beta2, epsilon, epsilon_inside, correction, amsgrad
        As in `Adam`.
    weight_decay : float, at least 0, default 0.01
        λ.

    Notes
    -----
    The published algorithm has λθ where ηλθ stands here; the factor is that of `torch.optim.AdamW`, and lets λ keep
    its meaning when η changes. The rule looks for a point where f falls no further in the box ‖θ‖∞ ≤ 1/λ, not for a
    minimum of f + ½λ‖θ‖² (Xie & Li, 2024, ICML).

    References
    ----------
    Loshchilov & Hutter (2019), ICLR, algorithm 2.
    """

    weight_decay: float = 0.01

    name: ClassVar[str] = "adamw"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("weight_decay", self.weight_decay, 0.0, open_high=True)

    def update(self, g: Vector, memory: Moments, x: Vector) -> tuple[Vector, Moments]:
        """Adam's step, and −ηλx."""
        step, following = super().update(g, memory, x)
        return step - (self.eta(following.t) * self.weight_decay) * x, following


@dataclass(frozen=True)
class Nadam(Rule):
    """Adam with Nesterov's look-ahead: θ ← θ − η·[μₜ₊₁m/(1−∏₁ᵗ⁺¹μ) + (1−μₜ)g/(1−∏₁ᵗμ)]/(√v̂ + ε), m and v̂ as in `Adam`.

    The momentum rises from about β₁/2 to β₁: μₜ = β₁(1 − ½·0.96^(tψ)).

    Parameters
    ----------
    rate : float or schedule, default 2e-3
        η.
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
    epsilon : float, at least 0, default 1e-8
        ε.
    momentum_decay : float, at least 0, or infinite, default 0.004
        ψ, how soon the momentum rises; infinite: μₜ = β₁ from the start.

    References
    ----------
    Dozat (2016), *Incorporating Nesterov Momentum into Adam*, ICLR workshop, algorithm 2; μₜ from its section 3.
    """

    rate: Rate = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    momentum_decay: float = 0.004

    name: ClassVar[str] = "nadam"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_means(self.beta1, self.beta2, self.epsilon)
        check_real("momentum_decay", self.momentum_decay, 0.0)

    def start(self, n: int) -> NadamMoments:
        """Both means zero, and an empty product."""
        return NadamMoments(0, np.zeros(n), np.zeros(n), 1.0)

    def momentum(self, t: int) -> float:
        """μₜ."""
        return self.beta1 * (1.0 - 0.5 * math.pow(0.96, t * self.momentum_decay))

    def update(self, g: Vector, memory: NadamMoments, x: Vector) -> tuple[Vector, NadamMoments]:
        """What the mean of g will be after the next step, as far as it is known, over the root of that of g²."""
        t = memory.t + 1
        m = _mean(memory.m, g, self.beta1)
        v = _mean(memory.v, g * g, self.beta2)
        now, following = self.momentum(t), self.momentum(t + 1)
        product = memory.product * now
        ahead = following / (1.0 - product * following) * m + (1.0 - now) / (1.0 - product) * g
        step = -self.eta(t) * _scaled(ahead, v / (1.0 - self.beta2**t), self.epsilon, inside=False)
        return step, NadamMoments(t, m, v, product)


def _check_means(beta1: float, beta2: float, epsilon: float) -> None:
    check_decay("beta1", beta1)
    check_decay("beta2", beta2)
    check_real("epsilon", epsilon, 0.0, open_high=True)
