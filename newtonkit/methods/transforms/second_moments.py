"""Scaling of every component by its past squared gradients: AdaGrad, RMSProp, AdaDelta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform


def divide_by_root(g: Vector, G: Vector, epsilon: float, *, inside: bool) -> Vector:
    """g/(√G + ε), or g/√(G + ε) with ε inside the root; 0 where g is 0, also for G = ε = 0."""
    if inside:
        root = G + epsilon
        np.sqrt(root, out=root)
    else:
        root = np.sqrt(G)
        root += epsilon
    if epsilon > 0.0:
        # a division with a mask takes twice the time
        return np.divide(g, root, out=root)
    return np.divide(g, root, out=np.zeros_like(g), where=g != 0.0)


def running_mean(old: Vector, new: Vector, decay: float) -> Vector:
    """decay·old + (1 − decay)·new."""
    mean = (1.0 - decay) * new
    mean += decay * old
    return mean


@dataclass(frozen=True, kw_only=True)
class scale_by_adagrad(GradientTransform):  # noqa: N801
    """G ← G + g², the state, and g/(√G + ε).

    Parameters
    ----------
    epsilon : float, at least 0, default 1e-8
        ε.
    epsilon_inside : bool, default False
        Whether ε is inside the root: g/√(G + ε).
    initial_accumulator : float, at least 0, default 0
        Every component of G at the start.

    References
    ----------
    Duchi, Hazan & Singer (2011), J. Mach. Learn. Res. 12, 2121.

    Examples
    --------
    >>> import newtonkit
    >>> rule = newtonkit.chain(newtonkit.scale_by_adagrad(), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    epsilon: float = 1e-8
    epsilon_inside: bool = False
    initial_accumulator: float = 0.0

    def __post_init__(self) -> None:
        check_real("epsilon", self.epsilon, 0.0, open_high=True)
        check_real("initial_accumulator", self.initial_accumulator, 0.0, open_high=True)

    def init(self, n: int) -> Vector:
        """G."""
        return np.full(n, float(self.initial_accumulator))

    def update(self, g: Vector, state: Vector, x: Vector) -> tuple[Vector, Vector]:
        """g/(√G + ε) with the new G."""
        G = self.accumulate(state, g)
        return divide_by_root(g, G, self.epsilon, inside=self.epsilon_inside), G

    def accumulate(self, G: Vector, g: Vector) -> Vector:
        """G + g²."""
        return G + g * g


@dataclass(frozen=True)
class scale_by_rmsprop(scale_by_adagrad):  # noqa: N801
    """G ← ρG + (1−ρ)g², the state, and g/(√G + ε).

    Parameters
    ----------
    decay : float in [0, 1), default 0.9
        ρ.
    epsilon, epsilon_inside, initial_accumulator
        As in `scale_by_adagrad`.

    References
    ----------
    Tieleman & Hinton (2012), *Neural Networks for Machine Learning*, lecture 6.5.

    Examples
    --------
    >>> import newtonkit
    >>> rule = newtonkit.chain(newtonkit.scale_by_rmsprop(), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    decay: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("decay", self.decay, 0.0, 1.0, open_high=True)

    def accumulate(self, G: Vector, g: Vector) -> Vector:
        """ρG + (1−ρ)g²."""
        return running_mean(G, g * g, self.decay)


class AdaDeltaState(NamedTuple):
    """Running means of the squared gradients and of the squared outputs."""

    G: Vector
    s: Vector


@dataclass(frozen=True)
class scale_by_adadelta(GradientTransform):  # noqa: N801
    """G ← ρG + (1−ρ)g², Δ = √(s+ε)/√(G+ε)·g, the output, and s ← ρs + (1−ρ)Δ².

    Parameters
    ----------
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
    >>> rule = newtonkit.chain(newtonkit.scale_by_adadelta(), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    decay: float = 0.95
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        check_real("decay", self.decay, 0.0, 1.0, open_high=True)
        check_real("epsilon", self.epsilon, 0.0, open_low=True, open_high=True)

    def init(self, n: int) -> AdaDeltaState:
        """Both means zero."""
        return AdaDeltaState(np.zeros(n), np.zeros(n))

    def update(self, g: Vector, state: AdaDeltaState, x: Vector) -> tuple[Vector, AdaDeltaState]:
        """Δ, which has the units of x."""
        G = running_mean(state.G, g * g, self.decay)
        delta = np.sqrt(state.s + self.epsilon) / np.sqrt(G + self.epsilon) * g
        return delta, AdaDeltaState(G, running_mean(state.s, delta * delta, self.decay))
