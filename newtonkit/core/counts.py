"""Numbers of evaluations, and the limits on them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Numbers of evaluations: f, gradients, Hessians, Hessian-vector products; iterates over the four in this order.

    Examples
    --------
    >>> import newtonkit
    >>> f, g, H, Hv = newtonkit.Counts(f=2, g=1)
    >>> f, g
    (2, 1)
    """

    f: int = 0
    g: int = 0
    H: int = 0
    Hv: int = 0

    def __iter__(self) -> Iterator[int]:
        return iter((self.f, self.g, self.H, self.Hv))


@dataclass(frozen=True, slots=True)
class Budget:
    """Upper limits on the evaluations of a run, checks included, and on its seconds; infinite by default.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: x[0] ** 4, [1.0], options={"maxfev": 5})
    >>> result.reason.name, result.nfev + result.checks.f <= 5
    ('EVALUATIONS', True)
    """

    maxfev: float = math.inf
    maxgev: float = math.inf
    maxhev: float = math.inf
    maxhvp: float = math.inf
    maxtime: float = math.inf


UNLIMITED = Budget()
"""The budget without limits."""
