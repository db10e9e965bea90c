"""Critical points of the collection of Moré, Garbow and Hillstrom, by problem and number of variables.

They were searched for by newtonkit's trust-region Newton method from up to 400 seeded random starts around the
published one, by BFGS from the published start, and by Newton's method on ∇f = 0 for saddles in the plane. Each point
was then refined by Newton's method in 100-digit arithmetic, with derivatives by central differences of step 1e-30,
until the step was below 1e-45 of x. Its index was counted from the eigenvalues of this Hessian. (The degenerate points
of "biggs-exp6" were refined in the four variables that remain when two exponentials are merged.) Of several points that
are equivalent by symmetry one is listed, unless there are few.
"""

from __future__ import annotations

import numpy as np

from problems.base import CriticalPoint
from problems.mgh.mgh_tables_fixed import FIXED
from problems.mgh.mgh_tables_scalable import SCALABLE

REFINED = "multistart; Newton in 100-digit arithmetic, index from the Hessian there"

POINTS = {**FIXED, **SCALABLE}


def points_of(name: str, n: int) -> tuple[CriticalPoint, ...]:
    """The known points of a problem in n variables, lowest minima first; none if this n is not tabulated."""
    return tuple(
        CriticalPoint(x=np.array(x), f=f, kind=kind, index=index, verified=REFINED)
        for kind, index, f, x in POINTS.get((name, n), ())
    )


def same_value(point: CriticalPoint, where: str) -> CriticalPoint:
    """Many critical points with the value and kind of `point`, described by `where`: only the value is stored."""
    return CriticalPoint(x=None, f=point.f, kind=point.kind, index=point.index, verified=f"{point.verified}; {where}")
