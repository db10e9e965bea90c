"""The report of a curve fit as text."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from newtonkit.fitting.result import FitResult
from newtonkit.linalg.kernels import Matrix, Vector

_SANDWICH = 0.1  # relative difference of standard errors from which the sandwich form is reported too
_CORRELATED = 0.9  # |correlation| from which a pair of parameters is listed
_MOST = 10  # pairs, or outliers, that are listed


class Fit(Protocol):
    """What the report reads; see `newtonkit.fitting.curve.CurveFit`."""

    names: list[str]
    popt: Vector
    parameters: dict[str, float]
    result: FitResult
    degrees: int
    absolute_sigma: bool

    @property
    def errors(self) -> Vector:
        """Standard errors."""

    @property
    def sandwich_errors(self) -> Vector:
        """Standard errors by the sandwich form."""

    @property
    def correlation(self) -> Matrix:
        """Correlations."""

    @property
    def variance(self) -> float:
        """Of the residuals."""

    @property
    def r_squared(self) -> float:
        """Coefficient of determination."""

    @property
    def aic(self) -> float:
        """Akaike's criterion."""

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""

    @property
    def outliers(self) -> Any:
        """Indices of large residuals."""

    def intervals(self, level: float = 0.95, method: str = "t") -> dict[str, tuple[float, float]]:
        """Confidence intervals."""


def fit_report(fit: Fit, level: float) -> str:
    """The report; see `newtonkit.fitting.curve.CurveFit.report`."""
    result = fit.result
    state = "success" if result.success else "failure"
    lines = [f"curve fit: {state} ({result.reason.name})", f"  {result.message}", f"  verdict: {result.verdict}"]
    if result.choice:
        lines.append(f"  method: {result.choice}")
    if result.derivatives != "autograd":
        lines.append(f"  derivatives: {result.derivatives}")
    lines += ["", *_parameter_lines(fit, level), "", *_goodness(fit)]
    for heading, entries in (("correlations", _correlations(fit)), ("warnings", _warnings(fit))):
        if entries:
            lines += ["", f"{heading}:", *(f"  {entry}" for entry in entries)]
    return "\n".join(lines)


def _parameter_lines(fit: Fit, level: float) -> list[str]:
    width = max(len(name) for name in fit.parameters)
    percent = f"{100 * level:g} %"
    lines = [f"  {'':{width}}  {'value':>14}  {'std. error':>11}  {percent + ' interval':>27}"]
    intervals = fit.intervals(level)
    for name, value in fit.parameters.items():
        if name not in fit.names:
            lines.append(f"  {name:{width}}  {value:14.8g}  {'fixed or tied':>11}")
            continue
        i = fit.names.index(name)
        side = int(fit.result.active_mask[i])
        if side:
            lines.append(
                f"  {name:{width}}  {value:14.8g}  {'at its ' + ('lower' if side < 0 else 'upper') + ' bound'}"
            )
            continue
        low, high = intervals[name]
        ends = f"[{low:.6g}, {high:.6g}]"
        lines.append(f"  {name:{width}}  {value:14.8g}  {fit.errors[i]:11.4g}  {ends:>27}")
    return lines


def _goodness(fit: Fit) -> list[str]:
    result = fit.result
    m = result.fun.size
    lines = [
        f"  {m} data, {fit.degrees} degrees of freedom, {result.nfev} residuals and {result.njev} Jacobians evaluated"
    ]
    if fit.degrees > 0:
        deviation = math.sqrt(2.0 * result.cost / fit.degrees)
        label = "reduced chi-square" if fit.absolute_sigma else "residual standard deviation"
        lines.append(f"  {label} {deviation**2 if fit.absolute_sigma else deviation:.6g}, R² {fit.r_squared:.6g}")
    lines.append(f"  AIC {fit.aic:.6g}, BIC {fit.bic:.6g}")
    return lines


def _correlations(fit: Fit) -> list[str]:
    C, names = fit.correlation, fit.names
    pairs = [
        (abs(C[i, j]), f"{names[i]}, {names[j]}: {C[i, j]:+.4f}")
        for i in range(len(names))
        for j in range(i)
        if abs(C[i, j]) >= _CORRELATED
    ]
    return [text for _, text in sorted(pairs, reverse=True)[:_MOST]]


def _warnings(fit: Fit) -> list[str]:
    result = fit.result
    found = [f"not determined by the data: {what}" for what in result.undetermined]
    errors, exact = fit.errors, fit.sandwich_errors
    with np.errstate(invalid="ignore", divide="ignore"):
        differ = np.abs(exact / errors - 1.0) > _SANDWICH
    found += [
        f"the standard error of {fit.names[i]} is {exact[i]:.4g} with the exact Hessian: the model is curved; "
        "prefer intervals(method='profile')"
        for i in np.flatnonzero(differ)
    ]
    outliers = fit.outliers
    if len(outliers):
        listed = ", ".join(map(str, outliers[:_MOST])) + (", …" if len(outliers) > _MOST else "")
        found.append(f"{len(outliers)} data are outliers, more than 5 robust standard deviations away: index {listed}")
    if fit.degrees <= 0:
        found.append("there are no degrees of freedom: errors cannot be estimated")
    return found
