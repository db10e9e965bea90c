"""The state of a training run, and its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from newtonkit.core.domain import Domain
from newtonkit.core.termination import Termination
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform
from newtonkit.training.batches import Sampling


class Best(NamedTuple):
    """The parameters with the lowest metric among those evaluated."""

    x: Vector
    loss: float
    """The loss over all data, by a plain call."""
    metric: float
    """The loss over the validation data if there are any, else over all data."""


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Everything that is needed to resume a training run bit for bit; it can be pickled."""

    x: Vector
    transform_state: Any
    t: int
    """Updates made."""
    rule: GradientTransform
    sampling: Sampling
    rows: int
    """Rows of all gradients so far."""
    best: Best
    bad_checks: int
    """Evaluations since the best one."""
    first_loss: float
    last_evaluated: int
    """The update after which the loss over all data was evaluated last; -1 before any evaluation."""
    moved: bool
    """Whether any update has changed the parameters."""
    domain: Domain
    """Where the parameters may lie."""


@dataclass(frozen=True)
class Limits:
    """When to evaluate the loss over all data, and when to end."""

    updates: int
    planned: Termination
    check_every: int
    target: float = -math.inf
    patience: float = math.inf
    maxtime: float = math.inf
