"""BFGS: Newton's direction from an approximation of the inverse Hessian that gradients alone have built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from newtonkit.linalg import Matrix, Vector, add_scaled, dot, rank_two_update, scaled, symmetric_times
from newtonkit.linesearch import HagerZhang, LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.quasi_newton import check_fresh, line_search_step, secant_pair
from newtonkit.oracle import Oracle
from newtonkit.state import FIRST, State


@dataclass(frozen=True, slots=True)
class BFGSState(State):
    """A point, and the run's approximation of the inverse Hessian as it is there."""

    inverse: InverseHessian
    iteration: int


@dataclass(frozen=True)
class BFGS(MethodBase):
    """p = −Hg with H ≈ (∇²f)⁻¹, updated by rank two after every step so that the secant equation H₊y = s holds.

    H₊ = (I − ρsyᵀ) H (I − ρysᵀ) + ρssᵀ with s = x₊ − x, y = g₊ − g, ρ = 1/yᵀs.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()

    Notes
    -----
    O(n²) work and one n×n matrix: one symmetric product and one symmetric rank-two update a step, each on a triangle.
    The first pair rescales H₀ to (sᵀy/yᵀy)I; a pair without certain curvature is skipped. When the line search fails,
    H is reset and −g tried once before giving up.

    References
    ----------
    Nocedal & Wright (2006), algorithm 6.1, eq. 6.17 and 6.20; independently Broyden, Fletcher, Goldfarb, Shanno (1970).

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: ((x - 1) ** 2).sum() ** 2, [3.0, 0.0], method=BFGS())
    >>> result.reason.kind.value
    'converged'
    """

    line_search: LineSearch = field(default_factory=HagerZhang)

    name: ClassVar[str] = "bfgs"
    matrices: ClassVar[int] = 1

    def init(self, oracle: Oracle, x0: Vector) -> BFGSState:
        """The state at x0, with nothing known of the Hessian."""
        return BFGSState(x0, *oracle.value_and_grad(x0), FIRST, InverseHessian(x0.size), 0)

    def step(self, oracle: Oracle, state: BFGSState) -> BFGSState:
        """One line search and one update."""
        inverse = state.inverse
        check_fresh(inverse.iteration, state.iteration)
        p = inverse.direction
        ray, info = line_search_step(oracle, state, p, self.line_search)
        if p is None or ray.p is not p:
            inverse.reset()
        inverse.update(ray.x - state.x, ray.g - state.g, ray.g)
        if inverse.note:
            info = info._replace(note=inverse.note)
        return BFGSState(ray.x, ray.f, ray.g, info, inverse, inverse.iteration)


class InverseHessian:
    """H ≈ (∇²f)⁻¹ on the upper triangle of a Fortran-ordered array, with the direction p = −Hg for the next step.

    Owned by one run and updated in place; ``iteration`` tells which state it belongs to.
    """

    __slots__ = ("H", "direction", "iteration", "n", "note")

    def __init__(self, n: int) -> None:
        self.n = n
        self.H: Matrix | None = None
        self.direction: Vector | None = None
        self.iteration = 0
        self.note = ""

    def reset(self) -> None:
        """Forget all curvature."""
        self.H = None
        self.direction = None

    def update(self, s: Vector, y: Vector, g: Vector) -> None:
        """Make H₊y = s, and find the direction at the new gradient g."""
        self.iteration += 1
        sy = secant_pair(s, y)
        self.note = "" if sy is not None else "pair without curvature skipped"
        if sy is None:
            if self.H is not None:
                self.direction = scaled(symmetric_times(self.H, g), -1.0)
            return
        if self.H is None or self.direction is None:
            gamma = sy / dot(y, y)
            H = np.zeros((self.n, self.n), order="F")
            H.flat[:: self.n + 1] = gamma
            Hg, Hy = gamma * g, gamma * y
        else:
            H = self.H
            Hg = symmetric_times(H, g)
            Hy = Hg + self.direction  # since p = −Hg at the old gradient
        # H₊ = H + swᵀ + wsᵀ with w = ½ρ(1 + ρyᵀHy)s − ρHy
        rho = 1.0 / sy
        half = 0.5 * rho * (1.0 + rho * dot(y, Hy))
        w = add_scaled(scaled(Hy, -rho), half, s)
        self.H = rank_two_update(H, s, w)
        Hg = add_scaled(Hg, dot(w, g), s)
        Hg = add_scaled(Hg, dot(s, g), w)
        self.direction = scaled(Hg, -1.0)

    @property
    def matrix(self) -> Matrix:
        """H as a full symmetric matrix; the identity where nothing is known."""
        if self.H is None:
            return np.eye(self.n)
        return np.triu(self.H) + np.triu(self.H, 1).T
