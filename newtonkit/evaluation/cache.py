"""The evaluation cache: derivatives at the last point, so that nothing is evaluated twice."""

from __future__ import annotations

import scipy.sparse as sp

from newtonkit.derivatives.linearization import Linearization
from newtonkit.evaluation.ledger import Ledger
from newtonkit.linalg.kernels import Matrix, Vector


class EvaluationCache:
    """Holds the linearization, the dense and the sparse Hessian at the point where each was evaluated last.

    Points are compared by identity: states are never written after their creation, and an equal array at another place
    in memory is another point.

    A Hessian that was evaluated for a check, and then requested by the method, moves to the method's counts: the
    method would have requested it in any case.

    Parameters
    ----------
    ledger : Ledger
        Where Hessians are counted.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.forget()

    def forget(self) -> None:
        """Drop everything."""
        self._linear_x: Vector | None = None
        self._linear: Linearization | None = None
        self._dense_x: Vector | None = None
        self._dense: Matrix | None = None
        self._dense_is_check = False
        self._sparse_x: Vector | None = None
        self._sparse: sp.csc_array | None = None
        self._sparse_is_check = False

    # --- linearization --------------------------------------------------------------------------------------

    def linearization(self, x: Vector) -> Linearization | None:
        """Return the linearization at x, or None."""
        return self._linear if x is self._linear_x else None

    def store_linearization(self, x: Vector, linearization: Linearization) -> None:
        """Keep the linearization at x in place of the last."""
        self._linear_x, self._linear = x, linearization

    def forget_linearization(self) -> None:
        """Drop the linearization: its values are in doubt."""
        self._linear_x = self._linear = None

    # --- Hessians -------------------------------------------------------------------------------------------

    def dense(self, x: Vector) -> Matrix | None:
        """Return the dense Hessian at x, or None."""
        return self._dense if x is self._dense_x else None

    def sparse(self, x: Vector) -> sp.csc_array | None:
        """Return the sparse Hessian at x, or None."""
        return self._sparse if x is self._sparse_x else None

    def store_dense(self, x: Vector, H: Matrix) -> None:
        """Keep the dense Hessian at x in place of the last."""
        self._dense_x, self._dense, self._dense_is_check = x, H, self._ledger.is_checking

    def store_sparse(self, x: Vector, H: sp.csc_array) -> None:
        """Keep the sparse Hessian at x in place of the last."""
        self._sparse_x, self._sparse, self._sparse_is_check = x, H, self._ledger.is_checking

    def claim_dense(self) -> bool:
        """Count the dense Hessian for the method if the method requests it now; return whether its count moved."""
        moved = self._dense_is_check and not self._ledger.is_checking
        if moved:
            self._ledger.move_hessian_to_method()
            self._dense_is_check = False
        return moved

    def claim_sparse(self) -> bool:
        """Count the sparse Hessian for the method if the method requests it now; return whether its count moved."""
        moved = self._sparse_is_check and not self._ledger.is_checking
        if moved:
            self._ledger.move_hessian_to_method()
            self._sparse_is_check = False
        return moved
