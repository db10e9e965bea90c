"""Learning-rate schedules η(t): frozen callables of the update's number t = 1, 2, …"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newtonkit.validation import check_integer, check_real

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rate = float | Callable[[int], float]


@dataclass(frozen=True)
class Schedule:
    """Base of the schedules: an initial rate η₀ > 0, and ``schedule(t)`` for the rate of update t ≥ 1."""

    initial: float

    def __post_init__(self) -> None:
        check_real("initial", self.initial, 0.0, open_low=True, open_high=True)

    def __call__(self, t: int) -> float:
        """η(t)."""
        raise NotImplementedError

    def plot(self, steps: int = 100) -> Figure:
        """The curve of the first ``steps`` updates; see `newtonkit.plots.plot_schedules`."""
        from newtonkit.plots import plot_schedules

        return plot_schedules([self], steps)


@dataclass(frozen=True)
class StepDecay(Schedule):
    """η₀ times ``factor`` once for every milestone passed: η₀·factor^(number of milestones ≤ t).

    Parameters
    ----------
    initial : float, positive
    milestones : tuple of int, default (30, 60, 90)
    factor : float in (0, 1], default 0.1

    Examples
    --------
    >>> [StepDecay(1.0)(t) for t in (29, 30)]
    [1.0, 0.1]
    """

    milestones: tuple[int, ...] = (30, 60, 90)
    factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("factor", self.factor, 0.0, 1.0, open_low=True)
        for milestone in self.milestones:
            check_integer("milestones", milestone, 1)

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial * self.factor ** sum(t >= milestone for milestone in self.milestones)


@dataclass(frozen=True)
class _Decaying(Schedule):
    """What the schedules with a decay constant k ≥ 0 share."""

    decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("decay", self.decay, 0.0, open_high=True)


@dataclass(frozen=True)
class Exponential(_Decaying):
    """η₀e^(−kt).

    Parameters
    ----------
    initial : float, positive
    decay : float, at least 0, default 0.01
        k.
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial * math.exp(-self.decay * t)


@dataclass(frozen=True)
class InverseTime(_Decaying):
    """η₀/(1 + kt).

    Parameters
    ----------
    initial : float, positive
    decay : float, at least 0, default 0.01
        k.
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial / (1.0 + self.decay * t)


@dataclass(frozen=True)
class _Ending(Schedule):
    """What the schedules that reach 0 at update T share."""

    horizon: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("horizon", self.horizon, 1)

    def passed(self, t: int) -> float:
        """The share of the way to T, at most 1."""
        return min(t, self.horizon) / self.horizon


@dataclass(frozen=True)
class Cosine(_Ending):
    """½η₀(1 + cos(πt/T)), 0 from T on.

    Parameters
    ----------
    initial : float, positive
    horizon : int, at least 1, default 100
        T.
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return 0.5 * self.initial * (1.0 + math.cos(math.pi * self.passed(t)))


@dataclass(frozen=True)
class Linear(_Ending):
    """η₀(1 − t/T), 0 from T on.

    Parameters
    ----------
    initial : float, positive
    horizon : int, at least 1, default 100
        T.
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial * (1.0 - self.passed(t))


@dataclass(frozen=True)
class InverseSquareRoot(Schedule):
    """η₀/√t.

    Examples
    --------
    >>> InverseSquareRoot(1.0)(4)
    0.5
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial / math.sqrt(t)


def check_rate(rate: Rate) -> None:
    """Raise unless ``rate`` is a positive number or a callable of t."""
    if not callable(rate):
        check_real("rate", rate, 0.0, open_low=True, open_high=True)


def rate_at(rate: Rate, t: int) -> float:
    """η(t) of a number or a schedule."""
    return rate(t) if callable(rate) else rate
