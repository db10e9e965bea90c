"""L-BFGS with a fixed step length on gradients of batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.methods.transforms.learning_rate import scale_by_learning_rate
from newtonkit.methods.transforms.sampled_pairs import ScaleBySampledPairs


@dataclass(frozen=True)
class SampledLBFGS(FirstOrderRule):
    """θ ← θ − ηHg with the BFGS matrix H of the last ``memory`` pairs (s, y), started from γI; s is a step.

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 0.1
        η. The first step, before there is a pair, is −ηg·min(1, 1/‖g‖).
    memory : int, at least 1, default 10
        Number of pairs kept.
    pairs : {"one batch", "two batches"}, default "one batch"
        "one batch": y is the change along s of the gradient of one batch, which requires a second gradient per update.
        "two batches": y is the difference of the gradients of two successive batches, at no cost; it contains the
        difference of the batches too, which hides the curvature if the steps are short.

    Notes
    -----
    A pair that fails the curvature condition is skipped. There is no line search. On full gradients the two kinds of
    pairs are the same, and the rule is L-BFGS with a fixed step length.

    References
    ----------
    Schraudolph, Yu & Günter (2007), AISTATS (one batch). Bollapragada, Nocedal, Mudigere, Shi & Tang (2018), ICML,
    section 1 (the effect of two batches).

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import newtonkit
    >>> data = np.arange(20.0)
    >>> rule = newtonkit.SampledLBFGS(rate=0.5)
    >>> result = newtonkit.train(lambda p, batch: np.mean((batch - p) ** 2), 0.0, data, rule, batch_size=10, epochs=20)
    >>> bool(abs(result.x - 9.5) < 1.0)
    True
    """

    rate: Rate = 0.1
    memory: int = 10
    pairs: Literal["one batch", "two batches"] = "one batch"

    name: ClassVar[str] = "sampled-lbfgs"

    def compose(self) -> tuple[GradientTransform, ...]:
        """Hg, then the learning rate."""
        return ScaleBySampledPairs(self.memory, self.pairs), scale_by_learning_rate(self.rate)
