"""Classification by the eigenvalues of the full Hessian.

Two questions. *Is it critical?* An absolute bound on ‖g‖ cannot say, since the units of f are arbitrary. The
length η = ‖H⁻¹g‖ of the Newton step can, if Newton's method is inside its basin: by the affine covariant
Newton–Kantorovich theorem a critical point lies within about η when h = ωη < ½, with ω a Lipschitz constant of
H(x)⁻¹H(·) (Deuflhard, 2004, *Newton Methods for Nonlinear Problems*, thm. 2.1). A second, simplified Newton step
from the same Hessian samples it: ‖H⁻¹g(x − H⁻¹g)‖ ≈ ½ωη² (sec. 2.1.1). *Of which kind?* Inside that ball no
eigenvalue crosses zero, so the signs at x are those at the critical point; only rounding in H remains.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.critical.verdict import REGULAR, Verdict
from newtonkit.derivatives.structure import flatten, is_plain_vector
from newtonkit.linalg import EPS, Matrix, Vector, all_finite, eigh, max_norm, norm
from newtonkit.objective import Objective
from newtonkit.oracle import Oracle
from newtonkit.validation import check_real

_POLISHES = 3
_SWEEPS = 5  # of the equilibration, which converges like 2^-k in the exponents
_DEGENERATE_RADIUS = 0.1  # how near a multiple root may be supposed for "undecided" instead of "not critical"
_LINEAR = 0.9  # at a root of multiplicity m Newton's steps shrink by (m-1)/m; slower than this is no convergence


def classify(
    fun: Callable[..., Any],
    x: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
) -> Verdict:
    """What kind of point is x: minimum, maximum, saddle, not critical, or undecided?

    All eigenvalues of H = ∇²f positive: a local minimum; all negative: a local maximum; both signs: a saddle, of
    index the number of negative ones. Signs are those of the equilibrated Hessian DHD, D diagonal, which has
    the same inertia in whatever units x is given (Sylvester). Eigenvalues within 10·n·eps·‖DHD‖ of zero have no sign;
    if the others do not settle the matter, the answer is "undecided".

    Parameters
    ----------
    fun : callable
        f(x, \\*args), written with ``autograd.numpy`` unless jac and hess are given; returns one real number.
    x : array_like or structure of arrays
        The point.
    args : tuple, optional
        Further arguments of fun, jac and hess.
    jac, hess : callable, optional
        Gradient and Hessian, as in `newtonkit.minimize`; by automatic differentiation otherwise.
    radius : float, positive, default 1e-3
        How far, relative to ``x_scale``, the true critical point may lie from x to be called the same point.
    x_scale : float, positive, default max(1, ‖x‖∞)
        The length that counts as large in x.

    Returns
    -------
    Verdict
        ``kind``, ``index``, ``nullity``, ``eigenvalues``, ``gradient_norm``, the tolerances used, and a sentence.

    Notes
    -----
    Cost: a gradient and a Hessian, one more gradient where the Newton step is more than rounding, and up to three
    more pairs near degenerate points.

    References
    ----------
    Deuflhard (2004), *Newton Methods for Nonlinear Problems*, theorem 2.1 and section 2.1.1.

    Examples
    --------
    >>> verdict = classify(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0])
    >>> verdict.kind, verdict.index, verdict.eigenvalues
    ('saddle', 1, array([-2.,  2.]))
    """
    check_real("radius", radius, 0.0, open_low=True)
    if x_scale is not None:
        check_real("x_scale", x_scale, 0.0, open_low=True)
    vector, unflatten = flatten(x)
    if not all_finite(vector):
        raise ValueError(f"x must be finite, got {x!r}")
    if is_plain_vector(unflatten):
        objective = Objective(fun, jac, hess, args=args)
    else:
        structured = jac
        objective = Objective(
            lambda v, *rest: fun(unflatten(v), *rest),
            None if structured is None else lambda v, *rest: flatten(structured(unflatten(v), *rest))[0],
            None if hess is None else lambda v, *rest: hess(unflatten(v), *rest),
            args=args,
        )
    with np.errstate(all="ignore"):
        return dense_verdict(Oracle(objective, second_order=True), vector, radius=radius, x_scale=x_scale)


def dense_verdict(
    oracle: Oracle,
    x: Vector,
    g: Vector | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
) -> Verdict:
    """The verdict at x by full Hessians asked of the oracle; see `classify`."""
    scale = max(1.0, max_norm(x)) if x_scale is None else x_scale
    model = _model_at(oracle, x, oracle.gradient(x) if g is None else g)
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
        h = _contraction(oracle, y, model, scale)
        if not h > REGULAR:  # NaN: the Newton step is all rounding
            distance = norm(y - x) + _radius_of_existence(model.length, h)
            return _regular_verdict(here, model, h, distance, radius * scale, gradient_norm)
        y_next = y + model.step
        if norm(y_next - x) > _DEGENERATE_RADIUS * scale:
            break
        model_next = _model_at(oracle, y_next, oracle.gradient(y_next))
        if model_next is None:
            break
        shrinking = model_next.length / model.length
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


class _Model:
    """The quadratic model at one point, in the eigenbasis of its equilibrated Hessian.

    With x = Dz, D diagonal, the Hessian in z is DHD: by Sylvester's law its inertia is that of H, and with the rows of
    DHD brought to size 1 (Ruiz, 2001) neither depends on the units of the variables any more.
    """

    __slots__ = (
        "D",
        "H",
        "Q",
        "decrease",
        "eigenvalues",
        "g",
        "length",
        "null",
        "null_slope",
        "step",
        "tolerance",
    )

    def __init__(self, g: Vector, H: Matrix, x: Vector, relative_error: float) -> None:
        self.g, self.H = g, H
        self.D = _equilibrating(H)
        scaled = self.D[:, np.newaxis] * H * self.D
        self.eigenvalues, self.Q = eigh(scaled)
        self.tolerance = relative_error * g.size * max_norm(self.eigenvalues)
        self.null = np.abs(self.eigenvalues) <= self.tolerance
        c = self.Q.T @ (self.D * g)
        # the terms that cancel in g are as large as those of Hx
        noise = relative_error * (np.abs(self.Q.T) @ (self.D * (np.abs(H) @ np.abs(x) + np.abs(g))))
        slopes = np.abs(c[self.null])
        self.null_slope = float(np.max(slopes * (slopes > 10 * noise[self.null]), initial=0.0))
        self.step = np.ascontiguousarray(-self.newton(g))
        self.length = norm(self.step)
        curvatures = np.maximum(np.abs(self.eigenvalues), self.tolerance)
        left = ~self.null | (np.abs(c) > 10 * noise)
        # a zero curvature stands for the smallest that could be told from it
        self.decrease = 0.5 * float(np.sum(c[left] ** 2 / curvatures[left])) if max_norm(curvatures) > 0.0 else 0.0

    def newton(self, g: Vector) -> Vector:
        """H⁺g, with the directions of no certain curvature left out."""
        kept = ~self.null
        Q = self.Q[:, kept]
        step: Vector = self.D * (Q @ ((Q.T @ (self.D * g)) / self.eigenvalues[kept]))
        return step

    @property
    def condition(self) -> float:
        """Of the equilibrated Hessian, zero eigenvalues left out."""
        kept = np.abs(self.eigenvalues[~self.null])
        return max_norm(self.eigenvalues) / float(kept.min()) if kept.size else 1.0

    @property
    def plain_eigenvalues(self) -> Vector:
        """Of the Hessian itself, for the reader."""
        return eigh(self.H)[0]

    def shown(self, which: int) -> str:
        """An extreme eigenvalue of the Hessian; of the equilibrated one where rounding hides the other."""
        plain = self.plain_eigenvalues
        if abs(plain[which]) > 10 * EPS * plain.size * max_norm(plain):
            return f"{plain[which]:.3g}"
        return f"{self.eigenvalues[which]:.3g} with equilibrated variables"

    def verdict(self, kind: str, reason: str, **facts: Any) -> Verdict:
        negative = int(np.sum(self.eigenvalues < -self.tolerance))
        downhill = self.D * self.Q[:, 0]
        return Verdict(
            kind,
            reason,
            index=negative,
            nullity=int(self.null.sum()),
            eigenvalues=self.plain_eigenvalues,
            eigenvalue_tolerance=self.tolerance,
            newton_step=self.length,
            decrease=self.decrease,
            level="numerical",
            escape_direction=downhill / norm(downhill) if negative else None,
            **facts,
        )


def _equilibrating(H: Matrix) -> Vector:
    """The diagonal of D that brings the largest entry of every row of DHD near 1; 1 for a row of zeros."""
    D = np.ones(len(H))
    for _ in range(_SWEEPS):
        rows = np.abs(D[:, np.newaxis] * H * D).max(axis=1)
        rows[rows == 0.0] = 1.0
        D /= np.sqrt(rows)
    return D


def _model_at(oracle: Oracle, x: Vector, g: Vector) -> _Model | None:
    H = oracle.hessian(x)
    if not (all_finite(g) and bool(np.isfinite(H).all())):
        return None
    return _Model(g, H, x, oracle.hessian_error)


def _contraction(oracle: Oracle, y: Vector, model: _Model, scale: float) -> float:
    """h = ωη sampled by a simplified Newton step; NaN where the step is no larger than the rounding of g."""
    if model.length <= 100 * EPS * model.condition * scale:
        return math.nan
    # g(y + ts) = (1 − t)g + O(t²); half a step serves where f has no derivatives at the end of the whole one
    for t in (1.0, 0.5):
        g_next = oracle.gradient(y + t * model.step)
        if all_finite(g_next):
            bent = model.newton(g_next - (1.0 - t) * model.g)
            return 2.0 * norm(np.ascontiguousarray(bent)) / (t * t * model.length)
    return math.inf


def _radius_of_existence(length: float, h: float) -> float:
    """(1 − √(1−2h))/ω with ω = h/η: where the theorem places the critical point."""
    if not h > 0.0:
        return length
    return length * (1.0 - math.sqrt(1.0 - 2.0 * h)) / h


def _regular_verdict(
    here: _Model, model: _Model, h: float, distance: float, radius: float, gradient_norm: float
) -> Verdict:
    facts = {"gradient_norm": gradient_norm, "distance": distance, "radius": radius, "contraction": h}
    if distance > radius:
        return here.verdict(
            "not critical",
            f"the nearest critical point is {distance:.3g} away, more than {radius:.3g}",
            **facts,
        )
    equilibrated, tolerance = model.eigenvalues, model.tolerance
    n = equilibrated.size
    if equilibrated[0] > tolerance:
        kind, reason = "minimum", f"every eigenvalue is positive, the smallest {model.shown(0)}"
    elif equilibrated[-1] < -tolerance:
        kind, reason = "maximum", f"every eigenvalue is negative, the largest {model.shown(-1)}"
    elif equilibrated[0] < -tolerance and equilibrated[-1] > tolerance:
        index = int(np.sum(equilibrated < -tolerance))
        extremes = f"{model.shown(0)} and {model.shown(-1)}"
        kind, reason = "saddle", f"{index} of {n} eigenvalues negative, the extremes {extremes}"
    else:
        nullity = int(model.null.sum())
        kind = "undecided"
        reason = f"the Hessian is singular: {nullity} of {n} eigenvalues cannot be told from zero"
    return model.verdict(kind, reason, **facts)
