"""What an iteration of least squares is given and what it returns: models, tolerances, outcomes."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from newtonkit.fitting.problem import FitPoint
from newtonkit.fitting.sparse_model import AnyStepModel
from newtonkit.fitting.step_model import Mask
from newtonkit.linalg.kernels import Vector


class Model(enum.Enum):
    """Which model of the cost gives the steps."""

    GAUSS_NEWTON = "gauss-newton"
    NEWTON = "newton"
    HYBRID = "hybrid"


class Outcome(enum.Enum):
    """Why the iteration ended."""

    CONVERGED = "converged"
    ROUNDING = "only rounding errors are left"
    SMALL_REDUCTION = "ftol"
    SMALL_GRADIENT = "gtol"
    UNDETERMINED = "parameters not determined"
    NO_STEP = "no step reduces the cost"
    NO_PROGRESS = "no progress"
    NOT_FINITE = "not finite at the start"
    ITERATIONS = "iterations"
    EVALUATIONS = "evaluations"
    CALLBACK = "callback"


SUCCESSES = frozenset({Outcome.CONVERGED, Outcome.ROUNDING, Outcome.SMALL_REDUCTION, Outcome.SMALL_GRADIENT})


@dataclass(frozen=True)
class Tolerances:
    """When a fit may end. ftol, gtol act only if they are positive."""

    xtol: float = 1e-8
    ftol: float = 0.0
    gtol: float = 0.0
    maxiter: int = 1000


@dataclass
class Fitted:
    """Where the iteration ended, and what is known there."""

    at: FitPoint
    outcome: Outcome
    iterations: int
    model: AnyStepModel | None
    scales: Vector
    faded: Mask
    """Whether the column of J of each parameter has all but vanished."""
    costs: list[float]

    @property
    def success(self) -> bool:
        """Whether the iteration converged."""
        return self.outcome in SUCCESSES
