"""`minimize`: scipy's signature, structured parameters, and the automatic choice of a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from newtonkit.automatic import select_methods
from newtonkit.driver.method import Method
from newtonkit.driver.result import Result
from newtonkit.driver.scipy_call import read_problem, solve_problem
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.registry import METHODS, make_method


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    method: str | Method | GradientTransform | None = None,
    jac: Callable[..., Any] | str | bool | None = None,
    hess: Callable[..., Any] | str | None = None,
    hessp: Callable[..., Any] | None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    derivatives: str = "tape",
) -> Result:
    """Minimize a smooth function of one or more variables, with exact derivatives.

    The signature is that of `scipy.optimize.minimize`; derivatives that are not given come from autograd instead of
    finite differences.

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy``; returns one real number. Without ``autograd.numpy``, pass jac.
    x0 : array_like, or a dict, list or tuple of arrays, or a Result
        The start. Everything that takes or returns a point (fun, jac, callback, ``result.x``) has its structure;
        integers and float32 become float64, a number a vector of length 1. An earlier Result resumes that run
        from its last state, with everything that the method has learned; the method may be given again with other
        options, and the limits, except maxtime, hold for the counts of both runs together. A result of scipy or of
        `train` gives its point only.
    args : tuple, optional
        Further arguments of fun, jac, hess, hessp.
    method : str or method, optional
        One of `newtonkit.method_names()`, a name of scipy's, or an instance such as ``LBFGS(memory=20)``. Default
        "auto": "newton" if a Hessian costs no more than 50 gradients, by counts of numpy calls, numbers and
        non-zeros, else "newton-cg"; "bfgs" or "lbfgs" if only jac is given. If it fails, the next one of newton, cubic
        and bfgs starts from the best point, with one budget and the same counts. ``result.choice`` names the methods.
    jac : callable, True, "2-point" or "3-point", optional
        Gradient jac(x, \\*args); True: fun returns (f, gradient). "2-point", "3-point": forward or central differences
        of fun, whose calls count in ``nfev``; forward differences become central ones where they are too inaccurate.
    hess : callable, "2-point" or "3-point", optional
        Hessian hess(x, \\*args), an n×n array or scipy sparse matrix in the order of x0's entries. "2-point",
        "3-point": forward or central differences of the gradient.
    hessp : callable, optional
        Hessian-vector product hessp(x, p, \\*args).
    bounds : sequence of n pairs, (n, 2) array, scipy.optimize.Bounds, or dict of pairs, optional
        Lower and upper bounds; None or ±inf stand for no bound. For an x0 that is a dict: a pair for each key. No
        function is called outside them, and a variable at a bound is there exactly. A start outside is moved to the
        nearest point inside; ``result.choice`` states it. Not accepted by "newton-pure", "newton-linesearch", "dfp".
    constraints
        Not supported; must be empty.
    tol : float, optional
        Short for ``options={"gtol": tol}``.
    callback : callable, optional
        callback(xk), or callback(intermediate_result=…) if its parameter has that name (x, fun, jac, nit, state);
        called after every iteration. Returning True or raising StopIteration ends the run.
    options : dict, optional
        gtol, ftol, xtol, maxiter, maxfev, maxgev, maxhev, maxhvp, maxtime, target (see `newtonkit.Stop`);
        ``disp`` (bool, default False): print a line per iteration; ``history`` (True, default; False; or "points" to
        record x and g too); ``return_all`` (bool, default False): all points, as ``result.allvecs``; ``verdict``
        (True, default; False; or "thorough"): check every claim of convergence by curvature, at a fifth of the cost of
        the run or two Hessians and ten gradients, whichever is more; "thorough" sets no limit; ``tape`` (bool, default
        True): record the work of autograd and replay it as plain numpy; ``errors`` ("raise", default, or "reject"): a
        LinAlgError, ArithmeticError or ValueError that fun, jac or hess raises at a trial point ends the run, or
        rejects the point like a value that is not finite; and the method's own. scipy's names (maxcor, maxfun, maxls,
        initial_trust_radius, iprint; None for a default) are understood; an option of scipy's without effect here
        gives an OptimizeWarning.
    derivatives : str, default "tape"
        The source of derivatives that are not given: "tape" (exact, by autograd, replayed as straight numpy),
        "autograd" (exact, without the tape), or "differences" (central differences of fun, which need not be written
        with ``autograd.numpy``; 2n calls of fun for a gradient, n² + n + 2 for a Hessian), "jax" or "torch" (exact,
        for a fun written with ``jax.numpy`` or PyTorch: it receives float64 arrays of that library).

    Returns
    -------
    Result
        Numerical failures end in a Result with the best point and the reason; they do not raise.

    Raises
    ------
    ValueError, TypeError
        For a mistake of the caller, naming the argument.
    NotImplementedError
        For constraints.
    Exception
        Whatever fun, jac, hess or callback raised, with the Result so far as ``partial_result``.

    Notes
    -----
    ``success`` is True only if the test named in ``message`` holds at ``x`` and ``verdict`` does not contradict it: a
    saddle, a maximum or a point that is not critical is not a success. Evaluations made for the verdict are counted in
    ``checks``, not in nfev, njev, nhev, nhvp; limits hold for their sum.

    Examples
    --------
    >>> import newtonkit
    >>> import autograd.numpy as np
    >>> result = newtonkit.minimize(lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [-1.2, 1.0])
    >>> result.success, result.verdict.kind, result.x.round(6)
    (True, 'minimum', array([1., 1.]))
    """
    problem = read_problem(fun, x0, args, jac, hess, hessp, bounds, constraints, options, derivatives=derivatives)
    fallbacks: tuple[Method, ...] = ()
    choice = ""
    if problem.earlier is not None:
        method = _method_to_resume(problem.earlier, method)
    elif method is None or (isinstance(method, str) and method.lower() == "auto"):
        method, fallbacks, reason = select_methods(problem.objective, problem.x0)
        choice = f"chosen automatically: {reason}"
    _refuse_unusable(method)
    return solve_problem(
        problem, make_method(method), options, tol=tol, callback=callback, fallbacks=fallbacks, choice=choice
    )


def _method_to_resume(earlier: Result, method: Any) -> Any:
    """The method that resumes an earlier result: its own, perhaps with other options."""
    wanted = earlier.method if method is None else make_method(method).name
    if wanted != earlier.method:
        raise ValueError(
            f"x0 is a result of {earlier.method!r}, and {wanted!r} cannot resume from its state; "
            "pass x0=result.x to start from its point"
        )
    if method is None and wanted not in METHODS:
        raise ValueError(f"x0 is a result of {wanted!r}, which has no name of its own; pass the same method again")
    return earlier.method if method is None else method


# methods of scipy that newtonkit does not have, and what to use
_ELSEWHERE = {
    "slsqp": "constraints are not supported; use scipy.optimize.minimize, or 'newton' if there are no constraints",
    "cobyla": "constraints are not supported; use scipy.optimize.minimize, or 'newton' if there are none",
    "cobyqa": "constraints are not supported; use scipy.optimize.minimize, or 'newton' if there are none",
    "powell": "methods without derivatives are not provided; use 'newton' or 'lbfgs', or scipy.optimize.minimize",
    "nelder-mead": "methods without derivatives are not provided; use 'newton' or 'lbfgs', or scipy.optimize.minimize",
}


def _refuse_unusable(method: Any) -> None:
    if isinstance(method, str) and method.strip().lower() in _ELSEWHERE:
        raise ValueError(f"method {method!r}: {_ELSEWHERE[method.strip().lower()]}")
    if isinstance(method, type):
        raise TypeError(f"method must be an instance, got the class {method.__name__}; write {method.__name__}()")
    if not isinstance(method, str) and not hasattr(method, "step") and not hasattr(method, "as_method"):
        raise TypeError(f"method must be a name or a method such as newtonkit.BFGS(), got {method!r}")
