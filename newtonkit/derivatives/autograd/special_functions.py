"""Derivatives of ufuncs of ``scipy.special`` that autograd does not have; they may be called from scipy directly."""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as anp
import scipy.special
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

xlogy = primitive(scipy.special.xlogy)
entr = primitive(scipy.special.entr)
rel_entr = primitive(scipy.special.rel_entr)
log_expit = primitive(scipy.special.log_expit)
ndtr = primitive(scipy.special.ndtr)
log_ndtr = primitive(scipy.special.log_ndtr)


def define_special_functions() -> None:
    """Define the derivatives of xlogy, entr, rel_entr, log_expit, ndtr and log_ndtr."""
    defvjp(
        xlogy,
        lambda ans, x, y: unbroadcast_f(x, lambda g: g * anp.log(y)),
        lambda ans, x, y: unbroadcast_f(y, lambda g: g * x / y),
    )
    defvjp(entr, lambda ans, x: lambda g: -g * (anp.log(x) + 1.0))
    defvjp(
        rel_entr,
        lambda ans, x, y: unbroadcast_f(x, lambda g: g * (anp.log(x / y) + 1.0)),
        lambda ans, x, y: unbroadcast_f(y, lambda g: -g * x / y),
    )
    defvjp(log_expit, lambda ans, x: lambda g: g * _expit(-x))
    scale = 1.0 / math.sqrt(2.0 * math.pi)
    defvjp(ndtr, lambda ans, x: lambda g: g * scale * anp.exp(-0.5 * x**2))
    defvjp(log_ndtr, lambda ans, x: lambda g: g * scale * anp.exp(-0.5 * x**2 - ans))


def _expit(x: Any) -> Any:
    """1/(1 + e⁻ˣ), differentiable; imported when it is used: autograd.scipy imports all of scipy.stats."""
    from autograd.scipy.special import expit

    return expit(x)
