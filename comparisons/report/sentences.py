"""What the report says in sentences: how the comparison was made, and what came of it in short."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

import numpy as np

from comparisons.core.costs import CostTable, Spending
from comparisons.core.labels import FIRST_ORDER, count, family, groups, in_words, listing, methods, number, times
from comparisons.core.prices import by_theory, counted, turned
from comparisons.core.runs import Run
from comparisons.running.protocol import SEEDED, Protocol
from comparisons.scores.stability import ranking

_SIZES = ((1, 10), (11, 100), (101, math.inf))  # of n, for who is the cheapest where
_FREE, _DEAR = 2.0, 88.0  # degrees: second derivatives for almost nothing, and worth almost everything
_SAME = 1.01  # a ratio of costs that counts as none


def how(runs: Sequence[Run], protocol: Protocol) -> list[str]:
    """What was compared and how, in a few plain sentences."""
    rows = groups(runs)
    names = len({run.problem for run in runs})
    starts = "" if names == len(rows) else f" from {count(len(rows), 'start')} in all"
    sentences = [
        f"{count(len(methods(runs)), 'method')} ran on {count(names, 'problem')}{starts}: "
        f"{count(len(runs), 'run')}. All were given the same exact derivatives, through the same counters of our own; "
        "what a solver reports of itself is not used.",
        "The cost of a run is counted in evaluations of f: f + 2 g + 4 Hv + 4n H, where g is a gradient, Hv a product "
        "of the Hessian with a vector, H a Hessian of n columns. Times in seconds depend on the machine, costs do not.",
        _end_of_a_run(protocol),
        _tuning(runs),
        "Where a run ended is judged by the verified critical points of the problem and by the eigenvalues of the "
        "Hessian there, never by what the method says of itself.",
    ]
    if any(run.start in SEEDED for run in runs):
        sentences.append(
            f"The starts {listing(SEEDED)} are near the standard one, each coordinate moved by a tenth of its size "
            f"times a normal number (seed {protocol.seed})."
        )
    if runs[0].versions:
        sentences.append("Versions: " + ", ".join(f"{name} {found}" for name, found in runs[0].versions.items()) + ".")
    return [sentence for sentence in sentences if sentence]


def _end_of_a_run(protocol: Protocol) -> str:
    budget = f"A run may spend {protocol.gradients} gradients and ten times as many values of f. "
    if protocol.mode == "shipped":
        return f"{budget}Within that every solver stops by its own defaults."
    if protocol.gtol == 0:
        return (
            f"{budget}No solver stops by a tolerance: it goes on as far as rounding allows, or until its budget is "
            "spent, and costs are compared where f − f* was first down to 1e-8 of its size at the start."
        )
    return (
        f"{budget}It stops by itself when the largest entry of the gradient is at most {number(protocol.gtol)} "
        "(scipy's Newton-CG: when its step is short)."
    )


def _tuning(runs: Sequence[Run]) -> str:
    tunings = [run.tuning for run in runs if run.tuning is not None]
    if not tunings:
        return ""
    grid, budget = tunings[0].grid, max(tuning.budget for tuning in tunings)
    return (
        f"First-order methods with a learning rate run at the best of {len(grid)} rates from {number(min(grid))} to "
        f"{number(max(grid))}, found for each problem on another start that is not reported, where every rate is given "
        f"{budget} gradients; what that tuning costs is not part of their cost."
    )


def in_short(spent: Spending, rough: Spending, fine: Spending) -> list[str]:
    """Who solves the most, who is the cheapest where, what other prices change, and where first-order methods win.

    Parameters
    ----------
    spent : Spending
        At the tolerance of the report.
    rough, fine : Spending
        The same at the largest and the smallest tolerance.
    """
    table = spent.priced(by_theory)
    sentences = [_most_solved(table), _cheapest_where(table)]
    if len(table.methods) > 1:
        sentences += [_what_changes(spent, rough, fine), _first_order(table)]
    return [sentence for sentence in sentences if sentence]


def _most_solved(table: CostTable) -> str:
    shares = table.share_solved
    best = max(shares.values())
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
    return f"The cheapest most often: {'; '.join(parts)}." if parts else "Nobody solves anything."


def _what_changes(spent: Spending, rough: Spending, fine: Spending) -> str:
    ways = {
        "as scored here": spent.priced(by_theory),
        "rough": rough.priced(by_theory),
        "fine": fine.priced(by_theory),
        "counted": spent.priced(counted),
        "free": spent.priced(turned(by_theory, math.radians(_FREE))),
        "dear": spent.priced(turned(by_theory, math.radians(_DEAR))),
    }
    winners = dict(zip(ways, ranking(list(ways.items())).winners(), strict=True))
    if len(set(winners.values())) == 1:
        return f"{_capital(winners['free'])} ranks first at every tolerance and at every price of curvature."
    return (
        f"By the mean of cheapest cost over cost, {winners['as scored here']} ranks first; where one digit is enough "
        f"{winners['rough']}, where ten are asked for {winners['fine']}; if an evaluation counted one, whatever it is, "
        f"{winners['counted']}, if second derivatives were free {winners['free']}, if nothing else cost anything "
        f"{winners['dear']}."
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
    text = f"First-order methods win on {len(wins)} of {total}{where}"
    if both.any():
        ratio = statistics.median((theirs[both] / others[both]).tolist())
        text += (
            f"; where they solve what others solve too, the best of them costs {times(ratio)} times as much (median)"
        )
    return text + (f", and {never} that others solve they do not." if never else ".")


def _named(names: Sequence[str]) -> str:
    return listing([in_words(name) for name in names], most=3)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
