"""A catalogue of objective functions with verified facts about them.

    problems.names()                      all names; problems.names("2d"), problems.names(["data", "convex"])
    problems.get("rosenbrock", n=10)      a `Problem`: fun, starts, known critical points, references
    problems.tags(), problems.summary(name)

Every stated critical point carries the way in which it was verified, and whether the list is complete.

Tags: "2d" (n = 2), "scalable" (any n), "classic", "data" (built on real data, needs scikit-learn), "convex",
"strongly-convex", "nonconvex", "multimodal" (two or more local minima), "saddle" (has a saddle point),
"degenerate" (a critical point with singular Hessian), "unbounded" (below), "valley" (a long narrow valley,
straight or curved).
"""

from __future__ import annotations

from . import classical, convex, plane, regression, saddles  # noqa: F401  -- imported so that they register
from .base import CriticalPoint, Problem
from .registry import get, names, register, summary, tags

__all__ = ["CriticalPoint", "Problem", "get", "names", "register", "summary", "tags"]
