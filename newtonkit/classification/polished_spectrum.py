"""Signs of eigenvalues at the critical point near x, with error bars, from at most three Hessians.

Along a continuous symmetry the Hessian at a point with gradient g has eigenvalues of about ±‖g‖/‖x‖ where it is
singular at the critical point. Therefore the point is polished by chord steps and the Hessian is compared with that at
the polished point; only what lies beyond the error bar has a certain sign (Weyl's inequality).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.classification.allowance import MeteredEvaluator
from newtonkit.classification.chord_steps import ChordPoint, EquilibratedHessian, HessianError, chord_steps
from newtonkit.linalg.equilibration import equilibrating
from newtonkit.linalg.kernels import Matrix, Vector, norm

Mask = NDArray[np.bool_]

_MAX_HESSIANS = 3
# an eigenvalue that is this many times larger than what may have changed it needs no second Hessian (660 runs: 0 wrong)
_CERTAIN = 100.0
_SMALL = 1e-6  # of the largest eigenvalue: the sign of a smaller one is confirmed by a second Hessian
_SAFETY = 4.0  # times the change of H extrapolated to the critical point
_GAP = 1e-3  # of the error bar: null eigenvalues are smaller, others larger, if one more Hessian changes nothing
_DEGENERATE = 0.5  # remaining share above which it changes nothing either: ⅔ at x⁴, 0.8 at x⁶
_CONVERGED = 1e-2  # remaining share of the last step below which a third Hessian changes nothing


class PolishedSpectrum(NamedTuple):
    """The Hessian at the polished point and what is certain of its eigenvalues."""

    x: Vector
    """The polished point."""
    g: Vector
    model: EquilibratedHessian
    error: float
    """Error bar of the eigenvalues of the equilibrated Hessian, at the critical point that the steps lead to."""
    plain_error: float
    """The same for the Hessian itself."""
    remaining: float
    """Share of the last step that remains; ∞ if no step reduced the gradient."""
    contraction: float
    """Kantorovich's h at the given point; NaN where the Newton step is rounding."""
    distance: float
    """From the given point to the polished one, and the Newton step from there."""
    shift: float
    """From the given point to the polished one."""

    @property
    def null(self) -> Mask:
        """Which of the eigenvalues may be zero."""
        mask: Mask = np.abs(self.model.eigenvalues) <= self.error
        return mask

    @property
    def negative(self) -> int:
        """Number of eigenvalues that are certainly negative."""
        return int(np.sum(self.model.eigenvalues < -self.error))

    @property
    def positive(self) -> int:
        """Number of eigenvalues that are certainly positive."""
        return int(np.sum(self.model.eigenvalues > self.error))


def polished_spectrum(
    evaluator: MeteredEvaluator, x: Vector, g: Vector, H: Matrix, scale: float, error: HessianError
) -> PolishedSpectrum:
    """Chord steps from x, at most two more Hessians, and the error bars that follow.

    ``scale`` is the length that counts as large in x, ``error`` that of each Hessian.
    """
    D = _equilibrating(H if error.entries is None else np.abs(H) + error.entries)
    model, x0 = EquilibratedHessian(H, D, error), x
    point, moved = _polish(evaluator, model, x, g, scale)
    first_h = point.contraction
    if bool((np.abs(model.eigenvalues) > max(moved, _SMALL * model.size, model.rounding)).all()):
        plain_error = _plain(model, np.zeros_like(H), 0.0)
        distance = norm(point.x - x0)
        return PolishedSpectrum(point.x, point.g, model, model.rounding, plain_error, 0.0, first_h, distance, distance)
    # what the error bar is where nothing else is known
    change, remaining, bar = np.diag(moved / D**2), math.inf, math.inf
    if point.x is x and model.is_noise(x, g):
        # a gradient of this size, though noise, explains eigenvalues of a symmetry: at most ‖Dg‖/‖D⁻¹x‖ in these units
        length = norm(x / D)
        explained = _CERTAIN * norm(D * g) / length if length > 0.0 else math.inf
        change, remaining, bar = np.zeros_like(H), 0.0, max(model.rounding, min(moved, explained))
    for _ in range(1, _MAX_HESSIANS):
        if point.x is x or not evaluator.affords(H=1):
            break
        H_next, step = evaluator.hessian(point.x), (point.x - x) / D
        if not np.isfinite(H_next).all():
            break
        change, x, g = H_next - model.H, point.x, point.g
        model = EquilibratedHessian(H_next, D, error)
        remaining = model.remaining_share(x, g, step)
        # the last step was taken in other directions than the one to come, which shows how eigenvalues change along it
        point, moved = _polish(evaluator, model, x, g, scale)
        bar = max(_error_bar(model, change, remaining), _SAFETY * point.bend)
        if point.x is not x and moved < bar:  # as good as one more Hessian
            bar, x, g = max(moved, model.rounding), point.x, point.g
            break
        if remaining <= _CONVERGED or remaining > _DEGENERATE or _is_separated(model, bar):
            break
    best, best_bar = model, _error_bar(model, change, remaining) if bar == math.inf else bar
    if change.any() and (np.abs(model.eigenvalues) <= best_bar).any():
        # units that make a degenerate direction visible enlarge its coupling to the others too
        plain = EquilibratedHessian(model.H, np.ones(x.size), error)
        plain_bar = max(_error_bar(plain, change, remaining), _SAFETY * point.plain_bend)
        if np.sum(np.abs(plain.eigenvalues) <= plain_bar) < np.sum(np.abs(model.eigenvalues) <= best_bar):
            best, best_bar = plain, plain_bar
    distance = norm(x - x0) + norm(best.D * best.newton_step(g, best_bar))
    return PolishedSpectrum(
        x, g, best, best_bar, _plain(model, change, remaining), remaining, first_h, distance, norm(x - x0)
    )


def _polish(
    evaluator: MeteredEvaluator, model: EquilibratedHessian, x: Vector, g: Vector, scale: float
) -> tuple[ChordPoint, float]:
    """Chord steps, and a hundredfold of how much an eigenvalue may have changed between x and the critical point.

    The bend of the first step alone would accept ½x² + ½xz². A symmetry's zero eigenvalue amounts to at most ‖g‖/‖x‖.
    """
    zero = norm(g) / scale * float(model.D.max()) * float(model.D.max())
    point = chord_steps(evaluator, model, x, g, model.rounding)
    if point.x is x:  # the full step failed: leave out the eigenvalues that the gradient itself may explain
        cut = max(model.rounding, min(_CERTAIN * zero, 0.5 * model.size))
        shorter = chord_steps(evaluator, model, x, g, cut)
        point = shorter._replace(contraction=point.contraction)
    return point, _CERTAIN * max(point.bend, zero)


def _is_separated(model: EquilibratedHessian, bar: float) -> bool:
    """Whether a tenth of a percent of the error bar would leave the same eigenvalues in doubt."""
    sizes = np.abs(model.eigenvalues)
    return not ((sizes <= bar) & (sizes > _GAP * bar + model.rounding)).any()


def _equilibrating(H: Matrix) -> Vector:
    """The scaling of `equilibrating`; a row of zeros takes the largest of the others, so that f may have any unit."""
    D, rows = equilibrating(H), np.abs(H).any(axis=1)
    D[~rows] = D[rows].max(initial=0.0) or 1.0
    return D


def _error_bar(model: EquilibratedHessian, change: Matrix, remaining: float) -> float:
    scaled = model.D[:, np.newaxis] * change * model.D
    return model.rounding + _SAFETY * float(np.linalg.norm(scaled, 2)) * min(1.0, remaining)


def _plain(model: EquilibratedHessian, change: Matrix, remaining: float) -> float:
    size = float(np.linalg.norm(model.H, 2))
    rounding = model.rounding / model.size * size if model.size else 0.0
    return rounding + _SAFETY * float(np.linalg.norm(change, 2)) * min(1.0, remaining)
