"""Build a problem with bounds; its KKT points come from a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.base import CriticalPoint, Problem
from problems.bounded.kkt_tables import COMPLETE, KKT_POINTS

INF = float("inf")
CERTIFIED = "existence, multipliers and index proved by Krawczyk's operator on the face"
CLASSIFIED = "newtonkit.classify with the bounds, and the published value"
ALL_CERTIFIED = f"{CERTIFIED}; no other KKT points, by interval exclusion on all faces"


def with_bounds(
    name: str,
    fun: Callable[[Any], Any],
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    starts: Mapping[str, npt.ArrayLike],
    *,
    points: tuple[CriticalPoint, ...] | None = None,
    verified: str = CERTIFIED,
    symmetric: bool = False,
    **facts: Any,
) -> Problem:
    """The problem of that name; starts are moved to the nearest point within the bounds.

    ``points`` default to those of the table, which were verified as stated by ``verified``. Of problems that permuted
    variables do not change, only the values are listed.
    """
    n = np.size(next(iter(starts.values())))
    low, high = np.broadcast_to(lower, n), np.broadcast_to(upper, n)
    verified = ALL_CERTIFIED if name in COMPLETE else verified
    if points is None:
        points = tuple(
            CriticalPoint(x=None if symmetric else np.array(x), f=f, kind=kind, index=index, verified=verified)
            for kind, index, f, x in KKT_POINTS.get(name, [])
        )
    return Problem(
        fun=fun,
        n=n,
        starts={key: np.clip(x, low, high) for key, x in starts.items()},
        points=points,
        complete=name in COMPLETE,
        bounds=np.stack([low, high], axis=1),
        **facts,
    )
