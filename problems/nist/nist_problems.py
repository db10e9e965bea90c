"""NIST's regression data sets as problems of the catalogue: f(b) = Σ (model(b, xᵢ) − yᵢ)², with their residuals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

import newtonkit
from problems.base import CriticalPoint, Problem
from problems.nist.data_sets import NistFit, data_set, names
from problems.registry import register

SOURCE = "NIST Statistical Reference Datasets, Nonlinear Regression, https://www.itl.nist.gov/div898/strd/nls/"


def sum_of_squares(fit: NistFit) -> Callable[[Any], Any]:
    """The residual sum of squares of a data set."""

    def fun(b: Any) -> Any:
        return np.sum(fit.residuals(b) ** 2)

    return fun


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
            formula="Σ (model(b, xᵢ) − yᵢ)²",
            references=(f"{SOURCE}, {name}",),
            residuals=fit.residuals,
        )

    return build


for _name in names():
    register(
        f"nist-{_name.lower()}",
        tags=("nonconvex", "nist", "benchmark"),
        summary=f"NIST's regression data set {_name}, with certified parameters",
    )(_factory(_name))
