"""The scores of the benchmark: solved runs, false reports, and costs over the runs that solvers have in common.

The same rules hold for every solver:

* *solved*: ‖g‖∞ ≤ 1e-8 (with bounds, ‖P(x − g) − x‖∞ ≤ 1e-8), or the difference of f from the minimum is below
  rounding: ½ gᵀH⁻¹g ≤ 10·eps·|f| with no negative curvature (the rounding floor); and the point is not a saddle, a
  maximum, or a point with a small gradient far from any critical point. If the Hessian is singular and the kind
  undecided, f must also be that of the lowest known minimum: where exponentials underflow, f is constant without a
  minimum.
* *best*: f is within 1e-8 + 10·eps·|f*| of the lowest minimum known.
* *false failure*: solved, but not flagged a success.
* *false success*: flagged a success, but neither solved nor at a minimum at all. A success at a minimum without ‖g‖∞ ≤
  1e-8 counts as *short*; a success with a small gradient, an undecided kind and f above the lowest minimum as *unsure*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from comparisons.studies.solvers.solver_benchmark import SolverRun
from newtonkit import Counts
from newtonkit.classification.verdict import NO_MINIMUM
from newtonkit.linalg.kernels import EPS

SOLVED = 1e-8
COUNTED = ("f", "g", "H", "Hv")
CLASSES = ("standard", "x10", "x100", "far", "special")

# our methods and their counterparts
PAIRS = (
    ("newton", "scipy:trust-exact"),
    ("newton", "galahad:TRU"),
    ("newton", "galahad:TRB"),
    ("newton", "scipy:trust-constr"),
    ("auto", "galahad:TRU"),
    ("cubic", "galahad:ARC"),
    ("newton-linesearch", "scipy:trust-exact"),
    ("newton-cg", "scipy:trust-krylov"),
    ("newton-cg", "scipy:trust-ncg"),
    ("newton-cg", "scipy:Newton-CG"),
    ("bfgs", "scipy:BFGS"),
    ("dfp", "scipy:BFGS"),
    ("sr1", "scipy:BFGS"),
    ("lbfgs", "scipy:L-BFGS-B"),
    ("lbfgs", "scipy:TNC"),
    ("bfgs", "scipy:SLSQP"),
    ("cg", "scipy:L-BFGS-B"),
)
# our method, another solver, what is counted, and the largest ratio that is aimed at
AIMS = (
    ("newton", "scipy:trust-exact", "H", 0.8),
    ("newton", "scipy:trust-exact", "f", 1.0),
    ("bfgs", "scipy:BFGS", "g", 0.9),
    ("lbfgs", "scipy:L-BFGS-B", "g", 0.9),
    ("newton-cg", "scipy:trust-krylov", "Hv", 1.0),
    ("newton-cg", "scipy:Newton-CG", "Hv", 1.0),
)
BOUNDED_AIMS = (("newton", "galahad:TRB", "H", 0.8), ("lbfgs", "scipy:L-BFGS-B", "g", 0.95))


def start_class(trial: SolverRun) -> str:
    """One of `CLASSES`: the name of the start if it describes a distance, "special" otherwise, as on lines of "
    "symmetry."""
    return trial.start if trial.start in CLASSES else "special"


def small_gradient(trial: SolverRun) -> bool:
    """‖g‖∞ ≤ 1e-8 at any kind of point."""
    return trial.gradient_norm <= SOLVED


def solved(trial: SolverRun) -> bool:
    """See the module."""
    if trial.kind in NO_MINIMUM or not math.isfinite(trial.f) or (trial.kind == "undecided" and not best(trial)):
        return False
    return stationary(trial)


def stationary(trial: SolverRun) -> bool:
    """Whether the gradient is as small as required, or as rounding allows."""
    return small_gradient(trial) or trial.decrement <= 10 * EPS * abs(trial.f)


def best(trial: SolverRun) -> bool:
    """Whether f is that of the lowest minimum known; see the module."""
    return trial.best is not None and trial.f - trial.best <= 1e-8 + 10 * EPS * abs(trial.best)


def at_saddle(trial: SolverRun) -> bool:
    """Whether the endpoint is a critical point, but no minimum."""
    return trial.kind in NO_MINIMUM and trial.kind != "not critical"


def false_failure(trial: SolverRun) -> bool:
    """See the module."""
    return solved(trial) and not trial.success


def short(trial: SolverRun) -> bool:
    """A success at a minimum, but not to the accuracy that is scored."""
    return trial.success and not solved(trial) and trial.kind.endswith("minimum")


def unsure(trial: SolverRun) -> bool:
    """A success where f is flat, so that a minimum cannot be confirmed."""
    return trial.success and not solved(trial) and trial.kind == "undecided" and stationary(trial)


def false_success(trial: SolverRun) -> bool:
    """See the module."""
    return trial.success and not solved(trial) and not short(trial) and not unsure(trial)


def has_bounds(trial: SolverRun) -> bool:
    """Whether the problem has bounds."""
    return trial.outside is not None


def left_bounds(trial: SolverRun) -> bool:
    """Whether f or a derivative was evaluated outside the bounds."""
    return bool(trial.outside)


def success_at_saddle(trial: SolverRun) -> bool:
    """The worst of the false successes."""
    return trial.success and at_saddle(trial)


def amount(trial: SolverRun, what: str) -> float:
    """One of the counts "f", "g", "H", "Hv"; or "cost": f + g + Hv + n·H, each product worth one evaluation."""
    return _cost(trial.counts, trial.n) if what == "cost" else float(getattr(trial.counts, what))


def checks_cost(trial: SolverRun) -> float:
    """The same for what checks and verdict evaluated, which the counts leave out."""
    return _cost(trial.checks, trial.n)


def _cost(counts: Counts, n: int) -> float:
    return counts.f + counts.g + counts.Hv + n * counts.H


def geometric_mean(values: Sequence[float]) -> float:
    """exp(mean log v); where one is zero, of v + 1 and less 1. NaN for none.

    Examples
    --------
    >>> geometric_mean([2.0, 8.0]), geometric_mean([0.0, 3.0])
    (4.0, 1.0)
    """
    if not values:
        return math.nan
    shift = 0.0 if min(values) > 0 else 1.0
    return math.exp(math.fsum(math.log(v + shift) for v in values) / len(values)) - shift


def by_run(trials: Iterable[SolverRun]) -> dict[tuple[str, str], dict[str, SolverRun]]:
    """The trials of each problem and start by solver."""
    found: dict[tuple[str, str], dict[str, SolverRun]] = {}
    for trial in trials:
        found.setdefault((trial.problem, trial.start), {})[trial.method] = trial
    return found


def solved_by_all(trials: Iterable[SolverRun], methods: Sequence[str]) -> list[dict[str, SolverRun]]:
    """The problems and starts that all of these solvers solve."""
    runs = by_run(trials).values()
    return [run for run in runs if all(m in run and solved(run[m]) for m in methods)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two solvers on the problems and starts that both solve."""

    ours: str
    other: str
    runs: int
    ratio: dict[str, float]
    """Of our geometric mean to the other's, by what is counted; NaN where the other counts none."""


def compare(trials: Sequence[SolverRun], ours: str, other: str) -> Comparison:
    """Our costs divided by those of the other solver."""
    both = solved_by_all(trials, (ours, other))

    def ratio(what: str) -> float:
        # with the same shift for both if either has a zero
        one, two = ([amount(run[m], what) for run in both] for m in (ours, other))
        shift = 0.0 if min([*one, *two], default=1.0) > 0 else 1.0
        if not any(two):
            return math.nan
        return geometric_mean([v + shift for v in one]) / geometric_mean([v + shift for v in two])

    return Comparison(ours, other, len(both), {what: ratio(what) for what in (*COUNTED, "cost")})


@dataclass(frozen=True, slots=True)
class Aim:
    """One of the aims, as a sentence, with what was measured."""

    sentence: str
    measured: str
    met: bool


def aims(trials: Sequence[SolverRun]) -> list[Aim]:
    """Every aim whose solvers took part."""
    took_part = list(dict.fromkeys(trial.method for trial in trials))
    ours = [method for method in took_part if ":" not in method]
    others = [method for method in took_part if ":" in method]
    found = []
    for method in ("newton", "auto"):
        if method in ours and others:
            found += _counts_solved(trials, method, others)
    for name, wrong in (
        ("false failures", false_failure),
        ("false successes", false_success),
        ("successes at a saddle", success_at_saddle),
    ):
        found.append(_none_of(trials, ours, name, wrong))
    bounded = any(has_bounds(trial) for trial in trials)
    if bounded:
        found.append(_none_of(trials, ours, "evaluations outside the bounds", left_bounds))
    for method, other, what, limit in BOUNDED_AIMS if bounded else AIMS:
        if {method, other} <= set(took_part):
            pair = compare(trials, method, other)
            ratio = pair.ratio[what]
            found.append(
                Aim(
                    f"{method}: {what} at most {limit:g} × {other}'s",
                    f"{ratio:.3f} over the {pair.runs} runs both solve",
                    ratio <= limit,
                )
            )
    return found


def _counts_solved(trials: Sequence[SolverRun], method: str, others: Sequence[str]) -> list[Aim]:
    found = []
    for name in CLASSES:
        here = [trial for trial in trials if start_class(trial) == name]
        if not here:
            continue
        counts = {m: sum(solved(trial) for trial in here if trial.method == m) for m in (method, *others)}
        rival = max(others, key=lambda m: counts[m])
        found.append(
            Aim(
                f"{method}: solves at least as many as the best of the others from {name!r}",
                f"{counts[method]}, {rival} {counts[rival]}",
                counts[method] >= counts[rival],
            )
        )
    return found


def _none_of(trials: Sequence[SolverRun], ours: Sequence[str], name: str, wrong: Callable[[SolverRun], bool]) -> Aim:
    cases = [trial for trial in trials if trial.method in ours and wrong(trial)]
    return Aim(f"no {name} by any of our methods", f"{len(cases)}", not cases)
