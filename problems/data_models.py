"""Models of real data that are no sums over samples: an image, a matrix factorization, a Gaussian process."""

from __future__ import annotations

from functools import cache
from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import CriticalPoint, Problem, Vector, check_integer
from problems.datasets import digits
from problems.nist.data_sets import data_set
from problems.registry import register

_SIDE = 32  # pixels: a mosaic of 4 × 4 digits of 8 × 8
_NOISE = 0.2  # standard deviation, of the range of a pixel
_WEIGHT = 0.15  # of the total variation
_EDGE = 0.05  # the difference of neighbours up to which the penalty is quadratic
_IMAGES = 40  # rows of the matrix that is factorized
_JITTER, _TINY = 1e-8, 1e-150  # K is not singular where s is much less than σ, nor where all of it underflows
_RIDGE = 1.0  # λ of the factorization: its largest singular values are 25, 8, 6 and 5


@cache
def _mosaic() -> Vector:
    """The first sixteen digits as one image with noise."""
    images, _ = digits()
    clean = images[:16].reshape(4, 4, 8, 8).transpose(0, 2, 1, 3).reshape(_SIDE, _SIDE)
    noisy: Vector = clean + _NOISE * np.random.default_rng(32).standard_normal(clean.shape)
    return noisy


@register(
    "image-denoising",
    tags=("convex", "strongly-convex", "data"),
    summary="an image of 32 × 32 pixels without noise by smoothed total variation: a sparse Hessian, 1024 variables",
)
def image_denoising() -> Problem:
    """½‖x − y‖² + w Σ √(e² + (∂₁x)² + (∂₂x)²): y an image of sixteen digits with noise, x the image to find.

    ∂₁ and ∂₂ are differences of neighbours, e = 0.05 and w = 0.15. f is strongly convex with modulus 1. The starts are
    a black image and a random one.

    References
    ----------
    L. I. Rudin, S. Osher and E. Fatemi (1992), Physica D 60, 259-268, eq. 2.1; smoothed as by C. R. Vogel and M. E.
    Oman (1996), SIAM J. Sci. Comput. 17, 227-238, eq. 1.5.
    """
    noisy = _mosaic()

    def fun(x: Any) -> Any:
        image = anp.reshape(x, (_SIDE, _SIDE))
        down, right = image[1:, :-1] - image[:-1, :-1], image[:-1, 1:] - image[:-1, :-1]
        return 0.5 * anp.sum((image - noisy) ** 2) + _WEIGHT * anp.sum(anp.sqrt(_EDGE**2 + down**2 + right**2))

    n = _SIDE**2
    return Problem(
        fun=fun,
        n=n,
        starts={"standard": np.zeros(n), "far": 10.0 * np.random.default_rng(33).standard_normal(n)},
        points=(
            CriticalPoint(
                x=None,
                f=_IMAGE_MINIMUM,
                kind="minimum",
                index=0,
                verified="Newton's method to ‖g‖ < 1e-12; by strong convexity f − f* ≤ ‖g‖²/2 < 1e-24",
            ),
        ),
        complete=True,
        formula="½‖x − y‖² + w Σ √(e² + (∂₁x)² + (∂₂x)²)",
        references=("Rudin, Osher & Fatemi 1992, Physica D 60, 259-268, eq. 2.1",),
    )


_IMAGE_MINIMUM = 53.12765102560521


@register(
    "matrix-factorization",
    tags=("nonconvex", "degenerate", "data"),
    summary="forty images of digits as a product of two thin matrices: invariant under rotations, a dense Hessian",
)
def matrix_factorization(*, rank: int = 3) -> Problem:
    """½‖A − UVᵀ‖² + (λ/2)(‖U‖² + ‖V‖²) with A of 40 × 64 pixels, λ = 1, U of 40 × rank and V of 64 × rank.

    f does not change if U and V are rotated alike, so the minima are not isolated. They all have the same f, and there
    is no other local minimum. The lowest f follows from the singular values σᵢ of A: Σ ½(σᵢ − sᵢ)² + λ sᵢ with
    sᵢ = max(σᵢ − λ, 0) for i ≤ rank and 0 otherwise. The origin is a saddle.

    Parameters
    ----------
    rank : int from 1 to 40, default 3
        There are 104·rank variables.

    References
    ----------
    N. Srebro, J. Rennie and T. Jaakkola (2004), NIPS 17, lemma 1, for the norm; R. Mazumder, T. Hastie and R.
    Tibshirani (2010), J. Mach. Learn. Res. 11, 2287-2322, lemma 1, for the shrinkage of singular values.
    """
    rank = check_integer("rank", rank, low=1)
    if rank > _IMAGES:
        raise ValueError(f"rank must be at most {_IMAGES}, got {rank}")
    images, _ = digits()
    A = images[:_IMAGES]
    rows, columns = A.shape

    def fun(x: Any) -> Any:
        U = anp.reshape(x[: rows * rank], (rows, rank))
        V = anp.reshape(x[rows * rank :], (columns, rank))
        return 0.5 * anp.sum((A - anp.dot(U, V.T)) ** 2) + 0.5 * _RIDGE * anp.sum(x * x)

    values = np.linalg.svd(A, compute_uv=False)
    kept = np.where(np.arange(values.size) < rank, np.maximum(values - _RIDGE, 0.0), 0.0)
    lowest = float(np.sum(0.5 * (values - kept) ** 2 + _RIDGE * kept))
    n = (rows + columns) * rank
    random = np.random.default_rng(40).standard_normal(n)
    return Problem(
        fun=fun,
        n=n,
        starts={"standard": 0.1 * random, "far": 10.0 * random},
        points=(
            CriticalPoint(
                x=None,
                f=lowest,
                kind="degenerate minimum",
                index=0,
                verified="from the singular values of A (Srebro, Rennie & Jaakkola 2004, lemma 1)",
            ),
        ),
        formula="½‖A − UVᵀ‖² + (λ/2)(‖U‖² + ‖V‖²)",
        references=("Srebro, Rennie & Jaakkola 2004, NIPS 17", "data: Alpaydin & Kaynak, digits, UCI, test part"),
    )


@register(
    "gaussian-process",
    tags=("nonconvex",),
    summary="the likelihood of the three parameters of a Gaussian process for 60 monthly pressures",
)
def gaussian_process() -> Problem:
    """½ yᵀK⁻¹y + ½ log det K + (m/2) log 2π, a function of the logarithms of ℓ, σ and s.

    K = σ² exp(−(t − t′)²/2ℓ²) + (s² + 10⁻⁸σ²)I. y are the first m = 60 pressures of NIST's data
    set ENSO, standardized, and t the months.

    References
    ----------
    C. E. Rasmussen and C. K. I. Williams (2006), Gaussian Processes for Machine Learning, eq. 2.30 and 5.8.
    """
    months, pressures = (
        np.asarray(column, dtype=np.float64) for column in (data_set("ENSO").x[:60], data_set("ENSO").y[:60])
    )
    y = (pressures - pressures.mean()) / pressures.std()
    squares = (months[:, None] - months) ** 2
    identity = np.eye(y.size)

    def fun(theta: Any) -> Any:
        length, height, noise = anp.exp(2.0 * theta[0]), anp.exp(2.0 * theta[1]), anp.exp(2.0 * theta[2])
        K = height * anp.exp(-0.5 * squares / length) + (noise + _JITTER * height + _TINY) * identity
        fit = anp.dot(y, anp.linalg.solve(K, y))
        return 0.5 * (fit + anp.linalg.slogdet(K)[1] + y.size * anp.log(2.0 * anp.pi))

    return Problem(
        fun=fun,
        n=3,
        starts={"standard": np.zeros(3), "far": np.array([6.0, 5.0, 5.0])},
        points=(
            CriticalPoint(
                x=None,
                f=_PROCESS_MINIMUM,
                kind="minimum",
                index=0,
                verified="Newton's method to ‖g‖ < 1e-9; the lowest end of Newton runs from 60 random starts",
            ),
        ),
        formula="½ yᵀK⁻¹y + ½ log det K + (m/2) log 2π",
        references=("Rasmussen & Williams 2006, eq. 2.30 and 5.8", "data: NIST, ENSO"),
    )


_PROCESS_MINIMUM = 71.8840606743299
