"""The inertia of a symmetric matrix from two factorizations, and a lower bound on its index from a few products.

By Sylvester's law A = LDLᵀ has as many negative eigenvalues as D. The factorizations of H + τI and H − τI count the
eigenvalues below −τ and below τ. τ exceeds the backward error of both, so no count can be wrong. Sparse matrices are
factored by SuperLU without pivoting, or by feral-solver with it. If a pivot is zero, or if the factors grow, no count
is returned.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from newtonkit.linalg.kernels import EPS, Matrix, Vector
from newtonkit.linalg.sparse_factors import Factorizer, sparse_factorizer

MAX_THRESHOLDS = 6
THRESHOLD_RATIO = 30.0  # each τ is this much larger than the one before
MAX_THRESHOLD = 1e-6  # of ‖H‖: with a larger τ the count of zeros would mean little


class Inertia(NamedTuple):
    """Numbers of eigenvalues below −τ, between −τ and τ, and above τ."""

    negative: int
    zero: int
    positive: int
    threshold: float
    """τ, more than twice the backward error of both factorizations."""


def inertia(H: Matrix | sp.sparray | sp.spmatrix) -> Inertia | None:
    """The inertia of a symmetric matrix; None if the factorization cannot be trusted.

    Parameters
    ----------
    H : ndarray or scipy sparse, shape (n, n)
        Symmetric.

    Returns
    -------
    Inertia or None
        None: at all thresholds from 10·√n·eps·‖H‖ to about 1e-6·‖H‖ a pivot was zero, or the factors grew.
        If that is likely, the largest threshold is tried first.

    Notes
    -----
    A computed factorization is the exact one of A + E with |E| ≤ γ|L||D||Lᵀ|, γ = k·eps and k the longest inner product
    in it (Higham, 2002, *Accuracy and Stability of Numerical Algorithms*, theorems 9.3 and 11.3). The bound is
    computed from the factors. Full matrices: Bunch & Kaufman's pivoting (LAPACK's dsytrf), n³/3 operations each.

    Examples
    --------
    >>> inertia(np.diag([-2.0, 0.0, 1.0, 3.0]))[:3]
    (1, 1, 2)
    """
    A = sp.csc_array(H) if sp.issparse(H) else np.asarray(H, dtype=np.float64)
    n = A.shape[0]
    size = float(abs(A).sum(axis=0).max()) if n else 0.0
    if size == 0.0:
        return Inertia(0, n, 0, 0.0)
    below = functools.partial(_sparse_negatives, factorizer=sparse_factorizer()) if sp.issparse(A) else _dense_negatives
    unit = sp.eye_array(n, format="csc") if sp.issparse(A) else np.eye(n)

    @functools.cache
    def counted(tau: float) -> tuple[Inertia | None, float]:
        """The inertia, or None, and the number that τ would have to exceed for these factors."""
        lower, error = below(A + tau * unit)
        if 2.0 * error < tau:
            upper, error = below(A - tau * unit)
            if 2.0 * error < tau:
                return Inertia(lower, upper - lower, n - upper, tau), 2.0 * error
        return None, 2.0 * error

    least = 10 * math.sqrt(n) * EPS
    factors = [least * THRESHOLD_RATIO**k for k in range(MAX_THRESHOLDS)]
    thresholds = [factor * size for factor in factors if factor <= MAX_THRESHOLD]
    # Pivots as small as τ make the factors grow, most of all at the smallest τ. We tried 5 800 random sparse matrices,
    # grids and saddle point systems, plain and equilibrated: the largest threshold decided each that any one decided.
    doubtful = sp.issparse(A) and (
        float(np.abs(A.diagonal()).min()) <= thresholds[-1] or counted(thresholds[0])[1] >= thresholds[1]
    )
    if doubtful and counted(thresholds[-1])[0] is None:
        return None
    return next((found for found, _ in map(counted, thresholds) if found is not None), None)


def index_at_least(product: Callable[[Vector], Vector], V: Matrix, *, relative_error: float = 10 * EPS) -> int:
    """A lower bound on the number of negative eigenvalues of H, from products with the columns of V only.

    If V is orthonormal, VᵀHV has at most as many negative eigenvalues as H (Cauchy's interlacing theorem; Golub & Van
    Loan, 2013, theorem 8.1.7). Only eigenvalues of VᵀHV below −τ are counted, where τ is the error of the products. A
    single column with vᵀHv < −τ proves that a point is not a minimum.

    Parameters
    ----------
    product : callable
        v ↦ Hv.
    V : ndarray, shape (n, k)
        Any vectors; they are orthonormalized.
    relative_error : float, positive, default 10·eps
        Error of a product relative to its norm.

    Examples
    --------
    >>> h = np.array([-1.0, -2.0, 3.0, 4.0])
    >>> index_at_least(lambda v: h * v, np.eye(4)[:, :2])
    2
    """
    Q = np.linalg.qr(V)[0]
    HQ = np.column_stack([product(np.ascontiguousarray(q)) for q in Q.T])
    M = Q.T @ HQ
    tau = 10 * math.sqrt(len(V)) * relative_error * float(np.linalg.norm(HQ))
    return int(np.sum(np.linalg.eigvalsh(0.5 * (M + M.T)) < -tau))


def _dense_negatives(A: Matrix) -> tuple[int, float]:
    """The number of negative eigenvalues, and the backward error of the factorization used."""
    L, D, _ = scipy.linalg.ldl(A)
    # D has diagonal blocks of one or two rows
    negative = (
        int(np.sum(scipy.linalg.eigvalsh_tridiagonal(D.diagonal(), D.diagonal(1)) < 0.0))
        if len(A) > 1
        else int(D[0, 0] < 0.0)
    )
    growth = (np.abs(L) @ (np.abs(D) @ np.abs(L).sum(axis=0))).max()
    return negative, 2.0 * len(A) * EPS * float(growth)


def _sparse_negatives(A: Any, factorizer: Factorizer) -> tuple[int, float]:
    """The same for a sparse matrix; the error is infinite if there is no factor."""
    factor = factorizer.factor(A)
    return (0, math.inf) if factor is None else (factor.negative, factor.backward_error())
