"""What a fit returns: scipy's fields, the verdict, covariances, and what the data do not determine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.classification.verdict import NO_MINIMUM, Verdict
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.outcome import SUCCESSES, Fitted, Outcome, Tolerances


class FitResult(OptimizeResult):  # type: ignore[misc]
    """The outcome of `newtonkit.least_squares`.

    Attributes
    ----------
    x : array or structure of arrays
        The solution, in the structure of x0.
    cost : float
        ½ f_scale² Σ ρ((rᵢ/f_scale)²); ½‖r‖² for the linear loss.
    fun : ndarray, shape (m,)
        The residuals at x.
    jac : ndarray, shape (m, n)
        The Jacobian at x; weighted by √ρ′ for a robust loss, as in scipy.
    grad : ndarray, shape (n,)
        The gradient of the cost.
    optimality : float
        max|P(x − grad) − x|, with P the projection onto the bounds.
    active_mask : ndarray of int, shape (n,)
        −1 at a lower bound, +1 at an upper bound, else 0.
    success, status, message, reason
        As in `newtonkit.Result`.
    verdict : Verdict
        What kind of point x is, by the exact Hessian of the cost where second derivatives are available.
    covariance : ndarray, shape (n, n)
        s²(JᵀJ)⁻¹ with s² = 2·cost/(m − n); infinite where the data do not determine all parameters; NaN in the rows of
        parameters at a bound.
    covariances : Covariances
        The same, the sandwich form with the exact Hessian, and the heteroscedastic form.
    errors : ndarray, shape (n,)
        Standard errors: the roots of the diagonal of ``covariance``.
    undetermined : list of str
        Combinations of parameters that the data do not determine.
    eliminated : list of str
        Linear parameters that variable projection eliminated.
    names : list of str
        A name for each parameter.
    nit, nfev, njev, nhev : int
        Iterations; evaluations of residuals, Jacobians, second derivatives. Residuals evaluated for finite differences
        count in nfev.
    checks : Counts
        Further evaluations, for the verdict; max_nfev limits their sum with nfev.
    method, choice, derivatives : str
        The method, why it was taken, where derivatives came from.
    costs : ndarray
        The cost at x0 and after every accepted step.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.least_squares(lambda p: [p[0] - 1.0, 2.0 * p[1]], [0.0, 1.0])
    >>> result.success, float(result.cost)
    (True, 0.0)
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the functions of the user, which ``setting`` refers to and which may not be picklable."""
        return FitResult, (), None, None, iter([(key, value) for key, value in self.items() if key != "setting"])

    def __repr__(self) -> str:
        """The facts, one per line."""
        x = np.array2string(np.asarray(self["vector"]), threshold=8, edgeitems=3, precision=8)
        used = [f"{self.nit} iterations", f"{self.nfev} residuals", f"{self.njev} Jacobians"]
        if self.nhev:
            used.append(f"{self.nhev} second derivatives")
        lines = [
            f"FitResult of {self.method}: {'success' if self.success else 'failure'} ({self.reason.name})",
            f"  message: {self.message}",
            f"     cost: {self.cost:.10g}",
            f"        x: {x}",
            f"  verdict: {self.verdict}",
            f"     used: {', '.join(used)}",
        ]
        if self.choice:
            lines.insert(1, f"   method: {self.choice}")
        if self.undetermined:
            lines.insert(-1, f"  warning: not determined by the data: {'; '.join(self.undetermined)}")
        return "\n".join(lines)

    __str__ = __repr__


# where the cost falls no further: with a rank-deficient Jacobian the data do not determine the parameters
_AT_THE_END = SUCCESSES | {Outcome.NO_STEP, Outcome.NO_PROGRESS}


class Limits(Protocol):
    """What the fit was given."""

    functions: FitFunctions
    tolerances: Tolerances


def termination(
    fitted: Fitted,
    limits: Limits,
    optimality: float,
    undetermined: list[str],
    verdict: Verdict,
    away: str,
    names: Sequence[str],
) -> Termination:
    """The reason of an outcome, with the numbers that decided it.

    Parameters
    ----------
    undetermined : list of str
        Combinations of parameters.
    away : str
        Which parameters run to infinity, as text.
    names : sequence of str
        Of the variables of the iteration.
    """
    reason = TerminationReason
    tolerances, limit = limits.tolerances, limits.functions.limit
    cost = fitted.at.cost
    outcome = fitted.outcome
    if (undetermined or away) and outcome in _AT_THE_END:
        outcome = Outcome.UNDETERMINED
    if outcome in SUCCESSES and verdict.kind in NO_MINIMUM:
        if verdict.kind == "not critical":
            return Termination(reason.NOT_CRITICAL, optimality, detail=verdict.reason)
        return Termination(reason.SADDLE, optimality, detail=verdict.kind)
    match outcome:
        case Outcome.CONVERGED:
            return Termination(reason.STEP, limit=tolerances.xtol)
        case Outcome.ROUNDING:
            detail = "the residuals change by rounding errors only"
            return Termination(reason.PRECISION, optimality, tolerances.gtol, detail)
        case Outcome.SMALL_GRADIENT:
            return Termination(reason.GRADIENT, optimality, tolerances.gtol, "gtol was given")
        case Outcome.SMALL_REDUCTION:
            fallen = fitted.costs[-1] - cost
            return Termination(reason.STALLED, fallen, tolerances.ftol * fitted.costs[-1], "|Δcost|")
        case Outcome.UNDETERMINED:
            faded = [name for name, has_faded in zip(names, fitted.faded, strict=True) if has_faded]
            columns = "the column of J has" if len(faded) == 1 else "the columns of J have"
            vanished = f"{', '.join(faded)}, of which {columns} vanished" if faded else ""
            what = "; ".join(undetermined) or vanished or "all parameters: J is rank-deficient"
            if fitted.at.residuals.size == 1 < fitted.at.parameters.size:
                what += " (fun returned one number: return the residuals, not the sum of their squares)"
            return Termination(reason.UNDETERMINED, detail=f"{what}: {away}" if away else what)
        case Outcome.NOT_FINITE:
            return Termination(reason.NON_FINITE, cost, detail="the residuals or their Jacobian are not finite at x0")
        case Outcome.NO_PROGRESS:
            return Termination(reason.NO_PROGRESS, fitted.iterations, optimality)
        case Outcome.NO_STEP:
            return Termination(reason.NO_REDUCTION, optimality, detail="the cost, by more than its rounding error")
        case Outcome.ITERATIONS:
            return Termination(reason.ITERATIONS, fitted.iterations, tolerances.maxiter, f": {away}" if away else "")
        case Outcome.EVALUATIONS:
            return Termination(reason.EVALUATIONS, limit + 1, limit, "the residuals (max_nfev)")
        case _:
            return Termination(reason.CALLBACK, fitted.iterations)
