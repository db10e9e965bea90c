"""Units of the variables: a trust region bounds ‖Dp‖, which is the length of a step in the variables z = Dx."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from newtonkit.core.domain import Box, Domain
from newtonkit.linalg.kernels import Matrix, Vector, norm

_LARGEST_EXPONENT = 500  # of an entry of D: its square and the square of its inverse are finite


class Units(NamedTuple):
    """A change of variables z = Dx with D diagonal: the model in z has gradient D⁻¹g and Hessian D⁻¹HD⁻¹.

    The entries of D are powers of two, so that the change of variables is exact.

    Parameters
    ----------
    D : ndarray, shape (n,), optional
        The diagonal; None stands for the identity.

    Examples
    --------
    >>> units = Units.of_sizes(np.array([1000.0, 0.5]))
    >>> units.step(np.array([1.0, 1.0]))
    array([5.12e+02, 5.00e-01])
    """

    D: Vector | None = None

    @classmethod
    def of_sizes(cls, sizes: Vector) -> Units:
        """Return D = 1/size, rounded to powers of two; a size of 0 counts as the geometric mean of the others."""
        known = np.isfinite(sizes) & (sizes > 0.0)
        exponents = np.zeros(sizes.size)
        exponents[known] = -np.floor(np.log2(sizes[known]))
        if known.any():
            exponents[~known] = np.round(exponents[known].mean())
        return cls(np.ldexp(1.0, np.clip(exponents, -_LARGEST_EXPONENT, _LARGEST_EXPONENT).astype(int)))

    def point(self, x: Vector) -> Vector:
        """Return Dx; also for a step p."""
        return x if self.D is None else self.D * x

    def step(self, p: Vector) -> Vector:
        """Return D⁻¹p: a step in z in the user's units."""
        return p if self.D is None else p / self.D

    def gradient(self, g: Vector) -> Vector:
        """Return D⁻¹g."""
        return g if self.D is None else g / self.D

    def matrix(self, H: Matrix) -> Matrix:
        """Return D⁻¹HD⁻¹."""
        return H if self.D is None else H / self.D / self.D[:, None]

    def user_matrix(self, B: Matrix) -> Matrix:
        """Return DBD, the Hessian in x that is B in z."""
        return B if self.D is None else B * self.D * self.D[:, None]

    def sparse(self, H: sp.csc_array) -> sp.csc_array:
        """Return D⁻¹HD⁻¹ with the same pattern."""
        if self.D is None:
            return H
        scaled = H.copy()
        columns = np.repeat(np.arange(H.shape[1]), np.diff(H.indptr))
        scaled.data = H.data / self.D[H.indices] / self.D[columns]
        return scaled

    def product(self, times: Callable[[Vector], Vector]) -> Callable[[Vector], Vector]:
        """Return v ↦ D⁻¹HD⁻¹v, where ``times`` is v ↦ Hv."""
        D = self.D
        return times if D is None else lambda v: times(v / D) / D

    def domain(self, domain: Domain) -> Domain:
        """Return the domain of z."""
        if self.D is None or not domain.is_bounded:
            return domain
        return Box(self.D * domain.lower, self.D * domain.upper)

    def same_as(self, other: Units) -> bool:
        """Return whether both have the same D."""
        if self.D is None or other.D is None:
            return self.D is other.D
        return np.array_equal(self.D, other.D)

    def length(self, p: Vector) -> float:
        """Return ‖Dp‖."""
        return norm(self.point(p))


EUCLIDEAN = Units()
