"""Least squares on NIST's data and on Moré, Garbow and Hillstrom's sums of squares: ours, scipy's, lmfit if installed.

A run on NIST's data is scored by correct digits of the worst parameter. A success with fewer than four digits is false,
unless x agrees to four digits with another local minimum, which a refit with exact second derivatives verifies: such
runs are counted apart, for every solver.

A run on the sums of squares is scored by f, compared with the lowest value known; a success is false if x is neither
lowest nor stationary nor close to a verified minimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import newtonkit
import problems
from comparisons.report.document import Document, Note, Section, Table
from comparisons.studies.solvers.fit_coverage import coverage_table
from comparisons.studies.solvers.fit_large import large_table
from comparisons.studies.solvers.fit_outliers import outlier_table
from comparisons.studies.solvers.fit_runs import FitCase, FitRun, is_stationary, minimum_near, run_case, solvers
from problems.mgh.more_garbow_hillstrom import MGH
from problems.nist.data_sets import NistFit, data_set, names

_SOLVED, _FALSE = 6.0, 4.0  # correct digits of a solved run; a success with fewer than four is false
_LOWEST = 1e-6, 1e-10  # of f above the lowest known, relative and absolute: f is of size 1 at the starts or larger


def run(data: Sequence[str] = (), sums: Sequence[str] = (), seed: int = 0, parts: Sequence[str] = ()) -> Document:
    """The tables of all methods.

    Parameters
    ----------
    data : sequence of str
        NIST's data sets; all by default.
    sums : sequence of str
        Names of sums of squares; all by default.
    seed : int, default 0
        Of the outliers.
    parts : sequence of {"nist", "mgh", "outliers", "coverage", "large"}
        The first three by default.
    """
    parts = parts or ("nist", "mgh", "outliers")
    sections = []
    if "nist" in parts:
        runs = list(measure(data or names()))
        sections.append(
            Section(
                "NIST's regression data sets",
                [_note(sum(is_false(one) for one in _ours(runs))), nist_table(runs), deviation_table(data or names())],
            )
        )
    if "mgh" in parts:
        ends = list(measure_sums(sums))
        false = sum(end[0].success and not end[2] and not end[3] for end in ends if _is_ours(end[0]))
        sections.append(Section("Sums of squares of Moré, Garbow and Hillstrom", [_note(false), sums_table(ends)]))
    if "outliers" in parts:
        sections.append(Section("Outliers", [outlier_table(seed)]))
    if "coverage" in parts:
        sections.append(Section("Coverage of intervals", [coverage_table(seed=seed)]))
    if "large" in parts:
        sections.append(Section("Large fits", [large_table()]))
    return Document("Least squares", sections)


def _note(false: int) -> Note:
    return Note(f"false successes of our methods: {false}", "bad" if false else "good")


def _is_ours(run: FitRun) -> bool:
    return run.method.startswith("newtonkit")


def _ours(runs: Sequence[FitRun]) -> list[FitRun]:
    return [one for one in runs if _is_ours(one)]


def measure(data: Sequence[str]) -> Iterator[FitRun]:
    """All methods on NIST's data sets, from both starts."""
    for method, solver in solvers().items():
        for name in data:
            fit = data_set(name)
            for start in fit.starts:
                yield run_case(method, solver, FitCase(name, fit.residuals, start))


def correct_digits(fit: NistFit, b: Any) -> float:
    """−log₁₀ of the largest relative error; for MGH17 the two exponentials may be exchanged."""
    with np.errstate(all="ignore"):
        errors = [np.abs(b[order] - fit.certified) / np.abs(fit.certified) for order in _orders(fit)]
        worst = min(float(np.max(np.nan_to_num(error, nan=np.inf))) for error in errors)
        return float(-np.log10(max(worst, 1e-16)))


def _orders(fit: NistFit) -> list[Any]:
    return [np.arange(fit.certified.size)] + ([np.array([0, 2, 1, 4, 3])] if fit.name == "MGH17" else [])


def digits_of(run: FitRun) -> float:
    """Correct digits of the end of a run on NIST's data."""
    return correct_digits(data_set(run.case), run.x)


def is_false(run: FitRun) -> bool:
    """Whether a run on NIST's data reports success at a point that is no minimum."""
    wrong = run.success and digits_of(run) < _FALSE
    return wrong and not minimum_near(data_set(run.case).residuals, run.x, _FALSE)


def nist_table(runs: Sequence[FitRun]) -> Table:
    """Runs by correct digits, and geometric means of evaluations over the runs with six digits."""
    rows = []
    for method in dict.fromkeys(one.method for one in runs):
        own = [(one, digits_of(one)) for one in runs if one.method == method]
        solved = [one for one, digits in own if digits >= _SOLVED]
        wrong = sum(one.success and digits < _FALSE for one, digits in own)
        false = sum(is_false(one) for one, _ in own)
        missed = sum(not one.success for one in solved)
        counts = [len(solved), sum(digits >= 8.0 for _, digits in own), false, wrong - false, missed]
        rows.append([method, *map(str, counts), *_means(solved)])
    headings = ["method", "≥ 6 digits", "≥ 8 digits", "false success", "other minimum", "false failure", "r", "J", "S"]
    return Table(f"{len(runs) // max(len(rows), 1)} runs each; evaluations are geometric means", headings, rows)


def measure_sums(sums: Sequence[str] = ()) -> Iterator[tuple[FitRun, str, bool, bool]]:
    """All methods on the sums of squares from all their starts: run, start, whether f is lowest, whether stationary."""
    for name, parameters in MGH:
        if sums and name not in sums:
            continue
        problem = problems.get(name, **parameters)
        assert problem.residuals is not None
        for label, start in problem.starts.items():
            if label not in ("standard", "x10", "x100"):
                continue
            case = FitCase(problem.label, problem.residuals, start)
            runs = [run_case(method, solver, case) for method, solver in solvers().items()]
            values = [_value(problem.fun, one.x) for one in runs]
            lowest = min([*values, *(point.f for point in problem.minima)])
            for one, f in zip(runs, values, strict=True):
                is_lowest = f - lowest <= _LOWEST[0] * lowest + _LOWEST[1]
                critical = is_lowest or (np.isfinite(f) and is_stationary(problem.residuals, one.x))
                # where J is singular at a minimum, the relative offset does not show it
                critical = critical or (one.success and minimum_near(problem.residuals, one.x, _FALSE))
                yield one, label, is_lowest, critical


def _value(fun: Any, x: Any) -> float:
    with np.errstate(all="ignore"):
        f = float(fun(x)) if np.isfinite(x).all() else np.inf
    return f if np.isfinite(f) else np.inf


def sums_table(ends: Sequence[tuple[FitRun, str, bool, bool]]) -> Table:
    """Runs by the value reached and the start, and geometric means of evaluations over those with the lowest."""
    rows = []
    for method in dict.fromkeys(end[0].method for end in ends):
        own = [end for end in ends if end[0].method == method]
        solved = [run for run, _, lowest, _ in own if lowest]
        by_start = [sum(lowest for _, label, lowest, _ in own if label == at) for at in ("standard", "x10", "x100")]
        false = sum(run.success and not (lowest or stationary) for run, _, lowest, stationary in own)
        missed = sum(not run.success for run in solved)
        stationary = sum(end[3] for end in own)
        rows.append([method, *map(str, [*by_start, stationary, false, missed]), *_means(solved)])
    total = len(ends) // max(len(rows), 1)
    headings = ["method", "lowest: ×1", "×10", "×100", "stationary", "false success", "lowest, no success"]
    return Table(
        f"{total} runs each; evaluations are geometric means over the lowest", [*headings, "r", "J", "S"], rows
    )


def _means(runs: Sequence[FitRun]) -> list[str]:
    return [mean([getattr(one, kind) for one in runs]) for kind in ("residuals", "jacobians", "curvatures")]


def mean(counts: Sequence[int]) -> str:
    """The geometric mean, as text; a dash where all counts are zero."""
    return f"{np.exp(np.mean(np.log(np.maximum(counts, 1)))):.1f}" if counts and max(counts) else "–"


def deviation_table(data: Sequence[str]) -> Table:
    """Correct digits of the standard errors, from the near start."""
    rows = []
    for name in data:
        fit = data_set(name)
        result = newtonkit.least_squares(fit.residuals, fit.starts[1])
        error = min(float(np.max(np.abs(result.errors[order] / fit.deviations - 1.0))) for order in _orders(fit))
        rows.append([name, fit.difficulty, f"{-np.log10(max(error, 1e-16)):.1f}"])
    return Table("Correct digits of the standard errors", ["data", "difficulty", "digits"], rows, text=(0, 1))
