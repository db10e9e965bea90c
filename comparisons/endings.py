"""Where runs end, by what is known of the problem and by the Hessian there, never by what a solver says of itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

import newtonkit
import problems
from comparisons.records import Run
from newtonkit.critical.verdict import Verdict
from newtonkit.linalg import EPS
from problems import CriticalPoint, Problem

Vector = NDArray[np.float64]

CLASSES = ("global", "local", "saddle", "degenerate", "diverged", "budget", "elsewhere")

_SAME_F = 1e-6  # of max(1, |f|): near a known point in x but not in f is another point, where x is badly scaled
_DOWN = 1e6  # a fall of f, relative to its size at the start, that counts as without bound where no minimum is known
_SPECTRUM = 1000  # variables up to which all eigenvalues are computed
_ROUNDING = 1e4  # times eps: what cancellation in f, and the digits to which f* is written down, may come to
# why a run may end on its way, in our words and in scipy's codes
_BUDGET = ("EVALUATIONS", "ITERATIONS", "TIME", "status 1")


def ending_class(
    problem: Problem, f: float, f_start: float, reason: str, verdict: Verdict | None, point: CriticalPoint | None
) -> str:
    """One of `CLASSES`.

    * *global*: at the lowest known minimum, or at a minimum as low.
    * *local*: at another minimum, of the catalogue or by the Hessian.
    * *saddle*: at a saddle or a maximum with a regular Hessian.
    * *degenerate*: at a critical point with a singular Hessian that is not known to be a minimum.
    * *diverged*: values that are not finite, or, where no minimum is known, a fall of f by 10⁶ of its size.
    * *budget*: none of these, and the budget was spent.
    * *elsewhere*: none of these, and the solver stopped by itself.

    Parameters
    ----------
    problem : Problem
    f, f_start : float
        At the end and at the start.
    reason : str
        Why the run ended.
    verdict : Verdict or None
        On the end; None where it is not finite.
    point : CriticalPoint or None
        The known one that was reached, by `Problem.reached`.
    """
    if verdict is None or reason in ("NON_FINITE", "UNBOUNDED"):
        return "diverged"
    best = problem.best
    if point is not None and abs(f - point.f) <= _SAME_F * max(1.0, abs(point.f)):
        if point.kind.endswith("minimum"):
            return "global" if best is not None and point.f - best.f <= _allowance(best.f, f_start) else "local"
        return "degenerate" if point.degenerate else "saddle"
    if verdict.kind.endswith("minimum") or verdict.kind == "valley":
        return "global" if best is not None and f - best.f <= _SAME_F * max(1.0, abs(best.f)) else "local"
    if verdict.kind in ("saddle", "maximum"):
        return "saddle"
    if verdict.kind.startswith("degenerate") or verdict.kind == "ridge":
        return "degenerate"
    if best is None and f < f_start - _DOWN * max(1.0, abs(f_start)):
        return "diverged"
    return "budget" if reason in _BUDGET else "elsewhere"


def lowest_eigenvalue(problem: Problem, x: Vector, verdict: Verdict | None) -> float | None:
    """λ_min of the Hessian at x, None where that is not finite or too large a matter."""
    if verdict is None:
        return None
    if verdict.eigenvalues.size == problem.n:
        return float(verdict.eigenvalues[0])
    if problem.n > _SPECTRUM:
        return None
    with np.errstate(all="ignore"):
        H = newtonkit.hessian(problem.fun)(x)
    return float(np.linalg.eigvalsh(H)[0]) if np.isfinite(H).all() else None


def endings(runs: Iterable[Run]) -> dict[str, dict[str, int]]:
    """For each method, how many of its runs ended in each of `CLASSES`.

    Examples
    --------
    >>> endings([])
    {}
    """
    table: dict[str, dict[str, int]] = {}
    for run in runs:
        table.setdefault(run.method, dict.fromkeys(CLASSES, 0))[run.ending] += 1
    return table


def beaten(runs: Iterable[Run]) -> list[Run]:
    """The runs that ended below the recorded f*: each shows that a fact of the catalogue is wrong.

    Rounding is allowed: f* − f ≤ 10⁴·eps·max(|f*|, min(|f₀|, 1)), which is 2e-12 of f*, or of the size of f at the
    start where f* is nearly zero, but no more than of 1, since a start far out says nothing of f near x*.
    """
    return [run for run in runs if run.gap is not None and -run.gap > _allowance(run.f - run.gap, run.f_start)]


def _allowance(best: float, f_start: float) -> float:
    scale = min(abs(f_start), 1.0) if math.isfinite(f_start) else 1.0
    return _ROUNDING * EPS * max(abs(best), scale)


class BeatenError(RuntimeError):
    """A run ended below the lowest known minimum.

    Parameters
    ----------
    runs : sequence of Run
        Those that did.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        worst = min(runs, key=lambda run: run.gap or 0.0)
        best = problems.get(worst.name, **worst.parameters).best if worst.name in problems.names() else None
        recorded = "" if best is None else f" = {best.f:.17g}"
        super().__init__(
            f"{len(runs)} runs ended below the lowest known minimum, so a fact of the catalogue is wrong: "
            f"{worst.method} on {worst.problem} from {worst.start!r} has f = {worst.f:.17g}, f*{recorded}"
        )
