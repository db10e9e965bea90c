"""Products of scipy's sparse matrices with traced arrays: ``S @ x`` and ``x @ S`` as one primitive with a derivative.

scipy converts an operand that it does not know to an array of Python objects. `support_sparse_products` makes its
sparse classes pass autograd's boxes to the primitive instead; all other operands are handled by scipy as before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import isbox

_FORMATS = (
    *(sp.csr_array, sp.csc_array, sp.coo_array, sp.bsr_array, sp.dia_array, sp.lil_array, sp.dok_array),
    *(sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.bsr_matrix, sp.dia_matrix, sp.lil_matrix, sp.dok_matrix),
)


@primitive  # type: ignore[untyped-decorator]
def sparse_times(S: Any, X: Any) -> Any:
    """SX for a sparse matrix S that does not depend on x, and a dense vector or matrix X."""
    return S @ X


defvjp(sparse_times, lambda ans, S, X: lambda G: sparse_times(S.T, G), argnums=(1,))


def support_sparse_products() -> None:
    """Let ``S @ x``, ``S.dot(x)`` and ``x @ S`` accept boxes; for ``scipy.sparse.*_matrix`` also ``S * x``."""
    for cls in {base for kind in _FORMATS for base in kind.__mro__}:
        dispatch = vars(cls).get("_matmul_dispatch")
        if dispatch is not None:
            cls._matmul_dispatch = _accepting_boxes(dispatch)
    times = ArrayBox.__matmul__
    ArrayBox.__matmul__ = lambda x, other: sparse_times(other.T, x.T).T if sp.issparse(other) else times(x, other)


def _accepting_boxes(dispatch: Any) -> Any:
    def _matmul_dispatch(S: Any, other: Any, *rest: Any) -> Any:
        if not isbox(other):
            return dispatch(S, other, *rest)
        if np.ndim(other._value) not in (1, 2):
            raise TypeError(f"S @ x needs x of one or two dimensions, got shape {other.shape}")
        return sparse_times(S, other)

    return _matmul_dispatch
