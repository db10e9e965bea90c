"""Gradient descent and its momentum: rules with one rate for all coordinates, and descent with a line search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.core.validation import check_choice
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.line_function import LineFunction, LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.first_order import Rule, check_decay
from newtonkit.methods.line_search_step import first_step_length


@dataclass(frozen=True)
class GradientDescent(Rule):
    """θ ← θ − ηg.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η; on a quadratic it converges for η < 2/λ_max.

    References
    ----------
    Cauchy (1847); Nocedal & Wright (2006), theorem 3.3 (its rate of convergence).

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method=GradientDescent(rate=0.5)).nit
    1
    """

    name: ClassVar[str] = "gd"

    def start(self, n: int) -> int:
        """The number of updates made: 0."""
        return 0

    def update(self, g: Vector, memory: int, x: Vector) -> tuple[Vector, int]:
        """−ηg."""
        t = memory + 1
        return -self.eta(t) * g, t


class Velocity(NamedTuple):
    """The memory of the momentum rules."""

    t: int
    v: Vector


@dataclass(frozen=True)
class Momentum(Rule):
    """Gradient descent with a velocity, in one of three forms.

    "classical": v ← γv − ηg, θ ← θ + v; "second": v ← γv + g, θ ← θ − ηv; "average": v ← γv + (1−γ)g, θ ← θ − ηv. At a
    fixed rate the first two give the same points, and the third those of the rate (1−γ)η.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η.
    decay : float in [0, 1), default 0.9
        γ, called ρ or β in the other forms.
    form : {"classical", "second", "average"}, default "classical"

    References
    ----------
    Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1.
    """

    decay: float = 0.9
    form: Literal["classical", "second", "average"] = "classical"

    name: ClassVar[str] = "momentum"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_decay("decay", self.decay)
        check_choice("form", self.form, ("classical", "second", "average"))

    def start(self, n: int) -> Velocity:
        """At rest."""
        return Velocity(0, np.zeros(n))

    def update(self, g: Vector, memory: Velocity, x: Vector) -> tuple[Vector, Velocity]:
        """The new velocity, as a step."""
        t = memory.t + 1
        eta = self.eta(t)
        if self.form == "classical":
            v = self.decay * memory.v - eta * g
            return v, Velocity(t, v)
        weight = 1.0 if self.form == "second" else 1.0 - self.decay
        v = self.decay * memory.v + weight * g
        return -eta * v, Velocity(t, v)


@dataclass(frozen=True)
class Nesterov(Rule):
    """v ← γv + η∇J(θ − γv), θ ← θ − v: momentum whose gradient is taken where the velocity is about to lead.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η.
    decay : float in [0, 1), default 0.9
        γ.

    References
    ----------
    Nesterov (1983), Soviet Math. Dokl. 27, 372; in this form Sutskever, Martens, Dahl & Hinton (2013), eq. 3–4.
    """

    decay: float = 0.9

    name: ClassVar[str] = "nesterov"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_decay("decay", self.decay)

    def start(self, n: int) -> Velocity:
        """At rest."""
        return Velocity(0, np.zeros(n))

    def offset(self, memory: Velocity) -> Vector:
        """−γv, the look-ahead."""
        return -self.decay * memory.v

    def update(self, g: Vector, memory: Velocity, x: Vector) -> tuple[Vector, Velocity]:
        """−v, with g the gradient at the look-ahead point."""
        t = memory.t + 1
        v = self.decay * memory.v + self.eta(t) * g
        return -v, Velocity(t, v)


@dataclass(frozen=True)
class SteepestDescent(MethodBase):
    """p = −g followed by a line search: gradient descent that needs no learning rate.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()

    Notes
    -----
    The first guess is the minimizer of the quadratic model along −g, later ones the length that promises the decrease
    of the last step (Nocedal & Wright, 2006, p. 59).

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method="gd-linesearch").nit
    1
    """

    line_search: LineSearch = field(default_factory=HagerZhang)

    name: ClassVar[str] = "gd-linesearch"

    def step(self, evaluator: Evaluator, state: State) -> State:
        """One line search along −g."""
        ray = LineFunction(evaluator, state, -state.g)
        if not ray.slope0 < 0.0:
            raise StepFailure(TerminationReason.NOT_DESCENT, measured=ray.slope0, limit=0.0)
        if state.info.decrease > 0.0:
            guess = 2.0 * state.info.decrease / -ray.slope0
        else:
            guess = first_step_length(evaluator, state.x, state.g, ray.p)
        alpha = self.line_search.search(ray, guess)
        if alpha is None:
            if not ray.return_to_best():
                raise StepFailure(
                    TerminationReason.LINE_SEARCH, f"slope {ray.slope0:.3g}", limit=self.line_search.max_trials
                )
            alpha = ray.alpha
        length = alpha * norm(ray.p)
        info = StepInfo(length=length, decrease=state.f - ray.f, alpha=alpha, inner=ray.trials)
        return State(ray.x, ray.f, ray.g, info)
