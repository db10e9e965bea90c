"""The verdict by eigenvalues of full Hessians and, where some may be zero, by gradients along their eigenvectors."""

from __future__ import annotations

import math

import numpy as np

from newtonkit.classification.allowance import Evaluations, MeteredEvaluator
from newtonkit.classification.chord_steps import EquilibratedHessian, HessianError
from newtonkit.classification.error_bars import EXACT, GRADIENTS, error_bars
from newtonkit.classification.gradient_reduction import GradientReduction
from newtonkit.classification.null_space import WIDE, NullSpaceShape, null_space_shape
from newtonkit.classification.polished_spectrum import PolishedSpectrum, polished_spectrum
from newtonkit.classification.quadratic_model import QuadraticModel
from newtonkit.classification.verdict import Verdict
from newtonkit.linalg.kernels import EPS, Matrix, Vector, eigh, max_norm, norm

# share of the last step above which Newton's method does not approach a critical point, not even a multiple one
_NO_CONVERGENCE = 0.9
# the same above which it has not shown how far a simple or double root is: 0.5 at x³, 0.84 at u³ + v⁴, where it moved
# 11 times the distance
_DEGENERATE = 0.5
# the least ratio of the next eigenvalue to those called zero: without a gap the numerical rank is not determined (Golub
# & Van Loan, 2013, sec. 5.4.1). At least 4e6 at minima of 30 symmetric families; 240 at Watson's minimum, n = 12
_GAP = 1e4
_QUADRATIC = 0.1  # difference of the measured order from 2; 4 is the next order of an extremum; our choice
_SIGNIFICANT = 1e-3  # of ‖Dg‖: a smaller component of g along the null space is left of the chord steps
_BAR_GRADIENTS = 3  # of `error_bars`, next to those of a difference Hessian
_NOISE = 10.0  # times the error bar of g


def dense_verdict(
    evaluator: MeteredEvaluator, x: Vector, g: Vector, *, radius: float, scale: float, probe: bool = True
) -> Verdict:
    """The verdict at x by at most three full Hessians and, if some eigenvalues may be zero, by gradients.

    Rules, in this order:

    1. One Hessian suffices if every eigenvalue exceeds a hundredfold what the remaining gradient can have changed.
    2. Otherwise x is polished by chord steps, and signs beyond the error bars at the polished point are certain. Both
       signs: a saddle. None in doubt: a minimum or a maximum.
    3. Otherwise f is reduced to the directions in doubt, `newtonkit.classification.null_space`. Flat: "valley", a flat
       minimum, or "ridge", a flat maximum, of that dimension. An isolated extremum or a saddle: the degenerate kinds.

    If the allowance is too small, the verdict is "undecided" with that reason.

    Parameters
    ----------
    evaluator : MeteredEvaluator
    x, g : ndarray, shape (n,)
        The point and ∇f(x).
    radius : float
        How far, relative to ``scale``, the critical point may be from x.
    scale : float
        The length that counts as large in x.
    probe : bool, default True
        Whether f may be evaluated along directions without curvature; without it rule 3 gives "undecided".
    """
    H = evaluator.hessian(x)
    if not (np.isfinite(g).all() and np.isfinite(H).all()):
        return Verdict("undecided", "the gradient or the Hessian is not finite here")
    here = QuadraticModel(g, H, x, evaluator.hessian_error)
    with evaluator.probing():
        spectrum = polished_spectrum(evaluator, x, g, H, scale, _hessian_error(evaluator, x, g, H, scale))
        return _Decision(evaluator, x, here, spectrum, scale, radius * scale, probe).verdict()


def quadratic_verdict(evaluator: Evaluations, x: Vector, g: Vector) -> Verdict | None:
    """Newton step and predicted reduction at x from one Hessian; the kind is left open. None if H is not finite."""
    H = evaluator.hessian(x)
    if not (np.isfinite(g).all() and np.isfinite(H).all()):
        return None
    here = QuadraticModel(g, H, x, evaluator.hessian_error)
    reason = f"the quadratic model predicts a further reduction of {here.decrease:.2g}"
    return here.verdict("undecided", reason, gradient_norm=max_norm(g), distance=here.length)


def _hessian_error(evaluator: MeteredEvaluator, x: Vector, g: Vector, H: Matrix, scale: float) -> HessianError:
    """The errors of the Hessian; measured entry by entry where they come from differences and may hide an eigenvalue.

    The truncation error of a difference is relative to no entry of H: along its null direction, Peano's function shows
    a curvature of 3e-10 that equilibration would enlarge to 1.
    """
    relative, size = evaluator.hessian_error, float(np.linalg.norm(H, 2))
    least = float(np.abs(eigh(H)[0]).min())
    if _is_exact(evaluator) or least > relative * x.size * size:
        return HessianError(relative)
    if evaluator.affords(H=1, g=_BAR_GRADIENTS):
        return HessianError(relative, error_bars(evaluator, x, g, H, scale).H)
    return HessianError(relative, np.full_like(H, relative * size))


def _is_exact(evaluator: MeteredEvaluator) -> bool:
    return evaluator.hessian_error < math.sqrt(EPS) / 10


class _Decision:
    """The rules applied to one polished spectrum."""

    def __init__(
        self,
        metered: MeteredEvaluator,
        x: Vector,
        here: QuadraticModel,
        spectrum: PolishedSpectrum,
        scale: float,
        radius: float,
        probe: bool,
    ) -> None:
        self.x, self.probe = x, probe
        self.metered, self.here, self.spectrum, self.scale, self.radius = metered, here, spectrum, scale, radius
        self.n = here.g.size
        self.negative, self.positive = spectrum.negative, spectrum.positive
        self.nullity = self.n - self.negative - self.positive
        self.contraction = math.inf if here.null_slope > 0.0 else spectrum.contraction
        self.eigenvalues = eigh(spectrum.model.H)[0]

    def verdict(self) -> Verdict:
        far = self.spectrum.distance > self.radius
        distance = self.spectrum.distance
        if far and self.nullity and self.negative and self.positive:
            # chord steps may have moved along a manifold of critical points, past the nearest one
            reason = f"a critical point is {distance:.3g} away, with {self.nullity} directions without curvature"
            return self._made("undecided", reason)
        if far and not self.nullity:
            reason = f"the nearest critical point is {distance:.3g} away, more than {self.radius:.3g}"
            return self._made("not critical", reason)
        if self._is_astray():
            step = f"the Newton step is {self.here.length:.3g} long, with no sign of a critical point near"
            self.contraction = math.inf
            return self._made("not critical", step)
        if self.negative and self.positive:
            extremes = f"{self._shown(0)} and {self._shown(-1)}"
            reason = f"{self.negative} of {self.n} eigenvalues negative, the extremes {extremes}"
            return self._made("saddle", reason)
        if not self.nullity and self.positive:
            return self._made("minimum", f"every eigenvalue is positive, the smallest {self._shown(0)}")
        if not self.nullity:
            return self._made("maximum", f"every eigenvalue is negative, the largest {self._shown(-1)}")
        return self._singular()

    def _singular(self) -> Verdict:
        """The kind where no sign contradicts a minimum (or a maximum), but some eigenvalues may be zero."""
        spectrum, metered = self.spectrum, self.metered
        size = f"{self.nullity} of {self.n} eigenvalues cannot be distinguished from zero"
        if not self.probe:
            return self._undecided(size, "f was not examined along them")
        reduction = GradientReduction(metered, spectrum.model, spectrum.null, spectrum.x, spectrum.g)
        shape = null_space_shape(reduction, self.scale)
        text = f"{size}; {shape.evidence}"
        if self._has_slope():
            # where Newton steps grow, the error bar grows with them
            others = np.abs(spectrum.model.eigenvalues[~spectrum.null]).min(initial=math.inf)
            if 1.0 < spectrum.remaining < math.inf and others < spectrum.remaining * spectrum.error:
                return self._undecided(size, "Newton steps grow")
            if shape.kind in ("mixed", "falls") and self.here.null_slope > 0.0:
                return self._made("not critical", text, shape)
            if shape.kind not in ("minimum", "maximum", "saddle"):
                return self._undecided(size, "the gradient does not vanish along them")
        elif shape.kind in ("mixed", "falls") and spectrum.shift > self.radius:
            if spectrum.remaining > _DEGENERATE:  # the steps may have moved away from a critical point
                return self._undecided(size, "Newton's method does not show where a critical point is")
            return self._made("not critical", text, shape)
        rises = self.positive > 0 or shape.kind in ("minimum", "rises")
        falls = self.negative > 0 or shape.kind in ("maximum", "falls")
        if shape.kind == "flat":
            return self._flat(size, text)
        if spectrum.shift > WIDE * self.scale:
            return self._undecided(size, f"the point examined is {spectrum.shift:.2g} away")
        if shape.kind == "unknown":
            if self.here.length > self.radius:  # f has no graph over the null space to follow: a flat tail
                reason = f"the Newton step is {self.here.length:.3g} long, with no sign of a critical point near"
                return self._made("not critical", reason)
            return self._undecided(size, shape.evidence)
        if shape.kind in ("saddle", "mixed") or (rises and falls):
            return self._made("degenerate saddle", text, shape)
        if shape.kind == "rises":
            return self._undecided(size, shape.evidence)
        kind = "maximum" if falls else "minimum"
        # a quadratic along a single direction in doubt: its curvature is not zero, only smaller than the error bar
        return self._made(kind if abs(shape.order - 2.0) < _QUADRATIC else f"degenerate {kind}", text, shape)

    def _is_astray(self) -> bool:
        """Whether the Newton step is long and, at the polished point, no shorter: as on exp(−x)."""
        return self.here.length > self.radius and self._steps_fail()

    def _steps_fail(self) -> bool:
        """Whether the Newton step at the polished point is no shorter than at the given one."""
        spectrum, model = self.spectrum, self.spectrum.model
        step = norm(model.D * model.newton_step(spectrum.g, model.rounding))
        return self.here.null_slope > 0.0 or step > _NO_CONVERGENCE * self.here.length

    def _has_slope(self) -> bool:
        """Whether g has a significant component along the null space that chord steps do not reduce."""
        spectrum, model = self.spectrum, self.spectrum.model
        slope = model.Q[:, spectrum.null].T @ (model.D * spectrum.g)
        noise = norm(model.D * model.gradient_noise(spectrum.x, spectrum.g))
        bar = _NOISE * noise + _SIGNIFICANT * norm(model.D * spectrum.g)
        return self._steps_fail() and float(np.linalg.norm(slope)) > bar

    def _flat(self, size: str, text: str) -> Verdict:
        spectrum, sizes = self.spectrum, np.abs(self.spectrum.model.eigenvalues)
        others = sizes[~spectrum.null].min(initial=math.inf)
        if others < _GAP * sizes[spectrum.null].max():
            return self._undecided(size, f"the next eigenvalue is only {others / spectrum.error:.2g} error bars large")
        # Newton steps may be long along the flat directions; to first order the others lead to the nearest point
        N = np.linalg.qr(spectrum.model.D[:, np.newaxis] * spectrum.model.Q[:, spectrum.null])[0]
        shift = spectrum.x - self.x
        offset = norm(shift - N @ (N.T @ shift))
        if offset > self.radius:
            return self._made("not critical", f"the flat extremum is {offset:.3g} away, more than {self.radius:.3g}")
        if self.nullity == self.n:
            return self._made("undecided", f"f is constant within {self.scale:.2g}: {text}")
        if self.negative:
            return self._made("ridge", f"maximum along a flat ridge of dimension {self.nullity}: {text}", flat=True)
        return self._made("valley", f"minimum along a flat valley of dimension {self.nullity}: {text}", flat=True)

    def _undecided(self, size: str, why: str) -> Verdict:
        if self.here.null_slope > 0.0:
            slope = self.here.null_slope
            reason = f"the gradient has a component of {slope:.3g} along directions without curvature"
            return self._made("not critical", reason)
        if self.metered.refused:
            why = "the allowance was too small to examine them; options={'verdict': 'thorough'} or classify may"
        return self._made("undecided", f"the Hessian may be singular: {size}; {why}")

    def _made(self, kind: str, reason: str, shape: NullSpaceShape | None = None, *, flat: bool = False) -> Verdict:
        spectrum, here = self.spectrum, self.here
        direction = None if shape is None else shape.direction
        length = math.nan if shape is None or direction is None else shape.length
        if direction is None and self.negative:
            downhill = spectrum.model.D * spectrum.model.Q[:, 0]
            direction = downhill / norm(downhill)
        singular = kind in ("degenerate minimum", "degenerate maximum", "degenerate saddle", "valley", "ridge")
        return Verdict(
            kind,
            reason,
            index=self.negative,
            nullity=self.nullity,
            eigenvalues=self.eigenvalues,
            eigenvalue_tolerance=spectrum.error,
            eigenvalue_error=spectrum.plain_error,
            source=EXACT if _is_exact(self.metered) else GRADIENTS,
            gradient_norm=max_norm(here.g),
            newton_step=here.length,
            distance=spectrum.distance,
            radius=self.radius,
            contraction=math.nan if singular and here.null_slope == 0.0 else self.contraction,
            decrease=here.decrease,
            level="estimated" if shape is not None and shape.kind == "falls" else "numerical",
            escape_direction=direction,
            escape_length=length,
            flat_dimension=self.nullity if flat else None,
        )

    def _shown(self, which: int) -> str:
        """An extreme eigenvalue of the Hessian; of the equilibrated one if rounding hides the other."""
        model = self.spectrum.model
        return shown_eigenvalue(self.eigenvalues, model, which)


def shown_eigenvalue(plain: Vector, model: EquilibratedHessian, which: int) -> str:
    """An extreme eigenvalue of the Hessian; of the equilibrated one if rounding hides the other."""
    if abs(plain[which]) > 10 * EPS * plain.size * max_norm(plain):
        return f"{plain[which]:.3g}"
    return f"{model.eigenvalues[which]:.3g} with equilibrated variables"
