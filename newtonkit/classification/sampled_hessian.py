"""The verdict by Hessians sampled wherever the critical point may be, with error bars entry by entry; expensive.

Two questions. *Is x critical?* An absolute bound on ‖g‖ cannot decide it, since the unit of f is arbitrary. The length
η = ‖H⁻¹g‖ of the Newton step can, inside the basin of Newton's method: by the affine covariant Newton–Kantorovich
theorem a critical point lies within about η if h = ωη < ½, where ω is a Lipschitz constant of H(x)⁻¹H(·) (Deuflhard,
2004, *Newton Methods for Nonlinear Problems*, theorem 2.1). A second, simplified Newton step with the same Hessian
samples it: ‖H⁻¹g(x − H⁻¹g)‖ ≈ ½ωη² (sec. 2.1.1). *Of which kind?* Inside that ball no eigenvalue crosses zero, so that
the signs at x are those at the critical point; only rounding in H remains.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.classification.error_bars import ErrorBars
from newtonkit.classification.kantorovich import contraction, hessian_variation, radius_of_existence
from newtonkit.classification.quadratic_model import QuadraticModel, regular_verdict
from newtonkit.classification.verdict import REGULAR, Verdict
from newtonkit.linalg.kernels import Matrix, Vector, all_finite, max_norm, norm

_POLISHES = 3
_DEGENERATE_RADIUS = 0.1  # how near a multiple root may be supposed for "undecided" instead of "not critical"
_LINEAR = 0.9  # at a root of multiplicity m Newton's steps shrink by (m − 1)/m; slower than this is no convergence

Bars = Callable[[Vector, Vector, Matrix], ErrorBars]


def sampled_verdict(
    evaluator: MeteredEvaluator, x: Vector, g: Vector, bars: Bars, *, radius: float, scale: float
) -> Verdict:
    """The verdict at x by up to some dozens of Hessians; see `newtonkit.classify`.

    Parameters
    ----------
    evaluator : MeteredEvaluator
    x, g : ndarray, shape (n,)
        The point and ∇f(x).
    bars : callable
        bars(x, g, H) returns the error bars of g and H at x.
    radius : float
        How far, relative to ``scale``, the critical point may be from x.
    scale : float
        The length that counts as large in x.
    """
    model = _model_at(evaluator, x, g, bars)
    if model is None:
        return Verdict("undecided", "the gradient or the Hessian is not finite here")
    here, gradient_norm = model, max_norm(model.g)
    if here.null_slope > 0.0:
        return here.verdict(
            "not critical",
            f"the gradient has a component of {here.null_slope:.3g} along directions without curvature",
            gradient_norm=gradient_norm,
            contraction=math.inf,
        )
    y, shrinking = x, 1.0
    for _ in range(_POLISHES):
        h = contraction(evaluator, y, model, scale)
        change = 0.0 if h > REGULAR else hessian_variation(evaluator, y, model)
        if change == math.inf:
            h = math.inf
        if not h > REGULAR:  # NaN: the Newton step is all rounding
            distance = norm(y - x) + radius_of_existence(model.length, h)
            if y is not x and model.null.any() and distance > radius * scale:
                # Newton's steps may have gone along a manifold of critical points, past the nearest
                reason = f"a critical point is {distance:.3g} away, but with directions without curvature"
                return here.verdict("undecided", reason, gradient_norm=gradient_norm, distance=distance, contraction=h)
            return regular_verdict(here, model, h, distance, radius * scale, gradient_norm, change)
        y_next = y + model.step
        if norm(y_next - x) > _DEGENERATE_RADIUS * scale:
            break
        model_next = _model_at(evaluator, y_next, evaluator.gradient(y_next), bars)
        if model_next is None:
            break
        shrinking = model_next.length / model.length if model.length else math.inf
        y, model = y_next, model_next
        if shrinking > _LINEAR:
            break

    distance = norm(y - x) + model.length / (1.0 - shrinking) if shrinking <= _LINEAR else math.inf
    if distance <= _DEGENERATE_RADIUS * scale:
        return here.verdict(
            "undecided",
            f"Newton's steps shrink only by {shrinking:.2f} each: a degenerate critical point about "
            f"{distance:.2g} away, or none",
            gradient_norm=gradient_norm,
            distance=distance,
            contraction=h,
        )
    facts = {"gradient_norm": gradient_norm, "distance": here.length, "radius": radius * scale, "contraction": h}
    if here.length <= radius * scale:
        return here.verdict(
            "undecided", f"Newton's step is only {here.length:.2g} long, but the next is no shorter", **facts
        )
    return here.verdict(
        "not critical", f"the Newton step is {here.length:.3g} long, with no sign of a critical point near", **facts
    )


def _model_at(evaluator: MeteredEvaluator, x: Vector, g: Vector, bars: Bars) -> QuadraticModel | None:
    H = evaluator.hessian(x)
    if not (all_finite(g) and bool(np.isfinite(H).all())):
        return None
    return QuadraticModel(g, H, x, evaluator.hessian_error, bars(x, g, H))
