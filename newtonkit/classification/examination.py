"""`classify`: the kind of any point, for functions of a user.

Up to 1000 variables by `newtonkit.classification.staged`, above by `newtonkit.classification.large`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.classification.at_bounds import bounded_verdict
from newtonkit.classification.convex_scope import gradient_bars, proved_convexity, with_convexity
from newtonkit.classification.error_bars import by_differences
from newtonkit.classification.large import large_verdict
from newtonkit.classification.staged import staged_verdict
from newtonkit.classification.verdict import Verdict
from newtonkit.core.read_bounds import read_bounds
from newtonkit.core.validation import check_real
from newtonkit.derivatives.autograd.hints import explain_length
from newtonkit.derivatives.autograd.tracing import DifferentiationError
from newtonkit.derivatives.pytree import flatten
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import Vector, all_finite, max_norm
from newtonkit.objectives.arguments import objective_from_arguments
from newtonkit.objectives.objective import Objective

_MANY = 1000  # variables above which sparse factorizations or products take the place of eigenvalues


def classify(
    fun: Callable[..., Any] | Objective,
    x: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
    derivatives: str = "tape",
    bounds: Any = None,
) -> Verdict:
    """What kind of point is x: minimum, maximum, saddle, one of these but degenerate, valley, ridge, or not critical?

    All eigenvalues of H = ∇²f positive: a local minimum; all negative: a local maximum; both signs: a saddle, whose
    index is the number of negative ones. The signs are those of the equilibrated Hessian DHD, D diagonal, which has the
    same inertia in whatever units x is given (Sylvester). They are compared at x and at a point polished by chord
    steps; an eigenvalue within its error bar has no sign. If the others do not settle the kind, f is reduced to the
    directions without a sign, and gradients along them decide (`newtonkit.classification.null_space`): "valley" is a
    flat minimum, a manifold of minimizers. If that does not settle it either, Hessians are sampled all round the point
    (`newtonkit.classification.degenerate`). What remains is "undecided".

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy`` unless jac and hess are given; returns one real number.
    x : array_like, structure of arrays, or a result
        The point; a result of scipy or of `minimize` stands for its ``x``.
    args : tuple, optional
        Further arguments of fun, jac and hess.
    jac, hess : callable, optional
        Gradient and Hessian, as in `newtonkit.minimize`; by automatic differentiation otherwise, and where fun cannot
        be traced by differences of it, which cannot tell curvature below about √eps·|f|/x_scale² from none.
    radius : float, positive, default 1e-3
        How far, relative to ``x_scale``, the true critical point may lie from x to be called the same point.
    x_scale : float, positive, default max(1, ‖x‖∞)
        The length that counts as large in x.
    derivatives : str, default "tape"
        The source of derivatives that are not given, as in `newtonkit.minimize`; with "differences", ``fun`` is called
        on plain numbers only.
    bounds : optional
        As in `newtonkit.minimize`. The kind is then that among the points of the box: ``active``, ``multipliers``,
        ``multiplier_errors`` and ``weakly_active`` of the verdict describe the bounds, ``index`` and ``eigenvalues``
        the free variables. No function is called outside the box; a point outside is moved to the nearest point
        inside. A variable near a bound that a Newton step would bring there counts as being at the bound.

    Returns
    -------
    Verdict
        ``kind``, ``index``, ``nullity``, ``eigenvalues``, ``gradient_norm``, the tolerances used, and a sentence.

    Notes
    -----
    Cost: a gradient and a Hessian, one to five gradients more, a second Hessian if an eigenvalue is small; some ten
    gradients at a degenerate point. Only points that this does not settle take more, up to some hundred Hessians. Above
    1000 variables the negative eigenvalues of a sparse Hessian are counted by factorizations
    (`newtonkit.classification.factored`); for other Hessians at most 50 products are made
    (`newtonkit.classification.lanczos`): then "saddle" is certain, and "minimum" holds with a probability that is
    stated.

    References
    ----------
    Deuflhard (2004), *Newton Methods for Nonlinear Problems*, theorem 2.1 and section 2.1.1.

    Examples
    --------
    >>> verdict = classify(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0])
    >>> verdict.kind, verdict.index, verdict.eigenvalues
    ('saddle', 1, array([-2.,  2.]))
    """
    return classify_point(
        fun, x, args, jac, hess, radius=radius, x_scale=x_scale, derivatives=derivatives, bounds=bounds
    ).verdict


class ClassifiedPoint(NamedTuple):
    """A verdict, and what it was made from."""

    verdict: Verdict
    evaluator: Evaluator
    x: Vector
    scale: float
    """The length that counts as large in x."""
    unflatten: Callable[[Vector], Any]


def classify_point(
    fun: Callable[..., Any] | Objective,
    x: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
    derivatives: str = "tape",
    bounds: Any = None,
) -> ClassifiedPoint:
    """The same as `classify`, with the evaluator."""
    check_real("radius", radius, 0.0, open_low=True)
    if x_scale is not None:
        check_real("x_scale", x_scale, 0.0, open_low=True)
    vector, unflatten = flatten(x)
    if not all_finite(vector):
        raise ValueError(f"x must be finite, got {x!r}")
    domain = read_bounds(bounds, vector.size, x)
    vector = domain.project(vector)
    objective = objective_from_arguments(fun, jac, hess, None, args, unflatten, derivatives=derivatives)
    scale = max(1.0, max_norm(vector)) if x_scale is None else x_scale
    with np.errstate(all="ignore"):
        evaluator, of_values = Evaluator(objective, second_order=True, domain=domain), False
        try:
            if not (objective.is_traced or objective.has_own_derivatives or domain.is_bounded):
                raise DifferentiationError("differences of f were requested")
            g = evaluator.gradient(vector)
        except (IndexError, ValueError) as mistake:
            explain_length(mistake, vector.size)
            raise
        except DifferentiationError:
            if objective.has_own_derivatives:
                raise
            if vector.size > _MANY:
                reason = f"fun cannot be traced, and x has {vector.size} > {_MANY} variables: give jac, or jac and hess"
                return ClassifiedPoint(Verdict("undecided", reason), evaluator, vector, scale, unflatten)
            if domain.is_bounded:  # differences that stay within the bounds
                objective = dataclasses.replace(objective, source="differences")
                evaluator = Evaluator(objective, second_order=True, domain=domain)
            else:
                evaluator, of_values = Evaluator(by_differences(objective.fun, args, scale)), True
            g = evaluator.gradient(vector)
        error = evaluator.gradient_error(vector, g)
        if vector.size > _MANY:
            verdict = large_verdict(evaluator, vector, g, radius)
        elif domain.is_bounded:
            verdict = bounded_verdict(evaluator, vector, g, radius=radius, x_scale=scale, gradient_error=error)
        else:
            verdict = staged_verdict(evaluator, vector, g, radius=radius, x_scale=scale, of_values=of_values)
            if of_values and not verdict.settled:
                why = f"differences of f know no eigenvalue to better than {verdict.eigenvalue_error:.2g}"
                verdict = dataclasses.replace(verdict, reason=f"{verdict.reason}; {why}")
        proof = None if of_values else proved_convexity(evaluator, vector)
        if proof is not None and all_finite(g):
            bars = gradient_bars(vector, g, evaluator.known_hessian(vector), error)
            f = evaluator.value(vector)
            verdict = with_convexity(verdict, proof, vector, f, g, bars, domain)
    return ClassifiedPoint(verdict, evaluator, vector, scale, unflatten)
