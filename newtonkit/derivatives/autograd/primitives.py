"""autograd's primitives by the numpy and scipy functions that they call."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
import scipy.special
from autograd.numpy.numpy_boxes import ArrayBox

from newtonkit.derivatives.autograd.sparse_products import sparse_times


def raw_function(primitive: Any) -> Any:
    """The numpy or scipy function below a primitive; the primitive itself where it wraps none."""
    return getattr(primitive, "fun", primitive)


SPARSE_TIMES = raw_function(sparse_times)
GETITEM = raw_function(ArrayBox.__getitem__)
CONCATENATE_ARGS = raw_function(anp.numpy_wrapper.concatenate_args)
ARRAY_FROM_ARGS = raw_function(anp.numpy_wrapper.array_from_args)
# below the primitives of autograd.scipy, whose import takes longer than that of newtonkit
LOGSUMEXP: Any = scipy.special.logsumexp
GAMMALN: Any = scipy.special.gammaln
# autograd has a primitive for the norm below its own function, whose name depends on the version
NORMS = frozenset({np.linalg.norm, raw_function(getattr(anp.linalg, "_primitive_norm", anp.linalg.norm))})
