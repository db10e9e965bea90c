"""The verdict on the end point of a run: full Hessian, factorization or Hessian-vector products, whichever fits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from newtonkit.classification.allowance import FULL_EIGENVALUES, UNLIMITED, Allowance, Evaluations, allowance_after
from newtonkit.classification.at_bounds import bounded_verdict
from newtonkit.classification.convex_scope import (
    gradient_bars,
    proved_convexity,
    strongly_convex_verdict,
    with_convexity,
)
from newtonkit.classification.faces import FaceEvaluator
from newtonkit.classification.factored import factored_verdict
from newtonkit.classification.full_hessian import quadratic_verdict
from newtonkit.classification.lanczos import product_verdict
from newtonkit.classification.large import large_verdict
from newtonkit.classification.large_bounded import large_bounded_verdict
from newtonkit.classification.staged import staged_verdict
from newtonkit.classification.verdict import Verdict, unchecked
from newtonkit.convex.certificate import Convexity
from newtonkit.core.state import BudgetSpent
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Matrix, Vector, all_finite


class PointVerdict(NamedTuple):
    """A verdict and the full Hessian at the point, if it was evaluated."""

    verdict: Verdict
    hessian: Matrix | None
    complete: bool = True
    """False if the examination ended early: the model predicts a worthwhile reduction, or f was not to be probed."""


def verdict_at(
    evaluator: Evaluator,
    x: Vector,
    f: float,
    g: Vector,
    *,
    factorizable: Callable[[], Symmetric | None],
    allowance: Allowance | None = None,
    worthwhile: Callable[[float, float], bool] | None = None,
    probe: bool = True,
    earlier: PointVerdict | None = None,
    convexity: Callable[[], Convexity | None] | None = None,
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
    allowance : Allowance, default that of `allowance_after`
        What the verdict may spend.
    worthwhile : callable, optional
        worthwhile(decrease, newton_step) returns whether the run should continue by the numbers of the quadratic model
        alone. Then the examination ends there, after one Hessian.
    probe : bool, default True
        Whether f may be evaluated along directions without curvature. After a run that did not converge this has no
        use, and lower points seen would not be returned.
    earlier : PointVerdict, optional
        The result of an earlier call at the same x. It is returned if it is complete.
    convexity : callable, optional
        What is proved of the convexity of f; called once at most. By default it is derived here.
    """
    if earlier is not None and earlier.complete:
        return earlier
    if not all_finite(g):
        return PointVerdict(unchecked("the gradient is not finite here"), None)
    proof = proved_convexity(evaluator, x) if convexity is None else convexity()
    if x.size > FULL_EIGENVALUES:
        bars = gradient_bars(x, g, None, evaluator.gradient_error(x, g))
        proved = strongly_convex_verdict(proof, g, bars, evaluator.domain)
        if proved is not None and not (worthwhile is not None and worthwhile(proved.decrease, proved.newton_step)):
            return PointVerdict(with_convexity(proved, proof, x, f, g, bars, evaluator.domain), None)
    found = _numerical_verdict(evaluator, x, g, factorizable, allowance, worthwhile, probe)
    if not found.complete:
        return found
    bars = gradient_bars(x, g, found.hessian, evaluator.gradient_error(x, g))
    return found._replace(verdict=with_convexity(found.verdict, proof, x, f, g, bars, evaluator.domain))


def _numerical_verdict(
    evaluator: Evaluator,
    x: Vector,
    g: Vector,
    factorizable: Callable[[], Symmetric | None],
    allowance: Allowance | None,
    worthwhile: Callable[[float, float], bool] | None,
    probe: bool,
) -> PointVerdict:
    """The verdict by values of f and its derivatives."""
    if allowance is None:
        allowance = allowance_after(evaluator, x.size)
    try:
        with evaluator.checking(), np.errstate(all="ignore"):
            if x.size <= FULL_EIGENVALUES:
                if worthwhile is not None and (not evaluator.domain.is_bounded or evaluator.domain.free(x, g).any()):
                    is_new = evaluator.known_hessian(x) is None
                    brief = quadratic_verdict(*_free_part(evaluator, x, g))
                    if brief is not None and worthwhile(brief.decrease, brief.newton_step):
                        return PointVerdict(brief, evaluator.known_hessian(x), complete=False)
                    allowance = dataclasses.replace(allowance, H=allowance.H - is_new)
                if evaluator.domain.is_bounded:
                    verdict = bounded_verdict(
                        evaluator,
                        x,
                        g,
                        allowance=allowance,
                        gradient_error=evaluator.gradient_error(x, g),
                        probe=probe,
                    )
                else:
                    verdict = staged_verdict(evaluator, x, g, allowance=allowance, probe=probe)
                return PointVerdict(verdict, evaluator.known_hessian(x), complete=probe or verdict.settled)
            B = factorizable()
            if evaluator.domain.is_bounded and (B is not None or allowance != UNLIMITED):
                return PointVerdict(large_bounded_verdict(evaluator, x, g, B, products=allowance.products), None)
            if B is not None:
                return PointVerdict(factored_verdict(evaluator, x, g, B), None)
            if allowance == UNLIMITED:
                return PointVerdict(large_verdict(evaluator, x, g), None)
            return PointVerdict(product_verdict(evaluator, x, g, products=allowance.products, count=False), None)
    except BudgetSpent as spent:
        reason = f"the budget is too small for it ({spent.termination.reason.name})"
        return PointVerdict(unchecked(reason, evaluator.domain.criticality(x, g)), evaluator.known_hessian(x))


def _free_part(evaluator: Evaluator, x: Vector, g: Vector) -> tuple[Evaluations, Vector, Vector]:
    """The evaluator, x and g of the variables that are not at a bound, or whose gradient leads into the domain."""
    free = evaluator.domain.free(x, g)
    if free.all():
        return evaluator, x, g
    return FaceEvaluator(evaluator, x, free), x[free], g[free]
