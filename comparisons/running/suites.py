"""Sets of problems and methods with a name."""

from __future__ import annotations

from comparisons.running.runner import DEFAULT_METHODS
from comparisons.running.scipy_solvers import solver_names
from comparisons.running.solvers import AUTO
from newtonkit.methods.registry import METHODS

# Twelve problems on which methods differ within seconds: a quadratic and a badly scaled one, curved valleys, several
# minima, saddles on the path and at the start, a singular Hessian at the solution, ten variables.
QUICK = (
    "bowl",
    "long-ellipse",
    "rosenbrock",
    "beale",
    "himmelblau",
    "six-hump-camel",
    "styblinski-tang",
    "strict-saddle",
    "powell-singular",
    "wood",
    "quadratic",
    "rosenbrock[n=10]",
)


def all_methods() -> tuple[str, ...]:
    """The automatic choice, all our methods, those on mini-batches, and scipy's methods that use derivatives."""
    return (AUTO, *METHODS, *(name for name in DEFAULT_METHODS if "batch=" in name), *solver_names())
