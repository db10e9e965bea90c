"""What is known of an array that depends on x: its curvature, range, strong-convexity moduli, and its form."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from newtonkit.convex.curvature import Curvature, curvature_of_sum
from newtonkit.convex.ranges import EVERYTHING, Range
from newtonkit.linalg.kernels import Matrix, Vector

Key = Hashable
Shape = tuple[int, ...]
LARGEST_GRAM = 400
"""Variables up to which the smallest eigenvalue of AᵀA is computed: n³ operations stay below a second."""


class Selection(NamedTuple):
    """Entry k of an array is coefficients[k]·x[indices[k]] + constant."""

    indices: Any
    coefficients: Any


class Multiple(NamedTuple):
    """An array is factor·z + constant, where z is the array with this key."""

    key: Key
    factor: float
    constant: float = 0.0


class ScaledExponentials(NamedTuple):
    """Entries are exp(−s)·(c + Σ w·exp(convex)) with w, c ≥ 0; ``shift`` is the key of s, None where s = 0."""

    shift: Key | None


class EvenPolynomial(NamedTuple):
    """Entries are p + q|z| + r z², where z is the affine array with this key."""

    key: Key
    p: float
    q: float
    r: float


class AbsoluteComparison(NamedTuple):
    """Entries are the truth of factor·|z| < bound (``inside``) or of its opposite."""

    key: Key
    factor: float
    bound: float
    inside: bool


@dataclass(frozen=True)
class Fact:
    """What holds for every entry of one array and every x of the domain.

    The array is ``rest + Σ c·atom``. An atom is a convex array that is known by its key only: a maximum that stable
    code subtracts and adds back. Where its coefficients cancel, it is gone.

    Parameters
    ----------
    rest : Curvature
        Of the array without its atoms.
    range : Range
        Of the entries, atoms included.
    atoms : dict of key to float
        Coefficients of the atoms.
    moduli : Vector or float
        m ≥ 0 with ∇²(sum of the entries of rest) ⪰ diag(m) where rest is convex; the same of −rest where it is concave.
    """

    rest: Curvature = Curvature.UNKNOWN
    range: Range = EVERYTHING
    atoms: dict[Key, float] = field(default_factory=dict)
    moduli: Vector | float = 0.0
    selection: Selection | None = None
    """Entries are scaled entries of x, plus constants."""
    matrix: Matrix | None = None
    """The array is matrix @ x + constant."""
    multiple: Multiple | None = None
    """The array is a multiple of another one, plus a constant."""
    absolute: Multiple | None = None
    """The array is a multiple of |z|; the constant is 0."""
    even: EvenPolynomial | None = None
    square_sum: bool = False
    """Entries are squared Euclidean norms of affine, or of convex nonnegative, vectors (constants ≥ 0 included)."""
    square: Fact | None = None
    """The fact of the square of the array, where the array is a square root."""
    exponentials: ScaledExponentials | None = None
    log: Fact | None = None
    """The fact of the logarithm of the array."""
    log_of: Multiple | None = None
    """The array is factor·log(positive multiple of z) + constant."""
    image: tuple[Key, Matrix] | None = None
    """The array is A @ z for the array z with this key."""
    comparison: AbsoluteComparison | None = None
    soft: Multiple | None = None
    """The array is exp(−factor·|z|), factor > 0."""
    rule: str = ""
    """The rule that gave the curvature, for the printed tree."""

    @property
    def curvature(self) -> Curvature:
        """Of the whole array: an atom is convex where its coefficient is positive."""
        atoms = (Curvature.CONVEX if c > 0.0 else Curvature.CONCAVE for c in self.atoms.values())
        return curvature_of_sum(self.rest, *atoms)

    def but(self, **changes: Any) -> Fact:
        """The same fact with some fields changed."""
        return dataclasses.replace(self, **changes)


UNKNOWN = Fact()


def of_constant(value: Any) -> Fact:
    """The fact of an array that does not depend on x; UNKNOWN ranges where it is not numeric or not finite."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return Fact(Curvature.CONSTANT)
    if not array.size or not np.isfinite(array).all():
        return Fact(Curvature.CONSTANT)
    lo, hi = float(array.min()), float(array.max())
    return Fact(Curvature.CONSTANT, Range(lo, hi), square_sum=lo >= 0.0, rule="constant")


def moduli_of_composition(inner: Fact, least_second_derivative: float, n: int) -> Vector | float:
    """m with ∇²Σₖ h(aₖ) ⪰ diag(m), for affine a and h″ ≥ κ ≥ 0 on the range of a.

    For aₖ = cₖ x_{i(k)} + dₖ the Hessian is Σₖ h″(aₖ) cₖ² e eᵀ, diagonal: mᵢ = κ Σ_{k: i(k) = i} cₖ². For a = Ax + d
    it is AᵀDA ⪰ κ AᵀA ⪰ κ λmin(AᵀA) I. The computed eigenvalue is lowered by its error bound, n·eps·λmax times 10.
    """
    kappa = least_second_derivative
    if not kappa > 0.0:
        return 0.0
    if inner.selection is not None:
        indices, coefficients = inner.selection
        weights = np.broadcast_to(np.square(coefficients), np.shape(indices)).ravel()
        diagonal: Any = kappa * np.bincount(np.ravel(indices), weights, n)
        return np.asarray(diagonal, dtype=np.float64)
    if inner.matrix is not None and n <= LARGEST_GRAM:
        eigenvalues = np.linalg.eigvalsh(inner.matrix.T @ inner.matrix)
        least = eigenvalues[0] - 10 * max(inner.matrix.shape) * np.finfo(float).eps * eigenvalues[-1]
        return np.full(n, kappa * max(least, 0.0))
    return 0.0
