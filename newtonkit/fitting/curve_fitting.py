"""`curve_fit`: scipy's signature, named, fixed, tied and bounded parameters, and a report."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import OptimizeWarning

from newtonkit.core.validation import check_choice, nearest_name
from newtonkit.fitting.arguments import domain_of
from newtonkit.fitting.curve import CurveFit
from newtonkit.fitting.curve_residuals import ParameterMap, curve_residuals, weighted
from newtonkit.fitting.solver import least_squares
from newtonkit.linalg.kernels import Vector

# arguments of least_squares that curve_fit sets itself
_OWN_ARGUMENTS = frozenset({"fun", "x0", "jac", "bounds", "method", "args", "names"})


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Callable[..., Any] | str | None = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
    **kwargs: Any,
) -> CurveFit:
    """Fit f(xdata, \\*parameters) to ydata by least squares.

    The signature is that of `scipy.optimize.curve_fit`, and ``popt, pcov = curve_fit(...)`` works. The object returned
    prints a report, and knows intervals, bands and predictions.

    Parameters
    ----------
    f : callable
        f(xdata, a, b, …), written with ``autograd.numpy`` for exact derivatives; else they are 3-point differences.
    xdata : any object
        Passed to f as an array where it can be converted to one.
    ydata : array_like, shape (m,)
    p0 : array_like, or a dict of name to start, optional
        Starts of the parameters, in the order of f's signature; 1 by default, or a point within the bounds.
    sigma : array_like, shape (m,) or (m, m), or a number, optional
        Standard deviations of ydata, or their covariance matrix.
    absolute_sigma : bool, default False
        Whether sigma is in the units of ydata; else it is relative, and scaled by the residuals.
    check_finite : bool, default True
        Whether NaN and infinite data are an error.
    bounds : pair (lower, upper), scipy.optimize.Bounds, or a dict of name to (lower, upper)
        None stands for no bound in a dict.
    method : str, optional
        As for `newtonkit.least_squares`; "auto" by default.
    jac : callable, "2-point", "3-point" or None
        jac(xdata, \\*parameters), shape (m, n).
    full_output : bool, default False
        Whether the object unpacks to (popt, pcov, infodict, mesg, ier).
    nan_policy : {"raise", "omit"}, optional
        What to do with NaN in the data where ``check_finite`` is False.
    fixed : dict of name to value, optional
        Parameters of f that keep this value.
    tied : dict of name to callable, optional
        Parameters that follow from the others: ``tied={"b": lambda p: 2 * p["a"]}``.
    **kwargs
        Options of `newtonkit.least_squares`, such as ``loss="soft_l1"`` and ``f_scale``.

    Returns
    -------
    CurveFit
        ``popt, pcov``, ``names``, ``result``, ``intervals()``, ``predict()``, ``band()``, ``report()``, ``plot()``.

    Raises
    ------
    ValueError, TypeError
        For a mistake of the caller, naming the argument.

    Warns
    -----
    OptimizeWarning
        If the fit did not converge, or the data do not determine the parameters: ``pcov`` is infinite then.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import newtonkit
    >>> t = np.linspace(0.0, 3.0, 20)
    >>> popt, pcov = newtonkit.curve_fit(lambda t, a, b: a * np.exp(-b * t), t, 3.0 * np.exp(-0.7 * t))
    >>> popt.round(6)
    array([3. , 0.7])
    """
    names = _parameter_names(f, p0)
    _check_options(kwargs)
    fixed, tied = dict(fixed or {}), dict(tied or {})
    for name in (*fixed, *tied):
        if name not in names:
            raise ValueError(f"fixed and tied name parameters of f, {', '.join(names)}; got {name!r}")
    free = [name for name in names if name not in fixed and name not in tied]
    if not free:
        raise ValueError("every parameter is fixed or tied; at least one must be free")
    x, y, weights = _data(xdata, ydata, sigma, True if check_finite is None else check_finite, nan_policy)
    lower, upper = _bounds_of(bounds, free)
    start = _start(p0, free, names, lower, upper)
    parameters = ParameterMap(tuple(names), tuple(free), fixed, tied)
    residuals = curve_residuals(f, parameters, share=isinstance(x, np.ndarray))
    own_jac = jac
    if callable(jac):
        if tied or fixed:
            raise ValueError("jac cannot be given together with fixed or tied parameters; leave it out")

        def own_jac(values: Vector, x: Any, y: Vector, weights: Any = None) -> Any:
            return weighted(np.asarray(jac(x, *values), dtype=np.float64), weights)

    data = (x, y) if weights is None else (x, y, weights)
    box = (lower, upper) if np.isfinite(lower).any() or np.isfinite(upper).any() else None
    result = least_squares(
        residuals, start, own_jac, box, "auto" if method is None else method, args=data, names=free, **kwargs
    )
    fit = CurveFit(f, x, y, result, parameters, absolute_sigma=absolute_sigma, full_output=full_output)
    if not result.success:
        warnings.warn(f"the fit did not succeed: {result.message}", OptimizeWarning, stacklevel=2)
    elif not np.isfinite(fit.pcov).all() and not np.isnan(fit.pcov).any():
        warnings.warn("the covariance of the parameters could not be estimated", OptimizeWarning, stacklevel=2)
    return fit


def _check_options(options: dict[str, Any]) -> None:
    """Replace scipy's maxfev, and raise for an option that `least_squares` does not have."""
    if "maxfev" in options:  # scipy's name for method "lm"
        options["max_nfev"] = options.pop("maxfev")
    if not options:
        return
    known = [name for name in inspect.signature(least_squares).parameters if name not in _OWN_ARGUMENTS]
    for name in options:
        if name not in known:
            own = [*inspect.signature(curve_fit).parameters]
            raise TypeError(f"curve_fit has no option {name!r}; {nearest_name(name, [*own, *known])}")


def _parameter_names(f: Callable[..., Any], p0: Any) -> list[str]:
    """The names of f's parameters: from its signature, a dict p0, or p1, p2, …"""
    if not callable(f):
        raise TypeError(f"f must be callable, got {type(f).__name__}; write curve_fit(f, xdata, ydata)")
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    names = [p.name for p in positional[1:]]
    if isinstance(p0, Mapping):
        return names if names and not variadic else [str(name) for name in p0]
    if variadic or not names:
        if p0 is None:
            raise ValueError("the number of parameters cannot be read from the signature of f; pass p0")
        return [f"p{i + 1}" for i in range(np.size(p0))]
    return names


def _start(p0: Any, free: list[str], names: list[str], lower: Vector, upper: Vector) -> Vector:
    if p0 is None:
        # scipy's rule: 1, or a point within the bounds
        below, above = np.isfinite(lower), np.isfinite(upper)
        middle = 0.5 * (np.where(below, lower, 0.0) + np.where(above, upper, 0.0))
        one_sided = np.where(below, lower + 1.0, np.where(above, upper - 1.0, 1.0))
        return np.asarray(np.where(below & above, middle, one_sided))
    if isinstance(p0, Mapping):
        unknown = [name for name in p0 if name not in names]
        missing = [name for name in free if name not in p0]
        if unknown or missing:
            raise ValueError(f"p0 must name the parameters {', '.join(free)}; unknown: {unknown}, missing: {missing}")
        return np.array([float(p0[name]) for name in free])
    start = np.atleast_1d(np.asarray(p0, dtype=np.float64)).reshape(-1)
    if start.size == len(names) != len(free):
        start = start[[names.index(name) for name in free]]
    if start.size != len(free):
        raise ValueError(f"p0 must have {len(free)} entries ({', '.join(free)}), got {start.size}")
    return start


def _bounds_of(bounds: Any, free: list[str]) -> tuple[Vector, Vector]:
    n = len(free)
    if isinstance(bounds, Mapping):
        lower, upper = np.full(n, -math.inf), np.full(n, math.inf)
        for name, pair in bounds.items():
            if name not in free:
                raise ValueError(f"bounds name free parameters, {', '.join(free)}; got {name!r}")
            low, high = pair
            i = free.index(name)
            lower[i], upper[i] = -math.inf if low is None else low, math.inf if high is None else high
        return lower, upper
    domain = domain_of(bounds, n)
    return np.broadcast_to(domain.lower, (n,)).copy(), np.broadcast_to(domain.upper, (n,)).copy()


def _data(xdata: Any, ydata: Any, sigma: Any, check_finite: bool, nan_policy: str | None) -> tuple[Any, Vector, Any]:
    """The data as float64 arrays, and the weights of the residuals."""
    if nan_policy is not None:
        check_choice("nan_policy", nan_policy, ("raise", "omit"))
    x = np.asarray(xdata, dtype=np.float64) if _is_numeric(xdata) else xdata
    if np.iscomplexobj(ydata):
        raise ValueError("ydata must be real; fit the real and the imaginary part as one vector")
    y = np.asarray(ydata, dtype=np.float64).reshape(-1)
    if y.size == 0:
        raise ValueError("ydata must not be empty")
    deviations = None if sigma is None else np.asarray(sigma, dtype=np.float64)
    numeric = isinstance(x, np.ndarray)
    if check_finite and not (np.isfinite(y).all() and (not numeric or np.isfinite(x).all())):
        raise ValueError(
            "xdata and ydata must be finite; pass check_finite=False with nan_policy='omit' to leave out NaN"
        )
    missing = np.isnan(y) | (
        np.isnan(x).reshape(-1, y.size).any(axis=0) if numeric and x.shape[-1] == y.size else False
    )
    if missing.any() and nan_policy == "raise":
        raise ValueError("xdata or ydata contain NaN (nan_policy='raise')")
    if missing.any() and nan_policy == "omit":
        kept = ~missing
        x, y = x[..., kept], y[kept]
        if deviations is not None and deviations.ndim:
            deviations = deviations[kept] if deviations.ndim == 1 else deviations[np.ix_(kept, kept)]
    return x, y, _weights(deviations, y.size)


def _is_numeric(data: Any) -> bool:
    try:
        return np.asarray(data).dtype.kind in "fiub"
    except ValueError:
        return False


def _weights(sigma: Any, m: int) -> Any:
    """1/σ, shape (m,), or L⁻¹ for a covariance matrix LLᵀ; None without sigma."""
    if sigma is None:
        return None
    if sigma.ndim < 2:
        if sigma.size not in (1, m):
            raise ValueError(f"sigma must have {m} entries, one for each of ydata, got {sigma.size}")
        if not (np.isfinite(sigma).all() and (sigma > 0.0).all()):
            raise ValueError("sigma must be positive")
        return np.broadcast_to(1.0 / sigma, (m,)).copy()
    if sigma.shape != (m, m):
        raise ValueError(f"sigma must have shape ({m},) or ({m}, {m}), got {sigma.shape}")
    try:
        L = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        raise ValueError("sigma must be positive definite") from None
    return solve_triangular(L, np.eye(m), lower=True)
