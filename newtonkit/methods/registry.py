"""The table of methods by name, scipy's aliases, and construction from a name and options."""

from __future__ import annotations

from typing import Any

from newtonkit.core.validation import nearest_name
from newtonkit.driver.method import Method, as_method, with_options
from newtonkit.driver.method import option_names as options_of
from newtonkit.methods.adaptive import AdaDelta, AdaGrad, Adam, AdamW, Nadam, RMSProp
from newtonkit.methods.base import MethodBase
from newtonkit.methods.bfgs import BFGS
from newtonkit.methods.conjugate_gradient import ConjugateGradient
from newtonkit.methods.cubic import Cubic
from newtonkit.methods.dfp import DFP
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.gradient import GradientDescent, Momentum, Nesterov
from newtonkit.methods.lbfgs import LBFGS
from newtonkit.methods.line_search_newton import LineSearchNewton
from newtonkit.methods.pure_newton import PureNewton
from newtonkit.methods.sr1 import SR1
from newtonkit.methods.steepest_descent import SteepestDescent
from newtonkit.methods.trust_region_newton import TrustRegionNewton
from newtonkit.methods.trust_region_newton_cg import TrustRegionNewtonCG

METHODS: dict[str, type[MethodBase] | type[GradientTransform]] = {
    cls.name: cls
    for cls in (
        TrustRegionNewton,
        TrustRegionNewtonCG,
        Cubic,
        LineSearchNewton,
        PureNewton,
        BFGS,
        DFP,
        SR1,
        LBFGS,
        ConjugateGradient,
        SteepestDescent,
        GradientDescent,
        Momentum,
        Nesterov,
        AdaGrad,
        RMSProp,
        AdaDelta,
        Adam,
        AdamW,
        Nadam,
    )
}

# scipy's names, for the nearest of ours; in any case
ALIASES = {
    "l-bfgs-b": "lbfgs",
    "l-bfgs": "lbfgs",
    "tnc": "newton-cg",
    "trust-constr": "newton",
    "trust-exact": "newton",
    "trust-ncg": "newton-cg",
    "trust-krylov": "newton-cg",
    "dogleg": "newton",
    "sgd": "gd",
    "nag": "nesterov",
}


def names() -> list[str]:
    """The names of all methods, second-order first.

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.method_names()[:3]
    ['newton', 'newton-cg', 'cubic']
    """
    return list(METHODS)


def canonical_name(name: str) -> str:
    """The name in our list that a user's spelling or one of scipy's names means.

    Raises
    ------
    ValueError
        With the nearest valid name.
    """
    lower = name.strip().lower().replace("_", "-")
    lower = ALIASES.get(lower, lower)
    if lower not in METHODS:
        raise ValueError(f"unknown method {name!r}; {nearest_name(name, [*METHODS, *ALIASES, 'auto'])}")
    return lower


def option_names(method: str | Method | GradientTransform) -> list[str]:
    """Return the names of the options of a method or of the method with this name."""
    return options_of(METHODS[canonical_name(method)] if isinstance(method, str) else method)


def make_method(method: str | Method | GradientTransform, **options: Any) -> Method:
    """Return a configured method from its name, or from an instance of which some options are replaced.

    Examples
    --------
    >>> make_method("lbfgs", memory=20).memory
    20
    """
    if isinstance(method, str):
        return as_method(METHODS[canonical_name(method)](**options))
    return with_options(method, options)
