"""L-BFGS: the BFGS direction from the last few pairs, without any matrix."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar

from newtonkit.linalg import Vector, add_scaled, dot
from newtonkit.linesearch import HagerZhang, LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.quasi_newton import check_fresh, line_search_step, secant_pair
from newtonkit.oracle import Oracle
from newtonkit.state import FIRST, State
from newtonkit.validation import check_integer


@dataclass(frozen=True, slots=True)
class LBFGSState(State):
    """A point, and the run's pairs as they are there."""

    pairs: CurvaturePairs
    iteration: int


@dataclass(frozen=True)
class LBFGS(MethodBase):
    """p = −Hg with H the BFGS matrix that the last ``memory`` pairs make of γI, γ = sᵀy/yᵀy, never formed.

    Parameters
    ----------
    memory : int, at least 1, default 10
        Number of pairs (s, y) kept.
    line_search : LineSearch, default HagerZhang()

    Notes
    -----
    O(memory·n) work and storage. A pair without certain curvature is skipped. When the line search fails, the pairs
    are dropped and −g tried once before giving up.

    References
    ----------
    Nocedal (1980), Math. Comp. 35, 773; Nocedal & Wright (2006), algorithms 7.4 and 7.5, eq. 7.20.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: ((x - 1) ** 4).sum(), [0.0] * 1000, method=LBFGS(memory=5))
    >>> result.reason.kind.value
    'converged'
    """

    memory: int = 10
    line_search: LineSearch = field(default_factory=HagerZhang)

    name: ClassVar[str] = "lbfgs"

    def __post_init__(self) -> None:
        check_integer("memory", self.memory, 1)

    def init(self, oracle: Oracle, x0: Vector) -> LBFGSState:
        """The state at x0, without pairs."""
        return LBFGSState(x0, *oracle.value_and_grad(x0), FIRST, CurvaturePairs(self.memory), 0)

    def step(self, oracle: Oracle, state: LBFGSState) -> LBFGSState:
        """One line search and one pair."""
        pairs = state.pairs
        check_fresh(pairs.iteration, state.iteration)
        p = None
        if pairs:
            p = pairs.inverse_hessian_times(state.g)
            p *= -1.0
        ray, info = line_search_step(oracle, state, p, self.line_search)
        if ray.p is not p:
            pairs.clear()
        if not pairs.push(ray.x - state.x, ray.g - state.g):
            info = info._replace(note="pair without curvature skipped")
        return LBFGSState(ray.x, ray.f, ray.g, info, pairs, pairs.iteration)


class CurvaturePairs:
    """The last m pairs (s, y), oldest first; owned by one run and updated in place."""

    __slots__ = ("_pairs", "gamma", "iteration")

    def __init__(self, memory: int) -> None:
        self._pairs: deque[tuple[Vector, Vector, float]] = deque(maxlen=memory)
        self.gamma = 1.0
        self.iteration = 0

    def __len__(self) -> int:
        return len(self._pairs)

    def clear(self) -> None:
        """Forget all curvature."""
        self._pairs.clear()

    def push(self, s: Vector, y: Vector) -> bool:
        """Keep a pair in place of the oldest; False where it carries no curvature and is skipped."""
        self.iteration += 1
        sy = secant_pair(s, y)
        if sy is None:
            return False
        self._pairs.append((s, y, 1.0 / sy))
        self.gamma = sy / dot(y, y)
        return True

    def inverse_hessian_times(self, v: Vector) -> Vector:
        """Hv by the two-loop recursion."""
        q = v.copy()
        alphas = []
        for s, y, rho in reversed(self._pairs):
            alpha = rho * dot(s, q)
            alphas.append(alpha)
            q = add_scaled(q, -alpha, y)
        q *= self.gamma
        for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
            q = add_scaled(q, alpha - rho * dot(y, q), s)
        return q
