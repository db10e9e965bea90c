"""Newton's method without a trust region: the textbook step, and a line search on modified eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.linalg import eigh_tridiagonal, ldl, solve_triangular

from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import TerminationReason
from newtonkit.core.validation import check_choice, check_real
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Matrix, Vector, eigh, max_norm, norm, solve
from newtonkit.linesearch.backtracking import Backtracking
from newtonkit.linesearch.line_function import LineSearch
from newtonkit.methods.base import MethodBase
from newtonkit.methods.line_search_step import line_search_step


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

    def step(self, evaluator: Evaluator, state: State) -> State:
        """One Newton step."""
        H = _finite_hessian(evaluator, state.x)
        p = solve(H, -state.g)
        if p is None:
            raise StepFailure(TerminationReason.SINGULAR, "elimination met a pivot that is exactly zero")
        x = state.x + p
        f, g = evaluator.value_and_grad(x)
        return State(x, f, g, StepInfo(length=norm(p), decrease=state.f - f, alpha=1.0))


@dataclass(frozen=True)
class LineSearchNewton(MethodBase):
    """Newton's direction p = −B⁻¹g with B a Hessian made positive definite, followed by a line search.

    Parameters
    ----------
    modification : {"eigenvalues", "cholesky"}, default "eigenvalues"
        "eigenvalues": each eigenvalue λ of the Hessian that is not certainly positive is replaced by
        max(|λ|, floor·‖H‖) ("saddle-free"). "cholesky": the same is done to the eigenvalues of D in H = LDLᵀ, which
        needs no eigenvectors of H; B is then further from H.
    floor : float in (0, 1), default 1e-8
        Smallest eigenvalue put in place of a negative or vanishing one, relative to the largest.
    line_search : LineSearch, default Backtracking()

    Notes
    -----
    Either way p is a direction of descent, and is drawn away from saddles instead of towards them. When the line search
    fails, −g is tried once before giving up.

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

    name: ClassVar[str] = "newton-linesearch"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})
    matrices: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_choice("modification", self.modification, ("eigenvalues", "cholesky"))
        check_real("floor", self.floor, 0.0, 1.0, open_low=True, open_high=True)

    def step(self, evaluator: Evaluator, state: State) -> State:
        """One line search along the modified Newton direction."""
        modified = _by_eigenvalues if self.modification == "eigenvalues" else _by_cholesky
        p, negative = modified(_finite_hessian(evaluator, state.x), state.g, self.floor)
        ray, info = line_search_step(evaluator, state, p, self.line_search)
        if negative and ray.p is p:
            info = info._replace(note=f"{negative} negative eigenvalues turned")
        return State(ray.x, ray.f, ray.g, info)


def _by_eigenvalues(H: Matrix, g: Vector, floor: float) -> tuple[Vector, int]:
    """−B⁻¹g, and how many eigenvalues of H are negative."""
    eigenvalues, Q = eigh(H)
    if not eigenvalues.any():
        return -g, 0
    c = (Q.T @ g) / _turned(eigenvalues, floor)
    return -(Q @ c), int(np.sum(eigenvalues < 0.0))


def _by_cholesky(H: Matrix, g: Vector, floor: float) -> tuple[Vector, int]:
    """The same with H = LDLᵀ, D of blocks of order 1 and 2: it has as many negative eigenvalues as H (Sylvester)."""
    L, D, order = ldl(H)
    if not D.any():
        return -g, 0
    eigenvalues, Q = eigh_tridiagonal(D.diagonal(), D.diagonal(-1))
    c = solve_triangular(L[order], g[order], lower=True, unit_diagonal=True)
    c = Q @ ((Q.T @ c) / _turned(eigenvalues, floor))
    p = np.empty_like(g)
    p[order] = -solve_triangular(L[order], c, lower=True, trans=1, unit_diagonal=True)
    return p, int(np.sum(eigenvalues < 0.0))


def _turned(eigenvalues: Vector, floor: float) -> Vector:
    """Those that are certainly positive as they are, the others turned to their absolute value, or the floor."""
    largest = max_norm(eigenvalues)
    certain = eigenvalues > eigenvalues.size * EPS * largest
    turned: Vector = np.where(certain, eigenvalues, np.maximum(np.abs(eigenvalues), floor * largest))
    return turned


def _finite_hessian(evaluator: Evaluator, x: Vector) -> Matrix:
    H = evaluator.hessian(x)
    if not np.isfinite(H).all():
        raise StepFailure(TerminationReason.NON_FINITE, "the Hessian has entries that are not finite")
    return H
