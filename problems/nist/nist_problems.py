"""NIST's regression data sets as problems of the catalogue: f(b) = Σ (model(b, xᵢ) − yᵢ)², with their residuals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

import newtonkit
from problems.base import CriticalPoint, Domain, Problem
from problems.nist.data_sets import NistFit, data_set, names
from problems.registry import register

_TWO = ("BoxBOD", "DanWood", "Misra1a", "Misra1b", "Misra1c", "Misra1d")  # data sets with two parameters
SOURCE = "NIST Statistical Reference Datasets, Nonlinear Regression, https://www.itl.nist.gov/div898/strd/nls/"


def sum_of_squares(fit: NistFit) -> Callable[[Any], Any]:
    """The residual sum of squares of a data set; for b of shape (n, …) an array of sums."""

    def fun(b: Any) -> Any:
        if np.ndim(b) == 1:
            return np.sum(fit.residuals(b) ** 2)
        return np.sum(fit.residuals([part[..., None] for part in b]) ** 2, axis=-1)

    return fun


def _domain(fit: NistFit) -> Domain | None:
    """A region that contains the solution and both starts, for the data sets with two parameters."""
    if fit.certified.size != 2:
        return None
    points = np.array([fit.certified, *fit.starts])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.2 * (high - low)
    sides = [(float(a - d), float(b + d)) for a, b, d in zip(low, high, margin, strict=True)]
    return sides[0], sides[1]


def _factory(name: str) -> Callable[[], Problem]:
    def build() -> Problem:
        fit = data_set(name)
        fun = sum_of_squares(fit)
        x = newtonkit.least_squares(fit.residuals, fit.certified, method="hybrid", xtol=1e-13).x
        point = CriticalPoint(
            x=x,
            f=float(fun(x)),
            kind="minimum",
            index=0,
            verified="certified by NIST to 11 digits; refined to double precision by least squares from there",
        )
        return Problem(
            fun=fun,
            n=fit.certified.size,
            # NIST's second start is near the solution, the first is farther from it
            starts={"standard": fit.starts[1], "first": fit.starts[0]},
            points=(point,),
            domain=_domain(fit),
            formula="Σ (model(b, xᵢ) − yᵢ)²",
            references=(f"{SOURCE}, {name}",),
            residuals=fit.residuals,
        )

    return build


for _name in names():
    register(
        f"nist-{_name.lower()}",
        tags=("nonconvex", "nist", "benchmark", *(("2d",) if _name in _TWO else ())),
        summary=f"NIST's regression data set {_name}, with certified parameters",
    )(_factory(_name))
