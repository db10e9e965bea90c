"""The self-scaled update of Broyden's class, for `newtonkit.BFGS(update="broyden")`."""

from __future__ import annotations

import math
from typing import NamedTuple

from newtonkit.linalg.kernels import EPS, Matrix, Vector, add_scaled, dot, norm, rank_two_update, scale
from newtonkit.methods.quasi_newton import RESCALE_AT, InverseHessian

_PARALLEL = math.sqrt(EPS)  # relative error above which s is not along −Hg, so that sᵀBs is not known
_LARGEST_FACTOR = 1e10  # of H in one update, or its inverse: beyond, rounding is more likely the reason than curvature


class Coefficients(NamedTuple):
    """The scaling τ and the parameter φ of one update."""

    tau: float
    phi: float


def self_scaled_broyden(b: float, h: float, n: int) -> Coefficients:
    """τ and φ of the self-scaled Broyden update.

    Parameters
    ----------
    b : float, positive
        sᵀBs / yᵀs with B = H⁻¹.
    h : float, positive
        yᵀHy / yᵀs.
    n : int
        Number of variables.

    Notes
    -----
    bh ≥ 1 by the inequality of Cauchy and Schwarz. If bh = 1, s is along Hy, and every member of the class is BFGS.

    References
    ----------
    Al-Baali, Spedicato & Maggioni (2014), Optim. Methods Softw. 29, 937; as in Urbán, Stefanou & Pons (2025),
    J. Comput. Phys. 523, 113656, arXiv:2405.04230.

    Examples
    --------
    >>> self_scaled_broyden(0.5, 2.0, 10)
    Coefficients(tau=1.0, phi=1.0)
    """
    shrink = min(1.0, 1.0 / b)
    a = b * h - 1.0
    if a <= math.sqrt(EPS) or n == 1:
        return Coefficients(shrink, 1.0)
    rho = min(1.0, h * (1.0 - math.sqrt(a / (a + 1.0))))
    theta = max((rho - 1.0) / a, min(1.0 / rho, (1.0 - b) / b))
    sigma = 1.0 + theta * a  # ≥ ρ > 0
    root = sigma ** (1.0 / (1.0 - n))
    tau = shrink * min(root, 1.0 / theta) if theta > 0.0 else min(shrink * root, sigma)
    phi = (1.0 - theta) / sigma
    if not (1.0 / _LARGEST_FACTOR <= tau <= _LARGEST_FACTOR and math.isfinite(phi)):
        return Coefficients(max(shrink, 1.0 / _LARGEST_FACTOR), 1.0)
    return Coefficients(tau, phi)


class SelfScaledBroydenInverse(InverseHessian):
    """The update of Broyden's class with τ and φ of `self_scaled_broyden`; plain BFGS if s is not along −Hg."""

    __slots__ = ()

    def update_inverse(self, H: Matrix, s: Vector, y: Vector, sy: float, Hy: Vector, g: Vector, Hg: Vector) -> Vector:
        """H₊ = (H − HyyᵀH/q + φvvᵀ)/τ + ssᵀ/yᵀs with q = yᵀHy, v = √q (s/yᵀs − Hy/q)."""
        q = dot(y, Hy)
        tau, phi = self._coefficients(s, y, sy, Hy, g, Hg, q)
        self.factor /= tau
        if not 1.0 / RESCALE_AT <= self.factor <= RESCALE_AT:
            H *= self.factor
            self.factor = 1.0
        w = add_scaled(-phi / (sy * tau) * Hy, 0.5 * (phi * q / (sy * tau) + 1.0) / sy, s)
        c = (phi - 1.0) / (q * tau)
        moved = add_scaled(add_scaled(scale(Hg, 1.0 / tau), dot(w, g), s), dot(s, g), w)
        moved = add_scaled(moved, c * dot(Hy, g), Hy)
        H = rank_two_update(H, s, scale(w, 1.0 / self.factor))
        self.H = rank_two_update(H, Hy, 0.5 * c / self.factor * Hy) if c != 0.0 else H
        return moved

    def _coefficients(
        self, s: Vector, y: Vector, sy: float, Hy: Vector, g: Vector, Hg: Vector, q: float
    ) -> Coefficients:
        p = Hy - Hg  # −H times the gradient before the step
        pp = dot(p, p)
        alpha = dot(s, p) / pp if pp > 0.0 else 0.0
        if not (alpha > 0.0 and norm(s - alpha * p) <= _PARALLEL * norm(s)):
            return Coefficients(1.0, 1.0)
        b = -alpha * dot(s, g - y) / sy
        return self_scaled_broyden(b, q / sy, self.n) if b > 0.0 and q > 0.0 else Coefficients(1.0, 1.0)
