"""Least squares on NIST's 54 runs: ours, scipy's three methods and curve_fit, lmfit if installed; and outliers."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
import scipy.optimize

import newtonkit
from comparisons.report.document import Document, Note, Section, Table
from newtonkit.derivatives.residuals import ResidualDerivatives
from problems.nist.data_sets import NistFit, data_set, names

_SOLVED, _FALSE = 6.0, 4.0  # correct digits of a solved run; a success with fewer than four is false
_TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "x_scale": "jac", "max_nfev": 1000}


@dataclass(frozen=True, slots=True)
class FitRun:
    """One method on one data set from one start."""

    method: str
    data: str
    digits: float
    """Correct digits of the worst parameter."""
    success: bool
    residuals: int
    jacobians: int
    curvatures: int


Solver = Callable[[Any, Callable[[Any], Any], np.ndarray[Any, Any]], tuple[Any, bool, int]]


def run(data: Sequence[str] = (), seed: int = 0) -> Document:
    """The tables of all methods on these data sets, all by default, and of the fits with outliers."""
    runs = list(measure(data or names()))
    false = [one for one in runs if one.method.startswith("newtonkit") and one.success and one.digits < _FALSE]
    note = Note(f"false successes of our methods: {len(false)}", "bad" if false else "good")
    tables = [nist_table(runs), deviation_table(data or names()), outlier_table(seed)]
    return Document("Least squares", [Section("NIST's regression data sets", [note, *tables])])


def measure(data: Sequence[str]) -> Iterator[FitRun]:
    """All methods on all data sets, from both starts."""
    for method, solver in solvers().items():
        for name in data:
            fit = data_set(name)
            for start in fit.starts:
                yield _run(method, solver, fit, start)


def correct_digits(fit: NistFit, b: Any) -> float:
    """−log₁₀ of the largest relative error; for MGH17 the two exponentials may be exchanged."""
    orders = [np.arange(b.size)] + ([np.array([0, 2, 1, 4, 3])] if fit.name == "MGH17" else [])
    with np.errstate(all="ignore"):
        errors = [np.abs(b[order] - fit.certified) / np.abs(fit.certified) for order in orders]
        worst = min(float(np.max(np.nan_to_num(error, nan=np.inf))) for error in errors)
        return float(-np.log10(max(worst, 1e-16)))


def solvers() -> dict[str, Callable[..., Any]]:
    """The methods by name; each is called with counted residuals, a counted Jacobian or None, and the start."""
    found: dict[str, Callable[..., Any]] = {}
    for method in ("auto", "hybrid", "variable-projection", "levenberg-marquardt", "newton"):
        found[f"newtonkit {method}"] = _ours(method)
    for method in ("lm", "trf", "dogbox"):
        found[f"scipy {method}, differences"] = _scipy(method, {}, exact=False)
        found[f"scipy {method}, exact J"] = _scipy(method, {}, exact=True)
        found[f"scipy {method}, exact J, tight"] = _scipy(method, _TIGHT, exact=True)
    found["scipy curve_fit"] = _scipy_curve_fit
    if importlib.util.find_spec("lmfit") is not None:
        found["lmfit"] = _lmfit
    return found


def _run(method: str, solver: Callable[..., Any], fit: NistFit, start: Any) -> FitRun:
    calls = {"r": 0, "J": 0, "S": 0}
    derivatives = ResidualDerivatives(fit.residuals)

    def residuals(b: Any) -> Any:
        calls["r"] += 1
        return fit.residuals(np.asarray(b))

    def jacobian(b: Any) -> Any:
        calls["J"] += 1
        return derivatives.jacobian(np.asarray(b, dtype=np.float64))

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            b, success = solver(fit, residuals, jacobian, start, calls)
        except (ValueError, RuntimeError):  # scipy's methods raise for residuals that are not finite
            b, success = np.full(start.size, np.nan), False
    return FitRun(method, fit.name, correct_digits(fit, b), bool(success), calls["r"], calls["J"], calls["S"])


def _ours(method: str) -> Callable[..., Any]:
    def solve(fit: NistFit, residuals: Any, jacobian: Any, start: Any, calls: dict[str, int]) -> tuple[Any, bool]:
        try:
            result = newtonkit.least_squares(fit.residuals, start, method=method)
        except ValueError:  # variable projection where no parameter is linear
            result = newtonkit.least_squares(fit.residuals, start, method="hybrid")
        calls.update(r=result.nfev, J=result.njev, S=result.nhev)
        return result.x, result.success

    return solve


def _scipy(method: str, options: dict[str, Any], *, exact: bool) -> Callable[..., Any]:
    def solve(fit: NistFit, residuals: Any, jacobian: Any, start: Any, calls: dict[str, int]) -> tuple[Any, bool]:
        jac = jacobian if exact else "2-point"
        result = scipy.optimize.least_squares(residuals, start, jac, method=method, **options)
        return result.x, result.success

    return solve


def _scipy_curve_fit(
    fit: NistFit, residuals: Any, jacobian: Any, start: Any, calls: dict[str, int]
) -> tuple[Any, bool]:
    def model(x: Any, *b: float) -> Any:
        return residuals(np.array(b)) + fit.y

    b, _ = scipy.optimize.curve_fit(model, fit.x, fit.y, start)
    return b, True


def _lmfit(fit: NistFit, residuals: Any, jacobian: Any, start: Any, calls: dict[str, int]) -> tuple[Any, bool]:
    lmfit = importlib.import_module("lmfit")  # optional

    parameters = lmfit.Parameters()
    for i, value in enumerate(start):
        parameters.add(f"b{i}", value=value)
    result = lmfit.minimize(lambda p: residuals([p[f"b{i}"].value for i in range(start.size)]), parameters)
    return np.array([result.params[f"b{i}"].value for i in range(start.size)]), result.success


def nist_table(runs: Sequence[FitRun]) -> Table:
    """Runs by correct digits, and geometric means of evaluations over the runs with six digits."""
    rows = []
    for method in dict.fromkeys(one.method for one in runs):
        own = [one for one in runs if one.method == method]
        solved = [one for one in own if one.digits >= _SOLVED]
        means = [_mean([getattr(one, kind) for one in solved]) for kind in ("residuals", "jacobians", "curvatures")]
        false = sum(one.success and one.digits < _FALSE for one in own)
        missed = sum(not one.success for one in solved)
        counts = [len(solved), sum(one.digits >= 8.0 for one in own), false, missed]
        rows.append([method, *map(str, counts), *means])
    headings = ["method", "≥ 6 digits", "≥ 8 digits", "false success", "false failure", "r", "J", "S"]
    return Table(f"{len(runs) // max(len(rows), 1)} runs each; evaluations are geometric means", headings, rows)


def _mean(counts: Sequence[int]) -> str:
    return f"{np.exp(np.mean(np.log(np.maximum(counts, 1)))):.1f}" if counts and max(counts) else "–"


def deviation_table(data: Sequence[str]) -> Table:
    """Correct digits of the standard errors, from the near start."""
    rows = []
    for name in data:
        fit = data_set(name)
        result = newtonkit.least_squares(fit.residuals, fit.starts[1])
        orders = [np.arange(fit.certified.size)] + ([np.array([0, 2, 1, 4, 3])] if name == "MGH17" else [])
        error = min(float(np.max(np.abs(result.errors[order] / fit.deviations - 1.0))) for order in orders)
        rows.append([name, fit.difficulty, f"{-np.log10(max(error, 1e-16)):.1f}"])
    return Table("Correct digits of the standard errors", ["data", "difficulty", "digits"], rows, text=(0, 1))


def outlier_table(seed: int = 0, count: int = 100) -> Table:
    """An exponential with 30 % outliers: the median relative error of the parameters over random data sets."""
    truth, t = np.array([3.0, 0.8, 0.5]), np.linspace(0.0, 5.0, 60)
    rng = np.random.default_rng(seed)
    data = []
    for _ in range(count):
        y = truth[0] * np.exp(-truth[1] * t) + truth[2] + 0.05 * rng.standard_normal(t.size)
        wrong = rng.permutation(t.size)[: int(0.3 * t.size)]
        y[wrong] += rng.uniform(0.5, 3.0, wrong.size)
        data.append(y)

    def residuals(p: Any, y: Any) -> Any:
        return p[0] * anp.exp(-p[1] * t) + p[2] - y

    start = np.ones(3)
    rows = []
    for loss in ("linear", "soft_l1", "huber", "cauchy", "arctan"):
        for name, solve in (("newtonkit", newtonkit.least_squares), ("scipy trf", scipy.optimize.least_squares)):
            errors, successes, calls = [], 0, []
            for y in data:
                result = solve(residuals, start, loss=loss, f_scale=0.1, args=(y,))
                errors.append(float(np.max(np.abs(result.x / truth - 1.0))))
                successes += bool(result.success)
                calls.append(result.njev)
            rows.append([loss, name, f"{np.median(errors):.3f}", f"{max(errors):.3g}", str(successes), _mean(calls)])
    headings = ["loss", "solver", "median error", "largest error", f"successes of {count}", "J"]
    return Table("30 % outliers: relative error of the worst parameter", headings, rows, text=(0, 1))
