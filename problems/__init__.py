"""A catalogue of objective functions with verified facts about them.

    problems.names()                      all names; problems.names("2d"), problems.names(["data", "convex"])
    problems.get("rosenbrock", n=10)      a `Problem`: fun, starts, known critical points, references
    problems.tags(), problems.summary(name)
    problems.MGH                          (name, parameters) of Moré, Garbow & Hillstrom's problems, by their number
    problems.networks, problems.datasets  dense networks with their losses, and data to train them on

Every critical point states how it was verified. Every problem states whether its list of critical points is complete.

Tags: "2d" (n = 2), "scalable" (any n), "classic", "data" (built on data from scikit-learn),
"finite-sum" (a mean over samples), "convex",
"strongly-convex", "nonconvex", "multimodal" (two or more local minima), "saddle" (has a saddle point),
"degenerate" (a critical point with singular Hessian), "unbounded" (below), "unattained" (bounded below, but
without a minimum), "valley" (a long narrow valley, straight or curved), "mgh" (at its defaults one of the 35
of Moré, Garbow & Hillstrom), "nist" (NIST's regression data sets, with residuals), "breaker" (designed so that some
method fails), "benchmark" (for benchmarks of solvers: `newtonkit compare` leaves these out unless they are selected),
"bounded" (with bounds; `names` lists these only if this tag is requested).
"""

from __future__ import annotations

from problems import (  # noqa: F401  -- imported so that they register
    breakers,
    classical,
    convex,
    data_models,
    datasets,
    networks,
    plane,
    regression,
    saddles,
)
from problems.base import CriticalPoint, Problem
from problems.bounded import gay, hock_schittkowski, nonlinear, quadratics  # noqa: F401
from problems.mgh import mgh_equations, mgh_few, mgh_fits, mgh_scalable  # noqa: F401
from problems.mgh.more_garbow_hillstrom import MGH
from problems.networks import Network
from problems.nist import nist_problems  # noqa: F401
from problems.registry import get, names, register, summary, tags

__all__ = [
    "MGH",
    "CriticalPoint",
    "Network",
    "Problem",
    "datasets",
    "get",
    "names",
    "networks",
    "register",
    "summary",
    "tags",
]
