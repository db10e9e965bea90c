"""What quasi-Newton methods share: the curvature condition, and a dense approximation of the inverse Hessian."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from newtonkit.core.state import FIRST, State, StepFailure, StepInfo
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import DenseSymmetric
from newtonkit.linalg.kernels import EPS, Matrix, Vector, dot, norm, scale, symmetric_times
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.line_function import LineFunction, LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.compact_model import direction_in_domain
from newtonkit.methods.line_search_step import line_search_step
from newtonkit.methods.variable_scaling import Scaling, checked_scaling, other_units, units_at
from newtonkit.trustregion.model import QuadraticModel
from newtonkit.trustregion.more_sorensen import MoreSorensenSubproblem
from newtonkit.trustregion.units import EUCLIDEAN, Units

_CLEARLY = 2 * EPS  # above this, rounding of the norms cannot matter; inner products are five times faster than norms
TINY = 1e-290  # smallest divisor: its inverse is finite
# Steps in succession without a difference of f beyond rounding, twice as many as cost the first verdict of the driver
_FLAT_STEPS = 10
_LARGEST_SCALING = 1e10  # above this, sᵀy is more likely rounding than curvature
_BLOCK = 64  # columns that are mirrored at once: a block of H stays in the cache
RESCALE_AT = 1e100  # a larger factor of H is multiplied into the array before it can overflow


def curvature_condition(s: Vector, y: Vector) -> float | None:
    """Return sᵀy if it is certainly positive, else None: sᵀy ≤ eps·‖s‖‖y‖ is never a divisor, nor a tiny yᵀy."""
    sy, yy = dot(s, y), dot(y, y)
    if not (sy > TINY and yy > TINY):
        return None
    if sy > _CLEARLY * math.sqrt(dot(s, s)) * math.sqrt(yy):  # not where a square overflows
        return sy
    return sy if sy > EPS * norm(s) * norm(y) else None


def check_fresh(workspace: int, state: int) -> None:
    """Raise if the workspace, which is updated in place, was updated after the state was made."""
    if workspace != state:
        raise RuntimeError(
            f"this state is stale: it belongs to iteration {state}, but its run has reached iteration {workspace}; "
            "step the latest state, or start from a copy"
        )


class SearchInUnits:
    """A line search along p that may change the units of the variables; owned by one run and updated in place.

    If the searches along p and along −D⁻²g fail, or if ten steps in succession changed f by rounding only, the search
    is made along −D⁻²g with D from the sizes of x, if the option ``scaling`` allows that and the sizes differ.
    """

    __slots__ = ("flat_steps", "units")

    def __init__(self, units: Units) -> None:
        self.units = units
        self.flat_steps = 0

    def step(
        self, evaluator: Evaluator, state: State, p: Vector | None, line_search: LineSearch, scaling: Scaling
    ) -> tuple[LineFunction, StepInfo]:
        """Return `line_search_step`; if ``line.p`` is not p, the curvature is to be discarded.

        Raises
        ------
        StepFailure
            If the searches fail in all units.
        """
        failure: StepFailure | None = None
        if self.flat_steps < _FLAT_STEPS:
            try:
                line, info = line_search_step(evaluator, state, p, line_search, 1.0, self.units)
            except StepFailure as error:
                failure = error
            else:
                self.flat_steps = self.flat_steps + 1 if abs(info.decrease) <= 10 * EPS * abs(line.f) else 0
                return line, info
        self.flat_steps = 0
        other = other_units(scaling, state.x, self.units)
        if other is not None:
            try:
                line, info = line_search_step(evaluator, state, None, line_search, units=other)
            except StepFailure as error:
                failure = failure or error
            else:
                self.units = other
                return line, info._replace(note="no progress: curvature discarded, units taken from the sizes of x")
        if failure is not None:
            raise failure
        return self.step(evaluator, state, p, line_search, scaling)


class InverseHessian:
    """H ≈ (∇²f)⁻¹ as a factor times the upper triangle of a Fortran-ordered array, and p = −Hg for the next step.

    H is that of z = Dx, where D are the units; the direction is that of x. Owned by one run and updated in place;
    ``iteration`` is that of the state it belongs to. Subclasses add the formula
    of the update, `update_inverse`.
    """

    __slots__ = ("H", "_scaled_direction", "direction", "factor", "iteration", "n", "note", "search", "units")

    def __init__(self, n: int, units: Units = EUCLIDEAN) -> None:
        self.n = n
        self.units = units
        self.search = SearchInUnits(units)
        self.H: Matrix | None = None
        self.factor = 1.0
        self.direction: Vector | None = None
        self._scaled_direction: Vector | None = None
        self.iteration = 0
        self.note = ""

    def update_inverse(self, H: Matrix, s: Vector, y: Vector, sy: float, Hy: Vector, g: Vector, Hg: Vector) -> Vector:
        """Update the array so that H₊y = s, and return H₊g; Hy and Hg may be overwritten."""
        raise NotImplementedError

    def reset(self) -> None:
        """Discard all curvature; the units are now those of the last search."""
        self.units = self.search.units
        self.H = None
        self.factor = 1.0
        self.direction = self._scaled_direction = None

    def update(self, s: Vector, y: Vector, g: Vector, theta: float = 1.0) -> None:
        """Multiply H by θ, update it so that H₊y = s, and compute the direction at the new gradient g."""
        self.iteration += 1
        self.note = ""
        units = self.units
        s, y, g = units.point(s), units.gradient(y), units.gradient(g)
        sy = curvature_condition(s, y)
        if sy is None:
            self.note = "update skipped: no certain curvature"
            if self.H is not None:
                self._move(scale(symmetric_times(self.H, g), -self.factor))
            return
        H = self.H
        if H is None or self._scaled_direction is None:
            gamma = sy / dot(y, y)  # N&W (2006), eq. 6.20
            H = np.zeros((self.n, self.n), order="F")
            H.flat[:: self.n + 1] = gamma
            Hg, Hy = gamma * g, gamma * y
        else:
            Hg = scale(symmetric_times(H, g), self.factor)
            Hy = Hg + self._scaled_direction  # since p = −Hg at the old gradient
            if theta != 1.0:
                self._multiply(H, theta)
                Hg, Hy = scale(Hg, theta), scale(Hy, theta)
        self.H = H
        self._move(scale(self.update_inverse(H, s, y, sy, Hy, g, Hg), -1.0))

    def _move(self, direction: Vector) -> None:
        self._scaled_direction, self.direction = direction, self.units.step(direction)

    def _multiply(self, H: Matrix, theta: float) -> None:
        self.factor *= theta
        if self.factor > RESCALE_AT:
            H *= self.factor
            self.factor = 1.0

    def quadratic_model(self, g: Vector) -> QuadraticModel:
        """Return the model with gradient g, in the user's units, and Hessian H⁻¹."""
        B = np.linalg.inv(self._scaled_matrix)
        return MoreSorensenSubproblem(self.units.gradient(g), DenseSymmetric(0.5 * (B + B.T)))

    @property
    def matrix(self) -> Matrix:
        """H in the user's units as a full symmetric matrix; the identity, or D⁻², before the first update."""
        return self.units.matrix(self._scaled_matrix)

    @property
    def _scaled_matrix(self) -> Matrix:
        if self.H is None:
            return np.eye(self.n)
        full = self.factor * self.H
        for begin in range(0, self.n, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            full[block, block] = np.triu(full[block, block]) + np.triu(full[block, block], 1).T
            full[begin + _BLOCK :, block] = full[block, begin + _BLOCK :].T
        return full


@dataclass(frozen=True, slots=True)
class QuasiNewtonState(State):
    """A point, and the approximation of the inverse Hessian there."""

    inverse: InverseHessian
    iteration: int


@dataclass(frozen=True)
class QuasiNewton(MethodBase):
    """p = −Hg with H ≈ (∇²f)⁻¹ updated after every step; subclasses provide the update.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()
    scaling : str or array_like, default "auto"
        Units of the variables; see `BFGS`.
    """

    line_search: LineSearch = field(default_factory=HagerZhang)
    scaling: Scaling = field(default="auto", kw_only=True)

    matrices: ClassVar[int] = 1
    learns_curvature: ClassVar[bool] = True
    workspace: ClassVar[type[InverseHessian]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "scaling", checked_scaling(self.scaling))

    def init(self, evaluator: Evaluator, x0: Vector) -> QuasiNewtonState:
        """Return the state at x0, without an approximation of the Hessian."""
        inverse = self.new_workspace(x0.size, units_at(self.scaling, x0))
        return QuasiNewtonState(x0, *evaluator.value_and_grad(x0), FIRST, inverse, 0)

    def new_workspace(self, n: int, units: Units) -> InverseHessian:
        """Return the workspace of a run."""
        return self.workspace(n, units)

    def factor_before_update(self, predicted: float, sy: float) -> float:
        """Return the factor of H before its update; ``predicted`` is sᵀH⁻¹s = −αsᵀg, since s = −αHg."""
        return 1.0

    def inverse_hessian(self, state: QuasiNewtonState) -> Matrix:
        """Return H, shape (n, n)."""
        return state.inverse.matrix

    def step(self, evaluator: Evaluator, state: QuasiNewtonState) -> QuasiNewtonState:
        """Return the state after one line search and one update."""
        inverse = state.inverse
        check_fresh(inverse.iteration, state.iteration)
        p, units = inverse.direction, inverse.units
        p = direction_in_domain(evaluator.domain, state, p, lambda: inverse.quadratic_model(state.g), units)
        line, info = inverse.search.step(evaluator, state, p, self.line_search, self.scaling)
        s, y = line.x - state.x, line.g - state.g
        theta = 1.0
        if p is None or line.p is not p:
            inverse.reset()
        elif p is inverse.direction:
            theta = self.factor_before_update(-info.alpha * info.alpha * line.slope0, dot(s, y))
        inverse.update(s, y, line.g, theta)
        if inverse.note:
            info = info._replace(note=inverse.note)
        return QuasiNewtonState(line.x, line.f, line.g, info, inverse, inverse.iteration)


@dataclass(frozen=True)
class SelfScaling(QuasiNewton):
    """A rank-two method that rescales H before each update (self-scaling).

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()
    self_scaling : bool, default True
        Whether H is multiplied by θ = max(1, sᵀH⁻¹s / sᵀy) before each update.
    """

    self_scaling: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.self_scaling, bool):
            raise TypeError(f"self_scaling must be True or False, got {self.self_scaling!r}")

    def factor_before_update(self, predicted: float, sy: float) -> float:
        """Return θ of Al-Baali (1998)."""
        if not self.self_scaling or not sy > TINY:
            return 1.0
        return min(max(1.0, predicted / sy), _LARGEST_SCALING)
