"""Tables for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from comparisons.core.endings import CLASSES
from comparisons.core.labels import count, groups, number, where
from comparisons.core.runs import Run
from comparisons.running.regression_check import Change
from comparisons.running.scipy_check import Agreement, Finding, Twins

if TYPE_CHECKING:  # the report draws, and these tables are printed without that
    from comparisons.report.contents import MethodSummary

_AGREEMENTS = {
    Agreement.SAME: "agree",
    Agreement.DIFFERENT: "contradict",
    Agreement.APART: "other minima",
    Agreement.OURS_LOST: "ours lost",
    Agreement.THEIRS_LOST: "scipy's lost",
    Agreement.NEITHER: "both lost",
}


def problem_table(runs: Sequence[Run]) -> Table:
    """The runs of one problem from one start."""
    first = runs[0]
    table = Table(title=f"{first.problem}, n = {first.n}, from {first.start!r}", title_justify="left", box=None)
    table.add_column("method")
    table.add_column("ended at")
    for heading in ("f − f*", "‖g‖∞", "nit", "f", "grad", "Hess", "Hv", "cost", "to 1e-8"):
        table.add_column(heading, justify="right")
    table.add_column("stopped by")
    for run in runs:
        table.add_row(
            escape(run.method if run.tuning is None else f"{run.method} (η={run.tuning.rate:g})"),
            where(run),
            number(run.gap, 2),
            number(run.gradient_norm, 2),
            *(str(count) for count in (run.nit, run.counts.f, run.counts.g, run.counts.H, run.counts.Hv, run.cost)),
            str(run.price) if run.met and run.gtol == 0 else "–",
            run.reason,
            style="" if run.at_minimum else "yellow",
        )
    return table


def comparison(runs: Sequence[Run]) -> Group:
    """One table for each problem and start."""
    return Group(*(part for members in groups(runs).values() for part in (problem_table(members), Text(""))))


def findings_summary(findings: Sequence[Finding]) -> Text:
    """Failures one by one, and how many passed."""
    failed = [finding for finding in findings if not finding.passed]
    text = Text()
    for finding in failed:
        text.append(f"FAILED  {finding.method} on {finding.problem} from {finding.start!r}: ", style="bold red")
        text.append(finding.sentence + "\n")
    style = "bold red" if failed else "green"
    text.append(f"check against scipy: {len(findings) - len(failed)} of {len(findings)} passed", style=style)
    return text


def twins_table(pairs: Sequence[Twins]) -> Table:
    """How often each method of ours and its counterpart of scipy's agree."""
    table = Table(box=None)
    for heading in ("ours", "scipy's"):
        table.add_column(heading)
    for heading in _AGREEMENTS.values():
        table.add_column(heading, justify="right")
    found: dict[tuple[str, str], Counter[Agreement]] = {}
    for pair in pairs:
        found.setdefault((pair.ours.method, pair.theirs.method), Counter())[pair.agreement] += 1
    for names, row in found.items():
        table.add_row(*map(escape, names), *(str(row[agreement] or "·") for agreement in _AGREEMENTS))
    return table


def twins_summary(pairs: Sequence[Twins]) -> Text:
    """Where twins contradict each other, one by one, and where ours alone ended at no minimum."""
    text = Text()
    for pair in pairs:
        if pair.agreement in (Agreement.DIFFERENT, Agreement.OURS_LOST):
            run = pair.ours
            text.append(f"{run.method} on {run.problem} from {run.start!r}, beside {pair.theirs.method}: ", style="red")
            text.append(f"{pair.agreement.value}; {pair.sentence}\n")
    return text


def methods_table(summaries: Sequence[MethodSummary]) -> Table:
    """Where the runs of each method ended, how many solved, and at what cost."""
    table = Table(box=None)
    table.add_column("method")
    for heading in (*CLASSES, "solved", "relative cost"):
        table.add_column(heading, justify="right")
    for entry in summaries:
        table.add_row(
            escape(entry.method),
            *(str(entry.endings[name] or "·") for name in CLASSES),
            f"{entry.solved} of {entry.known}",
            number(entry.relative_cost, 3),
        )
    return table


def in_short(sentences: Sequence[str]) -> Text:
    """The sentences of a report that say what came of it."""
    return Text("\n" + "\n".join(f"· {sentence}" for sentence in sentences) + "\n" if sentences else "")


def beaten_summary(below: Sequence[Run]) -> Text:
    """The runs that ended below a recorded minimum, one by one."""
    text = Text()
    for run in below:
        text.append(f"BEATEN  {run.method} on {run.problem} from {run.start!r}: ", style="bold red")
        text.append(f"f = {run.f!r} is below the lowest minimum on record, so that is wrong\n")
    return text


def changes_summary(changed: Sequence[Change], runs: int, against: Path | None) -> Text:
    """The cells that are not what they were, one by one."""
    text = Text()
    colours = {True: "green", False: "bold red", None: "yellow"}
    for change in changed:
        text.append(f"{change.sentence}\n", style=colours[change.better])
    text.append(
        f"against {against}: {count(len(changed), 'cell')} of {runs} changed", style="red" if changed else "green"
    )
    return text
