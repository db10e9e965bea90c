"""What was checked: our runs against scipy's, counterparts against each other, reported counts against real calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from comparisons.core.labels import count
from comparisons.core.runs import Run
from comparisons.report.document import Block, Bullets, Cell, Note, Row, Section, Table, Tone
from comparisons.report.method_tables import method_cell
from comparisons.running.regression_check import Change
from comparisons.running.scipy_check import Agreement, Counterparts, Finding, counterparts
from comparisons.scores.audit import Entry, audit, audit_summary, miscounted

_WORST = 3  # wrong counters of a method that are shown
_COLUMNS = {
    Agreement.SAME: "agree",
    Agreement.DIFFERENT: "contradict",
    Agreement.APART: "different minima",
    Agreement.OURS_LOST: "only scipy's at a minimum",
    Agreement.THEIRS_LOST: "only ours at a minimum",
    Agreement.NEITHER: "neither at a minimum",
}
_NOTABLE = (Agreement.DIFFERENT, Agreement.OURS_LOST)


def below_reference_notes(runs: Sequence[Run]) -> list[Block]:
    """A note for each run that ended below the recorded minimum."""
    return [
        Note(
            f"BELOW REFERENCE  {run.method} on {run.problem} from {run.start!r}: f = {run.f!r} is below the lowest "
            "recorded minimum, so the record is wrong.",
            "bad",
        )
        for run in runs
    ]


def check_summary(findings: Sequence[Finding]) -> list[Block]:
    """How many checks passed, and each that failed."""
    failed = [finding for finding in findings if not finding.passed]
    return [
        *(Note(f"FAILED  {_sentence(finding)}", "bad") for finding in failed),
        Note(
            f"Check against scipy: {len(findings) - len(failed)} of {len(findings)} passed.",
            "bad" if failed else "good",
        ),
    ]


def _sentence(finding: Finding) -> str:
    return f"{finding.method} on {finding.problem} from {finding.start!r}: {finding.sentence}."


def change_notes(changed: Sequence[Change], runs: int) -> list[Block]:
    """The runs that differ from an earlier comparison."""
    tones: dict[bool | None, Tone] = {True: "good", False: "bad", None: "soft"}
    return [
        *(Note(change.sentence, tones[change.better]) for change in changed),
        Note(f"{count(len(changed), 'run')} of {runs} changed.", "bad" if changed else "good"),
    ]


def check_section(runs: Sequence[Run], findings: Sequence[Finding], run_anchor: Mapping[int, str]) -> Section:
    """The check of our runs against scipy's, and the agreement of each method with its counterpart."""
    if not findings:
        blocks: list[Block] = ["Nothing was checked: there is no run of newton, bfgs or lbfgs."]
    else:
        passed = [finding for finding in findings if finding.passed]
        blocks = [
            *check_summary(findings),
            "A run of newton, bfgs or lbfgs passes if it ends at a minimum, known or confirmed by the Hessian, and if "
            "its f is as low as that of scipy's runs that end at the same known point (on a convex problem: of all of "
            "scipy's runs), within 1e-8 of the decrease from the start. If f has no minimum, the run passes if it "
            "reports none.",
        ]
        if passed:
            blocks.append(Section(f"{len(passed)} passed", [Bullets(list(map(_sentence, passed)))], collapsed=True))
    pairs = counterparts(runs)
    if pairs:
        blocks.append(counterpart_table(pairs))
    notable = [pair for pair in pairs if pair.agreement in _NOTABLE]
    if notable:
        rows: list[Row] = [
            [
                Cell(pair.ours.method, run_anchor[id(pair.ours)]),
                Cell(pair.theirs.method, run_anchor[id(pair.theirs)]),
                pair.ours.problem,
                pair.ours.start,
                f"{pair.agreement.value}; {pair.sentence}",
            ]
            for pair in notable
        ]
        table = Table("", ("ours", "scipy's", "problem", "start", "difference"), rows, text=range(5))
        title = f"{len(notable)} contradictions, or runs where only scipy's solver ended at a minimum"
        blocks.append(Section(title, [table], collapsed=True))
    return Section("Check against scipy", blocks, "check")


def counterpart_table(pairs: Sequence[Counterparts]) -> Table:
    """How often each of our methods and its counterpart of scipy's agree."""
    tally: dict[tuple[str, str], Counter[Agreement]] = {}
    for pair in pairs:
        tally.setdefault((pair.ours.method, pair.theirs.method), Counter())[pair.agreement] += 1
    rows: list[Row] = [
        [method_cell(ours), theirs, *(str(counts[agreement] or "·") for agreement in _COLUMNS)]
        for (ours, theirs), counts in tally.items()
    ]
    title = "Each of scipy's solvers and our counterpart, from the same starts"
    return Table(title, ("ours", "scipy's", *_COLUMNS.values()), rows, text=(0, 1))


def audit_section(runs: Sequence[Run], shipped: Sequence[Entry]) -> Section:
    """The counts that solvers report, compared with the calls that were made."""
    entries = audit(runs)
    blocks: list[Block] = [audit_summary(entries) if entries else "No solver reported any counts."]
    wrong = [entry for those in miscounted(entries).values() for entry in those[:_WORST]]
    for title, those in (
        ("The reports that differ most", wrong),
        ("scipy's solvers as shipped, each with every form of second derivative that it takes", shipped),
    ):
        if those:
            blocks.append(Section(title, [_entry_table(those)], collapsed=True))
    return Section("Audit of the counters", blocks, "audit")


def _entry_table(entries: Sequence[Entry]) -> Table:
    rows: list[Row] = [
        [
            entry.method,
            entry.problem,
            entry.start,
            entry.counter,
            Cell("–" if entry.reported is None else str(entry.reported), tone="" if entry.correct else "bad"),
            str(entry.called),
        ]
        for entry in entries
    ]
    return Table("", ("method", "problem", "start", "counter", "reported", "called"), rows, text=(0, 1, 2, 3))
