"""Rules for products and quotients of two arrays that both depend on x."""

from __future__ import annotations

import numpy as np

from newtonkit.convex.curvature import Curvature
from newtonkit.convex.domain import Conditions
from newtonkit.convex.facts import LARGEST_GRAM, Fact, Key, moduli_of_composition
from newtonkit.convex.function_rules import logarithm, power
from newtonkit.convex.linear_rules import add, scale
from newtonkit.convex.ranges import NONNEGATIVE, Range

Shape = tuple[int, ...]


def product(a: Fact, b: Fact, keys: tuple[Key, Key], conditions: Conditions, n: int) -> Fact:
    """a·b, entry by entry.

    Theorems: z·z = z². z·(c·log z + d) is convex for c > 0: its second derivative is c/z on z > 0, the domain of log.
    """
    if keys[0] == keys[1]:
        return power(a, 2.0, conditions, n)
    for z, other in ((a, b), (b, a)):
        if z.curvature is not Curvature.AFFINE or z.multiple is None or z.multiple.constant or other.log_of is None:
            continue
        if z.multiple.key == other.log_of.key:
            c = z.multiple.factor * other.log_of.factor
            # as a function of z the second derivative is that of c′·z·log|z|, c′/z with c′ the factor of log
            largest = z.range.largest_magnitude
            least = abs(other.log_of.factor) / largest if 0.0 < largest < np.inf else 0.0
            curvature = Curvature.CONVEX if c > 0.0 else Curvature.CONCAVE
            return Fact(curvature, moduli=moduli_of_composition(z, least, n), rule="z·log z")
    return Fact(Curvature.UNKNOWN, a.range.times(b.range))


def quotient(a: Fact, b: Fact, shape: Shape, shapes: tuple[Shape, Shape], conditions: Conditions) -> Fact:
    """a / b, entry by entry.

    Theorem: ‖v‖²/t is convex in (v, t) for t > 0, nonincreasing in t, and nondecreasing in v on v ≥ 0; so it is convex
    for v affine, or convex and nonnegative, and t concave (Boyd & Vandenberghe, example 3.18 and section 3.2.4).
    """
    if a.log is not None and b.exponentials is not None:  # entries of a softmax
        denominator = scale(logarithm(b, conditions, 0), -1.0)
        return Fact(Curvature.UNKNOWN, NONNEGATIVE, log=add(a.log, denominator, shape, shapes))
    range_ = NONNEGATIVE if a.range.nonnegative and b.range.nonnegative else Range()
    convex = a.square_sum and b.curvature.is_concave
    if convex and conditions.positive(b, "a denominator", defined_elsewhere=True):
        return Fact(Curvature.CONVEX, NONNEGATIVE, rule="square over a positive concave array")
    return Fact(Curvature.UNKNOWN, range_)


def inner_product(a: Fact, b: Fact, keys: tuple[Key, Key], conditions: Conditions, n: int) -> Fact:
    """aᵀb for two vectors.

    Theorems: zᵀz is a sum of squares. zᵀAz has the Hessian A + Aᵀ in z; it is convex where that is positive
    semidefinite, and then at least 2λmin of its half, in each direction.
    """
    if keys[0] == keys[1]:
        square = power(a, 2.0, conditions, n)
        return Fact(square.rest, NONNEGATIVE, moduli=square.moduli, square_sum=square.square_sum, rule="zᵀz")
    for (z, key), other in (((a, keys[0]), b), ((b, keys[1]), a)):
        image = other.image
        if image is None or image[0] != key or z.curvature is not Curvature.AFFINE:
            continue
        A = image[1]
        if A.shape[0] != A.shape[1] or len(A) > LARGEST_GRAM or not np.isfinite(A).all():
            continue
        eigenvalues = np.linalg.eigvalsh(0.5 * (A + A.T))
        # error bound of a symmetric eigenvalue computation, and of A's own rounding (Golub & Van Loan, section 8.1.3)
        error = 4 * len(A) * np.finfo(float).eps * float(np.abs(eigenvalues).max())
        if eigenvalues[0] >= -error:
            least = 2.0 * max(float(eigenvalues[0]) - error, 0.0)
            moduli = moduli_of_composition(z, least, n)
            return Fact(Curvature.CONVEX, Range(), moduli=moduli, rule="zᵀAz with A positive semidefinite")
    return Fact()
