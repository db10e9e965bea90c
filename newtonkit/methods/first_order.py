"""First-order methods: the protocol of gradient transforms, and the method that iterates one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from newtonkit.core.state import FIRST, State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.driver.result import Result
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.methods.base import MethodBase
from newtonkit.methods.schedules import Rate, rate_at


class GradientTransform:
    """A pure function of the gradient and a state, which returns a transformed gradient and the next state.

    Transforms are frozen dataclasses of their parameters. What changes during a run is in the state. `chain` composes
    transforms. A composition that contains `scale_by_learning_rate` returns the step to add to x, and is accepted as
    ``method`` by `minimize` and `train`.

    A subclass defines `init` and `update`. The other members have defaults.

    Examples
    --------
    >>> import newtonkit
    >>> class Halve(newtonkit.GradientTransform):
    ...     def init(self, n):
    ...         return None
    ...
    ...     def update(self, g, state, x):
    ...         return 0.5 * g, state
    >>> rule = newtonkit.chain(Halve(), newtonkit.scale_by_learning_rate(0.5))
    >>> newtonkit.minimize(lambda x: x[0] ** 2, [1.0], method=newtonkit.FirstOrder(rule)).success
    True
    """

    @property
    def name(self) -> str:
        """The name in results and messages."""
        return type(self).__name__

    @property
    def learning_rate(self) -> Rate | None:
        """The number or schedule by which the transform scales; None if it has no learning rate."""
        return None

    @property
    def needs_second_gradient(self) -> bool:
        """Whether `observe` must be called with the gradient of the same function at the new point."""
        return False

    def init(self, n: int) -> Any:
        """The state before the first update of n parameters."""
        raise NotImplementedError

    def update(self, g: Vector, state: Any, x: Vector) -> tuple[Vector, Any]:
        """The transformed gradient and the next state.

        Parameters
        ----------
        g : ndarray, shape (n,)
            The gradient, or the output of the previous transform. Not modified.
        state
            From `init`, or from the previous update. Not modified.
        x : ndarray, shape (n,)
            The parameters. Not modified.
        """
        raise NotImplementedError

    def lookahead(self, state: Any) -> Vector | None:
        """The point, relative to x, where the next gradient is taken; None for x itself."""
        return None

    def observe(self, g: Vector, state: Any, x: Vector) -> Any:
        """The state after the gradient g at the new point x; called only if `needs_second_gradient`."""
        return state

    def as_method(self) -> FirstOrder:
        """The method that iterates this transform on full gradients."""
        return FirstOrder(self)

    def __call__(self, *arguments: Any, **options: Any) -> Result:
        """Run this transform under ``scipy.optimize.minimize(..., method=self)``."""
        return self.as_method()(*arguments, **options)


def check_learning_rate(transform: GradientTransform) -> Rate:
    """The learning rate of a transform that is to be iterated.

    Raises
    ------
    ValueError
        If it has none: its output is then not a step.
    """
    if transform.learning_rate is None:
        raise ValueError(
            f"{transform.name} has no learning rate, so its output is not a step; "
            "add newtonkit.scale_by_learning_rate(0.1) to the chain"
        )
    return transform.learning_rate


@dataclass(frozen=True, slots=True)
class FirstOrderState(State):
    """A point, the state of the transform, and the number of updates made."""

    transform_state: Any
    t: int


@dataclass(frozen=True)
class FirstOrder(MethodBase):
    """Iterate a gradient transform, x ← x + step: one f and one gradient per step.

    A transform with a look-ahead point (Nesterov's) takes one more gradient per step. In a bounded domain new points
    and look-ahead points are projected onto it; the state of the transform is not.

    Parameters
    ----------
    rule : GradientTransform
        With a learning rate, for instance ``Adam(rate=0.1)``.

    Raises
    ------
    ValueError
        If the transform has no learning rate.

    Notes
    -----
    The step length is not adapted to the function: a learning rate that is too large makes the method diverge. The
    method does not leave saddle points.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.FirstOrder(newtonkit.GradientDescent(rate=0.2))
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-8)
    True
    """

    rule: GradientTransform

    accepts_bounds: ClassVar[bool] = True
    escapes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_learning_rate(self.rule)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the transform."""
        return self.rule.name

    @cached_property
    def learning_rate(self) -> Rate:
        """The learning rate of the transform."""
        return check_learning_rate(self.rule)

    def init(self, evaluator: Evaluator, x0: Vector) -> FirstOrderState:
        """The state at x0, with the initial state of the transform."""
        return FirstOrderState(x0, *evaluator.value_and_grad(x0), FIRST, self.rule.init(x0.size), 0)

    def step(self, evaluator: Evaluator, state: FirstOrderState) -> FirstOrderState:
        """One update."""
        rule, domain, t = self.rule, evaluator.domain, state.t + 1
        offset = rule.lookahead(state.transform_state)
        g = state.g if offset is None else evaluator.gradient(domain.project(state.x + offset))
        step, transform_state = rule.update(g, state.transform_state, state.x)
        trial = state.x + step
        x = domain.project(trial)
        if not domain.contains(x):
            raise StepFailure(TerminationReason.NON_FINITE, "the step has entries that are NaN")
        f, g = evaluator.value_and_grad(x)
        if rule.needs_second_gradient:
            transform_state = rule.observe(g, transform_state, x)
        length = norm(step if x is trial else x - state.x)
        info = StepInfo(length=length, decrease=state.f - f, alpha=rate_at(self.learning_rate, t))
        return FirstOrderState(x, f, g, info, transform_state, t)
