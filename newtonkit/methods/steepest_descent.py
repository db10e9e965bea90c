"""Steepest descent with a line search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import norm
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.line_function import LineFunction, LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.line_search_step import first_step_length


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
