"""Orthogonalized momentum for matrix parameters: Muon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from newtonkit.core.validation import check_real
from newtonkit.linalg.kernels import Matrix, Vector, all_finite
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.transforms.adam_moments import AdamState, scale_by_adam

RMS = 0.2  # root mean square of an update; typical of AdamW (Liu et al., 2025, section 2.2)
ADAM = scale_by_adam()  # for parameters that are not matrices


class MuonState(NamedTuple):
    """The momentum of all parameters, and the state of Adam for those that are not matrices."""

    v: Vector
    adam: AdamState


@dataclass(frozen=True)
class scale_by_muon(GradientTransform):  # noqa: N801
    """V ← γV + G, and 0.2·√max(p, q)·UWᵀ with the singular value decomposition G + γV = UΣWᵀ.

    This holds for every p×q matrix among the parameters. All other parameters are scaled as in `scale_by_adam`.

    Parameters
    ----------
    shapes : tuple of tuples of int
        The shapes of the parameters; `newtonkit.leaf_shapes` returns them.
    decay : float in [0, 1), default 0.95
        γ.

    Raises
    ------
    ValueError
        By `init`, if the shapes do not have n entries in total.

    Notes
    -----
    The authors approximate UWᵀ by five Newton-Schulz steps; here it is exact, by a singular value decomposition. The
    factor 0.2·√max(p, q) gives an update of full rank the root mean square 0.2, so that the learning rates of AdamW
    can be used.

    References
    ----------
    Jordan et al. (2024), *Muon: An optimizer for hidden layers in neural networks*, kellerjordan.github.io/posts/muon.
    Liu et al. (2025), *Muon is Scalable for LLM Training*, arXiv:2502.16982, section 2.2 (the factor).

    Examples
    --------
    >>> transform = scale_by_muon(shapes=((2, 2),))
    >>> direction, state = transform.update(np.array([3.0, 0.0, 0.0, -5.0]), transform.init(4), np.zeros(4))
    >>> (direction / (0.2 * 2**0.5)).round(12).tolist()
    [1.0, 0.0, 0.0, -1.0]
    """

    shapes: tuple[tuple[int, ...], ...]
    decay: float = 0.95

    def __post_init__(self) -> None:
        check_real("decay", self.decay, 0.0, 1.0, open_high=True)

    def init(self, n: int) -> MuonState:
        """V = 0, and the initial state of Adam."""
        sizes = [math.prod(shape) for shape in self.shapes]
        if sum(sizes) != n:
            raise ValueError(
                f"the shapes have {sum(sizes)} entries in total, but there are {n} parameters; "
                "write shapes=newtonkit.leaf_shapes(params)"
            )
        matrices = sum(size for size, shape in zip(sizes, self.shapes, strict=True) if _is_matrix(shape))
        return MuonState(np.zeros(n), ADAM.init(n - matrices))

    def update(self, g: Vector, state: MuonState, x: Vector) -> tuple[Vector, MuonState]:
        """The orthogonalized momentum of the matrices, Adam's direction for the rest."""
        v = self.decay * state.v + g
        lookahead = g + self.decay * v
        direction, rest, start = np.empty_like(g), np.ones(g.size, dtype=np.bool_), 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            if _is_matrix(shape):
                factor = orthogonal_factor(lookahead[start:stop].reshape(shape))
                direction[start:stop] = (RMS * math.sqrt(max(shape)) * factor).reshape(-1)
                rest[start:stop] = False
            start = stop
        direction[rest], adam = ADAM.update(g[rest], state.adam, x[rest])
        return direction, MuonState(v, adam)


def _is_matrix(shape: tuple[int, ...]) -> bool:
    """Whether a parameter is a matrix with more than one row and column."""
    return len(shape) == 2 and min(shape) > 1


def orthogonal_factor(A: Matrix) -> Matrix:
    """UWᵀ for A = UΣWᵀ: the nearest matrix with orthonormal rows or columns; NaN if A is not finite, 0 if A = 0."""
    if not all_finite(A.reshape(-1)):
        return np.full_like(A, np.nan)
    if not A.any():
        return np.zeros_like(A)
    U, _, Wt = np.linalg.svd(A, full_matrices=False)
    product: Matrix = U @ Wt
    return product
