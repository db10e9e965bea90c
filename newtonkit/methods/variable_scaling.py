"""The option ``scaling``: in which units of the variables a method measures the length of a step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from newtonkit.linalg.kernels import Vector
from newtonkit.trustregion.units import EUCLIDEAN, Units

Scaling = str | tuple[float, ...]
"""The value of the option: "auto", "none", "sizes", or the typical size of each variable."""

_RULES = ("auto", "none", "sizes")
# Trials before "auto" may change the units, so that what is solved quickly does not change. Measured: of NIST's 54 fits
# as plain sums of squares newton solves 51 (48 without scaling) with 0.57 times the Hessians in all, cubic 53 (47),
# newton-cg 50 (46), newton-linesearch 50 (34); of the 173 runs of the benchmark 163 (160), 162 (153), 164 (158),
# 163 (155), and no run that was solved without scaling is lost
PATIENCE = 30
# Ratio of the largest size to the smallest below which "auto" keeps the units. With 1, functions with many humps are
# lost on the benchmark, with 1000 three fits fewer are solved
_DIFFERENT = 100.0
# Variables up to which "auto" may change the units although the curvatures are not known. With more, the test that is
# left is too weak. Measured: chained Rosenbrock with 100 variables takes newton-cg 2,050 products, and 8,200 in units
# of the sizes
_FEW = 30
_FIXED = -1  # trials before a change: none follows


def checked_scaling(scaling: Any) -> Scaling:
    """Return the option, sizes as a tuple.

    Raises
    ------
    ValueError
        If it is neither "auto", "none", "sizes" nor a vector of positive finite numbers.
    """
    if isinstance(scaling, str):
        if scaling not in _RULES:
            raise ValueError(f"scaling must be {', '.join(map(repr, _RULES))} or a vector of sizes, got {scaling!r}")
        return scaling
    try:
        sizes = np.asarray(scaling, dtype=np.float64)
    except (TypeError, ValueError):
        sizes = np.zeros(1)
    if sizes.ndim != 1 or not (np.isfinite(sizes).all() and (sizes > 0.0).all()):
        raise ValueError(f"scaling must have one positive finite number for each variable, got {scaling!r}")
    return tuple(sizes.tolist())


class VariableScaling(NamedTuple):
    """The units at one state of a run, and what the next ones depend on."""

    units: Units
    sizes: Vector | None
    """The largest |xᵢ| seen; None if the units are fixed, or if nothing was recorded so far."""
    waiting: int
    """Trials before the units may change; negative if they are fixed."""

    @classmethod
    def at_start(cls, scaling: Scaling, x: Vector) -> VariableScaling:
        """Return the scaling at the first point of a run.

        Raises
        ------
        ValueError
            If the option has another number of sizes than x has variables.
        """
        if scaling == "none":
            return cls(EUCLIDEAN, None, _FIXED)
        if scaling == "auto":
            return cls(EUCLIDEAN, None, PATIENCE)
        if scaling == "sizes":
            sizes = np.abs(x)
            return cls(Units.of_sizes(sizes), sizes, 0)
        if len(scaling) != x.size:
            raise ValueError(f"scaling has {len(scaling)} sizes, but there are {x.size} variables")
        return cls(Units.of_sizes(np.array(scaling)), None, _FIXED)

    def after_trial(self) -> VariableScaling:
        """Return the scaling after a rejected trial: the units remain."""
        return self if self.waiting < 1 else VariableScaling(self.units, self.sizes, self.waiting - 1)

    def after_step(self, x: Vector, following: Vector, curvatures: Vector | None) -> VariableScaling:
        """Return the scaling after a step from x to the following point, with the largest sizes so far.

        "auto" takes up units if the sizes differ by a factor of 100, and if they make the curvatures more alike. If the
        curvatures are not known, the sizes alone decide up to 30 variables; with more the units remain.

        Parameters
        ----------
        curvatures : ndarray, shape (n,), or None
            The diagonal of the Hessian at x, in the present units; None if it is not known.
        """
        if self.waiting:
            return self.after_trial()
        sizes = np.maximum(np.abs(x) if self.sizes is None else self.sizes, np.abs(following))
        uncertain = curvatures is None and sizes.size > _FEW
        if self.units is EUCLIDEAN and (uncertain or not _units_differ(sizes, curvatures)):
            return VariableScaling(EUCLIDEAN, sizes, 0)
        return VariableScaling(Units.of_sizes(sizes), sizes, 0)

    def after_failure(self, x: Vector) -> VariableScaling | None:
        """Return the scaling with units of the sizes of x; None if the units are fixed or the same."""
        units = None if self.waiting < 0 else other_units("auto", x, self.units)
        return None if units is None else VariableScaling(units, np.abs(x), 0)


def units_at(scaling: Scaling, x: Vector) -> Units:
    """Return the units at the first point of a run."""
    return VariableScaling.at_start(scaling, x).units


def other_units(scaling: Scaling, x: Vector, present: Units) -> Units | None:
    """Return units of the sizes of x for a restart after a failure; None if the option or the sizes give no others."""
    if scaling not in ("auto", "sizes") or not _units_differ(np.abs(x), None):
        return None
    units = Units.of_sizes(np.abs(x))
    return None if units.same_as(present) else units


def _units_differ(sizes: Vector, curvatures: Vector | None) -> bool:
    """Return whether the sizes differ much, and whether curvatures in units of the sizes differ less."""
    curved = sizes > 0.0 if curvatures is None else (sizes > 0.0) & (curvatures != 0.0)
    known = sizes[curved]
    if known.size < 2 or not known.max() >= _DIFFERENT * known.min():
        return False
    if curvatures is None:
        return True
    logs = np.log(np.abs(curvatures[curved]))
    return bool(np.std(logs + 2.0 * np.log(known)) < np.std(logs))
