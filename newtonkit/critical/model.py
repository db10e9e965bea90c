"""The quadratic model at one point, with the eigenvalues that are certain told from those that are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from newtonkit.critical.equilibration import equilibrating
from newtonkit.critical.verdict import Verdict
from newtonkit.linalg import EPS, Matrix, Vector, eigh, max_norm, norm

_AXES = 10  # along which the Hessian is sampled to confirm a verdict, both ways


class Model:
    """The quadratic model at one point, in the eigenbasis of its equilibrated Hessian.

    With x = Dz, D diagonal, the Hessian in z is DHD: by Sylvester's law its inertia is that of H, and with the rows of
    DHD brought to size 1 (Ruiz, 2001) neither depends on the units of the variables any more.
    """

    __slots__ = (
        "D",
        "H",
        "Q",
        "c",
        "decrease",
        "eigenvalues",
        "g",
        "length",
        "noise",
        "null",
        "null_slope",
        "step",
        "tolerance",
    )

    def __init__(self, g: Vector, H: Matrix, x: Vector, relative_error: float) -> None:
        self.g, self.H = g, H
        self.D = equilibrating(H)
        scaled = self.D[:, np.newaxis] * H * self.D
        self.eigenvalues, self.Q = eigh(scaled)
        self.tolerance = relative_error * g.size * max_norm(self.eigenvalues)
        self.null = np.abs(self.eigenvalues) <= self.tolerance
        self.c = c = self.Q.T @ (self.D * g)
        # the terms that cancel in g are as large as those of Hx
        self.noise = noise = relative_error * (np.abs(self.Q.T) @ (self.D * (np.abs(H) @ np.abs(x) + np.abs(g))))
        slopes = np.abs(c[self.null])
        self.null_slope = float(np.max(slopes * (slopes > 10 * noise[self.null]), initial=0.0))
        self.step = np.ascontiguousarray(-self.newton(g))
        self.length = norm(self.step)
        curvatures = np.maximum(np.abs(self.eigenvalues), self.tolerance)
        left = ~self.null | (np.abs(c) > 10 * noise)
        # a zero curvature stands for the smallest that could be told from it
        self.decrease = 0.5 * float(np.sum(c[left] ** 2 / curvatures[left])) if max_norm(curvatures) > 0.0 else 0.0

    def newton(self, g: Vector) -> Vector:
        """H⁺g, with the directions of no certain curvature left out."""
        kept = ~self.null
        Q = self.Q[:, kept]
        step: Vector = self.D * (Q @ ((Q.T @ (self.D * g)) / self.eigenvalues[kept]))
        return step

    def turned(self, H: Matrix) -> Matrix:
        """H⁻¹(H(y) − H) in the equilibrated eigenbasis, directions of no certain curvature left out."""
        kept = ~self.null
        Q = self.D[:, np.newaxis] * self.Q[:, kept]
        change: Matrix = Q.T @ (H - self.H) @ Q / self.eigenvalues[kept, np.newaxis]
        return change

    def displacements(self) -> list[Vector]:
        """Twice how far the critical point may be, along each eigenvector and along the Newton step."""
        lengths = (np.abs(self.c) + 10 * self.noise)[~self.null] / np.abs(self.eigenvalues[~self.null])
        axes = (self.D[:, np.newaxis] * self.Q[:, ~self.null] * lengths).T
        largest = np.argsort(-lengths)[:_AXES]
        return [2.0 * v for v in (self.step, *axes[largest], *-axes[largest]) if v.any()]

    @property
    def condition(self) -> float:
        """Of the equilibrated Hessian, zero eigenvalues left out."""
        kept = np.abs(self.eigenvalues[~self.null])
        return max_norm(self.eigenvalues) / float(kept.min()) if kept.size else 1.0

    @property
    def plain_eigenvalues(self) -> Vector:
        """Of the Hessian itself, for the reader."""
        return eigh(self.H)[0]

    def shown(self, which: int) -> str:
        """An extreme eigenvalue of the Hessian; of the equilibrated one where rounding hides the other."""
        plain = self.plain_eigenvalues
        if abs(plain[which]) > 10 * EPS * plain.size * max_norm(plain):
            return f"{plain[which]:.3g}"
        return f"{self.eigenvalues[which]:.3g} with equilibrated variables"

    def verdict(self, kind: str, reason: str, **facts: Any) -> Verdict:
        negative = int(np.sum(self.eigenvalues < -self.tolerance))
        downhill = self.D * self.Q[:, 0]
        return Verdict(
            kind,
            reason,
            index=negative,
            nullity=int(self.null.sum()),
            eigenvalues=self.plain_eigenvalues,
            eigenvalue_tolerance=self.tolerance,
            newton_step=self.length,
            decrease=self.decrease,
            level="numerical",
            escape_direction=downhill / norm(downhill) if negative else None,
            **facts,
        )
