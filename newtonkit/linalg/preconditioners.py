"""Preconditioners of sparse symmetric matrices: algebraic multigrid by pyamg (extra ``sparse``)."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import warnings

import numpy as np
import scipy.sparse as sp

from newtonkit.linalg.kernels import Vector, all_finite, dot
from newtonkit.linalg.sparse_factors import Solve

# Work in products with the matrix, measured on grids of 300² and 1000² points: the hierarchy takes as long as 50 to 70
# products, one cycle as long as 8 to 10.
SETUP_PRODUCTS = 60
CYCLE_PRODUCTS = 9
_SMALLEST = 20_000  # below this n a factorization or plain products take less than 0.1 s
# Smoothed aggregation supposes rows that are diagonally dominant; of so many the sum of the other entries must be at
# most so much larger than the diagonal. Where that is not enough, the attempt ends after its share of the work.
_DOMINANT, _SLACK = 0.5, 0.05


@functools.cache
def has_multigrid() -> bool:
    """Whether pyamg is installed."""
    return importlib.util.find_spec("pyamg") is not None


def suits_multigrid(B: sp.csc_array) -> bool:
    """Whether pyamg is installed, and B is large, with positive diagonal, and mostly nearly diagonally dominant."""
    n = B.shape[0]
    if n < _SMALLEST or not has_multigrid():
        return False
    diagonal = B.diagonal()
    if not (diagonal > 0.0).all():
        return False
    others = np.asarray(abs(B).sum(axis=1)).ravel() - diagonal
    return float(np.mean(others <= (1.0 + _SLACK) * diagonal)) >= _DOMINANT


def multigrid(B: sp.csc_array) -> Solve | None:
    """Return v ↦ M⁻¹v: one symmetric V-cycle of smoothed aggregation for B; None if it is not positive definite.

    Vaněk, Mandel & Brezina (1996), Computing 56, 179.

    Parameters
    ----------
    B : csc_array, shape (n, n)
        Symmetric with positive diagonal.

    Raises
    ------
    ImportError
        If pyamg is not installed.
    """
    if not has_multigrid():
        raise ImportError("multigrid requires pyamg: pip install 'newtonkit[sparse]'")
    pyamg = importlib.import_module("pyamg")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            cycle = pyamg.smoothed_aggregation_solver(sp.csr_matrix(B)).aspreconditioner(cycle="V")
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    probe = np.cos(1.7 * np.arange(B.shape[0]))

    def solve(v: Vector) -> Vector:
        return np.asarray(cycle @ v)

    tried = solve(probe)
    return solve if all_finite(tried) and dot(probe, tried) > 0.0 else None
