"""Sentences of a comparison: how it was made, and its key findings."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

import numpy as np

from comparisons.core.costs import CostTable, Spending
from comparisons.core.labels import FIRST_ORDER, count, family, full_name, groups, listing, methods, number, times
from comparisons.core.prices import ad_costs, reweight, unit_costs
from comparisons.core.runs import Run
from comparisons.running.protocol import SEEDED, Protocol
from comparisons.scores.stability import ranking

_SIZES = ((1, 10), (11, 100), (101, math.inf))  # classes of n
_FREE, _EXPENSIVE = 2.0, 88.0  # degrees: second derivatives cost almost nothing, or almost everything
_SAME = 1.01  # ratio of costs up to which they count as equal


def method_description(runs: Sequence[Run], protocol: Protocol) -> list[str]:
    """What was compared, and how."""
    rows = groups(runs)
    names = len({run.problem for run in runs})
    starts = "" if names == len(rows) else f" from {count(len(rows), 'start')} in all"
    sentences = [
        f"{count(len(methods(runs)), 'method')} ran on {count(names, 'problem')}{starts}: "
        f"{count(len(runs), 'run')}. All used the same exact derivatives and were counted by the same counters; the "
        "counts that solvers report are not used.",
        "The cost of a run is f + 2 g + 4 Hv + 4k H in units of one evaluation of f, where g counts gradients, Hv "
        "Hessian-vector products and H Hessians. k is the number of products that recover one Hessian: n if it is "
        "dense; if it is sparse, the number of groups of columns without a common non-zero row"
        f"{_groups(runs)}. Every method pays the same price. Seconds depend on the machine, costs do not.",
        _end_of_a_run(protocol),
        _tuning(runs),
        "The ending of a run is classified by the verified critical points of the problem and by the eigenvalues of "
        "the Hessian, never by the report of the solver.",
    ]
    if any(run.start in SEEDED for run in runs):
        sentences.append(
            f"The starts {listing(SEEDED)} are near the standard one: each coordinate is perturbed by a tenth of its "
            f"size times a normal random number (seed {protocol.seed})."
        )
    if runs[0].versions:
        sentences.append("Versions: " + ", ".join(f"{name} {found}" for name, found in runs[0].versions.items()) + ".")
    return [sentence for sentence in sentences if sentence]


def _groups(runs: Sequence[Run]) -> str:
    """The number of groups of the largest sparse problem, in brackets."""
    sparse = [run for run in runs if run.trace.sparse_products]
    if not sparse:
        return ""
    run = max(sparse, key=lambda run: run.n)
    return f" ({run.trace.sparse_products} on {run.name} with {run.n} variables)"


def _end_of_a_run(protocol: Protocol) -> str:
    budget = f"A run may spend {protocol.gradients} gradients and ten times as many values of f. "
    if protocol.mode == "shipped":
        return f"{budget}Within it every solver stops by its own default rules."
    if protocol.gtol == 0:
        return (
            f"{budget}No solver stops by a tolerance: each runs until rounding prevents progress or the budget is "
            "spent. Costs are compared at the point where f − f* first fell to 1e-8 of its initial value."
        )
    return f"{budget}It stops when ‖g‖∞ is at most {number(protocol.gtol)} (scipy's Newton-CG: when its step is short)."


def _tuning(runs: Sequence[Run]) -> str:
    tunings = [run.tuning for run in runs if run.tuning is not None]
    if not tunings:
        return ""
    grid, budget = tunings[0].grid, max(tuning.budget for tuning in tunings)
    return (
        f"A first-order method with a learning rate uses the best of {len(grid)} rates from {number(min(grid))} to "
        f"{number(max(grid))}. The rate is found for each problem on another start, which is not reported, with "
        f"{budget} gradients for every rate; the cost of tuning is not included."
    )


def key_findings(spent: Spending, rough: Spending, fine: Spending) -> list[str]:
    """Most solved, cheapest by size, effect of other tolerances and prices, and where first-order methods win.

    Parameters
    ----------
    spent : Spending
        At the tolerance of the report.
    rough, fine : Spending
        The same at the largest and the smallest tolerance.
    """
    table = spent.priced(ad_costs)
    sentences = [_most_solved(table), _cheapest_where(table)]
    if len(table.methods) > 1:
        sentences += [_what_changes(spent, rough, fine), _first_order(table)]
    return [sentence for sentence in sentences if sentence]


def _most_solved(table: CostTable) -> str:
    shares = table.share_solved
    best = max(shares.values())
    if best == 0:
        return ""
    top = [method for method, share in shares.items() if share == best]
    text = (
        f"{_capital(_named(top))} {'solves' if len(top) == 1 else 'solve'} the most: {_percent(best)} of the "
        f"{count(len(table.instances), 'instance')} (problem and start)"
    )
    theirs = {method: share for method, share in shares.items() if method.startswith("scipy:")}
    if theirs and len(theirs) < len(shares) and (most := max(theirs.values())) < best:
        names = [method for method, share in theirs.items() if share == most]
        text += f"; of scipy's solvers {_named(names)}, {_percent(most)}"
    return text + "."


def _cheapest_where(table: CostTable) -> str:
    parts = []
    ratios = table.ratios
    for low, high in _SIZES:
        rows = [k for k, instance in enumerate(table.instances) if low <= instance.n <= high]
        won = Counter(table.methods[m] for k in rows for m in np.flatnonzero(ratios[k] <= _SAME))
        if not won:
            continue
        top = max(won.values())
        size = (
            f"up to {high} variables" if low == 1 else f"{low} to {high}" if high < math.inf else f"more than {low - 1}"
        )
        first = [method for method, wins in won.items() if wins == top]
        parts.append(f"with {size} {_named(first)} ({top} of {len(rows)}{' each' if len(first) > 1 else ''})")
    return f"The cheapest most often: {'; '.join(parts)}." if parts else "No method solves any problem."


def _what_changes(spent: Spending, rough: Spending, fine: Spending) -> str:
    ways = {
        "as scored here": spent.priced(ad_costs),
        "rough": rough.priced(ad_costs),
        "fine": fine.priced(ad_costs),
        "counted": spent.priced(unit_costs),
        "free": spent.priced(reweight(ad_costs, math.radians(_FREE))),
        "expensive": spent.priced(reweight(ad_costs, math.radians(_EXPENSIVE))),
    }
    winners = dict(zip(ways, ranking(list(ways.items())).winners(), strict=True))
    if len(set(winners.values())) == 1:
        return f"{_capital(winners['free'])} ranks first at every tolerance and every price of second derivatives."
    return (
        f"By the mean of (lowest cost / cost), {winners['as scored here']} ranks first. With one correct digit it is "
        f"{winners['rough']}, with ten {winners['fine']}; if every evaluation counts one, {winners['counted']}; if "
        f"second derivatives are free, {winners['free']}; if only they cost anything, {winners['expensive']}."
    )


def _first_order(table: CostTable) -> str:
    first = np.array([family(method) == FIRST_ORDER for method in table.methods])
    if first.all() or not first.any():
        return ""
    theirs, others = table.costs[:, first].min(axis=1), table.costs[:, ~first].min(axis=1)
    wins = [instance.problem for instance, a, b in zip(table.instances, theirs, others, strict=True) if a * _SAME < b]
    both = np.isfinite(theirs) & np.isfinite(others)
    never = int((np.isinf(theirs) & np.isfinite(others)).sum())
    total = len(table.instances)
    where = f" ({listing(list(dict.fromkeys(wins)))})" if wins else ""
    text = f"First-order methods are the cheapest on {len(wins)} of {total}{where}"
    if both.any():
        ratio = statistics.median((theirs[both] / others[both]).tolist())
        text += f"; where both solve, the best first-order method costs {times(ratio)} times as much (median)"
    return text + (f"; only other methods solve {never}." if never else ".")


def _named(names: Sequence[str]) -> str:
    return listing([full_name(name) for name in names], most=3)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
