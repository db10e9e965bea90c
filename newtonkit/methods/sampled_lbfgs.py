"""L-BFGS without a line search, for gradients of batches: what becomes of it there can be watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from newtonkit.core.validation import check_choice, check_integer
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.methods.first_order import Rule
from newtonkit.methods.lbfgs import CurvaturePairs
from newtonkit.methods.quasi_newton import check_fresh
from newtonkit.methods.schedules import Rate


class SampledPairs(NamedTuple):
    """The memory of sampled L-BFGS: the run's pairs as they are now, and where the next pair begins."""

    t: int
    pairs: CurvaturePairs
    iteration: int
    x: Vector | None
    g: Vector | None


@dataclass(frozen=True)
class SampledLBFGS(Rule):
    """θ ← θ − ηHg with H the BFGS matrix that the last ``memory`` pairs (s, y) make of γI; s the last step.

    Parameters
    ----------
    rate : float or schedule, default 0.1
        η. The first step, when nothing is known of H, is −ηg·min(1, 1/‖g‖).
    memory : int, at least 1, default 10
        Number of pairs kept.
    pairs : {"one batch", "two batches"}, default "one batch"
        "one batch": y is the change along s of the gradient of one batch, which takes a second gradient an update. "two
        batches": y is the difference of the gradients of two successive batches, at no cost; it holds the difference of
        the batches too, which for short steps hides the curvature.

    Notes
    -----
    A pair without certain curvature is skipped; nothing else guards the rule. On full gradients the two kinds of pairs
    are one, and the rule is L-BFGS with a fixed step length.

    References
    ----------
    Schraudolph, Yu & Günter (2007), AISTATS (one batch); Bollapragada, Nocedal, Mudigere, Shi & Tang (2018), ICML,
    section 1 (what two batches do).
    """

    rate: Rate = 0.1
    memory: int = 10
    pairs: Literal["one batch", "two batches"] = "one batch"

    name: ClassVar[str] = "sampled-lbfgs"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("memory", self.memory, 1)
        check_choice("pairs", self.pairs, ("one batch", "two batches"))

    @property
    def asks_again(self) -> bool:
        """Whether the second gradient of a pair is taken on the batch of the first."""
        return self.pairs == "one batch"

    def start(self, n: int) -> SampledPairs:
        """No pairs."""
        return SampledPairs(0, CurvaturePairs(n, self.memory), 0, None, None)

    def update(self, g: Vector, memory: SampledPairs, x: Vector) -> tuple[Vector, SampledPairs]:
        """−ηHg; with pairs over two batches, H has learnt of g."""
        if not self.asks_again:
            memory = self.observe(g, memory, x)
        pairs, t = memory.pairs, memory.t + 1
        check_fresh(pairs.iteration, memory.iteration)
        p = pairs.inverse_hessian_times(g) if pairs else g / max(1.0, norm(g))
        return -self.eta(t) * p, SampledPairs(t, pairs, pairs.iteration, x, g)

    def observe(self, g: Vector, memory: SampledPairs, x: Vector) -> SampledPairs:
        """The memory with the pair that ends at x, where the gradient is g."""
        pairs = memory.pairs
        check_fresh(pairs.iteration, memory.iteration)
        if memory.x is not None and memory.g is not None:
            pairs.push(x - memory.x, g - memory.g)
        return SampledPairs(memory.t, pairs, pairs.iteration, None, None)
