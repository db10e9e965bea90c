"""The sets of problems and methods that a comparison takes by name."""

from __future__ import annotations

from comparisons.running.scipy_solvers import solver_names
from newtonkit.methods.registry import METHODS

# Twelve that tell methods apart within seconds: a bowl and a badly scaled one, curved valleys, several minima, saddles
# on the way and at the start, a singular Hessian at the solution, ten variables.
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
    """Every method of ours, and those of scipy's that take the derivatives of f."""
    return (*METHODS, *solver_names())
