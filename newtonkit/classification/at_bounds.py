"""The verdict at a point of a box: multipliers of the active bounds, and the kind of the point on its face."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from newtonkit.classification.allowance import UNLIMITED, Allowance, AllowanceSpent, Evaluations, MeteredEvaluator
from newtonkit.classification.copositivity import least_on_orthant
from newtonkit.classification.faces import Face, FaceEvaluator, bounds_at, face_at, snapped
from newtonkit.classification.staged import staged_verdict
from newtonkit.classification.verdict import NO_MINIMUM, Verdict
from newtonkit.linalg.equilibration import equilibrating
from newtonkit.linalg.kernels import EPS, Matrix, Vector, eigh, max_norm, norm

_SAFETY = 4.0  # times the change of the Schur complement over the Newton step that remains


def bounded_verdict(
    evaluator: Evaluations,
    x: Vector,
    g: Vector,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
    allowance: Allowance = UNLIMITED,
    gradient_error: float = 0.0,
    probe: bool = True,
) -> Verdict:
    """What kind of point x is in the box of the evaluator, from full Hessians.

    Let W be the weakly active bounds, whose multiplier may be zero, and F the free variables.

    1. `staged_verdict` gives the kind on the face, where the free variables vary. A point that is not a minimum on its
       face is not a minimum on the box.
    2. If W is empty, a minimum on the face is a minimum on the box: f increases from the face into the box.
    3. Otherwise C = σ(H_WW − H_WF H_FF⁺ H_FW)σ decides, with σ the inward signs: if H_FF ≻ 0 and yᵀCy > 0 for all
       y ≥ 0, y ≠ 0, the point is a strict minimum; if yᵀCy < 0 for some y ≥ 0, it is none. Otherwise it is undecided
       at second order. Only values beyond the error bar of C count.

    Parameters
    ----------
    evaluator : Evaluations
    x, g : ndarray, shape (n,)
        A point of the box and ∇f(x).
    radius, x_scale, allowance, probe
        As for `staged_verdict`.
    gradient_error : float, default 0
        Error bar of each entry of g.

    References
    ----------
    Nocedal & Wright (2006), theorems 12.5 and 12.6; Contesse (1980), Numer. Math. 34, 315-332 (copositivity).
    """
    scale = max(1.0, max_norm(x)) if x_scale is None else x_scale
    metered = MeteredEvaluator(evaluator, x.size, allowance)
    domain, criticality = evaluator.domain, evaluator.domain.criticality(x, g)
    try:
        H = metered.hessian(x)
        y, approach = snapped(domain, x, g, np.diag(H), radius * scale), 0.0
        if y is not x:
            moved = y - x
            approach = max(0.0, -float(moved @ g) - 0.5 * float(moved @ H @ moved))
            g, H = metered.gradient(y), metered.hessian(y)
        if not (np.isfinite(g).all() and np.isfinite(H).all()):
            return Verdict("undecided", "the gradient or the Hessian is not finite here", gradient_norm=criticality)
        face = face_at(bounds_at(domain, y), y, g, H, evaluator.hessian_error, gradient_error)
    except (AllowanceSpent, np.linalg.LinAlgError):
        return Verdict("undecided", "the allowance was too small for a Hessian", gradient_norm=criticality)
    facts: dict[str, Any] = {
        "active": face.sides,
        "multipliers": face.multipliers,
        "multiplier_errors": face.errors,
        "weakly_active": face.weak,
        "gradient_norm": criticality,
    }
    view = FaceEvaluator(evaluator, y, face.free)
    on_face = Verdict("minimum", "", index=0, nullity=0, newton_step=0.0, distance=0.0, decrease=0.0, level="numerical")
    if face.free.any():
        products = metered.hessian_products
        rest = Allowance(f=allowance.cost(products) - metered.spent.cost(products))
        try:
            on_face = staged_verdict(
                view, y[face.free], g[face.free], radius=radius, x_scale=scale, allowance=rest, probe=probe
            )
        except AllowanceSpent:
            return Verdict("undecided", "the allowance was too small for a second Hessian", **facts)
    facts["distance"], facts["radius"] = on_face.distance + norm(y - x), radius * scale
    # the way to the bounds is a part of the step that remains, and of the reduction that it gives
    facts["decrease"], facts["newton_step"] = on_face.decrease + approach, on_face.newton_step + norm(y - x)
    if on_face.escape_direction is not None:
        facts["escape_direction"] = view.embed(on_face.escape_direction, np.zeros(x.size))
    if on_face.kind in NO_MINIMUM:
        return _not_minimum(on_face, face, H, evaluator.hessian_error, facts)
    if not face.weak.any():
        return dataclasses.replace(on_face, reason=_sentence(on_face, face), **facts)
    schur = _schur_complement(metered, view, face, y, g, H)
    least = least_on_orthant(schur.C)
    if least.value < -schur.error:
        direction = np.zeros(x.size)
        direction[face.weak] = face.inward[face.weak] * schur.D * least.y
        direction[face.free] = -schur.solution @ direction[face.weak]
        facts["escape_direction"] = direction / norm(direction)
        return dataclasses.replace(
            on_face,
            kind="saddle",
            reason=f"{face.description()}; f falls along a direction into the box from weakly active bounds, by its "
            f"negative curvature {_curvature(H, facts['escape_direction']):.2g}",
            **facts,
        )
    if on_face.kind == "minimum" and least.lower_bound > schur.error:
        return dataclasses.replace(on_face, reason=_sentence(on_face, face), **facts)
    return dataclasses.replace(
        on_face,
        kind="undecided",
        reason=f"{_sentence(on_face, face)}; second derivatives do not decide at the weakly active bounds",
        **facts,
    )


def _sentence(on_face: Verdict, face: Face) -> str:
    text = face.description()
    if not face.free.any():
        return text
    if on_face.kind == "minimum":
        return f"{text}, eigenvalues ≥ {on_face.eigenvalues[0]:.2g}"
    return f"{text}; on the free variables {on_face.reason}"


def _not_minimum(on_face: Verdict, face: Face, H: Matrix, hessian_error: float, facts: dict[str, Any]) -> Verdict:
    """The verdict where the point is not a minimum on its face."""
    kind = on_face.kind
    if kind in ("maximum", "degenerate maximum", "ridge") and face.active.any():
        kind = "saddle" if kind == "maximum" else "degenerate saddle"
        if on_face.kind == "maximum" and not face.strong.any():
            # a maximum on the box if f also falls in all directions that leave the weakly active bounds
            schur = _schur_of(-H, face, hessian_error)
            kind = "maximum" if least_on_orthant(schur.C).lower_bound > schur.error else "saddle"
    return dataclasses.replace(on_face, kind=kind, reason=_sentence(on_face, face), **facts)


class _Schur(NamedTuple):
    C: Matrix
    """D σ(H_WW − H_WF H_FF⁺ H_FW)σ D."""
    D: Vector
    """Positive scaling; it does not change whether the matrix is copositive."""
    solution: Matrix
    """H_FF⁺ H_FW."""
    error: float
    """Bound on the change of yᵀCy for ‖y‖ = 1."""


def _schur_complement(
    metered: MeteredEvaluator, view: FaceEvaluator, face: Face, x: Vector, g: Vector, H: Matrix
) -> _Schur:
    """The Schur complement at x; its error bar includes the change over the Newton step of the free variables."""
    here = _schur_of(H, face, metered.hessian_error)
    if not face.free.any():
        return here
    F = face.free
    step = -np.asarray(np.linalg.lstsq(H[np.ix_(F, F)], g[F], rcond=None)[0], dtype=np.float64)
    there = view.embed(x[F] + step)
    if norm(step) <= 10 * EPS * norm(x) or not view.domain.contains(there[F]) or not metered.affords(H=1):
        return here
    with metered.probing():
        H_there = metered.hessian(there)
    if not np.isfinite(H_there).all():
        return here._replace(error=math.inf)
    moved = _schur_of(H_there, face, metered.hessian_error, here.D)
    change = float(np.linalg.norm(moved.C - here.C, 2))
    return moved._replace(error=moved.error + _SAFETY * change)


def _schur_of(H: Matrix, face: Face, hessian_error: float, D: Vector | None = None) -> _Schur:
    W, F, n = face.weak, face.free, len(H)
    relative = n * max(10 * EPS, hessian_error)
    H_WW, H_FW = H[np.ix_(W, W)], H[np.ix_(F, W)]
    solution = np.zeros(H_FW.shape)
    if F.any():
        eigenvalues, Q = eigh(H[np.ix_(F, F)])
        kept = eigenvalues > relative * max_norm(eigenvalues)
        solution = Q[:, kept] @ ((Q[:, kept].T @ H_FW) / eigenvalues[kept, None])
    sigma = face.inward[W]
    E = relative * (np.abs(H_WW) + np.abs(H_FW).T @ np.abs(solution))
    C = sigma[:, None] * (H_WW - H_FW.T @ solution) * sigma
    C = 0.5 * (C + C.T)
    if D is None:
        D = equilibrating(np.abs(H_WW) + E)
        D = np.where(np.isfinite(D) & (D > 0.0), D, 1.0)
    return _Schur(D[:, None] * C * D, D, solution, float(np.linalg.norm(D[:, None] * E * D, 2)))


def _curvature(H: Matrix, p: Vector) -> float:
    return float(p @ H @ p)
