"""Derivatives: the one place that knows autograd (autograd.numpy is used in ``problems``, to write functions)."""

from newtonkit.derivatives.autodiff import DifferentiationError
from newtonkit.derivatives.check import DerivativeCheck, check_derivatives
from newtonkit.derivatives.colouring import SparseHessian, sparse_hessian
from newtonkit.derivatives.functions import grad, hessian, hvp, value_and_grad
from newtonkit.derivatives.sparsity import hessian_pattern

__all__ = [
    "DerivativeCheck",
    "DifferentiationError",
    "SparseHessian",
    "check_derivatives",
    "grad",
    "hessian",
    "hessian_pattern",
    "hvp",
    "sparse_hessian",
    "value_and_grad",
]
