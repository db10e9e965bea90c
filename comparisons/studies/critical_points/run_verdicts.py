"""Verdicts at the ends of runs, compared with what is known of them by theory, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

import newtonkit
from comparisons.core.trace import COST_OF_F, COST_OF_GRADIENT, COST_OF_PRODUCT
from comparisons.report.document import Table
from comparisons.studies.critical_points.verdict_families import Family, families, truth
from newtonkit import Counts

METHODS = ("newton", "newton-cg", "bfgs", "lbfgs", "cg")
TOLERANCES = (1e-5, 1e-8)
_ALLOWED = 1.2  # times the run without a verdict
_MINIMA = {"minimum", "valley", "degenerate minimum"}
_SINGULAR = {"flat minimum", "degenerate minimum"}


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """One run with its verdict, what is true, and the cost of the same run with and without a verdict."""

    family: Family
    method: str
    gtol: float
    result: newtonkit.Result
    true_kind: str
    cost: float
    bare_cost: float
    minimum_allowance: float

    @property
    def outcome(self) -> str:
        """ "right", "undecided", "wrong", or "no claim" where the run ended by another reason than convergence."""
        kind, minimum = self.result.verdict.kind, "minimum" in self.true_kind
        if self.true_kind == "unknown":
            return "no claim"
        if self.result.success:
            if not minimum:
                return "wrong" if kind in _MINIMA else "undecided"
            if kind == "minimum" and self.true_kind in _SINGULAR:
                return "wrong"
            return "right" if kind in _MINIMA else "undecided"
        if minimum and self.result.reason.name in ("SADDLE", "NOT_CRITICAL"):
            return "wrong" if self.result.reason.name == "SADDLE" else "refused"
        return "no claim"

    @property
    def ratio(self) -> float:
        """Cost with the verdict over cost without."""
        return self.cost / self.bare_cost

    @property
    def within(self) -> bool:
        """Whether the cost is within the promise: 1.2 times the run, or two Hessians and ten gradients more."""
        return self.cost <= max(_ALLOWED * self.bare_cost, self.bare_cost + self.minimum_allowance)


def judged_run(family: Family, method: str, gtol: float) -> JudgedRun:
    """One method from the start of one family, with and without a verdict."""
    n = family.x0.size
    with np.errstate(all="ignore"):
        result = newtonkit.minimize(family.fun, family.x0, method=method, tol=gtol)
        bare = newtonkit.minimize(family.fun, family.x0, method=method, tol=gtol, options={"verdict": False})
        true_kind = truth(family, result.x)
    allowance = 2 * COST_OF_PRODUCT * n + 10 * COST_OF_GRADIENT
    return JudgedRun(family, method, gtol, result, true_kind, _cost(result, n), _cost(bare, n), allowance)


def _cost(result: newtonkit.Result, n: int) -> float:
    checks: Counts = result.checks
    products = n * (result.nhev + checks.H) + result.nhvp + checks.Hv
    return float(
        COST_OF_F * (result.nfev + checks.f) + COST_OF_GRADIENT * (result.njev + checks.g) + COST_OF_PRODUCT * products
    )


def judged_runs(
    seeds: Iterable[int], methods: Sequence[str] = METHODS, tolerances: Sequence[float] = TOLERANCES
) -> list[JudgedRun]:
    """All families, methods and tolerances."""
    return [
        judged_run(family, method, gtol)
        for seed in seeds
        for family in families(seed)
        for method in methods
        for gtol in tolerances
    ]


def run_table(runs: Sequence[JudgedRun]) -> Table:
    """Outcomes and costs by group of families; costs relative to the run without a verdict.

    "over" counts runs whose cost exceeds 1.2 times that run, and that run with two Hessians and ten gradients. Runs
    from saddles are compared with one that ends there.
    """
    outcomes_shown = ("right", "undecided", "wrong", "refused")
    rows = []
    for group in [*dict.fromkeys(run.family.group for run in runs), "all"]:
        chosen = [run for run in runs if group in (run.family.group, "all")]
        outcomes = Counter(run.outcome for run in chosen)
        counts = [outcomes[name] for name in outcomes_shown]
        quantiles = [f"{np.quantile([run.ratio for run in chosen], q):.2f}" for q in (0.5, 0.9, 1.0)]
        over = sum(not run.within for run in chosen)
        rows.append([group, str(len(chosen)), str(sum(counts)), *map(str, counts), *quantiles, str(over)])
    headings = ("group", "runs", "claims", *outcomes_shown, "cost: median", "90 %", "worst", "over")
    return Table(f"Verdicts at the ends of {len(runs)} runs", headings, rows)
