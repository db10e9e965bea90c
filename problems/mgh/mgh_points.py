"""Critical points of the collection of Moré, Garbow and Hillstrom, by problem and number of variables.

They were searched for by newtonkit's trust-region Newton method from up to 400 seeded random starts about the
published one, by BFGS from that, and by Newton's method on ∇f = 0 for saddles in the plane. Every one was then
refined by Newton's method in 100-digit arithmetic, with derivatives by central differences of step 1e-30, until the
step was below 1e-45 of x, and its index counted from the eigenvalues of that Hessian. (The degenerate points of
"biggs-exp6" were refined in the four variables that are left when two exponentials are merged into one.) Of points
that symmetry turns into each other one is listed, unless there are few.
"""

from __future__ import annotations

import numpy as np

from problems.base import CriticalPoint
from problems.mgh.mgh_tables_fixed import FIXED
from problems.mgh.mgh_tables_scalable import SCALABLE

REFINED = "multistart; Newton in 100-digit arithmetic, index from the Hessian there"

POINTS = {**FIXED, **SCALABLE}


def points_of(name: str, n: int) -> tuple[CriticalPoint, ...]:
    """The points known of a problem in n variables, lowest minima first; none for an n that is not tabulated."""
    return tuple(
        CriticalPoint(x=np.array(x), f=f, kind=kind, index=index, verified=REFINED)
        for kind, index, f, x in POINTS.get((name, n), ())
    )


def same_value(point: CriticalPoint, where: str) -> CriticalPoint:
    """The critical points of the same value and kind `where`, too many to list: known by their value."""
    return CriticalPoint(x=None, f=point.f, kind=point.kind, index=point.index, verified=f"{point.verified}; {where}")
