"""The face of a box that a point lies on: active bounds, their multipliers, and the evaluator of the free variables."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from newtonkit.classification.allowance import Evaluations
from newtonkit.core.domain import Box, Domain
from newtonkit.linalg.kernels import EPS, Matrix, Vector, eigh, max_norm
from newtonkit.objectives.objective import Objective

Mask = NDArray[np.bool_]

_SAFETY = 10.0  # factor of an error bar: what the remaining Newton step changes, and rounding


class Bounds(NamedTuple):
    """Which variables are at a bound."""

    lower: Mask
    upper: Mask
    fixed: Mask
    """Lower and upper bound are equal."""

    @property
    def inward(self) -> Vector:
        """+1 at a lower, −1 at an upper bound, 0 elsewhere."""
        return np.where(self.lower, 1.0, np.where(self.upper, -1.0, 0.0))


def bounds_at(domain: Domain, x: Vector) -> Bounds:
    """Which variables of x are at a bound; a fixed variable is neither at its lower nor at its upper bound."""
    lower, upper = np.broadcast_to(domain.lower, x.shape), np.broadcast_to(domain.upper, x.shape)
    fixed: Mask = lower == upper
    return Bounds((x <= lower) & ~fixed, (x >= upper) & ~fixed, fixed)


def snapped(domain: Domain, x: Vector, g: Vector, diagonal: Vector, distance: float) -> Vector:
    """Return x with those variables moved onto a bound that the Newton step of the variable alone would pass.

    Only variables within ``distance`` of the bound are moved. Interior-point methods return such points. If no variable
    is moved, x itself is returned.
    """
    with np.errstate(all="ignore"):
        reach = np.where(diagonal > 0.0, np.abs(g) / diagonal, np.where(g != 0.0, np.inf, 0.0))
    near = np.minimum(reach, distance)
    y = np.where((g > 0.0) & (x - domain.lower <= near), domain.lower, x)
    y = np.where((g < 0.0) & (domain.upper - x <= near), domain.upper, y)
    return x if np.array_equal(x, y) else y


class Face(NamedTuple):
    """Active bounds and free variables at a first-order point, as far as the multipliers decide."""

    free: Mask
    active: Mask
    weak: Mask
    """Active, and the multiplier may be zero."""
    inward: Vector
    multipliers: Vector
    errors: Vector

    @property
    def strong(self) -> Mask:
        """Active, and the multiplier is certainly positive."""
        return self.active & ~self.weak

    @property
    def sides(self) -> NDArray[np.int64]:
        """−1 at an active lower, +1 at an active upper bound, 0 elsewhere."""
        return np.where(self.active, -self.inward, 0.0).astype(np.int64)

    def description(self) -> str:
        """How many bounds are active, and how strongly."""
        strong, weak = int(self.strong.sum()), int(self.weak.sum())
        parts = []
        if strong:
            parts.append(f"{strong} strongly active, smallest multiplier {self.multipliers[self.strong].min():.2g}")
        if weak:
            parts.append(f"{weak} weakly{' active' * (not strong)}")
        fixed = self.free.size - int(self.active.sum()) - int(self.free.sum())
        text = f"{strong + weak} of {self.free.size} variables at bounds"
        text += f" ({'; '.join(parts)})" if parts else ""
        return f"{text}, {f'{fixed} fixed, ' * bool(fixed)}{int(self.free.sum())} free"


def face_at(bounds: Bounds, x: Vector, g: Vector, H: Matrix, hessian_error: float, gradient_error: float) -> Face:
    """The face of x, by the signs of the multipliers with error bars.

    The multiplier of an active bound is gᵢ at a lower and −gᵢ at an upper bound. Its error bar is
    10·|H_iF s| + 10·eps·(|H||x| + |g|)ᵢ plus the error of the gradient, where s is the Newton step of the free
    variables. A variable whose multiplier is certainly negative is free: it moves into the box.
    """
    inward = bounds.inward
    at_bound = bounds.lower | bounds.upper
    rounding = _SAFETY * EPS * (np.abs(H) @ np.abs(x) + np.abs(g)) + gradient_error
    multipliers = inward * g

    def errors_with(free: Mask) -> Vector:
        step = _newton_step(H[np.ix_(free, free)], g[free], hessian_error)
        errors: Vector = _SAFETY * np.abs(H[:, free] @ step) + rounding
        return errors

    inside = ~at_bound & ~bounds.fixed
    errors = errors_with(inside)
    released = at_bound & (multipliers < -errors)
    if released.any():
        errors = errors_with(inside | released)
    active = at_bound & ~released
    kept = np.where(active, 1.0, 0.0)
    return Face(
        ~active & ~bounds.fixed,
        active,
        active & (multipliers <= errors),
        inward,
        kept * multipliers,
        kept * errors,
    )


def _newton_step(H: Matrix, g: Vector, hessian_error: float) -> Vector:
    """−H⁺g over the eigenvalues that exceed the error of the Hessian."""
    if not g.size:
        return g
    eigenvalues, Q = eigh(H)
    kept = np.abs(eigenvalues) > max(10 * EPS, hessian_error) * g.size * max_norm(eigenvalues)
    step: Vector = -(Q[:, kept] @ ((Q[:, kept].T @ g) / eigenvalues[kept]))
    return step


class FaceEvaluator:
    """An evaluator of the free variables of a face; the other variables keep their values.

    Parameters
    ----------
    evaluator : Evaluations
    x : ndarray, shape (n,)
        A point of the face.
    free : ndarray of bool, shape (n,)
    """

    def __init__(self, evaluator: Evaluations, x: Vector, free: Mask) -> None:
        self.evaluator, self.x, self.free = evaluator, x, free
        lower, upper = (
            np.broadcast_to(evaluator.domain.lower, x.shape),
            np.broadcast_to(evaluator.domain.upper, x.shape),
        )
        self.domain: Domain = Box(lower[free], upper[free])

    @property
    def objective(self) -> Objective:
        """The function of all variables."""
        return self.evaluator.objective

    @property
    def hessian_error(self) -> float:
        """Relative error to expect in a Hessian."""
        return self.evaluator.hessian_error

    def embed(self, y: Vector, others: Vector | None = None) -> Vector:
        """The vector of all variables with the free variables y; ``others`` default to the point of the face."""
        if others is None and np.array_equal(y, self.x[self.free]):
            return self.x  # the same array: its Hessian is cached
        z = (self.x if others is None else others).copy()
        z[self.free] = y
        return z

    def value(self, y: Vector) -> float:
        """f at the point of the face."""
        return self.evaluator.value(self.embed(y))

    def gradient(self, y: Vector) -> Vector:
        """The derivatives with respect to the free variables."""
        return np.ascontiguousarray(self.evaluator.gradient(self.embed(y))[self.free])

    def hessian(self, y: Vector) -> Matrix:
        """The second derivatives with respect to the free variables."""
        return self._reduced(self.evaluator.hessian(self.embed(y)))

    def known_hessian(self, y: Vector) -> Matrix | None:
        """The same if it was computed at exactly this point last."""
        H = self.evaluator.known_hessian(self.embed(y))
        return None if H is None else self._reduced(H)

    def probing(self) -> AbstractContextManager[None]:
        """Points evaluated inside are no candidates for the incumbent."""
        return self.evaluator.probing()

    def _reduced(self, H: Matrix) -> Matrix:
        return np.ascontiguousarray(H[np.ix_(self.free, self.free)])
