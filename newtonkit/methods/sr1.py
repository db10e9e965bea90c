"""SR1: the symmetric update of rank one, which may learn negative curvature too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from newtonkit.linalg.kernels import Matrix, Vector, add_scaled, dot, norm, rank_one_update
from newtonkit.methods.quasi_newton import InverseHessian, QuasiNewton, QuasiNewtonState

_SKIP = 1e-8  # r of N&W (2006), eq. 6.26


class SR1Inverse(InverseHessian):
    """The only update of rank one that is symmetric and meets the secant equation; H may become indefinite."""

    __slots__ = ()

    first_scale: ClassVar[float] = 0.9  # at 1, (s − Hy)ᵀy = 0 and the first pair could only be skipped
    needs_curvature: ClassVar[bool] = False

    def amend(self, H: Matrix, s: Vector, y: Vector, sy: float, Hy: Vector, g: Vector, Hg: Vector) -> Vector:
        """H₊ = H + rrᵀ / rᵀy with r = s − Hy; skipped where |rᵀy| < 1e-8 ‖r‖‖y‖."""
        r = s - Hy
        ry = dot(r, y)
        if not abs(ry) >= _SKIP * norm(r) * norm(y) or ry == 0.0:
            self.note = "update skipped: its denominator is all but zero"
            return Hg
        Hg = add_scaled(Hg, dot(r, g) / ry, r)
        self.H = rank_one_update(H, 1.0 / (ry * self.factor), r)
        return Hg


@dataclass(frozen=True)
class SR1(QuasiNewton):
    """p = ∓Hg with H₊ = H + rrᵀ / rᵀy, r = s − Hy; everything but the update is shared with `BFGS`.

    Parameters
    ----------
    line_search : LineSearch, default HagerZhang()

    Notes
    -----
    H need not be positive definite: where −Hg ascends, the line search goes along +Hg, so that the direction leads away
    from the stationary point of a model that bends down: on the 150 cells named at `BFGS` 0.82 times the gradients of
    scipy's BFGS and 147 solved, against 1.13 and 145 where H is forgotten instead. The first H is (0.9 sᵀy/yᵀy)I, just
    small enough for the first update to leave it positive definite.

    References
    ----------
    Nocedal & Wright (2006), section 6.2, eq. 6.25 and 6.26; Conn, Gould & Toint (1991), Math. Program. 50, 177.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: ((x - 1) ** 2).sum() ** 2, [3.0, 0.0], method=SR1())
    >>> result.reason.kind.value
    'converged'
    """

    name: ClassVar[str] = "sr1"
    workspace: ClassVar[type[InverseHessian]] = SR1Inverse

    def direction(self, state: QuasiNewtonState) -> Vector | None:
        """−Hg, or Hg where that descends."""
        p = state.inverse.direction
        return -p if p is not None and dot(p, state.g) > 0.0 else p
