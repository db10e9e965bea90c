"""The inverse Hessian approximation of L-BFGS as a transform of sampled gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from newtonkit.core.validation import check_choice, check_integer
from newtonkit.linalg.kernels import Vector, norm
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.lbfgs import CurvaturePairs
from newtonkit.methods.quasi_newton import check_fresh


class SampledPairs(NamedTuple):
    """The curvature pairs of the run, the iteration they belong to, and the point and gradient that begin a pair."""

    pairs: CurvaturePairs
    iteration: int
    x: Vector | None
    g: Vector | None


@dataclass(frozen=True)
class ScaleBySampledPairs(GradientTransform):
    """Hg with the BFGS matrix H of the last ``memory`` pairs (s, y); see `newtonkit.SampledLBFGS`."""

    memory: int = 10
    pairs: Literal["one batch", "two batches"] = "one batch"

    def __post_init__(self) -> None:
        check_integer("memory", self.memory, 1)
        check_choice("pairs", self.pairs, ("one batch", "two batches"))

    @property
    def needs_second_gradient(self) -> bool:
        """Whether both gradients of a pair are taken on the same batch."""
        return self.pairs == "one batch"

    def init(self, n: int) -> SampledPairs:
        """No pairs."""
        return SampledPairs(CurvaturePairs(n, self.memory), 0, None, None)

    def update(self, g: Vector, state: SampledPairs, x: Vector) -> tuple[Vector, SampledPairs]:
        """Hg; g·min(1, 1/‖g‖) without pairs. With pairs over two batches, H is updated with g first."""
        if not self.needs_second_gradient:
            state = self.observe(g, state, x)
        pairs = state.pairs
        check_fresh(pairs.iteration, state.iteration)
        p = pairs.inverse_hessian_times(g) if pairs else g / max(1.0, norm(g))
        return p, SampledPairs(pairs, pairs.iteration, x, g)

    def observe(self, g: Vector, state: SampledPairs, x: Vector) -> SampledPairs:
        """Add the pair that ends at x, where the gradient is g."""
        pairs = state.pairs
        check_fresh(pairs.iteration, state.iteration)
        if state.x is not None and state.g is not None:
            pairs.push(x - state.x, g - state.g)
        return SampledPairs(pairs, pairs.iteration, None, None)
