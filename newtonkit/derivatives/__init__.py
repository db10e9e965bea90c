"""Derivatives: the one place that knows autograd (autograd.numpy is used in ``problems``, to write functions)."""

from newtonkit.derivatives.autodiff import DifferentiationError
from newtonkit.derivatives.check import DerivativeCheck, check_derivatives
from newtonkit.derivatives.functions import grad, hessian, hvp, value_and_grad

__all__ = [
    "DerivativeCheck",
    "DifferentiationError",
    "check_derivatives",
    "grad",
    "hessian",
    "hvp",
    "value_and_grad",
]
