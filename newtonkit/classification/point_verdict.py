"""The verdict on the end point of a run: full Hessian, factorization or Hessian-vector products, whichever fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from newtonkit.classification.degenerate import degenerate_verdict
from newtonkit.classification.error_bars import ErrorBars, error_bars
from newtonkit.classification.examination import dense_verdict
from newtonkit.classification.factored import factored_verdict
from newtonkit.classification.lanczos import product_verdict
from newtonkit.classification.verdict import Verdict, unchecked
from newtonkit.core.state import BudgetSpent
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Matrix, Vector, all_finite, max_norm

FULL_EIGENVALUES = 200  # up to this n all eigenvalues of the full Hessian; 200 take 10 ms, measured
# up to this n the thorough examination is made, if derivatives are automatic: it takes up to some hundred Hessians
_THOROUGH = 30


class PointVerdict(NamedTuple):
    """A verdict and the full Hessian at the point, if it was evaluated."""

    verdict: Verdict
    hessian: Matrix | None


def verdict_at(
    evaluator: Evaluator,
    x: Vector,
    f: float,
    g: Vector,
    *,
    factorizable: Callable[[], Symmetric | None],
    thorough: bool = False,
    earlier: PointVerdict | None = None,
) -> PointVerdict:
    """What kind of point x is; "unchecked" if g is not finite or the budget is too small. Raises no BudgetSpent.

    Every evaluation is counted in ``evaluator.check_counts``.

    Parameters
    ----------
    evaluator : Evaluator
    x : ndarray, shape (n,)
    f : float
        f(x).
    g : ndarray, shape (n,)
        ∇f(x).
    factorizable : callable
        factorizable() returns the Hessian at x in a form that can be factored, or None if the method of the run has
        none; called only for n > 200.
    thorough : bool, default False
        Whether to examine a singular Hessian too, by what f does along the directions without curvature. Made for
        n ≤ 30 and automatic derivatives only.
    earlier : PointVerdict, optional
        The result of an earlier call at the same x. Nothing that it holds is computed again.
    """
    result = earlier or _quick(evaluator, x, g, factorizable)
    affordable = x.size <= _THOROUGH and evaluator.objective.is_traced
    if thorough and affordable and result.verdict.kind == "undecided":
        result = result._replace(verdict=_thorough(evaluator, x, g, result.verdict))
    return result


def _quick(evaluator: Evaluator, x: Vector, g: Vector, factorizable: Callable[[], Symmetric | None]) -> PointVerdict:
    if not all_finite(g):
        return PointVerdict(unchecked("the gradient is not finite here"), None)
    H: Matrix | None = None
    try:
        with evaluator.checking(), np.errstate(all="ignore"):
            if x.size <= FULL_EIGENVALUES:
                H = evaluator.hessian(x)
                return PointVerdict(dense_verdict(evaluator, x, g), H)
            B = factorizable()
            return PointVerdict(
                product_verdict(evaluator, x, g) if B is None else factored_verdict(evaluator, x, g, B), None
            )
    except BudgetSpent as spent:
        reason = f"the budget is too small for it ({spent.termination.reason.name})"
        return PointVerdict(unchecked(reason, max_norm(g)), H)


def _thorough(evaluator: Evaluator, x: Vector, g: Vector, verdict: Verdict) -> Verdict:
    """The verdict at a singular Hessian by what f does along the directions without curvature."""
    radius = max(1e-3 * max(1.0, max_norm(x)), 4.0 * verdict.distance if verdict.distance < np.inf else 0.0)

    def bars(y: Vector, g: Vector, H: Matrix) -> ErrorBars:
        return error_bars(evaluator, y, g, H, max(1.0, max_norm(y)))

    try:
        with evaluator.checking(), np.errstate(all="ignore"):
            certain = dense_verdict(evaluator, x, g, bars=bars)
            return certain if certain.settled else degenerate_verdict(evaluator, x, certain, radius=radius)
    except BudgetSpent:
        return verdict
