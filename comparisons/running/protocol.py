"""The protocol of a comparison: stopping rule, budget and starts, the same for every run."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newtonkit import Budget, Evaluator, Objective
from newtonkit.core.validation import check_integer, check_real, nearest_name
from newtonkit.linalg.kernels import all_finite
from problems import Problem

Vector = NDArray[np.float64]

MODES = ("budget", "shipped")
SEEDED = ("seeded-1", "seeded-2", "seeded-3")
SUITE = "suite"
# names of starts on a line of symmetry, which a method that uses gradients only never leaves
_SYMMETRIC = ("symmetric", "stable-manifold", "axis")
_SPREAD = 0.1  # relative standard deviation of the random starts
_DRAWS = 100  # attempts to find a random start at which f is finite


@dataclass(frozen=True)
class Protocol:
    """Stopping rule, budget and seed, the same for every run of a comparison.

    Parameters
    ----------
    mode : {"budget", "shipped"}, default "budget"
        "budget": all solvers have the tolerance ``gtol``; with the default of 0 a solver continues as far as rounding
        allows, or until its budget is spent, and its progress is read from its trace afterwards. "shipped": every
        solver stops by its own defaults, within the budget.
    gtol : float, at least 0, default 0
        Tolerance on ‖g‖∞ in the mode "budget".
    gradients : int, at least 1, default 1000
        Budget of gradients; that of f is ten times as large.
    tuning_gradients : int, at least 1, default 500
        Budget of gradients of each rate if a learning rate is tuned.
    seed : int, at least 0, default 0
        Of the random starts.
    """

    mode: str = "budget"
    gtol: float = 0.0
    gradients: int = 1000
    tuning_gradients: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}; got {self.mode!r}")
        check_real("gtol", self.gtol, 0.0, open_high=True)
        check_integer("gradients", self.gradients, 1)
        check_integer("tuning_gradients", self.tuning_gradients, 1)
        check_integer("seed", self.seed, 0)
        if self.mode == "shipped" and self.gtol:
            raise ValueError(f"gtol must be 0 in the mode 'shipped', where each solver has its own; got {self.gtol}")

    @property
    def budget(self) -> Budget:
        """The limits for the Evaluator."""
        return Budget(maxfev=10 * self.gradients, maxgev=self.gradients)

    @property
    def tolerance(self) -> float | None:
        """The tolerance given to solvers; None: their own."""
        return None if self.mode == "shipped" else self.gtol

    @property
    def scored_tolerance(self) -> float:
        """τ at which runs are scored: 1e-8 of the fall of f, or 1e-6 if solvers stop by a tolerance."""
        return 1e-8 if self.tolerance == 0 else 1e-6


STANDARD = Protocol()


def start_names(problem: Problem, wanted: str | Sequence[str] = SUITE) -> tuple[str, ...]:
    """The names of the starts from which a problem is run.

    Parameters
    ----------
    problem : Problem
    wanted : str or sequence of str, default "suite"
        "suite": the standard start, the start ten times as far away (or the start named "far"), three random starts,
        and one on a line of symmetry if the problem has one. "all": every start of the catalogue. Otherwise names; the
        problem is run from those that it has.
    """
    if wanted == "all":
        return tuple(problem.starts)
    if wanted == SUITE:
        far = next((name for name in ("x10", "far") if name in problem.starts), None)
        symmetric = next((name for name in _SYMMETRIC if name in problem.starts), None)
        return tuple(name for name in ("standard", far, *SEEDED, symmetric) if name is not None)
    names = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"starts must be a name or a list of names, got {wanted!r}")
    return tuple(name for name in names if name in problem.starts or name in SEEDED)


def start_point(problem: Problem, name: str, seed: int = 0) -> Vector:
    """The start with this name.

    The starts seeded-1 to seeded-3 are near the standard start: xᵢ = x₀ᵢ·(1 + z/10), or xᵢ = z/10 if x₀ᵢ = 0, with z
    standard normal, moved into the bounds if there are any. They are drawn again (up to a hundred times) if f or its
    gradient is not finite. They depend on the seed and on the problem with its parameters only.

    Parameters
    ----------
    problem : Problem
    name : str
    seed : int, at least 0, default 0

    Raises
    ------
    ValueError
        For an unknown name (the message gives the nearest), or if f is not finite near the standard start.

    Examples
    --------
    >>> import problems
    >>> start_point(problems.get("rosenbrock"), "seeded-1").round(4)
    array([-1.3432,  0.816 ])
    """
    if name in problem.starts:
        return np.array(problem.starts[name])
    if name not in SEEDED:
        raise ValueError(f"{problem.label} has no start {name!r}; {nearest_name(name, [*problem.starts, *SEEDED])}")
    x0 = problem.starts["standard"]
    rng = np.random.default_rng([seed, SEEDED.index(name), zlib.crc32(problem.label.encode())])
    evaluator = Evaluator(Objective(problem.fun))
    for _ in range(_DRAWS):
        x = x0 + _SPREAD * np.where(x0 == 0, 1.0, x0) * rng.standard_normal(problem.n)
        if problem.bounds is not None:
            x = np.clip(x, *problem.bounds.T)
        with np.errstate(all="ignore"):
            f, g = evaluator.value_and_grad(x)
        if math.isfinite(f) and all_finite(g):
            return x
    raise ValueError(f"f of {problem.label} is not finite at any of {_DRAWS} points near its standard start")
