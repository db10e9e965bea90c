"""What a point found by anyone really is, and the way down from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from newtonkit.classification.examination import Examined, examine
from newtonkit.classification.verdict import NO_MINIMUM, Verdict
from newtonkit.linalg.kernels import EPS, norm

_HALVINGS = 50  # of the scale of x: down to its rounding


class Escape(NamedTuple):
    """A lower point."""

    x: Any
    """In the structure of the point escaped from."""
    fun: float
    drop: float
    """How much lower, positive."""
    length: float
    """How far away."""


@dataclass(frozen=True, slots=True)
class CheckedResult:
    """What `check_result` found; its text is a sentence."""

    verdict: Verdict
    claimed: bool
    """Whether the result claims success."""
    escape: Escape | None
    """The way down from a point that is no minimum; None where there is none, or none was found."""

    @property
    def contradicted(self) -> bool:
        """Whether success is claimed at a point that is certainly no minimum."""
        return self.claimed and (self.verdict.kind in NO_MINIMUM or self.escape is not None)

    def __str__(self) -> str:
        claim = "success was claimed" if self.claimed else "no success was claimed"
        way = (
            ""
            if self.escape is None
            else f"; f is lower by {self.escape.drop:.3g} at a distance {self.escape.length:.3g}"
        )
        return f"{claim}, and the point is: {self.verdict}{way}"


def check_result(
    fun: Callable[..., Any],
    result: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
) -> CheckedResult:
    """Is the point of this result a minimum, and if it is none, where does f fall?

    Parameters
    ----------
    fun : callable
        f(x, \\*args), as it was minimized.
    result : OptimizeResult
        Of `newtonkit.minimize`, `scipy.optimize.minimize`, or anything with an attribute ``x``.
    args, jac, hess, radius, x_scale
        As for `newtonkit.classify`.

    Returns
    -------
    CheckedResult
        ``verdict``, ``claimed``, ``escape`` (a lower point, or None), ``contradicted``; printed, a sentence.

    Notes
    -----
    Bounds and constraints are not known here: at a point on their boundary the gradient need not vanish.

    Examples
    --------
    >>> import scipy.optimize
    >>> saddle = scipy.optimize.minimize(lambda x: x[0]**2 - x[1]**2 + x[1]**4 / 4, [1.0, 0.0])
    >>> checked = check_result(lambda x: x[0]**2 - x[1]**2 + x[1]**4 / 4, saddle)
    >>> saddle.success, checked.verdict.kind, checked.contradicted, round(checked.escape.fun, 2)
    (True, 'saddle', True, -0.75)
    """
    examined = examine(fun, result.x, args, jac, hess, radius=radius, x_scale=x_scale)
    return CheckedResult(examined.verdict, bool(getattr(result, "success", False)), _way_down(examined))


def escape(
    fun: Callable[..., Any],
    x: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
) -> Escape | None:
    """A point lower than the critical point x: of the distances x_scale·2⁻ᵏ the largest at which f is lower.

    Along negative curvature at a strict saddle, or a maximum; along the null manifold where f falls on it at a
    degenerate saddle (`newtonkit.classification.degenerate`); along −∇f where x is not critical.
    A minimizer started very close to a saddle may stop there again, since ∇f is small; one started here does not.

    Parameters
    ----------
    fun, x, args, jac, hess, radius, x_scale
        As for `newtonkit.classify`.

    Returns
    -------
    Escape or None
        ``x``, ``fun``, ``drop``, ``length``; None where no way down is known.

    Examples
    --------
    >>> lower = escape(lambda x: (x[1] - x[0] ** 2) * (x[1] - 2 * x[0] ** 2), [0.0, 0.0])
    >>> lower.fun < 0.0
    True
    """
    return _way_down(examine(fun, x, args, jac, hess, radius=radius, x_scale=x_scale))


def _way_down(examined: Examined) -> Escape | None:
    verdict, evaluator, x = examined.verdict, examined.evaluator, examined.x
    direction = verdict.escape_direction
    with np.errstate(all="ignore"):
        if direction is None and verdict.kind == "not critical":
            g = evaluator.gradient(x)
            direction = -g / norm(g)
        if direction is None:
            return None
        f = evaluator.value(x)
        lengths = examined.scale * 0.5 ** np.arange(_HALVINGS)
        if verdict.escape_length > 0.0:
            lengths = np.append(lengths, verdict.escape_length)
        for t in -np.sort(-lengths):
            points = [x + t * direction, x - t * direction]
            values = [evaluator.value(y) for y in points]
            lowest = int(np.argmin(values))
            if values[lowest] < f - 10 * EPS * abs(f):
                drop = f - values[lowest]
                return Escape(examined.unflatten(points[lowest]), values[lowest], drop, float(t))
    return None
