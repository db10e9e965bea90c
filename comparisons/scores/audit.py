"""The audit of the counters: the counts that a solver reports, compared with the calls that were made."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize as scipy_minimize

import newtonkit
from comparisons.core.labels import listing
from comparisons.core.runs import Run
from newtonkit import Counts
from problems import Problem

_FIELDS = {"nfev": ("f",), "njev": ("g",), "nhev": ("H",), "nhvp": ("Hv",)}
# scipy's results have no field for Hessian-vector products: a method that uses them counts them as Hessians
_FIELDS_OF_SCIPY = {"nfev": ("f",), "njev": ("g",), "nhev": ("H", "Hv")}

# the forms of second derivatives that each of scipy's solvers accepts
SECOND_DERIVATIVES: dict[str, tuple[str, ...]] = {
    "CG": ("",),
    "BFGS": ("",),
    "L-BFGS-B": ("",),
    "TNC": ("",),
    "SLSQP": ("",),
    "Newton-CG": ("hess", "hessp"),
    "dogleg": ("hess",),
    "trust-ncg": ("hess", "hessp"),
    "trust-krylov": ("hess", "hessp"),
    "trust-exact": ("hess",),
    "trust-constr": ("hess", "hessp"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One counter of one run."""

    method: str
    problem: str
    start: str
    counter: str
    reported: int | None
    """None if the solver reports no such counter although calls were made."""
    called: int

    @property
    def correct(self) -> bool:
        """Whether the reported count equals the number of calls."""
        return self.reported == self.called

    @property
    def sentence(self) -> str:
        """The entry as a sentence."""
        reports = "does not report" if self.reported is None else f"reports {self.counter} = {self.reported} for"
        return f"{self.method} on {self.problem} {reports} {self.called} calls."


def entries(method: str, problem: str, start: str, reported: dict[str, int], called: Counts) -> list[Entry]:
    """The counters of one run, without those that are neither reported nor called."""
    found = []
    for counter, kinds in (_FIELDS if "nhvp" in reported else _FIELDS_OF_SCIPY).items():
        calls = sum(getattr(called, kind) for kind in kinds)
        if calls or reported.get(counter):
            found.append(Entry(method, problem, start, counter, reported.get(counter), calls))
    return found


def audit(runs: Iterable[Run]) -> list[Entry]:
    """Every counter of every run whose solver reports counters; a run that was stopped from outside reports none."""
    return [
        entry
        for run in runs
        if run.reported
        for entry in entries(run.method, run.problem, run.start, dict(run.reported), run.counts)
    ]


def miscounted(found: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The wrong entries of each method, the largest difference first."""
    wrong: dict[str, list[Entry]] = {}
    for entry in found:
        if not entry.correct:
            wrong.setdefault(entry.method, []).append(entry)
    return {method: sorted(those, key=_distance, reverse=True) for method, those in wrong.items()}


def _distance(entry: Entry) -> float:
    return float("inf") if entry.reported is None else abs(entry.called - entry.reported)


def audit_summary(found: Sequence[Entry]) -> str:
    """The audit as text: the methods whose counters are right, and the worst entry of each other method."""
    wrong = miscounted(found)
    names = list(dict.fromkeys(entry.method for entry in found))
    right = [name for name in names if name not in wrong]
    sentences = [f"{len(found)} counters were compared with the calls that were made."]
    if right:
        sentences.append(f"All are right for {listing(right, most=len(right))}.")
    for name, those in wrong.items():
        total = sum(entry.method == name for entry in found)
        sentences.append(f"{len(those)} of {total} are wrong for {name}; the worst: {those[0].sentence}")
    return " ".join(sentences)


def audit_scipy(problem: Problem, start: str = "standard") -> list[Entry]:
    """The counters of all of scipy's solvers as shipped, each with every form of second derivative that it accepts.

    Every callable is a plain function with a counter; scipy calls it directly.

    Parameters
    ----------
    problem : Problem
    start : str, default "standard"
    """
    found = []
    for method, kinds in SECOND_DERIVATIVES.items():
        for second in kinds:
            name = f"scipy:{method}" + (f" with {second}" if second else "")
            reported, called = _counted_run(problem, np.array(problem.starts[start]), method, second)
            found += entries(name, problem.label, start, reported, called)
    return found


def _counted_run(problem: Problem, x0: Any, method: str, second: str) -> tuple[dict[str, int], Counts]:
    called = Counts()
    derivatives: dict[str, Any] = {"jac": _counting(called, "g", newtonkit.grad(problem.fun))}
    if second == "hess":
        derivatives["hess"] = _counting(called, "H", newtonkit.hessian(problem.fun))
    elif second == "hessp":
        derivatives["hessp"] = _counting(called, "Hv", newtonkit.hvp(problem.fun))
    fun = _counting(called, "f", problem.fun)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # only the counters matter here
        result = scipy_minimize(fun, x0, method=method, **derivatives)
    return {counter: int(result[counter]) for counter in _FIELDS_OF_SCIPY if counter in result}, called


def _counting(called: Counts, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def counted(*arguments: Any) -> Any:
        setattr(called, kind, getattr(called, kind) + 1)
        return function(*arguments)

    return counted
