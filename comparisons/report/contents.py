"""What stands in the report, whatever it is written in."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparisons.core.endings import beaten, endings
from comparisons.core.labels import Ending, cheapest, ending, false_success, groups, methods
from comparisons.core.runs import Run
from comparisons.core.solving import TOLERANCES, spending
from comparisons.plots.scoreboard import scoreboard
from comparisons.report import figures
from comparisons.report.figures import Picture
from comparisons.report.grid import Line, grid
from comparisons.report.sections import Section, illustrated, sections
from comparisons.report.sentences import how, in_short
from comparisons.running.protocol import Protocol
from comparisons.running.scipy_check import Agreement, Finding, Twins, twins
from comparisons.scores.audit import Entry, audit, audit_words, dishonest
from comparisons.scores.measured import Measured

_WORST = 3  # entries of a method that are shown of those that are wrong


@dataclass(frozen=True)
class MethodSummary:
    """One method over all problems."""

    method: str
    runs: int
    endings: Mapping[str, int]
    """How many runs ended in each of `comparisons.core.endings.CLASSES`."""
    solved: int
    """Runs that came to the lowest known minimum, as close as was asked."""
    known: int
    """Runs on problems of which a minimum is known."""
    relative_cost: float | None
    """Median, over the runs that solved, of cost relative to the cheapest run there."""
    cheapest: int
    """How often it was that."""
    false_successes: int


@dataclass(frozen=True)
class Contents:
    """The parts of the report, in their order."""

    runs: Sequence[Run]
    settings: Mapping[str, str]
    how: Sequence[str]
    short: Sequence[str]
    beaten: Sequence[Run]
    """Runs below a recorded f*: there must be none."""
    findings: Sequence[Finding]
    methods: Sequence[MethodSummary]
    grid: Sequence[Line]
    plates: Sequence[Picture]
    unscored: str
    """Why there are no plates; empty where there are."""
    audited: str
    """What the audit of the counters found, in words; empty if no solver reported any."""
    wrong: Sequence[Entry]
    shipped: Sequence[Entry]
    """The counters of scipy's solvers when they are called plainly."""
    twins: Mapping[tuple[str, str], Mapping[Agreement, int]]
    contradictions: Sequence[Twins]
    sections: Sequence[Section]
    numbers: Mapping[int, int]
    """The number of each run in the page, by its ``id``."""
    rates: Mapping[str, Mapping[str, Any]]
    """The tuning of a method on a problem."""
    drawn: bool
    """Whether figures were asked for."""

    @property
    def failed(self) -> list[Finding]:
        """Of the findings."""
        return [finding for finding in self.findings if not finding.passed]

    @property
    def passed(self) -> list[Finding]:
        """Of the findings."""
        return [finding for finding in self.findings if finding.passed]

    @property
    def tuned(self) -> list[str]:
        """The methods with a learning rate that was tuned."""
        return list(dict.fromkeys(method for row in self.rates.values() for method in row))


def contents(
    runs: Sequence[Run],
    protocol: Protocol,
    *,
    findings: Sequence[Finding] = (),
    settings: Mapping[str, str] | None = None,
    measurements: Sequence[Measured] = (),
    shipped: Sequence[Entry] = (),
    tolerance: float = 1e-8,
    drawn: bool = True,
    jobs: int = 1,
) -> Contents:
    """Everything that the report says and shows.

    Parameters
    ----------
    runs : sequence of Run
        At least one.
    protocol : Protocol
        Under which they were made.
    findings : sequence of Finding, optional
        Of the check against scipy.
    settings : mapping of str to str, optional
        How the comparison was made, shown as it is.
    measurements : sequence of Measured, optional
        Prices measured on this machine, to rank by as well.
    shipped : sequence of Entry, optional
        Of `comparisons.scores.audit.audit_scipy`.
    tolerance : float, default 1e-8
        Of the scores, in (0, 1): see `comparisons.core.solving`.
    drawn : bool, default True
        Whether there are figures; even then those of single problems are left out where there are very many.
    jobs : int, default 1
        Processes that draw.

    Raises
    ------
    ValueError
        If there are no runs.
    """
    if not runs:
        raise ValueError("there are no runs to report")
    plain = sections(runs)
    ordered = [run for section in plain for run in section.runs]
    numbers = {id(run): number for number, run in enumerate(ordered)}
    try:
        spent = [spending(runs, tolerance=each) for each in (tolerance, TOLERANCES[0], TOLERANCES[-1])]
    except ValueError as error:  # of what cannot be scored there is a report all the same, and it says why
        short, plates, unscored = [], [], str(error)
    else:
        board = scoreboard(runs, tolerance=tolerance, measurements=measurements) if drawn else []
        short, plates, unscored = in_short(*spent), figures.of_plates(board), ""
    entries, pairs = audit(runs), twins(runs)
    agreements: dict[tuple[str, str], Counter[Agreement]] = {}
    for pair in pairs:
        agreements.setdefault((pair.ours.method, pair.theirs.method), Counter())[pair.agreement] += 1
    return Contents(
        runs=runs,
        settings=settings or {},
        how=how(runs, protocol),
        short=short,
        beaten=beaten(runs),
        findings=findings,
        methods=_summaries(runs),
        grid=grid(runs, numbers, [section.anchor for section in plain]),
        plates=plates,
        unscored=unscored,
        audited=audit_words(entries) if entries else "",
        wrong=[entry for those in dishonest(entries).values() for entry in those[:_WORST]],
        shipped=shipped,
        twins=agreements,
        contradictions=[pair for pair in pairs if pair.agreement in (Agreement.DIFFERENT, Agreement.OURS_LOST)],
        sections=illustrated(plain, jobs) if drawn and len(plain) <= figures.MOST else plain,
        numbers=numbers,
        rates=_rates(runs),
        drawn=drawn,
    )


def _summaries(runs: Sequence[Run]) -> list[MethodSummary]:
    best = {key: cheapest(members) for key, members in groups(runs).items()}
    ends = endings(runs)
    found = []
    for method in methods(runs):
        mine = [run for run in runs if run.method == method]
        ratios = [
            run.price / max(first.price, 1)
            for run in mine
            if ending(run) is Ending.LOWEST and (first := best[run.problem, run.start]) is not None
        ]
        found.append(
            MethodSummary(
                method=method,
                runs=len(mine),
                endings=ends[method],
                solved=len(ratios),
                known=sum(run.gap is not None for run in mine),
                relative_cost=statistics.median(ratios) if ratios else None,
                cheapest=sum(ratio == 1 for ratio in ratios),
                false_successes=sum(map(false_success, mine)),
            )
        )
    return found


def _rates(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for run in runs:
        if run.tuning is not None:
            table.setdefault(run.problem, {})[run.method] = run.tuning
    return table
