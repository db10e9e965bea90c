"""Learning-rate schedules η(t): frozen callables of the number of the update, t = 1, 2, …"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

from newtonkit.core.validation import check_integer, check_real

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rate = float | Callable[[int], float]


@dataclass(frozen=True)
class Schedule:
    """Base of the schedules: ``schedule(t)`` is the learning rate of update t ≥ 1.

    Examples
    --------
    >>> import newtonkit
    >>> rates = newtonkit.Warmup(newtonkit.Cosine(0.1, horizon=10), steps=2)
    >>> isinstance(rates, newtonkit.Schedule), rates(1) <= 0.05
    (True, True)
    """

    @property
    def label(self) -> str:
        """The name in legends."""
        return type(self).__name__

    def __call__(self, t: int) -> float:
        """η(t)."""
        raise NotImplementedError

    def plot(self, steps: int = 100) -> Figure:
        """The curve of the first ``steps`` updates; see `newtonkit.plots.learning_rates.plot_schedules`."""
        from newtonkit.plots.learning_rates import plot_schedules

        return plot_schedules([self], steps)


@dataclass(frozen=True)
class _InitialRate(Schedule):
    """Schedules with an initial rate η₀ > 0."""

    initial: float

    def __post_init__(self) -> None:
        check_real("initial", self.initial, 0.0, open_low=True, open_high=True)


@dataclass(frozen=True)
class StepDecay(_InitialRate):
    """η₀·factor^(number of milestones ≤ t).

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
class _ExponentialFamily(_InitialRate):
    """Schedules with a decay constant k ≥ 0."""

    decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("decay", self.decay, 0.0, open_high=True)


@dataclass(frozen=True)
class Exponential(_ExponentialFamily):
    """η₀e^(−kt).

    Parameters
    ----------
    initial : float, positive
    decay : float, at least 0, default 0.01
        k.

    Examples
    --------
    >>> [round(Exponential(1.0, decay=0.1)(t), 3) for t in (1, 2)]
    [0.905, 0.819]
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial * math.exp(-self.decay * t)


@dataclass(frozen=True)
class InverseTime(_ExponentialFamily):
    """η₀/(1 + kt).

    Parameters
    ----------
    initial : float, positive
    decay : float, at least 0, default 0.01
        k.

    Examples
    --------
    >>> [round(InverseTime(1.0, decay=1.0)(t), 3) for t in (1, 2)]
    [0.5, 0.333]
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial / (1.0 + self.decay * t)


@dataclass(frozen=True)
class _FiniteHorizon(_InitialRate):
    """Schedules that reach 0 at update T."""

    horizon: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("horizon", self.horizon, 1)

    def fraction(self, t: int) -> float:
        """min(t/T, 1)."""
        return min(t, self.horizon) / self.horizon


@dataclass(frozen=True)
class Cosine(_FiniteHorizon):
    """½η₀(1 + cos(πt/T)) for t ≤ T, then 0.

    Parameters
    ----------
    initial : float, positive
    horizon : int, at least 1, default 100
        T.

    Examples
    --------
    >>> [round(Cosine(1.0, horizon=3)(t), 3) for t in (1, 2, 3)]
    [0.75, 0.25, 0.0]
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return 0.5 * self.initial * (1.0 + math.cos(math.pi * self.fraction(t)))


@dataclass(frozen=True)
class Linear(_FiniteHorizon):
    """η₀(1 − t/T) for t ≤ T, then 0.

    Parameters
    ----------
    initial : float, positive
    horizon : int, at least 1, default 100
        T.

    Examples
    --------
    >>> [round(Linear(1.0, horizon=4)(t), 3) for t in (1, 2, 4)]
    [0.75, 0.5, 0.0]
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial * (1.0 - self.fraction(t))


@dataclass(frozen=True)
class InverseSquareRoot(_InitialRate):
    """η₀/√t.

    Examples
    --------
    >>> InverseSquareRoot(1.0)(4)
    0.5
    """

    def __call__(self, t: int) -> float:
        """η(t)."""
        return self.initial / math.sqrt(t)


@dataclass(frozen=True)
class Warmup(Schedule):
    """A linear increase, followed by another schedule: η(t) = (t/w)·s(w) for t ≤ w, then s(t).

    Parameters
    ----------
    then : float, positive, or schedule
        s, a function of the same t; a number is a constant rate.
    steps : int, at least 1
        w.

    References
    ----------
    Goyal et al. (2017), arXiv:1706.02677, section 2.2. With `InverseSquareRoot` it is the schedule of Vaswani et al.
    (2017), arXiv:1706.03762, eq. 3.

    Examples
    --------
    >>> schedule = Warmup(0.1, steps=4)
    >>> [schedule(t) for t in (1, 2, 4, 100)]
    [0.025, 0.05, 0.1, 0.1]
    """

    then: Rate
    steps: int

    def __post_init__(self) -> None:
        check_rate(self.then, "then")
        check_integer("steps", self.steps, 1)

    @property
    def label(self) -> str:
        """The name in legends."""
        then = self.then
        return f"Warmup, then {then.label if isinstance(then, Schedule) else 'constant'}"

    def __call__(self, t: int) -> float:
        """η(t)."""
        if t >= self.steps:
            return rate_at(self.then, t)
        return t / self.steps * rate_at(self.then, self.steps)


@dataclass(frozen=True)
class PerEpoch(Schedule):
    """A schedule as a function of the epoch: s(1) for the first ``updates`` updates, then s(2), …

    Parameters
    ----------
    schedule : float, positive, or schedule
        s.
    updates : int, at least 1
        Updates per epoch.

    Examples
    --------
    >>> schedule = PerEpoch(StepDecay(1.0, milestones=(3,)), updates=5)
    >>> [schedule(t) for t in (1, 10, 11)]
    [1.0, 1.0, 0.1]
    """

    schedule: Rate
    updates: int

    def __post_init__(self) -> None:
        check_rate(self.schedule, "schedule")
        check_integer("updates", self.updates, 1)

    def __call__(self, t: int) -> float:
        """η(t)."""
        return rate_at(self.schedule, 1 + (t - 1) // self.updates)


def check_rate(rate: object, name: str = "rate") -> None:
    """Raise unless a rate is a positive number or a callable of t."""
    if isinstance(rate, type):
        raise TypeError(
            f"{name} must be a number or a schedule, got the class {rate.__name__}; write {rate.__name__}(…)"
        )
    if isinstance(rate, Real):
        check_real(name, rate, 0.0, open_low=True, open_high=True)
    elif not callable(rate):
        raise TypeError(
            f"{name} must be a number in (0, inf), or a schedule such as newtonkit.Cosine(0.1); got {rate!r}"
        )


def rate_at(rate: Rate, t: int) -> float:
    """η(t) of a number or a schedule.

    Raises
    ------
    ValueError
        If the value of the schedule is not a number in [0, inf).
    """
    if not callable(rate):
        return rate
    eta = rate(t)
    try:
        if 0.0 <= eta < math.inf:
            return eta
    except TypeError:
        pass
    raise ValueError(f"the schedule {rate!r} must give a number in [0, inf) for every update, got {eta!r} at t = {t}")
