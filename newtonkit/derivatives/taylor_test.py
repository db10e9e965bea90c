"""Checks of derivatives: orders of Taylor remainders, and a comparison of one slope with differences of f."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.core.validation import check_integer
from newtonkit.derivatives.autograd.tracing import as_number, trace_gradient, trace_linearization
from newtonkit.derivatives.pytree import Unflatten, flatten
from newtonkit.linalg.kernels import EPS, Vector, dot, norm

REMAINDER_ROUNDING = 100 * EPS  # relative to |f|: a smaller remainder counts as rounding error
HALVINGS = 40  # of the step
FITTED_POINTS = 4  # of a log-log line
# When h is halved, the gap between the one-sided slopes is halved if f is smooth, unchanged at a kink, and doubled if
# it is noise. These ratios separate the three cases.
KINK_RATIO, NOISE_RATIO = 0.75, 1.5
CERTAINTY_FACTOR = 10.0  # two slopes are different if they differ by more than this many errors


class DerivativeCheck(NamedTuple):
    """The result of `check_derivatives`.

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.check_derivatives(lambda x: (x**4).sum(), [1.0, 2.0]).ok
    True
    """

    ok: bool
    """Whether both orders are those of Taylor's theorem."""
    gradient_slope: float
    """Order in h of f(x+hd) − f − h gᵀd: 2 if the gradient is right, 1 if it is wrong, inf if the remainder is
    zero up to rounding (f is linear along d)."""
    hessian_slope: float
    """Order in h of the remainder after the quadratic term: 3 if the Hessian is right, 2 if it is wrong."""
    fault: str = ""
    """A wrong shape, the first entry that is not finite, or too few usable steps; empty if there is no such fault.
    The orders are then NaN."""

    def __str__(self) -> str:
        word = "agree with f" if self.ok else "do NOT agree with f"
        if self.fault:
            return f"the derivatives {word}: {self.fault}"
        return (
            f"the derivatives {word}: Taylor remainders fall like h^{self.gradient_slope:.2f} after the gradient "
            f"(expected 2) and h^{self.hessian_slope:.2f} after the Hessian (expected 3)"
        )


def check_derivatives(
    fun: Any,
    x: Any,
    args: tuple[Any, ...] = (),
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    *,
    directions: int = 3,
    seed: int = 0,
) -> DerivativeCheck:
    """Compare a gradient and a Hessian with f by the orders of Taylor remainders.

    Along a random unit direction d, r₁(h) = |f(x+hd) − f − h gᵀd| decreases like h² and
    r₂(h) = |f(x+hd) − f − h gᵀd − ½h² dᵀHd| like h³, until rounding errors dominate. With a wrong gradient r₁ has the
    order 1; with a wrong Hessian r₂ has the order 2. No step of finite differences has to be chosen.

    Parameters
    ----------
    fun : callable or Objective
        f(x, \\*args), returns one number. An Objective of a vector x has its own derivatives, which are checked.
    x : array_like or structure of arrays
        The point; choose a generic one (not a minimum, not zero).
    args : tuple, optional
        Further arguments of fun, jac and hess.
    jac, hess : callable, optional
        The derivatives to check, with scipy's signatures; those of autograd by default. ``hess`` returns an n×n matrix
        in the order of the entries of x.
    directions : int, at least 1, default 3
        Number of random directions; the worst result is reported.
    seed : int, default 0
        Seed of the random directions.

    Returns
    -------
    DerivativeCheck
        ``ok``, ``gradient_slope``, ``hessian_slope``, ``fault``.

    Notes
    -----
    A derivative with a wrong shape or an entry that is not finite is not ok; ``fault`` names the entry. Neither is one
    that could not be tested, because f is finite at fewer than two steps.

    References
    ----------
    Farrell, Ham, Funke & Rognes (2013), SIAM J. Sci. Comput. 35(4), C369, section 5 (the Taylor test).

    Examples
    --------
    >>> check_derivatives(lambda x: np.sin(x[0]), [0.3], jac=lambda x: np.cos(x)).ok
    True
    >>> check_derivatives(lambda x: np.sin(x[0]), [0.3], jac=lambda x: 2 * np.cos(x)).ok
    False
    """
    check_integer("directions", directions, 1)
    vector, unflatten = flatten(x)
    value, g = _value_and_gradient(fun, vector, unflatten, args, jac)
    f = as_number(value(vector.copy()))
    H = None if hess is None else np.asarray(hess(unflatten(vector), *args), dtype=np.float64)
    n = vector.size
    fault = "" if math.isfinite(f) else f"f = {f} at x"
    fault = fault or _fault(g, (n,), "the gradient") or ("" if H is None else _fault(H, (n, n), "the Hessian"))
    if fault:
        return DerivativeCheck(False, math.nan, math.nan, fault)
    if H is not None:
        product: Callable[[Vector], Vector] = H.__matmul__
    elif hasattr(fun, "value_and_gradient"):
        linearization = fun.linearize(vector)
        product = _differences(fun.gradient, vector) if linearization is None else linearization.product
    elif jac is None:
        product = trace_linearization(value, vector)[2]
    else:
        product = _differences(lambda v: flatten(jac(unflatten(v), *args))[0], vector)

    rng = np.random.default_rng(seed)
    slopes = []
    for _ in range(directions):
        d = rng.standard_normal(vector.size)
        d /= norm(d)
        Hd = np.ascontiguousarray(product(d))
        fault = _fault(Hd, (n,), "the product of the Hessian with a random direction")
        if fault:
            return DerivativeCheck(False, math.nan, math.nan, fault)
        slopes.append(_remainder_slopes(value, vector, f, d, dot(g, d), dot(d, Hd)))
    first, second = map(float, np.min(slopes, axis=0))  # NaN if one of them is
    fault = "f is finite at fewer than two steps along a random direction" if math.isnan(first + second) else ""
    return DerivativeCheck(first > 1.8 and second > 2.7, first, second, fault)


def _value_and_gradient(
    fun: Any, x: Vector, unflatten: Unflatten, args: tuple[Any, ...], jac: Callable[..., Any] | None
) -> tuple[Callable[[Vector], Any], Vector]:
    """f as a function of a vector, and ∇f(x)."""
    if hasattr(fun, "value_and_gradient"):
        return fun.value, fun.gradient(x.copy())

    def value(v: Any) -> Any:
        return fun(unflatten(v), *args)

    return value, trace_gradient(value, x)[1] if jac is None else flatten(jac(unflatten(x), *args))[0]


def _fault(derivative: Any, shape: tuple[int, ...], name: str) -> str:
    """A sentence on a wrong shape or the first entry that is not finite; empty if there is neither."""
    if derivative.shape != shape:
        return f"{name} has shape {derivative.shape}, expected {shape}"
    wrong = np.argwhere(~np.isfinite(derivative))
    if not len(wrong):
        return ""
    entry = tuple(map(int, wrong[0]))
    return f"entry {list(entry)} of {name} is {derivative[entry]}"


def _remainder_slopes(
    value: Callable[[Vector], Any], x: Vector, f: float, d: Vector, slope: float, curvature: float
) -> tuple[float, float]:
    h: Vector = 0.1 * max(1.0, float(np.abs(x).max())) * 0.5 ** np.arange(HALVINGS, dtype=np.float64)
    with np.errstate(all="ignore"):
        values = np.array([as_number(value(x + step * d)) for step in h])
        first = np.abs(values - f - h * slope)
        second = np.abs(values - f - h * slope - 0.5 * h**2 * curvature)
    # the linear term takes part in the cancellation, so it determines the rounding error if f is tiny
    noise = REMAINDER_ROUNDING * (abs(f) + np.abs(values) + h * abs(slope))
    return _fitted_slope(h, first, noise), _fitted_slope(h, second, noise)


def _fitted_slope(h: Vector, remainder: Vector, noise: Vector) -> float:
    """Slope of log remainder against log h over the smallest steps at which rounding errors do not dominate."""
    usable = np.isfinite(remainder)
    if usable.sum() < 2:
        return math.nan
    kept = np.flatnonzero(usable & (remainder > noise))[-FITTED_POINTS:]
    if kept.size < 2:
        return math.inf
    return float(np.polyfit(np.log(h[kept]), np.log(remainder[kept]), 1)[0])


def _differences(gradient: Callable[[Vector], Vector], x: Vector) -> Callable[[Vector], Vector]:
    h = EPS ** (1 / 3) * max(1.0, float(np.abs(x).max()))
    return lambda v: (gradient(x + h * v) - gradient(x - h * v)) / (2 * h)


class SlopeCheck(NamedTuple):
    """The result of `check_slope`; its text is a clause for a message."""

    along: str
    """A description of the direction p."""
    by_gradient: float
    """gᵀp."""
    by_differences: float
    """(f(x+hp) − f(x−hp)) / 2h."""
    error: float
    """Error of the differences: rounding, the change from step 2h to h, and the noise of f, if any."""
    left: float
    """(f(x) − f(x−hp)) / h."""
    right: float
    """(f(x+hp) − f(x)) / h."""
    curvature: float
    """(f(x+hp) − 2f(x) + f(x−hp)) / h²."""
    has_kink: bool
    """Whether left and right still differ as h decreases."""

    @property
    def wrong(self) -> bool:
        """Whether the gradient is certainly not that of f."""
        difference = abs(self.by_differences - self.by_gradient)
        uncertainty = max(CERTAINTY_FACTOR * self.error, abs(self.right - self.left), 1e-4 * abs(self.by_gradient))
        return not self.has_kink and difference > uncertainty

    def __str__(self) -> str:
        slope = f"the slope {self.by_gradient:.3g} along {self.along}"
        if not math.isfinite(self.error):
            return f"{slope} cannot be confirmed, since f is not finite on both sides of x"
        if self.has_kink:
            return f"along {self.along}, f has the slope {self.left:.3g} before x and {self.right:.3g} after x: a kink"
        if self.wrong:
            return (
                f"the slope along {self.along} is {self.by_gradient:.3g} by the gradient but {self.by_differences:.3g} "
                "by differences of f: the gradient looks wrong"
            )
        if self.error > abs(self.by_gradient):
            return f"differences of f, uncertain by {self.error:.2g}, cannot confirm {slope}"
        return f"differences of f confirm {slope}"


def check_slope(
    value: Callable[[Vector], float], x: Vector, f: float, g: Vector, p: Vector, h: float, along: str = "p"
) -> SlopeCheck:
    """Compare the slope gᵀp with differences of f along p; four values of f are computed.

    Parameters
    ----------
    value : callable
        f as a function of a vector.
    x : ndarray, shape (n,)
    f : float
        The value at x.
    g : ndarray, shape (n,)
        The gradient to check; finite.
    p : ndarray, shape (n,)
        A unit vector.
    h : float, positive
        The shorter of the two steps, in the unit of x.
    along : str, default "p"
        A description of p, for the message.

    Examples
    --------
    >>> x, p = np.array([1.0, 2.0]), np.array([0.6, 0.8])
    >>> check_slope(lambda z: float(z @ z), x, 5.0, 2 * x, p, 1e-5).wrong
    False
    >>> check_slope(lambda z: float(z @ z), x, 5.0, 3 * x, p, 1e-5).wrong
    True
    """
    sides = []
    for step in (2 * h, h):
        before, after = value(x - step * p), value(x + step * p)
        sides.append(((f - before) / step, (after - f) / step))
    (left_2h, right_2h), (left, right) = sides
    central = 0.5 * (left + right)
    rounding = 10 * EPS * (abs(f) + h * max(abs(left), abs(right))) / h
    gap, gap_2h = abs(right - left), abs(right_2h - left_2h)
    error = abs(central - 0.5 * (left_2h + right_2h)) + rounding + gap * (gap > NOISE_RATIO * gap_2h)
    has_kink = KINK_RATIO * gap_2h < gap <= NOISE_RATIO * gap_2h and gap > max(
        CERTAINTY_FACTOR * rounding, 0.1 * abs(left), 0.1 * abs(right)
    )
    return SlopeCheck(along, dot(g, p), central, error, left, right, (right - left) / h, has_kink)
