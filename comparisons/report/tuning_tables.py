"""Tables of learning-rate searches."""

from __future__ import annotations

import math
from collections.abc import Mapping

from comparisons.core.labels import number
from comparisons.report.document import Table
from comparisons.running.tuning import RateSearch, RateTrial


def search_table(searches: Mapping[str, RateSearch], title: str = "Learning rates", value: str = "f") -> Table:
    """A row for each method: its best rate, its default, and how much of the grid converges.

    Parameters
    ----------
    searches : mapping of str to RateSearch
        By method.
    title : str
    value : str
        Name of the value of a trial, which is shown in brackets where the target was not reached.
    """

    def outcome(trial: RateTrial | None) -> list[str]:
        if trial is None:
            return ["–", "–"]
        cost = number(round(trial.cost)) if trial.converged else f"({value} = {number(trial.value)})"
        return [number(trial.rate), cost]

    rows = []
    for method, found in searches.items():
        best = outcome(found.best)
        best[0] += "*" if found.at_the_edge else ""
        share = f"{len(found.converged)} of {len(found.trials)}"
        span = f"{number(found.converged[0])} … {number(found.converged[-1])}" if found.converged else "none"
        rows.append([method, *best, *outcome(found.default), share, span])
    return Table(title, ("method", "best rate", "cost", "default rate", "cost", "converged", "rates"), rows)


def trial_table(found: RateSearch, title: str, value: str = "lowest f") -> Table:
    """A row for each rate of the grid, and one for the default."""
    trials = (*found.trials, *found.finer, *([found.default] if found.default else []))
    rows = [
        [
            number(trial.rate) + (" (default)" if trial is found.default else ""),
            number(trial.cost if trial.cost == math.inf else round(trial.cost)) if trial.converged else "not reached",
            number(trial.value),
            "best" if trial is found.best else "",
        ]
        for trial in sorted(trials, key=lambda trial: trial.rate)
    ]
    return Table(title, ("rate", "cost to target", value, ""), rows, text=(3,))
