"""Newton's method without safeguards: the textbook step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Matrix, Vector, norm, solve
from newtonkit.methods.base import MethodBase


@dataclass(frozen=True)
class PureNewton(MethodBase):
    """The textbook step x ← x − H⁻¹g without safeguards: to the stationary point of the model, of any kind.

    Notes
    -----
    It converges quadratically near any critical point with a nonsingular Hessian, saddles and maxima included.
    Elsewhere it may diverge, or stop at a singular Hessian. It is meant for teaching. One f, one gradient, one Hessian
    and one LU factorization per step.

    References
    ----------
    Nocedal & Wright (2006), section 3.3, theorem 3.5.

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.minimize(lambda x: (x[0] - 3) ** 2 + x[0] * x[1] + x[1] ** 2, [0, 0], method=PureNewton()).nit
    1
    """

    name: ClassVar[str] = "newton-pure"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})
    escapes: ClassVar[bool] = False
    matrices: ClassVar[int] = 3

    def step(self, evaluator: Evaluator, state: State) -> State:
        """Return the state after one Newton step."""
        H = finite_hessian(evaluator, state.x)
        p = solve(H, -state.g)
        if p is None:
            raise StepFailure(TerminationReason.SINGULAR, "a pivot of its LU factorization is exactly zero")
        x = state.x + p
        f, g = evaluator.value_and_grad(x)
        return State(x, f, g, StepInfo(length=norm(p), decrease=state.f - f, alpha=1.0))


def finite_hessian(evaluator: Evaluator, x: Vector) -> Matrix:
    """Return the Hessian at x, or raise StepFailure if it is not finite."""
    H = evaluator.hessian(x)
    if not np.isfinite(H).all():
        raise StepFailure(TerminationReason.NON_FINITE, "the Hessian has entries that are not finite")
    return H
