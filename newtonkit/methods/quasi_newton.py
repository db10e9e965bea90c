"""What the quasi-Newton methods share: pairs that carry curvature, and a dense approximation of the inverse Hessian."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from newtonkit.core.state import FIRST, State
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, dot, norm, scale, symmetric_times
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.line_function import LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.line_search_step import line_search_step

_TINY = 1e-290  # its inverse, and that of its neighbours, is finite
_LARGEST_SCALING = 1e10  # beyond that the pair's sᵀy is more likely rounding than curvature
_FOLDED = 1e100  # a factor of H larger than this is multiplied into the array, before it overflows


def secant_pair(s: Vector, y: Vector) -> float | None:
    """sᵀy, or None where it is no certain positive curvature: sᵀy ≤ eps·‖s‖‖y‖ is never divided by.

    Nor is yᵀy where it has underflowed.
    """
    sy = dot(s, y)
    return sy if sy > _TINY and dot(y, y) > _TINY and sy > EPS * norm(s) * norm(y) else None


def check_fresh(workspace: int, state: int) -> None:
    """Raise if the workspace, which is updated in place, has moved on since the state was made."""
    if workspace != state:
        raise RuntimeError(
            f"this state is stale: it belongs to iteration {state}, but its run has gone on to iteration {workspace}; "
            "step the latest state, or start from a copy"
        )


class InverseHessian:
    """H ≈ (∇²f)⁻¹ as a factor times the upper triangle of a Fortran-ordered array, and p = −Hg for the next step.

    Owned by one run and updated in place; ``iteration`` tells which state it belongs to. Subclasses add `amend`, the
    formula of the update, and may set `first_scale`.
    """

    __slots__ = ("H", "direction", "factor", "iteration", "n", "note")

    first_scale: ClassVar[float] = 1.0
    """γ of the first H, in units of sᵀy/yᵀy (N&W, eq. 6.20)."""
    needs_curvature: ClassVar[bool] = True
    """Whether a pair with sᵀy ≤ 0 is skipped."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.H: Matrix | None = None
        self.factor = 1.0
        self.direction: Vector | None = None
        self.iteration = 0
        self.note = ""

    def amend(self, H: Matrix, s: Vector, y: Vector, sy: float, Hy: Vector, g: Vector, Hg: Vector) -> Vector:
        """Change the array so that H₊y = s, and return H₊g; Hy and Hg are given and may be overwritten."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget all curvature."""
        self.H = None
        self.factor = 1.0
        self.direction = None

    def update(self, s: Vector, y: Vector, g: Vector, theta: float = 1.0) -> None:
        """Make H₊y = s, H having been multiplied by θ, and find the direction at the new gradient g."""
        self.iteration += 1
        self.note = ""
        sy = secant_pair(s, y)
        if sy is None and (self.needs_curvature or self.H is None):
            self.note = "pair without curvature skipped"
            if self.H is not None:
                self.direction = scale(symmetric_times(self.H, g), -self.factor)
            return
        H = self.H
        if H is None or self.direction is None:
            gamma = self.first_scale * dot(s, y) / dot(y, y)
            H = np.zeros((self.n, self.n), order="F")
            H.flat[:: self.n + 1] = gamma
            Hg, Hy = gamma * g, gamma * y
        else:
            Hg = scale(symmetric_times(H, g), self.factor)
            Hy = Hg + self.direction  # since p = −Hg at the old gradient
            if theta != 1.0:
                self._multiply(H, theta)
                Hg, Hy = scale(Hg, theta), scale(Hy, theta)
        self.H = H
        self.direction = scale(self.amend(H, s, y, dot(s, y), Hy, g, Hg), -1.0)

    def _multiply(self, H: Matrix, theta: float) -> None:
        self.factor *= theta
        if self.factor > _FOLDED:
            H *= self.factor
            self.factor = 1.0

    @property
    def matrix(self) -> Matrix:
        """H as a full symmetric matrix; the identity where nothing is known."""
        if self.H is None:
            return np.eye(self.n)
        return self.factor * (np.triu(self.H) + np.triu(self.H, 1).T)


@dataclass(frozen=True, slots=True)
class QuasiNewtonState(State):
    """A point, and the run's approximation of the inverse Hessian as it is there."""

    inverse: InverseHessian
    iteration: int


@dataclass(frozen=True)
class QuasiNewton(MethodBase):
    """p = −Hg with H ≈ (∇²f)⁻¹ updated after every step; subclasses name the update.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()
    """

    line_search: LineSearch = field(default_factory=HagerZhang)

    matrices: ClassVar[int] = 1
    learns_curvature: ClassVar[bool] = True
    workspace: ClassVar[type[InverseHessian]]

    def init(self, evaluator: Evaluator, x0: Vector) -> QuasiNewtonState:
        """The state at x0, with nothing known of the Hessian."""
        return QuasiNewtonState(x0, *evaluator.value_and_grad(x0), FIRST, self.workspace(x0.size), 0)

    def direction(self, state: QuasiNewtonState) -> Vector | None:
        """−Hg, or None where nothing is known of H."""
        return state.inverse.direction

    def scaling(self, predicted: float, sy: float) -> float:
        """What to multiply H by before its update; ``predicted`` is sᵀH⁻¹s, which is −αsᵀg since s = −αHg."""
        return 1.0

    def step(self, evaluator: Evaluator, state: QuasiNewtonState) -> QuasiNewtonState:
        """One line search and one update."""
        inverse = state.inverse
        check_fresh(inverse.iteration, state.iteration)
        p = self.direction(state)
        ray, info = line_search_step(evaluator, state, p, self.line_search)
        s, y = ray.x - state.x, ray.g - state.g
        theta = 1.0
        if p is None or ray.p is not p:
            inverse.reset()
        else:
            theta = self.scaling(-info.alpha * info.alpha * ray.slope0, dot(s, y))
        inverse.update(s, y, ray.g, theta)
        if inverse.note:
            info = info._replace(note=inverse.note)
        return QuasiNewtonState(ray.x, ray.f, ray.g, info, inverse, inverse.iteration)


@dataclass(frozen=True)
class SelfScaling(QuasiNewton):
    """A rank-two method that first makes good for what H was too small along the step.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()
    self_scaling : bool, default True
        Whether H is multiplied, before its update, by θ = max(1, sᵀH⁻¹s / sᵀy).
    """

    self_scaling: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.self_scaling, bool):
            raise TypeError(f"self_scaling must be True or False, got {self.self_scaling!r}")

    def scaling(self, predicted: float, sy: float) -> float:
        """θ of Al-Baali (1998)."""
        if not self.self_scaling or not sy > _TINY:
            return 1.0
        return min(max(1.0, predicted / sy), _LARGEST_SCALING)
