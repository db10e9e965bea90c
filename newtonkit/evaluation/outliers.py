"""The outlier guard: a large discrepancy triggers a second evaluation."""

from __future__ import annotations

import math

OUTLIER_RATIO = 1e8
"""A value this many times larger than any seen before is evaluated a second time.

Our choice: line searches extrapolate by factors of at most 10 in the step, so that a smooth f of moderate degree
does not grow as much in one trial; a flipped exponent bit does.
"""


class OutlierGuard:
    """Decides which values and gradients are evaluated a second time.

    A second evaluation is due for a result that is not finite, until one such result was confirmed, and for one that
    exceeds `OUTLIER_RATIO` times the largest seen. The second result is accepted as it is.

    Attributes
    ----------
    largest_f, largest_g : float
        The largest |f| and ‖g‖∞ accepted so far; NaN before the first. A result that is not larger needs no call.
    """

    __slots__ = ("_failure_confirmed", "_zero_hessian_confirmed", "largest_f", "largest_g")

    def __init__(self) -> None:
        self.largest_f = math.nan
        self.largest_g = math.nan
        self._failure_confirmed = False
        self._zero_hessian_confirmed = False

    def suspects_value(self, f: float) -> bool:
        """Whether f is to be evaluated a second time."""
        if not math.isfinite(f):
            return not self._failure_confirmed
        return abs(f) > OUTLIER_RATIO * self.largest_f

    def suspects_gradient(self, size: float) -> bool:
        """Whether a gradient with this ‖g‖∞ is to be evaluated a second time; NaN: it is not finite."""
        return not self._failure_confirmed if math.isnan(size) else size > OUTLIER_RATIO * self.largest_g

    def suspects_hessian(self, usual: bool) -> bool:
        """Whether a Hessian is to be evaluated a second time; usual: it is finite and not zero."""
        return not usual and not self._zero_hessian_confirmed

    def accept_value(self, f: float) -> None:
        """Record a value that is accepted."""
        if math.isfinite(f) and not abs(f) <= self.largest_f:
            self.largest_f = abs(f)

    def accept_gradient(self, size: float) -> None:
        """Record the ‖g‖∞ of a gradient that is accepted; NaN: it is not finite."""
        if not math.isnan(size) and not size <= self.largest_g:
            self.largest_g = size

    def confirm_failure(self) -> None:
        """Record that a result was not finite twice: f has a region where it is not defined."""
        self._failure_confirmed = True

    def confirm_hessian(self, usual: bool) -> None:
        """Record the second evaluation of a Hessian."""
        self._zero_hessian_confirmed = not usual
