"""Value, gradient and Hessian of a function by jets, at many points or over many boxes, in variables of size 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from newtonkit.derivatives.autograd.tracing import DifferentiationError, trace_lock
from newtonkit.enumeration.jets import Jet
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.intervals import ONE, Interval
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.objective import Objective

Array = NDArray[np.float64]

TRIAL_POINTS = 3  # random points at which jets are compared with plain calls and with autograd


class Values(NamedTuple):
    """Values at B points: f of shape (B,), ∇f of shape (B, n), ∇²f of shape (B, n, n)."""

    f: Array
    g: Array
    H: Array


class Differentiable(Protocol):
    """A function with first and second derivatives at many points."""

    def at(self, T: Array) -> Values:
        """The values at the rows of T."""


class Enclosures(NamedTuple):
    """Intervals that contain f, ∇f and ∇²f at every point of each of B boxes; H is None if it was not requested."""

    f: Interval
    g: Interval
    H: Interval | None


class Jets:
    """A function of t = x/unit (entry by entry) with its first and second derivatives.

    Parameters
    ----------
    fun : callable
        f(x), written with ``autograd.numpy`` or numpy.
    unit : ndarray, shape (n,)
        Powers of two, so that x = unit·t and the chain rule have no rounding errors, except by underflow.

    Examples
    --------
    >>> jets = Jets(lambda x: x[0] ** 2 * x[1], np.ones(2))
    >>> jets.at(np.array([[1.0, 3.0]])).g
    array([[6., 1.]])
    """

    def __init__(self, fun: Callable[[Any], Any], unit: Vector) -> None:
        self.fun, self.unit, self.n = fun, unit, unit.size

    def at(self, T: Array) -> Values:
        """The values at the rows of T."""
        jet = self._called([unit * t for unit, t in zip(self.unit, T.T, strict=True)], 1.0, second_order=True)
        count = len(T)
        f = np.broadcast_to(np.asarray(jet.v, dtype=np.float64), (count,))
        g, H = np.zeros((count, self.n)), np.zeros((count, self.n, self.n))
        for i, gi in jet.g.items():
            g[:, i] = gi * self.unit[i]
        for (i, j), hij in (jet.h or {}).items():
            H[:, i, j] = H[:, j, i] = hij * self.unit[i] * self.unit[j]
        return Values(f, g, H)

    def over(self, lo: Array, hi: Array, *, second_order: bool = True) -> Enclosures:
        """Enclosures over the boxes between the rows of lo and hi."""
        sides = [Interval(unit * a, unit * b) for unit, a, b in zip(self.unit, lo.T, hi.T, strict=True)]
        jet = self._called(sides, ONE, second_order=second_order)
        count = len(lo)
        f = jet.v if isinstance(jet.v, Interval) else Interval(np.full(count, jet.v), np.full(count, jet.v))
        g = Interval(np.zeros((count, self.n)), np.zeros((count, self.n)))
        for i, gi in jet.g.items():
            g.lo[:, i], g.hi[:, i] = gi.lo * self.unit[i], gi.hi * self.unit[i]
        if jet.h is None:
            return Enclosures(f.bounded(), g.bounded(), None)
        H = Interval(np.zeros((count, self.n, self.n)), np.zeros((count, self.n, self.n)))
        for (i, j), hij in jet.h.items():
            scale = self.unit[i] * self.unit[j]
            H.lo[:, i, j] = H.lo[:, j, i] = hij.lo * scale
            H.hi[:, i, j] = H.hi[:, j, i] = hij.hi * scale
        return Enclosures(f.bounded(), g.bounded(), H.bounded())

    def _called(self, sides: list[Any], one: Any, *, second_order: bool) -> Jet:
        x = np.empty(self.n, dtype=object)
        for i, side in enumerate(sides):
            x[i] = Jet(side, {i: one}, {} if second_order else None)
        # outside its domain f is NaN or infinite, which the callers handle
        with trace_lock, np.errstate(all="ignore"):
            y = self.fun(x)
        if isinstance(y, np.ndarray):
            y = y.item()
        return y if isinstance(y, Jet) else Jet(float(y), {}, {} if second_order else None)


class PointwiseDerivatives:
    """The same values from the derivatives of an objective, one point after another."""

    def __init__(self, objective: Objective, unit: Vector) -> None:
        self.objective, self.unit = objective, unit

    def at(self, T: Array) -> Values:
        """The values at the rows of T."""
        n = self.unit.size
        values = Values(np.empty(len(T)), np.empty((len(T), n)), np.empty((len(T), n, n)))
        for k, t in enumerate(T):
            evaluator = Evaluator(self.objective, second_order=True)
            with np.errstate(all="ignore"):
                x = self.unit * t
                values.f[k], values.g[k] = evaluator.value_and_grad(x)
                values.H[k] = evaluator.hessian(x) * np.outer(self.unit, self.unit)
                values.g[k] *= self.unit
        return values


def try_interval_jets(
    objective: Objective, unit: Vector, lo: Vector, hi: Vector, rng: np.random.Generator
) -> tuple[Jets | None, str]:
    """Jets of the function, or None and the reason why jets do not support it.

    At random points between lo and hi the enclosures are compared with plain calls, and with autograd if it supports
    the function.
    """
    whole = hi - lo
    if not objective.is_traced:
        return None, "nothing can be proved about derivatives given by the user"
    jets = Jets(lambda x: objective.fun(x, *objective.args), unit)
    T = lo + rng.uniform(0.1, 0.9, (TRIAL_POINTS, lo.size)) * whole
    narrow = 2.0**-24 * whole
    with np.errstate(all="ignore"):
        plain = [objective.value(unit * t) for t in T]  # an exception of the user's function is raised here
    try:
        enclosed = jets.over(T - narrow, T + narrow)
    except Exception as error:
        return None, f"interval arithmetic does not support this function ({error})"
    slack = 1e-9 * enclosed.f.magnitude()
    agree = [(enclosed.f.lo - slack <= plain) & (plain <= enclosed.f.hi + slack) | ~np.isfinite(plain)]
    try:
        with np.errstate(all="ignore"):
            gradients = np.array([objective.gradient(unit * t) for t in T]) * unit
    except DifferentiationError:
        pass  # the function is written in plain numpy, which jets support
    else:
        slack = 1e-9 * enclosed.g.magnitude().max(axis=1, keepdims=True)
        within = (enclosed.g.lo - slack <= gradients) & (gradients <= enclosed.g.hi + slack)
        agree.append((within | ~np.isfinite(gradients)).all(axis=1))
    if not np.all(agree):
        return None, "interval derivatives disagree with plain calls: f behaves differently on intervals"
    return jets, ""
