"""Tables for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from comparisons.check import Agreement, Finding, Twins
from comparisons.records import Run
from comparisons.words import groups, number, where

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


def show(console: Console, runs: Sequence[Run], findings: Sequence[Finding]) -> None:
    """Print a whole comparison."""
    console.print(comparison(runs))
    console.print(findings_summary(findings))
