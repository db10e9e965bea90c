"""The check against scipy: whether our methods end at minima, and at those of their scipy counterparts."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import problems
from comparisons.core.endings import Ending
from comparisons.core.labels import counterpart, number
from comparisons.core.runs import Run
from newtonkit.linalg.kernels import EPS

CHECKED = ("newton", "bfgs", "lbfgs")
_AS_GOOD = 1e-8  # of f, relative to the decrease from the start
_SAME_X = 1e-3  # of max(1, ‖x‖), and its root at a degenerate point: the tolerance of `Problem.reached`


@dataclass(frozen=True, slots=True)
class Finding:
    """The check of one of our runs."""

    problem: str
    start: str
    method: str
    passed: bool
    sentence: str


def check(runs: Sequence[Run]) -> list[Finding]:
    """One finding for each run of newton, bfgs and lbfgs.

    A run passes if it ended at a minimum, of the catalogue or by the Hessian (if no minimum is known: if it did not
    report success); if it reports success there (unless its tolerance is 0); and if its f is as low as scipy's: on a
    convex problem as that of the best scipy run, otherwise as that of every scipy run that ended at the same known
    point. Another minimum than scipy's is reported and is not a failure. The comparison allows 1e-8 of the decrease
    from the start, and rounding.
    """
    made = [run for run in runs if run.ending is not Ending.SKIPPED]
    return [_finding(run, _rivals(run, made)) for run in made if run.method in CHECKED]


def _rivals(run: Run, runs: Iterable[Run]) -> list[Run]:
    return [other for other in runs if not other.ours and other.problem == run.problem and other.start == run.start]


def _finding(run: Run, rivals: list[Run]) -> Finding:
    def finding(passed: bool, sentence: str) -> Finding:
        return Finding(run.problem, run.start, run.method, passed, sentence)

    problem = problems.get(run.name, **run.parameters)
    if not problem.minima:
        if run.success:
            return finding(False, f"reports success ({run.reason}), but no minimum is known")
        return finding(True, f"f has no known minimum, and none is reported ({run.reason})")
    if not run.ending.at_minimum:
        return finding(False, f"did not end at a minimum: {run.reached or run.verdict} ({run.reason})")
    if not run.success and run.gtol != 0:
        return finding(False, f"is at a minimum, but reports no success: {run.message}")

    convex = "convex" in problem.tags
    same = [r for r in rivals if r.f == r.f and (convex or (r.at_minimum and r.reached_f == run.reached_f))]
    allowed = _AS_GOOD * (run.f_start - run.f) + 10 * EPS * abs(run.f)
    better = [r for r in same if run.f - r.f > allowed]
    if better:
        best = min(better, key=lambda r: r.f)
        return finding(False, f"f = {run.f:.10g} is above {best.method}'s {best.f:.10g} by more than {allowed:.2g}")
    where = f"at the minimum f = {run.reached_f if run.at_minimum else run.f:.10g}"
    if not run.at_minimum:
        where += ", which is not in the catalogue"
    if same:
        return finding(True, f"{where}, as low as {len(same)} of scipy's {len(rivals)} runs that ended there")
    if rivals:
        others = ", ".join(sorted({f"{r.f:.6g}" for r in rivals}))
        return finding(True, f"{where}; scipy's runs ended elsewhere (f = {others})")
    return finding(True, f"{where}; there is no scipy run to compare with")


class Agreement(enum.Enum):
    """How the ends of two runs from the same start agree."""

    SAME = "the same minimum: x, f and index agree"
    DIFFERENT = "the same known point, but x, f or index differ"
    APART = "two different minima"
    OURS_LOST = "ours did not end at a minimum, scipy's did"
    THEIRS_LOST = "scipy's did not end at a minimum, ours did"
    NEITHER = "neither ended at a minimum"


@dataclass(frozen=True, slots=True)
class Counterparts:
    """Runs of one of our methods and of its scipy counterpart, on the same problem from the same start."""

    ours: Run
    theirs: Run
    agreement: Agreement
    sentence: str


def counterparts(runs: Sequence[Run]) -> list[Counterparts]:
    """Each scipy run with our run of the counterpart method, if there is one.

    At the same known minimum they must agree: ‖x − y‖ ≤ 1e-3·max(1, ‖x‖), or the root of that at a degenerate point;
    f to 1e-8 of the decrease from the start, and rounding; and the index of the Hessian. At a degenerate point
    where the index of one end is not known, only f is compared.

    Parameters
    ----------
    runs : sequence of Run
    """
    made = [run for run in runs if run.ending is not Ending.SKIPPED]
    ours = {(run.problem, run.start, run.method): run for run in made if run.ours}
    found = []
    for theirs in made:
        mine = None if theirs.ours else ours.get((theirs.problem, theirs.start, counterpart(theirs.method)))
        if mine is not None:
            agreement, sentence = _compared(mine, theirs)
            found.append(Counterparts(mine, theirs, agreement, sentence))
    return found


def _compared(ours: Run, theirs: Run) -> tuple[Agreement, str]:
    there = [run.ending.at_minimum for run in (ours, theirs)]
    ends = f"f = {number(ours.f, 10)} ({ours.ending}) and {number(theirs.f, 10)} ({theirs.ending})"
    if not all(there):
        lost = {(True, False): Agreement.THEIRS_LOST, (False, True): Agreement.OURS_LOST}
        return lost.get((there[0], there[1]), Agreement.NEITHER), ends
    degenerate = any("degenerate" in (run.reached or run.verdict) or run.verdict == "valley" for run in (ours, theirs))
    near = math.sqrt(_SAME_X) if degenerate else _SAME_X
    apart = math.dist(ours.x, theirs.x) / max(1.0, math.hypot(*ours.x))
    difference = abs(ours.f - theirs.f)
    allowed = _AS_GOOD * (ours.f_start - min(ours.f, theirs.f)) + 100 * EPS * abs(ours.f)
    same_point = ours.reached is not None and ours.reached == theirs.reached and ours.reached_f == theirs.reached_f
    if not same_point and apart > near:
        return Agreement.APART, ends
    indices = (ours.index, theirs.index)
    index_differs = None not in indices and ours.index != theirs.index
    if difference <= allowed and not index_differs and (apart <= near or same_point):
        return Agreement.SAME, ends
    return Agreement.DIFFERENT, f"{ends}; x {number(apart, 2)} apart, indices {indices}, f allowed {number(allowed, 2)}"
