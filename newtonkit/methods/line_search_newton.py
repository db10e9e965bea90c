"""Newton's method with a line search along a direction from a Hessian made positive definite."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from scipy.linalg import eigh_tridiagonal, ldl, solve_triangular

from newtonkit.core.state import State, StepFailure
from newtonkit.core.validation import check_choice, check_real
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, eigh, max_norm
from newtonkit.linesearch.backtracking import Backtracking
from newtonkit.linesearch.line_function import LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.line_search_step import line_search_step
from newtonkit.methods.pure_newton import finite_hessian
from newtonkit.methods.variable_scaling import Scaling, VariableScaling, checked_scaling


@dataclass(frozen=True, slots=True)
class ScaledState(State):
    """A point, and the units in which the Hessian there is modified."""

    scaling: VariableScaling


@dataclass(frozen=True)
class LineSearchNewton(MethodBase):
    """Newton's direction p = −B⁻¹g with B a Hessian made positive definite, followed by a line search.

    Parameters
    ----------
    modification : {"eigenvalues", "cholesky"}, default "eigenvalues"
        "eigenvalues": each eigenvalue λ of the Hessian that is not certainly positive is replaced by
        max(|λ|, floor·‖H‖) ("saddle-free"). "cholesky": the eigenvalues of D in H = LDLᵀ are modified in the same way;
        this needs no eigenvectors of H, but B differs more from H.
    floor : float in (0, 1), default 1e-8
        Smallest modified eigenvalue, relative to the largest one.
    line_search : LineSearch, default Backtracking()
    scaling : str or array_like, default "auto"
        Units of the variables, as in `TrustRegionNewton`: the Hessian of z = Dx is modified.

    Notes
    -----
    In both cases p is a descent direction, and leads away from saddles. If the line search fails, one search along
    −D⁻²g is made.

    References
    ----------
    Nocedal & Wright (2006), section 3.4; Dauphin et al. (2014), NeurIPS 27 (|λ|, "saddle-free Newton"); Cheng & Higham
    (1998), SIAM J. Matrix Anal. Appl. 19(4), 1097 (modified symmetric indefinite factorization).

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x**4 - x**2).sum(), [0.1, 0.2], method=LineSearchNewton())
    >>> result.verdict.kind
    'minimum'
    """

    modification: str = "eigenvalues"
    floor: float = 1e-8
    line_search: LineSearch = field(default_factory=Backtracking)
    scaling: Scaling = field(default="auto", kw_only=True)

    name: ClassVar[str] = "newton-linesearch"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})
    matrices: ClassVar[int] = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "scaling", checked_scaling(self.scaling))
        check_choice("modification", self.modification, ("eigenvalues", "cholesky"))
        check_real("floor", self.floor, 0.0, 1.0, open_low=True, open_high=True)

    def init(self, evaluator: Evaluator, x0: Vector) -> ScaledState:
        """Return the state at x0, with the first units."""
        start = super().init(evaluator, x0)
        return ScaledState(x0, start.f, start.g, start.info, VariableScaling.at_start(self.scaling, x0))

    def step(self, evaluator: Evaluator, state: ScaledState) -> ScaledState:
        """Return the state after one line search along the modified Newton direction."""
        units = state.scaling.units
        modified = _by_eigenvalues if self.modification == "eigenvalues" else _by_cholesky
        H = units.matrix(finite_hessian(evaluator, state.x))
        p, negative = modified(H, units.gradient(state.g), self.floor)
        p = units.step(p)
        try:
            line, info = line_search_step(evaluator, state, p, self.line_search, units=units)
        except StepFailure:
            scaling = state.scaling.after_failure(state.x)
            if scaling is None:
                raise
            return self.step(evaluator, replace(state, scaling=scaling))
        if negative and line.p is p:
            info = info._replace(note=f"{negative} negative eigenvalues modified")
        scaling = state.scaling.after_step(state.x, line.x, H.diagonal())
        return ScaledState(line.x, line.f, line.g, info, scaling)


def _by_eigenvalues(H: Matrix, g: Vector, floor: float) -> tuple[Vector, int]:
    """Return −B⁻¹g and the number of negative eigenvalues of H."""
    eigenvalues, Q = eigh(H)
    if not eigenvalues.any():
        return -g, 0
    c = (Q.T @ g) / _modified(eigenvalues, floor)
    return -(Q @ c), int(np.sum(eigenvalues < 0.0))


def _by_cholesky(H: Matrix, g: Vector, floor: float) -> tuple[Vector, int]:
    """Return the same by H = LDLᵀ, D with blocks of order 1 and 2: D and H have equal inertia (Sylvester)."""
    L, D, order = ldl(H)
    if not D.any():
        return -g, 0
    eigenvalues, Q = eigh_tridiagonal(D.diagonal(), D.diagonal(-1))
    c = solve_triangular(L[order], g[order], lower=True, unit_diagonal=True)
    c = Q @ ((Q.T @ c) / _modified(eigenvalues, floor))
    p = np.empty_like(g)
    p[order] = -solve_triangular(L[order], c, lower=True, trans=1, unit_diagonal=True)
    return p, int(np.sum(eigenvalues < 0.0))


def _modified(eigenvalues: Vector, floor: float) -> Vector:
    """Return certainly positive eigenvalues unchanged, the others as the larger of |λ| and the floor."""
    largest = max_norm(eigenvalues)
    certain = eigenvalues > eigenvalues.size * EPS * largest
    modified: Vector = np.where(certain, eigenvalues, np.maximum(np.abs(eigenvalues), floor * largest))
    return modified
