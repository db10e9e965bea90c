"""State and StepInfo of an iteration; the exceptions StepFailure and BudgetSpent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.linalg.kernels import Vector


class StepInfo(NamedTuple):
    """What one step did; fields that do not apply to a method are NaN, 0 or empty.

    Examples
    --------
    >>> import newtonkit
    >>> states = newtonkit.iterate(newtonkit.BFGS(), lambda x: (x[0] - 1) ** 2, [3.0])
    >>> start, first = next(states), next(states)
    >>> first.info.length > 0.0
    True
    """

    accepted: bool = True
    """False for a rejected trial of a trust region: x is unchanged."""
    length: float = math.nan
    """Euclidean length ‖s‖ of the (trial) step."""
    decrease: float = math.nan
    """f − f₊ of the (trial) step."""
    alpha: float = math.nan
    """Step length of a line search, or the learning rate."""
    radius: float = math.nan
    """Trust-region radius the step was computed with."""
    ratio: float = math.nan
    """Actual over predicted reduction."""
    inner: int = 0
    """Inner iterations: trials of the line search or of the subproblem solver."""
    note: str = ""
    """A sentence on anything unusual."""


FIRST = StepInfo()


@dataclass(frozen=True, slots=True)
class State:
    """A point of a run. It is immutable, so keeping one requires no copy.

    Methods extend it by what they need for the next step.

    Examples
    --------
    >>> import newtonkit
    >>> states = newtonkit.iterate(newtonkit.BFGS(), lambda x: (x[0] - 1) ** 2, [3.0])
    >>> float(next(states).f)
    4.0
    """

    x: Vector
    f: float
    g: Vector
    info: StepInfo


class StepFailure(Exception):  # noqa: N818  (a signal to the driver, not an error of the caller)
    """Raised by a method's ``step`` if it finds no next point; ``termination`` holds the reason."""

    def __init__(
        self, reason: TerminationReason, detail: str = "", *, measured: float = math.nan, limit: float = math.nan
    ) -> None:
        self.termination = Termination(reason, measured, limit, detail)
        super().__init__(self.termination.message)


class BudgetSpent(Exception):  # noqa: N818  (an internal signal)
    """Raised by the Evaluator before a call that would exceed a budget; ``termination`` holds the reason."""

    def __init__(self, termination: Termination) -> None:
        self.termination = termination
        super().__init__(termination.message)
