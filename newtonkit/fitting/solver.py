"""`least_squares`: names, scipy's signature, structures, and the choice of a method."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.core.domain import Domain
from newtonkit.core.termination import from_exception
from newtonkit.core.validation import check_integer
from newtonkit.derivatives.pytree import Unflatten, flatten
from newtonkit.fitting.arguments import domain_of, method_name, parameter_names, sizes_of, tolerance
from newtonkit.fitting.assembly import assemble
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.iteration import Callback, Iteration
from newtonkit.fitting.losses import Loss
from newtonkit.fitting.outcome import Fitted, Model, Tolerances
from newtonkit.fitting.problem import FitPoint, FitProblem
from newtonkit.fitting.result import FitResult
from newtonkit.fitting.variable_projection import ProjectedProblem, linear_parameters
from newtonkit.linalg.kernels import Vector, all_finite

_MODELS = {"hybrid": Model.HYBRID, "levenberg-marquardt": Model.GAUSS_NEWTON, "newton": Model.NEWTON}
_MOST_SEARCHED = 50  # parameters up to which linear ones are looked for: two second derivatives and O(n³) comparisons


def least_squares(
    fun: Callable[..., Any],
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
    names: Sequence[str] | None = None,
) -> FitResult:
    """Minimize ½ f_scale² Σ ρ((rᵢ(x)/f_scale)²) over x, optionally with lower ≤ x ≤ upper.

    The signature is that of `scipy.optimize.least_squares`; derivatives that are not given come from autograd, second
    derivatives included.

    Parameters
    ----------
    fun : callable
        fun(x, \\*args, \\*\\*kwargs) returns the residuals: an array of any shape, or a structure of arrays.
    x0 : array_like, or a dict, list or tuple of arrays
        The start; fun receives its structure. A start outside the bounds is moved to the nearest point within.
    jac : callable, "2-point", "3-point" or None, default None
        The Jacobian, shape (m, n). None: exact derivatives by autograd; where fun is not written with
        ``autograd.numpy``, 3-point differences, which ``result.derivatives`` states.
    bounds : pair (lower, upper) or scipy.optimize.Bounds, default no bounds
        Numbers or arrays; fun is never called outside.
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
    tr_solver, tr_options, jac_sparsity, workers
        Accepted for compatibility, and without effect: subproblems are solved by a singular value decomposition of J.
    max_nfev : int, at least 1, optional
        Limit on residual evaluations.
    verbose : {0, 1, 2}, default 0
        1: print the message; 2: a line per accepted step too.
    args, kwargs
        Further arguments of fun, jac and curvature.
    callback : callable, optional
        callback(intermediate_result) after every accepted step (x, fun, cost, nit); true, or StopIteration, ends the
        run.
    curvature : callable, optional
        curvature(x, w, \\*args, \\*\\*kwargs) = Σ wᵢ∇²rᵢ(x), shape (n, n).
    names : sequence of str, optional
        Names of the parameters for messages; the keys of a dict by default.

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
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {fun!r}")
    if max_nfev is not None:
        check_integer("max_nfev", max_nfev, 1)
    vector, unflatten = flatten(x0)
    if not all_finite(vector):
        raise ValueError(f"x0 must be finite, got {x0!r}")
    n, further = vector.size, kwargs or {}
    arguments = args if isinstance(args, tuple) else (args,)
    name, domain = method_name(method), domain_of(bounds, n)
    start = domain.project(vector)
    functions = FitFunctions(
        lambda x: fun(unflatten(x), *arguments, **further),
        _of_vector(jac, unflatten, arguments, further) if callable(jac) else jac,
        _of_vector(curvature, unflatten, arguments, further),
        domain,
        diff_step,
    )
    setting = Setting(
        functions,
        Loss(loss, f_scale),
        domain,
        Tolerances(
            tolerance("xtol", xtol, 1e-8),
            tolerance("ftol", ftol, 0.0),
            tolerance("gtol", gtol, 0.0),
            max_residuals=math.inf if max_nfev is None else max_nfev,
        ),
        sizes_of(x_scale, n),
        _callback(callback, unflatten, verbose),
    )
    labels = parameter_names(names, x0, n)
    notes = [] if np.array_equal(start, vector) else ["the start was moved to the bounds"]
    try:
        with np.errstate(all="ignore"):
            fitted, problem, choice = setting.solve(name, start)
    except BaseException as error:
        at = setting.last or FitPoint(start, start, np.empty(0), math.nan, np.empty(0))
        partial = FitResult(x=unflatten(at.parameters.copy()), fun=at.residuals, cost=at.cost, success=False)
        ending = from_exception(error)
        partial.update(message=ending.message, reason=ending.reason, status=ending.reason.status)
        error.partial_result = partial  # type: ignore[attr-defined]
        raise
    result = assemble(fitted, problem, setting, labels, unflatten)
    result.setting = setting
    result.method, result.choice = name, "; ".join(filter(None, (choice, *notes)))
    if verbose:
        print(result.message)
    return result


@dataclass
class Setting:
    """What all runs of one call share."""

    functions: FitFunctions
    loss: Loss
    domain: Domain
    tolerances: Tolerances
    sizes: Vector | None
    callback: Callback | None
    last: FitPoint | None = None

    def solve(self, name: str, x0: Vector) -> tuple[Fitted, FitProblem | ProjectedProblem, str]:
        """Run the method; for "auto", the hybrid where variable projection does not converge."""
        if name in ("auto", "variable-projection"):
            linear = self._linear_parameters(name, x0)
            if linear is not None and linear.any():
                problem = ProjectedProblem(self.functions, x0, linear)
                fitted = self._run(problem, x0[~linear], Model.HYBRID, self._part(~linear))
                choice = f"{int(linear.sum())} linear parameters are eliminated by variable projection"
                if fitted.success or name == "variable-projection":
                    return fitted, problem, choice
                plain = FitProblem(self.functions, self.loss)
                again = self._run(plain, x0, Model.HYBRID, self.domain)
                if again.success or not again.at.cost > fitted.at.cost:
                    return again, plain, "variable projection did not converge: all parameters were fitted together"
                return fitted, problem, choice
        plain = FitProblem(self.functions, self.loss)
        return self._run(plain, x0, _MODELS.get(name, Model.HYBRID), self.domain), plain, ""

    def _run(self, problem: FitProblem | ProjectedProblem, x0: Vector, model: Model, domain: Domain) -> Fitted:
        sizes = self.sizes if isinstance(problem, FitProblem) or self.sizes is None else self.sizes[problem.nonlinear]
        run = Iteration(
            problem, x0, model, self.tolerances, domain=domain, sizes=sizes, callback=self._observed(self.callback)
        )
        return run.run()

    def _observed(self, callback: Callback | None) -> Callback:
        def call(at: FitPoint, nit: int) -> bool:
            self.last = at
            return callback is not None and callback(at, nit)

        return call

    def _linear_parameters(self, name: str, x0: Vector) -> Any:
        """Which parameters to eliminate; None where that cannot be done.

        Raises
        ------
        ValueError
            If variable projection was requested and cannot be done.
        """
        reason = ""
        if not self.loss.linear:
            reason = "the loss must be linear"
        elif not self.functions.finds_linear:
            reason = "it finds linear parameters by exact second derivatives, which require a fun of autograd.numpy"
        elif x0.size > _MOST_SEARCHED:
            reason = f"it is limited to {_MOST_SEARCHED} parameters"
        linear = None
        if not reason:
            r = self.functions.residuals(x0)
            self.functions.jacobian(x0)  # whether autograd can differentiate fun at all
            if self.functions.finds_linear and all_finite(r):
                linear = linear_parameters(self.functions, x0, r.size)
                free = np.broadcast_to(np.isinf(self.domain.lower) & np.isinf(self.domain.upper), linear.shape)
                linear = linear & free
                if linear.all():
                    linear = None  # a linear problem: one Gauss–Newton step solves it
        if name == "variable-projection" and (reason or linear is None or not linear.any()):
            reason = reason or "no parameter without bounds was found in which the residuals are affine"
            raise ValueError(f"method 'variable-projection' cannot be used: {reason}; use 'hybrid'")
        return linear

    def _part(self, kept: Any) -> Domain:
        """The domain of some parameters."""
        if not self.domain.is_bounded:
            return self.domain
        return domain_of((np.asarray(self.domain.lower)[kept], np.asarray(self.domain.upper)[kept]), int(kept.sum()))


def _of_vector(
    function: Callable[..., Any] | None, unflatten: Unflatten, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A function of the structure as a function of the flat vector."""
    if function is None:
        return None
    if not callable(function):
        raise TypeError(f"curvature must be callable, got {function!r}")
    return lambda x, *rest: function(unflatten(x), *rest, *args, **kwargs)


def _callback(callback: Callable[..., Any] | None, unflatten: Unflatten, verbose: int) -> Callback | None:
    if callback is None and verbose < 2:
        return None

    def call(at: FitPoint, nit: int) -> bool:
        if verbose >= 2:
            print(f"{nit:6d} {at.cost:16.9e}")
        if callback is None:
            return False
        seen = OptimizeResult(x=unflatten(at.parameters.copy()), fun=at.residuals.copy(), cost=at.cost, nit=nit)
        try:
            answer = callback(seen)
        except StopIteration:
            return True
        return isinstance(answer, bool | np.bool_) and bool(answer)

    return call
