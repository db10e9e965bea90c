"""The check against scipy: do our methods end where they should, and where their counterparts of scipy's do?"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import problems
from comparisons.core.labels import counterpart, number
from comparisons.core.runs import Run
from newtonkit.linalg.kernels import EPS

CHECKED = ("newton", "bfgs", "lbfgs")
_AT_A_MINIMUM = ("global", "local")
_AS_GOOD = 1e-8  # of f, relative to the descent from the start
_SAME_X = 1e-3  # of max(1, ‖x‖), and its root at a degenerate point: that of `Problem.reached`


@dataclass(frozen=True, slots=True)
class Finding:
    """The check of one run of ours."""

    problem: str
    start: str
    method: str
    passed: bool
    sentence: str


def check(runs: Sequence[Run]) -> list[Finding]:
    """One finding for each run of newton, bfgs and lbfgs.

    A run passes if it ended at a minimum, of the catalogue or by the Hessian (where f is unbounded below and none is
    known: if it did not claim success), if it claims success there (unless it was told to go on as far as rounding
    allows), and if f there is as good as scipy's: on a convex problem, as the best of scipy's runs; elsewhere, as every
    run of scipy's that ended at the same known point. Another minimum than scipy's is reported, not failed. "As good"
    allows 1e-8 of the descent from the start, and rounding.
    """
    return [_finding(run, _rivals(run, runs)) for run in runs if run.method in CHECKED]


def _rivals(run: Run, runs: Iterable[Run]) -> list[Run]:
    return [other for other in runs if not other.ours and other.problem == run.problem and other.start == run.start]


def _finding(run: Run, rivals: list[Run]) -> Finding:
    def says(passed: bool, sentence: str) -> Finding:
        return Finding(run.problem, run.start, run.method, passed, sentence)

    problem = problems.get(run.name, **run.parameters)
    if not problem.minima:
        if run.success:
            return says(False, f"claims success ({run.reason}), but no minimum is known")
        return says(True, f"f has no known minimum, and none is claimed ({run.reason})")
    if run.ending not in _AT_A_MINIMUM:
        return says(False, f"ended at no minimum: {run.reached or run.verdict} ({run.reason})")
    if not run.success and run.gtol != 0:
        return says(False, f"is at a minimum, but claims no success: {run.message}")

    convex = "convex" in problem.tags
    same = [r for r in rivals if r.f == r.f and (convex or (r.at_minimum and r.reached_f == run.reached_f))]
    allowed = _AS_GOOD * (run.f_start - run.f) + 10 * EPS * abs(run.f)
    better = [r for r in same if run.f - r.f > allowed]
    if better:
        best = min(better, key=lambda r: r.f)
        return says(False, f"f = {run.f:.10g} is above {best.method}'s {best.f:.10g} by more than {allowed:.2g}")
    where = f"at the minimum f = {run.reached_f if run.at_minimum else run.f:.10g}"
    if not run.at_minimum:
        where += ", which the catalogue does not list"
    if same:
        return says(True, f"{where}, as good as {len(same)} of scipy's {len(rivals)} runs that ended there")
    if rivals:
        others = ", ".join(sorted({f"{r.f:.6g}" for r in rivals}))
        return says(True, f"{where}; scipy's runs ended elsewhere (f = {others})")
    return says(True, f"{where}; no run of scipy's to compare with")


class Agreement(enum.Enum):
    """What two runs from the same start have to do with each other."""

    SAME = "the same minimum: x, f and index agree"
    DIFFERENT = "the same known point, but x, f or index differ"
    APART = "two different minima"
    OURS_LOST = "ours ended at no minimum, scipy's did"
    THEIRS_LOST = "scipy's ended at no minimum, ours did"
    NEITHER = "neither ended at a minimum"


@dataclass(frozen=True, slots=True)
class Counterparts:
    """A method of ours beside its counterpart of scipy's, from the same start of the same problem."""

    ours: Run
    theirs: Run
    agreement: Agreement
    sentence: str


def counterparts(runs: Sequence[Run]) -> list[Counterparts]:
    """Each of scipy's runs beside ours by the same method, where there is one.

    At the same known minimum they must agree: ‖x − y‖ ≤ 1e-3·max(1, ‖x‖), or the root of that at a degenerate point;
    f to 1e-8 of the descent from the start, and rounding; and the index of the Hessian. Where it is degenerate, and the
    index of one end not known, f has to do.

    Parameters
    ----------
    runs : sequence of Run
    """
    ours = {(run.problem, run.start, run.method): run for run in runs if run.ours}
    found = []
    for theirs in runs:
        mine = None if theirs.ours else ours.get((theirs.problem, theirs.start, counterpart(theirs.method)))
        if mine is not None:
            agreement, sentence = _compared(mine, theirs)
            found.append(Counterparts(mine, theirs, agreement, sentence))
    return found


def _compared(ours: Run, theirs: Run) -> tuple[Agreement, str]:
    there = [run.ending in _AT_A_MINIMUM for run in (ours, theirs)]
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
