"""First-order update rules, and the adapter that makes a method of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from newtonkit.core.state import FIRST, State, StepInfo
from newtonkit.core.validation import check_real
from newtonkit.driver.result import Result
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.methods.base import MethodBase
from newtonkit.methods.schedules import Rate, check_rate, rate_at


@dataclass(frozen=True)
class Rule:
    """A first-order update rule: a pair of pure functions, ``start`` and ``update``.

    Rules are frozen dataclasses of their parameters and hold no memory of a run.

    Parameters
    ----------
    rate : float, positive, or callable
        Learning rate η, or a schedule η(t) of the update's number t = 1, 2, …

    Notes
    -----
    A rule never shrinks its step nor leaves a saddle: at a rate too large it diverges, and shows it.
    """

    rate: Rate = 0.01

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_rate(self.rate)

    def start(self, n: int) -> Any:
        """The memory before the first update of n parameters."""
        raise NotImplementedError

    def update(self, g: Vector, memory: Any, x: Vector) -> tuple[Vector, Any]:
        """The step to add to x, given the gradient g, and the memory after it; neither argument is written."""
        raise NotImplementedError

    def offset(self, memory: Any) -> Vector | None:
        """Where, relative to x, the rule wants its gradient; None: at x."""
        return None

    @property
    def asks_again(self) -> bool:
        """Whether the rule wants the gradient at the new point, of the same function, handed to `observe`."""
        return False

    def observe(self, g: Vector, memory: Any, x: Vector) -> Any:
        """The memory, after the gradient g at the new point x has been seen."""
        return memory

    def eta(self, t: int) -> float:
        """The learning rate of update t."""
        return rate_at(self.rate, t)

    def as_method(self) -> FirstOrder:
        """The method that iterates this rule on full gradients."""
        return FirstOrder(self)

    def __call__(self, *arguments: Any, **options: Any) -> Result:
        """Run this rule under ``scipy.optimize.minimize(..., method=self)``."""
        return self.as_method()(*arguments, **options)


@dataclass(frozen=True, slots=True)
class FirstOrderState(State):
    """A point, the memory of the rule, and the number of updates made."""

    memory: Any
    t: int


@dataclass(frozen=True)
class FirstOrder(MethodBase):
    """A first-order rule as a method: one f and one gradient a step (Nesterov's: one more, at the look-ahead point).

    Parameters
    ----------
    rule : Rule
        For instance ``Adam(rate=0.1)``.
    """

    rule: Rule

    escapes: ClassVar[bool] = False

    @property
    def name(self) -> str:  # type: ignore[override]
        """The rule's name."""
        return self.rule.name

    def init(self, evaluator: Evaluator, x0: Vector) -> FirstOrderState:
        """The state at x0, with the rule's memory at its start."""
        return FirstOrderState(x0, *evaluator.value_and_grad(x0), FIRST, self.rule.start(x0.size), 0)

    def step(self, evaluator: Evaluator, state: FirstOrderState) -> FirstOrderState:
        """One update."""
        rule, memory, t = self.rule, state.memory, state.t + 1
        offset = rule.offset(memory)
        g = state.g if offset is None else evaluator.gradient(state.x + offset)
        step, memory = rule.update(g, memory, state.x)
        x = state.x + step
        f, g = evaluator.value_and_grad(x)
        if rule.asks_again:
            memory = rule.observe(g, memory, x)
        info = StepInfo(length=norm(step), decrease=state.f - f, alpha=rule.eta(t))
        return FirstOrderState(x, f, g, info, memory, t)


def check_decay(name: str, value: float) -> None:
    """Raise unless a decay factor is in [0, 1)."""
    check_real(name, value, 0.0, 1.0, open_high=True)
