"""The verdict for up to some hundred variables: cheap rules first, then samples all round the point."""

from __future__ import annotations

import numpy as np

from newtonkit.classification.allowance import UNLIMITED, Allowance, AllowanceSpent, Evaluations, MeteredEvaluator
from newtonkit.classification.degenerate import degenerate_verdict
from newtonkit.classification.error_bars import ErrorBars, error_bars
from newtonkit.classification.full_hessian import dense_verdict
from newtonkit.classification.sampled_hessian import sampled_verdict
from newtonkit.classification.verdict import Verdict
from newtonkit.linalg.kernels import Matrix, Vector, max_norm

# Hessians that must be left for the samples to be worth beginning; at two variables they take five, at ten 22, and
# at degenerate points a hundred (measured)
_WORTHWHILE = 20


def staged_verdict(
    evaluator: Evaluations,
    x: Vector,
    g: Vector,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
    allowance: Allowance = UNLIMITED,
    of_values: bool = False,
    probe: bool = True,
) -> Verdict:
    """The verdict of `dense_verdict` or, where that is not settled and the allowance suffices, by sampled Hessians.

    The second stage never changes a verdict that the first one has settled, so that verdicts with different allowances
    do not contradict each other.

    Parameters
    ----------
    evaluator, x, g, radius, x_scale, allowance
        As for `dense_verdict`.
    of_values : bool, default False
        Whether the derivatives are differences of f: then only sampled error bars are trusted.
    probe : bool, default True
        Whether f may be evaluated along directions without curvature.
    """
    scale = max(1.0, max_norm(x)) if x_scale is None else x_scale
    metered = MeteredEvaluator(evaluator, x.size, allowance)

    def bars(y: Vector, g: Vector, H: Matrix) -> ErrorBars:
        return error_bars(metered, y, g, H, scale, of_values=of_values)

    if of_values:
        return sampled_verdict(metered, x, g, bars, radius=radius, scale=scale)
    try:
        verdict = dense_verdict(metered, x, g, radius=radius, scale=scale, probe=probe)
    except np.linalg.LinAlgError:  # entries near the largest double
        return Verdict("undecided", "the eigenvalues of the Hessian cannot be computed", gradient_norm=max_norm(g))
    if not probe or (verdict.settled and verdict.level == "numerical") or not metered.affords(H=_WORTHWHILE):
        return verdict
    try:
        with evaluator.probing():
            sampled = sampled_verdict(metered, x, g, bars, radius=radius, scale=scale)
            if sampled.settled:
                return sampled
            found = degenerate_verdict(metered, x, sampled, radius=radius * scale)
    except (AllowanceSpent, np.linalg.LinAlgError):
        return verdict
    return verdict if found.kind == "undecided" else found
