"""The verdict for more variables than all eigenvalues can be computed for."""

from __future__ import annotations

import numpy as np

from newtonkit.classification.factored import sparse_verdict
from newtonkit.classification.lanczos import product_verdict
from newtonkit.classification.large_bounded import large_bounded_verdict
from newtonkit.classification.verdict import Verdict
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import SparseStructure
from newtonkit.linalg.kernels import Vector


def large_verdict(evaluator: Evaluator, x: Vector, g: Vector, radius: float = 1e-3) -> Verdict:
    """By the inertia of a sparse Hessian, if its factors are sparse too; else by 50 products."""
    bounded = evaluator.domain.is_bounded
    pattern, _ = evaluator.hessian_pattern(x)
    if pattern is not None and (structure := SparseStructure(pattern)).fits:
        H = evaluator.sparse_hessian(x)
        if H is not None and bool(np.isfinite(H.data).all()):
            if bounded:
                return large_bounded_verdict(evaluator, x, g, structure.matrix(H), radius=radius)
            return sparse_verdict(evaluator, x, g, H, structure, radius=radius)
    if bounded:
        return large_bounded_verdict(evaluator, x, g, None, radius=radius)
    return product_verdict(evaluator, x, g, radius=radius)
