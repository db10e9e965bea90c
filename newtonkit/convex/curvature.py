"""The five curvatures of disciplined convex programming and how they combine.

References
----------
Grant, Boyd & Ye (2006), Disciplined convex programming, in *Global Optimization: From Theory to Implementation*, 155.
"""

from __future__ import annotations

import enum


class Curvature(enum.Enum):
    """What is known of every entry of an array as a function of x, on one convex set."""

    CONSTANT = "constant"
    AFFINE = "affine"
    CONVEX = "convex"
    CONCAVE = "concave"
    UNKNOWN = "unknown"

    @property
    def is_affine(self) -> bool:
        """Whether the entries are affine or constant."""
        return self in (Curvature.CONSTANT, Curvature.AFFINE)

    @property
    def is_convex(self) -> bool:
        """Whether the entries are convex; affine and constant ones are."""
        return self.is_affine or self is Curvature.CONVEX

    @property
    def is_concave(self) -> bool:
        """Whether the entries are concave; affine and constant ones are."""
        return self.is_affine or self is Curvature.CONCAVE

    @property
    def negated(self) -> Curvature:
        """The curvature of the negative: −a is concave where a is convex."""
        return _NEGATED.get(self, self)


_NEGATED = {Curvature.CONVEX: Curvature.CONCAVE, Curvature.CONCAVE: Curvature.CONVEX}


def curvature_of_sum(*terms: Curvature) -> Curvature:
    """The curvature of a sum: sums of convex functions are convex, of concave ones concave, of affine ones affine."""
    if all(term is Curvature.CONSTANT for term in terms):
        return Curvature.CONSTANT
    if all(term.is_affine for term in terms):
        return Curvature.AFFINE
    if all(term.is_convex for term in terms):
        return Curvature.CONVEX
    if all(term.is_concave for term in terms):
        return Curvature.CONCAVE
    return Curvature.UNKNOWN


def increasing_convex_of(inner: Curvature) -> Curvature:
    """The curvature of h(a), h convex and nondecreasing: convex where a is (Boyd & Vandenberghe, 2004, eq. 3.10)."""
    if inner is Curvature.CONSTANT:
        return inner
    return Curvature.CONVEX if inner.is_convex else Curvature.UNKNOWN


def increasing_concave_of(inner: Curvature) -> Curvature:
    """The curvature of h(a), h concave and nondecreasing: concave where a is (Boyd & Vandenberghe, eq. 3.10)."""
    return increasing_convex_of(inner.negated).negated
