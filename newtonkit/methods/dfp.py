"""DFP: the first quasi-Newton method; the BFGS update with the roles of B and H exchanged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from newtonkit.linalg.kernels import EPS, Matrix, Vector, add_scaled, dot, norm, rank_two_update, scale
from newtonkit.methods.quasi_newton import TINY, InverseHessian, SelfScaling


class DFPInverse(InverseHessian):
    """The rank-two update that keeps H positive definite and changes H least."""

    __slots__ = ()

    def update_inverse(self, H: Matrix, s: Vector, y: Vector, sy: float, Hy: Vector, g: Vector, Hg: Vector) -> Vector:
        """H₊ = H + ssᵀ/sᵀy − HyyᵀH/yᵀHy = H + uvᵀ + vuᵀ with u = s + τHy, v = ½(s − τHy)/sᵀy, τ² = sᵀy/yᵀHy."""
        yHy = dot(y, Hy)
        if not (yHy > EPS * norm(y) * norm(Hy) and TINY < yHy < math.inf):
            self.note = "update skipped: yᵀHy is not certainly positive"
            return Hg
        Hg = add_scaled(Hg, dot(s, g) / sy, s)
        Hg = add_scaled(Hg, -dot(Hy, g) / yHy, Hy)
        product = sy * yHy
        # exact under scaling of f by powers of 2; both forms are √(sᵀy/yᵀHy)
        tau = sy / math.sqrt(product) if TINY < product < math.inf else math.sqrt(sy / yHy)
        t = scale(Hy, tau)
        self.H = rank_two_update(H, s + t, scale(s - t, 0.5 / (sy * self.factor)))
        return Hg


@dataclass(frozen=True)
class DFP(SelfScaling):
    """p = −Hg with H₊ = θH − θHyyᵀH / yᵀHy + ssᵀ / yᵀs; θ and all else are as in `BFGS`.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()
    self_scaling : bool, default True
        False: θ = 1, the textbook's method.
    scaling : str or array_like, default "auto"
        Units of the variables, as in `BFGS`.

    Notes
    -----
    Without θ, DFP corrects an H that is too small more slowly than BFGS, and depends on accurate line searches: it
    solves 76 of the 150 runs described at `BFGS`. With θ it solves 149, with 0.85 times the gradients of scipy's BFGS
    (`BFGS`: 0.83).

    References
    ----------
    Davidon (1959); Fletcher & Powell (1963); Nocedal & Wright (2006), eq. 6.15.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: ((x - 1) ** 2).sum() ** 2, [3.0, 0.0], method=DFP())
    >>> result.reason.kind.value
    'converged'
    """

    name: ClassVar[str] = "dfp"
    workspace: ClassVar[type[InverseHessian]] = DFPInverse
