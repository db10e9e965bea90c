"""The check against scipy: do our second-order and quasi-Newton methods end where they should?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import problems
from comparisons.records import Run
from newtonkit.linalg import EPS

CHECKED = ("newton", "bfgs", "lbfgs")
_AS_GOOD = 1e-8  # of f, relative to the descent from the start


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

    A run passes if it ended at a minimum that the catalogue knows (where f is unbounded below and none is known: if it
    did not claim success), and if f there is as good as scipy's: on a convex problem, as the best of scipy's runs;
    elsewhere, as every run of scipy's that ended at the same known point. Another minimum than scipy's is reported, not
    failed. "As good" allows 1e-8 of the descent from the start, and rounding.
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
    if not run.at_minimum:
        return says(False, f"ended at no known minimum: {run.reached or run.verdict} ({run.reason})")
    if not run.success:
        return says(False, f"is at a minimum, but claims no success: {run.message}")

    convex = "convex" in problem.tags
    same = [r for r in rivals if r.f == r.f and (convex or (r.at_minimum and r.reached_f == run.reached_f))]
    allowed = _AS_GOOD * (run.f_start - run.f) + 10 * EPS * abs(run.f)
    better = [r for r in same if run.f - r.f > allowed]
    if better:
        best = min(better, key=lambda r: r.f)
        return says(False, f"f = {run.f:.10g} is above {best.method}'s {best.f:.10g} by more than {allowed:.2g}")
    where = f"at the minimum f = {run.reached_f:.10g}"
    if same:
        return says(True, f"{where}, as good as {len(same)} of scipy's {len(rivals)} runs that ended there")
    if rivals:
        others = ", ".join(sorted({f"{r.f:.6g}" for r in rivals}))
        return says(True, f"{where}; scipy's runs ended elsewhere (f = {others})")
    return says(True, f"{where}; no run of scipy's to compare with")
