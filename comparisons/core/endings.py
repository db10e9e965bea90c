"""Where runs end: the only classifier of endings.

It reads the known critical points of the problem and the Hessian at the end, never what a solver reports of itself.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import newtonkit
from newtonkit.classification.verdict import Verdict
from problems import CriticalPoint, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comparisons.core.runs import Run

Vector = NDArray[np.float64]

SAME_F = 1e-6  # of max(1, |f|): close to a known point in x but not in f is another point, where x is badly scaled
UNBOUNDED_FALL = 1e6  # a fall of f, relative to its size at the start, that counts as unbounded if no minimum is known
MAX_SPECTRUM = 1000  # variables up to which all eigenvalues are computed: a second at n = 1000
SAME_LEVEL = 1e-9  # of max(1, |f*|): known minima that are as low as the lowest
# why a run may end before it converges: our reasons, and scipy's code of a spent budget
SKIPPED = "SKIPPED"  # the reason of a run that was not made
_BUDGET_REASONS = ("EVALUATIONS", "ITERATIONS", "TIME", "status 1")


class Ending(enum.StrEnum):
    """Where a run ended."""

    GLOBAL = "global"
    """At the lowest known minimum, or at a minimum as low."""
    LOCAL = "local"
    """At another minimum, of the catalogue or by the Hessian."""
    SADDLE = "saddle"
    """At a saddle or a maximum with a regular Hessian."""
    DEGENERATE = "degenerate"
    """At a critical point with a singular Hessian that is not known to be a minimum."""
    DIVERGED = "diverged"
    """At values that are not finite; or, if no minimum is known, after a fall of f by 10⁶ times its size."""
    BUDGET = "budget"
    """None of these, and the budget was spent."""
    ELSEWHERE = "elsewhere"
    """None of these, and the solver stopped by itself."""
    SKIPPED = "not run"
    """Not run: too many variables for the method, or no samples for mini-batches, as the reason states."""

    def __repr__(self) -> str:
        return repr(self.value)  # as text in printed records

    @property
    def at_minimum(self) -> bool:
        """Whether the run ended at a minimum."""
        return self in (Ending.GLOBAL, Ending.LOCAL)

    @property
    def description(self) -> str:
        """The ending as part of a sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Ending.GLOBAL: "at the lowest known minimum",
    Ending.LOCAL: "at another minimum",
    Ending.SADDLE: "at a saddle point or maximum",
    Ending.DEGENERATE: "at a degenerate critical point",
    Ending.DIVERGED: "diverged",
    Ending.BUDGET: "budget spent before convergence",
    Ending.ELSEWHERE: "stopped elsewhere",
    Ending.SKIPPED: "not run",
}


def classify_ending(
    problem: Problem, f: float, f_start: float, reason: str, verdict: Verdict | None, point: CriticalPoint | None
) -> Ending:
    """Classify the end of a run.

    Parameters
    ----------
    problem : Problem
    f, f_start : float
        At the end and at the start.
    reason : str
        Why the run ended.
    verdict : Verdict or None
        On the end; None if it is not finite.
    point : CriticalPoint or None
        The known critical point that was reached, by `Problem.reached`.
    """
    if reason == SKIPPED:
        return Ending.SKIPPED
    if verdict is None or reason in ("NON_FINITE", "UNBOUNDED"):
        return Ending.DIVERGED
    best = problem.best
    if point is not None and abs(f - point.f) <= SAME_F * max(1.0, abs(point.f)):
        if point.kind.endswith("minimum"):
            return Ending.GLOBAL if _as_low(point.f, best, SAME_LEVEL) else Ending.LOCAL
        return Ending.DEGENERATE if point.degenerate else Ending.SADDLE
    if verdict.kind.endswith("minimum") or verdict.kind == "valley":
        return Ending.GLOBAL if _as_low(f, best, SAME_F) else Ending.LOCAL
    if verdict.kind in ("saddle", "maximum"):
        return Ending.SADDLE
    if verdict.kind.startswith("degenerate") or verdict.kind == "ridge":
        return Ending.DEGENERATE
    if best is None and f < f_start - UNBOUNDED_FALL * max(1.0, abs(f_start)):
        return Ending.DIVERGED
    return Ending.BUDGET if reason in _BUDGET_REASONS else Ending.ELSEWHERE


def _as_low(f: float, best: CriticalPoint | None, tolerance: float) -> bool:
    return best is not None and f - best.f <= tolerance * max(1.0, abs(best.f))


def lowest_eigenvalue(problem: Problem, x: Vector, verdict: Verdict | None) -> float | None:
    """λ_min of the Hessian at x; None if that is not finite, or the Hessian too large."""
    if verdict is None:
        return None
    if verdict.eigenvalues.size == problem.n:
        return float(verdict.eigenvalues[0])
    if problem.n > MAX_SPECTRUM:
        return None
    with np.errstate(all="ignore"):
        H = newtonkit.hessian(problem.fun)(x)
    return float(np.linalg.eigvalsh(H)[0]) if np.isfinite(H).all() else None


def count_endings(runs: Iterable[Run]) -> dict[str, dict[str, int]]:
    """For each method, how many of its runs ended in each class.

    Examples
    --------
    >>> count_endings([])
    {}
    """
    table: dict[str, dict[str, int]] = {}
    for run in runs:
        table.setdefault(run.method, {ending.value: 0 for ending in Ending})[run.ending] += 1
    return table
