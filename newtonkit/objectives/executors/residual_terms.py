"""The residuals of one partition: the triangle of [J, r], and Σ wᵢ∇²rᵢ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.derivatives.foreign_residuals import LIBRARIES, ForeignResiduals
from newtonkit.derivatives.losses import Loss
from newtonkit.derivatives.residuals import ResidualDerivatives, flat_residuals, residual_vector
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.executors.tree_sum import Term


class ResidualTerms:
    """Residuals r(x, \\*entries) with a loss ρ, for parts of one structure.

    Parameters
    ----------
    residuals : callable
    loss : Loss
    source : str
        Of derivatives.
    """

    def __init__(self, residuals: Callable[..., Any], loss: Loss, source: str) -> None:
        self._residuals, self._loss = residuals, loss
        self._foreign = ForeignResiduals(source, residuals) if source in LIBRARIES else None
        self._recorded: set[Any] = set()
        self._derivatives = ResidualDerivatives(residuals, tape=source == "tape")

    def triangle(self, x: Vector, entries: tuple[Any, ...]) -> Term:
        """R with QR = √ρ′·[J, r], shape (n + 1, n + 1); the cost; and the number of residuals."""
        r = self._values(x, entries)
        J = self._jacobian(x, entries, r)
        first, _ = self._loss.weights(r)
        weighted = np.sqrt(first)[:, np.newaxis] * np.column_stack([J, r])
        return _triangle(weighted), float(self._loss.cost(r)), r.size

    def curvature(self, x: Vector, entries: tuple[Any, ...]) -> Matrix:
        """The Hessian of the cost without JᵀJ of the weighted Jacobian."""
        r = self._values(x, entries)
        first, second = self._loss.weights(r)
        if self._foreign is not None:
            S = self._foreign.with_args(entries).curvature(x, first * r)
        else:
            S = self._derivatives.curvature(x, first * r, entries, residuals=r)
        if not self._loss.linear:
            J = self._jacobian(x, entries, r)
            S = S + (J.T * (second - first)) @ J
        return 0.5 * (S + S.T)

    def _jacobian(self, x: Vector, entries: tuple[Any, ...], r: Vector) -> Matrix:
        if self._foreign is not None:
            return self._foreign.with_args(entries).jacobian(x)
        shapes = tuple(map(np.shape, entries))
        if shapes not in self._recorded:  # the second Jacobian of a shape is recorded, and all must have the same bits
            self._recorded.add(shapes)
            self._derivatives.jacobian(x, entries, residuals=r)
        return self._derivatives.jacobian(x, entries, residuals=r)

    def _values(self, x: Vector, entries: tuple[Any, ...]) -> Vector:
        """The residuals, by a plain call."""
        if self._foreign is not None:
            return self._foreign.with_args(entries).residuals(x)
        return residual_vector(flat_residuals(self._residuals(x.copy(), *entries)))


def add_triangles(a: Term, b: Term) -> Term:
    """The triangle of the rows of two triangles, the sum of the costs, and of the numbers of residuals.

    References
    ----------
    Demmel, Grigori, Hoemmen & Langou (2012), SIAM J. Sci. Comput. 34, A206, section 2.1: parallel TSQR.
    """
    return _triangle(np.vstack([a[0], b[0]])), a[1] + b[1], a[2] + b[2]


def _triangle(rows: Matrix) -> Matrix:
    """R of a QR decomposition, square: rows of zeros are added if there are too few."""
    missing = rows.shape[1] - rows.shape[0]
    if missing > 0:
        rows = np.vstack([rows, np.zeros((missing, rows.shape[1]))])
    return np.asarray(np.linalg.qr(rows, mode="r"))
