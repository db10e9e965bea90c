"""Runs of methods of least squares on one case: residuals, start, and counted evaluations."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.optimize

import newtonkit
from newtonkit.derivatives.residuals import ResidualDerivatives

Vector = npt.NDArray[np.float64]

# best settings of scipy's methods on NIST's data, by a comparison of tolerances and scales
_TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "x_scale": "jac", "max_nfev": 1000}
# as small as curve_fit accepts
_TIGHT_CURVE = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "maxfev": 10_000}
_RELATIVE_OFFSET = 1e-3  # Bates & Watts (1981), Technometrics 23, 179: of a converged fit


@dataclass(frozen=True, slots=True)
class FitCase:
    """Residuals and a start."""

    name: str
    residuals: Callable[[Any], Any] = field(repr=False)
    start: Vector = field(repr=False)


@dataclass(frozen=True, slots=True)
class FitRun:
    """The end of one method on one case."""

    method: str
    case: str
    x: Vector = field(repr=False)
    success: bool
    residuals: int
    jacobians: int
    curvatures: int


class CountedCase:
    """The residuals and their exact Jacobian, counted."""

    def __init__(self, case: FitCase) -> None:
        self.case, self.start = case, case.start.copy()
        self.counts = {"residuals": 0, "jacobians": 0, "curvatures": 0}
        self._derivatives = ResidualDerivatives(case.residuals)

    def residuals(self, x: Any) -> Vector:
        """r(x), shape (m,)."""
        self.counts["residuals"] += 1
        return np.asarray(self.case.residuals(np.asarray(x, dtype=np.float64)))

    def jacobian(self, x: Any) -> Vector:
        """J(x), shape (m, n)."""
        self.counts["jacobians"] += 1
        return self._derivatives.jacobian(np.asarray(x, dtype=np.float64))


Solver = Callable[[CountedCase], tuple[Any, bool]]


def run_case(method: str, solver: Solver, case: FitCase) -> FitRun:
    """Run a method; an exception for residuals that are not finite, as scipy raises, is a failure."""
    counted = CountedCase(case)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            x, success = solver(counted)
        except (ValueError, RuntimeError, TypeError, np.linalg.LinAlgError):
            x, success = np.full(case.start.size, np.nan), False
    return FitRun(method, case.name, np.asarray(x, dtype=np.float64), bool(success), **counted.counts)


def solvers() -> dict[str, Solver]:
    """The methods by name: ours, scipy's with their defaults and with tight tolerances, lmfit if it is installed."""
    found: dict[str, Solver] = {}
    for method in ("auto", "hybrid", "variable-projection", "levenberg-marquardt", "newton"):
        found[f"newtonkit {method}"] = _ours(method)
    for method in ("lm", "trf", "dogbox"):
        found[f"scipy {method}, differences"] = _scipy(method, {}, exact=False)
        found[f"scipy {method}, exact J"] = _scipy(method, {}, exact=True)
        found[f"scipy {method}, exact J, tight"] = _scipy(method, _TIGHT, exact=True)
    found["scipy curve_fit"] = _scipy_curve_fit({}, exact=False)
    found["scipy curve_fit, exact J, tight"] = _scipy_curve_fit(_TIGHT_CURVE, exact=True)
    if importlib.util.find_spec("lmfit") is not None:
        found["lmfit"] = _lmfit({})
        found["lmfit, tight"] = _lmfit({"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "max_nfev": 10_000})
    return found


def is_stationary(residuals: Callable[[Any], Any], x: Vector) -> bool:
    """Whether the share of r in the column space of J is at most 1e-3 (relative offset)."""
    with np.errstate(all="ignore"):
        r = np.asarray(residuals(x))
        J = ResidualDerivatives(residuals, tape=False).jacobian(x)
        size = float(np.linalg.norm(r))
        if not (np.isfinite(size) and np.isfinite(J).all()):
            return False
        norms = np.linalg.norm(J, axis=0)
        U, s, _ = np.linalg.svd(J / np.where(norms > 0.0, norms, 1.0), full_matrices=False)
        kept = s > 1e-14 * max(J.shape) * max(float(s[0]), 1e-300)
        return bool(np.linalg.norm(U[:, kept].T @ r) <= _RELATIVE_OFFSET * size)


def minimum_near(residuals: Callable[[Any], Any], x: Vector, digits: float = 4.0) -> bool:
    """Whether every entry of x agrees to this many digits with a verified minimum, found by a refit from x."""
    if not np.isfinite(x).all():
        return False
    refit = newtonkit.least_squares(residuals, x, method="hybrid", max_nfev=1000)
    close = np.abs(refit.x - x) <= 10.0**-digits * np.abs(refit.x)
    return bool(refit.success and refit.verdict.kind == "minimum" and close.all())


def _ours(method: str) -> Solver:
    def solve(counted: CountedCase) -> tuple[Any, bool]:
        x0 = counted.start

        def fun(x: Any) -> Any:  # a new function for each run: nothing found in an earlier run is used
            return counted.case.residuals(x)

        try:
            result = newtonkit.least_squares(fun, x0, method=method)
        except ValueError:  # variable projection where no parameter is linear
            result = newtonkit.least_squares(fun, x0, method="hybrid")
        counted.counts = {"residuals": result.nfev, "jacobians": result.njev, "curvatures": result.nhev}
        return result.x, result.success

    return solve


def _scipy(method: str, options: dict[str, Any], *, exact: bool) -> Solver:
    def solve(counted: CountedCase) -> tuple[Any, bool]:
        jac = counted.jacobian if exact else "2-point"
        result = scipy.optimize.least_squares(counted.residuals, counted.start, jac, method=method, **options)
        return result.x, result.success

    return solve


def _scipy_curve_fit(options: dict[str, Any], *, exact: bool) -> Solver:
    def solve(counted: CountedCase) -> tuple[Any, bool]:
        def model(t: Any, *x: float) -> Any:
            return counted.residuals(np.array(x))

        def jacobian(t: Any, *x: float) -> Any:
            return counted.jacobian(np.array(x))

        zero = np.zeros(np.size(counted.case.residuals(counted.start)))
        jac = jacobian if exact else None
        x, _ = scipy.optimize.curve_fit(model, zero, zero, counted.start, jac=jac, **options)
        return x, True

    return solve


def _lmfit(options: dict[str, Any]) -> Solver:
    def solve(counted: CountedCase) -> tuple[Any, bool]:
        lmfit = importlib.import_module("lmfit")  # optional
        names = [f"x{i}" for i in range(counted.start.size)]
        parameters = lmfit.Parameters()
        for name, value in zip(names, counted.start, strict=True):
            parameters.add(name, value=value)
        result = lmfit.minimize(lambda p: counted.residuals([p[name].value for name in names]), parameters, **options)
        return np.array([result.params[name].value for name in names]), result.success

    return solve
