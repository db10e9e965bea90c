"""Steepest descent with a line search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import dot, norm
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.line_function import LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.line_search_step import steepest_descent_line


@dataclass(frozen=True)
class SteepestDescent(MethodBase):
    """p = −g followed by a line search: gradient descent without a learning rate.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()

    Notes
    -----
    The first trial of the first step is the minimizer of the quadratic model along −g; that of a later step is the
    length whose first-order decrease is that of the last step (Nocedal & Wright, 2006, p. 59).

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method="gd-linesearch").nit
    1
    """

    line_search: LineSearch = field(default_factory=HagerZhang)

    accepts_bounds: ClassVar[bool] = True
    name: ClassVar[str] = "gd-linesearch"

    def step(self, evaluator: Evaluator, state: State) -> State:
        """Return the state after one line search along −g."""
        guess = None
        if state.info.decrease > 0.0:
            free = evaluator.domain.free_gradient(state.x, state.g)
            slope = dot(state.g, free)
            guess = 2.0 * state.info.decrease / slope if slope > 0.0 else None
        line, guess = steepest_descent_line(evaluator, state, guess)
        alpha = self.line_search.search(line, guess)
        if alpha is None:
            if not line.restore_best():
                raise StepFailure(
                    TerminationReason.LINE_SEARCH, f"slope {line.slope0:.3g}", limit=self.line_search.max_trials
                )
            alpha = line.alpha
        length = alpha * norm(line.p)
        info = StepInfo(length=length, decrease=state.f - line.f, alpha=alpha, inner=line.trials)
        return State(line.x, line.f, line.g, info)
