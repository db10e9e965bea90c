"""Classify any solver's result and find a descent direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from newtonkit.classification.examination import ClassifiedPoint, classify_point
from newtonkit.classification.verdict import NO_MINIMUM, Verdict
from newtonkit.core.html_table import html_table
from newtonkit.linalg.kernels import EPS, norm

HALVINGS = 50  # of the scale of x: down to its rounding error


class Escape(NamedTuple):
    """A lower point.

    Examples
    --------
    >>> import newtonkit
    >>> found = newtonkit.escape(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4, [0.0, 0.0])
    >>> bool(found.fun < 0.0)
    True
    """

    x: Any
    """The lower point, in the structure of the original point."""
    fun: float
    """f there."""
    drop: float
    """The decrease of f, positive."""
    length: float
    """The distance between the two points."""


@dataclass(frozen=True, slots=True)
class CheckedResult:
    """The findings of `check_result`; its text is a sentence.

    Examples
    --------
    >>> import newtonkit
    >>> import scipy.optimize
    >>> def f(x):
    ...     return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4
    >>> checked = newtonkit.check_result(f, scipy.optimize.minimize(f, [1.0, 0.0]))
    >>> checked.verdict.kind
    'saddle'
    """

    verdict: Verdict
    claimed: bool
    """Whether the solver reported success."""
    escape: Escape | None
    """A lower point near a point that is not a minimum; None if there is none, or none was found."""

    @property
    def contradicted(self) -> bool:
        """Whether the solver reported success at a point that is certainly not a minimum."""
        return self.claimed and (self.verdict.kind in NO_MINIMUM or self.escape is not None)

    def __str__(self) -> str:
        claim = "the solver reported success" if self.claimed else "the solver reported no success"
        lower = ""
        if self.escape is not None:
            lower = f"; f is lower by {self.escape.drop:.3g} at a distance of {self.escape.length:.3g}"
        return f"{claim}; the point is: {self.verdict}{lower}"

    def _repr_html_(self) -> str:
        return f"{html_table('', (), [('check', str(self))])}{self.verdict._repr_html_()}"


def check_result(
    fun: Callable[..., Any],
    result: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
    bounds: Any = None,
) -> CheckedResult:
    """Classify the point of a result, and find a lower point if it is not a minimum.

    Parameters
    ----------
    fun : callable
        f(x, \\*args), the function that was minimized.
    result : OptimizeResult
        A result of `newtonkit.minimize` or `scipy.optimize.minimize`, or any object with an attribute ``x``.
    args, jac, hess, radius, x_scale, bounds
        As for `newtonkit.classify`. A result outside the bounds is moved to the nearest point inside.

    Returns
    -------
    CheckedResult
        ``verdict``, ``claimed``, ``escape`` (a lower point, or None) and ``contradicted``. ``str`` gives a sentence.

    Notes
    -----
    Constraints other than bounds are ignored: at a point on their boundary the gradient may be different from zero.

    Examples
    --------
    >>> import scipy.optimize
    >>> saddle = scipy.optimize.minimize(lambda x: x[0]**2 - x[1]**2 + x[1]**4 / 4, [1.0, 0.0])
    >>> checked = check_result(lambda x: x[0]**2 - x[1]**2 + x[1]**4 / 4, saddle)
    >>> saddle.success, checked.verdict.kind, checked.contradicted, round(checked.escape.fun, 2)
    (True, 'saddle', True, -0.75)
    """
    if not hasattr(result, "x"):
        raise TypeError(
            f"result must have an attribute x, got {type(result).__name__}; write check_result(fun, result)"
        )
    examined = classify_point(fun, result.x, args, jac, hess, radius=radius, x_scale=x_scale, bounds=bounds)
    return CheckedResult(examined.verdict, bool(getattr(result, "success", False)), _lower_point(examined))


def escape(
    fun: Callable[..., Any],
    x: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    radius: float = 1e-3,
    x_scale: float | None = None,
    bounds: Any = None,
) -> Escape | None:
    """A point with a lower value near the critical point x, at the largest of the distances x_scale·2⁻ᵏ with lower f.

    The direction is one of negative curvature at a strict saddle or a maximum, a direction of decrease on the null
    manifold at a degenerate saddle (`newtonkit.classification.degenerate`), and −∇f if x is not critical. A minimizer
    started very close to a saddle may stop there again, since ∇f is small. Started at this point, it does not.

    Parameters
    ----------
    fun, x, args, jac, hess, radius, x_scale, bounds
        As for `newtonkit.classify`.

    Returns
    -------
    Escape or None
        ``x``, ``fun``, ``drop``, ``length``; None if no direction of descent is known.

    Examples
    --------
    >>> lower = escape(lambda x: (x[1] - x[0] ** 2) * (x[1] - 2 * x[0] ** 2), [0.0, 0.0])
    >>> lower.fun < 0.0
    True
    """
    return _lower_point(classify_point(fun, x, args, jac, hess, radius=radius, x_scale=x_scale, bounds=bounds))


def _lower_point(examined: ClassifiedPoint) -> Escape | None:
    verdict, evaluator, x = examined.verdict, examined.evaluator, examined.x
    direction, domain = verdict.escape_direction, evaluator.domain
    with np.errstate(all="ignore"):
        if direction is None and verdict.kind == "not critical":
            g = domain.free_gradient(x, evaluator.gradient(x))
            direction = -g / (norm(g) or 1.0)
        if direction is None:
            return None
        f = evaluator.value(x)
        lengths = examined.scale * 0.5 ** np.arange(HALVINGS)
        if verdict.escape_length > 0.0:
            lengths = np.append(lengths, verdict.escape_length)
        for t in -np.sort(-lengths):
            points = [domain.project(x + t * direction), domain.project(x - t * direction)]
            values = [evaluator.value(y) for y in points]
            lowest = int(np.argmin(values))
            if values[lowest] < f - 10 * EPS * abs(f):
                drop = f - values[lowest]
                length = float(t) if not domain.is_bounded else norm(points[lowest] - x)
                return Escape(examined.unflatten(points[lowest]), values[lowest], drop, length)
    return None
