"""The verdict on a point: an object, never a string."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from newtonkit.core.html_table import html_table
from newtonkit.linalg.kernels import Vector

KINDS = (
    "minimum",
    "maximum",
    "saddle",
    "degenerate minimum",
    "degenerate maximum",
    "degenerate saddle",
    "valley",
    "ridge",
    "not critical",
    "undecided",
    "unchecked",
)

# the kinds that contradict a claim of convergence
NO_MINIMUM = frozenset({"maximum", "saddle", "degenerate maximum", "degenerate saddle", "ridge", "not critical"})

# bound of h; ½ would suffice, but ω is only sampled, and Newton's method reaches 0.1 quadratically at simple roots
REGULAR = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What kind of point this is, and the evidence.

    Its text is ``kind: reason``.

    Examples
    --------
    >>> import newtonkit
    >>> verdict = newtonkit.classify(lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0])
    >>> verdict.kind, verdict.index
    ('saddle', 1)
    """

    kind: str
    """One of `KINDS`. A flat minimum, one of a manifold of minimizers, is a "valley", a flat maximum a "ridge"; their
    dimension is ``flat_dimension``. "minimum" and "maximum" require a regular Hessian, "degenerate minimum" and
    "degenerate maximum" are isolated points with a singular one."""
    reason: str
    """One plain sentence."""
    index: int | None = None
    """Number of eigenvalues that are certainly negative; None if unknown."""
    nullity: int | None = None
    """Number of eigenvalues that cannot be distinguished from zero; None if unknown."""
    eigenvalues: Vector = field(default_factory=lambda: np.empty(0))
    """Of the Hessian, ascending; all n of them, or the few known at large n."""
    eigenvalue_tolerance: float = math.nan
    """Up to this size an eigenvalue of the equilibrated Hessian, whose rows have size 1, may be zero."""
    eigenvalue_error: float = math.nan
    """Error bar of each of ``eigenvalues``: that of the Hessian, and what changes up to the true critical point; NaN
    if it was not estimated."""
    source: str = ""
    """Where the Hessian came from: exact derivatives, differences of the gradient, differences of f."""
    gradient_norm: float = math.nan
    """‖∇f‖∞ at the point."""
    newton_step: float = math.nan
    """Length of the Newton step ‖H⁻¹g‖, directions without certain curvature excluded."""
    distance: float = math.nan
    """Estimated distance to the critical point that the verdict is about."""
    radius: float = math.nan
    """The distance up to which the given point is taken for that critical point."""
    contraction: float = math.nan
    """Kantorovich's h = ωη: below ½ a regular critical point is near; at most 0.1 is required. NaN if the
    Newton step is rounding."""
    decrease: float = math.nan
    """Decrease of f that the quadratic model still predicts, ½ gᵀH⁻¹g over the positive eigenvalues."""
    level: str = ""
    """"proved" (from the structure of f), "numerical" (all eigenvalues, up to their error bars) or "estimated"
    (Hessian-vector products; samples)."""
    escape_direction: Vector | None = None
    """A unit direction in which f falls, by certain negative curvature or seen to; None if there is none."""
    escape_length: float = math.nan
    """How far along that direction f was seen to be lower; NaN if curvature proves it for any short step."""
    flat_dimension: int | None = None
    """Dimension of the manifold of critical points, for a valley or a ridge; None otherwise."""
    scope: str = "local"
    """"local", or "global" if no point has a lower value of f."""
    gap: float = math.nan
    """Proved upper bound of f(x) − f*; NaN where none is proved."""
    modulus: float = math.nan
    """Proved modulus of strong convexity of f; NaN where none is proved."""
    active: NDArray[np.int64] | None = None
    """In a box: −1 for each variable at its lower bound, +1 at its upper bound, 0 otherwise and for fixed variables;
    None without bounds. Then ``index``, ``nullity`` and ``eigenvalues`` are those of the free variables."""
    multipliers: Vector | None = None
    """In a box: gᵢ at a lower, −gᵢ at an upper bound, 0 elsewhere; a minimum requires that none is negative."""
    multiplier_errors: Vector | None = None
    """In a box: the error bar of each multiplier, for rounding and for the distance to the critical point."""
    weakly_active: NDArray[np.bool_] | None = None
    """In a box: for each variable whether it is at a bound with a multiplier that may be zero."""

    @property
    def regular(self) -> bool:
        """Whether a regular critical point is known to be near, if not at the point itself."""
        return not self.contraction > REGULAR

    @property
    def settled(self) -> bool:
        """Whether an examination of degenerate directions can change nothing."""
        return self.kind != "undecided" and (self.kind != "not critical" or self.regular)

    def __str__(self) -> str:
        scope = "global " if self.scope == "global" else ""
        place = "" if self.active is None else " on the box"
        return f"{scope}{self.kind}{place}: {self.reason}"

    def _repr_html_(self) -> str:
        facts = [("reason", self.reason), ("scope", self.scope), ("level", self.level or "–")]
        if self.index is not None:
            facts.append(("negative eigenvalues", str(self.index)))
        if self.eigenvalues.size:
            known = self.eigenvalues
            facts.append(("eigenvalues", f"{known.size} known, from {known[0]:.4g} to {known[-1]:.4g}"))
        if math.isfinite(self.gap):
            facts.append(("f − f* at most", f"{self.gap:.3g}"))
        if math.isfinite(self.gradient_norm):
            facts.append(("‖g‖∞", f"{self.gradient_norm:.3g}"))
        return html_table(str(self).split(":")[0], (), facts)


def unchecked(reason: str, gradient_norm: float = math.nan) -> Verdict:
    """The verdict where nothing was tested."""
    return Verdict("unchecked", reason, gradient_norm=gradient_norm)
