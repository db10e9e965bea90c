"""The best point of a run."""

from __future__ import annotations

import math

from newtonkit.linalg.kernels import Vector, all_finite


class Incumbent:
    """The point of lowest finite f seen so far, with its gradient where it is known.

    Attributes
    ----------
    x : ndarray, shape (n,), or None
        None before the first finite value.
    f : float
        Infinite before the first finite value.
    g : ndarray, shape (n,), or None
        None while the gradient at x is not known.
    """

    __slots__ = ("_previous", "f", "g", "x")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop all points."""
        self.x: Vector | None = None
        self.f = math.inf
        self.g: Vector | None = None
        self._previous: tuple[Vector | None, float, Vector | None] = (None, math.inf, None)

    def offer(self, x: Vector, f: float, g: Vector | None = None) -> None:
        """Take this point if its f is finite and lower; a point whose gradient is not known yet may be withdrawn."""
        if -math.inf < f < self.f:
            if g is None:
                self._previous = self.x, self.f, self.g
            self.x, self.f, self.g = x, f, g

    def record_gradient(self, x: Vector, g: Vector) -> None:
        """Record the gradient at x; discard the incumbent where its gradient is not finite and go back to the last."""
        if x is not self.x:
            return
        if all_finite(g):
            self.g = g
        elif self._previous[0] is not None:
            self.x, self.f, self.g = self._previous
