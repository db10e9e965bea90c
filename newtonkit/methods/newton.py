"""Newton's method without a trust region: the textbook step, and a line search on modified eigenvalues."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from newtonkit.linalg import EPS, Matrix, Vector, dot, eigh, max_norm, norm, solve
from newtonkit.linesearch import Backtracking, LineSearch, Ray
from newtonkit.methods.base import MethodBase
from newtonkit.oracle import Oracle
from newtonkit.state import Reason, State, StepFailure, StepInfo
from newtonkit.validation import check_real


@dataclass(frozen=True)
class PureNewton(MethodBase):
    """The textbook step x ← x − H⁻¹g, unguarded: it goes to the stationary point of the model, whatever its kind.

    Notes
    -----
    It converges quadratically near any critical point with a regular Hessian, saddles and maxima included, and may
    diverge, or stop at a singular Hessian, elsewhere; watching it fail is what it is for. One f, one gradient, one
    Hessian and one LU factorization a step.

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

    def step(self, oracle: Oracle, state: State) -> State:
        """One Newton step."""
        H = _finite_hessian(oracle, state.x)
        p = solve(H, -state.g)
        if p is None:
            raise StepFailure(Reason.SINGULAR, "elimination met a pivot that is exactly zero")
        x = state.x + p
        f, g = oracle.value_and_grad(x)
        return State(x, f, g, StepInfo(length=norm(p), decrease=state.f - f, alpha=1.0))


@dataclass(frozen=True)
class LineSearchNewton(MethodBase):
    """Newton's direction on modified eigenvalues, p = −Q|Λ|⁻¹Qᵀg, followed by a line search.

    Each eigenvalue λ of the Hessian that is not certainly positive is replaced by max(|λ|, floor·‖H‖), so that p is a
    direction of descent and is drawn away from saddles instead of towards them.

    Parameters
    ----------
    floor : float in (0, 1), default 1e-8
        Smallest eigenvalue put in place of a negative or vanishing one, relative to the largest.
    line_search : LineSearch, default Backtracking()

    References
    ----------
    Nocedal & Wright (2006), section 3.4; Dauphin et al. (2014), NeurIPS 27 (|λ|, "saddle-free Newton").

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x**4 - x**2).sum(), [0.1, 0.2], method=LineSearchNewton())
    >>> result.verdict.kind
    'minimum'
    """

    floor: float = 1e-8
    line_search: LineSearch = field(default_factory=Backtracking)

    name: ClassVar[str] = "newton-linesearch"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})
    matrices: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_real("floor", self.floor, 0.0, 1.0, open_low=True, open_high=True)

    def step(self, oracle: Oracle, state: State) -> State:
        """One line search along the modified Newton direction."""
        eigenvalues, Q = eigh(_finite_hessian(oracle, state.x))
        largest = max_norm(eigenvalues)
        if largest == 0.0:
            p = -state.g
        else:
            certain = eigenvalues > state.x.size * EPS * largest
            modified = np.where(certain, eigenvalues, np.maximum(np.abs(eigenvalues), self.floor * largest))
            p = -(Q @ ((Q.T @ state.g) / modified))
        ray = Ray(oracle, state, p)
        if not ray.slope0 < 0.0:
            raise StepFailure(Reason.NOT_DESCENT, measured=ray.slope0, limit=0.0)
        alpha = self.line_search.search(ray, 1.0)
        if alpha is None:
            raise StepFailure(Reason.LINE_SEARCH, f"slope {ray.slope0:.3g}", limit=self.line_search.max_trials)
        negative = int(np.sum(eigenvalues < 0.0))
        return State(
            ray.x,
            ray.f,
            ray.g,
            StepInfo(
                length=alpha * math.sqrt(dot(p, p)),
                decrease=state.f - ray.f,
                alpha=alpha,
                inner=ray.trials,
                note=f"{negative} negative eigenvalues turned" if negative else "",
            ),
        )


def _finite_hessian(oracle: Oracle, x: Vector) -> Matrix:
    H = oracle.hessian(x)
    if not np.isfinite(H).all():
        raise StepFailure(Reason.NON_FINITE, "the Hessian has entries that are not finite")
    return H
