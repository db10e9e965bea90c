"""Where a training run stands, and when it is to end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from newtonkit.core.termination import Termination
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import Rule
from newtonkit.training.batches import Sampling


class Best(NamedTuple):
    """The parameters with the lowest loss looked at."""

    x: Vector
    loss: float
    """Over all data, by a plain call."""
    score: float
    """What is compared: the loss over the validation data where there are such, else over all data."""


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Where a training run stands: all that is needed to go on bit for bit, and to be kept in a file."""

    x: Vector
    memory: Any
    t: int
    """Updates made."""
    rule: Rule
    sampling: Sampling
    rows: int
    """Rows of all gradients so far."""
    best: Best
    waited: int
    """Looks since the best."""
    first_loss: float
    looked_at: int
    """The update after which the loss over all data was looked at last; -1 before any."""
    moved: bool
    """Whether any update has changed the parameters."""


@dataclass(frozen=True)
class Limits:
    """When to look at the loss over all data, and when to end."""

    updates: int
    planned: Termination
    check_every: int
    target: float = -math.inf
    patience: float = math.inf
    maxtime: float = math.inf
