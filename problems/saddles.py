"""Functions with a saddle point: a strict saddle with a stable manifold, and a degenerate one."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from problems.base import CriticalPoint, Problem
from problems.registry import register


@register(
    "strict-saddle",
    tags=("2d", "nonconvex", "saddle", "multimodal"),
    summary="x² − y² + y⁴/4: gradient descent from y = 0 ends at the saddle, never at the minima (0, ±√2)",
)
def strict_saddle() -> Problem:
    """x² − y² + y⁴/4, with a strict saddle at 0 between the two minima (0, ±√2).

    "standard" starts near the axis y = 0, which is the stable manifold of the saddle under the gradient flow.
    "stable-manifold" starts on this axis, where every gradient is parallel to it. "axis" lies on the other axis of
    symmetry, x = 0.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return x * x - y * y + y**4 / 4

    closed = "closed form"
    return Problem(
        fun=fun,
        n=2,
        starts={
            "standard": np.array([1.0, 1e-3]),
            "stable-manifold": np.array([1.0, 0.0]),
            "indefinite": np.array([1.0, 0.5]),
            "axis": np.array([0.0, 3.0]),
            "far": np.array([30.0, 20.0]),
        },
        points=(
            CriticalPoint(x=np.array([0.0, sqrt(2)]), f=-1.0, kind="minimum", index=0, verified=closed),
            CriticalPoint(x=np.array([0.0, -sqrt(2)]), f=-1.0, kind="minimum", index=0, verified=closed),
            CriticalPoint(x=np.zeros(2), f=0.0, kind="saddle", index=1, verified=closed),
        ),
        complete=True,
        domain=((-2.0, 2.0), (-2.5, 2.5)),
        formula="x² − y² + y⁴/4",
        references=(
            "after Nesterov 2004, Introductory Lectures on Convex Optimization, Example 1.2.2",
            "strict saddles: Lee, Simchowitz, Jordan & Recht 2016, COLT, Definition 1",
        ),
    )


@register(
    "monkey-saddle",
    tags=("2d", "nonconvex", "saddle", "degenerate", "unbounded"),
    summary="x³ − 3xy²: a saddle with zero Hessian, unbounded below in three directions",
)
def monkey_saddle() -> Problem:
    """x³ − 3xy², the real part of (x + iy)³: unbounded, with one critical point, where the Hessian is zero.

    The Hessian is indefinite at all other points. "axis" lies on the axis of symmetry y = 0, along which gradient
    descent converges to the saddle. No start is published; "standard" lies near the axis.
    """

    def fun(p: Any) -> Any:
        x, y = p[0], p[1]
        return x * (x * x - 3 * y * y)

    return Problem(
        fun=fun,
        n=2,
        starts={
            "standard": np.array([1.0, 0.5]),
            "axis": np.array([1.0, 0.0]),
            "far": np.array([10.0, 5.0]),
        },
        points=(CriticalPoint(x=np.zeros(2), f=0.0, kind="degenerate saddle", index=0, verified="closed form"),),
        complete=True,
        domain=((-2.0, 2.0), (-2.0, 2.0)),
        formula="x³ − 3xy²",
        references=("Hilbert & Cohn-Vossen 1952, Geometry and the Imagination, chapter IV",),
    )
