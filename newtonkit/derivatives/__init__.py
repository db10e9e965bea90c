"""Derivatives: the one place that knows autograd (autograd.numpy is used in ``problems``, to write functions)."""

from newtonkit.derivatives.autodiff import DifferentiationError, grad, hessian, hvp, value_and_grad
from newtonkit.derivatives.check import DerivativeCheck, check_derivatives

__all__ = [
    "DerivativeCheck",
    "DifferentiationError",
    "check_derivatives",
    "grad",
    "hessian",
    "hvp",
    "value_and_grad",
]
