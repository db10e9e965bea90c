"""The quadratic model at one point; eigenvalues that are certain are distinguished from those that are not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from newtonkit.classification.error_bars import ErrorBars
from newtonkit.classification.verdict import Verdict
from newtonkit.linalg.equilibration import equilibrating
from newtonkit.linalg.kernels import EPS, Matrix, Vector, eigh, max_norm, norm

_AXES = 10  # along which the Hessian is sampled to confirm a verdict, both ways


class QuadraticModel:
    """The quadratic model at one point, in the eigenbasis of its equilibrated Hessian.

    With x = Dz, D diagonal, the Hessian in z is DHD: by Sylvester's law its inertia is that of H, and with the rows of
    DHD brought to size 1 (Ruiz, 2001) neither depends on the units of the variables.
    """

    __slots__ = (
        "D",
        "H",
        "Q",
        "bars",
        "c",
        "decrease",
        "eigenvalues",
        "g",
        "length",
        "negative",
        "noise",
        "null",
        "null_slope",
        "positive",
        "step",
        "tolerance",
    )

    def __init__(self, g: Vector, H: Matrix, x: Vector, relative_error: float, bars: ErrorBars | None = None) -> None:
        self.g, self.H, self.bars = g, H, bars
        self.D = equilibrating(H if bars is None else np.abs(H) + bars.H)
        scaled = self.D[:, np.newaxis] * H * self.D
        self.eigenvalues, self.Q = eigh(scaled)
        if bars is None:
            self.tolerance = relative_error * g.size * max_norm(self.eigenvalues)
            self.negative = int(np.sum(self.eigenvalues < -self.tolerance))
            self.positive = int(np.sum(self.eigenvalues > self.tolerance))
        else:
            # known entry by entry: the equilibrated bar is narrower where the rows differ in size
            E = self.D[:, np.newaxis] * bars.H * self.D
            rounding = 10 * EPS * g.size * max_norm(self.eigenvalues)
            self.tolerance = max(rounding, float(np.linalg.norm(E, 2)))
            in_eigenbasis = np.abs(self.Q.T) @ E @ np.abs(self.Q)
            self.negative = _certain(-self.eigenvalues, in_eigenbasis, rounding, self.tolerance)
            self.positive = _certain(self.eigenvalues[::-1], in_eigenbasis[::-1, ::-1], rounding, self.tolerance)
        self.null = np.ones(g.size, dtype=bool)
        self.null[: self.negative] = self.null[g.size - self.positive :] = False
        self.c = c = self.Q.T @ (self.D * g)
        # the terms that cancel in g are as large as those of Hx
        self.noise = noise = relative_error * (np.abs(self.Q.T) @ (self.D * (np.abs(H) @ np.abs(x) + np.abs(g))))
        if bars is not None:
            self.noise = noise = noise + np.abs(self.Q.T) @ (self.D * bars.g)
        slopes = np.abs(c[self.null])
        self.null_slope = float(np.max(slopes * (slopes > 10 * noise[self.null]), initial=0.0))
        self.step = np.ascontiguousarray(-self.newton(g))
        self.length = norm(self.step)
        curvatures = np.maximum(np.abs(self.eigenvalues), self.tolerance * self.null)
        left = ~self.null | (np.abs(c) > 10 * noise)
        # a zero curvature is replaced by the smallest that can be distinguished from it
        self.decrease = 0.5 * float(np.sum(c[left] ** 2 / curvatures[left])) if max_norm(curvatures) > 0.0 else 0.0

    def newton(self, g: Vector) -> Vector:
        """H⁺g, with the directions of no certain curvature excluded."""
        kept = ~self.null
        Q = self.Q[:, kept]
        step: Vector = self.D * (Q @ ((Q.T @ (self.D * g)) / self.eigenvalues[kept]))
        return step

    def in_eigenbasis(self, H: Matrix) -> Matrix:
        """H⁻¹(H(y) − H) in the equilibrated eigenbasis, directions of no certain curvature excluded."""
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
    def rounding(self) -> float:
        """Length of the Newton step that errors of the gradient alone may cause, where its bars are known; else 0."""
        if self.bars is None:
            return 0.0
        kept = ~self.null
        return norm(self.D * (np.abs(self.Q[:, kept]) @ (10 * self.noise[kept] / np.abs(self.eigenvalues[kept]))))

    @property
    def condition(self) -> float:
        """Of the equilibrated Hessian, zero eigenvalues excluded."""
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

    def verdict(self, kind: str, reason: str, *, variation: float = 0.0, **facts: Any) -> Verdict:
        """A verdict on this model; ``variation`` is how much its eigenvalues may change up to the critical point."""
        bars = self.bars
        downhill = self.D * self.Q[:, 0]
        return Verdict(
            kind,
            reason,
            index=self.negative,
            nullity=int(self.null.sum()),
            eigenvalues=self.plain_eigenvalues,
            eigenvalue_tolerance=self.tolerance,
            eigenvalue_error=math.nan if bars is None else bars.eigenvalues + variation,
            source="" if bars is None else bars.source,
            newton_step=self.length,
            decrease=self.decrease,
            level="numerical",
            escape_direction=downhill / norm(downhill) if self.negative else None,
            **facts,
        )


def _certain(sizes: Vector, E: Matrix, rounding: float, widest: float) -> int:
    """How many eigenvalues certainly have the sign that makes their ``sizes`` positive; sizes descend.

    H has at least k of them if it has k on the span of k vectors (Cauchy's interlacing theorem). On that of the first k
    eigenvectors it is wrong by no more than the largest sum of a row in the leading k × k block of ``E``, the error
    bars in the eigenbasis, nor by more than ``widest``: one uncertain direction does not hide others.
    """
    sums = np.triu(np.cumsum(E, axis=1)).max(axis=0, initial=0.0)
    certain = sizes > np.maximum(rounding, np.minimum(widest, sums))
    return int(np.argmin(np.append(certain, False)))


def regular_verdict(
    here: QuadraticModel,
    model: QuadraticModel,
    h: float,
    distance: float,
    radius: float,
    gradient_norm: float,
    variation: float,
) -> Verdict:
    """The verdict near a regular critical point, by signs of eigenvalues; ``here`` is the model at the given x."""
    facts = {"gradient_norm": gradient_norm, "distance": distance, "radius": radius, "contraction": h}
    facts["variation"] = variation
    if distance > radius:
        return here.verdict(
            "not critical",
            f"the nearest critical point is {distance:.3g} away, more than {radius:.3g}",
            **facts,
        )
    n = model.g.size
    if model.positive == n:
        kind, reason = "minimum", f"every eigenvalue is positive, the smallest {model.shown(0)}"
    elif model.negative == n:
        kind, reason = "maximum", f"every eigenvalue is negative, the largest {model.shown(-1)}"
    elif model.negative and model.positive:
        extremes = f"{model.shown(0)} and {model.shown(-1)}"
        kind, reason = "saddle", f"{model.negative} of {n} eigenvalues negative, the extremes {extremes}"
    else:
        nullity = int(model.null.sum())
        kind = "undecided"
        reason = f"the Hessian may be singular: {nullity} of {n} eigenvalues cannot be distinguished from zero"
    return model.verdict(kind, reason, **facts)
