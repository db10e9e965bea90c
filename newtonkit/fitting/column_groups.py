"""Sparse Jacobians of a known pattern: columns without a common row share one product or one difference.

References
----------
Curtis, Powell & Reid (1974), IMA J. Appl. Math. 13, 117; Coleman & Moré (1983), SIAM J. Numer. Anal. 20, 187.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from newtonkit.derivatives.sparsity.colouring import first_fit
from newtonkit.linalg.kernels import Matrix, Vector

_LACKING = 1e-6  # relative difference from which a product shows an entry outside the pattern, far above rounding


class GroupedColumns:
    """The groups of columns of a pattern.

    Parameters
    ----------
    pattern : array_like or sparse array, shape (m, n)
        Nonzero where the Jacobian may be.
    n : int

    Raises
    ------
    ValueError
        If it is no matrix with n columns.
    """

    def __init__(self, pattern: Any, n: int) -> None:
        matrix = sp.csc_array(pattern if sp.issparse(pattern) else np.atleast_2d(np.asarray(pattern)))
        if matrix.shape[1] != n:
            raise ValueError(f"jac_sparsity must have shape (m, {n}), got {matrix.shape}")
        matrix.eliminate_zeros()
        matrix.sort_indices()
        self.shape = matrix.shape
        self.pattern = matrix
        self.group = first_fit(matrix)
        self.count = int(self.group.max(initial=-1)) + 1
        self._column = np.repeat(np.arange(n), np.diff(matrix.indptr))

    def directions(self) -> Matrix:
        """The sums of the unit vectors of each group, shape (count, n)."""
        found = np.zeros((self.count, self.group.size))
        found[self.group, np.arange(self.group.size)] = 1.0
        return found

    def columns_of_rows(self) -> NDArray[np.intp]:
        """For each group and row the column of the group with an entry there, 0 without, shape (count, m)."""
        found = np.zeros((self.count, self.shape[0]), dtype=np.intp)
        found[self.group[self._column], self.pattern.indices] = self._column
        return found

    def expand(self, products: Matrix) -> sp.csc_array:
        """The Jacobian from its products with `directions`, shape (m, count).

        Raises
        ------
        ValueError
            If the pattern has another number of rows.
        """
        if products.shape[0] != self.shape[0]:
            raise ValueError(f"jac_sparsity has {self.shape[0]} rows, but there are {products.shape[0]} residuals")
        rows = self.pattern.indices
        data = products[rows, self.group[self._column]]
        return sp.csc_array((data, rows, self.pattern.indptr), shape=self.shape)

    def check(self, J: sp.csc_array, v: Vector, product: Vector) -> None:
        """Raise ValueError if J·v is not this product: the pattern lacks entries."""
        size = float(np.max(abs(J) @ np.abs(v), initial=0.0)) + float(np.max(np.abs(product), initial=0.0))
        if np.isfinite(size) and float(np.max(np.abs(J @ v - product), initial=0.0)) > _LACKING * size:
            row = int(np.argmax(np.abs(J @ v - product)))
            raise ValueError(f"jac_sparsity lacks entries of the Jacobian: row {row} has more than those that it lists")
