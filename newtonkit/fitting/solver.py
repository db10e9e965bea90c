"""`least_squares`: names, scipy's signature, structures, and the choice of a method."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.core.termination import from_exception
from newtonkit.core.validation import check_integer
from newtonkit.derivatives.foreign_residuals import LIBRARIES, ForeignResiduals
from newtonkit.derivatives.losses import Loss
from newtonkit.derivatives.pytree import flatten, structure
from newtonkit.fitting.arguments import domain_of, linear_mask, method_name, parameter_names, sizes_of, tolerance
from newtonkit.fitting.assembly import assemble
from newtonkit.fitting.column_groups import GroupedColumns
from newtonkit.fitting.functions import FitFunctions, check_source
from newtonkit.fitting.outcome import Tolerances
from newtonkit.fitting.problem import FitPoint
from newtonkit.fitting.progress import fit_callback
from newtonkit.fitting.result import FitResult
from newtonkit.fitting.setting import Setting
from newtonkit.fitting.shared_derivatives import flat_function, shared_derivatives
from newtonkit.linalg.kernels import all_finite
from newtonkit.objectives.objective import Objective
from newtonkit.objectives.sum_of_squares import SumOfSquares


def least_squares(
    fun: Callable[..., Any] | SumOfSquares,
    x0: Any,
    jac: Callable[..., Any] | str | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str = "auto",
    ftol: float | None = None,
    xtol: float | None = None,
    gtol: float | None = None,
    x_scale: Any = None,
    loss: str | Callable[..., Any] = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: Any = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
    workers: Any = None,
    *,
    curvature: Callable[..., Any] | None = None,
    derivatives: str = "tape",
    names: Sequence[str] | None = None,
    linear: Sequence[str] | None = None,
) -> FitResult:
    """Minimize ½ f_scale² Σ ρ((rᵢ(x)/f_scale)²) over x, optionally with lower ≤ x ≤ upper.

    The signature is that of `scipy.optimize.least_squares`; derivatives that are not given come from autograd, second
    derivatives included.

    Parameters
    ----------
    fun : callable or SumOfSquares
        fun(x, \\*args, \\*\\*kwargs) returns the residuals: an array of any shape, or a structure of arrays. A
        `newtonkit.SumOfSquares` brings its own jac, curvature, loss, f_scale and args.
    x0 : array_like, a dict, list or tuple of arrays, or an earlier result
        The start; fun receives its structure. A start outside the bounds is moved to the nearest point within.
    jac : callable, "2-point", "3-point" or None, default None
        The Jacobian, shape (m, n). None: exact derivatives by autograd; where fun is not written with
        ``autograd.numpy``, 3-point differences, which ``result.derivatives`` states.
    bounds : pair (lower, upper), scipy.optimize.Bounds, or a dict of name to (lower, upper), default no bounds
        Numbers, arrays or structures like x0; a dict where x0 is a dict, in which None, or no entry, means no bound.
        fun is never called outside.
    method : str, default "auto"
        "hybrid": Gauss–Newton steps, and Newton steps with exact curvature where those are slow.
        "levenberg-marquardt" ("lm"): Gauss–Newton steps only. "newton": Newton steps only. "variable-projection":
        parameters in which r is affine are eliminated. "auto" ("trf", "dogbox"): variable projection if linear
        parameters without bounds are found and the loss is linear, else "hybrid".
    ftol, gtol : float, optional
        Off by default. ftol: end when an accepted step reduces the cost by at most ftol·cost. gtol: end when
        max|P(x − grad) − x| ≤ gtol.
    xtol : float, default 1e-8
        Converged when the free step changes each parameter by at most xtol of itself, and the Hessian is positive
        definite.
    x_scale : array_like or "jac", optional
        Typical sizes of the parameters, which fix the shape of the trust region. Default: Moré's scaling, the running
        maximum of the column norms of J; then iterates do not depend on the units of the parameters.
    loss : str or callable, default "linear"
        "linear", "soft_l1", "huber", "cauchy", "arctan", or z ↦ (ρ, ρ′, ρ″) of shape (3, m).
    f_scale : float, positive, default 1
        The residual beyond which the loss grows more slowly than a square.
    diff_step : float or array_like, optional
        Relative steps of finite differences.
    jac_sparsity : array_like or sparse array, shape (m, n), optional
        Nonzero where the Jacobian may be nonzero; not used where jac is callable, or with "jax" and "torch". Columns
        without a common row share one product, or one difference; from 100 parameters on J is sparse.
    tr_solver, tr_options, workers
        Accepted for compatibility, and without effect: subproblems are solved by a singular value decomposition of J,
        or by sparse factors, and by LSMR where these are inaccurate.
    max_nfev : int, at least 1, optional
        Limit on residual evaluations, those of differences included.
    verbose : {0, 1, 2}, default 0
        1: print the message and the counts; 2: a line per accepted step too.
    args, kwargs
        Further arguments of fun, jac and curvature.
    callback : callable, optional
        callback(intermediate_result=...) with x, fun, cost and nit, or callback(x), after every accepted step; the name
        of its parameter decides, as in scipy. StopIteration, or the return value True, ends the run.
    curvature : callable, optional
        curvature(x, w, \\*args, \\*\\*kwargs) = Σ wᵢ∇²rᵢ(x), shape (n, n).
    derivatives : str, default "tape"
        Where derivatives come from that are not given: "tape" (exact, by autograd, replayed as numpy), "autograd"
        (exact, without the tape), "differences" ("3-point"), "2-point", "jax" or "torch" (exact, for residuals written
        with ``jax.numpy`` or PyTorch; without the search for linear parameters, which requires "tape").
    names : sequence of str, optional
        Names of the parameters for messages; the keys of a dict by default.
    linear : sequence of str, optional
        Parameters in which the residuals are affine, by their names: variable projection eliminates them. Default:
        found by exact second derivatives.

    Returns
    -------
    FitResult
        scipy's fields and ``verdict``, ``reason``, ``covariance``, ``errors``, ``undetermined``.

    Raises
    ------
    ValueError, TypeError
        For a mistake of the caller, naming the argument.
    Exception
        Whatever fun, jac or callback raised, with the result so far as ``partial_result``.

    References
    ----------
    Moré (1978), LNM 630, 105; Fletcher & Xu (1987), IMA J. Numer. Anal. 7, 371; Golub & Pereyra (1973), SIAM J. Numer.
    Anal. 10, 413.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import newtonkit
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> fit = newtonkit.least_squares(lambda p: p[0] * np.exp(-p[1] * t) - 5.0 * np.exp(-0.5 * t), [1.0, 1.0])
    >>> fit.success, fit.x.round(6)
    (True, array([5. , 0.5]))
    """
    arguments, keywords = (args if isinstance(args, tuple) else (args,)), kwargs or {}
    rho: Loss | None = None
    if isinstance(fun, SumOfSquares):
        own_loss = None if isinstance(loss, str) and loss == "linear" else loss
        own_scale = None if f_scale == 1.0 else f_scale
        _refuse_with_objective(
            jac=jac, curvature=curvature, args=args or None, kwargs=kwargs, loss=own_loss, f_scale=own_scale
        )
        rho, arguments, jac, curvature, fun = fun.loss, fun.args, fun.jacobian, fun.curvature, fun.residuals
    if isinstance(fun, Objective):
        raise TypeError(
            f"least_squares needs a vector of residuals, and fun is one number ({type(fun).__name__}): "
            "use newtonkit.minimize, or newtonkit.SumOfSquares(residuals)"
        )
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {fun!r}")
    if not (curvature is None or callable(curvature)):
        raise TypeError(f"curvature must be callable, got {curvature!r}")
    if max_nfev is not None:
        check_integer("max_nfev", max_nfev, 1)
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1 or 2, got {verbose!r}")
    jac, tape = check_source(jac, derivatives)
    if isinstance(x0, OptimizeResult):
        x0 = x0.x
    vector, unflatten = flatten(x0)
    if not all_finite(vector):
        raise ValueError(f"x0 must be finite, got {x0!r}")
    n, further = vector.size, tuple(sorted(keywords))
    name, domain = method_name(method), domain_of(bounds, n, x0)
    labels = parameter_names(names, x0, n)
    start = domain.project(vector)
    limit = math.inf if max_nfev is None else max_nfev
    values = (*arguments, *(keywords[key] for key in further))
    flat_fun = flat_function(fun, unflatten, further)
    flat_jac = flat_function(jac, unflatten, further) if callable(jac) else jac
    flat_curvature = None if curvature is None else flat_function(curvature, unflatten, further)
    foreign = ForeignResiduals(derivatives, flat_fun, values) if derivatives in LIBRARIES and jac is None else None
    if foreign is not None:
        flat_fun, flat_jac, flat_curvature = foreign.residuals, foreign.jacobian, flat_curvature or foreign.curvature
    functions = FitFunctions(
        flat_fun,
        flat_jac,
        flat_curvature,
        domain,
        diff_step,
        args=values,
        automatic=shared_derivatives(fun, structure(x0), unflatten, further, tape=tape) if flat_jac is None else None,
        limit=limit,
        groups=None if jac_sparsity is None else GroupedColumns(jac_sparsity, n),
    )
    if foreign is not None:
        functions.source = derivatives
    tolerances = Tolerances(tolerance("xtol", xtol, 1e-8), tolerance("ftol", ftol, 0.0), tolerance("gtol", gtol, 0.0))
    setting = Setting(
        functions,
        rho or Loss(loss, f_scale),
        domain,
        tolerances,
        sizes_of(x_scale, n),
        fit_callback(callback, unflatten, verbose),
        linear_mask(linear, labels, name),
    )
    notes = [] if np.array_equal(start, vector) else ["the start was moved to the bounds"]
    try:
        with np.errstate(all="ignore"):
            fitted, problem, choice = setting.solve(name, start)
            result = assemble(fitted, problem, setting, labels, unflatten)
    except BaseException as error:
        at = setting.last or FitPoint(start, start, np.empty(0), math.nan, np.empty(0))
        partial = FitResult(x=unflatten(at.parameters.copy()), fun=at.residuals, cost=at.cost, success=False)
        ending = from_exception(error)
        partial.update(message=ending.message, reason=ending.reason, status=ending.reason.status)
        error.partial_result = partial  # type: ignore[attr-defined]
        raise
    result.setting = setting
    result.method, result.choice = name, "; ".join(filter(None, (choice, *notes)))
    if verbose:
        print(result.message)
        print(f"Residuals {result.nfev}, Jacobians {result.njev}, cost {setting.first_cost:.4e} to {result.cost:.4e}")
    return result


def _refuse_with_objective(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"fun is a SumOfSquares, which holds its own derivatives, loss and args; leave out {name}")
