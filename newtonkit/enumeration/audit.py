"""Audit of a list of critical points: its sum of degrees must equal the degree of ∇f on the boundary of the box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newtonkit.enumeration.degree import Degree
from newtonkit.enumeration.krawczyk import Boxes


@dataclass(frozen=True, slots=True)
class Audit:
    """The sum of the degrees of the points, and the degree of ∇f on the boundary."""

    expected: Degree
    """The degree on the boundary of the box."""
    found: int | None
    """Σ(−1)^index of the points, with the degree of ∇f around each degenerate point; None if a term is not known."""

    @property
    def contradicts(self) -> bool:
        """Whether the list is incomplete or contains a point that is not critical; proved if the degree is proved."""
        return self.found is not None and self.expected.value is not None and self.found != self.expected.value

    def __str__(self) -> str:
        if self.expected.value is None:
            return f"no audit by degree: {self.expected.reason}"
        if self.found is None:
            return "no audit by degree: the degree of a degenerate point is not known"
        sums = f"Σ(−1)^index = {self.found}, degree on the boundary {self.expected.value} ({self.expected.level})"
        if not self.contradicts:
            return f"audit: {sums}: they agree"
        return f"audit: {sums}: the list is {'provably ' if self.expected.level == 'proved' else ''}incomplete"


@dataclass(frozen=True, slots=True)
class FaceAudit(Audit):
    """Σ(−1)^index of the KKT points of a box, which is the Euler characteristic 1 if none is degenerate.

    This requires nonzero multipliers at all active bounds and a nonsingular Hessian of the free variables at each
    point (Morse theory on manifolds with corners: Handron, 2002, Topology Appl. 122, 43-61).
    """

    def __str__(self) -> str:
        if self.found is None:
            return "no audit by the Euler characteristic: a point may be degenerate"
        sums = f"Σ(−1)^index = {self.found}, Euler characteristic of the box 1"
        return f"audit: {sums}: " + ("the list is provably incomplete" if self.contradicts else "they agree")


def sum_of_signs(indices: Sequence[int | None]) -> int | None:
    """Σ(−1)^index; None if an index is not known."""
    signs = [1 - 2 * (index % 2) for index in indices if index is not None]
    return sum(signs) if len(signs) == len(indices) else None


def degree_of_clusters(
    hulls: Sequence[Boxes], degrees: Sequence[int | None], certified: Boxes, indices: Sequence[int | None]
) -> int | None:
    """The contribution of clusters: the degrees of their hulls minus the certified points in them; None if unknown."""
    known = [degree for degree in degrees if degree is not None]
    inside = [i for hull in hulls for i in map(int, np.flatnonzero(certified.meets(hull)))]
    # no point is on the boundary of a hull: the degree of the hull would then be unknown
    points = sum_of_signs([indices[i] for i in inside])
    apart = not any(hull.meets(other).any() for k, hull in enumerate(hulls) for other in hulls[:k])
    return sum(known) - points if apart and points is not None and len(known) == len(degrees) else None
