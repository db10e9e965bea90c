"""Weight decay: as a term of the gradient, and decoupled from it."""

from __future__ import annotations

from dataclasses import dataclass

from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate, check_rate, rate_at


@dataclass(frozen=True)
class add_weight_decay(GradientTransform):  # noqa: N801
    """g + λx.

    As the first transform it is L2 regularization: g becomes the gradient of f + ½λ‖x‖². Directly before
    `scale_by_learning_rate` it is decoupled weight decay, multiplied by η.

    Parameters
    ----------
    weight_decay : float, at least 0
        λ.

    Examples
    --------
    >>> import newtonkit
    >>> rule = newtonkit.chain(newtonkit.add_weight_decay(0.01), newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    weight_decay: float

    def __post_init__(self) -> None:
        check_real("weight_decay", self.weight_decay, 0.0, open_high=True)

    def init(self, n: int) -> None:
        """No state."""

    def update(self, g: Vector, state: None, x: Vector) -> tuple[Vector, None]:
        """g + λx."""
        return g + self.weight_decay * x, None


@dataclass(frozen=True)
class decay_weights(GradientTransform):  # noqa: N801
    """s − η(t)·λx for a step s: decoupled weight decay, placed after `scale_by_learning_rate`.

    The state is the number of updates made.

    Parameters
    ----------
    weight_decay : float, at least 0
        λ.
    rate : float or schedule, default 1
        η, a factor of λ.

    References
    ----------
    Loshchilov & Hutter (2019), ICLR, algorithm 2.

    Examples
    --------
    >>> import newtonkit
    >>> decay = newtonkit.decay_weights(0.001)
    >>> rule = newtonkit.chain(newtonkit.trace(0.5), decay, newtonkit.scale_by_learning_rate(0.1))
    >>> method = newtonkit.FirstOrder(rule)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 0.01)
    True
    """

    weight_decay: float
    rate: Rate = 1.0

    def __post_init__(self) -> None:
        check_real("weight_decay", self.weight_decay, 0.0, open_high=True)
        check_rate(self.rate)

    def init(self, n: int) -> int:
        """No updates."""
        return 0

    def update(self, g: Vector, state: int, x: Vector) -> tuple[Vector, int]:
        """g − η(t)·λx, where g is the step so far."""
        t = state + 1
        return g - (rate_at(self.rate, t) * self.weight_decay) * x, t
