"""Where runs end, by what is known of the problem and by the Hessian there, never by what a solver says of itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

import newtonkit
from comparisons.core.runs import Run
from newtonkit.classification.verdict import Verdict
from newtonkit.linalg.kernels import EPS
from problems import CriticalPoint, Problem

Vector = NDArray[np.float64]

CLASSES = ("global", "local", "saddle", "degenerate", "diverged", "budget", "elsewhere")

_SAME_F = 1e-6  # of max(1, |f|): near a known point in x but not in f is another point, where x is badly scaled
_DOWN = 1e6  # a fall of f, relative to its size at the start, that counts as without bound where no minimum is known
_SPECTRUM = 1000  # variables up to which all eigenvalues are computed
_SAME_LEVEL = 1e-9  # of max(1, |f*|): minima of the catalogue as low as the lowest
_ROUNDING = 100
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
            return "global" if _as_low(point.f, best, _SAME_LEVEL) else "local"
        return "degenerate" if point.degenerate else "saddle"
    if verdict.kind.endswith("minimum") or verdict.kind == "valley":
        return "global" if _as_low(f, best, _SAME_F) else "local"
    if verdict.kind in ("saddle", "maximum"):
        return "saddle"
    if verdict.kind.startswith("degenerate") or verdict.kind == "ridge":
        return "degenerate"
    if best is None and f < f_start - _DOWN * max(1.0, abs(f_start)):
        return "diverged"
    return "budget" if reason in _BUDGET else "elsewhere"


def _as_low(f: float, best: CriticalPoint | None, tolerance: float) -> bool:
    return best is not None and f - best.f <= tolerance * max(1.0, abs(best.f))


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

    Rounding is allowed: f* − f ≤ 100·eps·max(|f*|, |f₀|), with the smallest |f₀| among the starts of these runs on the
    problem; 100, since f is a sum of as many terms. The size of f at the start matters because what is small at the
    minimum may be a difference of large numbers: Meyer's residuals of size 1 are differences of 10⁴, and f near x* has
    noise of 10⁴·eps·f*. A start far out, from which f₀ would excuse anything, counts only if there is no other.
    """
    known = [run for run in runs if run.gap is not None]
    scales: dict[str, float] = {}
    for run in known:
        scales[run.problem] = min(scales.get(run.problem, math.inf), abs(run.f_start))
    return [run for run in known if _depth(run) > _ROUNDING * EPS * max(abs(run.f + _depth(run)), scales[run.problem])]


def _depth(run: Run) -> float:
    """f* − f."""
    return -math.inf if run.gap is None else -run.gap


class BeatenError(RuntimeError):
    """A run ended below the lowest known minimum.

    Parameters
    ----------
    runs : sequence of Run
        Those that did.
    comparison : object, optional
        Of which they are a part.
    """

    def __init__(self, runs: Sequence[Run], comparison: object = None) -> None:
        self.runs = runs
        self.comparison = comparison
        deepest = max(runs, key=_depth)
        super().__init__(
            f"{len(runs)} runs ended below the lowest known minimum, so a fact of the catalogue is wrong: "
            f"{deepest.method} on {deepest.problem} from {deepest.start!r} has f = {deepest.f:.17g}, "
            f"below f* = {deepest.f + _depth(deepest):.17g}"
        )
