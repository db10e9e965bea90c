"""Newton's method in a trust region: the default for small and medium n."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from newtonkit.linalg import EPS, Vector, all_finite, dot, norm
from newtonkit.methods.base import MethodBase
from newtonkit.oracle import Oracle
from newtonkit.state import FIRST, Reason, State, StepFailure, StepInfo
from newtonkit.trustregion.exact import EigenModel
from newtonkit.trustregion.radius import ACCEPT, first_radius, has_risen, is_rounding, next_radius

_SMALLEST = 1e-100  # radius: from the origin, x + p differs from x for ever


@dataclass(frozen=True, slots=True)
class TrustState(State):
    """A point, the radius for the next step, and the model there once it is known."""

    radius: float
    """NaN before the first step."""
    model: EigenModel | None
    """Kept after a rejection, None at a new point."""
    previous: TrustState | None
    """Where to return to should the Hessian not be finite here."""


@dataclass(frozen=True)
class TrustNewton(MethodBase):
    """Minimize the quadratic model m(p) = f + gᵀp + ½ pᵀHp within ‖p‖ ≤ Δ, nearly exactly; adapt Δ to its success.

    Safe at indefinite and singular Hessians: the boundary of the region turns negative curvature into descent.

    Parameters
    ----------
    initial_radius : float, positive, optional
        The first Δ; 10‖g₀‖/‖H₀‖ by default.

    Notes
    -----
    One f a trial; a gradient, and a Hessian with its eigendecomposition (O(n³)), only where a trial was accepted. A
    trial where f or g is not finite is a rejection; where the Hessian is not finite, the step that led there is taken
    back. Where differences of f are all rounding, the gradients judge the step.

    References
    ----------
    Moré & Sorensen (1983), SIAM J. Sci. Stat. Comput. 4(3), 553; Conn, Gould & Toint (2000), *Trust-Region
    Methods*, algorithm 6.1.1; Nocedal & Wright (2006), algorithm 4.1.

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x**4 - x**2).sum(), [0.1, 0.2], method=TrustNewton())
    >>> result.verdict.kind
    'minimum'
    """

    initial_radius: float | None = None

    name: ClassVar[str] = "newton"
    needs: ClassVar[frozenset[str]] = frozenset({"grad", "hess"})
    matrices: ClassVar[int] = 6

    def __post_init__(self) -> None:
        radius = self.initial_radius
        if radius is not None and not (isinstance(radius, float | int) and 0.0 < radius < math.inf):
            raise ValueError(f"initial_radius must be a positive number or None, got {radius!r}")

    def init(self, oracle: Oracle, x0: Vector) -> TrustState:
        """The state at x0."""
        return TrustState(x0, *oracle.value_and_grad(x0), FIRST, math.nan, None, None)

    def step(self, oracle: Oracle, state: TrustState) -> TrustState:
        """One trial: the next point, or the same point with a smaller radius."""
        model = state.model
        if model is None:
            H = oracle.hessian(state.x)
            if not np.isfinite(H).all():
                return _taken_back(state)
            # the terms that cancel in a gradient near a minimizer are as large as those of Hx
            model = EigenModel(state.g, H, 10 * EPS * (np.abs(H) @ np.abs(state.x) + np.abs(state.g)))
        radius = state.radius
        if math.isnan(radius):
            radius = self.initial_radius or first_radius(norm(state.g), model.hessian_norm, norm(state.x))
        p, predicted, on_boundary = model.solve(radius)
        x = state.x + p
        length = norm(p)
        if not predicted > 0.0:
            raise StepFailure(Reason.NOT_DESCENT, measured=dot(state.g, p), limit=0.0)
        if bool((x == state.x).all()) or radius < _SMALLEST:
            raise StepFailure(Reason.RADIUS, measured=radius, limit=float(np.spacing(np.abs(state.x).max())))

        f, g, ratio = oracle.value(x), None, math.nan
        if math.isfinite(f):
            ratio = (state.f - f) / predicted
            if is_rounding(state.f, f, predicted) and not has_risen(oracle.best_f, f):
                g = oracle.gradient(x)
                ratio = -0.5 * dot(g + state.g, p) / predicted
        accepted = ratio >= ACCEPT
        if accepted and g is None:
            g = oracle.gradient(x)
        if g is not None and not all_finite(g):
            accepted, ratio = False, math.nan
        info = StepInfo(
            accepted,
            length,
            state.f - f,
            radius=radius,
            ratio=ratio,
            inner=1,
            note="" if f == f else "f not finite",
        )
        radius = next_radius(radius, length, ratio, on_boundary=on_boundary)
        if accepted and g is not None:
            return TrustState(x, f, g, info, radius, None, dataclasses.replace(state, model=model, previous=None))
        return TrustState(state.x, state.f, state.g, info, radius, model, state.previous)


def _taken_back(state: TrustState) -> TrustState:
    """The state before a step that led to a Hessian which is not finite, with a radius shorter than that step."""
    if state.previous is None:
        raise StepFailure(Reason.NON_FINITE, "the Hessian has entries that are not finite at the starting point")
    before = state.previous
    info = StepInfo(False, state.info.length, radius=state.info.radius, note="Hessian not finite: step taken back")
    radius = next_radius(math.nan, state.info.length, math.nan, on_boundary=False)
    return TrustState(before.x, before.f, before.g, info, radius, before.model, None)
