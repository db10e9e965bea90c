"""Rules with a rate of its own for every coordinate, from the squares of its past gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from newtonkit.linalg import Vector
from newtonkit.methods.first_order import Rule, check_decay
from newtonkit.methods.schedules import Rate
from newtonkit.validation import check_choice, check_real


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
    """The memory of Adam: running means of g and of g²."""

    t: int
    m: Vector
    v: Vector


def _scaled(g: Vector, G: Vector, epsilon: float, *, inside: bool) -> Vector:
    """g/(√G + ε), or g/√(G + ε) with ε inside the root; 0 where g is 0, also for G = ε = 0."""
    root = np.sqrt(G + epsilon) if inside else np.sqrt(G) + epsilon
    return np.divide(g, root, out=np.zeros_like(g), where=g != 0.0)


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
        return self.decay * G + (1.0 - self.decay) * (g * g)


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
        G = self.decay * memory.G + (1.0 - self.decay) * (g * g)
        delta = np.sqrt(memory.s + self.epsilon) / np.sqrt(G + self.epsilon) * g
        s = self.decay * memory.s + (1.0 - self.decay) * (delta * delta)
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

    References
    ----------
    Kingma & Ba (2015), ICLR, algorithm 1.

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

    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_decay("beta1", self.beta1)
        check_decay("beta2", self.beta2)
        check_real("epsilon", self.epsilon, 0.0, open_high=True)
        check_choice("correction", self.correction, ("moments", "rate"))

    def start(self, n: int) -> Moments:
        """Both means zero."""
        return Moments(0, np.zeros(n), np.zeros(n))

    def update(self, g: Vector, memory: Moments, x: Vector) -> tuple[Vector, Moments]:
        """The corrected mean of g over the root of the corrected mean of g²."""
        t = memory.t + 1
        m = self.beta1 * memory.m + (1.0 - self.beta1) * g
        v = self.beta2 * memory.v + (1.0 - self.beta2) * (g * g)
        bias1, bias2 = 1.0 - self.beta1**t, 1.0 - self.beta2**t
        eta = self.eta(t)
        if self.correction == "rate":
            step = -eta * math.sqrt(bias2) / bias1 * _scaled(m, v, self.epsilon, inside=self.epsilon_inside)
        else:
            step = -eta * _scaled(m / bias1, v / bias2, self.epsilon, inside=self.epsilon_inside)
        return step, Moments(t, m, v)
