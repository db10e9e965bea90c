"""Options under scipy's names: translated into ours, or accepted with a warning if they have no effect."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from scipy.optimize import OptimizeWarning

_TRUST_REGION = frozenset({"newton", "newton-cg"})
# scipy's name: (our name, the methods that have it; None: all)
_TRANSLATED: dict[str, tuple[str, frozenset[str] | None]] = {
    "maxfun": ("maxfev", None),
    "maxcor": ("memory", frozenset({"lbfgs"})),
    "initial_trust_radius": ("initial_radius", _TRUST_REGION),
}
_EXACT = "derivatives are exact; give jac to control how they are computed"
_OWN_LINE_SEARCH = "the line search is configured by the option line_search, such as newtonkit.MoreThuente(c1=1e-4)"
_OWN_RADIUS = "the trust region has its own rule for the radius"
_WITHOUT_EFFECT = {
    "eps": _EXACT,
    "finite_diff_rel_step": _EXACT,
    "workers": "evaluations are sequential",
    "norm": "gtol limits the largest component of the gradient",
    "c1": _OWN_LINE_SEARCH,
    "c2": _OWN_LINE_SEARCH,
    "xrtol": "use xtol, which limits the length of the last step relative to ‖x‖",
    "hess_inv0": "the first approximation is scaled from the first step",
    "max_trust_radius": _OWN_RADIUS,
    "eta": _OWN_RADIUS,
    "subproblem": "the method chooses its subproblem solver",
    "inexact": "the accuracy of the subproblem follows the gradient",
}


def translate_options(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options under our names.

    ``None`` for a limit means the default, as in scipy. ``iprint`` ≥ 1 prints a line per iteration, as ``disp`` does.

    Parameters
    ----------
    method : str
        The name of the method.
    options : dict

    Warns
    -----
    scipy.optimize.OptimizeWarning
        For an option of scipy's that has no effect here.

    Examples
    --------
    >>> translate_options("lbfgs", {"maxcor": 20, "maxfun": None, "maxiter": 50})
    {'memory': 20, 'maxiter': 50}
    """
    translated: dict[str, Any] = {}
    for name, value in options.items():
        ours, methods = _TRANSLATED.get(name, (name, None))
        if methods is not None and method not in methods:
            ours = name
        if value is None and ours in ("maxiter", "maxfev", "memory", "gtol", "ftol", "xtol", "disp", "iprint"):
            continue
        if ours == "iprint":
            translated["disp"] = value >= 1
        elif ours in _WITHOUT_EFFECT:
            message = f"the option {name!r} has no effect in newtonkit: {_WITHOUT_EFFECT[ours]}"
            warnings.warn(message, OptimizeWarning, stacklevel=4)
        else:
            translated[ours] = value
    return translated
